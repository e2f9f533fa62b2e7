"""The databases of the site: every table of every company, made anew when the company has changed."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

from tests.sandbox.syspro import COMPANIES, rows_ap, rows_ar, rows_gl, rows_trade
from tests.sandbox.syspro.row_versions import RowVersions
from tests.sandbox.syspro.schema import CHANGES_VIEW, TABLES, VIEWS, Row, Table, Value
from tests.sandbox.syspro.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.sandbox.company.world import World
    from tests.sandbox.syspro.switches import Switches

_KEPT_ANSWERS = 64
_ORDERS = frozenset({"PurchaseOrder", "SalesOrder", "MSalesOrder", "SubModSalesOrder"})
_MAKERS: dict[str, Callable[[View], Iterable[dict[str, Value]]]] = {
    "GenMaster": rows_gl.masters,
    "GenHistory": rows_gl.history,
    "GenTransaction": rows_gl.transactions,
    "GenJournalDetail": rows_gl.journal_details,
    "GenJournalCtl": rows_gl.journal_controls,
    "GenBudgets": rows_gl.budgets,
    "GenGroups": rows_gl.groups,
    "GenAnalysisTrn": rows_gl.analysis_entries,
    "GenAnalysisCode": rows_gl.analysis_codes,
    "TblArTerms": rows_ap.terms,
    "TblApTerms": rows_ap.terms,
    "TblCurrency": rows_ap.currencies,
    "SalBranch": rows_ap.branches,
    "ApSupplier": rows_ap.suppliers,
    "ApSupplier+": rows_ap.supplier_custom_forms,
    "ApSupplierAddr": rows_ap.supplier_addresses,
    "ApInvoice": rows_ap.invoices,
    "ApInvoicePay": rows_ap.invoice_payments,
    CHANGES_VIEW: rows_ap.changed_invoices,
    "ArCustomer": rows_ar.customers,
    "ArCustomer+": rows_ar.customer_custom_forms,
    "ArCustomerBal": rows_ar.customer_balances,
    "ArInvoice": rows_ar.invoices,
    "ArInvoicePay": rows_ar.invoice_payments,
    "ArTrnSummary": rows_ar.sales_summaries,
    "ArTrnDetail": rows_ar.sales_details,
    "InvMaster": rows_trade.items,
    "InvMaster+": rows_trade.item_custom_forms,
    "InvWhControl": rows_trade.warehouses,
    "InvWarehouse": rows_trade.stock,
    "InvMovements": rows_trade.movements,
    "PorMasterHdr": rows_trade.purchase_orders,
    "PorMasterDetail": rows_trade.purchase_order_lines,
    "SorMaster": rows_trade.sales_orders,
    "SorDetail": rows_trade.sales_order_lines,
    "SorAdditions": rows_trade.added_sales_lines,
    "SorCancelled": rows_trade.cancelled_sales_lines,
    "SorChanges": rows_trade.changed_sales_lines,
}


@dataclasses.dataclass
class Contents:
    """The rows of a table, in key order; the last value of each is its row version.

    Attributes:
        answers: What a filter and an order came to, so that paging through it costs no more than finding it once.
    """

    table: Table
    rows: list[Row]
    answers: dict[str, list[Row]] = dataclasses.field(default_factory=dict)

    def remember(self, name: str, find: Callable[[], list[Row]]) -> list[Row]:
        """The rows of an answer; the same name is answered the same way."""
        if name not in self.answers:
            if len(self.answers) >= _KEPT_ANSWERS:
                self.answers.clear()
            self.answers[name] = find()
        return self.answers[name]


class Database:
    """The tables of one SYSPRO company. Whoever uses it holds the lock of the world.

    Args:
        world: The company that is shown.
        company_id: The SYSPRO company.
        switches: How the site behaves.
        directory: Where row versions are kept; None for nowhere.
    """

    def __init__(self, world: World, company_id: str, switches: Switches, directory: Path | None) -> None:
        self.company_id = company_id
        self._world = world
        self._switches = switches
        self._versions = RowVersions(directory)
        self._made_for: tuple[object, ...] = ()
        self._contents: dict[str, Contents] = {}

    @property
    def tables(self) -> dict[str, Table]:
        """The tables and views that this site has."""
        known = {**TABLES, **(VIEWS if self._switches.changes_view else {})}
        return {name: table for name, table in known.items() if name not in self._switches.missing_sets}

    def contents(self, name: str) -> Contents:
        """The rows of a table as they are now."""
        switches = self._switches
        now = (
            self._world.version,
            switches.orders_padded_with_blanks,
            switches.divided_currencies,
            switches.gl_in_first_company,
            switches.purged_before,
            switches.control_characters,
        )
        if now != self._made_for:
            self._made_for = now
            self._contents.clear()
            self.__dict__.pop("view", None)
        if name not in self._contents:
            self._contents[name] = self._make(self.tables[name])
        return self._contents[name]

    @functools.cached_property
    def view(self) -> View:
        """What rows are made from."""
        return View(self._world.company, self.company_id, self._switches)

    def restore_elsewhere(self) -> None:
        """Number the rows anew, as after a restore on another server."""
        self._versions.reset()
        self._contents.clear()

    def _make(self, table: Table) -> Contents:
        made = _MAKERS[table.name](self.view)
        if self._switches.orders_padded_with_blanks:
            made = map(_with_blanks, made)
        rows = [table.row(values) for values in made]
        if table.is_view:
            numbers = {table.key_of(row[:-1]): row[-1] for row in self.contents("ApInvoice").rows}
            rows = [(*row[:-1], numbers[table.key_of(row)], None) for row in rows]
            return Contents(table, rows)
        rows.sort(key=table.key_of)
        versions = self._versions.assign(table.name, ((table.key_of(row), row) for row in rows))
        return Contents(table, [(*row, version) for row, version in zip(rows, versions, strict=True)])


def _with_blanks(values: dict[str, Value]) -> dict[str, Value]:
    """Values whose order numbers have blanks in front instead of zeros."""
    found = dict(values)
    for name in _ORDERS & values.keys():
        number = str(values[name])
        found[name] = number.lstrip("0").rjust(len(number))
    return found


class Databases:
    """The databases of all companies."""

    def __init__(self, world: World, switches: Switches, directory: Path | None) -> None:
        self.by_company = {
            company_id: Database(world, company_id, switches, directory / company_id if directory else None)
            for company_id in COMPANIES
        }
