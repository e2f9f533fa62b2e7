"""What can go wrong on the way to an instance, told apart by what is done about it.

ConfigurationError (SDK)
└── UserError                 a setting or a right must be changed by a person: the run stops, one line
RequestedAbortException (SDK)
└── CallBudgetSpentError      max_calls_per_run is reached: the run stops cleanly and goes on next time
SyncError (SDK)
└── ApiError                  one call did not give what was asked for
├── TransientError        repeat after a wait
├── NoSeatError           repeat when a licence seat is free
├── SessionEndedError     sign in anew, repeat once
├── ForbiddenError        a missing right or feature: leave the stream out
├── NotSetUpError         the ERP's module is not in use: the stream is empty
├── NotFoundError         no such entity, record or address
├── NotOptimizableError   ask for the same data in another way
├── RefusedError          the request is wrong for this instance
├── ServerTroubleError    repeated in vain: the stream fails, the others go on
└── MovingRowsError       the rows changed under every attempt to page through them
"""

from __future__ import annotations

import datetime as dt
import email.utils
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec
from singer_sdk.exceptions import ConfigurationError, RequestedAbortException, SyncError

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

_LONGEST_WAIT_SECONDS: Final = 600
_SNIPPET: Final = 300
_REQUEST_ID_HEADERS: Final = ("X-Request-ID", "Request-Id", "X-Correlation-ID", "X-Amzn-Trace-Id")
_NO_SEAT: Final = ("API Login Limit", "CheckApiUsersLimits", "concurrent API logins")
_NOT_OPTIMIZABLE: Final = (
    "CannotOptimize",
    "Optimization cannot be performed",
    "BqlDelegate",
    "Type conversions not supported",
    "given key was not present in the dictionary",
)
_WRONG_TENANT: Final = ("PXUndefinedCompanyException", "proper company ID cannot be determined")


class UserError(ConfigurationError):
    """A person must change something. The message is one line that says what."""


class CallBudgetSpentError(RequestedAbortException):
    """The calls allowed for one run are used up."""


class ApiError(SyncError):
    """One call did not give what was asked for. The message holds no secret and may be logged."""


class TransientError(ApiError):
    """The same call may succeed later.

    Attributes:
        retry_after: Seconds the server asked to wait; None when it did not say.
        tries: How often the call is worth trying.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, tries: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.tries = tries


class NoSeatError(ApiError):
    """All API sessions of the licence are taken."""


class SessionEndedError(ApiError):
    """The token or cookie is no longer valid."""


class ForbiddenError(ApiError):
    """The API user may not see this form, or the feature is switched off."""


class NotSetUpError(ApiError):
    """The module lacks its required configuration, so it holds no data."""


class NotFoundError(ApiError):
    """There is no such entity, record or address."""


class NotOptimizableError(ApiError):
    """The server cannot compile the list with these fields into one query."""


class RefusedError(ApiError):
    """The server does not accept the request as it is."""


class ServerTroubleError(ApiError):
    """The server kept failing."""


class BadValueError(ApiError):
    """A value does not fit its column."""


class MovingRowsError(ApiError):
    """Paging found a different order of rows at every attempt."""


def judge(response: requests.Response, text: str) -> ApiError | UserError:
    """Turn an error answer into the error that carries what to do about it."""
    status = response.status_code
    throttled = status == HTTPStatus.TOO_MANY_REQUESTS
    failed = status == HTTPStatus.INTERNAL_SERVER_ERROR
    plain = response.headers.get("Content-Type", "").startswith("text/plain")

    def says(signs: tuple[str, ...]) -> bool:
        return any(sign in response.text for sign in signs)

    rules: tuple[tuple[bool, Callable[[], ApiError | UserError]], ...] = (
        (throttled and plain, lambda: NoSeatError(text)),
        ((throttled or failed) and says(_NO_SEAT), lambda: NoSeatError(text)),
        (says(_WRONG_TENANT), lambda: UserError(f"tenant: this instance has no such tenant. {text}")),
        (failed and says(_NOT_OPTIMIZABLE), lambda: NotOptimizableError(text)),
        (failed and says(("PXSetupNotEntered",)), lambda: NotSetUpError(text)),
        (failed, lambda: TransientError(text, retry_after=_retry_after(response), tries=3)),
        (throttled or status > 500, lambda: TransientError(text, retry_after=_retry_after(response))),  # noqa: PLR2004 - all other server errors
        (status == HTTPStatus.UNAUTHORIZED, lambda: SessionEndedError(text)),
        (status == HTTPStatus.FORBIDDEN, lambda: ForbiddenError(text)),
        (status == HTTPStatus.NOT_FOUND, lambda: NotFoundError(text)),
    )
    return next((make() for applies, make in rules if applies), RefusedError(text))


def said(response: requests.Response) -> str:
    """What the server says, cut short, with its request id; never its stack trace."""
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        return _request_id(response)
    inner = body.get("error")
    parts = [body.get("exceptionMessage"), body.get("message"), inner, body.get("error_description")]
    if isinstance(inner, dict):
        parts.append(inner.get("message"))
    # Inquiries answer 422 with their own parameters, each with what is wrong about it.
    parts += [
        f"{name}: {field['error']}"
        for name, field in body.items()
        if isinstance(field, dict) and "error" in field
    ]
    told = " / ".join(dict.fromkeys(part.strip() for part in parts if isinstance(part, str) and part.strip()))
    return (f" ({told[:_SNIPPET]})" if told else "") + _request_id(response)


def _request_id(response: requests.Response) -> str:
    found = next((response.headers[name] for name in _REQUEST_ID_HEADERS if name in response.headers), None)
    return f" [request id {found[:80]}]" if found else ""


def _retry_after(response: requests.Response) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; at most ten minutes."""
    header = response.headers.get("Retry-After", "")
    if header.isdecimal():
        return float(min(int(header), _LONGEST_WAIT_SECONDS))
    try:
        seconds = (email.utils.parsedate_to_datetime(header) - dt.datetime.now(dt.UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), float(_LONGEST_WAIT_SECONDS))
