"""How a table that moves is read to its end without missing a row.

Pages continue behind the last key of the page before (keyset), in the table's own binary order, so that rows which
come or go meanwhile shift nothing. Counting rows (`$skip`) is the way of last resort: each page then begins with the
last row of the page before, and when that row is not there, everything is read again.
A short page is not the end: a site may give fewer rows than were asked for.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
import operator
import queue
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tap_syspro.conditions import behind, from_on
from tap_syspro.errors import (
    PageTooLargeError,
    PagingError,
    RefusedError,
    ServerTroubleError,
    TooComplexError,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterator, Sequence

    from tap_syspro.service import Answer, KeyColumn, Mark, Query, Row, Service

T = TypeVar("T")
_SMALLEST_PAGE: Final = 10
_SHORT_KEY: Final = 4
_ATTEMPTS: Final = 3
_WHOLE: Final = 100_000
_HEAD_START_SECONDS: Final = 0.004
"""Lets the request for the next page out first: to make the rows of this one holds the interpreter for longer."""

_LOG: Final = logging.getLogger("tap-syspro")


@dataclasses.dataclass(frozen=True)
class Page:
    """Rows that were not there before, and the key behind which reading goes on; None where there is none."""

    rows: Sequence[Row]
    mark: Mark | None


class Walk:
    """Reads one query to its end, page by page.

    Args:
        service: The interface.
        query: What to read; order, top and paging are filled in here.
        keys: The table's key; empty for none.
        mode: auto, keyset, next_link or skip.
        size: Rows per page.
    """

    def __init__(
        self, service: Service, query: Query, keys: Sequence[KeyColumn], mode: str, size: int
    ) -> None:
        self._service = service
        self._keys = tuple(keys)
        self._mode = mode
        self.size = min(size, service.largest_page)
        self._query = dataclasses.replace(query, order=tuple(key.name for key in keys))
        self._counted: int | None = None
        self._got = 0
        self._full = 0  # rows of a page that was not the last one

    def pages(self, after: Mark | None = None) -> Iterator[Page]:
        """Yield all pages; the next one is fetched while the present one is worked on.

        Args:
            after: The mark of an earlier page to go on behind.

        Raises:
            PagingError: Pages do not follow each other.
            ApiError: The service does not give the rows.
        """
        yield from ahead(self._pages(after))

    def first(self, top: int) -> list[Row]:
        """Some rows, as they come."""
        return list(self._fetch(dataclasses.replace(self._query, top=min(top, self.size))).rows)

    def _pages(self, after: Mark | None) -> Iterator[Page]:
        if self._mode == "next_link":
            yield from self._linked()
        elif self._keys and self._mode in {"auto", "keyset"}:
            yield from self._by_key(after)
        elif self._service.can_skip:
            yield from self._by_number()
        else:
            yield from self._whole()

    # by key ------------------------------------------------------------------------------------------------

    def _by_key(self, mark: Mark | None) -> Iterator[Page]:
        last_first: Hashable = None
        before: Sequence[Hashable] = ()
        while True:
            found = yield from self._behind_mark(mark, last_first)
            if found is None:
                return
            answer, keys, is_exact = found
            fresh = answer.rows
            if not is_exact:
                seen = set(before)
                fresh = [row for row, key in zip(answer.rows, keys, strict=True) if key not in seen]
            if not fresh:
                if self._is_all(len(keys)):
                    return
                self._widen()
                continue
            last_first = keys[0]
            mark, before = list(keys[-1]), keys
            # Looked at before the page is given away: the thread that then asks for the next one is to do just that.
            goes_on = None not in mark and self._is_ordered(keys)
            yield Page(fresh, None if None in mark else mark)
            if self._is_last(answer, len(fresh)):
                return
            if not goes_on:
                yield from self._otherwise(RefusedError("Rows do not come in the order of the key."))
                return

    def _behind_mark(
        self, mark: Mark | None, last_first: Hashable
    ) -> Generator[Page, None, tuple[Answer, Sequence[tuple[Any, ...]], bool] | None]:
        """The page behind a mark, its keys, and whether it holds no row of the page before.

        Where it cannot be had, the rest is read otherwise, and None is returned; also where nothing comes any more.
        """
        query, is_exact = dataclasses.replace(self._query, count=self._counted is None and mark is None), True
        while True:
            if mark is not None:
                depth = self._depth(mark)
                if not depth:
                    yield from self._otherwise(
                        RefusedError("The key does not fit into a query (max_query_length).")
                    )
                    return None
                query, is_exact = self._behind(self._query, mark, depth), depth == len(self._keys)
            try:
                answer = self._fetch(query)
            except RefusedError as error:
                if mark is None or isinstance(error, PageTooLargeError):
                    raise
                if not isinstance(error, TooComplexError):
                    yield from self._otherwise(error)
                    return None
                self._service.most_terms = query.terms * 2 // 3
                _LOG.info("%s: asking with fewer comparisons. %s", query.entity.name, error)
            else:
                break
        keys = self._keys_of(answer)
        if keys and is_exact and keys[0] == last_first:
            yield from self._otherwise(
                RefusedError("Rows behind a key are asked for, and the same rows come.")
            )
            return None
        return (answer, keys, is_exact) if keys else None

    def _is_all(self, rows: int) -> bool:
        """Whether rows that were all there before are the last ones, and not just as many as the service gives."""
        if self._counted is not None and self._got >= self._counted:
            return True
        return rows < min(self.size, self._full or self.size)

    def _widen(self) -> None:
        """Ask for more rows at a time, up to what the service gives: too many bear the same beginning of the key."""
        if self.size >= self._service.largest_page:
            raise PagingError(
                f"{self._query.entity.name}: more rows than a page bear the same beginning of the key; allow a longer "
                "max_query_length."
            )
        self.size = min(self.size * 2, self._service.largest_page)

    def _is_ordered(self, keys: Sequence[tuple[Any, ...]]) -> bool:
        """Whether rows came in the binary order of their keys, as they were asked for."""
        columns = []
        for key, column in zip(self._keys, zip(*keys, strict=True), strict=True):
            if set(map(type, column)) == {int}:
                columns.append(column)
                continue
            binary = {raw: _binary(key.kind, raw) for raw in set(column)}  # most values come many times
            columns.append(tuple(map(binary.__getitem__, column)))
        comparable = list(zip(*columns, strict=True))
        return all(map(operator.le, comparable, comparable[1:]))

    def _depth(self, mark: Mark) -> int:
        """How many columns of the key fit into a query, so that rows behind it can be asked for; 0 for none."""
        shorter = range(min(_SHORT_KEY, len(self._keys) - 1), 0, -1)
        depths = (len(self._keys), *shorter)
        fitting = (n for n in depths if self._service.fits(self._behind(self._query, mark, n)))
        return next(fitting, 0)

    def _behind(self, query: Query, mark: Mark, depth: int) -> Query:
        keys = self._keys[:depth]
        pairs = [key.value(raw) for key, raw in zip(keys, mark, strict=False)]
        make = behind if depth == len(self._keys) else from_on
        condition = make([key.name for key in keys], [v for v, _ in pairs], [raw for _, raw in pairs])
        return dataclasses.replace(query, where=(*query.where, condition))

    def _otherwise(self, error: RefusedError) -> Iterator[Page]:
        """Read on without asking for rows behind a key; rows that come twice bear the same key."""
        name = self._query.entity.name
        if self._mode == "keyset":
            raise PagingError(f"{name}: the service does not take filters by key (pagination). {error}")
        _LOG.warning("%s: paging by key does not work here; rows are counted instead. %s", name, error)
        yield from self._by_number() if self._service.can_skip else self._whole()

    # by number, by link, as a whole --------------------------------------------------------------------------

    def _by_number(self) -> Iterator[Page]:
        for _ in range(_ATTEMPTS):
            done = yield from self._pass()
            if done:
                return
            _LOG.info("%s: rows moved while they were read; reading again", self._query.entity.name)
        raise PagingError(f"{self._query.entity.name}: rows kept moving while they were read.")

    def _pass(self) -> Generator[Page, None, bool]:
        """Read from beginning to end; returns False when a row has moved."""
        count = 0
        last: Hashable = None
        first: Hashable = None
        self._counted, self._got, self._full = None, 0, 0
        while True:
            query = dataclasses.replace(self._query, skip=max(count - 1, 0), count=count == 0)
            answer = self._fetch(query)
            if not answer.rows:
                return count == 0 or self._is_short(count)
            begins = self._key(answer.rows[0])
            if count and begins == first and begins != last:
                raise PagingError(
                    f"{self._query.entity.name}: the service ignores $skip; the same rows come."
                )
            if count and begins != last:
                return False
            fresh = answer.rows[1:] if count else answer.rows
            first, last = begins, self._key(answer.rows[-1])
            count += len(fresh)
            if fresh:
                yield Page(fresh, None)
            if not fresh or self._is_last(answer, len(fresh)):
                return True

    def _is_short(self, count: int) -> bool:
        """Whether an empty page is the end although the last row should have come once more."""
        return self._counted is not None and count >= self._counted

    def _linked(self) -> Iterator[Page]:
        query = dataclasses.replace(self._query, top=self.size, linked=True, count=True)
        answer = self._service.fetch(query)
        last: Hashable = None
        while True:
            if answer.rows:
                first = self._key(answer.rows[0])
                if first == last:
                    raise PagingError(
                        f"{query.entity.name}: a continuation link leads to the same rows again."
                    )
                last = first
                yield Page(answer.rows, None)
            if not answer.link:
                return
            answer = self._service.follow(query, answer.link)

    def _whole(self) -> Iterator[Page]:
        """Everything at once, for interfaces that know no other way."""
        top = _WHOLE
        while True:
            rows = self._service.fetch(dataclasses.replace(self._query, top=top)).rows
            if len(rows) < top:
                yield Page(rows, None)
                return
            top *= 2

    # what all share ----------------------------------------------------------------------------------------

    def _fetch(self, query: Query) -> Answer:
        while True:
            try:
                answer = self._service.fetch(dataclasses.replace(query, top=query.top or self.size))
            except (PageTooLargeError, ServerTroubleError) as error:
                slow = isinstance(error, PageTooLargeError) or error.is_slow
                if not slow or self.size // 2 < _SMALLEST_PAGE:
                    raise
                self.size //= 2
                _LOG.warning("%s Going on with %d rows per page", error, self.size)
            else:
                if query.count and self._counted is None:
                    self._counted = answer.count
                return answer

    def _is_last(self, answer: Answer, fresh: int) -> bool:
        """Whether nothing can follow: all rows that were counted came, and the page is shorter than pages are here."""
        self._got += fresh
        usual = min(self.size, self._full or self.size)
        if self._counted is not None and self._got >= self._counted and len(answer.rows) < usual:
            return True
        self._full = min(self._full or self.size, len(answer.rows))
        return False

    def _keys_of(self, answer: Answer) -> list[tuple[Any, ...]]:
        """The keys of a page. The next page waits for them, so the rows are left alone where that is possible."""
        if answer.key_values is None:
            return [self._key(row) for row in answer.rows]
        if Decimal in set(map(type, itertools.chain.from_iterable(answer.key_values))):
            return [tuple(map(_plain, values)) for values in answer.key_values]
        return answer.key_values

    def _key(self, row: Row) -> tuple[Any, ...]:
        if not self._keys:
            return tuple(str(value) for value in row.values())
        return tuple(_plain(row.get(key.name)) for key in self._keys)


def _plain(raw: Any) -> Any:  # noqa: ANN401 - whatever the service wrote
    """A value that can stand in the state."""
    return str(raw) if isinstance(raw, Decimal) else raw


def _binary(kind: str, raw: Any) -> Any:  # noqa: ANN401 - whatever the service wrote
    """A value of a key as the database sorts it: texts by their bytes in Windows-1252."""
    if isinstance(raw, int):
        return raw
    if kind in {"integer", "decimal"}:
        return Decimal(str(raw).strip() or "0")
    return str(raw)[:10] if kind == "date" else str(raw).rstrip().encode("cp1252", errors="replace")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield items while the next one is made in a thread, so that waiting for the service costs no time twice.

    The thread ends with its item and does not keep the process alive.
    """
    item = next(items, None)
    while item is not None:
        made: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def make(made: queue.SimpleQueue[tuple[T | None, BaseException | None]] = made) -> None:
            try:
                made.put((next(items, None), None))
            except BaseException as error:  # noqa: BLE001 - raised again where the item is awaited
                made.put((None, error))

        threading.Thread(target=make, daemon=True).start()
        time.sleep(_HEAD_START_SECONDS)
        yield item
        item, failure = made.get()
        if failure is not None:
            raise failure
