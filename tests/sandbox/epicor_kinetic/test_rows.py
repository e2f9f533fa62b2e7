"""The company's books, added up from what the server shows of both Epicor companies."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.company.books import books_of
from tests.sandbox.epicor_kinetic import COMPANIES, SECOND_BOOK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.epicor_kinetic.schema import Row, Value
    from tests.sandbox.epicor_kinetic.visitor import Visitor


def rows(visitor: Visitor, table: str) -> list[Row]:
    return [row for company in COMPANIES for row in visitor.app.rows(table, company)]


def total(found: list[Row], name: str, of: Callable[[Row], object] = lambda _: True) -> Decimal:
    return sum((Decimal(str(row[name])) for row in found if of(row)), Decimal(0))


def sums(found: list[Row], by: str, name: str) -> dict[object, Decimal]:
    added: defaultdict[object, Decimal] = defaultdict(Decimal)
    for row in found:
        added[row[by]] += Decimal(str(row[name]))
    return dict(added)


@pytest.fixture(params=[0, 60], ids=["as generated", "lived on"])
def lived(request: pytest.FixtureRequest, visitor: Visitor) -> Visitor:
    if request.param:
        visitor.world.life.live(request.param)
    return visitor


def test_journal_lines_are_the_books(lived: Visitor) -> None:
    books = books_of(lived.world.company)
    found = rows(lived, "GLJrnDtl")
    assert total(found, "BookDebitAmount") == books.debits == books.credits
    assert total(found, "BookCreditAmount") == books.credits
    debits = sums(found, "SegValue1", "BookDebitAmount")
    assert debits == {account: turnover.debit for account, turnover in books.by_account.items()}


def test_a_second_book_doubles_the_lines(visitor: Visitor) -> None:
    single = rows(visitor, "GLJrnDtl")
    visitor.switches.second_book = True
    double = rows(visitor, "GLJrnDtl")
    assert len(double) == 2 * len(single)
    assert total(double, "BookDebitAmount", lambda row: row["BookID"] != SECOND_BOOK) == total(
        single, "BookDebitAmount"
    )


def test_period_balances_add_up_to_the_balances_of_the_books(lived: Visitor) -> None:
    books = books_of(lived.world.company)
    last: dict[tuple[str, str, str], Decimal] = {}
    for place, balance in books.balances.items():
        if place.period[:4] == "2026" or balance.ending:
            last[place.branch, place.account, place.cost_center] = balance.ending
    results = {
        code
        for code, account in lived.world.company.accounts.items()
        if account.type in {"income", "expense"}
    }
    this_year = {place[:3] for place in books.balances if place.period[:4] == "2026"}
    wanted = {key: value for key, value in last.items() if key[1] not in results or key in this_year}
    for kind in ("D", "S"):
        found: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
        for row in rows(lived, "GLPeriodBal"):
            if row["BalanceType"] == kind and row["FiscalYear"] == 2026:
                branch = COMPANIES[str(row["Company"])]
                key = (branch, str(row["SegValue1"]), str(row["SegValue2"])) if kind == "D" else (branch,)
                found[key] += Decimal(str(row["BalanceAmt"]))
        if kind == "D":
            assert {key: value for key, value in found.items() if value} == {
                key: value for key, value in wanted.items() if value
            }
        else:
            assert set(found.values()) == {Decimal(0)}  # all accounts of a company together


def test_invoices_are_what_is_owed_and_what_was_spent(lived: Visitor) -> None:
    books = books_of(lived.world.company)
    found = rows(lived, "APInvHed")
    assert total(found, "InvoiceBal", lambda row: row["OpenPayable"]) == books.open_payables
    numbers = {vendor.vendor_id: code for code, vendor in lived.world.company.vendors.items()}
    spent = sums([row for row in found if row["Posted"]], "VendorNum", "InvoiceAmt")
    by_code = {numbers[int(str(number))]: amount for number, amount in spent.items() if amount}
    assert by_code == {code: amount for code, amount in books.spend_by_vendor.items() if amount}
    lines = total(rows(lived, "APInvDtl"), "ExtCost")
    assert lines + total(found, "TaxAmt") == total(found, "InvoiceAmt")


def test_a_voided_bill_stays_and_its_mirror_image_is_added(visitor: Visitor) -> None:
    bill = visitor.world.life.post_bill(branch="HQ")
    visitor.world.life.void_bill(f"bill|{bill.reference_nbr}")
    pair = [
        row
        for row in visitor.app.rows("APInvHed", "EPIC06")
        if str(row["InvoiceNum"]).startswith(bill.reference_nbr)
    ]
    assert [row["CorrectionInv"] for row in pair] == [False, True]
    assert total(pair, "InvoiceAmt") == total(pair, "DocInvoiceBal") == 0
    assert pair[1]["InvoiceRef"] == bill.reference_nbr
    assert pair[0]["OpenPayable"] is False


def test_checks_are_what_was_paid_and_payroll_is_among_them(lived: Visitor) -> None:
    books = books_of(lived.world.company)
    found = rows(lived, "CheckHed")
    paid = sum(books.paid_by_vendor.values())
    payables = [row for row in found if str(row["CheckSrc"]) < "4"]
    assert total(payables, "CheckAmt", lambda row: row["Posted"] and not row["Voided"]) == paid
    assert total(found, "CheckAmt", lambda row: row["Posted"] and not row["Voided"]) > paid
    lived.switches.payroll_checks = False
    assert len(rows(lived, "CheckHed")) == len(payables)


def test_applications_add_up_to_their_checks_in_the_currency_of_the_document(lived: Visitor) -> None:
    """In base currency they differ by realised exchange differences."""
    applied = sums([row for row in rows(lived, "APTranSearch") if not row["Voided"]], "HeadNum", "DocTranAmt")
    payments = [row for row in rows(lived, "CheckHed") if str(row["CheckSrc"]) < "4"]
    assert applied == sums(payments, "HeadNum", "DocCheckAmt")


def test_a_voided_payment_has_two_rows_per_application_that_cancel_out(visitor: Visitor) -> None:
    payment = visitor.world.life.pay()
    visitor.world.life.void_payment(payment.payment_nbr)
    pair = [row for row in rows(visitor, "APTranSearch") if row["HeadNum"] == int(payment.payment_nbr)]
    assert sorted(bool(row["Voided"]) for row in pair) == [False, True]
    assert total(pair, "TranAmt") == 0
    assert len({(row["HeadNum"], row["APTranNo"], row["InvoiceNum"]) for row in pair}) == 1


def test_schedules_add_up_to_their_invoices(lived: Visitor) -> None:
    invoices = {(row["Company"], row["InvoiceNum"]): row for row in rows(lived, "APInvHed")}
    due: defaultdict[tuple[Value, Value], Decimal] = defaultdict(Decimal)
    for row in rows(lived, "APInvSched"):
        due[row["Company"], row["InvoiceNum"]] += Decimal(str(row["PayAmt"]))
    assert due
    assert all(invoices[key]["InvoiceAmt"] == amount for key, amount in due.items())


def test_receivables_are_the_books_too(lived: Visitor) -> None:
    books = books_of(lived.world.company)
    found = rows(lived, "InvcHead")
    assert total(found, "InvoiceBal", lambda row: row["OpenInvoice"]) == books.open_receivables
    assert total(found, "InvoiceAmt", lambda row: row["Posted"]) == sum(books.sales_by_customer.values())
    lines = total(rows(lived, "InvcDtl"), "ExtPrice")
    assert lines + total(found, "TaxAmt") == total(found, "InvoiceAmt")


def test_every_row_names_what_exists(lived: Visitor) -> None:
    """References between tables of one company lead somewhere."""
    for child, name, parent, key in (
        ("APInvHed", "VendorNum", "Vendor", "VendorNum"),
        ("APInvDtl", "InvoiceNum", "APInvHed", "InvoiceNum"),
        ("APTranSearch", "HeadNum", "CheckHed", "HeadNum"),
        ("APTranSearch", "InvoiceNum", "APInvHed", "InvoiceNum"),
        ("PODetail", "PONUM", "POHeader", "PONum"),
        ("PORel", "PONum", "POHeader", "PONum"),
        ("RcvDtl", "PackSlip", "RcvHead", "PackSlip"),
        ("InvcDtl", "InvoiceNum", "InvcHead", "InvoiceNum"),
        ("OrderDtl", "OrderNum", "OrderHed", "OrderNum"),
        ("OrderRel", "OrderNum", "OrderHed", "OrderNum"),
        ("CashDtl", "InvoiceNum", "InvcHead", "InvoiceNum"),
        ("GLJrnDtl", "GLAccount", "GLAccount", "GLAccount1"),
        ("GLJrnDtl", "SegValue2", "COASegValues", "SegmentCode"),
        ("PartPlant", "PartNum", "Part", "PartNum"),
        ("ShipTo", "CustNum", "Customer", "CustNum"),
        ("CheckHed", "BankAcctID", "BankAcct", "BankAcctID"),
    ):
        for company in COMPANIES:
            known = {row[key] for row in lived.app.rows(parent, company)}
            used = {row[name] for row in lived.app.rows(child, company)}
            assert used <= known, f"{child}.{name} in {company}"
