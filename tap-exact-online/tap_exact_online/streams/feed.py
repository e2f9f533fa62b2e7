"""The calls that feed one or two streams: what they start from, and when bookmarks move.

A document and its lines come from the same calls and so share a `Feed`, which reads one division after another.
A bookmark moves past a page only when the rows of the page are written.
"""

from __future__ import annotations

import abc
import datetime as dt
import itertools
from typing import TYPE_CHECKING, Final

from tap_exact_online.client import decode
from tap_exact_online.errors import ForbiddenError, RefusedError, ServerTroubleError, StoppedError
from tap_exact_online.paging import ahead, follow, rows_in, walk
from tap_exact_online.streams.columns import (
    CURRENCY,
    DIVISION,
    Column,
    Reader,
    columns_of,
    currency_column,
    deleted_column,
    division_column,
    snake,
)
from tap_exact_online.streams.names import DIMENSIONS, joins_of
from tap_exact_online.streams.stream import ExactStream, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_exact_online.discovery import Division
    from tap_exact_online.paging import Row
    from tap_exact_online.records import Decode
    from tap_exact_online.streams.declarations import Entity, Lines
    from tap_exact_online.streams.names import Join
    from tap_exact_online.tap import TapExactOnline

_STATE_ROWS: Final = 1000
_FEW_CALLS: Final = 50


class Feed(abc.ABC):
    """Calls that several streams share, and the rows that come of them.

    Attributes:
        streams: The streams that are fed, documents before their lines.
        outcomes: How far the feed has come, by division.
        read_at: When the present page was read, by this machine's clock.
    """

    cursor = ""

    def __init__(
        self, tap: TapExactOnline, entity: Entity, properties: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.tap = tap
        self.entity = entity
        self.outcomes: dict[int, Outcome] = {}
        self.read_at = dt.datetime.now(dt.UTC)
        self._properties = properties[entity.endpoint]
        self._joins: dict[str, list[Join]] = {}
        self._without: set[str] = set()
        self._rows_since_state = 0
        cursor = snake(self.cursor) if self.cursor else None
        header = self._header_columns()
        self.streams = [ExactStream(tap, entity.stream, header, cursor, self)]
        if entity.lines:
            lines = self._line_columns(entity.lines, properties[entity.lines.endpoint], header)
            self.streams.append(ExactStream(tap, entity.lines.stream, lines, cursor, self))

    # columns -----------------------------------------------------------------------------------------------

    def _header_columns(self) -> list[Column]:
        columns = columns_of(self._properties, self.entity.keys, self.entity.endpoint)
        if self.entity.stream != "divisions":
            columns.insert(0, division_column())
            columns += self._more(self.entity.stream, self._properties)
        if self.entity.amounts:
            columns += self.entity.amounts.columns
        if self.entity.deleted_as:
            columns.append(deleted_column())
        return columns

    def _line_columns(
        self, lines: Lines, properties: Mapping[str, str], header: Sequence[Column]
    ) -> list[Column]:
        own = columns_of(properties, ("ID",), lines.endpoint)
        taken = {column.name for column in own} | {DIVISION, CURRENCY}
        carried = {snake(name) for name in (*lines.carry, self.cursor)}
        parents = [column for column in header if column.name in carried - taken]
        return [division_column(), *own, *parents, *self._more(lines.stream, properties)]

    def _more(self, stream: str, properties: Mapping[str, str]) -> list[Column]:
        """Columns that the tap adds: names, and the currency of amounts."""
        self._joins[stream] = joins_of(properties) if self.tap.config.get("enrich") else []
        columns = [join.column for join in self._joins[stream]]
        if "decimal" in properties.values():
            columns.append(currency_column())
        return columns

    # what differs between feeds -----------------------------------------------------------------------------

    @abc.abstractmethod
    def read(self, division: Division, streams: Sequence[ExactStream]) -> None:
        """Read and write what is due in a division."""

    def decoder(self, select: str) -> Decode:  # noqa: ARG002 - for those that differ
        """What decodes a page of the fields that are asked for."""
        return decode

    def options(self) -> dict[str, str]:
        """What to ask for when a few rows are wanted."""
        return {}

    # reading -----------------------------------------------------------------------------------------------

    @property
    def selected(self) -> list[ExactStream]:
        """The streams to write."""
        return [stream for stream in self.streams if stream.selected]

    def run(self, division: Division) -> None:
        """Read what is due in a division, and note how that ended."""
        streams = self.selected
        try:
            for stream in streams:
                stream.begin()
            self.read(division, streams)
        except (ForbiddenError, StoppedError) as error:
            is_skipped = isinstance(error, ForbiddenError) and self.tap.config["skip_forbidden_streams"]
            is_stopped = isinstance(error, StoppedError)
            self.end(division, error, _outcome(is_stopped=is_stopped, is_skipped=is_skipped))
            if is_stopped or isinstance(error, self.tap.closing):
                raise
        except self.tap.failures as error:
            self.end(division, error, Outcome.FAILED)
        else:
            self.outcomes[division.code] = Outcome.DONE
            for stream in streams:
                stream.place(division.code)["read_at"] = self.tap.began.isoformat()
            if self._rows_since_state:
                self.write_state()

    def end(self, division: Division, error: Exception, outcome: Outcome) -> None:
        """Note that the division could not be read to its end; bookmarks stay where the last page left them."""
        self.outcomes[division.code] = outcome
        names = ", ".join(stream.name for stream in self.selected)
        log = self.tap.logger.error if outcome is Outcome.FAILED else self.tap.logger.warning
        log("%s of division %d: %s. %s", names, division.code, outcome.value, error)

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to be read."""
        return bool(self.selected)

    def is_due(self, divisions: Sequence[Division]) -> bool:
        """Whether it is time to read again; all divisions or none, because a full read replaces all rows."""
        streams = self.selected
        minutes = self.tap.interval_of([stream.name for stream in streams])
        read = [stream.place(division.code).get("read_at") for stream in streams for division in divisions]
        if not minutes or None in read:
            return True
        age = self.tap.began - min(dt.datetime.fromisoformat(str(at)) for at in read)
        if age >= dt.timedelta(minutes=minutes):
            return True
        self.outcomes = dict.fromkeys((division.code for division in divisions), Outcome.NOT_DUE)
        return False

    def read_at_of(self, division: Division) -> str:
        """When the streams were last read to their end in a division; empty for never."""
        return min(
            (str(stream.place(division.code).get("read_at") or "") for stream in self.selected), default=""
        )

    @property
    def miss(self) -> Outcome | None:
        """Why not everything was read; None where nothing says so."""
        found = self.outcomes.values()
        return next((one for one in (Outcome.FAILED, Outcome.STOPPED, Outcome.SKIPPED) if one in found), None)

    def is_complete(self, divisions: Sequence[Division]) -> bool:
        """Whether everything was read. A division that was never open to the user has no rows to lose."""
        for division in divisions:
            outcome = self.outcomes.get(division.code)
            never = all("read_at" not in stream.place(division.code) for stream in self.selected)
            if outcome is not Outcome.DONE and not (outcome is Outcome.SKIPPED and never):
                return False
        return Outcome.DONE in self.outcomes.values()

    def sample(self, stream: ExactStream) -> Iterator[Row]:
        """A few rows for the test of the connection; nothing is noted."""
        limit = stream.ABORT_AT_RECORD_COUNT or 1
        division = self.tap.company.divisions[0]
        try:
            params = {**self.options(), **self.select([stream])}
            url: str | None = self.tap.client.url(division.code, self.entity.endpoint, params)
            rows: list[Row] = []
            while url and len(rows) < limit:
                records, url = rows_in(self.tap.client.get(url, division.code, self.entity.endpoint))
                rows += self.convert(division, stream, records)
        except ForbiddenError as error:
            if not self.tap.config["skip_forbidden_streams"]:
                raise
            self.end(division, error, Outcome.SKIPPED)
            return
        # No more than asked for: the SDK would end the test with a line that says an error had occurred.
        yield from itertools.islice(rows, limit)

    # asking ------------------------------------------------------------------------------------------------

    def select(self, streams: Sequence[ExactStream]) -> dict[str, str]:
        """The options that name what is wanted: no more than the selected columns need."""
        names = dict.fromkeys((*self.entity.keys, *((self.cursor,) if self.cursor else ()), *self._always()))
        expand = ""
        for stream in streams:
            if stream is self.streams[0]:
                names |= dict.fromkeys(self._fields(stream))
        lines = self.entity.lines
        if lines and self.streams[-1] in streams:
            names |= dict.fromkeys(lines.carry)
            own = dict.fromkeys(("ID", lines.parent, *self._fields(self.streams[-1])))
            parents = {column.field for column in self.streams[0].columns}
            fields = [f for f in own if f in self._line_properties or f not in parents]
            names |= dict.fromkeys(f"{lines.collection}/{field}" for field in fields)
            expand = lines.collection
        chosen = [name for name in names if name.rpartition("/")[2] not in self._without]
        options = {"$select": ",".join(chosen)}
        return {**options, "$expand": expand} if expand else options

    def _always(self) -> tuple[str, ...]:
        """Properties that are needed besides those that are selected."""
        dimension = DIMENSIONS.get(self.entity.endpoint)
        return dimension.select if dimension and self.tap.config["enrich"] else ()

    @property
    def _line_properties(self) -> set[str]:
        if self.entity.lines is None:
            return set()
        own = self.tap.properties[self.entity.lines.endpoint]
        return set(own)

    def _fields(self, stream: ExactStream) -> Iterator[str]:
        wanted = {column.name for column in stream.wanted}
        for column in stream.wanted:
            if column.field:
                yield column.field
        for join in self._joins.get(stream.name, ()):
            if join.column.name in wanted:
                yield join.field
        if self.entity.amounts and stream is self.streams[0]:
            yield from self.entity.amounts.needs

    def pages(
        self, division: Division, streams: Sequence[ExactStream], options: Mapping[str, str]
    ) -> Iterator[list[Row]]:
        """The pages of the list, each asked for while the one before is written.

        Properties that the vendor has withdrawn are left out.
        """
        self._without = self.tap.withdrawn.of(self.entity.endpoint)
        while True:
            select = self.select(streams)
            read = self.decoder(select["$select"])
            pages = walk(self.tap.client, division.code, self.entity.endpoint, {**options, **select}, read)
            try:
                first = next(pages, [])
            except RefusedError as error:
                gone = self.tap.withdrawn.learn(self.entity.endpoint, select["$select"], error)
                if not gone:
                    raise
                self._without |= gone
                continue
            yield from ahead(itertools.chain([first], pages), lambda: self._may_ask_ahead(division))
            return

    def _may_ask_ahead(self, division: Division) -> bool:
        """Whether a page may be asked for before the one before is written.

        To write it may take calls too, for names and long documents. Where few are left, the page that is there comes
        first, or it might never be written: the next run would spend its calls in the same way.
        """
        left = self.tap.client.calls_left(division.code)
        return left is None or left > _FEW_CALLS

    # writing -----------------------------------------------------------------------------------------------

    def write(
        self, division: Division, streams: Sequence[ExactStream], records: Sequence[Row]
    ) -> dict[str, list[Row]]:
        """Write a page: documents before their lines.

        Returns:
            What was written, by stream.
        """
        self.read_at = dt.datetime.now(dt.UTC)
        written = {}
        for stream in streams:
            written[stream.name] = rows = self.convert(division, stream, records)
            stream.write(rows)
            self._rows_since_state += len(rows)
        return written

    def convert(self, division: Division, stream: ExactStream, records: Sequence[Row]) -> list[Row]:
        """The rows that records give to a stream."""
        lines = self.entity.lines
        if lines and stream is self.streams[-1] and stream is not self.streams[0]:
            records = list(self._lines_of(division, lines, records))
        try:
            rows = self._reader(division, stream)(records)
        except ValueError as error:
            raise ServerTroubleError(f"{stream.name} of division {division.code}: {error}") from None
        wanted = {column.name for column in stream.wanted}
        joins = [join for join in self._joins.get(stream.name, ()) if join.column.name in wanted]
        if joins and records:
            self.tap.names(division.code).add(joins, records, rows)
        if self.entity.amounts and stream is self.streams[0]:
            self.entity.amounts.add(records, rows, wanted)
        return rows

    def _reader(self, division: Division, stream: ExactStream) -> Reader:
        key = (stream.name, division.code)
        if key not in self.tap.readers:
            self.tap.readers[key] = Reader(
                stream.wanted,
                {DIVISION: division.code, CURRENCY: division.currency},
                self.tap.zone,
                trim=self.tap.config["trim_strings"],
                null_empty_guid=self.tap.config["null_empty_guid"],
            )
        return self.tap.readers[key]

    def _lines_of(self, division: Division, lines: Lines, records: Iterable[Row]) -> Iterator[Row]:
        """All lines of documents; an expanded list holds sixty at most and says where the rest is."""
        own = self._line_properties
        carry = [name for name in (*lines.carry, self.cursor) if name not in own]
        key = self.entity.keys[0]
        for record in records:
            cell = record.get(lines.collection)
            found, more = rows_in({"d": cell}) if cell else ([], None)
            if found and "__deferred" in found[0]:
                raise ServerTroubleError(
                    f"{lines.stream} of division {division.code}: the lines were not expanded"
                )
            rest = follow(self.tap.client, more, division.code, lines.endpoint)
            shared = {name: record.get(name) for name in carry}
            for line in itertools.chain(found, itertools.chain.from_iterable(rest)):
                line.update(shared)
                if line.get(lines.parent) is None:
                    line[lines.parent] = record.get(key)
                yield line

    def write_state(self) -> None:
        """Write STATE: all that it covers has been written."""
        self._rows_since_state = 0
        self.streams[0 if self.streams[0].selected else -1].write_state()

    def write_state_at_times(self) -> None:
        """Write STATE, but not behind every short page."""
        if self._rows_since_state >= _STATE_ROWS:
            self.write_state()

    def start_date(self) -> dt.datetime | None:
        """From when on to read; masters are read whole, so that references resolve."""
        return None if self.entity.master else self.tap.start_date


def _outcome(*, is_stopped: bool, is_skipped: bool) -> Outcome:
    if is_stopped:
        return Outcome.STOPPED
    return Outcome.SKIPPED if is_skipped else Outcome.FAILED
