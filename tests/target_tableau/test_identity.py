"""Which row is which when keys, types and names of columns change from one load to the next."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau import extract
from target_tableau.errors import ExtractError, SettingError
from target_tableau.extract import ExtractBuild
from target_tableau.ledger import Ledger
from target_tableau.settings import Settings
from tests.target_tableau.support import (
    BILL,
    MONEY,
    NULLABLE_TEXT,
    STATE,
    TIME,
    Extracts,
    bills,
    load,
    loads_command,
    query,
    record,
    schema,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]
Messages = list[dict[str, Any]]

INTEGER = {"type": ["integer", "null"]}
LONG_SCALE = {"type": ["number", "null"], "x-sql-datatype-properties": {"precision": 18, "scale": 6}}
GONE = "2026-02-01T00:00:00+00:00"


def rows(properties: dict[str, Any], *records: dict[str, Any], keys: tuple[str, ...] = ("id",)) -> Messages:
    """A run of the stream `t`."""
    return [schema("t", properties, keys), *(record("t", **values) for values in records), state()]


@pytest.mark.parametrize("many", [1000, pytest.param(0, marks=pytest.mark.soak)])
def test_a_key_that_becomes_text_finds_the_rows_that_came_as_numbers(
    config: Config, extracts: Extracts, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(extract, "_MANY_ROWS", many)
    load(config, rows({"id": INTEGER, "v": INTEGER}, {"id": 1, "v": 1}, {"id": 2, "v": 2}))
    load(config, rows({"id": NULLABLE_TEXT, "v": INTEGER}, {"id": "1", "v": 5}, {"id": "x", "v": 6}))
    load(config, rows({"id": INTEGER, "v": INTEGER}, {"id": 2, "v": 7}))
    assert extracts.rows("t", "SELECT id, v FROM {t} ORDER BY 1") == [["1", 5], ["2", 7], ["x", 6]]


@pytest.mark.soak
def test_a_key_whose_type_and_name_change_at_once_finds_its_rows(config: Config, extracts: Extracts) -> None:
    load(config, rows({"id": INTEGER}, {"id": 1}, {"id": 2}))
    config["columns"] = {"t": {"id": "Number"}}
    load(config, rows({"id": NULLABLE_TEXT}, {"id": "1"}, {"id": "x"}))
    assert extracts.column("t", "Number") == ["1", "2", "x"]


def test_a_deletion_finds_its_row_by_a_column_whose_type_has_changed(
    config: Config, extracts: Extracts
) -> None:
    config["delete_match"] = {"t": "note"}
    both = {"id": INTEGER, "note": INTEGER, "_sdc_deleted_at": TIME}
    load(config, rows(both, {"id": 1, "note": 1}, {"id": 2, "note": 2}, {"id": 3, "note": 3}))
    load(config, rows(both | {"note": NULLABLE_TEXT}, {"id": None, "note": "1", "_sdc_deleted_at": GONE}))
    load(config, rows(both, {"id": None, "note": 2, "_sdc_deleted_at": GONE}))
    assert extracts.column("t", "id") == [3]


def test_lines_follow_documents_whose_number_becomes_text(config: Config, extracts: Extracts) -> None:
    config["replace_within"] = {"lines": {"parent": "heads", "columns": {"head": "id"}}}

    def document(kind: dict[str, Any], of_lines: dict[str, Any], number: object, *lines: int) -> Messages:
        line_number: object = str(number) if of_lines == NULLABLE_TEXT else int(str(number))
        return [
            schema("heads", {"id": kind}, ["id"]),
            schema("lines", {"head": of_lines, "nbr": INTEGER}, ["head", "nbr"]),
            record("heads", id=number),
            *(record("lines", head=line_number, nbr=nbr) for nbr in lines),
            state(),
        ]

    load(config, document(INTEGER, INTEGER, 1, 1, 2))
    load(config, document(NULLABLE_TEXT, INTEGER, "1", 2, 3))
    assert extracts.rows("lines", "SELECT head, nbr FROM {t} ORDER BY 2") == [["1", 2], ["1", 3]]
    amid = [*document(INTEGER, INTEGER, 1, 4), *document(NULLABLE_TEXT, NULLABLE_TEXT, "1", 5)]
    load(config, amid)
    assert extracts.rows("lines", "SELECT head, nbr FROM {t}") == [["1", 5]]


def test_rows_without_a_key_that_come_as_numbers_again_are_those_that_are_text(
    config: Config, extracts: Extracts
) -> None:
    config |= {"trust_end_of_input": True, "load_method": "overwrite"}
    load(config, rows({"a": NULLABLE_TEXT}, {"a": "1"}, {"a": "2"}, keys=()))
    before = (extracts.folder / "t.hyper").stat().st_ino
    load(config, rows({"a": INTEGER}, {"a": 1}, {"a": 2}, keys=()))
    assert (extracts.folder / "t.hyper").stat().st_ino == before


def test_a_key_that_grows_by_a_column_does_not_double_the_rows_that_lack_it(
    config: Config, extracts: Extracts
) -> None:
    load(config, rows({"id": INTEGER}, {"id": 1}, {"id": 2}))
    grown = rows({"company": NULLABLE_TEXT, "id": INTEGER}, {"company": "A", "id": 1}, keys=("company", "id"))
    with pytest.raises(ExtractError, match=r"key is company, id now.*no company.*load_method overwrite"):
        load(config, grown)
    assert extracts.column("t", "id") == [1, 2]
    load({**config, "load_method": "overwrite", "trust_end_of_input": True}, grown)
    assert extracts.rows("t", "SELECT company, id FROM {t}") == [["A", 1]]


def test_a_key_under_which_several_rows_are_there_is_told(config: Config, extracts: Extracts) -> None:
    lines = {"id": INTEGER, "nbr": INTEGER, "v": INTEGER}
    load(config, rows(lines, {"id": 1, "nbr": 1, "v": 1}, {"id": 1, "nbr": 2, "v": 1}, keys=("id", "nbr")))
    with pytest.raises(ExtractError, match=r"several rows of one key \(id\).*under another key"):
        load(config, rows(lines, {"id": 1, "nbr": 1, "v": 2}))
    assert len(extracts.column("t", "id")) == 2


@pytest.mark.soak
def test_rows_that_do_not_fit_a_longer_scale_are_told_with_their_column(config: Config) -> None:
    load(config, rows({"id": INTEGER, "v": MONEY}, {"id": 1, "v": 5_000_000_000_000.5}))
    with pytest.raises(
        ExtractError, match=r"v NUMERIC\(18,2\) becomes NUMERIC\(18,6\).*Keep the former type"
    ):
        load(config, rows({"id": INTEGER, "v": LONG_SCALE}, {"id": 2, "v": 0.123456}))


@pytest.mark.parametrize("names", [["Amount"], pytest.param(["Due", "AMOUNT"], marks=pytest.mark.soak)])
def test_a_column_whose_name_changes_its_case_alone_is_one_column_for_tableau(
    publishing: Config, server: Server, extracts: Extracts, names: list[str]
) -> None:
    load(publishing, bills(("001", 1)))
    for name in names:
        publishing["columns"] = {"bills": {"amount": name}}
        load(publishing, bills(("002", 2)))
        folded = [column.casefold() for column in extracts.types("bills")]
        assert len(folded) == len(set(folded))
        sums = f'SELECT SUM("{name}"), COUNT(*) FROM {{t}}'
        assert extracts.rows("bills", sums) == [[Decimal(3), 2]]
        assert query(server.app.state.datasource("bills"), sums) == [[Decimal(3), 2]]


def test_a_property_that_differs_by_case_from_one_that_is_gone_gets_a_name_of_its_own(
    config: Config, extracts: Extracts
) -> None:
    load(config, rows({"id": INTEGER, "Code": INTEGER}, {"id": 1, "Code": 1}))
    load(config, rows({"id": INTEGER, "code": INTEGER}, {"id": 2, "code": 2}))
    load(config, rows({"id": INTEGER, "code": INTEGER, "Code": INTEGER}, {"id": 3, "code": 3, "Code": 4}))
    assert extracts.rows("t", 'SELECT id, "Code", "code_2" FROM {t} ORDER BY 1') == [
        [1, 1, None],
        [2, None, 2],
        [3, 4, 3],
    ]


def test_a_column_that_does_not_come_any_more_keeps_its_values_though_another_was_called_so(
    config: Config, extracts: Extracts
) -> None:
    config["columns"] = {"t": {"a": "total", "b": "a"}}
    load(
        config,
        rows({"id": INTEGER, "a": INTEGER, "b": INTEGER}, {"id": 1, "b": 7}, {"id": 2, "a": 1, "b": 2}),
    )
    load(config, rows({"id": INTEGER, "a": INTEGER}, {"id": 3, "a": 3}))
    assert extracts.rows("t", "SELECT id, total, a FROM {t} ORDER BY 1") == [
        [1, None, 7],
        [2, 1, 2],
        [3, 3, None],
    ]


@pytest.mark.soak
def test_a_column_of_a_property_that_is_gone_is_given_to_no_other(config: Config) -> None:
    load(config, rows({"id": INTEGER, "a": INTEGER}, {"id": 1, "a": 1}))
    config["columns"] = {"t": {"b": "A"}}
    with pytest.raises(SettingError, match="'A' to the property 'b', but so far it is the column of 'a'"):
        load(config, rows({"id": INTEGER, "b": INTEGER}, {"id": 1, "b": 2}))


@pytest.mark.soak
def test_values_follow_a_name_back_into_a_column_that_was_narrower(
    config: Config, extracts: Extracts
) -> None:
    load(config, rows({"id": INTEGER, "a": INTEGER}, {"id": 1, "a": 1}))
    config["columns"] = {"t": {"a": "A sum"}}
    load(config, rows({"id": INTEGER, "a": NULLABLE_TEXT}, {"id": 2, "a": "x"}))
    config["columns"] = {"t": {"a": "a"}}
    load(config, rows({"id": INTEGER, "a": NULLABLE_TEXT}, {"id": 3, "a": "y"}))
    assert extracts.rows("t", "SELECT id, a FROM {t} ORDER BY 1") == [[1, "1"], [2, "x"], [3, "y"]]


def _stopped(config: Config, messages: Messages, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stop a load before it is put in place, and return its id."""

    def stop(_: ExtractBuild) -> None:
        raise ExtractError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(ExtractBuild, "promote", stop)
        with pytest.raises(ExtractError, match="stopped"):
            load(config, messages)
    return str(_newest(config)["load_id"])


def _newest(config: Config) -> dict[str, Any]:
    settings = Settings.from_config(config)
    ledger = Ledger(settings.ledger_url, settings.output_dir)
    try:
        return ledger.loads()[0]
    finally:
        ledger.close()


def test_a_load_is_replayed_though_its_key_has_got_another_name_since(
    config: Config, extracts: Extracts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(config, bills(("001", 1), ("002", 2)))
    load_id = _stopped(config, bills(("002", 3), ("003", 3)), monkeypatch)
    config["columns"] = {"bills": {"ref": "Number", "amount": "Amount due"}}
    assert loads_command(config, tmp_path, "replay", load_id).exit_code == 0
    load(config, bills(("001", 4)))
    wanted = [["001", Decimal(4)], ["002", Decimal(3)], ["003", Decimal(3)]]
    assert extracts.rows("bills", 'SELECT "Number", "Amount due" FROM {t} ORDER BY 1') == wanted
    told = loads_command(config, tmp_path, "trace", "bills", "002")
    assert "Amount due 2.00 -> 3.00" in told.output, "versions from before the new name count, too"


def test_a_replayed_load_tells_what_was_rejected_and_when_it_was_read(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config["on_bad_record"] = "quarantine"
    load_id = _stopped(config, bills(("001", 1), ("002", "much")), monkeypatch)
    before = _newest(config)
    assert loads_command(config, tmp_path, "replay", load_id).exit_code == 0
    after = _newest(config)
    assert after["status"] == "done"
    assert (after["rejected"], after["extracted_at"]) == (1, before["extracted_at"])


@pytest.mark.soak
def test_a_date_of_the_year_zero_is_named_and_not_taken_for_one_before_christ(config: Config) -> None:
    day = {"type": ["string", "null"], "format": "date"}
    with pytest.raises(Exception, match=r"field 'day': '0000-01-01' .*years 1 to 9999"):
        load(config, rows({"id": INTEGER, "day": day}, {"id": 1, "day": "0000-01-01"}))


def test_a_deletion_that_knows_the_key_alone_keeps_what_the_marked_row_holds(
    config: Config, extracts: Extracts
) -> None:
    config["hard_delete"] = False
    load(config, bills(("001", 1), ("002", 2)))
    gone = [record("bills", ref=ref, _sdc_deleted_at=GONE) for ref in ("001", "003")]
    made = record("bills", ref="003", amount=3, note_id="n-003")
    load(config, [schema("bills", BILL, ["ref"]), gone[0], made, gone[1], state(STATE)])
    marked = 'SELECT ref, amount, note_id, "_sdc_deleted_at" IS NULL FROM {t} ORDER BY 1'
    assert extracts.rows("bills", marked) == [
        ["001", Decimal(1), "n-001", False],
        ["002", Decimal(2), "n-002", True],
        ["003", Decimal(3), "n-003", False],
    ]


def test_a_marked_row_survives_a_full_read_that_tells_of_its_deletion(
    config: Config, extracts: Extracts
) -> None:
    config |= {"hard_delete": False, "load_method": "overwrite", "trust_end_of_input": True}
    load(config, bills(("001", 1), ("002", 2), ("003", 3)))
    gone = record("bills", ref="002", _sdc_deleted_at=GONE)
    load(config, [*bills(("001", 1))[:-1], gone, state()])
    marked = 'SELECT ref, amount, "_sdc_deleted_at" IS NULL FROM {t} ORDER BY 1'
    assert extracts.rows("bills", marked) == [["001", Decimal(1), True], ["002", Decimal(2), False]]


@pytest.mark.soak
def test_marked_rows_keep_what_they_hold_in_a_data_source_without_an_extract(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing |= {"hard_delete": False, "publish_mode": "update"}
    load(publishing, bills(("001", 1), ("002", 2)))
    (extracts.folder / "bills.hyper").unlink()
    gone = record("bills", ref="001", _sdc_deleted_at=GONE)
    load(publishing, [schema("bills", BILL, ["ref"]), gone, state()])
    assert server.rows("bills") == {"001": Decimal(1), "002": Decimal(2)}


def test_deletions_in_a_stream_without_a_key_are_no_rows(config: Config, extracts: Extracts) -> None:
    log = {"ref": NULLABLE_TEXT, "_sdc_deleted_at": TIME}
    both: Messages = [{"ref": "a"}, {"ref": "b", "_sdc_deleted_at": GONE}]
    for _ in range(2):  # into a new extract, and into one that is there
        load(config, rows(log, *both, keys=()))
    assert extracts.column("t", "ref") == ["a", "a"]
    config["delete_match"] = {"t": "ref"}
    with pytest.raises(SettingError, match="delete_match needs a key"):
        load(config, rows(log, *both, keys=()))


def test_a_stream_that_a_checkpoint_cut_in_two_loses_no_row_of_the_first_half(
    config: Config, extracts: Extracts, caplog: pytest.LogCaptureFixture
) -> None:
    config |= {"checkpoint_minutes": 0, "trust_end_of_input": True}
    load(config, bills(("001", 1), ("002", 2), ("003", 3)))
    activate = {"type": "ACTIVATE_VERSION", "stream": "bills", "version": 1}
    load(
        config, [*bills(("001", 5)), record("bills", ref="002", amount=6, note_id="n-002"), activate, state()]
    )
    assert extracts.column("bills", "ref") == ["001", "002", "003"]
    assert "Set checkpoint_minutes to more" in caplog.text
    load(config, [*bills(("001", 5)), activate, state()])  # behind a checkpoint, and nothing else
    assert extracts.column("bills", "ref") == ["001", "002", "003"]


@pytest.mark.soak
def test_a_stream_that_is_empty_behind_the_checkpoint_of_another_loses_its_rows(
    config: Config, extracts: Extracts
) -> None:
    config |= {"checkpoint_minutes": 0, "trust_end_of_input": True}
    load(config, rows({"id": INTEGER}, {"id": 1}))
    activate = {"type": "ACTIVATE_VERSION", "stream": "t", "version": 1}
    load(config, [schema("t", {"id": INTEGER}, ["id"]), *bills(("001", 1)), activate, state()])
    assert extracts.column("t", "id") == []
