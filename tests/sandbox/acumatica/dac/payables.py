"""DACs of accounts payable. `APRegister` holds bills and payments alike, as the table does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.dac.customs import user_columns
from tests.sandbox.acumatica.dac.general_ledger import (
    STAMPS,
    TO_ACCOUNT,
    TO_BRANCH,
    TO_SUB,
    account_id,
    branch_id,
    sub_id,
)
from tests.sandbox.acumatica.dac.shapes import Dac, Property, many, one, prop
from tests.sandbox.acumatica.entities.ledger import made_up_id
from tests.sandbox.acumatica.entities.payables import bill_order
from tests.sandbox.acumatica.shapes import Pair, const
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company import chart
from tests.sandbox.company.model import Bill, DocumentStatus, Payment
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from tests.sandbox.acumatica.view import View
    from tests.sandbox.company.model import Application, BillLine

AP = "PX.Objects.AP"
_TO_VENDOR = one("Vendor", "VendorID", "BAccountID")
_RELEASED = frozenset({DocumentStatus.OPEN, DocumentStatus.CLOSED, DocumentStatus.VOIDED})


class BillLineRow(NamedTuple):
    """A line with its own stamp: release, void and edits move it; a payment of the bill does not."""

    parent: Bill
    line: BillLine
    modified_at: dt.datetime


def _doc_type(document: Bill | Payment) -> str:
    return "CHK" if isinstance(document, Payment) else labels.BILL_TYPE_CODE[document.type]


def _ref_nbr(document: Bill | Payment) -> str:
    return document.payment_nbr if isinstance(document, Payment) else document.reference_nbr


def _balance(document: Bill | Payment, *, base: bool) -> Decimal:
    if isinstance(document, Payment):
        return ZERO
    return document.base_balance if base else document.balance


def _documents(view: View) -> list[Bill | Payment]:
    documents: list[Bill | Payment] = [*view.company.bills.values(), *view.company.payments.values()]
    return sorted(documents, key=lambda each: (_doc_type(each), _ref_nbr(each)))


def _bills(view: View) -> list[Bill]:
    return sorted(view.company.bills.values(), key=bill_order)


def _line_stamp(bill: Bill, view: View) -> dt.datetime:
    if view.lines_follow_documents:
        return bill.modified_at
    journals = view.company.journals
    booked = [
        journals[f"AP|{number}"].created_at for number in (bill.batch_nbr, bill.voiding_batch_nbr) if number
    ]
    return max(booked, default=bill.modified_at)


def _bill_lines(view: View) -> list[BillLineRow]:
    rows: list[BillLineRow] = []
    for bill in _bills(view):
        stamp = _line_stamp(bill, view)
        rows.extend(BillLineRow(bill, line, stamp) for line in bill.lines)
    return rows


def _adjustments(view: View) -> list[Pair[Payment, Application]]:
    return [
        Pair(payment, application)
        for payment in sorted(view.company.payments.values(), key=lambda each: each.payment_nbr)
        for application in sorted(payment.applications, key=_settled_key)
    ]


def _settled_key(application: Application) -> tuple[str, str]:
    return labels.BILL_TYPE_CODE[application.type], application.reference_nbr


def _item_id(row: BillLineRow, view: View) -> int | None:
    item = view.company.items.get(row.line.item or "")
    return None if item is None else item.item_id


def _register_columns() -> list[Property[Any]]:
    return [
        prop(Kind.STRING, "DocType", lambda each, _: _doc_type(each)),
        prop(Kind.STRING, "RefNbr", lambda each, _: _ref_nbr(each)),
        prop(Kind.STRING, "OrigModule", const("AP")),
        prop(Kind.INT, "BranchID", lambda each, view: branch_id(view, each.branch)),
        prop(Kind.INT, "VendorID", lambda each, view: view.company.vendors[each.vendor].vendor_id),
        prop(Kind.INT, "APAccountID", lambda _, view: account_id(view, chart.ACCOUNTS_PAYABLE)),
        prop(Kind.INT, "APSubID", lambda _, view: sub_id(view, chart.NO_COST_CENTER)),
        prop(Kind.DAY, "DocDate", "date"),
        prop(Kind.STRING, "FinPeriodID", "period"),
        prop(Kind.STRING, "TranPeriodID", "period"),
        prop(Kind.STRING, "CuryID", "currency"),
        prop(Kind.DECIMAL, "CuryOrigDocAmt", "amount"),
        prop(Kind.DECIMAL, "OrigDocAmt", "base_amount"),
        prop(Kind.DECIMAL, "CuryDocBal", lambda each, _: _balance(each, base=False)),
        prop(Kind.DECIMAL, "DocBal", lambda each, _: _balance(each, base=True)),
        prop(Kind.STRING, "DocDesc", "description"),
        prop(Kind.STRING, "BatchNbr", "batch_nbr"),
        prop(Kind.STRING, "Status", lambda each, _: labels.DOCUMENT_STATUS_CODE[each.status]),
        prop(Kind.BOOLEAN, "Hold", lambda each, _: each.status is DocumentStatus.HOLD),
        prop(Kind.BOOLEAN, "Released", lambda each, _: each.status in _RELEASED),
        prop(Kind.BOOLEAN, "OpenDoc", lambda each, _: each.status is DocumentStatus.OPEN),
        prop(Kind.BOOLEAN, "Voided", lambda each, _: each.status is DocumentStatus.VOIDED),
        prop(Kind.BOOLEAN, "Scheduled", const(value=False)),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ]


AP_REGISTER: Dac[Bill | Payment] = Dac(
    name="APRegister",
    namespace=AP,
    screen="AP301000",
    keys=("DocType", "RefNbr"),
    rows=_documents,
    modified_at=lambda document: document.modified_at,
    archived=lambda document: document.archived,
    deleted_from=("bills", "payments"),
    properties=_register_columns(),
    navigations=(
        _TO_VENDOR,
        TO_BRANCH,
        many("APTran", ("DocType", "RefNbr"), ("TranType", "RefNbr")),
    ),
)
AP_INVOICE: Dac[Bill] = Dac(
    name="APInvoice",
    namespace=AP,
    screen="AP301000",
    keys=("DocType", "RefNbr"),
    rows=_bills,
    modified_at=lambda bill: bill.modified_at,
    archived=lambda bill: bill.archived,
    deleted_from=("bills",),
    properties=[
        *_register_columns(),
        prop(Kind.STRING, "InvoiceNbr", "vendor_ref"),
        prop(Kind.DAY, "InvoiceDate", "date"),
        prop(Kind.DAY, "DueDate", "due_date"),
        prop(Kind.STRING, "TermsID", "terms", width=10),
        prop(Kind.DECIMAL, "CuryTaxTotal", "tax_amount"),
        prop(Kind.DECIMAL, "TaxTotal", "base_tax_amount"),
        prop(Kind.DECIMAL, "CuryLineTotal", lambda bill, _: bill.amount - bill.tax_amount),
        prop(Kind.DECIMAL, "LineTotal", lambda bill, _: bill.base_amount - bill.base_tax_amount),
        *user_columns(),
    ],
    navigations=(
        _TO_VENDOR,
        TO_BRANCH,
        many("APTran", ("DocType", "RefNbr"), ("TranType", "RefNbr")),
    ),
)
AP_PAYMENT: Dac[Payment] = Dac(
    name="APPayment",
    namespace=AP,
    screen="AP302000",
    keys=("DocType", "RefNbr"),
    rows=lambda view: sorted(view.company.payments.values(), key=lambda each: each.payment_nbr),
    modified_at=lambda payment: payment.modified_at,
    archived=lambda payment: payment.archived,
    deleted_from=("payments",),
    properties=[
        *_register_columns(),
        prop(Kind.STRING, "ExtRefNbr", "payment_ref"),
        prop(Kind.STRING, "PaymentMethodID", "method", width=10),
        prop(Kind.INT, "CashAccountID", lambda payment, view: account_id(view, payment.cash_account)),
        prop(Kind.DAY, "AdjDate", "date"),
        prop(Kind.STRING, "AdjFinPeriodID", "period"),
        prop(Kind.BOOLEAN, "Cleared", const(value=False)),
    ],
    navigations=(_TO_VENDOR, TO_BRANCH),
)
AP_TRAN: Dac[BillLineRow] = Dac(
    name="APTran",
    namespace=AP,
    screen="AP301000",
    keys=("TranType", "RefNbr", "LineNbr"),
    rows=_bill_lines,
    modified_at=lambda row: row.modified_at,
    archived=lambda row: row.parent.archived,
    properties=(
        prop(Kind.STRING, "TranType", lambda row, _: labels.BILL_TYPE_CODE[row.parent.type]),
        prop(Kind.STRING, "RefNbr", "parent.reference_nbr"),
        prop(Kind.INT, "LineNbr", "line.line_nbr"),
        prop(Kind.INT, "BranchID", lambda row, view: branch_id(view, row.parent.branch)),
        prop(Kind.INT, "VendorID", lambda row, view: view.company.vendors[row.parent.vendor].vendor_id),
        prop(Kind.INT, "AccountID", lambda row, view: account_id(view, row.line.account)),
        prop(Kind.INT, "SubID", lambda row, view: sub_id(view, row.line.cost_center)),
        prop(Kind.INT, "InventoryID", _item_id),
        prop(Kind.DAY, "TranDate", "parent.date"),
        prop(Kind.STRING, "FinPeriodID", "parent.period"),
        prop(Kind.STRING, "DrCr", lambda row, _: "D" if row.parent.type.sign > 0 else "C"),
        prop(Kind.DECIMAL, "CuryTranAmt", "line.amount"),
        prop(Kind.DECIMAL, "TranAmt", "line.base_amount"),
        prop(Kind.DECIMAL, "CuryUnitCost", "line.unit_cost"),
        prop(Kind.DECIMAL, "Qty", "line.quantity"),
        prop(Kind.STRING, "UOM", "line.unit"),
        prop(Kind.STRING, "TranDesc", "line.description"),
        prop(Kind.STRING, "POOrderType", lambda row, _: "RO" if row.line.order_nbr else None),
        prop(Kind.STRING, "PONbr", "line.order_nbr"),
        prop(Kind.INT, "POLineNbr", "line.order_line_nbr"),
        prop(Kind.STRING, "ReceiptType", lambda row, _: "RT" if row.line.receipt_nbr else None),
        prop(Kind.STRING, "ReceiptNbr", "line.receipt_nbr"),
        prop(Kind.INT, "ReceiptLineNbr", "line.receipt_line_nbr"),
        *user_columns("line.custom"),
        prop(Kind.BOOLEAN, "Released", lambda row, _: row.parent.status in _RELEASED),
        prop(Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))),
        prop(Kind.STAMP, "CreatedDateTime", "parent.created_at"),
        prop(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
    ),
    navigations=(
        TO_ACCOUNT,
        TO_BRANCH,
        TO_SUB,
        _TO_VENDOR,
        one("InventoryItem", "InventoryID", "InventoryID"),
    ),
)
AP_ADJUST: Dac[Pair[Payment, Application]] = Dac(
    name="APAdjust",
    namespace=AP,
    screen="AP302000",
    keys=("AdjgDocType", "AdjgRefNbr", "AdjdDocType", "AdjdRefNbr", "AdjdLineNbr", "AdjNbr"),
    rows=_adjustments,
    modified_at=lambda row: row.parent.modified_at,
    archived=lambda row: row.parent.archived,
    properties=(
        prop(Kind.STRING, "AdjgDocType", const("CHK")),
        prop(Kind.STRING, "AdjgRefNbr", "parent.payment_nbr"),
        prop(Kind.STRING, "AdjdDocType", lambda row, _: labels.BILL_TYPE_CODE[row.line.type]),
        prop(Kind.STRING, "AdjdRefNbr", "line.reference_nbr"),
        prop(Kind.INT, "AdjdLineNbr", const(0)),
        prop(Kind.INT, "AdjNbr", const(0)),
        prop(Kind.INT, "VendorID", lambda row, view: view.company.vendors[row.parent.vendor].vendor_id),
        prop(Kind.DAY, "AdjgDocDate", "parent.date"),
        prop(Kind.STRING, "AdjgFinPeriodID", "parent.period"),
        prop(Kind.DECIMAL, "CuryAdjgAmt", "line.amount"),
        prop(Kind.DECIMAL, "CuryAdjdAmt", "line.amount"),
        prop(Kind.DECIMAL, "AdjAmt", "line.base_amount"),
        prop(Kind.BOOLEAN, "Released", lambda row, _: row.parent.status in _RELEASED),
        prop(Kind.BOOLEAN, "Voided", lambda row, _: row.parent.status is DocumentStatus.VOIDED),
        prop(Kind.STAMP, "CreatedDateTime", "parent.created_at"),
        prop(Kind.STAMP, "LastModifiedDateTime", "parent.modified_at"),
    ),
    navigations=(_TO_VENDOR,),
)
