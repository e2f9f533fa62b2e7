"""Runs the job of a schedule so that no other job uses the same ERP session or Tableau token meanwhile."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from orchestrate.schedules.plan import PlanError

if TYPE_CHECKING:
    from orchestrate.schedules.plan import Plan, Schedule

WAIT_MINUTES: Final = 120


def run(folder: Path, plan: Plan, schedule: Schedule, wait_minutes: int = WAIT_MINUTES) -> int:
    """Run a schedule's job with Meltano, alone among those that share a loader.

    What starts several times an hour is left out when the loader is busy, for the next start is near. Everything else
    waits. The locks are files of this machine.

    Returns:
        Meltano's exit code; 0 when a start was left out.

    Raises:
        PlanError: The loader was busy all the time.
    """
    # where Meltano itself keeps what it needs, for the project's folder may be read-only
    locks = Path(os.environ.get("MELTANO_SYS_DIR_ROOT") or folder / ".meltano") / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        for loader in sorted(schedule.loaders):
            lock = FileLock(locks / f"{plan.environment}-{loader}.lock")
            try:
                held.enter_context(
                    lock.acquire(timeout=0 if schedule.cron.is_frequent else wait_minutes * 60)
                )
            except Timeout as error:
                if schedule.cron.is_frequent:
                    _tell(f"{schedule.name}: {loader} is busy with another job; this start is left out.")
                    return 0
                raise PlanError(
                    f"{schedule.name}: {loader} has been busy for {wait_minutes} minutes. Another job takes too "
                    "long, or hangs: see `meltano logs list` and target-tableau-loads list."
                ) from error
        return _meltano(folder, "--environment", plan.environment, "run", schedule.job)


def _meltano(folder: Path, *arguments: str) -> int:
    """Run Meltano and hand signals on, so that who stops this stops the pipeline in an orderly way."""
    beside = Path(sys.executable).parent
    path = f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"
    command = shutil.which("meltano", path=path)
    if command is None:
        raise PlanError("meltano is not installed beside this Python: start it by `uv run`.")
    process = subprocess.Popen([command, *arguments], cwd=folder, env={**os.environ, "PATH": path})  # noqa: S603 - the project's own command

    def hand_on(number: int, _frame: Any) -> None:  # noqa: ANN401 - as the signal module has it
        process.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
