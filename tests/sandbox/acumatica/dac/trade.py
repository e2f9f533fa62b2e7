"""DACs of sales orders, purchase receipts and stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.dac.general_ledger import (
    PARENT_STAMPS,
    STAMPS,
    TO_BRANCH,
    account_id,
    branch_id,
    sub_id,
)
from tests.sandbox.acumatica.dac.operations import TO_ITEM, item_id
from tests.sandbox.acumatica.dac.receivables import TO_CUSTOMER, customer_id
from tests.sandbox.acumatica.dac.shapes import Dac, many, one, prop
from tests.sandbox.acumatica.entities.goods import receipt_order
from tests.sandbox.acumatica.entities.ledger import made_up_id
from tests.sandbox.acumatica.entities.sales import is_completed, open_quantity, unbilled_amount
from tests.sandbox.acumatica.shapes import Pair, const
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company.model import DocumentStatus, SalesOrder, SalesOrderLine
from tests.sandbox.company.money import spread, to_base

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.view import View
    from tests.sandbox.company.model import PurchaseReceipt, PurchaseReceiptLine, StockLevel, Warehouse

OrderRow = Pair[SalesOrder, SalesOrderLine]
_TO_VENDOR = one("Vendor", "VendorID", "BAccountID")
_TO_SITE = one("INSite", "SiteID", "SiteID")


def _orders(view: View) -> list[SalesOrder]:
    return sorted(view.company.sales_orders.values(), key=lambda order: order.order_nbr)


def _receipts(view: View) -> list[PurchaseReceipt]:
    return sorted(view.company.purchase_receipts.values(), key=receipt_order)


def _receipt_lines(view: View) -> list[Pair[PurchaseReceipt, PurchaseReceiptLine]]:
    return [Pair(receipt, line) for receipt in _receipts(view) for line in receipt.lines]


def _site_id(view: View, code: str | None) -> int | None:
    return None if code is None else view.company.warehouses[code].warehouse_id


def _base_amount(row: OrderRow, _: View) -> Decimal:
    amounts = [line.amount for line in row.parent.lines]
    return spread(amounts, row.parent.rate)[row.parent.lines.index(row.line)]


def _base_cost(row: Pair[PurchaseReceipt, PurchaseReceiptLine], _: View) -> Decimal:
    amounts = [line.amount for line in row.parent.lines]
    return spread(amounts, row.parent.rate)[row.parent.lines.index(row.line)]


def _stock(view: View) -> list[StockLevel]:
    company = view.company

    def key(level: StockLevel) -> tuple[int, int]:
        return company.items[level.item].item_id, company.warehouses[level.warehouse].warehouse_id

    return sorted(company.stock.values(), key=key)


SO_ORDER: Dac[SalesOrder] = Dac(
    name="SOOrder",
    namespace="PX.Objects.SO",
    screen="SO301000",
    keys=("OrderType", "OrderNbr"),
    rows=_orders,
    modified_at=lambda order: order.modified_at,
    archived=lambda order: order.archived,
    deleted_from=("sales_orders",),
    properties=(
        prop(Kind.STRING, "OrderType", const("SO")),
        prop(Kind.STRING, "OrderNbr", "order_nbr"),
        prop(Kind.INT, "BranchID", lambda order, view: branch_id(view, order.branch)),
        prop(Kind.INT, "CustomerID", lambda order, view: customer_id(view, order.customer)),
        prop(Kind.STRING, "CustomerOrderNbr", "customer_order"),
        prop(Kind.DAY, "OrderDate", "date"),
        prop(Kind.DAY, "RequestDate", "requested_on"),
        prop(Kind.STRING, "OrderDesc", "description"),
        prop(Kind.STRING, "CuryID", "currency"),
        prop(Kind.DECIMAL, "CuryLineTotal", "total"),
        prop(Kind.DECIMAL, "LineTotal", lambda order, _: to_base(order.total, order.rate)),
        prop(Kind.DECIMAL, "CuryOrderTotal", "total"),
        prop(Kind.DECIMAL, "OrderTotal", lambda order, _: to_base(order.total, order.rate)),
        prop(Kind.STRING, "Status", lambda order, _: labels.SALES_ORDER_STATUS_CODE[order.status]),
        prop(Kind.BOOLEAN, "Hold", lambda order, _: order.status is DocumentStatus.HOLD),
        prop(Kind.BOOLEAN, "Completed", lambda order, _: order.status is DocumentStatus.CLOSED),
        prop(Kind.BOOLEAN, "Cancelled", lambda order, _: order.status is DocumentStatus.VOIDED),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
    navigations=(TO_CUSTOMER, TO_BRANCH, many("SOLine", ("OrderType", "OrderNbr"))),
)
SO_LINE: Dac[OrderRow] = Dac(
    name="SOLine",
    namespace="PX.Objects.SO",
    screen="SO301000",
    keys=("OrderType", "OrderNbr", "LineNbr"),
    rows=lambda view: [Pair(order, line) for order in _orders(view) for line in order.lines],
    modified_at=lambda row: row.parent.modified_at,
    archived=lambda row: row.parent.archived,
    properties=(
        prop(Kind.STRING, "OrderType", const("SO")),
        prop(Kind.STRING, "OrderNbr", "parent.order_nbr"),
        prop(Kind.INT, "LineNbr", "line.line_nbr"),
        prop(Kind.INT, "BranchID", lambda row, view: branch_id(view, row.parent.branch)),
        prop(Kind.INT, "CustomerID", lambda row, view: customer_id(view, row.parent.customer)),
        prop(Kind.INT, "InventoryID", lambda row, view: item_id(view, row.line.item)),
        prop(Kind.INT, "SiteID", lambda row, view: _site_id(view, row.line.warehouse)),
        prop(Kind.INT, "SalesAcctID", lambda row, view: account_id(view, row.line.account)),
        prop(Kind.INT, "SalesSubID", lambda row, view: sub_id(view, row.line.cost_center)),
        prop(Kind.STRING, "TranDesc", "line.description"),
        prop(Kind.STRING, "UOM", "line.unit"),
        prop(Kind.DECIMAL, "OrderQty", "line.quantity"),
        prop(Kind.DECIMAL, "ShippedQty", "line.quantity_shipped"),
        prop(Kind.DECIMAL, "OpenQty", open_quantity),
        prop(Kind.DECIMAL, "CuryUnitPrice", "line.unit_price"),
        prop(Kind.DECIMAL, "DiscPct", "line.discount_percent"),
        prop(Kind.DECIMAL, "CuryDiscAmt", "line.discount_amount"),
        prop(Kind.DECIMAL, "CuryLineAmt", "line.amount"),
        prop(Kind.DECIMAL, "LineAmt", _base_amount),
        prop(Kind.DECIMAL, "CuryUnbilledAmt", unbilled_amount),
        prop(Kind.BOOLEAN, "Completed", is_completed),
        prop(Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))),
        *PARENT_STAMPS,
    ),
    navigations=(TO_BRANCH, TO_ITEM, TO_CUSTOMER, _TO_SITE),
)
PO_RECEIPT: Dac[PurchaseReceipt] = Dac(
    name="POReceipt",
    namespace="PX.Objects.PO",
    screen="PO302000",
    keys=("ReceiptType", "ReceiptNbr"),
    rows=_receipts,
    modified_at=lambda receipt: receipt.modified_at,
    archived=lambda receipt: receipt.archived,
    deleted_from=("purchase_receipts",),
    properties=(
        prop(Kind.STRING, "ReceiptType", lambda receipt, _: labels.RECEIPT_TYPE_CODE[receipt.type]),
        prop(Kind.STRING, "ReceiptNbr", "receipt_nbr"),
        prop(Kind.INT, "BranchID", lambda receipt, view: branch_id(view, receipt.branch)),
        prop(Kind.INT, "VendorID", lambda receipt, view: view.company.vendors[receipt.vendor].vendor_id),
        prop(Kind.DAY, "ReceiptDate", "date"),
        prop(Kind.STRING, "FinPeriodID", "period"),
        prop(Kind.STRING, "CuryID", "currency"),
        prop(Kind.DECIMAL, "OrderQty", "quantity"),
        prop(Kind.DECIMAL, "CuryOrderTotal", "total"),
        prop(Kind.DECIMAL, "OrderTotal", lambda receipt, _: to_base(receipt.total, receipt.rate)),
        prop(Kind.STRING, "Status", lambda receipt, _: labels.RECEIPT_STATUS_CODE[receipt.status]),
        prop(Kind.BOOLEAN, "Hold", lambda receipt, _: receipt.status is DocumentStatus.HOLD),
        prop(Kind.BOOLEAN, "Released", lambda receipt, _: receipt.status is DocumentStatus.CLOSED),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
    navigations=(_TO_VENDOR, TO_BRANCH, many("POReceiptLine", ("ReceiptType", "ReceiptNbr"))),
)
PO_RECEIPT_LINE: Dac[Pair[PurchaseReceipt, PurchaseReceiptLine]] = Dac(
    name="POReceiptLine",
    namespace="PX.Objects.PO",
    screen="PO302000",
    keys=("ReceiptType", "ReceiptNbr", "LineNbr"),
    rows=_receipt_lines,
    modified_at=lambda row: row.parent.modified_at,
    archived=lambda row: row.parent.archived,
    properties=(
        prop(Kind.STRING, "ReceiptType", lambda row, _: labels.RECEIPT_TYPE_CODE[row.parent.type]),
        prop(Kind.STRING, "ReceiptNbr", "parent.receipt_nbr"),
        prop(Kind.INT, "LineNbr", "line.line_nbr"),
        prop(Kind.INT, "BranchID", lambda row, view: branch_id(view, row.parent.branch)),
        prop(Kind.INT, "VendorID", lambda row, view: view.company.vendors[row.parent.vendor].vendor_id),
        prop(Kind.INT, "InventoryID", lambda row, view: item_id(view, row.line.item)),
        prop(Kind.INT, "SiteID", lambda row, view: _site_id(view, row.line.warehouse)),
        prop(Kind.STRING, "POType", const("RO")),
        prop(Kind.STRING, "PONbr", "line.order_nbr"),
        prop(Kind.INT, "POLineNbr", "line.order_line_nbr"),
        prop(Kind.STRING, "OrigReceiptNbr", "line.receipt_nbr"),
        prop(Kind.INT, "OrigReceiptLineNbr", "line.receipt_line_nbr"),
        prop(Kind.STRING, "TranDesc", "line.description"),
        prop(Kind.STRING, "UOM", "line.unit"),
        prop(Kind.DECIMAL, "ReceiptQty", "line.quantity"),
        prop(Kind.DECIMAL, "CuryUnitCost", "line.unit_cost"),
        prop(Kind.DECIMAL, "CuryExtCost", "line.amount"),
        prop(Kind.DECIMAL, "ExtCost", _base_cost),
        prop(Kind.BOOLEAN, "Released", lambda row, _: row.parent.status is DocumentStatus.CLOSED),
        prop(Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))),
        *PARENT_STAMPS,
    ),
    navigations=(TO_BRANCH, TO_ITEM, _TO_VENDOR, _TO_SITE),
)
IN_SITE: Dac[Warehouse] = Dac(
    name="INSite",
    namespace="PX.Objects.IN",
    screen="IN204000",
    keys=("SiteCD",),
    rows=lambda view: sorted(view.company.warehouses.values(), key=lambda each: each.code),
    modified_at=lambda warehouse: warehouse.modified_at,
    properties=(
        prop(Kind.INT, "SiteID", "warehouse_id"),
        prop(Kind.STRING, "SiteCD", "code", width=30),
        prop(Kind.STRING, "Descr", "name"),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
IN_SITE_STATUS: Dac[StockLevel] = Dac(
    name="INSiteStatus",
    namespace="PX.Objects.IN",
    screen="IN401000",
    keys=("InventoryID", "SubItemID", "SiteID"),
    rows=_stock,
    modified_at=lambda level: level.modified_at,
    properties=(
        prop(Kind.INT, "InventoryID", lambda level, view: item_id(view, level.item)),
        prop(Kind.INT, "SubItemID", const(0)),
        prop(Kind.INT, "SiteID", lambda level, view: _site_id(view, level.warehouse)),
        prop(Kind.DECIMAL, "QtyOnHand", "quantity"),
        prop(Kind.DECIMAL, "QtyAvail", "quantity"),
        prop(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
    ),
    navigations=(TO_ITEM, _TO_SITE),
)
