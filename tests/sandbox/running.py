"""The process that serves the sandbox, as seen from outside: where it is announced, and how it is spoken to.

`.sandbox/` holds everything: `company.json` (the company), one folder per server that keeps contents of its own,
`running.json` (the process that serves, with the token of its control channel; readable by its owner only),
`sandbox.log` (what went wrong) and `start.lock` (held while a command starts, stops or changes the sandbox).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psutil

from tests.sandbox.serving import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNNING_FILE = "running.json"
LOG_FILE = "sandbox.log"
LOCK_FILE = "start.lock"
_CONTROL_SECONDS = 60
_POLL_SECONDS = 0.05
_SAME_PROCESS_SECONDS = 2.0  # create times are rounded differently from call to call on some systems


class SandboxError(Exception):
    """Something that the user can read and act on."""


def directory_of(environment: Mapping[str, str]) -> Path:
    """Where the sandbox keeps its things: SANDBOX_DIR, else `.sandbox` in the current folder."""
    return Path(environment.get("SANDBOX_DIR") or ".sandbox").resolve()


class Running(msgspec.Struct, frozen=True):
    """What `running.json` says about the process that serves."""

    pid: int
    created: float
    control_port: int
    token: str
    servers: dict[str, str]  # name to URL

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        created = created_at(self.pid)
        return created is not None and abs(created - self.created) < _SAME_PROCESS_SECONDS

    def ends_within(self, seconds: float) -> bool:
        """Wait for that very process to end; False when it does not."""
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def ask(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        """Send a command over the control channel.

        Raises:
            ConnectionError: The process does not answer (any more).
            SandboxError: It refuses.
        """
        connection = http.client.HTTPConnection(LOOPBACK, self.control_port, timeout=_CONTROL_SECONDS)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            with contextlib.closing(connection):
                connection.request("POST", path, json.dumps(body), headers)
                response = connection.getresponse()
                answer: dict[str, object] = json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionError(f"the sandbox (process {self.pid}) does not answer") from error
        except json.JSONDecodeError as error:
            raise SandboxError(
                f"the sandbox failed at {path}, status {response.status}: see {LOG_FILE}"
            ) from error
        if response.status != http.client.OK:
            raise SandboxError(f"the sandbox refuses {path}: {answer.get('error')}")
        return answer


def created_at(pid: int) -> float | None:
    """When a process was created, in seconds of the epoch; None when it has ended, reaped or not."""
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return None if ended else process.create_time()
    except psutil.NoSuchProcess:
        return None


def find_running(directory: Path) -> Running | None:
    """The process that serves this folder, if there is one."""
    try:
        running = msgspec.json.decode((directory / RUNNING_FILE).read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return running if running.is_alive() else None


def announce(directory: Path, running: Running) -> None:
    """Write down who serves this folder."""
    draft = directory / f"{RUNNING_FILE}.next"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(running))
    draft.replace(directory / RUNNING_FILE)


def withdraw(directory: Path) -> None:
    """Take back what this process announced; another's announcement stays."""
    running = find_running(directory)
    if running is not None and running.pid == os.getpid():
        (directory / RUNNING_FILE).unlink()
