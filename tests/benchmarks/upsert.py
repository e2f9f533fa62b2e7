"""A small change to a large extract: its time beside that of the full load, and what it sends to Tableau."""

from __future__ import annotations

import contextlib
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.benchmarks import gl_lines, target
from tests.benchmarks.table import Figure
from tests.sandbox import tableau
from tests.sandbox.serving import serve
from tests.sandbox.tableau.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.benchmarks.options import Options
    from tests.benchmarks.process import Cost
    from tests.sandbox.tableau.model import Write

_SHARE = 500  # one row of so many changes: 10,000 of 5 million
_BAR = 0.05
_PROPORTION = 3.0  # bytes per changed row may be so many times the bytes per row of the whole file


def measure(options: Options) -> Sequence[Figure]:
    """Load everything, then change one row of 500, with and without a server to publish to."""
    return [*_time(options), *_bytes_sent(options)]


@contextlib.contextmanager
def tableau_server(options: Options) -> Iterator[tuple[dict[str, Any], Sequence[Write]]]:
    """The sandbox's Tableau: the settings of the target for it, and what was written there, which grows."""
    app = create_app(options.new_folder("tableau"))
    try:
        with serve(app) as url:
            yield (
                {
                    "server_url": url,
                    "site": tableau.SITE,
                    "project": tableau.PROJECT,
                    "token_name": tableau.TOKEN_NAME,
                    "token_value": tableau.TOKEN_VALUE,
                },
                app.state.writes,
            )
    finally:
        app.close()


def _changes(options: Options, share: int, edition: int) -> tuple[Path, dict[int, int]]:
    numbers = range(share // 2, options.upsert_rows, share)
    given = gl_lines.write(options.folder / f"change-{share}-{edition}.jsonl", numbers, edition)
    return given, dict.fromkeys(numbers, edition)


def _time(options: Options) -> Sequence[Figure]:
    rows = options.upsert_rows
    folder = options.new_folder("upsert")
    empty = gl_lines.write(options.folder / "nothing.jsonl", [])
    full = target.load(folder, options.lines(rows)).seconds
    upserts, starts = [], []
    changed: dict[int, int] = {}
    for edition in range(1, options.rounds + 1):
        starts.append(target.load(folder, empty).seconds)
        given, changed = _changes(options, _SHARE, edition)
        upserts.append(target.load(folder, given).seconds)
        target.check(target.extract(folder), rows, changed)
    shares = [seconds / full for seconds in upserts]
    start = median(starts)
    work = [(seconds - start) / (full - start) for seconds in upserts]
    what = f"target: upsert of {len(changed):,} rows into {rows:,}"
    return [
        Figure(
            what,
            "<= 5 % of the full load's time (moonshot 2 %)",
            f"{median(shares):.1%}",
            median(shares) <= _BAR,
            f"{median(upserts):.2f} s to {full:.2f} s",
            shares,
        ),
        Figure(
            f"{what}, without the start of the program",
            "",
            f"{median(work):.1%}",
            None,
            f"the same less {start:.2f} s, which a run without a record takes",
            work,
        ),
    ]


def _bytes_sent(options: Options) -> Sequence[Figure]:
    rows = options.upsert_rows
    folder = options.new_folder("published")
    sent: dict[int, int] = {}
    with tableau_server(options) as (settings, writes):

        def load(given: Path) -> Cost:
            return target.load(folder, given, publish_mode="auto", **settings)

        seconds = [load(options.lines(rows)).seconds]
        whole = sum(write.size for write in writes)
        for edition, share in enumerate((_SHARE, _SHARE // 10), start=1):
            before = len(writes)
            given, changed = _changes(options, share, edition)
            seconds.append(load(given).seconds)
            sent[len(changed)] = sum(write.size for write in writes[before:])
    per_row = whole / rows
    ratios = [bytes_ / changed / per_row for changed, bytes_ in sent.items()]
    told = ", ".join(f"{bytes_ / 1e6:.2f} MB for {changed:,} rows" for changed, bytes_ in sent.items())
    return [
        Figure(
            f"target: bytes sent to Tableau for a change, {rows:,} rows published",
            "in proportion to the change",
            f"{ratios[-1]:.1f} x a row's share of the file",
            ratios[-1] <= _PROPORTION,
            f"{told}; {whole / 1e6:.1f} MB for all; {seconds[1]:.2f} s and {seconds[2]:.2f} s to {seconds[0]:.2f} s",
            ratios,
        )
    ]
