"""DACs of purchasing, receivables, partners and inventory."""

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
        SalesInvoice,
        Vendor,
    )

_RELEASED = frozenset({DocumentStatus.OPEN, DocumentStatus.CLOSED, DocumentStatus.VOIDED})
_TO_ITEM = one("InventoryItem", "InventoryID", "InventoryID")
_TO_VENDOR = one("Vendor", "VendorID", "BAccountID")
_TO_CUSTOMER = one("Customer", "CustomerID", "BAccountID")


def _orders(view: View) -> list[PurchaseOrder]:
    return sorted(view.company.purchase_orders.values(), key=lambda order: order.order_nbr)


def _base_of(row: Pair[PurchaseOrder, PurchaseOrderLine]) -> Decimal:
    amounts = [line.amount for line in row.parent.lines]
    return spread(amounts, row.parent.rate)[row.parent.lines.index(row.line)]


def _invoices(view: View) -> list[SalesInvoice]:
    return sorted(view.company.sales_invoices.values(), key=lambda invoice: invoice.invoice_nbr)


def _item_id(view: View, code: str | None) -> int | None:
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
        prop(Kind.INT, "InventoryID", lambda row, view: _item_id(view, row.line.item)),
        prop(Kind.INT, "ExpenseAcctID", lambda row, view: account_id(view, row.line.account)),
        prop(Kind.INT, "ExpenseSubID", lambda row, view: sub_id(view, row.line.cost_center)),
        prop(Kind.STRING, "TranDesc", "line.description"),
        prop(Kind.STRING, "UOM", "line.unit"),
        prop(Kind.DECIMAL, "OrderQty", "line.quantity"),
        prop(Kind.DECIMAL, "ReceivedQty", "line.quantity_received"),
        prop(Kind.DECIMAL, "CuryUnitCost", "line.unit_cost"),
        prop(Kind.DECIMAL, "CuryExtCost", "line.amount"),
        prop(Kind.DECIMAL, "ExtCost", lambda row, _: _base_of(row)),
        prop(Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))),
        *PARENT_STAMPS,
    ),
    navigations=(TO_BRANCH, _TO_ITEM),
)
AR_INVOICE: Dac[SalesInvoice] = Dac(
    name="ARInvoice",
    namespace="PX.Objects.AR",
    screen="AR301000",
    keys=("DocType", "RefNbr"),
    rows=_invoices,
    modified_at=lambda invoice: invoice.modified_at,
    archived=lambda invoice: invoice.archived,
    deleted_from=("sales_invoices",),
    properties=(
        prop(Kind.STRING, "DocType", const("INV")),
        prop(Kind.STRING, "RefNbr", "invoice_nbr"),
        prop(Kind.INT, "BranchID", lambda invoice, view: branch_id(view, invoice.branch)),
        prop(
            Kind.INT, "CustomerID", lambda invoice, view: view.company.customers[invoice.customer].customer_id
        ),
        prop(Kind.DAY, "DocDate", "date"),
        prop(Kind.DAY, "DueDate", "due_date"),
        prop(Kind.STRING, "FinPeriodID", "period"),
        prop(Kind.STRING, "CuryID", "currency"),
        prop(Kind.DECIMAL, "CuryOrigDocAmt", "amount"),
        prop(Kind.DECIMAL, "OrigDocAmt", "base_amount"),
        prop(Kind.DECIMAL, "CuryDocBal", "balance"),
        prop(Kind.DECIMAL, "DocBal", "base_balance"),
        prop(Kind.DECIMAL, "CuryTaxTotal", "tax_amount"),
        prop(Kind.DECIMAL, "TaxTotal", "base_tax_amount"),
        prop(Kind.STRING, "DocDesc", "description"),
        prop(Kind.STRING, "BatchNbr", "batch_nbr"),
        prop(Kind.STRING, "Status", lambda invoice, _: labels.DOCUMENT_STATUS_CODE[invoice.status]),
        prop(Kind.BOOLEAN, "Hold", lambda invoice, _: invoice.status is DocumentStatus.HOLD),
        prop(Kind.BOOLEAN, "Released", lambda invoice, _: invoice.status in _RELEASED),
        prop(Kind.BOOLEAN, "OpenDoc", lambda invoice, _: invoice.status is DocumentStatus.OPEN),
        prop(Kind.BOOLEAN, "Voided", lambda invoice, _: invoice.status is DocumentStatus.VOIDED),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
    navigations=(_TO_CUSTOMER, TO_BRANCH, many("ARTran", ("DocType", "RefNbr"), ("TranType", "RefNbr"))),
)
AR_TRAN: Dac[Any] = Dac(
    name="ARTran",
    namespace="PX.Objects.AR",
    screen="AR301000",
    keys=("TranType", "RefNbr", "LineNbr"),
    rows=lambda view: [Pair(invoice, line) for invoice in _invoices(view) for line in invoice.lines],
    modified_at=lambda row: row.parent.modified_at,
    archived=lambda row: row.parent.archived,
    properties=(
        prop(Kind.STRING, "TranType", const("INV")),
        prop(Kind.STRING, "RefNbr", "parent.invoice_nbr"),
        prop(Kind.INT, "LineNbr", "line.line_nbr"),
        prop(Kind.INT, "BranchID", lambda row, view: branch_id(view, row.parent.branch)),
        prop(Kind.INT, "AccountID", lambda row, view: account_id(view, row.line.account)),
        prop(Kind.INT, "SubID", lambda row, view: sub_id(view, row.line.cost_center)),
        prop(Kind.INT, "InventoryID", lambda row, view: _item_id(view, row.line.item)),
        prop(Kind.STRING, "TranDesc", "line.description"),
        prop(Kind.STRING, "UOM", "line.unit"),
        prop(Kind.DECIMAL, "Qty", "line.quantity"),
        prop(Kind.DECIMAL, "CuryUnitPrice", "line.unit_price"),
        prop(Kind.DECIMAL, "CuryTranAmt", "line.amount"),
        prop(Kind.DECIMAL, "TranAmt", "line.base_amount"),
        prop(Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))),
        *PARENT_STAMPS,
    ),
    navigations=(TO_ACCOUNT, TO_BRANCH, TO_SUB, _TO_ITEM),
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
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
