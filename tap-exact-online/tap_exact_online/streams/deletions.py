"""What was deleted: one list per division, read behind all streams that it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_exact_online.paging import iso, moment_of
from tap_exact_online.streams.columns import DELETED_AT, DIVISION
from tap_exact_online.streams.reading import FIRST_READ, SyncFeed
from tap_exact_online.streams.stream import ExactStream, Outcome

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from tap_exact_online.discovery import Division
    from tap_exact_online.paging import Row
    from tap_exact_online.streams.feed import Feed

ENDPOINT: Final = "sync/Deleted"
_FIRST: Final = 1


class DeletedFeed(SyncFeed):
    """Reads the list of deletions for the stream `deleted`, and tells the streams of the rows that are gone.

    Exact Online keeps deletions for two months. Deletions from before a stream was first read do not concern it.
    """

    feeds: Sequence[Feed] = ()

    def concerned(self, division: Division) -> dict[int, ExactStream]:
        """The streams that want to know, by their number in the list; only those that were read to their end."""
        if not self.tap.config["emit_deletes"]:
            return {}
        return {
            feed.entity.deleted_as: feed.streams[0]
            for feed in self.feeds
            if feed.entity.deleted_as
            and feed.streams[0].selected
            and feed.outcomes.get(division.code) is Outcome.DONE
        }

    @property
    @override
    def is_wanted(self) -> bool:
        return bool(self.selected) or (
            self.tap.config["emit_deletes"]
            and any(feed.entity.deleted_as and feed.selected for feed in self.feeds)
        )

    @override
    def read_at_of(self, division: Division) -> str:
        return "9"  # behind all others

    @override
    def run(self, division: Division) -> None:
        if self.selected or self.concerned(division):
            super().run(division)

    @override
    def _always(self) -> tuple[str, ...]:
        return ("Timestamp", "EntityKey", "EntityType", "DeletedDate")

    @override
    def read(self, division: Division, streams: Sequence[ExactStream]) -> None:
        concerned = self.concerned(division)
        places = [stream.place(division.code) for stream in concerned.values()]
        starts = [int(place.get("deletions", _FIRST)) for place in places]
        own = streams[0].place(division.code) if streams else None
        if own is not None:
            starts.append(int(own.get("replication_key_value") or _FIRST))
        cutoff = self.tap.began - self.tap.lookback
        floor = start = min(starts)
        for page in self.pages(division, streams, {"$filter": f"Timestamp gt {start}L"}):
            if streams:
                self.write(division, streams, page)
            self._tell(division, concerned, page)
            old = [int(r["Timestamp"]) for r in page if self.tap.utc_of(r["DeletedDate"]) <= cutoff]
            floor = max([floor, *old])
        for place in places:
            place["deletions"] = floor
            place["deletions_read_at"] = iso(self.tap.began)
        if own is not None:
            own["replication_key"] = self.cursor.lower()
            own["replication_key_value"] = floor

    def _tell(self, division: Division, concerned: dict[int, ExactStream], page: Sequence[Row]) -> None:
        gone: dict[str, list[Row]] = {}
        for record in page:
            stream = concerned.get(int(record["EntityType"]))
            if stream is None:
                continue
            when = self.tap.utc_of(record["DeletedDate"])
            if self._is_news(division, stream, record, when):
                row: dict[str, Any] = dict.fromkeys(column.name for column in stream.wanted)
                row |= {DIVISION: division.code, "id": record["EntityKey"], DELETED_AT: iso(when)}
                gone.setdefault(stream.name, []).append(row)
        for stream in concerned.values():
            if rows := gone.get(stream.name):
                stream.write(rows)

    def _is_news(self, division: Division, stream: ExactStream, record: Row, when: dt.datetime) -> bool:
        """Whether the row may be at the target and is not there again."""
        version = int(record["Timestamp"])
        place = stream.place(division.code)
        # A first load may take several runs; what was deleted since it began may be at the target.
        if "deletions" not in place and when < moment_of(place[FIRST_READ]) - self.tap.lookback:
            return False
        return self.tap.seen(stream.name, division.code).get(record["EntityKey"], 0) <= version
