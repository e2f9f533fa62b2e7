"""Sessions: how long they last, which entity they are in, and the cursors of readByQuery that belong to them."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

from tests.sandbox.sage_intacct import COMPANY_ID, USER_ID, USER_PASSWORD, errors

if TYPE_CHECKING:
    from tests.sandbox.sage_intacct.envelope import Login
    from tests.sandbox.sage_intacct.switches import Switches


@dataclasses.dataclass
class Cursor:
    """What is left of a readByQuery: pages that were not sent yet."""

    name: str
    columns: list[Any]
    rows: list[Any]
    position: int
    page_size: int


@dataclasses.dataclass
class Session:
    """An open session.

    Attributes:
        location: Entity that it is in; None at the top level.
        ends_at: When it ends by itself (`Switches.time`); every call moves it on.
    """

    session_id: str
    location: str | None
    ends_at: float
    calls: int = 0
    cursors: dict[str, Cursor] = dataclasses.field(default_factory=dict)


class Sessions:
    """The sessions of the company.

    Attributes:
        opened: How many were opened so far by getAPISession.
        logins: How many requests signed in with a password.
        refused: How many sign-ins were refused.
    """

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._open: dict[str, Session] = {}
        self._failures = 0
        self.opened = 0
        self.logins = 0
        self.refused = 0

    def sign_in(self, login: Login, locations: frozenset[str]) -> Session:
        """A session of the length of one request.

        Raises:
            Refusal: User, company, password or entity are wrong, or the user is locked.
        """
        self.logins += 1
        right = (login.user, login.company, login.password) == (USER_ID, COMPANY_ID, USER_PASSWORD)
        if not right or self._failures >= self._switches.lock_after_failures:
            self._failures += not right
            self.refused += 1
            raise errors.wrong_login()
        if login.location is not None and login.location not in locations:
            self.refused += 1
            raise errors.wrong_login()
        self._failures = 0
        return Session("", login.location, self._later())

    def open(self, location: str | None) -> Session:
        """Open a session."""
        session = Session(secrets.token_urlsafe(30), location, self._later())
        self._open[session.session_id] = session
        self.opened += 1
        return session

    def use(self, session_id: str) -> Session:
        """The open session of an id; asking moves its end on.

        Raises:
            Refusal: It is unknown or over.
        """
        session = self._open.get(session_id)
        most = self._switches.session_dies_after_calls
        if session is None:
            raise errors.invalid_session()
        if self._switches.time() >= session.ends_at or (most is not None and session.calls >= most):
            del self._open[session_id]
            raise errors.invalid_session()
        session.calls += 1
        session.ends_at = self._later()
        return session

    def end_all(self) -> None:
        """End every session, as maintenance does."""
        self._open.clear()

    def __len__(self) -> int:
        """How many sessions are open now."""
        now = self._switches.time()
        return sum(session.ends_at > now for session in self._open.values())

    def _later(self) -> float:
        return self._switches.time() + self._switches.session_life_seconds
