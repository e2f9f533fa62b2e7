"""`python -m tests.benchmarks`: measures, and prints one table.

Every figure is a ratio of things measured in the same run, or a size; seconds are told only for orientation. A part
is a module with `measure(options)`; to add one, name it in `PARTS`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import full_load, memory, table, upsert
from tests.benchmarks.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PARTS: dict[str, Callable[[Options], Sequence[table.Figure]]] = {
    "full-load": full_load.measure,
    "memory": memory.measure,
    "upsert": upsert.measure,
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
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        options = Options(Path(folder), chosen.rounds, chosen.rows, chosen.memory_rows, chosen.upsert_rows)
        figures = [figure for part in chosen.parts or PARTS for figure in PARTS[part](options)]
    sys.stdout.write(f"{table.markdown(figures)}\n\n{table.machine()}; medians of {chosen.rounds} rounds\n")
    if chosen.json:
        chosen.json.write_text(table.as_json(figures, chosen.rounds), encoding="utf-8")
    return int(any(figure.holds is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
