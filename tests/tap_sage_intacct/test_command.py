"""The tap as a user starts it: exit codes, one-line messages, signals, and no secret anywhere."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_sage_intacct.tap import TapSageIntacct
from tests.sandbox.faults import Fault
from tests.sandbox.sage_intacct import SENDER_ID, SENDER_PASSWORD, USER_PASSWORD
from tests.sandbox.sage_intacct import errors as refusals
from tests.sandbox.sage_intacct.troubles import Trouble
from tests.tap_sage_intacct.harness import catalog_of, command, run_tap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.tap_sage_intacct.conftest import Instance

README = Path(__file__).parents[2] / "tap-sage-intacct" / "README.md"


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


def messages(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def complaints(err: str) -> list[str]:
    """Lines of the log that are no information."""
    return [line for line in err.splitlines() if " INFO " not in line and not line.startswith("INFO")]


def catalog_file(instance: Instance, folder: Path, *streams: str) -> str:
    """A catalog with some streams selected, as a file."""
    tap = TapSageIntacct(config=dict(instance.config), setup_mapper=False)
    path = folder / "catalog.json"
    path.write_text(json.dumps(catalog_of(tap, streams)))
    tap.close()
    return str(path)


def test_a_run_writes_singer_messages_and_says_what_it_cost(instance: Instance, tmp_path: Path) -> None:
    file = catalog_file(instance, tmp_path, "bills", "bill_lines", "vendors")
    env = {"TAP_SAGE_INTACCT_LOGLEVEL": "DEBUG"}
    code, out, err = finish(command(instance.config, tmp_path, "--catalog", file, env=env))
    assert code == 0, err
    assert {message["type"] for message in messages(out)} == {"SCHEMA", "RECORD", "STATE"}
    last = err.strip().splitlines()[-1]
    assert re.search(r"\d+ calls\. Rows: ", last)
    assert f"vendors {len(instance.company.vendors)}" in last
    sessions = instance.app.sessions._open  # noqa: SLF001 - they must not be shown
    assert sessions
    for secret in (SENDER_PASSWORD, USER_PASSWORD, SENDER_ID, *sessions):
        assert secret not in out
        assert secret not in err


def test_discovery_and_the_connection_test(instance: Instance, tmp_path: Path) -> None:
    code, out, err = finish(command(instance.config, tmp_path, "--discover"))
    assert code == 0, err
    assert len(json.loads(out)["streams"]) > 40
    code, out, err = finish(command(instance.config, tmp_path, "--test"))
    assert code == 0, err
    counts: dict[str, int] = {}
    for message in messages(out):
        if message["type"] == "RECORD":
            counts[message["stream"]] = counts.get(message["stream"], 0) + 1
    assert set(counts.values()) == {1}
    assert len(counts) > 40


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "password": ({"user_password": "wrong"}, "user_password"),
    "sender": ({"sender_id": "Nobody"}, "sender_id"),
    "address": ({"api_url": "http://127.0.0.1:9/ia"}, "api_url"),
    "host": ({"allow_any_host": False}, "api_url"),
    "zone": ({"timestamp_timezone": "Mars/Olympus"}, "timestamp_timezone"),
}


@pytest.mark.parametrize(
    ("what", "mode"),
    [
        ("sender", ()),
        ("address", ()),
        ("host", ()),
        ("password", ("--test",)),
        *(pytest.param(what, (), marks=pytest.mark.soak) for what in ("password", "zone")),
    ],
)
def test_a_wrong_setting_ends_with_one_line_that_says_which(
    instance: Instance, tmp_path: Path, what: str, mode: tuple[str, ...]
) -> None:
    settings, says = WRONG[what]
    code, out, err = finish(command(instance.with_(**settings), tmp_path, *mode))
    assert code == 1
    assert out == ""
    assert "Traceback" not in err
    said = [line for line in complaints(err) if "Next try in" not in line]
    assert len([line for line in said if says in line]) == 1, err
    assert len(said) <= 2, err
    assert USER_PASSWORD not in err


@pytest.mark.parametrize("name", ["user_password", "sender_password"])
def test_a_malformed_secret_is_not_shown(instance: Instance, tmp_path: Path, name: str) -> None:
    code, _, err = finish(command(instance.with_(**{name: 8251947}), tmp_path))
    assert code == 1
    assert "8251947" not in err
    assert name in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_sigterm_ends_at_once_and_does_not_look_like_success(instance: Instance, tmp_path: Path) -> None:
    instance.script.add(Fault("object=VENDOR&", delay=30))
    file = catalog_file(instance, tmp_path, "classes", "vendors")
    process = command(instance.config, tmp_path, "--catalog", file)
    for _ in range(1500):
        if instance.script.count("object=VENDOR&"):
            break
        time.sleep(0.02)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, out, err = finish(process)
    assert code == 128 + signal.SIGTERM, err
    assert time.monotonic() - begun < 10
    assert "Traceback" not in err
    assert [message for message in messages(out) if message["type"] == "STATE"]


def test_a_failed_stream_makes_the_exit_code_1(instance: Instance, tmp_path: Path) -> None:
    instance.troubles.add(Trouble("object=APBILL&", refusals.bad_query("no"), times=9))
    file = catalog_file(instance, tmp_path, "bills", "vendors")
    code, out, err = finish(command(instance.config, tmp_path, "--catalog", file))
    assert code == 1
    assert "Traceback" not in err
    assert "failed: bills" in err.strip().splitlines()[-1]
    assert any(m["type"] == "RECORD" and m["stream"] == "vendors" for m in messages(out))


# documentation ----------------------------------------------------------------------------------------------


def test_the_readme_names_every_stream_with_its_key(instance: Instance) -> None:
    tap = TapSageIntacct(config=dict(instance.config), setup_mapper=False)
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    for name, stream in tap.streams.items():
        (row,) = [line for line in lines if line.startswith(f"| `{name}` ")]
        own = [key for key in stream.primary_keys if f"`{key}`" in row]
        assert own == list(stream.primary_keys)[1:], name
    tap.close()


def test_every_common_setting_is_there_and_no_setting_is_a_float() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tap_sage_intacct", "--about", "--format=json"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    settings: Mapping[str, Any] = json.loads(done.stdout)["settings"]["properties"]
    common = {
        "start_date", "end_date", "lookback_seconds", "page_size", "request_timeout_seconds", "max_calls_per_run",
        "skip_forbidden_streams", "discovery_max_age_minutes", "user_agent",
    }  # fmt: skip
    assert common <= set(settings)
    for name, setting in settings.items():
        assert "number" not in setting["type"], name
    for name in ("user_password", "sender_password"):
        assert settings[name]["secret"]


def test_a_command_writes_the_rows_that_a_stream_map_would_see(instance: Instance, tmp_path: Path) -> None:
    streams = ("bills", "bill_lines", "journal_entries", "gl_details", "payments", "payment_details")
    config = instance.with_(page_size=7)
    code, out, err = finish(
        command(config, tmp_path, "--catalog", catalog_file(instance, tmp_path, *streams))
    )
    assert code == 0, err
    found: dict[str, list[Any]] = {name: [] for name in streams}
    for line in out.splitlines():
        message = json.loads(line, parse_float=Decimal)
        if message["type"] == "RECORD":
            found[message["stream"]].append(message["record"])
    run = run_tap(config, *streams)
    for name in streams:
        assert found[name] == run.rows(name) != []
