"""Plain sums of what the tap emits are what the books say, after the company has lived on, by both interfaces."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.company import chart
from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import Bill, DocumentStatus
from tests.sandbox.faults import Fault
from tests.sandbox.syspro import COMPANIES
from tests.tap_syspro.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.sandbox.company.model import Company, SalesInvoice
    from tests.singer import Row
    from tests.tap_syspro.conftest import Instance

BOOKS = (
    "ap_invoice",
    "ap_invoice_pay",
    "ar_invoice",
    "ar_invoice_pay",
    "ar_trn_summary",
    "gen_history",
    "gen_history_periods",
    "gen_transaction",
)
CENT, NOTHING = Decimal("0.01"), Decimal(0)


def padded(code: str) -> str:
    """Codes of digits alone are filled with zeros to fifteen."""
    return code.zfill(15) if code.isdecimal() else code


def without_zeros(sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {padded(key): value for key, value in sums.items() if value}


def sums(rows: list[Row], column: str, group: str) -> dict[str, Decimal]:
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row[group]] += row[column]
    return {key: value for key, value in found.items() if value}


def close(
    found: Mapping[str, Decimal], expected: Mapping[str, Decimal], documents: Iterable[Bill | SalesInvoice]
) -> None:
    """The rate is applied to part of a foreign document: a cent for each that is settled in parts, no more."""
    settled = Counter(
        padded(document.vendor if isinstance(document, Bill) else document.customer)
        for document in documents
        if document.currency != chart.BASE_CURRENCY and document.balance < document.amount
    )
    for key in {*found, *expected}:
        assert abs(found.get(key, NOTHING) - expected.get(key, NOTHING)) <= CENT * settled[key], key


def check_document_currency(warehouse: Warehouse, company: Company) -> None:
    """What is open in the documents' own currencies has no rate in it, so it is exact, for each document."""
    documents: Sequence[tuple[str, str, Mapping[str, Bill | SalesInvoice]]] = (
        ("ap_invoice", "mth_inv_bal1", company.bills),
        ("ar_invoice", "invoice_bal1", company.sales_invoices),
    )
    for stream, column, of_company in documents:
        released = [one for one in of_company.values() if one.status is not DocumentStatus.HOLD]
        expected = Counter(one.balance * one.type.sign for one in released if one.balance)
        assert Counter(row[column] for row in warehouse.rows(stream) if row[column]) == expected, stream


def check_books(warehouse: Warehouse, company: Company) -> None:
    books = books_of(company)
    ledger = warehouse.rows("gen_transaction")
    assert warehouse.total("gen_transaction", "ledger_debit_amount") == books.debits
    assert warehouse.total("gen_transaction", "ledger_credit_amount") == books.credits
    by_account = {account: turnover.net for account, turnover in books.by_account.items() if turnover.net}
    assert sums(ledger, "entry_value", "segment_account") == by_account
    payables = [row for row in ledger if row["segment_account"] == chart.ACCOUNTS_PAYABLE]
    open_by_vendor = without_zeros(books.open_payables_by_vendor)
    assert sums(payables, "entry_value", "sub_mod_supplier") == {k: -v for k, v in open_by_vendor.items()}
    close(warehouse.by("ap_invoice", "ledger_balance", "supplier"), open_by_vendor, company.bills.values())
    assert warehouse.by("ap_invoice", "ledger_amount", "supplier") == without_zeros(books.spend_by_vendor)
    paid = sums(
        [r for r in warehouse.rows("ap_invoice_pay") if r["trn_type"] == "P"], "ledger_amount", "supplier"
    )
    close({k: -v for k, v in paid.items()}, without_zeros(books.paid_by_vendor), company.bills.values())
    receivables = [row for row in ledger if row["segment_account"] == chart.ACCOUNTS_RECEIVABLE]
    open_by_customer = without_zeros(books.open_receivables_by_customer)
    assert sums(receivables, "entry_value", "sub_mod_customer") == open_by_customer
    close(
        warehouse.by("ar_invoice", "ledger_balance", "customer"),
        open_by_customer,
        company.sales_invoices.values(),
    )
    sales = without_zeros(books.sales_by_customer)
    assert warehouse.by("ar_trn_summary", "ledger_amount", "customer") == sales
    check_document_currency(warehouse, company)
    check_history(warehouse, company)


def check_history(warehouse: Warehouse, company: Company) -> None:
    """Closing balances of periods with postings, per company and GL code."""
    expected = {
        (place.branch, f"{place.account}-{place.cost_center}", place.period): balance.ending
        for place, balance in books_of(company).balances.items()
    }
    found = {
        (COMPANIES[row["_company"]], row["gl_code"], f"{row['gl_year']}{row['period']:02d}"): row[
            "closing_balance"
        ]
        for row in warehouse.rows("gen_history_periods")
    }
    assert {key: found[key] for key in expected} == expected


def configured(instance: Instance, transport: str, **settings: Any) -> dict[str, Any]:
    return instance.enet(**settings) if transport == "enet" else instance.with_(**settings)


@pytest.mark.parametrize("transport", ["odata", "enet"])
def test_sums_equal_the_books_when_the_company_changed_during_and_between_runs(
    make_instance: Callable[..., Instance], transport: str
) -> None:
    instance = make_instance(bills=40)
    config = configured(instance, transport, page_size=60)
    warehouse = Warehouse()
    state: dict[str, Any] = {}
    life = instance.world.life
    for _ in range(2):
        for skip in (2, 5, 9, 14, 20):
            instance.script.add(Fault(r"\$top=|Query/Query", skip=skip, hook=lambda: life.live(3)))
        run = run_tap(config, *BOOKS, state=state)
        assert run.tap.exit_code == 0
        warehouse.load(run)
        state = run.state
        life.live(20)
    instance.script.clear()
    run = run_tap(config, *BOOKS, state=state)
    warehouse.load(run)
    check_books(warehouse, instance.company)


@pytest.mark.parametrize("transport", ["odata", "enet"])
def test_an_invoice_of_last_quarter_that_is_paid_today_is_seen_to_be_paid(
    instance: Instance, transport: str
) -> None:
    life = instance.world.life
    bill = life.post_bill(branch="HQ")
    posted_on = bill.date
    # without full refreshes, which would find it too
    config = configured(instance, transport, full_refresh_every_days=0, companies=["EDU1"])
    warehouse = Warehouse()
    run = run_tap(config, "ap_invoice", "ap_invoice_pay")
    warehouse.load(run)
    # half a year passes, with runs that see nothing new of it
    for _ in range(3):
        life.advance(60 * 24 * 70)
        life.post_bill(branch="HQ")
        run = run_tap(config, "ap_invoice", "ap_invoice_pay", state=run.state)
        warehouse.load(run)
    mark = dt.date.fromisoformat(run.bookmark("ap_invoice")["companies"]["EDU1"]["bookmark"])
    assert (mark - posted_on).days > 101, "its date alone would not find it"
    while bill.balance:
        life.pay(in_full=True)
    run = run_tap(config, "ap_invoice", "ap_invoice_pay", state=run.state)
    warehouse.load(run)
    (row,) = [r for r in run.rows("ap_invoice") if r["invoice"] == bill.reference_nbr]
    assert row["ledger_balance"] == 0
    assert row["invoice_status"] == "9"
    assert warehouse.total("ap_invoice", "mth_inv_bal1") == sum(
        r["MthInvBal1"] for r in instance.app.table("EDU1", "ApInvoice")
    )


@pytest.mark.soak
@pytest.mark.parametrize("transport", ["odata", "enet"])
def test_many_rounds_of_life_tie_to_the_books_each_time(
    make_instance: Callable[..., Instance], transport: str
) -> None:
    instance = make_instance(bills=120)
    config = configured(instance, transport, page_size=97)
    warehouse = Warehouse()
    state: dict[str, Any] = {}
    life = instance.world.life
    for round_ in range(8):
        for skip in range(0, 60, 4):
            instance.script.add(Fault(r"\$top=|Query/Query", skip=skip, hook=lambda: life.live(2)))
        warehouse.load(run := run_tap(config, *BOOKS, state=state))
        instance.script.clear()
        warehouse.load(run := run_tap(config, *BOOKS, state=run.state))
        check_books(warehouse, instance.company)
        state = run.state
        life.live(60)
        life.advance(60 * 24 * (10 + round_))
