"""Bills in the words of Exact Online: entries of the purchase journal, and invoices of the purchase module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.company.model import BillType, DocumentStatus
from tests.sandbox.exact_online.rows import journals
from tests.sandbox.exact_online.rows.row import Row, guid
from tests.sandbox.exact_online.rows.view import day, period

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from tests.sandbox.company.model import Bill
    from tests.sandbox.exact_online.rows.view import View

_INVOICE_TYPES = {8030: "Purchase invoice", 8031: "Purchase credit note"}


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


def _invoice_id(bill: Bill) -> str:
    return guid(bill.note_id, "invoice")


def _invoice_type(bill: Bill) -> int:
    return 8031 if bill.type is BillType.DEBIT_ADJUSTMENT else 8030


def purchase_invoices(view: View) -> Iterator[Row]:
    """`PurchaseInvoices`: guids and codes only; drafts are those on hold."""
    for bill in view.own(view.company.bills):
        is_draft = bill.status is DocumentStatus.HOLD
        sign = bill.type.sign
        year, month = period(bill.period)
        values: dict[str, Any] = {
            "ID": _invoice_id(bill),
            "Supplier": view.master_id(view.company.vendors[bill.vendor]),
            "Amount": bill.amount * sign,
            "AmountDC": bill.base_amount * sign,
            "AmountFCExclVat": (bill.amount - bill.tax_amount) * sign,
            "VATAmount": bill.tax_amount * sign,
            "Currency": bill.currency,
            "ExchangeRate": bill.rate,
            "Description": bill.description,
            "InvoiceDate": day(bill.date),
            "DueDate": day(bill.due_date),
            "EntryNumber": None if is_draft else journals.entry_number(bill),
            "FinancialYear": year,
            "FinancialPeriod": month,
            "Journal": "60",
            "PaymentCondition": bill.terms,
            "Source": 4 if any(line.order_nbr for line in bill.lines) else 1,
            "Status": journals.DRAFT if is_draft else journals.PROCESSED,
            "Type": _invoice_type(bill),
            "YourRef": bill.vendor_ref,
        }
        yield view.row(bill, values["ID"], values)


def purchase_invoice_lines(view: View) -> Iterator[Row]:
    """`PurchaseInvoiceLines`: no GL account; the cost centre is a code."""
    for bill in view.own(view.company.bills):
        sign = bill.type.sign
        net = bill.amount - bill.tax_amount
        for line in bill.lines:
            project = view.project_of(bill, line.line_nbr, line.item)
            order = view.company.purchase_orders.get(line.order_nbr or "")
            tax = view.vat_columns(net, bill.tax_amount)
            values = {
                "ID": guid(bill.note_id, "invoice", line.line_nbr),
                "InvoiceID": _invoice_id(bill),
                "InvoiceType": _invoice_type(bill),
                "LineNumber": line.line_nbr,
                "Amount": line.amount * sign,
                "AmountDC": line.base_amount * sign,
                "VATAmount": round(bill.tax_amount * (line.amount / net if net else 0), 2) * sign,
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
            yield view.row(bill, values["ID"], values)
