"""What can go wrong on the way to a company, told apart by what is done about it.

ConfigurationError (SDK)
└── UserError                 a setting or a right must be changed by a person: the run stops, one line
RequestedAbortException (SDK)
└── CallBudgetSpentError      max_calls_per_run is reached: the run stops cleanly and goes on next time
SyncError (SDK)
└── ApiError                  one call did not give what was asked for
├── TransientError        repeat after a wait
│   └── TooMuchError      the server gave up on the amount: ask for less, or repeat
├── SessionEndedError     get a new session, repeat once
├── ForbiddenError        a missing right, subscription or object: leave the stream out
├── FieldsRefusedError    ask again without these fields
├── RefusedError          the request is wrong for this company
├── ServerTroubleError    repeated in vain: the stream fails, the others go on
├── MovingRowsError       the rows changed under every attempt to page through them
└── BadValueError         a value is not what its field's type promises
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from singer_sdk.exceptions import ConfigurationError, RequestedAbortException, SyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONTROL: Final = "control"
AUTHENTICATION: Final = "authentication"
RESULT: Final = "result"

_SNIPPET: Final = 400
_SUPPORT_ID: Final = re.compile(r"\[Support ID: ([^\]]*)\]")
_REFUSED_LIST: Final = re.compile(r"cannot be queried:\s*\[\s*\w+\s*:\s*\[([^\]]*)\]")
_INVALID_FIELD: Final = re.compile(r"Field requested is not valid:\s*(?:[\w-]+\.)?([\w.]+)")
_GATEWAY_TROUBLE: Final = re.compile(r"^GW-000\d$")


class UserError(ConfigurationError):
    """A person must change something. The message is one line that says what."""


class CallBudgetSpentError(RequestedAbortException):
    """The calls allowed for one run are used up."""


class ApiError(SyncError):
    """One call did not give what was asked for. The message holds no secret and may be logged."""


class TransientError(ApiError):
    """The same call may succeed later.

    Attributes:
        retry_after: Seconds to wait; None for growing pauses.
        tries: How often the call is worth trying.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, tries: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.tries = tries


class TooMuchError(TransientError):
    """The server, or the network before it, gave up before the answer was ready."""


class SessionEndedError(ApiError):
    """The session is no longer valid."""


class ForbiddenError(ApiError):
    """The user may not read the object, or the company does not have it."""


class FieldsRefusedError(ApiError):
    """The object is there, but some of the fields cannot be queried.

    Attributes:
        fields: Their names, in upper case.
    """

    def __init__(self, message: str, fields: Sequence[str]) -> None:
        super().__init__(message)
        self.fields = frozenset(field.upper() for field in fields)


class RefusedError(ApiError):
    """The server does not accept the request as it is."""


class ServerTroubleError(ApiError):
    """The server kept failing."""


class MovingRowsError(ApiError):
    """Paging found a different order of rows at every attempt."""


class BadValueError(ApiError):
    """A value does not fit its field."""


@dataclasses.dataclass(frozen=True)
class Complaint:
    """One `error` of an `errormessage`; every part may be empty (vendor's error guide)."""

    number: str = ""
    description: str = ""
    detail: str = ""
    correction: str = ""
    error_id: str = ""

    @property
    def text(self) -> str:
        """What the server says, cut short; the support id comes URL-encoded."""
        parts = [self.number, self.error_id, self.description, self.detail, self.correction]
        told = " / ".join(dict.fromkeys(part.strip() for part in parts if part.strip()))
        return _SUPPORT_ID.sub(lambda found: f"[Support ID: {unquote(found[1])}]", told)[:_SNIPPET]


def judge(
    position: str, complaints: Sequence[Complaint], text: str, *, retry_after: float | None = None
) -> ApiError | UserError:
    """Turn what the gateway complains of into the error that carries what to do about it.

    One number means many things (XL03000006 alone means five), so position and wording decide.

    Args:
        position: Which part of the envelope failed: `control`, `authentication` or `result`.
        complaints: The errors in it.
        text: What to tell, free of secrets.
        retry_after: Seconds that the server asked to wait.
    """
    said = " ".join(
        f"{c.number} {c.error_id} {c.description} {c.detail} {c.correction}" for c in complaints
    ).lower()
    numbers = {complaint.number for complaint in complaints}
    if "temporarily off-line" in said or any(_GATEWAY_TROUBLE.match(number) for number in numbers):
        return TransientError(text, retry_after=retry_after)
    if "gw-0010" in said or "rate limit" in said:
        return TransientError(text, retry_after=retry_after)
    if position == RESULT:
        return _judge_result(said, numbers, complaints, text)
    if position == AUTHENTICATION:
        return _judge_sign_in(said, text)
    return _judge_control(said, text)


def _judge_control(said: str, text: str) -> ApiError | UserError:
    rules: tuple[tuple[str, str], ...] = (
        ("partner id or password", "sender_id, sender_password: the sender is not accepted"),
        ("sign-in information", "company_id, user_id, user_password: the sign-in is refused"),
        ("gw-0011", "sender_id, company_id: unknown or inactive"),
        ("demo company", "company_id: the company has expired"),
        ("not authorized for xml", "company_id: subscribe the company to Web Services"),
    )
    for sign, advice in rules:
        if sign in said:
            return UserError(f"{advice}. {text}")
    return RefusedError(text)


def _judge_sign_in(said: str, text: str) -> ApiError | UserError:
    if "invalid session" in said:
        return SessionEndedError(text)
    if "web services authorization" in said:
        return UserError(
            "sender_id: this company does not authorize the sender; add it at Company > Security > Web Services "
            f'authorizations, with "Needs login for API" set to No. {text}'
        )
    return UserError(f"company_id, user_id, user_password: the sign-in is refused. {text}")


def _judge_result(
    said: str, numbers: set[str], complaints: Sequence[Complaint], text: str
) -> ApiError | UserError:
    refused = [
        name.strip()
        for complaint in complaints
        for pattern in (_REFUSED_LIST, _INVALID_FIELD)
        for found in pattern.findall(f"{complaint.description} {complaint.detail}")
        for name in found.split(",")
        if name.strip()
    ]
    rules: tuple[tuple[bool, Callable[[], ApiError]], ...] = (
        (bool(refused), lambda: FieldsRefusedError(text, refused)),
        ("invalid session" in said, lambda: SessionEndedError(text)),
        ("object definition" in said and "not found" in said, lambda: ForbiddenError(text)),
        ("pl04000005" in said or "do not have permission" in said, lambda: ForbiddenError(text)),
        (
            "DL02000001" in numbers or "error processing the request" in said,
            lambda: TooMuchError(text, tries=3),
        ),
    )
    return next((make() for applies, make in rules if applies), RefusedError(text))
