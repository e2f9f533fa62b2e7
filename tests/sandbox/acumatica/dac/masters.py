"""DACs of projects, cost codes, credit terms and currencies; and balances carried to every period."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.acumatica import LEDGER_ID, labels
from tests.sandbox.acumatica.dac.general_ledger import GL, STAMPS, TO_ACCOUNT, TO_BRANCH, TO_LEDGER, TO_SUB
from tests.sandbox.acumatica.dac.receivables import TO_CUSTOMER, customer_id
from tests.sandbox.acumatica.dac.shapes import Dac, prop
from tests.sandbox.acumatica.shapes import const
from tests.sandbox.acumatica.wire import Kind

if TYPE_CHECKING:
    from tests.sandbox.acumatica.balances import HistoryRow
    from tests.sandbox.acumatica.view import View
    from tests.sandbox.company.model import CostCode, Currency, Project, Terms


class ByPeriod(NamedTuple):
    """A period and the last balance up to it."""

    last: HistoryRow
    period: str


def _customer_id(project: Project, view: View) -> int | None:
    return None if project.customer is None else customer_id(view, project.customer)


def _by_period(view: View) -> list[ByPeriod]:
    """Income and expense accounts are not carried into another year."""
    rows: list[ByPeriod] = []
    periods = list(view.company.periods)
    for history in view.history_by_place.values():
        active = {row.period: row for row in history}
        last: HistoryRow | None = None
        for period in periods:
            last = active.get(period, last)
            if last is None:
                continue
            resets = labels.ACCOUNT_TYPE_CODE[last.account.type] in {"I", "E"}
            if not resets or last.period[:4] == period[:4]:
                rows.append(ByPeriod(last, period))
    rows.sort(key=_key)
    return rows


def _key(row: ByPeriod) -> tuple[int, int, int, str]:
    last = row.last
    return last.branch.branch_id, last.account.account_id, last.cost_center.cost_center_id, row.period


GL_HISTORY_BY_PERIOD: Dac[ByPeriod] = Dac(
    name="GLHistoryByPeriod",
    namespace=GL,
    screen="GL401000",
    keys=("LedgerID", "BranchID", "AccountID", "SubID", "FinPeriodID"),
    rows=_by_period,
    properties=(
        prop(Kind.INT, "LedgerID", const(LEDGER_ID)),
        prop(Kind.INT, "BranchID", "last.branch.branch_id"),
        prop(Kind.INT, "AccountID", "last.account.account_id"),
        prop(Kind.INT, "SubID", "last.cost_center.cost_center_id"),
        prop(Kind.STRING, "FinPeriodID", "period"),
        prop(Kind.STRING, "LastActivityPeriod", "last.period"),
    ),
    navigations=(TO_ACCOUNT, TO_BRANCH, TO_LEDGER, TO_SUB),
)
PM_PROJECT: Dac[Project] = Dac(
    name="PMProject",
    namespace="PX.Objects.PM",
    screen="PM301000",
    keys=("ContractCD",),
    rows=lambda view: sorted(view.company.projects.values(), key=lambda each: each.code.casefold()),
    modified_at=lambda project: project.modified_at,
    properties=(
        prop(Kind.INT, "ContractID", "project_id"),
        prop(Kind.STRING, "ContractCD", "code", width=30),
        prop(Kind.STRING, "Description", "name"),
        prop(Kind.INT, "CustomerID", _customer_id),
        prop(Kind.STRING, "Status", lambda project, _: "A" if project.active else "F"),
        prop(Kind.BOOLEAN, "IsActive", "active"),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
    navigations=(TO_CUSTOMER,),
)
PM_COST_CODE: Dac[CostCode] = Dac(
    name="PMCostCode",
    namespace="PX.Objects.PM",
    screen="PM209500",
    keys=("CostCodeCD",),
    rows=lambda view: sorted(view.company.cost_codes.values(), key=lambda each: each.code.casefold()),
    modified_at=lambda cost_code: cost_code.modified_at,
    properties=(
        prop(Kind.INT, "CostCodeID", "cost_code_id"),
        prop(Kind.STRING, "CostCodeCD", "code", width=30),
        prop(Kind.STRING, "Description", "name"),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
TERMS: Dac[Terms] = Dac(
    name="Terms",
    namespace="PX.Objects.CS",
    screen="CS206500",
    keys=("TermsID",),
    rows=lambda view: list(view.company.terms.values()),
    modified_at=lambda terms: terms.modified_at,
    properties=(
        prop(Kind.STRING, "TermsID", "code", width=10),
        prop(Kind.STRING, "Descr", "description"),
        prop(Kind.STRING, "DueType", const("N")),
        prop(Kind.SHORT, "DayDue00", "days"),
        prop(Kind.GUID, "NoteID", "note_id"),
        *STAMPS,
    ),
)
CURRENCY_LIST: Dac[Currency] = Dac(
    name="CurrencyList",
    namespace="PX.Objects.CM",
    screen="CM202000",
    keys=("CuryID",),
    rows=lambda view: list(view.company.currencies.values()),
    modified_at=lambda currency: currency.modified_at,
    properties=(
        prop(Kind.STRING, "CuryID", "code"),
        prop(Kind.STRING, "Description", "name"),
        prop(Kind.STRING, "CurySymbol", "symbol"),
        prop(Kind.SHORT, "DecimalPlaces", "precision"),
        prop(Kind.BOOLEAN, "IsActive", const(value=True)),
        prop(Kind.BOOLEAN, "IsFinancial", const(value=True)),
        *STAMPS,
    ),
)
