"""e.net sessions: one per operator, with no expiry that a client is told."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.syspro.switches import Switches

_INSTANCE = "00"  # the last two digits are the number of the SYSPRO instance
_DIGITS = 32
_BLANKS = "  "
EXPIRED = (
    "ERROR: The supplied UserID is invalid. Either you were not logged in; or your session has expired. "
    "You will need to logon again."
)


@dataclasses.dataclass
class Session:
    """One operator logged on to one company."""

    session_id: str
    operator: str
    company_id: str
    seen_at: float
    calls: int = 0


class Sessions:
    """The sessions that are open.

    Attributes:
        opened: How many were opened so far.
        evicted: How many ended because their operator logged on again.
        peak: The most that were open at once.
        failed: How many logons were refused.
    """

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._open: dict[str, Session] = {}
        self.opened = 0
        self.evicted = 0
        self.peak = 0
        self.failed = 0

    def __len__(self) -> int:
        """How many are open now; each holds a licence seat."""
        self._sweep()
        return len(self._open)

    def log_on(self, operator: str, company_id: str) -> str:
        """Open a session; earlier ones of the operator end.

        Returns:
            Its id as it goes over the wire: 34 hexadecimal digits and two blanks.
        """
        self._sweep()
        for session in list(self._open.values()):
            if session.operator == operator:
                del self._open[session.session_id]
                self.evicted += 1
        session_id = secrets.token_hex(_DIGITS // 2).upper() + _INSTANCE
        self._open[session_id] = Session(session_id, operator, company_id, self._switches.time())
        self.opened += 1
        self.peak = max(self.peak, len(self._open))
        return session_id + _BLANKS

    def use(self, session_id: str) -> Session | None:
        """The open session of an id, with or without its blanks; asking counts as a call."""
        self._sweep()
        session = self._open.get(session_id.rstrip(" "))
        if session is None:
            return None
        limit = self._switches.session_dies_after_calls
        if limit is not None and session.calls >= limit:
            del self._open[session.session_id]
            return None
        session.calls += 1
        session.seen_at = self._switches.time()
        return session

    def log_off(self, session_id: str) -> bool:
        """End a session.

        Returns:
            False when there is none.
        """
        self._sweep()
        return self._open.pop(session_id.rstrip(" "), None) is not None

    def end_all(self) -> None:
        """End every session, as a restart of the service does."""
        self._open.clear()

    def _sweep(self) -> None:
        now = self._switches.time()
        for session in list(self._open.values()):
            if now - session.seen_at >= self._switches.session_idle_seconds:
                del self._open[session.session_id]
