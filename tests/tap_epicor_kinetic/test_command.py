"""The tap as a user starts it: exit codes, one-line messages, signals, and no secret anywhere."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_epicor_kinetic.tap import TapEpicorKinetic
from tests.sandbox.epicor_kinetic import API_KEY, COMPANIES, PASSWORD
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import catalog_of, command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.tap_epicor_kinetic.conftest import Instance

README = Path(__file__).parents[2] / "tap-epicor-kinetic" / "README.md"


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


def messages(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def complaints(err: str) -> list[str]:
    """Lines of the log that are no information."""
    return [line for line in err.splitlines() if " INFO " not in line and not line.startswith("INFO")]


def with_catalog(instance: Instance, folder: Path, *streams: str) -> tuple[str, str]:
    """Arguments that select some streams; the others are not asked for, which saves time."""
    (folder / "catalog.json").write_text(json.dumps(catalog_of(instance.config, *streams)))
    return "--catalog", str(folder / "catalog.json")


def test_a_run_writes_singer_messages_and_says_what_it_cost(instance: Instance, tmp_path: Path) -> None:
    arguments = with_catalog(instance, tmp_path, "ap_invoices", "vendors")
    code, out, err = finish(command(instance.config, tmp_path, *arguments))
    assert code == 0, err
    assert {message["type"] for message in messages(out)} == {"SCHEMA", "RECORD", "STATE"}
    last = err.strip().splitlines()[-1]
    assert "calls. Rows: ap_invoices" in last
    assert "Not read" not in last


def test_rows_written_as_a_block_are_counted_and_are_what_single_messages_would_be(
    instance: Instance, tmp_path: Path
) -> None:
    stream = "gl_journal_lines"
    arguments = with_catalog(instance, tmp_path, stream)
    code, out, err = finish(command(instance.config, tmp_path, *arguments))
    assert code == 0, err
    mapped = instance.with_(stream_maps={stream: {"__filter__": "1 == 1"}})
    single = finish(command(mapped, tmp_path, *arguments))[1]
    block = records(out)
    assert len(block) == sum(len(instance.site.rows("GLJrnDtl", company)) for company in COMPANIES)
    assert block == records(single)
    counted = re.findall(r'"metric": ?"record_count", ?"value": ?(\d+)', err)
    assert sum(map(int, counted)) == len(block)
    assert f"{stream} {len(block)}" in err.strip().splitlines()[-1]


def records(out: str) -> list[str]:
    """RECORD messages as they were written, but for when their rows were read."""
    lines = (line for line in out.splitlines() if line.startswith('{"type":"RECORD"'))
    return [re.sub(r'"time_extracted":"[^"]+"', '"time_extracted":""', line) for line in lines]


def test_the_connection_test_reads_a_row_of_every_stream_and_asks_every_company(
    instance: Instance, tmp_path: Path
) -> None:
    code, out, err = finish(command(instance.config, tmp_path, "--test"))
    assert code == 0, err
    counts: dict[str, int] = {}
    for message in messages(out):
        if message["type"] == "RECORD":
            counts[message["stream"]] = counts.get(message["stream"], 0) + 1
    assert set(counts.values()) == {1}
    assert len(counts) == 39
    assert instance.script.count("EPIC07/.*Vendors") == 1


def test_the_connection_test_names_every_stream_that_fails(instance: Instance, tmp_path: Path) -> None:
    finish(command(instance.config, tmp_path, "--discover"))
    instance.script.add(Fault(r"/(Vendors|Terms)\?", status=400, body=b'{"ErrorMessage":"BPM"}', times=9))
    code, _, err = finish(command(instance.config, tmp_path, "--test"))
    assert code == 1
    assert "terms (EPIC06), terms (EPIC07), vendors (EPIC06), vendors (EPIC07)" in err
    assert "Traceback" not in err


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "credential": ({"password": "wrong"}, "username, password"),
    "key": ({"api_key": "wrong"}, "api_key"),
    "company": ({"companies": ["NOPE"]}, "companies"),
    "address": ({"base_url": "http://127.0.0.1:9/kinetic"}, "base_url"),
    "missing": ({"auth_method": "azure_ad"}, "client_id"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_setting_ends_with_one_line_that_says_which(
    instance: Instance, tmp_path: Path, what: str
) -> None:
    settings, says = WRONG[what]
    code, out, err = finish(command(instance.with_(**settings), tmp_path))
    assert code == 1
    assert out == ""
    assert "Traceback" not in err
    said = [line for line in complaints(err) if "Next try in" not in line]
    assert len(said) == 1, err
    assert says in said[0]


@pytest.mark.parametrize("what", ["credential", "key"])
def test_a_setting_that_goes_wrong_after_discovery_ends_with_one_line_too(
    instance: Instance, tmp_path: Path, what: str
) -> None:
    arguments = with_catalog(instance, tmp_path, "terms")
    settings, says = WRONG[what]
    code, _, err = finish(command(instance.with_(**settings), tmp_path, *arguments))
    assert code == 1
    (said,) = complaints(err)
    assert says in said


def test_the_discovered_catalog_can_be_used_as_it_is(instance: Instance, tmp_path: Path) -> None:
    code, out, err = finish(command(instance.config, tmp_path, "--discover"))
    assert code == 0, err
    (tmp_path / "catalog.json").write_text(out)
    code, out, err = finish(command(instance.config, tmp_path, "--catalog", str(tmp_path / "catalog.json")))
    assert code == 0, err
    found = messages(out)
    assert len({message["stream"] for message in found if message["type"] == "RECORD"}) == 39
    vendor = next(m["record"] for m in found if m["type"] == "RECORD" and m["stream"] == "vendors")
    assert "vendor_id" in vendor
    assert "tax_payer_id" not in vendor


def test_a_secret_is_shown_nowhere_even_when_debugging(instance: Instance, tmp_path: Path) -> None:
    arguments = with_catalog(instance, tmp_path, "terms", "vendors")
    config = instance.with_(auth_method="token_resource")
    instance.script.add(Fault(r"/Vendors\?", status=500, body=f'{{"ErrorMessage":"{PASSWORD}"}}'.encode()))
    process = command(config, tmp_path, *arguments, env={"TAP_EPICOR_KINETIC_LOGLEVEL": "DEBUG"})
    code, out, err = finish(process)
    assert code == 0, err
    bearer = {
        call.headers["authorization"] for call in instance.script.calls if "authorization" in call.headers
    }
    assert any(value.startswith("Bearer ") for value in bearer)
    for secret in (PASSWORD, API_KEY, *(value.partition(" ")[2] for value in bearer)):
        assert secret not in out
        assert secret not in err
    for path in Path(config["cache_path"]).iterdir():
        text = path.read_text()
        assert PASSWORD not in text
        assert API_KEY not in text
    assert not instance.site.identity.keys_in_urls


@pytest.mark.parametrize("name", ["password", "client_secret", "api_key"])
def test_a_malformed_secret_is_not_shown(instance: Instance, tmp_path: Path, name: str) -> None:
    code, _, err = finish(command(instance.with_(**{name: 8251947}), tmp_path))
    assert code == 1
    assert "8251947" not in err
    assert name in err


def test_a_wrong_time_zone_is_named(instance: Instance, tmp_path: Path) -> None:
    code, _, err = finish(command(instance.with_(timezone="Mars/Olympus"), tmp_path))
    assert code == 1
    assert "timezone" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
@pytest.mark.parametrize("kind", ["SIGTERM", "SIGKILL"])
def test_a_run_that_is_stopped_goes_on_from_its_last_state(
    instance: Instance, tmp_path: Path, kind: str
) -> None:
    # Few rows before the stop: nobody reads the pipe meanwhile, and a full one would hold the tap up.
    arguments = with_catalog(instance, tmp_path, "bank_accounts", "terms", "vendors")
    instance.script.add(Fault(r"/Vendors\?", delay=30))
    process = command(instance.config, tmp_path, *arguments)
    wait_for_call(instance, "/Vendors")
    process.send_signal(getattr(signal, kind))
    code, out, err = finish(process)
    assert code == (128 + signal.SIGTERM if kind == "SIGTERM" else -signal.SIGKILL)
    assert "Traceback" not in err
    found = messages(out)
    state = [message["value"] for message in found if message["type"] == "STATE"][-1]
    (tmp_path / "state.json").write_text(json.dumps(state))
    instance.script.clear()
    config = instance.with_(sysrevid_overlap=0)
    code, out, err = finish(command(config, tmp_path, *arguments, "--state", str(tmp_path / "state.json")))
    assert code == 0, err
    counts: dict[str, int] = {}
    for message in messages(out):
        if message["type"] == "RECORD":
            counts[message["stream"]] = counts.get(message["stream"], 0) + 1
    assert counts["bank_accounts"] == counts["terms"] == 2
    assert counts["vendors"] == 2 * len(instance.site.rows("Vendor", "EPIC06"))


def wait_for_call(instance: Instance, pattern: str) -> None:
    for _ in range(1500):
        if instance.script.count(pattern):
            return
        time.sleep(0.02)
    raise AssertionError(f"no call of {pattern} came")


def test_a_failed_stream_makes_the_exit_code_1(instance: Instance, tmp_path: Path) -> None:
    arguments = with_catalog(instance, tmp_path, "terms", "vendors")
    instance.script.add(Fault(r"/Terms\?", status=400, body=b'{"ErrorMessage":"no"}', times=9))
    code, out, err = finish(command(instance.config, tmp_path, *arguments))
    assert code == 1
    assert "Traceback" not in err
    assert "failed: terms (EPIC06), terms (EPIC07)" in err.strip().splitlines()[-1]
    assert any(m["type"] == "RECORD" and m["stream"] == "vendors" for m in messages(out))


def test_settings_come_from_the_environment_too(instance: Instance, tmp_path: Path) -> None:
    env = {
        f"TAP_EPICOR_KINETIC_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in instance.config.items()
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tap_epicor_kinetic", "--config", "ENV", "--discover"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **env},
        cwd=tmp_path,
    )
    code, out, err = finish(process)
    assert code == 0, err
    assert len(json.loads(out)["streams"]) == 39


def test_stream_maps_and_flattening_are_taken(instance: Instance, tmp_path: Path) -> None:
    arguments = with_catalog(instance, tmp_path, "terms")
    maps = {"terms": {"__alias__": "payment_terms", "code": "terms_code"}}
    code, out, err = finish(
        command(
            instance.with_(stream_maps=maps, flattening_enabled=True, flattening_max_depth=1),
            tmp_path,
            *arguments,
        )
    )
    assert code == 0, err
    rows = [message for message in messages(out) if message["type"] == "RECORD"]
    assert {row["stream"] for row in rows} == {"payment_terms"}
    assert all(row["record"]["code"] for row in rows)


# documentation ----------------------------------------------------------------------------------------------


def test_the_readme_names_every_stream_with_its_service_and_key(instance: Instance) -> None:
    tap = TapEpicorKinetic(config=instance.config, setup_mapper=False)
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    for name, stream in tap.streams.items():
        (row,) = [line for line in lines if line.startswith(f"| `{name}` ")]
        assert [key for key in stream.primary_keys if f"`{key}`" in row] == list(stream.primary_keys)[1:], (
            name
        )
        assert stream.source.path.split("/")[0] in row  # type: ignore[attr-defined]


def test_every_setting_is_explained_and_no_setting_is_a_float() -> None:
    about = subprocess.run(
        [sys.executable, "-m", "tap_epicor_kinetic", "--about", "--format=json"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    settings: Mapping[str, Any] = json.loads(about.stdout)["settings"]["properties"]
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
    for name in ("password", "client_secret", "api_key"):
        assert settings[name]["secret"]
