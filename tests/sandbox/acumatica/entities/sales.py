"""Sales orders, and the invoices that were written for them (`SalesInvoice`)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.entities.ledger import made_up_id
from tests.sandbox.acumatica.shapes import (
    VERSION_5,
    Collection,
    Entity,
    Field,
    Link,
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
from tests.sandbox.company.model import (
    DocumentStatus,
    SalesInvoice,
    SalesInvoiceLine,
    SalesOrder,
    SalesOrderLine,
)
from tests.sandbox.company.money import ZERO, cents

if TYPE_CHECKING:
    import datetime as dt

    from tests.sandbox.acumatica.view import View

OrderRow = Pair[SalesOrder, SalesOrderLine]
InvoiceRow = Pair[SalesInvoice, SalesInvoiceLine]
_SIX_DIGITS = Decimal("0.000001")
_HUNDRED = Decimal(100)


def order_lines(order: SalesOrder, _: View) -> list[OrderRow]:
    """The lines of a sales order with the order."""
    return [Pair(order, line) for line in order.lines]


def is_completed(row: OrderRow, _: View) -> bool:
    """Whether nothing is to be shipped of a line any more."""
    return not row.line.quantity_open or row.parent.status is DocumentStatus.CLOSED


def open_quantity(row: OrderRow, view: View) -> Decimal:
    """What is still to be shipped; nothing of completed and cancelled orders."""
    is_over = row.parent.status is DocumentStatus.VOIDED or is_completed(row, view)
    return Decimal(0) if is_over else row.line.quantity_open


def unbilled_amount(row: OrderRow, _: View) -> Decimal:
    """The part of a line's amount that no invoice was written for, in document currency."""
    line = row.line
    return cents(line.amount * line.quantity_open / line.quantity) if line.quantity else ZERO


def _local_text(moment: dt.datetime) -> str:
    return f"{moment:%m/%d/%Y %H:%M:%S}"


def _from_orders(view: View) -> list[SalesInvoice]:
    """This form shows the invoices that came from sales orders."""
    found = (
        each
        for each in view.company.sales_invoices.values()
        if any(line.order_nbr is not None for line in each.lines)
    )
    return sorted(found, key=lambda each: (labels.INVOICE_TYPE_CODE[each.type], each.invoice_nbr))


_ORDER_DETAIL: Shape[OrderRow] = Shape(
    type_name="SalesOrderDetail",
    fields=by_name(
        [
            of_kind(Kind.INT, "LineNbr", "line.line_nbr"),
            text("Account", "line.account"),
            text("Branch", "parent.branch"),
            text("InventoryID", "line.item"),
            # a text field, although it tells a moment
            text("LastModifiedDate", lambda row, _: _local_text(row.parent.modified_at)),
            text("LineDescription", "line.description"),
            text("LineType", lambda row, _: "GI" if row.line.warehouse else "GN"),
            text("UOM", "line.unit"),
            text("WarehouseID", "line.warehouse"),
            of_kind(Kind.DECIMAL, "Amount", "line.amount"),
            of_kind(Kind.DECIMAL, "DiscountAmount", "line.discount_amount"),
            of_kind(Kind.DECIMAL, "DiscountPercent", "line.discount_percent"),
            of_kind(
                Kind.DECIMAL,
                "DiscountedUnitPrice",
                # prices are stored with six decimals
                lambda row, _: round(row.line.unit_price * (1 - row.line.discount_percent / _HUNDRED), 6),
            ),
            of_kind(Kind.DECIMAL, "ExtendedPrice", lambda row, _: row.line.amount + row.line.discount_amount),
            of_kind(Kind.DECIMAL, "OpenQty", open_quantity),
            of_kind(Kind.DECIMAL, "OrderQty", "line.quantity"),
            of_kind(Kind.DECIMAL, "QtyOnShipments", "line.quantity_shipped"),
            of_kind(Kind.DECIMAL, "UnbilledAmount", unbilled_amount),
            of_kind(Kind.DECIMAL, "UnitPrice", "line.unit_price"),
            of_kind(Kind.BOOLEAN, "Completed", is_completed),
            of_kind(
                Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))
            ),
            Field(name="RequestedOn", kind=Kind.DAY, read=attr("parent.requested_on"), stays_stamp=True),
            *blanks(Kind.INT, "AssociatedOrderLineNbr InvoiceLineNbr"),
            *blanks(
                Kind.STRING,
                "AlternateID CostCode CustomerOrderNbr DiscountCode ExternalRef GiftMessage InvoiceNbr "
                "InvoiceType Location LotSerialNbr Operation POSource ProjectTask PurchaseWarehouse ReasonCode "
                "SalespersonID ShippingRule ShipToLocation Subitem TaxCategory TaxZone VendorID",
            ),
            *blanks(Kind.DECIMAL, "AverageCost OvershipThreshold UndershipThreshold UnitCost"),
            *blanks(Kind.STAMP, "SchedOrderDate ShipOn"),
            *switched_off(
                "AutoCreateIssue CalculateDiscountsOnImport Commissionable FreeItem ManualDiscount ManualPrice "
                "MarkForPO"
            ),
        ]
    ),
)
_TOTALS: Shape[SalesOrder] = Shape(
    type_name="Totals",
    fields=by_name(
        [
            of_kind(Kind.DECIMAL, "LineTotalAmount", "total"),
            of_kind(Kind.DECIMAL, "TaxTotal", const(ZERO)),
            of_kind(
                Kind.DECIMAL,
                "DiscountTotal",
                lambda order, _: sum((line.discount_amount for line in order.lines), ZERO),
            ),
            of_kind(
                Kind.DECIMAL,
                "UnbilledQty",
                lambda order, _: sum((line.quantity_open for line in order.lines), Decimal(0)),
            ),
            of_kind(
                Kind.DECIMAL,
                "UnbilledAmount",
                lambda order, view: sum(
                    (unbilled_amount(row, view) for row in order_lines(order, view)), ZERO
                ),
            ),
        ]
    ),
)
SALES_ORDER: Entity[SalesOrder] = Entity(
    screen="SO301000",
    title="Sales Orders",
    keys=("OrderType", "OrderNbr"),
    rows=lambda view: sorted(view.company.sales_orders.values(), key=lambda order: order.order_nbr),
    note_id=lambda order: order.note_id,
    archived=lambda order: order.archived,
    modified_at=lambda order: order.modified_at,
    shape=Shape(
        type_name="SalesOrder",
        fields=by_name(
            [
                text("BaseCurrencyID", lambda _, view: view.company.base_currency),
                Field(name="Branch", kind=Kind.STRING, read=attr("branch"), since="23.200.001"),
                text("CurrencyID", "currency"),
                text("CurrencyRateTypeID", const("SPOT")),
                text("CustomerID", "customer"),
                text("CustomerOrder", "customer_order"),
                text("Description", "description"),
                text("LocationID", const("MAIN")),
                text("OrderNbr", "order_nbr"),
                text("OrderType", const("SO")),  # plain text in contract 5 as well
                text("Project", lambda order, _: order.project or "X"),
                text(
                    "Status",
                    lambda order, _: labels.SALES_ORDER_STATUS_CODE[order.status],
                    labels.SALES_ORDER_STATUS,
                ),
                of_kind(Kind.DECIMAL, "ControlTotal", "total"),
                of_kind(Kind.DECIMAL, "CurrencyRate", "rate"),
                of_kind(
                    Kind.DECIMAL,
                    "OrderedQty",
                    lambda order, _: sum((line.quantity for line in order.lines), Decimal(0)),
                ),
                of_kind(Kind.DECIMAL, "OrderTotal", "total"),
                of_kind(
                    Kind.DECIMAL, "ReciprocalRate", lambda order, _: (1 / order.rate).quantize(_SIX_DIGITS)
                ),
                of_kind(Kind.DECIMAL, "TaxTotal", const(ZERO)),
                of_kind(Kind.GUID, "NoteID", "note_id"),
                of_kind(Kind.BOOLEAN, "Hold", lambda order, _: order.status is DocumentStatus.HOLD),
                of_kind(Kind.BOOLEAN, "Approved", const(value=True)),
                of_kind(Kind.STAMP, "CreatedDate", "created_at"),
                Field(name="Date", kind=Kind.DAY, read=attr("date"), stays_stamp=True),
                Field(name="EffectiveDate", kind=Kind.DAY, read=attr("date"), stays_stamp=True),
                Field(name="RequestedOn", kind=Kind.DAY, read=attr("requested_on"), stays_stamp=True),
                Field(name="LastModified", kind=Kind.STAMP, read=attr("modified_at"), until=VERSION_5),
                Field(
                    name="LastModifiedDateTime", kind=Kind.STAMP, read=attr("modified_at"), since=VERSION_5
                ),
                *blanks(
                    Kind.STRING,
                    "CashAccount ContactID DestinationWarehouseID ExternalOrderOrigin ExternalOrderSource "
                    "ExternalRef ExternalRefundRef PaymentMethod PaymentRef PreferredWarehouseID ShipVia TaxCalcMode",
                ),
                *blanks(Kind.DECIMAL, "MaxRiskScore VATExemptTotal VATTaxableTotal"),
                *switched_off("CreditHold IsTaxValid WillCall"),
            ]
        ),
        collections=[Collection("Details", _ORDER_DETAIL, order_lines)],
        links=[Link("Totals", _TOTALS, lambda order, _: order)],
    ),
)
_INVOICE_DETAIL: Shape[InvoiceRow] = Shape(
    type_name="SalesInvoiceDetail",
    fields=by_name(
        [
            of_kind(Kind.INT, "LineNbr", "line.line_nbr"),
            of_kind(Kind.INT, "OrderLineNbr", "line.order_line_nbr"),
            text("Account", "line.account"),
            text("BranchID", "parent.branch"),
            text("InventoryID", "line.item"),
            text("OrderNbr", "line.order_nbr"),
            text("OrderType", lambda row, _: "SO" if row.line.order_nbr else None),
            text("SubAccount", "line.cost_center"),
            text("TransactionDescr", "line.description"),
            text("UOM", "line.unit"),
            of_kind(Kind.DECIMAL, "Amount", "line.amount"),
            of_kind(Kind.DECIMAL, "DiscountAmount", "line.discount_amount"),
            of_kind(Kind.DECIMAL, "Qty", "line.quantity"),
            of_kind(Kind.DECIMAL, "UnitPrice", "line.unit_price"),
            of_kind(
                Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))
            ),
            *blanks(Kind.INT, "OrigInvLineNbr"),
            *blanks(Kind.DECIMAL, "DiscountPercent"),
            *blanks(Kind.STAMP, "ExpirationDate"),
            *blanks(
                Kind.STRING,
                "CostCode Description ExternalRef InventoryDocType InventoryRefNbr Location LotSerialNbr OrigInvNbr "
                "OrigInvType ProjectTask ShipmentNbr Subitem TaxCategory WarehouseID",
            ),
            *switched_off("CalculateDiscountsOnImport ManualDiscount ManualPrice"),
        ]
    ),
)
_INVOICE_TAX: Shape[SalesInvoice] = Shape(
    type_name="SalesInvoiceTaxDetail",
    fields=[
        of_kind(Kind.DECIMAL, "TaxAmount", "tax_amount"),
        text("TaxID", const("VAT")),
        of_kind(Kind.DECIMAL, "TaxableAmount", lambda invoice, _: invoice.amount - invoice.tax_amount),
    ],
)
_FINANCIAL: Shape[SalesInvoice] = Shape(
    type_name="SalesInvoiceFinancialDetails",
    fields=[
        text("BatchNbr", "batch_nbr"),
        text("Branch", "branch"),
        Field(name="CustomerTaxZone", kind=Kind.STRING),
    ],
)
SALES_INVOICE: Entity[SalesInvoice] = Entity(
    screen="SO303000",
    title="Invoices",
    keys=("Type", "ReferenceNbr"),
    rows=_from_orders,
    note_id=lambda invoice: invoice.note_id,
    archived=lambda invoice: invoice.archived,
    modified_at=lambda invoice: invoice.modified_at,
    shape=Shape(
        type_name="SalesInvoice",
        fields=by_name(
            [
                text("Currency", "currency"),
                text("CustomerID", "customer"),
                text("CustomerOrder", "customer_order"),
                text("Description", "description"),
                text("Project", const("X")),
                text("ReferenceNbr", "invoice_nbr"),
                text(
                    "Status",
                    lambda invoice, _: labels.DOCUMENT_STATUS_CODE[invoice.status],
                    labels.DOCUMENT_STATUS,
                ),
                text("Type", lambda invoice, _: labels.INVOICE_TYPE_CODE[invoice.type], labels.INVOICE_TYPE),
                of_kind(Kind.DECIMAL, "Amount", "amount"),
                of_kind(Kind.DECIMAL, "Balance", "balance"),
                of_kind(Kind.DECIMAL, "CashDiscount", const(ZERO)),
                of_kind(Kind.DECIMAL, "DetailTotal", lambda invoice, _: invoice.amount - invoice.tax_amount),
                of_kind(Kind.DECIMAL, "PaymentTotal", const(ZERO)),
                of_kind(Kind.DECIMAL, "TaxTotal", "tax_amount"),
                of_kind(Kind.BOOLEAN, "Hold", lambda invoice, _: invoice.status is DocumentStatus.HOLD),
                of_kind(Kind.DAY, "Date", "date"),
                of_kind(Kind.DAY, "DueDate", "due_date"),
                Field(
                    name="LastModifiedDateTime",
                    kind=Kind.STAMP,
                    read=attr("modified_at"),
                    since="23.200.001",
                ),
                Field(name="LastModifiedDate", kind=Kind.STAMP, read=attr("modified_at"), since="24.200.001"),
                Field(name="CreatedDate", kind=Kind.STAMP, read=attr("created_at"), since="24.200.001"),
                Field(name="ExternalRef", kind=Kind.STRING, since="24.200.001"),
                Field(name="TaxCalcMode", kind=Kind.STRING, since="24.200.001"),
                *blanks(Kind.DECIMAL, "DiscountTotal FreightPrice VATExemptTotal VATTaxableTotal"),
                *switched_off("CreditHold IsTaxValid"),
            ]
        ),
        collections=[
            Collection(
                "Details", _INVOICE_DETAIL, lambda invoice, _: [Pair(invoice, line) for line in invoice.lines]
            ),
            Collection("TaxDetails", _INVOICE_TAX, lambda each, _: [each] if each.tax_amount else []),
        ],
        links=[Link("FinancialDetails", _FINANCIAL, lambda invoice, _: invoice)],
    ),
)
