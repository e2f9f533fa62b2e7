"""One request to an Epicor instance: its address, its retries, its errors.

Nothing here knows streams. Every call of a run goes through one `Client`, one after the other: each call claims a
licence while it lasts. The only verbs are GET, and POST to a token address; nothing in this package can change
the ERP.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import email.utils
import logging
import random
import re
import time
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, urljoin, urlsplit

import msgspec
import requests
from requests.auth import AuthBase
from typing_extensions import override

from tap_epicor_kinetic.errors import (
    CallBudgetSpentError,
    NobodyError,
    NoLicenseError,
    SignedOutError,
    TransientError,
    TroubleError,
    UserError,
    judge,
    said,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = Any
"""A decoded JSON value; numbers with a fraction are `Decimal`, never binary floats."""
Params = dict[str, "str | int | list[str]"]
"""Query options; a list repeats the name."""

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode

_NO_TLS: Final = re.compile("WRONG_VERSION|RECORD_LAYER")  # what OpenSSL calls an answer in plain http
_CONNECT_TIMEOUT_SECONDS: Final = 30
_SLOW_SECONDS: Final = 19.0
_SLOW_CALLS: Final = 3
_BARE: Final = "$'(),:"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_SECRETS: Final = ("api_key", "password", "client_secret")
METADATA: Final = "$metadata"
"""Where a service describes itself."""
LICENSES: Final = {
    # Epiglossary and Epycor agree on these, and they are the same everywhere.
    "default": "00000003-B615-4300-957B-34956697F040",
    "web_service": "00000003-9439-4B30-A6F4-6D2FD4B9FD0F",
    "web_service_shared": "00000003-231B-4E2B-9B47-13F87EA9A0A3",
}
"""The licence types that a call may claim by the License header."""

_LOG: Final = logging.getLogger("tap-epicor-kinetic")


@dataclasses.dataclass(frozen=True)
class Site:
    """Where an instance lives, and which of its companies are read."""

    base_url: str
    companies: tuple[str, ...]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Site:
        """Read the site from the tap's settings.

        Raises:
            UserError: `base_url` is not an address that credentials may be sent to, or no company is named.
        """
        base_url = str(config["base_url"]).strip().rstrip("/")
        check_address("base_url", base_url, "https://host/instance")
        if "/api/" in f"{base_url}/":
            raise UserError(
                "base_url: leave out /api and what follows; it ends with the name of the instance"
            )
        companies = tuple(
            dict.fromkeys(str(each).strip() for each in config["companies"] if str(each).strip())
        )
        if not companies:
            raise UserError("companies: name at least one company id, for example EPIC06")
        return cls(base_url=base_url, companies=companies)

    def company(self, company: str, path: str) -> str:
        """Address of a service, an entity set or a BAQ in one company."""
        return f"{self.base_url}/api/v2/odata/{quote(company, safe='')}/{path}"


def check_address(setting: str, address: str, form: str) -> None:
    """Make sure that credentials may be sent to an address.

    Raises:
        UserError: They may not.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UserError(f"{setting}: this is not a web address; use the form {form}")
    if parts.username or parts.password:
        raise UserError(f"{setting}: leave user name and password out of the address")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UserError(f"{setting}: use https, or everybody on the way can read the password")


class SignIn(Protocol):
    """What a client needs of a way to sign in; see `tap_epicor_kinetic.auth`."""

    def credentials(self) -> AuthBase:
        """What signs a request; signs in first where there is no token yet."""
        ...

    def renew(self) -> bool:
        """Forget the present token: the server says that it has ended. False when there is none to renew."""
        ...


class Unsigned(AuthBase):
    """Sends a request without credentials, also when a .netrc file would offer some."""

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return r


def query(params: Mapping[str, str | int | list[str]]) -> str:
    """Encode a query string as the server needs it: `$` bare, blanks as %20 (never `+`)."""
    return "&".join(
        f"{quote(name, safe='$')}={quote(str(value), safe=_BARE)}"
        for name, values in params.items()
        for value in (values if isinstance(values, list) else [values])
    )


class Client:
    """Sends requests one by one, repeats what may be repeated, and says plainly what went wrong.

    Attributes:
        site: The instance.
        calls: Requests sent so far, those for tokens included.
        server_time: The instance's own clock as first seen in a `Date` header; None before the first answer.
        secrets: Texts that must never be shown; sign-ins add what they obtain.
        sign_in: How requests are signed.
        sleep: How to wait.
    """

    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, site: Site, config: Mapping[str, Any]) -> None:
        self.site = site
        self.calls = 0
        self.server_time: dt.datetime | None = None
        self.secrets = {str(config[name]) for name in _SECRETS if config.get(name)}
        self.sign_in: SignIn | None = None
        self.session = requests.Session()
        self.session.headers["User-Agent"] = config["user_agent"]
        self.session.headers["Accept"] = "application/json"
        self.api_key: str = config.get("api_key") or ""
        license_type = config.get("license_type") or "none"
        self._headers = {"x-api-key": self.api_key} if self.api_key else {}
        if license_type in LICENSES:
            claimed = {"ClaimedLicense": LICENSES[license_type]}
            self._headers["License"] = msgspec.json.encode(claimed).decode()
        if bundle := config.get("ca_bundle"):
            if not Path(bundle).expanduser().is_file():
                raise UserError(f"ca_bundle: there is no file {bundle}")
            self.session.verify = str(Path(bundle).expanduser())
        self._timeout = (_CONNECT_TIMEOUT_SECONDS, int(config["request_timeout_seconds"]))
        self._max_calls: int | None = config.get("max_calls_per_run")
        self._answered = False
        self._slow = 0

    # requests ---------------------------------------------------------------------------------------------

    def get(self, url: str, params: Mapping[str, str | int | list[str]] | None = None) -> Json:
        """GET a JSON document, signed.

        Raises:
            UserError: A setting is wrong, or the sign-in is refused.
            ApiError: One of its kinds, by what the server answered.
        """
        return self._signed(f"{url}?{query(params)}" if params else url)

    def get_metadata(self, root: str) -> bytes:
        """GET the description (CSDL, in XML) of a service.

        Raises:
            UserError: A setting is wrong, or the sign-in is refused.
            ApiError: One of its kinds, by what the server answered.
        """
        return bytes(self._signed(f"{root}/{METADATA}"))

    def follow(self, url: str, link: str) -> Json:
        """GET the next page that an answer points to.

        Raises:
            UserError: The link leads to another host, where the credentials must not go.
            ApiError: One of its kinds, by what the server answered.
        """
        address = urljoin(url, link)
        here, there = urlsplit(self.site.base_url), urlsplit(address)
        if there.hostname != here.hostname:
            raise UserError(
                f"base_url: {here.hostname} refers to {there.hostname} for more rows; use that address"
            )
        # A gateway in front may write its inner scheme or port; the way that brought us here leads on.
        return self._signed(there._replace(scheme=here.scheme, netloc=here.netloc).geturl())

    def _signed(self, address: str) -> Json:
        sign_in = self.sign_in
        if sign_in is None:
            raise RuntimeError("the client was given no way to sign in")

        def attempt() -> Json:
            answer = self.send("GET", address, auth=sign_in.credentials(), headers=self._headers)
            is_page = isinstance(answer, dict) and isinstance(answer.get("value"), list)
            if not is_page and not address.endswith(METADATA):
                # An error may come within a 200: an answer without rows is never "no rows".
                raise TransientError(f"GET {urlsplit(address).path}: the answer holds no list of rows.")
            return answer

        try:
            return self.repeat(attempt)
        except SignedOutError as error:
            if not sign_in.renew():
                raise UserError(f"username, password: the sign-in is refused. {error}") from None
        try:
            return self.repeat(attempt)
        except SignedOutError as error:
            raise UserError(
                f"auth_method: a fresh token is refused too; check the user's rights. {error}"
            ) from None

    def repeat(self, attempt: Callable[[], Json]) -> Json:
        """Attempt a call until it is answered, waiting out taken licences, throttling and server trouble.

        Raises:
            UserError: Nothing at `base_url` ever answered, or no licence came free.
            TroubleError: The trouble did not pass.
        """
        failures = collections.Counter[bool]()
        while True:
            try:
                return attempt()
            except TransientError as error:
                kind = isinstance(error, NoLicenseError)  # licences are waited for apart from other trouble
                failures[kind] += 1
                self._wait_out(error, failures[kind])

    def send(
        self,
        method: str,
        address: str,
        *,
        auth: AuthBase,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Json:
        """Send one request once and decode what comes back.

        Args:
            method: GET; or POST for tokens.
            address: Whole address, encoded.
            auth: What signs it.
            headers: What it carries besides.
            form: Body of a token request.

        Raises:
            CallBudgetSpentError: `max_calls_per_run` is reached.
            ApiError: One of its kinds, when the answer is not what was asked for.
        """
        if self._max_calls is not None and self.calls >= self._max_calls:
            raise CallBudgetSpentError(f"max_calls_per_run: the {self._max_calls} calls of this run are used")
        self.calls += 1
        wanted = {**(headers or {})}
        if address.endswith(METADATA):
            wanted["Accept"] = "application/xml"
        began = time.monotonic()
        try:
            response = self.session.request(
                method,
                address,
                auth=auth,
                data=form,
                timeout=self._timeout,
                allow_redirects=False,
                headers=wanted,
            )
        except requests.RequestException as error:
            raise self._network_error(f"{method} {urlsplit(address).path}", address, error) from None
        self._note_pace(time.monotonic() - began)
        self._note_time(response)
        return self._read(method, response)

    # waiting ----------------------------------------------------------------------------------------------

    def _wait_out(self, error: TransientError, failures: int) -> None:
        if failures >= error.tries:
            if isinstance(error, NoLicenseError):
                raise UserError(
                    f"license_type: no licence came free for REST calls after {failures} tries; end idle sessions, run "
                    f"at a quieter time or claim another type. {error}"
                ) from None
            raise TroubleError(f"{error} Gave up after {failures} tries.") from None
        if isinstance(error, NobodyError) and not self._answered and failures > 1:
            raise UserError(
                f"base_url: no Epicor instance answers at {self.site.base_url}. {error}"
            ) from None
        pause = error.retry_after
        if pause is None:
            pause = (
                error.pause(failures)
                if isinstance(error, NoLicenseError)
                else 2.0**failures + random.random()  # noqa: S311 - spreads load, guards nothing
            )
        _LOG.warning("%s Next try in %.1f s", error, pause)
        self.sleep(pause)

    def _note_pace(self, seconds: float) -> None:
        """Tell once when calls take as long as those on the shared licence, which pay 20 seconds each."""
        self._slow = self._slow + 1 if seconds >= _SLOW_SECONDS else 0
        if self._slow == _SLOW_CALLS:
            _LOG.warning(
                "Calls take about 20 seconds each: the server may have put them on the shared web service licence, "
                "because all others are taken. See license_type."
            )

    # judging answers --------------------------------------------------------------------------------------

    def redact(self, text: str) -> str:
        """Take every secret of this run out of a text."""
        for secret in self.secrets:
            text = text.replace(secret, "(secret)")
        return text

    def _note_time(self, response: requests.Response) -> None:
        if self.server_time is None:
            with contextlib.suppress(KeyError, ValueError):
                stamp = email.utils.parsedate_to_datetime(response.headers["Date"])
                self.server_time = stamp.astimezone(dt.UTC)

    def _network_error(self, what: str, address: str, error: requests.RequestException) -> Exception:
        host = urlsplit(address).hostname
        setting = "base_url" if host == urlsplit(self.site.base_url).hostname else "token_url"
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error):
            return UserError(
                f"ca_bundle: the certificate of {host} is not trusted; name your own authority's file"
            )
        if isinstance(error, requests.exceptions.SSLError) and _NO_TLS.search(str(error)):
            return UserError(
                f"{setting}: {host} does not speak https there; check host, port and https or http"
            )
        if isinstance(error, requests.exceptions.InvalidURL):
            return UserError(f"{setting}: {host} is not a web address")
        if "NameResolutionError" in repr(error):
            return UserError(f"{setting}: there is no host named {host}")
        return NobodyError(f"{what}: the connection failed ({type(error).__name__}).")

    def _read(self, method: str, response: requests.Response) -> Json:
        if response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            try:
                content = _content(response)
            except (msgspec.DecodeError, UnicodeDecodeError):
                pass
            else:
                self._answered = True
                return content
        where = f"{method} {urlsplit(response.url).path}"
        text = self.redact(f"{where}: {response.status_code}{said(response)}.")
        if response.status_code < HTTPStatus.BAD_REQUEST:
            # Maintenance, sign-in and error pages come with 200 or as a redirect: never "no rows".
            raise NobodyError(f"{text} A web page came instead of data.")
        raise judge(response, text)


def _content(response: requests.Response) -> Json:
    """The decoded body; XML as it is, and None for an empty one.

    Raises:
        msgspec.DecodeError: It is neither.
    """
    if response.url.endswith(METADATA) and "xml" in response.headers.get("Content-Type", ""):
        return response.content
    return _decode(response.content) if response.content else None
