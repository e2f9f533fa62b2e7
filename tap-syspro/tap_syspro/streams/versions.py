"""Strategies that go by row versions: numbers that grow with every change in a database."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_syspro.conditions import Condition, Term
from tap_syspro.streams.columns import ROW_VERSION, row_number
from tap_syspro.streams.strategies import Facts, Memory, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_syspro.service import Row


@dataclasses.dataclass
class RowVersions(Strategy):
    """The whole table, of which only rows are emitted whose row version has grown."""

    keeps_history = True

    @property
    @override
    def column(self) -> str:
        return ROW_VERSION

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return (ROW_VERSION,)

    def since(self, memory: Memory, facts: Facts) -> int:
        """The row version above which rows are emitted; -1 for all."""
        mark = memory.get("row_version")
        return -1 if mark is None else int(mark, 16) - facts.safety

    @override
    def keep(self, memory: Memory, facts: Facts) -> Callable[[Row], bool] | None:
        since = self.since(memory, facts)

        def is_new(row: Row) -> bool:
            version = row_number(row.get(ROW_VERSION))
            return version is None or version > since

        return is_new if since >= 0 else None

    @override
    def note(self, noted: Memory, rows: Sequence[Row], facts: Facts) -> None:
        highest = max((row_number(row.get(ROW_VERSION)) or 0 for row in rows), default=0)
        noted["highest"] = max(noted.get("highest", 0), highest)
        # What was known to be there when reading began: rows that change behind the reader bear higher ones.
        noted.setdefault("at_first", max(highest, noted.get("before", 0)))

    @override
    def highest(self, memory: Memory) -> int | None:
        return int(memory.get("highest") or "0", 16)

    @override
    def is_reset(self, memory: Memory, noted: Memory) -> bool:
        mark = memory.get("row_version")
        return mark is not None and 0 < noted.get("highest", 0) < int(mark, 16)

    @override
    def finish(self, memory: Memory, noted: Memory, facts: Facts) -> None:
        if noted.get("highest"):
            memory["row_version"] = f"{min(noted['highest'], noted['at_first']):016x}"
            memory["highest"] = f"{noted['highest']:016x}"


@dataclasses.dataclass
class Growing(Strategy):
    """A column that the settings name, a number that grows with every change (a row version in a view)."""

    number: str = ""
    keeps_history = True

    @property
    @override
    def column(self) -> str:
        return self.number

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return (self.number,)

    @override
    def is_full(self, memory: Memory, facts: Facts) -> bool:
        return memory.get("number") is None

    @override
    def where(self, memory: Memory, facts: Facts) -> tuple[Condition, ...]:
        mark = memory.get("number")
        if mark is None:
            return ()
        return (((Term(self.number, "ge", Decimal(mark) - facts.safety),),),)

    @override
    def note(self, noted: Memory, rows: Sequence[Row], facts: Facts) -> None:
        numbers = [Decimal(str(row[self.number])) for row in rows if row.get(self.number) is not None]
        highest = max(numbers, default=None)
        if highest is not None:
            noted["number"] = str(max(highest, Decimal(noted.get("number", highest))))
            # Was there when reading began: rows that change behind the reader bear higher numbers.
            noted.setdefault("at_first", noted["number"])

    @override
    def is_reset(self, memory: Memory, noted: Memory) -> bool:
        # The row that gave the bookmark comes again, unless it is gone; then reading all is the safe answer.
        return memory.get("number") is not None and noted.get("number") is None

    @override
    def finish(self, memory: Memory, noted: Memory, facts: Facts) -> None:
        if "number" in noted:
            reached = min(Decimal(noted["number"]), Decimal(noted.get("at_first") or noted["number"]))
            old = memory.get("number")
            memory["number"] = str(reached if old is None else max(reached, Decimal(old)))
