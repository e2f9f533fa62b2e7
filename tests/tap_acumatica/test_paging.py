from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_acumatica.errors import MovingRowsError, ServerTroubleError
from tap_acumatica.paging import Pages, Slices, Window, iso

if TYPE_CHECKING:
    from collections.abc import Callable

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def at(minutes: float) -> dt.datetime:
    return START + dt.timedelta(minutes=minutes)


@dataclasses.dataclass
class Table:
    """A list as the server keeps it: in key order, filtered by stamp, changing while it is read."""

    rows: dict[int, tuple[dt.datetime, int]]  # key -> (stamp, version)
    clock: dt.datetime
    calls: list[tuple[Window | None, int, int]] = dataclasses.field(default_factory=list)
    before: Callable[[int], None] | None = None

    def fetch(self, window: Window | None, skip: int, top: int) -> list[dict[str, Any]]:
        if self.before is not None:
            self.before(len(self.calls))
        self.calls.append((window, skip, top))
        found = [
            {"key": key, "stamp": stamp, "version": version}
            for key, (stamp, version) in sorted(self.rows.items())
            if window is None or ((window.lo is None or window.lo <= stamp) and stamp <= window.hi)
        ]
        return found[skip : skip + top]

    def touch(self, key: int) -> None:
        self.clock += dt.timedelta(seconds=1)
        self.rows[key] = (self.clock, self.rows.get(key, (self.clock, 0))[1] + 1)

    def pages(self, size: int, lines: int = 0) -> Pages[dict[str, Any]]:
        return Pages(self.fetch, lambda row: row["key"], lambda row: row, size, lambda _: 1 + lines)


def table_of(stamps: list[int]) -> Table:
    return Table({key: (at(minute), 1) for key, minute in enumerate(stamps)}, clock=at(10_000))


def test_every_row_comes_once_when_nothing_moves() -> None:
    table = table_of([5] * 23)
    assert [row["key"] for row in table.pages(10).read(Window(at(0), at(10)))] == list(range(23))


def test_an_exact_multiple_of_the_page_size_ends() -> None:
    table = table_of([5] * 19)  # 10 rows, then one of overlap and nine
    assert len(table.pages(10).read(Window(at(0), at(10)))) == 19
    assert [call[1] for call in table.calls] == [0, 9, 18]


def test_each_page_begins_with_the_last_row_of_the_page_before() -> None:
    table = table_of([5] * 25)
    table.pages(10).read(Window(at(0), at(10)))
    assert [call[1:] for call in table.calls] == [(0, 10), (9, 10), (18, 10)]


def test_a_row_that_leaves_the_window_between_pages_costs_no_other_row() -> None:
    table = table_of([5] * 25)

    def edit(call: int) -> None:
        if call == 1:
            table.touch(3)

    table.before = edit
    keys = [row["key"] for row in table.pages(10).read(Window(at(0), at(10)))]
    assert keys == [key for key in range(25) if key != 3]
    assert len(table.calls) > 3, "the window was not read again"


def test_a_row_that_leaves_while_the_last_page_is_read_costs_no_other_row() -> None:
    table = table_of([5] * 15)
    table.before = lambda call: table.touch(0) if call == 1 else None
    assert [row["key"] for row in table.pages(10).read(Window(at(0), at(10)))] == list(range(1, 15))


def test_a_window_that_never_stands_still_is_halved_until_it_does() -> None:
    table = table_of(list(range(100)))
    gone: list[int] = []

    def edit(_: int) -> None:
        window = table.calls[-1][0] if table.calls else None
        if window is not None and window.lo is not None and window.hi - window.lo > dt.timedelta(minutes=40):
            key = next(
                k for k, (stamp, _) in sorted(table.rows.items()) if stamp < at(10_000) and k not in gone
            )
            gone.append(key)
            table.touch(key)

    table.before = edit
    read = [
        row["key"]
        for _, rows in Slices(table.pages(10), dt.timedelta(days=1)).walk(Window(at(0), at(200)))
        for row in rows
    ]
    assert gone
    assert set(range(100)) - set(gone) <= set(read)


def test_rows_that_always_move_end_in_an_error_that_says_so() -> None:
    table = table_of([5] * 50)
    moving = iter(range(50))
    table.before = lambda call: table.touch(next(moving)) if call else None
    with pytest.raises(MovingRowsError, match="kept changing"):
        table.pages(10).read(Window(at(0), at(10)))


def test_slices_cover_the_whole_window_without_a_gap() -> None:
    table = table_of(list(range(0, 5000, 7)))
    parts = [
        part for part, _ in Slices(table.pages(100), dt.timedelta(hours=6)).walk(Window(at(0), at(5000)))
    ]
    assert parts[0].lo == at(0)
    assert parts[-1].hi == at(5000)
    assert all(a.hi == b.lo for a, b in itertools.pairwise(parts))


def test_slices_grow_where_little_was_modified() -> None:
    table = table_of([5])
    parts = list(Slices(table.pages(100), dt.timedelta(days=1)).walk(Window(at(0), at(60 * 24 * 1000))))
    assert len(parts) < 12


def test_memory_grew_with_the_density_of_documents_that_have_many_lines() -> None:
    table = table_of(list(range(0, 3000, 3)))
    slices = Slices(table.pages(10, lines=499), dt.timedelta(days=1)).walk(Window(at(0), at(3000)))
    read = [[row["key"] for row in rows] for _, rows in slices]
    assert {key for keys in read for key in keys} == set(range(1000))
    assert max(map(len, read)) * 500 <= 20_000 + 10 * 500  # a page more, if it is the last
    assert len(table.calls) < 300


def test_a_minute_that_holds_more_rows_than_a_slice_should_is_read_all_the_same() -> None:
    table = table_of([*range(30), *[31] * 100])
    slices = Slices(table.pages(10, lines=499), dt.timedelta(days=1)).walk(Window(at(0), at(60)))
    assert {row["key"] for _, rows in slices for row in rows} == set(range(130))


def test_a_small_list_of_unknown_age_costs_one_call() -> None:
    table = table_of([1, 2, 3])
    assert [
        len(rows) for _, rows in Slices(table.pages(10), dt.timedelta(days=1)).walk(Window(None, at(10)))
    ] == [3]
    assert len(table.calls) == 1


def test_the_beginning_of_a_long_list_of_unknown_age_is_found() -> None:
    long_ago = -60 * 24 * 365 * 5
    table = table_of([*range(long_ago, long_ago + 20), *range(20)])
    rows = [
        row
        for _, rows in Slices(table.pages(10), dt.timedelta(days=30)).walk(Window(None, at(30)))
        for row in rows
    ]
    assert {row["key"] for row in rows} == set(range(40))
    assert len(table.calls) < 40


def test_a_page_that_the_server_cannot_deliver_is_asked_for_in_smaller_pieces() -> None:
    table = table_of([5] * 60)
    tops: list[int] = []

    def fetch(window: Window | None, skip: int, top: int) -> list[dict[str, Any]]:
        tops.append(top)
        if top > 30:
            raise ServerTroubleError("too much")
        return table.fetch(window, skip, top)

    pages = Pages(fetch, lambda row: row["key"], lambda row: row, 100)
    assert len(pages.read(Window(at(0), at(10)))) == 60
    assert tops[:3] == [100, 50, 25]


def test_a_server_that_cannot_even_deliver_small_pages_is_given_up() -> None:
    def fetch(_window: Window | None, _skip: int, _top: int) -> list[dict[str, Any]]:
        raise ServerTroubleError("broken")

    with pytest.raises(ServerTroubleError):
        Pages(fetch, lambda row: row["key"], lambda row: row, 100).read(None)


edits = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 45)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(stamps=st.lists(st.integers(0, 300), min_size=1, max_size=40), edits=edits, size=st.integers(2, 9))
def test_two_runs_have_every_row_in_its_last_version_whatever_changes_meanwhile(
    stamps: list[int], edits: list[tuple[int, int]], size: int
) -> None:
    """Rows are edited and added at any call of the first run; the second run is quiet."""
    table = table_of(stamps)
    pending = list(edits)

    def edit(call: int) -> None:
        for when, key in [e for e in pending if e[0] == call]:
            pending.remove((when, key))
            table.touch(key)

    held: dict[int, int] = {}

    def run(lo: dt.datetime, hi: dt.datetime) -> None:
        for _, rows in Slices(table.pages(size), dt.timedelta(minutes=50)).walk(Window(lo, hi)):
            held.update({row["key"]: row["version"] for row in rows})

    table.before = edit
    first = at(9_000)
    run(at(0), first)
    table.before = None
    run(first, table.clock)
    assert held == {key: version for key, (_, version) in table.rows.items()}


def test_iso_text_order_is_time_order() -> None:
    moments = [at(0), at(0) + dt.timedelta(microseconds=1), at(0) + dt.timedelta(milliseconds=500), at(1)]
    assert sorted(iso(moment) for moment in moments) == [iso(moment) for moment in moments]
