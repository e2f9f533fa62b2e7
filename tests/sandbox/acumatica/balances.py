"""General ledger balances in Acumatica's way: one row per period with activity, signed by account type."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.books import Balance, Place, books_of
from tests.sandbox.company.model import AccountType, JournalStatus

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from decimal import Decimal

    from tests.sandbox.company.model import Account, Branch, Company, CostCenter, Journal

_DEBIT_SIDE = frozenset({AccountType.ASSET, AccountType.EXPENSE})
_RESULT = frozenset({AccountType.INCOME, AccountType.EXPENSE})


@dataclasses.dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """Turnover and balance of one account and subaccount of a branch in one period, in base currency.

    Balances have the natural sign: positive on the debit side for assets and expenses, positive on the
    credit side for the rest.

    Attributes:
        period: YYYYMM.
        stamp: Last posting into the period; or, if stamps are carried, into it or one that its balance carries.
    """

    branch: Branch
    account: Account
    cost_center: CostCenter
    period: str
    debit: Decimal
    credit: Decimal
    beginning: Decimal
    ending: Decimal
    stamp: dt.datetime


def history_of(company: Company, *, carried_stamps: bool) -> list[HistoryRow]:
    """Every row, in ascending order of branch, account, subaccount (by internal number) and period."""
    stamps = _Stamps(company, carried=carried_stamps)
    rows = [_row(company, place, balance, stamps) for place, balance in books_of(company).balances.items()]
    rows.sort(
        key=lambda row: (
            row.branch.branch_id,
            row.account.account_id,
            row.cost_center.cost_center_id,
            row.period,
        )
    )
    return rows


def _row(company: Company, place: Place, balance: Balance, stamps: _Stamps) -> HistoryRow:
    account = company.accounts[place.account]
    sign = 1 if account.type in _DEBIT_SIDE else -1
    return HistoryRow(
        branch=company.branches[place.branch],
        account=account,
        cost_center=company.cost_centers[place.cost_center],
        period=place.period,
        debit=balance.debit,
        credit=balance.credit,
        beginning=balance.beginning * sign,
        ending=balance.ending * sign,
        stamp=stamps.of(place, is_result=account.type in _RESULT),
    )


class _Stamps:
    """When balances last moved."""

    def __init__(self, company: Company, *, carried: bool) -> None:
        self._carried = carried
        posted = [each for each in company.journals.values() if each.status is JournalStatus.POSTED]
        results = {code for code, account in company.accounts.items() if account.type in _RESULT}
        self._own: dict[Place, dt.datetime] = {}
        self._by_place: dict[tuple[str, str, str], dict[str, dt.datetime]] = {}
        self._result: dict[tuple[str, str], dt.datetime] = {}  # branch and year
        self._first_of_year: dict[str, dt.datetime] = {}
        for journal in posted:
            self._note(journal, results)

    def _note(self, journal: Journal, results: set[str]) -> None:
        stamp, year = journal.modified_at, journal.period[:4]
        self._first_of_year[year] = min(self._first_of_year.get(year, stamp), stamp)
        for line in journal.lines:
            key = (journal.branch, line.account, line.cost_center)
            place = Place(*key, journal.period)
            self._own[place] = max(self._own.get(place, stamp), stamp)
            self._by_place.setdefault(key, {})[journal.period] = self._own[place]
            if line.account in results:
                branch_year = (journal.branch, year)
                self._result[branch_year] = max(self._result.get(branch_year, stamp), stamp)

    def of(self, place: Place, *, is_result: bool) -> dt.datetime:
        """When the row of a place last moved."""
        if place.account == chart.RETAINED_EARNINGS:
            return self._of_retained_earnings(place)
        if not self._carried:
            return self._own[place]
        since = f"{place.period[:4]}01" if is_result else ""
        return max(
            stamp for period, stamp in self._by_place[place[:3]].items() if since <= period <= place.period
        )

    def _of_retained_earnings(self, place: Place) -> dt.datetime:
        """The row appears with the first posting of its year and moves with results of earlier years."""
        year = place.period[:4]
        results = (
            stamp for (branch, of), stamp in self._result.items() if branch == place.branch and of < year
        )
        return max(_with(results, self._first_of_year.get(year)))


def _with(stamps: Iterable[dt.datetime], other: dt.datetime | None) -> list[dt.datetime]:
    return [*stamps, *([] if other is None else [other])]
