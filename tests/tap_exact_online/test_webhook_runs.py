"""Events wait in a queue that survives kills, and storms become one run."""

from __future__ import annotations

import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tap_exact_online.settings import with_defaults
from tap_exact_online.tap import TapExactOnline
from tap_exact_online.webhooks.queue import Queue
from tap_exact_online.webhooks.runner import Runner, environment
from tap_exact_online.webhooks.signature import Event
from tap_exact_online.webhooks.topics import TOPICS, streams_of
from tests.sandbox.exact_online import CLIENT_ID
from tests.tap_exact_online.test_webhooks import HQ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


# queue ------------------------------------------------------------------------------------------------------


def an_event(key: str = "k", topic: str = "Accounts", division: int = HQ) -> Event:
    return Event(topic, division, CLIENT_ID, "update", key)


def test_storms_are_folded_and_counted(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "q.db")
    for at in range(1000):
        queue.put(an_event(str(at % 3)), float(at))
    waiting = queue.waiting()
    assert waiting is not None
    assert (waiting.events, waiting.topics, waiting.divisions) == (1000, ("Accounts",), (HQ,))
    assert (waiting.first_at, waiting.last_at) == (0.0, 999.0)
    queue.done(waiting)
    assert queue.waiting() is None
    queue.close()


def test_what_comes_while_a_run_is_under_way_waits_for_the_next(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "q.db")
    queue.put(an_event("a"), 1.0)
    queue.put(an_event("b"), 2.0)
    before = queue.waiting()
    assert before is not None
    queue.put(an_event("a"), 3.0)  # the same thing again
    queue.done(before)
    after = queue.waiting()
    assert after is not None
    assert after.last_at == 3.0
    queue.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_the_queue_is_private(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "q.db")
    assert stat.S_IMODE((tmp_path / "q.db").stat().st_mode) == 0o600
    queue.close()


def test_an_event_that_was_kept_survives_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from tap_exact_online.webhooks.queue import Queue\n"
        "from tap_exact_online.webhooks.signature import Event\n"
        "Queue(pathlib.Path(sys.argv[1])).put(Event('Accounts', 1, 'c', 'update', 'k'), 5.0)\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "q.db")], check=False)
    queue = Queue(tmp_path / "q.db")
    waiting = queue.waiting()
    assert waiting is not None
    assert waiting.events == 1
    queue.close()


# runs -------------------------------------------------------------------------------------------------------


class Runs:
    """Stands in for the command."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.streams: list[str] = []

    def __call__(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        assert command[0] == "meltano"
        self.streams.append(environment["EXACT_ONLINE_STREAMS"])
        return self.codes.pop(0) if self.codes else 0


def runner(queue: Queue, now: list[float], runs: Runs) -> Runner:
    config = with_defaults({"client_id": "x", "client_secret": "y"})
    return Runner(config, queue, lambda: now[0], runs)


def test_a_run_starts_when_it_has_been_quiet_and_only_once(tmp_path: Path) -> None:
    queue, now, runs = Queue(tmp_path / "q.db"), [0.0], Runs()
    starter = runner(queue, now, runs)
    assert not starter.look()
    queue.put(an_event(), 0.0)
    now[0] = 119.0
    assert not starter.look()
    queue.put(an_event("k2", "GLAccounts"), 119.0)
    now[0] = 200.0
    assert not starter.look()
    now[0] = 240.0
    assert starter.look()
    assert runs.streams == ["accounts,addresses,gl_accounts"]
    assert not starter.look()
    queue.close()


def test_a_storm_that_does_not_end_is_not_put_off_for_ever(tmp_path: Path) -> None:
    queue, now, runs = Queue(tmp_path / "q.db"), [0.0], Runs()
    starter = runner(queue, now, runs)
    began = 0
    for second in range(0, 2501, 10):
        now[0] = float(second)
        queue.put(an_event(str(second)), now[0])
        began += starter.look()
    assert began == 2
    queue.close()


def test_a_run_that_fails_is_tried_again_later_and_loses_no_event(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    queue, now, runs = Queue(tmp_path / "q.db"), [0.0], Runs(1, 1)
    starter = runner(queue, now, runs)
    queue.put(an_event(), 0.0)
    now[0] = 120.0
    assert starter.look()
    now[0] = 300.0
    assert not starter.look()
    now[0] = 361.0
    assert starter.look()
    now[0] = 500.0
    assert not starter.look()
    now[0] = 1000.0
    assert starter.look()
    assert len(runs.streams) == 3
    assert queue.waiting() is None
    assert "ended with 1" in caplog.text
    queue.close()


def test_a_command_that_does_not_exist_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue(tmp_path / "q.db")
    config = with_defaults({"webhook_command": ["no-such-command"], "webhook_quiet_seconds": 1})
    queue.put(an_event(), 0.0)
    assert Runner(config, queue).look()
    assert "no-such-command" in caplog.text
    assert queue.waiting() is not None
    queue.close()


def test_meltano_is_told_to_read_the_touched_streams_only() -> None:
    given = environment({"MELTANO_EXTRACTOR_NAME": "tap-exact-online--be", "A": "b"}, ["accounts"], [1, 2])
    assert given["TAP_EXACT_ONLINE__BE__SELECT_FILTER"] == '["accounts"]'
    assert given["EXACT_ONLINE_DIVISIONS"] == "1,2"
    assert given["A"] == "b"
    assert environment({}, ["accounts"], [])["TAP_EXACT_ONLINE__SELECT_FILTER"] == '["accounts"]'


def test_every_topic_touches_streams_that_exist() -> None:
    tap = TapExactOnline(config={"client_id": "x", "client_secret": "y"}, setup_mapper=False)
    assert set(streams_of(TOPICS)) <= set(tap.streams)
