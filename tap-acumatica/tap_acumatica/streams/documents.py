"""Entities of contract REST, and the lines that come with them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_acumatica.decoding import Decode, decode, decoder
from tap_acumatica.discovery import snake
from tap_acumatica.errors import BadValueError, NotFoundError, NotOptimizableError, RefusedError
from tap_acumatica.paging import Pages, Window
from tap_acumatica.streams.columns import CURSOR, DELETED_AT, NOTE_ID, TENANT, Column, columns_of
from tap_acumatica.streams.custom import columns_of_custom
from tap_acumatica.streams.dac import Join
from tap_acumatica.streams.declarations import Entity, Lines
from tap_acumatica.streams.feed import Doc, Feed
from tap_acumatica.streams.shapes import Shape, getter, values_reader
from tap_acumatica.streams.stream import AcumaticaStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_acumatica.discovery import Endpoint
    from tap_acumatica.paging import Record, Row
    from tap_acumatica.tap import TapAcumatica

__all__ = ["Entity", "EntityFeed", "Lines"]

_CURSORS: Final = ("LastModifiedDateTime", "LastModified")
_LINES_PER_DOCUMENT: Final = 5
_PARENT: Final = "parent_"


class EntityFeed(Feed):
    """Reads one entity with its lines."""

    def __init__(self, tap: TapAcumatica, endpoint: Endpoint, entity: Entity) -> None:
        super().__init__(tap)
        self.entity = entity
        self.deletions = entity.deletions
        self.is_master = entity.master
        self.is_history = bool(entity.lines and entity.lines.dated)
        self._endpoint = endpoint
        fields = endpoint.fields(entity.entity)
        self._cursor = None if entity.whole else next((name for name in _CURSORS if name in fields), None)
        self._parents = self._document_columns()
        self._own: dict[str, list[Column]] = {}
        keys = [snake(key) for key in entity.keys]
        if entity.stream:
            self.streams.append(AcumaticaStream(tap, entity.stream, self._parents, keys, self))
        lines = entity.lines
        self._lines = lines if lines and any(name in fields for name in lines.collections) else None
        if self._lines:
            columns = self._line_columns(self._lines)
            line_keys = [*keys, *self._lines.keys, *filter(None, [self._lines.dated])]
            self.streams.append(AcumaticaStream(tap, self._lines.stream, columns, line_keys, self))
        self._links = list(entity.links)
        self._number = self._lines.hidden_number if self._lines else ""
        self._custom: list[str] = []
        self._one_by_one = False
        self._with_lines = False
        self._read: Callable[[Record], Row] = dict
        self._read_parent: Callable[[Record], Row] = dict
        self._readers: list[_LineReader] = []
        self._key: Callable[[Record], Sequence[Any]] = tuple
        self._note_id: Callable[[Record], Sequence[Any]] = tuple
        self._decode_list: Decode = decode
        self._decode_record: Decode = decode
        self._header_amounts: set[str] = set()
        self._line_amounts: set[str] = set()
        self._warned = False

    # columns -----------------------------------------------------------------------------------------------

    def _document_columns(self) -> list[Column]:
        own = columns_of(self._endpoint, self.entity.entity, self.entity.links)
        columns = [c for c in own if c.path[0] not in _CURSORS and c.name != NOTE_ID]
        if self._cursor:
            columns.append(
                Column(CURSOR, "time", (self._cursor,), self._cursor, "When the record was last changed.")
            )
        columns.append(Column(NOTE_ID, "string", (), "id", "GUID that lives as long as the record."))
        columns += columns_of_custom(self._endpoint, self.tap.config, self.entity)
        if self.entity.amounts:
            columns += self.entity.amounts.columns
        columns += [
            Column(name, "string", description="Part of the code.") for name, _, _ in self._segments()
        ]
        if self.entity.deletions:
            columns.append(Column(DELETED_AT, "time", description="When the record was deleted in the ERP."))
        return columns

    def _line_columns(self, lines: Lines) -> list[Column]:
        rename = dict(lines.rename)
        carried = {snake(name) for name in (*self.entity.keys, *lines.carry)}
        columns = [column for column in self._parents if column.name in carried | {CURSOR}]
        columns.append(Column(_PARENT + NOTE_ID, "string", (), "id", "The note_id of the document."))
        if len(lines.collections) > 1:
            columns.append(
                Column(
                    "application_state",
                    "string",
                    description="open before, posted after the payment is released.",
                )
            )
        if lines.hidden_number:
            columns.append(
                Column("line_nbr", "integer", (), "LineNbr", "Number of the line within its document.")
            )
        if lines.ordinal:
            columns.append(
                Column(lines.ordinal, "integer", description="Tells equal lines of a document apart.")
            )
        if lines.dated:
            columns.append(Column(lines.dated, "date", description="The day on which this was so, in UTC."))
        taken = {column.name for column in columns}
        offered: dict[str, Column] = {}
        for collection in lines.collections:
            self._own[collection] = [c for c in self._own_columns(collection, rename) if c.name not in taken]
            for column in self._own[collection]:
                offered.setdefault(column.name, column)
        return [*columns, *offered.values(), *(lines.amounts.columns if lines.amounts else ())]

    def _own_columns(self, collection: str, rename: Mapping[str, str]) -> Iterator[Column]:
        """The columns that a collection's rows have of themselves."""
        field = self._endpoint.fields(self.entity.entity).get(collection)
        for column in columns_of(self._endpoint, field.entity) if field else ():
            name = rename.get(column.name, column.name)
            yield dataclasses.replace(column, name=name, title=f"{collection}.{column.title}")
        yield from columns_of_custom(self._endpoint, self.tap.config, self.entity, collection)

    def _segments(self) -> list[tuple[str, int, int]]:
        """Column, beginning and end of each part of a segmented code."""
        parts: list[tuple[str, int, int]] = []
        start = 0
        for segment in self.tap.config["subaccount_segments"] if self.entity.segmented else ():
            end = start + int(segment["length"])
            parts.append((f"segment_{snake(segment['name'])}", start, end))
            start = end
        return parts

    # reading -----------------------------------------------------------------------------------------------

    @override
    def prepare(self, streams: Sequence[AcumaticaStream]) -> None:
        lines = self._lines
        amounts = {c.name for c in self.entity.amounts.columns} if self.entity.amounts else set()
        header = [c for s in streams if self._is_document(s) for c in s.wanted]
        line = [c for s in streams if not self._is_document(s) for c in s.wanted]
        self._with_lines = bool(line)
        self._header_amounts = {c.name for c in header if c.name in amounts}
        self._line_amounts = {c.name for c in line if lines and lines.amounts and c in lines.amounts.columns}
        if self.tap.config["base_currency_amounts"] == "none":
            self._header_amounts, self._line_amounts = set(), set()
        shape = Shape()
        self._key = getter([shape.value(key) for key in self.entity.keys])
        self._note_id = getter([shape.plain("id")])
        self._prepare_documents(shape, header)
        self._prepare_lines(shape, line)
        kind = shape.made()
        self._decode_list, self._decode_record = decoder(list[kind]), decoder(kind)  # type: ignore[valid-type] # made here
        # the collections of a stream differ in what their columns are called in the ERP
        names = {c.name for c in line}
        columns = [*header, *(c for own in self._own.values() for c in own if c.name in names)]
        self._custom = list(dict.fromkeys(c.title for c in columns if c.path[:1] == ("custom",)))

    def _prepare_documents(self, shape: Shape, wanted: Sequence[Column]) -> None:
        keys = {snake(key) for key in self.entity.keys} | {CURSOR}
        blank: Row = dict.fromkeys(c.name for c in wanted if not c.path)
        if wanted:
            blank[TENANT] = self.tap.site.tenant
        columns = [c for c in self._parents if c in wanted or c.name in keys]
        names, values = values_reader(columns, self.tap.converters, shape)
        self._read = lambda record: {**dict(zip(names, values(record), strict=True)), **blank}

    def _prepare_lines(self, shape: Shape, wanted: Sequence[Column]) -> None:
        convert, lines = self.tap.converters, self._lines
        self._readers = []
        if not (wanted and lines):
            return
        parents = {c.name for c in self._parents if c.path}
        carried = [c for c in wanted if c.name in parents and c in self._parents]
        names, values = values_reader(carried, convert, shape)
        self._read_parent = lambda record: dict(zip(names, values(record), strict=True))
        blank: Row = dict.fromkeys(c.name for c in wanted)
        blank[TENANT] = self.tap.site.tenant
        if lines.dated:
            blank[lines.dated] = self.tap.today
        for collection, own in self._own.items():
            of_line = Shape()
            names_, values_ = values_reader([c for c in own if c.name in blank], convert, of_line)
            view, _, field = lines.hidden_number.partition(".")
            number = getter([of_line.value("custom", view, field)] if field else [])
            rows = getter([shape.rows(collection, of_line.made())])
            self._readers.append(_LineReader(rows, names_, values_, number, dict(blank)))
            if len(lines.collections) > 1:
                state = "open" if collection == lines.collections[0] else "posted"
                self._readers[-1].blank["application_state"] = state

    def _is_document(self, stream: AcumaticaStream) -> bool:
        return stream.name == self.entity.stream

    @override
    def rows(self, stream: AcumaticaStream, docs: Sequence[Doc]) -> Iterator[Row]:
        if self._is_document(stream):
            return (doc.row for doc in docs)
        return (row for doc in docs for row in doc.lines)

    @override
    def pages(self, keep: Window | None = None) -> Pages[Doc]:
        size = self.tap.config["page_size"]

        def fetch(window: Window | None, skip: int, top: int) -> Sequence[Record]:
            return self._fetch(None if keep else window, skip, top)

        def take(record: Record) -> Doc | None:
            try:
                doc = self._doc(record)
            except BadValueError as error:
                key = ", ".join(map(str, self._key(record)))
                raise BadValueError(f"{self.entity.entity} {key}: {error}") from None
            return doc if keep is None or keep.holds(doc.cursor) else None

        is_heavy = self._with_lines and self._lines is not None and not self._lines.light
        return Pages(fetch, self._key, take, size // _LINES_PER_DOCUMENT if is_heavy else size, Doc.rows)

    @override
    def enrich(self, window: Window, docs: Sequence[Doc]) -> None:
        if self._header_amounts or self._line_amounts:
            lines = self._lines.amounts if self._lines else None
            Join(self.tap.dac, self.entity.amounts, lines).add(
                window, docs, headers_wanted=self._header_amounts, lines_wanted=self._line_amounts
            )

    def _fetch(self, window: Window | None, skip: int, top: int) -> Sequence[Record]:
        params: dict[str, str | int] = {}
        if window is not None and self._cursor:
            params["$filter"] = _between(self._cursor, window)
        while True:
            try:
                extras = self._links_only() if self._one_by_one else self._extras()
                records: Sequence[Record] = self.tap.client.get(
                    self.tap.site.entity(self.entity.entity),
                    {**extras, **params, "$top": top, "$skip": skip},
                    decode=self._decode_list,
                )
                return self._whole(records) if self._one_by_one else records
            except (NotOptimizableError, RefusedError) as error:
                self._simplify(error)

    def _whole(self, headers: Sequence[Record]) -> list[Record]:
        """Read documents one by one, for entities whose lines cannot be had in a list."""
        records = []
        for header in headers:
            try:
                (note_id,) = self._note_id(header)
                address = self.tap.site.entity(self.entity.entity, note_id)
                record = self.tap.client.get(address, self._extras(), decode=self._decode_record)
            except NotFoundError:
                continue  # deleted meanwhile
            records.append(record)
        return records

    def _simplify(self, error: NotOptimizableError | RefusedError) -> None:
        """Ask for the same data in a way that the server can compile.

        Raises:
            NotOptimizableError: There is nothing left to leave out.
            RefusedError: There is nothing left to leave out.
        """
        if self._custom:
            what = f"without custom fields ({', '.join(self._custom)}), whose columns stay empty"
            self._custom = []
        elif self._with_lines and self._number:
            self._number = ""
            what = "without line numbers; lines are numbered by position"
        elif self._with_lines and not self._one_by_one:
            self._one_by_one = True
            what = "document by document, which costs a call for each"
        elif self._links:
            self._links = []
            what = "without linked entities, whose columns stay empty"
        else:
            raise error
        self.tap.logger.warning("%s: the list is refused; reading %s. %s", self.entity.name, what, error)

    def _links_only(self) -> dict[str, str | int]:
        return {"$expand": self._endpoint.expand(self._links)} if self._links else {}

    def _extras(self) -> dict[str, str | int]:
        lines = self._lines if self._with_lines else None
        expand = [*self._links, *(lines.collections if lines else ())]
        params: dict[str, str | int] = {"$expand": self._endpoint.expand(expand)} if expand else {}
        custom = [
            *self._custom,
            *([f"{lines.collections[0]}/{self._number}"] if lines and self._number else ()),
        ]
        if custom:
            params["$custom"] = ",".join(custom)
        return params

    # records -----------------------------------------------------------------------------------------------

    def _doc(self, record: Record) -> Doc:
        row = self._read(record)
        (given,) = self._note_id(record)
        note_id = str(given or "").lower()
        if NOTE_ID in row:
            row[NOTE_ID] = note_id
        if self.entity.segmented and row.get(self.entity.segmented):
            plain = "".join(c for c in row[self.entity.segmented] if c.isalnum())
            row.update({name: plain[start:end] for name, start, end in self._segments() if name in row})
        doc = Doc(row.get(CURSOR) or "", row, note_id=note_id)
        if self._with_lines and self._lines:
            self._add_lines(doc, record, self._lines)
        return doc

    def _add_lines(self, doc: Doc, record: Record, lines: Lines) -> None:
        shared = {**self._read_parent(record), _PARENT + NOTE_ID: doc.note_id}
        numbers: list[Any] = []
        for reader in self._readers:
            (found,) = reader.rows(record)
            if not found:
                continue
            names, values = reader.names, reader.values
            blank = {**reader.blank, **shared}
            for line in found:
                row = blank.copy()
                row.update(zip(names, values(line), strict=True))
                doc.lines.append(row)
            if lines.hidden_number:
                numbers += [number for line in found for number in reader.number(line)]
        if lines.hidden_number:
            self._number_lines(doc, numbers)
        if lines.ordinal:
            _tell_apart(doc.lines, [key for key in lines.keys if key != lines.ordinal], lines.ordinal)

    def _number_lines(self, doc: Doc, numbers: Sequence[Any]) -> None:
        doc.numbered = None not in numbers and len(set(numbers)) == len(numbers)
        if not doc.numbered and not self._warned:
            self._warned = True
            self.tap.logger.warning(
                "%s: the instance gives no line numbers; lines are numbered by position, which moves when a line "
                "is deleted, and get no base-currency amounts",
                self.streams[-1].name,
            )
        for position, (row, number) in enumerate(zip(doc.lines, numbers, strict=True), start=1):
            row["line_nbr"] = number if doc.numbered else position


@dataclasses.dataclass
class _LineReader:
    """How the rows of one collection become lines.

    Attributes:
        rows: Gives the collection of a record.
        names: The properties that a row of it has of its own.
        values: Their values.
        number: Gives the hidden number of a row; nothing where none is asked for.
        blank: All properties of a line, those that are the same for all lines filled in.
    """

    rows: Callable[[Record], Sequence[Any]]
    names: Sequence[str]
    values: Callable[[Record], list[Any]]
    number: Callable[[Record], Sequence[Any]]
    blank: Row


def _tell_apart(rows: Sequence[Row], keys: Sequence[str], ordinal: str) -> None:
    """Number rows that are equal in all keys; a key that the ERP leaves empty becomes 0, for keys are not null."""
    counts: dict[tuple[Any, ...], int] = {}
    for row in rows:
        for key in keys:
            if row[key] is None:
                row[key] = 0
        same = tuple(row[key] for key in keys)
        counts[same] = row[ordinal] = counts.get(same, 0) + 1


def _between(field: str, window: Window) -> str:
    """The filter for what was modified in a window, in the dialect of contract REST."""
    upper = f"{field} le {_literal(window.hi)}"
    return upper if window.lo is None else f"{field} ge {_literal(window.lo)} and {upper}"


def _literal(moment: dt.datetime) -> str:
    return f"datetimeoffset'{moment.astimezone(dt.UTC).isoformat(timespec='milliseconds')}'"
