"""`SysRevID`: one growing counter over all tables and companies of the database, as a SQL Server rowversion.

Every write of a row gives it the next number. The company keeps no such numbers, so the server compares what the
rows hold now with what they held when it last looked, and numbers those that are new or different in the order in
which the company changed them. Looked-up columns are no part of a row and never move its number. With a folder
the numbers outlive the server.
"""

from __future__ import annotations

import base64
import bisect
import dataclasses
import datetime as dt
import functools
import hashlib
import uuid
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tests.sandbox.epicor_kinetic import COMPANIES
from tests.sandbox.epicor_kinetic.schema import Kind
from tests.sandbox.epicor_kinetic.tables import TABLES
from tests.sandbox.epicor_kinetic.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.sandbox.company.world import World
    from tests.sandbox.epicor_kinetic.schema import Made, Row, Table, Value
    from tests.sandbox.epicor_kinetic.switches import Switches

FILE_NAME = "revisions.json"
_FIRST = 2_147_480_000  # the numbers of a small company cross the largest Int32
_AFTER_MIGRATION = 1_000
_NAMESPACE = uuid.UUID("0f1c8a52-9d0b-5f0e-8a35-6b7c1f3ad9e2")


class Stored(msgspec.Struct):
    """What is remembered of a row.

    Attributes:
        table: Its row type.
        epicor: Its Epicor company.
        revision: Its `SysRevID`.
        side_revision: The number of its row in the side table of `_c` columns.
        changed_at: When its own columns changed last.
        digest: Of its own columns.
        side_digest: Of its `_c` columns.
    """

    table: str
    epicor: str
    revision: int
    side_revision: int
    changed_at: dt.datetime
    digest: bytes = b""
    side_digest: bytes = b""


class Deleted(msgspec.Struct):
    """A row that is gone, as a directive of this customer writes it down; Kinetic itself keeps no such list.

    Attributes:
        revision: Of the row that tells of it.
    """

    table: str
    epicor: str
    row_id: str
    deleted_at: dt.datetime
    revision: int


class _Saved(msgspec.Struct):
    counter: int
    rows: dict[str, Stored]
    deleted: list[Deleted]


class _Row(NamedTuple):
    table: Table
    epicor: str
    row_id: str
    made: Made


class _Change(NamedTuple):
    modified: dt.datetime
    place: int  # in the order of tables, companies and rows
    row_id: str
    is_side: bool  # the row of `_c` columns in the side table


@dataclasses.dataclass
class Shelf:
    """The rows of one table and Epicor company, in ascending order of their numbers."""

    rows: list[Row]
    numbers: list[int]
    keys: tuple[str, ...]
    _groups: dict[tuple[str, ...], dict[tuple[Value, ...], list[Row]]] = dataclasses.field(
        default_factory=dict
    )

    def by_key(self, key: tuple[Value, ...]) -> Row | None:
        """The row with a key."""
        return next(iter(self.where(self.keys, key)), None)

    def where(self, names: tuple[str, ...], values: tuple[Value, ...]) -> list[Row]:
        """The rows that hold certain values in certain columns."""
        if names not in self._groups:
            groups: dict[tuple[Value, ...], list[Row]] = {}
            for row in self.rows:
                groups.setdefault(tuple(row[name] for name in names), []).append(row)
            self._groups[names] = groups
        return self._groups[names].get(values, [])

    def since(self, number: int) -> Iterator[Row]:
        """Rows with a higher number, in ascending order."""
        return (
            self.rows[index] for index in range(bisect.bisect_right(self.numbers, number), len(self.rows))
        )


class Revisions:
    """The database of the server. Whoever calls a method holds the lock of the world.

    Args:
        world: The company.
        switches: What decides which rows and columns there are.
        directory: Where the numbers are kept; None: they end with the server.
    """

    def __init__(self, world: World, switches: Switches, directory: Path | None = None) -> None:
        self._world = world
        self._switches = switches
        self._path = None if directory is None else directory / FILE_NAME
        self._counter = _FIRST
        self._stored: dict[str, Stored] = {}
        self._deleted: list[Deleted] = []
        self._values: dict[str, Row] = {}  # what the rows held at the last look
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._seen: tuple[object, ...] | None = None
        if self._path is not None and self._path.exists():
            saved = msgspec.json.decode(self._path.read_bytes(), type=_Saved)
            self._counter, self._stored, self._deleted = saved.counter, saved.rows, saved.deleted

    @property
    def counter(self) -> int:
        """The highest number given so far."""
        return self._counter

    @property
    def deleted(self) -> list[Deleted]:
        """Rows that are gone, in the order in which that was seen."""
        self.look()
        return self._deleted

    def shelf(self, table: str, epicor: str) -> Shelf:
        """The rows of a table in an Epicor company."""
        self.look()
        return self._shelves[table, epicor]

    def look(self, numbers: Iterable[int] = ()) -> None:
        """Number what changed since the last look.

        Args:
            numbers: Given out before new ones: of a transaction that began earlier.
        """
        switches = self._switches
        seen = (
            self._world.version,
            switches.second_book,
            switches.payroll_checks,
            switches.change_dates_only_when_edited,
            switches.zone_minutes,
            switches.custom_edits_move_revision,
        )
        if seen == self._seen:
            return
        self._seen = seen
        made = list(self._made())
        changes = self._changes(made)
        reserved = iter(numbers)
        for change in sorted(changes):
            number = next(reserved, None) or self._next()
            stored = self._stored[change.row_id]
            if change.is_side:
                stored.side_revision = number
            else:
                stored.revision = number
        gone = self._stored.keys() - {row.row_id for row in made}
        for row_id in sorted(gone):
            stored = self._stored.pop(row_id)
            now = self._world.company.clock
            self._deleted.append(Deleted(stored.table, stored.epicor, row_id, now, self._next()))
        self._fill(made)
        if changes or gone:
            self._save()

    def reserve(self, count: int = 200) -> list[int]:
        """Begin a long transaction: it takes its numbers now and commits later."""
        self.look()
        return [self._next() for _ in range(count)]

    def commit_late(self, numbers: Iterable[int], change: Callable[[], object]) -> None:
        """Let something happen whose rows appear now but bear the numbers of a transaction begun before."""
        self.look()
        change()
        self.look(numbers)

    def rewrite(self, table: str, epicor: str, key: tuple[Value, ...]) -> int:
        """Write a row again without changing it: it jumps to the end.

        Returns:
            Its new number.

        Raises:
            KeyError: There is no such row; `key` is without the company.
        """
        row = self.shelf(table, epicor).by_key((epicor, *key))
        if row is None:
            raise KeyError(key)
        number = self._next()
        self._stored[str(row["SysRowID"])].revision = number
        self._seen = None
        self.look()
        self._save()
        return number

    def restart(self) -> None:
        """Move everything to a new database: the same rows in the same order, with numbers from far below."""
        self.look()
        self._counter = _AFTER_MIGRATION
        for stored in sorted(self._stored.values(), key=lambda each: each.revision):
            stored.revision = self._next()
        self._seen = None
        self.look()
        self._save()

    # -- the look -------------------------------------------------------------------------------------------

    def _made(self) -> Iterator[_Row]:
        company = self._world.company
        views = {
            epicor: View(company, epicor, branch, self._switches) for epicor, branch in COMPANIES.items()
        }
        for table in TABLES.values():
            for epicor in COMPANIES:
                for made in table.rows(views[epicor]):
                    yield _Row(table, epicor, sys_row_id(epicor, table.name, made.identity), made)

    def _changes(self, rows: list[_Row]) -> list[_Change]:
        changes = []
        for place, (table, epicor, row_id, made) in enumerate(rows):
            stored = self._stored.get(row_id)
            if stored is None:
                self._stored[row_id] = stored = Stored(table.name, epicor, 0, 0, made.modified)
                own_moved, side_moved = True, bool(table.customs)
            elif self._values.get(row_id) == made.values:
                continue
            else:
                own_moved, side_moved = self._moved(table, stored, row_id, made)
                own_moved = own_moved or (side_moved and self._switches.custom_edits_move_revision)
                if own_moved:
                    stored.changed_at = made.modified
            if own_moved:
                changes.append(_Change(made.modified, place, row_id, is_side=False))
            if side_moved:
                changes.append(_Change(made.modified, place, row_id, is_side=True))
            if self._path is not None:
                stored.digest, stored.side_digest = (_digest(part) for part in _parts(table, made.values))
            self._values[row_id] = made.values
        return changes

    def _moved(self, table: Table, stored: Stored, row_id: str, made: Made) -> tuple[bool, bool]:
        """Whether the row's own columns changed, and whether its `_c` columns did."""
        own, side = _parts(table, made.values)
        before = self._values.get(row_id)
        if before is None:  # numbers were loaded, this is the first look
            return _digest(own) != stored.digest, _digest(side) != stored.side_digest
        own_before, side_before = _parts(table, before)
        return own != own_before, side != side_before

    def _fill(self, made: list[_Row]) -> None:
        shelves: dict[tuple[str, str], list[Row]] = {
            (table, epicor): [] for table in TABLES for epicor in COMPANIES
        }
        for table, epicor, row_id, each in made:
            stored = self._stored[row_id]
            row: Row = {
                **each.values,
                "Company": epicor,
                "SysRevID": stored.revision,
                "SysRowID": row_id,
                "UpdatedOn": stored.changed_at,
                **self._change_columns(table, each, stored.changed_at),
            }
            if table.customs:
                row["UD_SysRevID"] = base64.b64encode(stored.side_revision.to_bytes(8, "big")).decode()
            shelves[table.name, epicor].append(row)
        self._shelves = {place: _shelf(TABLES[place[0]], rows) for place, rows in shelves.items()}

    def _change_columns(self, table: Table, made: Made, changed_at: dt.datetime) -> Row:
        """Null on rows that nobody edited, with that switch on."""
        is_edited = changed_at > made.created or not self._switches.change_dates_only_when_edited
        local = changed_at + dt.timedelta(minutes=self._switches.zone_minutes)
        found: Row = {}
        for column in table.change_columns:
            if column.name == "CreatedOn":
                found[column.name] = made.created
            elif not is_edited:
                found[column.name] = column.empty
            elif column.name == "ChangedBy":
                found[column.name] = "manager"
            elif column.kind is Kind.INT:
                found[column.name] = local.hour * 3600 + local.minute * 60 + local.second
            else:
                found[column.name] = changed_at if column.kind is Kind.STAMP else local.date()
        return found

    # -- numbers --------------------------------------------------------------------------------------------

    def _next(self) -> int:
        """Other tables of the database take numbers too, so there are gaps."""
        self._counter += 1 + self._counter % 3
        return self._counter

    def _save(self) -> None:
        """Before any of the numbers is seen outside."""
        if self._path is None:
            return
        draft = self._path.with_suffix(".next")
        draft.write_bytes(msgspec.json.encode(_Saved(self._counter, self._stored, self._deleted)))
        draft.replace(self._path)


@functools.lru_cache(maxsize=500_000)
def sys_row_id(epicor: str, table: str, identity: str) -> str:
    """The `SysRowID` of a row: it lives as long as the row."""
    return str(uuid.uuid5(_NAMESPACE, f"{epicor}|{table}|{identity}"))


def _shelf(table: Table, rows: list[Row]) -> Shelf:
    def number(row: Row) -> int:
        value = row["SysRevID"]
        assert isinstance(value, int)
        return value

    rows.sort(key=number)
    return Shelf(rows, [number(row) for row in rows], table.keys)


def _parts(table: Table, values: Row) -> tuple[Row, Row]:
    """The physical columns, and those of the side table; looked-up ones belong to other rows."""
    soft, side = table.looked_up_names, table.custom_names
    own = {name: value for name, value in values.items() if name not in soft and name not in side}
    return own, {name: values[name] for name in side if name in values}


def _digest(values: Row) -> bytes:
    return hashlib.blake2b(repr(values).encode(), digest_size=8).digest()
