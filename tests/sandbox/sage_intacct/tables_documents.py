"""Purchasing and order entry: documents of several definitions in one object, and their lines.

A bill that came out of an order is a "Vendor Invoice" here; its AP bill is found by PRRECORDKEY.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.company.basics import DocumentStatus, ReceiptType
from tests.sandbox.company.money import ZERO, to_base
from tests.sandbox.sage_intacct import numbers
from tests.sandbox.sage_intacct.tables import Columns, Table, audit_columns, owner_columns
from tests.sandbox.sage_intacct.tables_ar import is_for_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from tests.sandbox.sage_intacct.values import Value
    from tests.sandbox.sage_intacct.view import View

_GATES = ("Gate 4", "Gate B & C", "0012")
_CAMPAIGNS = ("Spring", "Trade fair", "00-7")
_STATES = {
    DocumentStatus.HOLD: "Draft",
    DocumentStatus.OPEN: "Pending",
    DocumentStatus.CLOSED: "Converted",
    DocumentStatus.VOIDED: "Closed",
}


class Document(NamedTuple):
    """A document of one definition; `table` is the company's table that holds the record."""

    table: str
    definition: str
    number: str
    partner: str
    record: Any


class Line(NamedTuple):
    """A line of one; `place` counts from 0, unlike anywhere else in the API."""

    document: Document
    place: int
    line: Any


# ------------------------------------------------------------------- rows


def _purchasing(view: View) -> Iterator[Document]:
    company = view.company
    for order in company.purchase_orders.values():
        yield Document("purchase_orders", "Purchase Order", order.order_nbr, order.vendor, order)
    for receipt in company.purchase_receipts.values():
        definition = "PO Receiver" if receipt.type is ReceiptType.RECEIPT else "PO Return"
        yield Document("purchase_receipts", definition, receipt.receipt_nbr, receipt.vendor, receipt)
    for bill in company.bills.values():
        if bill.is_for_order:
            yield Document("bills", "Vendor Invoice", f"VI{bill.reference_nbr}", bill.vendor, bill)


def _order_entry(view: View) -> Iterator[Document]:
    company = view.company
    for order in company.sales_orders.values():
        yield Document("sales_orders", "Sales Order", order.order_nbr, order.customer, order)
    for invoice in company.sales_invoices.values():
        if is_for_order(invoice):
            yield Document(
                "sales_invoices", "Sales Invoice", f"SI{invoice.invoice_nbr}", invoice.customer, invoice
            )


def _lines(documents: Callable[[View], Iterator[Document]]) -> Callable[[View], Iterator[Line]]:
    def rows(view: View) -> Iterator[Line]:
        for document in documents(view):
            for place, line in enumerate(document.record.lines):
                yield Line(document, place, line)

    return rows


# ---------------------------------------------------------------- columns


def _number(row: Document) -> int:
    return numbers.document(row.table, row.number)


def _receivable_or_payable(row: Document) -> Value:
    """RECORDNO of the AP bill or AR invoice that the document became."""
    if row.table == "bills":
        return numbers.bill(row.record)
    if row.table == "sales_invoices":
        return numbers.invoice(row.record.invoice_nbr)
    return None


def _total(row: Document) -> Decimal:
    if row.table in {"bills", "sales_invoices"}:
        return row.record.amount  # type: ignore[no-any-return]
    return row.record.total  # type: ignore[no-any-return]


def _tax(row: Document) -> Decimal:
    return row.record.tax_amount if row.table in {"bills", "sales_invoices"} else ZERO


def _base(row: Document, amount: Decimal) -> Decimal:
    return to_base(amount, row.record.rate)


def _created_from(row: Document) -> Value:
    orders = [line.order_nbr for line in row.record.lines if getattr(line, "order_nbr", None)]
    definition = "Sales Order" if row.table == "sales_invoices" else "Purchase Order"
    return f"{definition}-{orders[0]}" if orders else None


def _pick(values: tuple[str, ...], row: Document) -> Value:
    noise = zlib.crc32(row.record.note_id.encode())
    return (*values, None)[noise % (len(values) + 1)]


def _document_columns(name: str) -> Callable[[View], Columns]:
    partners = "vendors" if name == "PODOCUMENT" else "customers"

    def columns(view: View) -> Columns:
        names = getattr(view.company, partners)
        return {
            "RECORDNO": lambda row: str(_number(row)),
            "DOCNO": lambda row: row.number,
            "DOCID": lambda row: f"{row.definition}-{row.number}",
            "DOCPARID": lambda row: row.definition,
            "STATE": lambda row: _STATES[row.record.status],
            "STATUS": lambda _: "active",
            "CLOSED": lambda row: row.record.status is DocumentStatus.CLOSED,
            "CREATEDFROM": _created_from,
            "CUSTVENDID": lambda row: row.partner,
            "CUSTVENDNAME": lambda row: names[row.partner].name,
            "VENDORDOCNO": lambda row: getattr(row.record, "vendor_ref", None),
            "CUSTOMERPONUMBER": lambda row: getattr(row.record, "customer_order", None),
            "MESSAGE": lambda row: getattr(row.record, "description", None),
            "WHENCREATED": lambda row: row.record.date,
            "WHENDUE": lambda row: getattr(row.record, "due_date", None) or row.record.date,
            "PROMISEDDATE": lambda row: getattr(row.record, "promised_on", None),
            "CURRENCY": lambda row: row.record.currency,
            "BASECURR": lambda _: view.company.base_currency,
            "EXCHRATE": lambda row: row.record.rate,
            "EXCHRATEDATE": lambda row: row.record.date,
            "TRX_TOTAL": _total,
            "TRX_SUBTOTAL": lambda row: _total(row) - _tax(row),
            "TOTAL": lambda row: _base(row, _total(row)),
            "SUBTOTAL": lambda row: _base(row, _total(row) - _tax(row)),
            "PRRECORDKEY": _receivable_or_payable,
            "PROJECT": lambda row: getattr(row.record, "project", None),
            "SYSTEMGENERATED": lambda _: "F",
            "DELIVERY_GATE": lambda row: _pick(_GATES, row),
            "CAMPAIGN": lambda row: _pick(_CAMPAIGNS, row),
            **audit_columns(view, name, lambda row: row.record, created="AUWHENCREATED"),
            **owner_columns(view, lambda row: row.record.branch),
        }

    return columns


def _entry_columns(name: str) -> Callable[[View], Columns]:
    def columns(view: View) -> Columns:
        company = view.company

        def price(row: Line) -> Decimal:
            line = row.line
            return line.unit_price if hasattr(line, "unit_price") else line.unit_cost  # type: ignore[no-any-return]

        def remaining(row: Line) -> Value:
            done = getattr(row.line, "quantity_received", getattr(row.line, "quantity_shipped", None))
            return None if done is None else row.line.quantity - done

        def partner(table: str) -> Callable[[Line], Value]:
            is_vendor = name == "PODOCUMENTENTRY"
            return lambda row: row.document.partner if (table == "vendors") is is_vendor else None

        return {
            "RECORDNO": lambda row: numbers.line(_number(row.document), row.line.line_nbr),
            "DOCHDRNO": lambda row: _number(row.document),
            "DOCHDRID": lambda row: f"{row.document.definition}-{row.document.number}",
            "DOCPARID": lambda row: row.document.definition,
            "LINE_NO": lambda row: row.place,
            "ITEMID": lambda row: row.line.item,
            "ITEMNAME": lambda row: company.items[row.line.item].description if row.line.item else None,
            "ITEMDESC": lambda row: row.line.description,
            "UNIT": lambda row: row.line.unit,
            "QUANTITY": lambda row: row.line.quantity,
            "UIQTY": lambda row: row.line.quantity,
            "QTY_REMAINING": remaining,
            "UIPRICE": price,
            "TRX_PRICE": price,
            "UIVALUE": lambda row: row.line.amount,
            "TRX_VALUE": lambda row: row.line.amount,
            "PRICE": lambda row: price(row) * row.document.record.rate,
            "TOTAL": lambda row: _base(row.document, row.line.amount),
            "CURRENCY": lambda row: row.document.record.currency,
            "BASECURR": lambda _: company.base_currency,
            "EXCHRATE": lambda row: row.document.record.rate,
            "DEPARTMENTID": lambda row: row.line.cost_center,
            "DEPARTMENTNAME": lambda row: company.cost_centers[row.line.cost_center].name,
            "LOCATIONID": lambda row: row.document.record.branch,
            "LOCATIONNAME": lambda row: company.branches[row.document.record.branch].name,
            "SOURCE_DOCID": lambda row: getattr(row.line, "order_nbr", None),
            "VENDORID": partner("vendors"),
            "CUSTOMERID": partner("customers"),
            "WHENCREATED": lambda row: row.document.record.date,
            **audit_columns(view, name, lambda row: row.document.record, created="AUWHENCREATED"),
        }

    return columns


def _table(name: str, documents: Callable[[View], Iterator[Document]]) -> dict[str, Table]:
    return {
        name: Table(
            rows=documents,
            columns=_document_columns(name),
            entity=lambda row: row.record.branch,
            natural="DOCID",
            lines=(f"{name}ENTRIES", f"{name}ENTRY", "DOCHDRNO"),
        ),
        f"{name}ENTRY": Table(
            rows=_lines(documents),
            columns=_entry_columns(f"{name}ENTRY"),
            entity=lambda row: row.document.record.branch,
        ),
    }


TABLES = {**_table("PODOCUMENT", _purchasing), **_table("SODOCUMENT", _order_entry)}
