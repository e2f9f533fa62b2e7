"""The sums of what the site shows, over both divisions, are the company's books to the cent."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.company.books import books_of
from tests.sandbox.company.chart import RETAINED_EARNINGS
from tests.sandbox.exact_online import DIVISIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.books import Books
    from tests.sandbox.exact_online.visitor import Json, Visitor

_EVER = "Modified ge datetime'1900-01-01T00:00:00'"


def _money(value: object) -> Decimal:
    return Decimal(str(value))


def _sums(rows: list[Json], key: str, amount: str = "AmountDC") -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row[key]] += _money(row[amount])
    return dict(sums)


def _by_partner(visitor: Visitor, rows: list[Json], key: str) -> dict[str, Decimal]:
    """Sums by the company's own code: a partner has another guid in each division. Nothing is left out as zero."""
    partners = _partners(visitor)
    sums = _sums([{"code": partners[row[key]], "AmountDC": row["AmountDC"]} for row in rows], "code")
    return _filled(sums)


def _filled(sums: dict[str, Decimal]) -> dict[str, Decimal]:
    return {code: amount for code, amount in sums.items() if amount}


@pytest.fixture
def lived(stranger: Visitor) -> Visitor:
    """A company in which everything has happened: drafts, voids, credit notes, payments in part."""
    life = stranger.world.life
    stranger.site.switches.minute_limit = 1000
    life.live(80)
    life.post_bill(hold=True, branch="HQ")
    life.void_bill()
    life.post_debit_adjustment()
    life.pay(in_full=False)
    life.void_payment()
    life.post_invoice(hold=True)
    life.void_invoice()
    life.post_credit_memo()
    life.hold_journal()
    return stranger.sign_in()


@pytest.fixture
def books(lived: Visitor) -> Books:
    return books_of(lived.world.company)


def _everywhere(visitor: Visitor, path: str, **options: str) -> list[Json]:
    def divisions() -> Iterator[Json]:
        for division in DIVISIONS.values():
            visitor.division = division
            for row in visitor.rows(path, **options):
                yield {**row, "_division": division}

    return list(divisions())


def _partners(visitor: Visitor) -> dict[str, str]:
    rows = _everywhere(visitor, "sync/CRM/Accounts", select="ID,SearchCode")
    return {row["ID"]: row["SearchCode"] for row in rows}


def test_transaction_lines_are_the_ledger(lived: Visitor, books: Books) -> None:
    rows = [row for row in _everywhere(lived, "sync/Financial/TransactionLines") if row["Status"] == 50]
    by_account = _sums(rows, "GLAccountCode")
    assert by_account == {code: turnover.net for code, turnover in books.by_account.items()}
    debits = sum((_money(row["AmountDC"]) for row in rows if row["AmountDC"] > 0), Decimal(0))
    assert debits == books.debits
    assert set(_sums(rows, "EntryID").values()) == {Decimal(0)}
    assert {0, 9999} < {row["LineNumber"] for row in rows}


def test_lines_that_are_not_posted_are_open(lived: Visitor) -> None:
    rows = _everywhere(lived, "sync/Financial/TransactionLines", select="Status,JournalCode")
    assert {row["JournalCode"] for row in rows if row["Status"] == 20} == {"90"}


def test_entries_of_purchase_add_up_to_the_spend(lived: Visitor, books: Books) -> None:
    select = "EntryID,Supplier,Status,AmountDC,VATAmountDC,PurchaseEntryLines/AmountDC"
    rows = _everywhere(
        lived,
        "purchaseentry/PurchaseEntries",
        select=select,
        expand="PurchaseEntryLines",
        filter="Status eq 50",
    )
    assert _by_partner(lived, rows, "Supplier") == _filled(books.spend_by_vendor)
    for row in rows:
        lines = sum((_money(line["AmountDC"]) for line in row["PurchaseEntryLines"]["results"]), Decimal(0))
        assert lines + _money(row["VATAmountDC"]) == _money(row["AmountDC"])
    invoices = _everywhere(lived, "purchase/PurchaseInvoices", select="*", filter="Status eq 50")
    assert _sums(invoices, "Supplier") == _sums(rows, "Supplier")
    drafts = _everywhere(lived, "purchase/PurchaseInvoices", select="EntryNumber", filter="Status eq 10")
    assert {row["EntryNumber"] for row in drafts} == {None}


def test_entries_and_invoices_of_sales_add_up_to_the_sales(lived: Visitor, books: Books) -> None:
    entries = _everywhere(lived, "salesentry/SalesEntries", select="*", filter="Status eq 50")
    assert _by_partner(lived, entries, "Customer") == _filled(books.sales_by_customer)
    rows = _everywhere(lived, "sync/SalesInvoice/SalesInvoices")
    for name in ("AmountDC", "AmountFC"):
        heads = _sums([row for row in rows if row["LineNumber"] == 0], "InvoiceID", name)
        assert heads == _sums([row for row in rows if row["LineNumber"] > 0], "InvoiceID", name)
    booked = [row for row in rows if row["LineNumber"] == 0 and row["Status"] == 50]
    assert _sums(booked, "OrderedBy") == _sums(entries, "Customer")
    plain = _everywhere(lived, "salesinvoice/SalesInvoices", select="*", filter=f"Status eq 50 and {_EVER}")
    assert _sums(plain, "OrderedBy") == _sums(entries, "Customer")


def test_open_terms_are_open_payables_and_receivables(lived: Visitor, books: Books) -> None:
    rows = [row for row in _everywhere(lived, "sync/Cashflow/PaymentTerms") if row["Status"] == 20]
    payable = [row for row in rows if row["LineType"] == 22]
    receivable = [row for row in rows if row["LineType"] == 20]
    assert _by_partner(lived, payable, "Account") == _filled(books.open_payables_by_vendor)
    owed = {code: -amount for code, amount in _by_partner(lived, receivable, "Account").items()}
    assert owed == _filled(books.open_receivables_by_customer)
    for path, rows_of_side in (
        ("bulk/Cashflow/Payments", payable),
        ("bulk/Cashflow/Receivables", receivable),
    ):
        open_rows = _everywhere(lived, path, select="*", filter=f"Status eq 20 and {_EVER}")
        assert _sums(open_rows, "Account") == _sums(rows_of_side, "Account")


def test_overviews_of_today_agree_with_the_terms(lived: Visitor, books: Books) -> None:
    ageing = _everywhere(lived, "read/financial/AgingPayablesList")
    assert sum((_money(row["TotalAmount"]) for row in ageing), Decimal(0)) == books.open_payables
    for row in ageing:
        groups = sum((_money(row[f"AgeGroup{number}Amount"]) for number in range(1, 5)), Decimal(0))
        assert groups == _money(row["TotalAmount"])
    ageing = _everywhere(lived, "read/financial/AgingReceivablesList")
    assert sum((_money(row["TotalAmount"]) for row in ageing), Decimal(0)) == books.open_receivables
    rows = _everywhere(lived, "read/financial/PayablesList")
    assert len({row["HID"] for row in rows}) == len(rows)
    terms = [row for row in _everywhere(lived, "sync/Cashflow/PaymentTerms") if row["Status"] == 20]
    assert {row["Id"] for row in rows} == {row["ID"] for row in terms if row["LineType"] == 22}


def test_the_reporting_balance_is_the_ledger_once_more(lived: Visitor, books: Books) -> None:
    rows = _everywhere(lived, "financial/ReportingBalance", select="*", filter="Status eq 50")
    assert _sums(rows, "GLAccountCode", "Amount") == {
        code: turnover.net for code, turnover in books.by_account.items()
    }
    assert sum((_money(row["AmountDebit"]) for row in rows), Decimal(0)) == books.debits
    assert RETAINED_EARNINGS not in {row["GLAccountCode"] for row in rows}


def test_books_of_bank_and_cash_carry_on(lived: Visitor) -> None:
    for kind in ("Bank", "Cash"):
        select = f"EntryID,JournalCode,OpeningBalanceFC,ClosingBalanceFC,{kind}EntryLines/AmountFC"
        rows = _everywhere(
            lived, f"financialtransaction/{kind}Entries", select=select, expand=f"{kind}EntryLines"
        )
        assert rows
        for row in rows:
            lines = sum(
                (_money(line["AmountFC"]) for line in row[f"{kind}EntryLines"]["results"]), Decimal(0)
            )
            assert _money(row["ClosingBalanceFC"]) - _money(row["OpeningBalanceFC"]) == lines


def test_guids_lead_from_row_to_row(lived: Visitor) -> None:
    lived.division = DIVISIONS["HQ"]
    lines = lived.rows("sync/Financial/TransactionLines")
    ids = {
        path: {row["ID"] for row in lived.rows(path)}
        for path in (
            "sync/Financial/GLAccounts",
            "sync/CRM/Accounts",
            "sync/Logistics/Items",
            "sync/Project/Projects",
        )
    }
    for path, name in zip(ids, ("GLAccount", "Account", "Item", "Project"), strict=True):
        used = {row[name] for row in lines} - {None}
        assert used
        assert used <= ids[path]
    terms = lived.rows("sync/Cashflow/PaymentTerms")
    assert {row["TransactionID"] for row in terms} <= {row["ID"] for row in lines}
    costs = lived.rows("sync/Project/TimeCostTransactions")
    assert {row["Project"] for row in costs} <= ids["sync/Project/Projects"]
    centers = {row["Code"] for row in lived.rows("hrm/Costcenters", select="Code")}
    assert {row["CostCenter"] for row in lines} - {None} <= centers


def test_budgets_do_not_change_by_themselves(lived: Visitor) -> None:
    before = lived.rows("budget/Budgets", select="ID,AmountDC")
    lived.world.life.live(10)
    lived.sign_in_again()
    after = {row["ID"]: row["AmountDC"] for row in lived.rows("budget/Budgets", select="ID,AmountDC")}
    assert before
    assert all(after[row["ID"]] == row["AmountDC"] for row in before)
