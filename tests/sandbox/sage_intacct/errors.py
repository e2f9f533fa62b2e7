"""Refusals: where in the envelope they stand, and the words that tell one meaning of a number from another.

`XL03000006` alone means a wrong sender, an unauthorised one, a wrong password, a dead session and a field that
cannot be queried.
"""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Place = Literal["control", "authentication", "result"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Error:
    """One `error` of an `errormessage`; None leaves an element out."""

    errorno: str | None = None
    description: str | None = ""
    description2: str | None = ""
    correction: str | None = ""
    error_id: str | None = None  # of `additionalinfo`


class Refusal(Exception):  # noqa: N818 - a refusal is what the gateway answers with, not a failure of the sandbox
    """Something the gateway says no to.

    Attributes:
        place: Which level of the envelope fails.
        errors: What it says; several stand in one `errormessage`.
        status: HTTP status.
    """

    def __init__(self, place: Place, errors: Iterable[Error], *, status: int = 200) -> None:
        self.place: Place = place
        self.errors = tuple(errors)
        self.status = status
        super().__init__(place, self.errors)


def with_support_id(text: str) -> str:
    """A description as the gateway ends it, with an id for the vendor's support, percent-encoded."""
    return f"{text} [Support ID: {uuid.uuid4().hex[:8]}%7EXw{uuid.uuid4().hex[:10]}%2DEB0]"


def _error(errorno: str | None, text: str, correction: str = "", **rest: str) -> Error:
    return Error(errorno=errorno, description2=with_support_id(text), correction=correction, **rest)


# ------------------------------------------------------------------ control


def bad_xml(what: str) -> Refusal:
    """The request is not what the schema says."""
    return Refusal("control", [_error("XL03000003", f"XML Parse schema error: {what}")])


def wrong_sender() -> Refusal:
    """Sender id or sender password are wrong."""
    return Refusal("control", [_error("XL03000006", "Incorrect Intacct XML Partner ID or password.")])


def company_expired() -> Refusal:
    """The demo company has lapsed."""
    return Refusal("control", [_error("PL04000055", "This demo company has expired.")])


def company_unauthorized() -> Refusal:
    """The company has no Web Services subscription."""
    text = "This company is not authorized for XML transactions"
    return Refusal("control", [_error("XL03000006", text, "Contact your account manager.")])


def too_many_requests() -> Refusal:
    """Another request is in flight for as long as this one could wait."""
    return Refusal("control", [Error(errorno="GW-0010", description="API rate limit exceeded")], status=429)


def unknown_tenant() -> Refusal:
    """The company is not one of this gateway: GW-0011, which is no limit of any kind."""
    error = Error(errorno="GW-0011", description=f"Invalid Request [Request ID: {uuid.uuid4().hex}]")
    return Refusal("control", [error], status=400)


# ----------------------------------------------------------- authentication


def sender_not_authorized(sender: str) -> Refusal:
    """The sender is not on the company's list."""
    error = Error(
        errorno="XL03000006",
        description="Invalid Web Services Authorization",
        description2=with_support_id(f"The sender ID '{sender}' is not authorized to make requests."),
        correction=f"Add the sender ID '{sender}' to the Web Services authorizations of the company.",
    )
    return Refusal("authentication", [error])


def wrong_login() -> Refusal:
    """User, company or password are wrong, or the user is locked."""
    return Refusal("authentication", [_error("XL03000006", "Sign-in information is incorrect")])


def invalid_session() -> Refusal:
    """The session is unknown or over."""
    text = "Invalid session. The session has expired or does not exist."
    return Refusal("authentication", [_error("XL03000006", text)])


def wrong_endpoint() -> Refusal:
    """A data call came to the address of the first call."""
    text = "This request must be sent to the endpoint that getAPISession returned."
    return Refusal("authentication", [_error("XL03000006", text)])


# ------------------------------------------------------------------- result


def _failure(errorno: str | None, text: str, correction: str = "", **rest: str) -> Refusal:
    return Refusal("result", [_error(errorno, text, correction, **rest)])


def no_session_made(text: str) -> Refusal:
    """GetAPISession fails; its errorno is a phrase."""
    return _failure("Get API Session Failed", text)


def repeated(control_id: str) -> Refusal:
    """`uniqueid` is true, and this control id was completed before."""
    return _failure("XL03000009", f"A function with the control ID '{control_id}' was already completed.")


def unknown_object(name: str) -> Refusal:
    """No such object; its errorno is a phrase."""
    return _failure("Query Failed", f"Object definition {name} not found")


def unknown_field(name: str, field: str) -> Refusal:
    """No such field."""
    text = f"Field requested is not valid: {name.lower()}.{field}"
    return _failure("XL03000010", text, error_id="PL-0010")


def refused_fields(name: str, fields: Iterable[str]) -> Refusal:
    """Fields that lookup lists and query does not read."""
    text = f"The following fields cannot be queried: [ {name.lower()}: [{', '.join(fields)}] ]"
    return _failure("XL03000006", text)


def forbidden(name: str) -> Refusal:
    """The user may not read it, or nobody may."""
    text = f"You do not have permission for API operation READ_BY_QUERY on objects of type {name.lower()}"
    return _failure("PL04000005", text, "Check the role and the subscriptions.", error_id="PL-0005")


def audit_forbidden() -> Refusal:
    """The audit trail is not for this user. The real gateway gives no errorno here."""
    text = "You do not have permission to view audit history for this object."
    return _failure(None, text)


def bad_query(text: str) -> Refusal:
    """The function's own XML or values make no sense; its errorno is a phrase."""
    return _failure("Query Failed", text)


def failed() -> Refusal:
    """Something broke, as on great offsets and wide ranges."""
    return _failure("DL02000001", "There was an error processing the request.", error_id="DL-0001")


def offline() -> Refusal:
    """An outage that shows in the result."""
    return _failure(None, "The Service is Temporarily Off-line", "Please Try Again Later")


def cursor_lost(result_id: str) -> Refusal:
    """A resultId that is not, or not any more, of this session."""
    return _failure("readMore failed", f"The resultId {result_id} is not valid")
