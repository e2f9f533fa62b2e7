"""Runs a command under locks, and lets go of them only when nothing of the command lives any more.

A worker that is killed leaves its `meltano run` behind, and the next worker would start a second one beside it. So a
process of its own holds the locks: when its standard input ends, because the worker has gone, it stops the command
with all that belongs to it, and only then gives the locks up. When it is killed itself, or the machine is, the
database gives them up.

It reads one line of JSON, a `Job`, from standard input, which then stays open as long as the worker lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psutil
import sqlalchemy as sa

from target_tableau.errors import LockedError
from target_tableau.ledger_lock import LockLostError, exclusive

if TYPE_CHECKING:
    from types import FrameType

BUSY = 75
"""Exit code when a lock was not to be had in time: the run can be tried again later."""
TIMED_OUT = 124
"""Exit code when the command took too long."""
STOPPED = 143
"""Exit code when the command was stopped because nobody waits for it any more."""
EVENT = "orchestrate_guard"
"""Key of the lines that the guard itself writes between those of the command."""
LOCKED = "locked"
"""The event when all locks are had; `chosen` is the choice that was free."""
_LOOK_SECONDS = 0.2


class Job(msgspec.Struct):
    """What a guard is to do.

    Attributes:
        command: The command.
        folder: Where it runs.
        database: SQLAlchemy URL of the database that holds the locks.
        locks: What it must be the only one for, in the order in which it is taken.
        choices: Name -> environment variables; one of them is used whose name nobody else has.
        wait_seconds: How long to wait for all of them together.
        timeout_seconds: How long the command may take.
        grace_seconds: How long the command may take to end when it is asked to.
    """

    command: list[str]
    folder: str
    database: str
    locks: list[str] = []
    choices: dict[str, dict[str, str]] = {}
    wait_seconds: float = 0
    timeout_seconds: float = 86_400
    grace_seconds: float = 60


class _Ending:
    """Tells when the command is to be stopped."""

    def __init__(self) -> None:
        self.reason = ""

    def watch(self) -> None:
        """Begin to watch standard input and signals."""
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(signal.SIGINT, self._signalled)
        threading.Thread(target=self._read_to_the_end, daemon=True).start()

    def _signalled(self, number: int, _: FrameType | None) -> None:
        self.reason = f"signal {number}"

    def _read_to_the_end(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 4096):
                pass
        self.reason = self.reason or "the worker is gone"


class StoppedError(Exception):
    """The worker has gone while locks were waited for."""


class _Locks:
    """The locks of a job, held until the block is left."""

    def __init__(self, engine: sa.Engine, path: Path | None, job: Job, ending: _Ending) -> None:
        self._engine, self._path, self._job, self._ending = engine, path, job, ending
        self._deadline = time.monotonic() + job.wait_seconds
        self._held = contextlib.ExitStack()

    def __enter__(self) -> dict[str, str]:
        """Take all and return the environment of the choice that was free."""
        with contextlib.ExitStack() as held:
            for what in self._job.locks:
                self._take(held, [what])
            chosen = self._take(held, list(self._job.choices)) if self._job.choices else ""
            self._held = held.pop_all()
        _tell(LOCKED, chosen=chosen)
        return self._job.choices.get(chosen, {})

    def __exit__(self, *error: object) -> None:
        self._held.close()

    def _take(self, held: contextlib.ExitStack, names: list[str]) -> str:
        """Take the first lock that is free.

        Raises:
            LockedError: None was in time.
            StoppedError: Nobody waits for it any more.
        """
        while True:
            for name in names:
                try:
                    held.enter_context(exclusive(self._engine, self._path, f"the orchestrated {name}", 0))
                except LockedError:
                    continue
                return name
            if self._ending.reason:
                raise StoppedError
            if time.monotonic() > self._deadline:
                raise LockedError(f"Another run holds {' and '.join(names)}.")
            time.sleep(_LOOK_SECONDS)


def _tell(event: str, **values: object) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        sys.stdout.write(json.dumps({EVENT: event, **values}) + "\n")
        sys.stdout.flush()


def _run(job: Job, environment: dict[str, str], ending: _Ending) -> int:
    deadline = time.monotonic() + job.timeout_seconds
    process = subprocess.Popen(  # noqa: S603 - the command of the worker that started this
        job.command,
        cwd=job.folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    family = _Family(process.pid)
    try:
        while process.poll() is None:
            family.look()
            if ending.reason or time.monotonic() > deadline:
                _tell("stopping", reason=ending.reason or "it takes too long")
                family.stop(job.grace_seconds)
                return STOPPED if ending.reason else TIMED_OUT
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_SECONDS)
        return process.returncode
    finally:
        family.stop(job.grace_seconds)


class _Family:
    """A process and all that it has started."""

    def __init__(self, pid: int) -> None:
        self._known: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            self._known[pid] = psutil.Process(pid)

    def look(self) -> None:
        """Note who belongs to it now: whose parent has ended could not be found later."""
        for process in list(self._known.values()):
            with contextlib.suppress(psutil.Error):
                self._known |= {child.pid: child for child in process.children()}

    def stop(self, grace_seconds: float) -> None:
        """Ask all to end, so that they sign out; end those who do not."""
        self.look()
        alive = [process for process in self._known.values() if process.is_running()]
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, stubborn = psutil.wait_procs(alive, timeout=grace_seconds)
        for process in stubborn:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(stubborn, timeout=grace_seconds)


def main() -> int:
    """Do one job."""
    with open(
        0, "rb", buffering=0, closefd=False
    ) as first:  # what comes after the first line stays in the pipe
        job = msgspec.json.decode(first.readline(), type=Job)
    ending = _Ending()
    ending.watch()
    address = sa.make_url(job.database)
    path = Path(address.database or "") if address.get_backend_name() == "sqlite" else None
    engine = sa.create_engine(address)
    try:
        with _Locks(engine, path, job, ending) as environment:
            return _run(job, environment, ending)
    except (LockedError, LockLostError) as failure:
        _tell("busy", reason=str(failure))
        return BUSY
    except StoppedError:
        return BUSY
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
