"""One `meltano run`, under its locks, and what its log and the load ledger tell of it."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import logging
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import msgspec

from orchestrate.errors import OrchestrateError
from orchestrate.guard import BUSY, EVENT, LOCKED, TIMED_OUT, Job
from orchestrate.tables import meltano, prepare
from target_tableau.errors import TargetTableauError
from target_tableau.journal import Journal
from target_tableau.ledger import Ledger
from target_tableau.load import ENDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestrate.pipelines import Pipeline, Plan
    from orchestrate.places import Places

_CALLS = re.compile(r"^([\d,]+) calls\b")
_KEPT_LINES = 5
GRACE_SECONDS = 90  # longer than a tap needs to sign out and the loader to drop what it was building


class RunFailedError(OrchestrateError):
    """A run did not come to its end."""


class BusyError(OrchestrateError):
    """Another run works on the same; this one did not begin."""


@dataclasses.dataclass
class Report:
    """What a run told.

    Attributes:
        rows: Stream -> rows that the tap read.
        calls: Calls that the tap made, as its closing line says.
        token: The token that was used.
        run_id: Meltano's run id.
        began_at: When the locks were had, in UTC.
        loads: Stream -> its row in the ledger, of the last load.
        bookmarks: Stream -> its part of the STATE that was handed on.
        complaints: The last errors, or the last warnings as long as there was no error.
    """

    rows: dict[str, int] = dataclasses.field(default_factory=dict)
    calls: int | None = None
    token: str = ""
    run_id: str = ""
    began_at: dt.datetime | None = None
    loads: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    bookmarks: dict[str, Any] = dataclasses.field(default_factory=dict)
    complaints: deque[str] = dataclasses.field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    _is_failing: bool = False

    def take(self, line: str) -> tuple[int, str]:
        """Take a line of the log and return its level and text."""
        event = _event_of(line) or {"event": line.strip()}
        if EVENT in event:
            if event[EVENT] == LOCKED:
                self.token, self.began_at = event["chosen"], dt.datetime.now(dt.UTC)
            return logging.DEBUG, f"{event[EVENT]} {event.get('reason') or event.get('chosen') or ''}".strip()
        told = str(event.get("event", ""))
        self.run_id = event.get("run_id") or self.run_id
        if told == "METRIC":
            self._take_metric(event.get("metric_info") or {})
            return logging.DEBUG, told
        if event.get("producer") and (found := _CALLS.match(told)):
            self.calls = (self.calls or 0) + int(found[1].replace(",", ""))
        level = _level_of(str(event.get("level", "info")))
        if level >= logging.WARNING and told:
            self._complain(level, told)
        return level, told

    def _complain(self, level: int, told: str) -> None:
        if level >= logging.ERROR and not self._is_failing:
            self._is_failing = True
            self.complaints.clear()
        if level >= logging.ERROR or not self._is_failing:
            self.complaints.append(_in_one_line(told))

    def _take_metric(self, metric: Mapping[str, Any]) -> None:
        stream = (metric.get("tags") or {}).get("stream")
        if metric.get("metric") == "record_count" and stream:
            self.rows[stream] = self.rows.get(stream, 0) + int(metric.get("value") or 0)


def _event_of(line: str) -> dict[str, Any] | None:
    """What a line of JSON holds; None for anything else."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _in_one_line(told: str) -> str:
    """A complaint in one line; of a plugin's own log, which Meltano repeats when discovery fails, its errors alone."""
    lines = told.splitlines()
    events = [event for line in lines if (event := _event_of(line))]
    errors = [
        str(event.get("message")) for event in events if _level_of(str(event.get("level"))) >= logging.ERROR
    ]
    return " ".join(" ".join(errors or lines).split())


def _level_of(name: str) -> int:
    level = logging.getLevelName(name.upper())
    return level if isinstance(level, int) else logging.INFO


Tell = Callable[[int, str], None]


@contextlib.contextmanager
def _guarded(job: Job, environment: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Start a guard and yield it with what it says; when the block is left it stops its command."""
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrate.guard"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**environment, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    given, said = _pipes(process)
    try:
        given.write(msgspec.json.encode(job).decode() + "\n")
        given.flush()
        yield process, said
    finally:
        with contextlib.suppress(OSError):
            given.close()
        for _ in said:
            pass  # a full pipe would keep it from ending
        said.close()
        process.wait()


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the guard was started without pipes")
    return process.stdin, process.stdout


def run_job(job: Job, environment: Mapping[str, str], tell: Tell) -> Report:
    """Run a command under its locks.

    Raises:
        BusyError: The locks were not to be had in time.
        RunFailedError: It failed.
    """
    report = Report()
    with _guarded(job, environment) as (process, said):
        for line in said:
            level, text = report.take(line)
            tell(level, text)
        code = process.wait()
    if code == BUSY:
        raise BusyError(f"Another run holds {' or '.join([*job.locks, *job.choices])}. It is tried again.")
    if code:
        why = " ".join(report.complaints) or "its log tells no more"
        late = f" within {job.timeout_seconds / 60:.0f} minutes" if code == TIMED_OUT else ""
        raise RunFailedError(f"{' '.join(job.command[2:])} did not end well{late} (exit code {code}): {why}")
    return report


def meltano_run(
    plan: Plan, pipeline: Pipeline, places: Places, *, streams: Iterable[str] = (), tell: Tell
) -> Report:
    """Read a company and load it.

    Args:
        plan: All that is orchestrated.
        pipeline: The company.
        places: Where things are kept.
        streams: Read these only.
        tell: Takes level and text of what the run logs.

    Raises:
        BusyError: Another run works on the same state, source or tokens, and did not end in time.
        RunFailedError: The run failed; its message holds the last complaints.
        ConfigError: A variable is not set.
    """
    environment = {**os.environ, **pipeline.environment(places, os.environ, streams)}
    arguments = [
        "run",
        f"--state-id-suffix={pipeline.name}",
        pipeline.extractor.name,
        plan.project.loader.name,
    ]
    job = pipeline_job(plan, pipeline, places, meltano(*arguments))
    report = run_job(job, environment, tell)
    try:
        _read_ledger(report, pipeline, places)
    except TargetTableauError as failure:
        raise RunFailedError(f"The run went well, but its ledger cannot be read: {failure}") from failure
    return report


def pipeline_job(plan: Plan, pipeline: Pipeline, places: Places, command: list[str]) -> Job:
    """A command alone on a company's state and source, with a token that nobody else uses.

    Raises:
        ConfigError: A variable of a token is not set.
    """
    company = pipeline.company
    prepare(places, plan.project.environment)
    return Job(
        command=command,
        folder=str(places.root),
        database=places.lock_database,
        locks=[f"state {pipeline.state_id}", f"source {pipeline.source}"],
        choices={f"token {name}": plan.token(name, os.environ) for name in company.tokens or ()},
        wait_seconds=60 * (company.lock_wait_minutes or 0),
        timeout_seconds=60 * (company.timeout_minutes or 0),
        grace_seconds=GRACE_SECONDS,
    )


def _read_ledger(report: Report, pipeline: Pipeline, places: Places) -> None:
    """Add what the loader has noted of the run: nobody else loads this source meanwhile."""
    ledger = Ledger(places.database_url, places.output)
    try:
        rows = ledger.loads(since=report.began_at)
    finally:
        ledger.close()
    for row in rows:  # the newest first
        if row["source"] == pipeline.source:
            report.loads.setdefault(row["stream"], row)
    for load_id in sorted({row["load_id"] for row in report.loads.values()}):
        ending = Journal(places.output / "journal", load_id).read_json(ENDING) or {}
        report.bookmarks |= (ending.get("state") or {}).get("bookmarks") or {}
