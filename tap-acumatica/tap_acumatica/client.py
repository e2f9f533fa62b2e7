"""One request to an Acumatica instance: its address, its retries, its errors.

Nothing here knows streams. Every call of a run goes through one `Client`, one after the other, because the
server handles the requests of one session one by one anyway and counts them against the licence.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import email.utils
import logging
import random
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, urlsplit

import msgspec
import requests
from requests.auth import AuthBase
from typing_extensions import override

from tap_acumatica.decoding import decode as decode_any
from tap_acumatica.errors import (
    CallBudgetSpentError,
    NoSeatError,
    ServerTroubleError,
    SessionEndedError,
    TransientError,
    UserError,
    judge,
    said,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_acumatica.decoding import Decode, Json

_NO_TLS: Final = re.compile("WRONG_VERSION|RECORD_LAYER")  # what OpenSSL calls an answer in plain http
_LOGOUT_TIMEOUT_SECONDS: Final = 30
_CONNECT_TIMEOUT_SECONDS: Final = 30
_SEAT_WAIT_SECONDS: Final = (30, 60)
METADATA: Final = "$metadata"
"""Where an OData service describes itself."""
_BARE: Final = "$'(),"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

_LOG: Final = logging.getLogger("tap-acumatica")


@dataclasses.dataclass(frozen=True)
class Site:
    """Where an instance lives and which of its faces is used."""

    base_url: str
    tenant: str
    endpoint: str
    version: str
    legacy_odata: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Site:
        """Read the site from the tap's settings.

        Raises:
            UserError: `base_url` is not an address that credentials may be sent to.
        """
        base_url = str(config["base_url"]).strip().rstrip("/")
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UserError("base_url: this is not a web address; use the form https://host/instance")
        if parts.username or parts.password:
            raise UserError("base_url: leave user name and password out of the address")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise UserError("base_url: use https, or everybody on the way can read the password")
        suffix = str(config.get("client_id") or "").partition("@")[2]
        return cls(
            base_url=base_url,
            tenant=config.get("tenant") or suffix,
            endpoint=config["endpoint_name"],
            version=config["endpoint_version"],
            legacy_odata=config.get("odata_style") == "legacy",
        )

    def entity(self, *path: str) -> str:
        """Address of an entity, or of one record by its `id`, on the pinned endpoint version."""
        return "/".join((self.base_url, "entity", self.endpoint, self.version, *path))

    def inquiry(self, path: str) -> str:
        """Address of a generic inquiry by OData."""
        tenant = quote(self.tenant, safe="")
        middle = f"odata/{tenant}" if self.legacy_odata else f"t/{tenant}/api/odata/gi"
        return f"{self.base_url}/{middle}/{quote(path, safe=_BARE + '=')}"

    def dac(self, path: str) -> str:
        """Address of a data access class by OData."""
        tenant = quote(self.tenant, safe="")
        middle = f"odatav4/{tenant}" if self.legacy_odata else f"t/{tenant}/api/odata/dac"
        return f"{self.base_url}/{middle}/{path}"


class SignIn(Protocol):
    """What a client needs of a way to sign in; see `tap_acumatica.auth`."""

    def credentials(self) -> AuthBase:
        """What signs a request; signs in first where there is no session yet."""
        ...

    def renew(self) -> None:
        """Forget the present session: the server says that it has ended."""
        ...


class Unsigned(AuthBase):
    """Sends a request without credentials, also when a .netrc file would offer some."""

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return r


def _content(response: requests.Response, decode: Decode) -> Json:
    """The decoded body; XML as it is, and None for an empty one.

    Raises:
        msgspec.DecodeError: It is neither.
    """
    if response.url.endswith(METADATA) and "xml" in response.headers.get("Content-Type", ""):
        return response.content
    return decode(response.content) if response.content else None


def query(params: Mapping[str, str | int]) -> str:
    """Encode a query string as the server needs it: `$` bare, blanks as %20, `+`, `:` and `/` encoded.

    A `+` left bare would be read as a blank and spoil the zone of a time literal.
    """
    return "&".join(f"{name}={quote(str(value), safe=_BARE)}" for name, value in params.items())


class Client:
    """Sends requests one by one, repeats what may be repeated, and says plainly what went wrong.

    Attributes:
        site: The instance.
        calls: Requests sent so far, sign-in and sign-out included.
        server_time: The instance's own clock as last seen in a `Date` header; None before the first answer.
        secrets: Texts that must never be shown; sign-ins add what they obtain.
        sign_in: How requests are signed.
        sleep: How to wait.
    """

    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, site: Site, config: Mapping[str, Any]) -> None:
        self.site = site
        self.calls = 0
        self.server_time: dt.datetime | None = None
        self.secrets = {
            str(config[name]) for name in ("password", "client_secret", "refresh_token") if config.get(name)
        }
        self.sign_in: SignIn | None = None
        self.session = requests.Session()
        self.session.headers["User-Agent"] = config["user_agent"]
        self.session.headers["Accept"] = "application/json"
        if config["include_archived"]:
            self.session.headers["PX-ApiArchive"] = "SHOW"
        self._timeout = (_CONNECT_TIMEOUT_SECONDS, int(config["request_timeout_seconds"]))
        self._max_calls: int | None = config.get("max_calls_per_run")
        self._seat_patience = int(config["max_seat_wait_seconds"])
        self._answered = False

    # requests ---------------------------------------------------------------------------------------------

    def get(
        self, url: str, params: Mapping[str, str | int] | None = None, *, decode: Decode = decode_any
    ) -> Json:
        """GET a JSON document, signed.

        Args:
            url: Its address.
            params: The query.
            decode: How the document is decoded, see `tap_acumatica.decoding`.

        Raises:
            UserError: A setting is wrong, or the sign-in is refused.
            ApiError: One of its kinds, by what the server answered.
        """
        return self._signed("GET", f"{url}?{query(params)}" if params else url, None, decode)

    def get_metadata(self, root: str) -> bytes:
        """GET the description (CSDL, in XML) of an OData service.

        Raises:
            UserError: A setting is wrong, or the sign-in is refused.
            ApiError: One of its kinds, by what the server answered.
        """
        return bytes(self._signed("GET", root + METADATA, None))

    def put(
        self, url: str, params: Mapping[str, str | int], body: Json, *, decode: Decode = decode_any
    ) -> Json:
        """PUT the parameters of an inquiry and return its answer. Inquiries change nothing in the ERP.

        Raises:
            UserError: A setting is wrong, or the sign-in is refused.
            ApiError: One of its kinds, by what the server answered.
        """
        return self._signed("PUT", f"{url}?{query(params)}", body, decode)

    def _signed(self, method: str, address: str, body: Json, decode: Decode = decode_any) -> Json:
        sign_in = self.sign_in
        if sign_in is None:
            raise RuntimeError("the client was given no way to sign in")

        def attempt() -> Json:
            return self.send(method, address, auth=sign_in.credentials(), body=body, decode=decode)

        try:
            return self.repeat(attempt)
        except SessionEndedError:
            sign_in.renew()
        try:
            return self.repeat(attempt)
        except SessionEndedError as error:
            raise UserError(
                f"{error} Signing in anew did not help: check the rights of the API user."
            ) from None

    def repeat(self, attempt: Callable[[], Json], *, through_trouble: bool = True) -> Json:
        """Attempt a call until it is answered, waiting out full seats, throttling and server trouble.

        Args:
            attempt: The call.
            through_trouble: Whether trouble of the server is waited out too, or only full seats.

        Raises:
            UserError: No seat came free in time, or nothing at `base_url` ever answered.
            ServerTroubleError: The trouble did not pass.
        """
        failures = 0
        waited = 0.0
        while True:
            try:
                return attempt()
            except NoSeatError as error:
                waited += self._wait_for_seat(error, waited)
            except TransientError as error:
                if not through_trouble:
                    raise
                failures += 1
                self._wait_out(error, failures)

    def send(  # noqa: PLR0913 - all that a request is made of
        self,
        method: str,
        address: str,
        *,
        auth: AuthBase,
        body: Json = None,
        form: Mapping[str, str] | None = None,
        decode: Decode = decode_any,
    ) -> Json:
        """Send one request once and decode what comes back.

        Raises:
            CallBudgetSpentError: `max_calls_per_run` is reached.
            ApiError: One of its kinds, when the answer is not what was asked for.
        """
        if self._max_calls is not None and self.calls >= self._max_calls:
            raise CallBudgetSpentError(f"max_calls_per_run: the {self._max_calls} calls of this run are used")
        self.calls += 1
        try:
            response = self.session.request(
                method,
                address,
                auth=auth,
                json=body,
                data=form,
                timeout=self._timeout,
                allow_redirects=False,
                headers={"Accept": "application/xml"} if address.endswith(METADATA) else None,
            )
        except requests.RequestException as error:
            raise self._network_error(f"{method} {urlsplit(address).path}", error) from None
        self._note_time(response)
        return self._read(method, response, decode)

    def logout(self, auth: AuthBase, cookies: Mapping[str, str] | None = None) -> None:
        """End a session so that its licence seat is free at once; trouble is logged, never raised."""
        self.calls += 1
        try:
            # A POST without a body carries Content-Length: 0, without which the web server answers 411.
            response = self.session.post(
                f"{self.site.base_url}/entity/auth/logout",
                auth=auth,
                cookies=dict(cookies or {}),
                timeout=_LOGOUT_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            _LOG.warning("Logout got no answer (%s); the seat is freed by the server", type(error).__name__)
            return
        # 401: the session had ended by itself, which is what was wanted.
        if (
            response.status_code >= HTTPStatus.MULTIPLE_CHOICES
            and response.status_code != HTTPStatus.UNAUTHORIZED
        ):
            _LOG.warning("Logout was answered with %s; the seat is freed by the server", response.status_code)

    # waiting ----------------------------------------------------------------------------------------------

    def _wait_for_seat(self, error: NoSeatError, waited: float) -> float:
        left = self._seat_patience - waited
        if left <= 0:
            raise UserError(
                f"max_seat_wait_seconds: no API session came free in {self._seat_patience} s; end stale ones on "
                f"the License Monitoring Console (SM604000) or wait longer. {error}"
            ) from None
        pause = min(left, random.uniform(*_SEAT_WAIT_SECONDS))  # noqa: S311 - spreads load, guards nothing
        _LOG.warning("All API sessions of the licence are taken; next try in %.0f s", pause)
        self.sleep(pause)
        return pause

    def _wait_out(self, error: TransientError, failures: int) -> None:
        if not self._answered and failures > 1:
            raise UserError(
                f"base_url: no Acumatica instance answers at {self.site.base_url}. {error}"
            ) from None
        if failures >= error.tries:
            raise ServerTroubleError(f"{error} Gave up after {failures} tries.") from None
        pause = error.retry_after
        if pause is None:
            pause = 2.0**failures + random.random()  # noqa: S311 - spreads load, guards nothing
        _LOG.warning("%s Next try in %.1f s", error, pause)
        self.sleep(pause)

    # judging answers --------------------------------------------------------------------------------------

    def redact(self, text: str) -> str:
        """Take every secret of this run out of a text."""
        for secret in self.secrets:
            text = text.replace(secret, "(secret)")
        return text

    def _note_time(self, response: requests.Response) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self.server_time = email.utils.parsedate_to_datetime(response.headers["Date"]).astimezone(dt.UTC)

    def _network_error(self, what: str, error: requests.RequestException) -> Exception:
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error):
            return UserError(
                f"base_url: the certificate of {self.site.base_url} is not trusted; "
                "name the file of your own authority in REQUESTS_CA_BUNDLE"
            )
        if isinstance(error, requests.exceptions.SSLError) and _NO_TLS.search(str(error)):
            return UserError(
                f"base_url: {self.site.base_url} does not speak https; check host, port and scheme"
            )
        if isinstance(error, requests.exceptions.InvalidURL):
            return UserError(f"base_url: {self.site.base_url} is not a web address")
        if "NameResolutionError" in repr(error):
            return UserError(f"base_url: there is no host named {urlsplit(self.site.base_url).hostname}")
        return TransientError(f"{what}: the connection failed ({type(error).__name__}).")

    def _read(self, method: str, response: requests.Response, decode: Decode) -> Json:
        other_form = ""
        if response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            try:
                content = _content(response, decode)
            except msgspec.ValidationError as error:
                other_form = str(error)  # tells types and places, no values
            except (msgspec.DecodeError, UnicodeDecodeError):
                pass
            else:
                self._answered = True
                return content
        text = self.redact(f"{method} {urlsplit(response.url).path}: {response.status_code}{said(response)}.")
        if other_form:
            raise TransientError(f"{text} The data came in another form than was asked for: {other_form}.")
        if response.status_code < HTTPStatus.BAD_REQUEST:
            # Maintenance, sign-in and error pages come with 200 or as a redirect: never "no rows".
            raise TransientError(f"{text} A web page came instead of data.")
        raise judge(response, text)
