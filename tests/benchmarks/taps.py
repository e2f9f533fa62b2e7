"""The taps: records per CPU second, overlap of waiting and work, calls, memory."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.benchmarks.reading import SETTINGS, TAPE
from tests.benchmarks.recordings import read, recorded, told
from tests.benchmarks.table import Figure
from tests.benchmarks.tape import SlowServer, answers
from tests.sandbox.serving import serve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.erps import Erp
    from tests.benchmarks.options import Options

_FASTER_THAN_SDK = 2.5
_INTACCT_ROWS_PER_SECOND = 30_000
_OF_LATENCY = 1.15
_CALLS_BESIDE = 5
_GROWTH = 1.2
_MEGABYTE = 1e6


def speed(options: Options) -> Sequence[Figure]:
    """Read by the tap and by the SDK's default path in turn.

    Raises:
        RuntimeError: They do not emit the same number of records, so what was measured is worth nothing.
    """
    figures = []
    for erp, folder in recorded(options, options.tap_rows):
        ours, default = [], []
        for _ in range(options.rounds):
            mine, theirs = read("tap", erp, folder)[0], read("default", erp, folder)[0]
            if not mine.records == theirs.records > 0:
                raise RuntimeError(f"{erp.tap} emits {mine.records} records, the SDK {theirs.records}")
            ours.append(mine.records / mine.cpu_seconds)
            default.append(theirs.records / theirs.cpu_seconds)
        ratios = [mine / theirs for mine, theirs in zip(ours, default, strict=True)]
        rows = read("tap", erp, folder)[0].records
        figures.append(
            Figure(
                f"{erp.tap}: {rows:,} ledger lines emitted per CPU second, against the SDK's default path",
                "2.5 x (moonshot 4 x)",
                f"{median(ratios):.1f} x",
                median(ratios) >= _FASTER_THAN_SDK,
                f"{median(ours):,.0f} to {median(default):,.0f} records per CPU second",
                ratios,
            )
        )
        if erp.tap == "tap-sage-intacct":
            figures.append(
                Figure(
                    f"{erp.tap}: ledger lines per CPU second, from XML",
                    f"{_INTACCT_ROWS_PER_SECOND:,} or more",
                    f"{median(ours):,.0f}",
                    median(ours) >= _INTACCT_ROWS_PER_SECOND,
                    "absolute, so it depends on the machine",
                    ours,
                )
            )
    return figures


def latency(options: Options) -> Sequence[Figure]:
    """Read from a server that answers as the sandbox did, but takes its time."""
    figures = []
    wait = options.latency_ms / 1000
    for erp, folder in recorded(options, options.tap_rows):
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        port = urlsplit(settings[erp.address]).port or 0
        shares, spent, calls = [], [], 0
        for _ in range(options.rounds):
            server = SlowServer(folder / TAPE, wait)
            with serve(server, port):
                seconds = read("live", erp, folder)[0].seconds
            calls = server.calls
            spent.append(seconds)
            shares.append(seconds / (calls * wait))
        figures.append(
            Figure(
                f"{erp.tap}: wall time when each of {calls} calls takes {options.latency_ms} ms",
                "<= 1.15 x calls x latency (moonshot 1.05 x)",
                f"{median(shares):.2f} x",
                median(shares) <= _OF_LATENCY,
                f"{median(spent):.1f} s to {calls * wait:.1f} s",
                shares,
            )
        )
    return figures


def calls(options: Options) -> Sequence[Figure]:
    """Count the requests that reached the sandbox."""
    figures = []
    for erp, folder in recorded(options, options.tap_rows):
        made = told("record", folder)
        headers = _headers(erp, folder)
        allowed = -(-made.records // erp.page) + _CALLS_BESIDE
        bar, rows = "rows / page limit + 5", f"{made.records:,} ledger lines"
        if headers:
            allowed += -(-headers // erp.page) + _CALLS_BESIDE
            bar, rows = f"{bar} for each of two streams", f"{rows} and {headers:,} batches"
        figures.append(
            Figure(
                f"{erp.tap}: API calls for {rows}",
                f"{bar} = {allowed}",
                str(made.calls),
                made.calls <= allowed,
                f"{erp.page:,} rows a page; sign-in and sign-out counted",
                [made.calls],
            )
        )
    return figures


def _headers(erp: Erp, folder: Path) -> int:
    """How many rows were read to find the lines."""
    return sum(answer.body.count(erp.headers) for answer in answers(folder / TAPE)) if erp.headers else 0


def memory(options: Options) -> Sequence[Figure]:
    """Compare the peak of a read of a fifth of the rows with that of all."""
    figures = []
    sizes = (options.tap_memory_rows // 5, options.tap_memory_rows) if options.tap_memory_rows else ()
    peaks: dict[str, list[float]] = {}
    rows: dict[str, int] = {}
    for size in sizes:
        for erp, folder in recorded(options, size):
            reading, cost = read("tap", erp, folder, watch_memory=True)
            peaks.setdefault(erp.tap, []).append(cost.peak_bytes / _MEGABYTE)
            rows[erp.tap] = reading.records
    for tap, (less, more) in peaks.items():
        figures.append(
            Figure(
                f"{tap}: peak anonymous memory, {rows[tap]:,} ledger lines",
                "flat",
                f"{more:.0f} MB",
                more <= less * _GROWTH,
                f"{less:.0f} MB for a fifth of them; sampled every 20 ms",
                [less, more],
            )
        )
    return figures
