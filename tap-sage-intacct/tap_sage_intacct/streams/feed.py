"""The calls that feed one or more streams: what they start from, and when bookmarks move.

Streams that are read together (bills and their lines) share a `Feed`. Whichever of them the SDK starts first drives
the feed and writes the rows of all of them, slice by slice; the others have nothing left to do when their turn comes.
A bookmark moves only when the rows of all streams of the feed are written.
"""

from __future__ import annotations

import abc
import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any, Final

from tap_sage_intacct.errors import CallBudgetSpentError, ForbiddenError
from tap_sage_intacct.paging import moment_of
from tap_sage_intacct.streams.columns import COMPANY, ENTITY
from tap_sage_intacct.streams.stream import IntacctStream, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.streams.encoded import EncodedRows
    from tap_sage_intacct.tap import TapSageIntacct

_SATURDAY: Final = 5
_MAINTENANCE: Final = (dt.time(2, 0), dt.time(8, 0))


def maintenance_start(moment: dt.datetime) -> dt.datetime | None:
    """When the weekly maintenance began that a moment falls into; None outside of it.

    Sources name Saturday 02:30 to 05:30 UTC, and Friday 19:30 to 23:30 Pacific; runs inside give incomplete data.
    """
    begin, end = _MAINTENANCE
    moment = moment.astimezone(dt.UTC)
    if moment.weekday() != _SATURDAY or not begin <= moment.time() < end:
        return None
    return moment.replace(hour=begin.hour, minute=begin.minute, second=0, microsecond=0)


class Feed(abc.ABC):
    """Calls that several streams share, and the rows that come of them.

    Attributes:
        streams: The streams that are fed, documents before their lines.
        outcome: How far the feed has come.
        reason: Why it was not read to its end.
        read_at: When the present rows were read, by this machine's clock.
        is_master: Whether documents refer to what is read; then `start_date` does not bound it.
        is_partial: Whether what earlier runs wrote stays true although it is not read again.
        progress: Whether this run has moved any bookmark of the feed.
    """

    is_master = False
    is_partial = False

    def __init__(self, tap: TapSageIntacct) -> None:
        self.tap = tap
        self.streams: list[IntacctStream] = []
        self.outcome = Outcome.WAITING
        self.reason = ""
        self.read_at = dt.datetime.now(dt.UTC)
        self.progress = False

    # what differs between feeds -----------------------------------------------------------------------------

    @abc.abstractmethod
    def read(self, streams: Sequence[IntacctStream], entity: str) -> None:
        """Read and write everything that is due for these streams."""

    @abc.abstractmethod
    def rows_of(self, stream: IntacctStream, entity: str, limit: int) -> Iterator[Row]:
        """A few rows of a stream, if they are to be had cheaply."""

    # running -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Read everything that is due, of all entities.

        Raises:
            ApiError: Something could not be read; what was written before stays noted.
            CallBudgetSpentError: The calls of this run are used up.
        """
        streams = [stream for stream in self.streams if stream.selected]
        for stream in streams:
            stream.begin()
        for entity in self.tap.entities:
            self.read(streams, entity)
        self.outcome = Outcome.DONE
        for stream in streams:
            stream.finalize_state_progress_markers()
        streams[0].write_state()

    def sample(self, stream: IntacctStream, limit: int) -> Iterator[Row]:
        """A few rows for the connection test; nothing is noted."""
        # No more than asked for: the SDK would end the test with a line that says an error had occurred.
        yield from itertools.islice(self.rows_of(stream, self.tap.entities[0], limit), limit)

    def end(self, error: Exception) -> None:
        """Note that the feed could not be read to its end; its bookmarks stay where they are."""
        if isinstance(error, CallBudgetSpentError):
            self.outcome = Outcome.STOPPED
            if not self.progress:
                error = CallBudgetSpentError(f"{error} Nothing was finished: allow more calls.")
        elif isinstance(error, ForbiddenError) and self.tap.config["skip_forbidden_streams"]:
            self.outcome = Outcome.SKIPPED
        else:
            self.outcome = Outcome.FAILED
        self.reason = str(error)
        selected = [stream for stream in self.streams if stream.selected]
        for stream in selected:
            if stream.ABORT_AT_RECORD_COUNT is None:
                stream.note_unread(self.outcome)
        names = ", ".join(stream.name for stream in selected)
        log = self.tap.logger.error if self.outcome is Outcome.FAILED else self.tap.logger.warning
        log("%s: %s. %s", names, self.outcome.value, self.reason)

    def put(self, stream: IntacctStream, rows: Sequence[Row]) -> None:
        """Write rows that have just been read."""
        self.read_at = dt.datetime.now(dt.UTC)
        stream.put(rows)

    def put_encoded(self, stream: IntacctStream, rows: EncodedRows) -> None:
        """Write rows that are encoded already."""
        self.read_at = dt.datetime.now(dt.UTC)
        stream.put_encoded(rows)

    # spans -------------------------------------------------------------------------------------------------

    def start(self, streams: Sequence[IntacctStream], entity: str) -> dt.datetime | None:
        """The earliest modification time that any of the streams still needs; None for all there is."""
        starts = [self._start_of(stream, entity) for stream in streams]
        known = [start for start in starts if start is not None]
        return min(known) if len(known) == len(starts) else None

    def _start_of(self, stream: IntacctStream, entity: str) -> dt.datetime | None:
        if stream.is_full_table:
            return None
        given = self.tap.config.get("start_date")
        floor = moment_of(given) if given and not self.is_master else None
        bookmark = stream.bookmark(entity)
        if bookmark is None or self.is_refresh_due(stream, entity):
            return floor
        # What was read during the maintenance may lack something, so it is read again.
        lo = (maintenance_start(bookmark) or bookmark) - self.tap.lookback
        return lo if floor is None else max(lo, floor)

    def is_refresh_due(self, stream: IntacctStream, entity: str) -> bool:
        """Whether it is time to read a stream whole again."""
        days = self.tap.config["full_refresh_days"]
        last = stream.kept(entity).get("full_read_at")
        if not days or not last or maintenance_start(self.tap.now) is not None:
            return False
        return self.tap.now - moment_of(last) >= dt.timedelta(days=days)

    def in_chunks(self, values: Sequence[str], size: int) -> list[list[str]]:
        """Values in lists of at most so many."""
        return [list(values[start : start + size]) for start in range(0, len(values), size)]


def blank(stream: IntacctStream, tap: TapSageIntacct, entity: str) -> dict[str, Any]:
    """A row of a stream that says nothing but whose it is."""
    row: dict[str, Any] = dict.fromkeys(column.name for column in stream.wanted)
    row[COMPANY] = tap.company
    if ENTITY in row:
        row[ENTITY] = entity
    return row
