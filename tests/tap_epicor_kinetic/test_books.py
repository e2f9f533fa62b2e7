"""Plain sums of what the tap emits are what the books say, to the cent, whatever mood the server is in."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.company.books import IN_THE_BOOKS, books_of
from tests.sandbox.epicor_kinetic.switches import worst_mood
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.company.model import Company
    from tests.tap_epicor_kinetic.conftest import Instance

BOOKS = (
    "ap_invoices",
    "ap_payment_applications",
    "ap_payments",
    "ar_invoices",
    "gl_journal_lines",
    "gl_period_balances",
    "vendors",
)


def without_zeros(sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {key: value for key, value in sums.items() if value}


def by_vendor(warehouse: Warehouse, stream: str, column: str) -> dict[str, Decimal]:
    """Sums per vendor id."""
    names = {(row["company"], row["vendor_num"]): row["vendor_id"] for row in warehouse.rows("vendors")}
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in warehouse.rows(stream):
        sums[names[row["company"], row["vendor_num"]]] += row[column]
    return without_zeros(sums)


def paid_by_currency(company: Company) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for payment in company.payments.values():
        if payment.status in IN_THE_BOOKS:
            sums[payment.currency] += payment.amount
    return without_zeros(sums)


def check_books(warehouse: Warehouse, company: Company) -> None:
    books = books_of(company)
    assert warehouse.total("gl_journal_lines", "book_debit_amount") == books.debits
    assert warehouse.total("gl_journal_lines", "book_credit_amount") == books.credits
    assert warehouse.total("ap_invoices", "ledger_balance") == books.open_payables
    assert by_vendor(warehouse, "ap_invoices", "ledger_balance") == without_zeros(
        books.open_payables_by_vendor
    )
    assert by_vendor(warehouse, "ap_invoices", "ledger_amount") == without_zeros(books.spend_by_vendor)
    assert by_vendor(warehouse, "ap_payments", "ledger_amount") == without_zeros(books.paid_by_vendor)
    # Applications are at the rate of their invoice, so only document amounts tie to the checks.
    applied = warehouse.by("ap_payment_applications", "doc_tran_amt", "currency_code", posted=True)
    assert applied == paid_by_currency(company)
    assert warehouse.total("ar_invoices", "ledger_balance") == books.open_receivables
    assert warehouse.total("ar_invoices", "ledger_amount") == sum(books.sales_by_customer.values())
    debits = {account: turnover.debit for account, turnover in books.by_account.items()}
    assert warehouse.by("gl_journal_lines", "book_debit_amount", "seg_value1") == without_zeros(debits)
    periods = {"balance_type": "D"}
    assert warehouse.total("gl_period_balances", "debit_amt", **periods) == books.debits
    assert warehouse.total("gl_period_balances", "credit_amt", **periods) == books.credits


def test_sums_are_the_books_first_again_and_after_life_went_on(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=worst_mood())
    warehouse = Warehouse()
    state: dict[str, Any] | None = None
    for seed in range(3):
        run = run_tap(instance.with_(emit_activate_version_messages=True), *BOOKS, state=state)
        assert run.tap.exit_code == 0
        warehouse.load(run)
        check_books(warehouse, instance.company)
        state = run.state
        instance.world.reseed(seed)
        instance.world.life.live(40)
    assert instance.site.violations == []
    assert {row["company"] for row in warehouse.rows("ap_invoices")} == {"EPIC06", "EPIC07"}


def test_sums_are_the_books_although_the_company_moves_while_it_is_read(
    make_instance: Callable[..., Instance],
) -> None:
    """Posting, changing, voiding and deleting between pages; the run after it finds the rest."""
    switches = dataclasses.replace(worst_mood(), row_cap=20, default_rows=20)
    instance = make_instance(switches=switches)
    config = instance.with_(emit_activate_version_messages=True, page_size=20)
    warehouse = Warehouse()
    instance.script.add(
        Fault(
            r"GET .*/(APInvoices|GLJrnDtls|APTranSearches|ARInvoices)\?",
            hook=lambda: instance.world.life.live(3),
            times=6,
            skip=1,
        )
    )
    state = None
    for _ in range(2):
        run = run_tap(config, *BOOKS, state=state)
        assert run.tap.exit_code == 0
        warehouse.load(run)
        state = run.state
    warehouse.load(run_tap(config, *BOOKS, state=state))
    check_books(warehouse, instance.company)


def test_a_deleted_invoice_leaves_with_the_next_whole_read(instance: Instance) -> None:
    config = instance.with_(emit_activate_version_messages=True, full_refresh_days=1)
    instance.world.life.post_bill(hold=True)
    warehouse = Warehouse()
    first = run_tap(config, "ap_invoices", "gl_journal_lines")
    warehouse.load(first)
    held = len(warehouse.rows("ap_invoices"))
    instance.world.life.delete_bill()
    again = run_tap(config, "ap_invoices", "gl_journal_lines", state=first.state)
    assert again.activated == set()
    warehouse.load(again)
    assert len(warehouse.rows("ap_invoices")) == held
    whole = run_tap(config, "ap_invoices", "gl_journal_lines", state=aged(again.state, days=1))
    assert whole.activated == {"ap_invoices"}  # journal lines are never deleted
    warehouse.load(whole)
    assert len(warehouse.rows("ap_invoices")) == held - 1
    after = run_tap(config, "ap_invoices", state=whole.state)
    assert after.activated == set()


def aged(state: Mapping[str, Any], days: int) -> dict[str, Any]:
    """The state as if its whole reads had been so many days earlier."""
    old = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days, minutes=1)).isoformat()
    bookmarks = {
        stream: {**mark, **({"read_whole_at": old} if "read_whole_at" in mark else {})}
        for stream, mark in state["bookmarks"].items()
    }
    return {"bookmarks": bookmarks}


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("cap", [7, 100])
def test_thirty_rounds_of_life_tie_to_the_books_each_time(
    make_instance: Callable[..., Instance], cap: int
) -> None:
    switches = dataclasses.replace(worst_mood(), row_cap=cap, default_rows=cap)
    instance = make_instance(bills=120, switches=switches)
    config = instance.with_(emit_activate_version_messages=True, sysrevid_overlap=50)
    warehouse = Warehouse()
    state = None
    for seed in range(30):
        run = run_tap(config, *BOOKS, state=state)
        assert run.tap.exit_code == 0
        warehouse.load(run)
        check_books(warehouse, instance.company)
        state = run.state
        instance.world.reseed(seed)
        instance.world.life.live(60)
    assert instance.site.violations == []


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_lines_cost_their_pages_and_five_calls(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(bills=16_000, switches=worst_mood())
    run = run_tap(instance.with_(page_size=100, companies=["EPIC06"]), "gl_journal_lines")
    rows = len(run.rows("gl_journal_lines"))
    assert rows >= 100_000
    assert run.tap.client.calls <= rows / 100 + 5
