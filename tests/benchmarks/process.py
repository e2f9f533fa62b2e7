"""Runs a program on an input file and tells how long it took and what memory it held."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
_SAMPLE_SECONDS = 0.02
_LAST_LINES = 15


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a program cost, with all that it started.

    Attributes:
        seconds: From its start to its end, start-up included.
        cpu_seconds: Of all its processes.
        peak_bytes: Most anonymous memory at one time; 0 if it was not watched.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int = 0


def run(arguments: Sequence[str], given: Path, *, watch_memory: bool = False) -> Cost:
    """Run `python -m arguments` with a file as its standard input.

    Raises:
        RuntimeError: It failed; with the end of what it said.
    """
    return execute([sys.executable, "-m", *arguments], given, watch_memory=watch_memory)[0]


def execute(
    command: Sequence[str | Path],
    given: Path,
    *,
    watch_memory: bool = False,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> tuple[Cost, str]:
    """Run a program with a file as its standard input; returns what it cost, and what it said beside its output.

    Raises:
        RuntimeError: It failed; with the end of what it said.
    """
    began, cpu_before = time.monotonic(), _cpu_of_children()
    with (
        given.open("rb") as source,
        subprocess.Popen(
            command,
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
        ) as child,
    ):
        watch = _Watch(child.pid) if watch_memory else None
        _, said = child.communicate()
    seconds = time.monotonic() - began
    peak = watch.stop() if watch else 0
    told = said.decode(errors="replace")
    if child.returncode:
        last = "\n".join(told.splitlines()[-_LAST_LINES:])
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {child.returncode}:\n{last}")
    return Cost(seconds, _cpu_of_children() - cpu_before, peak), told


def _cpu_of_children() -> float:
    """CPU seconds of the ended children of this process, and of the children that they waited for."""
    times = psutil.Process().cpu_times()
    return float(times.children_user + times.children_system)


class _Watch:
    """Samples the anonymous memory of a process and its descendants; pages of files do not count."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            try:
                root = psutil.Process(self._pid)
                family = [root, *root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            self._peak = max(self._peak, sum(_anonymous_bytes(process) for process in family))


def _anonymous_bytes(process: psutil.Process) -> int:
    try:
        if sys.platform == "linux":
            return _status_bytes(process.pid, "RssAnon") + _status_bytes(process.pid, "RssShmem")
        return int(process.memory_full_info().uss)
    except (OSError, psutil.NoSuchProcess):  # it has just ended
        return 0


def _status_bytes(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0
