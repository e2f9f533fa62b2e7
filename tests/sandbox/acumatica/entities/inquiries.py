"""Inquiries: entities that are asked by PUT with parameters and answer with `Results`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.acumatica import LEDGER, LEDGER_ID, labels
from tests.sandbox.acumatica.shapes import (
    Inquiry,
    Pair,
    Question,
    Shape,
    blanks,
    by_name,
    const,
    of_kind,
    text,
)
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company.model import Account, Branch, Journal, JournalLine, JournalStatus
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.balances import HistoryRow

JournalRow = Pair[Journal, JournalLine]
_PERIOD = re.compile(r"(\d\d)-?(\d{4})")


class SummaryRow(NamedTuple):
    """Turnover and balance of an account in one period, over all subaccounts asked for."""

    account: Account
    branch: str
    beginning: Decimal
    debit: Decimal
    credit: Decimal
    ending: Decimal
    last_activity: str

    @property
    def turnover(self) -> Decimal:
        """What the period added to the balance."""
        return self.ending - self.beginning


def _ledger(question: Question) -> None:
    ledger = question.text("Ledger")
    if not ledger:
        question.errors["Ledger"] = "'Ledger' cannot be empty."
    elif ledger != LEDGER:
        question.errors["Ledger"] = f"Ledger '{ledger}' cannot be found in the system."


def _period(question: Question, name: str) -> str:
    """A period parameter as YYYYMM; "" when it is wrong, which the question then knows."""
    shown = question.text(name)
    found = _PERIOD.fullmatch(shown)
    code = f"{found[2]}{found[1]}" if found else ""
    if not shown:
        question.errors[name] = f"'{name}' cannot be empty."
    elif code not in question.view.company.periods:
        question.errors[name] = f"Financial period '{shown}' cannot be found in the system."
        return ""
    return code


def _summary(question: Question) -> list[SummaryRow]:
    _ledger(question)
    period = _period(question, "Period")
    branch = question.text("Branch") or question.branch
    company = question.view.company
    if branch not in company.branches:
        question.errors["Branch"] = f"Branch '{branch}' cannot be found in the system."
    subaccount = question.text("Subaccount")
    if subaccount and subaccount not in company.cost_centers:
        question.errors["Subaccount"] = f"Subaccount '{subaccount}' cannot be found in the system."
    if question.errors:
        return []
    rows: dict[str, SummaryRow] = {}
    for place, history in question.view.history_by_place.items():
        if place[0] == branch and subaccount in {"", place[2]}:
            _add(rows, history, period)
    return [rows[code] for code in sorted(rows)]


def _add(rows: dict[str, SummaryRow], history: list[HistoryRow], period: str) -> None:
    last = next((row for row in reversed(history) if row.period <= period), None)
    if last is None:
        return
    account = last.account
    resets = labels.ACCOUNT_TYPE_CODE[account.type] in {"I", "E"}
    if resets and last.period[:4] != period[:4]:
        return
    is_active = last.period == period
    known = rows.get(account.code)
    rows[account.code] = SummaryRow(
        account=account,
        branch=last.branch.code,
        beginning=(known.beginning if known else ZERO) + (last.beginning if is_active else last.ending),
        debit=(known.debit if known else ZERO) + (last.debit if is_active else ZERO),
        credit=(known.credit if known else ZERO) + (last.credit if is_active else ZERO),
        ending=(known.ending if known else ZERO) + last.ending,
        last_activity=max(known.last_activity if known else "", last.period),
    )


def _details(question: Question) -> list[JournalRow]:
    _ledger(question)
    first, last = _period(question, "FromPeriod"), _period(question, "ToPeriod")
    if question.errors:
        return []
    unreleased = question.given.get("IncludeUnreleased") is True
    return [
        Pair(journal, line)
        for journal in question.view.company.journals.values()
        if first <= journal.period <= last and (unreleased or journal.status is JournalStatus.POSTED)
        for line in journal.lines
    ]


def _is_posted(row: JournalRow, _: object) -> bool:
    return row.parent.status is JournalStatus.POSTED


ACCOUNT_SUMMARY = Inquiry(
    type_name="AccountSummaryInquiry",
    screen="GL401000",
    title="Account Summary",
    parameters=("AccountClass", "Branch", "Ledger", "Period", "Subaccount"),
    flags=(),
    rows=_summary,
    results=Shape(
        type_name="AccountSummaryRow",
        fields=by_name(
            [
                text("Account", "account.code"),
                text("Branch", "branch"),
                text("Description", "account.name"),
                text("LastActivity", lambda row, view: view.period(row.last_activity)),
                text("Type", lambda row, _: labels.ACCOUNT_TYPE_CODE[row.account.type], labels.ACCOUNT_TYPE),
                of_kind(Kind.INT, "LedgerID", const(LEDGER_ID)),
                of_kind(Kind.DECIMAL, "BeginningBalance", "beginning"),
                of_kind(Kind.DECIMAL, "DebitTotal", "debit"),
                of_kind(Kind.DECIMAL, "CreditTotal", "credit"),
                of_kind(Kind.DECIMAL, "EndingBalance", "ending"),
                of_kind(Kind.DECIMAL, "PtdTotal", "turnover"),
                *blanks(Kind.STRING, "AccountClass ConsolidationAccount CurrencyID Subaccount"),
                *blanks(
                    Kind.DECIMAL,
                    "CurrencyBeginningBalance CurrencyCreditTotal CurrencyDebitTotal CurrencyEndingBalance "
                    "CurrencyPtdTotal",
                ),
            ]
        ),
    ),
)
ACCOUNT_DETAILS = Inquiry(
    type_name="AccountDetailsForPeriodInquiry",
    screen="GL404000",
    title="Account Details",
    parameters=("FromPeriod", "Ledger", "ToPeriod"),
    flags=("IncludeUnposted", "IncludeUnreleased"),
    rows=_details,
    results=Shape(
        type_name="AccountDetailsForPeriodInquiryDetail",
        fields=by_name(
            [
                text("Account", "line.account"),
                text("BatchNumber", "parent.batch_nbr"),
                text("Branch", "parent.branch"),
                text("Currency", "parent.currency"),
                text("CustomerVendor", lambda row, _: row.line.vendor or row.line.customer),
                text("Ledger", const(LEDGER)),
                text("Module", "parent.module"),
                text("PeriodID", lambda row, view: view.period(row.parent.period)),
                text("Project", const("X")),
                text("RefNumber", "line.reference_nbr"),
                text("Subaccount", "line.cost_center"),
                text("TransactionDescription", "line.description"),
                of_kind(Kind.DECIMAL, "CreditAmount", "line.credit"),
                of_kind(Kind.DECIMAL, "DebitAmount", "line.debit"),
                of_kind(Kind.DECIMAL, "CreditAmountInBaseCurrency", "line.base_credit"),
                of_kind(Kind.DECIMAL, "DebitAmountInBaseCurrency", "line.base_debit"),
                of_kind(Kind.BOOLEAN, "Posted", _is_posted),
                of_kind(Kind.BOOLEAN, "Released", _is_posted),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "parent.modified_at"),
                of_kind(Kind.DAY, "TransactionDate", "parent.date"),
                *blanks(Kind.STRING, "ProjectTask TransactionType"),
            ]
        ),
    ),
)
_STRUCTURE: Shape[Branch] = Shape(
    type_name="CompaniesStructureDetail",
    fields=by_name(
        [
            text("BaseCurrencyID", lambda _, view: view.company.base_currency),
            text("BranchCountry", "country"),
            text("BranchID", "code"),
            text("BranchName", "name"),
            text("CompanyID", const("MERIDIAN")),
            text("CompanyName", lambda _, view: view.company.name),
            text("CompanyType", const("With Branches Requiring Balancing")),
            of_kind(Kind.BOOLEAN, "BranchStatus", const(value=True)),
            of_kind(Kind.BOOLEAN, "CompanyStatus", const(value=True)),
        ]
    ),
)
COMPANIES_STRUCTURE = Inquiry(
    type_name="CompaniesStructure",
    screen="CS401000",
    title="Companies Structure",
    parameters=(),
    flags=(),
    rows=lambda question: list(question.view.company.branches.values()),
    results=_STRUCTURE,
)
