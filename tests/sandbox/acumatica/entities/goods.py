"""Goods that vendors send: purchase receipts and returns."""

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
from tests.sandbox.company.model import DocumentStatus, PurchaseReceipt, PurchaseReceiptLine

if TYPE_CHECKING:
    from tests.sandbox.acumatica.view import View

ReceiptRow = Pair[PurchaseReceipt, PurchaseReceiptLine]
_SIX_DIGITS = Decimal("0.000001")


def receipt_order(receipt: PurchaseReceipt) -> tuple[str, str]:
    """The key of a receipt in the database: type code and number."""
    return labels.RECEIPT_TYPE_CODE[receipt.type], receipt.receipt_nbr


def receipt_lines(receipt: PurchaseReceipt, _: View) -> list[ReceiptRow]:
    """The lines of a receipt with the receipt."""
    return [Pair(receipt, line) for line in receipt.lines]


def _open_quantity(row: ReceiptRow, view: View) -> Decimal:
    order = view.company.purchase_orders[row.line.order_nbr]
    ordered = next(each for each in order.lines if each.line_nbr == row.line.order_line_nbr)
    return ordered.quantity - ordered.quantity_received


def _ordered_quantity(row: ReceiptRow, view: View) -> Decimal:
    order = view.company.purchase_orders[row.line.order_nbr]
    return next(each.quantity for each in order.lines if each.line_nbr == row.line.order_line_nbr)


_DETAIL: Shape[ReceiptRow] = Shape(
    type_name="PurchaseReceiptDetail",
    fields=by_name(
        [
            of_kind(Kind.INT, "LineNbr", "line.line_nbr"),
            of_kind(Kind.INT, "POLineNbr", "line.order_line_nbr"),
            of_kind(Kind.INT, "POReceiptLineNbr", "line.receipt_line_nbr"),
            text("Account", "line.account"),
            text("Branch", "parent.branch"),
            text("InventoryID", "line.item"),
            text("LineType", lambda row, _: "GI" if row.line.warehouse else "SV", labels.LINE_TYPE),
            text("POOrderNbr", "line.order_nbr"),
            text("POOrderType", const("RO"), labels.ORDER_TYPE),
            text("POReceiptNbr", "line.receipt_nbr"),
            text("Subaccount", "line.cost_center"),
            text("TransactionDescription", "line.description"),
            text("UOM", "line.unit"),
            text("Warehouse", "line.warehouse"),
            of_kind(Kind.DECIMAL, "ExtendedCost", "line.amount"),
            of_kind(Kind.DECIMAL, "OpenQty", _open_quantity),
            of_kind(Kind.DECIMAL, "OrderedQty", _ordered_quantity),
            of_kind(Kind.DECIMAL, "ReceiptQty", "line.quantity"),
            of_kind(Kind.DECIMAL, "UnitCost", "line.unit_cost"),
            *blanks(Kind.DECIMAL, "EstimatedINExtendedCost FinalINExtendedCost"),
            *blanks(Kind.INT, "TransferOrderLineNbr"),
            *blanks(Kind.STAMP, "ExpirationDate"),
            *blanks(
                Kind.STRING,
                "AccrualAccount AccrualSubaccount Description Location LotSerialNbr Subitem TransferOrderNbr "
                "TransferOrderType TransferShipmentNbr",
            ),
            *switched_off("EditableUnitCost"),
        ]
    ),
)
PURCHASE_RECEIPT: Entity[PurchaseReceipt] = Entity(
    screen="PO302000",
    title="Purchase Receipts",
    keys=("Type", "ReceiptNbr"),
    rows=lambda view: sorted(view.company.purchase_receipts.values(), key=receipt_order),
    note_id=lambda receipt: receipt.note_id,
    archived=lambda receipt: receipt.archived,
    modified_at=lambda receipt: receipt.modified_at,
    shape=Shape(
        type_name="PurchaseReceipt",
        fields=by_name(
            [
                text("BaseCurrencyID", lambda _, view: view.company.base_currency),
                text("Branch", "branch"),
                text("CurrencyID", "currency"),
                text("CurrencyRateTypeID", const("SPOT")),
                text("Location", const("MAIN")),
                text("PostPeriod", lambda receipt, view: view.period(receipt.period)),
                text("ReceiptNbr", "receipt_nbr"),
                text(
                    "Status",
                    lambda receipt, _: labels.RECEIPT_STATUS_CODE[receipt.status],
                    labels.RECEIPT_STATUS,
                ),
                text("Type", lambda receipt, _: labels.RECEIPT_TYPE_CODE[receipt.type], labels.RECEIPT_TYPE),
                text("VendorID", "vendor"),
                text("VendorRef", "vendor_ref"),
                of_kind(Kind.DECIMAL, "ControlQty", "quantity"),
                of_kind(Kind.DECIMAL, "CurrencyRate", "rate"),
                of_kind(
                    Kind.DECIMAL,
                    "CurrencyReciprocalRate",
                    lambda receipt, _: (1 / receipt.rate).quantize(_SIX_DIGITS),
                ),
                of_kind(Kind.DECIMAL, "TotalCost", "total"),
                of_kind(Kind.DECIMAL, "TotalQty", "quantity"),
                of_kind(Kind.DECIMAL, "UnbilledQuantity", const(Decimal(0))),
                of_kind(Kind.BOOLEAN, "Hold", lambda receipt, _: receipt.status is DocumentStatus.HOLD),
                Field(name="Date", kind=Kind.DAY, read=attr("date"), stays_stamp=True),
                Field(name="BillDate", kind=Kind.DAY, read=attr("date"), stays_stamp=True),
                Field(name="CurrencyEffectiveDate", kind=Kind.DAY, read=attr("date"), stays_stamp=True),
                Field(
                    name="LastModifiedDateTime",
                    kind=Kind.STAMP,
                    read=attr("modified_at"),
                    since="23.200.001",
                ),
                *blanks(Kind.STRING, "InventoryRefNbr Warehouse"),
                *switched_off("CreateBill ProcessReturnWithOriginalCost"),
            ]
        ),
        collections=[Collection("Details", _DETAIL, receipt_lines)],
        custom=[CustomField(view="Document", name="BranchID", kind=Kind.STRING, read=attr("branch"))],
    ),
)
