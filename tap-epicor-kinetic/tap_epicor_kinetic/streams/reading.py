"""How a stream is read: from where, up to where, and when its bookmarks move.

A bookmark is the highest SysRevID that was read and written. That counter is not in the order of commits, so every
run begins some writes before it. It begins anew when the database moves to another server, so every run looks whether
the rows it has last seen are still where they were.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from tap_epicor_kinetic.errors import ApiError
from tap_epicor_kinetic.paging import Keyset, Offset
from tap_epicor_kinetic.streams.access import Access, short
from tap_epicor_kinetic.streams.columns import DELETED_AT, SYS_REV_ID, iso
from tap_epicor_kinetic.streams.deletions import ROW_TYPES, tombstone
from tap_epicor_kinetic.streams.places import Places, literal, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_epicor_kinetic.client import Params
    from tap_epicor_kinetic.streams.columns import Row
    from tap_epicor_kinetic.streams.places import Place
    from tap_epicor_kinetic.streams.stream import EpicorStream

_DAY: Final = dt.timedelta(days=1)
_WHOLE_AT: Final = "read_whole_at"
_TRIED_AT: Final = "whole_read_tried_at"
_SINCE_EVER: Final = "1900-01-01T00:00:00Z"


class CounterResetError(Exception):
    """The numbers of the database have begun anew."""


class Reader:
    """Reads one stream in one run."""

    def __init__(self, stream: EpicorStream) -> None:
        self.stream = stream
        self.source = stream.source
        self.tap = stream.epicor
        self.config = stream.config
        self._access = Access(stream)
        self._is_whole = False
        self._has_nothing_to_do = False
        self._due_again = False
        self._extents: dict[str, list[int]] = {}
        key = self.source.replication_key
        self._kind = {column.source: column.kind for column in stream.columns}.get(key, "integer")
        self._number = self._number_of(key)
        self._date_key = "" if key == self._number else key
        self._filter = self._bounds()
        self._places = Places(stream, self._filter)

    def _number_of(self, key: str) -> str:
        """The column by which the set is read in order; empty when it has none and is read by skip."""
        source = self.source
        if source.is_baq:
            paging = source.paging or ("keyset" if key.endswith(SYS_REV_ID) else "offset")
            return key if paging == "keyset" else ""
        return SYS_REV_ID if source.nested or SYS_REV_ID in self.stream.sources else ""

    # the run -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Decide what is to be read, before the first row is.

        Raises:
            ApiError: The server does not say what is there.
        """
        stream = self.stream
        if stream.is_full_table:
            self._is_whole = True
            stream.activate_version()
            return
        # Before its first run there is nothing that the target could hold and should forget.
        is_known = all(self._places.of(company).bookmark is not None for company in self.tap.site.companies)
        if self.source.rebuilt and not self._date_key:
            has_changed = self._look_for_changes()
            self._has_nothing_to_do = is_known and not has_changed
            self._is_whole = is_known and has_changed
        else:
            self._is_whole = is_known and self._is_due()
        if self._is_whole:
            stream.stream_state[_TRIED_AT] = iso(dt.datetime.now(dt.UTC))
            stream.activate_version()

    def end(self) -> None:
        """Note that all companies were read to their end."""
        state = self.stream.stream_state
        if self._is_whole:
            self.stream.stamp_complete()
        if self._due_again:
            state.pop(_WHOLE_AT, None)
            state.pop(_TRIED_AT, None)
        elif self._is_whole or _WHOLE_AT not in state:
            state[_WHOLE_AT] = iso(dt.datetime.now(dt.UTC))
            state.pop(_TRIED_AT, None)
        for company, extent in self._extents.items():
            self._places.of(company).extent = extent

    def read(self, company: str) -> Iterator[list[Row]]:
        """Read what is due of one company, as lists of rows; each is written when the next is asked for.

        Raises:
            ApiError: The server does not give the rows.
        """
        if self._has_nothing_to_do:
            return
        place = self._places.of(company)
        tells_deletions = DELETED_AT in {column.name for column in self.stream.wanted}
        if tells_deletions and place.deletions_read is None:
            # Before its first row there is nothing that the target could hold and should forget.
            place.deletions_read = self.tap.deletions.newest(company)
        yield from self._rows_due(company, place)
        if tells_deletions:
            yield from self._tombstones(company, place)

    def _rows_due(self, company: str, place: Place) -> Iterator[list[Row]]:
        if not self._number:
            return self._read_at_once(company, place)
        return self._read_by_date(company, place) if self._date_key else self._read_by_number(company, place)

    def _tombstones(self, company: str, place: Place) -> Iterator[list[Row]]:
        """Tell of deleted rows, from some writes before the last one told on."""
        until = place.deletions_read or 0
        log = self.tap.deletions
        found = log.since(company, max(until - self.config["sysrevid_overlap"] - 1, 0))
        if until and not found:
            # The last entry told has gone: the log was emptied, or the database's numbers have begun anew.
            found = log.since(company, 0)
        blank = dict.fromkeys(column.name for column in self.stream.wanted)
        yield [tombstone(each, blank) for each in found if each.table == ROW_TYPES[self.stream.name]]
        place.deletions_read = max((each.number for each in found), default=0)

    def sample(self, company: str, limit: int) -> list[Row]:
        """A few rows, by one call.

        Raises:
            ApiError: The server does not give them.
        """
        parameters: Params = {}
        if self.source.replication_parameter:
            parameters[self.source.replication_parameter] = self._parameter(None)
        calls = self._access.calls(company, parameters)
        params: Params = {"$filter": self._filter} if self._filter else {}
        return self._access.rows(company, calls.fetch({**params, "$top": min(limit, calls.size)}).rows)

    # by number ---------------------------------------------------------------------------------------------

    def _read_by_number(self, company: str, place: Place) -> Iterator[list[Row]]:
        bookmark = None if self._is_whole else place.bookmark
        if isinstance(bookmark, int):
            try:
                yield from self._read_on(company, bookmark, place)
            except CounterResetError as error:
                self._due_again = True
                self.tap.logger.warning(
                    "%s (%s): %s The database was restored or moved. Everything is read again now, and in the next "
                    "run once more to find what is gone.",
                    self.stream.name,
                    company,
                    error,
                )
            else:
                return
        # The bookmark of a table that is known moves when the whole read is complete: a cut must not lose it.
        holds_back = self._is_whole or bookmark is not None
        keyset = self._keyset(company, self._filter)
        place.seen = []
        for page in keyset.walk(0):
            yield self._access.rows(company, page)
            place.see(page, self._number)
            if not holds_back:
                place.advance_to_newest()
            self.stream.page_written(len(page))
        place.advance_to_newest()

    def _read_on(self, company: str, bookmark: int, place: Place) -> Iterator[list[Row]]:
        """Read what has changed, from some writes before the bookmark on.

        Raises:
            CounterResetError: The rows last seen are not where they were.
        """
        keyset = self._keyset(company, self._filter)
        start = max(bookmark - self.config["sysrevid_overlap"] - 1, 0)
        was_reached = False
        for page in keyset.walk(start, bookmark):
            if not was_reached and keyset.number(page[-1]) >= bookmark:
                was_reached = True
                if place.holds_another(page, self._number):
                    raise CounterResetError(f"{self._number} {bookmark} belongs to another row than before.")
            yield self._access.rows(company, page)
            if was_reached:
                place.see(page, self._number)
                place.advance_to_newest()
            self.stream.page_written(len(page))
        if was_reached:
            return
        # The row of the bookmark has gone. Either it was deleted, or the numbers have begun anew.
        reach = keyset.reach()
        if reach is not None and not place.go_back(reach):
            raise CounterResetError(
                f"The highest {self._number} is {reach.number}, yet {bookmark} was read before."
            )

    def _keyset(self, company: str, where: str) -> Keyset:
        return Keyset(self._access.calls(company), self._number, self.tap.page_length, where)

    # by date -----------------------------------------------------------------------------------------------

    def _read_by_date(self, company: str, place: Place) -> Iterator[list[Row]]:
        """Read what bears a date since the bookmark, in the order of SysRevID, which is unique where dates are not."""
        since, after = self._lower(place), 0
        if place.reading and not self._is_whole:
            since, after = place.reading  # an earlier run was cut here
        keyset = self._keyset(company, self._all_of(since, self._upper()))
        for page in keyset.walk(after):
            yield self._access.rows(company, page)
            place.reading = (since, keyset.number(page[-1]))
            self.stream.page_written(len(page))
        place.reading = None
        place.advance(iso(self._until()))

    def _lower(self, place: Place) -> str:
        bookmark = None if self._is_whole else place.bookmark
        if not self._date_key or bookmark is None:
            return ""
        if isinstance(bookmark, int):
            return f"{self._date_key} ge {bookmark}"
        return f"{self._date_key} ge {literal(self._reaching_back(bookmark))}"

    def _upper(self) -> str:
        end = self.config.get("end_date")
        if not (end and self._date_key) or self._kind == "integer":
            return ""
        return f"{self._date_key} le {literal(moment_of(end))}"

    def _reaching_back(self, bookmark: str) -> dt.datetime:
        """A day before the bookmark and more: dates are days in the server's own zone."""
        return moment_of(bookmark) - dt.timedelta(seconds=self.config["lookback_seconds"]) - _DAY

    def _until(self) -> dt.datetime:
        """Up to when the present read holds everything."""
        end = self.config.get("end_date")
        return min(self.tap.started_at, moment_of(end)) if end else self.tap.started_at

    # at once -----------------------------------------------------------------------------------------------

    def _read_at_once(self, company: str, place: Place) -> Iterator[list[Row]]:
        """Read a set that has no number, or a BAQ, by skip; the bookmark moves when all is written."""
        source = self.source
        parameters: Params = {}
        lower = self._lower(place)
        if source.replication_parameter:
            parameters[source.replication_parameter] = self._parameter(
                None if self._is_whole else place.bookmark
            )
            lower = ""
        order = source.order or source.keys or tuple(c.source for c in self.stream.wanted if c.source)
        offset = Offset(
            self._access.calls(company, parameters),
            short(order),
            source.keys,
            self._all_of(lower, self._upper()),
            once=source.paging == "none",
        )
        rows = offset.read()
        yield self._access.rows(company, rows)
        if self.stream.is_full_table:
            return
        if self._kind != "integer":
            place.advance(iso(self._until()))
            return
        numbers = [int(row[self._date_key]) for row in rows if row.get(self._date_key) is not None]
        old = place.bookmark
        if numbers:
            place.advance(max(*numbers, old) if isinstance(old, int) else max(numbers))

    def _parameter(self, bookmark: Any) -> str | int:  # noqa: ANN401 - a number or a time
        """The bookmark as a value of a BAQ's parameter; the beginning of time before there is one."""
        if self._kind == "integer":
            return bookmark if isinstance(bookmark, int) else 0
        if isinstance(bookmark, str):
            return literal(self._reaching_back(bookmark))
        start = self.config.get("start_date")
        return literal(moment_of(start)) if start else _SINCE_EVER

    # what is due -------------------------------------------------------------------------------------------

    def _bounds(self) -> str:
        """The filter that belongs to the stream whatever the bookmark is."""
        start, end = self.config.get("start_date"), self.config.get("end_date")
        by_date = bool(self._date_key) and self._kind != "integer"
        day = self._date_key if by_date and not self.source.replication_parameter else self.source.dated
        parts = [self.source.where]
        if day and start:
            parts.append(f"{day} ge {literal(moment_of(start))}")
        if day and end and not by_date:
            parts.append(f"{day} le {literal(moment_of(end))}")
        return self._all(parts)

    def _all_of(self, *parts: str) -> str:
        return self._all([*parts, self._filter])

    def _all(self, parts: list[str]) -> str:
        parts = [part for part in parts if part]
        return " and ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)

    def _is_due(self) -> bool:
        """Whether it is time to read everything, so that rows that are gone show."""
        days = self.config["full_refresh_days"]
        if not days or self.source.appends or self.config.get("end_date"):
            return False
        now = dt.datetime.now(dt.UTC)
        state = self.stream.stream_state
        tried = state.get(_TRIED_AT)
        if tried and now - moment_of(tried) < _DAY:
            return False
        last = state.get(_WHOLE_AT)
        return last is None or now - moment_of(last) >= days * _DAY

    def _look_for_changes(self) -> bool:
        """Whether anything has changed in a table whose rows are made anew: newest number and count tell."""
        for company in self.tap.site.companies:
            try:
                self._extents[company] = list(self._keyset(company, self._filter).extent())
            except ApiError:  # reading it fails in the same way, and is told there
                return True
        return any(self._places.of(company).extent != extent for company, extent in self._extents.items())
