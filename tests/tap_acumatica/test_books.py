"""Plain sums of what the tap emits are what the books say, to the cent, after the company has lived on."""

from __future__ import annotations

import logging
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.company import chart
from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import AccountType
from tests.sandbox.faults import Fault
from tests.tap_acumatica.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.sandbox.company.model import Company
    from tests.singer import Row
    from tests.tap_acumatica.conftest import Instance


BOOKS = (
    "ap_payments",
    "ar_invoices",
    "ar_payments",
    "bills",
    "gl_balances",
    "journal_lines",
    "journal_transactions",
)


def without_zeros(sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {key: value for key, value in sums.items() if value}


def check_books(warehouse: Warehouse, company: Company) -> None:
    books = books_of(company)
    assert warehouse.total("journal_lines", "ledger_debit_amount") == books.debits
    assert warehouse.total("journal_lines", "ledger_credit_amount") == books.credits
    assert warehouse.total("bills", "ledger_balance") == books.open_payables
    assert warehouse.by("bills", "ledger_balance", "vendor") == without_zeros(books.open_payables_by_vendor)
    assert warehouse.by("bills", "ledger_amount", "vendor") == without_zeros(books.spend_by_vendor)
    assert warehouse.by("ap_payments", "ledger_amount", "vendor") == without_zeros(books.paid_by_vendor)
    assert warehouse.total("ar_invoices", "ledger_balance") == books.open_receivables
    open_by_customer = without_zeros(books.open_receivables_by_customer)
    assert warehouse.by("ar_invoices", "ledger_balance", "customer") == open_by_customer
    assert warehouse.by("ar_invoices", "ledger_amount", "customer") == without_zeros(books.sales_by_customer)
    received = without_zeros(books.received_by_customer)
    assert warehouse.by("ar_payments", "ledger_amount", "customer_id") == received
    by_account = {account: turnover.debit for account, turnover in books.by_account.items()}
    assert warehouse.by("journal_lines", "ledger_debit_amount", "account") == without_zeros(by_account)


def natural(company: Company, account: str, balance: Decimal) -> Decimal:
    """Balances as Acumatica shows them: positive on the side where the account type grows."""
    debit_side = company.accounts[account].type in {AccountType.ASSET, AccountType.EXPENSE}
    return balance if debit_side else -balance


BalanceKey = tuple[str, str, str, str]


def active_balances(company: Company) -> dict[BalanceKey, tuple[Decimal, ...]]:
    """Turnover and balance of every period with activity."""
    return {
        (place.branch, place.account, place.cost_center, place.period): (
            balance.debit,
            balance.credit,
            natural(company, place.account, balance.beginning),
            natural(company, place.account, balance.ending),
        )
        for place, balance in books_of(company).balances.items()
    }


def all_balances(company: Company) -> dict[BalanceKey, tuple[Decimal, ...]]:
    """The same for every period that has begun, worked out period by period."""
    active = active_balances(company)
    begun = [code for code, each in company.periods.items() if each.starts_on <= company.clock.date()]
    result = {AccountType.INCOME, AccountType.EXPENSE}
    dense = dict(active)
    for place in {key[:3] for key in active}:
        balance: Decimal | None = None
        year = ""
        for code in begun:
            if balance is not None and company.accounts[place[1]].type in result and code[:4] != year:
                balance = Decimal(0)
            year = code[:4]
            if (*place, code) in active:
                balance = active[*place, code][3]
            elif balance is not None:
                dense[*place, code] = (Decimal(0), Decimal(0), balance, balance)
    return dense


def check_balances(rows: Iterable[Row], company: Company, *, dense: bool = True) -> None:
    expected = all_balances(company) if dense else active_balances(company)
    found = {
        (row["branch"], row["account"], row["subaccount"], row["period"]): (
            row["fin_ptd_debit"],
            row["fin_ptd_credit"],
            row["fin_beg_balance"],
            row["fin_ytd_balance"],
        )
        for row in rows
    }
    retained = chart.RETAINED_EARNINGS
    assert {k: v for k, v in found.items() if k[1] != retained} == {
        k: v for k, v in expected.items() if k[1] != retained
    }


def test_sums_equal_the_books_when_the_company_changed_during_every_run(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(bills=80)
    config = instance.with_(page_size=40)
    warehouse = Warehouse()
    state: dict[str, Any] = {}
    life = instance.world.life
    for _ in range(3):
        for skip in (1, 4, 6, 10, 15):
            instance.script.add(Fault(r"GET .*(Default|odata)", hook=lambda: life.live(4), skip=skip))
        run = run_tap(config, *BOOKS, state=state)
        warehouse.load(run)
        state = run.state
    instance.script.clear()
    life.advance(30)
    warehouse.load(run_tap(config, *BOOKS, state=state))
    check_books(warehouse, instance.company)
    check_balances(warehouse.rows("gl_balances"), instance.company)


def test_no_amount_in_base_currency_is_missing(instance: Instance) -> None:
    run = run_tap(instance.config)
    for stream in ("bills", "bill_lines", "ap_payments", "journal_lines", "purchase_orders"):
        for row in run.rows(stream):
            assert not [
                name for name in row if name.startswith(("base_", "ledger_")) and row[name] is None
            ], row


def test_lines_come_to_their_document_in_base_currency(instance: Instance) -> None:
    run = run_tap(instance.config, "bills", "bill_lines")
    lines: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in run.rows("bill_lines"):
        lines[row["parent_note_id"]] += row["base_amount"]
    for bill in instance.company.bills.values():
        assert lines[bill.note_id] == bill.base_amount - bill.base_tax_amount


def test_debit_adjustments_count_negative_and_voided_and_held_bills_nothing(instance: Instance) -> None:
    instance.world.life.post_bill(hold=True)
    instance.world.life.advance(10)
    rows = {row["note_id"]: row for row in run_tap(instance.config, "bills").rows("bills")}
    checked = set()
    for bill in instance.company.bills.values():
        row = rows[bill.note_id]
        in_books = bill.status in {"open", "closed"}
        assert row["ledger_amount"] == (bill.base_amount * bill.type.sign if in_books else 0)
        assert row["base_amount"] == bill.base_amount
        checked.add((bill.status, bill.type))
    assert len(checked) > 4


def test_lines_alone_get_their_amounts_too(instance: Instance) -> None:
    run = run_tap(instance.config, "bill_lines")
    total = sum(line.base_amount for bill in instance.company.bills.values() for line in bill.lines)
    assert sum(row["base_amount"] for row in run.rows("bill_lines")) == total


def test_amounts_are_asked_for_only_when_there_are_rows_and_columns_that_want_them(
    instance: Instance,
) -> None:
    first = run_tap(instance.config, "bills")
    instance.world.life.advance(60)
    instance.script.clear()
    run_tap(instance.config, "bills", state=first.state)
    assert instance.script.count(r"dac/APRegister\?") == 0
    run = run_tap(instance.with_(base_currency_amounts="none"), "bills", "bill_lines", "journal_lines")
    assert instance.script.count(r"odata/dac/\w+\?") == 0
    assert all(row["base_amount"] is None for row in run.rows("bills"))


def test_amounts_that_the_role_may_not_see_are_null_and_said_once(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.forbidden_dacs = frozenset({"APRegister"})
    config = instance.with_(start_date="2025-01-01T00:00:00Z", window_days=20)
    run = run_tap(config, "bills", "bill_lines")
    assert len(run.rows("bills")) >= len(instance.company.bills)
    assert {(r["base_amount"], r["ledger_amount"], r["released"]) for r in run.rows("bills")} == {
        (None, None, None)
    }
    assert {r["ledger_amount"] for r in run.rows("bill_lines")} == {None}
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len([text for text in warnings if "APRegister" in text]) == 1
    assert run.tap.exit_code == 0


def test_a_bill_that_changed_before_its_amounts_were_read_gets_them_by_key(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(bills=60)
    touched: list[str] = []

    def touch() -> None:
        instance.world.life.advance(5)
        for bill in list(instance.company.bills.values())[:3]:
            bill.modified_at = instance.company.clock
            touched.append(bill.note_id)

    instance.script.add(Fault(r"dac/APRegister\?", hook=touch))
    run = run_tap(instance.config, "bills", "bill_lines")
    rows = {row["note_id"]: row for row in run.rows("bills")}
    bills = {bill.note_id: bill for bill in instance.company.bills.values()}
    assert touched
    for note_id in touched:
        assert rows[note_id]["base_amount"] == bills[note_id].base_amount
    assert instance.script.count(r"NoteID%20eq") == 1
    assert not [row for row in run.rows("bill_lines") if row["base_amount"] is None]


def test_a_server_that_cuts_its_lists_is_followed_to_the_next_page(instance: Instance) -> None:
    instance.switches.dac_page_limit = 25
    warehouse = Warehouse()
    warehouse.load(run_tap(instance.config, *BOOKS))
    check_books(warehouse, instance.company)
    check_balances(warehouse.rows("gl_balances"), instance.company)


def test_the_older_odata_address_works(instance: Instance) -> None:
    instance.switches.new_odata_url = False
    warehouse = Warehouse()
    warehouse.load(run_tap(instance.with_(odata_style="legacy"), *BOOKS))
    check_books(warehouse, instance.company)


# GL balances ------------------------------------------------------------------------------------------------


def test_balances_equal_the_books(instance: Instance) -> None:
    run = run_tap(instance.config, "gl_balances")
    check_balances(run.rows("gl_balances"), instance.company)
    assert {row["ledger"] for row in run.rows("gl_balances")} == {"ACTUAL"}
    for row in run.rows("gl_balances"):
        period = instance.company.periods[row["period"]]
        assert row["period_start_date"] == period.starts_on.isoformat()
        assert row["period_end_date"] == period.ends_on.isoformat()
    assert {row["account_type"] for row in run.rows("gl_balances")} == {
        "Asset",
        "Liability",
        "Income",
        "Expense",
    }


def test_balances_can_be_had_for_periods_with_activity_only(instance: Instance) -> None:
    run = run_tap(instance.with_(gl_balances_dense=False), "gl_balances")
    check_balances(run.rows("gl_balances"), instance.company, dense=False)


def test_every_account_gets_a_balance_of_a_period_that_begins(instance: Instance) -> None:
    warehouse = Warehouse()
    first = run_tap(instance.config, "gl_balances")
    warehouse.load(first)
    before = {row["period"] for row in first.rows("gl_balances")}
    instance.world.life.advance(60 * 24 * 35)
    second = run_tap(instance.config, "gl_balances", state=first.state)
    warehouse.load(second)
    check_balances(warehouse.rows("gl_balances"), instance.company)
    assert {row["period"] for row in second.rows("gl_balances")} > before
    instance.world.life.advance(60)
    assert run_tap(instance.config, "gl_balances", state=second.state).rows("gl_balances") == []


def test_a_cut_between_a_change_and_the_balances_behind_it_loses_none(instance: Instance) -> None:
    instance.switches.history_stamps_carried = False
    config = instance.with_(page_size=20, lookback_seconds=0)
    first = run_tap(config, "gl_balances")
    warehouse = Warehouse()
    warehouse.load(first)
    life = instance.world.life
    life.post_journal().period = "202602"
    life.advance(30)
    instance.script.add(Fault(r"GLHistory.*FinPeriodID%20ge", status=403, times=1))
    cut = run_tap(config, "gl_balances", state=first.state)
    assert cut.rows("gl_balances") == []
    instance.script.clear()
    life.advance(30)
    warehouse.load(run_tap(config, "gl_balances", state=cut.state))
    check_balances(warehouse.rows("gl_balances"), instance.company)


def test_without_the_calendar_balances_come_for_periods_with_activity(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.forbidden_forms = frozenset({"GL201000"})
    run = run_tap(instance.config, "gl_balances")
    check_balances(run.rows("gl_balances"), instance.company, dense=False)
    assert "GL201000" in caplog.text


@pytest.mark.parametrize("carried", [True, False])
def test_a_posting_into_an_earlier_period_moves_all_later_balances(instance: Instance, carried: bool) -> None:  # noqa: FBT001 - a parameter
    instance.switches.history_stamps_carried = carried
    warehouse = Warehouse()
    state: dict[str, Any] = {}
    for events in (0, 60, 30):
        instance.world.life.live(events)
        run = run_tap(instance.config, "gl_balances", state=state)
        state = run.state
        warehouse.load(run)
        check_balances(warehouse.rows("gl_balances"), instance.company)


def test_a_balance_that_moved_without_a_new_stamp_is_read_again(instance: Instance) -> None:
    instance.switches.history_stamps_carried = False
    life = instance.world.life
    warehouse = Warehouse()
    first = run_tap(instance.config, "gl_balances")
    warehouse.load(first)
    life.post_journal().period = "202602"
    life.advance(30)
    second = run_tap(instance.config, "gl_balances", state=first.state)
    warehouse.load(second)
    check_balances(warehouse.rows("gl_balances"), instance.company)
    assert len({row["period"] for row in second.rows("gl_balances")}) > 1


def test_balances_without_a_time_of_change_are_read_whole(instance: Instance) -> None:
    instance.switches.history_has_stamp = False
    run = run_tap(instance.config, "gl_balances")
    assert run.tap.exit_code == 0
    check_balances(run.rows("gl_balances"), instance.company)
    second = run_tap(instance.config, "gl_balances", state=run.state)
    check_balances(second.rows("gl_balances"), instance.company)


def test_balances_can_be_limited_to_periods_branches_and_ledgers(instance: Instance) -> None:
    config = instance.with_(gl_balance_start_period="202601", gl_branches=["EAST"], gl_ledgers=["ACTUAL"])
    rows = run_tap(config, "gl_balances").rows("gl_balances")
    assert rows
    assert {row["branch"] for row in rows} == {"EAST"}
    assert min(row["period"] for row in rows) >= "202601"
    assert run_tap(instance.with_(gl_ledgers=["BUDGET"]), "gl_balances").rows("gl_balances") == []


def test_balances_are_forbidden_with_their_table(instance: Instance) -> None:
    instance.switches.forbidden_dacs = frozenset({"GLHistory"})
    run = run_tap(instance.config, "gl_balances", "bills")
    assert run.tap.exit_code == 0
    assert run.rows("gl_balances") == []


def test_balances_from_the_inquiry_equal_the_books_per_account(instance: Instance) -> None:
    config = instance.with_(gl_balances_source="inquiry", gl_balance_start_period="202604")
    run = run_tap(config, "gl_balances")
    expected: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for place, balance in books_of(instance.company).balances.items():
        if place.period >= "202604":
            expected[place.branch, place.account, place.period] += balance.debit
    found = {(r["branch"], r["account"], r["period"]): r["fin_ptd_debit"] for r in run.rows("gl_balances")}
    assert {key: value for key, value in found.items() if value} == {k: v for k, v in expected.items() if v}
    assert run.bookmark("gl_balances")["completed_at"]
    branches, periods = len(instance.company.branches), 3
    assert instance.script.count("PUT .*AccountSummaryInquiry") == branches * periods


def test_a_wrong_ledger_of_the_inquiry_is_named(instance: Instance) -> None:
    config = instance.with_(
        gl_balances_source="inquiry",
        gl_balance_start_period="202606",
        gl_ledgers=["NOPE"],
        gl_branches=["HQ"],
    )
    run = run_tap(config, "gl_balances")
    assert run.tap.exit_code == 1
    assert "Ledger" in next(iter(run.tap.chosen.values())).feed.reason
