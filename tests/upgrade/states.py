"""What a tap must make of a STATE that an earlier version of it has left: what it makes of its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.company.world import World
    from tests.singer import SingerRun


def check_that_it_goes_on(
    world: World, run: Callable[[dict[str, Any] | None], SingerRun[Any]], state: dict[str, Any]
) -> None:
    """After life went on, the same rows are read from an old STATE as from this version's own of the same moment.

    Args:
        world: The company, as it was when the old version had read it.
        run: Runs the tap from a STATE.
        state: What the old version had left.
    """
    first = run(None)
    assert first.state["bookmarks"].keys() <= state["bookmarks"].keys()
    world.life.live(40)
    world.life.advance(60)
    expected, found = rows_of(run(first.state)), rows_of(run(state))
    for stream in {*expected, *found}:
        assert found[stream] == expected[stream], stream
    assert 0 < count(found) < count(rows_of(first))


def rows_of(run: SingerRun[Any]) -> defaultdict[str, Counter[bytes]]:
    """Stream -> its rows, and how often each came."""
    rows: defaultdict[str, Counter[bytes]] = defaultdict(Counter)
    for message in run.messages:
        if message["type"] == "RECORD":
            rows[message["stream"]][msgspec.json.encode(message["record"], order="sorted")] += 1
    return rows


def count(rows: dict[str, Counter[bytes]]) -> int:
    return sum(each.total() for each in rows.values())
