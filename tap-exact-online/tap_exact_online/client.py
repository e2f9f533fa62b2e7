"""One request to Exact Online: its limits, its retries, its errors.

Nothing here knows streams. Every call of a run goes through one `Client`, one after the other: the vendor asks for
that, and parallel paging gives duplicates and gaps. A page may be asked for while the one before is written, so calls
come from two threads; each waits for its turn, with all its attempts.
"""

from __future__ import annotations

import functools
import logging
import threading
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

import msgspec
import requests
from requests.auth import AuthBase
from typing_extensions import override

from tap_exact_online.clock import Clock
from tap_exact_online.errors import (
    NO_TLS,
    CallBudgetSpentError,
    ExpiredError,
    ForbiddenError,
    NotFoundError,
    RefusedError,
    ServerTroubleError,
    StoppedError,
    ThrottledError,
    TransientError,
    UserError,
    judge,
    said,
)
from tap_exact_online.hosts import address_of
from tap_exact_online.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_exact_online.auth import Tokens
    from tap_exact_online.store import Store

Json = Any
"""A decoded JSON value; numbers with a fraction are `Decimal`, never binary floats."""

_CONNECT_TIMEOUT_SECONDS: Final = 30
_TRIES: Final = 5
_SLOW_PAUSE_SECONDS: Final = 10  # doubled at each 408
_BARE: Final = "$'(),*/"
_COUNTED: Final = (RefusedError, ExpiredError, ForbiddenError, NotFoundError)
_NO_DIVISION: Final = 0

_LOG: Final = logging.getLogger("tap-exact-online")


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r


@functools.lru_cache(maxsize=1024)  # half of all amounts are zero, and many come twice
def exact(literal: str) -> Decimal:
    """A number as it is written; one with an exponent is written out, never as 1E+2."""
    value = Decimal(literal)
    return Decimal(f"{value:f}") if "e" in literal or "E" in literal else value


decode: Final[Callable[[bytes], Json]] = msgspec.json.Decoder(float_hook=exact).decode
"""Decodes a document."""


def query(params: Mapping[str, str]) -> str:
    """Encode options as the server needs them: `$`, `'` and `,` bare, blanks as %20 and never as +."""
    return "&".join(f"{name}={quote(value, safe=_BARE)}" for name, value in params.items())


class Client:
    """Sends requests one by one, repeats what may be repeated, and says plainly what went wrong.

    Attributes:
        address: Where Exact Online is, without a slash at its end.
        calls: Requests sent so far, token calls aside.
        limits: What is left of the quotas.
        clock: What time it is, and waiting.
    """

    clock: Clock = Clock()

    def __init__(self, store: Store, config: Mapping[str, Any]) -> None:
        self.address = address_of(config)
        self.calls = 0
        self.limits = Limits(
            store,
            self.clock,
            per_minute=int(config["requests_per_minute"]),
            waits_for_day=config["on_daily_limit"] == "wait",
        )
        self.tokens: Tokens | None = None
        self.session = requests.Session()
        self.session.headers["User-Agent"] = config["user_agent"]
        self.session.headers["Accept"] = "application/json"  # without it Atom comes
        if config.get("description_language"):
            self.session.headers["CustomDescriptionLanguage"] = config["description_language"]
        self._timeout = (_CONNECT_TIMEOUT_SECONDS, int(config["request_timeout_seconds"]))
        self._max_calls: int | None = config.get("max_calls_per_run")
        self._token = ""
        self._turn = threading.Lock()
        self._is_closed = False

    def close(self) -> None:
        """Let the connection go; a page that was asked for ahead is asked for no more."""
        self._is_closed = True
        self.session.close()

    def url(self, division: int, endpoint: str, params: Mapping[str, str] | None = None) -> str:
        """Address of an endpoint in a division, with its options."""
        base = f"{self.address}/api/v1/{division}/{endpoint}"
        return f"{base}?{query(params)}" if params else base

    def me(self) -> Json:
        """Who is signed in; costs no call of any division."""
        names = "UserID,UserName,CurrentDivision,ServerTime,ServerUtcOffset"
        url = f"{self.address}/api/v1/current/Me?{query({'$select': names})}"
        return self._get(url, _NO_DIVISION, "current/Me", decode)

    def get(self, url: str, division: int, endpoint: str, read: Callable[[bytes], Json] = decode) -> Json:
        """GET a JSON document.

        Args:
            url: From `url`, or the `__next` of an earlier answer, which is followed as it is.
            division: Whose quota it costs.
            endpoint: What it is of, for the limit of errors.
            read: Decodes it.

        Raises:
            UserError: A setting is wrong, or a person must consent.
            StoppedError: No call is left.
            ApiError: One of its kinds, by what the server answered.
        """
        if not url.startswith(f"{self.address}/"):
            raise ServerTroubleError(
                f"{endpoint}: the next page is said to be at {urlsplit(url).netloc}, not at {self.address}"
            )
        return self._get(url, division, endpoint, read)

    def calls_left(self, division: int) -> int | None:
        """How many calls of a division the budget and the day still allow, as far as is known; None for no limit."""
        known = [self.limits.quota(division).day_left]
        if self._max_calls is not None:
            known.append(self._max_calls - self.calls)
        return min((left for left in known if left is not None), default=None)

    def _get(self, url: str, division: int, endpoint: str, read: Callable[[bytes], Json]) -> Json:
        with self._turn:
            return self._answered(url, division, endpoint, read)

    def _answered(self, url: str, division: int, endpoint: str, read: Callable[[bytes], Json]) -> Json:
        """Repeat a call until it is answered.

        Raises:
            ServerTroubleError: The trouble did not pass.
        """
        failures = throttled = 0
        has_renewed = False
        while True:
            try:
                return self._once(url, division, endpoint, read)
            except ExpiredError as error:
                if has_renewed or self.tokens is None:
                    raise UserError(f"{error} A new access token did not help.") from None
                has_renewed = True
                self.tokens.rejected(self._token, error)
            except ThrottledError as error:
                throttled += 1
                if throttled >= _TRIES:
                    raise ServerTroubleError(f"{error} Gave up after {throttled} tries.") from None
            except TransientError as error:
                failures += 1
                if failures >= _TRIES:
                    raise ServerTroubleError(f"{error} Gave up after {failures} tries.") from None
                base = _SLOW_PAUSE_SECONDS * 2 ** (failures - 1) if error.slow else 2.0**failures
                pause = base + self.clock.jitter()
                _LOG.warning("%s Next try in %.1f s", error, pause)
                self.clock.sleep(pause)

    def _once(self, url: str, division: int, endpoint: str, read: Callable[[bytes], Json]) -> Json:
        """Send one request once and decode what comes back."""
        if self._is_closed:
            raise StoppedError("The run has ended.")
        if self._max_calls is not None and self.calls >= self._max_calls:
            raise CallBudgetSpentError(f"max_calls_per_run: the {self._max_calls} calls of this run are used")
        if division != _NO_DIVISION:
            self.limits.before(division, endpoint)
        # The token comes behind any wait: a minute is a tenth of its life.
        if self.tokens is None:
            raise RuntimeError("the client was given no tokens")
        self._token = self.tokens.credentials()
        self.calls += 1
        try:
            response = self.session.get(
                url, auth=_Bearer(self._token), timeout=self._timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            raise self._network_error(f"GET {urlsplit(url).path}", error) from None
        self.limits.server.note(response)
        if division != _NO_DIVISION:
            self.limits.note(division, response)
        return self._read(response, division, endpoint, read)

    def redact(self, text: str) -> str:
        """Take every secret of this run out of a text."""
        for secret in self.tokens.secrets if self.tokens else ():
            text = text.replace(secret, "(secret)")
        return text

    def _network_error(self, what: str, error: requests.RequestException) -> Exception:
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error):
            return UserError(
                f"api_url: the certificate of {self.address} is not trusted; "
                "name the file of your own authority in REQUESTS_CA_BUNDLE"
            )
        if isinstance(error, requests.exceptions.SSLError) and NO_TLS.search(str(error)):
            return UserError(
                f"api_url: {self.address} does not speak https there; check host, port and https or http"
            )
        if "NameResolutionError" in repr(error):
            return UserError(f"region, api_url: there is no host named {urlsplit(self.address).hostname}")
        return TransientError(f"{what}: the connection failed ({type(error).__name__}).")

    def _read(
        self, response: requests.Response, division: int, endpoint: str, read: Callable[[bytes], Json]
    ) -> Json:
        if response.status_code == HTTPStatus.OK:
            try:
                return read(response.content)
            except (msgspec.DecodeError, UnicodeDecodeError):
                pass
        text = f"GET {urlsplit(response.url).path}: {response.status_code}{said(response)}."
        if challenge := response.headers.get("WWW-Authenticate"):
            text = f"{text} {unquote(challenge)[:200]}"
        text = self.redact(text)
        if response.status_code < HTTPStatus.BAD_REQUEST:
            # A sign-in, maintenance or half page may come with 200 or as a redirect: never "no rows".
            raise TransientError(f"{text} Something else came instead of data.")
        error = judge(response, text)
        if isinstance(error, _COUNTED) and division != _NO_DIVISION:
            self.limits.failed(division, endpoint, response.status_code)
        if isinstance(error, ThrottledError):
            self.limits.throttled(division, response)
        raise error
