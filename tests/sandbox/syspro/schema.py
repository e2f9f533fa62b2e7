"""The tables of a company database: what columns they have and how values are stored in them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Value = str | int | Decimal | dt.date | None
Row = tuple[Value, ...]

_FILE = Path(__file__).with_name("tables.txt")
_CHAR_UP_TO = 3  # so wide and narrower texts are char(n) in SQL and come padded with blanks
_COMMENT = "#"
TIME_STAMP = "TimeStamp"


class Kind(Enum):
    """How a column is stored."""

    TEXT = "text"
    INTEGER = "integer"  # decimal(p, 0)
    DECIMAL = "decimal"
    DAY = "day"  # datetime at midnight
    ROW_VERSION = "row version"


@dataclasses.dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        size: Width of a text, precision of a number.
        scale: Decimals of a number.
    """

    name: str
    kind: Kind
    size: int
    scale: int
    is_key: bool
    nullable: bool

    @functools.cached_property
    def blank(self) -> Value:
        """What stands in it when nobody filled it in: blanks and zeros, not NULL, in standard columns."""
        return None if self.nullable else self.stored({Kind.TEXT: "", Kind.DAY: None}.get(self.kind, 0))

    def stored(self, value: Value) -> Value:
        """A value as the database keeps it: Latin-1 text cut at the width, numbers at the scale."""
        if value is None:
            return None if self.nullable or self.kind is Kind.DAY else self.blank
        if self.kind is Kind.TEXT:
            text = str(value).encode("cp1252", "replace").decode("cp1252")[: self.size]
            return text.ljust(self.size) if self.size <= _CHAR_UP_TO else text
        if self.kind is Kind.DECIMAL and isinstance(value, int | Decimal):
            return Decimal(value).quantize(Decimal(1).scaleb(-self.scale), ROUND_HALF_UP)
        return value


@dataclasses.dataclass(frozen=True)
class Table:
    """A table, or a view made of one.

    Attributes:
        columns: Without `TimeStamp`, which every table ends in.
        keys: Names of the key columns, in order.
        is_view: Views have no declared key.
    """

    name: str
    columns: tuple[Column, ...]
    is_view: bool = False

    @functools.cached_property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.is_key)

    @functools.cached_property
    def places(self) -> dict[str, int]:
        """Name of a column to its place in a row; `TimeStamp` is the last one."""
        names = [*(column.name for column in self.columns), TIME_STAMP]
        return {name: place for place, name in enumerate(names)}

    @functools.cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns, `TimeStamp` among them."""
        return {column.name: column for column in (*self.columns, ROW_VERSION)}

    def row(self, values: Mapping[str, Value]) -> Row:
        """A row, with blanks where nothing is given.

        Raises:
            LookupError: A column is not in the table.
        """
        if unknown := values.keys() - self.places.keys():
            raise LookupError(f"{self.name} has no column {sorted(unknown)}")
        return tuple(
            column.stored(values[column.name]) if column.name in values else column.blank
            for column in self.columns
        )

    def key_of(self, row: Row) -> Row:
        """The primary key of a row."""
        return tuple(row[self.places[name]] for name in self.keys)


ROW_VERSION = Column(TIME_STAMP, Kind.ROW_VERSION, 8, 0, is_key=False, nullable=True)


def _column(text: str) -> Column:
    name, _, spec = text.partition(":")
    is_key, nullable = spec.endswith("!"), spec.endswith("?")
    spec = spec.rstrip("!?")
    if spec == "dt":
        return Column(name, Kind.DAY, 0, 0, is_key, nullable=not is_key)
    size, _, scale = spec[1:].partition(".")
    kind = Kind.TEXT if spec[0] == "s" else Kind.DECIMAL if scale else Kind.INTEGER
    return Column(name, kind, int(size), int(scale or 0), is_key, nullable)


def _tables() -> Iterator[Table]:
    name, columns = "", list[Column]()
    for line in [*_FILE.read_text("utf-8").splitlines(), ""]:
        if line.startswith(_COMMENT):
            continue
        if line.startswith(" "):
            columns += map(_column, line.split())
            continue
        if name:
            yield Table(name, tuple(columns))
        name, columns = line.strip(), []


TABLES = {table.name: table for table in _tables()}

CHANGES_VIEW = "ApInvoiceChanges"
_ROW_VER = Column("RowVer", Kind.INTEGER, 19, 0, is_key=False, nullable=False)
VIEWS = {CHANGES_VIEW: Table(CHANGES_VIEW, (*TABLES["ApInvoice"].columns, _ROW_VER), is_view=True)}
