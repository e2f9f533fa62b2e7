"""Accounts receivable: invoices and adjustments with their lines, and what customers paid.

A voided document stands as two records, as in accounts payable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company import chart
from tests.sandbox.company.basics import DocumentStatus, InvoiceType
from tests.sandbox.company.money import ZERO
from tests.sandbox.sage_intacct import numbers
from tests.sandbox.sage_intacct.tables import Columns, Getter, Table, audit_columns, flag, owner_columns
from tests.sandbox.sage_intacct.tables_ap import STATES, term_number
from tests.sandbox.sage_intacct.tables_payments import BANKS, METHODS
from tests.sandbox.sage_intacct.view import Stamps

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from tests.sandbox.company.model import CustomerPayment, SalesInvoice, SalesInvoiceLine
    from tests.sandbox.sage_intacct.values import Value
    from tests.sandbox.sage_intacct.view import View

_PAYMENT_STATES = {
    DocumentStatus.HOLD: "Draft",
    DocumentStatus.OPEN: "Posted",
    DocumentStatus.CLOSED: "Posted",
    DocumentStatus.VOIDED: "Voided",
}


class Document(NamedTuple):
    """A receivables document, or the record that takes it back."""

    invoice: SalesInvoice
    is_reversal: bool


class Line(NamedTuple):
    """A line of one; without a `line` it is the tax."""

    invoice: SalesInvoice
    is_reversal: bool
    line: SalesInvoiceLine | None


def is_for_order(invoice: SalesInvoice) -> bool:
    """Whether it came out of a sales order."""
    return any(line.order_nbr for line in invoice.lines)


def _documents(kind: InvoiceType) -> Callable[[View], Iterator[Document]]:
    def rows(view: View) -> Iterator[Document]:
        for invoice in view.company.sales_invoices.values():
            if invoice.type is kind:
                yield Document(invoice, is_reversal=False)
                if invoice.status is DocumentStatus.VOIDED:
                    yield Document(invoice, is_reversal=True)

    return rows


def _lines(kind: InvoiceType) -> Callable[[View], Iterator[Line]]:
    def rows(view: View) -> Iterator[Line]:
        for invoice, is_reversal in _documents(kind)(view):
            for line in invoice.lines:
                yield Line(invoice, is_reversal, line)
            if invoice.tax_amount:
                yield Line(invoice, is_reversal, None)

    return rows


def _number(row: Document | Line) -> int:
    nbr = row.invoice.invoice_nbr
    return numbers.invoice_reversal(nbr) if row.is_reversal else numbers.invoice(nbr)


def _sign(row: Document | Line) -> int:
    return -row.invoice.type.sign if row.is_reversal else row.invoice.type.sign


def _state(row: Document | Line) -> str:
    invoice = row.invoice
    if row.is_reversal:
        return "Reversal"
    if invoice.status is DocumentStatus.OPEN:
        return "Posted" if invoice.balance == invoice.amount else "Partially Paid"
    return {
        DocumentStatus.HOLD: "Draft",
        DocumentStatus.CLOSED: "Paid",
        DocumentStatus.VOIDED: "Reversed",
    }[invoice.status]


def _due(row: Document, balance: Decimal) -> Decimal:
    return ZERO if row.is_reversal else balance * row.invoice.type.sign


def _paid(row: Document, amount: Decimal, balance: Decimal) -> Decimal:
    settled = row.invoice.status in {DocumentStatus.OPEN, DocumentStatus.CLOSED} and not row.is_reversal
    return (amount - balance) * row.invoice.type.sign if settled else ZERO


def _stamps(view: View) -> Callable[[Document | Line], Stamps]:
    def stamps(row: Document | Line) -> Stamps:
        invoice = row.invoice
        if not row.is_reversal:
            return Stamps(invoice.note_id, invoice.created_at, invoice.modified_at)
        made = view.company.journals[f"AR|{invoice.voiding_batch_nbr}"].created_at
        return Stamps(f"{invoice.note_id}|reversal", made, made)

    return stamps


def _date(view: View, row: Document | Line) -> dt.date:
    if row.is_reversal:
        return view.company.journals[f"AR|{row.invoice.voiding_batch_nbr}"].date
    return row.invoice.date


def _posted_on(view: View, row: Document) -> dt.date | None:
    batch_nbr = row.invoice.voiding_batch_nbr if row.is_reversal else row.invoice.batch_nbr
    return None if batch_nbr is None else view.company.journals[f"AR|{batch_nbr}"].date


def _sales_document(invoice: SalesInvoice) -> int | None:
    return numbers.document("sales_invoices", invoice.invoice_nbr) if is_for_order(invoice) else None


def _document_columns(name: str, record_type: str) -> Callable[[View], Columns]:
    def columns(view: View) -> Columns:
        company = view.company
        today = company.clock.date()

        def due_in(row: Document) -> Value:
            return None if row.invoice.due_date is None else str((row.invoice.due_date - today).days)

        return {
            "RECORDNO": _number,
            "RECORDTYPE": lambda _: record_type,
            "RECORDID": lambda row: row.invoice.invoice_nbr + ("-R" if row.is_reversal else ""),
            "STATE": _state,
            "RAWSTATE": lambda row: STATES[_state(row)],
            "CUSTOMERID": lambda row: row.invoice.customer,
            "CUSTOMERNAME": lambda row: company.customers[row.invoice.customer].name,
            "DOCNUMBER": lambda row: row.invoice.customer_order,
            "DESCRIPTION": lambda row: row.invoice.description,
            "TERMNAME": lambda row: row.invoice.terms,
            "TERMKEY": lambda row: term_number(view, row.invoice.terms),
            "WHENCREATED": lambda row: _date(view, row),
            "WHENPOSTED": lambda row: _posted_on(view, row),
            "WHENDUE": lambda row: row.invoice.due_date,
            "DUE_IN_DAYS": due_in,
            "BASECURR": lambda _: company.base_currency,
            "CURRENCY": lambda row: row.invoice.currency,
            "EXCH_RATE_DATE": lambda row: row.invoice.date,
            "EXCHANGE_RATE": lambda row: row.invoice.rate,
            "TOTALENTERED": lambda row: row.invoice.base_amount * _sign(row),
            "TRX_TOTALENTERED": lambda row: row.invoice.amount * _sign(row),
            "TOTALSELECTED": lambda _: ZERO,
            "TRX_TOTALSELECTED": lambda _: ZERO,
            "TOTALPAID": lambda row: _paid(row, row.invoice.base_amount, row.invoice.base_balance),
            "TRX_TOTALPAID": lambda row: _paid(row, row.invoice.amount, row.invoice.balance),
            "TOTALDUE": lambda row: _due(row, row.invoice.base_balance),
            "TRX_TOTALDUE": lambda row: _due(row, row.invoice.balance),
            "MODULEKEY": lambda row: "8.SO" if is_for_order(row.invoice) else "4.AR",
            "DOCHDRKEY": lambda row: _sales_document(row.invoice),
            "SYSTEMGENERATED": lambda row: flag(is_for_order(row.invoice)),
            **audit_columns(view, name, _stamps(view), created="AUWHENCREATED"),
            **owner_columns(view, lambda row: row.invoice.branch),
        }

    return columns


def _item_columns(name: str, record_type: str) -> Callable[[View], Columns]:
    def columns(view: View) -> Columns:
        company = view.company

        def of_line(get: Callable[[SalesInvoiceLine], Value], tax: Callable[[SalesInvoice], Value]) -> Getter:
            return lambda row: tax(row.invoice) if row.line is None else get(row.line)

        account = of_line(lambda line: line.account, lambda _: chart.OUTPUT_TAX)
        center = of_line(lambda line: line.cost_center, lambda _: chart.NO_COST_CENTER)
        item = of_line(lambda line: line.item, lambda _: None)

        def base(row: Line) -> Decimal:
            amount = row.invoice.base_tax_amount if row.line is None else row.line.base_amount
            return amount * _sign(row)

        def amount(row: Line) -> Decimal:
            return (row.invoice.tax_amount if row.line is None else row.line.amount) * _sign(row)

        def number(row: Line) -> int:
            return numbers.line(_number(row), numbers.TAX_LINE if row.line is None else row.line.line_nbr)

        return {
            "RECORDNO": number,
            "RECORDKEY": _number,
            "RECORDTYPE": lambda _: record_type,
            "LINEITEM": lambda row: flag(row.line is not None),
            "LINE_NO": lambda row: str(len(row.invoice.lines) + 1 if row.line is None else row.line.line_nbr),
            "ACCOUNTNO": account,
            "ACCOUNTKEY": lambda row: view.account_keys[str(account(row))],
            "ACCOUNTTITLE": lambda row: company.accounts[str(account(row))].name,
            "OFFSETGLACCOUNTNO": lambda _: chart.ACCOUNTS_RECEIVABLE,
            "DEPARTMENTID": center,
            "DEPARTMENTNAME": lambda row: company.cost_centers[str(center(row))].name,
            "LOCATIONID": lambda row: row.invoice.branch,
            "LOCATIONNAME": lambda row: company.branches[row.invoice.branch].name,
            "ENTRYDESCRIPTION": of_line(lambda line: line.description, lambda _: "Tax"),
            "ENTRY_DATE": lambda row: _date(view, row),
            "EXCH_RATE_DATE": lambda row: row.invoice.date,
            "EXCHANGE_RATE": lambda row: row.invoice.rate,
            "CURRENCY": lambda row: row.invoice.currency,
            "BASECURR": lambda _: company.base_currency,
            "AMOUNT": base,
            "TRX_AMOUNT": amount,
            "STATE": _state,
            "CUSTOMERID": lambda row: row.invoice.customer,
            "CUSTOMERNAME": lambda row: company.customers[row.invoice.customer].name,
            "CUSTOMERDIMKEY": lambda row: company.customers[row.invoice.customer].customer_id,
            "ITEMID": item,
            "ITEMNAME": lambda row: company.items[str(item(row))].description if item(row) else None,
            "ITEMDIMKEY": lambda row: company.items[str(item(row))].item_id if item(row) else None,
            **audit_columns(view, name, _stamps(view)),
        }

    return columns


def _payment_columns(view: View) -> Columns:
    company = view.company

    def paid(row: CustomerPayment, amount: Decimal) -> Decimal:
        return amount if row.status is DocumentStatus.CLOSED else ZERO

    return {
        "RECORDNO": lambda row: numbers.customer_payment(row.payment_nbr),
        "RECORDTYPE": lambda _: "rp",
        "RECORDID": lambda row: row.payment_nbr,
        "STATE": lambda row: _PAYMENT_STATES[row.status],
        "DISPLAYSTATE": lambda row: _PAYMENT_STATES[row.status],
        "FINANCIALENTITY": lambda row: BANKS[row.cash_account],
        "FINANCIALENTITYTYPE": lambda _: "ba",
        "FINANCIALACCOUNTNAME": lambda row: company.accounts[row.cash_account].name,
        "FINANCIALACCOUNTCURRENCY": lambda row: row.currency,
        "PAYMENTMETHOD": lambda row: METHODS[row.method],
        "CUSTOMERID": lambda row: row.customer,
        "CUSTOMERNAME": lambda row: company.customers[row.customer].name,
        "DOCNUMBER": lambda row: row.payment_ref,
        "DESCRIPTION": lambda row: row.description,
        "WHENCREATED": lambda row: row.date,
        "RECEIPTDATE": lambda row: row.date,
        "WHENPAID": lambda row: row.date if row.batch_nbr else None,
        "BASECURR": lambda _: company.base_currency,
        "CURRENCY": lambda row: row.currency,
        "EXCH_RATE_DATE": lambda row: row.date,
        "EXCHANGE_RATE": lambda row: row.rate,
        "TOTALENTERED": lambda row: row.base_amount,
        "TRX_TOTALENTERED": lambda row: row.amount,
        "TOTALPAID": lambda row: paid(row, row.base_amount),
        "TRX_TOTALPAID": lambda row: paid(row, row.amount),
        "TOTALDUE": lambda _: ZERO,
        "TRX_TOTALDUE": lambda _: ZERO,
        "CLEARED": lambda _: "F",
        **audit_columns(view, "ARPYMT", lambda row: row, created="AUWHENCREATED"),
        **owner_columns(view, lambda row: row.branch),
    }


def _table(name: str, line_name: str, kind: InvoiceType, record_type: str) -> dict[str, Table]:
    return {
        name: Table(
            rows=_documents(kind),
            columns=_document_columns(name, record_type),
            entity=lambda row: row.invoice.branch,
            codes={"STATE": STATES},
            lines=(f"{line_name}S", line_name, "RECORDKEY"),
        ),
        line_name: Table(
            rows=_lines(kind),
            columns=_item_columns(line_name, record_type),
            entity=lambda row: row.invoice.branch,
            codes={"STATE": STATES},
        ),
    }


TABLES = {
    **_table("ARINVOICE", "ARINVOICEITEM", InvoiceType.INVOICE, "ri"),
    **_table("ARADJUSTMENT", "ARADJUSTMENTITEM", InvoiceType.CREDIT_MEMO, "ra"),
    "ARPYMT": Table(
        rows=lambda view: view.company.customer_payments.values(),
        columns=_payment_columns,
        entity=lambda row: row.branch,
    ),
}
