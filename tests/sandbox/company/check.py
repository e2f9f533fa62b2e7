"""What must be true of the company at any moment; `violations` names whatever is not."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.books import IN_THE_BOOKS, books_of
from tests.sandbox.company.check_documents import bill_faults, order_faults, payment_faults
from tests.sandbox.company.check_trade import (
    customer_payment_faults,
    invoice_faults,
    master_faults,
    receipt_faults,
    sales_order_faults,
)
from tests.sandbox.company.model import AccountType, Bill, Journal, JournalStatus, StockLevel
from tests.sandbox.company.money import ZERO, is_money
from tests.sandbox.company.payables import bill_key
from tests.sandbox.company.registry import TABLES, tables
from tests.sandbox.company.stockroom import stock_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from tests.sandbox.company.books import Books
    from tests.sandbox.company.model import Company, JournalLine, Record

_RESULT = frozenset({AccountType.INCOME, AccountType.EXPENSE})
_SIDES = ("debit", "credit", "base_debit", "base_credit")
_CONTROLS = {chart.ACCOUNTS_PAYABLE: "AP", chart.ACCOUNTS_RECEIVABLE: "AR"}
_KEY_FIELDS = {
    "purchase_orders": "order_nbr",
    "payments": "payment_nbr",
    "sales_invoices": "invoice_nbr",
    "customer_payments": "payment_nbr",
    "sales_orders": "order_nbr",
    "purchase_receipts": "receipt_nbr",
}


def violations(company: Company) -> list[str]:
    """Every broken rule, in words; empty when all is well."""
    books = books_of(company)
    return [
        *_identity_faults(company),
        *_calendar_faults(company),
        *(fault for journal in company.journals.values() for fault in _journal_faults(company, journal)),
        *order_faults(company),
        *bill_faults(company),
        *payment_faults(company),
        *invoice_faults(company),
        *customer_payment_faults(company),
        *sales_order_faults(company),
        *receipt_faults(company),
        *master_faults(company),
        *_control_faults(company),
        *_books_faults(company, books),
    ]


def key_of(table: str, record: Record) -> str:
    """The key under which a record has to stand in its table."""
    if isinstance(record, Bill):
        return bill_key(record)
    if isinstance(record, Journal):
        return f"{record.module}|{record.batch_nbr}"
    if isinstance(record, StockLevel):
        return stock_key(record.item, record.warehouse)
    return str(getattr(record, _KEY_FIELDS.get(table, "code")))


def _identity_faults(company: Company) -> Iterator[str]:
    note_ids = Counter(deletion.note_id for deletion in company.deletions)
    for name, table in tables(company).items():
        if list(table) != sorted(table):
            yield f"{name}: the keys are not in ascending order"
        for key, record in table.items():
            note_ids[record.note_id] += 1
            yield from _record_faults(company, name, key, record)
    for note_id, count in note_ids.items():
        if count > 1:
            yield f"the note id {note_id} is used {count} times"
    for deletion in company.deletions:
        if deletion.table not in TABLES or deletion.key in tables(company)[deletion.table]:
            yield f"{deletion.table} {deletion.key}: deleted, yet there"
        if deletion.deleted_at > company.clock:
            yield f"{deletion.table} {deletion.key}: deleted in the future"


def _record_faults(company: Company, table: str, key: str, record: Record) -> Iterator[str]:
    if key != key_of(table, record):
        yield f"{table} {key}: the record bears another key"
    if not record.created_at <= record.modified_at <= company.clock:
        yield f"{table} {key}: created {record.created_at}, modified {record.modified_at}"
    if record.created_at.microsecond % 1000 or record.modified_at.microsecond % 1000:
        yield f"{table} {key}: a stamp is finer than a millisecond"
    for text in (getattr(record, "name", None), getattr(record, "description", None), key):
        if text is not None and (not text or text != text.strip()):
            yield f"{table} {key}: {text!r} is empty or has blanks around it"


def _calendar_faults(company: Company) -> Iterator[str]:
    periods = list(company.periods.values())
    for before, after in itertools.pairwise(periods):
        if (after.starts_on - before.ends_on).days != 1:
            yield f"period {after.code} does not follow {before.code}"
        if after.closed and not before.closed:
            yield f"period {before.code} is open though {after.code} is closed"
    today = company.clock.date()
    if not periods or periods[-1].closed or not periods[-1].starts_on <= today <= periods[-1].ends_on:
        yield f"the last period is not an open one around {today}"


def _journal_faults(company: Company, journal: Journal) -> Iterator[str]:
    name = f"journal {journal.module}|{journal.batch_nbr}"
    sides = [sum((getattr(line, side) for line in journal.lines), ZERO) for side in _SIDES]
    if sides[0] != sides[1] or sides[2] != sides[3]:
        yield f"{name} does not balance: {sides}"
    period = company.periods.get(journal.period)
    if period is None or not period.starts_on <= journal.date <= period.ends_on:
        yield f"{name}: {journal.date} is not in period {journal.period}"
    if journal.branch not in company.branches:
        yield f"{name}: no branch {journal.branch}"
    numbers = [line.line_nbr for line in journal.lines]
    if numbers != sorted(set(numbers)) or not numbers:
        yield f"{name}: line numbers {numbers}"
    for line in journal.lines:
        for fault in _line_faults(company, journal, line):
            yield f"{name} line {line.line_nbr}: {fault}"


def _line_faults(company: Company, journal: Journal, line: JournalLine) -> Iterator[str]:
    amounts = (line.debit, line.credit, line.base_debit, line.base_credit)
    if not all(is_money(amount) and amount >= 0 for amount in amounts):
        yield f"amounts {amounts}"
    if line.debit * line.credit or line.base_debit * line.base_credit or not any(amounts):
        yield "not one side of a booking"
    if journal.currency == company.base_currency and amounts[:2] != amounts[2:]:
        yield "base amounts differ without a foreign currency"
    if line.account not in company.accounts or line.cost_center not in company.cost_centers:
        yield f"{line.account}/{line.cost_center} does not exist"
    if (
        line.account == chart.RETAINED_EARNINGS
        or _CONTROLS.get(line.account, journal.module) != journal.module
    ):
        yield f"{line.account} is not for {journal.module} journals"


def _control_faults(company: Company) -> Iterator[str]:
    """Control accounts against open documents, per branch and in base currency."""
    difference: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    posted = [each for each in company.journals.values() if each.status is JournalStatus.POSTED]
    for branch, line in [(journal.branch, line) for journal in posted for line in journal.lines]:
        if line.account in _CONTROLS:
            difference[branch, line.account] += line.base_debit - line.base_credit
    for bill in company.bills.values():
        if bill.status in IN_THE_BOOKS:
            difference[bill.branch, chart.ACCOUNTS_PAYABLE] += bill.base_balance * bill.type.sign
    for invoice in company.sales_invoices.values():
        if invoice.status in IN_THE_BOOKS:
            difference[invoice.branch, chart.ACCOUNTS_RECEIVABLE] -= invoice.base_balance * invoice.type.sign
    for (branch, account), amount in difference.items():
        if amount:
            yield f"control account {account} of {branch} differs from its documents by {amount}"


def _books_faults(company: Company, books: Books) -> Iterator[str]:
    if books.debits != books.credits:
        yield f"debits {books.debits} are not credits {books.credits}"
    if books.open_payables != sum(books.open_payables_by_vendor.values(), ZERO):
        yield "open payables differ from their sum by vendor"
    receivable = books.by_account.get(chart.ACCOUNTS_RECEIVABLE)
    if (receivable.net if receivable else ZERO) != books.open_receivables:
        yield f"receivables stand at {receivable}, open documents at {books.open_receivables}"
    by_period: defaultdict[str, dict[tuple[str, str, str], Decimal]] = defaultdict(dict)
    for place, balance in books.balances.items():
        by_period[place.period][place.branch, place.account, place.cost_center] = balance.ending
        if balance.beginning + balance.debit - balance.credit != balance.ending:
            yield f"{place}: {balance} does not add up"
    standing: dict[tuple[str, str, str], Decimal] = {}
    year = ""
    for period, endings in sorted(by_period.items()):
        if period[:4] != year:
            year = period[:4]
            standing = {
                place: ending
                for place, ending in standing.items()
                if company.accounts[place[1]].type not in _RESULT
            }
        standing |= endings
        if sum(standing.values(), ZERO):
            yield f"the balances at the end of {period} add up to {sum(standing.values(), ZERO)}"
