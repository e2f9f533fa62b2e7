"""What the company's books say: the sums that every extract of every ERP has to come to.

Everything is in base currency and taken from posted journals and released documents; keys are codes.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company import chart
from tests.sandbox.company.model import AccountType, DocumentStatus, JournalStatus
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from tests.sandbox.company.model import Account, Company

IN_THE_BOOKS = frozenset({DocumentStatus.OPEN, DocumentStatus.CLOSED})
_RESULT = frozenset({AccountType.INCOME, AccountType.EXPENSE})


class Place(NamedTuple):
    """Where a balance stands; all four are codes, the period is YYYYMM."""

    branch: str
    account: str
    cost_center: str
    period: str


class Turnover(NamedTuple):
    """What was debited and credited; the difference counts debits as positive."""

    debit: Decimal
    credit: Decimal

    @property
    def net(self) -> Decimal:
        """Debit minus credit."""
        return self.debit - self.credit


class Balance(NamedTuple):
    """One period of one place. `beginning` and `ending` are debit minus credit, whatever the account type."""

    beginning: Decimal
    debit: Decimal
    credit: Decimal
    ending: Decimal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Books:
    """The books in base currency. Documents on hold and voided documents are in none of these sums.

    Attributes:
        debits: All debits of posted journals.
        credits: All credits of posted journals; equal to the debits.
        by_account: Turnover per account code since the beginning of time.
        balances: One row per place with postings in that period. Balance sheet accounts carry their balance on
            for ever. Income and expense accounts begin at zero in period 01 of every year. What they came to
            in the year before is carried to the retained earnings account of the same branch (cost centre
            "000000"), which no journal touches: it has a row without debit and credit in period 01 of every
            year in which its balance grows, beginning and ending with all results carried so far. So the
            ending balances as of any period (the last row of each place up to it, of income and expense only
            rows of that year) add up to zero.
        open_payables: Balances of released payables documents, debit adjustments negative.
        open_payables_by_vendor: The same per vendor; vendors without documents are missing.
        spend_by_vendor: Base amounts of released bills and adjustments per vendor, debit adjustments negative.
        paid_by_vendor: Base amounts of released payments per vendor.
        open_receivables: Balances of released receivables documents, credit memos negative.
        open_receivables_by_customer: The same per customer; customers without documents are missing.
        sales_by_customer: Base amounts of released invoices per customer, tax included, credit memos negative.
        received_by_customer: Base amounts of released customer payments per customer.
    """

    debits: Decimal
    credits: Decimal
    by_account: dict[str, Turnover]
    balances: dict[Place, Balance]
    open_payables: Decimal
    open_payables_by_vendor: dict[str, Decimal]
    spend_by_vendor: dict[str, Decimal]
    paid_by_vendor: dict[str, Decimal]
    open_receivables: Decimal
    open_receivables_by_customer: dict[str, Decimal]
    sales_by_customer: dict[str, Decimal]
    received_by_customer: dict[str, Decimal]


def books_of(company: Company) -> Books:
    """Add up the books of a company."""
    turnovers = _turnovers(company)
    by_account: defaultdict[str, Turnover] = defaultdict(lambda: Turnover(ZERO, ZERO))
    for place, turnover in turnovers.items():
        total = by_account[place.account]
        by_account[place.account] = Turnover(total.debit + turnover.debit, total.credit + turnover.credit)
    bills = [bill for bill in company.bills.values() if bill.status in IN_THE_BOOKS]
    payments = [payment for payment in company.payments.values() if payment.status in IN_THE_BOOKS]
    invoices = [invoice for invoice in company.sales_invoices.values() if invoice.status in IN_THE_BOOKS]
    receipts = [each for each in company.customer_payments.values() if each.status in IN_THE_BOOKS]
    open_by_customer = _sums((each.customer, each.base_balance * each.type.sign) for each in invoices)
    open_by_vendor = _sums((bill.vendor, bill.base_balance * bill.type.sign) for bill in bills)
    return Books(
        debits=sum((turnover.debit for turnover in turnovers.values()), ZERO),
        credits=sum((turnover.credit for turnover in turnovers.values()), ZERO),
        by_account=dict(sorted(by_account.items())),
        balances=_balances(turnovers, company.accounts),
        open_payables=sum(open_by_vendor.values(), ZERO),
        open_payables_by_vendor=open_by_vendor,
        spend_by_vendor=_sums((bill.vendor, bill.base_amount * bill.type.sign) for bill in bills),
        paid_by_vendor=_sums((payment.vendor, payment.base_amount) for payment in payments),
        open_receivables=sum(open_by_customer.values(), ZERO),
        open_receivables_by_customer=open_by_customer,
        sales_by_customer=_sums((each.customer, each.base_amount * each.type.sign) for each in invoices),
        received_by_customer=_sums((receipt.customer, receipt.base_amount) for receipt in receipts),
    )


def _turnovers(company: Company) -> dict[Place, Turnover]:
    debits: defaultdict[Place, Decimal] = defaultdict(lambda: ZERO)
    credits_: defaultdict[Place, Decimal] = defaultdict(lambda: ZERO)
    for journal in company.journals.values():
        if journal.status is not JournalStatus.POSTED:
            continue
        for line in journal.lines:
            place = Place(journal.branch, line.account, line.cost_center, journal.period)
            debits[place] += line.base_debit
            credits_[place] += line.base_credit
    return {place: Turnover(debits[place], credits_[place]) for place in sorted(debits)}


def _balances(turnovers: dict[Place, Turnover], accounts: dict[str, Account]) -> dict[Place, Balance]:
    """Turnovers come in ascending order, so the periods of one place follow each other."""
    rows: dict[Place, Balance] = {}
    results: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)  # per branch and year
    before: Place | None = None
    for place, turnover in turnovers.items():
        is_result = accounts[place.account].type in _RESULT
        beginning = ZERO
        if (
            before is not None
            and before[:3] == place[:3]
            and not (is_result and _year(before) != _year(place))
        ):
            beginning = rows[before].ending
        rows[place] = Balance(beginning, turnover.debit, turnover.credit, beginning + turnover.net)
        if is_result:
            results[place.branch, _year(place)] += turnover.net
        before = place
    rows.update(_carried(results, max((_year(place) for place in turnovers), default="")))
    return dict(sorted(rows.items()))


def _carried(results: dict[tuple[str, str], Decimal], last_year: str) -> dict[Place, Balance]:
    """The rows of the retained earnings account: results of all years before the last one with postings."""
    rows: dict[Place, Balance] = {}
    carried: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for branch, year in sorted(results):
        if year >= last_year:
            continue
        carried[branch] += results[branch, year]
        place = Place(branch, chart.RETAINED_EARNINGS, chart.NO_COST_CENTER, f"{int(year) + 1}01")
        rows[place] = Balance(carried[branch], ZERO, ZERO, carried[branch])
    return rows


def _year(place: Place) -> str:
    return place.period[:4]


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for code, amount in amounts:
        sums[code] += amount
    return dict(sorted(sums.items()))
