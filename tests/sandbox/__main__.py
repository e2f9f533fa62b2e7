"""The command `python -m tests.sandbox start|stop|status|live|reset|serve`."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import filelock
import psutil

from tests.sandbox.company.world import FILE_NAME
from tests.sandbox.daemon import SERVERS, live_on, open_world, port_taken, serve, wanted
from tests.sandbox.running import (
    LOCK_FILE,
    LOG_FILE,
    RUNNING_FILE,
    Running,
    SandboxError,
    directory_of,
    find_running,
)
from tests.sandbox.serving import bind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PROJECT = Path(__file__).resolve().parents[2]
_OF_REAL_SYSTEMS = (
    "TAP_ACUMATICA_BASE_URL",
    "TAP_EPICOR_KINETIC_BASE_URL",
    "TAP_EXACT_ONLINE_CLIENT_ID",
    "TAP_SAGE_INTACCT_COMPANY_ID",
    "TAP_SYSPRO_BASE_URL",
    "TARGET_TABLEAU_SERVER_URL",
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LOCK_SECONDS = 60
_START_SECONDS = 60
_STOP_SECONDS = 15
_POLL_SECONDS = 0.05
_log = logging.getLogger("sandbox")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, or 1 when it could not be done; the reason is one sentence on standard error.
    """
    options = _parser().parse_args(arguments)
    directory = directory_of(os.environ)
    try:
        lines = _COMMANDS[options.command](directory, options)
    except SandboxError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.sandbox",
        description="A small company in local ERP servers and a Tableau Server.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser("start", help="serve in the background until the calling process ends")
    _add_follow(start)
    commands.add_parser("stop", help="end the background process")
    commands.add_parser("status", help="say what runs")
    live = commands.add_parser("live", help="let random things happen to the company")
    live.add_argument("--events", type=_count, default=20, help="how many (default 20)")
    live.add_argument("--seed", type=int, help="decides which; the same company and seed give the same ones")
    commands.add_parser("reset", help="stop, and throw the company and all server contents away")
    _add_follow(commands.add_parser("serve", help="serve in the foreground until it is interrupted"))
    return parser


def _add_follow(parser: argparse.ArgumentParser) -> None:
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--follow", type=_count, metavar="PID", help="end when this process has ended")
    whom.add_argument("--no-follow", action="store_true", help="serve until it is stopped")


def _count(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


# ----------------------------------------------------------------- commands


def _start(directory: Path, options: argparse.Namespace) -> list[str]:
    _check_environment(os.environ)
    follow = None if options.no_follow else options.follow or os.getppid()
    with _locked(directory):
        running = find_running(directory)
        if running is not None and _joined(running, follow):
            return ["the sandbox runs already", *_described(running)]
        _check_ports()
        return _described(_launched(directory, follow))


def _stop(directory: Path, _: argparse.Namespace) -> list[str]:
    with _locked(directory):
        return ["the sandbox is stopped" if _stopped(directory) else "no sandbox runs"]


def _status(directory: Path, _: argparse.Namespace) -> list[str]:
    running = find_running(directory)
    if running is None:
        return [f"no sandbox runs in {directory}"]
    return [f"process {running.pid} serves {directory}", *_described(running)]


def _live(directory: Path, options: argparse.Namespace) -> list[str]:
    with _locked(directory):
        running = find_running(directory)
        happened = None
        if running is not None:
            try:
                happened = running.ask("/live", {"events": options.events, "seed": options.seed})
            except ConnectionError as error:
                # It may be about to end, with the run that it served.
                if not running.ends_within(_STOP_SECONDS):
                    raise SandboxError(f"{error}: try again") from error
        if happened is None:
            world = open_world(directory, os.environ)
            happened = live_on(world, events=options.events, seed=options.seed)
            world.save()
    return [f"{options.events} events; the company's clock says {happened['clock']}"]


def _reset(directory: Path, _: argparse.Namespace) -> list[str]:
    """Remove what the sandbox made, and nothing else: the folder may hold a user's own files."""
    with _locked(directory):
        _stopped(directory)
        for name in (FILE_NAME, LOG_FILE, RUNNING_FILE):
            (directory / name).unlink(missing_ok=True)
        for server in SERVERS:
            if (directory / server.name).exists():
                shutil.rmtree(directory / server.name)
    return [f"nothing of the sandbox is left in {directory}: the next start makes the company anew"]


def _serve(directory: Path, options: argparse.Namespace) -> list[str]:
    running = find_running(directory)
    if running is not None:
        raise SandboxError(f"process {running.pid} serves {directory} already")
    directory.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=directory / LOG_FILE,
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    sys.excepthook = lambda kind, error, trace: _log.critical(
        "the sandbox broke down", exc_info=(kind, error, trace)
    )
    try:
        serve(directory, os.environ, follow=options.follow)
    except SandboxError as error:
        _log.error("%s", error)
        raise
    return []


_COMMANDS = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "live": _live,
    "reset": _reset,
    "serve": _serve,
}


# ------------------------------------------------------------------ helpers


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One command at a time per folder: two runs that start together share one sandbox.

    Raises:
        SandboxError: Another command does not come to its end.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(f"{directory} cannot be used ({error.strerror}): set SANDBOX_DIR") from error
    try:
        with filelock.FileLock(directory / LOCK_FILE, timeout=_LOCK_SECONDS):
            yield
    except filelock.Timeout as error:
        raise SandboxError(f"another sandbox command has been busy in {directory} for a minute") from error


def _described(running: Running) -> list[str]:
    return [f"{name:<12} {url}" for name, url in running.servers.items()]


def _joined(running: Running, follow: int | None) -> bool:
    """Make a running sandbox live at least as long as `follow`; False when it has just ended.

    Raises:
        SandboxError: It neither answers nor ends.
    """
    try:
        running.ask("/follow", {"pid": follow})
    except (ConnectionError, SandboxError):  # it is about to end
        _wait_for_end(running)
        return False
    return True


def _stopped(directory: Path) -> bool:
    """End the running sandbox; False when none runs.

    Raises:
        SandboxError: It does not end.
    """
    running = find_running(directory)
    if running is None:
        return False
    try:
        running.ask("/stop", {})
    except (ConnectionError, SandboxError):
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(running.pid).terminate()  # the one recorded: its time of creation was compared
    _wait_for_end(running)
    return True


def _wait_for_end(running: Running) -> None:
    if not running.ends_within(_STOP_SECONDS):
        raise SandboxError(f"process {running.pid} serves the sandbox but neither answers nor ends: end it")


def _check_environment(environment: Mapping[str, str]) -> None:
    """See to it that the demo neither reads real books nor publishes its company among them.

    Meltano prefers the environment and .env to what meltano.yml says, in the environment `sandbox` too.

    Raises:
        SandboxError: It would.
    """
    if environment.get("MELTANO_ENVIRONMENT", "sandbox") != "sandbox":
        raise SandboxError(
            f"the environment is {environment['MELTANO_ENVIRONMENT']} (in .env?), not that of the demo: run "
            "`meltano --environment sandbox run demo`"
        )
    for name in _OF_REAL_SYSTEMS:
        value = environment.get(name, "")
        if value and urlsplit(value).hostname not in _LOOPBACK:
            raise SandboxError(
                f"{name} is set (in .env?), so the demo would use your own systems: move .env away while you run it"
            )


def _check_ports() -> None:
    for server in wanted(os.environ):
        port = server.port(os.environ)
        try:
            bind(port).close()
        except OSError as error:
            raise SandboxError(port_taken(server.name, port)) from error


def _launched(directory: Path, follow: int | None) -> Running:
    """Start the background process and wait until every server answers.

    Its standard streams are closed: who waits for the end of this command's output must not wait for the
    sandbox.

    Raises:
        SandboxError: It ended at once, or did not come up.
    """
    whom = ["--no-follow"] if follow is None else ["--follow", str(follow)]
    process = _detached([sys.executable, "-m", "tests.sandbox", "serve", *whom], directory)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        running = find_running(directory)
        if running is not None and running.pid == process.pid:
            return running
        if process.poll() is not None:
            raise SandboxError(f"it ended at once: {_last_words(directory)}")
        time.sleep(_POLL_SECONDS)
    process.terminate()
    raise SandboxError(f"it did not come up within {_START_SECONDS} seconds; see {directory / LOG_FILE}")


def _detached(command: list[str], directory: Path) -> subprocess.Popen[bytes]:
    search = os.pathsep.join(filter(None, (str(_PROJECT), os.environ.get("PYTHONPATH"))))
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": search, "SANDBOX_DIR": str(directory)},
        start_new_session=True,
        creationflags=flags,
    )


def _last_words(directory: Path) -> str:
    """The last line of the log that is not a traceback's."""
    try:
        lines = (directory / LOG_FILE).read_text("utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    return lines[-1] if lines else f"it left no message in {directory / LOG_FILE}"


if __name__ == "__main__":
    sys.exit(main())
