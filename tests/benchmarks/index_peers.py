"""What others use: targets of the package index, each in an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.benchmarks import target
from tests.benchmarks.process import execute
from tests.benchmarks.table import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.options import Options

_BIN = "Scripts" if os.name == "nt" else "bin"


def _jsonl(folder: Path) -> dict[str, Any]:
    return {"destination_path": str(folder), "do_timestamp_file": False}


def _csv(folder: Path) -> dict[str, Any]:
    return {"destination_path": str(folder), "delimiter": ","}


def _duckdb(folder: Path) -> dict[str, Any]:
    return {"path": str(folder / "peer.duckdb"), "default_target_schema": "main"}


PEERS = {"target-jsonl": _jsonl, "target-csv": _csv, "target-duckdb": _duckdb}


def measure(options: Options) -> Sequence[Figure]:
    """Load the same lines by the target and by its peers in turn; needs the package index, so only on request."""
    return [figure for name in PEERS if options.with_peers for figure in _measured(options, name)]


def _measured(options: Options, name: str) -> Sequence[Figure]:
    what = f"target: {options.rows:,} lines, against {name}"
    environment = options.folder / f"environment-{name}"
    try:
        _install(environment, name)
        pairs = [(_ours(options), _theirs(options, environment, name)) for _ in range(options.rounds)]
    except (RuntimeError, subprocess.CalledProcessError) as error:
        why = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1][:120]
        return [Figure(what, "", "not measured", None, f"it does not run here: {why}")]
    ratios = [theirs / ours for ours, theirs in pairs]
    told = f"{median(ours for ours, _ in pairs):.2f} s to {median(theirs for _, theirs in pairs):.2f} s"
    return [Figure(what, "", f"{median(ratios):.1f} x faster", None, told, ratios)]


def _install(environment: Path, name: str) -> None:
    uv = shutil.which("uv")
    if uv is None:
        raise RuntimeError("uv is not on the path")
    wanted = (name, "setuptools<81")  # some need its pkg_resources, which later ones lack
    for arguments in (
        ("venv", "-q", environment),
        ("pip", "install", "-q", "--python", environment, *wanted),
    ):
        # The versions that this project pins are not theirs.
        subprocess.run([uv, "--no-config", *arguments], check=True, capture_output=True, text=True)


def _ours(options: Options) -> float:
    return target.load(options.new_folder("peers-ours"), options.lines(options.rows)).seconds


def _theirs(options: Options, environment: Path, name: str) -> float:
    folder = options.new_folder("peers-theirs")
    config = folder / "config.json"
    config.write_text(json.dumps(PEERS[name](folder)), encoding="utf-8")
    command: list[str | Path] = [environment / _BIN / name, "--config", config]
    return execute(command, options.lines(options.rows), folder=folder)[0].seconds
