"""DACs of purchase orders, partners and inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.dac.customs import attribute_columns, user_columns
from tests.sandbox.acumatica.dac.general_ledger import (
    PARENT_STAMPS,
    STAMPS,
    TO_BRANCH,
    account_id,
    branch_id,
    sub_id,
)
from tests.sandbox.acumatica.dac.shapes import Dac, many, one, prop
from tests.sandbox.acumatica.entities.ledger import made_up_id
from tests.sandbox.acumatica.shapes import Pair, const
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.company.money import ZERO, spread, to_base

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.view import View
    from tests.sandbox.company.model import (
        Customer,
        Item,
        PurchaseOrder,
        PurchaseOrderLine,
        Vendor,
    )

TO_ITEM = one("InventoryItem", "InventoryID", "InventoryID")
_TO_VENDOR = one("Vendor", "VendorID", "BAccountID")


def _orders(view: View) -> list[PurchaseOrder]:
    return sorted(view.company.purchase_orders.values(), key=lambda order: order.order_nbr)


def _base_of(row: Pair[PurchaseOrder, PurchaseOrderLine]) -> Decimal:
    amounts = [line.amount for line in row.parent.lines]
    return spread(amounts, row.parent.rate)[row.parent.lines.index(row.line)]


def item_id(view: View, code: str | None) -> int | None:
    """The internal number of an item; None for lines without one."""
    item = view.company.items.get(code or "")
    return None if item is None else item.item_id


def _status(partner: Vendor | Customer, _: View) -> str:
    return "A" if partner.active else "I"


PO_ORDER: Dac[PurchaseOrder] = Dac(
    name="POOrder",
    namespace="PX.Objects.PO",
    screen="PO301000",
    keys=("OrderType", "OrderNbr"),
    rows=_orders,
    modified_at=lambda order: order.modified_at,
    archived=lambda order: order.archived,
    deleted_from=("purchase_orders",),
    properties=(
        prop(Kind.STRING, "OrderType", const("RO")),
        prop(Kind.STRING, "OrderNbr", "order_nbr"),
        prop(Kind.INT, "BranchID", lambda order, view: branch_id(view, order.branch)),
        prop(Kind.INT, "VendorID", lambda order, view: view.company.vendors[order.vendor].vendor_id),
        prop(Kind.STRING, "VendorRefNbr", "vendor_ref"),
        prop(Kind.DAY, "OrderDate", "date"),
        prop(Kind.DAY, "ExpectedDate", "promised_on"),
        prop(Kind.STRING, "OrderDesc", "description"),
        prop(Kind.STRING, "CuryID", "currency"),
        prop(Kind.DECIMAL, "CuryLineTotal", "total"),
        prop(Kind.DECIMAL, "LineTotal", lambda order, _: to_base(order.total, order.rate)),
        prop(Kind.DECIMAL, "CuryTaxTotal", const(ZERO)),
        prop(Kind.DECIMAL, "TaxTotal", const(ZERO)),
        prop(Kind.DECIMAL, "CuryOrderTotal", "total"),
        prop(Kind.DECIMAL, "OrderTotal", lambda order, _: to_base(order.total, order.rate)),
        prop(Kind.STRING, "Status", lambda order, _: labels.ORDER_STATUS_CODE[order.status]),
        prop(Kind.BOOLEAN, "Hold", lambda order, _: order.status is DocumentStatus.HOLD),
        prop(Kind.BOOLEAN, "Cancelled", lambda order, _: order.status is DocumentStatus.VOIDED),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
    navigations=(_TO_VENDOR, TO_BRANCH, many("POLine", ("OrderType", "OrderNbr"))),
)
PO_LINE: Dac[Any] = Dac(
    name="POLine",
    namespace="PX.Objects.PO",
    screen="PO301000",
    keys=("OrderType", "OrderNbr", "LineNbr"),
    rows=lambda view: [Pair(order, line) for order in _orders(view) for line in order.lines],
    modified_at=lambda row: row.parent.modified_at,
    archived=lambda row: row.parent.archived,
    properties=(
        prop(Kind.STRING, "OrderType", const("RO")),
        prop(Kind.STRING, "OrderNbr", "parent.order_nbr"),
        prop(Kind.INT, "LineNbr", "line.line_nbr"),
        prop(Kind.INT, "BranchID", lambda row, view: branch_id(view, row.parent.branch)),
        prop(Kind.INT, "InventoryID", lambda row, view: item_id(view, row.line.item)),
        prop(Kind.INT, "ExpenseAcctID", lambda row, view: account_id(view, row.line.account)),
        prop(Kind.INT, "ExpenseSubID", lambda row, view: sub_id(view, row.line.cost_center)),
        prop(Kind.STRING, "TranDesc", "line.description"),
        prop(Kind.STRING, "UOM", "line.unit"),
        prop(Kind.DECIMAL, "OrderQty", "line.quantity"),
        prop(Kind.DECIMAL, "ReceivedQty", "line.quantity_received"),
        prop(
            Kind.BOOLEAN,
            "Completed",
            lambda row, _: row.line.quantity_received >= row.line.quantity,
        ),
        prop(Kind.DECIMAL, "CuryUnitCost", "line.unit_cost"),
        prop(Kind.DECIMAL, "CuryExtCost", "line.amount"),
        prop(Kind.DECIMAL, "ExtCost", lambda row, _: _base_of(row)),
        prop(Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))),
        *PARENT_STAMPS,
    ),
    navigations=(TO_BRANCH, TO_ITEM),
)
VENDOR: Dac[Vendor] = Dac(
    name="Vendor",
    namespace="PX.Objects.AP",
    screen="AP303000",
    keys=("AcctCD",),
    rows=lambda view: sorted(view.company.vendors.values(), key=lambda vendor: vendor.code.casefold()),
    modified_at=lambda vendor: vendor.modified_at,
    deleted_from=("vendors",),
    properties=(
        prop(Kind.INT, "BAccountID", "vendor_id"),
        prop(Kind.STRING, "AcctCD", "code", width=30),
        prop(Kind.STRING, "AcctName", "name"),
        prop(Kind.STRING, "VendorClassID", "vendor_class", width=10),
        prop(Kind.STRING, "CuryID", "currency"),
        prop(Kind.STRING, "TermsID", "terms", width=10),
        prop(Kind.STRING, "VStatus", _status),
        *user_columns(),
        *attribute_columns("vendors"),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
CUSTOMER: Dac[Customer] = Dac(
    name="Customer",
    namespace="PX.Objects.AR",
    screen="AR303000",
    keys=("AcctCD",),
    rows=lambda view: sorted(view.company.customers.values(), key=lambda each: each.code.casefold()),
    modified_at=lambda customer: customer.modified_at,
    deleted_from=("customers",),
    properties=(
        prop(Kind.INT, "BAccountID", "customer_id"),
        prop(Kind.STRING, "AcctCD", "code", width=30),
        prop(Kind.STRING, "AcctName", "name"),
        prop(Kind.STRING, "CustomerClassID", "customer_class", width=10),
        prop(Kind.STRING, "CuryID", "currency"),
        prop(Kind.STRING, "TermsID", "terms", width=10),
        prop(Kind.DECIMAL, "CreditLimit", "credit_limit"),
        prop(Kind.STRING, "Status", _status),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
INVENTORY_ITEM: Dac[Item] = Dac(
    name="InventoryItem",
    namespace="PX.Objects.IN",
    screen="IN202500",
    keys=("InventoryCD",),
    rows=lambda view: sorted(view.company.items.values(), key=lambda item: item.code.casefold()),
    modified_at=lambda item: item.modified_at,
    properties=(
        prop(Kind.INT, "InventoryID", "item_id"),
        prop(Kind.STRING, "InventoryCD", "code", width=30),
        prop(Kind.STRING, "Descr", "description"),
        prop(Kind.BOOLEAN, "StkItem", "is_stock"),
        prop(Kind.STRING, "ItemStatus", lambda item, _: "AC" if item.active else "IN"),
        prop(Kind.STRING, "BaseUnit", "unit"),
        prop(Kind.DECIMAL, "BasePrice", "unit_price"),
        *attribute_columns("items"),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
