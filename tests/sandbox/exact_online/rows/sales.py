"""Sales invoices in the words of Exact Online: as invoices, as rows of the sync list, and as entries."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.exact_online.rows import journals
from tests.sandbox.exact_online.rows.row import Row, guid
from tests.sandbox.exact_online.rows.view import day, period

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from tests.sandbox.company.model import SalesInvoice, SalesInvoiceLine
    from tests.sandbox.exact_online.rows.view import View

HEADER_LINE, VAT_LINE = 0, 9999
_TYPE_TEXT = {8020: "Sales invoice", 8021: "Sales credit note"}
_FRACTION = Decimal("0.0001")


class _Entry(NamedTuple):
    """An invoice as it was written, or its reversal with every amount turned round."""

    invoice: SalesInvoice
    sign: int
    date: dt.date
    period: str
    is_reversal: bool

    @property
    def id(self) -> str:
        return journals.entry_id(self.invoice, reversal=self.is_reversal)

    @property
    def invoice_id(self) -> str:
        return guid(self.id, "invoice")

    @property
    def number(self) -> int:
        return int(self.invoice.invoice_nbr) + (500_000 if self.is_reversal else 0)

    @property
    def type(self) -> int:
        return 8021 if self.sign < 0 else 8020


def _entries(view: View) -> Iterator[_Entry]:
    for invoice in view.own(view.company.sales_invoices):
        sign = invoice.type.sign
        yield _Entry(invoice, sign, invoice.date, invoice.period, is_reversal=False)
        reversal = view.reversal_of(invoice)
        if reversal is not None:
            yield _Entry(invoice, -sign, reversal.date, reversal.period, is_reversal=True)


# ------------------------------------------------------------------ entries of the sales journal


def sales_entries(view: View) -> Iterator[Row]:
    """`SalesEntries`: credit notes and reversals are negative."""
    for entry in _entries(view):
        invoice = entry.invoice
        customer = view.company.customers[invoice.customer]
        kind, status = journals.entry_type(invoice), journals.entry_status(invoice)
        year, month = period(entry.period)
        values = {
            "EntryID": entry.id,
            "EntryNumber": journals.entry_number(invoice, reversal=entry.is_reversal),
            "InvoiceNumber": entry.number,
            "EntryDate": day(entry.date),
            "DueDate": day(invoice.due_date),
            "ReportingYear": year,
            "ReportingPeriod": month,
            "Currency": invoice.currency,
            "Rate": invoice.rate,
            "AmountDC": invoice.base_amount * entry.sign,
            "AmountFC": invoice.amount * entry.sign,
            "VATAmountDC": invoice.base_tax_amount * entry.sign,
            "VATAmountFC": invoice.tax_amount * entry.sign,
            "GAccountAmountFC": 0,
            "IsExtraDuty": False,
            "Description": invoice.description,
            "YourRef": invoice.customer_order,
            "Journal": "70",
            "JournalDescription": journals.BOOKS["70"].name,
            "Reversal": entry.is_reversal,
            "Status": status,
            "StatusDescription": journals.STATUS_TEXT[status],
            "Type": kind,
            "TypeDescription": journals.TYPE_TEXT[kind],
            "Customer": view.master_id(customer),
            "CustomerName": customer.name,
            **view.terms_columns(invoice.terms),
        }
        yield view.row(invoice, entry.id, values)


def sales_entry_lines(view: View) -> Iterator[Row]:
    """`SalesEntryLines`: amounts without VAT; it has no stamps of its own."""
    for entry in _entries(view):
        invoice = entry.invoice
        for line in invoice.lines:
            values = {
                "ID": guid(entry.id, "line", line.line_nbr),
                "EntryID": entry.id,
                "LineNumber": line.line_nbr,
                "AmountDC": line.base_amount * entry.sign,
                "AmountFC": line.amount * entry.sign,
                "VATBaseAmountDC": line.base_amount * entry.sign,
                "VATBaseAmountFC": line.amount * entry.sign,
                "Description": line.description,
                "Quantity": line.quantity * entry.sign,
                "Type": journals.entry_type(invoice),
                **_taxes(invoice, line, entry.sign),
                **view.gl_columns(line.account),
                **view.cost_center_columns(line.cost_center),
                **view.vat_columns(invoice.amount - invoice.tax_amount, invoice.tax_amount),
            }
            yield view.row(invoice, values["ID"], values)


# ------------------------------------------------------------------ invoices


def _head(view: View, entry: _Entry) -> dict[str, Any]:
    """What the invoice, its lines in the sync list, and their header row have in common."""
    invoice = entry.invoice
    customer = view.company.customers[invoice.customer]
    is_draft = invoice.status is DocumentStatus.HOLD
    status = journals.DRAFT if is_draft else journals.PROCESSED
    contact = view.master_id(customer, "contact") if customer.email else None
    return {
        "InvoiceID": entry.invoice_id,
        "InvoiceNumber": entry.number,
        "InvoiceDate": day(entry.date),
        "OrderDate": day(invoice.date),
        "DueDate": day(invoice.due_date),
        "Currency": invoice.currency,
        "Journal": "70",
        "JournalDescription": journals.BOOKS["70"].name,
        "OrderedBy": view.master_id(customer),
        "OrderedByName": customer.name,
        "OrderedByContactPerson": contact,
        "InvoiceTo": view.master_id(customer),
        "InvoiceToName": customer.name,
        "DeliverTo": view.master_id(customer),
        "DeliverToName": customer.name,
        "Status": status,
        "StatusDescription": journals.STATUS_TEXT[status],
        "Type": entry.type,
        "TypeDescription": _TYPE_TEXT[entry.type],
        "YourRef": invoice.customer_order,
        "IsExtraDuty": False,
        **view.terms_columns(invoice.terms),
    }


def _amounts(entry: _Entry) -> dict[str, Any]:
    invoice, sign = entry.invoice, entry.sign
    return {
        "AmountDC": invoice.base_amount * sign,
        "AmountFC": invoice.amount * sign,
        "AmountFCExclVat": (invoice.amount - invoice.tax_amount) * sign,
        "AmountDiscount": 0,
        "AmountDiscountExclVat": 0,
        "Discount": 0,
        "VATAmountDC": invoice.base_tax_amount * sign,
        "VATAmountFC": invoice.tax_amount * sign,
    }


def sales_invoices(view: View) -> Iterator[Row]:
    """`SalesInvoices`: drafts are those on hold."""
    for entry in _entries(view):
        head = {**_head(view, entry), "Description": entry.invoice.description}
        yield view.row(entry.invoice, entry.invoice_id, {**head, **_amounts(entry)})


def sales_invoice_lines(view: View) -> Iterator[Row]:
    """`SalesInvoiceLines`: it has no stamps of its own."""
    for entry in _entries(view):
        for line in entry.invoice.lines:
            values = {"InvoiceID": entry.invoice_id, **_line(view, entry, line)}
            yield view.row(entry.invoice, values["ID"], values)


def sales_invoice_rows(view: View) -> Iterator[Row]:
    """The sync list: line 0 is the header with the invoice's total, 9999 its VAT."""
    for entry in _entries(view):
        invoice = entry.invoice
        head = _head(view, entry)
        header = {
            **head,
            **_amounts(entry),
            "ID": entry.invoice_id,
            "LineNumber": HEADER_LINE,
            "Description": invoice.description,
        }
        yield view.row(invoice, entry.invoice_id, header)
        for line in invoice.lines:
            values = {**head, **_line(view, entry, line)}
            yield view.row(invoice, values["ID"], values)
        if invoice.tax_amount or invoice.base_tax_amount:
            tax = {
                **head,
                "ID": guid(entry.invoice_id, "vat"),
                "LineNumber": VAT_LINE,
                "AmountDC": invoice.base_tax_amount * entry.sign,
                "AmountFC": invoice.tax_amount * entry.sign,
                "Description": "VAT",
                **view.vat_columns(invoice.amount - invoice.tax_amount, invoice.tax_amount),
            }
            yield view.row(invoice, tax["ID"], tax)


def _line(view: View, entry: _Entry, line: SalesInvoiceLine) -> dict[str, Any]:
    invoice = entry.invoice
    order = view.company.sales_orders.get(line.order_nbr or "")
    gross = line.amount + line.discount_amount
    gl_account = view.gl_columns(line.account)
    net_price = line.amount / line.quantity if line.quantity else line.unit_price
    linked = {}
    if order is not None:
        linked = {
            "SalesOrder": order.note_id,
            "SalesOrderNumber": int(order.order_nbr.removeprefix("SO")),
            "SalesOrderLine": guid(order.note_id, line.order_line_nbr),
            "SalesOrderLineNumber": line.order_line_nbr,
        }
        if order.project:
            project = view.company.projects[order.project]
            linked |= {"Project": view.master_id(project), "ProjectDescription": project.name}
    return {
        "ID": guid(entry.invoice_id, "line", line.line_nbr),
        "LineNumber": line.line_nbr,
        "AmountDC": line.base_amount * entry.sign,
        "AmountFC": line.amount * entry.sign,
        "Description": line.description,
        "Discount": (line.discount_amount / gross).quantize(_FRACTION) if gross else 0,
        "Quantity": line.quantity * entry.sign,
        "UnitCode": line.unit,
        "UnitDescription": line.unit.title(),
        "UnitPrice": line.unit_price,
        "NetPrice": net_price.quantize(_FRACTION),
        "GLAccount": gl_account["GLAccount"],
        "GLAccountDescription": gl_account["GLAccountDescription"],
        **_taxes(invoice, line, entry.sign),
        **view.cost_center_columns(line.cost_center),
        **view.item_columns(line.item),
        **view.vat_columns(invoice.amount - invoice.tax_amount, invoice.tax_amount),
        **linked,
    }


def _taxes(invoice: SalesInvoice, line: SalesInvoiceLine, sign: int) -> dict[str, Any]:
    net = invoice.amount - invoice.tax_amount
    share = line.amount / net if net else Decimal(0)
    return {
        "VATAmountDC": round(invoice.base_tax_amount * share, 2) * sign,
        "VATAmountFC": round(invoice.tax_amount * share, 2) * sign,
    }
