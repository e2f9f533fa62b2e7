"""Items, projects, what they cost, purchase orders, and the documents behind bills."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.company.books import IN_THE_BOOKS
from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.company.money import to_base
from tests.sandbox.exact_online.clock import wall
from tests.sandbox.exact_online.rows import journals
from tests.sandbox.exact_online.rows.row import Row, guid
from tests.sandbox.exact_online.rows.view import USER_ID, USER_NAME, day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import PurchaseOrder, PurchaseOrderLine
    from tests.sandbox.exact_online.rows.view import View

_GROUPS = {True: ("STOCK", "Stocked goods"), False: ("SERVICE", "Services")}
_ORDER_STATUS = {
    DocumentStatus.HOLD: 10,
    DocumentStatus.OPEN: 10,
    DocumentStatus.CLOSED: 30,
    DocumentStatus.VOIDED: 40,
}
_PARTIAL = 20
_COST = 2  # kind of a time and cost transaction


def _group_columns(view: View, *, is_stock: bool) -> dict[str, Any]:
    code, name = _GROUPS[is_stock]
    return {
        "ItemGroup": view.master_id(view.branch, "group", code),
        "ItemGroupCode": code,
        "ItemGroupDescription": name,
    }


def items(view: View) -> Iterator[Row]:
    """`Items`: attributes stand in the free text fields. Movements of stock leave the row's version alone."""
    for item in view.company.items.values():
        stock = [each.quantity for each in view.company.stock.values() if each.item == item.code]
        values = {
            "ID": view.master_id(item),
            "Code": item.code,
            "Description": item.description,
            "SearchCode": item.description[:10].upper(),
            "CostPriceStandard": item.unit_cost,
            "CostPriceCurrency": view.company.base_currency,
            "StandardSalesPrice": item.unit_price,
            "IsStockItem": item.is_stock,
            "IsPurchaseItem": True,
            "IsSalesItem": True,
            "IsFractionAllowedItem": True,
            "IsTime": 0,
            "Stock": sum(stock, Decimal(0)) if item.is_stock else None,
            "Unit": item.unit.ljust(8) if view.padded else item.unit,
            "UnitDescription": item.unit.title(),
            "UnitType": "O",
            "StartDate": wall(item.created_at).replace(hour=0, minute=0, second=0, microsecond=0),
            "EndDate": None if item.active else day(item.modified_at.date()),
            **{f"FreeBoolField_{number:02d}": False for number in range(1, 6)},
            "FreeTextField_01": item.attributes.get("COLOR"),
            "FreeTextField_02": item.attributes.get("OLDNBR"),
            **_group_columns(view, is_stock=item.is_stock),
        }
        yield view.row(item, values["ID"], values)


def item_groups(view: View) -> Iterator[Row]:
    """`ItemGroups`."""
    for is_stock, (code, name) in _GROUPS.items():
        values = {
            "ID": _group_columns(view, is_stock=is_stock)["ItemGroup"],
            "Code": code,
            "Description": name,
            "IsDefault": int(is_stock),
        }
        yield view.row(view.branch, values["ID"], values)


def units(view: View) -> Iterator[Row]:
    """`Units`: it has no stamps."""
    for code in sorted({item.unit for item in view.company.items.values()}):
        id_ = view.master_id(view.branch, "unit", code)
        values = {
            "ID": id_,
            "Division": view.division,
            "Code": code,
            "Description": code.title(),
            "Active": True,
            "Main": 1,
            "Type": "O",
        }
        yield Row(id_, values)


def projects(view: View) -> Iterator[Row]:
    """`Projects`."""
    for project in view.company.projects.values():
        customer = view.company.customers.get(project.customer or "")
        values = {
            "ID": view.master_id(project),
            "Code": project.code,
            "Description": project.name,
            "DivisionName": view.branch.name,
            "Type": 2,
            "TypeDescription": "Time and material",
            "BlockEntry": not project.active,
            "StartDate": wall(project.created_at).replace(hour=0, minute=0, second=0, microsecond=0),
            "Manager": USER_ID,
            "ManagerFullname": USER_NAME,
            **(view.account_columns(customer) if customer else {}),
        }
        yield view.row(project, values["ID"], values)


def time_cost_transactions(view: View) -> Iterator[Row]:
    """`TimeCostTransactions`: the services that were bought for projects."""
    for bill in view.own(view.company.bills):
        if bill.status not in IN_THE_BOOKS:
            continue
        for line in bill.lines:
            project = view.project_of(bill, line.line_nbr, line.item)
            if project is None:
                continue
            sign = bill.type.sign
            item = view.item_columns(line.item)
            values = {
                "ID": guid(bill.note_id, "cost", line.line_nbr),
                "EntryNumber": journals.entry_number(bill),
                "Date": day(bill.date),
                "DivisionDescription": view.branch.name,
                "Type": _COST,
                "HourStatus": 20,
                "Currency": bill.currency,
                "Quantity": line.quantity * sign,
                "PriceFC": line.unit_cost,
                "AmountFC": line.amount * sign,
                "Price": line.unit_cost,
                "Amount": line.base_amount * sign,
                "Item": item.get("Item"),
                "ItemDescription": item.get("ItemDescription"),
                "ItemDivisable": True,
                "Notes": line.description,
                **view.project_columns(project),
            }
            yield view.row(bill, values["ID"], values)


# ------------------------------------------------------------------ purchase orders


def _order_head(view: View, order: PurchaseOrder) -> dict[str, Any]:
    vendor = view.company.vendors[order.vendor]
    status = _ORDER_STATUS[order.status]
    if order.status is DocumentStatus.OPEN and any(line.quantity_received for line in order.lines):
        status = _PARTIAL
    return {
        "PurchaseOrderID": order.note_id,
        "OrderNumber": int(order.order_nbr.lstrip("PO")),
        "OrderDate": day(order.date),
        "ReceiptDate": day(order.promised_on),
        "OrderStatus": status,
        "ReceiptStatus": status,
        "InvoiceStatus": status,
        "ApprovalStatus": 0 if order.status is DocumentStatus.HOLD else 2,
        "Currency": order.currency,
        "ExchangeRate": order.rate,
        "Source": 1,
        "DropShipment": False,
        "Supplier": view.master_id(vendor),
        "SupplierCode": view.account_code(vendor),
        "SupplierName": vendor.name,
        "YourRef": order.vendor_ref,
        **view.terms_columns(vendor.terms),
    }


def _order_amounts(order: PurchaseOrder) -> dict[str, Any]:
    return {
        "AmountDC": to_base(order.total, order.rate),
        "AmountFC": order.total,
        "AmountFCExclVat": order.total,
        "VATAmount": 0,
        "AmountDiscount": 0,
    }


def purchase_orders(view: View) -> Iterator[Row]:
    """`PurchaseOrders`: the orders themselves."""
    for order in view.own(view.company.purchase_orders):
        values = {
            **_order_head(view, order),
            **_order_amounts(order),
            "Description": order.description,
            "PurchaseOrderLineCount": len(order.lines),
        }
        yield view.row(order, order.note_id, values)


def purchase_order_rows(view: View) -> Iterator[Row]:
    """The sync list: line 0 is the header with the order's total, the lines follow."""
    for order in view.own(view.company.purchase_orders):
        head = _order_head(view, order)
        header = {**head, **_order_amounts(order), "ID": order.note_id, "LineNumber": 0}
        yield view.row(order, order.note_id, {**header, "Description": order.description})
        for line in order.lines:
            values = {**head, **_order_line(view, order, line)}
            yield view.row(order, values["ID"], values)


def _order_line(view: View, order: PurchaseOrder, line: PurchaseOrderLine) -> dict[str, Any]:
    cost_center = view.cost_center_columns(line.cost_center)
    record = view.company.cost_centers[line.cost_center]
    return {
        "ID": guid(order.note_id, line.line_nbr),
        "LineNumber": line.line_nbr,
        "AmountDC": to_base(line.amount, order.rate),
        "AmountFC": line.amount,
        "VATAmount": 0,
        "Description": line.description,
        "Quantity": line.quantity,
        "QuantityInPurchaseUnits": line.quantity,
        "ReceivedQuantity": line.quantity_received,
        "Unit": line.unit,
        "UnitDescription": line.unit.title(),
        "UnitPrice": line.unit_cost,
        "NetPrice": line.unit_cost,
        "CostCenter": view.master_id(record) if cost_center else None,
        "CostCenterCode": cost_center.get("CostCenter"),
        "CostCenterDescription": cost_center.get("CostCenterDescription"),
        **view.item_columns(line.item),
    }


# ------------------------------------------------------------------ documents


def documents(view: View) -> Iterator[Row]:
    """`Documents`: one for each bill that was booked."""
    for bill in view.own(view.company.bills):
        if bill.batch_nbr is None:
            continue
        number = journals.entry_number(bill)
        values = {
            "ID": guid(bill.note_id, "document"),
            "HID": number,
            "Subject": f"Purchase invoice {bill.vendor_ref or number}",
            "DocumentDate": day(bill.date),
            "AmountFC": bill.amount * bill.type.sign,
            "Currency": bill.currency,
            "FinancialTransactionEntryID": bill.note_id,
            "HasEmptyBody": True,
            "Type": 20,
            "TypeDescription": "Purchase invoice",
            **view.account_columns(view.partner(bill)),
        }
        yield view.row(bill, values["ID"], values)
