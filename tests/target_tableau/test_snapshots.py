"""Dated copies of streams and models."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau import derived
from target_tableau.errors import SettingError
from tests.target_tableau.model_lines import FIRST, MODEL, OPEN, lines
from tests.target_tableau.support import (
    Extracts,
    bills,
    load,
    query,
    state,
)

if TYPE_CHECKING:
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


@pytest.fixture
def config(config: Config) -> Config:
    return {**config, "models": [MODEL]}


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the clock by which copies are dated."""

    def set_clock(moment: str) -> None:
        monkeypatch.setattr(derived, "now", lambda: dt.datetime.fromisoformat(moment))

    return set_clock


COPIES = "SELECT CAST(snapshot_date AS TEXT), nbr, debit FROM {t} ORDER BY 1, 2"


def test_a_copy_of_each_day_is_kept_and_that_of_today_replaced(
    publishing: Config, server: Server, extracts: Extracts, at: Any
) -> None:
    publishing["snapshots"] = [OPEN]
    at("2026-10-31T10:00:00+00:00")
    load(publishing, [*lines((1, None, None, 10, 0), (2, None, None, 5, 0), (3, None, None, 0, 1)), state()])
    at("2026-10-31T23:00:00+00:00")
    load(publishing, [*lines((1, None, None, 8, 0), (2, None, None, 0, 0)), state()])
    at("2026-11-01T00:15:00+00:00")
    load(publishing, [*lines((1, None, None, 3, 0)), state()])
    at("2026-12-01T00:15:00+00:00")
    load(publishing, [*lines(), state()])  # nothing has changed, but it is another day
    expected = [
        ["2026-10-31", 1, Decimal(8)],
        ["2026-11-01", 1, Decimal(3)],
        ["2026-12-01", 1, Decimal(3)],
    ]
    assert extracts.rows("open_lines", COPIES) == expected
    assert query(server.app.state.datasource("open_lines"), COPIES) == expected
    writes = len(server.writes)
    load(publishing, [*lines(), state()])
    assert len(server.writes) == writes


def test_a_day_on_which_nothing_is_open_loses_its_earlier_copy(
    config: Config, extracts: Extracts, at: Any
) -> None:
    config["snapshots"] = [OPEN]
    at("2026-10-31T10:00:00+00:00")
    load(config, [*lines((1, None, None, 10, 0)), state()])
    load(config, [*lines((1, None, None, 0, 0)), state()])
    assert extracts.rows("open_lines", COPIES) == []


def test_the_day_is_that_of_the_zone(config: Config, extracts: Extracts, at: Any) -> None:
    config["snapshots"] = [{**OPEN, "zone": "America/Chicago"}]
    at("2026-11-01T04:30:00+00:00")  # half past eleven in Chicago, still in summer time
    load(config, [*lines((1, None, None, 10, 0)), state()])
    assert extracts.rows("open_lines", COPIES) == [["2026-10-31", 1, Decimal(10)]]


def test_monthly_copies_are_the_last_of_each_month(config: Config, extracts: Extracts, at: Any) -> None:
    config["snapshots"] = [{**OPEN, "every": "month"}]
    for moment, amount in (("2026-10-29", 1), ("2026-10-30", 2), ("2026-11-02", 3), ("2026-11-03", 4)):
        at(f"{moment}T12:00:00+00:00")
        load(config, [*lines((1, None, None, amount, 0)), state()])
    assert extracts.rows("open_lines", COPIES) == [
        ["2026-10-30", 1, Decimal(2)],
        ["2026-11-03", 1, Decimal(4)],
    ]


def test_copies_that_are_too_old_go(config: Config, extracts: Extracts, at: Any) -> None:
    config["snapshots"] = [{**OPEN, "keep_days": 2}]
    for day in ("01", "02", "03"):
        at(f"2026-10-{day}T12:00:00+00:00")
        load(config, [*lines((1, None, None, 1, 0)), state()])
    assert [row[0] for row in extracts.rows("open_lines", COPIES)] == ["2026-10-02", "2026-10-03"]


def test_a_model_can_be_kept_too(config: Config, extracts: Extracts, at: Any) -> None:
    at("2026-10-31T10:00:00+00:00")
    config["snapshots"] = [
        {"stream": "wide_lines", "name": "kept", "where": {"vendor_name": ["Acme", "Bolt"]}}
    ]
    load(config, FIRST)
    assert extracts.column("kept", "vendor_name") == ["Acme", "Bolt"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zone": "Mars/Phobos"}, "no time zone 'Mars/Phobos'"),
        ({"where": {"nope": 1}}, "lines has no column 'nope'"),
        ({"where": {"debit": {"above": 1}}}, "where.debit must be a value"),
        ({"name": "wide_lines"}, "A model and a snapshot have the name"),
    ],
)
def test_a_snapshot_that_cannot_be_made_is_told(config: Config, change: dict[str, Any], message: str) -> None:
    config["snapshots"] = [{**OPEN, **change}]
    with pytest.raises(SettingError, match=message):
        load(config, FIRST)


def test_copies_go_on_when_the_key_of_their_stream_has_got_another_name(
    config: Config, extracts: Extracts, at: Any
) -> None:
    config |= {"models": [], "snapshots": [{"stream": "bills", "name": "copies"}]}
    at("2026-10-31T10:00:00+00:00")
    load(config, bills(("001", 1), ("002", 2)))
    config["columns"] = {"bills": {"ref": "Number"}}
    at("2026-11-01T10:00:00+00:00")
    for amount in (3, 4):
        load(config, bills(("001", amount)))
    copies = 'SELECT CAST(snapshot_date AS TEXT), ref, "Number", amount FROM {t} ORDER BY 1, 2, 3'
    assert extracts.rows("copies", copies) == [
        ["2026-10-31", "001", None, Decimal(1)],
        ["2026-10-31", "002", None, Decimal(2)],
        ["2026-11-01", None, "001", Decimal(4)],
        ["2026-11-01", None, "002", Decimal(2)],
    ]
