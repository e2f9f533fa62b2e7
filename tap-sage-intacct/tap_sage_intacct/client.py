"""One request to the XML gateway: its retries, its errors, its limits.

Nothing here knows streams. All calls of a run go through one `Client`, which keeps no more of them under way than
the settings allow, and counts them, because the vendor bills them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import functools
import logging
import random
import re
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

import requests

from tap_sage_intacct.envelope import Node, NotXmlError, Reply, read_reply, request
from tap_sage_intacct.errors import (
    CallBudgetSpentError,
    RefusedError,
    ServerTroubleError,
    SessionEndedError,
    TooMuchError,
    TransientError,
    UserError,
    judge,
)
from tap_sage_intacct.records import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lxml import etree

    from tap_sage_intacct.records import Reader

R = TypeVar("R")

_NO_TLS: Final = re.compile("WRONG_VERSION|RECORD_LAYER")  # what OpenSSL calls an answer in plain http
_CONNECT_TIMEOUT_SECONDS: Final = 30
_LONGEST_PAUSE_SECONDS: Final = 120.0
_FIRST_PAUSE_SECONDS: Final = 2.0
_LONGEST_WAIT_SECONDS: Final = 600.0
_CDN_PAUSE_SECONDS: Final = 90.0
_CDN_TRIES: Final = 3
_CDN_SIGNS: Final = (b"cf-error-details", b"cf-wrapper")
_ORIGIN_DROPPED: Final = 524  # the CDN dropped the connection while the gateway goes on working
_GIVEN_UP: Final = (HTTPStatus.GATEWAY_TIMEOUT, _ORIGIN_DROPPED)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

_LOG: Final = logging.getLogger("tap-sage-intacct")


class SignIn(Protocol):
    """What a client needs of the sessions; see `tap_sage_intacct.auth`."""

    def session(self, entity: str) -> tuple[str, str]:
        """Session id and endpoint for an entity, or for the top level; signs in where there is none."""
        ...

    def seen(self, entity: str, used: str, reply: Reply[Any]) -> None:
        """Note how long the session is good for now."""
        ...

    def renew(self, entity: str, used: str) -> None:
        """Forget a session: the gateway says that it has ended."""
        ...


def check_endpoint(address: str, setting: str, *, any_host: bool) -> str:
    """Make sure that credentials may be sent to an address, as the vendor's own SDK does.

    Args:
        address: The address.
        setting: What to name when it is wrong.
        any_host: Whether hosts outside intacct.com are allowed.

    Raises:
        UserError: They may not.
    """
    parts = urlsplit(address.strip())
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in {"http", "https"} or not host:
        raise UserError(f"{setting}: this is not a web address: {address!r}")
    if parts.username or parts.password:
        raise UserError(f"{setting}: leave user name and password out of the address")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise UserError(f"{setting}: use https, or everybody on the way can read the passwords")
    if not any_host and not host.endswith(".intacct.com"):
        raise UserError(f"{setting}: {host} is not a host of intacct.com; credentials are not sent there")
    return address.strip()


class Client:
    """Sends requests, repeats what may be repeated, and says plainly what went wrong.

    Attributes:
        calls: Requests sent so far, sign-in included.
        server_time: The gateway's own clock when it first answered; None before.
        secrets: Texts that must never be shown; sessions add theirs.
        sign_in: Gives sessions.
        sleep: How to wait.
    """

    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.calls = 0
        self.server_time: dt.datetime | None = None
        self.secrets = {
            str(config[name]) for name in ("sender_password", "user_password", "sender_id") if config[name]
        }
        self.sign_in: SignIn | None = None
        self.http = requests.Session()
        self.http.headers["User-Agent"] = config["user_agent"]
        self.http.headers["Content-Type"] = "application/xml"
        self.http.headers["Accept-Encoding"] = "gzip,deflate"
        self._sender = (str(config["sender_id"]), str(config["sender_password"]))
        self._timeout = (_CONNECT_TIMEOUT_SECONDS, int(config["request_timeout_seconds"]))
        self._max_calls: int | None = config.get("max_calls_per_run")
        self._slots = threading.BoundedSemaphore(int(config["max_concurrent_requests"]))
        self._guard = threading.Lock()
        self._answered = False

    # requests ---------------------------------------------------------------------------------------------

    def ask(self, function: Node, entity: str = "") -> etree._Element:
        """Call a function and return its `data`, as a tree.

        Raises:
            UserError: A setting is wrong, or the sign-in is refused.
            ApiError: One of its kinds, by what the gateway answered.
        """
        reply = self.call(function, "", NOTHING, entity)
        if reply.data is None:
            raise RefusedError(f"{function[0]}: the answer holds no data")
        return reply.data

    def call(  # noqa: PLR0913 - what a call is
        self,
        function: Node,
        record: str,
        reader: Reader[R],
        entity: str = "",
        *,
        shrinkable: bool = False,
        later: bool = False,
    ) -> Reply[R]:
        """Call a function in a session and read the records of its answer.

        Args:
            function: The function.
            record: Name of the elements that are records.
            reader: Makes of the records what is kept of them.
            entity: Where to be signed in; empty for the top level.
            shrinkable: Whether the caller can ask for less; then a `TooMuchError` is not repeated here.
            later: Leave the records to `Reply.read`; if they turn out to be none, that is not repeated here.

        Raises:
            UserError: A setting is wrong, or the sign-in is refused.
            ApiError: One of its kinds, by what the gateway answered.
        """
        sign_in = self.sign_in
        if sign_in is None:
            raise RuntimeError("the client was given no way to sign in")
        used = ""

        def attempt() -> Reply[R]:
            nonlocal used
            used, endpoint = sign_in.session(entity)
            reply = self.send(endpoint, [("sessionid", used)], function, record, reader, later=later)
            sign_in.seen(entity, used, reply)
            return reply

        try:
            return self.repeat(attempt, shrinkable=shrinkable)
        except SessionEndedError:
            sign_in.renew(entity, used)
        try:
            return self.repeat(attempt, shrinkable=shrinkable)
        except SessionEndedError as error:
            raise UserError(
                f"user_id: the gateway does not accept the session it has just begun. {error} Check that the "
                'sender\'s authorization in the company does not say "Needs login for API".'
            ) from None

    def repeat(self, attempt: Callable[[], Reply[R]], *, shrinkable: bool = False) -> Reply[R]:
        """Attempt a call until it is answered, waiting out limits and trouble.

        Raises:
            UserError: Nothing at `api_url` ever answered.
            TooMuchError: The caller is to ask for less.
            ServerTroubleError: The trouble did not pass.
        """
        failures = 0
        while True:
            try:
                return attempt()
            except TransientError as error:
                if shrinkable and isinstance(error, TooMuchError):
                    raise
                failures += 1
                self._wait_out(error, failures)

    def send(  # noqa: PLR0913 - what a request is
        self,
        endpoint: str,
        authentication: Sequence[Node],
        function: Node,
        record: str,
        reader: Reader[R],
        *,
        later: bool = False,
    ) -> Reply[R]:
        """Send one request once and read what comes back.

        Raises:
            CallBudgetSpentError: `max_calls_per_run` is reached.
            ApiError: One of its kinds, when the answer is not what was asked for.
        """
        body = request(self._sender, authentication, function)
        what = _name(function)
        with self._slots:
            with self._guard:
                if self._max_calls is not None and self.calls >= self._max_calls:
                    raise CallBudgetSpentError(
                        f"max_calls_per_run: the {self._max_calls} calls of this run are used"
                    )
                self.calls += 1
            try:
                response = self.http.post(
                    endpoint, data=body, auth=_unsigned, timeout=self._timeout, allow_redirects=False
                )
            except requests.RequestException as error:
                raise self._network_error(what, endpoint, error) from None
        return self._read(
            what, response, functools.partial(read_reply, record=record, reader=reader, later=later)
        )

    # waiting ----------------------------------------------------------------------------------------------

    def _wait_out(self, error: TransientError, failures: int) -> None:
        if not self._answered and failures > 1 and "the connection to " in str(error):
            raise UserError(f"api_url: no gateway answers. {error}") from None
        if failures >= error.tries:
            raise ServerTroubleError(f"{error} Gave up after {failures} tries.") from None
        pause = error.retry_after
        if pause is None:
            span = min(_FIRST_PAUSE_SECONDS * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
            pause = random.uniform(span / 2, span)  # noqa: S311 - spreads load, guards nothing
        _LOG.warning("%s Next try in %.1f s", error, pause)
        self.sleep(pause)

    # judging answers --------------------------------------------------------------------------------------

    def redact(self, text: str) -> str:
        """Take every secret of this run out of a text."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "(secret)")
        return text

    def _network_error(self, what: str, endpoint: str, error: requests.RequestException) -> Exception:
        host = urlsplit(endpoint).hostname
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error):
            return UserError(
                f"api_url: the certificate of {host} is not trusted; "
                "name the file of your own authority in REQUESTS_CA_BUNDLE"
            )
        if isinstance(error, requests.exceptions.SSLError) and _NO_TLS.search(str(error)):
            return UserError(
                f"api_url: {host} does not speak https there; check host, port and https or http"
            )
        if isinstance(error, requests.exceptions.InvalidURL):
            return UserError(f"api_url: {endpoint} is not a web address")
        if "NameResolutionError" in repr(error):
            return UserError(f"api_url: there is no host named {host}")
        kind = type(error).__name__
        if isinstance(error, requests.exceptions.ReadTimeout):
            return TooMuchError(f"{what}: no answer in {self._timeout[1]} s.")
        return TransientError(f"{what}: the connection to {host} failed ({kind}).")

    def _read(self, what: str, response: requests.Response, read: Callable[[bytes], Reply[R]]) -> Reply[R]:
        status = response.status_code
        try:
            reply = read(response.content)
        except NotXmlError as error:
            raise self._not_an_answer(what, response, error) from None
        self._answered = True
        self._note_time(response, reply)
        if not reply.failures:
            if status < HTTPStatus.BAD_REQUEST:
                return reply
            raise TransientError(f"{what}: HTTP {status} without an error.", retry_after=_wait(response))
        position, complaints = reply.failures[0]
        told = "; ".join(complaint.text for complaint in complaints) or "failure without an error message"
        shown = "" if status < HTTPStatus.BAD_REQUEST else f" HTTP {status}."
        text = self.redact(f"{what}:{shown} {position}: {told}.")
        raise judge(position, complaints, text, retry_after=_wait(response))

    def _not_an_answer(self, what: str, response: requests.Response, error: NotXmlError) -> Exception:
        status = response.status_code
        if any(sign in response.content[:100_000] for sign in _CDN_SIGNS):
            kind = TooMuchError if status in _GIVEN_UP else TransientError
            return kind(
                f"{what}: HTTP {status}, a page of the network in front of the gateway came.",
                retry_after=_wait(response) or _CDN_PAUSE_SECONDS,
                tries=_CDN_TRIES,
            )
        if status in _GIVEN_UP:
            return TooMuchError(f"{what}: HTTP {status}, the gateway took too long.")
        if status == HTTPStatus.NOT_FOUND or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return UserError(f"api_url: HTTP {status}; this is not the address of the XML gateway")
        kind_of_body = response.headers.get("Content-Type", "no content type").partition(";")[0]
        return TransientError(
            f"{what}: HTTP {status}, {kind_of_body} that is no answer ({str(error)[:80]}).",
            retry_after=_wait(response),
        )

    def _note_time(self, response: requests.Response, reply: Reply[Any]) -> None:
        if self.server_time is not None:
            return
        if reply.moment is not None:
            self.server_time = reply.moment.astimezone(dt.UTC)
            return
        with contextlib.suppress(KeyError, ValueError):
            self.server_time = email.utils.parsedate_to_datetime(response.headers["Date"]).astimezone(dt.UTC)


def _unsigned(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no credentials in headers, also when a .netrc file would offer some."""
    return prepared


def _name(function: Node) -> str:
    """What to call a function in messages: its name and its object."""
    content = function[1]
    about = next(
        (str(text) for name, text in content if name == "object") if isinstance(content, list) else iter(()),
        "",
    )
    return f"{function[0]} {about}".strip()


def _wait(response: requests.Response) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; at most ten minutes."""
    header = response.headers.get("Retry-After", "")
    if header.isdecimal():
        return min(float(header), _LONGEST_WAIT_SECONDS)
    try:
        seconds = (email.utils.parsedate_to_datetime(header) - dt.datetime.now(dt.UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)
