"""How a list that moves is read to its end without missing a row.

Every `offset` of the gateway's `query` is a new query, so a row that is edited between two pages shifts the others
and one is lost (the vendor warns of it). The tap pages by key instead: within a span of modification time that was
closed before the run began, each page asks for the records behind the last one of the page before. A record that is
edited meanwhile leaves the closed span, which moves no other record, and is read by the next run.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, Self, TypeVar

from tap_sage_intacct.envelope import NotXmlError
from tap_sage_intacct.errors import MovingRowsError, TooMuchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_sage_intacct.envelope import Node, Reply
    from tap_sage_intacct.walks import Step, Walk

Row = dict[str, Any]


class Rows(Protocol):
    """The rows of a page, in whatever form they are kept."""

    def __len__(self) -> int: ...

    def column(self, name: str) -> Sequence[Any]:
        """The values of a property that paging needs."""
        ...

    def keep(self, places: Iterable[int]) -> Self:
        """The rows at these places."""
        ...


S = TypeVar("S")
T = TypeVar("T")
P = TypeVar("P", bound=Rows)

_SMALLEST_PAGE: Final = 200
_SHORTEST: Final = dt.timedelta(hours=1)
_ATTEMPTS: Final = 3
# A thread that computes gives way every 5 ms, and a request needs several turns until it is sent.
_HEAD_START_SECONDS: Final = 0.002

_LOG: Final = logging.getLogger("tap-sage-intacct")


def iso(moment: dt.datetime) -> str:
    """The one form in which times are emitted and kept: UTC with microseconds, so that text order is time order."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def moment_of(value: str) -> dt.datetime:
    """Read a time of the state or the settings; without a zone it is UTC."""
    moment = dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


# conditions -----------------------------------------------------------------------------------------------


def where(operator: str, field: str, *values: str) -> Node:
    """A condition on a field."""
    return (operator, [("field", field), *(("value", value) for value in values)])


def all_of(conditions: Sequence[Node]) -> list[Node]:
    """The content of a `filter`: one operator at its top, `and` only over two or more (vendor's query page)."""
    return list(conditions) if len(conditions) < 2 else [("and", list(conditions))]  # noqa: PLR2004 - see above


def any_of(conditions: Sequence[Node]) -> Node:
    """At least one of the conditions."""
    return conditions[0] if len(conditions) == 1 else ("or", list(conditions))


def one_of(field: str, values: Sequence[str]) -> Node:
    """The field has one of at most a thousand values."""
    return where("in" if len(values) > 1 else "equalto", field, *values)


# calls at once --------------------------------------------------------------------------------------------


def in_background(call: Callable[[], T]) -> Future[T]:
    """Run a call in a thread that does not keep the process alive: a signal must not wait for the network."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def each(call: Callable[[S], T], values: Sequence[S], at_once: int) -> Iterator[T]:
    """The results for many values, in their order, several of them worked on at once where that is allowed."""
    if at_once == 1:
        yield from map(call, values)
        return
    waiting: deque[Future[T]] = deque()
    for value in values:
        waiting.append(in_background(lambda value=value: call(value)))  # type: ignore[misc]
        if len(waiting) >= at_once:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


# spans ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Part:
    """A span of modification time that is still to be read; `hi` is no longer in it. Times are aware, in UTC.

    Attributes:
        lo: Its beginning; None means since ever, rows without a modification time included.
        hi: Its end.
        after: Key of the last record that was read and written.
    """

    lo: dt.datetime | None
    hi: dt.datetime
    after: str | None = None

    def halves(self) -> list[Part]:
        """Two parts of half the length; none when this one is short already, or has no beginning."""
        if self.lo is None or self.hi - self.lo <= _SHORTEST:
            return []
        middle = self.lo + (self.hi - self.lo) / 2
        middle = middle.replace(microsecond=0)
        return [Part(self.lo, middle, self.after), Part(middle, self.hi, self.after)]

    def pieces(self, days: int) -> list[Part]:
        """Parts of at most so many days; 0 leaves it whole."""
        if self.lo is None or not days:
            return [self]
        parts = []
        lo = self.lo
        while lo < self.hi:
            hi = min(lo + dt.timedelta(days=days), self.hi)
            parts.append(Part(lo, hi, self.after))
            lo = hi
        return parts or [self]

    def kept(self) -> list[str | None]:
        """Its form in the state."""
        return [None if self.lo is None else iso(self.lo), iso(self.hi), self.after]

    @classmethod
    def of(cls, kept: Sequence[str | None]) -> Part:
        """Read it from the state."""
        lo, hi, after = kept
        return cls(None if lo is None else moment_of(lo), moment_of(str(hi)), after)


# pages ---------------------------------------------------------------------------------------------------


class Pages(Generic[P]):
    """Reads a list page by page, asking for the next one while the present one is being worked on.

    Args:
        fetch: Asks for a page: conditions, order, offset, size, whether to be patient, and `later`: whether its rows
            are left to `Reply.read`.
        size: Rows per page; halved for good when the server cannot deliver so many at a time.
    """

    def __init__(
        self,
        fetch: Callable[..., Reply[P]],
        size: int,
    ) -> None:
        self._fetch = fetch
        self.size = size
        self.is_patient = False

    def walk(self, conditions: Sequence[Node], walk: Walk, *, narrow: bool = False) -> Iterator[P]:
        """Yield the rows of every page.

        Args:
            conditions: What all rows fulfil.
            walk: How to go through them.
            narrow: The caller can ask for a shorter span; otherwise pages get smaller where the server gives up.

        Raises:
            TooMuchError: The server cannot deliver, and a shorter span may do.
            ApiError: The server does not give the rows.
        """
        step: Step | None = walk.step
        waiting = self._ask(conditions, walk, walk.step, narrow=narrow)
        while step is not None:
            try:
                reply = waiting.result()
            except TooMuchError as error:
                if narrow or self.is_patient:
                    raise
                self.shrink(error)
                waiting = self._ask(conditions, walk, step, narrow=narrow)
                continue
            size = self.size
            ahead = self._ahead(walk, reply)
            if ahead is not None:
                waiting = self._ask(conditions, walk, ahead, narrow=narrow)
                time.sleep(_HEAD_START_SECONDS)
            try:
                reply.read()
            except NotXmlError as error:
                _LOG.warning("A page that looked whole cannot be read and is asked for again. %s", error)
                waiting = self._ask(conditions, walk, step, narrow=narrow, later=False)
                continue
            rows = walk.take(reply)
            has_more = len(reply.rows) >= size if reply.remaining is None else reply.remaining > 0
            step = walk.step if has_more and reply.rows else None
            if step is not None and step != ahead:
                waiting = self._ask(conditions, walk, step, narrow=narrow)
            if rows:
                yield rows

    def whole(self, conditions: Sequence[Node], start: Callable[[], Walk]) -> list[P]:
        """All pages of a small list, read again when it changed under the reading.

        Raises:
            MovingRowsError: It changed at every attempt.
        """
        for _ in range(_ATTEMPTS):
            try:
                return list(self.walk(conditions, start()))
            except MovingRowsError:
                _LOG.info("Records changed while they were read; reading them again")
        raise MovingRowsError(f"Records kept changing while they were read, {_ATTEMPTS} times in a row.")

    def shrink(self, error: TooMuchError) -> None:
        """Ask for fewer rows from now on; at the smallest size, wait for them patiently."""
        if self.size // 2 >= _SMALLEST_PAGE:
            self.size //= 2
            _LOG.warning("%s Going on with %d rows per page", error, self.size)
        else:
            self.is_patient = True
            _LOG.warning("%s Going on with patience", error)

    def _ahead(self, walk: Walk, reply: Reply[P]) -> Step | None:
        """What to ask for while a page is being read: the wait for the network is longer than that takes.

        Nothing where the page does not tell whether more rows follow, for a call in vain is a call that is billed.
        """
        if not reply.last or not reply.count or not reply.remaining:
            return None
        return walk.ahead(reply.last, reply.count)

    def _ask(
        self, conditions: Sequence[Node], walk: Walk, step: Step, *, narrow: bool, later: bool = True
    ) -> Future[Reply[P]]:
        wanted = [*conditions, *step.conditions]
        order, offset, size = walk.order, step.offset, self.size
        patient = self.is_patient and not narrow
        return in_background(lambda: self._fetch(wanted, order, offset, size, patient, later=later))
