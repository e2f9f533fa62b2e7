"""One pass through an object and its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_sage_intacct.discovery import snake
from tap_sage_intacct.paging import each, one_of, where
from tap_sage_intacct.streams.shapes import before, never_modified, since, within
from tap_sage_intacct.walks import GroupWalk, OffsetWalk, UniqueWalk, Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_sage_intacct.envelope import Node
    from tap_sage_intacct.paging import Part
    from tap_sage_intacct.streams.declarations import Lines
    from tap_sage_intacct.streams.documents import ObjectFeed
    from tap_sage_intacct.streams.encoded import EncodedRows
    from tap_sage_intacct.streams.rows import RowList
    from tap_sage_intacct.streams.shapes import Shape
    from tap_sage_intacct.streams.sources import Source
    from tap_sage_intacct.streams.stream import IntacctStream

MOST_VALUES: Final = 1000
"""How many values `in` takes (vendor's query page)."""
_PAGES_PER_SLICE: Final = 10


class Reading:
    """One pass through an object for some streams by one session."""

    def __init__(
        self,
        feed: ObjectFeed,
        streams: Sequence[IntacctStream],
        entity: str,
        header: Source[RowList] | Source[EncodedRows],
    ) -> None:
        self._feed = feed
        self._entity = entity
        self._shape = feed.shape
        self._header = header
        self._pages = header.pages()
        self._stream = next((one for one in streams if one is feed.streams[0]), None)
        self._lines = [
            LineReading(feed, stream, *feed.lines_of(stream), entity)
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
        pages: Iterator[RowList | EncodedRows] = self._pages.walk(self._conditions(part), walk, narrow=narrow)
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
            for rows in self._pages.whole(self._conditions(part), lambda: OffsetWalk(order)):
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
        if not field:
            return OffsetWalk(shape.keys)
        return GroupWalk(
            field, snake(field), shape.keys[0], shape.names, self._feed.tap.clock.literal_of, after
        )

    def _modified(self, part: Part) -> list[Node]:
        tap, cursor = self._feed.tap, self._shape.cursor
        upper = [before(tap, cursor, part.hi)]
        return upper if part.lo is None else [since(tap, cursor, part.lo), *upper]

    def _books(self) -> list[Node]:
        return self._feed.by_book(by_book=self._feed.spec.by_book)

    def _conditions(self, part: Part) -> list[Node]:
        return [*self._books(), *within(self._feed.tap, self._shape, part)]

    def _write(self, rows: RowList | EncodedRows) -> list[str]:
        """Write a page of documents and return their keys."""
        name = self._shape.names[0] if self._shape.names else ""
        keys = list(map(str, rows.column(name))) if name else []
        if self._feed.spec.touched:
            self._feed.read_keys.update(keys)
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


class LineReading:
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
        self._books = feed.by_book(by_book=line.by_book)

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
            parents = rows.column(name)
            if not wanted.issuperset(parents):
                rows = rows.keep(place for place, parent in enumerate(parents) if parent in wanted)  # noqa: PLW2901
            self._feed.write(self._stream, self._source, rows)

    def of_documents(self, keys: Sequence[str]) -> None:
        """Read the lines of certain documents."""
        at_once = self._feed.tap.config["max_concurrent_requests"]

        def lines(chunk: Sequence[str]) -> Iterable[RowList | EncodedRows]:
            pages = self._walk([*self._books, one_of(self._parent, chunk)])
            return pages if at_once == 1 else list(pages)

        for pages in each(lines, self._feed.in_chunks(keys, MOST_VALUES), at_once):
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

    def _walk(self, conditions: Sequence[Node]) -> Iterator[RowList | EncodedRows]:
        return self._pages.walk(conditions, self._start())

    def _start(self) -> Walk:
        shape = self._shape
        if shape.has_number:
            return UniqueWalk(shape.keys[0], shape.names[0])
        tie = shape.keys[0] if shape.keys else self._parent
        return GroupWalk(self._parent, snake(self._parent), tie, shape.names)
