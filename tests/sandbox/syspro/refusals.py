"""What the site answers when it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

_HTML = "text/html; charset=utf-8"
_ODATA_JSON = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"
_PAGE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n'
    "<html><head><title>{title}</title></head><body><h2>{title}</h2><h3>{detail}</h3></body></html>"
)


class Refusal(Exception):  # noqa: N818 - it is an answer, not a malfunction of the sandbox
    """An answer other than success.

    Args:
        status: HTTP status.
        body: Bytes of the answer.
        content_type: Its media type.
        headers: Further headers.
    """

    def __init__(
        self, status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {body.decode(errors='replace')[:200]}")
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The HTTP response."""
        return Response(self.body, self.status, headers={**self.headers, "content-type": self.content_type})


def odata_refusal(status: int, message: str) -> Refusal:
    """An error of the OData library."""
    body = msgspec.json.encode({"error": {"code": "", "message": message}})
    return Refusal(status, body, _ODATA_JSON, {"OData-Version": "4.0"})


def invalid_query(detail: str) -> Refusal:
    """400: an option of the query cannot be read or is not supported."""
    return odata_refusal(400, f"The query specified in the URI is not valid. {detail}")


def page(status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None) -> Refusal:
    """A page of IIS, which stands in front of the service."""
    return Refusal(status, _PAGE.format(title=title, detail=detail).encode(), _HTML, headers)


def not_authenticated() -> Refusal:
    """401 of IIS."""
    return page(
        401,
        "401 - Unauthorized: Access is denied due to invalid credentials.",
        "You do not have permission to view this directory or page using the credentials that you supplied.",
        {"WWW-Authenticate": 'Basic realm="SYSPRO OData"'},
    )


def not_found() -> Refusal:
    """404 of IIS, for whatever reason: it does not tell clients the sub-status."""
    return page(
        404, "404 - File or directory not found.", "The resource you are looking for is not available."
    )
