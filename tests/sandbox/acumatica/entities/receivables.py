"""Accounts receivable: invoices and credit memos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.shapes import (
    Collection,
    Entity,
    Field,
    Pair,
    Shape,
    blanks,
    by_name,
    const,
    of_kind,
    switched_off,
    text,
)
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company import chart
from tests.sandbox.company.model import (
    CustomerPayment,
    DocumentStatus,
    Receipt,
    SalesInvoice,
    SalesInvoiceLine,
)
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.view import View

InvoiceRow = Pair[SalesInvoice, SalesInvoiceLine]
ReceivedRow = Pair[CustomerPayment, Receipt]


def invoice_order(invoice: SalesInvoice) -> tuple[str, str]:
    """The key of an invoice in the database: type code and number."""
    return labels.INVOICE_TYPE_CODE[invoice.type], invoice.invoice_nbr


def _applications(invoice: SalesInvoice, view: View) -> list[ReceivedRow]:
    found = view.customer_applications.get(invoice.invoice_nbr, [])
    return [Pair(payment, application) for payment, application in found]


def _taxable(invoice: SalesInvoice) -> Decimal:
    return sum((line.amount for line in invoice.lines), ZERO)


_DETAIL: Shape[InvoiceRow] = Shape(
    type_name="InvoiceDetail",
    fields=by_name(
        [
            of_kind(Kind.INT, "LineNbr", "line.line_nbr"),
            text("Account", "line.account"),
            text("Branch", "parent.branch"),
            text("InventoryID", "line.item"),
            text("Subaccount", "line.cost_center"),
            text("TransactionDescription", "line.description"),
            text("UOM", "line.unit"),
            of_kind(Kind.DECIMAL, "Amount", "line.amount"),
            of_kind(Kind.DECIMAL, "DiscountAmount", "line.discount_amount"),
            of_kind(Kind.DECIMAL, "ExtendedPrice", lambda row, _: row.line.amount + row.line.discount_amount),
            of_kind(Kind.DECIMAL, "Qty", "line.quantity"),
            of_kind(Kind.DECIMAL, "UnitPrice", "line.unit_price"),
            of_kind(Kind.STAMP, "LastModifiedDateTime", "parent.modified_at"),
            *switched_off("CalculateDiscountsOnImport"),
            *blanks(Kind.STRING, "CostCode ProjectTask Subitem TaxCategory"),
        ]
    ),
)
_TAX: Shape[SalesInvoice] = Shape(
    type_name="InvoiceTaxDetail",
    fields=[
        of_kind(Kind.DECIMAL, "TaxableAmount", lambda invoice, _: _taxable(invoice)),
        of_kind(Kind.DECIMAL, "TaxAmount", "tax_amount"),
        text("TaxID", const("VAT")),
        Field(name="TaxRate", kind=Kind.DECIMAL),
    ],
)
_APPLICATION: Shape[ReceivedRow] = Shape(
    type_name="InvoiceApplicationsDefault",
    fields=by_name(
        [
            of_kind(Kind.DECIMAL, "AmountPaid", "line.amount"),
            text("DocType", const("PMT"), labels.RECEIVED_TYPE),
            text("ReferenceNbr", "parent.payment_nbr"),
            text(
                "Status",
                lambda row, _: labels.DOCUMENT_STATUS_CODE[row.parent.status],
                labels.DOCUMENT_STATUS,
            ),
        ]
    ),
)
INVOICE: Entity[SalesInvoice] = Entity(
    screen="AR301000",
    title="Invoices and Memos",
    keys=("Type", "ReferenceNbr"),
    rows=lambda view: sorted(view.company.sales_invoices.values(), key=invoice_order),
    note_id=lambda invoice: invoice.note_id,
    archived=lambda invoice: invoice.archived,
    modified_at=lambda invoice: invoice.modified_at,
    shape=Shape(
        type_name="Invoice",
        fields=by_name(
            [
                text("Customer", "customer"),
                text("CustomerOrder", "customer_order"),
                text("Description", "description"),
                text("LinkARAccount", const(chart.ACCOUNTS_RECEIVABLE)),
                text("LinkBranch", "branch"),
                text("LocationID", const("MAIN")),
                text("PostPeriod", lambda invoice, view: view.period(invoice.period)),
                text("Project", const("X")),
                text("ReferenceNbr", "invoice_nbr"),
                text(
                    "Status",
                    lambda invoice, _: labels.DOCUMENT_STATUS_CODE[invoice.status],
                    labels.DOCUMENT_STATUS,
                ),
                text("Terms", "terms"),
                text("Type", lambda invoice, _: labels.INVOICE_TYPE_CODE[invoice.type], labels.INVOICE_TYPE),
                of_kind(Kind.DECIMAL, "Amount", "amount"),
                of_kind(Kind.DECIMAL, "Balance", "balance"),
                of_kind(Kind.DECIMAL, "TaxTotal", "tax_amount"),
                of_kind(Kind.STAMP, "CreatedDateTime", "created_at"),
                of_kind(Kind.DAY, "Date", "date"),
                of_kind(Kind.DAY, "DueDate", "due_date"),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
                of_kind(Kind.BOOLEAN, "Hold", lambda invoice, _: invoice.status is DocumentStatus.HOLD),
                *switched_off("BillingPrinted BillToContactOverride IsTaxValid ShipToContactOverride"),
            ]
        ),
        collections=[
            Collection(
                "Details", _DETAIL, lambda invoice, _: [Pair(invoice, line) for line in invoice.lines]
            ),
            Collection("TaxDetails", _TAX, lambda invoice, _: [invoice] if invoice.tax_amount else []),
            Collection("ApplicationsDefault", _APPLICATION, _applications),
        ],
    ),
)
