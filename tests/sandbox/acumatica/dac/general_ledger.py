"""DACs of the general ledger."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.acumatica import LEDGER, LEDGER_ID, labels
from tests.sandbox.acumatica.dac.shapes import Dac, Property, many, one, prop
from tests.sandbox.acumatica.entities.ledger import made_up_id
from tests.sandbox.acumatica.shapes import Pair, const
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company.model import JournalStatus
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.balances import HistoryRow
    from tests.sandbox.acumatica.view import View
    from tests.sandbox.company.model import Account, Branch, CostCenter, Journal, JournalLine, Period

GL = "PX.Objects.GL"
STAMPS = (
    prop(Kind.STAMP, "CreatedDateTime", "created_at"),
    prop(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
)
PARENT_STAMPS = (
    prop(Kind.STAMP, "CreatedDateTime", "parent.created_at"),
    prop(Kind.STAMP, "LastModifiedDateTime", "parent.modified_at"),
)
TO_BRANCH = one("Branch", "BranchID", "BranchID")
TO_ACCOUNT = one("Account", "AccountID", "AccountID")
TO_SUB = one("Sub", "SubID", "SubID")
TO_LEDGER = one("Ledger", "LedgerID", "LedgerID")


class SegmentRow(NamedTuple):
    """One value of the only segment of subaccounts."""

    cost_center: CostCenter


def branch_id(view: View, code: str) -> int:
    """The internal number of a branch."""
    return view.company.branches[code].branch_id


def account_id(view: View, code: str) -> int:
    """The internal number of an account."""
    return view.company.accounts[code].account_id


def sub_id(view: View, code: str) -> int:
    """The internal number of a subaccount."""
    return view.company.cost_centers[code].cost_center_id


def _is_posted(journal: Journal) -> bool:
    return journal.status is JournalStatus.POSTED


def _sum(journal: Journal, side: str) -> Decimal:
    return sum((getattr(line, side) for line in journal.lines), ZERO)


def _journals(view: View) -> list[Journal]:
    return sorted(view.company.journals.values(), key=lambda each: (each.module, each.batch_nbr))


def _lines(view: View) -> list[Pair[Journal, JournalLine]]:
    return [Pair(journal, line) for journal in _journals(view) for line in journal.lines]


def _balance_columns() -> list[Property[HistoryRow]]:
    """The same four numbers by financial and by transaction period, in base and in account currency."""
    columns = []
    for prefix in ("Fin", "Tran", "CuryFin", "CuryTran"):
        columns += [
            prop(Kind.DECIMAL, f"{prefix}PtdDebit", "debit"),
            prop(Kind.DECIMAL, f"{prefix}PtdCredit", "credit"),
            prop(Kind.DECIMAL, f"{prefix}BegBalance", "beginning"),
            prop(Kind.DECIMAL, f"{prefix}YtdBalance", "ending"),
        ]
    return columns


ACCOUNT: Dac[Account] = Dac(
    name="Account",
    namespace=GL,
    screen="GL202500",
    keys=("AccountID",),
    rows=lambda view: sorted(view.company.accounts.values(), key=lambda each: each.account_id),
    modified_at=lambda account: account.modified_at,
    properties=(
        prop(Kind.INT, "AccountID", "account_id"),
        prop(Kind.STRING, "AccountCD", "code", width=10),
        prop(Kind.STRING, "Description", "name"),
        prop(Kind.STRING, "Type", lambda each, _: labels.ACCOUNT_TYPE_CODE[each.type]),
        prop(Kind.BOOLEAN, "Active", "active"),
        prop(Kind.BOOLEAN, "IsCashAccount", "is_cash"),
        prop(Kind.STRING, "CuryID", const(None)),
        prop(Kind.STRING, "AccountClassID", const(None)),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
SUB: Dac[CostCenter] = Dac(
    name="Sub",
    namespace=GL,
    screen="GL203000",
    keys=("SubID",),
    rows=lambda view: sorted(view.company.cost_centers.values(), key=lambda each: each.cost_center_id),
    modified_at=lambda each: each.modified_at,
    properties=(
        prop(Kind.INT, "SubID", "cost_center_id"),
        prop(Kind.STRING, "SubCD", "code", width=30),
        prop(Kind.STRING, "Description", "name"),
        prop(Kind.BOOLEAN, "Active", "active"),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
SEGMENT_VALUE: Dac[SegmentRow] = Dac(
    name="SegmentValue",
    namespace="PX.Objects.CS",
    screen="CS203000",
    keys=("DimensionID", "SegmentID", "Value"),
    rows=lambda view: [SegmentRow(each) for _, each in sorted(view.company.cost_centers.items())],
    modified_at=lambda row: row.cost_center.modified_at,
    properties=(
        prop(Kind.STRING, "DimensionID", const("SUBACCOUNT"), width=15),
        prop(Kind.SHORT, "SegmentID", const(1)),
        prop(Kind.STRING, "Value", "cost_center.code", width=30),
        prop(Kind.STRING, "Descr", "cost_center.name"),
        prop(Kind.BOOLEAN, "Active", "cost_center.active"),
        prop(Kind.STAMP, "LastModifiedDateTime", "cost_center.modified_at"),
    ),
)
BRANCH: Dac[Branch] = Dac(
    name="Branch",
    namespace=GL,
    screen="CS102000",
    keys=("BranchID",),
    rows=lambda view: sorted(view.company.branches.values(), key=lambda each: each.branch_id),
    modified_at=lambda branch: branch.modified_at,
    properties=(
        prop(Kind.INT, "BranchID", "branch_id"),
        prop(Kind.STRING, "BranchCD", "code", width=30),
        prop(Kind.STRING, "AcctName", "name"),
        prop(Kind.STRING, "CountryID", "country"),
        prop(Kind.STRING, "BaseCuryID", lambda _, view: view.company.base_currency),
        prop(Kind.BOOLEAN, "Active", const(value=True)),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
LEDGER_DAC: Dac[str] = Dac(
    name="Ledger",
    namespace=GL,
    screen="GL201500",
    keys=("LedgerID",),
    rows=lambda view: [LEDGER] if view.company.branches else [],
    properties=(
        prop(Kind.INT, "LedgerID", const(LEDGER_ID)),
        prop(Kind.STRING, "LedgerCD", const(LEDGER), width=10),
        prop(Kind.STRING, "Descr", const("Actual ledger")),
        prop(Kind.STRING, "BalanceType", const("A")),
        prop(Kind.STRING, "BaseCuryID", lambda _, view: view.company.base_currency),
        prop(Kind.GUID, "NoteID", const(made_up_id("Ledger", LEDGER))),
    ),
)
MASTER_FIN_PERIOD: Dac[Period] = Dac(
    name="MasterFinPeriod",
    namespace="PX.Objects.GL.FinPeriods",
    screen="GL201000",
    keys=("FinPeriodID",),
    rows=lambda view: sorted(view.company.periods.values(), key=lambda period: period.code),
    modified_at=lambda period: period.modified_at,
    properties=(
        prop(Kind.STRING, "FinPeriodID", "code"),
        prop(Kind.STRING, "FinYear", lambda period, _: period.code[:4]),
        prop(Kind.STRING, "PeriodNbr", lambda period, _: period.code[4:]),
        prop(Kind.STRING, "Descr", lambda period, _: period.starts_on.strftime("%B")),
        prop(Kind.DAY, "StartDate", "starts_on"),
        # the first day that no longer belongs to it
        prop(Kind.DAY, "EndDate", lambda period, _: period.ends_on + dt.timedelta(days=1)),
        prop(Kind.STRING, "Status", lambda period, _: "Closed" if period.closed else "Open"),
        *(prop(Kind.BOOLEAN, f"{module}Closed", "closed") for module in ("AP", "AR", "CA", "FA", "IN")),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
GL_HISTORY: Dac[HistoryRow] = Dac(
    name="GLHistory",
    namespace=GL,
    screen="GL401000",
    keys=("LedgerID", "BranchID", "AccountID", "SubID", "FinPeriodID"),
    rows=lambda view: view.history,
    modified_at=lambda row: row.stamp,
    properties=(
        prop(Kind.INT, "LedgerID", const(LEDGER_ID)),
        prop(Kind.INT, "BranchID", "branch.branch_id"),
        prop(Kind.INT, "AccountID", "account.account_id"),
        prop(Kind.INT, "SubID", "cost_center.cost_center_id"),
        prop(Kind.STRING, "FinPeriodID", "period"),
        prop(Kind.STRING, "FinYear", lambda row, _: row.period[:4]),
        prop(Kind.STRING, "BalanceType", const("A")),
        prop(Kind.STRING, "CuryID", lambda _, view: view.company.base_currency),
        *_balance_columns(),
        prop(Kind.DECIMAL, "FinPtdRevalued", const(ZERO)),
        prop(Kind.DECIMAL, "AllocPtdBalance", const(ZERO)),
        prop(Kind.DECIMAL, "AllocBegBalance", const(ZERO)),
        prop(Kind.STAMP, "LastModifiedDateTime", "stamp"),
    ),
    navigations=(TO_ACCOUNT, TO_BRANCH, TO_LEDGER, TO_SUB),
)
BATCH: Dac[Journal] = Dac(
    name="Batch",
    namespace=GL,
    screen="GL301000",
    keys=("Module", "BatchNbr"),
    rows=_journals,
    modified_at=lambda journal: journal.modified_at,
    archived=lambda journal: journal.archived,
    deleted_from=("journals",),
    properties=(
        prop(Kind.STRING, "Module", "module"),
        prop(Kind.STRING, "BatchNbr", "batch_nbr"),
        prop(Kind.INT, "LedgerID", const(LEDGER_ID)),
        prop(Kind.INT, "BranchID", lambda journal, view: branch_id(view, journal.branch)),
        prop(Kind.STRING, "FinPeriodID", "period"),
        prop(Kind.STRING, "TranPeriodID", "period"),
        prop(Kind.DAY, "DateEntered", "date"),
        prop(Kind.STRING, "CuryID", "currency"),
        prop(Kind.DECIMAL, "CuryDebitTotal", lambda journal, _: _sum(journal, "debit")),
        prop(Kind.DECIMAL, "CuryCreditTotal", lambda journal, _: _sum(journal, "credit")),
        prop(Kind.DECIMAL, "DebitTotal", lambda journal, _: _sum(journal, "base_debit")),
        prop(Kind.DECIMAL, "CreditTotal", lambda journal, _: _sum(journal, "base_credit")),
        prop(Kind.STRING, "Description", "description"),
        prop(Kind.STRING, "Status", lambda journal, _: labels.BATCH_STATUS_CODE[journal.status]),
        prop(Kind.BOOLEAN, "Released", lambda journal, _: _is_posted(journal)),
        prop(Kind.BOOLEAN, "Posted", lambda journal, _: _is_posted(journal)),
        prop(Kind.BOOLEAN, "Voided", const(value=False)),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
    navigations=(TO_BRANCH, TO_LEDGER, many("GLTran", ("Module", "BatchNbr"))),
)
GL_TRAN: Dac[Any] = Dac(
    name="GLTran",
    namespace=GL,
    screen="GL301000",
    keys=("Module", "BatchNbr", "LineNbr"),
    rows=_lines,
    modified_at=lambda row: row.parent.modified_at,
    archived=lambda row: row.parent.archived,
    properties=(
        prop(Kind.STRING, "Module", "parent.module"),
        prop(Kind.STRING, "BatchNbr", "parent.batch_nbr"),
        prop(Kind.INT, "LineNbr", "line.line_nbr"),
        prop(Kind.INT, "LedgerID", const(LEDGER_ID)),
        prop(Kind.INT, "BranchID", lambda row, view: branch_id(view, row.parent.branch)),
        prop(Kind.INT, "AccountID", lambda row, view: account_id(view, row.line.account)),
        prop(Kind.INT, "SubID", lambda row, view: sub_id(view, row.line.cost_center)),
        prop(Kind.STRING, "FinPeriodID", "parent.period"),
        prop(Kind.STRING, "TranPeriodID", "parent.period"),
        prop(Kind.DAY, "TranDate", "parent.date"),
        prop(Kind.STRING, "CuryID", "parent.currency"),
        prop(Kind.DECIMAL, "CuryDebitAmt", "line.debit"),
        prop(Kind.DECIMAL, "CuryCreditAmt", "line.credit"),
        prop(Kind.DECIMAL, "DebitAmt", "line.base_debit"),
        prop(Kind.DECIMAL, "CreditAmt", "line.base_credit"),
        prop(Kind.STRING, "RefNbr", "line.reference_nbr"),
        prop(Kind.STRING, "TranDesc", "line.description"),
        prop(Kind.DECIMAL, "Qty", "line.quantity"),
        prop(Kind.STRING, "UOM", "line.unit"),
        prop(Kind.BOOLEAN, "Released", lambda row, _: _is_posted(row.parent)),
        prop(Kind.BOOLEAN, "Posted", lambda row, _: _is_posted(row.parent)),
        prop(Kind.GUID, "NoteID", lambda row, _: made_up_id(row.parent.note_id, str(row.line.line_nbr))),
        *PARENT_STAMPS,
    ),
    navigations=(TO_ACCOUNT, TO_BRANCH, TO_LEDGER, TO_SUB),
)
