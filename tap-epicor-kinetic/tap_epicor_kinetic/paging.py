"""How a set that moves is read to its end without missing a row.

Epicor's `$skip` is ignored by some installations, pages are cut at 100 rows whatever `$top` says, and no next link
comes. What does work is a key that only grows: `SysRevID`, a counter over all writes of the database. Reading
`SysRevID gt last` in ascending order needs neither skip nor count; a row that changes meanwhile gets a higher number
and comes again behind those already read. Sets without such a column are read by skip, and every page is checked
against the one before.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any, Final

from tap_epicor_kinetic.errors import RefusedError, WrongRowsError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from tap_epicor_kinetic.client import Params

Row = dict[str, Any]

_ATTEMPTS: Final = 3
_NEITHER: Final = frozenset({"RowIdent", "RowMod"})

_LOG: Final = logging.getLogger("tap-epicor-kinetic")


@dataclasses.dataclass(frozen=True)
class Page:
    """What one call gave.

    Attributes:
        rows: The rows.
        link: Where the server says that more are; empty for nowhere.
        count: How many rows there are in all, where that was asked.
    """

    rows: list[Row]
    link: str = ""
    count: int | None = None


def page_of(answer: Any) -> Page:  # noqa: ANN401 - whatever JSON holds
    """The page in an answer."""
    count = answer.get("@odata.count", answer.get("odata.count"))
    return Page(answer["value"], answer.get("@odata.nextLink") or "", None if count is None else int(count))


@dataclasses.dataclass
class PageLength:
    """How many rows the server gives at most, as far as that is proven: the least that came when more followed."""

    proven: int = 0

    def note(self, rows: int) -> None:
        """Note that a page of so many rows was followed by more."""
        self.proven = min(self.proven or rows, rows)

    def is_cut(self, rows: int) -> bool:
        """Whether a page of so many rows may be followed by more."""
        return rows >= self.proven if self.proven else True


@dataclasses.dataclass(frozen=True)
class Reach:
    """How far a set reaches: the number and identity of its newest row."""

    number: int
    row_id: str


@dataclasses.dataclass(frozen=True)
class Calls:
    """How a set is asked for.

    Attributes:
        fetch: Makes one call with these options.
        follow: Makes the call that a link asks for.
        size: Rows per page.
    """

    fetch: Callable[[Params], Page]
    follow: Callable[[str], Page]
    size: int


def behind(column: str, last: int, *more: str) -> Params:
    """Filter and order for what lies behind a number.

    Args:
        column: The column that holds the number; a bare literal is compared with it, never a quoted one.
        last: The number.
        more: Further filters; empty ones are left out.
    """
    limits = [f"{column} gt {last}", *(f"({each})" for each in more if each)]
    return {"$filter": " and ".join(limits), "$orderby": f"{column} asc"}


class Keyset:
    """Reads a set in the order of a number that only grows.

    Args:
        calls: How to ask for rows.
        column: The number.
        length: What is known of the server's pages; shared by all streams.
        where: Further filter; empty for none.
    """

    def __init__(self, calls: Calls, column: str, length: PageLength, where: str = "") -> None:
        self._calls = calls
        self._column = column
        self._length = length
        self._where = where

    def walk(self, after: int, bookmark: int | None = None) -> Iterator[list[Row]]:
        """Yield page after page of what lies behind a number, up to the newest row there was when the walk began.

        Args:
            after: The number.
            bookmark: Up to where an earlier walk came; a short page that reaches it ends the walk at once. Being
                wrong in this costs no row: the next walk begins where this one ended.

        Raises:
            WrongRowsError: The server ignored the filter or the order.
            ApiError: The server does not give the rows.
        """
        last = after
        bound: int | None = None
        to_the_end = False
        while True:
            length = 0
            for rows in self._pages(last, bound):
                self._check(rows, last)
                last = self.number(rows[-1])
                length = length or len(rows)
                yield rows
            if not length:
                return
            if bound is None and not to_the_end:
                if bookmark is not None and last >= bookmark and not self._length.is_cut(length):
                    return
                reach = self.reach()
                if reach is None:
                    return
                # A newest row below one already read: it went meanwhile, or the order was ignored. Read to the end.
                to_the_end = reach.number < last
                bound = None if to_the_end else reach.number
            if bound is not None and last >= bound:
                return
            if bound is not None:
                self._length.note(length)

    def reach(self) -> Reach | None:
        """The newest row; None when there is none."""
        params: Params = {"$filter": self._where} if self._where else {}
        rows = self._calls.fetch({**params, "$orderby": f"{self._column} desc", "$top": 1}).rows
        return Reach(self.number(rows[0]), str(rows[0].get("SysRowID") or "")) if rows else None

    def extent(self) -> tuple[int, int]:
        """The newest row's number and how many rows there are; both change with any change of the set."""
        params: Params = {"$filter": self._where} if self._where else {}
        page = self._calls.fetch({**params, "$orderby": f"{self._column} desc", "$count": "true", "$top": 1})
        newest = self.number(page.rows[0]) if page.rows else 0
        return newest, len(page.rows) if page.count is None else page.count

    def number(self, row: Row) -> int:
        """The number of a row; it comes as a number or as text.

        Raises:
            WrongRowsError: It has none.
        """
        try:
            return int(row[self._column])
        except (KeyError, TypeError, ValueError):
            raise WrongRowsError(f"A row came without {self._column}, by which the rows are read.") from None

    def _pages(self, last: int, bound: int | None) -> Iterator[list[Row]]:
        limits = [f"{self._column} gt {last}"]
        if bound is not None:
            limits.append(f"{self._column} le {bound}")
        if self._where:
            limits.append(f"({self._where})")
        page = self._calls.fetch(
            {"$filter": " and ".join(limits), "$orderby": f"{self._column} asc", "$top": self._calls.size}
        )
        while page.rows:
            yield page.rows
            if not page.link:
                return
            page = self._calls.follow(page.link)

    def _check(self, rows: Sequence[Row], last: int) -> None:
        """Make sure that every row lies behind the one before.

        Raises:
            WrongRowsError: It does not.
        """
        for row in rows:
            number = self.number(row)
            if number == last:
                raise WrongRowsError(
                    f"Two rows bear {self._column} {number}, which must be unique to read by it; choose another column "
                    "or paging by offset."
                )
            if number < last:
                raise WrongRowsError(
                    f"{self._column} {number} came behind {last}: the server ignored $filter or $orderby."
                )
            last = number


class Offset:
    """Reads a set without such a column by `$skip`, as a whole, checking that its rows stand still.

    Args:
        calls: How to ask for rows.
        order: Columns to sort by.
        keys: Columns that tell rows apart; empty when only the whole row does.
        where: Filter; empty for none.
        once: Make one call and no more.
    """

    def __init__(
        self, calls: Calls, order: Sequence[str], keys: Sequence[str], where: str = "", *, once: bool = False
    ) -> None:
        self._calls = calls
        self._keys = keys
        self._once = once
        self._counts = True
        self._params: Params = {"$filter": where} if where else {}
        if order:
            self._params["$orderby"] = ",".join(order)

    def read(self) -> list[Row]:
        """All rows.

        Raises:
            WrongRowsError: The server ignores `$skip` and there are more rows than it gives at a time, or rows kept
                moving.
            ApiError: The server does not give the rows.
        """
        for _ in range(_ATTEMPTS):
            rows = self._pass()
            if rows is not None:
                return rows
            _LOG.info("Rows changed while they were read; reading them again")
        raise WrongRowsError(f"Rows kept changing while they were read, {_ATTEMPTS} times in a row.")

    def _pass(self) -> list[Row] | None:
        """Read from beginning to end; None when a row has moved.

        Every page begins with the last row of the page before, so that a row that comes or goes in front shows.
        """
        page = self._first_page()
        rows = list(page.rows)
        if page.link:
            return self._linked(rows, page.link)
        if not rows or page.count == len(rows):
            return rows
        if self._once:
            return self._all_or_error(rows, page.count, "paging is none, so")
        return self._rest(rows, page)

    def _rest(self, rows: list[Row], first: Page) -> list[Row] | None:
        while True:
            page = self._calls.fetch({**self._params, "$top": self._calls.size, "$skip": len(rows) - 1})
            if len(first.rows) > 1 and _plain(page.rows) == _plain(first.rows):
                return self._all_or_error(rows, first.count, "The server ignores $skip:")
            if not page.rows or self._identity(page.rows[0]) != self._identity(rows[-1]):
                return None
            rows += page.rows[1:]
            if len(page.rows) < min(len(first.rows), self._calls.size) or len(page.rows) == 1:
                return rows

    def _first_page(self) -> Page:
        """The first page, which tells how many rows there are: most sets end with it."""
        if self._counts:
            try:
                return self._calls.fetch({**self._params, "$count": "true", "$top": self._calls.size})
            except RefusedError:
                self._counts = False
        return self._calls.fetch({**self._params, "$top": self._calls.size})

    def _linked(self, rows: list[Row], link: str) -> list[Row]:
        while link:
            page = self._calls.follow(link)
            rows += page.rows
            link = page.link if page.rows else ""
        return rows

    def _all_or_error(self, rows: list[Row], count: int | None, why: str) -> list[Row]:
        """The rows, unless the server has more, or does not say."""
        if count == len(rows):
            return rows
        of = "an unknown number of" if count is None else count
        raise WrongRowsError(
            f"{why} only {len(rows)} of {of} rows can be had. Give the stream a column that only grows (its "
            "SysRevID) as replication_key, or narrow it by a filter."
        )

    def _identity(self, row: Row) -> Hashable:
        if self._keys:
            return tuple(str(row.get(key)) for key in self._keys)
        return tuple(sorted((name, str(value)) for name, value in row.items() if name not in _NEITHER))


def _plain(rows: Sequence[Row]) -> list[Row]:
    """Rows without what is numbered anew in every answer."""
    return [{name: value for name, value in row.items() if name not in _NEITHER} for row in rows]
