from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.sandbox.company import chart
from tests.sandbox.company.books import Balance, Place, books_of
from tests.sandbox.company.check import violations
from tests.sandbox.company.generate import NOW, generate
from tests.sandbox.company.model import (
    Application,
    Bill,
    BillType,
    Company,
    Deletion,
    DocumentStatus,
    JournalStatus,
)
from tests.sandbox.company.money import ZERO, cents, rate_on, share, spread
from tests.sandbox.company.registry import tables
from tests.sandbox.company.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES_OF_DOCUMENTS = ("bills", "payments", "sales_invoices", "purchase_orders", "journals")


@pytest.fixture(scope="module")
def untouched() -> Company:
    return generate()


@pytest.fixture
def world() -> World:
    return World(generate())


def keys(company: Company) -> set[tuple[str, str]]:
    return {(name, key) for name, table in tables(company).items() for key in table}


# ---------------------------------------------------------------- generator


def test_the_same_arguments_make_the_same_company() -> None:
    assert msgspec.json.encode(generate(seed=3)) == msgspec.json.encode(generate(seed=3))


def test_another_seed_makes_another_company() -> None:
    assert msgspec.json.encode(generate(seed=3)) != msgspec.json.encode(generate(seed=4))


@pytest.mark.parametrize(("bills", "seed"), [(0, 7), (1, 7), (120, 7), (120, 8), (2_000, 7)])
def test_every_rule_holds_at_every_size(bills: int, seed: int) -> None:
    company = generate(seed=seed, bills=bills)
    assert violations(company) == []
    assert len(company.bills) == bills


def test_history_ends_before_the_fixed_moment(untouched: Company) -> None:
    assert untouched.clock == NOW == dt.datetime(2026, 6, 30, 9, 0, tzinfo=dt.UTC)
    latest = max(record.modified_at for table in tables(untouched).values() for record in table.values())
    assert latest < NOW


def test_documents_grow_in_proportion_and_partners_with_the_root() -> None:
    small, large = generate(bills=400), generate(bills=1_600)
    for table in TABLES_OF_DOCUMENTS:
        ratio = len(getattr(large, table)) / len(getattr(small, table))
        assert 3 < ratio < 5, table
    assert 1.4 < len(large.vendors) / len(small.vendors) < 2.2


def test_a_small_company_has_some_of_everything(untouched: Company) -> None:
    bills = untouched.bills.values()
    assert {bill.status for bill in bills} == set(DocumentStatus)
    assert {bill.type for bill in bills} == set(BillType)
    assert {bill.currency for bill in bills} == {"USD", "EUR", "GBP"}
    assert {bill.branch for bill in bills} == {"HQ", "EAST"}
    assert {payment.status for payment in untouched.payments.values()} == {
        DocumentStatus.HOLD,
        DocumentStatus.CLOSED,
        DocumentStatus.VOIDED,
    }
    assert {order.status for order in untouched.purchase_orders.values()} == set(DocumentStatus)
    assert {invoice.status for invoice in untouched.sales_invoices.values()} == set(DocumentStatus)
    assert {journal.status for journal in untouched.journals.values()} == set(JournalStatus)
    assert {deletion.table for deletion in untouched.deletions} == {
        "bills",
        "journals",
        "sales_invoices",
        "sales_orders",
    }
    for table in ("bills", "payments", "sales_invoices", "purchase_orders"):
        assert {record.archived for record in getattr(untouched, table).values()} == {True, False}, table


def test_documents_are_as_awkward_as_real_ones(untouched: Company) -> None:
    lines = [line for bill in untouched.bills.values() for line in bill.lines]
    assert any(line.amount == 0 for line in lines)
    assert any(line.amount < 0 for line in lines)
    assert any(line.unit_cost != line.unit_cost.quantize(Decimal("0.01")) for line in lines)
    assert any(line.order_nbr for line in lines)
    assert {len(bill.lines) for bill in untouched.bills.values()} >= {1, 2, 3, 4}
    assert any(0 < bill.balance < bill.amount for bill in untouched.bills.values())
    assert any(bill.amount == 0 for bill in untouched.bills.values())
    assert any(len(payment.applications) > 1 for payment in untouched.payments.values())
    assert "🎉" in "".join(line.description for line in lines)
    assert {bill.vendor_ref is None for bill in untouched.bills.values()} == {True, False}


def test_names_hold_what_real_names_hold(untouched: Company) -> None:
    names = " ".join(vendor.name for vendor in untouched.vendors.values())
    for awkward in ("'", '"', "&", ",", "<", ";", "ü", "東", "Ł"):
        assert awkward in names, awkward
    assert any(code.startswith("0") for code in untouched.accounts)
    assert any(code.startswith("0") for code in untouched.cost_centers)
    assert any(code.startswith("0") for code in untouched.vendors)


def test_stamps_have_ties_and_trailing_zeros(untouched: Company) -> None:
    stamps = Counter(bill.modified_at for bill in untouched.bills.values())
    assert max(stamps.values()) > 1
    assert any(stamp.microsecond and stamp.microsecond % 100_000 == 0 for stamp in stamps)


def test_reference_numbers_are_unique_per_type_only(untouched: Company) -> None:
    numbers = Counter(bill.reference_nbr for bill in untouched.bills.values())
    assert max(numbers.values()) == len(BillType)


def test_payments_in_foreign_currency_book_realised_differences(untouched: Company) -> None:
    accounts = {line.account for journal in untouched.journals.values() for line in journal.lines}
    assert {chart.EXCHANGE_GAIN, chart.EXCHANGE_LOSS} <= accounts


def test_fiscal_months_follow_each_other_and_older_ones_are_closed(untouched: Company) -> None:
    periods = list(untouched.periods.values())
    assert [period.code for period in periods][:: len(periods) - 1] == ["202501", "202606"]
    assert [period.code for period in periods if not period.closed] == ["202605", "202606"]


# -------------------------------------------------------------------- money


def test_parts_add_up_to_the_converted_total_and_the_largest_takes_the_residue() -> None:
    amounts = [Decimal("0.03"), Decimal("33.33"), Decimal("0.03")]
    rate = Decimal("1.166667")
    assert spread(amounts, rate) == [Decimal("0.04"), Decimal("38.88"), Decimal("0.04")]
    assert sum(spread(amounts, rate)) == cents(sum(amounts, ZERO) * rate)


def test_settling_in_parts_leaves_no_cent_behind() -> None:
    base, whole = Decimal("108.37"), Decimal("99.99")
    first = share(base, Decimal("33.33"), whole)
    assert first == Decimal("36.12")
    assert first + share(base - first, Decimal("66.66"), Decimal("66.66")) == base


def test_no_amount_is_a_negative_zero() -> None:
    assert str(cents(Decimal("-0.004"))) == "0.00"


def test_rates_are_dated_and_have_six_decimals() -> None:
    days = [dt.date(2026, 1, day) for day in range(1, 29)]
    rates = {rate_on(7, "EUR", day) for day in days}
    assert len(rates) == len(days)
    assert {rate.as_tuple().exponent for rate in rates} == {-6}
    assert rate_on(7, "USD", days[0]) == 1
    with pytest.raises(KeyError):
        rate_on(7, "XXX", days[0])


# -------------------------------------------------------------------- books


def test_books_agree_with_a_recount_by_hand(untouched: Company) -> None:
    books = books_of(untouched)
    expected = ZERO
    for journal in untouched.journals.values():
        if journal.status is JournalStatus.POSTED:
            expected += sum((line.base_debit for line in journal.lines), ZERO)
    assert books.debits == books.credits == expected > 0
    assert books.by_account[chart.ACCOUNTS_PAYABLE].net == -books.open_payables
    assert books.by_account[chart.ACCOUNTS_RECEIVABLE].net == books.open_receivables
    assert sum(books.open_payables_by_vendor.values()) == books.open_payables


def test_held_and_voided_documents_are_not_in_the_books(world: World) -> None:
    before = books_of(world.company)
    world.life.post_bill(hold=True)
    assert books_of(world.company).spend_by_vendor == before.spend_by_vendor
    bill = world.life.post_bill()
    vendor = bill.vendor
    spent = before.spend_by_vendor.get(vendor, ZERO) + bill.base_amount
    assert books_of(world.company).spend_by_vendor[vendor] == spent
    world.life.void_bill(f"bill|{bill.reference_nbr}")
    assert books_of(world.company).spend_by_vendor == before.spend_by_vendor
    assert books_of(world.company).open_payables == before.open_payables


def test_debit_adjustments_reduce_payables_and_spend(world: World) -> None:
    before = books_of(world.company)
    adjustment = world.life.post_debit_adjustment()
    after = books_of(world.company)
    assert after.open_payables == before.open_payables - adjustment.base_amount
    vendor = adjustment.vendor
    spent = before.spend_by_vendor.get(vendor, ZERO)
    assert after.spend_by_vendor[vendor] == spent - adjustment.base_amount


def test_voided_and_unreleased_payments_are_not_paid(world: World) -> None:
    before = books_of(world.company).paid_by_vendor
    payment = world.life.pay(hold=True)
    assert books_of(world.company).paid_by_vendor == before
    world.life.release_payment(payment.payment_nbr)
    paid = before.get(payment.vendor, ZERO) + payment.base_amount
    assert books_of(world.company).paid_by_vendor[payment.vendor] == paid
    world.life.void_payment(payment.payment_nbr)
    after = books_of(world.company).paid_by_vendor
    assert after == before


def test_income_and_expense_begin_every_year_at_zero(untouched: Company) -> None:
    balances = books_of(untouched).balances
    years: dict[tuple[str, str, str], set[str]] = {}
    for place, balance in balances.items():
        if place.account < "400000":
            continue
        seen = years.setdefault(place[:3], set())
        if place.period[:4] not in seen:
            assert balance.beginning == 0, place
        seen.add(place.period[:4])
    assert any(len(seen) == 2 for seen in years.values())


def test_retained_earnings_take_the_result_of_the_year_before(untouched: Company) -> None:
    balances = books_of(untouched).balances
    for branch in untouched.branches:
        result = sum(
            (
                balance.debit - balance.credit
                for place, balance in balances.items()
                if place.branch == branch and place.account >= "400000" and place.period < "202601"
            ),
            ZERO,
        )
        place = Place(branch, chart.RETAINED_EARNINGS, chart.NO_COST_CENTER, "202601")
        assert balances[place] == Balance(result, ZERO, ZERO, result)
        assert result < 0, "a profit is a credit balance"


def test_balance_sheet_accounts_carry_on_over_the_new_year(untouched: Company) -> None:
    balances = books_of(untouched).balances
    rows = [
        balance
        for place, balance in balances.items()
        if place[:3] == ("HQ", chart.ACCOUNTS_PAYABLE, chart.NO_COST_CENTER)
    ]
    assert len(rows) > 12
    for before, after in itertools.pairwise(rows):
        assert after.beginning == before.ending


# ------------------------------------------------------- the checker itself


def _unbalance(company: Company) -> None:
    next(iter(company.journals.values())).lines[0].base_debit += Decimal("0.01")


def _first(company: Company, status: DocumentStatus) -> Bill:
    return next(bill for bill in company.bills.values() if bill.status is status)


def _wrong_balance(company: Company) -> None:
    _first(company, DocumentStatus.OPEN).balance -= Decimal("0.01")


def _closed_with_balance(company: Company) -> None:
    _first(company, DocumentStatus.CLOSED).base_balance = Decimal("0.01")


def _wrong_base(company: Company) -> None:
    _first(company, DocumentStatus.OPEN).lines[0].base_amount += Decimal("0.01")


def _lost_journal(company: Company) -> None:
    del company.journals[f"AP|{_first(company, DocumentStatus.OPEN).batch_nbr}"]


def _no_reversal(company: Company) -> None:
    _first(company, DocumentStatus.VOIDED).voiding_batch_nbr = None


def _over_applied(company: Company) -> None:
    payment = next(iter(company.payments.values()))
    payment.applications.append(
        Application(
            type=BillType.BILL, reference_nbr="000001", amount=Decimal("1.00"), base_amount=Decimal("1.00")
        )
    )


def _same_note_id(company: Company) -> None:
    first, second, *_ = company.vendors.values()
    first.note_id = second.note_id


def _reused_number(company: Company) -> None:
    key, bill = next(iter(company.bills.items()))
    company.deletions.append(
        Deletion(table="bills", key=key, note_id=f"{bill.note_id}x", deleted_at=company.clock)
    )


def _stamp_in_the_future(company: Company) -> None:
    next(iter(company.vendors.values())).modified_at = company.clock + dt.timedelta(seconds=1)


def _fine_stamp(company: Company) -> None:
    vendor = next(iter(company.vendors.values()))
    vendor.modified_at += dt.timedelta(microseconds=1)


def _out_of_order(company: Company) -> None:
    key = next(iter(company.bills))
    company.bills[key] = company.bills.pop(key)


def _control_account_touched_by_hand(company: Company) -> None:
    manual = next(journal for journal in company.journals.values() if journal.module == "GL")
    manual.lines[0].account = chart.ACCOUNTS_PAYABLE


def _too_much_delivered(company: Company) -> None:
    line = next(iter(company.purchase_orders.values())).lines[0]
    line.quantity_received = line.quantity + 1


def _unknown_account(company: Company) -> None:
    _first(company, DocumentStatus.HOLD).lines[0].account = "999999"


def _odd_scale(company: Company) -> None:
    bill = _first(company, DocumentStatus.OPEN)
    bill.tax_amount = bill.tax_amount.quantize(Decimal("0.1"))


def _blank_behind(company: Company) -> None:
    next(iter(company.vendors.values())).name += " "


def _current_month_closed(company: Company) -> None:
    for period in company.periods.values():
        period.closed = True


@pytest.mark.parametrize(
    "damage",
    [
        _unbalance,
        _wrong_balance,
        _closed_with_balance,
        _wrong_base,
        _lost_journal,
        _no_reversal,
        _over_applied,
        _same_note_id,
        _reused_number,
        _stamp_in_the_future,
        _fine_stamp,
        _out_of_order,
        _control_account_touched_by_hand,
        _too_much_delivered,
        _unknown_account,
        _odd_scale,
        _blank_behind,
        _current_month_closed,
    ],
)
def test_damage_is_noticed(damage: Callable[[Company], None]) -> None:
    company = generate()
    damage(company)
    assert violations(company) != []
