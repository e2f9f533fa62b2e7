"""`python -m tests.benchmarks`: measures, and prints one table.

Every figure is a ratio of things measured in the same run, or a size; seconds are told only for orientation. A part
is a module with `measure(options)`; to add one, name it in `PARTS`.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import full_load, growth, index_peers, memory, pipeline, table, taps, upsert
from tests.benchmarks.erps import BY_TAP
from tests.benchmarks.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PARTS: dict[str, Callable[[Options], Sequence[table.Figure]]] = {
    "full-load": full_load.measure,
    "memory": memory.measure,
    "upsert": upsert.measure,
    "taps": taps.speed,
    "latency": taps.latency,
    "calls": taps.calls,
    "tap-memory": taps.memory,
    "growth": growth.measure,
    "start-up": pipeline.start_up,
    "end-to-end": pipeline.end_to_end,
    "peers": index_peers.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for.

    Returns:
        1 if a bar does not hold, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="parts to measure; by default all")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; medians are told")
    parser.add_argument("--rows", type=int, default=500_000, help="records of a full load")
    parser.add_argument(
        "--memory-rows", type=int, default=0, help="also measure the memory of so many records"
    )
    parser.add_argument(
        "--upsert-rows", type=int, default=500_000, help="rows of the extract that is changed"
    )
    parser.add_argument("--tap-rows", type=int, default=30_000, help="ledger lines that each tap reads")
    parser.add_argument(
        "--tap-memory-rows", type=int, default=0, help="also measure each tap's memory over so many lines"
    )
    parser.add_argument("--latency-ms", type=int, default=200, help="what each page costs in `latency`")
    parser.add_argument(
        "--growth-rows", type=int, nargs="+", default=(20_000, 100_000), help="sizes of the growth curve"
    )
    parser.add_argument(
        "--end-to-end-rows", type=int, default=5_000, help="ledger lines of all five ERPs together"
    )
    parser.add_argument(
        "--peers", dest="with_peers", action="store_true", help="measure targets of the package index too"
    )
    parser.add_argument("--taps", nargs="+", default=(), choices=BY_TAP, help="only these taps")
    parser.add_argument("--json", type=Path, help="keep the figures of each part in this file")
    chosen = parser.parse_args(arguments)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # commands start as installed ones do: compiled
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        sizes = {field.name: getattr(chosen, field.name) for field in dataclasses.fields(Options)[1:]}
        options = Options(
            Path(folder), **{**sizes, "taps": tuple(chosen.taps), "growth_rows": tuple(chosen.growth_rows)}
        )
        figures: list[table.Figure] = []
        for part in chosen.parts or PARTS:
            found = PARTS[part](options)
            figures += found
            if chosen.json and found:
                table.keep(chosen.json, part, found, chosen.rounds)
    sys.stdout.write(f"{table.markdown(figures)}\n\n{table.machine()}; medians of {chosen.rounds} rounds\n")
    return int(any(figure.holds is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
