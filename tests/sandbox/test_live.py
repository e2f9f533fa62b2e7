from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import msgspec
import psutil
import pytest

from tests.sandbox.company.check import violations
from tests.sandbox.company.generate import generate
from tests.sandbox.company.world import World
from tests.sandbox.daemon import Lifetime, control_app
from tests.sandbox.running import RUNNING_FILE, Running, SandboxError, find_running
from tests.sandbox.serving import LOOPBACK, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from tests.sandbox.commanding import Sandbox, get


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path / ".sandbox")
    yield made
    assert made.run("stop").returncode == 0
    assert find_running(made.directory) is None


# --------------------------------------------------------------------- live


def test_live_changes_the_company_that_is_served(sandbox: Sandbox) -> None:
    running = sandbox.start("--no-follow")
    before = get(running.servers["acumatica"], "/").headers["Date"]
    done = sandbox.run("live", "--events", "10", "--seed", "5")
    assert done.returncode == 0
    assert done.stdout.startswith("10 events; the company's clock says 2026-06-30T09:15:0")
    assert before == "Tue, 30 Jun 2026 09:00:00 GMT"
    assert get(running.servers["acumatica"], "/").headers["Date"].startswith("Tue, 30 Jun 2026 09:15:0")
    assert violations(sandbox.company()) == []


def test_live_does_the_same_to_a_served_and_to_a_saved_company(tmp_path: Path) -> None:
    served, saved = Sandbox(tmp_path / "served"), Sandbox(tmp_path / "saved")
    served.start("--no-follow")
    try:
        for sandbox in (served, saved):
            for seed in ("5", "6"):
                assert sandbox.run("live", "--events", "25", "--seed", seed).returncode == 0
        assert served.company() == saved.company()
    finally:
        served.run("stop")


def test_what_happened_survives_a_restart(sandbox: Sandbox) -> None:
    sandbox.start("--no-follow")
    sandbox.run("live", "--events", "5")
    lived = sandbox.company()
    sandbox.run("stop")
    running = sandbox.start("--no-follow")
    assert get(running.servers["acumatica"], "/").headers["Date"].startswith("Tue, 30 Jun 2026 09:15:0")
    assert sandbox.company() == lived


def test_the_control_channel_wants_the_token(sandbox: Sandbox) -> None:
    running = sandbox.start("--no-follow")
    with pytest.raises(SandboxError, match="wrong token"):
        msgspec.structs.replace(running, token="guess").ask("/stop", {})
    assert running.is_alive()


def test_a_command_that_breaks_is_one_sentence() -> None:
    world = World(generate(bills=0))
    with serve(control_app(world, Lifetime(None), "token")) as url:
        port = int(url.rpartition(":")[2])
        running = Running(os.getpid(), 0.0, port, "token", {})
        with pytest.raises(SandboxError, match=r"failed at /live, status 500: see sandbox\.log"):
            running.ask("/live", {"events": "many"})


def test_a_sandbox_about_to_end_takes_no_new_follower() -> None:
    lifetime = Lifetime(None)
    assert lifetime.follow(os.getpid())
    lifetime.stop()
    assert not lifetime.follow(os.getpid())


# -------------------------------------------------------------------- reset


def test_reset_stops_it_and_removes_what_it_made_and_nothing_else(sandbox: Sandbox) -> None:
    running = sandbox.start("--no-follow")
    sandbox.run("live", "--events", "5")
    (sandbox.directory / "notes.txt").write_text("mine", "utf-8")
    assert sandbox.run("reset").returncode == 0
    assert not running.is_alive()
    left = {path.name for path in sandbox.directory.iterdir()}
    assert left <= {"notes.txt", "start.lock"}
    assert "notes.txt" in left
    sandbox.start("--no-follow")
    assert sandbox.company().clock.isoformat() == "2026-06-30T09:00:00+00:00"


# ------------------------------------------------------------------ no noise


def test_a_quiet_life_leaves_nothing_in_the_log(sandbox: Sandbox) -> None:
    sandbox.start("--no-follow")
    sandbox.run("live")
    sandbox.run("stop")
    assert (sandbox.directory / "sandbox.log").read_text("utf-8") == ""


def test_the_servers_are_on_loopback_only(sandbox: Sandbox) -> None:
    running = sandbox.start("--no-follow")
    listening = {
        each.laddr.ip
        for each in psutil.Process(running.pid).net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    }
    assert listening == {LOOPBACK}


def test_a_wrong_command_line_is_refused(sandbox: Sandbox) -> None:
    for arguments in (["live", "--events", "0"], ["start", "--follow", "1", "--no-follow"], []):
        done = sandbox.run(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_life_goes_on_while_the_process_that_served_is_ending(sandbox: Sandbox) -> None:
    # what a user types right behind a run of the demo: nobody listens any more, but the process is still there
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"]) as ending:
        running = Running(ending.pid, psutil.Process(ending.pid).create_time(), 9, "", {})
        sandbox.directory.mkdir(parents=True)
        (sandbox.directory / RUNNING_FILE).write_bytes(msgspec.json.encode(running))
        reaper = threading.Thread(target=ending.wait)
        reaper.start()
        done = sandbox.run("live", "--events", "3")
        reaper.join()
    assert done.returncode == 0, done.stderr
    assert violations(sandbox.company()) == []
