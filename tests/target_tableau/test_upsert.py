from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau import staging
from target_tableau.errors import BadRecordError, SettingError
from target_tableau.settings import Settings
from tests.target_tableau.support import (
    BILL,
    LINE,
    MONEY,
    NULLABLE_TEXT,
    STATE,
    TIME,
    WITHIN,
    Extracts,
    bills,
    line,
    load,
    record,
    schema,
    state,
    tombstone,
)

if TYPE_CHECKING:
    from pathlib import Path

Config = dict[str, Any]


def amounts(extracts: Extracts) -> dict[str, Decimal]:
    return {ref: amount for ref, amount in extracts.rows("bills", "SELECT ref, amount FROM {t}")}  # noqa: C416


def test_a_first_load_makes_an_extract_and_hands_the_state_on(config: Config, extracts: Extracts) -> None:
    assert load(config, bills(("001", 12.5), ("002", -1))) == [STATE]
    assert amounts(extracts) == {"001": Decimal("12.50"), "002": Decimal("-1.00")}


def test_the_last_record_of_a_key_wins_within_and_across_loads(config: Config, extracts: Extracts) -> None:
    load(config, bills(("001", 1), ("002", 2), ("001", 3)))
    assert amounts(extracts) == {"001": Decimal(3), "002": Decimal(2)}
    load(config, bills(("002", 4), ("003", 5), ("002", 6)))
    assert amounts(extracts) == {"001": Decimal(3), "002": Decimal(6), "003": Decimal(5)}


def test_the_last_record_of_a_key_wins_where_keys_are_looked_at_in_parts(
    config: Config, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_KEYS_AT_ONCE", 3)
    properties = {
        "code": NULLABLE_TEXT,
        "nbr": {"type": ["integer", "null"]},
        "day": {"type": ["string", "null"], "format": "date"},
        "open": {"type": ["boolean", "null"]},
        "value": MONEY,
    }
    keys = list(
        itertools.product(["", "ä", "A1", None], [-(2**63), -7, 0, 8, None], ["2026-01-31", None], [True])
    )
    rows = [
        record("t", code=code, nbr=nbr, day=day, open=is_open, value=value)
        for value in (1, 2, 3)
        for code, nbr, day, is_open in keys
    ]
    load(config, [schema("t", properties, ["code", "nbr", "day", "open"]), *rows, state()])
    assert extracts.column("t", "value") == [Decimal(3)] * len(keys)


def test_keys_differ_by_case_and_leading_zeros(config: Config, extracts: Extracts) -> None:
    load(config, bills(("a1", 1), ("A1", 2), ("0A1", 3), ("a1 ", 4)))
    assert sorted(amounts(extracts)) == ["0A1", "A1", "a1", "a1 "]


def test_a_null_in_a_composite_key_is_a_value(config: Config, extracts: Extracts) -> None:
    pair = schema("lines", LINE, ["ref", "nbr"])
    row = {"amount": 1, "parent_note_id": None}
    load(
        config,
        [pair, record("lines", ref="a", nbr=None, **row), record("lines", ref="a", nbr=1, **row), state()],
    )
    load(config, [pair, record("lines", ref="a", nbr=None, amount=7, parent_note_id=None), state()])
    assert extracts.rows("lines", "SELECT nbr, amount FROM {t} ORDER BY nbr NULLS FIRST") == [
        [None, Decimal(7)],
        [1, Decimal(1)],
    ]


def test_rows_that_come_again_unchanged_do_not_rewrite_the_extract(
    config: Config, extracts: Extracts
) -> None:
    load(config, bills(("001", 1), ("002", None)))
    before = (extracts.folder / "bills.hyper").stat()
    load(config, bills(("001", 1), ("002", None)))
    after = (extracts.folder / "bills.hyper").stat()
    assert before.st_ino == after.st_ino  # not its time of change: Hyper may touch what it only reads


def test_columns_about_the_way_of_a_record_make_no_row_another(config: Config, extracts: Extracts) -> None:
    config["trust_end_of_input"] = True
    for method in ("upsert", "overwrite"):
        config["load_method"] = method
        stream, keys = method, ["ref"] if method == "upsert" else []
        head = schema(stream, {"ref": NULLABLE_TEXT, "_sdc_batched_at": TIME}, keys)
        for minute in (1, 2):
            way = {"_sdc_batched_at": f"2026-01-01T00:0{minute}:00Z"}
            load(config, [{**head, "bookmark_properties": [*way]}, record(stream, ref="a", **way), state()])
        minutes = extracts.rows(stream, 'SELECT EXTRACT(MINUTE FROM "_sdc_batched_at") FROM {t}')
        assert minutes == [[1]], "it is not rewritten"


def test_only_changed_rows_carry_the_id_of_the_load_that_changed_them(
    config: Config, extracts: Extracts
) -> None:
    load(config, bills(("001", 1), ("002", 2)))
    load(config, bills(("001", 1), ("002", 3)))
    first, second = (row[0] for row in extracts.rows("bills", 'SELECT "_sdc_load_id" FROM {t} ORDER BY ref'))
    assert first < second


def test_a_deletion_by_key_takes_the_row_out(config: Config, extracts: Extracts) -> None:
    load(config, bills(("001", 1), ("002", 2)))
    gone = record("bills", ref="001", _sdc_deleted_at="2026-02-01T00:00:00Z")
    load(config, [schema("bills", BILL, ["ref"]), gone, state()])
    assert amounts(extracts) == {"002": Decimal(2)}


def test_a_deletion_that_knows_only_the_note_id_takes_the_row_out(config: Config, extracts: Extracts) -> None:
    config["delete_match"] = {"bills": "note_id"}
    load(config, bills(("001", 1), ("002", 2)))
    load(config, [schema("bills", BILL, ["ref"]), tombstone("001"), state()])
    assert amounts(extracts) == {"002": Decimal(2)}


def test_a_row_read_and_deleted_in_one_load_never_appears(config: Config, extracts: Extracts) -> None:
    config["delete_match"] = {"bills": "note_id"}
    messages = bills(("001", 1), ("002", 2))
    load(config, [*messages[:-1], tombstone("001"), state()])
    assert amounts(extracts) == {"002": Decimal(2)}


def test_a_row_made_anew_after_its_deletion_stays(config: Config, extracts: Extracts) -> None:
    config["delete_match"] = {"bills": "note_id"}
    load(config, bills(("001", 1)))
    load(config, [schema("bills", BILL, ["ref"]), tombstone("001"), *bills(("001", 9))[1:]])
    assert amounts(extracts) == {"001": Decimal(9)}


def test_rules_of_another_source_do_not_hold(config: Config) -> None:
    config |= {
        "source": "tap-b",
        "delete_match": {"tap-a/bills": "note_id", "orders": "note_id", "tap-b/orders": "id"},
        "replace_within": {"tap-a/bill_lines": {"parent": "bills", "columns": {"ref": "nowhere"}}},
        "references": [{"from": "tap-a/bills.nowhere", "to": "vendors.id"}],
    }
    settings = Settings.from_config(config)
    assert settings.delete_match == {"orders": "id"}
    assert (settings.replace_within, settings.references) == ({}, ())
    load(config, bills(("001", 1)))
    config["source"] = "tap-a"
    assert Settings.from_config(config).delete_match == {"bills": "note_id", "orders": "note_id"}


def test_soft_delete_keeps_the_row_with_its_time_of_deletion(config: Config, extracts: Extracts) -> None:
    config |= {"delete_match": {"bills": "note_id"}, "hard_delete": False}
    load(config, bills(("001", 1), ("002", 2)))
    load(config, [schema("bills", BILL, ["ref"]), tombstone("001"), state()])
    rows = extracts.rows(
        "bills", 'SELECT ref, amount, "_sdc_deleted_at", "_sdc_load_id" FROM {t} ORDER BY ref'
    )
    assert [row[:2] for row in rows] == [["001", Decimal(1)], ["002", Decimal(2)]]
    assert rows[0][2].to_datetime() == dt.datetime(2026, 2, 1)
    assert rows[1][2] is None
    assert rows[0][3] > rows[1][3], "the mark bears the load that set it"


def test_a_deletion_without_a_key_and_without_delete_match_is_refused(config: Config) -> None:
    with pytest.raises(BadRecordError, match="delete_match"):
        load(config, [schema("bills", BILL, ["ref"]), tombstone("001"), state()])


def test_lines_that_a_document_no_longer_has_are_removed(config: Config, extracts: Extracts) -> None:
    config |= {"replace_within": WITHIN, "delete_match": {"bills": "note_id"}}
    both = [schema("bills", BILL, ["ref"]), schema("bill_lines", LINE, ["ref", "nbr"])]
    heads = bills(("001", 3), ("002", 1), ("003", 1))[1:-1]
    lines = [line("001", 1), line("001", 2), line("001", 3), line("002", 1), line("003", 1)]
    load(config, [*both, *heads, *lines, state()])
    # 001 lost line 2, 002 lost all its lines, 003 was not read
    load(config, [*both, *heads[:2], line("001", 1), line("001", 3), state()])
    assert extracts.rows("bill_lines", "SELECT ref, nbr FROM {t} ORDER BY 1, 2") == [
        ["001", 1],
        ["001", 3],
        ["003", 1],
    ]
    # 003 is deleted and takes its line along
    load(config, [*both, tombstone("003"), state()])
    assert extracts.rows("bill_lines", "SELECT ref, nbr FROM {t} ORDER BY 1, 2") == [["001", 1], ["001", 3]]


def test_a_document_read_twice_in_one_load_has_the_lines_of_its_last_reading(
    config: Config, extracts: Extracts
) -> None:
    config["replace_within"] = WITHIN
    both = [schema("bills", BILL, ["ref"]), schema("bill_lines", LINE, ["ref", "nbr"])]
    head = bills(("001", 3))[1:-1]
    load(config, [*both, *head, line("001", 1), line("001", 2), *head, line("001", 2, 5), state()])
    assert extracts.rows("bill_lines", "SELECT nbr, amount FROM {t}") == [[2, Decimal(5)]]


def test_a_tap_that_dies_amid_the_lines_of_a_document_removes_none(
    config: Config, extracts: Extracts
) -> None:
    config["replace_within"] = WITHIN
    both = [schema("bills", BILL, ["ref"]), schema("bill_lines", LINE, ["ref", "nbr"])]
    head = bills(("001", 3))[1:-1]
    load(config, [*both, *head, line("001", 1), line("001", 2), state()])
    load(config, [*both, *head, line("001", 1, 9)])  # no STATE: line 2 may have been on its way
    assert extracts.rows("bill_lines", "SELECT nbr, amount FROM {t} ORDER BY 1") == [
        [1, Decimal(9)],
        [2, Decimal(1)],
    ]


def test_streams_without_a_key_are_appended(config: Config, extracts: Extracts) -> None:
    log = [schema("log", {"text": NULLABLE_TEXT}), record("log", text="a"), record("log", text="a"), state()]
    load(config, log)
    load(config, log)
    assert extracts.column("log", "text") == ["a"] * 4


def test_append_only_keeps_every_version_of_a_row(config: Config, extracts: Extracts) -> None:
    config["load_method"] = "append-only"
    load(config, bills(("001", 1), ("001", 2)))
    load(config, bills(("001", 2)))
    assert extracts.column("bills", "amount") == [Decimal(1), Decimal(2), Decimal(2)]


def test_upsert_of_a_stream_without_a_key_is_refused(config: Config) -> None:
    config["load_method"] = "upsert"
    with pytest.raises(SettingError, match="'log' has no key properties"):
        load(config, [schema("log", {"text": NULLABLE_TEXT}), record("log", text="a"), state()])


def test_a_missing_extract_behind_a_bookmark_stops_the_run(config: Config, extracts: Extracts) -> None:
    with pytest.raises(SettingError, match="--full-refresh"):
        load(config, [state(), *bills(("001", 1))])
    assert not (extracts.folder / "bills.hyper").exists()


def test_columns_added_dropped_and_widened_between_loads(config: Config, extracts: Extracts) -> None:
    load(config, [schema("t", {"id": {"type": "integer"}, "n": {"type": "integer"}, "old": NULLABLE_TEXT}, ["id"]),
                  record("t", id=1, n=5, old="kept"), record("t", id=2, n=6, old="kept"), state()])  # fmt: skip
    load(config, [schema("t", {"id": {"type": "integer"}, "n": MONEY, "new": NULLABLE_TEXT}, ["id"]),
                  record("t", id=2, n=6.25, new="added"), state()])  # fmt: skip
    assert extracts.types("t")["n"] == "NUMERIC(18, 2)"
    assert extracts.rows("t", "SELECT id, n, old, new FROM {t} ORDER BY id") == [
        [1, Decimal("5.00"), "kept", None],
        [2, Decimal("6.25"), None, "added"],
    ]
    load(
        config,
        [
            schema("t", {"id": {"type": "integer"}, "n": NULLABLE_TEXT}, ["id"]),
            record("t", id=1, n="x"),
            state(),
        ],
    )
    assert extracts.rows("t", "SELECT id, n FROM {t} ORDER BY id") == [[1, "x"], [2, "6.25"]]


def test_a_schema_that_changes_while_the_stream_is_read_keeps_all_rows(
    config: Config, extracts: Extracts
) -> None:
    load(config, [
        schema("t", {"id": {"type": "integer"}, "n": {"type": "integer"}}, ["id"]), record("t", id=1, n=5),
        schema("t", {"id": {"type": "integer"}, "n": MONEY, "x": NULLABLE_TEXT}, ["id"]),
        record("t", id=2, n=6.5, x="y"),
        schema("t", {"id": {"type": "integer"}, "x": NULLABLE_TEXT}, ["id"]), record("t", id=1, x="z"), state(),
    ])  # fmt: skip
    assert extracts.rows("t", "SELECT id, n, x FROM {t} ORDER BY id") == [
        [1, None, "z"],
        [2, Decimal("6.50"), "y"],
    ]


def test_files_are_readable_by_their_owner_only(config: Config, tmp_path: Path) -> None:
    load(config, bills(("001", 1)))
    files = [path for path in (tmp_path / "output").rglob("*") if path.is_file()]
    assert files
    assert {oct(path.stat().st_mode & 0o077) for path in files} == {"0o0"}


def test_a_checkpoint_makes_what_has_arrived_safe_and_hands_its_state_on(
    config: Config, extracts: Extracts
) -> None:
    config |= {"checkpoint_minutes": 0, "replace_within": WITHIN, "delete_match": {"bills": "note_id"}}
    both = [schema("bills", BILL, ["ref"]), schema("bill_lines", LINE, ["ref", "nbr"])]
    first = [*bills(("001", 1))[1:-1], line("001", 1), line("001", 2), state({"at": 1})]
    second = [*bills(("001", 2), ("002", 1))[1:-1], line("001", 2), line("002", 1), state({"at": 2})]
    broken = record("bills", ref="003", amount="not a number", note_id="n-003")
    output: list[dict[str, Any]] = []
    with pytest.raises(BadRecordError):
        load(config, [*both, *first, *second, broken, state({"at": 3})], handed_on=output)
    assert output == [{"at": 1}, {"at": 2}]
    assert amounts(extracts) == {"001": Decimal(2), "002": Decimal(1)}
    assert extracts.rows("bill_lines", "SELECT ref, nbr FROM {t} ORDER BY 1, 2") == [["001", 2], ["002", 1]]


def test_the_journal_is_kept_for_as_many_days_as_set(config: Config, tmp_path: Path) -> None:
    old = tmp_path / "output" / "journal" / "20200101T000000000000-abcd"
    strange = tmp_path / "output" / "journal" / "notes of the auditor"
    for folder in (old, strange):
        folder.mkdir(parents=True)
        (folder / "bills-00000.parquet").touch()
    load(config, bills(("001", 1)))
    assert not old.exists()
    assert strange.exists()
    assert len(list((tmp_path / "output" / "journal").glob("*/bills-00000.parquet"))) == 2
