"""How long a backfill of 24 months takes with 1, 2 and 4 workers when every page of the ERP takes 200 ms.

`python -m tests.orchestrate.measure` prints a table: wall time, runs per hour, and where the time goes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestrate.backfill import Month, deliver, months_of, read_month
from orchestrate.definitions import plan_of
from tests.orchestrate.fleet import Fleet
from tests.sandbox.faults import Fault

_MONTHS = 24
_FOR_EVER = 10**9


def _quiet(_: int, __: str) -> None:
    """Nobody reads the log of a measurement."""


def _first_month(today: dt.date, months: int) -> str:
    number = today.year * 12 + today.month - 1 - months
    return f"{number // 12}-{number % 12 + 1:02}"


def measure(workers: int, *, months: int, bills: int, latency: float) -> str:
    """Backfill one company with so many workers and return a line of the table."""
    today = dt.datetime.now(dt.UTC).date()
    with tempfile.TemporaryDirectory() as folder, Fleet(Path(folder)) as fleet:
        site = fleet.add("acumatica", bills=bills, backfill_from=_first_month(today, months))
        site.app.switches.seat_limit = 2 * workers
        plan, places = plan_of(
            {
                "ORCHESTRATE_COMPANIES": str(fleet.write()),
                "ORCHESTRATE_WORK_DIR": f"{folder}/work",
                "MELTANO_PROJECT_ROOT": folder,
            }
        )
        pipeline = plan.pipelines[site.companies[0]]

        def read(month: Month) -> None:
            read_month(pipeline, places, month, _quiet)

        wanted = months_of(pipeline, today)
        site.app.script.add(Fault(".", delay=latency, times=_FOR_EVER))
        before, began = _cpu(), time.monotonic()
        with ThreadPoolExecutor(workers) as side_by_side:
            list(side_by_side.map(read, wanted))
        reading = time.monotonic() - began
        cpu, calls = _cpu() - before, len(site.app.script.calls)
        deliver(plan, pipeline, places, _quiet)
        whole = time.monotonic() - began
    count = len(wanted)
    return (
        f"{workers:>7}  {whole:>7.0f} s  {reading:>7.0f} s  {whole - reading:>7.0f} s  {count / reading * 3600:>9.0f}"
        f"  {cpu / count:>9.1f} s  {calls * latency / count:>9.1f} s"
    )


def _cpu() -> float:
    """CPU seconds of the processes that have ended and were waited for: the workers' and all that they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--months", type=int, default=_MONTHS)
    parser.add_argument("--bills", type=int, default=240, help="size of the company")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds per call of the ERP")
    options = parser.parse_args()
    sys.stdout.write(
        f"{options.months} months, {options.latency * 1000:.0f} ms per call, {os.cpu_count()} cores\n"
    )
    sys.stdout.write("workers      wall    reading    publish  runs/hour    CPU/run  waiting/run\n")
    for workers in options.workers:
        line = measure(workers, months=options.months, bills=options.bills, latency=options.latency)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
