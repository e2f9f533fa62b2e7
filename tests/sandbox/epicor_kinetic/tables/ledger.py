"""The general ledger: charts, segments and accounts, journals, balances of periods."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company import chart
from tests.sandbox.company.model import (
    AccountType,
    Bill,
    CustomerPayment,
    JournalStatus,
    Payment,
    SalesInvoice,
)
from tests.sandbox.company.money import ZERO
from tests.sandbox.epicor_kinetic import BOOK, CHART_OF_ACCOUNTS, FISCAL_CALENDAR, SECOND_BOOK
from tests.sandbox.epicor_kinetic.schema import Made, made, table
from tests.sandbox.epicor_kinetic.view import fiscal, gl_account, invoice_num, number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from tests.sandbox.company.books import Balance
    from tests.sandbox.company.model import Journal, JournalLine
    from tests.sandbox.epicor_kinetic.schema import Row
    from tests.sandbox.epicor_kinetic.view import View

_SEGMENTS = ((1, "Natural Account", "Account"), (2, "Department", "Dept"))
_CREDIT_TYPES = frozenset({AccountType.LIABILITY, AccountType.EQUITY, AccountType.INCOME})
_RESULT = frozenset({AccountType.INCOME, AccountType.EXPENSE})
_OPENING = 0  # the period that carries balances forward


def _charts(view: View) -> Iterator[Made]:
    yield made(
        view.company.branches[view.branch],
        {"COACode": CHART_OF_ACCOUNTS, "Description": "Chart of accounts", "SeparatorChar": "-"},
        "chart",
    )


def _segments(view: View) -> Iterator[Made]:
    for segment_nbr, name, abbreviation in _SEGMENTS:
        yield made(
            view.company.branches[view.branch],
            {
                "COACode": CHART_OF_ACCOUNTS,
                "SegmentNbr": segment_nbr,
                "SegmentName": name,
                "Abbreviation": abbreviation,
                "Length": 6,
                "Dynamic": False,
            },
            f"segment|{segment_nbr}",
        )


def _segment_values(view: View) -> Iterator[Made]:
    for account in view.company.accounts.values():
        yield made(
            account,
            {
                **_value(1, account.code, account.name, is_active=account.active),
                "Category": account.type.upper(),
                "NormalBalance": "C" if account.type in _CREDIT_TYPES else "D",
            },
        )
    for cost_center in view.company.cost_centers.values():
        yield made(
            cost_center,
            {
                **_value(2, cost_center.code, cost_center.name, is_active=cost_center.active),
                "Category": "",
                "NormalBalance": "",
            },
        )


def _value(segment_nbr: int, code: str, name: str, *, is_active: bool) -> Row:
    return {
        "COACode": CHART_OF_ACCOUNTS,
        "SegmentNbr": segment_nbr,
        "SegmentCode": code,
        "SegmentName": name,
        "SegmentDesc": name,
        "ActiveFlag": is_active,
    }


def _accounts(view: View) -> Iterator[Made]:
    """Every account without a department, and every combination that a journal of this company uses."""
    used = {(code, chart.NO_COST_CENTER) for code in view.company.accounts}
    for journal in view.own(view.company.journals.values()):
        used |= {(line.account, line.cost_center) for line in journal.lines}
    for code, cost_center in sorted(used):
        account = view.company.accounts[code]
        department = view.company.cost_centers[cost_center]
        yield made(
            account,
            {
                "COACode": CHART_OF_ACCOUNTS,
                "GLAccount1": gl_account(code, cost_center),
                "AccountDesc": _combined(account.name, department.name, cost_center),
                "SegValue1": code,
                "SegValue2": cost_center,
                "Active": account.active and department.active,
                "GLAcctDispGLAcctDisp": f"{code}-{cost_center}",
                "GLAcctDispGLShortAcct": code.lstrip("0"),
            },
            cost_center,
        )


def _combined(account: str, department: str, cost_center: str) -> str:
    return account if cost_center == chart.NO_COST_CENTER else f"{account}, {department}"


# ----------------------------------------------------------------- journals


def _journal_lines(view: View) -> Iterator[Made]:
    """Posted lines only; a second book holds a copy of each."""
    for journal in view.own(view.company.journals.values()):
        if journal.status is not JournalStatus.POSTED:
            continue
        for line in journal.lines:
            row = {**_journal_key(view, journal), **_line(journal, line), **_origin(view, journal, line)}
            yield made(journal, row, line.line_nbr)
            if view.switches.second_book:
                yield made(journal, row | {"BookID": SECOND_BOOK}, f"{SECOND_BOOK}|{line.line_nbr}")


def _journal_key(view: View, journal: Journal) -> Row:
    year, period = fiscal(journal.period)
    return {
        "BookID": BOOK,
        "FiscalYear": year,
        "FiscalYearSuffix": "",
        "FiscalPeriod": period,
        "FiscalCalendarID": FISCAL_CALENDAR,
        "JournalCode": journal_code(view, journal.module, journal.batch_nbr),
        "JournalNum": number(journal.batch_nbr),
    }


def journal_code(view: View, module: str, batch_nbr: str) -> str:
    """General, purchase, cash disbursement, sales or cash receipt journal."""
    posting = view.postings.get((module, batch_nbr))
    if posting is None:
        return "GJ"
    return {Bill: "PJ", Payment: "CD", SalesInvoice: "SJ", CustomerPayment: "CR"}[type(posting.document)]


def _line(journal: Journal, line: JournalLine) -> Row:
    return {
        "JournalLine": line.line_nbr,
        "JEDate": journal.date,
        "Description": line.description or journal.description or "",
        "COACode": CHART_OF_ACCOUNTS,
        "GLAccount": gl_account(line.account, line.cost_center),
        "SegValue1": line.account,
        "SegValue2": line.cost_center,
        # document currency; an exchange difference has none
        "DebitAmount": line.debit,
        "CreditAmount": line.credit,
        "BookDebitAmount": line.base_debit,
        "BookCreditAmount": line.base_credit,
        "CurrencyCode": journal.currency,
        "SourceModule": journal.module,
        "Posted": True,
        "PostedBy": "manager",
        "PostedDate": journal.created_at if journal.module != "GL" else journal.modified_at,
        "CreateDate": journal.created_at.date(),
        "GLAcctDispGLAcctDisp": f"{line.account}-{line.cost_center}",
    }


def _origin(view: View, journal: Journal, line: JournalLine) -> Row:
    posting = view.postings.get((journal.module, journal.batch_nbr))
    document = None if posting is None else posting.document
    check = number(document.payment_nbr) if isinstance(document, Payment) else 0
    return {
        "VendorNum": view.vendor_num(line.vendor),
        "CustNum": view.cust_num(line.customer),
        "APInvoiceNum": invoice_num(document) if isinstance(document, Bill) else "",
        "ARInvoiceNum": number(document.invoice_nbr) if isinstance(document, SalesInvoice) else 0,
        "CheckNum": check,
        "BankAcctID": bank_account(line.account),
        "Reverse": posting is not None and posting.is_void,
    }


def bank_account(account: str) -> str:
    """The bank account behind a GL account; none behind most."""
    return f"BANK{account}" if account in chart.CASH_ACCOUNTS else ""


def _journal_entries(view: View) -> Iterator[Made]:
    """Manual journals, those that are not posted yet too."""
    for journal in view.own(view.company.journals.values()):
        if journal.module == "GL":
            yield made(
                journal,
                {
                    **_journal_key(view, journal),
                    "GroupID": "MANUAL",
                    "Description": journal.description or "",
                    "JEDate": journal.date,
                    "CurrencyCode": journal.currency,
                    "Posted": journal.status is JournalStatus.POSTED,
                    "TotDebit": sum((line.debit for line in journal.lines), ZERO),
                    "TotCredit": sum((line.credit for line in journal.lines), ZERO),
                },
                "entry",
            )


# ----------------------------------------------------------------- balances


class _Cell(NamedTuple):
    account: str
    cost_center: str | None  # None: all of them
    year: int
    period: int


class _Sums(NamedTuple):
    opening: Decimal
    debit: Decimal
    credit: Decimal

    def plus(self, other: _Sums) -> _Sums:
        """Both together."""
        return _Sums(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def _period_balances(view: View) -> Iterator[Made]:
    """Type D per full account and type S per natural account: whoever adds up both counts twice."""
    cells = _cells(view)
    totals: defaultdict[_Cell, _Sums] = defaultdict(lambda: _Sums(ZERO, ZERO, ZERO))
    for cell, sums in cells.items():
        yield _balance(view, cell, sums)
        total = cell._replace(cost_center=None)
        totals[total] = totals[total].plus(sums)
    for total, sums in totals.items():
        yield _balance(view, total, sums)


def _cells(view: View) -> dict[_Cell, _Sums]:
    accounts: defaultdict[tuple[str, str], dict[str, Balance]] = defaultdict(dict)
    for place, balance in view.balances.items():
        accounts[place.account, place.cost_center][place.period] = balance
    years = sorted({int(code[:4]) for code in view.company.periods})
    found: dict[_Cell, _Sums] = {}
    for (account, cost_center), periods in sorted(accounts.items()):
        carries = view.company.accounts[account].type not in _RESULT
        for year in years:
            opening = _carried(periods, year) if carries else None
            if opening is not None:
                found[_Cell(account, cost_center, year, _OPENING)] = _Sums(opening, ZERO, ZERO)
            for code, balance in periods.items():
                if int(code[:4]) == year and account != chart.RETAINED_EARNINGS:
                    cell = _Cell(account, cost_center, *fiscal(code))
                    found[cell] = _Sums(balance.beginning, balance.debit, balance.credit)
    return found


def _carried(periods: dict[str, Balance], year: int) -> Decimal | None:
    """What a balance sheet account brings into a year; None for an account that had nothing before it."""
    first = periods.get(f"{year}01")
    if first is not None and first.beginning == first.ending and not (first.debit or first.credit):
        return first.ending  # retained earnings: the results of the years before
    earlier = [code for code in periods if int(code[:4]) < year]
    return periods[max(earlier)].ending if earlier else None


def _balance(view: View, cell: _Cell, sums: _Sums) -> Made:
    month = f"{cell.year}{max(cell.period, 1):02d}"
    period = view.company.periods[month]
    account = cell.account if cell.cost_center is None else gl_account(cell.account, cell.cost_center)
    is_opening = cell.period == _OPENING
    values: Row = {
        "BookID": BOOK,
        "BalanceAcct": account,
        "BalanceType": "S" if cell.cost_center is None else "D",
        "FiscalYear": cell.year,
        "FiscalYearSuffix": "",
        "FiscalPeriod": cell.period,
        "FiscalCalendarID": FISCAL_CALENDAR,
        "OpenBalance": sums.opening,
        "BalanceAmt": sums.opening if is_opening else sums.debit - sums.credit,
        "DebitAmt": sums.debit,
        "CreditAmt": sums.credit,
        "SegValue1": cell.account,
        "SegValue2": cell.cost_center or "",
        "BalanceAcctDisp": account.replace("|", "-"),
    }
    return Made(f"{account}|{cell.year}|{cell.period}", period.created_at, period.created_at, values)


_SEG_VALUES = " ".join(f"SegValue{index}" for index in range(1, 21))
TABLES = (
    table(
        "COA",
        "COACode",
        _charts,
        "COACode Description SeparatorChar GlobalCOA:bool FmtChgDate:date",
    ),
    table(
        "COASegment",
        "COACode SegmentNbr",
        _segments,
        "COACode SegmentNbr:int SegmentName Abbreviation Length:int Dynamic:bool",
    ),
    table(
        "COASegValues",
        "COACode SegmentNbr SegmentCode",
        _segment_values,
        "COACode SegmentNbr:int SegmentCode SegmentName SegmentDesc ActiveFlag:bool EffectiveFrom:date"
        " EffectiveTo:date Category NormalBalance",
    ),
    table(
        "GLAccount",
        "COACode GLAccount1",
        _accounts,
        f"COACode GLAccount1 AccountDesc {_SEG_VALUES} Active:bool EffFrom:date EffTo:date",
        looked_up="GLAcctDispGLAcctDisp GLAcctDispGLShortAcct",
    ),
    table(
        "GLJrnDtl",
        "BookID FiscalYear FiscalYearSuffix JournalCode JournalNum JournalLine",
        _journal_lines,
        "BookID FiscalYear:int FiscalYearSuffix FiscalPeriod:int FiscalCalendarID JournalCode JournalNum:int"
        f" JournalLine:int JEDate:date Description COACode GLAccount {_SEG_VALUES} DebitAmount:dec"
        " CreditAmount:dec BookDebitAmount:dec BookCreditAmount:dec CurrencyCode SourceModule VendorNum:int"
        " CustNum:int APInvoiceNum ARInvoiceNum:int CheckNum:int BankAcctID Posted:bool PostedBy PostedDate:stamp"
        " CreateDate:date Reverse:bool",
        looked_up="GLAcctDispGLAcctDisp",
    ),
    table(
        "GLJrnHed",
        "BookID FiscalYear FiscalYearSuffix JournalCode JournalNum FiscalCalendarID",
        _journal_entries,
        "BookID FiscalYear:int FiscalYearSuffix FiscalPeriod:int FiscalCalendarID JournalCode JournalNum:int"
        " GroupID Description JEDate:date CurrencyCode Posted:bool",
        looked_up="TotDebit:dec TotCredit:dec",
    ),
    table(
        "GLPeriodBal",
        "BookID BalanceAcct BalanceType FiscalYear FiscalYearSuffix FiscalPeriod FiscalCalendarID",
        _period_balances,
        "BookID BalanceAcct BalanceType FiscalYear:int FiscalYearSuffix FiscalPeriod:int FiscalCalendarID"
        f" OpenBalance:dec BalanceAmt:dec DebitAmt:dec CreditAmt:dec {_SEG_VALUES}",
        looked_up="BalanceAcctDisp",
    ),
)
