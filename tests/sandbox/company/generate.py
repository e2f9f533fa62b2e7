"""Makes the company: master records, an opening journal, and eighteen months of history up to a fixed moment."""

from __future__ import annotations

import datetime as dt
import math
import random
from decimal import Decimal

from tests.sandbox.company import chart
from tests.sandbox.company.history import History
from tests.sandbox.company.ledger import Entry, Heading
from tests.sandbox.company.model import Company
from tests.sandbox.company.money import CENT, ONE
from tests.sandbox.company.office import Office
from tests.sandbox.company.registry import TABLES, sort

FOUNDED = dt.datetime(2025, 1, 1, 6, 0, 0, 250_000, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 6, 30, 9, 0, tzinfo=dt.UTC)
_LAST_EVENT = dt.datetime(2026, 6, 30, 7, 59, 59, 990_000, tzinfo=dt.UTC)


def generate(*, seed: int = 7, bills: int = 120) -> Company:
    """Make a company that is the same for the same arguments, whatever machine it is made on.

    Everything in it lies before its clock, which stands at 2026-06-30T09:00Z.

    Args:
        seed: Decides every random choice.
        bills: How many payables documents it has. Payments, orders, invoices and journals grow with them in
            proportion; vendors, customers and items with their square root.
    """
    company = _empty(seed)
    office = Office(company, random.Random(seed), in_order=False)
    _found(office, bills)
    History(office, start=FOUNDED + dt.timedelta(days=1), end=_LAST_EVENT).run(bills)
    company.clock = NOW
    for name in TABLES:
        sort(getattr(company, name))
    return company


def _empty(seed: int) -> Company:
    return Company(
        name=chart.COMPANY_NAME,
        base_currency=chart.BASE_CURRENCY,
        seed=seed,
        clock=FOUNDED,
        counters={},
        branches={},
        accounts={},
        cost_centers={},
        terms={},
        vendors={},
        customers={},
        items={},
        periods={},
        purchase_orders={},
        bills={},
        payments={},
        sales_invoices={},
        journals={},
        deletions=[],
    )


def _found(office: Office, bills: int) -> None:
    """Master records come in by import, so many of them share one stamp."""
    office.registry.open_periods()
    office.masters.fixed()
    root = math.isqrt(bills)
    partners = 12 + root
    for create, count in (
        (office.masters.vendor, partners),
        (office.masters.customer, partners),
        (office.masters.item, root),
    ):
        for _ in range(count):
            create()
        office.company.clock += dt.timedelta(milliseconds=370)
    for branch, _, _ in chart.BRANCHES:
        opening = Heading(
            module="GL",
            branch=branch,
            date=office.registry.today,
            currency=chart.BASE_CURRENCY,
            rate=ONE,
            description="Opening balances",
        )
        office.ledger.post(opening, _opening_entries(bills))


def _opening_entries(bills: int) -> list[Entry]:
    """Capital paid into the bank accounts, enough for what the company will buy."""
    capital = Decimal(90_000 * (bills + 100)).quantize(CENT)
    paid_in = [
        Entry(account=account, amount=capital, base=capital, description="Capital paid in")
        for account in chart.CASH.values()
    ]
    total = capital * len(paid_in)
    return [*paid_in, Entry(account=chart.CAPITAL, amount=-total, base=-total, description="Share capital")]
