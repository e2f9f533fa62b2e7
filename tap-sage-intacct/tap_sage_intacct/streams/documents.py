"""Streams of objects with their lines."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_sage_intacct.discovery import snake
from tap_sage_intacct.errors import BadValueError, ForbiddenError, TooMuchError
from tap_sage_intacct.paging import (
    GroupWalk,
    OffsetWalk,
    Part,
    UniqueWalk,
    Walk,
    any_of,
    each,
    iso,
    moment_of,
    one_of,
    where,
)
from tap_sage_intacct.streams.columns import DELETED_AT, Column, columns_of
from tap_sage_intacct.streams.feed import Feed, Source, blank
from tap_sage_intacct.streams.stream import IntacctStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_sage_intacct.discovery import Described
    from tap_sage_intacct.envelope import Node
    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.streams.declarations import Amounts, Lines, Object
    from tap_sage_intacct.tap import TapSageIntacct

RECORD: Final = "RECORDNO"
MODIFIED: Final = "WHENMODIFIED"
_BOOK: Final = "BOOKID"
_CREATED: Final = ("AUWHENCREATED", "WHENCREATED")
_FALLBACK_KEYS: Final = (RECORD, "id", "ID")
_FALLBACK_CURSORS: Final = (MODIFIED, "updatedAt")
_MOST_VALUES: Final = 1000
"""How many values `in` takes (vendor's query page)."""
_PAGES_PER_SLICE: Final = 10
_BATCHES: Final = "GLBATCH"
_VIEW_DAYS: Final = 7
_BEGINNING: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_DELETIONS_READ: Final = "deletions_read_until"


@dataclasses.dataclass(frozen=True)
class Shape:
    """What decides how an object can be read, worked out from its fields.

    Attributes:
        object: Its name.
        described: Its fields.
        columns: Its columns.
        keys: The fields of its key.
        cursor: The field with the time of the last change; empty for none.
        created: The field with the time of creation; empty for none.
    """

    object: str
    described: Described
    columns: list[Column]
    keys: tuple[str, ...]
    cursor: str
    created: str

    @classmethod
    def of(cls, name: str, described: Described, keys: Sequence[str] = (), cursor: str = "") -> Shape:
        """Work it out."""
        fallback = next(((one,) for one in _FALLBACK_KEYS if one in described.fields), ())
        times = [cursor] if cursor else _FALLBACK_CURSORS
        return cls(
            name,
            described,
            columns_of(described.fields.values()),
            tuple(keys) or fallback,
            next((one for one in times if described.type_of(one) == "TIMESTAMP"), ""),
            next((one for one in _CREATED if described.type_of(one) == "TIMESTAMP"), ""),
        )

    @property
    def has_number(self) -> bool:
        """Whether its key is a number that pages can follow."""
        return len(self.keys) == 1 and self.described.type_of(self.keys[0]) == "INTEGER"

    @property
    def names(self) -> tuple[str, ...]:
        """The properties of its key."""
        return tuple(snake(key) for key in self.keys)

    def column(self, field: str) -> Column:
        """The column of a field."""
        return next(column for column in self.columns if column.name == snake(field))

    def needed(self, *fields: str) -> list[Column]:
        """The columns of the key and of further fields."""
        return [self.column(field) for field in dict.fromkeys((*self.keys, *filter(None, fields)))]


def within(tap: TapSageIntacct, shape: Shape, part: Part) -> list[Node]:
    """What lies in a part: modified in it, or never modified and created since its beginning."""
    if not shape.cursor:
        return []
    upper = _before(tap, shape.cursor, part.hi)
    if part.lo is None:
        return [any_of([where("isnull", shape.cursor), upper])]
    modified: Node = ("and", [_since(tap, shape.cursor, part.lo), upper])
    return [any_of([modified, never_modified(tap, shape, part)])]


def never_modified(tap: TapSageIntacct, shape: Shape, part: Part) -> Node:
    """Records that were never changed since they were made: their modification time is empty."""
    is_null = where("isnull", shape.cursor)
    if not shape.created or part.lo is None:
        return is_null
    return (
        "and",
        [
            is_null,
            _since(tap, shape.created, part.lo - tap.doubt),
            _before(tap, shape.created, part.hi + tap.doubt),
        ],
    )


def _before(tap: TapSageIntacct, field: str, moment: dt.datetime) -> Node:
    return where("lessthan", field, tap.clock.literal(moment))


def _since(tap: TapSageIntacct, field: str, moment: dt.datetime) -> Node:
    return where("greaterthanorequalto", field, tap.clock.literal(moment))


def _book_keys(by_book: bool) -> tuple[str, ...]:  # noqa: FBT001 - as declared
    """The key of a view that repeats postings per book; nobody says that RECORDNO alone tells them apart."""
    return (RECORD, _BOOK) if by_book else ()


class ObjectFeed(Feed):
    """Reads an object, its lines, and what was deleted of it."""

    def __init__(
        self, tap: TapSageIntacct, spec: Object, described: Mapping[str, Described], lines: Sequence[Lines]
    ) -> None:
        super().__init__(tap)
        self.spec = spec
        self.is_master = spec.master
        key = f"{spec.object}|{spec.docparid}" if spec.docparid else spec.object
        self.shape = Shape.of(
            spec.object, described[key], spec.keys or _book_keys(spec.by_book), spec.replication_key
        )
        self._described = described
        self._amounts: dict[str, Amounts | None] = {spec.stream: spec.amounts}
        self._lines: dict[str, tuple[Lines, Shape, str]] = {}
        columns = [*self.shape.columns, *(spec.amounts.columns if spec.amounts else ())]
        if self.is_audited:
            columns.append(Column(DELETED_AT, "time", description="When the record was deleted."))
        self.streams.append(self._stream(spec.stream, self.shape, columns))
        for line in lines:
            shape = Shape.of(line.object, described[line.object], _book_keys(line.by_book))
            parent = next(field for field in line.parents if field in shape.described.fields)
            self._lines[line.stream] = (line, shape, parent)
            self._amounts[line.stream] = line.amounts
            made = [*shape.columns, *(line.amounts.columns if line.amounts else ())]
            self.streams.append(self._stream(line.stream, shape, made, snake(parent)))
        self._read_keys: set[str] = set()

    @property
    def is_audited(self) -> bool:
        """Whether deletions are told by RECORDNO."""
        return self.spec.audited and self.shape.keys == (RECORD,)

    def _stream(self, name: str, shape: Shape, columns: Sequence[Column], *automatic: str) -> IntacctStream:
        return IntacctStream(
            self.tap, name, columns, shape.names, self, snake(shape.cursor) if shape.cursor else "", automatic
        )

    def source(self, stream: str, shape: Shape, entity: str, *fields: str) -> Source:
        """What reads an object for a stream, or only its key and some fields when that is not selected."""
        amounts = self._amounts.get(stream)
        chosen = next((one for one in self.streams if one.name == stream and one.selected), None)
        wanted = chosen.wanted if chosen else []
        needs = shape.needed(*fields)
        if amounts and chosen and {c.name for c in amounts.columns} & {c.name for c in wanted}:
            needs += [shape.column(field) for field in amounts.needs if field in shape.described.fields]
        docparid = self.spec.docparid if stream == self.spec.stream else ""
        columns = [column for column in wanted if column.name != DELETED_AT]
        return Source(self.tap, shape.object, columns, entity, amounts, docparid, needs)

    # reading -----------------------------------------------------------------------------------------------

    @override
    def rows_of(self, stream: IntacctStream, entity: str, limit: int) -> Iterator[Row]:
        line = self._lines.get(stream.name)
        shape = line[1] if line else self.shape
        conditions = list(self._by_book(line[0].by_book if line else self.spec.by_book))
        if conditions:  # a view, which the vendor asks never to read without a filter
            conditions.append(where("greaterthan", "BATCHKEY", "0"))
        source = self.source(stream.name, shape, entity)
        yield from self._written(stream, source, source.fetch(conditions, (), 0, limit, False).rows)  # noqa: FBT003

    @override
    def read(self, streams: Sequence[IntacctStream], entity: str) -> None:
        hi = self.tap.bound()
        self._read_keys = set()
        pending = [stream.pending(entity) for stream in streams]
        if pending[0] and all(each_pending == pending[0] for each_pending in pending):
            parts = [Part.of(kept) for kept in pending[0]]
            reached = parts[-1].hi
            self._read_parts(streams, entity, parts)
            self._note(streams, entity, reached)
        lo = self.start(streams, entity)
        if lo is None or lo < hi:
            self._read_parts(streams, entity, self._parts(lo, hi, entity))
            if lo is not None:
                self._read_touched(streams, entity, lo, hi)
            self._note(streams, entity, hi, full=lo is None)
        self._tombstones(streams, entity)
        streams[0].write_state()

    def _parts(self, lo: dt.datetime | None, hi: dt.datetime, entity: str) -> list[Part]:
        """What is to be read; the view of GL detail must be asked for by short spans from the beginning on."""
        days = self.tap.config["window_days"]
        if not self.spec.by_book:
            return Part(lo, hi).pieces(days)
        lo = lo or self._oldest(entity)
        return Part(lo, hi).pieces(days or _VIEW_DAYS) if lo else []

    def _oldest(self, entity: str) -> dt.datetime | None:
        """When the first journal entry was made; None when there are none."""
        described = self._described[_BATCHES]
        shape = Shape.of(_BATCHES, described)
        if described.forbidden or not shape.created:
            return _BEGINNING
        source = Source(self.tap, _BATCHES, [], entity, needs=shape.needed(shape.created))
        found = source.fetch([where("isnotnull", shape.created)], [shape.created], 0, 1, True).rows  # noqa: FBT003
        return moment_of(found[0][snake(shape.created)]) - self.tap.doubt if found else None

    def _note(
        self, streams: Sequence[IntacctStream], entity: str, moment: dt.datetime, *, full: bool = False
    ) -> None:
        """Move the bookmarks."""
        self.progress = True
        for stream in streams:
            stream.keep_pending(entity, [])
            stream.advance(entity, moment)
            if full or "full_read_at" not in stream.kept(entity):
                stream.kept(entity)["full_read_at"] = iso(moment)
        streams[0].write_state()

    def _read_parts(self, streams: Sequence[IntacctStream], entity: str, parts: list[Part]) -> None:
        """Read parts one after the other, halving those that the server cannot deliver."""
        header = self.source(self.spec.stream, self.shape, entity, self.shape.cursor, self.shape.created)
        reading = _Reading(self, streams, entity, header)
        while parts:
            part = parts[0]
            try:
                for _ in reading.slices(part, narrow=bool(part.halves())):
                    for stream in streams:
                        stream.keep_pending(entity, parts)
                    if not streams[0].is_full_table:
                        self.progress = True
                    streams[0].write_state()
            except TooMuchError as error:
                self.tap.logger.warning("%s: %s Reading shorter spans", self.spec.stream, error)
                parts[0:1] = part.halves()
            else:
                parts.pop(0)

    def _read_touched(
        self, streams: Sequence[IntacctStream], entity: str, lo: dt.datetime, hi: dt.datetime
    ) -> None:
        """Read documents again that others have changed, without that their own modification time tells."""
        touch = self.spec.touched
        described = self._described.get(touch.object) if touch else None
        if (
            touch is None
            or described is None
            or described.forbidden
            or not self.tap.config["reread_paid_bills"]
        ):
            return
        shape = Shape.of(touch.object, described)
        fields = [field for field in touch.fields if field in described.fields]
        if not (shape.cursor and shape.has_number and fields):
            return
        source = Source(self.tap, touch.object, [], entity, needs=shape.needed(*fields))
        names = [snake(field) for field in fields]
        walk = UniqueWalk(shape.keys[0], shape.names[0])
        keys: dict[str, None] = {}
        try:
            for rows in source.pages().walk(within(self.tap, shape, Part(lo, hi)), walk):
                keys.update((row[name], None) for row in rows for name in names if row[name])
        except ForbiddenError as error:
            self.tap.logger.warning("%s: payments cannot be read. %s", self.spec.stream, error)
            return
        header = self.source(self.spec.stream, self.shape, entity)
        reading = _Reading(self, streams, entity, header)
        for chunk in self.in_chunks([key for key in keys if key not in self._read_keys], _MOST_VALUES):
            reading.by_keys(chunk)

    # conditions --------------------------------------------------------------------------------------------

    def _by_book(self, by_book: bool) -> list[Node]:  # noqa: FBT001 - as declared
        books = self.tap.config["book_ids"]
        return [one_of(_BOOK, books)] if by_book and books else []

    # rows --------------------------------------------------------------------------------------------------

    def _written(self, stream: IntacctStream, source: Source, rows: Sequence[Row]) -> Sequence[Row]:
        """Rows as they are written: with all that is selected and nothing else."""
        source.clean(rows)
        if self.is_audited and stream.name == self.spec.stream:
            for row in rows:
                row[DELETED_AT] = None
        return rows

    def write(self, stream: IntacctStream, source: Source, rows: Sequence[Row]) -> None:
        """Write rows of a stream.

        Raises:
            BadValueError: A row has no key.
        """
        name = next(iter(stream.primary_keys[-1:]), "")
        if name and any(row[name] is None for row in rows):
            raise BadValueError(f"{source.name}: a record came with an empty {name}")
        self.put(stream, self._written(stream, source, rows))

    def _tombstones(self, streams: Sequence[IntacctStream], entity: str) -> None:
        """Tell of deleted records: their key, and when they went."""
        stream = self.streams[0]
        if not (self.is_audited and stream in streams and self.tap.config["track_deletions"]):
            return
        kept = stream.kept(entity)
        since = kept.get(_DELETIONS_READ)
        # Before its first run there is nothing that the target could hold and should forget.
        gone = self.tap.deletions.since(self.spec.object, entity, moment_of(since)) if since else {}
        if gone is None:
            return
        empty = blank(stream, self.tap, entity)
        name = snake(RECORD)
        self.put(stream, [{**empty, name: number, DELETED_AT: when} for number, when in gone.items()])
        kept[_DELETIONS_READ] = iso(self.tap.bound())


class _Reading:
    """One pass through an object for some streams by one session."""

    def __init__(
        self, feed: ObjectFeed, streams: Sequence[IntacctStream], entity: str, header: Source
    ) -> None:
        self._feed = feed
        self._entity = entity
        self._shape = feed.shape
        self._header = header
        self._pages = header.pages()
        self._stream = next((one for one in streams if one is feed.streams[0]), None)
        self._lines = [
            _LineReading(feed, stream, *feed._lines[stream.name], entity)  # noqa: SLF001 - its own helper
            for stream in streams
            if stream is not feed.streams[0]
        ]

    def slices(self, part: Part, *, narrow: bool) -> Iterator[None]:
        """Read a part; after each slice its rows are written and the part begins behind it."""
        if not self._shape.has_number:
            yield from self._by_time(part, narrow=narrow)
            return
        walk = UniqueWalk(self._shape.keys[0], self._shape.names[0], part.after)
        keys: list[str] = []
        pages = self._pages.walk(self._conditions(part), walk, narrow=narrow)
        for number, rows in enumerate(pages, start=1):
            keys += self._write(rows)
            if number % _PAGES_PER_SLICE == 0 or not self._lines:
                reached = keys[-1]
                self._write_lines(keys, part, reached)
                part.after, keys = reached, []
                yield
        if keys:
            self._write_lines(keys, part, keys[-1])
            part.after = keys[-1]
            yield
        for line in self._lines:
            line.own(part)

    def by_keys(self, keys: Sequence[str]) -> None:
        """Read certain documents with their lines."""
        walk = UniqueWalk(self._shape.keys[0], self._shape.names[0])
        found: list[str] = []
        for rows in self._pages.walk([one_of(self._shape.keys[0], keys)], walk):
            found += self._write(rows)
        for line in self._lines:
            line.of_documents(found)

    def _by_time(self, part: Part, *, narrow: bool) -> Iterator[None]:
        """Read a part whose key is text, by modification time; lists without one are read as they stand."""
        shape = self._shape
        if not shape.cursor:
            order = shape.keys or tuple(shape.described.fields)[:1]
            rows = self._pages.whole(self._conditions(part), lambda: OffsetWalk(order))
            self._finish(self._write(rows))
            yield
            return
        conditions = self._conditions(part)
        if part.after is None:
            reply = self._header.fetch(conditions, shape.keys, 0, self._pages.size, not narrow)
            if reply.remaining == 0:  # the usual case takes one call
                self._finish(self._write(reply.rows))
                yield
                return
            unmodified = [*self._books(), never_modified(self._feed.tap, shape, part)]
            for rows in self._pages.walk(unmodified, self._group(shape.created), narrow=narrow):
                self._finish(self._write(rows))
        modified = [*self._books(), *self._modified(part)]
        walk = self._group(shape.cursor, part.after)
        for rows in self._pages.walk(modified, walk, narrow=narrow):
            self._finish(self._write(rows))
            part.after = walk.position
            yield

    def _group(self, field: str, after: str | None = None) -> Walk:
        shape = self._shape
        names = shape.names

        def key(row: Row) -> tuple[Any, ...]:
            return tuple(row[name] for name in names)

        if not field:
            return OffsetWalk(shape.keys)
        return GroupWalk(field, snake(field), shape.keys[0], key, self._feed.tap.clock.literal_of, after)

    def _modified(self, part: Part) -> list[Node]:
        tap, cursor = self._feed.tap, self._shape.cursor
        upper = [_before(tap, cursor, part.hi)]
        return upper if part.lo is None else [_since(tap, cursor, part.lo), *upper]

    def _books(self) -> list[Node]:
        return self._feed._by_book(self._feed.spec.by_book)  # noqa: SLF001 - its own helper

    def _conditions(self, part: Part) -> list[Node]:
        return [*self._books(), *within(self._feed.tap, self._shape, part)]

    def _write(self, rows: Sequence[Row]) -> list[str]:
        """Write a page of documents and return their keys."""
        name = self._shape.names[0] if self._shape.names else ""
        keys = [str(row[name]) for row in rows] if name else []
        if self._feed.spec.touched:
            self._feed._read_keys.update(keys)  # noqa: SLF001 - its own helper
        if self._stream is not None:
            self._feed.write(self._stream, self._header, rows)
        return keys

    def _write_lines(self, keys: Sequence[str], part: Part, reached: str) -> None:
        for line in self._lines:
            if part.lo is None and line.is_ranged:
                line.in_range(set(keys), part.after, reached)
            else:
                line.of_documents(keys)

    def _finish(self, keys: Sequence[str]) -> None:
        for line in self._lines:
            line.of_documents(keys)


class _LineReading:
    """Reads the lines of documents."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it takes
        self, feed: ObjectFeed, stream: IntacctStream, line: Lines, shape: Shape, parent: str, entity: str
    ) -> None:
        self._feed = feed
        self._stream = stream
        self._line = line
        self._shape = shape
        self._parent = parent
        self._source = feed.source(stream.name, shape, entity, parent)
        self._pages = self._source.pages()
        self._books = feed._by_book(line.by_book)  # noqa: SLF001 - its own helper

    @property
    def is_ranged(self) -> bool:
        """Whether spans of documents can be asked for, which costs fewer calls than lists of them."""
        return self._shape.described.type_of(self._parent) == "INTEGER"

    def in_range(self, wanted: set[str], after: str | None, last: str) -> None:
        """Read the lines of a span of documents; lines of documents that were not read are left for their turn."""
        conditions = [*self._books, where("lessthanorequalto", self._parent, last)]
        if after is not None:
            conditions.append(where("greaterthan", self._parent, after))
        name = snake(self._parent)
        for rows in self._walk(conditions):
            self._feed.write(self._stream, self._source, [row for row in rows if row[name] in wanted])

    def of_documents(self, keys: Sequence[str]) -> None:
        """Read the lines of certain documents."""
        at_once = self._feed.tap.config["max_concurrent_requests"]

        def lines(chunk: Sequence[str]) -> Iterable[list[Row]]:
            pages = self._walk([*self._books, one_of(self._parent, chunk)])
            return pages if at_once == 1 else list(pages)

        for pages in each(lines, self._feed.in_chunks(keys, _MOST_VALUES), at_once):
            for rows in pages:
                self._feed.write(self._stream, self._source, rows)

    def own(self, part: Part) -> None:
        """Read lines that change without their document, or have none."""
        if not (self._line.own and self._shape.cursor):
            return
        without = where("isnull", self._parent)
        conditions = [without] if part.lo is None else within(self._feed.tap, self._shape, part)
        for rows in self._walk(conditions):
            self._feed.write(self._stream, self._source, rows)

    def _walk(self, conditions: Sequence[Node]) -> Iterator[list[Row]]:
        return self._pages.walk(conditions, self._start())

    def _start(self) -> Walk:
        shape = self._shape
        if shape.has_number:
            return UniqueWalk(shape.keys[0], shape.names[0])
        names = shape.names

        def key(row: Row) -> tuple[Any, ...]:
            return tuple(row[name] for name in names)

        tie = shape.keys[0] if shape.keys else self._parent
        return GroupWalk(self._parent, snake(self._parent), tie, key)
