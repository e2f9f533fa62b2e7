"""Row versions: the Timestamp of every row that sync endpoints show, and the memory of rows that are gone.

A row version says that a row was written, not when. It is given when a row is first seen and again when its record
has changed since; the highest one so far is counted per division. A site with a folder remembers them there.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations at run time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tests.sandbox.exact_online import storing
from tests.sandbox.exact_online.rows.row import guid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.sandbox.exact_online.rows.row import Row

_FILE = "row-versions.json"
_FIRST = 5_534_000_000  # beyond 32 bits, as in any database that has lived for a while
_APART = 1_270_000_000
_NAMESPACE = "6d0f5a0e-1f5c-4f0a-8d4e-5b8f3c1a0614"


class Gone(msgspec.Struct):
    """A row that is gone: one row of `sync/Deleted`."""

    timestamp: int
    entity_type: int
    key: str
    deleted_at: dt.datetime


class Version(NamedTuple):
    """What was seen of a row last, and its row version."""

    basis: int
    timestamp: int


class Register(msgspec.Struct):
    """The row versions of one division.

    Attributes:
        last: The highest one given.
        rows: Entity to row to version.
        gone: Rows that are gone, in order of timestamp.
        moved_at: When all row versions were regenerated.
    """

    last: int
    rows: dict[str, dict[str, Version]] = msgspec.field(default_factory=dict)
    gone: list[Gone] = msgspec.field(default_factory=list)
    moved_at: dt.datetime | None = None

    def next(self) -> int:
        """Another row version, higher than all before."""
        self.last += 1
        return self.last


class Stamps:
    """Gives row versions. Whoever calls holds the lock of the company.

    Attributes:
        edition: Grows when row versions were regenerated.
    """

    def __init__(self, directory: Path | None) -> None:
        self.edition = 0
        self._directory = directory
        self._registers: dict[int, Register] = storing.load(directory, _FILE, dict[int, Register])

    def register(self, division: int) -> Register:
        """The register of a division."""
        if division not in self._registers:
            self._registers[division] = Register(last=_FIRST + division % 100 * _APART // 10)
        return self._registers[division]

    def update(
        self, division: int, entity: str, entity_type: int | None, rows: Iterable[Row], now: dt.datetime
    ) -> None:
        """Look at all rows of an entity: what is new or changed gets a new version, what is gone is remembered."""
        register = self.register(division)
        known = register.rows.setdefault(entity, {})
        seen: set[str] = set()
        changed: list[Row] = []
        for row in rows:
            seen.add(row.id)
            version = known.get(row.id)
            if version is None or version.basis != row.basis:
                changed.append(row)
            else:
                row.values["Timestamp"] = version.timestamp
        changed.sort(key=lambda row: (row.values["Modified"], row.id))
        for row in changed:
            known[row.id] = Version(row.basis, register.next())
            row.values["Timestamp"] = known[row.id].timestamp
        missing = sorted(known.keys() - seen)
        for id_ in missing:
            del known[id_]
            if entity_type is not None:
                register.gone.append(Gone(register.next(), entity_type, id_, now))
        if changed or missing:
            self._save()

    def regenerate(self, division: int, now: dt.datetime) -> None:
        """Give every row of a division another version, lower than those before, as when it was moved."""
        register = self.register(division)
        register.last //= 3
        register.rows.clear()
        register.gone = [
            Gone(register.next(), each.entity_type, each.key, each.deleted_at) for each in register.gone
        ]
        register.moved_at = now
        self.edition += 1
        self._save()

    def _save(self) -> None:
        storing.save(self._directory, _FILE, self._registers)


def gone_id(division: int, gone: Gone) -> str:
    """The guid of a row of `sync/Deleted`."""
    return guid(_NAMESPACE, division, gone.entity_type, gone.key, gone.deleted_at.isoformat())
