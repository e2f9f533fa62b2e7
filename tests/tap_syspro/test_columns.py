"""Rows of the service become properties, whatever types their values come in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tap_syspro.streams.columns import Column, converters, rows_reader

COLUMNS = (
    Column("_company", "string"),
    Column("supplier", "key", "Supplier"),
    Column("name", "string", "Name"),
    Column("year", "integer", "Year"),
)
CONFIG = {"strip_strings": "right", "blank_as_null": True}


@pytest.mark.parametrize(
    ("raw", "row"),
    [
        ({"Supplier": "0001  ", "Name": " A  ", "Year": 2026}, ("0001", " A", 2026)),
        ({"Supplier": "0001", "Name": "  ", "Year": "2026"}, ("0001", None, 2026)),
        ({"Supplier": "0001", "Name": 7, "Year": None}, ("0001", "7", None)),
        ({"Supplier": "0001"}, ("0001", None, None)),
    ],
)
def test_values_lose_blanks_at_their_end_and_what_is_missing_is_null(
    raw: dict[str, Any], row: tuple[Any, ...]
) -> None:
    assert read_alone(raw) == dict(zip(("supplier", "name", "year"), row, strict=True))


def read_alone(raw: dict[str, Any]) -> dict[str, Any]:
    """The properties of a row that comes alone."""
    made = rows_reader(COLUMNS, converters(CONFIG))([raw])
    return {name: value for name, (value,) in made.items()}


@pytest.mark.parametrize("config", [CONFIG, {"strip_strings": "none", "blank_as_null": False}])
def test_rows_that_come_together_are_converted_as_each_would_be_alone(config: dict[str, Any]) -> None:
    kinds = converters(config)
    values = [
        None,
        "",
        " ",
        "0001 ",
        "0001 ",
        "7",
        7,
        7.0,
        True,
        Decimal("7.0"),
        Decimal("7.00"),
        Decimal("7E+1"),
    ]
    taken_by: dict[str, list[Any]] = {
        "string": values,
        "key": values,
        "display": values,
        "integer": [*values[:3], "7", 7, 7, Decimal("7.0")],
        "decimal": [*values[:3], "7", "7.00", *values[6:7], *values[9:]],
        "date": [None, "", "2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z", "0000-00-00"],
        "datetime": [None, "", "2026-01-31T10:00:00Z", "2026-01-31T11:00:00Z"],
        "boolean": values,
        "rowversion": [None, "", 1, Decimal(1), "1", "0x1"],
    }
    for kind, taken in taken_by.items():
        alone = [kinds[kind]([value])[0] for value in taken]
        assert list(map(repr, kinds[kind](taken))) == list(map(repr, alone)), kind
        texts = [value for value in taken if value is None or isinstance(value, str)]
        assert kinds[kind](texts) == [kinds[kind]([value])[0] for value in texts], kind
