"""Streams over OData: tables (data access classes) and generic inquiries that the settings name."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_acumatica.discovery import snake
from tap_acumatica.errors import BadValueError, ForbiddenError, NotFoundError, UserError
from tap_acumatica.paging import Pages, Window
from tap_acumatica.streams.columns import (
    CURSOR,
    TENANT,
    Column,
    custom_time_converter,
    kind_of,
    scale_of,
)
from tap_acumatica.streams.dac import literal, quoted
from tap_acumatica.streams.feed import Doc, Feed
from tap_acumatica.streams.shapes import WRONG, bad_value
from tap_acumatica.streams.stream import AcumaticaStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_acumatica.paging import Row
    from tap_acumatica.tap import TapAcumatica

_KINDS: Final = {
    "Edm.Boolean": "boolean",
    "Edm.Byte": "integer",
    "Edm.Int16": "integer",
    "Edm.Int32": "integer",
    "Edm.Int64": "integer",
    "Edm.Decimal": "decimal",
    "Edm.Double": "decimal",
    "Edm.Single": "decimal",
    "Edm.Date": "date",
    "Edm.DateTime": "time",
    "Edm.DateTimeOffset": "time",
}
# Generic inquiries write times without their zone, and how they read a literal is not told, so they are asked for a
# little more; what comes twice bears the same key.
_DOUBT: Final = dt.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Table:
    """A stream of a table or a generic inquiry.

    Attributes:
        stream: Its name.
        name: What it is called in the ERP.
        keys: Its natural key, by the ERP's names; empty for none, then it is read whole in every run.
        is_inquiry: A generic inquiry, otherwise a data access class.
        replication_key: Column with the time of the last change; empty for none.
        parameters: Values for the parameters of a generic inquiry.
        order: What to sort by; the keys unless given.
        columns: Name and OData type of its columns; found out from the instance unless given.
    """

    stream: str
    name: str
    keys: tuple[str, ...]
    is_inquiry: bool = False
    replication_key: str = ""
    parameters: tuple[tuple[str, Any], ...] = ()
    order: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The last part of its address, not yet encoded."""
        if not self.parameters:
            return self.name
        values = ",".join(f"{name}={_parameter(value)}" for name, value in self.parameters)
        return f"{self.name}_WithParameters({values})"


def configured(config: Mapping[str, Any]) -> list[Table]:
    """The tables and inquiries that the settings name.

    Raises:
        UserError: An entry contradicts itself.
    """
    found = []
    for setting in ("dacs", "generic_inquiries"):
        for entry in config.get(setting) or ():
            table = Table(
                stream=entry.get("stream") or _stream_name(entry["name"]),
                name=entry["name"],
                keys=tuple(entry.get("keys") or ()),
                is_inquiry=setting == "generic_inquiries",
                replication_key=entry.get("replication_key") or "",
                parameters=tuple((entry.get("parameters") or {}).items()),
                order=tuple(entry.get("order") or ()),
            )
            if table.replication_key and not table.keys:
                raise UserError(f"{setting}: {table.name} has a replication_key, so it needs keys too")
            found.append(table)
    return found


def _stream_name(name: str) -> str:
    return re.sub(r"\W+|_+", "_", snake(re.sub(r"\W+", "_", name.strip()))).strip("_")


def _parameter(value: Any) -> str:  # noqa: ANN401 - a value of the settings
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


class TableFeed(Feed):
    """Reads one table or generic inquiry."""

    def __init__(self, tap: TapAcumatica, table: Table, columns: Sequence[tuple[str, str]]) -> None:
        super().__init__(tap)
        self.table = table
        known = dict(columns)
        for name in (*table.keys, *table.order, *filter(None, [table.replication_key])):
            if name not in known:
                raise UserError(
                    f"{table.stream}: {table.name} has no column {name}; it has {', '.join(known)}"
                )
        self._cursor = table.replication_key
        self._is_date = known.get(self._cursor) == "Edm.Date"
        made = [_column(name, kind) for name, kind in columns]
        if self._cursor:
            made = [column for column in made if column.name != CURSOR]
            made.append(Column(CURSOR, "custom_time", (), self._cursor, "When the row was last changed."))
        self.streams = [AcumaticaStream(tap, table.stream, made, [snake(key) for key in table.keys], self)]
        self._fields: list[tuple[Column, Callable[[Any], Any] | None]] = []
        self._utc = custom_time_converter(tap.config["naive_timezone"])

    @override
    def prepare(self, streams: Sequence[AcumaticaStream]) -> None:
        convert = self.tap.converters
        wanted = {column.name for column in self.streams[0].wanted}
        self._fields = [
            (column, convert[column.kind])
            for column in self.streams[0].columns
            if column.path and column.name in wanted
        ]

    @override
    def pages(self, keep: Window | None = None) -> Pages[Doc]:
        table = self.table
        order = ",".join(table.order or table.keys)
        site = self.tap.site
        address = site.inquiry(table.address) if table.is_inquiry else site.dac(table.address)

        def fetch(window: Window | None, skip: int, top: int) -> Sequence[Row]:
            params: dict[str, str | int] = {"$orderby": order} if order else {}
            if window is not None and keep is None and self._cursor:
                params["$filter"] = self._within(window)
            try:
                return self.tap.dac.fetch(address, {**params, "$top": top, "$skip": skip}, top)
            except NotFoundError as error:
                raise ForbiddenError(f"{table.name} is not to be had by OData. {error}") from None

        def take(raw: Row) -> Doc | None:
            doc = self._doc(raw)
            return doc if keep is None or keep.holds(doc.cursor) else None

        def key(raw: Row) -> tuple[str, ...]:
            return tuple(str(raw.get(name)) for name in table.keys or sorted(raw))

        return Pages(fetch, key, take, self.tap.config["page_size"])

    def _doc(self, raw: Row) -> Doc:
        row: Row = {TENANT: self.tap.site.tenant}
        for column, how in self._fields:
            value = raw.get(column.path[0])
            try:
                row[column.name] = value if how is None or value is None else how(value)
            except WRONG:
                key = ", ".join(f"{name} {raw.get(name)}" for name in self.table.keys)
                raise BadValueError(f"{self.table.name} {key}: {bad_value(column, value)}") from None
        moment = raw.get(self._cursor) if self._cursor else None
        cursor = self._utc(moment) if moment else ""
        if self._cursor:
            row[CURSOR] = cursor or None
        return Doc(cursor, row)

    def _within(self, window: Window) -> str:
        doubt = _DOUBT if self.table.is_inquiry or self._is_date else dt.timedelta(0)
        upper = f"{self._cursor} le {self._literal(window.hi + doubt)}"
        if window.lo is None:
            return upper
        return f"{self._cursor} ge {self._literal(window.lo - doubt)} and {upper}"

    def _literal(self, moment: dt.datetime) -> str:
        if self._is_date:
            return moment.astimezone(dt.UTC).date().isoformat()
        if self.table.is_inquiry and self.tap.site.legacy_odata:
            return f"datetime'{moment.astimezone(dt.UTC).strftime('%Y-%m-%dT%H:%M:%S')}'"
        return literal(moment)


def _column(name: str, edm: str) -> Column:
    kind = kind_of(name, _KINDS.get(edm, "string"))
    return Column(
        name=snake(name),
        kind=kind,
        path=(name,),
        title=name,
        scale=scale_of(name) if kind == "decimal" else None,
    )


def feeds_of(
    tap: TapAcumatica, tables: Sequence[Table], described: Mapping[str, Sequence[tuple[str, str]]]
) -> Iterator[TableFeed]:
    """The feeds of tables.

    Args:
        tap: The tap.
        tables: What to read.
        described: Name and type of the columns, by stream; a table that is not there is left out with a warning.

    Raises:
        UserError: A setting names a column that the table does not have.
    """
    for table in tables:
        columns = table.columns or described.get(table.stream)
        if columns:
            yield TableFeed(tap, table, columns)
        else:
            tap.logger.warning(
                "%s: %s is not to be had by OData (is it published, exposed, and open to the user?); left out",
                table.stream,
                table.name,
            )
