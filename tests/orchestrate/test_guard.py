"""The guard: one at a time, a choice that is free, and nothing of a command outlives its worker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from orchestrate.guard import BUSY, EVENT, TIMED_OUT, Job
from tests.end_to_end.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SLEEPER = [sys.executable, "-c", "import os, time; print(os.environ.get('WHO'), flush=True); time.sleep(60)"]
FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


class Guarded:
    """A guard at work."""

    def __init__(self, folder: Path, command: list[str], **job: Any) -> None:
        job = {"locks": ["state a"], "grace_seconds": 5, **job}
        self.job = Job(
            command=command, folder=str(folder), database=f"sqlite:///{folder / 'locks.db'}", **job
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestrate.guard"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(self.job).decode() + "\n")
        self.process.stdin.flush()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> int:
        """The worker goes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(timeout=20)


def test_what_is_locked_is_not_begun_twice_and_two_choose_two_tokens(tmp_path: Path) -> None:
    choices = {"token a": {"WHO": "a"}, "token b": {"WHO": "b"}}
    first = Guarded(tmp_path, SLEEPER, choices=choices)
    assert json.loads(first.line()) == {EVENT: "locked", "chosen": "token a"}
    assert first.line() == "a"
    same = Guarded(tmp_path, SLEEPER)
    assert "state a" in json.loads(same.line())["reason"]
    assert same.leave() == BUSY
    other = Guarded(tmp_path, SLEEPER, locks=["state b"], choices=choices)
    assert json.loads(other.line())["chosen"] == "token b"
    third = Guarded(tmp_path, SLEEPER, locks=["state c"], choices=choices)
    assert "token" in json.loads(third.line())["reason"]
    assert third.leave() == BUSY
    first.leave()
    other.leave()


def test_nothing_of_a_command_outlives_its_worker(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, [sys.executable, "-c", FAMILY])
    guarded.line()
    grandchild = psutil.Process(int(guarded.line()))
    waiting = Guarded(tmp_path, ["true"], wait_seconds=20)
    assert guarded.leave() != 0
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE
    assert json.loads(waiting.line())[EVENT] == "locked"
    waiting.process.wait(timeout=20)  # a worker that goes before would stop the command
    assert waiting.leave() == 0


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    guarded = Guarded(tmp_path, SLEEPER, timeout_seconds=0.5)
    assert guarded.process.wait(timeout=30) == TIMED_OUT
    assert time.monotonic() - began < 30
    guarded.leave()
