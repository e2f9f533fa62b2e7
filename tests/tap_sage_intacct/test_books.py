"""Plain sums of what the tap emits are what the books say, to the cent, after the company has lived on."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import BillType, DocumentStatus
from tests.sandbox.faults import Fault
from tests.tap_sage_intacct.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.company.model import Company
    from tests.tap_sage_intacct.conftest import Instance

SOAK = [pytest.mark.soak, pytest.mark.timeout(1800)]
BOOKS = (
    "ap_adjustments",
    "bill_lines",
    "bills",
    "gl_details",
    "journal_entries",
    "journal_entry_lines",
    "payment_details",
    "payments",
)


def without_zeros(sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {key: value for key, value in sums.items() if value}


def check_books(warehouse: Warehouse, company: Company) -> None:
    books = books_of(company)
    for stream in ("gl_details", "journal_entry_lines"):
        assert warehouse.total(stream, "ledger_debit_amount") == books.debits
        assert warehouse.total(stream, "ledger_credit_amount") == books.credits
        by_account = {account: turnover.debit for account, turnover in books.by_account.items()}
        assert warehouse.by(stream, "ledger_debit_amount", "accountno") == without_zeros(by_account)
    due = warehouse.total("bills", "ledger_due") + warehouse.total("ap_adjustments", "ledger_due")
    assert due == books.open_payables
    assert by_vendor(warehouse, "ledger_due") == without_zeros(books.open_payables_by_vendor)
    assert by_vendor(warehouse, "ledger_amount") == without_zeros(books.spend_by_vendor)
    paid = warehouse.by("payments", "ledger_amount", "vendorid")
    assert paid == without_zeros(books.paid_by_vendor)
    assert bill_to_payment(warehouse) == applications(company)


def by_vendor(warehouse: Warehouse, column: str) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for stream in ("bills", "ap_adjustments"):
        for vendor, value in warehouse.by(stream, column, "vendorid").items():
            sums[vendor] += value
    return without_zeros(sums)


def bill_to_payment(warehouse: Warehouse) -> dict[tuple[str, str], Decimal]:
    """How much of which payment went to which bill, by their own numbers, through the link rows."""
    documents = {
        row["recordno"]: row["recordid"]
        for row in [*warehouse.rows("bills"), *warehouse.rows("ap_adjustments")]
    }
    payments = {row["recordno"]: row["recordid"] for row in warehouse.rows("payments")}
    links: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in warehouse.rows("payment_details"):
        links[payments[row["paymentkey"]], documents[row["recordkey"] or row["posadjkey"]]] += row[
            "ledger_amount"
        ]
    return {pair: value for pair, value in links.items() if value}


def applications(company: Company) -> dict[tuple[str, str], Decimal]:
    links: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for payment in company.payments.values():
        if payment.status in {DocumentStatus.OPEN, DocumentStatus.CLOSED}:
            for part in payment.applications:
                if part.type is not BillType.DEBIT_ADJUSTMENT:  # a debit settles, it is not settled
                    links[payment.payment_nbr, part.reference_nbr] += part.base_amount
    return {pair: value for pair, value in links.items() if value}


@pytest.mark.parametrize(
    ("rounds", "payments_touch_bills"),
    [
        (2, True),
        (2, False),
        pytest.param(12, True, marks=pytest.mark.soak),
        pytest.param(12, False, marks=pytest.mark.soak),
    ],
)
def test_sums_equal_the_books_when_the_company_changed_during_every_run(
    make_instance: Callable[..., Instance],
    rounds: int,
    payments_touch_bills: bool,  # noqa: FBT001 - a parameter
) -> None:
    instance = make_instance(bills=30)
    instance.switches.payments_touch_bills = payments_touch_bills
    config = instance.with_(page_size=40)
    warehouse = Warehouse()
    state: dict[str, Any] = {}
    life = instance.world.life
    for _ in range(rounds):
        for skip in (1, 4, 6, 9):
            instance.script.add(Fault(r"function=query", hook=lambda: life.live(3), skip=skip))
        run = run_tap(config, *BOOKS, state=state)
        assert run.tap.exit_code == 0
        warehouse.load(run)
        state = run.state
    instance.script.clear()
    life.advance(30)
    warehouse.load(run_tap(config, *BOOKS, state=state))
    check_books(warehouse, instance.company)


def test_the_books_tie_after_a_void_a_recreation_and_a_deletion_between_runs(instance: Instance) -> None:
    life = instance.world.life
    life.post_purchase_order()
    life.post_bill_for_order()
    held = life.post_bill(hold=True)
    life.advance(10)
    warehouse = Warehouse()
    first = run_tap(instance.config, *BOOKS)
    warehouse.load(first)
    check_books(warehouse, instance.company)
    life.correct_order_bill()
    life.void_payment()
    life.void_bill()
    life.change_bill()
    life.pay(2)
    life.delete_bill(next(key for key, bill in instance.company.bills.items() if bill is held))
    life.advance(10)
    warehouse.load(run_tap(instance.config, *BOOKS, state=first.state))
    check_books(warehouse, instance.company)
    numbers = [
        (row["recordtype"], row["recordid"], row["state"] == "Reversal") for row in warehouse.rows("bills")
    ]
    assert len(numbers) == len(set(numbers))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_lines_cost_their_pages_and_five_calls(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(bills=10_000)
    run = run_tap(instance.config, "journal_entries", "gl_details", "journal_entry_lines")
    for stream, name in (("gl_details", "GLDETAIL"), ("journal_entry_lines", "GLENTRY")):
        rows = len(run.live(stream))
        assert rows >= 100_000
        assert instance.count(f"object={name}&") <= rows / 2000 + 5, stream
