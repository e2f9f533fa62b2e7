"""Times on the clocks of a zone, beside those in UTC."""

from __future__ import annotations

from typing import Any

import pytest

from target_tableau.errors import SettingError
from target_tableau.settings import Settings
from tests.target_tableau.model_lines import LINE, MODEL
from tests.target_tableau.support import (
    Extracts,
    load,
    record,
    schema,
    state,
)

Config = dict[str, Any]


@pytest.fixture
def config(config: Config) -> Config:
    return {**config, "models": [MODEL]}


MOMENTS = ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-07-01T22:30:00Z", None)
SHOWN = (
    'SELECT nbr, CAST(modified AS TEXT), CAST("modified (Europe/Berlin)" AS TEXT) FROM {t} '
    "WHERE modified IS NOT NULL ORDER BY nbr"
)
EXPECTED = [
    [0, "2026-10-25 00:30:00", "2026-10-25 02:30:00"],
    [1, "2026-10-25 01:30:00", "2026-10-25 02:30:00"],
    [2, "2026-07-01 22:30:00", "2026-07-02 00:30:00"],
]


def moments(numbers: range) -> list[dict[str, Any]]:
    day = {"type": ["string", "null"], "format": "date"}
    return [
        schema("lines", {**LINE, "day": day}, ["nbr"]),
        *(record("lines", nbr=nbr, modified=MOMENTS[nbr], day="2026-10-25") for nbr in numbers),
        state(),
    ]


def test_times_are_shown_in_a_zone_beside_utc_and_dates_stay(config: Config, extracts: Extracts) -> None:
    config |= {"timestamp_zone": "Europe/Berlin", "models": [{"name": "wide", "fact": "lines"}]}
    load(config, moments(range(4)))
    for stream in ("lines", "wide"):
        assert extracts.rows(stream, SHOWN) == EXPECTED
        assert not [name for name in extracts.types(stream) if name.startswith(("day (", "_sdc_modified ("))]


def test_a_zone_that_is_set_later_fills_the_rows_that_are_there(config: Config, extracts: Extracts) -> None:
    config["models"] = [{"name": "wide", "fact": "lines"}]
    load(config, moments(range(2)))
    config["timestamp_zone"] = "Europe/Berlin"
    load(config, moments(range(2, 4)))
    assert extracts.rows("lines", SHOWN) == EXPECTED
    assert extracts.rows("wide", SHOWN) == EXPECTED


def test_an_unknown_zone_is_refused(config: Config) -> None:
    with pytest.raises(SettingError, match="timestamp_zone: there is no time zone 'Berlin'"):
        Settings.from_config({**config, "timestamp_zone": "Berlin"})
