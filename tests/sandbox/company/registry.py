"""Numbers, stamps and identity: how a record enters the company, changes in it, and leaves it."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from typing import TYPE_CHECKING, Protocol, TypedDict, TypeVar, cast

from tests.sandbox.company.model import Deletion, Period, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.sandbox.company.model import (
        Bill,
        Company,
        CustomerPayment,
        Payment,
        PurchaseOrder,
        PurchaseReceipt,
        SalesInvoice,
        SalesOrder,
    )

    Document = Bill | CustomerPayment | Payment | PurchaseOrder | PurchaseReceipt | SalesInvoice | SalesOrder

R = TypeVar("R")
_NAMESPACE = uuid.UUID("5a6b9a6e-5d6e-5a44-9d9a-3f2b7f0c4e21")
TABLES = (
    "branches", "accounts", "cost_centers", "terms", "vendors", "customers", "items", "periods",
    "currencies", "warehouses", "projects", "cost_codes", "stock",
    "purchase_orders", "purchase_receipts", "bills", "payments",
    "sales_orders", "sales_invoices", "customer_payments", "journals",
)  # fmt: skip


class NothingToDoError(LookupError):
    """The company holds no record that this event could happen to."""


class HasLineNbr(Protocol):
    """A line of any document."""

    line_nbr: int


class Stamps(TypedDict):
    """The fields that every new record starts with."""

    note_id: str
    created_at: dt.datetime
    modified_at: dt.datetime


def tables(company: Company) -> Mapping[str, Mapping[str, Record]]:
    """Every table of the company by its name."""
    return {name: cast("Mapping[str, Record]", getattr(company, name)) for name in TABLES}


def documents(company: Company) -> Iterator[Document]:
    """Everything that has a status."""
    yield from company.bills.values()
    yield from company.payments.values()
    yield from company.sales_invoices.values()
    yield from company.purchase_orders.values()
    yield from company.customer_payments.values()
    yield from company.sales_orders.values()
    yield from company.purchase_receipts.values()


def period_of(date: dt.date) -> str:
    """The fiscal month of a date."""
    return f"{date.year:04d}{date.month:02d}"


def month_end(date: dt.date) -> dt.date:
    """The last day of the month of a date."""
    return (date.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)


class Registry:
    """Writes records into a company: gives numbers and note ids, stamps, keeps tables in key order.

    Args:
        company: The company written to.
        in_order: Keep every table in ascending key order. A generator that sorts once at the end says False.
    """

    def __init__(self, company: Company, *, in_order: bool = True) -> None:
        self.company = company
        self._in_order = in_order

    @property
    def today(self) -> dt.date:
        """The company's current day."""
        return self.company.clock.date()

    def next_number(self, sequence: str) -> int:
        """The next number of a sequence; numbers of deleted records are never given again."""
        number = self.company.counters.get(sequence, 0) + 1
        self.company.counters[sequence] = number
        return number

    def next_line_nbr(self, table: str, key: str, lines: Sequence[HasLineNbr]) -> int:
        """The number of the next line of a document; numbers of removed lines are never given again."""
        self.keep_line_numbers(table, key, lines)
        return self.next_number(f"{table}.{key}.lines")

    def keep_line_numbers(self, table: str, key: str, lines: Sequence[HasLineNbr]) -> None:
        """Remember the highest line number of a document whose lines are about to change."""
        sequence = f"{table}.{key}.lines"
        highest = max((line.line_nbr for line in lines), default=0)
        self.company.counters[sequence] = max(highest, self.company.counters.get(sequence, 0))

    def stamps(self, table: str, key: str) -> Stamps:
        """Identity and stamps of a new record: created now."""
        note_id = str(uuid.uuid5(_NAMESPACE, f"{self.company.seed}|{table}|{key}"))
        return {"note_id": note_id, "created_at": self.company.clock, "modified_at": self.company.clock}

    def insert(self, table: dict[str, R], key: str, record: R) -> R:
        """Add a record.

        Raises:
            ValueError: The key is in use.
        """
        if key in table:
            raise ValueError(f"the key {key!r} is already in use")
        behind = list(itertools.takewhile(key.__lt__, reversed(table))) if self._in_order else []
        table[key] = record
        for later in reversed(behind):
            table[later] = table.pop(later)
        return record

    def touch(self, record: Record) -> None:
        """Stamp a changed record."""
        record.modified_at = self.company.clock

    def remove(self, table: str, key: str) -> Deletion:
        """Delete a record and remember that it was there."""
        record = cast("dict[str, Record]", getattr(self.company, table)).pop(key)
        deletion = Deletion(table=table, key=key, note_id=record.note_id, deleted_at=self.company.clock)
        self.company.deletions.append(deletion)
        return deletion

    def posting_date(self, date: dt.date) -> dt.date:
        """The day a document may be booked on: its own, or today when its period is closed."""
        period = self.company.periods.get(period_of(date))
        return self.today if period is None or period.closed else date

    def open_periods(self) -> None:
        """Open fiscal months up to the current one and close those before the previous one."""
        month = self.today.replace(day=1)
        code = period_of(month)
        if code not in self.company.periods:
            period = Period(
                **self.stamps("periods", code),
                code=code,
                starts_on=month,
                ends_on=month_end(month),
                closed=False,
            )
            self.insert(self.company.periods, code, period)
        previous = period_of(month - dt.timedelta(days=1))
        for period in self.company.periods.values():
            if not period.closed and period.code < previous:
                period.closed = True
                self.touch(period)


def sort(table: dict[str, R]) -> None:
    """Bring a table into ascending key order, in place."""
    rows = sorted(table.items(), key=lambda row: row[0])
    table.clear()
    table.update(rows)
