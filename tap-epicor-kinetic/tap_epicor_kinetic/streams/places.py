"""Where a stream stands in each company, as the state keeps it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from tap_epicor_kinetic.streams.columns import COMPANY, SYS_ROW_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_epicor_kinetic.paging import Reach
    from tap_epicor_kinetic.streams.columns import Row
    from tap_epicor_kinetic.streams.stream import EpicorStream

_REMEMBERED: Final = 5
_KEY: Final = "replication_key"
_VALUE: Final = "replication_key_value"
_NEWEST: Final = "newest"
_FILTER: Final = "filter"
_READING: Final = "reading"
_EXTENT: Final = "extent"
_DELETIONS: Final = "deletions_read_until"


class Place:
    """Where one stream stands in one company.

    Attributes:
        seen: Number and identity of the rows with the highest numbers that were read, highest first.
    """

    def __init__(self, stream: EpicorStream, company: str, where: str) -> None:
        self._stream = stream
        self._where = where
        self._state: dict[str, Any] = stream.get_context_state({COMPANY: company})
        self._forget_if_other(company)
        self.seen: list[list[Any]] = list(self._state.get(_NEWEST) or [])

    def _forget_if_other(self, company: str) -> None:
        """Take away a bookmark that was reached by another column or through another filter."""
        state = self._state
        if _FILTER in state and state[_FILTER] != self._where:
            self._stream.epicor.logger.warning(
                "%s (%s): the filter or the dates have changed; everything that they let through is read",
                self._stream.name,
                company,
            )
        if state.get(_KEY) != self._stream.replication_key or state.get(_FILTER) != self._where:
            for name in (_KEY, _VALUE, _NEWEST, _FILTER, _READING, _EXTENT):
                state.pop(name, None)

    @property
    def bookmark(self) -> int | str | None:
        """Up to where the company was read: a number, or a time in ISO form."""
        return None if self._stream.is_full_table else self._state.get(_VALUE)

    def advance(self, value: int | str) -> None:
        """Move the bookmark."""
        if not self._stream.is_full_table:
            self._state[_VALUE] = value
            self._mark()

    def advance_to_newest(self) -> None:
        """Move the bookmark to the newest row that was seen."""
        if self.seen and not self._stream.is_full_table:
            self._state[_NEWEST] = self.seen
            self.advance(int(self.seen[0][0]))

    def see(self, page: Sequence[Row], column: str) -> None:
        """Remember the newest rows of a page, which comes behind those seen so far."""
        last = [[int(row[column]), row_id(row)] for row in page[: -_REMEMBERED - 1 : -1]]
        before = (pair for pair in self.seen if pair[0] < last[-1][0])
        self.seen = [*last, *before][:_REMEMBERED]

    def holds_another(self, page: Sequence[Row], column: str) -> bool:
        """Whether the number of the bookmark belongs to another row than it did."""
        if not self.seen or not self.seen[0][1]:
            return False
        number, identity = self.seen[0]
        return any(int(row[column]) == number and row_id(row) != identity for row in page)

    def go_back(self, reach: Reach) -> bool:
        """Put the bookmark back to the newest row there is, if that has been seen; else say so."""
        pair = [reach.number, reach.row_id]
        if pair not in self.seen:
            return False
        self.seen = self.seen[self.seen.index(pair) :]
        self.advance_to_newest()
        return True

    @property
    def reading(self) -> tuple[str, int] | None:
        """The filter of a read under way and the last number of it that was written."""
        kept = self._state.get(_READING)
        return (str(kept[0]), int(kept[1])) if kept else None

    @reading.setter
    def reading(self, under_way: tuple[str, int] | None) -> None:
        if under_way is None:
            self._state.pop(_READING, None)
        else:
            self._state[_READING] = list(under_way)
            self._mark()

    @property
    def extent(self) -> list[int] | None:
        """Newest number and count of rows when the table was last read whole."""
        return self._state.get(_EXTENT)

    @extent.setter
    def extent(self, extent: list[int]) -> None:
        self._state[_EXTENT] = extent
        self._mark()

    @property
    def deletions_read(self) -> int | None:
        """Up to which entry the log of deletions was read."""
        return self._state.get(_DELETIONS)

    @deletions_read.setter
    def deletions_read(self, number: int) -> None:
        self._state[_DELETIONS] = number

    def _mark(self) -> None:
        self._state[_KEY] = self._stream.replication_key
        self._state[_FILTER] = self._where


class Places:
    """Where one stream stands in all companies.

    Args:
        stream: The stream.
        where: The filter through which it is read.
    """

    def __init__(self, stream: EpicorStream, where: str) -> None:
        self._stream = stream
        self._where = where
        self._places: dict[str, Place] = {}

    def of(self, company: str) -> Place:
        """Where it stands in one company."""
        if company not in self._places:
            self._places[company] = Place(self._stream, company, self._where)
        return self._places[company]


def row_id(row: Row) -> str:
    """The identity of a row; empty where it has none."""
    return str(row.get(SYS_ROW_ID) or "")


def literal(moment: dt.datetime) -> str:
    """A time as filters want it: UTC, whole seconds, Z. Fractions and offsets are answered with 500."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(value: str) -> dt.datetime:
    """Read a time of the state or the settings; without a zone it is UTC."""
    moment = dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
