"""A stream as the SDK sees it: its schema, its messages, its place in the state."""

from __future__ import annotations

import datetime as dt
import enum
import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from singer_sdk import Stream
from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

from tap_epicor_kinetic.errors import ApiError, CallBudgetSpentError, ForbiddenError, NotFoundError, UserError
from tap_epicor_kinetic.streams.columns import (
    COMPANY,
    DELETED_AT,
    HEADER_REVISION,
    SYS_REV_ID,
    SYS_ROW_ID,
    Column,
    iso,
    schema_of,
)
from tap_epicor_kinetic.streams.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.metrics import Counter
    from singer_sdk.singerlib import Message, MetadataMapping

    from tap_epicor_kinetic.streams.columns import Row
    from tap_epicor_kinetic.streams.source import Source
    from tap_epicor_kinetic.tap import TapEpicorKinetic

_BLOCK: Final = 200
_FULL_TABLE: Final = "FULL_TABLE"
_STATE_EVERY_ROWS: Final = 2_000


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
    """How far a stream has come in this run."""

    WAITING = "not read"
    DONE = "read"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    FAILED = "failed"


class EpicorStream(Stream):
    """A stream of the tap; what it holds is said by its source and columns.

    Attributes:
        source: What it reads.
        columns: Its columns.
        sources: All columns that its rows have, by the ERP's names.
        outcome: How far it has come in this run.
        results: The same by company.
        rows_written: How many rows it has written.
    """

    # Rows leave the reader with exactly the selected properties, in JSON types.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(
        self,
        tap: TapEpicorKinetic,
        source: Source,
        columns: Sequence[Column],
        keys: Sequence[str],
        sources: Iterable[str],
    ) -> None:
        self.source = source
        self.columns = columns
        self.sources = frozenset(sources)
        self.epicor = tap
        self.outcome = Outcome.WAITING
        self.results: dict[str, Outcome] = {}
        self.rows_written = 0
        self._counter: Counter | None = None
        self._schema_written = False
        self._unsaved = 0
        self._read_at = dt.datetime.now(dt.UTC)
        super().__init__(tap, schema=schema_of(source.stream, columns), name=source.stream)
        self.primary_keys = tuple(keys)
        by_source = {column.source: column.name for column in columns if column.source}
        cursor = HEADER_REVISION if source.nested else by_source.get(source.replication_key)
        self.replication_key = cursor or None

    # what the SDK asks -------------------------------------------------------------------------------------

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """Selection metadata; columns that are not useful to most are offered, not selected."""
        fresh = self._metadata is None
        metadata = super().metadata
        if fresh and not (self._tap_input_catalog and self._tap_input_catalog.get_stream(self.tap_stream_id)):
            for column in self.columns:
                entry = metadata["properties", column.name]
                if column.name in {COMPANY, DELETED_AT} or column.source in {SYS_ROW_ID, SYS_REV_ID}:
                    entry.inclusion = entry.InclusionType.AUTOMATIC
                elif not column.by_default and column.name not in self.primary_keys:
                    entry.selected_by_default = False
        return metadata

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Never by the SDK: the stream itself says when a read holds all that the target should keep."""
        return False

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        """None: companies are read one after the other by the stream itself, which keeps their states apart."""
        return None

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log; but not that an error was unhandled where it is told in one line at the end of the run."""
        if not isinstance(sys.exc_info()[1], UserError):
            super().log(message, *args, level=level, **kwargs)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """A few rows for the connection test; in a run the stream writes them itself, block by block."""
        reader = Reader(self)
        limit = self.ABORT_AT_RECORD_COUNT
        if limit is not None:
            yield from self._guarded_sample(reader, limit)
            return
        for company in self.epicor.site.companies:
            try:
                if not self.results:
                    reader.begin()
                for rows in reader.read(company):
                    self._write(rows)
            except (ApiError, CallBudgetSpentError) as error:
                self._note(company, error)
                if isinstance(error, CallBudgetSpentError):
                    break
            else:
                self.results[company] = Outcome.DONE
        self.outcome = self._verdict()
        if set(self.results.values()) == {Outcome.DONE}:
            self.stream_state.pop("unread", None)
            reader.end()
        self.save()

    @override
    def get_record_counter(self, **options: Any) -> Counter:
        self._counter = super().get_record_counter(**options)
        return self._counter

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterable[Context | None]:
        """No stream has SDK children; lines are streams of their own."""
        return ()

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Take the marks of a run under way off the state, unless the stream was not read to its end."""
        if self.outcome is Outcome.DONE:
            super().finalize_state_progress_markers(state)

    @override
    def _finalize_state(self, state: dict[str, Any] | None = None) -> None:
        if self.outcome is Outcome.DONE:
            super()._finalize_state(state)

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Bookmarks move by pages, when their rows are written."""

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
                    time_extracted=self._read_at,
                )

    def _write(self, rows: Sequence[Row]) -> None:
        """Write rows outside the SDK's own loop, in blocks where no stream map wants to see them."""
        (first, *others), writer = self.stream_maps, self.epicor.message_writer
        is_plain = type(first) is SameRecordTransform and not (others or first.flattening_enabled)
        before = self.rows_written
        if is_plain and isinstance(writer, LineWriter):
            for start in range(0, len(rows), _BLOCK):
                block = rows[start : start + _BLOCK]
                writer.write_rows(first.stream_alias, block, self._stream_version, self._read_at)
            self.rows_written += len(rows)
            self.state_manager.is_flushed = False
        else:
            for row in rows:
                self._write_record_message(row)
        if self._counter is not None:
            self._counter.increment(self.rows_written - before)

    # what the reader asks ----------------------------------------------------------------------------------

    @property
    def wanted(self) -> list[Column]:
        """The selected columns."""
        return [column for column in self.columns if self.mask["properties", column.name]]

    @property
    def is_full_table(self) -> bool:
        """Whether everything is read in every run."""
        return self.replication_method == _FULL_TABLE

    def activate_version(self) -> None:
        """Say that what this run does not bring is gone, if the setting asks for it."""
        if self.config["emit_activate_version_messages"]:
            self._stream_version = self._initialized_at // 1000
            self._write_activate_version_message(self._stream_version)

    def page_read(self) -> None:
        """Note when the rows to come were read."""
        self._read_at = dt.datetime.now(dt.UTC)

    def page_written(self, rows: int) -> None:
        """Save the state now and then, behind rows that are written."""
        self._unsaved += rows
        if self._unsaved >= _STATE_EVERY_ROWS:
            self.save()

    def save(self) -> None:
        """Write a STATE message."""
        self._unsaved = 0
        self.state_manager.is_flushed = False
        self._write_state_message()

    def stamp_complete(self) -> None:
        """Leave the proof that a whole read came to its end."""
        self.stream_state["completed_at"] = iso(dt.datetime.now(dt.UTC))

    def note_unread(self, outcome: Outcome) -> None:
        """Leave in the state that, and why, the stream was not read to its end: a loader may tell people."""
        self.stream_state["unread"] = {"at": iso(dt.datetime.now(dt.UTC)), "why": outcome.value}

    # outcomes ----------------------------------------------------------------------------------------------

    def _guarded_sample(self, reader: Reader, limit: int) -> Iterator[Record]:
        """A few rows for the connection test, with a call to every company."""
        left = limit
        for company in self.epicor.site.companies:
            try:
                rows = reader.sample(company, max(left, 1))
            except (ApiError, CallBudgetSpentError) as error:
                self._note(company, error)
                continue
            self.results[company] = Outcome.DONE
            # No more than asked for: the SDK would end the test with a line that says an error had occurred.
            for row in rows[:left]:
                left -= 1
                yield row

    def _note(self, company: str, error: Exception) -> None:
        """Note that a company could not be read to its end; its bookmark stays behind the last page written."""
        log = self.epicor.logger.warning
        if isinstance(error, CallBudgetSpentError):
            outcome = Outcome.STOPPED
        elif isinstance(error, ForbiddenError) and self.config["skip_forbidden_streams"]:
            outcome = Outcome.SKIPPED
        else:
            outcome = Outcome.FAILED
            log = self.epicor.logger.error
        hint = " Check the company, and the service by `sources`." if isinstance(error, NotFoundError) else ""
        self.results[company] = outcome
        if self.ABORT_AT_RECORD_COUNT is None:
            self.note_unread(outcome)
        log("%s (%s): %s. %s%s", self.name, company, outcome.value, error, hint)

    def _verdict(self) -> Outcome:
        found = set(self.results.values())
        for outcome in (Outcome.FAILED, Outcome.STOPPED, Outcome.DONE):
            if outcome in found:
                return outcome
        return Outcome.SKIPPED
