"""Meltano's own commands beside `run`: the state of a company, and what its extractor can be asked."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrate.errors import OrchestrateError
from orchestrate.tables import meltano, prepare

if TYPE_CHECKING:
    from orchestrate.pipelines import Pipeline
    from orchestrate.places import Places

_SECONDS = 300


def ask_meltano(
    pipeline: Pipeline, places: Places, *arguments: str, given: str = "", well: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    """Run a short command of Meltano with the environment of a company.

    Args:
        pipeline: The company.
        places: Where things are kept.
        arguments: The command.
        given: Its standard input.
        well: Exit codes that are no failure.

    Raises:
        OrchestrateError: It fails.
    """
    prepare(places, pipeline.project.environment)
    places.meltano_dir(pipeline.name).mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(  # noqa: S603 - the project's own Meltano
            meltano(*arguments),
            cwd=places.root,
            env={**os.environ, **pipeline.environment(places, os.environ)},
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise OrchestrateError(
            f"meltano {arguments[0]} for '{pipeline.name}' took more than {_SECONDS} seconds."
        ) from late
    if done.returncode not in well:
        raise OrchestrateError(
            f"meltano {arguments[0]} for '{pipeline.name}' did not end well (exit code {done.returncode}): "
            f"{_last_words(done.stderr)}"
        )
    return done


def _last_words(log: str) -> str:
    lines = log.strip().splitlines()
    if not lines:
        return "it told no reason."
    try:
        told = json.loads(lines[-1])
    except ValueError:
        return lines[-1]
    return str(told.get("event", lines[-1])) if isinstance(told, dict) else lines[-1]


def read_state(pipeline: Pipeline, places: Places, suffix: str) -> dict[str, Any]:
    """The Singer STATE under a suffix; empty when there is none.

    Raises:
        OrchestrateError: Meltano cannot be asked.
    """
    done = ask_meltano(pipeline, places, "state", "get", pipeline.state_id_of(suffix))
    text = done.stdout.strip()
    found = json.loads(text) if text else {}
    state = found.get("singer_state") or {}
    return state if isinstance(state, dict) else {}


def write_state(pipeline: Pipeline, places: Places, suffix: str, state: dict[str, Any]) -> None:
    """Set the Singer STATE under a suffix.

    Raises:
        OrchestrateError: Meltano does not take it.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state.json"
        file.write_text(json.dumps({"singer_state": state}), encoding="utf-8")
        identifier = pipeline.state_id_of(suffix)
        ask_meltano(pipeline, places, "state", "set", "--force", "--input-file", str(file), identifier)
