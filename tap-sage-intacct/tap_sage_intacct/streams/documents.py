"""Streams of objects with their lines."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from tap_sage_intacct.discovery import snake
from tap_sage_intacct.errors import ForbiddenError, TooMuchError
from tap_sage_intacct.paging import Part, iso, moment_of, one_of, where
from tap_sage_intacct.streams.columns import DELETED_AT, Column
from tap_sage_intacct.streams.encoded import EncodedRows
from tap_sage_intacct.streams.feed import Feed, blank
from tap_sage_intacct.streams.reading import MOST_VALUES, Reading
from tap_sage_intacct.streams.shapes import RECORD, Shape, within
from tap_sage_intacct.streams.sources import Selection
from tap_sage_intacct.streams.stream import IntacctStream
from tap_sage_intacct.walks import UniqueWalk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sage_intacct.discovery import Described
    from tap_sage_intacct.envelope import Node
    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.streams.declarations import Amounts, Lines, Object
    from tap_sage_intacct.streams.rows import RowList
    from tap_sage_intacct.streams.sources import Source
    from tap_sage_intacct.tap import TapSageIntacct

_BOOK: Final = "BOOKID"
_BATCHES: Final = "GLBATCH"
_VIEW_DAYS: Final = 7
_BEGINNING: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_DELETIONS_READ: Final = "deletions_read_until"
_WHOLE: Final = "whole_read_until"


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
        self.read_keys: set[str] = set()

    def lines_of(self, stream: IntacctStream) -> tuple[Lines, Shape, str]:
        """How the lines of a stream are declared, their shape, and the field that holds their document."""
        return self._lines[stream.name]

    @property
    def is_audited(self) -> bool:
        """Whether deletions are told by RECORDNO."""
        return self.spec.audited and self.shape.keys == (RECORD,)

    def _stream(self, name: str, shape: Shape, columns: Sequence[Column], *automatic: str) -> IntacctStream:
        return IntacctStream(
            self.tap, name, columns, shape.names, self, snake(shape.cursor) if shape.cursor else "", automatic
        )

    def source(
        self, stream: str, shape: Shape, entity: str, *fields: str
    ) -> Source[RowList] | Source[EncodedRows]:
        """What reads an object for a stream, or only its key and some fields when that is not selected."""
        selection = self._selection(stream, shape, entity, *fields)
        chosen = self._chosen(stream)
        if chosen is None or chosen.line_writer is None:
            return selection.as_rows()
        held = [column.name for column in shape.needed(*fields)]
        return selection.as_encoded(held, [DELETED_AT] if self._tells_deletions(stream) else [])

    def _chosen(self, stream: str) -> IntacctStream | None:
        return next((one for one in self.streams if one.name == stream and one.selected), None)

    def _tells_deletions(self, stream: str) -> bool:
        return self.is_audited and stream == self.spec.stream

    def _selection(self, stream: str, shape: Shape, entity: str, *fields: str) -> Selection:
        amounts = self._amounts.get(stream)
        chosen = self._chosen(stream)
        wanted = chosen.wanted if chosen else []
        needs = shape.needed(*fields)
        if amounts and chosen and {c.name for c in amounts.columns} & {c.name for c in wanted}:
            needs += [shape.column(field) for field in amounts.needs if field in shape.described.fields]
        docparid = self.spec.docparid if stream == self.spec.stream else ""
        columns = [column for column in wanted if column.name != DELETED_AT]
        return Selection(self.tap, shape.object, columns, entity, amounts, docparid, needs, shape.names)

    # reading -----------------------------------------------------------------------------------------------

    @override
    def rows_of(self, stream: IntacctStream, entity: str, limit: int) -> Iterator[Row]:
        line = self._lines.get(stream.name)
        shape = line[1] if line else self.shape
        conditions = list(self.by_book(by_book=line[0].by_book if line else self.spec.by_book))
        if conditions:  # a view, which the vendor asks never to read without a filter
            conditions.append(where("greaterthan", "BATCHKEY", "0"))
        source = self._selection(stream.name, shape, entity).as_rows()
        yield from self._written(stream, source, source.fetch(conditions, (), 0, limit, False).rows)  # noqa: FBT003

    @override
    def read(self, streams: Sequence[IntacctStream], entity: str) -> None:
        hi = self.tap.bound()
        self.read_keys = set()
        deletions_since = self._deletions_since(streams, entity)
        pending = [stream.pending(entity) for stream in streams]
        if pending[0] and all(each_pending == pending[0] for each_pending in pending):
            parts = [Part.of(kept) for kept in pending[0]]
            reached = parts[-1].hi
            lo = self.start(streams, entity)
            self._read_parts(streams, entity, parts)
            if lo is not None:
                self._read_touched(streams, entity, lo, reached)
            self._note(streams, entity, reached)
        lo = self.start(streams, entity)
        if lo is None or lo < hi:
            if lo is None:
                for stream in streams:
                    stream.kept(entity)[_WHOLE] = iso(hi)
            self._read_parts(streams, entity, self._parts(lo, hi, entity))
            if lo is not None:
                self._read_touched(streams, entity, lo, hi)
            self._note(streams, entity, hi)
        self._tombstones(entity, deletions_since)
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
        source = Selection(self.tap, _BATCHES, [], entity, needs=shape.needed(shape.created)).as_rows()
        found = source.fetch([where("isnotnull", shape.created)], [shape.created], 0, 1, True).rows  # noqa: FBT003
        return moment_of(found[0][snake(shape.created)]) - self.tap.doubt if found else None

    def _note(self, streams: Sequence[IntacctStream], entity: str, moment: dt.datetime) -> None:
        """Move the bookmarks, and note when all there is was read, be it over several runs."""
        self.progress = True
        for stream in streams:
            stream.keep_pending(entity, [])
            stream.advance(entity, moment)
            kept = stream.kept(entity)
            if kept.pop(_WHOLE, None) == iso(moment) or "full_read_at" not in kept:
                kept["full_read_at"] = iso(moment)
        streams[0].write_state()

    def _read_parts(self, streams: Sequence[IntacctStream], entity: str, parts: list[Part]) -> None:
        """Read parts one after the other, halving those that the server cannot deliver."""
        header = self.source(self.spec.stream, self.shape, entity, self.shape.cursor, self.shape.created)
        reading = Reading(self, streams, entity, header)
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
        source = Selection(self.tap, touch.object, [], entity, needs=shape.needed(*fields)).as_rows()
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
        reading = Reading(self, streams, entity, header)
        for chunk in self.in_chunks([key for key in keys if key not in self.read_keys], MOST_VALUES):
            reading.by_keys(chunk)

    # conditions --------------------------------------------------------------------------------------------

    def by_book(self, *, by_book: bool) -> list[Node]:
        """The choice of books, for views that repeat postings per book."""
        books = self.tap.config["book_ids"]
        return [one_of(_BOOK, books)] if by_book and books else []

    # rows --------------------------------------------------------------------------------------------------

    def _written(
        self, stream: IntacctStream, source: Source[RowList] | Source[EncodedRows], rows: Sequence[Row]
    ) -> Sequence[Row]:
        """Rows as they are written: with all that is selected and nothing else."""
        for name in source.drop:
            for row in rows:
                row.pop(name, None)
        if self._tells_deletions(stream.name):
            for row in rows:
                row[DELETED_AT] = None
        return rows

    def write(
        self,
        stream: IntacctStream,
        source: Source[RowList] | Source[EncodedRows],
        rows: RowList | EncodedRows,
    ) -> None:
        """Write rows of a stream."""
        if isinstance(rows, EncodedRows):
            self.put_encoded(stream, rows)
        else:
            self.put(stream, self._written(stream, source, rows))

    def _deletions_since(self, streams: Sequence[IntacctStream], entity: str) -> dt.datetime | None:
        """Up to when deletions were told; None where a first load begins, before which there was nothing to forget.

        When it began is noted from its first slice on: if it is cut, the next run does not read again what was
        written, of which something may be deleted meanwhile.
        """
        if not (self.is_audited and self.streams[0] in streams and self.tap.config["track_deletions"]):
            return None
        kept = self.streams[0].kept(entity)
        since = kept.get(_DELETIONS_READ)
        if since is None:
            kept[_DELETIONS_READ] = iso(self.tap.bound())
            return None
        return moment_of(since)

    def _tombstones(self, entity: str, since: dt.datetime | None) -> None:
        """Tell of deleted records: their key, and when they went."""
        if since is None:
            return
        stream = self.streams[0]
        gone = self.tap.deletions.since(self.spec.object, entity, since)
        if gone is None:
            return
        empty = blank(stream, self.tap, entity)
        name = snake(RECORD)
        self.put(stream, [{**empty, name: number, DELETED_AT: when} for number, when in gone.items()])
        stream.kept(entity)[_DELETIONS_READ] = iso(self.tap.bound())
