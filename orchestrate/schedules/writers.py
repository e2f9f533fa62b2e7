"""A plan in the words of cron, systemd and Windows. Each start runs `python -m orchestrate.schedules run`."""

from __future__ import annotations

import datetime as dt
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from orchestrate.schedules.cron import Cron
    from orchestrate.schedules.plan import Plan, Schedule

HEALTH_MINUTES: Final = 10
_WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_EVERY_HOUR: Final = 24
_DAILY: Final = "<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>"
_SYSTEMD_SERVICE: Final = """\
[Unit]
Description={description}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={folder}
ExecStart={command}
UMask=0077
NoNewPrivileges=true
PrivateTmp=true
"""
_SYSTEMD_TIMER: Final = """\
[Unit]
Description={description}

[Timer]
OnCalendar={calendar}
Persistent={persistent}

[Install]
WantedBy=timers.target
"""
_WINDOWS_TASK: Final = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{description}</Description></RegistrationInfo>
  <Triggers>
{triggers}
  </Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT12H</ExecutionTimeLimit>
  </Settings>
  <Actions>
    <Exec>
      <Command>{executable}</Command>
      <Arguments>{arguments}</Arguments>
      <WorkingDirectory>{folder}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def command(plan: Plan, schedule: Schedule) -> list[str]:
    """What starts a schedule's job, word by word."""
    return [
        sys.executable,
        "-m",
        "orchestrate.schedules",
        "run",
        schedule.name,
        "--environment",
        plan.environment,
    ]


def _health(plan: Plan) -> list[str]:
    meltano = Path(sys.executable).with_name("meltano.exe" if os.name == "nt" else "meltano")
    return [str(meltano), "--environment", plan.environment, "invoke", "target-tableau:health"]


def listed(plan: Plan) -> str:
    """A table for people."""
    lines = [f"{plan.environment}, times in {plan.timezone}"]
    lines += [
        f"{schedule.cron.text:24} {schedule.name:26} {', '.join(schedule.loaders)}"
        for schedule in plan.schedules
    ]
    return "\n".join(lines) + "\n"


def as_json(plan: Plan) -> str:
    """For orchestrators: like `meltano schedule list --format=json`, with the zone and what must not overlap."""
    schedules = [
        {
            "name": schedule.name,
            "job": schedule.job,
            "cron_interval": schedule.cron.text,
            "loaders": list(schedule.loaders),
        }
        for schedule in plan.schedules
    ]
    return json.dumps(
        {"environment": plan.environment, "timezone": plan.timezone, "schedules": schedules}, indent=2
    )


def crontab(plan: Plan, folder: Path) -> str:
    """A crontab. A percent sign ends a command there, so it is escaped."""
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    lines = [
        f"# {plan.environment}: written by `python -m orchestrate.schedules crontab`; do not edit here.",
        "# Debian's cron does not know CRON_TZ: there, set the machine's own zone to it, or use systemd.",
        f"CRON_TZ={plan.timezone}",
        f"PATH={path}",
    ]
    home = f"cd {shlex.quote(str(folder))} && "
    lines += [
        _cron_line(schedule.cron.text, home + shlex.join(command(plan, schedule)))
        for schedule in plan.schedules
    ]
    lines.append(_cron_line(f"*/{HEALTH_MINUTES} * * * *", home + shlex.join(_health(plan))))
    return "\n".join(lines) + "\n"


def _cron_line(when: str, words: str) -> str:
    return f"{when} {words}".replace("%", "\\%")


def systemd(plan: Plan, folder: Path) -> dict[str, str]:
    """Name of a unit file -> its content: a service and a timer for each schedule, and for health."""
    units = {}
    for schedule in plan.schedules:
        name = f"erp-{schedule.name}"
        text = f"{schedule.name} ({plan.environment})"
        units[f"{name}.service"] = _service(text, folder, command(plan, schedule))
        units[f"{name}.timer"] = _SYSTEMD_TIMER.format(
            description=text,
            calendar=_calendar(schedule.cron, plan.timezone),
            # what the machine slept through is made up for, except where the next start is near
            persistent="false" if schedule.cron.is_frequent else "true",
        )
    units["erp-health.service"] = _service(f"health ({plan.environment})", folder, _health(plan))
    units["erp-health.timer"] = _SYSTEMD_TIMER.format(
        description=f"health ({plan.environment})",
        calendar=f"*:0/{HEALTH_MINUTES}",
        persistent="false",
    )
    return units


def _service(description: str, folder: Path, words: list[str]) -> str:
    quoted = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
    home = str(folder).replace("%", "%%")
    return _SYSTEMD_SERVICE.format(
        description=description, folder=home, command=quoted.replace("%", "%%").replace("$", "$$")
    )


def _calendar(cron: Cron, timezone: str) -> str:
    """The expression as systemd writes it, with the zone."""

    def numbers(chosen: frozenset[int], size: int) -> str:
        return "*" if len(chosen) == size else ",".join(f"{number:02}" for number in sorted(chosen))

    days = "" if len(cron.weekdays) == len(_WEEKDAYS) else ",".join(_names(cron)) + " "
    return (
        f"{days}*-{numbers(cron.months, 12)}-{numbers(cron.days, 31)} "
        f"{numbers(cron.hours, _EVERY_HOUR)}:{numbers(cron.minutes, 60)}:00 {timezone}"
    )


def _names(cron: Cron) -> list[str]:
    return [_WEEKDAYS[day][:3] for day in sorted(cron.weekdays)]


def windows(plan: Plan, folder: Path, today: dt.date) -> dict[str, str]:
    """Name of a file -> a task for `schtasks /Create /XML`. The clock is the machine's: its zone must be the plan's."""
    tasks = {
        f"erp-{schedule.name}.xml": _task(
            f"{schedule.name} ({plan.environment})",
            _triggers(schedule.cron, today),
            folder,
            command(plan, schedule),
        )
        for schedule in plan.schedules
    }
    midnight = dt.datetime.combine(today, dt.time())
    every = _trigger(midnight, _repetition(f"PT{HEALTH_MINUTES}M", "P1D"), _DAILY)
    tasks["erp-health.xml"] = _task(f"health ({plan.environment})", [every], folder, _health(plan))
    return tasks


def _task(description: str, triggers: list[str], folder: Path, words: list[str]) -> str:
    arguments = " ".join(f'"{word}"' if " " in word else word for word in words[1:])
    return _WINDOWS_TASK.format(
        description=escape(description),
        triggers="\n".join(triggers),
        executable=escape(words[0]),
        arguments=escape(arguments),
        folder=escape(str(folder)),
    )


def _triggers(cron: Cron, today: dt.date) -> list[str]:
    """One trigger for each minute of an hour that is named, repeated through hours that follow each other.

    Raises:
        ValueError: It names days of the month or months, which these tasks are not written for.
    """
    if len(cron.days) != 31 or len(cron.months) != 12:  # noqa: PLR2004 - a calendar
        raise ValueError(
            f"'{cron.text}' names days of the month or months: make this task in the Task Scheduler."
        )
    hours = sorted(cron.hours)
    through = len(hours) > 1 and hours == list(range(hours[0], hours[-1] + 1))
    # a minute more than the last repetition needs, and less than another one would
    repetition = _repetition("PT1H", f"PT{(hours[-1] - hours[0]) * 60 + 1}M") if through else ""
    days = _days(cron)
    return [
        _trigger(dt.datetime.combine(today, dt.time(hour, minute)), repetition, days)
        for hour in (hours[:1] if through else hours)
        for minute in sorted(cron.minutes)
    ]


def _days(cron: Cron) -> str:
    if len(cron.weekdays) == len(_WEEKDAYS):
        return _DAILY
    named = "".join(f"<{_WEEKDAYS[day]} />" for day in sorted(cron.weekdays))
    return (
        f"<ScheduleByWeek><DaysOfWeek>{named}</DaysOfWeek><WeeksInterval>1</WeeksInterval></ScheduleByWeek>"
    )


def _repetition(interval: str, duration: str) -> str:
    return f"<Repetition><Interval>{interval}</Interval><Duration>{duration}</Duration></Repetition>"


def _trigger(start: dt.datetime, repetition: str, days: str) -> str:
    begin = f"<StartBoundary>{start.isoformat()}</StartBoundary>"
    return f"    <CalendarTrigger>{repetition}{begin}{days}</CalendarTrigger>"
