"""One request as the handlers see it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A request whose body has been read.

    Attributes:
        path: Decoded path.
        raw_path: Path as it came.
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
            raw_path=request.scope.get("raw_path", b"").decode("latin-1"),
            query=request.scope["query_string"].decode("latin-1"),
            headers=request.headers,
            body=await request.body(),
            base_url=str(request.base_url).rstrip("/"),
        )

    @property
    def options(self) -> dict[str, str]:
        """The options of an OData call. A `+` that is not encoded stays one: blanks are written `%20`."""
        return dict(_pairs(self.query, plus_is_blank=False))

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of an e.net call, names in lower case: the host does not mind their case."""
        return {name.lower(): value for name, value in _pairs(self.query, plus_is_blank=True)}


def _pairs(query: str, *, plus_is_blank: bool) -> list[tuple[str, str]]:
    decode = unquote_plus if plus_is_blank else unquote
    parts = [part.partition("=") for part in query.split("&") if part]
    return [(decode(name), decode(value)) for name, _, value in parts]
