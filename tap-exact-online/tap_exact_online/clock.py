"""What time it is, and waiting. In one place, so that tests need not wait."""

from __future__ import annotations

import random
import time


class Clock:
    """The clock of this machine."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """Up to a second, so that several readers do not come at the same moment."""
        return random.random()  # noqa: S311 - spreads load, guards nothing
