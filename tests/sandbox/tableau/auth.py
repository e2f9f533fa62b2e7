"""Sign-in, and the sessions it makes.

A personal access token has one session at a time: signing in with it again ends the earlier session, whose
next call is told 401002. Sessions live in memory, so a restart of the server ends them all.
"""

from __future__ import annotations

import dataclasses
import hmac
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.sandbox import tableau
from tests.sandbox.tableau.errors import TableauError, bad_request, forbidden, not_found
from tests.sandbox.tableau.jwt import BadJwtError, Claims, read_jwt
from tests.sandbox.tableau.wire import child_of, element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from tests.sandbox.tableau.model import User
    from tests.sandbox.tableau.state import State
    from tests.sandbox.tableau.switches import Switches

TOKENS = {
    tableau.TOKEN_NAME: (tableau.TOKEN_VALUE, tableau.USERNAME),
    tableau.SECOND_TOKEN_NAME: (tableau.SECOND_TOKEN_VALUE, tableau.USERNAME),
    tableau.VIEWER_TOKEN_NAME: (tableau.VIEWER_TOKEN_VALUE, tableau.VIEWER_USERNAME),
    tableau.ADMIN_TOKEN_NAME: (tableau.ADMIN_TOKEN_VALUE, tableau.ADMIN_USERNAME),
}
"""Personal access token name → (secret, user name)."""


@dataclasses.dataclass
class Session:
    """One signed-in client; `scopes` is None unless a connected app signed it in."""

    token: str
    user: User
    source: str
    last_used: datetime
    scopes: frozenset[str] | None = None
    calls: int = 0
    stillborn: bool = False


def _refused(detail: str = "Error signing in to Tableau Server") -> TableauError:
    return TableauError("401001", "Signin Error", detail)


class Sessions:
    """Who is signed in."""

    def __init__(self, state: State, switches: Switches) -> None:
        self._state = state
        self._switches = switches
        self._sessions: dict[str, Session] = {}
        self._used_jwts: set[str] = set()
        self.tokens = dict(TOKENS)
        """Personal access tokens of this server; a test may add some."""

    @property
    def open(self) -> list[Session]:
        """Sessions that were neither signed out nor superseded."""
        return list(self._sessions.values())

    def end_all(self) -> None:
        """End every session, as a restart of the server does."""
        self._sessions.clear()

    def sign_in(self, request: ET.Element) -> ET.Element:
        """Answer a `<tsRequest><credentials>` with the `<credentials>` of a new session.

        Raises:
            TableauError: 400000 for a body without or with two kinds of credentials; 401001 when they are
                wrong or the site is; 404002 for an unknown user to impersonate.
        """
        credentials = child_of(request, "credentials")
        site = credentials.find("site")
        content_url = "" if site is None else site.get("contentUrl", "")
        kinds = [a for a in ("personalAccessTokenName", "name", "jwt") if credentials.get(a) is not None]
        if len(kinds) != 1:
            raise bad_request("Sign-in needs exactly one of a token, a user name and a JWT")
        user, source, scopes = self._check(kinds[0], credentials)
        if content_url != tableau.SITE:
            raise _refused()
        user = self._impersonated(user, credentials.find("user"))
        session = self._start(user, source, scopes)
        days = self._switches.pat_days_left
        return element(
            "credentials",
            element("site", id=self._state.index.site, contentUrl=tableau.SITE),
            element("user", id=user.id),
            token=session.token,
            estimatedTimeToExpiration=f"{days}:23:59",
        )

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(token, None)

    def require(self, token: str | None) -> Session:
        """The session that a token stands for; counts the call.

        Raises:
            TableauError: 401000 without a token, 401002 when it is unknown, superseded or expired.
        """
        if not token:
            raise TableauError(
                "401000", "Unauthorized Access", "No authentication credentials were provided."
            )
        session = self._sessions.get(token)
        if session is None or not self._alive(session):
            self._sessions.pop(token, None)
            raise TableauError(
                "401002", "Unauthorized Access", "Invalid authentication credentials were provided."
            )
        session.calls += 1
        session.last_used = self._switches.clock()
        return session

    def _alive(self, session: Session) -> bool:
        limit = self._switches.expire_after_calls
        if session.stillborn or (limit is not None and session.calls >= limit):
            return False
        idle = self._switches.clock() - session.last_used
        return idle <= timedelta(minutes=self._switches.idle_minutes)

    def _start(self, user: User, source: str, scopes: frozenset[str] | None) -> Session:
        if source.startswith("pat:"):
            for token in [t for t, held in self._sessions.items() if held.source == source]:
                del self._sessions[token]
        token = f"{secrets.token_urlsafe(16)}|{secrets.token_urlsafe(24)}|{self._state.index.site}"
        session = Session(token, user, source, self._switches.clock(), scopes)
        if self._switches.stillborn_sessions > 0:
            self._switches.stillborn_sessions -= 1
            session.stillborn = True
        self._sessions[token] = session
        return session

    def _check(self, kind: str, credentials: ET.Element) -> tuple[User, str, frozenset[str] | None]:
        if kind == "jwt":
            claims = self._claims(credentials.get("jwt", ""))
            return self._named(claims.subject), f"jwt:{claims.identifier}", claims.scopes
        if kind == "name":
            user = self._named(credentials.get("name", ""))
            if not self._switches.password_sign_in:
                raise _refused()
            _compare(user.password, credentials.get("password", ""))
            return user, f"password:{secrets.token_hex(4)}", None
        name = credentials.get("personalAccessTokenName", "")
        secret, owner = self.tokens.get(name, ("", ""))
        _compare(secret, credentials.get("personalAccessTokenSecret", ""))
        if self._switches.pat_days_left <= 0:
            raise _refused("The personal access token you provided is invalid.")
        return self._named(owner), f"pat:{name}", None

    def _claims(self, token: str) -> Claims:
        try:
            claims = read_jwt(token, self._switches.clock())
        except BadJwtError as wrong:
            raise _refused(
                f"Error signing in to Tableau Server (errorCode={wrong.number}: {wrong})"
            ) from wrong
        if claims.identifier in self._used_jwts:
            raise _refused("Error signing in to Tableau Server (errorCode=16: the JWT was used before)")
        self._used_jwts.add(claims.identifier)
        return claims

    def _named(self, name: str) -> User:
        try:
            return self._state.user(name)
        except KeyError:
            raise _refused() from None

    def _impersonated(self, user: User, wanted: ET.Element | None) -> User:
        identifier = None if wanted is None else wanted.get("id")
        if not identifier:
            return user
        if not user.is_admin:
            raise forbidden("Only an administrator may impersonate another user.")
        found = self._state.index.users.get(identifier)
        if found is None:
            raise not_found(f"User '{identifier}' could not be found.", "404002")
        return found


def _compare(secret: str, given: str) -> None:
    if not secret or not hmac.compare_digest(secret.encode(), given.encode()):
        raise _refused()
