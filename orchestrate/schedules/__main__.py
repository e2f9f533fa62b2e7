"""`python -m orchestrate.schedules`: look at the schedules, hand them to a scheduler, run one."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrate.schedules import running, writers
from orchestrate.schedules.plan import PlanError, read_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestrate.schedules", description=__doc__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--environment",
        default=os.environ.get("MELTANO_ENVIRONMENT", "prod"),
        help="Meltano environment whose schedules are meant (default: prod)",
    )
    common.add_argument(
        "--project", type=Path, default=Path(), help="folder of meltano.yml (default: this one)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("list", "show the schedules as they hold in the environment"),
        ("json", "the same for an orchestrator"),
        ("crontab", "print a crontab"),
    ):
        commands.add_parser(name, help=text, parents=[common])
    for name, text in (
        ("systemd", "write systemd services and timers"),
        ("windows", "write tasks for schtasks"),
    ):
        commands.add_parser(name, help=text, parents=[common]).add_argument(
            "output", type=Path, help="folder"
        )
    run = commands.add_parser("run", help="run the job of a schedule, alone at its ERP", parents=[common])
    run.add_argument("name", help="name of the schedule")
    run.add_argument(
        "--wait-minutes",
        type=int,
        default=running.WAIT_MINUTES,
        help="how long to wait for another job of the same ERP (default: %(default)s)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked.

    Returns:
        Exit code.
    """
    options = _parser().parse_args(arguments)
    folder = options.project.resolve()
    try:
        plan = read_plan(folder, options.environment)
        if options.command == "run":
            return running.run(folder, plan, plan.schedule(options.name), options.wait_minutes)
        if options.command == "systemd":
            return _write(options.output, writers.systemd(plan, folder))
        if options.command == "windows":
            return _write(
                options.output, writers.windows(plan, folder, dt.datetime.now().astimezone().date())
            )
    except (PlanError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    text = {"list": writers.listed, "json": writers.as_json}.get(options.command)
    sys.stdout.write(text(plan) if text else writers.crontab(plan, folder))
    return 0


def _write(folder: Path, files: Mapping[str, str]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        # schtasks wants the encoding that the file declares
        encoding = "utf-16" if name.endswith(".xml") else "utf-8"
        (folder / name).write_text(content, encoding=encoding)
    sys.stdout.write(f"{len(files)} files in {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
