from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.company.books import books_of
from tests.sandbox.sage_intacct import BOOKS, numbers
from tests.sandbox.sage_intacct.visitor import Refused, records, total

if TYPE_CHECKING:
    from tests.sandbox.sage_intacct.visitor import Row, Visitor


def posted(user: Visitor, *fields: str) -> list[Row]:
    where = ("and", ("equalto", "BATCH_STATE", "Posted"), ("equalto", "BOOKID", "ACCRUAL"))
    return user.rows("GLDETAIL", "RECORDNO", "DEBITAMOUNT", "CREDITAMOUNT", "AMOUNT", *fields, where=where)


def test_books_of_the_company_are_those_of_the_ledger(user: Visitor) -> None:
    books = books_of(user.world.company)
    rows = posted(user)
    assert total(rows, "DEBITAMOUNT") == books.debits
    assert total(rows, "CREDITAMOUNT") == books.credits
    assert total(rows, "AMOUNT") == 0
    entries = user.rows("GLENTRY", "AMOUNT", "TR_TYPE", where=("equalto", "STATE", "Posted"))
    assert total([row for row in entries if row["TR_TYPE"] == "1"], "AMOUNT") == books.debits
    assert total([row for row in entries if row["TR_TYPE"] == "-1"], "AMOUNT") == books.credits


def test_cash_book_repeats_postings_under_the_same_keys(user: Visitor) -> None:
    by_book = {
        book: {
            row["RECORDNO"] for row in user.rows("GLDETAIL", "RECORDNO", where=("equalto", "BOOKID", book))
        }
        for book in BOOKS
    }
    assert by_book["CASH"] < by_book["ACCRUAL"]
    user.app.switches.detail_keys_shared = False
    every = [row["RECORDNO"] for row in user.rows("GLDETAIL", "RECORDNO")]
    assert len(every) == len(set(every))


def test_detail_shows_what_is_not_posted_and_statistics_on_request(user: Visitor) -> None:
    user.world.life.hold_journal()
    assert user.rows("GLDETAIL", "RECORDNO", where=("equalto", "BATCH_STATE", "Draft"))
    user.app.switches.drafts_in_detail = False
    assert {row["BATCH_STATE"] for row in user.rows("GLDETAIL", "BATCH_STATE")} == {"Posted"}
    assert {row["STATISTICAL"] for row in user.rows("GLDETAIL", "STATISTICAL")} == {"F"}
    user.app.switches.statistical_entries = True
    extra = user.rows("GLDETAIL", "ACCOUNTNO", "SYMBOL", where=("equalto", "STATISTICAL", "T"))
    assert {row["SYMBOL"] for row in extra} == {"SJ"}
    assert {row["ACCOUNTNO"] for row in extra} == {
        row["ACCOUNTNO"] for row in user.rows("STATACCOUNT", "ACCOUNTNO")
    }
    user.app.switches.detail_amount_signed = False
    assert min(Decimal(row["AMOUNT"]) for row in user.rows("GLDETAIL", "AMOUNT")) >= 0


def test_payables_are_those_of_the_company(user: Visitor) -> None:
    books = books_of(user.world.company)
    fields = ("VENDORID", "STATE", "TOTALENTERED", "TOTALDUE", "TOTALPAID")
    rows = [
        row
        for name in ("APBILL", "APADJUSTMENT")
        for row in user.rows(name, *fields)
        if row["STATE"] != "Draft"
    ]
    assert total(rows, "TOTALDUE") == books.open_payables
    spend = {
        code: total([row for row in rows if row["VENDORID"] == code], "TOTALENTERED")
        for code in books.spend_by_vendor
    }
    assert spend == books.spend_by_vendor
    assert {"Reversed", "Reversal", "Paid", "Partially Paid", "Posted"} <= {row["STATE"] for row in rows}


def test_lines_add_up_to_their_bill(user: Visitor) -> None:
    lines = user.rows("APBILLITEM", "RECORDKEY", "AMOUNT", "TRX_AMOUNT", "LINEITEM")
    assert {row["LINEITEM"] for row in lines} == {"T", "F"}
    for bill in user.rows("APBILL", "RECORDNO", "TOTALENTERED", "TRX_TOTALENTERED"):
        own = [row for row in lines if row["RECORDKEY"] == bill["RECORDNO"]]
        assert total(own, "AMOUNT") == Decimal(bill["TOTALENTERED"])
        assert total(own, "TRX_AMOUNT") == Decimal(bill["TRX_TOTALENTERED"])


def test_payment_details_link_payments_to_what_they_settle(user: Visitor) -> None:
    details = user.rows(
        "APPYMTDETAIL", "RECORDKEY", "POSADJKEY", "ADJUSTMENTKEY", "PAYMENTKEY", "STATE", "TRX_PAYMENTAMOUNT",
        "PAYMENTAMOUNT", "TRX_ADJUSTMENTAMOUNT", "ADJUSTMENTAMOUNT",
    )  # fmt: skip
    live = [row for row in details if row["STATE"] == "Posted"]
    for bill in user.rows("APBILL", "RECORDNO", "STATE", "TRX_TOTALPAID", "TOTALPAID"):
        own = [row for row in live if row.get("RECORDKEY") == bill["RECORDNO"]]
        paid = total(own, "TRX_PAYMENTAMOUNT") + total(own, "TRX_ADJUSTMENTAMOUNT")
        assert paid == Decimal(bill["TRX_TOTALPAID"]), bill
        base = total(own, "PAYMENTAMOUNT") + total(own, "ADJUSTMENTAMOUNT")
        assert base == Decimal(bill["TOTALPAID"]), bill
    payments = user.rows("APPYMT", "RECORDNO", "TRX_TOTALENTERED", "STATE")
    for payment in payments:
        own = [row for row in details if row["PAYMENTKEY"] == payment["RECORDNO"]]
        assert total(own, "TRX_PAYMENTAMOUNT") == Decimal(payment["TRX_TOTALENTERED"]), payment
    assert any("ADJUSTMENTKEY" in row for row in live)
    paid_by = books_of(user.world.company).paid_by_vendor
    rows = user.rows("APPYMT", "TOTALENTERED", where=("equalto", "STATE", "Posted"))
    assert total(rows, "TOTALENTERED") == sum(paid_by.values())


def test_receivables_are_those_of_the_company(user: Visitor) -> None:
    books = books_of(user.world.company)
    rows = [
        row
        for name in ("ARINVOICE", "ARADJUSTMENT")
        for row in user.rows(name, "STATE", "TOTALENTERED", "TOTALDUE")
        if row["STATE"] != "Draft"
    ]
    assert total(rows, "TOTALDUE") == books.open_receivables
    assert total(rows, "TOTALENTERED") == sum(books.sales_by_customer.values())
    received = user.rows("ARPYMT", "TOTALPAID")
    assert total(received, "TOTALPAID") == sum(books.received_by_customer.values())


def test_purchase_documents_lead_to_their_bills(user: Visitor) -> None:
    user.world.life.post_purchase_order()
    bill = user.world.life.post_bill_for_order()
    rows = user.rows("PODOCUMENT", "RECORDNO", "DOCID", "DOCPARID", "PRRECORDKEY", "APBILL.STATE")
    (own,) = [row for row in rows if row.get("PRRECORDKEY") == str(numbers.bill(bill))]
    assert own["DOCPARID"] == "Vendor Invoice"
    assert own["APBILL.STATE"] == "Posted"
    lines = user.rows("PODOCUMENTENTRY", "LINE_NO", "UIQTY", where=("equalto", "DOCHDRNO", own["RECORDNO"]))
    assert sorted(int(row["LINE_NO"]) for row in lines) == list(range(len(bill.lines)))
    (header,) = user.rows("APBILL", "MODULEKEY", where=("equalto", "RECORDNO", str(numbers.bill(bill))))
    assert header["MODULEKEY"] == "9.PO"


def test_balances_are_those_of_the_books(user: Visitor) -> None:
    periods = user.rows("REPORTINGPERIOD", "NAME", "END_DATE")
    with pytest.raises(Refused, match="PERIOD is required"):
        user.read_by_query("GLACCOUNTBALANCE", "*", "BOOKID = 'ACCRUAL'")
    (last,) = (row["NAME"] for row in periods if row["END_DATE"] == "06/30/2026")
    data = user.read_by_query("GLACCOUNTBALANCE", "*", f"PERIOD = '{last}' AND BOOKID = 'ACCRUAL'")
    rows = records(data)
    assert total(rows, "ENDBAL") == 0
    ending: dict[tuple[str, str, str], Decimal] = {}
    company = user.world.company
    for place, balance in books_of(company).balances.items():
        is_result = company.accounts[place.account].type in {"income", "expense"}
        if not is_result or place.period >= "202601":
            ending[place[:3]] = balance.ending
    found = {
        (row["LOCATIONID"], row["ACCOUNTNO"], row["DEPARTMENTID"]): Decimal(row["ENDBAL"]) for row in rows
    }
    assert found == ending
    assert any(row["ACCOUNTNO"].startswith("0") for row in rows)
    user.app.switches.multi_currency_balances = True
    with pytest.raises(Refused, match="location"):
        user.read_by_query("GLACCOUNTBALANCE", "*", f"PERIOD = '{last}'")
    assert len(user.read_by_query("GLACCOUNTBALANCE", "*", f"PERIOD = '{last}' and LOCATIONID = 'HQ'"))
