"""What an earlier version has left behind is read by this one: ledger, journal, extracts and states.

`first_version.tar.gz` is the output folder of the first version of target-tableau that kept a journal (21 November
2026), after three loads of vendors, bills and bill lines: a first one; one that changed bill 000001, from which a line
was removed, and deleted bill 000002 by its note id; and one with bill 000004 that had been read and verified when the
disk was full.
"""

from __future__ import annotations

import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.target_tableau.support import load, loads_command, query

HERE = Path(__file__).parent
WITHIN = {"bill_lines": {"parent": "bills", "columns": {"parent_note_id": "note_id"}}}
TEXT = {"type": ["string", "null"]}
TIME = {"type": ["string", "null"], "format": "date-time"}
MONEY = {"type": ["number", "null"], "x-sql-datatype-properties": {"precision": 18, "scale": 2}}
BILL = {
    **dict.fromkeys(("tenant", "type", "ref", "note_id", "vendor"), TEXT),
    "amount": MONEY,
    "day": {"type": ["string", "null"], "format": "date"},
    "modified": TIME,
    "_sdc_deleted_at": TIME,
}
LINE = {
    **dict.fromkeys(("tenant", "ref", "parent_note_id", "text"), TEXT),
    "line": {"type": ["integer", "null"]},
    "amount": MONEY,
}
BILLS = "SELECT ref, vendor, amount FROM {t} ORDER BY ref"
LINES = "SELECT ref, line, text, amount FROM {t} ORDER BY ref, line"
BEFORE = [["000001", "V01", Decimal("60.10")], ["000003", "V01", Decimal("12345678901234.56")]]
LINES_BEFORE = [
    ["000001", 1, "paper", Decimal("60.10")],
    ["000003", 1, "a machine", Decimal("12345678901234.56")],
]
FOURTH = ["000004", "v02", Decimal("7.00")]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings with which that version ran, in a folder with what it left."""
    with tarfile.open(HERE / "first_version.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return {
        "output_dir": "out",
        "source": "tap-acumatica",
        "delete_match": {"bills": "note_id"},
        "replace_within": WITHIN,
        "journal_retention_days": 36_500,  # the journal is as old as that version
    }


def rows(sql: str, stream: str) -> list[list[Any]]:
    return query(Path("out").resolve() / "tap-acumatica" / f"{stream}.hyper", sql)


def loads_of(config: dict[str, Any], folder: Path) -> list[list[str]]:
    result = loads_command(config, folder, "list")
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.output.splitlines()]


def message(stream: str, properties: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": keys}


def record(stream: str, **values: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": stream, "record": values}


def next_run() -> list[dict[str, Any]]:
    """What the tap reads after the last STATE: a line more in bill 000003, a new bill 000005, and again 000004."""
    bill = {"tenant": "T", "type": "Bill", "vendor": "v02", "day": "2026-02-01"}
    return [
        message("bills", BILL, ["tenant", "type", "ref"]),
        message("bill_lines", LINE, ["tenant", "ref", "line"]),
        record("bills", **bill | {"ref": "000003", "note_id": "n3", "vendor": "V01", "amount": 9}),
        record("bills", **bill | {"ref": "000004", "note_id": "n4", "amount": 7, "day": "2026-01-31"}),
        record("bills", **bill | {"ref": "000005", "note_id": "n5", "amount": 3}),
        record("bill_lines", tenant="T", ref="000003", line=2, parent_note_id="n3", text="rest", amount=9),
        record("bill_lines", tenant="T", ref="000004", line=1, parent_note_id="n4", text="nails", amount=7),
        record("bill_lines", tenant="T", ref="000005", line=1, parent_note_id="n5", text=None, amount=3),
        {"type": "STATE", "value": {"bookmarks": {"bills": {"replication_key_value": "2026-02-01"}}}},
    ]


def test_the_ledger_lists_the_loads_of_the_earlier_version(config: dict[str, Any], tmp_path: Path) -> None:
    listed = loads_of(config, tmp_path)
    assert [line[1] for line in listed] == ["failed"] * 3 + ["done"] * 6
    assert {line[-1] for line in listed if line[1] == "done"} == {"vendors", "bills", "bill_lines"}
    shown = loads_command(config, tmp_path, "show", listed[0][0])
    assert "No space left on device" in shown.output


def test_a_record_is_traced_through_the_journal_of_the_earlier_version(
    config: dict[str, Any], tmp_path: Path
) -> None:
    told = loads_command(config, tmp_path, "trace", "bills", "T", "Bill", "000001").output
    assert "100.10" in told
    assert "60.10" in told
    gone = loads_command(config, tmp_path, "trace", "bills", "T", "Bill", "000002").output
    assert "0.05" in gone


def test_a_load_that_the_earlier_version_could_not_finish_is_replayed(
    config: dict[str, Any], tmp_path: Path
) -> None:
    assert rows(BILLS, "bills") == BEFORE
    result = loads_command(config, tmp_path, "replay", loads_of(config, tmp_path)[0][0])
    assert result.exit_code == 0, result.output
    assert '"replication_key_value": "2026-01-03T10:00:00+00:00"' in result.output
    assert rows(BILLS, "bills") == [*BEFORE, FOURTH]
    assert rows(LINES, "bill_lines") == [*LINES_BEFORE, ["000004", 1, "nails", Decimal("7.00")]]


@pytest.mark.parametrize("was_replayed", [False, True])
def test_the_next_run_goes_on_in_the_extracts_of_the_earlier_version(
    config: dict[str, Any], tmp_path: Path, *, was_replayed: bool
) -> None:
    if was_replayed:
        loads_command(config, tmp_path, "replay", loads_of(config, tmp_path)[0][0])
    load(config, next_run())
    assert rows(BILLS, "bills") == [
        BEFORE[0],
        ["000003", "V01", Decimal("9.00")],
        FOURTH,
        ["000005", "v02", Decimal("3.00")],
    ]
    assert rows(LINES, "bill_lines") == [
        LINES_BEFORE[0],
        ["000003", 2, "rest", Decimal("9.00")],
        ["000004", 1, "nails", Decimal("7.00")],
        ["000005", 1, None, Decimal("3.00")],
    ]
    assert rows("SELECT vendor_id, name FROM {t} ORDER BY 1", "vendors") == [
        ["V01", "Ölhandel Süd"],
        ["v02", "Bolt"],
    ]
    # the same again is no change: keys and columns are what they were
    before = [path.stat().st_mtime_ns for path in sorted(Path("out/tap-acumatica").glob("*.hyper"))]
    load(config, next_run())
    assert [path.stat().st_mtime_ns for path in sorted(Path("out/tap-acumatica").glob("*.hyper"))] == before
