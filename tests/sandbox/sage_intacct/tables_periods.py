"""Periods and what goes by them: reporting periods, balances, budgets, exchange rates, bill batches, banks."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company import chart
from tests.sandbox.company.basics import AccountType, BillType
from tests.sandbox.company.money import ZERO, rate_on
from tests.sandbox.sage_intacct import BOOKS, OPEN_ENTITY
from tests.sandbox.sage_intacct.tables import ACTIVE, Columns, Table, audit_columns, itself
from tests.sandbox.sage_intacct.tables_masters import founded
from tests.sandbox.sage_intacct.tables_payments import BANKS
from tests.sandbox.sage_intacct.view import Stamps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.company.books import Balance, Place
    from tests.sandbox.company.model import Period
    from tests.sandbox.sage_intacct.view import View

_BUDGET = "OPEX-2026"
_RATE_DAYS = 60
_PAIRS = (("EUR", 1), ("GBP", 2))
_RESULT = frozenset({AccountType.INCOME, AccountType.EXPENSE})
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class PlaceBalance(NamedTuple):
    """One row of GLACCOUNTBALANCE."""

    book: str
    period: str
    place: Place
    opening: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def ending(self) -> Decimal:
        """What the period closes with."""
        return self.opening + self.debit - self.credit


def period_name(period: Period) -> str:
    """A budgetable reporting period."""
    return f"Month Ended {_MONTHS[period.starts_on.month - 1]} {period.starts_on.year}"


def balances(view: View, name: str) -> Iterable[PlaceBalance]:
    """The balances of a reporting period in every book; nothing for an unknown one."""
    period = next((each for each in view.company.periods.values() if period_name(each) == name), None)
    if period is None:
        return
    for book in BOOKS:
        latest: dict[tuple[str, str, str], tuple[Place, Balance]] = {}
        for place, balance in view.balances(book).items():
            if place.period <= period.code:
                latest[place[:3]] = (place, balance)
        for place, balance in latest.values():
            if place.period == period.code:
                yield PlaceBalance(book, name, place, balance.beginning, balance.debit, balance.credit)
            elif _carries_on(view, place, period):
                yield PlaceBalance(book, name, place, balance.ending, ZERO, ZERO)


def _carries_on(view: View, place: Place, period: Period) -> bool:
    """Income and expense begin at zero in a new year."""
    is_result = view.company.accounts[place.account].type in _RESULT
    return not is_result or place.period[:4] == period.code[:4]


def _balance_columns(view: View) -> Columns:
    company = view.company
    return {
        "RECORDNO": lambda row: view.account_keys[row.place.account],  # the account's: no key of the row
        "ACCOUNTREC": lambda row: view.account_keys[row.place.account],
        "BOOKID": lambda row: row.book,
        "CURRENCY": lambda _: company.base_currency,
        "PERIOD": lambda row: row.period,
        "ACCOUNTNO": lambda row: row.place.account,
        "ACCOUNTTITLE": lambda row: company.accounts[row.place.account].name,
        "DEPARTMENTID": lambda row: row.place.cost_center,
        "LOCATIONID": lambda row: row.place.branch,
        "LOCATIONNO": lambda row: view.location_keys[row.place.branch],
        "OPENBAL": lambda row: row.opening,
        "TOTDEBIT": lambda row: row.debit,
        "TOTCREDIT": lambda row: row.credit,
        "TOTADJDEBIT": lambda _: ZERO,
        "TOTADJCREDIT": lambda _: ZERO,
        "FORBAL": lambda row: row.debit - row.credit,
        "ENDBAL": lambda row: row.ending,
    }


def _period_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: int(row.code),
        "RECORD#": lambda row: int(row.code),
        "NAME": period_name,
        "HEADER1": lambda _: "Month Ended",
        "HEADER2": lambda row: f"{row.ends_on:%m/%d/%Y}",
        "START_DATE": lambda row: row.starts_on,
        "END_DATE": lambda row: row.ends_on,
        "BUDGETING": lambda _: "true",
        "STATUS": lambda _: "active",
        "DATETYPE": lambda _: 999,
        **audit_columns(view, "REPORTINGPERIOD", itself),
    }


# ---------------------------------------------------------------- budgets


def _budget_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda _: 1,
        "BUDGETID": lambda _: _BUDGET,
        "DESCRIPTION": lambda _: "Operating expenses",
        "STATUS": lambda _: "active",
        "CURRENCY": lambda _: view.company.base_currency,
        "DEFAULT_BUDGET": lambda _: True,
        "SYSTEMGENERATED": lambda _: "false",
        **audit_columns(view, "GLBUDGETHEADER", itself),
    }


def _budget_items(view: View) -> list[tuple[int, str, Period]]:
    return [
        (int(period.code) * 100 + place, account, period)
        for period in view.company.periods.values()
        if period.starts_on.year >= 2026
        for place, account in enumerate(chart.PURCHASE_ACCOUNTS, start=1)
    ]


def _budget_item_columns(view: View) -> Columns:
    accounts = view.company.accounts
    return {
        "RECORDNO": lambda row: row[0],
        "BUDGETKEY": lambda _: 1,
        "BUDGETID": lambda _: _BUDGET,
        "ACCT_NO": lambda row: row[1],
        "ACCTTITLE": lambda row: accounts[row[1]].name,
        "ACCOUNTKEY": lambda row: view.account_keys[row[1]],
        "STATISTICAL": lambda _: "F",
        "DEPT_NO": lambda _: "000100",
        "LOCATION_NO": lambda _: OPEN_ENTITY,
        "CURRENCY": lambda _: view.company.base_currency,
        "PERIODNAME": lambda row: period_name(row[2]),
        "REPORTINGPERIODNAME": lambda row: period_name(row[2]),
        "PERIODKEY": lambda row: int(row[2].code),
        "PSTARTDATE": lambda row: row[2].starts_on,
        "PENDDATE": lambda row: row[2].ends_on,
        "AMOUNT": lambda row: Decimal(1000 + row[0] % 97 * 10),
        "NORMALBALANCE": lambda _: 1,
        **audit_columns(view, "GLBUDGETITEM", lambda row: founded(view, f"budget-{row[0]}")),
    }


# ----------------------------------------------------------------- rates


def _pair_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: str(row[1]),
        "TYPE_ID": lambda _: -1,
        "TYPENAME": lambda _: "Intacct Daily Rate",
        "FROM_CURRENCY": lambda row: row[0],
        "TO_CURRENCY": lambda _: view.company.base_currency,
        **audit_columns(view, "EXCHANGERATE", lambda row: founded(view, row[0])),
    }


def _rates(view: View) -> list[tuple[str, int, dt.date]]:
    today = view.company.clock.date()
    days = [today - dt.timedelta(days=back) for back in range(_RATE_DAYS)]
    return [(currency, number, day) for currency, number in _PAIRS for day in days]


def _rate_columns(view: View) -> Columns:
    def stamps(row: tuple[str, int, dt.date]) -> Stamps:
        made = dt.datetime.combine(row[2], dt.time(), tzinfo=dt.UTC)
        return Stamps(f"{row[0]}{row[2]}", made, made)

    def rate(row: tuple[str, int, dt.date]) -> Decimal:
        return rate_on(view.company.seed, row[0], row[2])

    return {
        "RECORDNO": lambda row: f"{row[1]}{row[2].toordinal()}",
        "EXCHANGERATEKEY": lambda row: row[1],
        "EFFECTIVE_START_DATE": lambda row: row[2],
        "EXCHANGE_RATE": rate,
        "RECIPROCAL_RATE": lambda row: (1 / rate(row)).quantize(Decimal("1e-10")),
        **audit_columns(view, "EXCHANGERATEENTRY", stamps),
    }


# ------------------------------------------------------- batches, recurring


def _batches(view: View) -> list[tuple[dt.date, Decimal, Stamps]]:
    """Bills of a day go into one batch."""
    found = defaultdict(list)
    for bill in view.company.bills.values():
        if bill.type is BillType.BILL:
            found[bill.date].append(bill)
    return [
        (
            day,
            sum((bill.base_amount for bill in bills), ZERO),
            Stamps(
                f"batch-{day}",
                min(bill.created_at for bill in bills),
                max(view.bill_stamps(bill).modified_at for bill in bills),
            ),
        )
        for day, bills in found.items()
    ]


def _batch_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: str(row[0].toordinal()),
        "TITLE": lambda row: f"Bills: {row[0]:%Y/%m/%d} Batch",
        "CREATED": lambda row: row[0],
        "RECORDTYPE": lambda _: "pi",
        "OPEN": lambda _: "Open",
        "STATUS": lambda _: "active",
        "TOTAL": lambda row: row[1],
        "NOGL": lambda _: False,
        **audit_columns(view, "APBILLBATCH", lambda row: row[2]),
    }


def _recurring_columns(view: View) -> Columns:
    vendor = next(iter(view.company.vendors.values()))
    return {
        "RECORDNO": lambda _: 1,
        "DESCRIPTION": lambda _: "Rent",
        "VENDORID": lambda _: vendor.code,
        "VENDORNAME": lambda _: vendor.name,
        "TERMNAME": lambda _: vendor.terms,
        "STATUS": lambda _: "active",
        "CURRENCY": lambda _: view.company.base_currency,
        "BASECURR": lambda _: view.company.base_currency,
        "STARTDATE": lambda row: row.created_at.date(),
        "REPEATBY": lambda _: "Months",
        "REPEATINTERVAL": lambda _: 1,
        "TOTALENTERED": lambda _: Decimal("4200.50"),
        "TRX_TOTALENTERED": lambda _: Decimal("4200.50"),
        "WHENCREATED": lambda row: row.created_at.date(),
        **audit_columns(view, "APRECURBILL", itself, created="AUWHENCREATED"),
    }


def _recurring_entry_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row[0],
        "RECORDKEY": lambda _: 1,
        "LINE_NO": lambda row: str(row[0]),
        "GLACCOUNTNO": lambda _: "610000",
        "ACCOUNTKEY": lambda _: view.account_keys["610000"],
        "AMOUNT": lambda row: row[1],
        "TRX_AMOUNT": lambda row: row[1],
        "DEPARTMENTID": lambda _: "000100",
        "LOCATIONID": lambda _: OPEN_ENTITY,
        **audit_columns(view, "APRECURBILLENTRY", lambda row: founded(view, f"recurring-{row[0]}")),
    }


# ------------------------------------------------------------------ banks


def _banks(*codes: str) -> Callable[[View], list[str]]:
    def rows(view: View) -> list[str]:
        return [code for code in codes if code in view.company.accounts]

    return rows


def _bank_columns(name: str) -> Callable[[View], Columns]:
    currencies = {code: currency for currency, code in chart.CASH.items()}

    def columns(view: View) -> Columns:
        accounts = view.company.accounts
        return {
            "RECORDNO": lambda row: view.account_keys[row],
            "BANKACCOUNTID": lambda row: BANKS[row],
            "BANKACCOUNTNO": lambda row: f"0000{row}99",
            "BANKACCOUNTTYPE": lambda _: name.removesuffix("ACCOUNT").lower(),
            "BANKNAME": lambda row: accounts[row].name,
            "ROUTINGNO": lambda _: "011000015",
            "GLACCOUNTNO": lambda row: row,
            "GLACCOUNTTITLE": lambda row: accounts[row].name,
            "CURRENCY": lambda row: currencies.get(row, view.company.base_currency),
            "LOCATIONID": lambda _: OPEN_ENTITY,
            "DEPARTMENTID": lambda _: "000110",
            "STATUS": lambda _: "active",
            "LOCATION#": lambda _: view.location_keys[OPEN_ENTITY],
            "DEPT#": lambda _: 3,
            **audit_columns(view, name, lambda row: accounts[row]),
        }

    return columns


def _card_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda _: 1,
        "CARDID": lambda _: "CORP-VISA",
        "DESCRIPTION": lambda _: "Company card",
        "CARDNUM": lambda _: "************4242",
        "CARDTYPE": lambda _: "Visa",
        "STATUS": lambda _: "active",
        "LIABACCTKEY": lambda _: "022000",
        "LIABACCT#": lambda _: view.account_keys["022000"],
        **audit_columns(view, "CREDITCARD", itself),
    }


TABLES = {
    "GLACCOUNTBALANCE": Table(rows=lambda _: (), columns=_balance_columns),
    "REPORTINGPERIOD": Table(
        rows=lambda view: view.company.periods.values(), columns=_period_columns, natural="NAME"
    ),
    "GLBUDGETHEADER": Table(
        rows=lambda view: [founded(view, "budget")], columns=_budget_columns, natural="BUDGETID"
    ),
    "GLBUDGETITEM": Table(rows=_budget_items, columns=_budget_item_columns),
    "EXCHANGERATE": Table(rows=lambda _: _PAIRS, columns=_pair_columns),
    "EXCHANGERATEENTRY": Table(rows=_rates, columns=_rate_columns),
    "APBILLBATCH": Table(rows=_batches, columns=_batch_columns),
    "APRECURBILL": Table(rows=lambda view: [founded(view, "recurring")], columns=_recurring_columns),
    "APRECURBILLENTRY": Table(
        rows=lambda _: [(1, Decimal(4000)), (2, Decimal("200.5"))], columns=_recurring_entry_columns
    ),
    "CHECKINGACCOUNT": Table(
        rows=_banks(*chart.CASH.values()),
        columns=_bank_columns("CHECKINGACCOUNT"),
        natural="BANKACCOUNTID",
        codes={"STATUS": ACTIVE},
    ),
    "SAVINGSACCOUNT": Table(
        rows=_banks("010200"), columns=_bank_columns("SAVINGSACCOUNT"), natural="BANKACCOUNTID"
    ),
    "CREDITCARD": Table(rows=lambda view: [founded(view, "card")], columns=_card_columns, natural="CARDID"),
}
