"""What the site answers when it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json;charset=utf-8"
XML = "application/xml;charset=utf-8"


class Refusal(Exception):  # noqa: N818 - it is an answer, not a malfunction of the sandbox
    """An answer other than success.

    Args:
        status: HTTP status.
        message: Text of the error; empty leaves the body out.
        headers: Further headers.
        oauth: `error` of the token endpoint, whose bodies look different.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        headers: Mapping[str, str] | None = None,
        oauth: str | None = None,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.oauth = oauth

    def response(self, *, as_json: bool = True) -> Response:
        """The HTTP response: XML unless the caller asked for JSON."""
        if self.oauth is not None:
            body = msgspec.json.encode({"error": self.oauth, "error_description": self.message})
            return Response(body, self.status, headers={"content-type": JSON, **self.headers})
        if not self.message:
            return Response(b"", self.status, headers=self.headers)
        if as_json:
            body = msgspec.json.encode(
                {"error": {"code": "", "message": {"lang": "", "value": self.message}}}
            )
            return Response(body, self.status, headers={"content-type": JSON, **self.headers})
        text = (
            '<?xml version="1.0" encoding="utf-8"?><error xmlns="http://schemas.microsoft.com/ado/2007/08/'
            'dataservices/metadata"><code></code><message xml:lang="">'
            f"{escape(self.message)}</message></error>"
        )
        return Response(text, self.status, headers={"content-type": XML, **self.headers})


def bad_request(message: str) -> Refusal:
    """400: the query is wrong."""
    return Refusal(400, message)


def forbidden(message: str = "Forbidden", reason: str | None = None) -> Refusal:
    """403, with the vendor's `Reason` header if there is one."""
    return Refusal(403, message, {"Reason": reason} if reason else None)


def not_found(message: str = "Resource not found") -> Refusal:
    """404: no such path, or no such row."""
    return Refusal(404, message)


def unauthorized(detail: str) -> Refusal:
    """401, with the percent-encoded explanation in `WWW-Authenticate`."""
    text = detail.replace(" ", "%20")
    return Refusal(
        401,
        "Unauthorized",
        {
            "WWW-Authenticate": f'Bearer realm="exactonline", error="invalid_token", error_description="{text}"'
        },
    )
