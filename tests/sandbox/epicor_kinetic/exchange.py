"""One request as the handlers see it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A request whose body has been read.

    Attributes:
        path: Decoded path.
        raw_path: Path as it came, still percent-encoded.
        query: Raw query string.
        headers: Names in lower case.
        base_url: Scheme, host and port, without a trailing slash.
    """

    method: str
    path: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base_url: str

    @classmethod
    async def read(cls, request: Request) -> Exchange:
        """Read a request to its end."""
        return cls(
            method=request.method,
            path=request.url.path,
            raw_path=request.scope["raw_path"].decode("latin-1"),
            query=request.scope["query_string"].decode("latin-1"),
            headers=request.headers,
            body=await request.body(),
            base_url=str(request.base_url).rstrip("/"),
        )

    @property
    def accept(self) -> str:
        """What the caller wants to get."""
        return self.headers.get("accept", "").lower()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query parameters in order; a name may stand several times.

        What a bare `+` means depends on the server, so here it is a plus: blanks are written `%20`.
        """
        return parse_qsl(self.query.replace("+", "%2B"), keep_blank_values=True)

    @property
    def options(self) -> dict[str, str]:
        """The query parameters by name."""
        return dict(self.pairs)

    def form(self) -> dict[str, str]:
        """The body as form fields."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
