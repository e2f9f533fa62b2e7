"""Quotas per division, and the budget of errors whose end blocks the key."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.sandbox.exact_online.errors import Refusal

if TYPE_CHECKING:
    from tests.sandbox.exact_online.clock import Clock
    from tests.sandbox.exact_online.counters import Counters
    from tests.sandbox.exact_online.switches import Switches

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_BUDGETED = frozenset({400, 401, 403, 404})
TOKEN_ENDPOINT = "oauth2/token"


class Limits:
    """Counts calls and errors by the site's clock. Windows are fixed: minute, hour and UTC day of the clock."""

    def __init__(self, clock: Clock, counters: Counters, switches: Switches) -> None:
        self._clock = clock
        self._counters = counters
        self._switches = switches
        self._lock = threading.Lock()
        self._blocked_until = 0.0

    def spend(self, division: int, endpoint: str) -> None:
        """Count a call.

        Raises:
            Refusal: 429, when there is none left; such a call does not count.
        """
        now = self._clock.now()
        counters, minute, day = self._counters, int(now // _MINUTE), int(now // _DAY)
        with self._lock:
            if counters.calls_by_day[division, day] >= self._switches.day_limit:
                counters.refused_by_day += 1
                raise self._refused(self._day_headers(division, now))
            if counters.calls_by_minute[division, minute] >= self._switches.minute_limit:
                counters.refused_by_minute += 1
                raise self._refused(self._minute_headers(division, now))
            counters.calls[division] += 1
            counters.calls_by_minute[division, minute] += 1
            counters.calls_by_day[division, day] += 1
            counters.calls_by_endpoint[division, endpoint] += 1

    def headers(self, division: int) -> dict[str, str]:
        """The six headers that tell what is left."""
        now = self._clock.now()
        with self._lock:
            return {**self._day_headers(division, now), **self._minute_headers(division, now)}

    def check_key(self) -> None:
        """Whether the key may call at all.

        Raises:
            Refusal: It is blocked.
        """
        if self._clock.now() < self._blocked_until:
            self._counters.refused_while_blocked += 1
            raise Refusal(self._switches.blocked_status, "Forbidden", {"Reason": "BlockedUser"})

    def note(self, division: int, endpoint: str, status: int) -> None:
        """Count an answer that was an error; one too many blocks the key, longer each time."""
        now = self._clock.now()
        if status not in _BUDGETED or now < self._blocked_until:
            return
        with self._lock:
            place = (division, endpoint, int(now // _HOUR))
            self._counters.errors[place] += 1
            if self._counters.errors[place] > self._switches.error_budget:
                self._counters.blocked += 1
                self._blocked_until = now + self._switches.block_seconds * 2 ** (self._counters.blocked - 1)

    def _refused(self, headers: dict[str, str]) -> Refusal:
        if self._switches.bare_429:
            return Refusal(429)
        return Refusal(429, "Too many requests", headers)

    def _day_headers(self, division: int, now: float) -> dict[str, str]:
        day, limit = int(now // _DAY), self._switches.day_limit
        left = max(limit - self._counters.calls_by_day[division, day], 0)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str((day + 1) * _DAY * 1000),
        }

    def _minute_headers(self, division: int, now: float) -> dict[str, str]:
        minute, limit = int(now // _MINUTE), self._switches.minute_limit
        left = max(limit - self._counters.calls_by_minute[division, minute], 0)
        return {
            "X-RateLimit-Minutely-Limit": str(limit),
            "X-RateLimit-Minutely-Remaining": str(left),
            "X-RateLimit-Minutely-Reset": str((minute + 1) * _MINUTE * 1000),
        }
