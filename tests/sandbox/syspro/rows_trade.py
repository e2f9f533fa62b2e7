"""Rows of inventory, purchase orders and sales orders."""

from __future__ import annotations

import collections
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company.model import DocumentStatus, ReceiptType
from tests.sandbox.company.money import ZERO, cents, to_base
from tests.sandbox.syspro.view import RELEASED, gl_code, month_of, order_number, padded, year_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from tests.sandbox.company.model import PurchaseOrder, PurchaseOrderLine, SalesOrder
    from tests.sandbox.syspro.schema import Value
    from tests.sandbox.syspro.view import View

Values = dict[str, "Value"]

_NONE = Decimal(0)
_STOCKED, _MISCELLANEOUS = "1", "5"
_PURCHASE_STATUS = {
    DocumentStatus.HOLD: "0",
    DocumentStatus.OPEN: "1",
    DocumentStatus.CLOSED: "9",
    DocumentStatus.VOIDED: "*",
}
_PART_RECEIVED = "4"
_SALES_STATUS = {
    DocumentStatus.HOLD: "S",
    DocumentStatus.OPEN: "1",
    DocumentStatus.CLOSED: "9",
    DocumentStatus.VOIDED: "\\",
}
_BACK_ORDER = "2"
_RECEIVING_WAREHOUSE = "MAIN"
_LINES_PER_DOCUMENT = 50


# ------------------------------------------------------------------ inventory


def items(view: View) -> Iterator[Values]:
    """`InvMaster`."""
    for item in view.company.items.values():
        yield {
            "StockCode": item.code,
            "Description": item.description,
            "LongDesc": item.description,
            "StockUom": item.unit,
            "AlternateUom": item.unit,
            "ConvFactAltUom": Decimal(1),
            "ConvMulDiv": "D",
            "Decimals": 2,
            "ProductClass": "STK" if item.is_stock else "SVC",
            "MaterialCost": item.unit_cost,
            "PartCategory": "B",
            "UserField1": item.attributes.get("OLDNBR"),
            "StockOnHold": "N" if item.active else "F",
            "DateStkAdded": item.created_at.date(),
        }


def item_custom_forms(view: View) -> Iterator[Values]:
    """`InvMaster+`."""
    for item in view.company.items.values():
        if item.attributes:
            yield {
                "StockCode": item.code,
                "Colour": item.attributes.get("COLOR"),
                "OldNumber": item.attributes.get("OLDNBR"),
            }


def warehouses(view: View) -> Iterator[Values]:
    """`InvWhControl`."""
    for warehouse in view.company.warehouses.values():
        if view.keeps(warehouse.code):
            yield {"Warehouse": warehouse.code, "Description": warehouse.name}


def stock(view: View) -> Iterator[Values]:
    """`InvWarehouse`: the stock as it is now."""
    allocated: dict[tuple[str, str], Decimal] = collections.defaultdict(lambda: _NONE)
    ordered: dict[tuple[str, str], Decimal] = collections.defaultdict(lambda: _NONE)
    for sales_order in view.company.sales_orders.values():
        if sales_order.status is DocumentStatus.OPEN:
            for line in sales_order.lines:
                allocated[line.item or "", line.warehouse or ""] += line.quantity_open
    for order in view.company.purchase_orders.values():
        if order.status is DocumentStatus.OPEN:
            for each in order.lines:
                ordered[each.item or "", _RECEIVING_WAREHOUSE] += each.quantity - each.quantity_received
    for level in view.company.stock.values():
        if view.keeps(level.warehouse):
            cost = view.company.items[level.item].unit_cost
            yield {
                "StockCode": level.item,
                "Warehouse": level.warehouse,
                "QtyOnHand": level.quantity,
                "QtyAllocated": allocated[level.item, level.warehouse],
                "QtyOnOrder": ordered[level.item, level.warehouse],
                "UnitCost": cost,
                "LastCostEntered": cost,
                "DateLastStockMove": level.modified_at.date(),
                "DateWhAdded": level.created_at.date(),
            }


def movements(view: View) -> Iterator[Values]:
    """`InvMovements`: receipts, returns and shipments; what was counted or opened has been purged long ago."""
    yield from _received(view)
    yield from _shipped(view)


def _received(view: View) -> Iterator[Values]:
    for receipt in view.company.purchase_receipts.values():
        if receipt.status not in RELEASED or view.is_purged(receipt.date):
            continue
        sign = 1 if receipt.type is ReceiptType.RECEIPT else -1
        for line in receipt.lines:
            if not (view.keeps(line.warehouse) and f"{line.item}|{line.warehouse}" in view.company.stock):
                continue
            unit_cost = line.unit_cost * receipt.rate
            yield {
                "StockCode": line.item,
                "Warehouse": line.warehouse,
                "TrnYear": year_of(receipt.period),
                "TrnMonth": month_of(receipt.period),
                "EntryDate": receipt.date,
                "TrnTime": _time(int(receipt.receipt_nbr[2:]), line.line_nbr, 0),
                "MovementType": "I",
                "TrnQty": line.quantity * sign,
                "TrnValue": to_base(line.amount, receipt.rate) * sign,
                "TrnType": "R",
                "Reference": receipt.receipt_nbr,
                "EnteredCost": unit_cost,
                "UnitCost": unit_cost,
                "Supplier": padded(receipt.vendor),
                "GlCode": gl_code(line.account, line.cost_center),
                "Branch": receipt.branch,
            }


def _shipped(view: View) -> Iterator[Values]:
    for invoice in view.company.sales_invoices.values():
        if view.is_purged(invoice.date):
            continue
        for line in invoice.lines:
            ordered = view.sales_lines.get((line.order_nbr or "", line.order_line_nbr or 0))
            if (
                ordered is None
                or not line.quantity
                or not view.keeps(ordered.warehouse)
                or f"{ordered.item}|{ordered.warehouse}" not in view.company.stock
            ):
                continue
            cost = view.company.items[ordered.item or ""].unit_cost
            yield {
                "StockCode": ordered.item,
                "Warehouse": ordered.warehouse,
                "TrnYear": year_of(invoice.period),
                "TrnMonth": month_of(invoice.period),
                "EntryDate": invoice.date,
                "TrnTime": _time(int(invoice.invoice_nbr), line.line_nbr, 1),
                "MovementType": "S",
                "TrnQty": line.quantity,
                "TrnValue": line.base_amount,
                "CostValue": cents(line.quantity * cost),
                "UnitCost": cost,
                "TrnType": "S",
                "SalesOrder": order_number(line.order_nbr),
                "Invoice": invoice.invoice_nbr,
                "DocType": "I",
                "Customer": padded(invoice.customer),
                "Branch": invoice.branch,
                "CustomerPoNumber": invoice.customer_order,
            }


def _time(number: int, line_nbr: int, kind: int) -> int:
    """A time of day as hhmmsscc that no other movement of the day has."""
    seconds, hundredths = divmod((number * _LINES_PER_DOCUMENT + line_nbr) * 2 + kind, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return ((hours % 24 * 100 + minutes) * 100 + seconds) * 100 + hundredths


# ------------------------------------------------------------------ orders


def purchase_orders(view: View) -> Iterator[Values]:
    """`PorMasterHdr`: without a total."""
    received: dict[str, list[dt.date]] = collections.defaultdict(list)
    for receipt in view.company.purchase_receipts.values():
        if receipt.status in RELEASED:
            for line in receipt.lines:
                received[line.order_nbr].append(receipt.date)
    for order in view.company.purchase_orders.values():
        if order.branch != view.branch:
            continue
        rate, mul_div = view.rate(order.currency, order.rate)
        is_open = order.status is DocumentStatus.OPEN
        dates = received[order.order_nbr]
        is_part = is_open and bool(dates)
        completed = order.modified_at.date() if order.status is DocumentStatus.CLOSED else None
        vendor = view.company.vendors[order.vendor]
        yield {
            "PurchaseOrder": order_number(order.order_nbr),
            "NextDetailLine": max(line.line_nbr for line in order.lines) + 1,
            "OrderStatus": _PART_RECEIVED if is_part else _PURCHASE_STATUS[order.status],
            "ActiveFlag": "Y" if is_open else "N",
            "CancelledFlag": "Y" if order.status is DocumentStatus.VOIDED else "N",
            "Supplier": padded(order.vendor),
            "OrderEntryDate": order.date,
            "OrderDueDate": order.promised_on,
            "OrderType": "L" if order.currency == view.company.base_currency else "I",
            "SupplierClass": vendor.vendor_class,
            "Warehouse": _RECEIVING_WAREHOUSE,
            "Currency": order.currency,
            "DatePoCompleted": completed,
            "ExchangeRate": rate,
            "MulDiv": mul_div,
            "TermsCode": vendor.terms,
            "UserConfirmation": order.vendor_ref,
            "Buyer": "BUY1",
        }


def purchase_order_lines(view: View) -> Iterator[Values]:
    """`PorMasterDetail`: prices in the company's currency, foreign ones beside them."""
    for order in view.company.purchase_orders.values():
        if order.branch == view.branch:
            for line in order.lines:
                yield _purchase_line(view, order, line)


def _purchase_line(view: View, order: PurchaseOrder, line: PurchaseOrderLine) -> Values:
    is_complete = order.status is DocumentStatus.CLOSED or line.quantity_received >= line.quantity
    values: Values = {
        "PurchaseOrder": order_number(order.order_nbr),
        "Line": line.line_nbr,
        "LineType": _STOCKED,
        "MGlCode": gl_code(line.account, line.cost_center),
        "MLatestDueDate": order.promised_on,
        "MOrigDueDate": order.promised_on,
        "MCompleteFlag": "Y" if is_complete else "N",
    }
    if line.item is None:
        return values | {
            "LineType": _MISCELLANEOUS,
            "NComment": line.description,
            "NMscChargeValue": to_base(line.amount, order.rate),
            "NMscChargeFor": line.amount,
        }
    return values | {
        "MStockCode": line.item,
        "MStockDes": line.description,
        "MWarehouse": _RECEIVING_WAREHOUSE,
        "MOrderUom": line.unit,
        "MStockingUom": line.unit,
        "MOrderQty": line.quantity,
        "MReceivedQty": line.quantity_received,
        "MPrice": line.unit_cost * order.rate,
        "MForeignPrice": line.unit_cost,
        "MPriceUom": line.unit,
        "MProductClass": "STK" if view.company.items[line.item].is_stock else "SVC",
    }


def sales_orders(view: View) -> Iterator[Values]:
    """`SorMaster`."""
    invoiced: dict[str, list[tuple[dt.date, str]]] = collections.defaultdict(list)
    for invoice in view.company.sales_invoices.values():
        for line in invoice.lines:
            if line.order_nbr:
                invoiced[line.order_nbr].append((invoice.date, invoice.invoice_nbr))
    for order in view.company.sales_orders.values():
        if order.branch == view.branch:
            yield _sales_order(view, order, max(invoiced[order.order_nbr], default=(None, "")))


def _sales_order(view: View, order: SalesOrder, last: tuple[dt.date | None, str]) -> Values:
    rate, mul_div = view.rate(order.currency, order.rate)
    is_part = order.status is DocumentStatus.OPEN and any(line.quantity_shipped for line in order.lines)
    customer = view.company.customers[order.customer]
    return {
        "SalesOrder": order_number(order.order_nbr),
        "NextDetailLine": max(line.line_nbr for line in order.lines) + 1,
        "OrderStatus": _BACK_ORDER if is_part else _SALES_STATUS[order.status],
        "ActiveFlag": "Y" if order.status is DocumentStatus.OPEN else "N",
        "CancelledFlag": "Y" if order.status is DocumentStatus.VOIDED else "N",
        "DocumentType": "O",
        "Customer": padded(order.customer),
        "CustomerName": customer.name,
        "CustomerPoNumber": order.customer_order,
        "OrderDate": order.date,
        "EntrySystemDate": order.created_at.date(),
        "ReqShipDate": order.requested_on,
        "SpecialInstrs": order.description,
        "Branch": order.branch,
        "Warehouse": next((line.warehouse for line in order.lines if line.warehouse), ""),
        "LastInvoice": last[1],
        "DateLastInvPrt": last[0],
        "ExchangeRate": rate,
        "MulDiv": mul_div,
        "Currency": order.currency,
        "LastOperator": "ADMIN",
        "CaptureHh": order.created_at.hour,
        "CaptureMm": order.created_at.minute,
        "Email": customer.email,
    }


def sales_order_lines(view: View) -> Iterator[Values]:
    """`SorDetail`: prices in the order's currency."""
    for order in view.company.sales_orders.values():
        if order.branch != view.branch:
            continue
        for line in order.lines:
            yield {
                "SalesOrder": order_number(order.order_nbr),
                "SalesOrderLine": line.line_nbr,
                "LineType": _STOCKED,
                "MStockCode": line.item,
                "MStockDes": line.description,
                "MWarehouse": line.warehouse,
                "MOrderQty": line.quantity,
                "MShipQty": line.quantity_shipped,
                "MBackOrderQty": line.quantity_open,
                "MUnitCost": view.company.items[line.item].unit_cost if line.item else ZERO,
                "MOrderUom": line.unit,
                "MStockingUom": line.unit,
                "MPrice": line.unit_price,
                "MPriceUom": line.unit,
                "MDiscPct1": line.discount_percent,
                "MProductClass": line.account[:4],
                "MLineShipDate": order.requested_on,
                "MCustRequestDat": order.requested_on,
                "NComment": "" if line.item else line.description,
            }


def added_sales_lines(view: View) -> Iterator[Values]:
    """`SorAdditions`: when a line was entered, as far as the log goes back."""
    for order in view.company.sales_orders.values():
        if order.branch == view.branch and not view.is_purged(order.created_at.date()):
            yield from _logged(order, order.created_at)


def cancelled_sales_lines(view: View) -> Iterator[Values]:
    """`SorCancelled`: when a line was cancelled, which here happens to whole orders."""
    for order in view.company.sales_orders.values():
        cancelled = order.status is DocumentStatus.VOIDED
        if cancelled and order.branch == view.branch and not view.is_purged(order.modified_at.date()):
            yield from _logged(order, order.modified_at)


def changed_sales_lines(_: View) -> Iterator[Values]:
    """`SorChanges`: nothing, this site does not log changes (each log is switched on by itself)."""
    return iter(())


def _logged(order: SalesOrder, moment: dt.datetime) -> Iterator[Values]:
    for line in order.lines:
        yield {
            "TrnDate": moment.date(),
            "TrnTime": int(f"{moment:%H%M%S}00"),
            "SalesOrder": order_number(order.order_nbr),
            "SalesOrderLine": line.line_nbr,
        }
