"""Schemas that change, columns that are renamed, records that do not fit, and BATCH files."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from target_tableau import extract, run
from target_tableau.errors import BadRecordError, ExtractError, SettingError, TargetTableauError
from tests.target_tableau.support import (
    BILL,
    LINE,
    MONEY,
    NULLABLE_TEXT,
    STATE,
    WITHIN,
    Extracts,
    bills,
    line,
    load,
    record,
    schema,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path

Config = dict[str, Any]
KEY = {"id": {"type": "integer"}}


def rows(properties: dict[str, Any], *records: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema("t", KEY | properties, ["id"]), *(record("t", **one) for one in records), state()]


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"a": {"type": "integer"}, "b": NULLABLE_TEXT}, "new column b TEXT"),
        ({"a": MONEY}, r"a BIGINT becomes NUMERIC\(18,2\)"),
    ],
)
def test_a_schema_change_can_be_made_to_stop(
    config: Config, extracts: Extracts, properties: dict[str, Any], told: str
) -> None:
    config["on_schema_change"] = "fail"
    load(config, rows({"a": {"type": "integer"}}, {"id": 1, "a": 1}))
    with pytest.raises(ExtractError, match=told):
        load(config, rows(properties, {"id": 1, "a": 2}))
    assert extracts.column("t", "a") == [1]
    load(config, rows({"a": {"type": "integer"}}, {"id": 1, "a": 3}))
    assert extracts.column("t", "a") == [3]


def test_columns_are_renamed_by_rule_and_keys_and_matches_follow(config: Config, extracts: Extracts) -> None:
    config |= {
        "columns": {"*": {"ref": "Number"}, "bills": {"amount": "Amount due", "note_id": "Note"}},
        "delete_match": {"bills": "note_id"},
    }
    load(config, bills(("001", 1), ("002", 2), ("001", 3)))
    gone = record("bills", ref=None, note_id="n-002", _sdc_deleted_at="2026-02-01T00:00:00Z")
    load(config, [schema("bills", BILL, ["ref"]), gone, state()])
    assert extracts.rows("bills", 'SELECT "Number", "Amount due", "Note" FROM {t}') == [
        ["001", Decimal(3), "n-001"]
    ]


def test_a_rule_that_comes_later_renames_the_column_for_the_rows_that_are_there(
    config: Config, extracts: Extracts
) -> None:
    config["delete_match"] = {"bills": "note_id"}
    load(config, bills(("001", 1), ("002", 2), ("003", 3)))
    config["columns"] = {"bills": {"ref": "Number", "amount": "Amount due", "note_id": "Note"}}
    gone = record("bills", ref=None, note_id="n-003", _sdc_deleted_at="2026-02-01T00:00:00Z")
    load(config, [*bills(("002", 5), ("004", 4))[:-1], gone, state()])
    wanted = 'SELECT "Number", "Amount due", "Note", amount FROM {t} ORDER BY 1'
    assert extracts.rows("bills", wanted) == [
        ["001", Decimal(1), "n-001", None],
        ["002", Decimal(5), "n-002", None],
        ["004", Decimal(4), "n-004", None],
    ]
    before = extracts.rows("bills", "SELECT * FROM {t} ORDER BY 1")
    load(config, bills(("001", 1), ("004", 4)))
    assert extracts.rows("bills", "SELECT * FROM {t} ORDER BY 1") == before, "the same again is no change"


def test_a_column_is_renamed_and_made_wider_by_one_load(config: Config, extracts: Extracts) -> None:
    load(config, rows({"a": {"type": "integer"}}, {"id": 1, "a": 1}, {"id": 2, "a": 2}))
    config["columns"] = {"t": {"a": "A sum"}}
    load(config, rows({"a": MONEY}, {"id": 2, "a": 2.5}))
    assert extracts.column("t", "A sum") == [Decimal(1), Decimal("2.5")]


@pytest.mark.parametrize("many", [1000, 0])
def test_rows_follow_a_column_from_one_given_name_to_another_and_back(
    config: Config, extracts: Extracts, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(extract, "_MANY_ROWS", many)
    load(config, bills(("001", 1), ("002", 2)))
    for number, name in enumerate(["Amount due", "Open", "Amount due", "amount"], start=3):
        config["columns"] = {"bills": {"amount": name}}
        load(config, bills(("002", number)))
        total = f'SELECT SUM("{name}"), COUNT(*) FROM {{t}}'
        assert extracts.rows("bills", total) == [[Decimal(1 + number), 2]], name
    others = 'SELECT COUNT("Amount due") + COUNT("Open") FROM {t}'
    assert extracts.rows("bills", others) == [[0]], "an old column is empty, or its sum would be wrong"


def test_a_column_cannot_be_given_to_another_property_at_once(config: Config, extracts: Extracts) -> None:
    config["columns"] = {"bills": {"amount": "Due", "note_id": "Note"}}
    load(config, bills(("001", 1)))
    config["columns"] = {"bills": {"amount": "Note", "note_id": "Due"}}
    for _ in range(2):
        with pytest.raises(SettingError, match=r"'Note' to the property 'amount'.*column of 'note_id'"):
            load(config, bills(("001", 1)))
    assert extracts.rows("bills", 'SELECT "Due", "Note" FROM {t}') == [[Decimal(1), "n-001"]]


def test_two_properties_cannot_be_renamed_to_one_column(config: Config) -> None:
    config["columns"] = {"bills": {"ref": "x", "amount": "X"}}
    with pytest.raises(SettingError, match="would both become the column"):
        load(config, bills(("001", 1)))


def test_names_that_differ_by_case_keep_their_columns_whatever_comes_first(
    config: Config, extracts: Extracts
) -> None:
    load(config, rows({"Code": NULLABLE_TEXT}, {"id": 1, "Code": "a"}))
    load(config, rows({"code": NULLABLE_TEXT, "Code": NULLABLE_TEXT}, {"id": 1, "code": "b", "Code": "a"}))
    assert extracts.rows("t", 'SELECT "Code", "code_2" FROM {t}') == [["a", "b"]]
    load(config, rows({"code": NULLABLE_TEXT}, {"id": 1, "code": "c"}))
    assert extracts.rows("t", 'SELECT "Code", "code_2" FROM {t}') == [[None, "c"]]


def test_a_thousand_columns(config: Config, extracts: Extracts) -> None:
    many = {f"column number {number}": MONEY for number in range(1000)}
    values = {name: number for number, name in enumerate(many)}
    load(config, rows(many, {"id": 1} | values))
    load(config, rows(many, {"id": 1} | values | {"column number 999": 5}, {"id": 2} | values))
    assert extracts.rows("t", 'SELECT "column number 998", "column number 999" FROM {t} ORDER BY id') == [
        [Decimal(998), Decimal(5)],
        [Decimal(998), Decimal(999)],
    ]


def test_bad_records_are_quarantined_with_their_reason_and_the_others_are_loaded(
    config: Config, extracts: Extracts, tmp_path: Path
) -> None:
    config["on_bad_record"] = "quarantine"
    messages = bills(("001", 1), ("002", 1.005), ("003", 3))
    del messages[3]["record"]["ref"]  # 003 has lost its key
    assert load(config, messages) == [STATE]
    assert extracts.column("bills", "ref") == ["001"]
    (path,) = (tmp_path / "output" / "rejected").rglob("bills.jsonl")
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert [item["record"]["amount"] for item in kept] == [1.005, 3]
    assert "2 after the decimal point" in kept[0]["reason"]
    assert "lacks the key ref" in kept[1]["reason"]
    assert "'amount': 1.005" not in path.read_text()  # the number as it came, not as text
    assert path.stat().st_mode & 0o077 == 0


def test_only_bad_records_still_hand_the_state_on(config: Config, extracts: Extracts) -> None:
    config["on_bad_record"] = "quarantine"
    assert load(config, bills(("001", "x"))) == [STATE]
    assert extracts.column("bills", "ref") == []


PROPERTIES = {
    "amount": MONEY,
    "day": {"type": ["string", "null"], "format": "date"},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "text": NULLABLE_TEXT,
    "done": {"type": ["boolean", "null"]},
}
RECORDS: list[dict[str, Any]] = [
    {
        "id": 1,
        "amount": 12.5,
        "day": "2026-01-31",
        "at": "2026-01-31T10:00:00+02:00",
        "text": "ä",
        "done": True,
    },
    {"id": 2, "amount": None, "day": None, "at": None, "text": None, "done": None},
]
SQL = "SELECT id, amount, day, at, text, done FROM {t} ORDER BY id"


def batch(path: Path, file_format: str) -> dict[str, Any]:
    encoding = {"format": file_format, "compression": "gzip"}
    return {"type": "BATCH", "stream": "t", "encoding": encoding, "manifest": [f"file://{path}"]}


@pytest.mark.parametrize("kind", ["gzip", "plain", "parquet"])
def test_batch_files_give_the_same_extract_as_records(
    config: Config, extracts: Extracts, tmp_path: Path, kind: str
) -> None:
    load({**config, "source": "records"}, rows(PROPERTIES, *RECORDS))
    text = "".join(json.dumps(one) + "\n" for one in RECORDS).encode()
    path = tmp_path / "batch"
    if kind == "parquet":
        typed = [
            {
                "id": one["id"],
                "amount": None if one["amount"] is None else Decimal(str(one["amount"])),
                "day": one["day"] and dt.date.fromisoformat(one["day"]),
                "at": one["at"] and dt.datetime.fromisoformat(one["at"]),
                "text": one["text"],
                "done": one["done"],
            }
            for one in RECORDS
        ]
        pq.write_table(pa.Table.from_pylist(typed), path)
    else:
        path.write_bytes(gzip.compress(text) if kind == "gzip" else text)
    head = rows(PROPERTIES)
    load(
        {**config, "source": "files"},
        [head[0], batch(path, "parquet" if kind == "parquet" else "jsonl"), head[-1]],
    )
    by_record = Extracts(extracts.folder / "records").rows("t", SQL)
    assert Extracts(extracts.folder / "files").rows("t", SQL) == by_record
    assert len(by_record) == 2


def test_a_batch_file_that_is_missing_is_named(config: Config, tmp_path: Path) -> None:
    head = rows(PROPERTIES)
    with pytest.raises(TargetTableauError, match="nowhere"):
        load(config, [head[0], batch(tmp_path / "nowhere", "jsonl"), head[-1]])


def test_a_bad_record_in_a_batch_file_is_named(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "batch"
    path.write_text('{"id": 7, "amount": "x"}\n')
    head = rows(PROPERTIES)
    with pytest.raises(BadRecordError, match="id=7"):
        load(config, [head[0], batch(path, "jsonl"), head[-1]])


def test_stream_maps_and_flattening_go_record_by_record(config: Config, extracts: Extracts) -> None:
    nested = {"address": {"type": ["object", "null"], "properties": {"city": NULLABLE_TEXT}}}
    config |= {
        "stream_maps": {"t": {"double": "int(id) * 2", "text": None}},
        "flattening_enabled": True,
        "flattening_max_depth": 2,
    }
    load(config, rows(nested | {"text": NULLABLE_TEXT}, {"id": 1, "text": "x", "address": {"city": "Köln"}}))
    assert extracts.rows("t", 'SELECT id, double, "address__city" FROM {t}') in (
        [[1, 2, "Köln"]],
        [[1, "2", "Köln"]],
    )
    assert "text" not in extracts.types("t")


FLATTENING = {"flattening_enabled": True, "flattening_max_depth": 2}


def test_flattening_with_nothing_nested_takes_blocks(
    config: Config, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "convert_records", None)  # the way record by record
    load(config | FLATTENING, rows({"text": NULLABLE_TEXT}, {"id": 1, "text": "x"}))
    assert extracts.rows("t", "SELECT id, text FROM {t}") == [[1, "x"]]


def test_a_value_that_must_be_flattened_keeps_its_place_among_blocks(
    config: Config, extracts: Extracts
) -> None:
    head, *given, end = rows(
        {"text": NULLABLE_TEXT},
        {"id": 1, "text": "old"},
        {"id": 1, "text": {"a": 1}},
        {"id": 2, "text": ["b"]},
    )
    # blanks end a block, so each of these is one
    blocks = [json.dumps(one, separators=(",", ":" + " " * blanks)) for blanks, one in enumerate(given)]
    last = json.dumps(record("t", id=2, text="new"), separators=(",", ":    "))
    load(config | FLATTENING, [head, *blocks, last, end])
    assert extracts.rows("t", "SELECT id, text FROM {t} ORDER BY id") == [[1, '{"a":1}'], [2, "new"]]


def test_rows_of_which_the_new_version_is_set_aside_stay_as_they_were(
    config: Config, extracts: Extracts
) -> None:
    config |= {"on_bad_record": "quarantine", "load_method": "overwrite", "trust_end_of_input": True}
    config["replace_within"] = WITHIN
    both = [schema("bills", BILL, ["ref"]), schema("bill_lines", LINE, ["ref", "nbr"])]
    heads = bills(("001", 1), ("002", 2))[1:-1]
    load(config, [*both, *heads, line("001", 1), line("001", 2), line("001", 3), state()])
    load(
        config,
        [*both, *bills(("001", "x"), ("003", 3))[1:-1], line("001", 1, "x"), line("001", 2, 5), state()],
    )
    assert extracts.rows("bills", "SELECT ref, amount FROM {t} ORDER BY 1") == [["001", 1], ["003", 3]]
    config["load_method"] = "upsert"
    load(config, [*both, *bills(("001", 1))[1:-1], line("001", 2, "x"), line("001", 4), state()])
    assert extracts.rows("bill_lines", "SELECT nbr, amount FROM {t} ORDER BY 1") == [[2, 5], [4, 1]]
