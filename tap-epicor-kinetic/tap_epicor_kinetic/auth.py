"""Sign-in and token life. Every call carries the API key and an identity; the key is never exchanged for a token.

Tokens are held in memory alone: there is nothing to rotate, so a run that needs one signs in, and no session is
opened on the server that would have to be closed.
"""

from __future__ import annotations

import abc
import base64
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from requests.auth import AuthBase
from typing_extensions import override

from tap_epicor_kinetic.client import Client, Unsigned, check_address
from tap_epicor_kinetic.errors import ForbiddenError, NotFoundError, RefusedError, SignedOutError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

EPICOR_TOKEN_URL: Final = "https://login.epicor.com/connect/token"  # noqa: S105 - an address
"""Where Epicor's own identity provider gives tokens."""

_LIFE_SECONDS: Final = 1200.0  # where the server does not say; lifetimes are a setting of the server
_LEEWAY_SECONDS: Final = 60.0
_LEEWAY_PART: Final = 10
_REFUSALS: Final = (RefusedError, SignedOutError, ForbiddenError)
_GRANT_SCOPES: Final = {"client_credentials": "epicor_erp", "password": "openid email epicor_erp"}


class Bearer(AuthBase):
    """Signs a request with an access token."""

    def __init__(self, token: str) -> None:
        self.token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self.token}"
        return r


class Basic(AuthBase):
    """Signs a request with user name and password, in UTF-8."""

    def __init__(self, username: str, password: str) -> None:
        self.header = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = self.header
        return r


class PasswordSignIn:
    """Basic: user name and password with every call."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._auth = Basic(config["username"], config["password"])

    def credentials(self) -> AuthBase:
        """What signs a request."""
        return self._auth

    def renew(self) -> bool:
        """There is nothing to renew."""
        return False


class TokenSignIn(abc.ABC):
    """One token at a time, shared by all streams, had before it is needed and replaced before it ends."""

    def __init__(self, client: Client, config: Mapping[str, Any]) -> None:
        self.client = client
        self.config = config
        self._auth: AuthBase | None = None
        self._expires = 0.0
        self._guard = threading.Lock()

    @abc.abstractmethod
    def ask(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Ask for a token.

        Raises:
            UserError: It is refused; that is never repeated, because repetition may lock the user out.
        """

    def credentials(self) -> AuthBase:
        """What signs a request: the present token, or a new one when there is none or it is ending.

        Raises:
            UserError: The sign-in is refused.
        """
        with self._guard:
            if self._auth is None or time.monotonic() >= self._expires:
                self._begin()
            assert self._auth is not None  # noqa: S101 - for the type checker: _begin sets it
            return self._auth

    def renew(self) -> bool:
        """Let the next request bring a new token; the server says that the present one has ended."""
        with self._guard:
            self._auth = None
        return True

    def _begin(self) -> None:
        answer = self.ask()
        found = answer if isinstance(answer, dict) else {}
        token = found.get("AccessToken") or found.get("access_token")
        if not token:
            raise UserError("auth_method: the token address answered without a token; is the address right?")
        self.client.secrets.add(str(token))
        try:
            life = float(found.get("ExpiresIn") or found.get("expires_in") or _LIFE_SECONDS)
        except ValueError:
            life = _LIFE_SECONDS
        self._expires = time.monotonic() + life - min(_LEEWAY_SECONDS, life / _LEEWAY_PART)
        self._auth = Bearer(str(token))


class TokenResource(TokenSignIn):
    """The application server's own token service, directly under the instance and not under `/api`."""

    @override
    def ask(self) -> Any:
        client, config = self.client, self.config
        url = f"{client.site.base_url}/TokenResource.svc/"
        key = {"x-api-key": client.api_key} if client.api_key else {}
        pair = {"username": config["username"], "password": config["password"]}
        basic = Basic(config["username"], config["password"])
        try:
            # Most installations take the pair as headers, some take Basic only.
            return client.repeat(lambda: client.send("POST", url, auth=Unsigned(), headers={**key, **pair}))
        except _REFUSALS:
            pass
        except NotFoundError as error:
            raise UserError(
                "auth_method: this server has no token service (it is switched on in the administration console); "
                f"use basic, or check base_url. {error}"
            ) from None
        try:
            return client.repeat(lambda: client.send("POST", url, auth=basic, headers=key))
        except _REFUSALS as error:
            raise UserError(f"username, password: the sign-in is refused. {error}") from None


class IdentityProvider(TokenSignIn):
    """An OAuth 2.0 server: Epicor's identity provider, or Microsoft Entra."""

    @override
    def ask(self) -> Any:
        config = self.config
        url = config.get("token_url") or EPICOR_TOKEN_URL
        grant = (
            "password" if config["auth_method"] == "idp" and config.get("username") else "client_credentials"
        )
        form = {
            "grant_type": grant,
            "client_id": config["client_id"],
            "scope": config.get("scope") or _GRANT_SCOPES[grant],
        }
        if config.get("client_secret"):
            form["client_secret"] = config["client_secret"]
        if grant == "password":
            form |= {"username": config["username"], "password": config["password"]}
        try:
            # The API key belongs to Epicor alone and stays away from here.
            return self.client.repeat(lambda: self.client.send("POST", url, auth=Unsigned(), form=form))
        except NotFoundError as error:
            raise UserError(f"token_url: no identity provider answers there. {error}") from None
        except _REFUSALS as error:
            who = "client_id, client_secret" + (", username, password" if grant == "password" else "")
            raise UserError(f"{who}: the token is refused. {error}") from None


_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "basic": ("username", "password"),
    "token_resource": ("username", "password"),
    "idp": ("client_id",),
    "azure_ad": ("client_id", "client_secret", "token_url", "scope"),
}


def sign_in_of(client: Client, config: Mapping[str, Any]) -> PasswordSignIn | TokenSignIn:
    """The configured way to sign in.

    Raises:
        UserError: A setting that it needs is missing.
    """
    method = config["auth_method"]
    missing = [name for name in _NEEDED[method] if not config.get(name)]
    if method == "idp" and not (config.get("client_secret") or config.get("username")):
        missing.append("client_secret")
    if method == "idp" and config.get("username") and not config.get("password"):
        missing.append("password")
    if missing:
        raise UserError(f"{', '.join(missing)}: needed for auth_method {method}")
    if config.get("token_url"):
        check_address("token_url", config["token_url"], "https://host/path")
    if method == "basic":
        return PasswordSignIn(config)
    return TokenResource(client, config) if method == "token_resource" else IdentityProvider(client, config)
