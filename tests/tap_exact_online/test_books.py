"""Plain sums of what the tap emits are what the books of each division say, to the cent, after it has lived on."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.company.model import DocumentStatus, JournalStatus
from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.company.model import Company
    from tests.tap_exact_online.conftest import Instance

BOOKS = (
    "accounts",
    "gl_accounts",
    "cost_centers",
    "transaction_lines",
    "payment_terms",
    "purchase_entries",
    "purchase_entry_lines",
    "sales_entries",
    "sales_entry_lines",
    "payables_list",
    "general_journal_entries",
    "general_journal_entry_lines",
)
_IN_THE_BOOKS = {DocumentStatus.OPEN, DocumentStatus.CLOSED}


def sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for key, amount in amounts:
        found[key] += amount
    return {key: amount for key, amount in found.items() if amount}


def check_books(warehouse: Warehouse, company: Company) -> None:
    for branch, division in DIVISIONS.items():
        lines = [
            line
            for journal in company.journals.values()
            if journal.branch == branch and journal.status is JournalStatus.POSTED
            for line in journal.lines
        ]
        debits = sums((line.account, line.base_debit) for line in lines)
        credits_ = sums((line.account, line.base_credit) for line in lines)
        by_account = (warehouse, "transaction_lines", "gl_account_code", division)
        assert grouped(*by_account, "ledger_debit_amount") == debits
        assert grouped(*by_account, "ledger_credit_amount") == credits_
        bills = [b for b in company.bills.values() if b.branch == branch and b.status in _IN_THE_BOOKS]
        invoices = [
            i for i in company.sales_invoices.values() if i.branch == branch and i.status in _IN_THE_BOOKS
        ]
        open_by_vendor = sums((bill.vendor, bill.base_balance * bill.type.sign) for bill in bills)
        assert (
            grouped(warehouse, "payment_terms", "account_code", division, "ledger_payable") == open_by_vendor
        )
        spend = sums((bill.vendor, bill.base_amount * bill.type.sign) for bill in bills)
        assert grouped(warehouse, "purchase_entries", "supplier_code", division, "ledger_amount") == spend
        owed = sum((i.base_balance * i.type.sign for i in invoices), Decimal(0))
        assert warehouse.total("payment_terms", "ledger_receivable", division) == owed
        sold = sum((i.base_amount * i.type.sign for i in invoices), Decimal(0))
        assert warehouse.total("sales_entries", "ledger_amount", division) == sold


def grouped(warehouse: Warehouse, stream: str, group: str, division: int, column: str) -> dict[str, Decimal]:
    return warehouse.by(stream, column, group, division)


def test_sums_equal_the_books_of_both_divisions_when_the_company_changed_during_every_run(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(bills=40)
    warehouse = Warehouse()
    state: dict[str, Any] = {}
    life = instance.world.life
    for _ in range(3):
        for skip in (3, 9, 14, 20):
            instance.script.add(Fault(r"/api/v1/\d", skip=skip, hook=lambda: life.live(4)))
        run = run_tap(instance, *BOOKS, state=state)
        assert run.tap.exit_code == 0
        state = run.state
        warehouse.load(run)
        life.live(25)
    instance.script.clear()
    # what happened last comes with one quiet run
    warehouse.load(run_tap(instance, *BOOKS, state=state))
    check_books(warehouse, instance.company)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(5))
def test_sums_equal_the_books_after_twenty_lively_runs(
    make_instance: Callable[..., Instance], seed: int
) -> None:
    instance = make_instance(bills=60)
    instance.world.reseed(seed)
    warehouse = Warehouse()
    state: dict[str, Any] = {}
    life = instance.world.life
    for _ in range(20):
        for skip in range(0, 40, 5):
            instance.script.add(Fault(r"/api/v1/\d", skip=skip, hook=lambda: life.live(3)))
        run = run_tap(instance, *BOOKS, state=state)
        assert run.tap.exit_code == 0
        state = run.state
        warehouse.load(run)
        life.live(20)
        instance.script.clear()
        quiet = run_tap(instance, *BOOKS, state=state)
        state = quiet.state
        warehouse.load(quiet)
        check_books(warehouse, instance.company)
