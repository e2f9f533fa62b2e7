"""Rows of DACs: written, filtered and ordered."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import dac, errors, wire
from tests.sandbox.acumatica.grammar import CustomPath, FilterError, Path
from tests.sandbox.acumatica.predicates import Binding, Column
from tests.sandbox.acumatica.wire import Kind, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.sandbox.acumatica.dac.shapes import Dac, Navigation, Property
    from tests.sandbox.acumatica.odata_options import RowShape
    from tests.sandbox.acumatica.shelves import Shelf, Shelves
    from tests.sandbox.acumatica.switches import Switches

Json = dict[str, object]


def columns_of(target: Dac[Any], switches: Switches) -> list[Property[Any]]:
    """The columns that a DAC has on this site."""
    hidden = "LastModifiedDateTime" if target.name == "GLHistory" and not switches.history_has_stamp else ""
    return [column for column in target.properties if column.name != hidden]


class Reader:
    """The rows of one tenant."""

    def __init__(self, shelves: Shelves, tenant: str, switches: Switches) -> None:
        self._shelves = shelves
        self._tenant = tenant
        self.switches = switches
        self.view = shelves.view(tenant)
        self.zone = wire.zone_of(switches.user_zone_minutes)

    def shelf(self, target: Dac[Any]) -> Shelf[Any]:
        """The rows of a DAC."""
        return self._shelves.shelf(self._tenant, f"dac {target.name}", target.rows, target.modified_at)

    def related(self, source: Dac[Any], navigation: Navigation) -> Callable[[Any], list[Any]]:
        """A function from a row to its related rows."""
        target = dac.DACS[navigation.target]
        own = [_existing(source, name) for name in navigation.own]
        other = [_existing(target, name) for name in navigation.other]
        shelf, view = self.shelf(target), self.view
        index = f"by {navigation.other}"

        def rows(row: object) -> list[Any]:
            key = tuple(column.read(row, view) for column in own)
            return shelf.find_all(index, lambda each: tuple(column.read(each, view) for column in other), key)

        return rows

    def binding(self, target: Dac[Any]) -> Binding:
        """How filters meet the rows of a DAC."""

        def column(path: Path | CustomPath) -> Column:
            return self._column(target, path.names, lambda row: row)

        return Binding(column, compares_functions=True)

    def ordering(
        self, target: Dac[Any], order: Sequence[tuple[str, bool]]
    ) -> Callable[[list[Any]], list[Any]]:
        """A function that sorts rows; equal ones stay in key order.

        Raises:
            Refusal: 400 for an unknown column.
        """
        known = {column.name: column for column in columns_of(target, self.switches)}
        for name, _ in order:
            if name not in known:
                raise _unknown(target, name)

        def ordered(rows: list[Any]) -> list[Any]:
            rows = list(rows)
            for name, descending in reversed(order):
                read = known[name].read
                rows.sort(key=lambda row: _sortable(read(row, self.view)), reverse=descending)
            return rows

        return ordered

    def _column(self, target: Dac[Any], names: tuple[str, ...], reach: Callable[[Any], Any]) -> Column:
        name, *deeper = names
        if deeper:
            for navigation in target.navigations:
                if navigation.name == name and not navigation.is_many:
                    through = _first_of(self.related(target, navigation), reach)
                    return self._column(dac.DACS[navigation.target], tuple(deeper), through)
        for column in columns_of(target, self.switches):
            if column.name == name and not deeper:
                return self._reading(column, reach)
        raise FilterError(f"Could not find a property named '{'/'.join(names)}' on type '{target.name}'.")

    def _reading(self, column: Property[Any], reach: Callable[[Any], Any]) -> Column:
        view, zone = self.view, self.zone

        def read(row: object) -> Value:
            reached = reach(row)
            value = None if reached is None else column.read(reached, view)
            if column.kind is Kind.DAY and isinstance(value, dt.date):
                return dt.datetime.combine(value, dt.time(), zone)
            return value

        return Column(Kind.STAMP if column.kind is Kind.DAY else column.kind, read)


class RowPlan:
    """How rows of a DAC are written for one call.

    Raises:
        Refusal: 400 for an unknown column or relation.
    """

    def __init__(self, target: Dac[Any], shape: RowShape, reader: Reader) -> None:
        self._reader = reader
        columns = {column.name: column for column in columns_of(target, reader.switches)}
        navigations = {navigation.name: navigation for navigation in target.navigations}
        for name in shape.select or ():
            if name not in columns and name not in navigations:
                raise _unknown(target, name)
        self._columns = [
            (name, column.read, _form(column, reader.zone))
            for name, column in columns.items()
            if shape.select is None or name in shape.select
        ]
        self._related = []
        for name, inner in shape.expand:
            if name not in navigations:
                raise _unknown(target, name)
            way = navigations[name]
            plan = RowPlan(dac.DACS[way.target], inner, reader)
            self._related.append((name, way.is_many, reader.related(target, way), plan))

    def write(self, row: object) -> Json:
        """One row."""
        written: Json = {}
        for name, read, form in self._columns:
            value = read(row, self._reader.view)
            written[name] = None if value is None else form(value)
        for name, is_many, related, plan in self._related:
            rows = [plan.write(each) for each in related(row)]
            written[name] = rows if is_many else next(iter(rows), None)
        return written


def _form(column: Property[Any], zone: dt.tzinfo) -> Callable[[Any], object]:
    if column.kind is Kind.DECIMAL:
        return wire.number
    if column.kind is Kind.STAMP:
        return lambda value: wire.stamp(value, zone)
    if column.kind is Kind.DAY:
        return lambda value: wire.midnight(value, zone)
    if column.width:
        return lambda value: value.ljust(column.width)
    return lambda value: value


def _existing(target: Dac[Any], name: str) -> Property[Any]:
    column = target.column(name)
    if column is None:
        raise LookupError(f"{target.name} is declared without the column {name} that a navigation uses")
    return column


def _first_of(related: Callable[[Any], list[Any]], reach: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def first(row: object) -> object | None:
        reached = reach(row)
        return None if reached is None else next(iter(related(reached)), None)

    return first


def _sortable(value: Value) -> tuple[bool, Any]:
    return (value is not None, value.rstrip().casefold() if isinstance(value, str) else value)


def _unknown(target: Dac[Any], name: str) -> errors.Refusal:
    return errors.odata_refusal(400, f"Could not find a property named '{name}' on type '{target.name}'.")


def deletion_binding() -> Binding:
    """How filters meet the rows of `px.GetDeletedRecords()`."""

    def column(path: Path | CustomPath) -> Column:
        if path.names == ("DeleteDate",):
            return Column(Kind.STAMP, lambda deletion: deletion.deleted_at)
        if path.names == ("NoteID",):
            return Column(Kind.GUID, lambda deletion: deletion.note_id)
        raise FilterError(
            f"Could not find a property named '{'/'.join(path.names)}' on type 'DeletedRecord'."
        )

    return Binding(column, compares_functions=True)
