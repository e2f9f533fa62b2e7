"""One request as the handlers see it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from tests.sandbox.exact_online.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A request whose body has been read.

    Attributes:
        path: Decoded path.
        query: Raw query string.
        headers: Names in lower case.
        base_url: Scheme, host and port, without a trailing slash.
    """

    method: str
    path: str
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
            query=request.scope["query_string"].decode("latin-1"),
            headers=request.headers,
            body=await request.body(),
            base_url=str(request.base_url).rstrip("/"),
        )

    @property
    def wants_json(self) -> bool:
        """Whether `Accept` asks for JSON; without it the API answers in Atom."""
        return "application/json" in self.headers.get("accept", "").lower()

    @property
    def web_options(self) -> dict[str, str]:
        """The query as a web form sends it."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def options(self) -> dict[str, str]:
        """The query of an API call, where a `+` is a plus sign and never a blank.

        Raises:
            Refusal: 400, when an option stands there twice.
        """
        options: dict[str, str] = {}
        for part in self.query.split("&"):
            if not part:
                continue
            name, _, value = part.partition("=")
            name = unquote(name)
            if name in options:
                raise bad_request(
                    f"Query parameter '{name}' is specified, but it should be specified exactly once."
                )
            options[name] = unquote(value)
        return options

    @property
    def media_type(self) -> str:
        """The request's content type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """The body as form fields."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
