"""Backfills: months are read side by side into journals, and all of them are published as one load.

A month has a state and a folder of its own. When every month has been read, one delivery brings them into the
extracts, publishes once, and sets the bookmarks from which the company's own runs go on: the end of the last month,
so that those runs read again whatever was changed or deleted while the backfill was under way.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from orchestrate.errors import OrchestrateError
from orchestrate.guard import Job
from orchestrate.runs import GRACE_SECONDS, RunFailedError, pipeline_job, run_job
from orchestrate.states import ask_meltano, read_state, write_state
from orchestrate.tables import meltano, prepare
from target_tableau.errors import TargetTableauError
from target_tableau.journal import Journal
from target_tableau.load import ENDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from orchestrate.pipelines import Pipeline, Plan
    from orchestrate.places import Places
    from orchestrate.runs import Report, Tell

_DONE = "complete.json"
_DECEMBER = 12


@dataclasses.dataclass(frozen=True)
class Month:
    """A month of a backfill; its first day names it."""

    first: dt.date

    @classmethod
    def named(cls, name: str) -> Month:
        """The month of a name like `2024-01` or `2024-01-01`."""
        year, month, *_ = name.split("-")
        return cls(dt.date(int(year), int(month), 1))

    @property
    def name(self) -> str:
        """Its name: `2024-01`."""
        return f"{self.first:%Y-%m}"

    @property
    def following(self) -> Month:
        """The month after it."""
        first = self.first
        after = (first.year + 1, 1) if first.month == _DECEMBER else (first.year, first.month + 1)
        return Month(dt.date(*after, 1))


def months_of(pipeline: Pipeline, today: dt.date) -> list[Month]:
    """The months of a company's backfill: from the first that the file names to the last that is over."""
    if pipeline.company.backfill_from is None:
        return []
    month, months = Month.named(pipeline.company.backfill_from), []
    while month.following.first <= today:
        months.append(month)
        month = month.following
    return months


def _suffix(pipeline: Pipeline, month: Month) -> str:
    return f"{pipeline.name}.{month.name}"


def _folder(pipeline: Pipeline, places: Places, month: Month) -> Path:
    return places.backfills / pipeline.name / month.name


def read_month(pipeline: Pipeline, places: Places, month: Month, tell: Tell) -> Report:
    """Read one month into its journal. Done again, it is read anew.

    Raises:
        BusyError: The same month is being read.
        RunFailedError: It could not be read.
        ConfigError: A variable is not set.
    """
    folder = _folder(pipeline, places, month)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    extractor, loader = pipeline.extractor, pipeline.project.loader
    environment = {
        **os.environ,
        **pipeline.environment(places, os.environ, [stream.name for stream in pipeline.backfilled]),
        extractor.variable("start_date"): f"{month.first}T00:00:00Z",
        extractor.variable("end_date"): f"{month.following.first}T00:00:00Z",
        loader.variable("output_dir"): str(folder),
        loader.variable("journal_only"): "true",
        "MELTANO_SYS_DIR_ROOT": str(places.meltano_dir(_suffix(pipeline, month))),
    }
    suffix = _suffix(pipeline, month)
    run = ["run", "--full-refresh", "--state-strategy=overwrite", f"--state-id-suffix={suffix}"]
    job = Job(
        command=meltano(*run, extractor.name, loader.name),
        folder=str(places.root),
        database=places.lock_database,
        locks=[f"state {pipeline.state_id_of(suffix)}"],
        timeout_seconds=60 * (pipeline.company.timeout_minutes or 0),
        grace_seconds=GRACE_SECONDS,
    )
    prepare(places, pipeline.project.environment)
    report = run_job(job, environment, tell)
    try:
        report.bookmarks = _collected_bookmarks(folder)
    except TargetTableauError as failure:
        raise RunFailedError(f"{month.name} was read, but its journal cannot be: {failure}") from failure
    (folder / _DONE).write_text(json.dumps(report.bookmarks), encoding="utf-8")
    return report


def _collected_bookmarks(folder: Path) -> dict[str, Any]:
    """The bookmarks of the last load that a month has collected; none of an empty month."""
    bookmarks: dict[str, Any] = {}
    root = folder / "journal"
    for each in sorted(root.glob("*")):
        ending = Journal(root, each.name).read_json(ENDING) or {}
        bookmarks = (ending.get("state") or {}).get("bookmarks") or bookmarks
    return bookmarks


def missing_months(pipeline: Pipeline, places: Places, months: Iterable[Month]) -> list[Month]:
    """Months that have not been read to their end."""
    return [month for month in months if not (_folder(pipeline, places, month) / _DONE).exists()]


def deliver(plan: Plan, pipeline: Pipeline, places: Places, tell: Tell) -> Report:
    """Publish what the months have brought, and let the company's own runs go on from there.

    Raises:
        OrchestrateError: A month is missing.
        BusyError: A run of the company did not end in time.
        RunFailedError: It did not work; extracts, published data and bookmarks are as before.
    """
    months = months_of(pipeline, dt.datetime.now(dt.UTC).date())
    if missing := missing_months(pipeline, places, months):
        names = ", ".join(month.name for month in missing)
        raise OrchestrateError(f"The backfill of '{pipeline.name}' lacks {names}: read these months first.")
    command = [sys.executable, "-m", "orchestrate", "deliver", pipeline.name]
    job = pipeline_job(plan, pipeline, places, command)
    environment = {**os.environ, **places.variables, **pipeline.environment(places, os.environ)}
    return run_job(job, environment, tell)


def deliver_under_locks(pipeline: Pipeline, places: Places) -> list[str]:
    """What `deliver` does when it holds the company's locks.

    Raises:
        OrchestrateError: It did not work.
    """
    months = months_of(pipeline, dt.datetime.now(dt.UTC).date())
    folders = [_folder(pipeline, places, month) for month in months]
    loader = pipeline.project.loader.name
    filled = [str(folder) for folder in folders if (folder / "journal").is_dir()]
    told = ask_meltano(pipeline, places, "invoke", f"{loader}:deliver", *filled).stdout if filled else ""
    reached: dict[str, Any] = {}
    for folder in folders:
        of_month = json.loads((folder / _DONE).read_text(encoding="utf-8"))
        reached |= {stream: bookmark for stream, bookmark in of_month.items() if _values(bookmark)}
    live = read_state(pipeline, places, pipeline.name)
    bookmarks = going_on(live.get("bookmarks") or {}, reached)
    write_state(pipeline, places, pipeline.name, {**live, "bookmarks": bookmarks})
    for folder in folders:
        shutil.rmtree(folder)
    return [*told.splitlines(), f"{len(months)} months are delivered; {pipeline.name} goes on behind them."]


def going_on(live: Mapping[str, Any], reached: Mapping[str, Any]) -> dict[str, Any]:
    """The bookmarks of the company's own runs after a backfill.

    A stream goes on from the end of the backfill, unless its own bookmark stands before that: what lies between was
    not read by anybody then.
    """
    bookmarks = dict(live)
    for stream, bookmark in reached.items():
        own = _values(live.get(stream) or {})
        if not own or min(own) > min(_values(bookmark)):
            bookmarks[stream] = bookmark
    return bookmarks


def _values(bookmark: Mapping[str, Any]) -> list[str]:
    """The bookmark's replication values; several where every company or division has its own."""
    parts = [bookmark, *(bookmark.get("partitions") or ())]
    values = [part.get("replication_key_value") for part in parts]
    return [str(value) for value in values if value is not None]
