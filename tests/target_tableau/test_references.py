"""References from facts to dimensions, checked across extracts."""

from __future__ import annotations

from typing import Any

import pytest

from target_tableau.errors import ExtractError, SettingError
from target_tableau.settings import Settings
from tests.target_tableau.support import NULLABLE_TEXT, STATE, Extracts, load, record, schema, state

Config = dict[str, Any]
REFERENCE = {"from": "lines.account", "to": "accounts.code"}


def accounts(*codes: str) -> list[dict[str, Any]]:
    return [
        schema("accounts", {"code": NULLABLE_TEXT}, ["code"]),
        *(record("accounts", code=code) for code in codes),
    ]


def lines(*codes: str | None) -> list[dict[str, Any]]:
    properties = {"nbr": {"type": "integer"}, "account": NULLABLE_TEXT}
    return [
        schema("lines", properties, ["nbr"]),
        *(record("lines", nbr=number, account=code) for number, code in enumerate(codes)),
    ]


def test_values_that_are_not_there_are_counted_and_named(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    config["references"] = [REFERENCE]
    assert load(config, [*lines("010", "020", "020", "10", None), *accounts("010"), state()]) == [STATE]
    assert "3 rows name 2 values that accounts does not have: '020' (2 rows), '10' (1 rows)" in caplog.text
    assert "lines: 3 references to rows that are not there" in caplog.text


def test_what_was_loaded_before_counts_too(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    config["references"] = [REFERENCE]
    load(config, [*accounts("010", "020"), state()])
    load(config, [*lines("010", "020"), state()])
    assert "Unresolved" not in caplog.text


def test_a_reference_that_must_resolve_stops_the_run_before_anything_lands(
    config: Config, extracts: Extracts
) -> None:
    config["references"] = [{**REFERENCE, "on_unresolved": "fail"}]
    with pytest.raises(ExtractError, match=r"lines.account -> accounts.code: 1 rows.*load accounts first"):
        load(config, [*lines("020"), *accounts("010"), state()])
    assert list(extracts.folder.glob("*.hyper")) == []


def test_renamed_columns_are_followed(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    config |= {
        "references": [REFERENCE],
        "columns": {"lines": {"account": "GL account"}, "accounts": {"code": "Code no."}},
    }
    load(config, [*lines("010", "020"), *accounts("010"), state()])
    assert "1 rows name 1 values" in caplog.text


def test_a_stream_that_is_not_there_yet_is_not_asked(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    config["references"] = [REFERENCE]
    assert load(config, [*lines("010"), state()]) == [STATE]
    assert "Unresolved" not in caplog.text


def test_a_reference_without_a_stream_is_refused(config: Config) -> None:
    with pytest.raises(SettingError, match="must name streams and properties"):
        Settings.from_config(config | {"references": [{"from": "account", "to": "accounts.code"}]})


def test_a_number_finds_the_code_that_is_text(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    config["references"] = [REFERENCE]
    numbers = [schema("lines", {"nbr": {"type": "integer"}, "account": {"type": "integer"}}, ["nbr"])]
    numbers += [record("lines", nbr=nbr, account=account) for nbr, account in enumerate([10, 20])]
    assert load(config, [*numbers, *accounts("10"), state()]) == [STATE]
    assert "1 rows name 1 values that accounts does not have: '20'" in caplog.text


def test_a_reference_within_one_stream_is_looked_up(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    config["references"] = [{"from": "accounts.parent", "to": "accounts.code"}]
    both = {"code": NULLABLE_TEXT, "parent": NULLABLE_TEXT}
    rows = [
        record("accounts", code=code, parent=parent) for code, parent in (("1", None), ("2", "1"), ("3", "9"))
    ]
    assert load(config, [schema("accounts", both, ["code"]), *rows, state()]) == [STATE]
    assert "1 rows name 1 values that accounts does not have: '9'" in caplog.text
