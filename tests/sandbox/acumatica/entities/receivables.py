"""Accounts receivable: invoices; and the sales orders that this company does not use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.shapes import (
    VERSION_5,
    Collection,
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
from tests.sandbox.company import chart
from tests.sandbox.company.model import DocumentStatus, SalesInvoice, SalesInvoiceLine
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

InvoiceRow = Pair[SalesInvoice, SalesInvoiceLine]


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
INVOICE: Entity[SalesInvoice] = Entity(
    screen="AR301000",
    title="Invoices and Memos",
    keys=("Type", "ReferenceNbr"),
    rows=lambda view: sorted(view.company.sales_invoices.values(), key=lambda each: each.invoice_nbr),
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
                text("Type", const("INV"), labels.INVOICE_TYPE),
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
        ],
    ),
)


def _no_note_id(_: SalesInvoice) -> NoReturn:
    raise LookupError("the company has no sales orders")


_ORDER_DETAIL: Shape[InvoiceRow] = Shape(
    type_name="SalesOrderDetail",
    fields=by_name(
        [
            *blanks(Kind.INT, "LineNbr"),
            *blanks(
                Kind.STRING, "Account Branch InventoryID LastModifiedDate LineDescription UOM WarehouseID"
            ),
            *blanks(Kind.DECIMAL, "Amount DiscountAmount ExtendedPrice OpenQty OrderQty UnitPrice"),
        ]
    ),
)
SALES_ORDER: Entity[SalesInvoice] = Entity(
    screen="SO301000",
    title="Sales Orders",
    keys=("OrderType", "OrderNbr"),
    rows=lambda _: [],
    note_id=_no_note_id,
    modified_at=lambda order: order.modified_at,
    shape=Shape(
        type_name="SalesOrder",
        fields=by_name(
            [
                *blanks(
                    Kind.STRING,
                    "BaseCurrencyID CurrencyID CustomerID CustomerOrder Description ExternalRef LocationID "
                    "OrderNbr OrderType Project ShipVia",
                ),
                Field(name="Branch", kind=Kind.STRING, since="23.200.001"),
                Field(name="Status", kind=Kind.STRING, choices=labels.ORDER_STATUS),
                *blanks(
                    Kind.DECIMAL, "ControlTotal CurrencyRate OrderedQty OrderTotal ReciprocalRate TaxTotal"
                ),
                *blanks(Kind.GUID, "NoteID"),
                Field(name="Date", kind=Kind.DAY, stays_stamp=True),
                Field(name="RequestedOn", kind=Kind.DAY, stays_stamp=True),
                Field(name="LastModified", kind=Kind.STAMP, read=attr("modified_at"), until=VERSION_5),
                Field(
                    name="LastModifiedDateTime", kind=Kind.STAMP, read=attr("modified_at"), since=VERSION_5
                ),
                *switched_off("Approved CreditHold Hold IsTaxValid WillCall"),
            ]
        ),
        collections=[Collection("Details", _ORDER_DETAIL, lambda _order, _view: [])],
    ),
)
