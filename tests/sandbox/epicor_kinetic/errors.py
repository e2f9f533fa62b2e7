"""What the server answers when it refuses, in the shapes that were seen of Kinetic and of what stands before it."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json; charset=utf-8"
_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h2>{0}</h2></body></html>"
_REST_LAYER = "Epicor.RESTApi.ErrorHandling.ApiException"
_BUSINESS = "Ice.Common.BusinessObjectException"


class Refusal(Exception):  # noqa: N818 - it is an answer, not a malfunction of the sandbox
    """An answer other than success.

    Args:
        status: HTTP status.
        reason: `ReasonPhrase` of the body.
        message: `ErrorMessage`.
        kind: `ErrorType`.
        headers: Further headers.
        page: Answer with an HTML page, as the web server does before the application is asked.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        kind: str = _REST_LAYER,
        headers: Mapping[str, str] | None = None,
        *,
        page: bool = False,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.kind = kind
        self.headers = dict(headers or {})
        self.page = page

    def response(self, accept: str, form: str) -> Response:
        """The HTTP response: XML with the same names unless the caller accepts JSON."""
        if self.page or form == "html":
            page = _PAGE.format(f"{self.status} - {self.message}")
            return Response(page, self.status, headers={**self.headers, "content-type": "text/html"})
        if form == "odata":
            body: dict[str, object] = {"error": {"code": "", "message": self.message}}
        elif form == "short":
            body = {"HttpStatus": self.status, "ReasonPhrase": self.reason}
        else:
            body = self._body()
        if "json" in accept or form == "odata":
            return Response(
                msgspec.json.encode(body), self.status, headers={**self.headers, "content-type": JSON}
            )
        return Response(_xml(body), self.status, headers={**self.headers, "content-type": "application/xml"})

    def _body(self) -> dict[str, object]:
        body: dict[str, object] = {
            "HttpStatus": self.status,
            "ReasonPhrase": self.reason,
            "ErrorMessage": self.message,
            "ErrorType": self.kind,
            "CorrelationId": str(uuid.uuid4()),
        }
        if self.kind == _BUSINESS:
            body["ErrorDetails"] = [{"Message": self.message, "Type": "Error", "Table": "", "Field": ""}]
        return body


def _xml(body: Mapping[str, object]) -> bytes:
    root = ET.Element("Error")
    for name, value in body.items():
        if not isinstance(value, list):
            ET.SubElement(root, name).text = str(value)
    written: bytes = ET.tostring(root, encoding="utf-8")
    return written


def bad_query(message: str) -> Refusal:
    """400: the query names what is not there, or cannot be read."""
    return Refusal(400, "REST API Exception", message, "Microsoft.OData.ODataException")


def business(message: str) -> Refusal:
    """400: the business logic objects."""
    return Refusal(400, "REST API Exception", message, _BUSINESS)


def no_license(message: str) -> Refusal:
    """400, though it is worth another try: all licences are taken."""
    return Refusal(400, "REST API Exception", message, "Ice.Security.LicenseAccessException")


def not_found(message: str) -> Refusal:
    """404: no such service, set, company, row or BAQ, or its name in another case."""
    return Refusal(404, "Not Found", message)


def bad_date(message: str) -> Refusal:
    """500: what Kinetic makes of date literals with fractions or offsets."""
    return Refusal(500, "Internal Server Error", message, "System.FormatException")


def unauthorized(message: str) -> Refusal:
    """401: the identity is missing, wrong or expired."""
    return Refusal(
        401,
        "Unauthorized",
        message,
        "Ice.Common.AuthenticationException",
        {"www-authenticate": 'Basic realm="Epicor"'},
    )


def forbidden(message: str) -> Refusal:
    """403: the user's security or the access scope of the API key."""
    return Refusal(403, "Forbidden", message, "System.UnauthorizedAccessException")


def session_gone() -> Refusal:
    """410: the session of `SessionInfo` does not exist any more."""
    return Refusal(410, "Gone", "Session is no longer valid.", "Ice.Common.InvalidSessionException")


def wrong_method(method: str) -> Refusal:
    """405."""
    return Refusal(
        405, "Method Not Allowed", f"The requested resource does not support http method '{method}'."
    )


def page(status: int, headline: str) -> Refusal:
    """An HTML page of the web server."""
    return Refusal(status, headline, headline, page=True)
