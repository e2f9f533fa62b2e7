from __future__ import annotations

import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import psutil
import pytest

from tests.sandbox.running import RUNNING_FILE, Running, created_at, find_running
from tests.sandbox.serving import bind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

from tests.sandbox.commanding import COMMAND, NAMES, PROJECT, Sandbox, end, ended, get, stays
from tests.sandbox.daemon import SERVERS


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path / ".sandbox")
    yield made
    assert made.run("stop").returncode == 0
    assert find_running(made.directory) is None


@pytest.fixture
def companion() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Makes processes that do nothing until their standard input is closed."""
    made: list[subprocess.Popen[bytes]] = []

    def make() -> subprocess.Popen[bytes]:
        made.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        return made[-1]

    yield make
    for process in made:
        process.kill()
        process.communicate()


# -------------------------------------------------------------------- start


def test_start_serves_every_server_and_names_each_on_a_line(sandbox: Sandbox) -> None:
    done = sandbox.run_apart("start", "--no-follow")
    running = sandbox.running()
    assert done.returncode == 0
    assert done.stderr == ""
    assert [line.split() for line in done.stdout.splitlines()] == [
        [name, running.servers[name]] for name in NAMES
    ]
    for url in running.servers.values():
        assert get(url, "/").status in {200, 401, 404}


def test_start_returns_though_its_output_is_read_to_the_end(sandbox: Sandbox) -> None:
    """A pipe that the background process keeps open is what makes `meltano run` hang."""
    sandbox.start("--no-follow")  # reads both pipes to their end
    assert sandbox.running().is_alive()


def test_only_the_owner_may_read_the_token(sandbox: Sandbox) -> None:
    sandbox.start("--no-follow")
    mode = (sandbox.directory / RUNNING_FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_second_start_finds_the_first(sandbox: Sandbox) -> None:
    first = sandbox.start("--no-follow")
    done = sandbox.run_apart("start", "--no-follow")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "the sandbox runs already"
    assert sandbox.running() == first


def test_two_starts_at_the_same_time_share_one_sandbox(sandbox: Sandbox) -> None:
    starts = [
        subprocess.Popen(
            [*COMMAND, "start", "--no-follow"],
            cwd=PROJECT,
            env=sandbox.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    outputs = [start.communicate(timeout=60)[0].decode() for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    assert sorted("already" in output for output in outputs) == [False, True]


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("MELTANO_ENVIRONMENT", "prod", "run `meltano --environment sandbox run demo`"),
        ("TARGET_TABLEAU_SERVER_URL", "https://10ax.online.tableau.com", "move .env away"),
        ("TAP_SAGE_INTACCT_COMPANY_ID", "Books", "move .env away"),
    ],
)
def test_the_demo_published_its_company_among_real_books_when_env_was_filled_in(
    sandbox: Sandbox, name: str, value: str, advice: str
) -> None:
    sandbox.environment[name] = value
    done = sandbox.run_apart("start", "--no-follow")
    assert done.returncode == 1
    assert advice in done.stderr
    assert done.stderr.count("\n") == 1
    assert find_running(sandbox.directory) is None


def test_a_port_that_is_taken_is_one_sentence(sandbox: Sandbox) -> None:
    with bind() as taken:
        taken.listen()
        port = taken.getsockname()[1]
        sandbox.environment["SANDBOX_TABLEAU_PORT"] = str(port)
        done = sandbox.run_apart("start", "--no-follow")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"sandbox: port {port} for tableau is taken by another program: stop it, or set SANDBOX_TABLEAU_PORT\n"
    )
    assert find_running(sandbox.directory) is None


def test_a_port_that_is_no_number_is_one_sentence(sandbox: Sandbox) -> None:
    sandbox.environment["SANDBOX_ACUMATICA_PORT"] = "eighty"
    done = sandbox.run_apart("start", "--no-follow")
    assert (done.returncode, done.stderr) == (
        1,
        "sandbox: SANDBOX_ACUMATICA_PORT is 'eighty': give a port number\n",
    )


def test_a_company_that_cannot_be_read_is_reported_with_the_remedy(sandbox: Sandbox) -> None:
    sandbox.directory.mkdir()
    (sandbox.directory / "company.json").write_text("{", "utf-8")
    done = sandbox.run_apart("start", "--no-follow")
    assert done.returncode == 1
    assert "company.json cannot be read" in done.stderr
    assert "reset" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "cannot be read" in (sandbox.directory / "sandbox.log").read_text("utf-8")
    assert sandbox.run("reset").returncode == 0
    sandbox.start("--no-follow")


def test_a_folder_that_cannot_be_made_is_one_sentence(sandbox: Sandbox) -> None:
    sandbox.directory.write_text("a file", "utf-8")
    done = sandbox.run_apart("start")
    sandbox.directory.unlink()
    assert done.returncode == 1
    assert done.stderr.endswith("set SANDBOX_DIR\n")
    assert done.stderr.count("\n") == 1


# ------------------------------------------------------------------- follow


def test_it_ends_with_the_process_it_follows(
    sandbox: Sandbox, companion: Callable[[], subprocess.Popen[bytes]]
) -> None:
    followed = companion()
    running = sandbox.start("--follow", str(followed.pid))
    end(followed)
    assert ended(running)
    assert not (sandbox.directory / RUNNING_FILE).exists()


def test_it_ends_when_the_process_it_follows_is_killed(
    sandbox: Sandbox, companion: Callable[[], subprocess.Popen[bytes]]
) -> None:
    followed = companion()
    running = sandbox.start("--follow", str(followed.pid))
    followed.kill()  # not waited for: a zombie has ended too
    assert ended(running)


def test_it_follows_the_process_that_called_start_also_when_that_fails(sandbox: Sandbox) -> None:
    """As `meltano run` does it: start, a step that fails, the end."""
    script = (
        f"import subprocess, sys; subprocess.run({[*COMMAND, 'start']!r}, check=True); input(); sys.exit(1)"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env=sandbox.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert caller.stdout is not None
    for _ in NAMES:
        caller.stdout.readline()
    running = sandbox.running()
    assert stays(running)
    end(caller)
    assert caller.returncode == 1
    assert ended(running)


def test_it_lives_as_long_as_the_last_of_two_callers(
    sandbox: Sandbox, companion: Callable[[], subprocess.Popen[bytes]]
) -> None:
    first, second = companion(), companion()
    running = sandbox.start("--follow", str(first.pid))
    assert sandbox.start("--follow", str(second.pid)) == running
    end(first)
    assert stays(running)
    end(second)
    assert ended(running)


def test_a_start_that_follows_nobody_outlives_the_first_caller(
    sandbox: Sandbox, companion: Callable[[], subprocess.Popen[bytes]]
) -> None:
    followed = companion()
    running = sandbox.start("--follow", str(followed.pid))
    assert sandbox.start("--no-follow") == running
    end(followed)
    assert stays(running)


# --------------------------------------------------------------- stop, status


def test_stop_ends_it_and_a_second_stop_has_nothing_to_do(sandbox: Sandbox) -> None:
    running = sandbox.start("--no-follow")
    assert sandbox.run("stop").stdout == "the sandbox is stopped\n"
    assert not running.is_alive()
    assert sandbox.run("stop").stdout == "no sandbox runs\n"
    assert not (sandbox.directory / RUNNING_FILE).exists()


def test_stop_ends_one_that_does_not_answer(sandbox: Sandbox) -> None:
    running = sandbox.start("--no-follow")
    deaf = msgspec.structs.replace(running, token="wrong")
    (sandbox.directory / RUNNING_FILE).write_bytes(msgspec.json.encode(deaf))
    assert sandbox.run("stop").stdout == "the sandbox is stopped\n"
    assert not running.is_alive()
    if sys.platform != "win32":  # there it is ended without being told
        assert not (sandbox.directory / RUNNING_FILE).exists(), "it did not clean up"


def test_stop_spares_a_stranger_that_inherited_the_process_id(
    sandbox: Sandbox, companion: Callable[[], subprocess.Popen[bytes]]
) -> None:
    stranger = companion()
    created = created_at(stranger.pid)
    assert created is not None
    stale = Running(stranger.pid, created - 3600, 1, "token", {})
    sandbox.directory.mkdir()
    (sandbox.directory / RUNNING_FILE).write_bytes(msgspec.json.encode(stale))
    assert sandbox.run("stop").stdout == "no sandbox runs\n"
    assert stranger.poll() is None


def test_status_says_what_runs(sandbox: Sandbox) -> None:
    assert sandbox.run("status").stdout == f"no sandbox runs in {sandbox.directory}\n"
    running = sandbox.start("--no-follow")
    lines = sandbox.run("status").stdout.splitlines()
    assert lines[0] == f"process {running.pid} serves {sandbox.directory}"
    assert [line.split()[0] for line in lines[1:]] == NAMES


def test_a_killed_sandbox_is_replaced_by_the_next_start(sandbox: Sandbox) -> None:
    running = sandbox.start("--no-follow")
    sandbox.run("live", "--events", "3")
    clock = sandbox.company().clock
    psutil.Process(running.pid).kill()
    assert ended(running)
    assert sandbox.start("--no-follow").pid != running.pid
    assert sandbox.company().clock == clock


def test_all_servers_are_served_when_none_is_named(sandbox: Sandbox) -> None:
    del sandbox.environment["SANDBOX_SERVERS"]
    started = sandbox.run_apart("start", "--no-follow")
    assert started.returncode == 0, started.stderr
    assert set(sandbox.running().servers) == {server.name for server in SERVERS}


def test_a_server_that_there_is_not_is_refused_with_those_that_there_are(sandbox: Sandbox) -> None:
    sandbox.environment["SANDBOX_SERVERS"] = "acumatica,oracle"
    refused = sandbox.run("start", "--no-follow")
    assert refused.returncode == 1
    assert "oracle: there are acumatica" in refused.stderr
