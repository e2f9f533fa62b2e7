"""Accounts payable: bills and adjustments, and the payments that the contract API calls `Check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.entities.customs import user_fields
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
from tests.sandbox.company.model import Application, Bill, BillLine, DocumentStatus, Payment
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.view import View

BillRow = Pair[Bill, BillLine]
PaymentRow = Pair[Payment, Application]


def bill_order(bill: Bill) -> tuple[str, str]:
    """The key of a bill in the database: type code and number."""
    return labels.BILL_TYPE_CODE[bill.type], bill.reference_nbr


def _lines(bill: Bill, _: View) -> list[BillRow]:
    return [Pair(bill, line) for line in bill.lines]


def _taxable(bill: Bill) -> Decimal:
    return sum((line.amount for line in bill.lines), ZERO)


def _settled(row: PaymentRow, view: View) -> Bill:
    return view.company.bills[f"{row.line.type}|{row.line.reference_nbr}"]


BILL_DETAIL: Shape[BillRow] = Shape(
    type_name="BillDetail",
    fields=by_name(
        [
            text("Account", "line.account"),
            text("Branch", "parent.branch"),
            text("Description", lambda row, view: view.company.accounts[row.line.account].name),
            text("InventoryID", "line.item"),
            text("POOrderNbr", "line.order_nbr"),
            text("POOrderType", lambda row, _: "RO" if row.line.order_nbr else None, labels.ORDER_TYPE),
            text("Subaccount", "line.cost_center"),
            text("TransactionDescription", "line.description"),
            text("UOM", "line.unit"),
            text("Project", const("X")),
            of_kind(Kind.DECIMAL, "Amount", "line.amount"),
            of_kind(Kind.DECIMAL, "ExtendedCost", "line.amount"),
            of_kind(Kind.DECIMAL, "Qty", "line.quantity"),
            of_kind(Kind.DECIMAL, "UnitCost", "line.unit_cost"),
            of_kind(Kind.INT, "POLine", "line.order_line_nbr"),
            text("POReceiptNbr", "line.receipt_nbr"),
            text("POReceiptType", lambda row, _: "RT" if row.line.receipt_nbr else None, labels.RECEIPT_TYPE),
            of_kind(Kind.INT, "POReceiptLine", "line.receipt_line_nbr"),
            *blanks(Kind.STRING, "CostCode ProjectTask TaxCategory"),
            *switched_off("CalculateDiscountsOnImport NonBillable"),
            Field(name="LCType", kind=Kind.STRING, since="24.200.001"),
            Field(name="LCNbr", kind=Kind.STRING, since="24.200.001"),
            Field(name="LCLineNbr", kind=Kind.INT, since="24.200.001"),
        ]
    ),
    custom=[
        CustomField(view="Transactions", name="LineNbr", kind=Kind.INT, read=attr("line.line_nbr")),
        CustomField(
            view="Transactions",
            name="TranType",
            kind=Kind.STRING,
            read=lambda row, _: labels.BILL_TYPE_CODE[row.parent.type],
        ),
        *user_fields("Transactions", "line.custom"),
    ],
)
_BILL_TAX: Shape[Bill] = Shape(
    type_name="BillTaxDetail",
    fields=[
        of_kind(Kind.DECIMAL, "TaxableAmount", lambda bill, _: _taxable(bill)),
        of_kind(Kind.DECIMAL, "TaxAmount", "tax_amount"),
        text("TaxID", const("VAT")),
        Field(name="TaxRate", kind=Kind.DECIMAL),
    ],
)
_BILL_APPLICATION: Shape[PaymentRow] = Shape(
    type_name="BillApplicationDetail",
    fields=[
        of_kind(Kind.DECIMAL, "AmountPaid", "line.amount"),
        of_kind(Kind.DECIMAL, "Balance", const(ZERO)),
        text("DocType", const("CHK"), labels.PAYMENT_TYPE),
        text("ReferenceNbr", "parent.payment_nbr"),
        text(
            "Status",
            lambda row, _: labels.DOCUMENT_STATUS_CODE[row.parent.status],
            labels.DOCUMENT_STATUS,
        ),
    ],
)


def _applications(bill: Bill, view: View) -> list[PaymentRow]:
    found = view.applications.get(f"{bill.type}|{bill.reference_nbr}", [])
    return [Pair(payment, application) for payment, application in found]


BILL: Entity[Bill] = Entity(
    screen="AP301000",
    title="Bills and Adjustments",
    keys=("Type", "ReferenceNbr"),
    rows=lambda view: sorted(view.company.bills.values(), key=bill_order),
    note_id=lambda bill: bill.note_id,
    archived=lambda bill: bill.archived,
    modified_at=lambda bill: bill.modified_at,
    shape=Shape(
        type_name="Bill",
        fields=by_name(
            [
                text("BranchID", "branch"),
                text("CurrencyID", "currency"),
                text("Description", "description"),
                text("PostPeriod", lambda bill, view: view.period(bill.period)),
                text("ReferenceNbr", "reference_nbr"),
                text(
                    "Status",
                    lambda bill, _: labels.DOCUMENT_STATUS_CODE[bill.status],
                    labels.DOCUMENT_STATUS,
                ),
                text("Terms", "terms"),
                text("Type", lambda bill, _: labels.BILL_TYPE_CODE[bill.type], labels.BILL_TYPE),
                text("Vendor", "vendor"),
                text("VendorRef", "vendor_ref"),
                text("LocationID", const("MAIN")),
                text("Project", const("X")),
                of_kind(Kind.DECIMAL, "Amount", "amount"),
                of_kind(Kind.DECIMAL, "Balance", "balance"),
                of_kind(Kind.DECIMAL, "TaxTotal", "tax_amount"),
                of_kind(Kind.DAY, "Date", "date"),
                of_kind(Kind.DAY, "DueDate", "due_date"),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
                of_kind(Kind.BOOLEAN, "Hold", lambda bill, _: bill.status is DocumentStatus.HOLD),
                of_kind(Kind.BOOLEAN, "ApprovedForPayment", const(value=False)),
                *blanks(Kind.STRING, "CashAccount"),
                Field(name="IsTaxValid", kind=Kind.BOOLEAN, read=const(value=False), since="23.200.001"),
            ]
        ),
        collections=[
            Collection("Details", BILL_DETAIL, _lines),
            Collection("TaxDetails", _BILL_TAX, lambda bill, _: [bill] if bill.tax_amount else []),
            Collection("Applications", _BILL_APPLICATION, _applications),
        ],
        custom=[
            CustomField(view="Document", name="BatchNbr", kind=Kind.STRING, read=attr("batch_nbr")),
            CustomField(
                view="Document", name="DocType", kind=Kind.STRING, read=lambda bill, _: bill_order(bill)[0]
            ),
            CustomField(
                view="Document",
                name="AttributeCOSTOWNER",
                kind=Kind.STRING,
                read=lambda bill, _: bill.lines[0].cost_center if bill.lines else None,
            ),
            CustomField(view="Document", name="UsrEnteredOn", kind=Kind.STAMP, read=attr("created_at")),
            *user_fields("Document"),
        ],
    ),
)


def _open_applications(payment: Payment, _: View) -> list[PaymentRow]:
    """What an unreleased payment is to settle; at release it moves to the history."""
    unreleased = payment.status is DocumentStatus.HOLD
    return [Pair(payment, application) for application in payment.applications] if unreleased else []


def _posted_applications(payment: Payment, _: View) -> list[PaymentRow]:
    released = payment.status is not DocumentStatus.HOLD
    return [Pair(payment, application) for application in payment.applications] if released else []


def _application_fields() -> list[Field[PaymentRow]]:
    return [
        text("DocType", lambda row, _: labels.BILL_TYPE_CODE[row.line.type], labels.BILL_TYPE),
        text("ReferenceNbr", "line.reference_nbr"),
        of_kind(Kind.DECIMAL, "AmountPaid", "line.amount"),
        of_kind(Kind.DECIMAL, "Balance", lambda row, view: _settled(row, view).balance),
        of_kind(Kind.DECIMAL, "CashDiscountBalance", const(ZERO)),
    ]


_CHECK_DETAIL: Shape[PaymentRow] = Shape(
    type_name="CheckDetail",
    fields=by_name([*_application_fields(), of_kind(Kind.INT, "DocLineNbr", const(0))]),
)
_CHECK_HISTORY: Shape[PaymentRow] = Shape(
    type_name="CheckHistoryDetail",
    fields=by_name(
        [
            *_application_fields(),
            of_kind(Kind.DECIMAL, "CashDiscountTaken", const(ZERO)),
            text("VendorRef", lambda row, view: _settled(row, view).vendor_ref),
        ]
    ),
)
CHECK: Entity[Payment] = Entity(
    screen="AP302000",
    title="Checks and Payments",
    keys=("Type", "ReferenceNbr"),
    rows=lambda view: sorted(view.company.payments.values(), key=lambda payment: payment.payment_nbr),
    note_id=lambda payment: payment.note_id,
    archived=lambda payment: payment.archived,
    modified_at=lambda payment: payment.modified_at,
    shape=Shape(
        type_name="Check",
        fields=by_name(
            [
                text("CashAccount", "cash_account"),
                text("CurrencyID", "currency"),
                text("Description", "description"),
                text("PaymentMethod", "method"),
                text("PaymentRef", "payment_ref"),
                text("ReferenceNbr", "payment_nbr"),
                text(
                    "Status",
                    lambda payment, _: labels.DOCUMENT_STATUS_CODE[payment.status],
                    labels.DOCUMENT_STATUS,
                ),
                text("Type", const("CHK"), labels.PAYMENT_TYPE),
                text("Vendor", "vendor"),
                of_kind(Kind.DECIMAL, "PaymentAmount", "amount"),
                of_kind(Kind.DECIMAL, "UnappliedBalance", const(ZERO)),
                of_kind(Kind.BOOLEAN, "Hold", lambda payment, _: payment.status is DocumentStatus.HOLD),
                of_kind(Kind.DAY, "ApplicationDate", "date"),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
            ]
        ),
        collections=[
            Collection("Details", _CHECK_DETAIL, _open_applications),
            Collection("History", _CHECK_HISTORY, _posted_applications),
        ],
        custom=[
            CustomField(view="CurrentDocument", name="BranchID", kind=Kind.STRING, read=attr("branch")),
            CustomField(
                view="CurrentDocument",
                name="FinPeriodID",
                kind=Kind.STRING,
                read=lambda payment, view: view.period(payment.period),
            ),
            CustomField(view="CurrentDocument", name="BatchNbr", kind=Kind.STRING, read=attr("batch_nbr")),
            CustomField(view="CurrentDocument", name="Cleared", kind=Kind.BOOLEAN, read=const(value=False)),
            CustomField(
                view="Document",
                name="AdjFinPeriodID",
                kind=Kind.STRING,
                read=lambda payment, view: view.period(payment.period),
            ),
        ],
    ),
)
