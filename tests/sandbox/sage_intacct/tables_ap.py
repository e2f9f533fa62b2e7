"""Accounts payable: bills and adjustments with their lines.

A voided document stands as two records: the reversed one, and the reversal with the opposite amounts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company import chart
from tests.sandbox.company.basics import BillType, DocumentStatus
from tests.sandbox.company.money import ZERO
from tests.sandbox.company.payables import bill_key
from tests.sandbox.sage_intacct import numbers
from tests.sandbox.sage_intacct.tables import Columns, Getter, Table, audit_columns, flag, owner_columns
from tests.sandbox.sage_intacct.view import Stamps, View

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from tests.sandbox.company.model import Bill, BillLine
    from tests.sandbox.sage_intacct.values import Value

# The database's codes for STATE; bills, adjustments and payments share them.
STATES = {
    "Draft": "D",
    "Posted": "A",
    "Partially Paid": "P",
    "Paid": "C",
    "Reversed": "R",
    "Reversal": "V",
}


class Document(NamedTuple):
    """A payables document, or the record that takes it back."""

    bill: Bill
    is_reversal: bool


class Line(NamedTuple):
    """A line of one; without a `line` it is the tax."""

    bill: Bill
    is_reversal: bool
    line: BillLine | None


# ------------------------------------------------------------------- rows


def _documents(is_bill: bool) -> Callable[[View], Iterator[Document]]:  # noqa: FBT001 - one of two kinds
    def rows(view: View) -> Iterator[Document]:
        for bill in view.company.bills.values():
            if (bill.type is BillType.BILL) is is_bill:
                yield Document(bill, is_reversal=False)
                if bill.status is DocumentStatus.VOIDED:
                    yield Document(bill, is_reversal=True)

    return rows


def _lines(is_bill: bool) -> Callable[[View], Iterator[Line]]:  # noqa: FBT001 - one of two kinds
    def rows(view: View) -> Iterator[Line]:
        for bill, is_reversal in _documents(is_bill)(view):
            for line in bill.lines:
                yield Line(bill, is_reversal, line)
            if bill.tax_amount:
                yield Line(bill, is_reversal, None)

    return rows


# ---------------------------------------------------------------- columns


def document_number(row: Document | Line) -> int:
    """RECORDNO of a document or its reversal."""
    return numbers.bill_reversal(row.bill) if row.is_reversal else numbers.bill(row.bill)


def _sign(row: Document | Line) -> int:
    return -row.bill.type.sign if row.is_reversal else row.bill.type.sign


def _state(row: Document | Line) -> str:
    bill = row.bill
    if row.is_reversal:
        return "Reversal"
    if bill.status is DocumentStatus.OPEN:
        return "Posted" if bill.balance == bill.amount else "Partially Paid"
    return {
        DocumentStatus.HOLD: "Draft",
        DocumentStatus.CLOSED: "Paid",
        DocumentStatus.VOIDED: "Reversed",
    }[bill.status]


def _due(row: Document | Line, balance: Decimal) -> Decimal:
    return ZERO if row.is_reversal else balance * row.bill.type.sign


def _paid(row: Document | Line, amount: Decimal, balance: Decimal) -> Decimal:
    settled = row.bill.status in {DocumentStatus.OPEN, DocumentStatus.CLOSED} and not row.is_reversal
    return (amount - balance) * row.bill.type.sign if settled else ZERO


def _stamps(view: View) -> Callable[[Document | Line], Stamps]:
    def stamps(row: Document | Line) -> Stamps:
        own = view.bill_stamps(row.bill)
        if not row.is_reversal:
            return own
        made = view.company.journals[f"AP|{row.bill.voiding_batch_nbr}"].created_at
        return Stamps(f"{row.bill.note_id}|reversal", made, made)

    return stamps


def _posted_on(view: View, row: Document) -> dt.date | None:
    batch_nbr = row.bill.voiding_batch_nbr if row.is_reversal else row.bill.batch_nbr
    return None if batch_nbr is None else view.company.journals[f"AP|{batch_nbr}"].date


def _paid_on(view: View, bill: Bill) -> dt.date | None:
    if bill.status is not DocumentStatus.CLOSED:
        return None
    return max((each.date for each in view.payments_of.get(bill_key(bill), ())), default=None)


def _date(view: View, row: Document | Line) -> dt.date:
    """The document's own day, typed in by its users; a reversal bears the day of the voiding."""
    if row.is_reversal:
        return view.company.journals[f"AP|{row.bill.voiding_batch_nbr}"].date
    return row.bill.date


def _document_columns(name: str) -> Callable[[View], Columns]:
    def columns(view: View) -> Columns:
        company = view.company
        vendors = company.vendors
        today = company.clock.date()

        def due_in(row: Document) -> Value:
            return None if row.bill.due_date is None else str((row.bill.due_date - today).days)

        return {
            "RECORDNO": document_number,
            "RECORDTYPE": lambda row: "pi" if row.bill.type is BillType.BILL else "pa",
            "RECORDID": lambda row: row.bill.reference_nbr + ("-R" if row.is_reversal else ""),
            "STATE": _state,
            "RAWSTATE": lambda row: STATES[_state(row)],
            "VENDORID": lambda row: row.bill.vendor,
            "VENDORNAME": lambda row: vendors[row.bill.vendor].name,
            "VENDORKEY": lambda row: str(vendors[row.bill.vendor].vendor_id),
            "DOCNUMBER": lambda row: row.bill.vendor_ref,
            "DESCRIPTION": lambda row: row.bill.description,
            "TERMNAME": lambda row: row.bill.terms,
            "TERMKEY": lambda row: term_number(view, row.bill.terms),
            "WHENCREATED": lambda row: _date(view, row),
            "WHENPOSTED": lambda row: _posted_on(view, row),
            "WHENDUE": lambda row: row.bill.due_date,
            "WHENPAID": lambda row: _paid_on(view, row.bill),
            "DUE_IN_DAYS": due_in,
            "BASECURR": lambda _: company.base_currency,
            "CURRENCY": lambda row: row.bill.currency,
            "EXCH_RATE_DATE": lambda row: row.bill.date,
            "EXCHANGE_RATE": lambda row: row.bill.rate,
            "TOTALENTERED": lambda row: row.bill.base_amount * _sign(row),
            "TRX_TOTALENTERED": lambda row: row.bill.amount * _sign(row),
            "TOTALSELECTED": lambda _: ZERO,
            "TRX_TOTALSELECTED": lambda _: ZERO,
            "TOTALPAID": lambda row: _paid(row, row.bill.base_amount, row.bill.base_balance),
            "TRX_TOTALPAID": lambda row: _paid(row, row.bill.amount, row.bill.balance),
            "TOTALDUE": lambda row: _due(row, row.bill.base_balance),
            "TRX_TOTALDUE": lambda row: _due(row, row.bill.balance),
            "TRX_ENTITYDUE": lambda row: _due(row, row.bill.balance),
            "PRBATCH": lambda row: f"Bills: {_date(view, row):%Y/%m/%d} Batch",
            "PRBATCHKEY": lambda row: _date(view, row).toordinal(),
            "MODULEKEY": lambda row: "9.PO" if row.bill.is_for_order else "3.AP",
            "DOCHDRKEY": lambda row: _purchase_document(row.bill),
            "SYSTEMGENERATED": lambda row: flag(row.bill.is_for_order),
            "ONHOLD": lambda _: False,
            "INCLUSIVETAX": lambda _: False,
            "APPROVAL_NOTE": lambda row: row.bill.custom.text,
            "RISK_SCORE_VB": lambda row: row.bill.custom.number,
            "CHECKED_ON": lambda row: row.bill.custom.day,
            "IS_URGENT": lambda row: row.bill.custom.flag,
            **audit_columns(view, name, _stamps(view), created="AUWHENCREATED"),
            **owner_columns(view, lambda row: row.bill.branch),
        }

    return columns


def term_number(view: View, code: str | None) -> int | None:
    return None if code is None else list(view.company.terms).index(code) + 1


def _purchase_document(bill: Bill) -> int | None:
    return numbers.document("bills", bill.reference_nbr) if bill.is_for_order else None


def line_number(row: Line) -> int:
    nbr = numbers.TAX_LINE if row.line is None else row.line.line_nbr
    return numbers.line(document_number(row), nbr)


def _item_columns(name: str) -> Callable[[View], Columns]:
    def columns(view: View) -> Columns:
        company = view.company

        def of_line(get: Callable[[BillLine], Value], tax: Callable[[Bill], Value]) -> Getter:
            return lambda row: tax(row.bill) if row.line is None else get(row.line)

        def nothing(_: Bill) -> Value:
            return None

        account = of_line(lambda line: line.account, lambda _: chart.INPUT_TAX)
        center = of_line(lambda line: line.cost_center, lambda _: chart.NO_COST_CENTER)
        base = of_line(lambda line: line.base_amount, lambda bill: bill.base_tax_amount)
        amount = of_line(lambda line: line.amount, lambda bill: bill.tax_amount)
        item = of_line(lambda line: line.item, nothing)
        return {
            "RECORDNO": line_number,
            "RECORDKEY": document_number,
            "RECORDTYPE": lambda row: "pi" if row.bill.type is BillType.BILL else "pa",
            "RECORDID": lambda row: row.bill.reference_nbr,
            "LINEITEM": lambda row: flag(row.line is not None),
            "LINE_NO": lambda row: str(len(row.bill.lines) + 1 if row.line is None else row.line.line_nbr),
            "ACCOUNTNO": account,
            "ACCOUNTKEY": lambda row: view.account_keys[str(account(row))],
            "ACCOUNTTITLE": lambda row: company.accounts[str(account(row))].name,
            "OFFSETGLACCOUNTNO": lambda _: chart.ACCOUNTS_PAYABLE,
            "DEPARTMENTID": center,
            "DEPARTMENTNAME": lambda row: company.cost_centers[str(center(row))].name,
            "LOCATIONID": lambda row: row.bill.branch,
            "LOCATIONNAME": lambda row: company.branches[row.bill.branch].name,
            "BASELOCATION": lambda row: view.location_keys[row.bill.branch],
            "ENTRYDESCRIPTION": of_line(lambda line: line.description, lambda _: "Tax"),
            "ENTRY_DATE": lambda row: _date(view, row),
            "EXCH_RATE_DATE": lambda row: row.bill.date,
            "EXCHANGE_RATE": lambda row: row.bill.rate,
            "CURRENCY": lambda row: row.bill.currency,
            "BASECURR": lambda _: company.base_currency,
            "AMOUNT": lambda row: base(row) * _sign(row),  # type: ignore[operator]
            "TRX_AMOUNT": lambda row: amount(row) * _sign(row),  # type: ignore[operator]
            "STATE": _state,
            "BILLABLE": lambda _: False,
            "BILLED": lambda _: False,
            "RELEASETOPAY": lambda _: False,
            "VENDORID": lambda row: row.bill.vendor,
            "VENDORNAME": lambda row: company.vendors[row.bill.vendor].name,
            "VENDORDIMKEY": lambda row: company.vendors[row.bill.vendor].vendor_id,
            "ITEMID": item,
            "ITEMNAME": lambda row: company.items[str(item(row))].description if item(row) else None,
            "ITEMDIMKEY": lambda row: company.items[str(item(row))].item_id if item(row) else None,
            "PRIMARYDOCKEY": lambda row: _purchase_document(row.bill),
            "LINE_NOTE": of_line(lambda line: line.custom.text, nothing),
            "SHARE_PCT": of_line(lambda line: line.custom.number, nothing),
            **audit_columns(view, name, _stamps(view)),
        }

    return columns


def _table(name: str, line_name: str, lines: str, *, is_bill: bool) -> dict[str, Table]:
    codes = {"STATE": STATES}
    return {
        name: Table(
            rows=_documents(is_bill),
            columns=_document_columns(name),
            entity=lambda row: row.bill.branch,
            codes=codes,
            lines=(lines, line_name, "RECORDKEY"),
        ),
        line_name: Table(
            rows=_lines(is_bill),
            columns=_item_columns(line_name),
            entity=lambda row: row.bill.branch,
            codes=codes,
        ),
    }


TABLES = {
    **_table("APBILL", "APBILLITEM", "APBILLITEMS", is_bill=True),
    **_table("APADJUSTMENT", "APADJUSTMENTITEM", "APADJUSTMENTITEMS", is_bill=False),
}
