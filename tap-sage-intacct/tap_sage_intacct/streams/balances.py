"""Account balances by reporting period, which only `readByQuery` gives, and only period by period.

A posting changes the balances of its period and of all later ones. So a run asks first for the earliest journal
entry that has changed, and reads the periods from there on; when none has changed, that is its only call. The rows
bear no usable key, so one is made of everything that tells them apart. A period is always read whole, and a row of
`balance_periods` says so, by which a target can drop balances that are gone.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import re
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from tap_sage_intacct.errors import MovingRowsError, RefusedError
from tap_sage_intacct.paging import Part, iso, moment_of
from tap_sage_intacct.streams.columns import Column, columns_of
from tap_sage_intacct.streams.feed import Feed
from tap_sage_intacct.streams.rows import RowReader
from tap_sage_intacct.streams.shapes import Shape, within
from tap_sage_intacct.streams.sources import Selection
from tap_sage_intacct.streams.stream import IntacctStream
from tap_sage_intacct.walks import UniqueWalk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sage_intacct.discovery import Described
    from tap_sage_intacct.envelope import Node
    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.tap import TapSageIntacct

NAME: Final = "account_balances"
PERIODS: Final = "balance_periods"
BALANCES: Final = "GLACCOUNTBALANCE"
REPORTING: Final = "REPORTINGPERIOD"
_BATCHES: Final = "GLBATCH"
_KEY: Final = "balance_key"
_READ_UNTIL: Final = "journals_read_until"
_IDENTITY: Final = re.compile(
    r"^(BOOKID|CURRENCY|PERIOD|ACCOUNTNO|DEPARTMENTID|LOCATIONID|LOCATIONNO|\w*DIMKEY|GLDIM\w*)$"
)
_STANDS: Final = ("OPENBAL", "FORBAL", "ENDBAL")
"""How an account stands at one moment, which must not be added up over periods."""
_MOST_ROWS: Final = 1000
"""Largest page of `readByQuery` (vendor's query page)."""
_ATTEMPTS: Final = 3


class BalancesFeed(Feed):
    """Reads the balances of the periods that may have changed."""

    is_partial = True

    def __init__(self, tap: TapSageIntacct, described: Mapping[str, Described]) -> None:
        super().__init__(tap)
        self._described = described
        self._columns = [
            dataclasses.replace(column, hints={**column.hints, "not_over": ["period"]})
            if column.field in _STANDS
            else column
            for column in columns_of(described[BALANCES].fields.values())
        ]
        # RECORDNO is no usable key here (peers had to repair it), so it is not offered as one.
        key = Column(
            _KEY, "string", description="Made of book, currency, period, account and all dimensions."
        )
        periods = [
            Column(
                "period", "string", "NAME", "NAME", "Reporting period whose balances were read as a whole."
            ),
            *(
                Column(name, "date", field, field)
                for name, field in (("start_date", "START_DATE"), ("end_date", "END_DATE"))
                if field in described[REPORTING].fields
            ),
        ]
        self.streams = [
            IntacctStream(tap, PERIODS, periods, ("period",), self),
            IntacctStream(tap, NAME, [key, *self._columns], (_KEY,), self, automatic=("period",)),
        ]

    # what the SDK calls ------------------------------------------------------------------------------------

    @override
    def rows_of(self, stream: IntacctStream, entity: str, limit: int) -> Iterator[Row]:
        for period in self._periods(entity):
            rows = (
                [self._period_row(period, entity)]
                if stream.name == PERIODS
                else self._balances(period, entity)
            )
            wanted = [column.name for column in stream.wanted]
            for row in rows:
                yield {name: row[name] for name in wanted}

    @override
    def read(self, streams: Sequence[IntacctStream], entity: str) -> None:
        hi = self.tap.bound()
        changed = self._first_change(streams, entity, hi)
        due = (
            []
            if changed is None
            else [period for period in self._periods(entity) if (self._end_of(period) or changed) >= changed]
        )
        for period in due:
            self._write(streams, period, entity)
        for stream in streams:
            kept = stream.kept(entity)
            kept[_READ_UNTIL] = iso(hi)
            if changed == self._first_day() or "full_read_at" not in kept:
                kept["full_read_at"] = iso(hi)
        self.progress = True
        streams[0].write_state()

    def _write(self, streams: Sequence[IntacctStream], period: Row, entity: str) -> None:
        for stream in streams:
            wanted = [column.name for column in stream.wanted]
            rows = (
                [self._period_row(period, entity)]
                if stream.name == PERIODS
                else self._balances(period, entity)
            )
            self.put(stream, [{name: row[name] for name in wanted} for row in rows])

    # which periods -----------------------------------------------------------------------------------------

    def _first_day(self) -> dt.date:
        """The earliest day whose balances are wanted."""
        given = self.tap.config.get("start_date")
        return moment_of(given).date() if given else dt.date.min

    def _first_change(self, streams: Sequence[IntacctStream], entity: str, hi: dt.datetime) -> dt.date | None:
        """The earliest day on which balances may have changed; None when nothing has.

        An entry that moves to a later period does not tell which one it has left: `full_refresh_days` finds that.
        """
        kept = [stream.kept(entity).get(_READ_UNTIL) for stream in streams]
        first = self._first_day()
        described = self._described.get(_BATCHES)
        is_due = any(self.is_refresh_due(stream, entity) for stream in streams)
        if is_due or not all(kept) or described is None or described.forbidden:
            return first
        since = min(moment_of(str(value)) for value in kept)
        deleted = (
            self.tap.deletions.since(_BATCHES, entity, since) if self.tap.config["track_deletions"] else None
        )
        if deleted is None or any(when >= iso(since - self.tap.lookback) for when in deleted.values()):
            return first  # nobody knows the date of a journal entry that is gone
        shape = Shape.of(_BATCHES, described)
        if not shape.cursor or "BATCH_DATE" not in described.fields:
            return first
        source = Selection(self.tap, _BATCHES, [], entity, needs=shape.needed("BATCH_DATE")).as_rows()
        conditions = within(self.tap, shape, Part(since - self.tap.lookback, hi))
        rows = source.fetch(conditions, ("BATCH_DATE",), 0, 1, True).rows  # noqa: FBT003
        if not rows:
            return None
        day = rows[0]["batch_date"]
        return max(first, dt.date.fromisoformat(day)) if day else first

    def _periods(self, entity: str) -> list[Row]:
        """The reporting periods that have balances: those that may be budgeted and have begun, oldest first."""
        shape = Shape.of(REPORTING, self._described[REPORTING])
        names = [f for f in ("NAME", "BUDGETING", "START_DATE", "END_DATE") if f in shape.described.fields]
        source = Selection(self.tap, REPORTING, [], entity, needs=shape.needed(*names)).as_rows()
        walk = UniqueWalk(shape.keys[0], shape.names[0])
        rows = [row for rows in source.pages().walk([], walk) for row in rows]
        today = self.tap.now.date().isoformat()
        given = self.tap.config.get("start_date")
        first = moment_of(given).date().isoformat() if given else ""
        found = [
            row
            for row in rows
            if row["name"]
            and row.get("budgeting") in {None, True, "T", "true"}
            and (row.get("start_date") or "") <= today
            and (row.get("end_date") or today) >= first
        ]
        return sorted(found, key=lambda row: (row.get("start_date") or "", row["name"]))

    def _end_of(self, period: Row) -> dt.date | None:
        end = period.get("end_date")
        return dt.date.fromisoformat(end) if end else None

    # rows --------------------------------------------------------------------------------------------------

    def _period_row(self, period: Row, entity: str) -> Row:
        return {
            **self.tap.origin(entity),
            "period": period["name"],
            "start_date": period.get("start_date"),
            "end_date": period.get("end_date"),
        }

    def _balances(self, period: Row, entity: str) -> list[Row]:
        """All balances of a period, with their key.

        Raises:
            MovingRowsError: The cursor was lost at every attempt.
        """
        for _ in range(_ATTEMPTS):
            try:
                rows = self._read(period["name"], entity)
                break
            except _CursorLostError as error:
                self.tap.logger.info("%s: reading %s again. %s", NAME, period["name"], error)
        else:
            raise MovingRowsError(f"{BALANCES}: the cursor was lost {_ATTEMPTS} times in a row.")
        for row in rows:
            parts = [str(row[column.name] or "") for column in self._columns if _IDENTITY.match(column.field)]
            row[_KEY] = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
        return rows

    def _read(self, period: str, entity: str) -> list[Row]:
        read = RowReader(BALANCES, self._columns, self.tap.origin(entity), self.tap.converters)
        fields = ",".join(column.field for column in self._columns)
        size = str(min(self.tap.config["page_size"], _MOST_ROWS))
        content: list[Node] = [
            ("object", BALANCES),
            ("fields", fields),
            ("query", self._where(period)),
            ("pagesize", size),
        ]
        reply = self.tap.client.call(("readByQuery", content), BALANCES, read, entity)
        rows = list(reply.rows)
        while reply.remaining:
            more: Node = ("readMore", [("resultId", reply.result_id)])
            try:
                reply = self.tap.client.call(more, BALANCES, read, entity)
            except RefusedError as error:
                raise _CursorLostError(str(error)) from None
            if not reply.rows:
                raise _CursorLostError(f"{BALANCES}: rows were promised and did not come.")
            rows += reply.rows
        return rows

    def _where(self, period: str) -> str:
        condition = f"PERIOD = {_quoted(period)}"
        books = self.tap.config["book_ids"]
        if len(books) == 1:
            return f"{condition} AND BOOKID = {_quoted(books[0])}"
        return f"{condition} AND BOOKID in ({','.join(map(_quoted, books))})" if books else condition


class _CursorLostError(RefusedError):
    """The gateway no longer knows where a list was left."""


def _quoted(text: str) -> str:
    """A text for the query language of `readByQuery`; quotes are escaped by a backslash (vendor's query page)."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
