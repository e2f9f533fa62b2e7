"""Rows of the general ledger. Its amounts are in the company's own currency."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.model import AccountType, JournalStatus
from tests.sandbox.company.money import ZERO
from tests.sandbox.syspro.view import gl_code, journal_number, month_of, padded, year_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.books import Balance
    from tests.sandbox.company.model import Account, Journal, JournalLine
    from tests.sandbox.syspro.schema import Value
    from tests.sandbox.syspro.view import View

Values = dict[str, "Value"]

_TYPES = {
    AccountType.ASSET: "A",
    AccountType.LIABILITY: "L",
    AccountType.EQUITY: "C",
    AccountType.INCOME: "R",
    AccountType.EXPENSE: "E",
}
_RESULT = frozenset({AccountType.INCOME, AccountType.EXPENSE})
_CONTROLS = frozenset({chart.ACCOUNTS_PAYABLE, chart.ACCOUNTS_RECEIVABLE})
_SOURCES = {"GL": "JE", "AP": "AP", "AR": "AR"}
_PERIODS = range(1, 16)
_LAST_MONTH = 12
_ANALYSIS = "PROJECT"
_LINES_PER_JOURNAL = 1000


def masters(view: View) -> Iterator[Values]:
    """`GenMaster`."""
    for each in view.gl_view:
        for code, (account, _) in each.gl_accounts.items():
            rows = each.balances.get(code, {})
            current = rows.get(each.period)
            yield {
                "Company": each.company_id,
                "GlCode": code,
                "Description": account.name,
                "AccountType": _TYPES[account.type],
                "GlGroup": account.code[:2],
                "CurrentBalance": _as_of(rows, account, each.period),
                "PrevPerEndBal": _as_of(rows, account, each.three_periods[1]),
                "PtdDrValue": current.debit if current else ZERO,
                "PtdCrValue": current.credit if current else ZERO,
                "BudgetMethod": "P",
                "ControlAccFlag": "Y" if account.code in _CONTROLS else "N",
                "AccOnHldFlag": "N" if account.active else "Y",
                "ReportIndex1": account.code[:3],
                "RetEarnsAccount": gl_code(chart.RETAINED_EARNINGS, chart.NO_COST_CENTER),
            }


def history(view: View) -> Iterator[Values]:
    """`GenHistory`: cumulative closing balances, debit positive; periods to come are zero."""
    for each in view.gl_view:
        for code, (account, _) in each.gl_accounts.items():
            rows = each.balances.get(code, {})
            for year in _years(rows, account, year_of(each.period)):
                values: Values = {"Company": each.company_id, "GlCode": code, "GlYear": year}
                values["BeginYearBalance"] = _beginning(rows, account, year)
                for number in _PERIODS:
                    period = f"{year}{min(number, _LAST_MONTH):02d}"
                    is_to_come = period > each.period or (number > _LAST_MONTH and period >= each.period)
                    closing = ZERO if is_to_come else _as_of(rows, account, period)
                    values[f"ClosingBalPer{number}"] = closing
                yield values


def _as_of(rows: dict[str, Balance], account: Account, period: str) -> Decimal:
    """The balance at the end of a period; income and expense begin every year at zero."""
    before = [each for each in rows if each <= period]
    if not before or (account.type in _RESULT and max(before)[:4] != period[:4]):
        return ZERO
    return rows[max(before)].ending


def _beginning(rows: dict[str, Balance], account: Account, year: int) -> Decimal:
    if account.code == chart.RETAINED_EARNINGS and f"{year}01" in rows:
        return rows[f"{year}01"].beginning  # the result of the years before is carried without a posting
    return ZERO if account.type in _RESULT else _as_of(rows, account, f"{year - 1}12")


def _years(rows: dict[str, Balance], account: Account, current: int) -> list[int]:
    """The years that have a row: those with postings, and all later ones for what carries its balance on."""
    posted = sorted({int(period[:4]) for period in rows})
    if not posted or account.type in _RESULT:
        return posted
    return list(range(posted[0], current + 1))


def transactions(view: View) -> Iterator[Values]:
    """`GenTransaction`: the lines of posted journals, signed."""
    for each in view.gl_view:
        for journal in each.journals:
            if journal.status is JournalStatus.POSTED and not view.is_purged(journal.date):
                number = journal_number(journal)
                documents = each.payables_of(journal)
                for line in journal.lines:
                    yield {
                        "Company": each.company_id,
                        "GlCode": gl_code(line.account, line.cost_center),
                        "GlYear": year_of(journal.period),
                        "GlPeriod": month_of(journal.period),
                        "GlLine": number * _LINES_PER_JOURNAL + line.line_nbr,
                        "Source": _SOURCES[journal.module],
                        "Journal": number,
                        "JnlDate": journal.date,
                        "TransactionDate": journal.date,
                        "Reference": line.reference_nbr or journal.batch_nbr,
                        "EntryValue": line.base_debit - line.base_credit,
                        "Comment": line.description or journal.description,
                        "SubModApBranch": each.branch if journal.module == "AP" else "",
                        "SubModArBranch": each.branch if journal.module == "AR" else "",
                        **_sub_module(journal, line, documents),
                    }


def journal_details(view: View) -> Iterator[Values]:
    """`GenJournalDetail`: the lines of all journals, without sign; `C` is to be subtracted."""
    for each in view.gl_view:
        for journal in each.journals:
            if view.is_purged(journal.date):
                continue
            is_foreign = each.company_id != view.company_id
            documents = each.payables_of(journal)
            for line in journal.lines:
                is_debit = bool(line.debit or line.base_debit)
                yield {
                    "GlYear": year_of(journal.period),
                    "GlPeriod": month_of(journal.period),
                    "Journal": journal_number(journal),
                    "EntryNumber": line.line_nbr,
                    "EntryType": "D" if is_debit else "C",
                    "EntryValue": line.base_debit or line.base_credit,
                    "GlCode": gl_code(line.account, line.cost_center),
                    "Company": each.company_id if is_foreign else "",  # blank: the company's own ledger
                    "Reference": line.reference_nbr or journal.batch_nbr,
                    "Comment": line.description or journal.description,
                    "EntryDate": journal.date,
                    "TransactionDate": journal.date,
                    "DocumentDate": journal.date,
                    "EntryPosted": "Y" if journal.status is JournalStatus.POSTED else "N",
                    "InterCompanyFlag": "Y" if is_foreign else "N",
                    "CurrencyValue": line.debit or line.credit,
                    "PostCurrency": journal.currency,
                    "Source": _SOURCES[journal.module],
                    "CommitmentFlag": "N",
                    "AnalysisEntry": _analysis_entry(each, journal, line),
                    **_sub_module(journal, line, documents),
                }


def journal_controls(view: View) -> Iterator[Values]:
    """`GenJournalCtl`: one row per journal."""
    for each in view.gl_view:
        for journal in each.journals:
            if view.is_purged(journal.date):
                continue
            is_posted = journal.status is JournalStatus.POSTED
            yield {
                "GlYear": year_of(journal.period),
                "GlPeriod": month_of(journal.period),
                "GlJournal": journal_number(journal),
                "JournalDate": journal.date,
                "NumOfEntries": len(journal.lines),
                "DebitAmount": sum((line.base_debit for line in journal.lines), ZERO),
                "CreditAmount": sum((line.base_credit for line in journal.lines), ZERO),
                "JnlPrintFlag": "Y",
                "JnlPostingType": "N",
                "Source": journal.module[1],
                "JournalSource": _SOURCES[journal.module],
                "Operator": "ADMIN",
                "JnlStatus": "P" if is_posted else " ",
                "Reference": journal.batch_nbr,
                "PostDate": journal.date if is_posted else None,
                "Notation": journal.description,
            }


def _sub_module(journal: Journal, line: JournalLine, documents: dict[int, str]) -> Values:
    """What a line says of its source; blank or zero where it says nothing."""
    is_receivable = line.account == chart.ACCOUNTS_RECEIVABLE
    return {
        "SubModJournal": 0 if journal.module == "GL" else journal_number(journal),
        "SubModSupplier": padded(line.vendor),
        "SubModCustomer": padded(line.customer),
        "SubModStock": line.item or "",
        "SubModApInvoice": documents.get(line.line_nbr, ""),
        "SubModArInvoice": line.reference_nbr if is_receivable else "",
    }


def analysis_entries(view: View) -> Iterator[Values]:
    """`GenAnalysisTrn`: the project of sales, joined to journal lines by `AnalysisEntry`."""
    for each in view.gl_view:
        for journal in each.journals:
            for line in journal.lines:
                entry = _analysis_entry(each, journal, line)
                if entry and not view.is_purged(journal.date):
                    yield {
                        "GlYear": year_of(journal.period),
                        "GlPeriod": month_of(journal.period),
                        "AnalysisEntry": entry,
                        "Line": 1,
                        "AnalysisCategory": _ANALYSIS,
                        "AnalysisCode1": each.projects[journal.batch_nbr],
                        "EntryValue": line.base_debit - line.base_credit,
                    }


def analysis_codes(view: View) -> Iterator[Values]:
    """`GenAnalysisCode`."""
    for project in view.company.projects.values():
        yield {
            "AnalysisCategory": _ANALYSIS,
            "AnalysisType": 1,
            "AnalysisCode": project.code,
            "Description": project.name,
        }


def _analysis_entry(view: View, journal: Journal, line: JournalLine) -> int:
    """The analysis entry of a line; 0 for none. Only income is analysed."""
    is_income = view.company.accounts[line.account].type is AccountType.INCOME
    if journal.module != "AR" or not is_income or journal.batch_nbr not in view.projects:
        return 0
    return journal_number(journal) * _LINES_PER_JOURNAL + line.line_nbr


def budgets(view: View) -> Iterator[Values]:
    """`GenBudgets`: the current budget of every income and expense account."""
    for each in view.gl_view:
        for code, (account, _) in each.gl_accounts.items():
            if account.type in _RESULT:
                values: Values = {"Company": each.company_id, "GlCode": code, "BudgetType": "C"}
                values["BudgetNumber"] = 1
                sign = -1 if account.type is AccountType.INCOME else 1
                for month in range(1, _LAST_MONTH + 1):
                    noise = zlib.crc32(f"{code}|{month}".encode()) % 500
                    values[f"Budget{month}"] = Decimal(sign * (1000 + noise) * 10)
                yield values


def groups(view: View) -> Iterator[Values]:
    """`GenGroups`."""
    for each in view.gl_view:
        names = {account.code[:2]: account.type for account, _ in each.gl_accounts.values()}
        for group, type_ in sorted(names.items()):
            yield {"Company": each.company_id, "GlGroup": group, "Description": f"{type_.title()} {group}"}
