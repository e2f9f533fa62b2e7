"""Rows of the service become properties, whatever types their values come in."""

from __future__ import annotations

from typing import Any

import pytest

from tap_syspro.streams.columns import Column, converters, row_reader

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
    read = row_reader(COLUMNS, converters(CONFIG))
    assert read(raw) == dict(zip(("supplier", "name", "year"), row, strict=True))
