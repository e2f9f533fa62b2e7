"""Rows ready to be read: in the order of their keys, prepared once per version of the company."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import zlib
from typing import TYPE_CHECKING, Any

from tests.sandbox.sage_intacct import (
    audit,
    tables_ap,
    tables_ar,
    tables_documents,
    tables_gl,
    tables_masters,
    tables_payments,
    tables_periods,
    tables_time,
)
from tests.sandbox.sage_intacct.tables import Table
from tests.sandbox.sage_intacct.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.company.world import World
    from tests.sandbox.sage_intacct.switches import Switches
    from tests.sandbox.sage_intacct.tables import Columns
    from tests.sandbox.sage_intacct.values import Value

TABLES: dict[str, Table] = {
    **tables_gl.TABLES,
    **tables_masters.TABLES,
    **tables_ap.TABLES,
    **tables_payments.TABLES,
    **tables_ar.TABLES,
    **tables_documents.TABLES,
    **tables_periods.TABLES,
    **tables_time.TABLES,
    **audit.TABLES,
}
_EMPTY = Table(rows=lambda _: (), columns=lambda _: {})
_KEPT_ANSWERS = 64
_KEYS = ("RECORDNO", "ID", "id")


class Shelf:
    """One object of one version of the company.

    Attributes:
        key: The field that rows are in the order of.
    """

    def __init__(self, name: str, table: Table, view: View) -> None:
        self.name = name
        self.table = table
        self.columns: Columns = table.columns(view)
        self._view = view
        self._rows: list[Any] | None = None
        self._indexes: dict[str, dict[str, Any]] = {}
        self.answers: dict[object, list[Any]] = {}
        self.key = next((key for key in _KEYS if key in self.columns), "")

    def get(self, field: str) -> Callable[[Any], Value]:
        """How a row shows a field; nothing when the company has no such values."""
        return self.columns.get(field, _nothing)

    @property
    def rows(self) -> list[Any]:
        """All rows that can be seen by now."""
        if self._rows is None:
            made = [row for row in self.table.rows(self._view) if not self._is_late(row)]
            self._rows = sorted(made, key=self.sort_key) if self.key else made
        return self._rows

    def sort_key(self, row: Any) -> Any:
        """The key of a row, as it compares."""
        return comparable_key(self.columns[self.key](row), self._view.switches.text_keys_compare)

    def visible(self, location: str | None, *, show_private: bool) -> list[Any]:
        """The rows that a session sees: shared ones and those of its entity, or all that are not private."""
        entity = self.table.entity
        private = self._view.switches.private_entities
        if location is not None:
            return self.kept(
                ("entity", location), lambda: [row for row in self.rows if entity(row) in {None, location}]
            )
        if show_private:
            return self.rows
        return self.kept(("open",), lambda: [row for row in self.rows if entity(row) not in private])

    def kept(self, name: object, make: Callable[[], list[Any]]) -> list[Any]:
        """An answer that is made once."""
        if name not in self.answers:
            if len(self.answers) >= _KEPT_ANSWERS:
                self.answers.clear()
            self.answers[name] = make()
        return self.answers[name]

    def find(self, field: str, key: object) -> Any:
        """The row with a value, or None."""
        if field not in self._indexes:
            get = self.get(field)
            self._indexes[field] = {str(get(row)): row for row in self.rows}
        return self._indexes[field].get(str(key))

    def _is_late(self, row: Any) -> bool:
        """Rows can become visible long after their stamp: the API is eventually consistent."""
        switches = self._view.switches
        minutes = switches.late_audit_minutes if self.name == "AUDITHISTORY" else switches.late_minutes
        if not minutes:
            return False
        stamp = next(
            (
                value
                for field in ("WHENMODIFIED", "AUWHENCREATED", "WHENCREATED", "ACCESSTIME")
                if isinstance(value := self.get(field)(row), dt.datetime)
            ),
            None,
        )
        young = stamp is not None and stamp > self._view.company.clock - dt.timedelta(minutes=minutes)
        everyone = self.name == "AUDITHISTORY"
        return young and (everyone or zlib.crc32(str(self.get(self.key)(row)).encode()) % 4 == 0)


def comparable_key(value: Value, how: str) -> Any:
    """A key as it compares; nulls come first."""
    if isinstance(value, str) and how == "number":
        return (1, int(re.sub(r"\D", "", value) or 0), value)
    return (0,) if value is None else (1, value)


def _nothing(_: Any) -> None:
    return None


class Shelves:
    """All objects. Whoever uses them holds the lock of the world."""

    def __init__(self, world: World, switches: Switches) -> None:
        self._world = world
        self._switches = switches
        self._prepared_for: tuple[int, str] | None = None
        self._shelves: dict[str, Shelf] = {}
        self._view: View | None = None
        self._serial = itertools.count(1)

    @property
    def view(self) -> View:
        """The company as it is now."""
        now = (self._world.version, repr(self._switches))
        if self._view is None or self._prepared_for != now:
            self._prepared_for = now
            self._view = View(self._world.company, self._switches)
            self._shelves.clear()
        return self._view

    def shelf(self, name: str) -> Shelf:
        """The rows of an object; empty for objects that the company has nothing of."""
        view = self.view
        if name not in self._shelves:
            self._shelves[name] = Shelf(name, TABLES.get(name, _EMPTY), view)
        return self._shelves[name]

    def shuffled(self, rows: list[Any], shelf: Shelf) -> list[Any]:
        """The rows in an order that no other query gave them in."""
        salt = next(self._serial)
        get = shelf.get(shelf.key)
        return sorted(rows, key=lambda row: zlib.crc32(f"{salt}|{get(row)}".encode()))
