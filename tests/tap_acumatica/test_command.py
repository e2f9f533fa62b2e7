"""The tap as a user starts it: exit codes, one-line messages, signals, and no secret anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_acumatica.tap import TapAcumatica
from tests.sandbox.acumatica import CLIENT_SECRET, PASSWORD
from tests.sandbox.faults import Fault
from tests.tap_acumatica.harness import command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.tap_acumatica.conftest import Instance

README = Path(__file__).parents[2] / "tap-acumatica" / "README.md"


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


def messages(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def complaints(err: str) -> list[str]:
    """Lines of the log that are no information."""
    return [line for line in err.splitlines() if " INFO " not in line and not line.startswith("INFO")]


def test_a_run_writes_singer_messages_and_says_what_it_cost(instance: Instance, tmp_path: Path) -> None:
    code, out, err = finish(command(instance.config, tmp_path))
    assert code == 0, err
    kinds = {message["type"] for message in messages(out)}
    assert kinds == {"SCHEMA", "RECORD", "STATE"}
    last = err.strip().splitlines()[-1]
    assert "calls" in last
    assert f"bills {len(instance.company.bills)}" in last
    assert len(instance.app.sessions) == 0


def test_discovered_catalog_selects_what_is_useful_and_can_be_used(
    instance: Instance, tmp_path: Path
) -> None:
    code, out, err = finish(command(instance.config, tmp_path, "--discover"))
    assert code == 0, err
    assert len(instance.app.sessions) == 0
    catalog = json.loads(out)
    vendors = next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == "vendors")
    chosen = {tuple(part["breadcrumb"]): part["metadata"] for part in vendors["metadata"]}
    assert chosen["properties", "tax_registration_id"]["selected-by-default"] is False
    assert chosen["properties", "note_id"]["inclusion"] == "automatic"
    bills = next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == "bills")
    assert bills["schema"]["properties"]["amount"]["x-sql-datatype-properties"] == {
        "precision": 18,
        "scale": 4,
    }
    for entry in catalog["streams"]:
        next(p for p in entry["metadata"] if not p["breadcrumb"])["metadata"]["selected"] = entry is vendors
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    instance.script.clear()
    code, out, err = finish(command(instance.config, tmp_path, "--catalog", str(tmp_path / "catalog.json")))
    assert code == 0, err
    rows = [message["record"] for message in messages(out) if message["type"] == "RECORD"]
    assert len(rows) == len(instance.company.vendors)
    assert "tax_registration_id" not in rows[0]
    assert instance.script.count("swagger") == 0


def test_a_tax_number_is_read_when_it_is_selected(instance: Instance, tmp_path: Path) -> None:
    catalog = json.loads(finish(command(instance.config, tmp_path, "--discover"))[1])
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            part["metadata"]["selected"] = entry["tap_stream_id"] == "vendors"
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    _, out, _ = finish(command(instance.config, tmp_path, "--catalog", str(tmp_path / "catalog.json")))
    rows = [message["record"] for message in messages(out) if message["type"] == "RECORD"]
    found = {row["vendor_id"]: row["tax_registration_id"] for row in rows}
    assert found == {vendor.code: vendor.tax_id for vendor in instance.company.vendors.values()}


def test_the_connection_test_reads_one_record_of_every_stream_and_signs_out(
    instance: Instance, tmp_path: Path
) -> None:
    code, out, err = finish(command(instance.config, tmp_path, "--test"))
    assert code == 0, err
    counts: dict[str, int] = {}
    for message in messages(out):
        if message["type"] == "RECORD":
            counts[message["stream"]] = counts.get(message["stream"], 0) + 1
    assert set(counts.values()) == {1}
    assert len(counts) > 20
    assert len(instance.app.sessions) == 0


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "credential": ({"password": "wrong"}, "username, password"),
    "application": ({"client_secret": "wrong"}, "client_secret"),
    "version": ({"endpoint_version": "99.100.001"}, "offered: "),
    "tenant": ({"tenant": "Other"}, "tenant"),
    "address": ({"base_url": "http://127.0.0.1:9/acme"}, "base_url"),
}


@pytest.mark.parametrize(
    ("what", "mode"),
    [
        ("tenant", ()),
        ("address", ()),
        ("application", ()),
        ("credential", ("--discover",)),
        ("version", ("--test",)),
        *(pytest.param(what, (), marks=pytest.mark.soak) for what in ("credential", "version")),
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
    assert len(said) == 1, err
    assert says in said[0]
    assert len(instance.app.sessions) == 0


def test_a_secret_is_shown_nowhere_even_when_debugging(instance: Instance, tmp_path: Path) -> None:
    instance.script.add(Fault(r"/Bill\?", status=500, body=b'{"message":"deadlock"}', times=1))
    code, out, err = finish(command(instance.config, tmp_path, env={"TAP_ACUMATICA_LOGLEVEL": "DEBUG"}))
    assert code == 0
    bearer = {
        call.headers["authorization"] for call in instance.script.calls if "authorization" in call.headers
    }
    assert bearer
    for secret in (PASSWORD, CLIENT_SECRET, *(value.removeprefix("Bearer ") for value in bearer)):
        assert secret not in out
        assert secret not in err


@pytest.mark.parametrize("name", ["password", "client_secret", "refresh_token"])
def test_a_malformed_secret_is_not_shown(instance: Instance, tmp_path: Path, name: str) -> None:
    code, _, err = finish(command(instance.with_(**{name: 8251947}), tmp_path))
    assert code == 1
    assert "8251947" not in err
    assert name in err


def test_a_wrong_time_zone_is_named(instance: Instance, tmp_path: Path) -> None:
    code, _, err = finish(command(instance.with_(naive_timezone="Mars/Olympus"), tmp_path))
    assert code == 1
    assert "naive_timezone" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_sigterm_ends_the_session_and_does_not_look_like_success(instance: Instance, tmp_path: Path) -> None:
    instance.script.add(Fault(r"dac/APPayment", delay=30))
    process = command(instance.config, tmp_path)
    # behind an answered call: one that the server still works on would open the session again after its end
    wait_for_call(instance, "dac/APPayment")
    process.send_signal(signal.SIGTERM)
    code, out, err = finish(process)
    assert code == 128 + signal.SIGTERM, err
    assert "Traceback" not in err
    assert len(instance.app.sessions) == 0
    assert all(message["type"] in {"SCHEMA", "RECORD", "STATE"} for message in messages(out))


def wait_for_call(instance: Instance, pattern: str) -> None:
    for _ in range(1500):
        if instance.script.count(pattern):
            return
        time.sleep(0.02)
    raise AssertionError(f"no call of {pattern} came")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_the_session_of_a_run_that_was_killed_is_ended_by_the_next(
    instance: Instance, tmp_path: Path
) -> None:
    instance.script.add(Fault(r"dac/APPayment", delay=30))
    process = command(instance.config, tmp_path)
    # behind an answered call: one that the server still works on would open the session again after its end
    wait_for_call(instance, "dac/APPayment")
    process.kill()
    process.communicate()
    instance.script.clear()
    assert len(instance.app.sessions) == 1
    instance.switches.seat_limit = 1
    code, _, err = finish(command(instance.config, tmp_path))
    assert code == 0, err
    assert "interrupted run" in err
    assert len(instance.app.sessions) == 0


def test_a_failed_stream_makes_the_exit_code_1(instance: Instance, tmp_path: Path) -> None:
    catalog = json.loads(finish(command(instance.config, tmp_path, "--discover"))[1])
    for entry in catalog["streams"]:
        chosen = entry["tap_stream_id"] in {"bills", "vendors"}
        next(p for p in entry["metadata"] if not p["breadcrumb"])["metadata"]["selected"] = chosen
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    instance.script.add(Fault(r"/Bill\?", status=400, body=b'{"message":"no"}', times=9))
    code, out, err = finish(command(instance.config, tmp_path, "--catalog", str(tmp_path / "catalog.json")))
    assert code == 1
    assert "Traceback" not in err
    assert "failed: bills" in err.strip().splitlines()[-1]
    assert any(m["type"] == "RECORD" and m["stream"] == "vendors" for m in messages(out))


def test_settings_come_from_the_environment_too(instance: Instance, tmp_path: Path) -> None:
    env = {f"TAP_ACUMATICA_{name.upper()}": str(value) for name, value in instance.config.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "tap_acumatica", "--config", "ENV", "--discover"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **env},
        cwd=tmp_path,
    )
    code, out, err = finish(process)
    assert code == 0, err
    assert len(json.loads(out)["streams"]) > 30


# documentation ----------------------------------------------------------------------------------------------


def about(form: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tap_acumatica", "--about", f"--format={form}"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return done.stdout


def test_the_readme_names_every_stream_with_its_key(instance: Instance) -> None:
    tap = TapAcumatica(config=dict(instance.config), setup_mapper=False)
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    for name, stream in tap.streams.items():
        (row,) = [line for line in lines if line.startswith(f"| `{name}` ")]
        own = [key for key in stream.primary_keys if f"`{key}`" in row]
        assert own == list(stream.primary_keys)[1:] or "…" in row, name
    tap.close()


def test_every_setting_is_explained_and_no_setting_is_a_float() -> None:
    settings: Mapping[str, Any] = json.loads(about("json"))["settings"]["properties"]
    common = {
        "start_date", "end_date", "lookback_seconds", "page_size", "request_timeout_seconds", "max_calls_per_run",
        "skip_forbidden_streams", "discovery_max_age_minutes", "user_agent",
    }  # fmt: skip
    assert common <= set(settings)
    for name, setting in settings.items():
        assert "number" not in setting["type"], name
        if not name.startswith(("stream_map", "flattening", "faker")):
            assert setting["title"], name
            assert setting["description"], name
    for name in ("password", "client_secret", "refresh_token"):
        assert settings[name]["secret"]
