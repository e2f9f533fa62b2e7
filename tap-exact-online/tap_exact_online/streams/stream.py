"""A stream as the SDK sees it: its schema, its messages, its place in the state."""

from __future__ import annotations

import datetime as dt
import enum
import sys
from typing import TYPE_CHECKING, Any, Final

from msgspec import Raw
from singer_sdk import Stream
from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

from tap_exact_online.paging import iso
from tap_exact_online.streams.columns import DELETED_AT, schema_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Message, MetadataMapping

    from tap_exact_online.paging import Row
    from tap_exact_online.streams.columns import Column
    from tap_exact_online.streams.feed import Feed
    from tap_exact_online.tap import TapExactOnline

_FULL_TABLE: Final = "FULL_TABLE"


class LineWriter(MsgSpecWriter):
    """Writes messages as the SDK's fast writer does, but flushes only behind those that matter at once."""

    @override
    def write_message(self, message: Message) -> None:
        sys.stdout.buffer.write(self.format_message(message))
        if not isinstance(message, RecordMessage):
            sys.stdout.flush()

    def write_rows(self, stream: str, rows: Iterable[Row], version: int | None, read_at: dt.datetime) -> None:
        """Write rows of one stream at once, in the form that `write_message` gives them one by one."""
        head: dict[str, Any] = {"type": "RECORD", "stream": stream, "record": None}
        tail: dict[str, Any] = {"time_extracted": Raw(encoder.encode(read_at))}
        if version is not None:
            tail = {"version": version, **tail}
        sys.stdout.buffer.write(encoder.encode_lines([{**head, "record": row, **tail} for row in rows]))


class Outcome(enum.Enum):
    """How far a feed has come in a division in this run."""

    WAITING = "not read"
    DONE = "read"
    NOT_DUE = "not due"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    FAILED = "failed"


class ExactStream(Stream):
    """A stream of the tap; what it holds is said by its columns, keys and feed."""

    # Rows leave the feed with exactly the selected properties, in JSON types.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(
        self, tap: TapExactOnline, name: str, columns: Sequence[Column], cursor: str | None, feed: Feed
    ) -> None:
        self.columns = list(columns)
        self.feed = feed
        self.tap = tap
        self.rows_written = 0
        self._announced = False
        self._begun = False
        self._is_plain: bool | None = None
        super().__init__(tap, schema=schema_of(name, columns), name=name)
        self.primary_keys = tuple(column.name for column in columns if column.is_key)
        self.replication_key = cursor

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """Selection metadata; columns that are not useful to most are offered, not selected."""
        fresh = self._metadata is None
        metadata = super().metadata
        if fresh and not (self._tap_input_catalog and self._tap_input_catalog.get_stream(self.tap_stream_id)):
            for column in self.columns:
                entry = metadata["properties", column.name]
                if column.is_key or column.name == DELETED_AT:
                    entry.inclusion = entry.InclusionType.AUTOMATIC
                elif not column.by_default:
                    entry.selected_by_default = False
        return metadata

    @property
    def wanted(self) -> list[Column]:
        """The selected columns."""
        return [column for column in self.columns if self.mask["properties", column.name]]

    @property
    def is_full_table(self) -> bool:
        """Whether everything is read in every run."""
        return self.replication_method == _FULL_TABLE

    # what the SDK calls ------------------------------------------------------------------------------------

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Never by the SDK, which would do it when the rows are out already; see `begin`."""
        return False

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: bookmarks follow the server's clock."""

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        """Let the tap read everything when the first stream has its turn: divisions go one after another."""
        if self.ABORT_AT_RECORD_COUNT is None:
            self.tap.read_all()
        else:
            yield from super()._sync_records(context, write_messages=write_messages)

    @override
    def _write_schema_message(self) -> None:
        """Announce the stream once, and in a run only when it is really read; see `begin`."""
        if not self._announced and (self._begun or self.ABORT_AT_RECORD_COUNT is not None):
            self._announced = True
            super()._write_schema_message()

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """A few rows for tests of the connection; runs write through their feed."""
        yield from self.feed.sample(self)

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterable[Context | None]:
        """No stream has SDK children; lines come with their documents."""
        return ()

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Bookmarks move by pages, not by what single records say."""

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Wrap a row; deselected properties were never read, so there is nothing to take out."""
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=self.feed.read_at,
                )

    # what the feed calls -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Announce the stream, once per run."""
        if self._begun:
            return
        self._begun = True
        self._write_schema_message()
        if self.is_full_table and self.tap.config["emit_activate_version_messages"]:
            self._stream_version = int(self.tap.began.timestamp())
            self._write_activate_version_message(self._stream_version)

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows, as a block where no stream map wants to see them."""
        if self._is_plain is None:
            first, *others = self.stream_maps
            self._is_plain = type(first) is SameRecordTransform and not (others or first.flattening_enabled)
        self.rows_written += len(rows)
        if self._is_plain and rows:
            alias = self.stream_maps[0].stream_alias
            if self.tap.write_rows(alias, rows, self._stream_version, self.feed.read_at):
                return
        for row in rows:
            self._write_record_message(row)

    def place(self, division: int) -> dict[str, Any]:
        """The state of the stream in a division."""
        return self.get_context_state({"division": division})

    def write_state(self) -> None:
        """Write a STATE message."""
        self.state_manager.is_flushed = False
        self._write_state_message()

    def complete(self) -> None:
        """Note that the stream was read to its end in all divisions."""
        self.stream_state.pop("unread", None)
        self.stream_state["completed_at"] = iso(dt.datetime.now(dt.UTC))

    def note_unread(self, outcome: Outcome) -> None:
        """Leave in the state that, and why, the stream was not read to its end: a loader may tell people."""
        self.stream_state["unread"] = {"at": iso(dt.datetime.now(dt.UTC)), "why": outcome.value}
