"""General ledger: accounts, subaccounts, journal transactions, ledgers, the calendar and currencies."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.acumatica import LEDGER, labels
from tests.sandbox.acumatica.shapes import (
    Collection,
    CustomField,
    Entity,
    Field,
    Pair,
    Shape,
    attr,
    blanks,
    by_name,
    const,
    of_kind,
    switched_off,
    text,
)
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company.model import Account, Branch, CostCenter, Currency, Journal, JournalLine, Period
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.view import View

JournalRow = Pair[Journal, JournalLine]
_NAMESPACE = uuid.UUID("0f7f3f0e-4f0e-4a57-9a4e-6a6d8b7d3c11")
# What the company's model does not stamp was set up on this day.
_FOUNDED = dt.datetime(2024, 12, 2, 9, 0, tzinfo=dt.UTC)


class LedgerRecord(NamedTuple):
    """The one ledger of the company."""

    code: str
    currency: str


class Year(NamedTuple):
    """A fiscal year and its periods."""

    code: str
    periods: list[Period]


def made_up_id(*names: str) -> str:
    """A lasting GUID for a record that the company's model has no note id for."""
    return str(uuid.uuid5(_NAMESPACE, "|".join(names)))


def _total(journal: Journal, side: str) -> Decimal:
    return sum((getattr(line, side) for line in journal.lines), ZERO)


def years(view: View) -> list[Year]:
    """The fiscal years of the company."""
    found: dict[str, list[Period]] = {}
    for period in view.company.periods.values():
        found.setdefault(period.code[:4], []).append(period)
    return [Year(code, periods) for code, periods in sorted(found.items())]


def _ledgers(view: View) -> list[LedgerRecord]:
    return [LedgerRecord(LEDGER, view.company.base_currency)] if view.company.branches else []


ACCOUNT: Entity[Account] = Entity(
    screen="GL202500",
    title="Chart of Accounts",
    keys=("AccountCD",),
    rows=lambda view: sorted(view.company.accounts.values(), key=lambda account: account.code.casefold()),
    note_id=lambda account: account.note_id,
    archived=None,
    modified_at=lambda account: account.modified_at,
    shape=Shape(
        type_name="Account",
        fields=by_name(
            [
                text("AccountCD", "code"),
                text("Description", "name"),
                text("Type", lambda account, _: labels.ACCOUNT_TYPE_CODE[account.type], labels.ACCOUNT_TYPE),
                text("PostOption", const("D"), labels.POST_OPTION),
                of_kind(Kind.INT, "AccountID", "account_id"),
                of_kind(Kind.INT, "ChartOfAccountsOrder", const(0)),
                of_kind(Kind.BOOLEAN, "Active", "active"),
                of_kind(Kind.BOOLEAN, "CashAccount", "is_cash"),
                of_kind(Kind.STAMP, "CreatedDateTime", "created_at"),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
                *switched_off("RequireUnits Secured UseDefaultSubaccount"),
                *blanks(
                    Kind.STRING,
                    "AccountClass AccountGroup ConsolidationAccount CurrencyID RevaluationRateType TaxCategory",
                ),
            ]
        ),
    ),
)
SUBACCOUNT: Entity[CostCenter] = Entity(
    screen="GL203000",
    title="Subaccounts",
    keys=("SubaccountCD",),
    rows=lambda view: sorted(view.company.cost_centers.values(), key=lambda each: each.code.casefold()),
    note_id=lambda cost_center: cost_center.note_id,
    shape=Shape(
        type_name="Subaccount",
        fields=[
            of_kind(Kind.BOOLEAN, "Active", "active"),
            text("Description", "name"),
            of_kind(Kind.BOOLEAN, "Secured", const(value=False)),
            text("SubaccountCD", "code"),
            of_kind(Kind.INT, "SubaccountID", "cost_center_id"),
        ],
    ),
)
_JOURNAL_DETAIL: Shape[JournalRow] = Shape(
    type_name="JournalTransactionDetail",
    fields=by_name(
        [
            of_kind(Kind.INT, "LineNbr", "line.line_nbr"),
            text("Account", "line.account"),
            text("BranchID", "parent.branch"),
            text("Description", lambda row, view: view.company.accounts[row.line.account].name),
            text("ReferenceNbr", "line.reference_nbr"),
            text("Subaccount", "line.cost_center"),
            text("TransactionDescription", "line.description"),
            text("UOM", "line.unit"),
            text("VendorOrCustomer", lambda row, _: row.line.vendor or row.line.customer),
            text("Project", const("X")),
            of_kind(Kind.DECIMAL, "CreditAmount", "line.credit"),
            of_kind(Kind.DECIMAL, "DebitAmount", "line.debit"),
            of_kind(Kind.DECIMAL, "Qty", "line.quantity"),
            *switched_off("IsNonPM NonBillable"),
            *blanks(Kind.STRING, "CostCode ProjectTask"),
            *blanks(Kind.LONG, "ProjectTransactionID"),
        ]
    ),
    custom=[
        CustomField(view="GLTranModuleBatNbr", name="TranDate", kind=Kind.DAY, read=attr("parent.date")),
        CustomField(
            view="GLTranModuleBatNbr",
            name="FinPeriodID",
            kind=Kind.STRING,
            read=lambda row, view: view.period(row.parent.period),
        ),
        CustomField(view="GLTranModuleBatNbr", name="InventoryID", kind=Kind.STRING, read=attr("line.item")),
        CustomField(view="GLTranModuleBatNbr", name="OrigModule", kind=Kind.STRING, read=const(None)),
    ],
)
JOURNAL_TRANSACTION: Entity[Journal] = Entity(
    screen="GL301000",
    title="Journal Transactions",
    keys=("Module", "BatchNbr"),
    rows=lambda view: sorted(view.company.journals.values(), key=lambda each: (each.module, each.batch_nbr)),
    note_id=lambda journal: journal.note_id,
    archived=lambda journal: journal.archived,
    modified_at=lambda journal: journal.modified_at,
    shape=Shape(
        type_name="JournalTransaction",
        fields=by_name(
            [
                text("BatchNbr", "batch_nbr"),
                text("BranchID", "branch"),
                text("CurrencyID", "currency"),
                text("Description", "description"),
                text("LedgerID", const(LEDGER)),
                text("Module", "module"),
                text("PostPeriod", lambda journal, view: view.period(journal.period)),
                text("Status", lambda each, _: labels.BATCH_STATUS_CODE[each.status], labels.BATCH_STATUS),
                of_kind(Kind.BOOLEAN, "Hold", const(value=False)),
                of_kind(Kind.DAY, "TransactionDate", "date"),
                of_kind(Kind.STAMP, "CreatedDateTime", "created_at"),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
            ]
        ),
        collections=[
            Collection(
                "Details",
                _JOURNAL_DETAIL,
                lambda journal, _: [Pair(journal, line) for line in journal.lines],
            )
        ],
        custom=[
            CustomField(
                view="BatchModule",
                name="CuryDebitTotal",
                kind=Kind.DECIMAL,
                read=lambda journal, _: _total(journal, "debit"),
            ),
            CustomField(
                view="BatchModule",
                name="CuryCreditTotal",
                kind=Kind.DECIMAL,
                read=lambda journal, _: _total(journal, "credit"),
            ),
            CustomField(view="BatchModule", name="BatchType", kind=Kind.STRING, read=const("H")),
            CustomField(view="BatchModule", name="AutoReverse", kind=Kind.BOOLEAN, read=const(value=False)),
            CustomField(view="BatchModule", name="OrigBatchNbr", kind=Kind.STRING, read=const(None)),
        ],
    ),
)
_LEDGER_BRANCH: Shape[Branch] = Shape(
    type_name="LedgerBranches",
    fields=[
        of_kind(Kind.BOOLEAN, "Active", const(value=True)),
        text("BranchID", "code"),
        text("BranchName", "name"),
        text("CompanyName", lambda _, view: view.company.name),
    ],
)
_LEDGER_COMPANY: Shape[LedgerRecord] = Shape(
    type_name="LedgerCompanies",
    fields=[
        of_kind(Kind.BOOLEAN, "Active", const(value=True)),
        text("Company", const("MERIDIAN")),
        text("CompanyName", lambda _, view: view.company.name),
        text("CompanyType", const("With Branches Requiring Balancing")),
    ],
)
LEDGER_ENTITY: Entity[LedgerRecord] = Entity(
    screen="GL201500",
    title="Ledgers",
    keys=("LedgerID",),
    rows=_ledgers,
    note_id=lambda ledger: made_up_id("Ledger", ledger.code),
    modified_at=lambda _: _FOUNDED,
    shape=Shape(
        type_name="Ledger",
        fields=[
            of_kind(Kind.BOOLEAN, "ConsolidationSource", const(value=False)),
            text("Currency", "currency"),
            text("Description", const("Actual ledger")),
            of_kind(Kind.STAMP, "LastModifiedDateTime", const(_FOUNDED)),
            text("LedgerID", "code"),
            text("Type", const("A"), labels.LEDGER_TYPE),
        ],
        collections=[
            Collection("Branches", _LEDGER_BRANCH, lambda _, view: list(view.company.branches.values())),
            Collection("Companies", _LEDGER_COMPANY, lambda ledger, _: [ledger]),
        ],
    ),
)
_PERIOD: Shape[Period] = Shape(
    type_name="FinancialPeriodDetail",
    fields=by_name(
        [
            text("Description", lambda period, _: period.starts_on.strftime("%B")),
            text("FinancialPeriodID", lambda period, view: view.period(period.code)),
            text("PeriodNbr", lambda period, _: period.code[4:]),
            text("Status", lambda period, _: "C" if period.closed else "O", labels.PERIOD_STATUS),
            of_kind(Kind.DAY, "StartDate", "starts_on"),
            of_kind(Kind.DAY, "EndDate", "ends_on"),
            of_kind(Kind.INT, "LengthInDays", lambda period, _: (period.ends_on - period.starts_on).days + 1),
            of_kind(Kind.BOOLEAN, "AdjustmentPeriod", const(value=False)),
            *(
                of_kind(Kind.BOOLEAN, f"ClosedIn{module}", "closed")
                for module in ("AP", "AR", "CA", "FA", "IN")
            ),
        ]
    ),
)
FINANCIAL_PERIOD: Entity[Year] = Entity(
    screen="GL201000",
    title="Master Financial Calendar",
    keys=("FinancialYear",),
    rows=years,
    note_id=lambda year: made_up_id("FinancialPeriod", year.code),
    # closing a period moves the period's stamp, not the year's
    modified_at=lambda year: year.periods[0].created_at,
    shape=Shape(
        type_name="FinancialPeriod",
        fields=[
            of_kind(Kind.STAMP, "CreatedDateTime", lambda year, _: year.periods[0].created_at),
            text("FinancialYear", "code"),
            of_kind(Kind.STAMP, "LastModifiedDateTime", lambda year, _: year.periods[0].created_at),
            of_kind(Kind.SHORT, "NbrOfPeriods", const(12)),
            of_kind(Kind.DAY, "StartDate", lambda year, _: year.periods[0].starts_on),
            of_kind(Kind.BOOLEAN, "UserDefinedPeriods", const(value=False)),
        ],
        collections=[Collection("Details", _PERIOD, lambda year, _: year.periods)],
    ),
)
CURRENCY: Entity[Currency] = Entity(
    screen="CM202000",
    title="Currencies",
    keys=("CurrencyID",),
    rows=lambda view: list(view.company.currencies.values()),
    note_id=lambda currency: currency.note_id,
    modified_at=lambda currency: currency.modified_at,
    shape=Shape(
        type_name="Currency",
        fields=[
            of_kind(Kind.BOOLEAN, "Active", const(value=True)),
            of_kind(Kind.STAMP, "CreatedDateTime", "created_at"),
            text("CurrencyID", "code"),
            text("CurrencySymbol", "symbol"),
            of_kind(Kind.SHORT, "DecimalPrecision", "precision"),
            text("Description", "name"),
            of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
            Field(name="UseForAccounting", kind=Kind.BOOLEAN, read=const(value=True)),
        ],
    ),
)
