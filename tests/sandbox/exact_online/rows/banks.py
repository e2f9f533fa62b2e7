"""Payments in the words of Exact Online: entries of the bank's and the cash desk's books."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company.model import CustomerPayment, Payment
from tests.sandbox.company.money import ZERO
from tests.sandbox.exact_online.rows import journals
from tests.sandbox.exact_online.rows.row import Row, guid
from tests.sandbox.exact_online.rows.view import day, period

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from tests.sandbox.company.model import Journal, JournalLine
    from tests.sandbox.exact_online.rows.view import View


class _Statement(NamedTuple):
    """A payment, or its reversal, with what the book stood at before and after it."""

    journal: Journal
    payment: Payment | CustomerPayment
    is_reversal: bool
    book: journals.Book
    opening: Decimal
    closing: Decimal

    @property
    def id(self) -> str:
        return journals.entry_id(self.payment, reversal=self.is_reversal)

    @property
    def lines(self) -> list[JournalLine]:
        """The lines against which the money was booked."""
        return [line for line in self.journal.lines if line.account != self.payment.cash_account]


def _statements(view: View, kind: int) -> Iterator[_Statement]:
    stands: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for journal in view.own(view.company.journals):
        document, is_reversal = view.booking(journal)
        if not isinstance(document, Payment | CustomerPayment):
            continue
        book = journals.book_of(document)
        if book.type != kind:
            continue
        opening = stands[book.code]
        stands[book.code] += sum(
            (line.debit - line.credit for line in journal.lines if line.account == document.cash_account),
            ZERO,
        )
        yield _Statement(journal, document, is_reversal, book, opening, stands[book.code])


def _entries(view: View, kind: int) -> Iterator[Row]:
    for each in _statements(view, kind):
        year, month = period(each.journal.period)
        values = {
            "EntryID": each.id,
            "EntryNumber": journals.entry_number(each.payment, reversal=each.is_reversal),
            "Currency": each.payment.currency,
            "FinancialYear": year,
            "FinancialPeriod": month,
            "OpeningBalanceFC": each.opening,
            "ClosingBalanceFC": each.closing,
            "Status": journals.PROCESSED,
            "StatusDescription": journals.STATUS_TEXT[journals.PROCESSED],
            **journals.book_columns(each.book),
        }
        yield view.row(each.journal, each.id, values)


def _lines(view: View, kind: int) -> Iterator[Row]:
    """Money that came in is positive."""
    for each in _statements(view, kind):
        number = journals.entry_number(each.payment, reversal=each.is_reversal)
        for line in each.lines:
            values = {
                "ID": guid(each.journal.note_id, "line", line.line_nbr),
                "EntryID": each.id,
                "EntryNumber": number,
                "LineNumber": line.line_nbr,
                "Date": day(each.journal.date),
                "AmountDC": line.base_credit - line.base_debit,
                "AmountFC": line.credit - line.debit,
                "AmountVATFC": 0,
                "ExchangeRate": each.journal.rate,
                "Description": line.description or each.payment.description,
                "Notes": each.payment.payment_ref,
                "Quantity": line.quantity,
                **view.account_columns(view.partner(each.payment)),
                **view.gl_columns(line.account),
                **view.cost_center_columns(line.cost_center),
            }
            yield view.row(each.journal, values["ID"], values)


def bank_entries(view: View) -> Iterator[Row]:
    """`BankEntries`."""
    return _entries(view, journals.BANK)


def bank_entry_lines(view: View) -> Iterator[Row]:
    """`BankEntryLines`."""
    return _lines(view, journals.BANK)


def cash_entries(view: View) -> Iterator[Row]:
    """`CashEntries`."""
    return _entries(view, journals.CASH)


def cash_entry_lines(view: View) -> Iterator[Row]:
    """`CashEntryLines`."""
    return _lines(view, journals.CASH)
