"""What is to be paid and received: payment terms, open items, ageing, payment conditions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.sandbox.company import chart
from tests.sandbox.company.books import IN_THE_BOOKS
from tests.sandbox.company.model import Bill
from tests.sandbox.company.money import ZERO
from tests.sandbox.exact_online.rows import journals
from tests.sandbox.exact_online.rows.row import Row, guid
from tests.sandbox.exact_online.rows.view import day, period

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from tests.sandbox.company.model import SalesInvoice
    from tests.sandbox.exact_online.rows.view import View

    Item = Bill | SalesInvoice

RECEIPT_LINE, PAYMENT_LINE = 20, 22
OPEN, MATCHED = 20, 50
_AGES = ((1, "0 - 30 days", 30), (2, "31 - 60 days", 60), (3, "61 - 90 days", 90), (4, "> 90 days", None))


def _bills(view: View) -> Iterator[Bill]:
    return (each for each in view.own(view.company.bills) if each.status in IN_THE_BOOKS)


def _invoices(view: View) -> Iterator[SalesInvoice]:
    return (each for each in view.own(view.company.sales_invoices) if each.status in IN_THE_BOOKS)


def _sign(item: Item) -> int:
    """To pay is positive, to receive is negative."""
    return item.type.sign if isinstance(item, Bill) else -item.type.sign


def _number(item: Item) -> int:
    return journals.entry_number(item) if isinstance(item, Bill) else int(item.invoice_nbr)


def _terms(view: View, items: Iterable[Item]) -> Iterator[Row]:
    """One row for each item: what is open of it, or all of it once that is nothing; the paid part is another."""
    for item in items:
        head = _head(view, item)
        parts = [("term", item.amount, item.base_amount, MATCHED)]
        if item.balance:
            parts = [("term", item.balance, item.base_balance, OPEN)]
            if item.balance != item.amount:
                paid, base_paid = item.amount - item.balance, item.base_amount - item.base_balance
                parts.append(("paid", paid, base_paid, MATCHED))
        for part, amount, base, status in parts:
            values = {
                **head,
                "ID": guid(item.note_id, part),
                "AmountDC": base * _sign(item),
                "AmountFC": amount * _sign(item),
                "Status": status,
                "IsFullyPaid": status == MATCHED,
            }
            if status == MATCHED:
                values["EndDate"] = day(item.modified_at.date())
                values["LastPaymentDate"] = values["EndDate"]
            yield view.row(item, values["ID"], values)


def _head(view: View, item: Item) -> dict[str, Any]:
    is_bill = isinstance(item, Bill)
    control = chart.ACCOUNTS_PAYABLE if is_bill else chart.ACCOUNTS_RECEIVABLE
    book = journals.book_of(item)
    entry, number = journals.entry_id(item), journals.entry_number(item)
    year, month = period(item.period)
    terms = view.company.terms.get(item.terms or "")
    return {
        "LineType": PAYMENT_LINE if is_bill else RECEIPT_LINE,
        "Currency": item.currency,
        "RateFC": item.rate,
        "DueDate": day(item.due_date or item.date),
        "EntryDate": day(item.date),
        "EntryID": entry,
        "EntryNumber": number,
        "InvoiceDate": day(item.date),
        "InvoiceNumber": _number(item),
        "Journal": book.code,
        "JournalDescription": book.name,
        "Description": item.description,
        "IsBatchBooking": 0,
        "PaymentDays": terms.days if terms else None,
        "PaymentMethod": "B",
        "TransactionAmountDC": item.base_amount * _sign(item),
        "TransactionAmountFC": item.amount * _sign(item),
        "TransactionDueDate": day(item.due_date or item.date),
        "TransactionEntryID": entry,
        "TransactionID": _control_line(view, item, control),
        "TransactionIsReversal": False,
        "TransactionReportingYear": year,
        "TransactionReportingPeriod": month,
        "TransactionStatus": journals.PROCESSED,
        "TransactionType": journals.entry_type(item),
        "YourRef": item.vendor_ref if isinstance(item, Bill) else item.customer_order,
        **view.account_columns(view.partner(item)),
        **view.gl_columns(control),
        **view.terms_columns(item.terms),
    }


def _control_line(view: View, item: Item, control: str) -> str | None:
    """The transaction line of the creditor's or debtor's side."""
    module = "AP" if isinstance(item, Bill) else "AR"
    journal = view.company.journals[f"{module}|{item.batch_nbr}"]
    for line in journal.lines:
        if line.account == control:
            return guid(journal.note_id, line.line_nbr)
    return None


def payment_terms(view: View) -> Iterator[Row]:
    """`PaymentTerms`: both sides."""
    yield from _terms(view, _bills(view))
    yield from _terms(view, _invoices(view))


def payments(view: View) -> Iterator[Row]:
    """`Payments`: the side of the suppliers."""
    return _terms(view, _bills(view))


def receivables(view: View) -> Iterator[Row]:
    """`Receivables`: the side of the customers; money to receive is negative."""
    return _terms(view, _invoices(view))


def payment_conditions(view: View) -> Iterator[Row]:
    """`PaymentConditions`."""
    for terms in view.company.terms.values():
        values = {
            "ID": view.master_id(terms),
            "Code": terms.code,
            "Description": terms.description,
            "PaymentDays": terms.days,
            "PaymentEndOfMonths": 0,
            "PaymentMethod": "B",
            "Percentage": 1,
            "DiscountPercentage": 0,
            "DiscountPaymentDays": 0,
        }
        yield view.row(terms, values["ID"], values)


# ------------------------------------------------------------------ lists of today


def _open_items(view: View, items: Iterable[Item]) -> Iterator[Row]:
    """Open items in their own currency; it has neither division nor stamps."""
    for item in items:
        if not item.balance:
            continue
        partner, book = view.partner(item), journals.book_of(item)
        number = journals.entry_number(item)
        values = {
            "HID": number,
            "Id": guid(item.note_id, "term"),
            "AccountId": view.master_id(partner),
            "AccountCode": view.account_code(partner),
            "AccountName": partner.name,
            "Amount": item.balance * item.type.sign,
            "AmountInTransit": 0,
            "CurrencyCode": item.currency,
            "Description": item.description,
            "DueDate": day(item.due_date or item.date),
            "InvoiceDate": day(item.date),
            "InvoiceNumber": _number(item),
            "EntryNumber": number,
            "YourRef": item.vendor_ref if isinstance(item, Bill) else item.customer_order,
            **journals.book_columns(book),
        }
        yield Row(str(number), values)


def payables_list(view: View) -> Iterator[Row]:
    """`PayablesList`."""
    return _open_items(view, _bills(view))


def receivables_list(view: View) -> Iterator[Row]:
    """`ReceivablesList`."""
    return _open_items(view, _invoices(view))


def _ageing(view: View, items: Iterable[Item]) -> Iterator[Row]:
    """Open amounts per relation in base currency, by how long they have been due."""
    today = view.now.date()
    sums: defaultdict[str, dict[int, Decimal]] = defaultdict(lambda: {group: ZERO for group, _, _ in _AGES})
    partners: dict[str, Any] = {}
    for item in items:
        if not item.balance:
            continue
        partner = view.partner(item)
        days = (today - (item.due_date or item.date)).days
        group = next(group for group, _, limit in _AGES if limit is None or days <= limit)
        partners[partner.note_id] = partner
        sums[partner.note_id][group] += item.base_balance * item.type.sign
    for note_id, groups in sums.items():
        partner = partners[note_id]
        values: dict[str, Any] = {
            "AccountId": view.master_id(partner),
            "AccountCode": view.account_code(partner),
            "AccountName": partner.name,
            "CurrencyCode": view.company.base_currency,
            "TotalAmount": sum(groups.values(), ZERO),
        }
        for group, name, limit in _AGES:
            values[f"AgeGroup{group}"] = limit
            values[f"AgeGroup{group}Amount"] = groups[group]
            values[f"AgeGroup{group}Description"] = name
        yield Row(values["AccountId"], values)


def ageing_payables(view: View) -> Iterator[Row]:
    """`AgingPayablesList`."""
    return _ageing(view, _bills(view))


def ageing_receivables(view: View) -> Iterator[Row]:
    """`AgingReceivablesList`."""
    return _ageing(view, _invoices(view))
