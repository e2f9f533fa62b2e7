"""What a user gets wrong in the settings: one sentence that says what to change, exit code 1, no traceback."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner

from tap_acumatica.tap import TapAcumatica
from tap_epicor_kinetic.tap import TapEpicorKinetic
from tap_exact_online.tap import TapExactOnline
from tap_sage_intacct.tap import TapSageIntacct
from tap_syspro.tap import TapSyspro

if TYPE_CHECKING:
    from pathlib import Path

    from singer_sdk import Tap

NOWHERE: Final = "http://127.0.0.1:9"
SETTINGS: Final[dict[type[Tap], dict[str, Any]]] = {
    TapAcumatica: {
        "base_url": NOWHERE,
        "client_id": "app@Tenant",
        "client_secret": "s-e-c-r-e-t",
        "username": "api",
        "password": "s-e-c-r-e-t",
    },
    TapEpicorKinetic: {
        "base_url": NOWHERE,
        "companies": ["EPIC06"],
        "username": "tap",
        "password": "s-e-c-r-e-t",
    },
    TapExactOnline: {
        "api_url": NOWHERE,
        "client_id": "app",
        "client_secret": "s-e-c-r-e-t",
        "refresh_token": "s-e-c-r-e-t",
    },
    TapSageIntacct: {
        "api_url": NOWHERE,
        "allow_any_host": True,
        "company_id": "Meridian",
        "user_id": "xml_gateway",
        "user_password": "s-e-c-r-e-t",
        "sender_id": "Sender",
        "sender_password": "s-e-c-r-e-t",
    },
    TapSyspro: {
        "base_url": NOWHERE,
        "companies": ["EDU1"],
        "odata_username": "BIREAD",
        "odata_password": "s-e-c-r-e-t",
    },
}
FORMS: Final = ("--test", "--test=schema", "--discover", None)

pytestmark = pytest.mark.parametrize("tap", SETTINGS, ids=lambda tap: tap.name)


def told(
    tap: type[Tap],
    settings: dict[str, Any],
    form: str | None,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> list[str]:
    """The errors that a tap tells of in one of its forms, which must end with 1 and never mention a secret."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps(settings), encoding="utf-8")
    caplog.clear()
    if form == "--discover" and not tap.dynamic_catalog:
        pytest.skip("its catalogue needs no settings")
    result = CliRunner().invoke(tap.cli, [*([form] if form else []), "--config", str(file)])
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "s-e-c-r-e-t" not in caplog.text + result.output
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not any(record.exc_info for record in records)
    return [record.getMessage() for record in records]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_date_in_the_german_form_gave_a_traceback_or_was_taken_for_none(
    tap: type[Tap], form: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (sentence,) = told(tap, SETTINGS[tap] | {"start_date": "01.02.2025"}, form, tmp_path, caplog)
    assert "start_date: '01.02.2025' is not a date; write it like 2024-01-31" in sentence


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_required_setting_that_was_missing_or_empty_gave_a_traceback(
    tap: type[Tap], form: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    required = tap.config_jsonschema["required"]
    left_out, *empty = required
    settings = {n: v for n, v in SETTINGS[tap].items() if n != left_out} | dict.fromkeys(empty, "")
    sentences = told(tap, settings, form, tmp_path, caplog)
    for name, sentence in zip(sorted(required), sorted(sentences), strict=True):
        assert f"{name}: is not set" in sentence
        assert f"{tap.name.replace('-', '_')}_{name}".upper() in sentence


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_setting_of_the_wrong_kind_gave_a_traceback(
    tap: type[Tap], form: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = next(name for name, value in SETTINGS[tap].items() if value == "s-e-c-r-e-t")
    wrong = {"skip_forbidden_streams": "ja", "lookback_seconds": -1, secret: ["s-e-c-r-e-t"]}
    sentences = "\n".join(told(tap, SETTINGS[tap] | wrong, form, tmp_path, caplog))
    assert "skip_forbidden_streams: 'ja' is not true or false" in sentences
    assert "lookback_seconds: -1 is too small; the least is" in sentences
    assert f"{secret}: this value is not a text" in sentences
