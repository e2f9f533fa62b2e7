"""What the site answers when it refuses, in its own words."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from tests.sandbox.acumatica.grammar import FilterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ERROR_PAGE = b"<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>%s</h1></body></html>"


class Refusal(Exception):  # noqa: N818 - it is an answer, not a malfunction of the sandbox
    """An answer other than success.

    Args:
        status: HTTP status.
        body: Bytes of the answer.
        content_type: Its media type; None leaves the header out.
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        content_type: str | None = "application/json; charset=utf-8",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {body.decode(errors='replace')[:200]}")
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The HTTP response."""
        headers = self.headers | ({"content-type": self.content_type} if self.content_type else {})
        return Response(self.body, self.status, headers=headers)


def json_refusal(status: int, **members: object) -> Refusal:
    """A refusal whose body is one JSON object."""
    return Refusal(status, msgspec.json.encode(members))


def html_refusal(status: int, headline: str, headers: Mapping[str, str] | None = None) -> Refusal:
    """A refusal in HTML, as the web server in front of the application writes it."""
    return Refusal(status, _ERROR_PAGE % headline.encode(), "text/html; charset=utf-8", headers)


def failure(message: str, kind: str = "PX.Data.PXException") -> Refusal:
    """500, the answer to nearly everything: `kind` and `message` tell what it is about."""
    return json_refusal(
        500,
        message="An error has occurred.",
        exceptionMessage=message,
        exceptionType=kind,
        stackTrace="   at PX.Api.ContractBased.SystemContractController.Execute()",
    )


def bad_request(message: str) -> Refusal:
    """400 with a message."""
    return json_refusal(400, message=message)


def not_signed_in() -> Refusal:
    """401: no session, an expired token, an incomplete set of cookies."""
    return json_refusal(401, message="You are not currently logged in.")


def forbidden(title: str, screen: str) -> Refusal:
    """403 for a form."""
    return json_refusal(403, message=f"You have insufficient rights to access the {title} ({screen}) form.")


def not_found(form: str, what: str) -> Refusal:
    """404 with the body that this build happens to give: "json", "html" or "empty"."""
    if form == "html":
        return html_refusal(404, "The resource cannot be found.")
    if form == "empty":
        return Refusal(404, b"", None)
    return json_refusal(404, message=f"{what} not found.")


def no_seat(status: int) -> Refusal:
    """The licence's sessions are all taken."""
    if status == 429:
        return Refusal(429, b"The custom error module does not recognize this error.", "text/plain")
    return failure("API Login Limit")


def undefined_tenant() -> Refusal:
    """The tenant is unknown, or none was given on a site with several."""
    return failure(
        "A proper company ID cannot be determined for the request.", "PX.Data.PXUndefinedCompanyException"
    )


def setup_missing(title: str) -> Refusal:
    """The module was never set up."""
    return failure(
        f"The required configuration data is not entered on the {title} Preferences form.",
        "PX.Data.PXSetupNotEnteredException",
    )


def cannot_optimize(entity: str, what: str) -> Refusal:
    """The list cannot be compiled into one query because of one field or view."""
    return failure(
        f"Optimization cannot be performed. The following fields cause the error: {entity}.{what}. "
        f"There is a BqlDelegate in view {what}",
        "PX.Api.ContractBased.OptimizedExport.CannotOptimizeException",
    )


def declined() -> Refusal:
    """429: more requests are waiting than the licence lets wait."""
    return json_refusal(429, message="The number of API requests exceeds the limit of the licence.")


def length_required() -> Refusal:
    """411, said by the web server to a POST without Content-Length."""
    return html_refusal(411, "Length Required")


def odata_refusal(status: int, message: str) -> Refusal:
    """An error of the OData interfaces."""
    return Refusal(
        status,
        msgspec.json.encode({"error": {"code": "", "message": message}}),
        "application/json; odata.metadata=minimal; odata.streaming=true",
    )


@contextlib.contextmanager
def odata_filter_errors() -> Iterator[None]:
    """Answer filters that cannot be read, or do not fit, with 400.

    Raises:
        Refusal: 400.
    """
    try:
        yield
    except FilterError as wrong:
        raise odata_refusal(400, f"The query specified in the URI is not valid. {wrong}") from wrong
