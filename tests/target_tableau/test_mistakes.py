"""What a user gets wrong in the target's settings: one sentence, exit code 1, before anything is written."""

from __future__ import annotations

import json
import logging
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import requests
from click.testing import CliRunner

from target_tableau.answers import is_final, unreached
from target_tableau.loads import main as loads
from target_tableau.target import TargetTableau

if TYPE_CHECKING:
    from pathlib import Path

SERVER = {
    "server_url": "http://127.0.0.1:9",
    "site": "finance",
    "project": "ERP",
    "token_name": "pipeline",
    "token_value": "s-e-c-r-e-t",
}
SCHEMA_LINE = json.dumps(
    {"type": "SCHEMA", "stream": "s", "schema": {"properties": {}}, "key_properties": []}
)


def told(settings: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> str:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"output_dir": str(tmp_path / "out")} | settings), encoding="utf-8")
    caplog.clear()
    result = CliRunner().invoke(TargetTableau.cli, ["--config", str(file)], input=f"{SCHEMA_LINE}\n")
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "s-e-c-r-e-t" not in caplog.text + result.output
    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert not record.exc_info
    assert not (tmp_path / "out").exists()
    return record.getMessage()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"hard_delete": "ja"}, "hard_delete: 'ja' is not true or false"),
        ({"publish_mode": "immer"}, "publish_mode: 'immer' is not one of auto, overwrite, update"),
        ({"max_shrink_percent": 500}, "max_shrink_percent: 500 is too large; the most is 100"),
        ({"token_value": ["s-e-c-r-e-t"]}, "token_value: this value is not a text"),
    ],
)
def test_a_setting_of_the_wrong_kind_was_told_in_two_lines_of_json_schema_and_with_its_secret(
    settings: dict[str, Any], sentence: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(settings, tmp_path, caplog) == sentence


@pytest.mark.parametrize(
    ("settings", "typo"),
    [
        ({"datasources": [{"stream": "gl_*", "projekt": "Closed"}]}, "datasources.0: there is no 'projekt'"),
        ({"refresh": {"workbook": ["Payables"]}}, "refresh: there is no 'workbook'"),
        ({"models": [{"name": "m", "fact": "bills", "join": []}]}, "models.0: there is no 'join'"),
    ],
)
def test_a_typing_mistake_in_a_rule_went_unnoticed(
    settings: dict[str, Any], typo: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(settings, tmp_path, caplog).startswith(typo)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"token_value": None}, "To sign in, token_value must be set as well."),
        ({"server_url": "127.0.0.1:9"}, "is not a URL"),
        ({"hyper_memory_limit": "viel"}, "Write it like 400m or 2g."),
    ],
)
def test_a_run_that_changed_nothing_hid_that_it_could_not_sign_in(
    settings: dict[str, Any], sentence: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert sentence in told(SERVER | settings, tmp_path, caplog)


def test_a_folder_that_cannot_be_written_was_called_a_damaged_ledger_url(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"output_dir": str(tmp_path / "file")}), encoding="utf-8")
    assert (
        CliRunner().invoke(TargetTableau.cli, ["--config", str(file)], input=f"{SCHEMA_LINE}\n").exit_code
        == 1
    )
    assert "file/loads.db cannot be opened" in caplog.text.replace("\\", "/")
    assert "set output_dir to another folder" in caplog.text
    assert "damaged" not in caplog.text


def test_the_commands_gave_a_traceback_for_a_setting_of_the_wrong_kind_or_a_broken_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.json"
    for content, sentence in (
        ('{"job_timeout_seconds": "lange"}', "job_timeout_seconds: 'lange' is not a whole number"),
        ('{"output_dir": ', "cannot be read as JSON"),
    ):
        file.write_text(content, encoding="utf-8")
        result = CliRunner().invoke(loads, ["--config", str(file), "list"])
        assert result.exit_code == 1
        assert sentence in result.output
        assert isinstance(result.exception, SystemExit)


def test_https_to_a_port_that_speaks_http_was_called_a_private_certificate() -> None:
    plain = requests.exceptions.SSLError(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"))
    private = requests.exceptions.SSLError(ssl.SSLError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    cut = requests.exceptions.SSLError(ssl.SSLError(8, "EOF occurred in violation of protocol"))
    assert "does not speak https" in (unreached(plain) or "")
    assert "REQUESTS_CA_BUNDLE" in (unreached(private) or "")
    assert is_final(plain)
    assert is_final(private)
    assert not is_final(cut)  # the network's fault, so it is tried again
