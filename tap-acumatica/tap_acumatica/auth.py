"""Sign-in, token life and sign-out: one session per run, ended on every way out.

Acumatica has no grant for machines alone. A run signs in with a user's password (OAuth), with a stored refresh
token that changes at every use, or with a cookie session. Each of them occupies a seat of the licence until it
is logged out, so the handle of the present session is kept on disk: a run that was killed leaves it behind, and
the next run ends that session first.
"""

from __future__ import annotations

import abc
import contextlib
import hashlib
import logging
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from requests.auth import AuthBase
from typing_extensions import override

from tap_acumatica.client import Client, Unsigned
from tap_acumatica.errors import ApiError, NotFoundError, RefusedError, SessionEndedError, UserError
from tap_acumatica.store import KEY_VARIABLE, SealedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

    from tap_acumatica.store import Store

_LEEWAY_SECONDS: Final = 60
_LOCK_WAIT_SECONDS: Final = 120

_LOG: Final = logging.getLogger("tap-acumatica")


class Bearer(AuthBase):
    """Signs a request with an OAuth access token."""

    def __init__(self, token: str) -> None:
        self.token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self.token}"
        return r


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Let the signals that end a run wait until what must not be broken off is done.

    Python lets only the main thread say what a signal does; in others nothing is held.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers: dict[int, Any] = {
        number: signal.signal(number, lambda got, _: came.append(got))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not set by Python
        for number in came:
            signal.raise_signal(number)


class Session(abc.ABC):
    """One session at a time, shared by all streams of a run.

    Subclasses say how a session is begun. The base class renews it, ends it, and ends what a killed run left.
    """

    def __init__(self, client: Client, store: Store, config: Mapping[str, Any]) -> None:
        self.client = client
        self.store = store
        self.config = config
        self._auth: AuthBase | None = None
        self._expires = float("inf")
        self._guard = threading.RLock()
        self._locks = contextlib.ExitStack()
        self._records_session = False
        self._begun = False

    @abc.abstractmethod
    def begin(self) -> AuthBase:
        """Sign in and return what signs requests.

        Raises:
            UserError: The sign-in is refused; it is never repeated, because that locks the user out.
        """

    def end(self, auth: AuthBase) -> None:
        """Log a session out."""
        self.client.logout(auth)

    def retire(self, auth: AuthBase) -> None:
        """Log out a session that another one has replaced."""
        self.end(auth)

    def handle(self) -> dict[str, Any]:
        """What a later run needs to end the present session."""
        return {"token": self._auth.token} if isinstance(self._auth, Bearer) else {}

    def end_stale(self, handle: Mapping[str, Any]) -> None:
        """End the session of a killed run."""
        if token := handle.get("token"):
            self.client.secrets.add(token)
            self.client.logout(Bearer(token))

    # the life of a session --------------------------------------------------------------------------------

    def credentials(self) -> AuthBase:
        """What signs a request: the present session, begun or renewed when there is none or it is ending.

        Raises:
            UserError: The sign-in is refused.
        """
        with self._guard:
            if not self._begun:
                self._begun = True
                self._clear_up()
            if self._auth is None or time.monotonic() >= self._expires:
                self._replace()
            assert self._auth is not None  # noqa: S101 - for the type checker: _replace sets it
            return self._auth

    def renew(self) -> None:
        """Let the next request begin a new session; the server says that the present one has ended."""
        with self._guard:
            self._expires = 0.0

    def close(self) -> None:
        """Log out and let another run of this user begin. May be called twice."""
        with self._guard:
            auth, self._auth = self._auth, None
            if auth is not None:
                self.end(auth)
                self._forget()
            self.client.session.close()
            self._locks.close()

    def expires_in(self, seconds: float) -> None:
        """Note the life of the session just begun, less a margin for requests on their way."""
        self._expires = time.monotonic() + seconds - min(_LEEWAY_SECONDS, seconds / 10)

    def _replace(self) -> None:
        """Begin a session; log the old one out only when the new one is there."""
        old = self._auth
        self._expires = float("inf")
        self._auth = self.begin()
        if self._records_session:
            self.store.write_secret("session", self.handle())
        if old is not None:
            self.retire(old)

    def _clear_up(self) -> None:
        """End the session of a killed run, unless it is the session of a run that is still going."""
        self._records_session = self._locks.enter_context(self.store.lock("run", 0))
        if not self._records_session:
            _LOG.info("Another run of this user is under way; its session is left alone")
        elif stale := self._left_behind():
            _LOG.info("Ending the API session that an interrupted run left behind")
            self.end_stale(stale)
            self._forget()

    def _left_behind(self) -> dict[str, Any]:
        try:
            return self.store.read_secret("session")
        except SealedError:
            _LOG.warning(
                "An interrupted run left a session whose handle another key locks; it ends by itself"
            )
            return {}

    def _forget(self) -> None:
        if self._records_session:
            self.store.delete_secret("session")


class OAuthPassword(Session):
    """OAuth 2.0 resource-owner password grant: a new token from user name and password."""

    @override
    def begin(self) -> AuthBase:
        return self.ask_token(
            {
                "grant_type": "password",
                "username": self.config["username"],
                "password": self.config["password"],
                "scope": "api",
            }
        )

    def ask_token(self, form: Mapping[str, str]) -> AuthBase:
        """Get an access token.

        Raises:
            UserError: The token is refused.
        """
        answer = self.ask(form)
        token = str(answer["access_token"])
        self.client.secrets.add(token)
        self.expires_in(float(answer.get("expires_in") or 3600))
        return Bearer(token)

    def keep(self, answer: Mapping[str, Any]) -> None:
        """Keep what must outlive the run, before the access token is used."""

    def ask(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Send a form to the token address."""
        url = f"{self.client.site.base_url}/identity/connect/token"
        application = {"client_id": self.config["client_id"], "client_secret": self.config["client_secret"]}

        def attempt() -> Any:  # noqa: ANN401 - whatever JSON holds
            with signals_held():
                answer = self.client.send("POST", url, auth=Unsigned(), form={**form, **application})
                if isinstance(answer, dict):
                    self.keep(answer)
                return answer

        try:
            answer = self.client.repeat(attempt)
        except NotFoundError as error:
            raise UserError(_no_instance(self.client, error)) from None
        except (RefusedError, SessionEndedError) as error:
            raise UserError(self.advice(str(error))) from None
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise UserError(_no_instance(self.client, "The token address answered without a token."))
        return answer

    def advice(self, said: str) -> str:
        """What to change when the token is refused."""
        if "invalid_grant" in said:
            return f"username, password: the sign-in is refused. {said}"
        if not any(sign in said for sign in ("invalid_", "unauthorized_", "unsupported_")):
            return _no_instance(self.client, said)
        return f"client_id, client_secret: the connected application is refused (screen SM303010). {said}"


class OAuthRefresh(OAuthPassword):
    """OAuth 2.0 refresh grant. Each refresh token works once and brings the next one.

    The newest is kept in the store before its access token is used and before a signal ends the run, and the chain
    is locked while it moves, so that neither a cut nor a second run breaks it. A `refresh_token` setting that changes
    starts a new chain.
    """

    @override
    def begin(self) -> AuthBase:
        with self.store.lock("tokens", _LOCK_WAIT_SECONDS) as locked:
            if not locked:
                raise UserError(
                    "token_store_path: another run holds the refresh token; let it end and start again"
                )
            token = self._newest()
            self.client.secrets.add(token)
            return self.ask_token({"grant_type": "refresh_token", "refresh_token": token})

    @override
    def keep(self, answer: Mapping[str, Any]) -> None:
        if token := answer.get("refresh_token"):
            self.client.secrets.add(token)
            self.store.write_secret("tokens", {"refresh_token": token, "chain": self._chain()})

    @override
    def advice(self, said: str) -> str:
        if "invalid_grant" in said:
            return f"refresh_token: it is used up or expired; authorise again and put in the new one. {said}"
        return super().advice(said)

    def _newest(self) -> str:
        try:
            kept = self.store.read_secret("tokens")
        except SealedError:
            raise UserError(
                f"token_key_file, {KEY_VARIABLE}: the stored refresh token cannot be opened with this key; put the "
                f"old key behind the new one, or delete the .sealed files in {self.store.place} and authorise again"
            ) from None
        if kept.get("chain") == self._chain():
            return str(kept["refresh_token"])
        return str(self.config["refresh_token"])

    def _chain(self) -> str:
        return hashlib.sha256(str(self.config["refresh_token"]).encode()).hexdigest()


class CookieSession(Session):
    """Login with user name and password; the session lives in cookies."""

    @override
    def begin(self) -> AuthBase:
        client = self.client
        client.session.cookies.clear()
        names = {"username": "name", "password": "password", "tenant": "tenant", "branch": "branch"}
        body = {theirs: self.config[ours] for ours, theirs in names.items() if self.config.get(ours)}
        body["locale"] = self.config["locale"]
        url = f"{client.site.base_url}/entity/auth/login"
        try:
            # Only a full seat table is waited out: a second try with a wrong password may lock the user.
            client.repeat(lambda: client.send("POST", url, auth=Unsigned(), body=body), through_trouble=False)
        except NotFoundError as error:
            raise UserError(_no_instance(client, error)) from None
        except ApiError as error:
            raise UserError(f"base_url, username, password: the sign-in did not succeed. {error}") from None
        client.secrets.update(str(cookie.value) for cookie in client.session.cookies if cookie.value)
        return Unsigned()

    @override
    def retire(self, auth: AuthBase) -> None:
        """Nothing: a cookie session is only replaced after the server has ended it."""

    @override
    def handle(self) -> dict[str, Any]:
        return {"cookies": {cookie.name: cookie.value for cookie in self.client.session.cookies}}

    @override
    def end_stale(self, handle: Mapping[str, Any]) -> None:
        self.client.logout(Unsigned(), cookies=handle.get("cookies"))


def _no_instance(client: Client, why: object) -> str:
    return f"base_url: no Acumatica instance answers at {client.site.base_url}. {why}"


_METHODS: Final[dict[str, tuple[type[Session], tuple[str, ...]]]] = {
    "oauth_password": (OAuthPassword, ("client_id", "client_secret", "username", "password")),
    "oauth_refresh": (OAuthRefresh, ("client_id", "client_secret", "refresh_token")),
    "session": (CookieSession, ("username", "password", "tenant")),
}


def session_of(client: Client, store: Store, config: Mapping[str, Any]) -> Session:
    """The configured way to sign in.

    Raises:
        UserError: A setting that it needs is missing.
    """
    kind, needed = _METHODS[config["auth_method"]]
    missing = [name for name in needed if not config.get(name)]
    if missing:
        raise UserError(f"{', '.join(missing)}: needed for auth_method {config['auth_method']}")
    client_id = str(config.get("client_id") or "")
    if kind is not CookieSession:
        tenant = client_id.partition("@")[2]
        if not tenant:
            raise UserError(
                "client_id: it must end in @Tenant, as the Connected Applications screen shows it"
            )
        if config.get("tenant") and config["tenant"] != tenant:
            raise UserError(f"tenant: {config['tenant']} is not the tenant of client_id ({tenant})")
    return kind(client, store, config)
