"""How lists are walked, and how the dialect writes times.

Only `__next` pages: it repeats every option and adds a key to go on from, which makes inserts harmless. It is
followed as it comes; putting it together again breaks where the key has two parts.

A `/Date(ms)/` is wall-clock time of Exact Online's servers written as if it were UTC, and filters take the same
wall clock. Times that are dates by their meaning are never shifted.
"""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tap_exact_online.client import decode
from tap_exact_online.errors import ServerTroubleError
from tap_exact_online.records import Page

if TYPE_CHECKING:
    import zoneinfo
    from collections.abc import Callable, Iterator, Mapping

    from tap_exact_online.client import Client
    from tap_exact_online.records import Decode

T = TypeVar("T")
Row = dict[str, Any]

EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - wall clock
SINCE_EVER: Final = "datetime'1900-01-01T00:00:00'"
_QUARTER_MS: Final = 900_000


def iso(moment: dt.datetime) -> str:
    """The one form in which times are emitted and kept: UTC with microseconds, so that text order is time order."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def moment_of(value: str) -> dt.datetime:
    """Read a time of the state or the settings; without a zone it is UTC."""
    moment = dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def wall(milliseconds: int) -> dt.datetime:
    """The wall-clock time behind the number in `/Date(…)/`."""
    return EPOCH + dt.timedelta(milliseconds=milliseconds)


def literal(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """A time in a filter: the servers' wall clock, with milliseconds, without a zone."""
    return f"datetime'{moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec='milliseconds')}'"


def time_reader(zone: zoneinfo.ZoneInfo) -> Callable[[str], str]:
    """Make the conversion of `/Date(ms)/` to UTC.

    Offsets are worked out once per quarter of an hour: they never change within one.
    """
    offsets: dict[int, int] = {}

    def read(value: str) -> str:
        number = int(value[6:-2])
        quarter = number // _QUARTER_MS
        shift = offsets.get(quarter)
        if shift is None:
            offset = wall(quarter * _QUARTER_MS).replace(tzinfo=zone).utcoffset() or dt.timedelta()
            shift = offsets[quarter] = int(offset.total_seconds() * 1000)
        try:
            moment = wall(number - shift)
        except OverflowError:  # an end of the calendar, which stands for no time at all
            moment = wall(number)
        return moment.isoformat(timespec="microseconds") + "+00:00"

    return read


def date_reader() -> Callable[[str], str]:
    """Make the conversion of `/Date(ms)/` to a day, which is the day that the user entered."""
    days: dict[str, str] = {}

    def read(value: str) -> str:
        day = days.get(value)
        if day is None:
            day = days[value] = wall(int(value[6:-2])).date().isoformat()
        return day

    return read


def rows_in(answer: object) -> tuple[list[Row], str | None]:
    """The rows of an answer and the address of the next page.

    A collection comes as `{"d": {"results": […], "__next": …}}`, from some endpoints as `{"d": […]}`, a single
    record as `{"d": {…}}`.

    Raises:
        ServerTroubleError: It is none of these.
    """
    if isinstance(answer, Page):
        return answer.results, answer.link
    inner = answer.get("d") if isinstance(answer, dict) else None
    if isinstance(inner, list):
        return inner, None
    if isinstance(inner, dict):
        if isinstance(inner.get("results"), list):
            return inner["results"], inner.get("__next")
        return ([inner] if "results" not in inner else []), None
    raise ServerTroubleError("The answer is no OData document: there is no d in it.")


def walk(
    client: Client, division: int, endpoint: str, params: Mapping[str, str], read: Decode = decode
) -> Iterator[list[Row]]:
    """Yield the pages of a list, empty ones in the middle included.

    Raises:
        ServerTroubleError: The server sends in circles.
        ApiError: The server does not give a page.
    """
    return follow(client, client.url(division, endpoint, params), division, endpoint, read)


def follow(
    client: Client, url: str | None, division: int, endpoint: str, read: Decode = decode
) -> Iterator[list[Row]]:
    """Yield the page at an address and those behind it."""
    seen: set[int] = set()
    while url:
        seen.add(hash(url))
        rows, url = rows_in(client.get(url, division, endpoint, read))
        if url and hash(url) in seen:
            raise ServerTroubleError(
                f"{endpoint} in division {division}: the next page is one that was read."
            )
        yield rows


def ahead(items: Iterator[T], may: Callable[[], bool]) -> Iterator[T]:
    """Yield items while the next one is made in a thread, so that waiting for the server costs no time twice.

    What goes wrong with an item is raised where the item would have come. The thread ends with its item and does not
    keep the process alive: a signal must not wait for the network.

    Args:
        items: The items.
        may: Asked before each item whether it may be made before the one before is done with.
    """
    item = next(items, None)
    while item is not None:
        coming = _in_background(items) if may() else None
        yield item
        item = coming.result() if coming is not None else next(items, None)


def _in_background(items: Iterator[T]) -> Future[T | None]:
    made: Future[T | None] = Future()

    def make() -> None:
        try:
            made.set_result(next(items, None))
        except BaseException as error:  # noqa: BLE001 - raised again where the item is awaited
            made.set_exception(error)

    threading.Thread(target=make, daemon=True, name="page-ahead").start()
    return made
