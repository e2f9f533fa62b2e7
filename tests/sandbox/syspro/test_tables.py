from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import AccountType, BillType, DocumentStatus
from tests.sandbox.company.money import ZERO, cents
from tests.sandbox.syspro import COMPANIES
from tests.sandbox.syspro.app import create_app
from tests.sandbox.syspro.database import _MAKERS
from tests.sandbox.syspro.schema import TABLES, VIEWS
from tests.sandbox.syspro.view import padded, payable_number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.sandbox.syspro.app import SysproSite
    from tests.sandbox.syspro.visitor import Visitor

Rows = list[dict[str, Any]]
_RESULT = {AccountType.INCOME, AccountType.EXPENSE}


@pytest.fixture
def site(visitor: Visitor) -> SysproSite:
    return visitor.app


def everywhere(site: SysproSite, name: str) -> Rows:
    return [row for company_id in COMPANIES for row in site.table(company_id, name)]


def total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)


def local(row: dict[str, Any], value: Decimal, prefix: str = "") -> Decimal:
    rate, mul_div = row[f"{prefix}ConvRate"], row[f"{prefix}MulDiv"]
    return cents(value * rate if mul_div == "M" else value / rate)


def test_every_table_has_rows_and_unique_keys(visitor: Visitor, site: SysproSite) -> None:
    for _ in range(10):  # some of each company's
        visitor.world.life.cancel_sales_order(visitor.world.life.post_sales_order().order_nbr)
    assert set(_MAKERS) == {*TABLES, *VIEWS}
    for company_id in COMPANIES:
        for name, table in TABLES.items():
            rows = site.table(company_id, name)
            assert rows or name == "SorChanges", name  # a log that is switched off here
            assert len({tuple(row[key] for key in table.keys) for row in rows}) == len(rows), name


# ------------------------------------------------------------------ the books


def test_the_ledger_agrees_with_the_books_to_the_cent(visitor: Visitor, site: SysproSite) -> None:
    visitor.world.life.live(60)
    books = books_of(visitor.world.company)
    rows = everywhere(site, "GenTransaction")
    assert total(row["EntryValue"] for row in rows if row["EntryValue"] > 0) == books.debits
    assert total(row["EntryValue"] for row in rows) == 0
    by_account: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in rows:
        by_account[row["GlCode"].partition("-")[0]] += row["EntryValue"]
    assert dict(by_account) == {account: turnover.net for account, turnover in books.by_account.items()}


def test_open_items_by_partner_follow_from_the_control_accounts(visitor: Visitor, site: SysproSite) -> None:
    visitor.world.life.live(60)
    books = books_of(visitor.world.company)
    owed: dict[str, Decimal] = defaultdict(lambda: ZERO)
    due: dict[str, Decimal] = defaultdict(lambda: ZERO)
    open_by_document: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for row in everywhere(site, "GenTransaction"):
        if row["GlCode"].startswith("020000"):
            owed[row["SubModSupplier"]] -= row["EntryValue"]
            open_by_document[row["SubModSupplier"], row["SubModApInvoice"]] -= row["EntryValue"]
        if row["GlCode"].startswith("011000"):
            due[row["SubModCustomer"]] += row["EntryValue"]
    assert {
        code: owed[padded(code)] for code in books.open_payables_by_vendor
    } == books.open_payables_by_vendor
    expected = books.open_receivables_by_customer
    assert {code: due[padded(code)] for code in expected} == expected
    for bill in visitor.world.company.bills.values():
        if bill.status is not DocumentStatus.HOLD:
            balance = open_by_document[padded(bill.vendor), payable_number(bill)]
            assert balance == bill.base_balance * bill.type.sign


def test_documents_agree_with_the_company(visitor: Visitor, site: SysproSite) -> None:
    visitor.world.life.live(80)
    company = visitor.world.company
    rows = {(row["Supplier"], row["Invoice"]): row for row in everywhere(site, "ApInvoice")}
    released = [bill for bill in company.bills.values() if bill.status is not DocumentStatus.HOLD]
    assert len(rows) == len(released)
    for bill in released:
        row = rows[padded(bill.vendor), payable_number(bill)]
        assert row["MthInvBal1"] == bill.balance * bill.type.sign
        assert row["OrigInvValue"] == bill.amount * bill.type.sign
        assert (row["YearInvBalZero"] == 0) == bool(bill.balance)
        assert row["InvoiceStatus"] == (
            "9" if not bill.balance else "1" if bill.balance < bill.amount else " "
        )
        voided = bill.status is DocumentStatus.VOIDED
        assert row["TotalAdjustments"] == (-row["OrigInvValue"] if voided else 0)
    for row in everywhere(site, "ArInvoice"):
        invoice = company.sales_invoices[row["Invoice"]]
        assert row["InvoiceBal1"] == invoice.balance * invoice.type.sign
        assert row["DocumentType"] == ("I" if invoice.type.sign > 0 else "C")


def test_spend_and_sales_agree_with_the_books_to_the_cent(visitor: Visitor, site: SysproSite) -> None:
    visitor.world.life.live(80)
    books = books_of(visitor.world.company)
    spend: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in everywhere(site, "ApInvoice"):
        spend[row["Supplier"]] += local(row, row["OrigInvValue"] + row["TotalAdjustments"])
    assert {code: spend[padded(code)] for code in books.spend_by_vendor} == books.spend_by_vendor
    for name, columns in (
        ("ArTrnSummary", ("MerchandiseValue", "TaxValue")),
        ("ArTrnDetail", ("NetSalesValue", "TaxValue")),
    ):
        sales: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for row in everywhere(site, name):
            sales[row["Customer"]] += total(row[column] for column in columns)
        assert {code: sales[padded(code)] for code in books.sales_by_customer} == books.sales_by_customer


def test_entries_add_up_to_the_balance(visitor: Visitor, site: SysproSite) -> None:
    visitor.world.life.live(80)
    for invoices, payments, original, balance, key in (
        ("ApInvoice", "ApInvoicePay", "OrigInvValue", "MthInvBal1", ("Supplier", "Invoice")),
        ("ArInvoice", "ArInvoicePay", "CurrencyValue", "InvoiceBal1", ("Customer", "Invoice")),
    ):
        entered: dict[tuple[str, ...], Decimal] = defaultdict(lambda: ZERO)
        for row in everywhere(site, payments):
            entered[tuple(row[each] for each in key)] += row["TrnValue"]
        for row in everywhere(site, invoices):
            assert row[original] + entered[tuple(row[each] for each in key)] == row[balance]


def test_masters_and_history_agree_with_the_ledger(site: SysproSite) -> None:
    for company_id in COMPANIES:
        masters = {row["GlCode"]: row for row in site.table(company_id, "GenMaster")}
        moved: dict[tuple[str, int, int], Decimal] = defaultdict(lambda: ZERO)
        for row in site.table(company_id, "GenTransaction"):
            assert row["GlCode"] in masters
            moved[row["GlCode"], row["GlYear"], row["GlPeriod"]] += row["EntryValue"]
        closing: dict[int, Decimal] = defaultdict(lambda: ZERO)
        for row in site.table(company_id, "GenHistory"):
            before = row["BeginYearBalance"]
            for period in range(1, 16):
                ending = row[f"ClosingBalPer{period}"]
                if (row["GlYear"], period) > (2026, 6):
                    assert ending == 0
                    continue
                is_carried = row["GlCode"] == "032000-000000"
                assert ending - before == (
                    0 if is_carried else moved.pop((row["GlCode"], row["GlYear"], period), ZERO)
                )
                before = ending
            closing[row["GlYear"]] += row["ClosingBalPer6"]
            if row["GlYear"] == 2026:
                assert masters[row["GlCode"]]["CurrentBalance"] == row["ClosingBalPer6"]
                assert masters[row["GlCode"]]["PrevPerEndBal"] == row["ClosingBalPer5"]
        assert not moved
        assert dict(closing) == {2025: 0, 2026: 0}


def test_unposted_journals_are_in_the_details_and_not_in_the_ledger(
    visitor: Visitor, site: SysproSite
) -> None:
    visitor.world.life.hold_journal()
    details = everywhere(site, "GenJournalDetail")
    assert {row["EntryPosted"] for row in details} == {"Y", "N"}
    signed = [
        row["EntryValue"] * (1 if row["EntryType"] == "D" else -1)
        for row in details
        if row["EntryPosted"] == "Y"
    ]
    assert min(row["EntryValue"] for row in details) >= 0
    assert sorted(signed) == sorted(row["EntryValue"] for row in everywhere(site, "GenTransaction"))


def test_analysis_entries_join_their_journal_lines(visitor: Visitor, site: SysproSite) -> None:
    life, company = visitor.world.life, visitor.world.company
    orders = [life.post_sales_order() for _ in range(20)]
    for order in orders:
        life.ship_sales_order(order.order_nbr)
    for company_id in COMPANIES:
        lines = {row["AnalysisEntry"]: row for row in site.table(company_id, "GenJournalDetail")}
        entries = site.table(company_id, "GenAnalysisTrn")
        assert {row["AnalysisEntry"] for row in entries} == lines.keys() - {0}
        for row in entries:
            assert abs(row["EntryValue"]) == lines[row["AnalysisEntry"]]["EntryValue"]
    used = {row["AnalysisCode1"] for row in everywhere(site, "GenAnalysisTrn")}
    assert {order.project for order in orders if order.project} <= used <= company.projects.keys()


def test_balances_of_three_periods_shift_when_a_month_is_over(visitor: Visitor, site: SysproSite) -> None:
    def balances() -> dict[tuple[str, str], tuple[Decimal, Decimal, Decimal]]:
        return {
            (row["Supplier"], row["Invoice"]): (row["MthInvBal1"], row["MthInvBal2"], row["MthInvBal3"])
            for row in everywhere(site, "ApInvoice")
        }

    before = balances()
    assert len({values[0] != values[1] for values in before.values()}) == 2
    visitor.world.life.advance(60 * 24 * 2)  # into July
    assert balances() == {key: (values[0], values[0], values[1]) for key, values in before.items()}


def test_an_invoice_of_last_quarter_paid_today_changes_nothing_but_its_balance(
    visitor: Visitor, site: SysproSite
) -> None:
    life = visitor.world.life
    company = visitor.world.company
    bill = next(
        bill
        for bill in company.bills.values()
        if bill.status is DocumentStatus.OPEN
        and bill.type is BillType.BILL
        and bill.date < dt.date(2026, 6, 1)
    )
    company_id = next(each for each, branch in COMPANIES.items() if branch == bill.branch)
    key = (padded(bill.vendor), payable_number(bill))

    def row() -> dict[str, Any]:
        rows = site.table(company_id, "ApInvoice")
        return next(each for each in rows if (each["Supplier"], each["Invoice"]) == key)

    before = row()
    life.pay_bill(f"{bill.type}|{bill.reference_nbr}")
    after = row()
    sold = next(each for each in company.sales_invoices.values() if each.status is DocumentStatus.OPEN)
    life.receive_for(sold.invoice_nbr)
    assert sold.balance == 0
    assert after["InvoiceDate"] == before["InvoiceDate"] == bill.date
    assert (after["MthInvBal1"], after["YearInvBalZero"], after["MonthInvBalZero"]) == (0, 2026, 6)
    assert after["TimeStamp"] > before["TimeStamp"]


# ------------------------------------------------------------- stock and orders


def test_stock_stands_in_the_company_of_its_warehouse(visitor: Visitor, site: SysproSite) -> None:
    for company_id, warehouse in (("EDU1", "MAIN"), ("EDU2", "OST")):
        rows = site.table(company_id, "InvWarehouse")
        assert {row["Warehouse"] for row in rows} == {warehouse}
        for row in rows:
            level = visitor.world.company.stock[f"{row['StockCode']}|{warehouse}"]
            assert row["QtyOnHand"] == level.quantity
        assert {row["Warehouse"] for row in site.table(company_id, "InvMovements")} == {warehouse}


def test_a_receipt_is_a_movement_and_raises_the_stock(visitor: Visitor, site: SysproSite) -> None:
    def read() -> tuple[dict[str, Decimal], int]:
        rows = site.table("EDU1", "InvWarehouse")
        return {row["StockCode"]: row["QtyOnHand"] for row in rows}, len(site.table("EDU1", "InvMovements"))

    life = visitor.world.life
    stock, count = read()
    orders = [life.post_purchase_order() for _ in range(12)]
    for order in orders:
        life.post_bill_for_order(order.order_nbr)
    after, _ = read()
    raised = {item: after[item] - stock[item] for item in stock if after[item] != stock[item]}
    newest = sorted(site.table("EDU1", "InvMovements"), key=lambda row: row["TimeStamp"])[count:]
    moved: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in newest:
        moved[row["StockCode"]] += row["TrnQty"]
    assert raised
    assert dict(moved) == raised


def test_order_statuses(visitor: Visitor, site: SysproSite) -> None:
    visitor.world.life.cancel_sales_order(visitor.world.life.post_sales_order().order_nbr)
    visitor.world.life.post_sales_order(hold=True)
    visitor.world.life.post_sales_order()
    visitor.world.life.post_purchase_order()
    visitor.world.life.cancel_purchase_order(visitor.world.life.post_purchase_order().order_nbr)
    sales = {row["OrderStatus"] for row in everywhere(site, "SorMaster")}
    assert {"\\", "S", "9", "1"} <= sales
    assert sales <= {"\\", "S", "9", "1", "2"}
    purchases = {row["OrderStatus"] for row in everywhere(site, "PorMasterHdr")}
    assert {"*", "9", "1"} <= purchases
    assert purchases <= {"*", "0", "9", "1", "4"}
    numbers = {row["PurchaseOrder"] for row in everywhere(site, "PorMasterHdr")}
    assert numbers == {row["PurchaseOrder"] for row in everywhere(site, "PorMasterDetail")}
    assert all(len(number) == 15 for number in numbers)


def test_no_column_says_when_a_row_was_changed(site: SysproSite) -> None:
    for table in TABLES.values():
        assert not {"LastModified", "PostDate", "ModifiedDate"} & (
            table.places.keys() - ({"PostDate"} if table.name == "GenJournalCtl" else set())
        )
    assert "DueDate" not in TABLES["ArInvoice"].places
    assert site.switches.time_stamp == "base64"


# ------------------------------------------------------------------- switches


def test_purged_rows_vanish_and_open_documents_stay(visitor: Visitor, site: SysproSite) -> None:
    before = {name: everywhere(site, name) for name in TABLES}
    visitor.switches.purged_before = dt.date(2026, 4, 1)
    for name, column in (
        ("GenTransaction", "JnlDate"),
        ("GenJournalDetail", "EntryDate"),
        ("InvMovements", "EntryDate"),
        ("ArTrnDetail", "InvoiceDate"),
    ):
        kept = [row for row in before[name] if row[column] >= visitor.switches.purged_before]
        assert everywhere(site, name) == kept
        assert len(kept) < len(before[name])
    invoices = everywhere(site, "ApInvoice")
    assert [row for row in before["ApInvoice"] if row["MthInvBal1"]] == [
        row for row in invoices if row["MthInvBal1"]
    ]
    assert len(invoices) < len(before["ApInvoice"])
    numbers = {(row["Supplier"], row["Invoice"]) for row in invoices}
    assert {(row["Supplier"], row["Invoice"]) for row in everywhere(site, "ApInvoicePay")} <= numbers
    assert len(everywhere(site, "ApSupplier")) == len(before["ApSupplier"])


def test_one_database_can_hold_the_ledger_of_all_companies(visitor: Visitor, site: SysproSite) -> None:
    apart = {name: everywhere(site, name) for name in ("GenTransaction", "GenMaster", "GenHistory")}
    visitor.switches.gl_in_first_company = True
    for name, rows in apart.items():
        together = site.table("EDU1", name)
        assert {row["Company"] for row in together} == {"EDU1", "EDU2"}
        assert len(together) == len(rows)
        assert site.table("EDU2", name) == []
    details = site.table("EDU1", "GenJournalDetail")
    assert {row["Company"] for row in details} == {"", "EDU2"}
    keys = [(row["GlYear"], row["GlPeriod"], row["Journal"], row["EntryNumber"]) for row in details]
    assert len(set(keys)) == len(keys)


def test_order_numbers_with_blanks_in_front(visitor: Visitor, site: SysproSite) -> None:
    zeros = [row["PurchaseOrder"] for row in site.table("EDU1", "PorMasterHdr")]
    visitor.switches.orders_padded_with_blanks = True
    rows = visitor.rows("PorMasterHdr", orderby="PurchaseOrder")
    assert [row["PurchaseOrder"] for row in rows] == [number.lstrip("0").rjust(15) for number in zeros]
    found = visitor.rows("PorMasterHdr", filter=f"PurchaseOrder eq '{rows[0]['PurchaseOrder']}'")
    assert [row["PurchaseOrder"] for row in found] == [rows[0]["PurchaseOrder"]]
    session = visitor.session()
    order = "<OrderBy><Column>PurchaseOrder</Column></OrderBy>"
    texts = visitor.found(session, "PorMasterHdr", ("PurchaseOrder",), order)
    assert [each["PurchaseOrder"] for each in texts] == [row["PurchaseOrder"] for row in rows]


def test_rates_to_divide_by(visitor: Visitor, site: SysproSite) -> None:
    before = {(row["Supplier"], row["Invoice"]): row for row in everywhere(site, "ApInvoice")}
    visitor.switches.divided_currencies = frozenset({"EUR"})
    rows = everywhere(site, "ApInvoice")
    assert {row["MulDiv"] for row in rows if row["Currency"] == "EUR"} == {"D"}
    assert {row["MulDiv"] for row in rows if row["Currency"] != "EUR"} == {"M"}
    for row in rows:
        was = local(before[row["Supplier"], row["Invoice"]], row["OrigInvValue"])
        assert abs(local(row, row["OrigInvValue"]) - was) <= abs(was) * Decimal("0.000001") + Decimal("0.01")


def test_row_versions_outlive_the_process_and_not_a_restore(visitor: Visitor, tmp_path: Path) -> None:
    def stamps(site: SysproSite) -> dict[tuple[str, str], Any]:
        rows = everywhere(site, "ApInvoice")
        return {(row["Supplier"], row["Invoice"]): row["TimeStamp"] for row in rows}

    world = visitor.world
    first = stamps(create_app(world, directory=tmp_path))
    world.life.pay()
    second = stamps(create_app(world, directory=tmp_path))
    changed = {key for key in second if second[key] != first.get(key)}
    assert 0 < len(changed) < len(second)
    again = create_app(world, directory=tmp_path)
    assert stamps(again) == second
    again.restore_elsewhere()
    assert max(stamps(again).values()) < min(first.values())
