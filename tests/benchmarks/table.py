"""The figures, the machine they were measured on, and how both are printed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGES = ("singer-sdk", "pyarrow", "tableauhyperapi", "msgspec")


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        what: What was measured, with its size.
        bar: What it must be, in words; empty where nothing is asked.
        measured: The median.
        holds: Whether the bar holds; None without a bar.
        how: What the figure is made of.
        values: The single measurements, for the JSON file.
    """

    what: str
    bar: str
    measured: str
    holds: bool | None
    how: str
    values: Sequence[float] = ()


def markdown(figures: Sequence[Figure]) -> str:
    """All figures as a Markdown table."""
    words = {True: "yes", False: "NO", None: ""}
    rows = [
        ["what", "bar", "measured", "holds", "from"],
        *(
            [
                cell.replace("|", "\\|")
                for cell in (figure.what, figure.bar, figure.measured, words[figure.holds], figure.how)
            ]
            for figure in figures
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def machine() -> str:
    """Processor, memory, system and versions, in one line."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    memory = round(psutil.virtual_memory().total / 2**30)
    return (
        f"{_processor()}, {os.cpu_count()} logical processors, {memory} GiB; {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}; {versions}"
    )


def keep(path: Path, part: str, figures: Sequence[Figure], rounds: int) -> None:
    """Write the figures of a part to a file, beside those of other parts that it holds already."""
    parts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    parts[part] = {
        "measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "rounds": rounds,
        "figures": [dataclasses.asdict(figure) for figure in figures],
    }
    path.write_text(json.dumps(parts, indent=2) + "\n", encoding="utf-8")


def kept(path: Path) -> str:
    """The table of what a file holds, and below it where that was measured."""
    found = list(json.loads(path.read_text(encoding="utf-8")).values())
    figures = [Figure(**figure) for part in found for figure in part["figures"]]
    machines = sorted({part["machine"] for part in found})
    days = sorted({part["measured_at"][:10] for part in found})
    rounds = sorted({str(part["rounds"]) for part in found})
    told = f"Measured {_span(days)} on {' and on '.join(machines)}; medians of {_span(rounds)} rounds."
    return f"{markdown(figures)}\n\n{told}\n"


def _span(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or "unknown processor"
