"""The door of the site: who is calling, in which session, and whether there is a seat for it."""

from __future__ import annotations

import base64
import binascii
import collections
import secrets
from typing import TYPE_CHECKING

from starlette.responses import Response

from tests.sandbox.acumatica import INSTANCE, TENANT, TENANTS
from tests.sandbox.acumatica.errors import (
    Refusal,
    bad_request,
    declined,
    failure,
    json_refusal,
    length_required,
    not_signed_in,
    undefined_tenant,
)
from tests.sandbox.acumatica.exchange import Exchange, json_answer
from tests.sandbox.acumatica.seats import Session, new_cookies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.acumatica.identity import AccessToken, Identity
    from tests.sandbox.acumatica.seats import Seats
    from tests.sandbox.acumatica.switches import Switches

_SESSION_COOKIE = "ASP.NET_SessionId"


class Gate:
    """Sign-in, sign-out, and the session that a request belongs to."""

    def __init__(self, identity: Identity, seats: Seats, switches: Switches) -> None:
        self._identity = identity
        self._seats = seats
        self._switches = switches
        self._recent: collections.deque[float] = collections.deque()

    # -- endpoints ------------------------------------------------------------------------------------------

    def token(self, exchange: Exchange) -> Response:
        """`POST /identity/connect/token`, form-encoded only.

        Raises:
            Refusal: 400 with an OAuth error.
        """
        if exchange.media_type != "application/x-www-form-urlencoded":
            raise json_refusal(400, error="invalid_request")
        answer = json_answer(self._identity.answer(exchange.form()))
        answer.headers["cache-control"] = "no-store"
        return answer

    def revoke(self, exchange: Exchange) -> Response:
        """`POST /identity/connect/revocation`: the token dies, its seat stays taken."""
        self._identity.revoke(exchange.form().get("token", ""))
        return Response(status_code=200)

    def discovery(self, exchange: Exchange) -> Response:
        """`GET /identity/.well-known/openid-configuration`."""
        issuer = f"{exchange.base_url}/{INSTANCE}/identity"
        return json_answer(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/connect/authorize",
                "token_endpoint": f"{issuer}/connect/token",
                "revocation_endpoint": f"{issuer}/connect/revocation",
                "userinfo_endpoint": f"{issuer}/connect/userinfo",
                "grant_types_supported": ["authorization_code", "implicit", "password", "refresh_token"],
                "scopes_supported": ["openid", "profile", "email", "api", "offline_access"],
                "code_challenge_methods_supported": ["plain", "S256"],
            }
        )

    def login(self, exchange: Exchange) -> Response:
        """`POST /entity/auth/login`, JSON or form: 204 and the cookies of a new session.

        Raises:
            Refusal: 400 for a bad body, 500 for wrong credentials or tenant, 429 or 500 without a seat.
        """
        fields = _login_fields(exchange)
        if not fields.get("name") or not fields.get("password"):
            raise bad_request("The request is invalid.")
        tenant = self._tenant(fields.get("tenant") or fields.get("company"))
        user = self._identity.check_password(fields["name"], fields["password"])
        if user is None:
            raise failure("Invalid credentials. Please try again.")
        locale = fields.get("locale") or self._switches.user_locale
        branch = fields.get("branch") or None
        cookies = new_cookies(tenant, locale, branch)
        self._seats.take(
            Session(
                handle=cookies[_SESSION_COOKIE],
                kind="cookie",
                tenant=tenant,
                user=user.name,
                locale=locale,
                branch=branch,
                ends_at=None,
                seen_at=self._switches.time(),
                forbidden_forms=self._rights_of(user.name),
                cookies=cookies,
            )
        )
        exchange.set_cookies.extend(f"{name}={value}; path=/; HttpOnly" for name, value in cookies.items())
        return Response(status_code=204)

    def logout(self, exchange: Exchange) -> Response:
        """`POST /entity/auth/logout`: 204, and the seat is free.

        Raises:
            Refusal: 411 without Content-Length, 401 for a token that is not valid.
        """
        if "content-length" not in exchange.headers:
            raise length_required()
        bearer = _bearer(exchange)
        if bearer is not None:
            access = self._access(bearer)
            handle = _concurrent_handle(exchange) if access.grant.is_concurrent else access.grant.grant_id
            self._seats.leave(handle)
        else:
            self._seats.leave(exchange.cookies.get(_SESSION_COOKIE, ""))
        return Response(status_code=204)

    # -- requests -------------------------------------------------------------------------------------------

    def admit(self, exchange: Exchange) -> Session:
        """The session of an API call; a bearer's first call opens it.

        Raises:
            Refusal: 401, 429, or 500 `API Login Limit`.
        """
        self._meter()
        bearer = _bearer(exchange)
        session = self._of_cookies(exchange) if bearer is None else self._of_bearer(exchange, bearer)
        session.calls += 1
        return session

    def admit_if_signed_in(self, exchange: Exchange) -> Session | None:
        """Like `admit`, but a request that shows nothing is nobody's.

        Raises:
            Refusal: What was shown is not valid.
        """
        if _bearer(exchange) is None and _SESSION_COOKIE not in exchange.cookies:
            return None
        return self.admit(exchange)

    def admit_odata(self, exchange: Exchange, tenant: str) -> Session:
        """The session of an OData call: as for the contract API, or HTTP Basic.

        Basic opens a session for this one call, as an ordinary user: it takes no API seat.

        Raises:
            Refusal: 401 for missing or foreign credentials, 500 for an unknown tenant.
        """
        scheme, _, value = exchange.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            self._meter()
            return self._of_basic(value, tenant)
        session = self.admit(exchange)
        if self._tenant(tenant) != session.tenant:
            raise not_signed_in()
        return session

    def forbidden_forms(self, session: Session) -> frozenset[str]:
        """The forms that a session may not open; a cookie session keeps the rights it began with."""
        if session.forbidden_forms is not None:
            return session.forbidden_forms
        return self._rights_of(session.user)

    def known_tenant(self, tenant: str | None) -> str:
        """The tenant that a request without a session means.

        Raises:
            Refusal: 500, PXUndefinedCompanyException.
        """
        return self._tenant(tenant)

    # -- inside ---------------------------------------------------------------------------------------------

    def _meter(self) -> None:
        limit = self._switches.calls_per_second
        if limit is None:
            return
        now = self._switches.time()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= limit:
            raise declined()
        self._recent.append(now)

    def _tenant(self, name: str | None) -> str:
        if not self._switches.multi_tenant:
            return TENANT
        if not name and not self._switches.tenant_required:
            return TENANT
        if name not in TENANTS:
            raise undefined_tenant()
        return name

    def _rights_of(self, user: str) -> frozenset[str]:
        return self._switches.forbidden_forms | self._identity.users[user].forbidden_forms

    def _access(self, bearer: str) -> AccessToken:
        access = self._identity.bearer(bearer)
        if access is None:
            raise not_signed_in()
        return access

    def _of_bearer(self, exchange: Exchange, bearer: str) -> Session:
        access = self._access(bearer)
        grant = access.grant
        handle = _concurrent_handle(exchange) if grant.is_concurrent else grant.grant_id
        session = self._seats.find(handle) if handle else None
        if session is not None:
            # after a refresh the same session goes on, for as long as the newest token lives
            session.ends_at = max(session.ends_at or 0, access.ends_at)
            return session
        if grant.is_concurrent:
            handle = secrets.token_hex(12)
            exchange.set_cookies.append(f"{_SESSION_COOKIE}={handle}; path=/; HttpOnly")
        return self._seats.take(
            Session(
                handle=handle,
                kind="bearer",
                tenant=grant.tenant,
                user=grant.user,
                locale=self._switches.user_locale,
                branch=None,
                ends_at=access.ends_at,
                seen_at=self._switches.time(),
            )
        )

    def _of_cookies(self, exchange: Exchange) -> Session:
        handle = exchange.cookies.get(_SESSION_COOKIE)
        session = self._seats.find(handle) if handle else None
        if session is None or session.kind != "cookie" or not _complete(session.cookies, exchange.cookies):
            raise not_signed_in()
        return session

    def _of_basic(self, value: str, tenant: str) -> Session:
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as malformed:
            raise not_signed_in() from malformed
        user_name, _, user_tenant = name.partition("@")
        if user_tenant and user_tenant != tenant:
            raise not_signed_in()
        user = self._identity.check_password(user_name, password)
        if user is None:
            raise not_signed_in()
        return Session(
            handle=secrets.token_hex(12),
            kind="cookie",
            tenant=self._tenant(tenant),
            user=user.name,
            locale=self._switches.user_locale,
            branch=None,
            ends_at=None,
            seen_at=self._switches.time(),
        )


def _login_fields(exchange: Exchange) -> dict[str, str]:
    if exchange.media_type == "application/x-www-form-urlencoded":
        return exchange.form()
    if exchange.media_type != "application/json":
        raise Refusal(415, b'{"message":"The request entity\'s media type is not supported."}')
    decoded = exchange.json_object()
    return {name: value for name, value in decoded.items() if isinstance(value, str)}


def _bearer(exchange: Exchange) -> str | None:
    scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _concurrent_handle(exchange: Exchange) -> str:
    return exchange.cookies.get(_SESSION_COOKIE, "")


def _complete(expected: Mapping[str, str], brought: Mapping[str, str]) -> bool:
    return all(brought.get(name) == value for name, value in expected.items())
