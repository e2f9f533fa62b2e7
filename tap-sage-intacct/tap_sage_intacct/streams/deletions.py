"""What was deleted, from the audit trail.

Objects whose purchasing document is edited are deleted and made anew under another RECORDNO, so a dashboard that
does not hear of deletions counts them twice. Lines are not audited; they go with their document.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from tap_sage_intacct.errors import ForbiddenError, RefusedError
from tap_sage_intacct.paging import iso, moment_of, one_of, where
from tap_sage_intacct.streams.columns import Column, columns_of
from tap_sage_intacct.streams.feed import Feed
from tap_sage_intacct.streams.sources import Selection
from tap_sage_intacct.streams.stream import IntacctStream
from tap_sage_intacct.walks import GroupWalk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sage_intacct.discovery import Described
    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.streams.rows import RowList
    from tap_sage_intacct.streams.sources import Source
    from tap_sage_intacct.tap import TapSageIntacct

AUDIT: Final = "AUDITHISTORY"
NAME: Final = "deleted_records"
_NEEDED: Final = ("ID", "OBJECTTYPE", "OBJECTKEY", "ACCESSTIME")
_DELETED: Final = "D"
"""Letter of ACCESSMODE in `query`; in `readByQuery` it would be a word (vendor's page on audit trails)."""
_BEGINNING: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_RECORD_KEY: Final = re.compile(r"([1-9]\d*)(?:--REC)?")
_DELETIONS_READ: Final = "deletions_read_until"


def record_number(key: str | None) -> str | None:
    """The RECORDNO in an audit key, `12` or `12--REC`; None where the key is something else."""
    found = _RECORD_KEY.fullmatch(key or "")
    return found[1] if found else None


@dataclasses.dataclass
class _Held:
    """What was read for one entity, and since when."""

    since: dt.datetime
    rows: list[Row]


class Deletions:
    """Reads deletions once for all streams."""

    def __init__(self, tap: TapSageIntacct, described: Described | None, objects: Sequence[str]) -> None:
        self._tap = tap
        self._described = described
        self._objects = sorted({name.lower() for name in objects})
        self._held: dict[str, _Held] = {}
        self._is_closed = described is None or bool(described.forbidden)
        self._warned = False
        self._unknown: set[str] = set()

    def since(self, name: str, entity: str, moment: dt.datetime) -> dict[str, str] | None:
        """RECORDNO and time of what was deleted of an object.

        Args:
            name: The object.
            entity: Where to be signed in.
            moment: Up to when deletions were read before.

        Returns:
            None when the audit trail may not be read; then nothing counts as read.
        """
        rows = self.rows(entity, moment)
        if rows is None:
            return None
        gone: dict[str, str] = {}
        for row in rows:
            if str(row["objecttype"] or "").lower() != name.lower():
                continue
            number = record_number(row["objectkey"])
            if number is not None:
                gone[number] = row["accesstime"]
            elif name not in self._unknown:
                self._unknown.add(name)
                self._tap.logger.warning(
                    "%s: the audit trail names a deleted record by %r, which is no RECORDNO; it stays until a full "
                    "refresh, and is told in %s only",
                    name,
                    row["objectkey"],
                    NAME,
                )
        return gone

    def rows(self, entity: str, moment: dt.datetime) -> list[Row] | None:
        """The audit trail of deletions since a moment, less the lookback."""
        if self._is_closed:
            self._warn("the object is not readable")
            return None
        since = min(moment, self._earliest(entity)) - self._tap.deletions_lookback - self._tap.doubt
        held = self._held.get(entity)
        if held is None or held.since > since:
            try:
                held = self._held[entity] = _Held(since, self._read(entity, since))
            except ForbiddenError as error:
                self._is_closed = True
                self._warn(str(error))
                return None
        lowest = iso(moment - self._tap.deletions_lookback - self._tap.doubt)
        return [row for row in held.rows if (row["accesstime"] or "") >= lowest]

    def _earliest(self, entity: str) -> dt.datetime:
        """Since when any selected stream needs deletions, so that one reading does for all."""
        kept = [stream.kept(entity).get(_DELETIONS_READ) for stream in self._tap.chosen.values()]
        return min((moment_of(value) for value in kept if value), default=self._tap.now)

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            self._tap.logger.warning(
                "The audit trail may not be read, so deleted records stay: give the user View on custom reports "
                "(Platform Services). Deletions are read from where they were left as soon as that is done. %s",
                reason,
            )

    def _read(self, entity: str, since: dt.datetime) -> list[Row]:
        source = self.source(entity, self.columns())
        clock = self._tap.clock
        walk = GroupWalk("ACCESSTIME", "accesstime", "ID", ("id",), clock.literal_of)
        after = where("greaterthanorequalto", "ACCESSTIME", clock.literal(since))
        mode = where("equalto", "ACCESSMODE", _DELETED)

        def read(objects: Sequence[str]) -> list[Row]:
            pages = source.pages().walk([one_of("OBJECTTYPE", objects), mode, after], walk)
            return [row for rows in pages for row in rows]

        try:
            return read(self._objects)
        except RefusedError as error:
            self._tap.logger.info("The audit trail is asked for one object after the other. %s", error)
        found: list[Row] = []
        for name in self._objects:
            walk = GroupWalk("ACCESSTIME", "accesstime", "ID", ("id",), clock.literal_of)
            found += read([name])
        return found

    def columns(self) -> list[Column]:
        """The columns of the audit trail."""
        return columns_of(self._described.fields.values()) if self._described else []

    def source(self, entity: str, columns: Sequence[Column]) -> Source[RowList]:
        """What reads the audit trail."""
        needed = [column for column in self.columns() if column.field in _NEEDED]
        chosen = self._tap.chosen.get(NAME)
        wanted = [c for c in columns if chosen is not None and c in chosen.wanted]
        return Selection(self._tap, AUDIT, wanted, entity, needs=needed).as_rows()


class DeletedRecordsFeed(Feed):
    """The audit trail of deletions as a stream of its own, with what the streams themselves cannot show."""

    def __init__(self, tap: TapSageIntacct, deletions: Deletions) -> None:
        super().__init__(tap)
        self._deletions = deletions
        columns = [
            *deletions.columns(),
            Column(
                "record_key",
                "string",
                description="RECORDNO of the deleted record, where the trail tells it.",
            ),
        ]
        self.streams = [IntacctStream(tap, NAME, columns, ("id",), self, "accesstime")]

    @override
    def read(self, streams: Sequence[IntacctStream], entity: str) -> None:
        (stream,) = streams
        rows = self._deletions.rows(entity, self._since(stream, entity))
        if rows is None:
            raise ForbiddenError("AUDITHISTORY: the user may not read the audit trail.")
        self.put(stream, list(self._made(stream, entity, rows)))
        stream.advance(entity, self.tap.bound())
        self.progress = True
        stream.write_state()

    @override
    def rows_of(self, stream: IntacctStream, entity: str, limit: int) -> Iterator[Row]:
        rows = self._deletions.rows(entity, self._since(stream, entity)) or []
        yield from self._made(stream, entity, rows[:limit])

    def _since(self, stream: IntacctStream, entity: str) -> dt.datetime:
        given = self.tap.config.get("start_date")
        first = moment_of(given) if given else _BEGINNING
        return stream.bookmark(entity) or first

    def _made(self, stream: IntacctStream, entity: str, rows: Sequence[Row]) -> Iterator[Row]:
        wanted = [column.name for column in stream.wanted]
        origin = self.tap.origin(entity)
        for row in rows:
            full = {**row, **origin, "record_key": record_number(row["objectkey"])}
            yield {name: full.get(name) for name in wanted}
