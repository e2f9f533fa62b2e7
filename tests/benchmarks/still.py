"""A clock that stands still, so that a recorded token is as young as it was and nobody waits for a quota."""

from __future__ import annotations

from typing_extensions import override

from tap_exact_online.clock import Clock


class StillClock(Clock):
    """It is always the same time.

    Args:
        now: Which, in seconds since 1970.
    """

    def __init__(self, now: float) -> None:
        self._now = now

    @override
    def now(self) -> float:
        return self._now

    @override
    def monotonic(self) -> float:
        return 0.0

    @override
    def sleep(self, seconds: float) -> None:
        """Do not wait."""
