"""Bills in the words of Exact Online: entries of the purchase journal, and invoices of the purchase module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.exact_online.rows import journals
from tests.sandbox.exact_online.rows.row import Row, guid
from tests.sandbox.exact_online.rows.view import day, period

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from tests.sandbox.company.model import Bill, BillLine
    from tests.sandbox.exact_online.rows.view import View


class _Entry(NamedTuple):
    """A bill as it was entered, or its reversal with every amount turned round."""

    bill: Bill
    sign: int
    date: dt.date
    period: str
    is_reversal: bool

    @property
    def id(self) -> str:
        return journals.entry_id(self.bill, reversal=self.is_reversal)


def _entries(view: View) -> Iterator[_Entry]:
    for bill in view.own(view.company.bills):
        sign = bill.type.sign
        yield _Entry(bill, sign, bill.date, bill.period, is_reversal=False)
        reversal = view.reversal_of(bill)
        if reversal is not None:
            yield _Entry(bill, -sign, reversal.date, reversal.period, is_reversal=True)


def purchase_entries(view: View) -> Iterator[Row]:
    """`PurchaseEntries`: credit notes and reversals are negative."""
    for entry in _entries(view):
        bill = entry.bill
        vendor = view.company.vendors[bill.vendor]
        kind, status = journals.entry_type(bill), journals.entry_status(bill)
        year, month = period(entry.period)
        number = journals.entry_number(bill, reversal=entry.is_reversal)
        values = {
            "EntryID": entry.id,
            "EntryNumber": number,
            "InvoiceNumber": number,
            "EntryDate": day(entry.date),
            "DueDate": day(bill.due_date),
            "ReportingYear": year,
            "ReportingPeriod": month,
            "Currency": bill.currency,
            "Rate": bill.rate,
            "AmountDC": bill.base_amount * entry.sign,
            "AmountFC": bill.amount * entry.sign,
            "VATAmountDC": bill.base_tax_amount * entry.sign,
            "VATAmountFC": bill.tax_amount * entry.sign,
            "GAccountAmountFC": 0,
            "Document": None if bill.batch_nbr is None else guid(bill.note_id, "document"),
            "Description": bill.description,
            "YourRef": bill.vendor_ref,
            "Journal": "60",
            "JournalDescription": journals.BOOKS["60"].name,
            "Reversal": entry.is_reversal,
            "Status": status,
            "StatusDescription": journals.STATUS_TEXT[status],
            "Type": kind,
            "TypeDescription": journals.TYPE_TEXT[kind],
            "Supplier": view.master_id(vendor),
            "SupplierName": vendor.name,
            **view.terms_columns(bill.terms),
        }
        yield view.row(bill, entry.id, values)


def purchase_entry_lines(view: View) -> Iterator[Row]:
    """`PurchaseEntryLines`: amounts without VAT; it has no stamps of its own."""
    for entry in _entries(view):
        bill = entry.bill
        net = bill.amount - bill.tax_amount
        for line in bill.lines:
            share = line.amount / net if net else 0
            project = None
            if not entry.is_reversal:
                project = view.project_of(bill, line.line_nbr, line.item)
            values = {
                "ID": guid(entry.id, "line", line.line_nbr),
                "EntryID": entry.id,
                "LineNumber": line.line_nbr,
                "AmountDC": line.base_amount * entry.sign,
                "AmountFC": line.amount * entry.sign,
                "VATAmountFC": round(bill.tax_amount * share, 2) * entry.sign,
                "VATAmountDC": round(bill.base_tax_amount * share, 2) * entry.sign,
                "VATBaseAmountDC": line.base_amount * entry.sign,
                "VATBaseAmountFC": line.amount * entry.sign,
                "Description": line.description,
                "Quantity": line.quantity * entry.sign,
                "Type": journals.entry_type(bill),
                **view.gl_columns(line.account),
                **view.cost_center_columns(line.cost_center),
                **view.project_columns(project),
                **view.vat_columns(net, bill.tax_amount),
            }
            yield view.row(bill, values["ID"], values)


def _invoice_id(entry: _Entry) -> str:
    return guid(entry.id, "invoice")


def _invoice_type(entry: _Entry) -> int:
    return 8031 if entry.sign < 0 else 8030


def purchase_invoices(view: View) -> Iterator[Row]:
    """`PurchaseInvoices`: guids and codes only; drafts are those on hold."""
    for entry in _entries(view):
        bill, sign = entry.bill, entry.sign
        is_draft = bill.status is DocumentStatus.HOLD
        year, month = period(entry.period)
        number = journals.entry_number(bill, reversal=entry.is_reversal)
        values = {
            "ID": _invoice_id(entry),
            "Supplier": view.master_id(view.company.vendors[bill.vendor]),
            "Amount": bill.amount * sign,
            "AmountDC": bill.base_amount * sign,
            "AmountFCExclVat": (bill.amount - bill.tax_amount) * sign,
            "VATAmount": bill.tax_amount * sign,
            "Currency": bill.currency,
            "ExchangeRate": bill.rate,
            "Description": bill.description,
            "InvoiceDate": day(entry.date),
            "DueDate": day(bill.due_date),
            "Document": None if is_draft else guid(bill.note_id, "document"),
            "EntryNumber": None if is_draft else number,
            "FinancialYear": year,
            "FinancialPeriod": month,
            "Journal": "60",
            "PaymentCondition": bill.terms,
            "Source": 4 if any(line.order_nbr for line in bill.lines) else 1,
            "Status": journals.DRAFT if is_draft else journals.PROCESSED,
            "Type": _invoice_type(entry),
            "YourRef": bill.vendor_ref,
        }
        yield view.row(bill, values["ID"], values)


def purchase_invoice_lines(view: View) -> Iterator[Row]:
    """`PurchaseInvoiceLines`: no GL account; the cost centre is a code."""
    for entry in _entries(view):
        for line in entry.bill.lines:
            values = _invoice_line(view, entry, line)
            yield view.row(entry.bill, values["ID"], values)


def _invoice_line(view: View, entry: _Entry, line: BillLine) -> dict[str, Any]:
    bill, sign = entry.bill, entry.sign
    net = bill.amount - bill.tax_amount
    project = view.project_of(bill, line.line_nbr, line.item)
    order = view.company.purchase_orders.get(line.order_nbr or "")
    tax = view.vat_columns(net, bill.tax_amount)
    share = line.amount / net if net else 0
    return {
        "ID": guid(entry.id, "invoice", line.line_nbr),
        "InvoiceID": _invoice_id(entry),
        "InvoiceType": _invoice_type(entry),
        "LineNumber": line.line_nbr,
        "Amount": line.amount * sign,
        "AmountDC": line.base_amount * sign,
        "VATAmount": round(bill.tax_amount * share, 2) * sign,
        "VATCode": tax["VATCode"],
        "VATPercentage": tax["VATPercentage"],
        "CostCenter": view.cost_center_columns(line.cost_center).get("CostCenter"),
        "Currency": bill.currency,
        "Description": line.description,
        "Item": view.item_id(line.item),
        "ItemUnit": line.unit,
        "Unit": line.unit,
        "Quantity": line.quantity * sign,
        "QuantityInDefaultUnits": line.quantity * sign,
        "UnitPrice": line.unit_cost,
        "NetPrice": line.unit_cost,
        "Rebill": False,
        "Project": None if project is None else view.master_id(project),
        "PurchaseOrderLine": None if order is None else guid(order.note_id, line.order_line_nbr),
    }
