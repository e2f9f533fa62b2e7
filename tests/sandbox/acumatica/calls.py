"""One call for one entity of the contract API: how its rows are named, filtered and found."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import errors, wire
from tests.sandbox.acumatica.dialects import contract_dialect
from tests.sandbox.acumatica.grammar import CustomPath, Expression, FilterError, Path, parse
from tests.sandbox.acumatica.predicates import Binding, Column, compiled
from tests.sandbox.acumatica.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.acumatica.endpoints import Endpoint
    from tests.sandbox.acumatica.exchange import Exchange
    from tests.sandbox.acumatica.printing import Json, Plan, Style
    from tests.sandbox.acumatica.shapes import CustomField, Entity, Field, Link, Shape
    from tests.sandbox.acumatica.shelves import Shelf
    from tests.sandbox.acumatica.view import View
    from tests.sandbox.acumatica.wire import Value

_CUSTOM_FORMS = {
    "String": Kind.STRING,
    "Decimal": Kind.DECIMAL,
    "DateTime": Kind.STAMP,
    "Int": Kind.INT,
    "Boolean": Kind.BOOLEAN,
    "Guid": Kind.GUID,
}


class Call:
    """One call for one entity: its names, its filter, its rows."""

    def __init__(
        self, endpoint: Endpoint, entity: Entity[Any], style: Style, exchange: Exchange, view: View
    ) -> None:
        self.endpoint = endpoint
        self.entity = entity
        self.style = style
        self.exchange = exchange
        self.view = view

    def written(self, plan: Plan, row: object) -> Json:
        """A record with its links."""
        identity = self.entity.note_id(row)
        record = plan.write(row, self.view, identity)
        address = f"{self.endpoint.href}{self.entity.name}/"
        record["_links"] = {
            "self": f"{address}{identity}",
            "files:put": f"{address}files/{identity}/{{filename}}",
        }
        return record

    def filter(self, text: str) -> Expression | None:
        """The filter as a tree.

        Raises:
            Refusal: 500, when it cannot be read.
        """
        if not text.strip():
            return None
        zone = wire.zone_of(self.style.switches.user_zone_minutes)
        try:
            return parse(text, contract_dialect(zone, contract=self.style.contract))
        except FilterError as wrong:
            raise _unfilterable(wrong) from wrong

    def compiled(self, expression: Expression) -> Callable[[Any], bool]:
        """The filter as a function.

        Raises:
            Refusal: 500, when it does not fit the entity.
        """
        try:
            return compiled(expression, Binding(self._column, compares_functions=False))
        except FilterError as wrong:
            raise _unfilterable(wrong) from wrong

    def by_id(self, shelf: Shelf[Any], rest: str) -> object | None:
        """The record with a GUID."""
        return shelf.find("id", self.entity.note_id, str(uuid.UUID(rest)))

    def by_keys(self, shelf: Shelf[Any], rest: str) -> object | None:
        """The record with the keys of a path; drop-down keys are given by their label."""
        given = rest.replace("|", "/").split("/")
        if len(given) != len(self.entity.keys):
            return None
        columns = [self._column(Path((name,))) for name in self.entity.keys]
        stored = [
            text if column.decode is None else column.decode(text)
            for column, text in zip(columns, given, strict=True)
        ]
        return shelf.find(
            "keys",
            lambda row: tuple(str(column.read(row)).casefold() for column in columns),
            tuple(text.rstrip().casefold() for text in stored),
        )

    def _column(self, path: Path | CustomPath) -> Column:
        if isinstance(path, CustomPath):
            return self._custom_column(path)
        return self._nested_column(self.entity.shape, path.names, lambda row: row)

    def _nested_column(
        self, shape: Shape[Any], names: tuple[str, ...], reach: Callable[[Any], Any]
    ) -> Column:
        name, *deeper = names
        if any(each.name == name for each in shape.collections):
            raise errors.cannot_optimize(self.entity.name, "/".join(names))
        if deeper:
            for link in shape.links:
                if link.name == name:
                    return self._nested_column(link.shape, tuple(deeper), self._through(link, reach))
        for field in shape.fields:
            if field.name == name and not deeper and field.served_in(self.style.version):
                return self._field_column(field, reach)
        raise FilterError(f"The given key was not present in the dictionary: {'/'.join(names)}.")

    def _field_column(self, field: Field[Any], reach: Callable[[Any], Any]) -> Column:
        kind, read, view = field.kind_in(self.style.version), field.read, self.view
        if read is None:
            return Column(kind, lambda _: None)
        if field.kind is Kind.DAY and kind is Kind.STAMP:
            return Column(kind, lambda row: _at_midnight(read(reach(row), view)))
        choices, locale = field.choices, self.style.locale
        if choices is None:
            return Column(kind, lambda row: read(reach(row), view))
        return Column(
            kind, lambda row: read(reach(row), view), lambda text: choices.code(text, locale) or text
        )

    def _custom_column(self, path: CustomPath) -> Column:
        for field in self.style.custom(self.entity.shape):
            if (field.view, field.name) == path.names:
                kind = Kind.STAMP if field.kind is Kind.DAY else field.kind
                if _CUSTOM_FORMS.get(path.form) is not kind:
                    raise FilterError(f"Type conversions not supported: cf.{path.form} against {kind}.")
                return Column(kind, self._reading(field))
        raise FilterError(f"The given key was not present in the dictionary: {'.'.join(path.names)}.")

    def _reading(self, field: CustomField[Any]) -> Callable[[Any], Value]:
        read = field.read
        if field.kind is Kind.DAY:
            return lambda row: _at_midnight(read(row, self.view))
        return lambda row: read(row, self.view)

    def _through(self, link: Link[Any], reach: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda row: link.row(reach(row), self.view)


def _at_midnight(value: Value) -> Value:
    return dt.datetime.combine(value, dt.time(), dt.UTC) if isinstance(value, dt.date) else value


def _unfilterable(wrong: FilterError) -> errors.Refusal:
    return errors.failure(str(wrong), "Microsoft.Data.OData.ODataException")
