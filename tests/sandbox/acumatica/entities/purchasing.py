"""Purchase orders."""

from __future__ import annotations

from decimal import Decimal
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
from tests.sandbox.company.model import DocumentStatus, PurchaseOrder, PurchaseOrderLine
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from tests.sandbox.acumatica.view import View

OrderRow = Pair[PurchaseOrder, PurchaseOrderLine]
_SIX_DIGITS = Decimal("0.000001")


def _line_type(row: OrderRow, view: View) -> str:
    item = view.company.items.get(row.line.item or "")
    return "SV" if item is None else "GI" if item.is_stock else "NS"


_DETAIL: Shape[OrderRow] = Shape(
    type_name="PurchaseOrderDetail",
    fields=by_name(
        [
            of_kind(Kind.INT, "LineNbr", "line.line_nbr"),
            text("Account", "line.account"),
            text("BranchID", "parent.branch"),
            text("Description", lambda row, view: view.company.accounts[row.line.account].name),
            text("InventoryID", "line.item"),
            text("LineDescription", "line.description"),
            text("LineType", _line_type, labels.LINE_TYPE),
            text("OrderNbr", "parent.order_nbr"),
            text("OrderType", const("RO"), labels.ORDER_TYPE),
            text("Subaccount", "line.cost_center"),
            text("UOM", "line.unit"),
            text("Project", const("X")),
            of_kind(Kind.DECIMAL, "ExtendedCost", "line.amount"),
            of_kind(Kind.DECIMAL, "OrderQty", "line.quantity"),
            of_kind(Kind.DECIMAL, "QtyOnReceipts", "line.quantity_received"),
            of_kind(Kind.DECIMAL, "UnitCost", "line.unit_cost"),
            of_kind(Kind.DAY, "Promised", "parent.promised_on"),
            of_kind(Kind.DAY, "Requested", "parent.date"),
            of_kind(
                Kind.BOOLEAN,
                "Completed",
                lambda row, _: row.line.quantity_received >= row.line.quantity,
            ),
            of_kind(Kind.BOOLEAN, "Cancelled", lambda row, _: row.parent.status is DocumentStatus.VOIDED),
            *switched_off("CalculateDiscountsOnImport"),
            *blanks(
                Kind.STRING,
                "AlternateID CostCode OrigPONbr OrigPOType ProjectTask ReceiptAction Subitem TaxCategory "
                "WarehouseID",
            ),
            *blanks(Kind.DECIMAL, "CompleteOn MaxReceiptPercent MinReceiptPercent OrderedQty ReceivedAmount"),
        ]
    ),
)
_TAX: Shape[PurchaseOrder] = Shape(
    type_name="PurchaseOrderTaxDetail",
    fields=[
        *blanks(Kind.DECIMAL, "RetainedTaxableAmount RetainedTaxAmount TaxableAmount TaxAmount"),
        Field(name="TaxID", kind=Kind.STRING),
        Field(name="TaxRate", kind=Kind.DECIMAL),
    ],
)
PURCHASE_ORDER: Entity[PurchaseOrder] = Entity(
    screen="PO301000",
    title="Purchase Orders",
    keys=("Type", "OrderNbr"),
    rows=lambda view: sorted(view.company.purchase_orders.values(), key=lambda order: order.order_nbr),
    note_id=lambda order: order.note_id,
    archived=lambda order: order.archived,
    modified_at=lambda order: order.modified_at,
    shape=Shape(
        type_name="PurchaseOrder",
        fields=by_name(
            [
                text("BaseCurrencyID", lambda _, view: view.company.base_currency),
                text("Branch", "branch"),
                text("CurrencyID", "currency"),
                text("CurrencyRateTypeID", const("SPOT")),
                text("Description", "description"),
                text("Location", const("MAIN")),
                text("OrderNbr", "order_nbr"),
                text("Project", const("X")),
                text("Status", lambda order, _: labels.ORDER_STATUS_CODE[order.status], labels.ORDER_STATUS),
                text("Terms", lambda order, view: view.company.vendors[order.vendor].terms),
                text("Type", const("RO"), labels.ORDER_TYPE),
                text("VendorID", "vendor"),
                text("VendorRef", "vendor_ref"),
                of_kind(Kind.DECIMAL, "ControlTotal", "total"),
                of_kind(Kind.DECIMAL, "CurrencyRate", "rate"),
                of_kind(
                    Kind.DECIMAL,
                    "CurrencyReciprocalRate",
                    lambda order, _: (1 / order.rate).quantize(_SIX_DIGITS),
                ),
                of_kind(Kind.DECIMAL, "LineTotal", "total"),
                of_kind(Kind.DECIMAL, "OrderTotal", "total"),
                of_kind(Kind.DECIMAL, "TaxTotal", const(ZERO)),
                of_kind(Kind.BOOLEAN, "Hold", lambda order, _: order.status is DocumentStatus.HOLD),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
                Field(name="Date", kind=Kind.DAY, read=attr("date"), stays_stamp=True),
                Field(name="CurrencyEffectiveDate", kind=Kind.DAY, read=attr("date"), stays_stamp=True),
                Field(name="PromisedOn", kind=Kind.DAY, read=attr("promised_on"), stays_stamp=True),
                Field(name="IsTaxValid", kind=Kind.BOOLEAN, read=const(value=False)),
                *blanks(Kind.STRING, "Owner VendorTaxZone"),
            ]
        ),
        collections=[
            Collection("Details", _DETAIL, lambda order, _: [Pair(order, line) for line in order.lines]),
            Collection("TaxDetails", _TAX, lambda _order, _view: []),
        ],
        custom=[
            CustomField(view="Document", name="BranchID", kind=Kind.STRING, read=attr("branch")),
            CustomField(
                view="Document",
                name="Cancelled",
                kind=Kind.BOOLEAN,
                read=lambda order, _: order.status is DocumentStatus.VOIDED,
            ),
        ],
    ),
)
