"""The most anonymous memory that the target and its engine hold together while they load."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks import target
from tests.benchmarks.table import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.options import Options

_BAR = 500
_MEGABYTE = 1e6


def measure(options: Options) -> Sequence[Figure]:
    """Load the smaller and, if wanted, the larger file; watching costs time, so these runs are not timed."""
    figures = []
    for rows in filter(None, (options.rows, options.memory_rows)):
        given = options.lines(rows)
        peaks = []
        for _ in range(options.rounds):
            folder = options.new_folder("memory")
            peaks.append(target.load(folder, given, watch_memory=True).peak_bytes / _MEGABYTE)
            target.check(target.extract(folder), rows)
        figures.append(
            Figure(
                f"target: peak anonymous memory, {rows:,} lines",
                "< 500 MB, flat (moonshot 300 MB)",
                f"{median(peaks):.0f} MB",
                median(peaks) < _BAR,
                "target and hyperd together, sampled every 20 ms",
                peaks,
            )
        )
    return figures
