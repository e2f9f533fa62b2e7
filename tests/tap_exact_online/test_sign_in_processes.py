"""The token pair between processes: shared, and never lost, whoever is killed when."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tap_exact_online.auth import Tokens
from tap_exact_online.client import Client
from tap_exact_online.settings import with_defaults
from tap_exact_online.store import store_of
from tests.sandbox.exact_online import DIVISIONS, SEED_REFRESH_TOKEN
from tests.sandbox.exact_online.switches import Switches
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import line_of
from tests.tap_exact_online.test_sign_in import stored, tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_exact_online.conftest import Instance

DIVISION = DIVISIONS["HQ"]
DAY = 86_400


# processes and kills ------------------------------------------------------------------------------------------

WORKER = """
import json, sys, time
from tap_exact_online.auth import Tokens
from tap_exact_online.client import Client
from tap_exact_online.paging import walk
from tap_exact_online.store import store_of
config = json.loads(sys.stdin.readline())
store = store_of(config)
client = Client(store, config)
client.tokens = Tokens(store, config, client.clock)
print("ready", flush=True)
while True:
    list(walk(client, int(sys.argv[1]), "system/Divisions", {"$select": "Code"}))
    print("read", flush=True)
    time.sleep(0.005)
"""


def start_worker(instance: Instance, division: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(division)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(line_of(with_defaults(instance.config)))
    process.stdin.flush()
    return process


def close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        stream.close()


class Workers:
    """Two processes that read the same company through one pair, and are killed at random."""

    def __init__(self, instance: Instance, seed: int) -> None:
        self.instance = instance
        self.read = 0
        self.kills = 0
        self.problems: list[str] = []
        self._rng = random.Random(seed)
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._stopped = False

    def keep(self, division: int) -> None:
        """Start the process of a division again whenever it was killed, which is after some random calls."""
        while not self._stopped:
            process = self._running[division] = start_worker(self.instance, division)
            left = self._rng.randint(30, 120)
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                with self._lock:
                    self.read += line == b"read\n"
                left -= 1
                if left == 0:
                    time.sleep(self._rng.uniform(0, 0.02))
                    self.kill(division)
            said = process.stderr.read().decode()
            code = process.wait()
            close(process)
            if code != -9:
                self.problems.append(said)
                return

    def kill(self, division: int) -> None:
        process = self._running.get(division)
        if process is not None and process.poll() is None:
            process.kill()
            self.kills += 1

    def stop(self) -> None:
        self._stopped = True
        for division in list(self._running):
            self.kill(division)

    def turn(self, calls: int) -> None:
        """Let them read so many calls; now and then one is killed just when the pair is exchanged."""
        threads = [threading.Thread(target=self.keep, args=(code,)) for code in DIVISIONS.values()]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 120 + calls / 3
        seen = 0
        while self.read < calls and not self.problems and time.monotonic() < deadline:
            time.sleep(0.002)
            asked = self.instance.app.counters.token_calls
            if asked > seen and self._rng.random() < 0.5:
                self.kill(self._rng.choice(list(DIVISIONS.values())))
            seen = asked
        self.stop()
        for thread in threads:
            thread.join()


def check_soak(instance: Instance, calls: int, seed: int = 1) -> None:
    # A token of 32 seconds is taken for one of 600 that is 568 seconds old: it is renewed after three.
    instance.switches.clock = "real"
    instance.switches.access_token_seconds = 32
    instance.switches.refresh_not_before_seconds = 2
    instance.switches.token_calls_per_day = instance.switches.minute_limit = 1_000_000
    instance.switches.day_limit = 1_000_000
    instance.sign_in()
    workers = Workers(instance, seed)
    workers.turn(calls)
    counters = instance.app.counters
    assert workers.problems == []
    assert workers.read >= calls
    assert workers.kills >= 3
    assert counters.tokens_issued >= 2
    assert (counters.reused_refresh_tokens, counters.chains_revoked, counters.refreshed_too_early) == (
        0,
        0,
        0,
    )
    assert counters.unauthorized == 0
    assert tokens_of(instance).credentials()


def test_two_processes_that_are_killed_at_random_never_lose_the_pair(
    make_instance: Callable[..., Instance],
) -> None:
    check_soak(make_instance(signed_in=False), 300)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_calls_of_killed_processes_never_lose_the_pair(
    make_instance: Callable[..., Instance],
) -> None:
    check_soak(make_instance(signed_in=False), 10_000, seed=2)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_run_that_is_killed_while_the_pair_is_exchanged_does_not_lose_it(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=Switches(clock="real"), signed_in=False)
    instance.config["refresh_token"] = SEED_REFRESH_TOKEN
    instance.script.add(Fault("oauth2/token", delay=0.5))
    process = start_worker(instance, DIVISION)
    for _ in range(500):
        if instance.script.count("oauth2/token"):
            break
        time.sleep(0.01)
    # the whole group, as a runner that loses patience does it
    os.kill(process.pid, 9)
    process.wait()
    close(process)
    for _ in range(500):
        if instance.app.counters.tokens_issued and stored(instance).access_token:
            break
        time.sleep(0.01)
    config = with_defaults(instance.config)
    client = Client(store_of(config), config)
    client.tokens = Tokens(store_of(config), config, client.clock)
    assert client.me()
    assert instance.app.counters.tokens_issued == 1
    client.session.close()
