"""Row types: their columns, keys, and the function that makes their rows out of the company."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.company.model import Record
    from tests.sandbox.epicor_kinetic.switches import Switches
    from tests.sandbox.epicor_kinetic.view import View

Value = str | int | bool | Decimal | dt.datetime | dt.date | None
Row = dict[str, Value]


class Kind(Enum):
    """What a column holds: its name in declarations."""

    TEXT = "text"
    INT = "int"
    LONG = "long"
    DECIMAL = "dec"
    BOOLEAN = "bool"
    DATE = "date"  # a calendar day, though its type says DateTimeOffset
    STAMP = "stamp"  # a moment
    GUID = "guid"
    BINARY = "bin"

    @property
    def edm(self) -> str:
        """Its type in `$metadata`."""
        return _EDM[self]


_EDM = {
    Kind.TEXT: "Edm.String",
    Kind.INT: "Edm.Int32",
    Kind.LONG: "Edm.Int64",
    Kind.DECIMAL: "Edm.Decimal",
    Kind.BOOLEAN: "Edm.Boolean",
    Kind.DATE: "Edm.DateTimeOffset",
    Kind.STAMP: "Edm.DateTimeOffset",
    Kind.GUID: "Edm.Guid",
    Kind.BINARY: "Edm.Binary",
}
# missing text is an empty string far more often than null; missing dates are null
_EMPTY: dict[Kind, Value] = {
    Kind.TEXT: "",
    Kind.INT: 0,
    Kind.LONG: 0,
    Kind.DECIMAL: Decimal(0),
    Kind.BOOLEAN: False,
}


@dataclasses.dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        calculated: Computed or looked up, so no column of the database.
        custom: Made by the customer; lives in the side table of its table.
    """

    name: str
    kind: Kind
    calculated: bool = False
    custom: bool = False

    @property
    def empty(self) -> Value:
        """What it holds when nothing was entered."""
        return None if self.custom else _EMPTY.get(self.kind)

    def read(self, row: Row) -> Value:
        """Its value in a row."""
        return row.get(self.name, self.empty)


class Made(NamedTuple):
    """A row before it has a number.

    Attributes:
        identity: Never used by another row of its table and company.
        values: Its columns, without those that hold nothing; always the same ones for a table.
    """

    identity: str
    created: dt.datetime
    modified: dt.datetime
    values: Row


def made(record: Record, values: Row, part: object = "") -> Made:
    """A row that stands for a record, or for a part of one."""
    return Made(f"{record.note_id}|{part}", record.created_at, record.modified_at, values)


def columns(text: str, *, calculated: bool = False, custom: bool = False) -> tuple[Column, ...]:
    """Columns from `Name Name:kind …`; the kind is text where none is given."""
    found = []
    for part in text.split():
        name, _, kind = part.partition(":")
        found.append(Column(name, Kind(kind or "text"), calculated=calculated, custom=custom))
    return tuple(found)


_CHANGES = frozenset({"ChangedBy", "ChangeDate", "ChangeTime", "ChangedOn", "ChangeDateTime", "CreatedOn"})


@dataclasses.dataclass(frozen=True)
class Table:
    """A row type.

    Attributes:
        name: Of the row type: `APInvHed`.
        keys: All parts of the key, in order.
        own: Its physical columns, without those that every table has.
        looked_up: Its calculated columns.
        customs: Its `_c` columns.
        rows: Makes all rows of one Epicor company.
    """

    name: str
    keys: tuple[str, ...]
    own: tuple[Column, ...]
    rows: Callable[[View], Iterable[Made]]
    looked_up: tuple[Column, ...] = ()
    customs: tuple[Column, ...] = ()

    @functools.cached_property
    def looked_up_names(self) -> frozenset[str]:
        """Names of the calculated columns."""
        return frozenset(column.name for column in self.looked_up)

    @functools.cached_property
    def change_columns(self) -> tuple[Column, ...]:
        """Those that tell when and by whom a row was made and changed."""
        return tuple(column for column in (*self.own, *self.looked_up) if column.name in _CHANGES)

    @functools.cached_property
    def custom_names(self) -> tuple[str, ...]:
        """Names of the `_c` columns."""
        return tuple(column.name for column in self.customs)

    def columns(self, switches: Switches) -> tuple[Column, ...]:
        """All columns in the order of the schema: what stands behind `BitFlag` is calculated."""
        physical = [Column("Company", Kind.TEXT), *self.own]
        physical += [
            Column(f"Reserved{number:03d}", _FILLERS[number % 4]) for number in range(switches.extra_columns)
        ]
        if self.name in switches.updated_on:
            physical.append(Column("UpdatedOn", Kind.STAMP))
        if self.name not in switches.tables_without_revision:
            physical.append(Column("SysRevID", Kind.LONG))
        physical += [Column("SysRowID", Kind.GUID), Column("BitFlag", Kind.INT)]
        side = [each for each in self.customs if each.name not in switches.columns_to_come]
        if side:
            side.append(Column("UD_SysRevID", Kind.BINARY))
        return (*physical, *self.looked_up, Column("RowMod", Kind.TEXT, calculated=True), *side)


_FILLERS = (Kind.TEXT, Kind.DECIMAL, Kind.BOOLEAN, Kind.INT)


def table(
    name: str,
    keys: str,
    rows: Callable[[View], Iterable[Made]],
    own: str,
    *,
    looked_up: str = "",
    customs: str = "",
) -> Table:
    """Declare a row type; `keys` are those behind `Company`, the other texts are read by `columns`."""
    return Table(
        name,
        ("Company", *keys.split()),
        columns(own),
        rows,
        columns(looked_up, calculated=True),
        columns(customs, custom=True),
    )
