"""How a table is read again: what is asked for, and what is remembered for the next time.

SYSPRO has no date of the last change. Masters are read whole; ledgers from some months before their bookmark on,
because three periods stay open; invoices and orders while they are open or recent. What is remembered is kept per
company.
"""

from __future__ import annotations

import abc
import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_syspro.conditions import Condition, Term, any_of
from tap_syspro.streams.columns import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_syspro.service import Row

Memory = dict[str, Any]
"""What a stream remembers of a company, as it stands in the state."""

_DAY: Final = dt.timedelta(days=1)
_DAYS_OF_PERIOD: Final = 30
_LAST_PERIOD: Final = 12
_MOST_KEYS: Final = 5_000


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a strategy must know of the run.

    Attributes:
        today: The day of the run, on the server's clock.
        start: The first day that is wanted; None for all.
        end: The last day that is wanted; None for all.
        lookback: How many days before its bookmark a ledger is read again.
        full_refresh_days: After how many days documents are read whole again; 0 for never.
        history_years: How many years of balances are read; 0 for all.
        safety: How far below its bookmark a row version is emitted again.
        asks_for_null: Whether the service can be asked for null.
    """

    today: dt.date
    start: dt.date | None
    end: dt.date | None
    lookback: int
    full_refresh_days: int
    history_years: int
    safety: int
    asks_for_null: bool


@dataclasses.dataclass
class Strategy:
    """Reads the whole table every time.

    Attributes:
        keeps_history: Whether rows that are gone from the ERP stay true; then no ACTIVATE_VERSION is sent.
    """

    keeps_history = False

    @property
    def column(self) -> str:
        """The column that the bookmark is about, by the ERP's name; empty for none."""
        return ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are needed besides those that are wanted."""
        return ()

    def is_full(self, memory: Memory, facts: Facts) -> bool:  # noqa: ARG002 - for those that differ
        """Whether this run reads everything."""
        return True

    def where(self, memory: Memory, facts: Facts) -> tuple[Condition, ...]:  # noqa: ARG002 - for those that differ
        """What to ask the service for."""
        return ()

    def keep(self, memory: Memory, facts: Facts) -> Callable[[Row], bool] | None:  # noqa: ARG002 - for those that differ
        """Which of the rows that come are emitted; None for all."""
        return None

    def note(self, noted: Memory, rows: Sequence[Row], facts: Facts) -> None:
        """Note what must be known at the end, page by page. It can stand in the state."""

    def finish(self, memory: Memory, noted: Memory, facts: Facts) -> None:
        """Remember what the next run must know; called when everything was read."""

    def highest(self, memory: Memory) -> int | None:  # noqa: ARG002 - for those that differ
        """The highest row version of the last run; 0 for none that is known, None where it does not matter."""
        return None

    def is_reset(self, memory: Memory, noted: Memory) -> bool:  # noqa: ARG002 - for those that differ
        """Whether the database was restored or moved, so that what is remembered says nothing about it."""
        return False


@dataclasses.dataclass
class Full(Strategy):
    """Masters and balances."""


@dataclasses.dataclass
class History(Strategy):
    """Tables without a date that the ERP purges: read whole, and what is gone from them stays true."""

    keeps_history = True


@dataclasses.dataclass
class Years(Strategy):
    """Balances by fiscal year; old years are purged, and what was read of them stays."""

    year: str = "GlYear"
    keeps_history = True

    @override
    def where(self, memory: Memory, facts: Facts) -> tuple[Condition, ...]:
        if not facts.history_years:
            return ()
        return (((Term(self.year, "ge", facts.today.year - facts.history_years + 1),),),)


def days_of(rows: Sequence[Row], column: str, latest: str) -> str:
    """The latest day in a column, not after `latest`: a document of next year must not move the bookmark there."""
    return max((day for row in rows if (day := (row.get(column) or "")[:10]) <= latest), default="")


@dataclasses.dataclass
class Ledger(Strategy):
    """Rows that are only ever added, but with dates of any open period. The ERP purges them; the target keeps them."""

    date: str = ""
    keeps_history = True

    @property
    @override
    def column(self) -> str:
        return self.date

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return (self.date,)

    def first(self, memory: Memory, facts: Facts) -> dt.date | None:
        """The first day to read; None for all."""
        mark = memory.get("bookmark")
        if not mark:
            return facts.start
        first = dt.date.fromisoformat(mark) - dt.timedelta(days=facts.lookback)
        return max(first, facts.start) if facts.start else first

    @override
    def is_full(self, memory: Memory, facts: Facts) -> bool:
        return self.first(memory, facts) is None and facts.end is None

    @override
    def where(self, memory: Memory, facts: Facts) -> tuple[Condition, ...]:
        first = self.first(memory, facts)
        conditions: list[Condition] = []
        # A day more on either side: the service may compare in a time zone of its own.
        if first is not None:
            since: Condition = ((Term(self.date, "ge", first - _DAY),),)
            conditions.append((*since, (Term(self.date, "eq", None),)) if facts.asks_for_null else since)
        if facts.end is not None:
            conditions.append(((Term(self.date, "le", facts.end + _DAY),),))
        return tuple(conditions)

    @override
    def keep(self, memory: Memory, facts: Facts) -> Callable[[Row], bool] | None:
        first = self.first(memory, facts)
        if first is None and facts.end is None:
            return None
        low = first.isoformat() if first else ""
        high = facts.end.isoformat() if facts.end else "9999"
        date = self.date
        return lambda row: not (day := (row.get(date) or "")[:10]) or low <= day <= high

    @override
    def note(self, noted: Memory, rows: Sequence[Row], facts: Facts) -> None:
        noted["day"] = max(noted.get("day", ""), days_of(rows, self.date, noted["began"]))

    @override
    def finish(self, memory: Memory, noted: Memory, facts: Facts) -> None:
        day = noted.get("day", "")
        if facts.end is not None:
            day = min(day, facts.end.isoformat())
        if day > (memory.get("bookmark") or ""):
            memory["bookmark"] = day


@dataclasses.dataclass
class Documents(Ledger, abc.ABC):
    """What documents of both kinds share: they are read whole the first time, and again after some days."""

    @override
    def is_full(self, memory: Memory, facts: Facts) -> bool:
        if facts.end is not None or (facts.start is not None and not memory.get("bookmark")):
            return False
        if not memory.get("bookmark"):
            return True
        # With a start date there is no whole table to be read again.
        read = memory.get("read_whole")
        if not facts.full_refresh_days or facts.start is not None or not read:
            return False
        return facts.today - dt.date.fromisoformat(read) >= dt.timedelta(days=facts.full_refresh_days)

    @override
    def where(self, memory: Memory, facts: Facts) -> tuple[Condition, ...]:
        if self.is_full(memory, facts):
            return ()
        conditions: tuple[Condition, ...] = ()
        if facts.end is not None:
            conditions = (((Term(self.date, "le", facts.end + _DAY),),),)
        first = self.first(memory, facts)
        return conditions if first is None else (*conditions, self.live(memory, facts, first - _DAY))

    @override
    def keep(self, memory: Memory, facts: Facts) -> Callable[[Row], bool] | None:
        if facts.end is None:
            return None
        high, date = facts.end.isoformat(), self.date
        return lambda row: (row.get(date) or "")[:10] <= high

    @abc.abstractmethod
    def live(self, memory: Memory, facts: Facts, first: dt.date) -> Condition:
        """What may have changed since a day."""

    @override
    def finish(self, memory: Memory, noted: Memory, facts: Facts) -> None:
        super().finish(memory, noted, facts)
        if noted.get("full") and facts.end is None:
            memory["read_whole"] = noted["began"]


@dataclasses.dataclass
class OpenItems(Documents):
    """Invoices: recent, open, or settled lately.

    An invoice that is paid keeps its date; its balances, and the period in which they became zero, tell of it.
    """

    balances: tuple[str, ...] = ()
    year: str = "YearInvBalZero"
    month: str = "MonthInvBalZero"
    also: tuple[str, ...] = ()

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return (self.date, *self.balances, self.year, self.month, *self.also)

    @override
    def live(self, memory: Memory, facts: Facts, first: dt.date) -> Condition:
        year, month = self._since(memory, facts, first)
        return (
            *((Term(date, "ge", first),) for date in (self.date, *self.also)),
            *((Term(balance, "ne", 0),) for balance in self.balances),
            (Term(self.year, "gt", year),),
            (Term(self.year, "eq", year), Term(self.month, "ge", month)),
        )

    def _since(self, memory: Memory, facts: Facts, first: dt.date) -> tuple[int, int]:
        """The period from which on settled invoices are read: some before the latest one that was seen.

        By what was seen and not by the calendar, because fiscal years have names of their own.
        """
        seen = memory.get("period")
        if not seen or not seen[0]:
            return (first.year - 1, first.month) if not memory.get("bookmark") else (0, 0)
        year, month = int(seen[0]), int(seen[1])
        back = -(-facts.lookback // _DAYS_OF_PERIOD)
        years, months = divmod(month - 1 - back, _LAST_PERIOD)
        return year + years, months + 1

    @override
    def note(self, noted: Memory, rows: Sequence[Row], facts: Facts) -> None:
        super().note(noted, rows, facts)
        seen = [
            [year, whole(row.get(self.month) or 0) or 0]
            for row in rows
            if (year := whole(row.get(self.year) or 0) or 0) <= facts.today.year + 1
        ]
        noted["period"] = max([noted.get("period") or [0, 0], *seen])

    @override
    def finish(self, memory: Memory, noted: Memory, facts: Facts) -> None:
        super().finish(memory, noted, facts)
        memory["period"] = max(memory.get("period") or [0, 0], noted.get("period") or [0, 0])


@dataclasses.dataclass
class Orders(Documents):
    """Orders: recent, lately completed, or open; and those that were open at the last run."""

    keeps_history = True
    also: tuple[str, ...] = ()
    status: str = "OrderStatus"
    open: tuple[str, ...] = ()
    key: str = ""

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return (self.date, *self.also, self.status)

    @override
    def live(self, memory: Memory, facts: Facts, first: dt.date) -> Condition:
        return (
            *((Term(date, "ge", first),) for date in (self.date, *self.also)),
            *any_of(self.status, self.open),
        )

    @override
    def note(self, noted: Memory, rows: Sequence[Row], facts: Facts) -> None:
        super().note(noted, rows, facts)
        is_open = frozenset(self.open)
        noted.setdefault("open", []).extend(
            row[self.key] for row in rows if (row.get(self.status) or "").strip() in is_open
        )

    @override
    def finish(self, memory: Memory, noted: Memory, facts: Facts) -> None:
        super().finish(memory, noted, facts)
        still = sorted(set(noted.get("open", ())))
        # Too many would burden the state; then the full refresh finds what was cancelled.
        memory["open"] = still if len(still) <= _MOST_KEYS else []
