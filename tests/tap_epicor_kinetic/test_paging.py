"""Walks over sets that change under them, on thousands of made-up courses."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_epicor_kinetic.errors import RefusedError, WrongRowsError
from tap_epicor_kinetic.paging import Calls, Keyset, Offset, Page, PageLength

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_epicor_kinetic.client import Params

Row = dict[str, Any]
_BOUNDS = re.compile(r"N (gt|le) (\d+)")


@dataclasses.dataclass
class Table:
    """A set as the server keeps it: every write takes the next number."""

    numbers: dict[int, int]  # key -> number
    counter: int
    cap: int = 100
    before: Callable[[int], None] | None = None
    asked: list[Params] = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, size: int, cap: int = 100) -> Table:
        return cls({key: key + 1 for key in range(size)}, size, cap)

    def touch(self, key: int) -> None:
        self.counter += 1
        self.numbers[key] = self.counter

    def fetch(self, params: Params) -> Page:
        if self.before is not None:
            self.before(len(self.asked))
        self.asked.append(params)
        bounds = dict(_BOUNDS.findall(str(params.get("$filter", ""))))
        rows: list[Row] = [
            {"K": key, "N": number, "SysRowID": f"id{key}"}
            for key, number in self.numbers.items()
            if int(bounds.get("gt", 0)) < number <= int(bounds.get("le", 10**18))
        ]
        rows.sort(key=lambda row: row["N"], reverse="desc" in str(params.get("$orderby")))
        count = len(rows) if params.get("$count") else None
        return Page(rows[: min(int(str(params["$top"])), self.cap)], count=count)

    def follow(self, link: str) -> Page:
        raise AssertionError(link)

    def keyset(self, size: int = 100, length: PageLength | None = None) -> Keyset:
        return Keyset(Calls(self.fetch, self.follow, size), "N", length or PageLength())


def walked(keyset: Keyset, after: int = 0, bookmark: int | None = None) -> list[Row]:
    return [row for page in keyset.walk(after, bookmark) for row in page]


@pytest.mark.parametrize(
    ("size", "cap", "top"), [(0, 100, 100), (1, 1, 1), (99, 10, 500), (100, 100, 100), (101, 100, 1000)]
)
def test_every_row_comes_once_whatever_the_cap(size: int, cap: int, top: int) -> None:
    table = Table.of(size, cap)
    assert [row["K"] for row in walked(table.keyset(top))] == list(range(size))
    assert len(table.asked) <= -(-size // min(cap, top)) + 2


def test_a_short_page_that_reaches_the_bookmark_ends_the_walk_where_the_cap_is_proven() -> None:
    length = PageLength()
    first = Table.of(250)
    walked(first.keyset(length=length))
    assert length.proven == 100
    table = Table.of(250)
    assert [row["N"] for row in walked(table.keyset(length=length), 240, 250)] == list(range(241, 251))
    assert len(table.asked) == 1


def test_a_short_page_below_the_bookmark_is_not_taken_for_the_last() -> None:
    """The bookmark's own row was not among them, so the server may have cut the page."""
    table = Table.of(250, cap=10)
    length = PageLength(100)
    found = walked(table.keyset(length=length), 200, 250)
    assert [row["N"] for row in found] == list(range(201, 251))


def test_a_page_length_is_proven_by_the_rows_that_follow_alone() -> None:
    length = PageLength()
    walked(Table.of(30).keyset(length=length))
    assert length.proven == 0
    assert length.is_cut(1)


@given(
    size=st.integers(0, 60),
    cap=st.integers(1, 20),
    changes=st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(["touch", "delete", "add"]), st.integers(0, 70)),
        max_size=25,
    ),
)
@settings(max_examples=150, deadline=None)
def test_no_row_is_lost_whatever_changes_between_the_pages(
    size: int, cap: int, changes: list[tuple[int, str, int]]
) -> None:
    table = Table.of(size, cap)

    def change(call: int) -> None:
        for when, what, key in changes:
            if when == call and what == "delete":
                table.numbers.pop(key, None)
            elif when == call and (what == "add" or key in table.numbers):
                table.touch(key)

    table.before = change
    held: dict[int, int] = {}
    first = walked(table.keyset(7))
    held.update({row["K"]: row["N"] for row in first})
    bookmark = max((row["N"] for row in first), default=0)
    table.before = None
    second = walked(table.keyset(7), max(bookmark - 1, 0))
    held.update({row["K"]: row["N"] for row in second})
    assert {key: held.get(key) for key in table.numbers} == table.numbers
    assert len(table.asked) < 250


def test_rows_without_the_number_are_an_error_that_names_it() -> None:
    calls = Calls(lambda _: Page([{"K": 1}]), lambda _: Page([]), 10)
    with pytest.raises(WrongRowsError, match="without N"):
        walked(Keyset(calls, "N", PageLength()))


def test_two_rows_with_one_number_are_an_error_that_says_what_to_do() -> None:
    calls = Calls(lambda _: Page([{"N": 5}, {"N": "5"}]), lambda _: Page([]), 10)
    with pytest.raises(WrongRowsError, match=r"must be unique.*paging by offset"):
        walked(Keyset(calls, "N", PageLength()))


# by skip ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Listing:
    """A set that is read by skip."""

    rows: list[Row]
    cap: int = 10
    skips: bool = True
    counts: bool = True
    before: Callable[[int], object] | None = None
    calls: int = 0

    def fetch(self, params: Params) -> Page:
        if self.before is not None:
            self.before(self.calls)
        self.calls += 1
        if params.get("$count") and not self.counts:
            raise RefusedError("$count is not supported")
        skip = int(str(params.get("$skip", 0))) if self.skips else 0
        page = self.rows[skip : skip + min(int(str(params["$top"])), self.cap)]
        numbered = [{**row, "RowIdent": place} for place, row in enumerate(page)]
        return Page(numbered, count=len(self.rows) if params.get("$count") else None)

    def offset(self, *, size: int = 10, once: bool = False, keys: tuple[str, ...] = ("K",)) -> Offset:
        return Offset(Calls(self.fetch, lambda _: Page([]), size), keys, keys, once=once)


def listing(size: int, **more: Any) -> Listing:
    return Listing([{"K": key} for key in range(size)], **more)


@pytest.mark.parametrize("size", [0, 1, 2, 9, 10, 11, 19, 20, 28, 29])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("keys", [("K",), ()])
def test_a_set_without_a_number_is_read_whole_by_skip(size: int, counts: bool, keys: tuple[str, ...]) -> None:  # noqa: FBT001 - a parameter
    table = listing(size, counts=counts)
    assert [row["K"] for row in table.offset(keys=keys).read()] == list(range(size))


def test_a_set_that_fits_one_page_costs_one_call() -> None:
    table = listing(7)
    table.offset().read()
    assert table.calls == 1


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_that_ignores_skip_is_an_error_and_never_a_loop(counts: bool) -> None:  # noqa: FBT001 - a parameter
    table = listing(25, skips=False, counts=counts)
    with pytest.raises(WrongRowsError, match=r"ignores \$skip.*only 10 of"):
        table.offset().read()
    assert table.calls <= 4


def test_one_call_and_no_more_is_an_error_when_there_are_more_rows() -> None:
    with pytest.raises(WrongRowsError, match="only 10 of 25"):
        listing(25).offset(once=True).read()
    assert len(listing(10).offset(once=True).read()) == 10


def test_rows_that_move_while_they_are_read_are_read_again() -> None:
    table = listing(25)
    table.before = lambda call: table.rows.pop(0) if call == 1 else None
    assert [row["K"] for row in table.offset().read()] == list(range(1, 25))
    table = listing(25)
    table.before = lambda call: table.rows.insert(0, {"K": -1 - call})
    with pytest.raises(WrongRowsError, match="kept changing"):
        table.offset().read()


def test_links_lead_through_a_set_to_its_end() -> None:
    pages = {"": Page([{"K": 1}], "b"), "b": Page([{"K": 2}], "c"), "c": Page([{"K": 3}])}
    offset = Offset(Calls(lambda _: pages[""], lambda link: pages[link], 10), ("K",), ("K",))
    assert [row["K"] for row in offset.read()] == [1, 2, 3]
