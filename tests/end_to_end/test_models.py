"""The models of meltano.yml, made of what the real taps read: their sums are the company's books, to the cent."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.company import chart
from tests.sandbox.company.books import IN_THE_BOOKS, books_of
from tests.sandbox.epicor_kinetic import COMPANIES
from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.syspro import COMPANIES as SYSPRO_COMPANIES
from tests.target_tableau.support import Extracts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.company.books import Books
    from tests.sandbox.company.model import Company

from tests.end_to_end.pipeline import Pipeline, Sums, without_zeros


def live(pipeline: Pipeline, *, then_quiet: bool = True) -> Books:
    """Load, let the company live on, load what has changed, and see that a quiet run writes nothing."""
    pipeline.go()
    pipeline.world.life.live(60)
    pipeline.world.life.advance(30)
    assert pipeline.go()
    if then_quiet:
        assert pipeline.go() == []
    for model in pipeline.models():
        unresolved = Extracts(pipeline.folder / pipeline.source).rows(
            model, "SELECT DISTINCT unresolved FROM {t} WHERE unresolved IS NOT NULL"
        )
        assert unresolved == [], model
    return books_of(pipeline.world.company)


def names_of_vendors(company: Company) -> dict[str, str]:
    return {vendor.code: vendor.name for vendor in company.vendors.values()}


def turnovers(books: Books) -> Sums:
    """Debit, credit and their difference by branch, account, cost centre and period."""
    return {
        tuple(place): (balance.debit, balance.credit, balance.debit - balance.credit)
        for place, balance in books.balances.items()
        if balance.debit or balance.credit
    }


def endings(books: Books) -> Sums:
    """Ending balances where something was posted; retained earnings are carried in other ways by every ERP."""
    return {
        tuple(place): balance.ending
        for place, balance in books.balances.items()
        if place.account != chart.RETAINED_EARNINGS and balance.ending
    }


def bill_lines_by_vendor(company: Company) -> Sums:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for bill in company.bills.values():
        if bill.status in IN_THE_BOOKS:
            for line in bill.lines:
                sums[bill.vendor] += line.base_amount * bill.type.sign
    return without_zeros(sums)


def test_the_models_of_acumatica_come_to_the_books(on_acumatica: Pipeline) -> None:
    books = live(on_acumatica)
    company, sums = on_acumatica.world.company, on_acumatica.sums
    names = names_of_vendors(company)
    assert sums("ap_bills", "vendor", "SUM(ledger_amount)") == without_zeros(books.spend_by_vendor)
    assert sums("ap_bills", "vendor_name", "SUM(ledger_balance)") == without_zeros(
        {names[vendor]: due for vendor, due in books.open_payables_by_vendor.items()}
    )
    assert sums("ap_bill_details", "vendor", "SUM(ledger_amount)") == bill_lines_by_vendor(company)
    assert sums("ap_payment_register", "vendor", "SUM(ledger_amount)") == without_zeros(books.paid_by_vendor)
    by_place = sums(
        "gl_detail",
        "branch_id, account, subaccount, post_period",
        "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount)",
    )
    assert by_place == turnovers(books)
    assert set(sums("gl_detail", "account_name", "COUNT(*)")) == {
        company.accounts[account].name for account in books.by_account
    }
    place = "branch, account, subaccount, period"
    posted = sums("gl_period_balances", place, "SUM(fin_ptd_debit), SUM(fin_ptd_credit), SUM(amount)")
    assert posted == turnovers(books)
    ending = sums("gl_period_balances", place, "SUM(ending_balance)")
    assert {key: ending.get(key) for key in endings(books)} == endings(books)
    open_today = sums("open_payables_daily", "vendor", "SUM(ledger_balance)")
    assert open_today == without_zeros(books.open_payables_by_vendor)


@pytest.mark.soak
def test_the_models_of_sage_intacct_come_to_the_books(on_sage_intacct: Pipeline) -> None:
    books = live(on_sage_intacct)
    company, sums = on_sage_intacct.world.company, on_sage_intacct.sums
    names = names_of_vendors(company)
    spend: defaultdict[str, Decimal] = defaultdict(Decimal)
    due: defaultdict[str, Decimal] = defaultdict(Decimal)
    for model in ("ap_bills", "ap_adjustment_register"):
        for vendor, (amount, balance) in sums(
            model, "vendorid", "SUM(ledger_amount), SUM(ledger_due)"
        ).items():
            spend[vendor] += amount
            due[vendor] += balance
    assert without_zeros(spend) == without_zeros(books.spend_by_vendor)
    assert without_zeros(due) == without_zeros(books.open_payables_by_vendor)
    assert sums("ap_payment_register", "vendor_name", "SUM(ledger_amount)") == without_zeros(
        {names[vendor]: paid for vendor, paid in books.paid_by_vendor.items()}
    )
    by_place = sums(
        "gl_detail",
        "locationid, accountno, departmentid, TO_CHAR(batch_date,'YYYYMM')",
        "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount_debit_positive)",
    )
    assert by_place == turnovers(books)
    posted = sums(
        "gl_period_balances",
        "locationid, accountno, departmentid, TO_CHAR(period_start,'YYYYMM')",
        "SUM(totdebit), SUM(totcredit), SUM(movement)",
    )
    assert posted == turnovers(books)


def by_place(sums: Sums, branches: Mapping[Any, str]) -> Sums:
    """Sums by company, account, cost centre, year and month, by the places of the books; no cost centre is zeros."""
    return {
        (branches[company], account, center or chart.NO_COST_CENTER, f"{year}{month:02d}"): value
        for (company, account, center, year, month), value in sums.items()
    }


@pytest.mark.soak
def test_the_models_of_exact_online_come_to_the_books(on_exact_online: Pipeline) -> None:
    books = live(on_exact_online)
    company, sums = on_exact_online.world.company, on_exact_online.sums
    names = names_of_vendors(company)
    branches = {division: branch for branch, division in DIVISIONS.items()}
    assert sums("ap_bills", "vendor_code", "SUM(ledger_amount)") == without_zeros(books.spend_by_vendor)
    assert sums("ap_bill_details", "vendor_code", "SUM(ledger_amount)") == bill_lines_by_vendor(company)
    paid = sums("payment_register", "party_code", "SUM(amount)")
    suppliers = {code: amount for code, amount in paid.items() if code in names}
    assert suppliers == without_zeros(books.paid_by_vendor)
    place = "division, gl_account_code, cost_center, financial_year, financial_period"
    posted = "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount)"
    assert by_place(sums("gl_detail", place, posted), branches) == turnovers(books)
    names_of_accounts = {company.accounts[account].name for account in books.by_account}
    assert set(sums("gl_detail", "gl_account_name", "COUNT(*)")) == names_of_accounts
    place = "division, gl_account_code, cost_center_code, reporting_year, reporting_period"
    posted = "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount_debit_positive)"
    assert by_place(sums("gl_period_balances", place, posted), branches) == turnovers(books)
    open_today = sums("open_payables_daily", "party_code", "SUM(ledger_payable)")
    assert open_today == without_zeros(books.open_payables_by_vendor)
    owed: defaultdict[str, Decimal] = defaultdict(Decimal)  # Exact has one code for a customer and a supplier
    for customer, amount in books.open_receivables_by_customer.items():
        owed[company.customers[customer].name] += amount
    owed_today = sums("open_receivables_daily", "party_name", "SUM(ledger_receivable)")
    assert owed_today == without_zeros(owed)
    assert sums("purchase_order_details", "supplier_code", "SUM(amount_fc)") == ordered_by_vendor(company)


@pytest.mark.soak
def test_the_models_of_epicor_kinetic_come_to_the_books(on_epicor_kinetic: Pipeline) -> None:
    books = live(on_epicor_kinetic, then_quiet=False)
    company, sums = on_epicor_kinetic.world.company, on_epicor_kinetic.sums
    names = names_of_vendors(company)
    assert sums("ap_bills", "vendor_id", "SUM(ledger_amount)") == without_zeros(books.spend_by_vendor)
    assert sums("ap_bills", "vendor_name", "SUM(ledger_balance)") == without_zeros(
        {names[vendor]: due for vendor, due in books.open_payables_by_vendor.items()}
    )
    assert sums("ap_bill_details", "vendor_id", "SUM(ledger_amount)") == bill_lines_by_vendor(company)
    paid = sums("ap_payment_register", "vendor_id", "SUM(ledger_amount)")
    assert paid == without_zeros(books.paid_by_vendor)
    place = "company, seg_value1, seg_value2, fiscal_year, fiscal_period"
    posted = "SUM(book_debit_amount), SUM(book_credit_amount), SUM(amount)"
    assert by_place(sums("gl_detail", place, posted), COMPANIES) == turnovers(books)
    names_of_accounts = {company.accounts[account].name for account in books.by_account}
    assert set(sums("gl_detail", "natural_account_name", "COUNT(*)")) == names_of_accounts
    posted = "SUM(debit_amt), SUM(credit_amt), SUM(amount)"
    assert by_place(sums("gl_account_balances", place, posted), COMPANIES) == turnovers(books)
    open_today = sums("open_payables_daily", "vendor_id", "SUM(ledger_balance)")
    assert open_today == without_zeros(books.open_payables_by_vendor)
    owed_today = sums("open_receivables_daily", "customer_id", "SUM(ledger_balance)")
    assert owed_today == without_zeros(books.open_receivables_by_customer)
    assert sums("purchase_order_details", "vendor_id", "SUM(doc_ext_cost)") == ordered_by_vendor(company)


@pytest.mark.soak
def test_the_models_of_syspro_come_to_the_books(on_syspro: Pipeline) -> None:
    books = live(on_syspro, then_quiet=False)
    company, sums = on_syspro.world.company, on_syspro.sums
    assert sums("ap_bills", "supplier", "SUM(ledger_amount)") == padded(books.spend_by_vendor)
    # what is left of a part-paid document in foreign currency is worked out by its rate, to the cent
    open_payables = padded(books.open_payables_by_vendor)
    assert_close(sums("ap_bills", "supplier", "SUM(ledger_balance)"), open_payables)
    assert_close(sums("open_payables_daily", "supplier", "SUM(ledger_balance)"), open_payables)
    paid = sums("ap_payment_register", "supplier", "SUM(amount_paid)")
    assert_close(paid, padded(books.paid_by_vendor))
    place = "_company, segment_account, segment_cost_center, gl_year, gl_period"
    posted = "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount)"
    assert by_place(sums("gl_detail", place, posted), SYSPRO_COMPANIES) == turnovers(books)
    assert set(sums("gl_detail", "account_name", "COUNT(*)")) == {
        company.accounts[account].name for account in books.by_account
    }
    place = "_company, segment_account, segment_cost_center, gl_year, period"
    ending = by_place(sums("gl_period_balances", place, "SUM(closing_balance)"), SYSPRO_COMPANIES)
    assert {key: ending.get(key) for key in endings(books)} == endings(books)
    owed = padded(books.open_receivables_by_customer)
    assert_close(sums("open_receivables_daily", "customer", "SUM(ledger_balance)"), owed)
    ordered: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in company.purchase_orders.values():
        ordered[order.vendor] += order.total * order.rate
    assert_close(sums("purchase_order_details", "supplier", "SUM(ordered_amount)"), padded(ordered))


def ordered_by_vendor(company: Company) -> Sums:
    """What the lines of purchase orders come to, in the currencies of the orders."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in company.purchase_orders.values():
        sums[order.vendor] += order.total
    return without_zeros(sums)


def padded(sums: Sums) -> Sums:
    """Codes of digits alone are filled with zeros to fifteen."""
    return {key.zfill(15) if key.isdecimal() else key: value for key, value in without_zeros(sums).items()}


def assert_close(found: Sums, expected: Sums) -> None:
    for key in {*found, *expected}:
        assert abs(found.get(key, Decimal(0)) - expected.get(key, Decimal(0))) <= Decimal("0.05"), key
