"""The doors of the server: where tokens come from, and what every call has to bring along."""

from __future__ import annotations

import secrets
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from tests.sandbox import epicor_kinetic as site
from tests.sandbox.epicor_kinetic.errors import (
    JSON,
    Refusal,
    business,
    forbidden,
    no_license,
    not_found,
    page,
    session_gone,
    unauthorized,
)
from tests.sandbox.epicor_kinetic.identity import basic_pair, integration_user

if TYPE_CHECKING:
    from tests.sandbox.epicor_kinetic.exchange import Exchange
    from tests.sandbox.epicor_kinetic.identity import Identity, User
    from tests.sandbox.epicor_kinetic.switches import Switches

_LICENSES = frozenset(
    {
        site.WEB_SERVICE_LICENSE,
        "00000003-B615-4300-957B-34956697F040",  # Default
        "00000003-231B-4E2B-9B47-13F87EA9A0A3",  # WebServiceShared
    }
)


class Gate:
    """Sign-in, and the checks before a business call."""

    def __init__(self, identity: Identity, switches: Switches) -> None:
        self._identity = identity
        self._switches = switches

    # -- tokens ---------------------------------------------------------------------------------------------

    def token_resource(self, exchange: Exchange) -> Response:
        """`POST /TokenResource.svc/`: XML unless the caller accepts JSON.

        Raises:
            Refusal: 404 while it is switched off, 411 without a length, 401 for wrong credentials.
        """
        if not self._switches.token_resource:
            raise not_found("There is no endpoint listening that could accept the message.")
        if "content-length" not in exchange.headers:
            raise page(411, "Length Required")
        token = self._identity.issue(self._signer(exchange))
        if "json" not in exchange.accept:
            return Response(self._xml(token), headers={"content-type": "application/xml; charset=utf-8"})
        names = ("access_token", "expires_in", "token_type")
        if not self._switches.lower_case_token:
            names = ("AccessToken", "ExpiresIn", "TokenType")
        body: dict[str, object] = {names[0]: token, names[2]: "Bearer"}
        seconds = self._switches.token_life_seconds
        if self._switches.expires_in != "absent":
            body[names[1]] = seconds if self._switches.expires_in == "number" else str(seconds)
        return Response(msgspec.json.encode(body), headers={"content-type": JSON})

    def _signer(self, exchange: Exchange) -> User:
        takes = self._switches.token_resource_takes
        headers = exchange.headers
        if "headers" in takes and "username" in headers:
            return self._identity.check_password(headers["username"], headers.get("password", ""))
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if "basic" in takes and scheme.lower() == "basic":
            return self._identity.check_password(*basic_pair(value))
        form = exchange.form()
        if "form" in takes and form.get("grant_type") == "password":
            return self._identity.check_password(form.get("username", ""), form.get("password", ""))
        raise unauthorized("Invalid username or password.")

    def _xml(self, token: str) -> bytes:
        root = ET.Element("Token")
        ET.SubElement(root, "AccessToken").text = token
        if self._switches.expires_in != "absent":
            ET.SubElement(root, "ExpiresIn").text = str(self._switches.token_life_seconds)
        ET.SubElement(root, "TokenType").text = "Bearer"
        written: bytes = ET.tostring(root, encoding="utf-8")
        return written

    def identity_provider(self, exchange: Exchange) -> Response:
        """`POST /connect/token`: Epicor Identity Provider, client credentials or password."""
        form = exchange.form()
        if (form.get("client_id"), form.get("client_secret")) != (site.IDP_CLIENT_ID, site.IDP_CLIENT_SECRET):
            return _oauth_error("invalid_client")
        if site.IDP_SCOPE not in form.get("scope", "").split():
            return _oauth_error("invalid_scope")
        if form.get("grant_type") == "client_credentials":
            return self._oauth(integration_user())
        if form.get("grant_type") == "password":
            try:
                user = self._identity.check_password(form.get("username", ""), form.get("password", ""))
            except Refusal:
                return _oauth_error("invalid_grant")
            return self._oauth(user)
        return _oauth_error("unsupported_grant_type")

    def entra(self, exchange: Exchange) -> Response:
        """`POST /{tenant}/oauth2/v2.0/token`: client credentials only."""
        form = exchange.form()
        if form.get("grant_type") != "client_credentials":
            return _oauth_error("unsupported_grant_type")
        given = form.get("client_id"), form.get("client_secret")
        if given != (site.ENTRA_CLIENT_ID, site.ENTRA_CLIENT_SECRET):
            return _oauth_error("invalid_client", status=401)
        if form.get("scope") != site.ENTRA_SCOPE:
            return _oauth_error("invalid_scope")
        return self._oauth(integration_user())

    def _oauth(self, user: User) -> Response:
        body = {
            "access_token": self._identity.issue(user),
            "expires_in": self._switches.token_life_seconds,
            "token_type": "Bearer",
        }
        return Response(
            msgspec.json.encode(body), headers={"content-type": JSON, "cache-control": "no-store"}
        )

    # -- calls ----------------------------------------------------------------------------------------------

    def admit(self, exchange: Exchange, epicor: str, service: str) -> None:
        """Let a call pass.

        Raises:
            Refusal: The query string is too long, a credential is missing or wrong, rights, session or licence
                are lacking, or the company does not exist.
        """
        if len(exchange.query) > self._switches.query_limit:
            raise page(
                self._switches.query_limit_status, "The request filtering module denies a query string"
            )
        self._identity.check_key(exchange.headers, exchange.options, service)
        user = self._identity.check_caller(exchange.headers)
        if epicor not in site.COMPANIES:
            raise not_found(f"Company '{epicor}' does not exist.")
        if epicor not in user.companies:
            raise Refusal(
                self._switches.company_refusal,
                "Unauthorized",
                f"User {user.name} does not have access to company {epicor}.",
                "System.UnauthorizedAccessException",
            )
        if service in self._switches.forbidden_services:
            raise forbidden(f"User {user.name} is not allowed to call {service}.")
        self._check_session(exchange)
        self._claim_license(exchange)

    def _check_session(self, exchange: Exchange) -> None:
        text = exchange.headers.get("sessioninfo")
        if text is None:
            return
        if _member(text, "SessionInfo", "SessionID") not in self._identity.sessions:
            raise session_gone()

    def _claim_license(self, exchange: Exchange) -> None:
        if self._switches.license_failures > 0:
            self._switches.license_failures -= 1
            raise no_license(self._switches.license_message)
        text = exchange.headers.get("license")
        if text is not None and _member(text, "License", "ClaimedLicense").upper() not in _LICENSES:
            raise no_license("The claimed license type is not installed.")


def _member(text: str, header: str, name: str) -> str:
    """A member of a header that holds a JSON object; a bare GUID is none."""
    try:
        decoded = msgspec.json.decode(text)
    except msgspec.DecodeError as malformed:
        raise business(f"The header {header} is not valid JSON.") from malformed
    value = decoded.get(name) if isinstance(decoded, dict) else None
    if not isinstance(value, str):
        raise business(f"The header {header} lacks {name}.")
    return value


def _oauth_error(code: str, *, status: int = 400) -> Response:
    return Response(msgspec.json.encode({"error": code}), status, headers={"content-type": JSON})


def new_session(identity: Identity) -> str:
    """A session that `SessionInfo` may name, as `SessionModSvc/Login` would make."""
    session = secrets.token_hex(16)
    guid = "-".join((session[:8], session[8:12], session[12:16], session[16:20], session[20:]))
    identity.sessions.add(guid)
    return guid
