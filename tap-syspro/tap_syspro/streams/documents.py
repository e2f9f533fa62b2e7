"""Orders and their lines. Lines have no date of their own, so they are read with their order, all of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_syspro.conditions import Term, any_of
from tap_syspro.discovery import snake
from tap_syspro.errors import PageTooLargeError, RefusedError
from tap_syspro.streams.columns import COMPANY, DELETED_AT, ROW_VERSION, Column, row_number
from tap_syspro.streams.feed import StrategyFeed
from tap_syspro.streams.strategies import Orders, Strategy
from tap_syspro.streams.stream import SysproStream, keys_of
from tap_syspro.streams.versions import RowVersions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_syspro.conditions import Condition
    from tap_syspro.service import Row
    from tap_syspro.streams.declarations import Table
    from tap_syspro.streams.feed import Reading
    from tap_syspro.streams.reader import Reader
    from tap_syspro.streams.strategies import Memory
    from tap_syspro.tap import TapSyspro

# what paging adds to a query
_ROOM: Final = 600
_TERMS: Final = 4
_MOST_AT_A_TIME: Final = 200


class DocumentFeed(StrategyFeed):
    """Reads documents page by page, and behind each page all lines of its documents."""

    def __init__(
        self, tap: TapSyspro, table: Table, headers: Reader, lines: Reader, strategy: Strategy
    ) -> None:
        super().__init__(tap, headers, strategy)
        assert table.lines is not None  # noqa: S101 - for the type checker: the caller has seen them
        self.lines = lines
        self.is_by_number = isinstance(strategy, RowVersions)
        self._key = headers.keys[0]
        self._line_key = lines.keys[0]
        columns = [*headers.columns, *(each.column for each in headers.derived)]
        columns.append(
            Column(DELETED_AT, "datetime", description="When the order was found to be gone from the ERP.")
        )
        keys = keys_of(headers.keys)
        column = snake(strategy.column) if strategy.column else ""
        self._head = SysproStream(tap, table.stream, columns, keys, self, column)
        line_columns = [*lines.columns, *(each.column for each in lines.derived)]
        self._line = SysproStream(tap, table.lines.stream, line_columns, keys_of(lines.keys), self)
        self.streams += [self._head, self._line]

    @override
    def read(self, streams: Sequence[SysproStream]) -> Iterator[dict[str, list[Row]]]:
        company = self.tap.company
        memory = self._head.memory(company)
        reading = self.begin(memory)
        self._prepare()
        seen: set[Any] = set()
        for page in self.pages(reading):
            rows = self.taken(reading, page)
            if isinstance(self.strategy, RowVersions):
                part = self._changed(reading, page.rows)
            else:
                seen.update(row[self._key] for row in rows)
                part = self._part(rows, self._lines_of(rows, is_range=reading.is_full))
            yield part
            self.mark(reading, page)
        if self.starts_anew(reading):
            yield from self.read(streams)
            return
        if (
            isinstance(self.strategy, Orders)
            and not reading.is_full
            and self.tap.config.get("end_date") is None
        ):
            yield from self._left_behind(memory, seen, reading)
        self.finish(reading)

    @override
    def sample(self, stream: SysproStream, limit: int) -> list[Row]:
        company = self.tap.company
        reader = self.reader if stream is self._head else self.lines
        reader.prepare(stream.wanted, (), company)
        rows = list(reader.rows(reader.walk(company, ()).first(limit), company))
        if stream is self._head:
            for row in rows:
                row[DELETED_AT] = None
        return rows

    @property
    @override
    def readers(self) -> list[Reader]:
        return [self.reader, self.lines]

    def _prepare(self) -> None:
        company = self.tap.company
        self.reader.prepare(self._head.wanted if self._head.selected else [], self.strategy.columns, company)
        more = (ROW_VERSION,) if isinstance(self.strategy, RowVersions) else ()
        self.lines.prepare(self._line.wanted if self._line.selected else [], more, company)

    def _part(self, headers: Sequence[Row], lines: Sequence[Row]) -> dict[str, list[Row]]:
        company = self.tap.company
        part: dict[str, list[Row]] = {}
        if self._head.selected:
            part[self._head.name] = made = list(self.reader.rows(headers, company))
            for row in made:
                row[DELETED_AT] = None
        if self._line.selected:
            part[self._line.name] = list(self.lines.rows(lines, company))
        return part

    # lines -------------------------------------------------------------------------------------------------

    def _lines_of(self, headers: Sequence[Row], *, is_range: bool) -> list[Row]:
        """All lines of some documents.

        Args:
            headers: The documents, in the order of their key.
            is_range: They are all that there are from the first to the last, so that lines can be read from key to key.
        """
        if not headers or not self._line.selected or self.tap.company not in self.lines.sets:
            return []
        keys = [row[self._key] for row in headers]
        if is_range:
            return self._between(self.lines, self._line_key, keys)
        return self._with_keys(self.lines, self._line_key, keys)

    def _with_keys(self, reader: Reader, column: str, keys: Sequence[Any]) -> list[Row]:
        """Rows with some keys, as many at a time as fit into a query."""
        at_once = self._at_once(reader, column, keys)
        try:
            return [
                raw
                for start in range(0, len(keys), at_once)
                for raw in self._rows(reader, any_of(column, keys[start : start + at_once]))
            ]
        except RefusedError as error:
            self.tap.warn_once(
                f"{self._head.name} by key",
                f"{self._head.name}: rows cannot be asked for by several keys; reading from key to key. {error}",
            )
            return self._between(reader, column, keys)

    def _between(self, reader: Reader, column: str, keys: Sequence[Any]) -> list[Row]:
        """Rows with some keys, read from the first to the last of them."""
        wanted = set(keys)
        rows = self._rows(reader, ((Term(column, "ge", min(keys)), Term(column, "le", max(keys))),))
        return [raw for raw in rows if raw[column] in wanted]

    def _rows(self, reader: Reader, condition: Condition) -> list[Row]:
        """Rows under a condition; picked out of all where the service does not take it."""
        holds = reader.checker((condition,))
        obeys = self.tap.service.filters_are_kept
        try:
            pages = list(reader.walk(self.tap.company, (condition,)).pages())
        except PageTooLargeError:
            raise
        except RefusedError as error:
            if len(condition) > 1:
                raise
            self.tap.warn_once(reader.sets[self.tap.company].name, f"{self._line.name}: reading all. {error}")
            pages = list(reader.walk(self.tap.company, ()).pages())
            obeys = False
        return [raw for page in pages for raw in page.rows if obeys or holds(raw)]

    def _at_once(self, reader: Reader, column: str, keys: Sequence[Any]) -> int:
        """How many keys fit into one query, with room for what paging adds."""
        longest = max(keys, key=len)
        at_once = min(_MOST_AT_A_TIME, len(keys))
        while at_once > 1:
            query = reader.query(self.tap.company, (any_of(column, [longest] * at_once),))
            if self.tap.service.fits(query, _ROOM, _TERMS):
                break
            at_once -= max(1, at_once // 8)
        return at_once

    # rows that changed ---------------------------------------------------------------------------------------

    def _changed(self, reading: Reading, headers: Sequence[Row]) -> dict[str, list[Row]]:
        """Documents that have changed, or of which a line has; they come with all their lines."""
        lines = self._lines_of(headers, is_range=True)
        self.strategy.note(reading.noted, lines, self.tap.facts(self.reader.given))
        assert isinstance(self.strategy, RowVersions)  # noqa: S101 - for the type checker
        since = self.strategy.since(reading.memory, self.tap.facts(self.reader.given))
        changed = {
            row[key]
            for rows, key in ((headers, self._key), (lines, self._line_key))
            for row in rows
            if (version := row_number(row.get(ROW_VERSION))) is None or version > since
        }
        return self._part(
            [row for row in headers if row[self._key] in changed],
            [row for row in lines if row[self._line_key] in changed],
        )

    # orders that were open -----------------------------------------------------------------------------------

    def _left_behind(
        self, memory: Memory, seen: set[Any], reading: Reading
    ) -> Iterator[dict[str, list[Row]]]:
        """Orders that were open at the last run and are in no filter now: cancelled, or gone."""
        missing = sorted(set(memory.get("open") or ()) - seen)
        if not missing:
            return
        found = self._with_keys(self.reader, self._key, missing)
        self.strategy.note(reading.noted, found, self.tap.facts(self.reader.given))
        part = self._part(found, self._lines_of(found, is_range=False))
        gone = sorted(set(missing) - {row[self._key] for row in found})
        if gone and self._head.selected and self.tap.config["track_deletions"]:
            part[self._head.name] += [self._tombstone(key) for key in gone]
        yield part

    def _tombstone(self, key: str) -> Row:
        """A record of an order that is gone: its key, and when that was found."""
        row: Row = dict.fromkeys(column.name for column in self._head.wanted)
        when = self.tap.now.astimezone(dt.UTC).isoformat(timespec="microseconds")
        return {**row, COMPANY: self.tap.company, snake(self._key): key.rstrip(), DELETED_AT: when}
