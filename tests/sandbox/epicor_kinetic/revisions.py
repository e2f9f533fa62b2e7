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
        revision: Its `SysRevID`.
        side_revision: The number of its row in the side table of `_c` columns.
        changed_at: When its own columns changed last.
        digest: Of its own columns.
        side_digest: Of its `_c` columns.
    """

    revision: int
    side_revision: int
    changed_at: dt.datetime
    digest: bytes
    side_digest: bytes


class _Saved(msgspec.Struct):
    counter: int
    rows: dict[str, Stored]


class _Change(NamedTuple):
    modified: dt.datetime
    place: int  # in the order of tables, companies and rows
    row_id: str
    both: bool  # the row itself, not its side table alone


@dataclasses.dataclass
class Shelf:
    """The rows of one table and Epicor company, in ascending order of their numbers."""

    rows: list[Row]
    numbers: list[int]
    by_key: dict[tuple[Value, ...], Row]

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
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._seen: tuple[object, ...] | None = None
        if self._path is not None and self._path.exists():
            saved = msgspec.json.decode(self._path.read_bytes(), type=_Saved)
            self._counter, self._stored = saved.counter, saved.rows

    @property
    def counter(self) -> int:
        """The highest number given so far."""
        return self._counter

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
            if change.both:
                stored.revision = number
            else:
                stored.side_revision = number
        present = {row_id for _, _, row_id, _ in made}
        gone = [row_id for row_id in self._stored if row_id not in present]
        for row_id in gone:
            del self._stored[row_id]
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
        row = self.shelf(table, epicor).by_key[epicor, *key]
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

    def _made(self) -> Iterator[tuple[Table, str, str, Made]]:
        company = self._world.company
        views = {
            epicor: View(company, epicor, branch, self._switches) for epicor, branch in COMPANIES.items()
        }
        for table in TABLES.values():
            for epicor in COMPANIES:
                for made in table.rows(views[epicor]):
                    row_id = str(uuid.uuid5(_NAMESPACE, f"{epicor}|{table.name}|{made.identity}"))
                    yield table, epicor, row_id, made

    def _changes(self, made: list[tuple[Table, str, str, Made]]) -> list[_Change]:
        changes = []
        for place, (table, _, row_id, row) in enumerate(made):
            digest, side_digest = _digests(table, row)
            stored = self._stored.get(row_id)
            if stored is None:
                self._stored[row_id] = Stored(0, 0, row.modified, digest, side_digest)
                changes.append(_Change(row.modified, place, row_id, both=True))
                if table.customs:
                    changes.append(_Change(row.modified, place, row_id, both=False))
                continue
            side_moved = stored.side_digest != side_digest
            if stored.digest != digest or (side_moved and self._switches.custom_edits_move_revision):
                changes.append(_Change(row.modified, place, row_id, both=True))
                stored.changed_at = row.modified
            if side_moved:
                changes.append(_Change(row.modified, place, row_id, both=False))
            stored.digest, stored.side_digest = digest, side_digest
        return changes

    def _fill(self, made: list[tuple[Table, str, str, Made]]) -> None:
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
        values: Row = {
            "ChangedBy": "manager",
            "ChangeTime": local.hour * 3600 + local.minute * 60 + local.second,
            "ChangedOn": changed_at,
            "ChangeDateTime": changed_at,
        }
        found: Row = {}
        for column in (*table.own, *table.looked_up):
            if column.name == "ChangeDate":
                day = changed_at if column.kind is Kind.STAMP else local.date()
                found[column.name] = day if is_edited else None
            elif column.name in values:
                found[column.name] = values[column.name] if is_edited else column.empty
            elif column.name == "CreatedOn":
                found[column.name] = made.created
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
        draft.write_bytes(msgspec.json.encode(_Saved(self._counter, self._stored)))
        draft.replace(self._path)


def _shelf(table: Table, rows: list[Row]) -> Shelf:
    def number(row: Row) -> int:
        value = row["SysRevID"]
        assert isinstance(value, int)
        return value

    rows.sort(key=number)
    by_key = {tuple(row[name] for name in table.keys): row for row in rows}
    return Shelf(rows, [number(row) for row in rows], by_key)


def _digests(table: Table, made: Made) -> tuple[bytes, bytes]:
    """Of the physical columns, and of the side table."""
    soft = table.looked_up_names
    side = table.custom_names
    own = [(name, value) for name, value in made.values.items() if name not in soft and name not in side]
    custom = [(name, made.values[name]) for name in side if name in made.values]
    return _digest(own), _digest(custom)


def _digest(values: list[tuple[str, Value]]) -> bytes:
    return hashlib.blake2b(repr(values).encode(), digest_size=8).digest()
