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

from tap_syspro.discovery import snake
from tap_syspro.errors import ApiError, CallBudgetSpentError
from tap_syspro.streams.columns import COMPANY, DELETED_AT, Column, schema_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.metrics import Counter
    from singer_sdk.singerlib import Message, MetadataMapping

    from tap_syspro.service import Row
    from tap_syspro.streams.feed import Feed
    from tap_syspro.streams.strategies import Memory
    from tap_syspro.tap import TapSyspro

_BLOCK: Final = 200
_FULL_TABLE: Final = "FULL_TABLE"
_COMPANIES: Final = "companies"
_READ_AT: Final = "read_at"
_MIDNIGHT: Final = "T00:00:00.000000+00:00"
_MARKS: Final = ("starting_replication_value", "progress_markers", "replication_key_signpost")


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
    """How far a feed has come in one company."""

    WAITING = "not read"
    DONE = "read"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    FAILED = "failed"


class SysproStream(Stream):
    """A stream of the tap; what it holds is said by its columns, keys and feed.

    Args:
        tap: The tap.
        name: The stream's name.
        columns: Its columns.
        keys: Its key without the company, as properties; empty for none.
        feed: What reads it.
        replication_key: The property that the bookmark is about; empty for a full table.
    """

    # Rows leave the feed with exactly the selected properties, in JSON types.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(  # noqa: PLR0913, PLR0917 - what a stream is
        self,
        tap: TapSyspro,
        name: str,
        columns: Sequence[Column],
        keys: Sequence[str],
        feed: Feed,
        replication_key: str = "",
    ) -> None:
        company = Column(COMPANY, "string", description="The company that the row was read from.")
        self.columns = columns = [company, *columns]
        self.feed = feed
        self.rows_written = 0
        self._counter: Counter | None = None
        self.selected_by_default = feed.is_selected_by_default
        self._is_announced = False
        self._is_activated = False
        super().__init__(tap, schema=schema_of(name, columns), name=name)
        self.primary_keys = (COMPANY, *keys) if keys else ()
        self.replication_key = replication_key or None

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """Selection metadata; columns that are not useful to most are offered, not selected."""
        fresh = self._metadata is None
        metadata = super().metadata
        if fresh and not (self._tap_input_catalog and self._tap_input_catalog.get_stream(self.tap_stream_id)):
            for column in self.columns:
                entry = metadata["properties", column.name]
                if column.name == DELETED_AT:
                    entry.inclusion = entry.InclusionType.AUTOMATIC
                elif not column.by_default and column.name != self.replication_key:
                    entry.selected_by_default = False
        return metadata

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Whether the setting asks for it and this read holds all that the target should keep."""
        return super().emit_activate_version_messages and not self.feed.keeps_history

    @property
    def wanted(self) -> list[Column]:
        """The selected columns."""
        return [column for column in self.columns if self.mask["properties", column.name]]

    @property
    def is_full_table(self) -> bool:
        """Whether everything is read in every run."""
        return self.replication_method == _FULL_TABLE

    @property
    def last_read(self) -> str:
        """When the stream was last read to its end, to order streams by; empty for not yet.

        Marks of a run under way do not count: a run whose calls are spent leaves them on every stream that it has not
        come to, and those would always be read before others.
        """
        return str(self.stream_state.get(_READ_AT) or self.stream_state.get("completed_at") or "")

    # what the SDK calls ------------------------------------------------------------------------------------

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """A few rows for the connection test; in a run the feed writes them itself."""
        yield from self.feed.records(self)

    @override
    def get_record_counter(self, **options: Any) -> Counter:
        self._counter = super().get_record_counter(**options)
        return self._counter

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterable[Context | None]:
        """No stream has SDK children; lines come with their documents."""
        return ()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        if self.feed.outcome_here is not Outcome.WAITING:
            return
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
        except (ApiError, CallBudgetSpentError) as error:
            self.feed.end(error)
        else:
            self.feed.complete(self)

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Take the marks of a run under way off the state, once all companies were read to their end."""
        if not self.feed.is_complete:
            return
        for mark in (*_MARKS, "unread"):
            self.stream_state.pop(mark, None)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
        self.stream_state[_READ_AT] = now
        if not (self.is_full_table and self.feed.is_continued):
            self.stream_state["completed_at"] = now  # by which targets know that this run brought all rows

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Bookmarks move when a company was read to its end, not by what single records say."""

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        """The feed marks its streams itself."""

    @override
    def _write_schema_message(self) -> None:
        if not self._is_announced:
            self._is_announced = True
            super()._write_schema_message()

    @override
    def _write_activate_version_message(self, full_table_version: int) -> None:
        if not self._is_activated:
            self._is_activated = True
            super()._write_activate_version_message(full_table_version)

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
        if self.emit_activate_version_messages and self.is_full_table:
            self._stream_version = self._initialized_at // 1000
            self._write_activate_version_message(self._stream_version)
        self.stream_state["starting_replication_value"] = self.stream_state.get("replication_key_value")

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows outside the SDK's own loop, in blocks where no stream map wants to see them."""
        (first, *others), writer = self.stream_maps, self.feed.tap.message_writer
        is_plain = type(first) is SameRecordTransform and not (others or first.flattening_enabled)
        before = self.rows_written
        if is_plain and isinstance(writer, LineWriter):
            rows = iter(rows)
            while block := list(itertools.islice(rows, _BLOCK)):
                self.rows_written += len(block)
                writer.write_rows(first.stream_alias, block, self._stream_version, self.feed.read_at)
                self.state_manager.is_flushed = False
        else:
            for row in rows:
                self._write_record_message(row)
        if self._counter is not None:
            self._counter.increment(self.rows_written - before)

    def memory(self, company: str) -> Memory:
        """What the stream remembers of a company; it is part of the state."""
        state = self.stream_state
        if self.replication_key and state.get("replication_key") not in {None, self.replication_key}:
            # Read by another column now: what was remembered says nothing about it.
            state.pop(_COMPANIES, None)
            state.pop("replication_key_value", None)
        companies: dict[str, Memory] = state.setdefault(_COMPANIES, {})
        if company not in companies:
            companies[company] = {}
            given = state.get("replication_key_value")
            if given and len(companies) == 1 and not self.feed.is_by_number:
                companies[company]["bookmark"] = str(given)[:10]  # a bookmark that a person has set
        return companies[company]

    def advance(self) -> None:
        """Set the bookmark that everybody understands: the earliest of all companies."""
        if self.is_full_table or not self.replication_key:
            return
        remembered = self.stream_state.get(_COMPANIES, {})
        memories = [remembered.get(company, {}) for company in self.config["companies"]]
        marks = [m.get("bookmark") or m.get("row_version") or m.get("number") for m in memories]
        self.stream_state["replication_key"] = self.replication_key
        known = [str(mark) for mark in marks if mark is not None]
        if known and len(known) == len(marks):
            first = min(known)
            is_day = not self.feed.is_by_number
            self.stream_state["replication_key_value"] = f"{first}{_MIDNIGHT}" if is_day else first

    def note_unread(self, outcome: Outcome) -> None:
        """Leave in the state that, and why, the stream was not read to its end: a loader may tell people."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
        self.stream_state["unread"] = {"at": now, "why": outcome.value}
        self.write_state()

    def write_state(self) -> None:
        """Write a STATE message if anything has changed since the last one."""
        self.state_manager.is_flushed = False
        self._write_state_message()


def keys_of(names: Iterable[str]) -> list[str]:
    """Properties of key columns."""
    return [snake(name) for name in names]
