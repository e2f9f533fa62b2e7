"""A stream as the SDK sees it: its schema, its messages, its place in the state."""

from __future__ import annotations

import datetime as dt
import enum
import itertools
import sys
from typing import TYPE_CHECKING, Any, Final

from singer_sdk import Stream
from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

from tap_acumatica.errors import ApiError, CallBudgetSpentError
from tap_acumatica.paging import iso
from tap_acumatica.streams.columns import CURSOR, DELETED_AT, NOTE_ID, TENANT, schema_of, tenant_column

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Message, MetadataMapping

    from tap_acumatica.paging import Row
    from tap_acumatica.streams.columns import Column
    from tap_acumatica.streams.feed import Feed
    from tap_acumatica.tap import TapAcumatica

_BLOCK: Final = 200
_FULL_TABLE: Final = "FULL_TABLE"
_AUTOMATIC: Final = (NOTE_ID, f"parent_{NOTE_ID}", DELETED_AT)


class LineWriter(MsgSpecWriter):
    """Writes messages as the SDK's fast writer does, but flushes only behind those that matter at once."""

    @override
    def write_message(self, message: Message) -> None:
        sys.stdout.buffer.write(self.format_message(message))
        if not isinstance(message, RecordMessage):
            sys.stdout.flush()

    def write_rows(self, stream: str, rows: Sequence[Row], version: int | None, read_at: dt.datetime) -> None:
        """Write rows of one stream at once, in the form that `write_message` gives them one by one."""
        head: dict[str, Any] = {"type": "RECORD", "stream": stream, "record": None}
        tail: dict[str, Any] = {"time_extracted": read_at}
        if version is not None:
            tail = {"version": version, **tail}
        sys.stdout.buffer.write(encoder.encode_lines([{**head, "record": row, **tail} for row in rows]))


class Outcome(enum.Enum):
    """How far a feed has come in this run."""

    WAITING = "not read"
    DONE = "read"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    FAILED = "failed"


class AcumaticaStream(Stream):
    """A stream of the tap; what it holds is said by its columns, keys and feed."""

    # Rows leave the feed with exactly the selected properties, in JSON types.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(
        self, tap: TapAcumatica, name: str, columns: Sequence[Column], keys: Sequence[str], feed: Feed
    ) -> None:
        self.columns = columns = [tenant_column(), *columns]
        self.feed = feed
        self.rows_written = 0
        self._schema_written = False
        super().__init__(tap, schema=schema_of(columns), name=name)
        self.primary_keys = (TENANT, *keys) if keys else ()
        self.replication_key = CURSOR if any(column.name == CURSOR for column in columns) else None

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """Selection metadata; columns that are not useful to most are offered, not selected."""
        fresh = self._metadata is None
        metadata = super().metadata
        if fresh and not (self._tap_input_catalog and self._tap_input_catalog.get_stream(self.tap_stream_id)):
            for column in self.columns:
                entry = metadata["properties", column.name]
                if column.name in _AUTOMATIC:
                    entry.inclusion = entry.InclusionType.AUTOMATIC
                elif not column.by_default:
                    entry.selected_by_default = False
        return metadata

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Whether the setting asks for it and this read holds all that the target should keep."""
        return super().emit_activate_version_messages and not self.feed.is_history

    @property
    def wanted(self) -> list[Column]:
        """The selected columns."""
        return [column for column in self.columns if self.mask["properties", column.name]]

    @property
    def is_full_table(self) -> bool:
        """Whether everything is read in every run."""
        return self.replication_method == _FULL_TABLE

    def has(self, name: str) -> bool:
        """Whether a property exists and is selected."""
        return name in self.schema["properties"] and self.mask["properties", name]

    # what the SDK calls ------------------------------------------------------------------------------------

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """A few rows for the connection test; a run is driven by the feed."""
        yield from self.feed.sample(self, self.ABORT_AT_RECORD_COUNT or 1)

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterable[Context | None]:
        """No stream has SDK children; lines come with their documents."""
        return ()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        if self.feed.outcome is not Outcome.WAITING:
            return
        try:
            if self.ABORT_AT_RECORD_COUNT is not None:
                yield from super()._sync_records(context, write_messages=write_messages)
                return
            with self.get_sync_timer():
                self.feed.run()
        except (ApiError, CallBudgetSpentError) as error:
            self.feed.end(error)
        else:
            self.feed.complete()

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Take the marks of a run under way off the state, unless the stream was not read to its end."""
        if self.feed.outcome is not Outcome.DONE:
            return
        self.stream_state.pop("unread", None)
        if self.is_full_table:
            self.stream_state["completed_at"] = iso(dt.datetime.now(dt.UTC))
        super().finalize_state_progress_markers(state)

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Bookmarks move by slices, on the server's clock, not by what records say."""

    @override
    def _write_schema_message(self) -> None:
        if not self._schema_written:
            self._schema_written = True
            super()._write_schema_message()

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Wrap a row; deselected properties were never read, so there is nothing to take out."""
        self.rows_written += 1
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
        """Announce the stream and mark its state as under way."""
        self._write_schema_message()
        self._write_starting_replication_value(None)

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows, in blocks where no stream map wants to see them."""
        (first, *others), writer = self.stream_maps, self.feed.tap.message_writer
        is_plain = type(first) is SameRecordTransform and not (others or first.flattening_enabled)
        if not (is_plain and isinstance(writer, LineWriter)):
            for row in rows:
                self._write_record_message(row)
            return
        rows = iter(rows)
        while block := list(itertools.islice(rows, _BLOCK)):
            self.rows_written += len(block)
            writer.write_rows(first.stream_alias, block, self._stream_version, self.feed.read_at)
            self.state_manager.is_flushed = False

    def bookmark(self) -> dt.datetime | None:
        """Up to when, on the server's clock, the stream has been read."""
        state = self.stream_state
        if self.is_full_table or state.get("replication_key") != self.replication_key:
            return None
        value = state.get("replication_key_value")
        return None if value is None else moment_of(value)

    def advance(self, moment: dt.datetime) -> None:
        """Move the bookmark forward, never back."""
        if self.is_full_table:
            return
        old = self.bookmark()
        if old is None or moment > old:
            self.stream_state["replication_key"] = self.replication_key
            self.stream_state["replication_key_value"] = iso(moment)

    def note_unread(self, outcome: Outcome) -> None:
        """Leave in the state that, and why, the stream was not read to its end: a loader may tell people."""
        self.stream_state["unread"] = {"at": iso(dt.datetime.now(dt.UTC)), "why": outcome.value}
        self.write_state()

    def write_state(self) -> None:
        """Write a STATE message if anything has changed since the last one."""
        self.state_manager.is_flushed = False
        self._write_state_message()


def moment_of(value: str) -> dt.datetime:
    """Read a time of the state or the settings; without a zone it is UTC."""
    moment = dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
