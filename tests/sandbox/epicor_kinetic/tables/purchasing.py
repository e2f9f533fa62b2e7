"""Purchase orders with their lines and releases, and what was received for them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company.model import DocumentStatus, ReceiptType
from tests.sandbox.company.money import to_base
from tests.sandbox.epicor_kinetic import SITE
from tests.sandbox.epicor_kinetic.schema import made, table
from tests.sandbox.epicor_kinetic.view import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import PurchaseOrder, PurchaseOrderLine
    from tests.sandbox.epicor_kinetic.schema import Made, Row
    from tests.sandbox.epicor_kinetic.view import View

_BUYER = "BUYER1"
_RELEASE = 1  # every line is due in one delivery
_NOTHING = Decimal(0)


def _orders(view: View) -> Iterator[Made]:
    for order in view.own(view.company.purchase_orders.values()):
        vendor = view.company.vendors[order.vendor]
        is_released = order.status is not DocumentStatus.HOLD
        yield made(
            order,
            {
                "PONum": number(order.order_nbr),
                "VendorNum": vendor.vendor_id,
                "BuyerID": _BUYER,
                "OrderDate": order.date,
                "DueDate": order.promised_on,
                "PromiseDate": order.promised_on,
                "OpenOrder": order.status in {DocumentStatus.OPEN, DocumentStatus.HOLD},
                "VoidOrder": order.status is DocumentStatus.VOIDED,
                "OrderHeld": not is_released,
                "Approve": is_released,
                "ApprovalStatus": "A" if is_released else "U",
                "ApprovedDate": order.date if is_released else None,
                "ApprovedAmount": to_base(order.total, order.rate) if is_released else _NOTHING,
                "Confirmed": is_released,
                "TermsCode": vendor.terms,
                "CurrencyCode": order.currency,
                "ExchangeRate": order.rate,
                "POType": "STD",
                "TotalOrder": to_base(order.total, order.rate),
                "DocTotalOrder": order.total,
                "EntryPerson": "manager",
                "CommentText": order.description or "",
                "VendorRefNum": order.vendor_ref or "",
                "VendorVendorID": vendor.code,
                "VendorName": vendor.name,
                "BuyerIDName": "Central purchasing",
            },
        )


def _lines(view: View) -> Iterator[Made]:
    for order, line in _all_lines(view):
        yield made(
            order,
            {
                "PONUM": number(order.order_nbr),  # upper case here, and here only
                "POLine": line.line_nbr,
                "OpenLine": _is_open(order, line),
                "VoidLine": order.status is DocumentStatus.VOIDED,
                "LineDesc": line.description,
                "PartNum": line.item or "",
                "OrderQty": line.quantity,
                "XOrderQty": line.quantity,
                "PUM": line.unit,
                "IUM": line.unit,
                "UnitCost": to_base(line.unit_cost, order.rate),
                "DocUnitCost": line.unit_cost,
                "CostPerCode": "E",
                "ExtCost": to_base(line.amount, order.rate),
                "DocExtCost": line.amount,
                "DueDate": order.promised_on,
                "VendorNum": view.vendor_num(order.vendor),
                "VendorName": view.company.vendors[order.vendor].name,
            },
            line.line_nbr,
        )


def _releases(view: View) -> Iterator[Made]:
    """A receipt or a bill changes the release, and neither its line nor its order."""
    for order, line in _all_lines(view):
        yield made(
            order,
            {
                "PONum": number(order.order_nbr),
                "POLine": line.line_nbr,
                "PORelNum": _RELEASE,
                "OpenRelease": _is_open(order, line) and line.quantity_received < line.quantity,
                "VoidRelease": order.status is DocumentStatus.VOIDED,
                "DueDate": order.promised_on,
                "PromiseDt": order.promised_on,
                "XRelQty": line.quantity,
                "RelQty": line.quantity,
                "ReceivedQty": line.quantity_received - line.quantity_returned,
                "ArrivedQty": line.quantity_received,
                "InvoicedQty": view.invoiced.get((order.order_nbr, line.line_nbr), _NOTHING),
                "Plant": SITE,
                "WarehouseCode": "MAIN",
                "TranType": "PUR-STK" if line.item else "PUR-UKN",
                "Status": "O" if _is_open(order, line) else "C",
            },
            f"{line.line_nbr}|{_RELEASE}",
        )


def _all_lines(view: View) -> Iterator[tuple[PurchaseOrder, PurchaseOrderLine]]:
    for order in view.own(view.company.purchase_orders.values()):
        for line in order.lines:
            yield order, line


def _is_open(order: PurchaseOrder, line: PurchaseOrderLine) -> bool:
    """A line is closed by hand or with its order; its releases close by deliveries."""
    return order.status in {DocumentStatus.OPEN, DocumentStatus.HOLD} and line.quantity > 0


def _receipts(view: View) -> Iterator[Made]:
    for receipt in view.own(view.company.purchase_receipts.values()):
        if receipt.type is ReceiptType.RECEIPT:
            yield made(
                receipt,
                {
                    "VendorNum": view.vendor_num(receipt.vendor),
                    "PurPoint": "",
                    "PackSlip": receipt.receipt_nbr,
                    "ReceiptDate": receipt.date,
                    "ArrivedDate": receipt.date,
                    "EntryPerson": "dock",
                    "Received": receipt.status is not DocumentStatus.HOLD,
                    "Plant": SITE,
                    "PONum": number(receipt.lines[0].order_nbr) if receipt.lines else 0,
                    "VendorNumName": view.company.vendors[receipt.vendor].name,
                },
            )


def _receipt_lines(view: View) -> Iterator[Made]:
    for receipt in view.own(view.company.purchase_receipts.values()):
        if receipt.type is not ReceiptType.RECEIPT:
            continue
        key: Row = {
            "VendorNum": view.vendor_num(receipt.vendor),
            "PurPoint": "",
            "PackSlip": receipt.receipt_nbr,
        }
        for line in receipt.lines:
            yield made(
                receipt,
                {
                    **key,
                    "PackLine": line.line_nbr,
                    "PartNum": line.item or "",
                    "PartDescription": line.description,
                    "OurQty": line.quantity,
                    "VendorQty": line.quantity,
                    "IUM": line.unit,
                    "PUM": line.unit,
                    "VendorUnitCost": line.unit_cost,
                    "PONum": number(line.order_nbr),
                    "POLine": line.order_line_nbr,
                    "PORelNum": _RELEASE,
                    "WareHouseCode": line.warehouse or "",
                    "ReceiptDate": receipt.date,
                    "Received": receipt.status is not DocumentStatus.HOLD,
                },
                line.line_nbr,
            )


TABLES = (
    table(
        "POHeader",
        "PONum",
        _orders,
        "PONum:int VendorNum:int PurPoint BuyerID OrderDate:date DueDate:date PromiseDate:date OpenOrder:bool"
        " VoidOrder:bool OrderHeld:bool Approve:bool ApprovalStatus ApprovedDate:date ApprovedBy ApprovedAmount:dec"
        " Confirmed:bool TermsCode FOB ShipViaCode CurrencyCode ExchangeRate:dec POType ContractOrder:bool"
        " TotalOrder:dec DocTotalOrder:dec TotalTax:dec TotalCharges:dec TotalMiscCharges:dec EntryPerson"
        " CommentText VendorRefNum ChangedBy ChangeDate:stamp",
        looked_up="VendorVendorID VendorName BuyerIDName",
    ),
    table(
        "PODetail",
        "PONUM POLine",
        _lines,
        "PONUM:int POLine:int OpenLine:bool VoidLine:bool LineDesc PartNum VenPartNum RevisionNum OrderQty:dec"
        " XOrderQty:dec PUM IUM UnitCost:dec DocUnitCost:dec CostPerCode ExtCost:dec DocExtCost:dec DueDate:date"
        " ClassID TaxCatID VendorNum:int ChangedBy ChangeDate:stamp",
        looked_up="VendorName",
    ),
    table(
        "PORel",
        "PONum POLine PORelNum",
        _releases,
        "PONum:int POLine:int PORelNum:int OpenRelease:bool VoidRelease:bool DueDate:date PromiseDt:date"
        " NeedByDate:date XRelQty:dec RelQty:dec ReceivedQty:dec InvoicedQty:dec ArrivedQty:dec ShippedQty:dec"
        " Plant WarehouseCode JobNum ProjectID TranType Status",
    ),
    table(
        "RcvHead",
        "VendorNum PurPoint PackSlip",
        _receipts,
        "VendorNum:int PurPoint PackSlip ReceiptDate:date ArrivedDate:date EntryPerson Received:bool Plant PONum:int"
        " ChangedBy ChangeDate:date",
        looked_up="VendorNumName",
    ),
    table(
        "RcvDtl",
        "VendorNum PurPoint PackSlip PackLine",
        _receipt_lines,
        "VendorNum:int PurPoint PackSlip PackLine:int PartNum PartDescription OurQty:dec VendorQty:dec IUM PUM"
        " VendorUnitCost:dec PONum:int POLine:int PORelNum:int WareHouseCode ReceiptDate:date Received:bool"
        " ChangedBy ChangeDate:date",
    ),
)
