"""Ledger lines from standard input to a verified extract, against the SDK's way and against the bare limit."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks import target
from tests.benchmarks.bare import FILE
from tests.benchmarks.process import Cost, run
from tests.benchmarks.table import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.options import Options

_PEERS = {
    "discard": ["tests.benchmarks.peers", "discard"],
    "inserter": ["tests.benchmarks.peers", "inserter"],
    "bare": ["tests.benchmarks.bare"],
}
_FASTER_THAN_SDK = 10.0
_OF_BARE = 2.0


def measure(options: Options) -> Sequence[Figure]:
    """Run the target and its peers in turn, so that each round's ratios are of one time."""
    given = options.lines(options.rows)
    costs: dict[str, list[Cost]] = {"target": [], **{name: [] for name in _PEERS}}
    for _ in range(options.rounds):
        for name, found in costs.items():
            folder = options.new_folder("full-load")
            if name == "target":
                found.append(target.load(folder, given))
                target.check(target.extract(folder), options.rows)
                continue
            found.append(run([*_PEERS[name], str(folder)], given))
            if name != "discard":
                target.check(folder / FILE, options.rows)
    ours = costs["target"]
    size = f"{options.rows:,} lines to an extract"

    def told(name: str) -> str:
        theirs = costs[name]
        return (
            f"{median(cost.seconds for cost in ours):.2f} s to {median(cost.seconds for cost in theirs):.2f} s; "
            f"CPU {median(cost.cpu_seconds for cost in ours):.2f} s to "
            f"{median(cost.cpu_seconds for cost in theirs):.2f} s"
        )

    def faster(name: str) -> list[float]:
        return [their.seconds / our.seconds for our, their in zip(ours, costs[name], strict=True)]

    discard, inserter = faster("discard"), faster("inserter")
    bare = [our.seconds / their.seconds for our, their in zip(ours, costs["bare"], strict=True)]
    return [
        Figure(
            f"target: {size}, against an SDK BatchSink that discards",
            "10 x faster (moonshot 20 x)",
            f"{median(discard):.1f} x faster",
            median(discard) >= _FASTER_THAN_SDK,
            told("discard"),
            discard,
        ),
        Figure(
            f"target: {size}, against an SDK sink with Hyper's row Inserter",
            "",
            f"{median(inserter):.1f} x faster",
            None,
            told("inserter"),
            inserter,
        ),
        Figure(
            f"target: {size}, against the bare limit",
            "<= 2.0 x its time (moonshot 1.0 x)",
            f"{median(bare):.2f} x its time",
            median(bare) <= _OF_BARE,
            told("bare"),
            bare,
        ),
    ]
