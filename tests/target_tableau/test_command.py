"""The target as a process: exit codes, one-line errors, signals, secrets, and what is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.singerlib.exceptions import InvalidInputLine
from tableauhyperapi import Connection

from target_tableau.errors import TargetTableauError
from tests.target_tableau.support import BILL, STATE, Extracts, bills, engine, load, record, schema, state

if TYPE_CHECKING:
    from pathlib import Path

Config = dict[str, Any]
Messages = list[dict[str, Any]]

REFUSALS = (TargetTableauError, InvalidInputLine, MissingKeyPropertiesError, RecordsWithoutSchemaException)
COMMAND = [sys.executable, "-m", "target_tableau"]
LOADS = [sys.executable, "-m", "target_tableau.loads"]


@pytest.fixture
def config_file(config: Config, tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    return path


def text_of(messages: Messages | list[str]) -> str:
    return "".join(
        f"{message if isinstance(message, str) else json.dumps(message)}\n" for message in messages
    )


def run(config: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--config", str(config)],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
    )


def start(config: Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, "--config", str(config)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


def errors(result: subprocess.CompletedProcess[str]) -> list[str]:
    """What the user sees at level ERROR."""
    return [line for line in result.stderr.splitlines() if "| ERROR" in line]


BAD_INPUT: list[tuple[str, list[Any], str]] = [
    ("no JSON", ["this is not JSON"], "not a JSON object"),
    ("no type", [{"stream": "x"}], "lacks type"),
    ("unknown type", [{"type": "GREETING"}], "GREETING"),
    ("record before schema", [record("vendors", ref="1")], "'vendors'"),
    ("key outside the schema", [schema("bills", BILL, ["nothing"])], "nothing"),
    ("missing key", [schema("bills", BILL, ["ref"]), record("bills", amount=1)], "lacks the key ref"),
    ("misfit", [schema("bills", BILL, ["ref"]), record("bills", ref="7", amount="x")], "record (ref='7')"),
    (
        "scale",
        [schema("bills", BILL, ["ref"]), record("bills", ref="7", amount=1.005)],
        "2 after the decimal point",
    ),
]
SHORT = {"no JSON", "record before schema", "misfit"}
"""What the default run gives to a command; all are tested without a process."""


@pytest.mark.parametrize(
    ("messages", "told"), [case[1:] for case in BAD_INPUT], ids=[case[0] for case in BAD_INPUT]
)
def test_bad_input_is_told_and_hands_on_no_state(
    config: Config, extracts: Extracts, messages: Messages, told: str
) -> None:
    handed_on: list[dict[str, Any]] = []
    with pytest.raises(REFUSALS, match=re.escape(told)):
        load(config, [*bills(("001", 1)), *messages, state()], handed_on)
    assert handed_on == []
    assert list(extracts.folder.glob("*.hyper*")) == []


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        pytest.param(*told, id=name, marks=[] if name in SHORT else [pytest.mark.soak])
        for name, *told in BAD_INPUT
    ],
)
def test_bad_input_is_one_line_exit_code_1_and_no_state(
    config_file: Path, extracts: Extracts, messages: Messages, told: str
) -> None:
    result = run(config_file, text_of([*bills(("001", 1)), *messages, state()]))
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = errors(result)
    assert told in line
    assert "Traceback" not in result.stderr
    assert list(extracts.folder.glob("*.hyper*")) == []


def test_a_good_run_prints_the_state_alone_and_a_table_of_what_landed(config_file: Path) -> None:
    result = run(config_file, text_of(bills(("001", 1), ("002", 2))))
    assert result.returncode == 0
    assert json.loads(result.stdout) == STATE
    assert "+2" in result.stderr
    report = subprocess.run(
        [*LOADS, "--config", str(config_file), "report"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert report[0].split() == ["data", "source", "rows", "changes", "seconds", "total"]
    assert report[2].split()[:4] == ["bills", "2", "+2", report[2].split()[3]]
    assert max(map(len, report)) <= 75


def test_nothing_on_standard_input_is_noted_and_nothing_else_done(
    config_file: Path, extracts: Extracts
) -> None:
    result = run(config_file, "")
    assert (result.returncode, result.stdout) == (0, "")
    assert (extracts.folder / "loads.db").exists()  # health tells of it
    assert not [path for path in extracts.folder.rglob("*") if path.suffix in {".hyper", ".parquet"}]


def test_a_setting_of_the_wrong_type_is_told_without_a_traceback(config_file: Path) -> None:
    config_file.write_text(json.dumps({"hyper_version": "two"}))
    result = run(config_file, "")
    assert result.returncode == 1
    assert "hyper_version" in errors(result)[0]
    assert "Traceback" not in result.stderr


def test_sigterm_leaves_no_half_extract_no_state_and_no_engine(config_file: Path, extracts: Extracts) -> None:
    with start(config_file) as process:
        assert process.stdin is not None
        process.stdin.write(text_of(bills(("001", 1))).encode())
        process.stdin.flush()
        hyperd = _child(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
        assert process.stdout is not None
        assert process.stdout.read() == b""
    assert list(extracts.folder.glob("*.hyper*")) == []
    hyperd.wait(timeout=20)  # at once, or by itself when it was only just being started


def _child(pid: int) -> psutil.Process:
    """Wait for the Hyper engine of a target."""
    for _ in range(600):
        engines = [child for child in psutil.Process(pid).children() if "hyperd" in child.name()]
        if engines:
            return engines[0]
        time.sleep(0.05)
    raise AssertionError("the target never started its engine")


def test_the_engine_sees_none_of_our_environment(config_file: Path) -> None:
    with start(config_file, TARGET_TABLEAU_TOKEN_VALUE="canary", TAP_ACUMATICA_PASSWORD="canary") as process:
        assert process.stdin is not None
        process.stdin.write(text_of(bills(("001", 1))[:1]).encode())
        process.stdin.flush()
        assert "canary" not in str(_child(process.pid).environ())
        process.kill()


def test_a_second_run_on_the_same_extracts_waits_for_the_first(config_file: Path, extracts: Extracts) -> None:
    with start(config_file) as first:
        assert first.stdin is not None
        first.stdin.write(text_of(bills(("001", 1))[:-1]).encode())
        first.stdin.flush()
        _child(first.pid)
        second: list[subprocess.CompletedProcess[str]] = []
        thread = threading.Thread(target=lambda: second.append(run(config_file, text_of(bills(("002", 2))))))
        thread.start()
        time.sleep(0.1)
        first.stdin.close()
        assert first.wait(timeout=60) == 0
        thread.join(timeout=120)
    assert second[0].returncode == 0
    assert extracts.column("bills", "ref") == ["001", "002"]


def test_a_run_right_behind_a_killed_one_waits_for_its_engine_to_let_go(
    config_file: Path, extracts: Extracts
) -> None:
    assert run(config_file, text_of(bills(("001", 1)))).returncode == 0
    held = extracts.folder / "bills.hyper"
    with Connection(engine().endpoint, str(held)):
        second: list[subprocess.CompletedProcess[str]] = []
        thread = threading.Thread(target=lambda: second.append(run(config_file, text_of(bills(("002", 2))))))
        thread.start()
        thread.join(timeout=5)  # it has met the lock by then, or is about to
        assert thread.is_alive()
    thread.join(timeout=60)
    assert second[0].returncode == 0
    assert extracts.column("bills", "ref") == ["001", "002"]
