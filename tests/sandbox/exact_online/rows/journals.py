"""Journals in the words of Exact Online: which book an entry stands in, its number and its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.company import chart
from tests.sandbox.company.model import (
    Bill,
    BillType,
    CustomerPayment,
    DocumentStatus,
    InvoiceType,
    Payment,
    SalesInvoice,
)
from tests.sandbox.exact_online.rows.row import guid

if TYPE_CHECKING:
    from tests.sandbox.company.model import Journal
    from tests.sandbox.exact_online.rows.view import Document

BANK, CASH, SALES, PURCHASE, GENERAL = 12, 10, 20, 22, 90
OPEN, PROCESSED, DRAFT = 20, 50, 10
STATUS_TEXT = {DRAFT: "Draft", OPEN: "Open", PROCESSED: "Processed"}
TYPE_TEXT = {
    20: "Sales entry",
    21: "Sales credit note",
    30: "Purchase entry",
    31: "Purchase credit note",
    40: "Cash flow",
    90: "Other",
}


class Book(NamedTuple):
    """A journal of the division. `gl_account` is the account that it is kept for."""

    code: str
    name: str
    type: int
    currency: str
    gl_account: str | None


BOOKS = {
    book.code: book
    for book in (
        Book("10", "Cash desk USD", CASH, "USD", chart.CASH["USD"]),
        Book("11", "Kasse EUR", CASH, "EUR", chart.CASH["EUR"]),
        Book("12", "Cash desk GBP", CASH, "GBP", chart.CASH["GBP"]),
        Book("20", "First National", BANK, "USD", chart.CASH["USD"]),
        Book("21", "Sparkasse Köln", BANK, "EUR", chart.CASH["EUR"]),
        Book("22", "Current account GBP", BANK, "GBP", chart.CASH["GBP"]),
        Book("60", "Purchase journal", PURCHASE, "USD", chart.ACCOUNTS_PAYABLE),
        Book("70", "Sales journal", SALES, "USD", chart.ACCOUNTS_RECEIVABLE),
        Book("90", "General journal", GENERAL, "USD", None),
    )
}
_CURRENCIES = {"USD": 0, "EUR": 1, "GBP": 2}
_FIRST_NUMBERS = {BillType.BILL: 60, BillType.CREDIT_ADJUSTMENT: 61, BillType.DEBIT_ADJUSTMENT: 62}
_MILLION = 1_000_000
_REVERSED = 500_000


def book_of(document: Document | None) -> Book:
    """The journal that a document is booked in: cheques go over the cash desk, other payments over the bank."""
    if document is None:
        return BOOKS["90"]
    if isinstance(document, Bill):
        return BOOKS["60"]
    if isinstance(document, SalesInvoice):
        return BOOKS["70"]
    first = 10 if document.method == "CHECK" else 20
    return BOOKS[str(first + _CURRENCIES[document.currency])]


def entry_number(document: Document, *, reversal: bool = False) -> int:
    """The entry number of a document; the numbers of each kind have their own million."""
    if isinstance(document, Bill):
        number = _FIRST_NUMBERS[document.type] * _MILLION + int(document.reference_nbr)
    elif isinstance(document, SalesInvoice):
        number = 70 * _MILLION + int(document.invoice_nbr)
    elif isinstance(document, Payment):
        number = 20 * _MILLION + _digits(document.payment_nbr)
    else:
        number = 30 * _MILLION + _digits(document.payment_nbr)
    return number + (_REVERSED if reversal else 0)


def entry_type(document: Document | None) -> int:
    """The type of the entry and of its transaction lines."""
    if isinstance(document, Bill):
        return 31 if document.type is BillType.DEBIT_ADJUSTMENT else 30
    if isinstance(document, SalesInvoice):
        return 21 if document.type is InvoiceType.CREDIT_MEMO else 20
    return 40 if isinstance(document, Payment | CustomerPayment) else 90


def entry_id(document: Document, *, reversal: bool = False) -> str:
    """The guid of the entry of a document, or of the entry that reversed it."""
    return guid(document.note_id, "reversal") if reversal else document.note_id


def entry_of(journal: Journal, document: Document | None, *, reversal: bool) -> tuple[str, int]:
    """Guid and number of the entry that a journal is."""
    if document is None:
        return journal.note_id, 90 * _MILLION + int(journal.batch_nbr)
    return entry_id(document, reversal=reversal), entry_number(document, reversal=reversal)


def entry_status(document: Bill | SalesInvoice) -> int:
    """The status of an entry: open until it is released."""
    return OPEN if document.status is DocumentStatus.HOLD else PROCESSED


def book_columns(book: Book) -> dict[str, Any]:
    """Code and name of a journal, as transaction lines and bank entries carry them."""
    return {"JournalCode": book.code, "JournalDescription": book.name}


def _digits(text: str) -> int:
    return int("".join(each for each in text if each.isdecimal()) or 0)
