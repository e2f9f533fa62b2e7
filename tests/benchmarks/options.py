"""What a measurement may be told: where it may write, how large it is, and how often it is repeated."""

from __future__ import annotations

import dataclasses
import functools
import shutil
from typing import TYPE_CHECKING

from tests.benchmarks import gl_lines

if TYPE_CHECKING:
    from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Options:
    """Sizes and places.

    Attributes:
        folder: For data, removed afterwards.
        rounds: How often each measurement is made; the median counts.
        rows: Records of the load and of the smaller memory measurement.
        memory_rows: Records of the larger memory measurement; 0 leaves it out.
        upsert_rows: Records of the extract that is changed.
        tap_rows: Ledger lines that each tap reads.
        tap_memory_rows: Ledger lines of the larger memory measurement of each tap; 0 leaves the memory out.
        latency_ms: What each page costs where waiting is measured.
        growth_rows: Sizes of the growth curve.
        end_to_end_rows: Ledger lines of all five ERPs together.
        with_peers: Whether targets of the package index are measured too.
        taps: The taps to measure; empty for all.
    """

    folder: Path
    rounds: int = 3
    rows: int = 500_000
    memory_rows: int = 0
    upsert_rows: int = 500_000
    tap_rows: int = 30_000
    tap_memory_rows: int = 0
    latency_ms: int = 200
    growth_rows: tuple[int, ...] = (20_000, 100_000)
    end_to_end_rows: int = 5_000
    with_peers: bool = False
    taps: tuple[str, ...] = ()

    def lines(self, rows: int) -> Path:
        """A file with the messages of a first load of so many ledger lines; it is made once."""
        return _lines(self.folder, rows)

    def new_folder(self, name: str) -> Path:
        """An empty folder."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


@functools.cache
def _lines(folder: Path, rows: int) -> Path:
    return gl_lines.write(folder / f"{rows}.jsonl", range(rows))
