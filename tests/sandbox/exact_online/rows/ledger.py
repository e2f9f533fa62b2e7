"""Transaction lines, general journal entries, and the balances that are added up from them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.sandbox.company import chart
from tests.sandbox.company.model import Bill, CustomerPayment, JournalStatus, Payment, SalesInvoice
from tests.sandbox.company.money import ZERO
from tests.sandbox.exact_online.rows import journals
from tests.sandbox.exact_online.rows.accounts import balance_type
from tests.sandbox.exact_online.rows.row import Row, guid
from tests.sandbox.exact_online.rows.view import day, period

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from tests.sandbox.company.model import Journal, JournalLine
    from tests.sandbox.exact_online.rows.view import Document, View

HEADER_LINE, VAT_LINE = 0, 9999


def status_of(journal: Journal) -> int:
    """50 once it is in the books."""
    return journals.PROCESSED if journal.status is JournalStatus.POSTED else journals.OPEN


def line_number(line: JournalLine, document: Document | None) -> int:
    """0 for the side of the creditor, debtor or bank, 9999 for VAT, else the position."""
    if isinstance(document, Bill | SalesInvoice):
        is_bill = isinstance(document, Bill)
        control = chart.ACCOUNTS_PAYABLE if is_bill else chart.ACCOUNTS_RECEIVABLE
        tax = chart.INPUT_TAX if is_bill else chart.OUTPUT_TAX
        return {control: HEADER_LINE, tax: VAT_LINE}.get(line.account, line.line_nbr)
    if isinstance(document, Payment | CustomerPayment) and line.account == document.cash_account:
        return HEADER_LINE
    return line.line_nbr


def _partner(view: View, line: JournalLine) -> dict[str, Any]:
    if line.vendor:
        return view.account_columns(view.company.vendors[line.vendor])
    if line.customer:
        return view.account_columns(view.company.customers[line.customer])
    return {}


def _document_columns(view: View, document: Document | None) -> dict[str, Any]:
    if isinstance(document, Bill):
        tax = view.vat_columns(document.amount - document.tax_amount, document.tax_amount)
        columns = {"YourRef": document.vendor_ref, "DueDate": day(document.due_date)}
        return {**tax, **columns, "InvoiceNumber": journals.entry_number(document)}
    if isinstance(document, SalesInvoice):
        tax = view.vat_columns(document.amount - document.tax_amount, document.tax_amount)
        columns = {"YourRef": document.customer_order, "DueDate": day(document.due_date)}
        return {**tax, **columns, "InvoiceNumber": int(document.invoice_nbr)}
    if document is not None:
        return {"PaymentReference": document.payment_ref}
    return {}


def transaction_lines(view: View) -> Iterator[Row]:
    """`TransactionLines`: every line of every journal, drafts of documents not among them."""
    for journal in view.own(view.company.journals):
        document, is_reversal = view.booking(journal)
        entry, number = journals.entry_of(journal, document, reversal=is_reversal)
        year, month = period(journal.period)
        head = {
            "EntryID": entry,
            "EntryNumber": number,
            "Type": journals.entry_type(document),
            "Status": status_of(journal),
            "Date": day(journal.date),
            "FinancialYear": year,
            "FinancialPeriod": month,
            "Currency": journal.currency,
            "ExchangeRate": journal.rate,
            **journals.book_columns(journals.book_of(document)),
            **_document_columns(view, document),
        }
        for line in journal.lines:
            position = line_number(line, document)
            project = None
            if not is_reversal and position not in {HEADER_LINE, VAT_LINE}:
                project = view.project_of(document, line.line_nbr, line.item)
            values = {
                **head,
                "ID": guid(journal.note_id, line.line_nbr),
                "LineNumber": position,
                "LineType": 0,
                "AmountDC": line.base_debit - line.base_credit,
                "AmountFC": line.debit - line.credit,
                "AmountVATFC": ZERO,
                "AmountVATBaseFC": ZERO,
                "Description": line.description or journal.description,
                "Quantity": line.quantity,
                **view.gl_columns(line.account),
                **view.cost_center_columns(line.cost_center),
                **view.item_columns(line.item),
                **view.project_columns(project),
                **_partner(view, line),
            }
            yield view.row(journal, values["ID"], values)


def transactions(view: View) -> Iterator[Row]:
    """`Transactions`: the head of every entry."""
    for journal in view.own(view.company.journals):
        document, is_reversal = view.booking(journal)
        entry, number = journals.entry_of(journal, document, reversal=is_reversal)
        year, month = period(journal.period)
        kind = journals.entry_type(document)
        status = status_of(journal)
        values = {
            "EntryID": entry,
            "EntryNumber": number,
            "Date": day(journal.date),
            "Description": journal.description,
            "FinancialYear": year,
            "FinancialPeriod": month,
            "Status": status,
            "StatusDescription": journals.STATUS_TEXT[status],
            "Type": kind,
            "TypeDescription": journals.TYPE_TEXT[kind],
            **journals.book_columns(journals.book_of(document)),
        }
        yield view.row(journal, entry, values)


def _by_hand(view: View) -> Iterator[Journal]:
    return (each for each in view.own(view.company.journals) if view.booking(each).document is None)


def general_journal_entries(view: View) -> Iterator[Row]:
    """`GeneralJournalEntries`: journals entered by hand."""
    for journal in _by_hand(view):
        entry, number = journals.entry_of(journal, None, reversal=False)
        year, month = period(journal.period)
        status = status_of(journal)
        values = {
            "EntryID": entry,
            "EntryNumber": number,
            "Currency": journal.currency,
            "ExchangeRate": journal.rate,
            "FinancialYear": year,
            "FinancialPeriod": month,
            "Reversal": False,
            "Status": status,
            "StatusDescription": journals.STATUS_TEXT[status],
            "Type": 90,
            "TypeDescription": journals.TYPE_TEXT[90],
            **journals.book_columns(journals.BOOKS["90"]),
        }
        yield view.row(journal, entry, values)


def general_journal_entry_lines(view: View) -> Iterator[Row]:
    """`GeneralJournalEntryLines`."""
    for journal in _by_hand(view):
        entry, number = journals.entry_of(journal, None, reversal=False)
        for line in journal.lines:
            values = {
                "ID": guid(journal.note_id, "line", line.line_nbr),
                "EntryID": entry,
                "EntryNumber": number,
                "LineNumber": line.line_nbr,
                "Date": day(journal.date),
                "AmountDC": line.base_debit - line.base_credit,
                "AmountFC": line.debit - line.credit,
                "AmountVATDC": ZERO,
                "AmountVATFC": ZERO,
                "Description": line.description or journal.description,
                "Quantity": line.quantity,
                **view.gl_columns(line.account),
                **view.cost_center_columns(line.cost_center),
                **_partner(view, line),
            }
            yield view.row(journal, values["ID"], values)


def reporting_balance(view: View) -> Iterator[Row]:
    """`ReportingBalance`: sums per account, period, cost centre, kind and status; its ID is a row number."""
    sums: defaultdict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [ZERO, ZERO, 0])
    for journal in view.own(view.company.journals):
        document = view.booking(journal).document
        head = (*period(journal.period), journals.entry_type(document), status_of(journal))
        for line in journal.lines:
            total = sums[(*head, line.account, line.cost_center)]
            total[0] += line.base_debit
            total[1] += line.base_credit
            total[2] += 1
    for position, key in enumerate(sorted(sums), start=1):
        year, month, kind, status, account, cost_center = key
        debit, credit, count = sums[key]
        yield _balance_row(
            view, position, (year, month, kind, status), (account, cost_center), debit, credit, count
        )


def _balance_row(
    view: View,
    position: int,
    head: tuple[int, int, int, int],
    place: tuple[str, str],
    debit: Decimal,
    credit: Decimal,
    count: int,
) -> Row:
    year, month, kind, status = head
    account, cost_center = place
    columns = view.cost_center_columns(cost_center)
    values = {
        "ID": position,
        "Division": view.division,
        "ReportingYear": year,
        "ReportingPeriod": month,
        "Type": kind,
        "Status": status,
        "Amount": debit - credit,
        "AmountDebit": debit,
        "AmountCredit": credit,
        "Count": count,
        "BalanceType": balance_type(view.company.accounts[account].type),
        "CostCenterCode": columns.get("CostCenter"),
        "CostCenterDescription": columns.get("CostCenterDescription"),
        **view.gl_columns(account),
    }
    return Row(str(position), values)
