"""Runs the taps on recorded answers, each time in a process of its own."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.erps import ERPS
from tests.benchmarks.process import Cost, run
from tests.benchmarks.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.erps import Erp
    from tests.benchmarks.options import Options

_NOTHING = Path(os.devnull)


def recorded(options: Options, rows: int) -> Iterator[tuple[Erp, Path]]:
    """Each ERP with a folder that holds what the sandbox answers to a read of about so many lines; made once."""
    for erp in ERPS:
        if not options.taps or erp.tap in options.taps:
            yield erp, _recording(options.folder, erp, rows)


@functools.cache
def _recording(root: Path, erp: Erp, rows: int) -> Path:
    folder = root / f"{erp.tap}-{rows}"
    folder.mkdir()
    run(["tests.benchmarks.recorder", erp.tap, str(folder), str(rows)], _NOTHING)
    return folder


def read(how: str, erp: Erp, folder: Path, *, watch_memory: bool = False) -> tuple[Reading, Cost]:
    """Read once, see `tests.benchmarks.reading`; returns what the reading cost, and the whole process."""
    arguments = ["tests.benchmarks.reading", how, erp.tap, str(folder)]
    cost = run(arguments, _NOTHING, watch_memory=watch_memory)
    return told(how, folder), cost


def told(how: str, folder: Path) -> Reading:
    """What a reading cost."""
    return Reading(**json.loads((folder / f"{how}.json").read_text(encoding="utf-8")))
