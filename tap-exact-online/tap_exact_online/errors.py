"""What can go wrong on the way to Exact Online, told apart by what is done about it.

UserError                  a setting, a right or a consent must be changed by a person: the run stops, one line
StoppedError               the run or a division stops cleanly and goes on next time
├── CallBudgetSpentError   max_calls_per_run is reached
└── DailyLimitError        the calls of a division are used up for today
ApiError                   one call did not give what was asked for
├── TransientError         repeat after a wait
├── ThrottledError         repeat when the minute is over
├── ExpiredError           the access token is not accepted: renew it when that is allowed, repeat once
├── ForbiddenError         a missing right, scope or module: leave the stream out
├── ClosedDivisionError    the division as a whole may not be read
├── NotFoundError          no such address
├── RefusedError           the request is wrong for this instance
├── TooManyErrorsError     the next error might block the application for an hour: not asked
└── ServerTroubleError     repeated in vain: the stream fails, the others go on

Nothing here needs the SDK, because the process that renews tokens should start fast.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    import requests

NO_TLS: Final = re.compile("WRONG_VERSION|RECORD_LAYER")  # what OpenSSL calls an answer in plain http
_SNIPPET: Final = 300
_REQUEST_ID_HEADERS: Final = ("X-Request-ID", "Request-Id", "X-Correlation-ID")
# Values of the `Reason` header of 400 and 403 answers.
_BLOCKED: Final = ("BlockedUser", "InactiveUser", "BlockedCustomer")
_CLOSED: Final = ("NoDivisionAccess", "DivisionBlocked", "LicenseExpired")
_OUT_OF_SCOPE: Final = "not within division scope"


class UserError(Exception):
    """A person must change something. The message is one line that says what."""


class StoppedError(Exception):
    """Reading stops cleanly; the next run goes on from here."""


class CallBudgetSpentError(StoppedError):
    """The calls allowed for one run are used up."""


class DailyLimitError(StoppedError):
    """The calls of a division are used up until the day ends at Exact Online."""


class ApiError(Exception):
    """One call did not give what was asked for. The message holds no secret and may be logged."""


class TransientError(ApiError):
    """The same call may succeed later.

    Attributes:
        slow: The server ran out of time, and should be given more of it.
    """

    def __init__(self, message: str, *, slow: bool = False) -> None:
        super().__init__(message)
        self.slow = slow


class ThrottledError(ApiError):
    """Too many calls in this minute, or today."""


class ExpiredError(ApiError):
    """The access token is no longer accepted."""


class ForbiddenError(ApiError):
    """The user, the application or the licence may not read this."""


class ClosedDivisionError(ForbiddenError):
    """The division as a whole may not be read."""


class NotFoundError(ApiError):
    """There is no such address."""


class RefusedError(ApiError):
    """The server does not accept the request as it is."""


class TooManyErrorsError(ApiError):
    """One more error might make Exact Online block the application; the call was not made."""


class ServerTroubleError(ApiError):
    """The server kept failing."""


def judge(response: requests.Response, text: str) -> ApiError | UserError:
    """Turn an error answer into the error that carries what to do about it."""
    status = response.status_code
    reason = response.headers.get("Reason", "")
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN} and any(sign in reason for sign in _BLOCKED):
        return UserError(f"Exact Online has blocked the user or the customer ({reason}). {text}")
    if status == HTTPStatus.FORBIDDEN:
        closed = any(sign in reason for sign in _CLOSED) or _OUT_OF_SCOPE in response.text
        return ClosedDivisionError(text) if closed else ForbiddenError(text)
    kinds: dict[int, type[ApiError]] = {
        HTTPStatus.BAD_REQUEST: RefusedError,
        HTTPStatus.UNAUTHORIZED: ExpiredError,
        HTTPStatus.NOT_FOUND: NotFoundError,
        HTTPStatus.TOO_MANY_REQUESTS: ThrottledError,
    }
    if kind := kinds.get(status):
        return kind(text)
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return TransientError(text, slow=True)
    return TransientError(text) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else RefusedError(text)


def said(response: requests.Response) -> str:
    """What the server says, cut short, with its reason and request id; never a page of HTML."""
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = None
    told: str | None = None
    if isinstance(body, dict):
        inner = body.get("error")
        message = inner.get("message") if isinstance(inner, dict) else None
        told = message.get("value") if isinstance(message, dict) else message
        told = told or body.get("error_description") or (inner if isinstance(inner, str) else None)
    elif response.headers.get("Content-Type", "").startswith("text/plain"):
        told = response.text
    parts = [" ".join(str(told).split())[:_SNIPPET]] if told else []
    if reason := response.headers.get("Reason"):
        parts.append(f"Reason: {reason[:_SNIPPET]}")
    shown = f" ({'; '.join(parts)})" if parts else ""
    found = next((response.headers[name] for name in _REQUEST_ID_HEADERS if name in response.headers), None)
    return f"{shown} [request id {found[:80]}]" if found else shown
