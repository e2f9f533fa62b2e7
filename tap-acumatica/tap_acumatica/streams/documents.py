"""Entities of contract REST, and the lines that come with them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_acumatica.discovery import snake
from tap_acumatica.errors import NotFoundError, NotOptimizableError, RefusedError
from tap_acumatica.paging import Pages, Window
from tap_acumatica.streams.columns import CURSOR, DELETED_AT, NOTE_ID, TENANT, Column, columns_of, row_reader
from tap_acumatica.streams.dac import HeaderAmounts, Join, LineAmounts
from tap_acumatica.streams.feed import Doc, Feed
from tap_acumatica.streams.stream import AcumaticaStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_acumatica.discovery import Endpoint
    from tap_acumatica.paging import Row
    from tap_acumatica.tap import TapAcumatica

_CURSORS: Final = ("LastModifiedDateTime", "LastModified")
_LINES_PER_DOCUMENT: Final = 5
_PARENT: Final = "parent_"


@dataclasses.dataclass(frozen=True)
class Lines:
    """A stream of lines.

    Attributes:
        stream: Its name.
        collections: Where the lines stand in the document. Of several, `application_state` tells which.
        keys: The properties that tell lines of one document apart.
        carry: Fields of the document that every line repeats, so that it can be read alone.
        hidden_number: View and field of the line number where the entity itself does not show it.
        rename: Fields of the line that would collide with those of the document.
        ordinal: Property that numbers lines which are equal in all other keys; empty for none.
        amounts: Where base-currency amounts come from.
    """

    stream: str
    collections: tuple[str, ...]
    keys: tuple[str, ...]
    carry: tuple[str, ...] = ()
    hidden_number: str = ""
    rename: tuple[tuple[str, str], ...] = ()
    ordinal: str = ""
    amounts: LineAmounts | None = None


@dataclasses.dataclass(frozen=True)
class Entity:
    """A stream of an entity, with its lines.

    Attributes:
        stream: Its name.
        entity: The entity's name on the endpoint.
        keys: Its natural key.
        links: Linked entities whose fields become columns.
        lines: Its lines.
        amounts: Where base-currency amounts come from.
        deletions: The data access class that tells of deletions.
        segmented: Property that holds a segmented code, to be cut as the settings say.
    """

    stream: str
    entity: str
    keys: tuple[str, ...]
    links: tuple[str, ...] = ()
    lines: Lines | None = None
    amounts: HeaderAmounts | None = None
    deletions: str = ""
    segmented: str = ""

    def feed(self, tap: TapAcumatica, endpoint: Endpoint) -> EntityFeed | None:
        """The feed with its streams; None when the endpoint has no such entity."""
        return EntityFeed(tap, endpoint, self) if endpoint.fields(self.entity) else None


class EntityFeed(Feed):
    """Reads one entity with its lines."""

    def __init__(self, tap: TapAcumatica, endpoint: Endpoint, entity: Entity) -> None:
        super().__init__(tap)
        self.entity = entity
        self.deletions = entity.deletions
        self._endpoint = endpoint
        fields = endpoint.fields(entity.entity)
        self._cursor = next((name for name in _CURSORS if name in fields), None)
        self._parents = self._document_columns()
        keys = [snake(key) for key in entity.keys]
        self.streams = [AcumaticaStream(tap, entity.stream, self._parents, keys, self)]
        if entity.lines:
            columns = self._line_columns(entity.lines)
            self.streams.append(
                AcumaticaStream(tap, entity.lines.stream, columns, [*keys, *entity.lines.keys], self)
            )
        self._links = list(entity.links)
        self._number = entity.lines.hidden_number if entity.lines else ""
        self._one_by_one = False
        self._with_lines = False
        self._read: Callable[[Row], Row] = dict
        self._read_parent: Callable[[Row], Row] = dict
        self._read_line: Callable[[Row], Row] = dict
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
        for collection in lines.collections:
            taken = {column.name for column in columns}
            field = self._endpoint.fields(self.entity.entity).get(collection)
            for column in columns_of(self._endpoint, field.entity) if field else ():
                name = rename.get(column.name, column.name)
                if name not in taken:
                    columns.append(
                        dataclasses.replace(column, name=name, title=f"{collection}.{column.title}")
                    )
        return [*columns, *(lines.amounts.columns if lines.amounts else ())]

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
        convert = self.tap.converters
        lines = self.entity.lines
        amounts = {c.name for c in self.entity.amounts.columns} if self.entity.amounts else set()
        header = [c for s in streams if s is self.streams[0] for c in s.wanted]
        line = [c for s in streams if s is not self.streams[0] for c in s.wanted]
        self._with_lines = bool(line)
        self._header_amounts = {c.name for c in header if c.name in amounts}
        self._line_amounts = {c.name for c in line if lines and lines.amounts and c in lines.amounts.columns}
        if self.tap.config["base_currency_amounts"] == "none":
            self._header_amounts, self._line_amounts = set(), set()
        keys = {snake(key) for key in self.entity.keys} | {CURSOR}
        tenant = self.tap.site.tenant
        blank: Row = dict.fromkeys(c.name for c in header if not c.path)
        if header:
            blank[TENANT] = tenant
        read = row_reader([c for c in self._parents if c in header or c.name in keys], convert)
        self._read = lambda record: {**read(record), **blank}
        parents = {c.name for c in self._parents if c.path}
        self._read_parent = row_reader([c for c in line if c.name in parents and c in self._parents], convert)
        own = [c for c in line if c.path and c not in self._parents]
        read_line = row_reader(own, convert)
        empty: Row = {**dict.fromkeys(c.name for c in line), TENANT: tenant}
        self._read_line = lambda record: {**empty, **read_line(record)}

    @override
    def pages(self, keep: Window | None = None) -> Pages[Doc]:
        size = self.tap.config["page_size"]

        def fetch(window: Window | None, skip: int, top: int) -> Sequence[Row]:
            return self._fetch(None if keep else window, skip, top)

        def take(record: Row) -> Doc | None:
            doc = self._doc(record)
            return doc if keep is None or keep.holds(doc.cursor) else None

        return Pages(fetch, self._key, take, size // _LINES_PER_DOCUMENT if self._with_lines else size)

    @override
    def enrich(self, window: Window, docs: Sequence[Doc]) -> None:
        if self._header_amounts or self._line_amounts:
            lines = self.entity.lines.amounts if self.entity.lines else None
            Join(self.tap.dac, self.entity.amounts, lines).add(
                window, docs, headers_wanted=self._header_amounts, lines_wanted=self._line_amounts
            )

    def _key(self, record: Row) -> tuple[str, ...]:
        return tuple(str((record.get(key) or {}).get("value")) for key in self.entity.keys)

    def _fetch(self, window: Window | None, skip: int, top: int) -> Sequence[Row]:
        params: dict[str, str | int] = {}
        if window is not None and self._cursor:
            params["$filter"] = _between(self._cursor, window)
        while True:
            try:
                extras = self._links_only() if self._one_by_one else self._extras()
                rows = self.tap.client.get(
                    self.tap.site.entity(self.entity.entity), {**extras, **params, "$top": top, "$skip": skip}
                )
                return self._whole(rows) if self._one_by_one else list(rows)
            except (NotOptimizableError, RefusedError) as error:
                self._simplify(error)

    def _whole(self, headers: Sequence[Row]) -> list[Row]:
        """Read documents one by one, for entities whose lines cannot be had in a list."""
        records = []
        for header in headers:
            try:
                record = self.tap.client.get(
                    self.tap.site.entity(self.entity.entity, header["id"]), self._extras()
                )
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
        if self._with_lines and self._number:
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
        self.tap.logger.warning("%s: the list is refused; reading %s. %s", self.streams[0].name, what, error)

    def _links_only(self) -> dict[str, str | int]:
        return {"$expand": self._endpoint.expand(self._links)} if self._links else {}

    def _extras(self) -> dict[str, str | int]:
        lines = self.entity.lines
        expand = [*self._links, *(lines.collections if lines and self._with_lines else ())]
        params: dict[str, str | int] = {"$expand": self._endpoint.expand(expand)} if expand else {}
        if lines and self._with_lines and self._number:
            params["$custom"] = f"{lines.collections[0]}/{self._number}"
        return params

    # records -----------------------------------------------------------------------------------------------

    def _doc(self, record: Row) -> Doc:
        row = self._read(record)
        note_id = str(record.get("id") or "").lower()
        if NOTE_ID in row:
            row[NOTE_ID] = note_id
        if self.entity.segmented:
            plain = "".join(c for c in row[self.entity.segmented] if c.isalnum())
            row.update({name: plain[start:end] for name, start, end in self._segments() if name in row})
        doc = Doc(row.get(CURSOR) or "", row, note_id=note_id)
        if self._with_lines and self.entity.lines:
            self._add_lines(doc, record, self.entity.lines)
        return doc

    def _add_lines(self, doc: Doc, record: Row, lines: Lines) -> None:
        shared = {**self._read_parent(record), _PARENT + NOTE_ID: doc.note_id}
        raw: list[Row] = []
        for collection in lines.collections:
            for line in record.get(collection) or ():
                raw.append(line)
                row = self._read_line(line)
                row.update(shared)
                if len(lines.collections) > 1:
                    row["application_state"] = "open" if collection == lines.collections[0] else "posted"
                doc.lines.append(row)
        if lines.hidden_number:
            self._number_lines(doc, raw, lines.hidden_number)
        if lines.ordinal:
            _tell_apart(doc.lines, [key for key in lines.keys if key != lines.ordinal], lines.ordinal)

    def _number_lines(self, doc: Doc, raw: Sequence[Row], hidden: str) -> None:
        view, _, field = hidden.partition(".")
        numbers = [_custom(line, view, field) for line in raw]
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


def _custom(line: Row, view: str, field: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    cell = ((line.get("custom") or {}).get(view) or {}).get(field) or {}
    return cell.get("value")


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
