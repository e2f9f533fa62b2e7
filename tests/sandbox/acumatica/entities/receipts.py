"""What customers pay: `Payment` of the contract API is accounts receivable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.shapes import (
    Collection,
    CustomField,
    Entity,
    Field,
    Pair,
    Shape,
    attr,
    blanks,
    by_name,
    const,
    of_kind,
    switched_off,
    text,
)
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company.model import CustomerPayment, DocumentStatus, Receipt
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.view import View
    from tests.sandbox.company.model import SalesInvoice

ReceiptRow = Pair[CustomerPayment, Receipt]


def _invoice(row: ReceiptRow, view: View) -> SalesInvoice:
    return view.company.sales_invoices[row.line.invoice_nbr]


def _type(row: ReceiptRow, view: View) -> str:
    return labels.INVOICE_TYPE_CODE[_invoice(row, view).type]


def _open_applications(payment: CustomerPayment, _: View) -> list[ReceiptRow]:
    """What an unreleased payment is to settle; at release it moves to the history."""
    unreleased = payment.status is DocumentStatus.HOLD
    return [Pair(payment, each) for each in payment.applications] if unreleased else []


def _posted_applications(payment: CustomerPayment, _: View) -> list[ReceiptRow]:
    released = payment.status is not DocumentStatus.HOLD
    return [Pair(payment, each) for each in payment.applications] if released else []


def _applied(payment: CustomerPayment, _: View) -> Decimal:
    return ZERO if payment.status is DocumentStatus.VOIDED else payment.amount


_TO_APPLY: Shape[ReceiptRow] = Shape(
    type_name="PaymentDetail",
    fields=by_name(
        [
            text("DocType", _type, labels.INVOICE_TYPE),
            text("ReferenceNbr", "line.invoice_nbr"),
            text("CustomerOrder", lambda row, view: _invoice(row, view).customer_order),
            text("Description", lambda row, view: _invoice(row, view).description),
            of_kind(Kind.DECIMAL, "AmountPaid", "line.amount"),
            of_kind(Kind.DECIMAL, "BalanceWriteOff", const(ZERO)),
            of_kind(Kind.DECIMAL, "CashDiscountTaken", const(ZERO)),
            of_kind(Kind.INT, "DocLineNbr", const(0)),
            *blanks(Kind.STRING, "WriteOffReasonCode"),
        ]
    ),
)
_HISTORY: Shape[ReceiptRow] = Shape(
    type_name="PaymentApplicationHistoryDetail",
    fields=by_name(
        [
            text("AdjustedDocType", _type, labels.INVOICE_TYPE),
            text("AdjustedRefNbr", "line.invoice_nbr"),
            text("AdjustingDocType", const("PMT"), labels.RECEIVED_TYPE),
            text("AdjustingRefNbr", "parent.payment_nbr"),
            text("DisplayDocType", _type, labels.INVOICE_TYPE),
            text("DisplayRefNbr", "line.invoice_nbr"),
            text("ApplicationPeriod", lambda row, view: view.period(row.parent.period)),
            text("PostPeriod", lambda row, view: view.period(_invoice(row, view).period)),
            text("BatchNbr", "parent.batch_nbr"),
            text("CurrencyID", "parent.currency"),
            text("Customer", "parent.customer"),
            text("CustomerOrder", lambda row, view: _invoice(row, view).customer_order),
            text("Description", lambda row, view: _invoice(row, view).description),
            of_kind(Kind.INT, "AdjustmentNbr", const(0)),
            of_kind(Kind.DECIMAL, "AmountPaid", "line.amount"),
            of_kind(Kind.DECIMAL, "Balance", lambda row, view: _invoice(row, view).balance),
            of_kind(Kind.DECIMAL, "BalanceWriteOff", const(ZERO)),
            of_kind(Kind.DECIMAL, "CashDiscountBalance", const(ZERO)),
            of_kind(Kind.DECIMAL, "CashDiscountTaken", const(ZERO)),
            of_kind(Kind.DAY, "Date", lambda row, view: _invoice(row, view).date),
            of_kind(Kind.DAY, "DueDate", lambda row, view: _invoice(row, view).due_date),
            *blanks(Kind.STRING, "VATCreditMemo"),
            *blanks(Kind.STAMP, "CashDiscountDate"),
            *switched_off("AdjustsVAT"),
        ]
    ),
)
_ORDER: Shape[ReceiptRow] = Shape(
    type_name="PaymentOrderDetail",
    fields=[
        Field(name="AppliedToOrder", kind=Kind.DECIMAL),
        Field(name="OrderNbr", kind=Kind.STRING),
        Field(name="OrderType", kind=Kind.STRING),
    ],
)
PAYMENT: Entity[CustomerPayment] = Entity(
    screen="AR302000",
    title="Payments and Applications",
    keys=("Type", "ReferenceNbr"),
    rows=lambda view: sorted(view.company.customer_payments.values(), key=lambda each: each.payment_nbr),
    note_id=lambda payment: payment.note_id,
    archived=lambda payment: payment.archived,
    modified_at=lambda payment: payment.modified_at,
    shape=Shape(
        type_name="Payment",
        fields=by_name(
            [
                text("Branch", "branch"),
                text("BranchID", "branch"),
                text("CashAccount", "cash_account"),
                text("CurrencyID", "currency"),
                text("CustomerID", "customer"),
                text("CustomerLocationID", const("MAIN")),
                text("Description", "description"),
                text("PaymentMethod", "method"),
                text("PaymentRef", "payment_ref"),
                text("ReferenceNbr", "payment_nbr"),
                text(
                    "Status",
                    lambda payment, _: labels.DOCUMENT_STATUS_CODE[payment.status],
                    labels.DOCUMENT_STATUS,
                ),
                text("Type", const("PMT"), labels.RECEIVED_TYPE),
                of_kind(Kind.DECIMAL, "AppliedToDocuments", _applied),
                of_kind(Kind.DECIMAL, "AppliedToOrders", const(ZERO)),
                of_kind(Kind.DECIMAL, "AvailableBalance", const(ZERO)),
                of_kind(Kind.DECIMAL, "PaymentAmount", "amount"),
                of_kind(Kind.BOOLEAN, "Hold", lambda payment, _: payment.status is DocumentStatus.HOLD),
                of_kind(Kind.GUID, "NoteID", "note_id"),
                of_kind(Kind.DAY, "ApplicationDate", "date"),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
                *switched_off("IsCCPayment IsNewCard SaveCard"),
                *blanks(Kind.INT, "CardAccountNbr"),
                *blanks(Kind.STRING, "ExternalRef OrigTransaction ProcessingCenterID"),
            ]
        ),
        collections=[
            Collection("ApplicationHistory", _HISTORY, _posted_applications),
            Collection("DocumentsToApply", _TO_APPLY, _open_applications),
            Collection("OrdersToApply", _ORDER, lambda _payment, _view: []),
        ],
        custom=[
            CustomField(
                view="Document",
                name="AdjFinPeriodID",
                kind=Kind.STRING,
                read=lambda payment, view: view.period(payment.period),
            ),
            CustomField(view="CurrentDocument", name="BatchNbr", kind=Kind.STRING, read=attr("batch_nbr")),
            CustomField(
                view="CurrentDocument",
                name="FinPeriodID",
                kind=Kind.STRING,
                read=lambda payment, view: view.period(payment.period),
            ),
        ],
    ),
)
