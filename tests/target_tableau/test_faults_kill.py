"""kill -9 of the target or of its engine at random moments of a load into extracts and data sources that exist."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from tableauhyperapi import Connection

from target_tableau.errors import ExtractError
from target_tableau.hyper import Engine
from tests.target_tableau.support import LATER, Books

if TYPE_CHECKING:
    from pathlib import Path

    from tableauhyperapi import Endpoint

Config = dict[str, Any]

COMMAND = [sys.executable, "-m", "target_tableau"]
SHORT, LONG = 3_000, 200_000


class Target:
    """A target at work on the change of some books, as a process."""

    def __init__(self, books: Books, folder: Path) -> None:
        config = folder / "config.json"
        config.write_text(json.dumps(books.config))
        self._told = (folder / "told").open("w+")
        self._process = subprocess.Popen(
            [*COMMAND, "--config", str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
        )
        text = "".join(f"{json.dumps(message)}\n" for message in books.change).encode()
        self._feeder = threading.Thread(target=self._feed, args=(text,))
        self._feeder.start()
        self.engine = self._find_engine()

    def _feed(self, text: bytes) -> None:
        assert self._process.stdin is not None
        try:
            with self._process.stdin as stdin:
                stdin.write(text)
        except BrokenPipeError:
            return  # killed, as planned

    def _find_engine(self) -> psutil.Process:
        for _ in range(12_000):
            for child in psutil.Process(self._process.pid).children():
                if "hyperd" in child.name():
                    return child
            time.sleep(0.005)
        raise AssertionError("the target never started its engine")

    def kill(self, victim: str) -> None:
        """Kill -9, unless it has ended by itself."""
        try:
            (self.engine if victim == "engine" else self._process).kill()
        except psutil.NoSuchProcess:
            return

    def end(self) -> tuple[int, list[dict[str, Any]], str]:
        """Wait for the end; returns exit code, STATE handed on, and what was told."""
        code = self._process.wait(timeout=120)
        self._feeder.join(timeout=60)
        assert self._process.stdout is not None
        handed_on = [json.loads(line) for line in self._process.stdout.read().splitlines()]
        self._process.stdout.close()
        self._told.seek(0)
        told = self._told.read()
        self._told.close()
        return code, handed_on, told


@pytest.fixture(scope="module")
def seconds() -> dict[int, float]:
    """Size of a load -> how long one took from the start of its engine."""
    return {}


def cases() -> list[Any]:
    short = [(seed, ["target", "engine"][seed % 2], SHORT) for seed in range(5)]
    long = [(seed, victim, LONG) for seed in range(25) for victim in ("target", "engine")]
    return [*short, *(pytest.param(*case, marks=pytest.mark.soak) for case in long)]


@pytest.mark.parametrize(("seed", "victim", "changes"), cases())
def test_a_kill_at_a_random_moment(
    books: Books, seconds: dict[int, float], tmp_path: Path, seed: int, victim: str, changes: int
) -> None:
    chance = random.Random(f"{seed} {victim}")
    overwritten = chance.choice(["bills", "log"])
    books = Books(books.config, books.server, changes=changes)
    books.config["datasources"] = [{"stream": overwritten, "publish_mode": "overwrite"}]
    target = Target(books, tmp_path)
    began = time.monotonic()
    if changes in seconds or changes == SHORT:
        time.sleep(chance.random() * seconds.get(changes, 1.0))
        target.kill(victim)
    code, handed_on, told = target.end()
    if code == 0:
        seconds[changes] = time.monotonic() - began
    books.check(handed_on)
    assert code or handed_on == [LATER]
    if victim == "engine" and code:
        (line,) = [line for line in told.splitlines() if "| ERROR" in line]
        assert code == 1, told
        assert "Traceback" not in told
        assert "Hyper" in line
    books.converge(handed_on)


@pytest.mark.usefixtures("own_engines")
def test_an_engine_that_dies_before_it_is_connected_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = psutil.Process().children()

    def connect(endpoint: Endpoint) -> Connection:
        (started,) = [child for child in psutil.Process().children() if child not in before]
        started.kill()
        started.wait(timeout=20)
        return Connection(endpoint)

    monkeypatch.setattr("target_tableau.hyper.Connection", connect)
    with pytest.raises(
        ExtractError, match=r"^The Hyper engine could not be started: [^\n]+ Run again;[^\n]+$"
    ):
        Engine(3, "400m")
