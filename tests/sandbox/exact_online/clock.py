"""The site's own clock: tokens, quotas and retention go by it, the records by the company's."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from tests.sandbox.company.world import World
    from tests.sandbox.exact_online.switches import Switches

ZONE = ZoneInfo("Europe/Amsterdam")  # in which every stamp is written, as if it were UTC
EPOCH = dt.datetime(1970, 1, 1)


class Clock:
    """The company's clock or real time, moved on by a test as far as it likes.

    Args:
        world: Whose company's clock it is.
        switches: Which of the two is meant.
    """

    def __init__(self, world: World, switches: Switches) -> None:
        self._world = world
        self._switches = switches
        self._offset = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since 1970, for tokens and quotas."""
        if self._switches.clock == "real":
            return time.time() + self._offset
        return self.company_now().timestamp()

    def company_now(self) -> dt.datetime:
        """What time it is in the records: aware, UTC."""
        return self._world.company.clock + dt.timedelta(seconds=self._offset)

    def advance(self, seconds: float) -> float:
        """Move both on and return what time it is then; the company does not notice.

        Raises:
            ValueError: Time does not run backwards.
        """
        if seconds < 0:
            raise ValueError(f"the clock cannot be advanced by {seconds} seconds")
        with self._lock:
            self._offset += seconds
        return self.now()


def wall(moment: dt.datetime) -> dt.datetime:
    """An aware time as the wall clock in the Netherlands shows it, in milliseconds and without a zone."""
    local = moment.astimezone(ZONE).replace(tzinfo=None)
    return local.replace(microsecond=local.microsecond // 1000 * 1000)


def midnight(date: dt.date) -> dt.datetime:
    """A day as the API writes it: midnight of the wall clock."""
    return dt.datetime(date.year, date.month, date.day)


def milliseconds(moment: dt.datetime) -> int:
    """A wall clock time as milliseconds since 1970, as if it were UTC."""
    return (moment - EPOCH) // dt.timedelta(milliseconds=1)
