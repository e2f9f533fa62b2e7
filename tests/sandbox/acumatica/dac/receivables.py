"""DACs of accounts receivable. `ARRegister` holds invoices, credit memos and payments alike.

Amounts are positive whatever the document: invoices (INV) add to what a customer owes, credit memos (CRM) and
payments (PMT) take from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.dac.general_ledger import (
    PARENT_STAMPS,
    STAMPS,
    TO_ACCOUNT,
    TO_BRANCH,
    TO_SUB,
    account_id,
    branch_id,
    sub_id,
)
from tests.sandbox.acumatica.dac.operations import TO_ITEM, item_id
from tests.sandbox.acumatica.dac.shapes import Dac, Property, many, one, prop
from tests.sandbox.acumatica.entities.ledger import made_up_id
from tests.sandbox.acumatica.entities.receivables import invoice_order
from tests.sandbox.acumatica.shapes import Pair, const
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company import chart
from tests.sandbox.company.model import CustomerPayment, DocumentStatus
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.view import View
    from tests.sandbox.company.model import Receipt, SalesInvoice, SalesInvoiceLine

AR = "PX.Objects.AR"
TO_CUSTOMER = one("Customer", "CustomerID", "BAccountID")
_RELEASED = frozenset({DocumentStatus.OPEN, DocumentStatus.CLOSED, DocumentStatus.VOIDED})


def customer_id(view: View, code: str) -> int:
    """The internal number of a customer."""
    return view.company.customers[code].customer_id


def _key(document: SalesInvoice | CustomerPayment) -> tuple[str, str]:
    if isinstance(document, CustomerPayment):
        return "PMT", document.payment_nbr
    return invoice_order(document)


def _balance(document: SalesInvoice | CustomerPayment, *, base: bool) -> Decimal:
    if isinstance(document, CustomerPayment):
        return ZERO
    return document.base_balance if base else document.balance


def _documents(view: View) -> list[SalesInvoice | CustomerPayment]:
    company = view.company
    found: list[SalesInvoice | CustomerPayment] = [
        *company.sales_invoices.values(),
        *company.customer_payments.values(),
    ]
    return sorted(found, key=_key)


def _invoices(view: View) -> list[SalesInvoice]:
    return sorted(view.company.sales_invoices.values(), key=invoice_order)


def _payments(view: View) -> list[CustomerPayment]:
    return sorted(view.company.customer_payments.values(), key=lambda each: each.payment_nbr)


def _lines(view: View) -> list[Pair[SalesInvoice, SalesInvoiceLine]]:
    return [Pair(invoice, line) for invoice in _invoices(view) for line in invoice.lines]


def _adjustments(view: View) -> list[Pair[CustomerPayment, Receipt]]:
    invoices = view.company.sales_invoices
    return [
        Pair(payment, application)
        for payment in _payments(view)
        for application in sorted(
            payment.applications, key=lambda each: invoice_order(invoices[each.invoice_nbr])
        )
    ]


def _adjusted(row: Pair[CustomerPayment, Receipt], view: View) -> SalesInvoice:
    return view.company.sales_invoices[row.line.invoice_nbr]


def _from_order(document: SalesInvoice | CustomerPayment, _: View) -> str:
    if isinstance(document, CustomerPayment):
        return "AR"
    return "SO" if any(line.order_nbr is not None for line in document.lines) else "AR"


def _gain(row: Pair[CustomerPayment, Receipt], view: View) -> Decimal:
    """What the company gained by the exchange rate on one application, in base currency; losses negative."""
    paid = (row.line.amount * row.parent.rate).quantize(ZERO)
    return (paid - row.line.base_amount) * _adjusted(row, view).type.sign


def _register_columns() -> list[Property[Any]]:
    return [
        prop(Kind.STRING, "DocType", lambda each, _: _key(each)[0]),
        prop(Kind.STRING, "RefNbr", lambda each, _: _key(each)[1]),
        prop(Kind.STRING, "OrigModule", _from_order),
        prop(Kind.INT, "BranchID", lambda each, view: branch_id(view, each.branch)),
        prop(Kind.INT, "CustomerID", lambda each, view: customer_id(view, each.customer)),
        prop(Kind.INT, "ARAccountID", lambda _, view: account_id(view, chart.ACCOUNTS_RECEIVABLE)),
        prop(Kind.INT, "ARSubID", lambda _, view: sub_id(view, chart.NO_COST_CENTER)),
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


_TO_LINES = many("ARTran", ("DocType", "RefNbr"), ("TranType", "RefNbr"))
AR_REGISTER: Dac[SalesInvoice | CustomerPayment] = Dac(
    name="ARRegister",
    namespace=AR,
    screen="AR301000",
    keys=("DocType", "RefNbr"),
    rows=_documents,
    modified_at=lambda document: document.modified_at,
    archived=lambda document: document.archived,
    deleted_from=("sales_invoices", "customer_payments"),
    properties=_register_columns(),
    navigations=(TO_CUSTOMER, TO_BRANCH, _TO_LINES),
)
AR_INVOICE: Dac[SalesInvoice] = Dac(
    name="ARInvoice",
    namespace=AR,
    screen="AR301000",
    keys=("DocType", "RefNbr"),
    rows=_invoices,
    modified_at=lambda invoice: invoice.modified_at,
    archived=lambda invoice: invoice.archived,
    deleted_from=("sales_invoices",),
    properties=[
        *_register_columns(),
        prop(Kind.STRING, "InvoiceNbr", "customer_order"),
        prop(Kind.DAY, "DueDate", "due_date"),
        prop(Kind.STRING, "TermsID", "terms", width=10),
        prop(Kind.DECIMAL, "CuryTaxTotal", "tax_amount"),
        prop(Kind.DECIMAL, "TaxTotal", "base_tax_amount"),
        prop(Kind.DECIMAL, "CuryLineTotal", lambda each, _: each.amount - each.tax_amount),
        prop(Kind.DECIMAL, "LineTotal", lambda each, _: each.base_amount - each.base_tax_amount),
    ],
    navigations=(TO_CUSTOMER, TO_BRANCH, _TO_LINES),
)
AR_PAYMENT: Dac[CustomerPayment] = Dac(
    name="ARPayment",
    namespace=AR,
    screen="AR302000",
    keys=("DocType", "RefNbr"),
    rows=_payments,
    modified_at=lambda payment: payment.modified_at,
    archived=lambda payment: payment.archived,
    deleted_from=("customer_payments",),
    properties=[
        *_register_columns(),
        prop(Kind.STRING, "ExtRefNbr", "payment_ref"),
        prop(Kind.STRING, "PaymentMethodID", "method", width=10),
        prop(Kind.INT, "CashAccountID", lambda payment, view: account_id(view, payment.cash_account)),
        prop(Kind.DAY, "AdjDate", "date"),
        prop(Kind.STRING, "AdjFinPeriodID", "period"),
        prop(Kind.BOOLEAN, "Cleared", const(value=False)),
    ],
    navigations=(TO_CUSTOMER, TO_BRANCH),
)
AR_TRAN: Dac[Pair[SalesInvoice, SalesInvoiceLine]] = Dac(
    name="ARTran",
    namespace=AR,
    screen="AR301000",
    keys=("TranType", "RefNbr", "LineNbr"),
    rows=_lines,
    modified_at=lambda row: row.parent.modified_at,
    archived=lambda row: row.parent.archived,
    properties=(
        prop(Kind.STRING, "TranType", lambda row, _: labels.INVOICE_TYPE_CODE[row.parent.type]),
        prop(Kind.STRING, "RefNbr", "parent.invoice_nbr"),
        prop(Kind.INT, "LineNbr", "line.line_nbr"),
        prop(Kind.INT, "BranchID", lambda row, view: branch_id(view, row.parent.branch)),
        prop(Kind.INT, "CustomerID", lambda row, view: customer_id(view, row.parent.customer)),
        prop(Kind.INT, "AccountID", lambda row, view: account_id(view, row.line.account)),
        prop(Kind.INT, "SubID", lambda row, view: sub_id(view, row.line.cost_center)),
        prop(Kind.INT, "InventoryID", lambda row, view: item_id(view, row.line.item)),
        prop(Kind.DAY, "TranDate", "parent.date"),
        prop(Kind.STRING, "FinPeriodID", "parent.period"),
        prop(Kind.STRING, "DrCr", lambda row, _: "C" if row.parent.type.sign > 0 else "D"),
        prop(Kind.STRING, "TranDesc", "line.description"),
        prop(Kind.STRING, "UOM", "line.unit"),
        prop(Kind.DECIMAL, "Qty", "line.quantity"),
        prop(Kind.DECIMAL, "CuryUnitPrice", "line.unit_price"),
        prop(Kind.DECIMAL, "CuryDiscAmt", "line.discount_amount"),
        prop(Kind.DECIMAL, "CuryTranAmt", "line.amount"),
        prop(Kind.DECIMAL, "TranAmt", "line.base_amount"),
        prop(Kind.STRING, "SOOrderType", lambda row, _: "SO" if row.line.order_nbr else None),
        prop(Kind.STRING, "SOOrderNbr", "line.order_nbr"),
        prop(Kind.INT, "SOOrderLineNbr", "line.order_line_nbr"),
        prop(Kind.BOOLEAN, "Released", lambda row, _: row.parent.status in _RELEASED),
        prop(Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))),
        *PARENT_STAMPS,
    ),
    navigations=(TO_ACCOUNT, TO_BRANCH, TO_SUB, TO_ITEM, TO_CUSTOMER),
)
AR_ADJUST: Dac[Pair[CustomerPayment, Receipt]] = Dac(
    name="ARAdjust",
    namespace=AR,
    screen="AR302000",
    keys=("AdjgDocType", "AdjgRefNbr", "AdjNbr", "AdjdDocType", "AdjdRefNbr", "AdjdLineNbr"),
    rows=_adjustments,
    modified_at=lambda row: row.parent.modified_at,
    archived=lambda row: row.parent.archived,
    properties=(
        prop(Kind.STRING, "AdjgDocType", const("PMT")),
        prop(Kind.STRING, "AdjgRefNbr", "parent.payment_nbr"),
        prop(Kind.INT, "AdjNbr", const(0)),
        prop(
            Kind.STRING,
            "AdjdDocType",
            lambda row, view: labels.INVOICE_TYPE_CODE[_adjusted(row, view).type],
        ),
        prop(Kind.STRING, "AdjdRefNbr", "line.invoice_nbr"),
        prop(Kind.INT, "AdjdLineNbr", const(0)),
        prop(Kind.INT, "CustomerID", lambda row, view: customer_id(view, row.parent.customer)),
        prop(Kind.DAY, "AdjgDocDate", "parent.date"),
        prop(Kind.STRING, "AdjgFinPeriodID", "parent.period"),
        prop(Kind.DECIMAL, "CuryAdjgAmt", "line.amount"),
        prop(Kind.DECIMAL, "CuryAdjdAmt", "line.amount"),
        prop(Kind.DECIMAL, "AdjAmt", "line.base_amount"),
        prop(Kind.DECIMAL, "RGOLAmt", _gain),
        prop(Kind.BOOLEAN, "Released", lambda row, _: row.parent.status in _RELEASED),
        prop(Kind.BOOLEAN, "Voided", lambda row, _: row.parent.status is DocumentStatus.VOIDED),
        *PARENT_STAMPS,
    ),
    navigations=(TO_CUSTOMER,),
)
