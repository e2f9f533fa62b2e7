"""How the target's times grow with the rows: a full load, a change of one row in a hundred, and its publication."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks import gl_lines, target
from tests.benchmarks.table import Figure
from tests.benchmarks.upsert import tableau_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.options import Options

_SHARE = 100
_STEPS = ("full load", "upsert of 1 %", "upsert of 1 %, published by update")


def measure(options: Options) -> Sequence[Figure]:
    """Measure every size; one row a figure, so that the lines of a table are a curve."""
    seconds = {rows: _seconds(options, rows) for rows in options.growth_rows}
    smallest = min(seconds, default=0)
    return [
        Figure(
            f"target: {step}, {rows:,} lines",
            "",
            f"{found[place]:.2f} s",
            None,
            f"{rows / smallest:g} x the rows in {found[place] / seconds[smallest][place]:.1f} x the time",
            [found[place]],
        )
        for place, step in enumerate(_STEPS)
        for rows, found in sorted(seconds.items())
    ]


def _seconds(options: Options, rows: int) -> list[float]:
    """Of each step, the median."""
    numbers = range(_SHARE // 2, rows, _SHARE)
    folder = options.new_folder("growth")
    full, upserts, published = [], [], []
    for _ in range(options.rounds):
        folder = options.new_folder("growth")
        full.append(target.load(folder, options.lines(rows)).seconds)
        target.check(target.extract(folder), rows)
    for edition in range(1, options.rounds + 1):
        given = gl_lines.write(options.folder / "growth.jsonl", numbers, edition)
        upserts.append(target.load(folder, given).seconds)
        target.check(target.extract(folder), rows, dict.fromkeys(numbers, edition))
    with tableau_server(options) as (settings, _):
        folder = options.new_folder("growth")
        target.load(folder, options.lines(rows), publish_mode="auto", **settings)
        for edition in range(1, options.rounds + 1):
            given = gl_lines.write(options.folder / "growth.jsonl", numbers, edition)
            published.append(target.load(folder, given, publish_mode="auto", **settings).seconds)
    return [median(full), median(upserts), median(published)]
