"""The row versions (`TimeStamp`) of a database: numbers that grow with every insert and update."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.sandbox.syspro.schema import Row

_FIRST = 1_000_001
_FIRST_AFTER_RESTORE = 1
_Known = dict[str, tuple[str, int]]  # key of a row -> digest of its contents, row version
_DECODER = msgspec.json.Decoder(_Known)


class RowVersions:
    """Numbers the rows of one database.

    A row gets the next number of the database when it is first seen and whenever its contents have changed.

    Args:
        directory: Where the numbers are kept, one file per table, so that they outlive the process; None keeps
            them in memory.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._tables: dict[str, _Known] = {}
        if directory is not None and directory.exists():
            for file in sorted(directory.glob("*.json")):
                self._tables[file.stem] = _DECODER.decode(file.read_bytes())
        numbers = (number for table in self._tables.values() for _, number in table.values())
        self._last = max(numbers, default=_FIRST - 1)

    def assign(self, table: str, rows: Iterable[tuple[Row, Row]]) -> list[int]:
        """The row version of each row.

        Args:
            table: Its name.
            rows: Key and contents of every row there is now; rows that are gone are forgotten.
        """
        before = self._tables.get(table, {})
        now: _Known = {}
        numbers = []
        for key, row in rows:
            name = msgspec.json.encode(key).decode()
            digest = hashlib.blake2b(msgspec.json.encode(row), digest_size=8).hexdigest()
            known = before.get(name)
            if known is None or known[0] != digest:
                self._last += 1
                known = (digest, self._last)
            now[name] = known
            numbers.append(known[1])
        if now != before:
            self._tables[table] = now
            self._keep(table, now)
        return numbers

    def reset(self) -> None:
        """Number all rows anew from the beginning, as a database does that was restored on another server."""
        self._last = _FIRST_AFTER_RESTORE - 1
        for table in self._tables:
            self._keep(table, {})
        self._tables.clear()

    def _keep(self, table: str, known: _Known) -> None:
        if self._directory is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._directory / f"{table}.json"
        draft = file.with_suffix(".next")
        draft.write_bytes(msgspec.json.encode(known))
        draft.replace(file)
