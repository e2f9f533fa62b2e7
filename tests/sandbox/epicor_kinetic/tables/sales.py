"""AR invoices, sales orders and cash receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.company.money import ZERO, to_base
from tests.sandbox.epicor_kinetic import FISCAL_CALENDAR, SITE
from tests.sandbox.epicor_kinetic.schema import made, table
from tests.sandbox.epicor_kinetic.view import VOID_NUMBERS, fiscal, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import SalesInvoice, SalesOrder, SalesOrderLine
    from tests.sandbox.epicor_kinetic.schema import Made, Row
    from tests.sandbox.epicor_kinetic.view import View


class _Invoice(NamedTuple):
    """An invoice, or the correction that undoes one."""

    document: SalesInvoice
    number: int
    sign: int
    is_correction: bool

    @property
    def part(self) -> str:
        return "correction" if self.is_correction else ""


def _documents(view: View) -> Iterator[_Invoice]:
    for invoice in view.own(view.company.sales_invoices.values()):
        nbr = number(invoice.invoice_nbr)
        yield _Invoice(invoice, nbr, invoice.type.sign, is_correction=False)
        if invoice.status is DocumentStatus.VOIDED:
            yield _Invoice(invoice, VOID_NUMBERS + nbr, -invoice.type.sign, is_correction=True)


def _invoices(view: View) -> Iterator[Made]:
    for invoice in _documents(view):
        document, sign = invoice.document, invoice.sign
        customer = view.company.customers[document.customer]
        year, period = fiscal(document.period)
        is_posted = document.status is not DocumentStatus.HOLD
        row: Row = {
            "InvoiceNum": invoice.number,
            "InvoiceType": "SHP",
            "CreditMemo": sign < 0,
            "CustNum": customer.customer_id,
            "PONum": document.customer_order or "",
            "OrderNum": next((number(line.order_nbr) for line in document.lines if line.order_nbr), 0),
            "InvoiceDate": document.date,
            "DueDate": document.due_date,
            "TermsCode": document.terms or "",
            "Posted": is_posted,
            "OpenInvoice": document.status is DocumentStatus.OPEN,
            "Description": document.description or "",
            "InvoiceRef": number(document.invoice_nbr) if invoice.is_correction else 0,
            "CorrectionInv": invoice.is_correction,
            "CurrencyCode": document.currency,
            "ExchangeRate": document.rate,
            "InvoiceAmt": document.base_amount * sign,
            "DocInvoiceAmt": document.amount * sign,
            "InvoiceBal": ZERO if invoice.is_correction else document.base_balance * sign,
            "DocInvoiceBal": ZERO if invoice.is_correction else document.balance * sign,
            "UnpostedBal": ZERO if is_posted else document.base_balance * sign,
            "TaxAmt": document.base_tax_amount * sign,
            "DocTaxAmt": document.tax_amount * sign,
            "FiscalYear": year,
            "FiscalYearSuffix": "",
            "FiscalPeriod": period,
            "FiscalCalendarID": FISCAL_CALENDAR,
            "SalesRepList": "REP1,REP2",
            "Plant": SITE,
            "CustomerCustID": customer.code,
            "CustomerName": customer.name,
        }
        yield made(document, row, invoice.part)


def _invoice_lines(view: View) -> Iterator[Made]:
    for invoice in _documents(view):
        sign = invoice.sign
        for line in invoice.document.lines:
            yield made(
                invoice.document,
                {
                    "InvoiceNum": invoice.number,
                    "InvoiceLine": line.line_nbr,
                    "LineType": "PART" if line.item else "MISC",
                    "CustNum": view.cust_num(invoice.document.customer),
                    "PartNum": line.item or "",
                    "LineDesc": line.description,
                    "OrderNum": number(line.order_nbr) if line.order_nbr else 0,
                    "OrderLine": line.order_line_nbr or 0,
                    "OrderRelNum": 1 if line.order_nbr else 0,
                    "SellingShipQty": line.quantity,
                    "SalesUM": line.unit,
                    "UnitPrice": (line.unit_price * invoice.document.rate).quantize(line.unit_price),
                    "DocUnitPrice": line.unit_price,
                    "DocDiscount": line.discount_amount * sign,
                    "ExtPrice": line.base_amount * sign,
                    "DocExtPrice": line.amount * sign,
                },
                f"{invoice.part}|{line.line_nbr}",
            )


# ------------------------------------------------------------------- orders


def _orders(view: View) -> Iterator[Made]:
    for order in view.own(view.company.sales_orders.values()):
        customer = view.company.customers[order.customer]
        yield made(
            order,
            {
                "OrderNum": number(order.order_nbr),
                "CustNum": customer.customer_id,
                "ShipToNum": "",
                "PONum": order.customer_order or "",
                "OrderDate": order.date,
                "RequestDate": order.requested_on,
                "NeedByDate": order.requested_on,
                "OpenOrder": order.status in {DocumentStatus.OPEN, DocumentStatus.HOLD},
                "VoidOrder": order.status is DocumentStatus.VOIDED,
                "OrderHeld": order.status is DocumentStatus.HOLD,
                "TermsCode": customer.terms,
                "CurrencyCode": order.currency,
                "ExchangeRate": order.rate,
                "OrderComment": order.description or "",
                "Plant": SITE,
                "OrderAmt": to_base(order.total, order.rate),
                "DocOrderAmt": order.total,
                "CustomerCustID": customer.code,
                "CustomerName": customer.name,
            },
        )


def _order_lines(view: View) -> Iterator[Made]:
    for order, line in _all_lines(view):
        yield made(
            order,
            {
                "OrderNum": number(order.order_nbr),
                "OrderLine": line.line_nbr,
                "OpenLine": _is_open(order),
                "VoidLine": order.status is DocumentStatus.VOIDED,
                "PartNum": line.item or "",
                "LineDesc": line.description,
                "SalesUM": line.unit,
                "OrderQty": line.quantity,
                "SellingQuantity": line.quantity,
                "UnitPrice": (line.unit_price * order.rate).quantize(line.unit_price),
                "DocUnitPrice": line.unit_price,
                "DiscountPercent": line.discount_percent,
                "Discount": to_base(line.discount_amount, order.rate),
                "DocDiscount": line.discount_amount,
                "RequestDate": order.requested_on,
                "ProjectID": order.project or "",
                "CustNum": view.cust_num(order.customer),
                "ExtPriceDtl": to_base(line.amount, order.rate),
                "DocExtPriceDtl": line.amount,
            },
            line.line_nbr,
        )


def _order_releases(view: View) -> Iterator[Made]:
    """A shipment changes the release, and neither its line nor its order."""
    for order, line in _all_lines(view):
        yield made(
            order,
            {
                "OrderNum": number(order.order_nbr),
                "OrderLine": line.line_nbr,
                "OrderRelNum": 1,
                "OpenRelease": _is_open(order) and line.quantity_open > 0,
                "VoidRelease": order.status is DocumentStatus.VOIDED,
                "ReqDate": order.requested_on,
                "OurReqQty": line.quantity,
                "SellingReqQty": line.quantity,
                "OurStockShippedQty": line.quantity_shipped,
                "WarehouseCode": line.warehouse or "",
                "PartNum": line.item or "",
                "Plant": SITE,
            },
            f"{line.line_nbr}|1",
        )


def _all_lines(view: View) -> Iterator[tuple[SalesOrder, SalesOrderLine]]:
    for order in view.own(view.company.sales_orders.values()):
        for line in order.lines:
            yield order, line


def _is_open(order: SalesOrder) -> bool:
    return order.status in {DocumentStatus.OPEN, DocumentStatus.HOLD}


# ----------------------------------------------------------------- receipts


def _cash_lines(view: View) -> Iterator[Made]:
    """One row per invoice that a customer's payment settles; a reversal has rows of its own."""
    for payment in view.own(view.company.customer_payments.values()):
        for application in payment.applications:
            sign = view.company.sales_invoices[application.invoice_nbr].type.sign
            row: Row = {
                "GroupID": f"G{payment.payment_nbr}",
                "HeadNum": number(payment.payment_nbr),
                "InvoiceNum": number(application.invoice_nbr),
                "InvoiceRef": 0,
                "CustNum": view.cust_num(payment.customer),
                "TranType": "PayInv",
                "TranDate": payment.date,
                "TranAmt": application.base_amount * sign,
                "DocTranAmt": application.amount * sign,
                "CurrencyCode": payment.currency,
                "CheckRef": payment.payment_ref or "",
                "Posted": payment.status is not DocumentStatus.HOLD,
            }
            yield made(payment, row, application.invoice_nbr)
            if payment.voiding_batch_nbr is not None:
                reversal = view.company.journals[f"AR|{payment.voiding_batch_nbr}"]
                undone = row | {
                    "HeadNum": VOID_NUMBERS + number(payment.payment_nbr),
                    "TranDate": reversal.date,
                    "TranAmt": -application.base_amount * sign,
                    "DocTranAmt": -application.amount * sign,
                }
                yield made(reversal, undone, f"{payment.payment_nbr}|{application.invoice_nbr}")


_CARD = " CardNumber CardID CardMemberName CardmemberReference ccToken CCStreetAddr CCZip"
_CHANGED = " ChangedBy ChangeDate:date ChangeTime:int"
TABLES = (
    table(
        "InvcHead",
        "InvoiceNum",
        _invoices,
        "InvoiceNum:int InvoiceType CreditMemo:bool CustNum:int PONum OrderNum:int InvoiceDate:date DueDate:date"
        " TermsCode Posted:bool OpenInvoice:bool Description InvoiceRef:int CorrectionInv:bool CurrencyCode"
        " ExchangeRate:dec InvoiceAmt:dec DocInvoiceAmt:dec InvoiceBal:dec DocInvoiceBal:dec UnpostedBal:dec"
        " TaxAmt:dec DocTaxAmt:dec FiscalYear:int FiscalPeriod:int FiscalYearSuffix FiscalCalendarID GLPosted:bool"
        f" LegalNumber SalesRepList Plant{_CARD}{_CHANGED}",
        looked_up="ChangeDateTime:stamp CustomerCustID CustomerName",
    ),
    table(
        "InvcDtl",
        "InvoiceNum InvoiceLine",
        _invoice_lines,
        "InvoiceNum:int InvoiceLine:int LineType CustNum:int PartNum LineDesc OrderNum:int OrderLine:int"
        " OrderRelNum:int SellingShipQty:dec SalesUM UnitPrice:dec DocUnitPrice:dec DocDiscount:dec ExtPrice:dec"
        f" DocExtPrice:dec TaxCatID ProdCode{_CHANGED}",
    ),
    table(
        "OrderHed",
        "OrderNum",
        _orders,
        "OrderNum:int CustNum:int ShipToNum PONum OrderDate:date RequestDate:date NeedByDate:date OpenOrder:bool"
        " VoidOrder:bool OrderHeld:bool TermsCode ShipViaCode CurrencyCode ExchangeRate:dec OrderComment Plant"
        f"{_CARD}{_CHANGED}",
        looked_up="OrderAmt:dec DocOrderAmt:dec CustomerCustID CustomerName",
    ),
    table(
        "OrderDtl",
        "OrderNum OrderLine",
        _order_lines,
        "OrderNum:int OrderLine:int OpenLine:bool VoidLine:bool PartNum LineDesc RevisionNum SalesUM OrderQty:dec"
        " SellingQuantity:dec UnitPrice:dec DocUnitPrice:dec DiscountPercent:dec Discount:dec DocDiscount:dec"
        f" RequestDate:date ProjectID CustNum:int ProdCode{_CHANGED}",
        looked_up="ExtPriceDtl:dec DocExtPriceDtl:dec",
    ),
    table(
        "OrderRel",
        "OrderNum OrderLine OrderRelNum",
        _order_releases,
        "OrderNum:int OrderLine:int OrderRelNum:int OpenRelease:bool VoidRelease:bool ReqDate:date OurReqQty:dec"
        f" SellingReqQty:dec OurStockShippedQty:dec WarehouseCode PartNum Plant{_CHANGED}",
    ),
    table(
        "CashDtl",
        "GroupID HeadNum InvoiceNum InvoiceRef",
        _cash_lines,
        "GroupID HeadNum:int InvoiceNum:int InvoiceRef:int CustNum:int TranType TranDate:date TranAmt:dec"
        " DocTranAmt:dec DiscAmt:dec CurrencyCode CheckRef Posted:bool ChangedBy ChangeDate:date",
    ),
)
