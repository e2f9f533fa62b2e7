"""The next page is asked for while the present one is read; what that may not change, it does not change."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_sage_intacct.envelope import NotXmlError, Reply, read_reply
from tap_sage_intacct.errors import RefusedError
from tap_sage_intacct.paging import Pages
from tap_sage_intacct.streams.rows import RowList
from tap_sage_intacct.walks import GroupWalk, OffsetWalk, UniqueWalk, Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_sage_intacct.envelope import Node
    from tap_sage_intacct.records import Run

LONG_SECONDS = 10


def page(rows: Sequence[int], left: int, read: Callable[[], None] = lambda: None) -> Reply[RowList]:
    """A page that is not read yet."""
    made = RowList({"recordno": str(row)} for row in rows)

    def unread() -> RowList:
        read()
        return made

    return Reply(last=RowList(made[-1:]), unread=unread, count=len(rows), total=9, remaining=left)


def numbers(pages: Iterable[RowList]) -> list[int]:
    return [int(row["recordno"]) for rows in pages for row in rows]


class Gateway:
    """Gives pages in turn, and notes what is asked for.

    Attributes:
        asked: The conditions of each question.
        begun: Set as often as something is asked.
    """

    def __init__(self, *answers: Reply[RowList] | Exception) -> None:
        self._answers = iter(answers)
        self.asked: list[Sequence[Node]] = []
        self.later: list[bool] = []
        self.begun = [threading.Event() for _ in range(9)]

    def fetch(
        self,
        conditions: Sequence[Node],
        order: Sequence[str],
        offset: int,
        size: int,
        patient: bool,  # noqa: FBT001
        *,
        later: bool,
    ) -> Reply[RowList]:
        assert (order, offset, patient) == (("RECORDNO",), 0, False)
        assert size == 3
        self.asked.append(conditions)
        self.later.append(later)
        self.begun[len(self.asked) - 1].set()
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pages(self) -> Iterable[RowList]:
        return Pages(self.fetch, 3).walk([], UniqueWalk("RECORDNO", "recordno"))


def test_the_next_page_is_on_its_way_while_a_page_is_read_and_none_is_asked_for_in_vain() -> None:
    overlapped = []

    def wait_for(place: int) -> Callable[[], None]:
        return lambda: overlapped.append(gateway.begun[place].wait(LONG_SECONDS))

    gateway = Gateway(page([1, 2, 3], 4, wait_for(1)), page([4, 5, 6], 1, wait_for(2)), page([7], 0))
    assert numbers(gateway.pages()) == [1, 2, 3, 4, 5, 6, 7]
    assert overlapped == [True, True]
    assert len(gateway.asked) == 3


def test_without_a_count_of_what_is_left_nothing_is_asked_for_ahead() -> None:
    def read_alone() -> None:
        assert len(gateway.asked) == 1

    first = page([1, 2, 3], 1, read_alone)
    first.remaining = None
    gateway = Gateway(first, page([4], 0))
    assert numbers(gateway.pages()) == [1, 2, 3, 4]
    assert len(gateway.asked) == 2


def test_a_page_that_turns_out_to_be_none_is_asked_for_again_and_costs_no_row() -> None:
    def broken() -> None:
        raise NotXmlError("half a record")

    whole = page([1, 2, 3], 2)
    whole.read()
    gateway = Gateway(page([1, 2, 3], 2, broken), page([4, 5], 0), whole, page([4, 5], 0))
    found: list[int] = []
    for rows in gateway.pages():
        found += numbers([rows])
    assert found == [1, 2, 3, 4, 5]
    assert [not conditions for conditions in gateway.asked] == [True, False, True, False]
    assert gateway.later == [True, True, False, True]


def test_what_fails_ahead_fails_where_it_is_needed_and_the_page_before_is_not_lost() -> None:
    pages = iter(Gateway(page([1, 2, 3], 2), RefusedError("no")).pages())
    assert numbers([next(pages)]) == [1, 2, 3]
    with pytest.raises(RefusedError, match="no"):
        next(pages)


@given(
    values=st.lists(st.integers(1, 4), min_size=1, max_size=30).map(sorted),
    size=st.integers(1, 5),
    kind=st.sampled_from(["unique", "group", "offset"]),
)
def test_what_is_asked_for_ahead_is_what_is_asked_for_behind_the_page(
    values: list[int], size: int, kind: str
) -> None:
    rows = [{"recordno": str(number), "batch": str(value)} for number, value in enumerate(values)]
    walks: dict[str, Callable[[], Walk]] = {
        "unique": lambda: UniqueWalk("RECORDNO", "recordno"),
        "group": lambda: GroupWalk("BATCH", "batch", "RECORDNO", ("recordno",)),
        "offset": lambda: OffsetWalk(["RECORDNO"]),
    }
    walk = walks[kind]()
    found: list[Any] = []
    for _ in itertools.repeat(None, 100):
        left = [row for row in rows if fits(row, walk)][walk.offset :]
        reply: Reply[RowList] = Reply(total=len(rows))
        reply.rows = RowList(left[:size])
        ahead = walk.ahead(RowList(reply.rows[-1:]), len(reply.rows))
        found += walk.take(reply)
        assert ahead == walk.step
        if len(left) <= size:
            break
    assert found == rows


def fits(row: dict[str, str], walk: Walk) -> bool:
    if isinstance(walk, UniqueWalk):
        return walk.position is None or int(row["recordno"]) > int(walk.position)
    return walk.position is None or row["batch"] >= walk.position


class Numbers:
    """Reads the first text of records."""

    def read(self, runs: Iterable[Run]) -> list[str]:
        return [
            str(text)
            for run in runs
            for text in (*(t[0].decode() for t in run.plain), *(t[0] for t in run.parsed))
        ]


def test_the_last_record_is_known_before_the_others_are_read() -> None:
    def answer(inside: str) -> bytes:
        return (
            "<response><control><status>success</status></control><operation><result><status>success</status>"
            f'<data count="3" numremaining="7">{inside}</data></result></operation></response>'
        ).encode()

    records = [f"<A><N>{number}</N></A>" for number in range(3)]
    reply = read_reply(answer("".join(records)), "A", Numbers(), later=True)
    assert (reply.last, reply.count, reply.remaining) == (["2"], 3, 7)
    reply.read()
    assert reply.rows == ["0", "1", "2"]
    broken = read_reply(answer(f"{records[0]}<A><N>& </N></A><B>{records[2]}"), "A", Numbers(), later=True)
    assert broken.last == ["2"]
    with pytest.raises(NotXmlError):
        broken.read()
    unusual = read_reply(answer(f"{records[0]}\n{records[1]}"), "a", Numbers(), later=True)
    assert unusual.last is None
    assert unusual.rows == ["0", "1"]
