"""The licence's seats: which sessions are open, who holds them, and when they end by themselves."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from typing import TYPE_CHECKING, Literal

from tests.sandbox.acumatica.errors import no_seat

if TYPE_CHECKING:
    from tests.sandbox.acumatica.switches import Switches


@dataclasses.dataclass(kw_only=True)
class Session:
    """One seat taken.

    Attributes:
        handle: What a request shows to belong to it: a grant for bearers, a cookie for logins.
        session_id: Seeds the `id` of detail rows, which last no longer than a session.
        ends_at: When a bearer's session ends by itself (`Switches.time`); None: by idleness.
        seen_at: Last request.
        forbidden_forms: Rights as they were when the session was opened; None: looked up anew each time.
        cookies: What has to come back with every request, in full.
    """

    handle: str
    kind: Literal["bearer", "cookie"]
    tenant: str
    user: str
    locale: str
    branch: str | None
    ends_at: float | None
    seen_at: float
    forbidden_forms: frozenset[str] | None = None
    cookies: dict[str, str] = dataclasses.field(default_factory=dict)
    session_id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    calls: int = 0


class Seats:
    """The table of open sessions.

    Attributes:
        opened: How many sessions were opened so far.
        refused: How many callers were turned away.
        peak: The most that were open at once.
    """

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._open: dict[str, Session] = {}
        self.opened = 0
        self.refused = 0
        self.peak = 0

    def __len__(self) -> int:
        """How many seats are taken now."""
        self._sweep()
        return len(self._open)

    def list(self) -> list[Session]:
        """The open sessions."""
        self._sweep()
        return list(self._open.values())

    def find(self, handle: str) -> Session | None:
        """The open session of a handle; asking counts as use."""
        self._sweep()
        session = self._open.get(handle)
        if session is not None:
            session.seen_at = self._switches.time()
        return session

    def take(self, session: Session) -> Session:
        """Open a session.

        Raises:
            Refusal: All seats are taken.
        """
        self._sweep()
        if len(self._open) >= self._switches.seat_limit:
            self.refused += 1
            raise no_seat(self._switches.seat_answer)
        self._open[session.handle] = session
        self.opened += 1
        self.peak = max(self.peak, len(self._open))
        return session

    def leave(self, handle: str) -> None:
        """End a session; ending none is no error."""
        self._open.pop(handle, None)

    def end_all(self) -> None:
        """End every session, as a recycled site does."""
        self._open.clear()

    def _sweep(self) -> None:
        now = self._switches.time()
        idle = self._switches.cookie_idle_seconds
        for session in list(self._open.values()):
            ends_at = session.seen_at + idle if session.ends_at is None else session.ends_at
            if now >= ends_at:
                del self._open[session.handle]


def new_cookies(tenant: str, locale: str, branch: str | None) -> dict[str, str]:
    """The cookies that a login sets; a request has to bring all of them."""
    return {
        "ASP.NET_SessionId": secrets.token_hex(12),
        ".ASPXAUTH": secrets.token_hex(48),
        "UserBranch": branch or "16",
        "Locale": f"Culture={locale}",
        "CompanyID": tenant,
    }
