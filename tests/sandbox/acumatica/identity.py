"""The identity server: users, the connected application, access tokens and rotating refresh tokens."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from typing import TYPE_CHECKING

from tests.sandbox.acumatica import (
    CLIENT_ID,
    CLIENT_SECRET,
    LIMITED_PASSWORD,
    LIMITED_USER_FORBIDDEN_FORMS,
    LIMITED_USER_NAME,
    PASSWORD,
    TENANTS,
    USER_NAME,
)
from tests.sandbox.acumatica.errors import Refusal, json_refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.acumatica.switches import Switches

CONCURRENT = "api:concurrent_access"
_SCOPES = frozenset({"api", CONCURRENT, "offline_access", "openid", "profile", "email"})


@dataclasses.dataclass
class User:
    """Somebody who may sign in to every tenant."""

    name: str
    password: str
    forbidden_forms: frozenset[str] = frozenset()
    failures: int = 0


@dataclasses.dataclass(frozen=True)
class Grant:
    """One consent: the server-side session of a scope `api` belongs to it and survives refreshes."""

    grant_id: str
    tenant: str
    user: str
    scope: str
    given_at: float

    @property
    def is_concurrent(self) -> bool:
        """Whether every cookie jar under this grant is a session, and a seat, of its own."""
        return CONCURRENT in self.scope.split()


@dataclasses.dataclass
class AccessToken:
    """A bearer; `calls` counts its use."""

    grant: Grant
    ends_at: float
    calls: int = 0
    revoked: bool = False


class Identity:
    """Who may do what, and the tokens that prove it."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self.users = {
            USER_NAME: User(USER_NAME, PASSWORD),
            LIMITED_USER_NAME: User(LIMITED_USER_NAME, LIMITED_PASSWORD, LIMITED_USER_FORBIDDEN_FORMS),
        }
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, Grant] = {}

    def check_password(self, name: str, password: str) -> User | None:
        """The user, or None: wrong name, wrong password, or locked by too many wrong ones."""
        user = self.users.get(name)
        if user is None or user.failures >= self._switches.lock_after_failures:
            return None
        if not secrets.compare_digest(user.password.encode(), password.encode()):
            user.failures += 1
            return None
        user.failures = 0
        return user

    def answer(self, form: Mapping[str, str]) -> dict[str, object]:
        """Answer a token request.

        Raises:
            Refusal: 400 with an OAuth error code.
        """
        tenant = self._tenant_of_client(form)
        kind = form.get("grant_type")
        if kind == "password":
            return self._by_password(form, tenant)
        if kind == "refresh_token":
            return self._by_refresh(form, tenant)
        if kind == "client_credentials":
            raise _oauth_error("unauthorized_client")
        raise _oauth_error("unsupported_grant_type" if kind else "invalid_request")

    def bearer(self, token: str) -> AccessToken | None:
        """The access token, counted as used once more; None when it is unknown, expired or revoked."""
        access = self._access.get(token)
        if access is None or access.revoked or self._switches.time() >= access.ends_at:
            return None
        limit = self._switches.token_dies_after_calls
        if limit is not None and access.calls >= limit:
            return None
        access.calls += 1
        return access

    def revoke(self, token: str) -> None:
        """Refuse a token from now on. The seat of its session stays taken."""
        if token in self._access:
            self._access[token].revoked = True
        self._refresh.pop(token, None)

    def expire_tokens(self) -> None:
        """Let every access token given so far expire at once."""
        for access in self._access.values():
            access.ends_at = self._switches.time()

    def end_chains(self) -> None:
        """Let every refresh token given so far die: an administrator must authorise again."""
        self._refresh.clear()

    def authorise(self, tenant: str, user: str = USER_NAME) -> str:
        """A first refresh token, as the authorisation-code flow in a browser would bring it."""
        grant = self._new_grant(tenant, user, "api offline_access")
        return self._new_refresh_token(grant)

    def _tenant_of_client(self, form: Mapping[str, str]) -> str:
        client, at, tenant = form.get("client_id", "").partition("@")
        known = client == CLIENT_ID.partition("@")[0]
        if not at or not known or tenant not in TENANTS:
            raise _oauth_error("invalid_client")
        if form.get("client_secret") != CLIENT_SECRET:
            raise _oauth_error("invalid_client")
        return tenant

    def _by_password(self, form: Mapping[str, str], tenant: str) -> dict[str, object]:
        scope = form.get("scope", "")
        asked = set(scope.split())
        if not asked & {"api", CONCURRENT} or not asked <= _SCOPES:
            raise _oauth_error("invalid_scope")
        user = self.check_password(form.get("username", ""), form.get("password", ""))
        if user is None:
            raise _oauth_error("invalid_grant")
        return self._tokens(self._new_grant(tenant, user.name, scope))

    def _by_refresh(self, form: Mapping[str, str], tenant: str) -> dict[str, object]:
        token = form.get("refresh_token", "")
        grant = self._refresh.get(token)
        if grant is None or grant.tenant != tenant:
            raise _oauth_error("invalid_grant")
        if self._switches.time() >= grant.given_at + self._switches.refresh_chain_seconds:
            del self._refresh[token]
            raise _oauth_error("invalid_grant")
        if self._switches.refresh_rotates:
            del self._refresh[token]
            return self._tokens(grant)
        return self._tokens(grant, keep=token)

    def _new_grant(self, tenant: str, user: str, scope: str) -> Grant:
        return Grant(uuid.uuid4().hex, tenant, user, scope, self._switches.time())

    def _new_refresh_token(self, grant: Grant) -> str:
        token = secrets.token_hex(32)
        self._refresh[token] = grant
        return token

    def _tokens(self, grant: Grant, keep: str | None = None) -> dict[str, object]:
        life = self._switches.token_life_seconds
        token = secrets.token_hex(32)
        self._access[token] = AccessToken(grant, self._switches.time() + life)
        answer: dict[str, object] = {
            "access_token": token,
            "expires_in": life,
            "token_type": "Bearer",
            "scope": grant.scope,
        }
        if "offline_access" in grant.scope.split():
            answer["refresh_token"] = keep or self._new_refresh_token(grant)
        return answer


def _oauth_error(code: str) -> Refusal:
    return json_refusal(400, error=code)
