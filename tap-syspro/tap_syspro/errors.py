"""What can go wrong on the way to a site, told apart by what is done about it.

ConfigurationError (SDK)
└── UserError                 a setting or a right must be changed by a person: the run stops, one line
RequestedAbortException (SDK)
└── CallBudgetSpentError      max_calls_per_run is reached: the run stops cleanly and goes on next time
SyncError (SDK)
└── ApiError                  one call did not give what was asked for
    ├── TransientError        repeat after a wait
    ├── SessionEndedError     log on anew, repeat once
    ├── ForbiddenError        a missing right or licence: leave the stream out
    ├── NotFoundError         no such table or address: leave the stream out
    ├── RefusedError          the site does not take the request as it is: ask in another way
    │   ├── PageTooLargeError ask for fewer rows
    │   └── TooComplexError   ask with fewer comparisons
    ├── ServerTroubleError    repeated in vain: the stream fails, the others go on
    └── PagingError           pages do not follow each other; reading on would lose or repeat rows
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
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
_SERVER_ERROR: Final = 500
# Texts of ASP.NET OData: "The limit of '5000' for Top query has been exceeded."
# "The node count limit of '100' has been exceeded."
_TOO_COMPLEX: Final = re.compile(r"node count|too complex|MaxNodeCount", re.IGNORECASE)
_TOO_LARGE: Final = re.compile(r"\btop\b", re.IGNORECASE)


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
        is_slow: The answer did not come in time, so that fewer rows may help.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, is_slow: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_slow = is_slow


class SessionEndedError(ApiError):
    """The site does not know the session, the user or the password."""


class ForbiddenError(ApiError):
    """The user may not read this, or it is not licensed."""


class NotFoundError(ApiError):
    """There is no such table or address."""


class RefusedError(ApiError):
    """The site does not accept the request as it is."""


class PageTooLargeError(RefusedError):
    """The site does not give so many rows at a time."""


class TooComplexError(RefusedError):
    """The site does not take so long a filter."""


class ServerTroubleError(ApiError):
    """The server kept failing.

    Attributes:
        is_slow: Answers did not come in time, so that fewer rows may help.
    """

    def __init__(self, message: str, *, is_slow: bool = False) -> None:
        super().__init__(message)
        self.is_slow = is_slow


class BadValueError(ApiError):
    """A value does not fit its column."""


class PagingError(ApiError):
    """Pages do not follow each other."""


def judge(response: requests.Response, text: str) -> ApiError:
    """Turn an error answer into the error that carries what to do about it."""
    status = response.status_code
    wait = retry_after(response)
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS} or status >= _SERVER_ERROR:
        # A statement that runs out of time on the SQL Server is answered with 500.
        return TransientError(text, retry_after=wait, is_slow=status in {408, 500, 504})
    kinds: dict[int, Callable[[str], ApiError]] = {
        HTTPStatus.UNAUTHORIZED: SessionEndedError,
        HTTPStatus.FORBIDDEN: ForbiddenError,
        HTTPStatus.NOT_FOUND: NotFoundError,
    }
    if status == HTTPStatus.BAD_REQUEST:
        told = said(response)
        if _TOO_COMPLEX.search(told):
            return TooComplexError(text)
        if _TOO_LARGE.search(told):
            return PageTooLargeError(text)
    return kinds.get(status, RefusedError)(text)


def said(response: requests.Response) -> str:
    """What the server says, cut short, with its request id; never its stack trace, never a web page."""
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return request_id(response)
    inner = body.get("error") if isinstance(body, dict) else None
    told = inner.get("message") if isinstance(inner, dict) else inner
    if isinstance(told, dict):  # OData 3 wraps the text once more
        told = told.get("value")
    text = " ".join(told.split())[:_SNIPPET] if isinstance(told, str) else ""
    return (f" ({text})" if text else "") + request_id(response)


def request_id(response: requests.Response) -> str:
    """The server's name for this call, where it gives one."""
    found = next((response.headers[name] for name in _REQUEST_ID_HEADERS if name in response.headers), None)
    return f" [request id {found[:80]}]" if found else ""


def retry_after(response: requests.Response) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; at most ten minutes."""
    header = response.headers.get("Retry-After", "")
    if header.isdecimal():
        return float(min(int(header), _LONGEST_WAIT_SECONDS))
    try:
        seconds = (email.utils.parsedate_to_datetime(header) - dt.datetime.now(dt.UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), float(_LONGEST_WAIT_SECONDS))
