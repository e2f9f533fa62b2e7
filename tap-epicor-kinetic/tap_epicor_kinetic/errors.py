"""What can go wrong on the way to an instance, told apart by what is done about it.

ConfigurationError (SDK)
└── UserError                 a setting or a right must be changed by a person: the run stops, one line
RequestedAbortException (SDK)
└── CallBudgetSpentError      max_calls_per_run is reached: the run stops cleanly and goes on next time
SyncError (SDK)
└── ApiError                  one call did not give what was asked for
    ├── TransientError        repeat after a wait
    │   ├── NoLicenseError    all licences are taken: repeat after a long wait
    │   └── NobodyError       nothing that looks like Epicor answered: once more, unless it has answered before
    ├── SignedOutError        the token has ended: sign in anew, repeat once
    ├── ForbiddenError        a missing right, or a service outside the key's access scope: leave the stream out
    ├── NotFoundError         no such service, entity set, company or BAQ
    ├── RefusedError          the request is wrong for this instance
    ├── TroubleError          repeated in vain: the stream fails, the others go on
    └── WrongRowsError        the server gave other rows than those asked for
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import msgspec
from singer_sdk.exceptions import ConfigurationError, RequestedAbortException, SyncError

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

_LONGEST_WAIT_SECONDS: Final = 600
_SNIPPET: Final = 300
_LICENSE_WAITS_SECONDS: Final = (30.0, 60.0, 120.0, 240.0, 480.0)
_NO_LICENSE: Final = re.compile(r"LicenseAccessException|Maximum users exceeded", re.IGNORECASE)
_API_KEY: Final = re.compile(r"\bapi[ -]?key\b", re.IGNORECASE)
_COMPANY: Final = re.compile(
    r"\bcompany\b.*\b(invalid|not valid|not found|not exist|no access|not authorized|not allowed)\b"
    r"|\b(invalid|unknown|access to) company\b",
    re.IGNORECASE | re.DOTALL,
)
_QUERY: Final = re.compile(
    r"ODataException|Could not find a property|query specified in the URI", re.IGNORECASE
)


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

    tries = 5

    def __init__(self, message: str, *, retry_after: float | None = None, tries: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        if tries is not None:
            self.tries = tries


class NoLicenseError(TransientError):
    """All licences that REST calls may use are taken; Epicor answers 400, not 429."""

    tries = len(_LICENSE_WAITS_SECONDS) + 1

    @staticmethod
    def pause(failures: int) -> float:
        """Seconds to wait after so many failures."""
        return _LICENSE_WAITS_SECONDS[min(failures, len(_LICENSE_WAITS_SECONDS)) - 1]


class NobodyError(TransientError):
    """The connection failed, or a web page came: perhaps the address is wrong."""


class SignedOutError(ApiError):
    """The token or session is no longer valid, or user name and password are wrong."""


class ForbiddenError(ApiError):
    """The user may not read this, or the API key's access scope does not hold it."""


class NotFoundError(ApiError):
    """There is no such service, entity set, company or BAQ."""


class RefusedError(ApiError):
    """The server does not accept the request as it is."""


class TroubleError(ApiError):
    """The server kept failing."""


class BadValueError(ApiError):
    """A value does not fit its column."""


class WrongRowsError(ApiError):
    """The server ignored a filter, an order or a skip; going on would lose rows."""


def judge(response: requests.Response, text: str) -> ApiError | UserError:
    """Turn an error answer into the error that carries what to do about it."""
    status = response.status_code
    body = response.text
    told = said_by(response)
    refused = status in {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
    }
    rules: tuple[tuple[bool, Callable[[], ApiError | UserError]], ...] = (
        # A query that mentions these words in a column name is still a wrong query.
        (status == HTTPStatus.BAD_REQUEST and bool(_QUERY.search(body)), lambda: RefusedError(text)),
        (bool(_NO_LICENSE.search(body)), lambda: NoLicenseError(text, retry_after=_retry_after(response))),
        # Which status a bad key brings differs between versions; the words do not.
        (
            refused and bool(_API_KEY.search(told)),
            lambda: UserError(f"api_key: the key is refused. {text}"),
        ),
        (refused and bool(_COMPANY.search(told)), lambda: UserError(f"companies: {text}")),
        (status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.GONE}, lambda: SignedOutError(text)),
        (
            status == HTTPStatus.FORBIDDEN,
            lambda: ForbiddenError(
                f"{text} The access scope of the API key lacks this service, or the user has no right to it."
            ),
        ),
        (status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}, lambda: NotFoundError(text)),
        (
            status == HTTPStatus.INTERNAL_SERVER_ERROR,
            lambda: TransientError(text, retry_after=_retry_after(response), tries=3),
        ),
        (
            status == HTTPStatus.TOO_MANY_REQUESTS or status > HTTPStatus.INTERNAL_SERVER_ERROR,
            lambda: TransientError(text, retry_after=_retry_after(response)),
        ),
    )
    return next((make() for applies, make in rules if applies), RefusedError(text))


def said(response: requests.Response) -> str:
    """What the server says, cut short, with its correlation id; never its stack trace."""
    told = said_by(response)
    body = _decoded(response)
    found = body.get("CorrelationId") if isinstance(body, dict) else None
    request_id = f" [correlation id {str(found)[:80]}]" if found else ""
    return (f" ({told[:_SNIPPET]})" if told else "") + request_id


def said_by(response: requests.Response) -> str:
    """The messages in an error body: Epicor's own form, OData's, an OAuth server's; a web page says nothing."""
    body = _decoded(response)
    if not isinstance(body, dict):
        return ""
    inner = body.get("error")
    parts: list[Any] = [body.get("ErrorMessage")]
    parts += [
        ": ".join(str(detail[name]) for name in ("Table", "Field", "Message") if detail.get(name))
        for detail in body.get("ErrorDetails") or ()
        if isinstance(detail, dict)
    ]
    parts += [body.get("ErrorType"), body.get("Message"), body.get("error_description")]
    parts.append(inner.get("message") if isinstance(inner, dict) else inner)
    texts = [" ".join(part.split()) for part in parts if isinstance(part, str) and part.strip()]
    return " / ".join(dict.fromkeys(texts)) or str(body.get("ReasonPhrase") or "")


def _decoded(response: requests.Response) -> object:
    """The body of an error: JSON, or XML with the same names where a description was asked for."""
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.decode(response.content)
    with contextlib.suppress(ET.ParseError):
        root = ET.fromstring(response.content)  # noqa: S314 - the instance that holds the books is trusted
        return {str(child.tag).rpartition("}")[2]: child.text for child in root}
    return None


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
