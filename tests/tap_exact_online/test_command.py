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
from singer_sdk.exceptions import ConfigValidationError

from tap_exact_online.errors import UserError
from tap_exact_online.hosts import address_of
from tap_exact_online.tap import TapExactOnline
from tests.sandbox.exact_online import CLIENT_SECRET, DIVISIONS, FORBIDDEN_DIVISION
from tests.sandbox.exact_online.switches import Switches
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import catalog_of, command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.tap_exact_online.conftest import Instance

README = Path(__file__).parents[2] / "tap-exact-online" / "README.md"
FEW = ("gl_accounts", "cost_centers", "journals", "transaction_lines")


@pytest.fixture
def real(make_instance: Callable[..., Instance]) -> Instance:
    """A site whose quotas and tokens go by real time, as the command does."""
    return make_instance(switches=Switches(clock="real"))


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


def messages(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def complaints(err: str) -> list[str]:
    """Lines of the log that are no information."""
    return [line for line in err.splitlines() if " INFO " not in line and not line.startswith("INFO")]


def catalog(folder: Path, *streams: str) -> tuple[str, str]:
    tap = TapExactOnline(config={"client_id": "x", "client_secret": "y"}, setup_mapper=False)
    path = folder / "catalog.json"
    path.write_text(json.dumps(catalog_of(tap, streams)))
    return "--catalog", str(path)


def test_a_run_writes_singer_messages_and_says_what_it_cost(real: Instance, tmp_path: Path) -> None:
    code, out, err = finish(command(real.config, tmp_path, *catalog(tmp_path, *FEW)))
    assert code == 0, err
    assert {message["type"] for message in messages(out)} == {"SCHEMA", "RECORD", "STATE"}
    last = err.strip().splitlines()[-1]
    assert "12 calls" in last
    assert f"gl_accounts {2 * len(real.company.accounts)}" in last
    assert "left today" in last
    for message in messages(out):
        if message["type"] == "RECORD":
            assert set(message) == {"type", "stream", "record", "time_extracted"}


def test_rows_written_as_a_block_are_what_single_messages_would_be(real: Instance, tmp_path: Path) -> None:
    block = messages(finish(command(real.config, tmp_path, *catalog(tmp_path, "cost_centers")))[1])
    mapped = {**real.config, "stream_maps": {"cost_centers": {"__filter__": "1 == 1"}}}
    single = messages(finish(command(mapped, tmp_path, *catalog(tmp_path, "cost_centers")))[1])

    def rows(found: list[dict[str, Any]]) -> list[Any]:
        return [message["record"] for message in found if message["type"] == "RECORD"]

    assert rows(block)
    assert rows(block) == rows(single)


def test_discovery_needs_neither_tokens_nor_network(tmp_path: Path) -> None:
    config = {"client_id": "x", "client_secret": "y", "api_url": "http://127.0.0.1:9"}
    code, out, err = finish(command(config, tmp_path, "--discover"))
    assert code == 0, err
    found = json.loads(out)
    accounts = next(entry for entry in found["streams"] if entry["tap_stream_id"] == "accounts")
    chosen = {tuple(part["breadcrumb"]): part["metadata"] for part in accounts["metadata"]}
    assert chosen["properties", "vat_number"]["selected-by-default"] is False
    assert chosen["properties", "id"]["inclusion"] == "automatic"
    assert "selected-by-default" not in chosen["properties", "name"]


def test_the_connection_test_reads_one_record_of_every_stream(real: Instance, tmp_path: Path) -> None:
    code, out, err = finish(command(real.config, tmp_path, "--test"))
    assert code == 0, err
    counts: dict[str, int] = {}
    for message in messages(out):
        if message["type"] == "RECORD":
            counts[message["stream"]] = counts.get(message["stream"], 0) + 1
    assert set(counts.values()) == {1}
    assert len(counts) > 40
    assert real.app.counters.refused_by_minute == 0


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "division": ({"divisions": [FORBIDDEN_DIVISION]}, "divisions: "),
    "address": ({"api_url": "ftp://x"}, "api_url"),
    "tokens": ({"token_store_path": "nowhere-yet"}, "tap-exact-online-login"),
    "zone": ({"server_timezone": "Mars/Olympus"}, "server_timezone"),
}


@pytest.mark.parametrize(
    ("what", "mode"),
    [
        ("address", ()),
        ("tokens", ()),
        ("division", ("--test",)),
        ("zone", ()),
        pytest.param("division", (), marks=pytest.mark.soak),
    ],
)
def test_a_wrong_setting_ends_with_one_line_that_says_which(
    real: Instance, tmp_path: Path, what: str, mode: tuple[str, ...]
) -> None:
    settings, says = WRONG[what]
    if "token_store_path" in settings:
        settings = {"token_store_path": str(tmp_path / "nowhere-yet")}
    code, out, err = finish(command(real.with_(**settings), tmp_path, *mode))
    assert code == 1
    assert {message["type"] for message in messages(out)} <= ({"SCHEMA"} if mode else set())
    assert "Traceback" not in err
    assert says in err
    said = [line for line in complaints(err) if says in line]
    assert len(said) == 1, err


def test_a_secret_is_shown_nowhere_even_when_debugging(real: Instance, tmp_path: Path) -> None:
    real.script.add(Fault("Costcenters", status=404, body=b"{}", times=2))
    env = {"TAP_EXACT_ONLINE_LOGLEVEL": "DEBUG"}
    code, out, err = finish(command(real.config, tmp_path, *catalog(tmp_path, *FEW), env=env))
    assert code == 1
    bearer = {
        call.headers["authorization"].removeprefix("Bearer ")
        for call in real.script.calls
        if "authorization" in call.headers
    }
    assert bearer
    kept = Path(real.config["token_store_path"])
    for secret in (CLIENT_SECRET, *bearer):
        assert secret not in out
        assert secret not in err
        for path in kept.iterdir():
            assert secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("name", ["client_secret", "refresh_token", "webhook_secret"])
def test_a_malformed_secret_is_not_shown(real: Instance, name: str) -> None:
    with pytest.raises(ConfigValidationError) as caught:
        TapExactOnline(config=real.with_(**{name: 8251947}))
    assert "8251947" not in f"{caught.value}{caught.value.errors}"
    assert caught.value.errors == [f"{name}: this value is not a text"]


def test_credentials_are_not_sent_in_the_open() -> None:
    with pytest.raises(UserError, match="api_url: use https"):
        address_of({"api_url": "http://start.exactonline.example"})
    with pytest.raises(UserError, match="without a path"):
        address_of({"api_url": "https://start.exactonline.nl/api"})
    assert address_of({"region": "co.uk"}) == "https://start.exactonline.co.uk"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_sigterm_does_not_look_like_success_and_the_state_so_far_counts(
    real: Instance, tmp_path: Path
) -> None:
    real.script.add(Fault("TransactionLines", delay=30))
    # few rows: nobody reads them until the signal is sent, and a pipe holds little
    process = command(real.config, tmp_path, *catalog(tmp_path, "cost_centers", "transaction_lines"))
    for _ in range(1500):
        if real.script.count("TransactionLines"):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    code, out, err = finish(process)
    assert code == 128 + signal.SIGTERM, err
    assert "Traceback" not in err
    states = [message["value"] for message in messages(out) if message["type"] == "STATE"]
    assert "cost_centers" in states[-1]["bookmarks"]


def test_a_failed_stream_makes_the_exit_code_1(real: Instance, tmp_path: Path) -> None:
    real.script.add(Fault("Costcenters", status=404, body=b"{}", times=9))
    code, out, err = finish(command(real.config, tmp_path, *catalog(tmp_path, *FEW)))
    assert code == 1
    assert "Traceback" not in err
    assert "Failed: cost_centers" in err.strip().splitlines()[-1]
    assert any(m["type"] == "RECORD" and m["stream"] == "journals" for m in messages(out))


def test_settings_come_from_the_environment_too(real: Instance, tmp_path: Path) -> None:
    env = {
        f"TAP_EXACT_ONLINE_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in real.config.items()
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tap_exact_online", "--config", "ENV", *catalog(tmp_path, "cost_centers")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **env},
        cwd=tmp_path,
    )
    code, out, err = finish(process)
    assert code == 0, err
    divisions = {m["record"]["division"] for m in messages(out) if m["type"] == "RECORD"}
    assert divisions == set(DIVISIONS.values())


# documentation ----------------------------------------------------------------------------------------------


def about(form: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tap_exact_online", "--about", f"--format={form}"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return done.stdout


def test_the_readme_names_every_stream_with_its_key_and_its_way() -> None:
    tap = TapExactOnline(config={"client_id": "x", "client_secret": "y"}, setup_mapper=False)
    table = README.read_text(encoding="utf-8").partition("## Quick start")[0]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    for name, stream in tap.streams.items():
        (row,) = [line for line in lines if line.startswith(f"| `{name}` ")]
        cells = [cell.strip() for cell in row.split("|")]
        assert cells[3] == ", ".join(f"`{key}`" for key in stream.primary_keys), name
        way = f"`{stream.replication_key}`" if stream.replication_key else "full table"
        assert cells[4].startswith((way, "with their")), name
        deleted = "_sdc_deleted_at" in stream.schema["properties"]
        assert (cells[5] == "told") is deleted, name


def test_every_setting_is_explained_and_no_setting_is_a_float() -> None:
    settings: Mapping[str, Any] = json.loads(about("json"))["settings"]["properties"]
    common = {
        "start_date", "end_date", "lookback_seconds", "request_timeout_seconds", "max_calls_per_run",
        "skip_forbidden_streams", "discovery_max_age_minutes", "user_agent",
    }  # fmt: skip
    assert common <= set(settings)
    for name, setting in settings.items():
        assert "number" not in setting["type"], name
        if not name.startswith(("stream_map", "flattening", "faker")):
            assert setting["title"], name
            assert setting["description"], name
    for name in ("client_secret", "refresh_token", "webhook_secret"):
        assert settings[name]["secret"]
