"""When things happen: a queue of future events and the moments of working days."""

from __future__ import annotations

import datetime as dt
import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tests.sandbox.company.model import Company

_MILLISECONDS = (0, 0, 100, 120, 250, 500, 570, 990)  # trailing zeros: formats that drop them get it wrong
_ROUND_PERCENT = 30  # so many of a hundred stamps take one of these
_TIE_PERCENT = 12  # so many of a hundred moments repeat the one before


class Agenda:
    """Plays events in the order of their moments and sets the company's clock to each.

    Args:
        company: Its clock is moved.
        rng: The one source of chance.
        start: When business begins.
        end: Events that would come later never come.
    """

    def __init__(self, company: Company, rng: random.Random, start: dt.datetime, end: dt.datetime) -> None:
        self._company = company
        self._rng = rng
        self.start = start
        self.end = end
        self._queue: list[tuple[dt.datetime, int, Callable[[], object]]] = []
        self._scheduled = 0

    def play(self) -> None:
        """Play everything, including what events schedule meanwhile."""
        while self._queue:
            self._company.clock, _, event = heapq.heappop(self._queue)
            event()

    def at(self, moment: dt.datetime, event: Callable[[], object]) -> None:
        """Schedule an event; of two at the same moment the one scheduled first comes first."""
        if moment <= self.end:
            self._scheduled += 1
            heapq.heappush(self._queue, (moment, self._scheduled, event))

    def after(self, low: float, high: float, event: Callable[[], object], *, at_latest: bool = False) -> None:
        """Schedule an event some days from now, within working hours.

        Args:
            low: At least so many days.
            high: At most so many days.
            event: What happens.
            at_latest: It happens at the end if it would come later.
        """
        day = self._company.clock + dt.timedelta(days=self._rng.uniform(low, high))
        moment = max(self._working_hours(day), self._company.clock)
        self.at(min(moment, self.end) if at_latest else moment, event)

    def recent(self, days: int = 50) -> dt.datetime:
        """A moment of the last days but one."""
        day = self.end - dt.timedelta(days=self._rng.uniform(1.5, days))
        return self._working_hours(day)

    def moments(self, count: int) -> Iterator[dt.datetime]:
        """Moments in ascending order all over the span; some share one stamp."""
        span = self.end - dt.timedelta(days=1) - self.start
        draws = [self._working_hours(self.start + span * self._rng.random()) for _ in range(count)]
        previous = None
        for moment in sorted(draws):
            if previous is None or self._rng.randrange(100) >= _TIE_PERCENT:
                previous = moment
            yield previous

    def _working_hours(self, day: dt.datetime) -> dt.datetime:
        is_round = self._rng.randrange(100) < _ROUND_PERCENT
        milliseconds = self._rng.choice(_MILLISECONDS) if is_round else self._rng.randrange(1000)
        return day.replace(
            hour=self._rng.randint(6, 17),
            minute=self._rng.randrange(60),
            second=self._rng.randrange(60),
            microsecond=milliseconds * 1000,
        )


class Deck:
    """Deals fates in random order but exact proportion, so that a small company has some of each."""

    def __init__(self, rng: random.Random, fates: dict[str, int]) -> None:
        self._rng = rng
        self._fates = [fate for fate, count in fates.items() for _ in range(count)]
        self._left: list[str] = []

    def deal(self) -> str:
        """The next fate."""
        if not self._left:
            self._left = self._rng.sample(self._fates, len(self._fates))
        return self._left.pop()
