"""The tests of this folder in an environment that has Dagster, when this one has not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.end_to_end.support import ROOT

_ENVIRONMENT = ROOT / ".venv-orchestrate"
_SECONDS = 540
_NOT_TO_BE_HAD = "Failed to fetch"


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        cwd=ROOT,
        env={**kept, "UV_PROJECT_ENVIRONMENT": str(_ENVIRONMENT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_SECONDS,
        check=False,
    )


@pytest.mark.timeout(600)
def test_many_companies_are_orchestrated() -> None:
    installed = _uv("sync", "--group", "orchestrate")
    if _NOT_TO_BE_HAD in installed.stderr:
        pytest.skip("offline, and never installed: run `uv sync --group orchestrate` once")
    assert installed.returncode == 0, installed.stderr
    done = _uv("run", "--no-sync", "pytest", "tests/orchestrate", "-n", "0", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
