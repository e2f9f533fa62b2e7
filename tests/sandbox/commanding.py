"""The sandbox command in the hands of a test."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from tests.sandbox.__main__ import main
from tests.sandbox.company.model import Company
from tests.sandbox.daemon import SERVERS
from tests.sandbox.running import Running, find_running

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.sandbox"]
NAMES = ["acumatica", "tableau"]  # served by most of these tests: starting all takes longer
END_SECONDS = 3  # it takes less than one; a busy machine may need longer


class Sandbox:
    """The command, run in a folder of its own on ports that the system chooses."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        ports = {server.port_variable: "0" for server in SERVERS}
        self.environment = {
            **os.environ,
            **ports,
            "SANDBOX_DIR": str(directory),
            "SANDBOX_BILLS": "30",
            "SANDBOX_SERVERS": ",".join(NAMES),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in this process: it is the same code and spares the imports."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "environ", self.environment)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    code = main(arguments)
                except SystemExit as refused:
                    code = int(refused.code or 0)
        return subprocess.CompletedProcess(list(arguments), code, out.getvalue(), err.getvalue())

    def run_apart(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as users do."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def start(self, *arguments: str) -> Running:
        done = self.run_apart("start", *arguments)
        assert done.returncode == 0, done.stderr
        return self.running()

    def running(self) -> Running:
        running = find_running(self.directory)
        assert running is not None
        return running

    def company(self) -> Company:
        return msgspec.json.decode((self.directory / "company.json").read_bytes(), type=Company)


def end(process: subprocess.Popen[bytes]) -> None:
    process.communicate(b"\n")


def ended(running: Running, within: float = END_SECONDS) -> bool:
    deadline = time.monotonic() + within
    while running.is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def stays(running: Running) -> bool:
    """Whether it still lives after three looks at what it follows."""
    return not ended(running, within=0.6)


def get(url: str, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response
