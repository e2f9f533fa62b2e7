"""Which schedules hold in an environment: those of the project, changed by the environment's own variables."""

from __future__ import annotations

import dataclasses
import os
import zoneinfo
from typing import TYPE_CHECKING, Any, Final

import yaml

from orchestrate.schedules.cron import Cron, CronError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TIMEZONE: Final = "SCHEDULES_TIMEZONE"
_OFF: Final = "off"


class PlanError(Exception):
    """Something in the project's schedules is wrong; the message tells what to change."""


@dataclasses.dataclass(frozen=True)
class Schedule:
    """A job and when it starts.

    Attributes:
        name: The schedule's name.
        job: The Meltano job that it runs.
        cron: When, on the clock of the plan's zone.
        loaders: The loaders of the job's pipelines. A loader has one token at Tableau and one ERP, so what shares one
            must not run at the same time.
    """

    name: str
    job: str
    cron: Cron
    loaders: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Plan:
    """All schedules of an environment, and the zone of their clock."""

    environment: str
    timezone: str
    schedules: tuple[Schedule, ...]

    def schedule(self, name: str) -> Schedule:
        """One of them.

        Raises:
            PlanError: There is none of that name, or it is off.
        """
        for schedule in self.schedules:
            if schedule.name == name:
                return schedule
        raise PlanError(
            f"There is no schedule '{name}' in the environment '{self.environment}'. There are: "
            f"{', '.join(each.name for each in self.schedules)}."
        )


def variable_of(name: str) -> str:
    """The variable by which an environment changes a schedule."""
    return f"SCHEDULE_{name.upper().replace('-', '_')}"


def read_plan(folder: Path, environment: str, given: Mapping[str, str] | None = None) -> Plan:
    """Read the schedules of a Meltano project.

    A variable counts in the process's own environment first, then in `env` of the Meltano environment, then in that of
    the project.

    Args:
        folder: Where meltano.yml is.
        environment: Name of a Meltano environment.
        given: The process's environment.

    Raises:
        PlanError: There is no such environment, or a schedule cannot be understood.
    """
    files = _project_files(folder)
    environments = {one["name"]: one for file in files for one in file.get("environments") or ()}
    if environment not in environments:
        raise PlanError(f"meltano.yml has no environment '{environment}': {', '.join(environments)}.")
    variables: dict[str, str] = {
        **(files[0].get("env") or {}),
        **(environments[environment].get("env") or {}),
        **(os.environ if given is None else given),
    }
    timezone = variables.get(TIMEZONE, "UTC")
    try:
        zoneinfo.ZoneInfo(timezone)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise PlanError(f"{TIMEZONE}: '{timezone}' is no IANA name of a time zone.") from error
    jobs = {job["name"]: job["tasks"] for file in files for job in file.get("jobs") or ()}
    schedules = []
    for entry in (entry for file in files for entry in file.get("schedules") or ()):
        cron = str(variables.get(variable_of(entry["name"])) or entry["interval"])
        if cron.lower() != _OFF:
            schedules.append(_schedule(entry, cron, jobs))
    return Plan(environment, timezone, tuple(schedules))


def _project_files(folder: Path) -> list[dict[str, Any]]:
    try:
        project: dict[str, Any] = yaml.safe_load((folder / "meltano.yml").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PlanError(
            f"{folder} has no meltano.yml: start this in the project's folder, or name it by --project."
        ) from error
    included = [
        path for pattern in project.get("include_paths") or () for path in sorted(folder.glob(pattern))
    ]
    return [project, *(yaml.safe_load(path.read_text(encoding="utf-8")) or {} for path in included)]


def _schedule(entry: Mapping[str, Any], cron: str, jobs: Mapping[str, Any]) -> Schedule:
    name, job = str(entry["name"]), str(entry.get("job") or "")
    if job not in jobs:
        raise PlanError(f"The schedule '{name}' runs the job '{job}', which there is not.")
    try:
        when = Cron.parse(cron)
    except CronError as error:
        raise PlanError(f"The schedule '{name}' ({variable_of(name)}): {error}") from error
    tasks = [jobs[job]] if isinstance(jobs[job], str) else jobs[job]
    words = [word for task in tasks for word in (task.split() if isinstance(task, str) else task)]
    loaders = dict.fromkeys(word for word in words if word.startswith("target-"))
    return Schedule(name, job, when, tuple(loaders))
