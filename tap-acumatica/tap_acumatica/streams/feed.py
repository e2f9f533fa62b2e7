"""The calls that feed one or more streams: what they start from, and when bookmarks move.

Streams that come from the same calls (bills and their lines) share a `Feed`. Whichever of them the SDK starts
first drives the feed; the others receive their rows from it, slice by slice, and have nothing left to do when
their turn comes. A bookmark moves past a slice only when the rows of all streams of the feed are written.
"""

from __future__ import annotations

import abc
import dataclasses
import datetime as dt
import itertools
from typing import TYPE_CHECKING, Final

from tap_acumatica.errors import CallBudgetSpentError, ForbiddenError, NotFoundError, NotSetUpError
from tap_acumatica.paging import Pages, Slices, Window, iso
from tap_acumatica.streams.columns import DELETED_AT, NOTE_ID
from tap_acumatica.streams.stream import AcumaticaStream, Outcome, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_acumatica.paging import Row
    from tap_acumatica.tap import TapAcumatica

_DELETIONS_READ: Final = "deletions_read_until"
_FINDS_NOTHING: Final = "finds_nothing_by_time"
_UNPROVEN: Final = dt.timedelta(hours=6)


@dataclasses.dataclass
class Doc:
    """What one record of the ERP gives to the streams of its feed.

    Attributes:
        cursor: Its modification time in ISO form; empty where the entity has none.
        row: The record itself, as properties.
        lines: The rows of its collection, complete.
        note_id: The GUID that lives as long as the record.
        numbered: Whether the lines bear their own numbers, not just positions.
    """

    cursor: str
    row: Row
    lines: list[Row] = dataclasses.field(default_factory=list)
    note_id: str = ""
    numbered: bool = True

    def rows(self) -> int:
        """How many rows of all streams it stands for."""
        return 1 + len(self.lines)


class Feed(abc.ABC):
    """Calls that several streams share, and the rows that come of them.

    Attributes:
        streams: The streams that are fed, documents before their lines.
        outcome: How far the feed has come.
        reason: Why it was not read to its end.
        slices_done: How many slices were read and written in this run.
        is_proven: Whether the server's filter has found anything in this run.
        read_at: When the present slice was read, by this machine's clock.
        deletions: The data access class whose deletions concern the first stream; empty for none.
        is_master: Whether documents refer to what is read; then `start_date` does not bound it.
        is_history: Whether what earlier runs wrote stays true although it is not read again.
    """

    deletions = ""
    is_history = False
    is_master = False

    def __init__(self, tap: TapAcumatica) -> None:
        self.tap = tap
        self.streams: list[AcumaticaStream] = []
        self.outcome = Outcome.WAITING
        self.reason = ""
        self.read_at = dt.datetime.now(dt.UTC)
        self.is_proven = False
        self.slices_done = 0

    # what differs between feeds -----------------------------------------------------------------------------

    @abc.abstractmethod
    def prepare(self, streams: Sequence[AcumaticaStream]) -> None:
        """Get ready to read for these streams."""

    @abc.abstractmethod
    def pages(self, keep: Window | None = None) -> Pages[Doc]:
        """The list to read.

        Args:
            keep: Read without a filter on the server, and keep what lies in this window.
        """

    def enrich(self, window: Window, docs: Sequence[Doc]) -> None:  # noqa: B027 - most feeds need nothing more
        """Add what other calls know of these records."""

    def rows(self, stream: AcumaticaStream, docs: Sequence[Doc]) -> Iterator[Row]:
        """The rows of one stream."""
        if stream is self.streams[0]:
            return (doc.row for doc in docs)
        return (row for doc in docs for row in doc.lines)

    # reading -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Read everything that is due, and write it.

        Raises:
            ApiError: Something could not be read; what was written before stays noted.
            CallBudgetSpentError: The calls of this run are used up.
        """
        streams = [stream for stream in self.streams if stream.selected]
        self.prepare(streams)
        for stream in streams:
            stream.begin()
        # Before its first run there is nothing that the target could hold and should forget.
        told = self.streams[0].stream_state.get(_DELETIONS_READ)
        for window, docs in self.slices(streams):
            self._write(streams, window, docs)
        if told and self._tells_deletions:
            self._tombstones(moment_of(told))

    def complete(self) -> None:
        """Note that all streams of the feed have been read to their end."""
        self.outcome = Outcome.DONE
        for stream in self.streams:
            if stream.selected:
                stream.finalize_state_progress_markers()

    def end(self, error: Exception) -> None:
        """Note that the feed could not be read to its end; its bookmarks stay where the last slice left them."""
        skipping = self.tap.config["skip_forbidden_streams"]
        if isinstance(error, CallBudgetSpentError):
            self.outcome = Outcome.STOPPED
            if not self.slices_done:
                error = CallBudgetSpentError(
                    f"{error} No slice was finished: allow more calls or shorten window_days."
                )
        elif isinstance(error, NotSetUpError) or (isinstance(error, ForbiddenError) and skipping):
            self.outcome = Outcome.SKIPPED
        else:
            self.outcome = Outcome.FAILED
        self.reason = str(error)
        if isinstance(error, NotFoundError):
            hint = (
                "Check odata_style and tenant."
                if "/odata" in self.reason
                else "The endpoint lacks this entity."
            )
            self.reason += f" {hint}"
        selected = [stream for stream in self.streams if stream.selected]
        for stream in selected:
            if stream.ABORT_AT_RECORD_COUNT is None:
                stream.note_unread(self.outcome)
        names = ", ".join(stream.name for stream in selected)
        log = self.tap.logger.error if self.outcome is Outcome.FAILED else self.tap.logger.warning
        log("%s: %s. %s", names, self.outcome.value, self.reason)

    def _write(self, streams: Sequence[AcumaticaStream], window: Window, docs: list[Doc]) -> None:
        self.read_at = dt.datetime.now(dt.UTC)
        docs.sort(key=lambda doc: doc.cursor)
        if docs:
            self.enrich(window, docs)
        for stream in streams:
            stream.write(self.rows(stream, docs))
        self.is_proven = self.is_proven or bool(docs)
        if self.is_proven:
            for stream in streams:
                stream.advance(window.hi)
        self.slices_done += 1
        if self._tells_deletions:
            # From the first slice on: what a first load has written is not read again by a run that continues it.
            self.streams[0].stream_state.setdefault(_DELETIONS_READ, iso(self.tap.bound()))
        streams[0].write_state()

    def sample(self, driver: AcumaticaStream, limit: int) -> Iterator[Row]:
        """A few rows for the connection test; nothing is noted."""
        self.prepare([driver])
        window = None if driver.is_full_table else Window(None, self.tap.bound())
        pages = self.pages()
        docs = pages.read(window, pages.first(window, limit))
        self.enrich(window or Window(None, self.tap.bound()), docs)
        # No more than asked for: the SDK would end the test with a line that says an error had occurred.
        yield from itertools.islice(self.rows(driver, docs), limit)

    def slices(self, streams: Sequence[AcumaticaStream]) -> Iterator[tuple[Window, list[Doc]]]:
        """Everything that is due, part by part."""
        hi = self.tap.bound()
        if all(stream.replication_key is None for stream in streams):
            self.is_proven = True
            yield Window(None, hi), self.pages().read(None)
            return
        window = Window(self._start(streams), hi)
        if window.lo is not None and window.lo > hi:
            return
        if any(stream.stream_state.get(_FINDS_NOTHING) for stream in streams) and self._finds_nothing(
            streams, hi
        ):
            yield window, self.pages(keep=window).read(None)
            return
        empty = True
        for part, docs in Slices(self.pages(), self.tap.slice_width).walk(window):
            empty = empty and not docs
            yield part, docs
        if not empty or not self._is_due_for_proof(streams, hi):
            return
        if self._finds_nothing(streams, hi):
            yield window, self.pages(keep=window).read(None)
        else:
            yield Window(hi, hi), []

    def _start(self, streams: Sequence[AcumaticaStream]) -> dt.datetime | None:
        """The earliest modification time that any of the streams still needs; None for all there is."""
        starts = [self._start_of(stream) for stream in streams]
        known = [start for start in starts if start is not None]
        return min(known) if len(known) == len(starts) else None

    def _start_of(self, stream: AcumaticaStream) -> dt.datetime | None:
        given = self.tap.config.get("start_date")
        floor = moment_of(given) if given and not self.is_master else None
        bookmark = stream.bookmark()
        if bookmark is None:
            return floor
        lo = bookmark - self.tap.lookback
        return lo if floor is None else max(lo, floor)

    def _is_due_for_proof(self, streams: Sequence[AcumaticaStream], hi: dt.datetime) -> bool:
        """Whether it is time to ask if an empty answer is honest; now and then is enough."""
        bookmarks = [stream.bookmark() for stream in streams]
        return any(bookmark is None or hi - bookmark > _UNPROVEN for bookmark in bookmarks)

    def _finds_nothing(self, streams: Sequence[AcumaticaStream], hi: dt.datetime) -> bool:
        """Find out whether the filter by time works: on some entities it silently finds nothing.

        Until it has shown in a run that it finds anything, empty answers do not move the bookmark, so that
        nothing is lost by the time the fault is noticed. Where it is noticed, the state remembers it, and the
        streams are read whole from then on.
        """
        pages = self.pages()
        finds_nothing = not pages.first(Window(None, hi), 1) and bool(pages.first(None, 1))
        self.is_proven = True
        for stream in streams:
            stream.stream_state.pop(_FINDS_NOTHING, None)
            if finds_nothing:
                stream.stream_state[_FINDS_NOTHING] = True
        if finds_nothing:
            self.tap.logger.warning(
                "%s: this instance finds nothing by modification time; reading all and picking out the changes",
                self.streams[0].name,
            )
        return finds_nothing

    # deletions ---------------------------------------------------------------------------------------------

    @property
    def _tells_deletions(self) -> bool:
        """Whether deleted records are to be told."""
        return bool(self.deletions and self.streams[0].selected and self.tap.config["track_deletions"])

    def _tombstones(self, told: dt.datetime) -> None:
        """Tell of records deleted since a moment: all that is known is their note id and when they went."""
        stream = self.streams[0]
        gone = self.tap.deletions.since(self.deletions, told)
        if gone is None:
            return
        blank = dict.fromkeys(column.name for column in stream.wanted)
        stream.write({**blank, NOTE_ID: note_id, DELETED_AT: when} for note_id, when in gone.items())
        stream.stream_state[_DELETIONS_READ] = iso(self.tap.bound())
