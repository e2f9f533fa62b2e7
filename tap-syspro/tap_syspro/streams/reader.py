"""One table in the words of the tap: its columns, its key, and how its rows become those of a stream."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from tap_syspro.conditions import checker, product
from tap_syspro.errors import RefusedError
from tap_syspro.paging import Walk
from tap_syspro.service import KeyColumn, Query
from tap_syspro.streams.columns import (
    COMPANY,
    ROW_VERSION,
    Column,
    columns_of,
    number,
    row_number,
    rows_reader,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_syspro.conditions import Condition
    from tap_syspro.discovery import EntitySet
    from tap_syspro.service import Row
    from tap_syspro.streams.derived import Derived, Make
    from tap_syspro.tap import TapSyspro

_BLOCK: Final = 200
_KEY_KINDS: Final = {"key": "string", "string": "string"}
_READS: Final[dict[str, Callable[[Any], Any]]] = {
    "string": lambda raw: str(raw).rstrip(),
    "integer": whole,
    "decimal": number,
    "date": lambda raw: str(raw)[:10],
}


class Reader:
    """One table in the words of the tap: its columns, its key, and how its rows become those of a stream.

    Args:
        tap: The tap.
        stream: The stream whose settings apply.
        entity: Name of the table.
        keys: Its key, unless the settings or the service say otherwise.
        derived: Columns that are worked out.
    """

    def __init__(
        self, tap: TapSyspro, stream: str, entity: str, keys: Sequence[str], derived: Sequence[Derived]
    ) -> None:
        self.tap = tap
        self.given: Mapping[str, Any] = tap.config["streams"].get(stream) or {}
        self.sets: dict[str, EntitySet] = tap.sets_of(str(self.given.get("entity_set") or entity))
        # By the settings; by the service, which knows its release; by the catalogue.
        told = next((each.keys for each in self.sets.values() if each.keys), ())
        self.keys = tuple(self.given.get("key_properties") or told or keys)
        known = tap.known_columns(entity)
        kinds: dict[str, str] = dict(self.given.get("columns") or {})
        self.columns: list[Column] = columns_of(list(self.sets.values()), known, self.keys, kinds)
        if chosen := self.given.get("select"):
            kept = {*chosen, *self.keys}
            self.columns = [column for column in self.columns if column.source in kept]
        self.sources = {column.source: column for column in self.columns if column.kind != "display"}
        self.all_sources = {name for each in self.sets.values() for name in each.fields} or set(known)
        derived = [*derived, *tap.segments_for(self.all_sources)]
        self.derived = [each for each in derived if each.needs[0] in self.all_sources]
        self._read: Callable[[Sequence[Row]], dict[str, Sequence[Any]]] = rows_reader((), {})
        self._made: list[tuple[str, Make]] = []
        self.needs: tuple[str, ...] = ()
        self._asked: tuple[str, ...] = ()
        self._seen: set[str] = set()

    @property
    def key_columns(self) -> list[KeyColumn]:
        """The key as paging needs it."""
        return [KeyColumn(name, self.kind(name)) for name in self.keys]

    def kind(self, name: str) -> str:
        """The kind of a column: string, integer, decimal or date, else its own name."""
        column = self.sources.get(name)
        return _KEY_KINDS.get(column.kind, column.kind) if column else "string"

    def prepare(self, wanted: Sequence[Column], more: Sequence[str], company: str) -> None:
        """Get ready to read these columns.

        Args:
            wanted: What is emitted.
            more: What is needed besides, by the ERP's names.
            company: The company.
        """
        self._read = rows_reader(wanted, self.tap.converters)
        names = {column.name for column in wanted}
        chosen = [each for each in self.derived if each.column.name in names]
        self._made = [(each.column.name, self.tap.maker(each, company)) for each in chosen]
        sources = [column.source for column in wanted if column.source]
        needed = dict.fromkeys([*self.keys, *sources, *(n for each in chosen for n in each.needs), *more])
        entity = self.sets[company]
        has = set(entity.fields) or self.all_sources
        self.needs = tuple(name for name in needed if name in has or name in self.sources)
        self._asked = self.needs
        if entity.described and set(self.needs) >= set(entity.fields):
            self.needs = ()  # everything is wanted, so nothing needs to be listed

    def rows(self, raws: Sequence[Row], company: str) -> Iterator[Row]:
        """The properties of rows; they are made a block at a time, which then is still in the processor's cache."""
        for start in range(0, len(raws), _BLOCK):
            block = raws[start : start + _BLOCK]
            columns = self._read(block)
            columns[COMPANY] = [company] * len(block)
            for name, make in self._made:
                columns[name] = list(map(make, block))
            names = tuple(columns)
            for values in zip(*columns.values(), strict=True):
                yield dict(zip(names, values, strict=True))

    def query(self, company: str, where: tuple[Condition, ...]) -> Query:
        """The query for the table under some conditions, still without paging."""
        extra = str(self.given.get("filter") or "")
        return Query(company, self.sets[company], where, extra, order=self.keys, columns=self.needs)

    def walk(self, company: str, where: tuple[Condition, ...]) -> Walk:
        """Reads the table under some conditions."""
        query = self.query(company, where)
        size = int(self.given.get("page_size") or self.tap.page_size)
        return Walk(self.tap.service, query, self.key_columns, self.tap.config["pagination"], size)

    def highest(self, company: str) -> int:
        """The highest row version in the table; 0 where the service does not sort by it."""
        query = dataclasses.replace(self.query(company, ()), order=(f"{ROW_VERSION} desc",), top=1)
        try:
            rows = self.tap.service.fetch(query).rows
        except RefusedError:
            return 0
        return max((row_number(row.get(ROW_VERSION)) or 0 for row in rows), default=0)

    def checker(self, where: tuple[Condition, ...]) -> Callable[[Row], bool]:
        """Tells whether a row fulfils conditions, for services that may not have obeyed them."""
        condition = product(where)
        columns = {term.column for group in condition for term in group}
        reads = {name: _READS.get(self.kind(name), str) for name in columns}
        if not where:
            return lambda _: True
        return checker(condition, reads)

    def note_columns(self, rows: Sequence[Row]) -> None:
        """Note which columns came at all: e.net leaves out what the operator may not see."""
        for row in rows[:1]:
            self._seen.update(row)

    def never_seen(self) -> list[str]:
        """Columns that were asked for and never came."""
        return [name for name in self._asked if name not in self._seen] if self._seen else []
