"""The tap as a user starts it: exit codes, one-line messages, signals, and no secret anywhere."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tap_syspro.tap import TapSyspro
from tests.sandbox.faults import Fault
from tests.sandbox.syspro import ODATA_PASSWORD, OPERATOR_PASSWORD
from tests.tap_syspro.harness import command, run_tap, select

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.tap_syspro.conftest import Instance

README = Path(__file__).parents[2] / "tap-syspro" / "README.md"


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
    assert f"ap_invoice {instance.count('ApInvoice')}" in last
    assert instance.app.open_sessions == 0


def test_rows_written_as_a_block_are_counted_and_are_what_single_messages_would_be(
    instance: Instance, tmp_path: Path
) -> None:
    finder = TapSyspro(config=instance.config, setup_mapper=False)
    try:
        select(finder, ["gen_transaction"])
        (tmp_path / "catalog.json").write_text(finder.catalog_json_text)
    finally:
        finder.close()
    code, out, err = finish(command(instance.config, tmp_path, "--catalog", str(tmp_path / "catalog.json")))
    assert code == 0, err
    found = [json.loads(line, parse_float=Decimal) for line in out.splitlines()]
    block = [message["record"] for message in found if message["type"] == "RECORD"]
    single = run_tap(instance.config, "gen_transaction").rows("gen_transaction")
    assert len(block) == instance.count("GenTransaction")
    assert block == single
    counted = re.findall(
        r'"metric":"record_count","value":(\d+)', err.replace('": ', '":').replace(", ", ",")
    )
    assert sum(map(int, counted)) == len(block)


def test_discovered_catalog_selects_what_is_useful_and_can_be_used(
    instance: Instance, tmp_path: Path
) -> None:
    code, out, err = finish(command(instance.config, tmp_path, "--discover"))
    assert code == 0, err
    catalog = json.loads(out)
    suppliers = next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == "ap_supplier")
    chosen = {tuple(part["breadcrumb"]): part["metadata"] for part in suppliers["metadata"]}
    assert chosen["properties", "bank_account"]["selected-by-default"] is False
    assert chosen["properties", "_company"]["inclusion"] == "automatic"
    for entry in catalog["streams"]:
        next(p for p in entry["metadata"] if not p["breadcrumb"])["metadata"]["selected"] = entry is suppliers
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    instance.script.clear()
    code, out, err = finish(command(instance.config, tmp_path, "--catalog", str(tmp_path / "catalog.json")))
    assert code == 0, err
    rows = [message["record"] for message in messages(out) if message["type"] == "RECORD"]
    assert len(rows) == instance.count("ApSupplier")
    assert "bank_account" not in rows[0]
    assert "bankaccount" not in "".join(call.query for call in instance.script.calls).lower()
    assert instance.script.count("metadata") == 0


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
    assert instance.app.open_sessions == 0


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "credential": ({"odata_password": "wrong"}, "odata_username, odata_password"),
    "company": ({"companies": ["EDU9"]}, "companies"),
    "path": ({"odata_path_template": "/nowhere/{company}"}, "odata_path_template"),
    "transport": ({"transport": "enet"}, "operator"),
}


@pytest.mark.parametrize(
    ("what", "mode"),
    [("credential", ()), ("transport", ()), ("path", ("--discover",)), ("company", ("--test",))],
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
    assert instance.app.open_sessions == 0


@pytest.mark.parametrize("transport", ["odata", "enet"])
def test_a_secret_is_shown_nowhere_even_when_debugging(
    instance: Instance, tmp_path: Path, transport: str
) -> None:
    instance.script.add(
        Fault(r"ApInvoice\?|Query/Query", status=500, body=b'{"error":{"message":"deadlock"}}')
    )
    companies = ["EDU1"]
    config = (
        instance.enet(companies=companies) if transport == "enet" else instance.with_(companies=companies)
    )
    code, out, err = finish(command(config, tmp_path, env={"TAP_SYSPRO_LOGLEVEL": "DEBUG"}))
    assert code == 0
    assert "DEBUG" in err
    used = {
        call.headers["authorization"].removeprefix("Basic ")
        for call in instance.script.calls
        if "authorization" in call.headers
    }
    ids = {
        call.query.split("UserId=")[1].split("&")[0]
        for call in instance.script.calls
        if "UserId=" in call.query
    }
    assert used or ids
    password = quote(OPERATOR_PASSWORD, safe="")
    for secret in (ODATA_PASSWORD, OPERATOR_PASSWORD, password, *used, *ids):
        assert secret not in out
        assert secret not in err


@pytest.mark.parametrize("name", ["operator_password"])
def test_a_malformed_secret_is_not_shown(instance: Instance, tmp_path: Path, name: str) -> None:
    code, _, err = finish(command(instance.with_(**{name: 8251947}), tmp_path))
    assert code == 1
    assert "8251947" not in err
    assert name in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_sigterm_ends_the_session_and_does_not_look_like_success(instance: Instance, tmp_path: Path) -> None:
    instance.script.add(Fault(r"Query/Query", delay=20, skip=3))
    process = command(instance.enet(companies=["EDU1"], page_size=20), tmp_path)
    wait_for_calls(instance, "Query/Query", 4)
    process.send_signal(signal.SIGTERM)
    code, out, err = finish(process)
    assert code == 128 + signal.SIGTERM, err
    assert "Traceback" not in err
    assert instance.app.open_sessions == 0
    assert all(message["type"] in {"SCHEMA", "RECORD", "STATE"} for message in messages(out))


def wait_for_calls(instance: Instance, pattern: str, count: int) -> None:
    for _ in range(1500):
        if instance.script.count(pattern) >= count:
            return
        time.sleep(0.02)
    raise AssertionError(f"no call of {pattern} came")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_the_session_of_a_run_that_was_killed_ends_with_the_next_logon(
    instance: Instance, tmp_path: Path
) -> None:
    config = instance.enet(companies=["EDU1"], page_size=40)
    instance.script.add(Fault(r"Query/Query", delay=20, skip=2))
    process = command(config, tmp_path)
    wait_for_calls(instance, "Query/Query", 3)
    process.kill()
    process.communicate()
    instance.script.clear()
    assert instance.app.open_sessions == 1
    code, _, err = finish(command(config, tmp_path))
    assert code == 0, err
    assert instance.app.open_sessions == 0
    assert instance.app.sessions.evicted == 1


def test_a_failed_stream_makes_the_exit_code_1(instance: Instance, tmp_path: Path) -> None:
    catalog = json.loads(finish(command(instance.config, tmp_path, "--discover"))[1])
    for entry in catalog["streams"]:
        chosen = entry["tap_stream_id"] in {"ap_invoice", "ap_supplier"}
        next(p for p in entry["metadata"] if not p["breadcrumb"])["metadata"]["selected"] = chosen
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    instance.script.add(Fault(r"ApInvoice\?", status=400, body=b'{"error":{"message":"no"}}', times=99))
    code, out, err = finish(command(instance.config, tmp_path, "--catalog", str(tmp_path / "catalog.json")))
    assert code == 1
    assert "Traceback" not in err
    assert "failed: ap_invoice" in err.strip().splitlines()[-1]
    assert any(m["type"] == "RECORD" and m["stream"] == "ap_supplier" for m in messages(out))


def test_settings_come_from_the_environment_too(instance: Instance, tmp_path: Path) -> None:
    def written(value: object) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    env = {f"TAP_SYSPRO_{name.upper()}": written(value) for name, value in instance.config.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "tap_syspro", "--config", "ENV", "--discover"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **env},
        cwd=tmp_path,
    )
    code, out, err = finish(process)
    assert code == 0, err
    assert len(json.loads(out)["streams"]) > 25


# documentation ----------------------------------------------------------------------------------------------


def about(form: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tap_syspro", "--about", f"--format={form}"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return done.stdout


def test_the_readme_names_every_stream_with_its_key(instance: Instance) -> None:
    tap = TapSyspro(config=dict(instance.config), setup_mapper=False)
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
    for name in ("odata_password", "operator_password", "company_password", "company_passwords"):
        assert settings[name]["secret"]
