"""One request to a SYSPRO server: its retries, its errors, and what must never be shown of it.

Nothing here knows streams or the two interfaces; `odata` and `enet` say what an answer must look like.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import logging
import random
import re
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase
from typing_extensions import override

from tap_syspro.errors import (
    CallBudgetSpentError,
    ServerTroubleError,
    TransientError,
    UserError,
    judge,
    said,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

_NO_TLS: Final = re.compile("WRONG_VERSION|RECORD_LAYER")  # what OpenSSL calls an answer in plain http
_CONNECT_TIMEOUT_SECONDS: Final = 30
_LOGOFF_TIMEOUT_SECONDS: Final = 30
_SLOW_TRIES: Final = 2
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_SECRETS: Final = ("odata_password", "operator_password", "company_password")

_LOG: Final = logging.getLogger("tap-syspro")


class Unsigned(AuthBase):
    """Sends a request without credentials, also when a .netrc file would offer some."""

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return r


class _Redaction(logging.Filter):
    """Takes secrets out of what the HTTP library logs: Logon carries the password in its address."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._redact(record.getMessage())
        record.args = ()
        return True


def address_of(config: Mapping[str, Any], setting: str) -> str:
    """An address of the settings, without a slash at its end.

    Raises:
        UserError: It is not an address that credentials may be sent to.
    """
    address = str(config[setting]).strip().rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UserError(f"{setting}: this is not a web address; use the form https://host")
    if parts.username or parts.password:
        raise UserError(f"{setting}: leave user name and password out of the address")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not config.get("allow_http"):
        raise UserError(f"{setting}: use https, or set allow_http if the network is yours alone")
    return address


class Client:
    """Sends requests one by one, repeats what may be repeated, and says plainly what went wrong.

    Attributes:
        calls: Requests sent so far, logon and logoff included.
        server_time: The server's own clock as last seen in a `Date` header; None before the first answer.
        secrets: Texts that must never be shown; sign-ins add what they obtain.
        sleep: How to wait.
    """

    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.base_url = address_of(config, "base_url")
        self.calls = 0
        self.server_time: dt.datetime | None = None
        self.secrets = {str(config[name]) for name in _SECRETS if config.get(name)}
        self.secrets.update(filter(None, config["company_passwords"].values()))
        self.session = requests.Session()
        self.session.headers["User-Agent"] = config["user_agent"]
        self.session.verify = config.get("ca_bundle") or config["verify_ssl"]
        self._timeout = (_CONNECT_TIMEOUT_SECONDS, int(config["request_timeout_seconds"]))
        self._max_calls: int | None = config.get("max_calls_per_run")
        self._tries = int(config["max_retries"]) + 1
        self._answered = False
        self._turn = threading.Lock()  # pages are fetched ahead, yet a session has one call at a time
        self._redaction = _Redaction(self.redact)
        logging.getLogger("urllib3.connectionpool").addFilter(self._redaction)

    def get(
        self,
        address: str,
        sign: Callable[[], AuthBase],
        read: Callable[[requests.Response], T],
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """GET an address until it is answered, waiting out throttling and trouble.

        Args:
            address: The whole address, with its query.
            sign: Gives what signs the request, anew for every attempt.
            read: Makes of an answer with status 200 what is wanted, or raises an `ApiError`.
            headers: Further headers.

        Raises:
            UserError: A setting is wrong, or nothing at the address ever answered.
            ServerTroubleError: The trouble did not pass.
            ApiError: One of its kinds, by what the server answered.
        """
        failures = 0
        while True:
            try:
                return self.attempt(address, sign(), read, headers)
            except TransientError as error:
                failures += 1
                self._wait_out(error, failures)

    def attempt(
        self,
        address: str,
        auth: AuthBase,
        read: Callable[[requests.Response], T],
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Send one request once.

        Raises:
            CallBudgetSpentError: `max_calls_per_run` is reached.
            ApiError: One of its kinds, when the answer is not what was asked for.
        """
        if self._max_calls is not None and self.calls >= self._max_calls:
            raise CallBudgetSpentError(f"max_calls_per_run: the {self._max_calls} calls of this run are used")
        try:
            with self._turn:
                self.calls += 1
                response = self.session.get(
                    address, auth=auth, headers=headers, timeout=self._timeout, allow_redirects=False
                )
        except requests.RequestException as error:
            raise self._network_error(address, error) from None
        with contextlib.suppress(KeyError, ValueError):
            self.server_time = email.utils.parsedate_to_datetime(response.headers["Date"]).astimezone(dt.UTC)
        if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            text = f"GET {urlsplit(address).path}: {response.status_code}{said(response)}."
            if response.status_code < HTTPStatus.BAD_REQUEST:
                raise TransientError(f"{text} A web page came instead of data.")
            raise judge(response, self.redact(text))
        value = read(response)
        self._answered = True
        return value

    def farewell(self, address: str) -> str | None:
        """Send the last request of a session; trouble is logged, never raised, and no budget stops it."""
        self.calls += 1
        try:
            response = self.session.get(
                address, auth=Unsigned(), timeout=_LOGOFF_TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            _LOG.warning("Logoff got no answer (%s); the server ends the session", type(error).__name__)
            return None
        return response.text

    def close(self) -> None:
        """Let connections go."""
        self.session.close()
        logging.getLogger("urllib3.connectionpool").removeFilter(self._redaction)

    def redact(self, text: str) -> str:
        """Take every secret of this run out of a text, as it is and as addresses write it."""
        for secret in self.secrets:
            for form in {secret, quote(secret, safe="")}:
                text = text.replace(form, "(secret)")
        return text

    def _wait_out(self, error: TransientError, failures: int) -> None:
        if not self._answered and failures > 1:
            raise UserError(f"base_url: no SYSPRO service answers at {self.base_url}. {error}") from None
        if failures >= self._tries or (error.is_slow and failures >= _SLOW_TRIES):
            raise ServerTroubleError(
                f"{error} Gave up after {failures} tries.", is_slow=error.is_slow
            ) from None
        pause = error.retry_after
        if pause is None:
            pause = 2.0**failures + random.random()  # noqa: S311 - spreads load, guards nothing
        _LOG.warning("%s Next try in %.1f s", error, pause)
        self.sleep(pause)

    def _network_error(self, address: str, error: requests.RequestException) -> Exception:
        host = urlsplit(address).hostname
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error):
            return UserError(
                f"ca_bundle: the certificate of {host} is not trusted; name your own authority's file"
            )
        if isinstance(error, requests.exceptions.SSLError) and _NO_TLS.search(str(error)):
            return UserError(
                f"base_url: {host} does not speak https there; check host, port and https or http"
            )
        if isinstance(error, requests.exceptions.InvalidURL):
            return UserError(f"base_url: {host} is not a web address")
        if "NameResolutionError" in repr(error):
            return UserError(f"base_url: there is no host named {host}")
        return TransientError(
            f"GET {urlsplit(address).path}: the connection failed ({type(error).__name__}).",
            is_slow=isinstance(error, requests.exceptions.ReadTimeout),
        )
