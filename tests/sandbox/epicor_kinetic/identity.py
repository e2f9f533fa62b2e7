"""Users, API keys, access tokens and sessions."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import secrets
from typing import TYPE_CHECKING

from tests.sandbox import epicor_kinetic as site
from tests.sandbox.epicor_kinetic.errors import Refusal, forbidden, unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.epicor_kinetic.switches import Switches


@dataclasses.dataclass(frozen=True)
class User:
    """Somebody who may call."""

    name: str
    companies: frozenset[str]


@dataclasses.dataclass
class _Token:
    user: User
    ends_at: float
    calls: int = 0


_EVERYWHERE = frozenset(site.COMPANIES)
_USERS = {
    (site.USER_NAME, site.PASSWORD): User(site.USER_NAME, _EVERYWHERE),
    (site.LIMITED_USER_NAME, site.LIMITED_PASSWORD): User(site.LIMITED_USER_NAME, frozenset({site.COMPANY})),
}
_INTEGRATION = User("integration", _EVERYWHERE)


class Identity:
    """Checks who is calling.

    Attributes:
        issued: Tokens given out so far, over all ways of getting one.
        keys_in_urls: Calls that carried their API key in the address, where logs keep it.
        sessions: Sessions that `SessionInfo` may name.
    """

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._tokens: dict[str, _Token] = {}
        self.issued = 0
        self.keys_in_urls = 0
        self.sessions: set[str] = set()

    def expire_tokens(self) -> None:
        """Let every token given out so far be worthless, as after a restart of the server."""
        self._tokens.clear()

    def issue(self, user: User) -> str:
        """A new access token."""
        self.issued += 1
        token = secrets.token_urlsafe(32)
        self._tokens[token] = _Token(user, self._switches.time() + self._switches.token_life_seconds)
        return token

    def check_password(self, name: str, password: str) -> User:
        """The user.

        Raises:
            Refusal: 401.
        """
        user = _USERS.get((name, password))
        if user is None:
            raise unauthorized("Invalid username or password.")
        return user

    def check_key(self, headers: Mapping[str, str], options: Mapping[str, str], service: str) -> None:
        """Let an API key pass.

        Raises:
            Refusal: The key is missing, wrong or expired, or its scope leaves the service out (403).
        """
        if "api-key" in options:
            self.keys_in_urls += 1
        key = headers.get("x-api-key") or options.get("api-key")
        if not key:
            if not self._switches.api_key_required:
                return
            raise self._key_refusal("API key is missing.")
        if key == site.EXPIRED_API_KEY:
            raise self._key_refusal("Invalid API key: it has expired.")
        if key == site.SCOPED_API_KEY:
            if service not in site.SCOPED_SERVICES:
                raise forbidden(f"Access to {service} is denied: it is not in the access scope.")
            return
        if key != site.API_KEY:
            raise self._key_refusal("Invalid API key.")

    def check_caller(self, headers: Mapping[str, str]) -> User:
        """The user behind `Authorization`.

        Raises:
            Refusal: 401.
        """
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic" and self._switches.basic:
            return self.check_password(*basic_pair(value))
        if scheme.lower() == "bearer":
            return self._bearer(value.strip())
        raise unauthorized("Authorization has been denied for this request.")

    def _bearer(self, value: str) -> User:
        token = self._tokens.get(value)
        most = self._switches.token_dies_after_calls
        if (
            token is None
            or self._switches.time() >= token.ends_at
            or (most is not None and token.calls >= most)
        ):
            raise unauthorized("Invalid token: it is unknown or has expired.")
        token.calls += 1
        return token.user

    def _key_refusal(self, message: str) -> Refusal:
        return Refusal(
            self._switches.key_refusal, "REST API Exception", message, "System.UnauthorizedAccessException"
        )


def integration_user() -> User:
    """The user whom client credentials stand for."""
    return _INTEGRATION


def basic_pair(value: str) -> tuple[str, str]:
    """User and password of a Basic header.

    Raises:
        Refusal: 401, it cannot be read.
    """
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as malformed:
        raise unauthorized("The Authorization header cannot be read.") from malformed
    if not colon:
        raise unauthorized("The Authorization header cannot be read.")
    return name, password
