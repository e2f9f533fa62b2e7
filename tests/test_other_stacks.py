"""Our taps into targets of others, and taps of others into target-tableau, each in an environment of its own.

`pytest -m network tests/test_other_stacks.py`; the environments are made by uv from the package index.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.end_to_end.support import Project
from tests.generated import PLUGINS, ROOT
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.network, pytest.mark.timeout(900)]
TAPS = [plugin.name for plugin in PLUGINS if plugin.name.startswith("tap-")]
_SCRIPTS = Path(sys.executable).parent
_VERSIONS = {
    "target-jsonl": "target-jsonl==0.1.4",
    "target-csv": "meltanolabs-target-csv==0.5.0",
    "tap-jsonl": "tap-jsonl==0.3.1",
    "tap-dbf": "tap-dbf==0.1.25",
}


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name of a plugin -> its command."""
    commands = {}
    for name, package in _VERSIONS.items():
        folder = tmp_path_factory.mktemp("peers") / name
        uv = shutil.which("uv")
        assert uv
        subprocess.run([uv, "venv", "-q", str(folder), "--python", sys.executable], check=True, timeout=120)
        scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
        install = [uv, "pip", "install", "-q", "--python", str(scripts / "python"), package]
        # elsewhere than in this workspace, whose pinned versions uv would want for others too
        subprocess.run(install, cwd=folder, check=True, timeout=600)
        commands[name] = scripts / name
    return commands


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project.make(tmp_path_factory.mktemp("project"))
    made.sandbox("start", "--no-follow")
    yield made
    made.sandbox("stop")


def sandbox_config(project: Project, tap: str) -> dict[str, Any]:
    """What meltano.yml gives a tap in the sandbox, without the rules that are Meltano's."""
    environment = next(
        one
        for one in yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["environments"]
        if one["name"] == "sandbox"
    )
    (entry,) = [one for one in environment["config"]["plugins"]["extractors"] if one["name"] == tap]
    text = json.dumps(entry["config"])
    for name, port in project.ports.items():
        text = text.replace(f"${{{name}}}", port)
    config: dict[str, Any] = json.loads(text)
    return config


def piped(command: list[str | Path], source: bytes, folder: Path) -> bytes:
    result = subprocess.run(command, input=source, cwd=folder, capture_output=True, check=False, timeout=600)
    assert result.returncode == 0, result.stderr.decode()[-3000:]
    return result.stdout


@pytest.mark.parametrize("tap", TAPS)
def test_a_tap_of_ours_fills_targets_of_others(
    tap: str, peers: dict[str, Path], project: Project, tmp_path: Path
) -> None:
    config = tmp_path / "tap.json"
    config.write_text(json.dumps(sandbox_config(project, tap)), encoding="utf-8")
    messages = subprocess.run(
        [_SCRIPTS / tap, "--config", str(config)],
        cwd=project.folder,
        capture_output=True,
        check=True,
        timeout=600,
        env=project.environment({}),
    ).stdout
    parsed = [json.loads(line) for line in messages.splitlines()]
    sent = Counter(each["stream"] for each in parsed if each["type"] == "RECORD")
    last = [each["value"] for each in parsed if each["type"] == "STATE"][-1]
    assert len(sent) > 20

    for target, setting in (("target-jsonl", "destination_path"), ("target-csv", "output_path")):
        folder = tmp_path / target
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({setting: str(folder)}), encoding="utf-8")
        given = piped([peers[target], "--config", "config.json"], messages, folder)
        assert json.loads(given.splitlines()[-1]) == last, target
        assert landed(folder) == sent, target


def landed(folder: Path) -> Counter[str]:
    """Stream -> rows, of the files that a target has written."""
    rows: Counter[str] = Counter()
    for path in folder.glob("*.jsonl"):
        rows[path.name.partition("-")[0]] += len(path.read_bytes().splitlines())
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows[path.name.partition("-")[0].removesuffix(".csv")] += sum(1 for _ in csv.DictReader(file))
    return +rows


def test_tap_jsonl_fills_extracts_by_key(peers: dict[str, Path], tmp_path: Path) -> None:
    records = [{"id": "007", "amount": 12.5, "paid": False}, {"id": "008", "amount": None, "paid": True}]
    source = tmp_path / "bills.jsonl"
    source.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    settings = {"path": str(source), "stream_name": "bills", "primary_keys": ["id"]}
    extract = into_tableau(peers["tap-jsonl"], settings, tmp_path)
    assert query(extract("bills"), "SELECT COUNT(*), COUNT(DISTINCT id) FROM {t}") == [[2, 2]]


def test_tap_dbf_fills_extracts(peers: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "items.dbf").write_bytes(
        dbase([("CODE", "C", 6), ("PRICE", "N", 8)], [("007", "12.50"), ("8", "3")])
    )
    extract = into_tableau(peers["tap-dbf"], {"path": str(tmp_path / "items.dbf")}, tmp_path)
    (stream,) = [path.stem for path in (tmp_path / "output" / "peer").glob("*.hyper")]
    rows = query(extract(stream), 'SELECT "CODE", CAST("PRICE" AS DOUBLE PRECISION) FROM {t} ORDER BY 1')
    assert rows == [["007", 12.5], ["8", 3.0]]


def into_tableau(tap: Path, settings: dict[str, Any], folder: Path) -> Any:
    (folder / "tap.json").write_text(json.dumps(settings), encoding="utf-8")
    target = {"output_dir": str(folder / "output"), "source": "peer"}
    (folder / "target.json").write_text(json.dumps(target), encoding="utf-8")
    found = piped([tap, "--config", "tap.json", "--discover"], b"", folder)
    (folder / "catalog.json").write_bytes(found)
    messages = piped([tap, "--config", "tap.json", "--catalog", "catalog.json"], b"", folder)
    given = piped([_SCRIPTS / "target-tableau", "--config", "target.json"], messages, folder)
    assert json.loads(given.splitlines()[-1])["bookmarks"]
    assert os.listdir(folder / "output" / "journal"), "what arrived is kept"  # noqa: PTH208 - only whether there is any
    return lambda stream: folder / "output" / "peer" / f"{stream}.hyper"


def dbase(columns: list[tuple[str, str, int]], rows: list[tuple[str, ...]]) -> bytes:
    """A dBase III file: header, descriptions of the fields, rows of fixed width."""
    fields = b"".join(
        struct.pack("<11sc4xBB14x", name.encode(), kind.encode(), size, 2 if kind == "N" else 0)
        for name, kind, size in columns
    )
    length = 1 + sum(size for _, _, size in columns)
    header = struct.pack("<BBBBIHH20x", 3, 126, 11, 26, len(rows), 32 + len(fields) + 1, length)
    body = b"".join(
        b" " + b"".join(value.ljust(size).encode() for value, (_, _, size) in zip(row, columns, strict=True))
        for row in rows
    )
    return header + fields + b"\r" + body + b"\x1a"
