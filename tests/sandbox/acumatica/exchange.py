"""One request as the handlers see it, and what they may add to its answer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import Response

from tests.sandbox.acumatica.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

JSON = "application/json; charset=utf-8"


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A request whose body has been read.

    Attributes:
        path: Decoded path.
        query: Raw query string.
        headers: Names in lower case.
        base_url: Scheme, host and port, without a trailing slash.
        set_cookies: `Set-Cookie` values that the answer will carry.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes
    base_url: str
    set_cookies: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    async def read(cls, request: Request) -> Exchange:
        """Read a request to its end."""
        return cls(
            method=request.method,
            path=request.url.path,
            query=request.scope["query_string"].decode("latin-1"),
            headers=request.headers,
            cookies=request.cookies,
            body=await request.body(),
            base_url=str(request.base_url).rstrip("/"),
        )

    @property
    def options(self) -> dict[str, str]:
        """The query parameters. As everywhere on the web, a `+` that is not encoded is a blank."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def media_type(self) -> str:
        """The request's content type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """The body as form fields."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            Refusal: 400, when it is none.
        """
        try:
            decoded = msgspec.json.decode(self.body)
        except msgspec.DecodeError as malformed:
            raise bad_request("The request is invalid.") from malformed
        if not isinstance(decoded, dict):
            raise bad_request("The request is invalid.")
        return decoded


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def json_answer(content: object, status: int = 200, content_type: str = JSON) -> Response:
    """A JSON response; decimals are written as numbers, digit by digit."""
    return Response(_ENCODER.encode(content), status, headers={"content-type": content_type})
