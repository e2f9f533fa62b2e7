"""Journals: what releases, payments and voids leave in the general ledger."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.model import Journal, JournalLine, JournalStatus
from tests.sandbox.company.money import ZERO
from tests.sandbox.company.registry import Registry, period_of

if TYPE_CHECKING:
    import datetime as dt


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One booking before it has a side: positive amounts are debits, negative ones credits.

    `amount` is in the journal's currency, `base` in base currency; an exchange difference has only `base`.
    """

    account: str
    amount: Decimal
    base: Decimal
    cost_center: str = chart.NO_COST_CENTER
    description: str | None = None
    reference_nbr: str | None = None
    vendor: str | None = None
    customer: str | None = None
    item: str | None = None
    quantity: Decimal = Decimal(0)
    unit: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heading:
    """What is said once per journal."""

    module: str
    branch: str
    date: dt.date
    currency: str
    rate: Decimal
    description: str | None


class Ledger:
    """Writes journals into the company."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._journals = registry.company.journals

    def post(
        self, heading: Heading, entries: list[Entry], status: JournalStatus = JournalStatus.POSTED
    ) -> Journal:
        """Write a journal; entries of nothing get no line.

        Raises:
            ValueError: The entries do not balance, in the journal's currency or in base currency.
        """
        if sum(entry.amount for entry in entries) or sum(entry.base for entry in entries):
            raise ValueError(f"{heading.module} journal of {heading.date} does not balance: {entries}")
        batch_nbr = f"{self._registry.next_number('journals.' + heading.module):07d}"
        key = f"{heading.module}|{batch_nbr}"
        journal = Journal(
            **self._registry.stamps("journals", key),
            module=heading.module,
            batch_nbr=batch_nbr,
            branch=heading.branch,
            date=heading.date,
            period=period_of(heading.date),
            currency=heading.currency,
            rate=heading.rate,
            description=heading.description,
            status=status,
            lines=relined(entries),
        )
        return self._registry.insert(self._journals, key, journal)

    def reverse(self, module: str, batch_nbr: str, description: str) -> Journal:
        """Write the mirror image of a journal, dated today, at the rate of the original."""
        original = self._journals[f"{module}|{batch_nbr}"]
        heading = Heading(
            module=module,
            branch=original.branch,
            date=self._registry.today,
            currency=original.currency,
            rate=original.rate,
            description=description,
        )
        return self.post(heading, [_mirrored(line) for line in original.lines])


def relined(entries: list[Entry]) -> list[JournalLine]:
    """Lines for entries, numbered from 1; entries of nothing get none."""
    booked = [entry for entry in entries if entry.amount or entry.base]
    return [_line(number, entry) for number, entry in enumerate(booked, start=1)]


def _line(number: int, entry: Entry) -> JournalLine:
    return JournalLine(
        line_nbr=number,
        account=entry.account,
        cost_center=entry.cost_center,
        debit=max(entry.amount, ZERO),
        credit=max(-entry.amount, ZERO),
        base_debit=max(entry.base, ZERO),
        base_credit=max(-entry.base, ZERO),
        description=entry.description,
        reference_nbr=entry.reference_nbr,
        vendor=entry.vendor,
        customer=entry.customer,
        item=entry.item,
        quantity=entry.quantity,
        unit=entry.unit,
    )


def _mirrored(line: JournalLine) -> Entry:
    return Entry(
        account=line.account,
        amount=line.credit - line.debit,
        base=line.base_credit - line.base_debit,
        cost_center=line.cost_center,
        description=line.description,
        reference_nbr=line.reference_nbr,
        vendor=line.vendor,
        customer=line.customer,
        item=line.item,
        quantity=-line.quantity,
        unit=line.unit,
    )
