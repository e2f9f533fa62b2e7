"""The three ways in which changes are found: by row version, by time of change, and not at all."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_exact_online.errors import ApiError, RefusedError
from tap_exact_online.paging import SINCE_EVER, iso, literal, moment_of, rows_in
from tap_exact_online.records import page_decoder
from tap_exact_online.streams.feed import Feed
from tap_exact_online.streams.names import mark_of_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_exact_online.discovery import Division
    from tap_exact_online.paging import Row
    from tap_exact_online.records import Decode
    from tap_exact_online.streams.stream import ExactStream

_FIRST: Final = 1
_GAP: Final = dt.timedelta(days=55)
FIRST_READ: Final = "first_read_at"
"""In the state of a place: when the run began that read it first, or from its beginning again."""
_SYNC_TIMESTAMP: Final = "read/sync/Sync/SyncTimestamp"


class SyncFeed(Feed):
    """Reads a sync endpoint by row version.

    Row versions grow with every change and know no time. A transaction that was long open may show a row late,
    with a version below those already read. So the bookmark is not the highest version seen, but the highest of
    the rows whose last change lies further back than `lookback_seconds`: all that was changed since is read again.
    """

    cursor = "Timestamp"

    @override
    def options(self) -> dict[str, str]:
        return {"$filter": f"Timestamp gt {_FIRST}L"}

    @override
    def decoder(self, select: str) -> Decode:
        return page_decoder(tuple(select.split(",")))

    @override
    def _always(self) -> tuple[str, ...]:
        return (*super()._always(), "Modified")

    @override
    def read(self, division: Division, streams: Sequence[ExactStream]) -> None:
        stream = streams[0]
        place = stream.place(division.code)
        start, keep = self._start(division, stream, place)
        place.setdefault(FIRST_READ, iso(self.tap.began))
        cutoff = self.tap.wall_ms(self.tap.began - self.tap.lookback)
        seen = self.tap.seen(stream.name, division.code)
        is_first = start <= _FIRST
        floor = high = start
        is_ordered = True
        options = {"$filter": f"Timestamp gt {start}L"}
        for page in self.pages(division, streams, options):
            records = page if keep is None else [r for r in page if _changed(r) >= keep]
            self.write(division, streams, records)
            versions = [int(record["Timestamp"]) for record in page]
            is_late = [_changed(record) > cutoff for record in page]
            reached = [high, *versions]
            is_ordered = is_ordered and reached == sorted(reached)
            high = max(reached)
            floor = max([floor, *(v for v, late in zip(versions, is_late, strict=True) if not late)])
            for record, version, late in zip(page, versions, is_late, strict=True):
                if late or not is_first:  # else too many to remember; what was deleted before is not told
                    seen[record["ID"]] = version
            if self.tap.config["enrich"]:
                since = "" if is_first else str(start)
                self.tap.names(division.code).learn(self.entity.endpoint, since, page, str(high))
            if is_ordered and floor > start:
                _mark(place, self.cursor, floor, division.stamp)
                self.write_state_at_times()
        _mark(place, self.cursor, max(floor, _FIRST), division.stamp)

    def _start(
        self, division: Division, stream: ExactStream, place: dict[str, Any]
    ) -> tuple[int, int | None]:
        """The row version to start behind, and the time of change below which rows are left out."""
        value = place.get("replication_key_value")
        if stream.is_full_table or place.get("replication_key") != self.cursor.lower():
            value = None
        if value is not None and place.get("division_stamp", division.stamp) != division.stamp:
            self.tap.logger.warning(
                "%s of division %d: Exact Online has moved the division and numbered its rows anew; reading all of it",
                stream.name,
                division.code,
            )
            value = None
        told = place.get("deletions_read_at")
        if value is not None and told and self.tap.began - moment_of(told) > _GAP:
            self.tap.logger.warning(
                "%s of division %d: the last run is more than 55 days ago, and Exact Online forgets deletions after "
                "two months; reading all of it. Rows that were deleted meanwhile stay: run a full refresh",
                stream.name,
                division.code,
            )
            value = None
            # It is a first load again: where it takes several runs, each goes on where the one before ended.
            for name in ("replication_key_value", "deletions_read_at", FIRST_READ):
                place.pop(name, None)
        if value is not None:
            return int(value), None
        since = self.start_date()
        if since is None:
            return _FIRST, None
        return self._version_at(division, since)

    def _version_at(self, division: Division, since: dt.datetime) -> tuple[int, int | None]:
        """The row version of a time; where the API does not tell, all is read and the old rows are left out."""
        name = self.entity.endpoint.rpartition("/")[2]
        params = {"modified": literal(since, self.tap.zone), "endPoint": f"'{name}'"}
        try:
            rows, _ = rows_in(
                self.tap.client.get(
                    self.tap.client.url(division.code, _SYNC_TIMESTAMP, params),
                    division.code,
                    _SYNC_TIMESTAMP,
                )
            )
            if rows and rows[0].get("TimeStampAsBigInt") is not None:
                return max(int(rows[0]["TimeStampAsBigInt"]) - 1, _FIRST), None
        except ApiError as error:
            self.tap.logger.info(
                "%s: no row version for start_date, reading all of it. %s", self.entity.stream, error
            )
        return _FIRST, self.tap.wall_ms(since)


class ModifiedFeed(Feed):
    """Reads documents by the time of their last change, with all their lines, up to the beginning of the run.

    A document that changes while it is read leaves the window and comes with the next run. Servers repeat an hour
    in October, so the lookback has to be longer than that.
    """

    cursor = "Modified"

    @override
    def options(self) -> dict[str, str]:
        return {"$filter": f"Modified ge {SINCE_EVER}", "$orderby": "Modified"}

    @override
    def read(self, division: Division, streams: Sequence[ExactStream]) -> None:
        until = self.tap.bound
        starts = [self._start(stream, stream.place(division.code)) for stream in streams]
        known = [start for start in starts if start is not None]
        since = min(known) if len(known) == len(starts) else None
        if since is not None and since > until:
            return
        lower = SINCE_EVER if since is None else literal(since, self.tap.zone)
        window = f"Modified ge {lower} and Modified le {literal(until, self.tap.zone)}"
        try:
            self._walk(division, streams, {"$filter": window, "$orderby": "Modified"}, lower)
        except RefusedError as error:
            if "order" not in str(error).partition(": 400")[2].lower():
                raise
            self.tap.logger.info("%s: no order by time of change; %s", self.entity.stream, error)
            self._walk(division, streams, {"$filter": window}, lower)
        for stream in streams:
            _mark(stream.place(division.code), self.cursor, iso(until))

    def _walk(
        self, division: Division, streams: Sequence[ExactStream], options: dict[str, str], lower: str
    ) -> None:
        last = None
        for page in self.pages(division, streams, options):
            self.write(division, streams, page)
            if self.tap.config["enrich"] and page:
                mark = max(mark_of_time(record.get("Modified")) for record in page)
                since = "" if lower == SINCE_EVER else lower
                if last is None or mark >= last:
                    last = mark
                self.tap.names(division.code).learn(self.entity.endpoint, since, page, last)
            if "$orderby" in options and page and page[-1].get("Modified"):
                reached = iso(self.tap.utc_of(page[-1]["Modified"]))
                for stream in streams:
                    _mark(stream.place(division.code), self.cursor, reached, forward=True)
                self.write_state_at_times()

    def _start(self, stream: ExactStream, place: dict[str, Any]) -> dt.datetime | None:
        floor = self.start_date()
        value = place.get("replication_key_value")
        if stream.is_full_table or place.get("replication_key") != self.cursor.lower() or value is None:
            return floor
        since = moment_of(value) - self.tap.lookback
        return since if floor is None else max(since, floor)


class FullFeed(Feed):
    """Reads a list whole: it knows no time of change, or it is a picture of the moment."""

    @override
    def options(self) -> dict[str, str]:
        if not self.entity.years:
            return {}
        first = self.tap.began.astimezone(self.tap.zone).year - self.tap.config["reporting_years"] + 1
        return {"$filter": f"{self.entity.years} ge {first}"}

    @override
    def read(self, division: Division, streams: Sequence[ExactStream]) -> None:
        for page in self.pages(division, streams, self.options()):
            self.write(division, streams, page)


class DivisionsFeed(FullFeed):
    """The divisions, which were read anyway when the run began."""

    @override
    def read(self, division: Division, streams: Sequence[ExactStream]) -> None:
        if division == self.tap.company.divisions[0]:
            self.write(division, streams, self.tap.company.rows)


def _changed(record: Row) -> int:
    """When a row was last changed, on the servers' wall clock; rows that do not tell count as old."""
    value = record.get("Modified")
    return int(value[6:-2]) if value else 0


def _mark(
    place: dict[str, Any], cursor: str, value: int | str, stamp: str | None = None, *, forward: bool = False
) -> None:
    old = place.get("replication_key_value")
    if forward and isinstance(old, str) and isinstance(value, str) and old >= value:
        return
    place["replication_key"] = cursor.lower()
    place["replication_key_value"] = value
    if stamp is not None:
        place["division_stamp"] = stamp
