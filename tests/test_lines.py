"""Rows that a tap writes as a block are, byte for byte, the lines that the SDK would write of them one by one."""

from __future__ import annotations

import datetime as dt
import importlib
import io
import sys
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from singer_sdk.singerlib import RecordMessage

TAPS = ("tap_acumatica", "tap_epicor_kinetic", "tap_exact_online", "tap_sage_intacct", "tap_syspro")
READ_AT = dt.datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=dt.UTC)
ROWS: list[dict[str, Any]] = [
    {
        "amount": Decimal("1.50"),
        "none": None,
        "text": 'ü\u2028\x01"\\',
        "nested": {"x": [1, True]},
        "big": 10**20,
    },
    {"amount": Decimal("-0.00"), "time": READ_AT.isoformat()},
    {},
]


@pytest.mark.parametrize("version", [None, 7])
@pytest.mark.parametrize("tap", TAPS)
def test_a_block_of_rows_is_the_lines_that_they_make_one_by_one(tap: str, version: int | None) -> None:
    writer = importlib.import_module(f"{tap}.streams.stream").LineWriter()
    rows = ROWS * 150  # more than a block
    block, single = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    with mock.patch.object(sys, "stdout", block):
        writer.write_rows("s", rows, version, READ_AT)
    with mock.patch.object(sys, "stdout", single):
        for row in rows:
            writer.write_message(
                RecordMessage(stream="s", record=row, version=version, time_extracted=READ_AT)
            )
    lines = block.buffer.getvalue()
    assert lines == single.buffer.getvalue()
    assert lines.count(b"\n") == len(rows)
