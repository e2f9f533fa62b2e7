"""A stream as the SDK sees it: its schema, its messages, its place in the state."""

from __future__ import annotations

import datetime as dt
import enum
import sys
from typing import TYPE_CHECKING, Any, Final, TypeVar

from singer_sdk import Stream
from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

from tap_sage_intacct.errors import ApiError, CallBudgetSpentError
from tap_sage_intacct.paging import Part, iso, moment_of
from tap_sage_intacct.streams.columns import COMPANY, DELETED_AT, ENTITY, origin_columns, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Message, MetadataMapping

    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.streams.columns import Column
    from tap_sage_intacct.streams.encoded import EncodedRows
    from tap_sage_intacct.streams.feed import Feed
    from tap_sage_intacct.tap import TapSageIntacct

T = TypeVar("T")

_BLOCK: Final = 200
_FULL_TABLE: Final = "FULL_TABLE"
_PENDING: Final = "pending"
_READ_UNTIL: Final = "read_until"
_ENTITIES: Final = "entities"


class LineWriter(MsgSpecWriter):
    """Writes messages as the SDK's fast writer does, but flushes only behind those that matter at once."""

    @override
    def write_message(self, message: Message) -> None:
        sys.stdout.buffer.write(self.format_message(message))
        if not isinstance(message, RecordMessage):
            sys.stdout.flush()

    def write_rows(self, stream: str, rows: Sequence[Row], version: int | None, read_at: dt.datetime) -> None:
        """Write rows of one stream at once, in the form that `write_message` gives them one by one."""
        for start in range(0, len(rows), _BLOCK):
            records = list(map(encoder.encode, rows[start : start + _BLOCK]))
            self.write_records(stream, records, version, read_at)

    def write_records(
        self, stream: str, records: Sequence[bytes], version: int | None, read_at: dt.datetime
    ) -> None:
        """Write records of one stream that are JSON already."""
        head = encoder.encode({"type": "RECORD", "stream": stream})[:-1] + b',"record":'
        told: dict[str, Any] = {} if version is None else {"version": version}
        tail = b"," + encoder.encode({**told, "time_extracted": read_at})[1:] + b"\n"
        write, between = sys.stdout.buffer.write, tail + head
        for start in range(0, len(records), _BLOCK):
            write(head + between.join(records[start : start + _BLOCK]) + tail)


class Outcome(enum.Enum):
    """How far a feed has come in this run."""

    WAITING = "not read"
    DONE = "read"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    FAILED = "failed"


class IntacctStream(Stream):
    """A stream of the tap; what it holds is said by its columns, keys and feed.

    Args:
        tap: The tap.
        name: Its name.
        columns: Its columns, without those that say whose rows they are.
        keys: The properties that tell rows of one company apart.
        feed: Who reads it.
        cursor: The property with the time of the last change; empty where there is none.
        automatic: Properties that are always read.
    """

    # Rows leave the feed with exactly the selected properties, in JSON types.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(  # noqa: PLR0913, PLR0917 - what a stream is
        self,
        tap: TapSageIntacct,
        name: str,
        columns: Sequence[Column],
        keys: Sequence[str],
        feed: Feed,
        cursor: str = "",
        automatic: Sequence[str] = (),
    ) -> None:
        by_entity = bool(tap.config["entity_ids"])
        self.columns = columns = [*origin_columns(by_entity=by_entity), *columns]
        self.feed = feed
        self.rows_written = 0
        self._automatic = {DELETED_AT, *automatic}
        self._schema_written = False
        super().__init__(tap, schema=schema_of(columns), name=name)
        origin = (COMPANY, ENTITY) if by_entity else (COMPANY,)
        self.primary_keys = (*origin, *keys) if keys else ()
        self.replication_key = cursor or None

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """Selection metadata; columns that are not useful to most are offered, not selected."""
        fresh = self._metadata is None
        metadata = super().metadata
        if fresh and not (self._tap_input_catalog and self._tap_input_catalog.get_stream(self.tap_stream_id)):
            for column in self.columns:
                entry = metadata["properties", column.name]
                if column.name in self._automatic:
                    entry.inclusion = entry.InclusionType.AUTOMATIC
                elif not column.by_default:
                    entry.selected_by_default = False
        return metadata

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Whether the setting asks for it and this read holds all that the target should keep."""
        return super().emit_activate_version_messages and not self.feed.is_partial

    @property
    def wanted(self) -> list[Column]:
        """The selected columns."""
        return [column for column in self.columns if self.mask["properties", column.name]]

    @property
    def is_full_table(self) -> bool:
        """Whether everything is read in every run."""
        return self.replication_method == _FULL_TABLE

    @property
    def is_sample(self) -> bool:
        """Whether the SDK only wants a few rows, to test the connection."""
        return self.ABORT_AT_RECORD_COUNT is not None

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
            if self.is_sample:
                yield from super()._sync_records(context, write_messages=write_messages)
            else:
                with self.get_sync_timer():
                    self.feed.run()
        except (ApiError, CallBudgetSpentError) as error:
            self.feed.end(error)

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
        """Bookmarks move by spans of time, on the gateway's clock, not by what records say."""

    @override
    def _write_schema_message(self) -> None:
        if not self._schema_written:
            self._schema_written = True
            self.feed.tap.connect()  # a wrong password is told before anything is written
            super()._write_schema_message()

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
        """Announce the stream and mark its state as under way."""
        self._write_schema_message()
        self._write_starting_replication_value(None)

    @property
    def line_writer(self) -> LineWriter | None:
        """What writes rows in blocks; None where a stream map wants to see them one by one."""
        first, *others = self.stream_maps
        is_plain = type(first) is SameRecordTransform and not (others or first.flattening_enabled)
        writer = self.feed.tap.message_writer
        return writer if is_plain and isinstance(writer, LineWriter) else None

    def put(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        if (writer := self.line_writer) is None:
            self.rows_written += len(rows)
            for row in rows:
                self._write_record_message(row)
            return
        self._write(writer.write_rows, rows)

    def put_encoded(self, rows: EncodedRows) -> None:
        """Write rows that were encoded when they were read, because there is a `line_writer`."""
        if (writer := self.line_writer) is None:
            raise RuntimeError(f"{self.name}: rows were encoded for a stream map that wants to see them")
        self._write(writer.write_records, rows.records)

    def _write(
        self, write: Callable[[str, Sequence[T], int | None, dt.datetime], None], rows: Sequence[T]
    ) -> None:
        write(self.stream_maps[0].stream_alias, rows, self._stream_version, self.feed.read_at)
        self.rows_written += len(rows)
        self.state_manager.is_flushed = False

    def note_unread(self, outcome: Outcome) -> None:
        """Leave in the state that, and why, the stream was not read to its end: a loader may tell people."""
        self.stream_state["unread"] = {"at": iso(dt.datetime.now(dt.UTC)), "why": outcome.value}
        self.write_state()

    def write_state(self) -> None:
        """Write a STATE message if anything has changed since the last one."""
        self.state_manager.is_flushed = False
        self._write_state_message()

    # its place in the state --------------------------------------------------------------------------------

    def kept(self, entity: str) -> dict[str, Any]:
        """What the state holds of the stream, or of its part that an entity gives."""
        state = self.stream_state
        if not entity:
            return state
        kept: dict[str, Any] = state.setdefault(_ENTITIES, {}).setdefault(entity, {})
        return kept

    def bookmark(self, entity: str) -> dt.datetime | None:
        """Up to when, on the gateway's clock, the stream has been read."""
        kept = self.kept(entity)
        if self.is_full_table or (not entity and kept.get("replication_key") != self.replication_key):
            return None
        value = kept.get(_READ_UNTIL if entity else "replication_key_value")
        return None if value is None else moment_of(value)

    def advance(self, entity: str, moment: dt.datetime) -> None:
        """Move the bookmark forward, never back."""
        if self.is_full_table:
            return
        old = self.bookmark(entity)
        kept = self.kept(entity)
        if old is None or moment > old:
            if not entity:
                kept["replication_key"] = self.replication_key
            kept[_READ_UNTIL if entity else "replication_key_value"] = iso(moment)
        if entity:
            self._advance_all()

    def _advance_all(self) -> None:
        """Several entities: the stream as a whole has come as far as the one that lags behind."""
        entities = self.stream_state.get(_ENTITIES) or {}
        reached: list[Any] = [(entities.get(one) or {}).get(_READ_UNTIL) for one in self.config["entity_ids"]]
        if all(reached):
            self.stream_state["replication_key"] = self.replication_key
            self.stream_state["replication_key_value"] = min(reached)

    def pending(self, entity: str) -> list[list[str | None]]:
        """The parts that an earlier run began and did not finish."""
        found = [] if self.is_full_table else self.kept(entity).get(_PENDING)
        return list(found or [])

    def keep_pending(self, entity: str, parts: Sequence[Part]) -> None:
        """Note which parts are still to be read."""
        if self.is_full_table:
            return
        kept = self.kept(entity)
        kept.pop(_PENDING, None)
        if parts:
            kept[_PENDING] = [part.kept() for part in parts]
