"""How a list that moves is read to its end without missing a row.

Contract REST knows `$top` and `$skip` but no order, no count and no cursor. Paging a window that is open at the
end loses rows: a record edited between two pages jumps out of its place and pulls every later row one place
forward. So a run reads windows of modification time that were closed before it began. A record that is edited
meanwhile leaves its closed window, which the next page shows, because each page begins with the last row of the
page before. Then the window is read again; the record itself is read by the next run.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from tap_acumatica.errors import MovingRowsError, ServerTroubleError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

T = TypeVar("T")
S = TypeVar("S")
Row = dict[str, Any]
Record = Any
"""A row as the answer was decoded: a `Row`, or a struct made for the list, see `tap_acumatica.streams.shapes`."""

_ATTEMPTS: Final = 3
_SMALLEST_PAGE: Final = 10
_FEW_ROWS: Final = 2_500
_MANY_ROWS: Final = 10_000
_TOO_MANY_ROWS: Final = 20_000
"""Rows of a slice, lines included. Those of one slice are held at once: some 2 kB each."""
_SHORTEST: Final = dt.timedelta(minutes=1)
_LONGEST: Final = dt.timedelta(days=3650)
_YEAR: Final = dt.timedelta(days=365)
_YEARS_BACK: Final = (1, 2, 4, 8, 16, 32)

_LOG: Final = logging.getLogger("tap-acumatica")


@dataclasses.dataclass(frozen=True)
class Window:
    """A span of modification time, both ends included; no `lo` means since ever. Times are aware, in UTC."""

    lo: dt.datetime | None
    hi: dt.datetime

    def holds(self, moment: str | None) -> bool:
        """Whether a time in this tap's ISO form lies in the window. Rows without a stamp lie in none."""
        if moment is None:
            return False
        return (self.lo is None or iso(self.lo) <= moment) and moment <= iso(self.hi)


def iso(moment: dt.datetime) -> str:
    """The one form in which times are emitted and kept: UTC with microseconds, so that text order is time order."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _one(_: object) -> int:
    return 1


class Pages(Generic[T]):
    """Reads one list page by page, checking that its rows stand still.

    Args:
        fetch: Gives `top` rows after the first `skip` of a window.
        key: The identity of a row.
        take: Makes of a row what is kept of it; None drops it.
        size: Rows per page; halved for good when the server cannot deliver so many at a time.
        rows: How many rows what is kept of one stands for.
    """

    def __init__(
        self,
        fetch: Callable[[Window | None, int, int], Sequence[Record]],
        key: Callable[[Record], Hashable],
        take: Callable[[Record], T | None],
        size: int,
        rows: Callable[[T], int] = _one,
    ) -> None:
        self._fetch = fetch
        self._key = key
        self._take = take
        self.size = max(size, 2)
        self.rows = rows

    def taking(self, take: Callable[[Record], S | None]) -> Pages[S]:
        """The same list, of which something else is kept."""
        return Pages(self._fetch, self._key, take, self.size)

    def read(self, window: Window | None, head: Sequence[Record] | None = None) -> list[T]:
        """Everything in a window, or everything there is.

        Args:
            window: What to read; None for all.
            head: Its first page, where that has just been read.

        Raises:
            MovingRowsError: Rows kept moving, or there are too many to hold; a shorter window may do.
            ApiError: The server does not give the rows.
        """
        for _ in range(_ATTEMPTS):
            taken = self._pass(window, head)
            head = None
            if taken is not None:
                return taken
            _LOG.info("Records changed while they were read; reading this part again")
        raise MovingRowsError(f"Records kept changing while they were read, {_ATTEMPTS} times in a row.")

    def first(self, window: Window | None, top: int) -> Sequence[Record]:
        """The first rows of a window, as they come."""
        return self._fetch(window, 0, top)

    def head(self, window: Window | None) -> tuple[Sequence[Record], bool]:
        """The first page of a window, and whether it is so long that more may follow."""
        size, page = self._page(window, 0)
        return page, len(page) >= size

    def _pass(self, window: Window | None, head: Sequence[Record] | None) -> list[T] | None:
        """Read from beginning to end; None when a row has moved."""
        taken: list[T] = []
        last: Hashable = None
        count = held = 0
        most = _most(window)
        while True:
            size, page = self._page(window, max(count - 1, 0)) if head is None else (self.size, head)
            head = None
            fresh = page[1:] if count else page
            if count and (not page or self._key(page[0]) != last):
                return None
            count += len(fresh)
            more = [kept for row in fresh if (kept := self._take(row)) is not None]
            held += sum(map(self.rows, more))
            taken += more
            if len(page) < size:
                return taken
            last = self._key(page[-1])
            if held > most:
                raise MovingRowsError(f"More than {_TOO_MANY_ROWS} rows in one part.")

    def _page(self, window: Window | None, skip: int) -> tuple[int, Sequence[Record]]:
        while True:
            try:
                return self.size, self._fetch(window, skip, self.size)
            except ServerTroubleError as error:
                if self.size // 2 < _SMALLEST_PAGE:
                    raise
                self.size //= 2
                _LOG.warning("%s Going on with %d rows per page", error, self.size)


def _most(window: Window | None) -> float:
    """How many rows of a window to hold: a part that cannot be cut any further is held whatever it takes."""
    is_whole = window is None or window.lo is None or window.hi - window.lo <= _SHORTEST
    return float("inf") if is_whole else _TOO_MANY_ROWS


class Slices(Generic[T]):
    """Cuts a window into slices that are small enough to hold, and wide enough not to cost calls.

    A slice after a sparse one is twice as long, after a dense one half as long; one whose rows keep moving, or
    are too many, is halved and tried again.
    """

    def __init__(self, pages: Pages[T], width: dt.timedelta) -> None:
        self._pages = pages
        self._width = max(width, _SHORTEST)

    def walk(self, window: Window) -> Iterator[tuple[Window, list[T]]]:
        """Yield every slice with its rows, oldest first.

        Raises:
            MovingRowsError: A slice of one minute could not be read to its end.
        """
        lo = window.lo
        if lo is None:
            head, is_full = self._pages.head(window)
            if not is_full:
                yield window, self._pages.read(window, head)
                return
            lo = self._oldest(window.hi)
        while lo <= window.hi:
            part = Window(lo, min(lo + self._width, window.hi))
            try:
                rows = self._pages.read(part)
            except MovingRowsError:
                if part.hi - lo <= _SHORTEST:
                    raise
                self._width = max((part.hi - lo) / 2, _SHORTEST)
                continue
            yield part, rows
            if part.hi == window.hi:
                return
            lo = part.hi
            self._adapt(sum(map(self._pages.rows, rows)))

    def _adapt(self, rows: int) -> None:
        if rows < _FEW_ROWS:
            self._width = min(self._width * 2, _LONGEST)
        elif rows > _MANY_ROWS:
            self._width = max(self._width / 2, _SHORTEST)

    def _oldest(self, hi: dt.datetime) -> dt.datetime:
        """A time before the first record, looked for in steps of doubled years."""
        for years in _YEARS_BACK:
            before = hi - years * _YEAR
            if not self._pages.first(Window(None, before), 1):
                return before
        return hi - 2 * _YEARS_BACK[-1] * _YEAR
