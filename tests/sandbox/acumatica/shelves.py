"""Rows ready to be listed: in key order, searchable by stamp, prepared once per version of the company."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from tests.sandbox.acumatica import TENANT
from tests.sandbox.acumatica.view import View
from tests.sandbox.company.model import Company

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from tests.sandbox.acumatica.switches import Switches
    from tests.sandbox.company.world import World

Row = TypeVar("Row")
_KEPT_ANSWERS = 32


class Shelf(Generic[Row]):
    """The rows of one table.

    Args:
        rows: In the order of their keys.
        modified_at: Gives a row's stamp; None for tables without one.
    """

    def __init__(self, rows: list[Row], modified_at: Callable[[Row], dt.datetime] | None) -> None:
        self.rows = rows
        self._modified_at = modified_at
        self._stamps: list[tuple[dt.datetime, int]] | None = None
        self._answers: dict[str, list[Row]] = {}
        self._groups: dict[str, dict[object, list[Row]]] = {}
        self._indexes: dict[str, dict[object, Row]] = {}

    def select(
        self,
        name: str,
        matches: Callable[[Row], bool],
        window: tuple[dt.datetime | None, dt.datetime | None] = (None, None),
        order: Callable[[list[Row]], list[Row]] | None = None,
    ) -> list[Row]:
        """The rows that match, in key order unless told otherwise.

        Args:
            name: Stands for `matches`: the same name is answered the same way without looking again, so that
                paging through an answer costs no more than finding it once.
            matches: Whether a row belongs to the answer.
            window: No row outside this closed interval of stamps matches.
            order: Puts the rows into another order.
        """
        if name not in self._answers:
            if len(self._answers) >= _KEPT_ANSWERS:
                self._answers.clear()
            found = [row for row in self._within(window) if matches(row)]
            self._answers[name] = found if order is None else order(found)
        return self._answers[name]

    def find_all(self, index: str, key_of: Callable[[Row], object], key: object) -> list[Row]:
        """The rows with a key that several may share, in key order, through an index that is made once."""
        if index not in self._groups:
            groups: dict[object, list[Row]] = {}
            for row in self.rows:
                groups.setdefault(key_of(row), []).append(row)
            self._groups[index] = groups
        return self._groups[index].get(key, [])

    def find(self, index: str, key_of: Callable[[Row], object], key: object) -> Row | None:
        """The row with a key, through an index that is made once; `index` names it."""
        if index not in self._indexes:
            self._indexes[index] = {key_of(row): row for row in self.rows}
        return self._indexes[index].get(key)

    def _within(self, window: tuple[dt.datetime | None, dt.datetime | None]) -> list[Row]:
        lower, upper = window
        if self._modified_at is None or (lower is None and upper is None):
            return self.rows
        if self._stamps is None:
            stamps = ((self._modified_at(row), place) for place, row in enumerate(self.rows))
            self._stamps = sorted(stamps)
        first = 0 if lower is None else bisect.bisect_left(self._stamps, lower, key=_stamp)
        last = len(self._stamps) if upper is None else bisect.bisect_right(self._stamps, upper, key=_stamp)
        return [self.rows[place] for place in sorted(place for _, place in self._stamps[first:last])]


def _stamp(entry: tuple[dt.datetime, int]) -> dt.datetime:
    return entry[0]


class Shelves:
    """All tables of all tenants. Whoever uses them holds the lock of the world."""

    def __init__(self, world: World, switches: Switches) -> None:
        self._world = world
        self._switches = switches
        self._prepared_for: tuple[object, ...] = ()
        self._views: dict[str, View] = {}
        self._shelves: dict[tuple[str, str], Shelf[Any]] = {}

    def view(self, tenant: str) -> View:
        """The company as a tenant shows it; tenants other than the first show an empty one."""
        self._refresh()
        if tenant not in self._views:
            company = self._world.company if tenant == TENANT else _nothing_like(self._world.company)
            self._views[tenant] = View(company, self._switches)
        return self._views[tenant]

    def shelf(
        self,
        tenant: str,
        name: str,
        rows: Callable[[View], list[Row]],
        modified_at: Callable[[Row], dt.datetime] | None,
    ) -> Shelf[Row]:
        """The rows of one table of a tenant."""
        view = self.view(tenant)
        if (tenant, name) not in self._shelves:
            self._shelves[tenant, name] = Shelf(rows(view), modified_at)
        return cast("Shelf[Row]", self._shelves[tenant, name])

    def _refresh(self) -> None:
        switches = self._switches
        now = (
            self._world.version,
            switches.period_style,
            switches.history_stamps_carried,
            switches.line_stamps_follow_document,
        )
        if self._prepared_for != now:
            self._prepared_for = now
            self._views.clear()
            self._shelves.clear()


def _nothing_like(company: Company) -> Company:
    return Company(
        name="Test",
        base_currency=company.base_currency,
        seed=company.seed,
        clock=company.clock,
        counters={},
        branches={},
        accounts={},
        cost_centers={},
        terms={},
        vendors={},
        customers={},
        items={},
        periods={},
        purchase_orders={},
        bills={},
        payments={},
        sales_invoices={},
        journals={},
        deletions=[],
    )
