"""A tap that dies half-way: it looks like one that has finished, but for its last STATE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target_tableau.support import (
    BILL,
    LINE,
    NULLABLE_TEXT,
    STATE,
    WITHIN,
    Extracts,
    bills,
    line,
    load,
    query,
    record,
    schema,
    state,
    tombstone,
)

if TYPE_CHECKING:
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]
Messages = list[dict[str, Any]]

BEFORE = {"bookmarks": {"bills": {"completed_at": "2026-01-01T00:00:00Z"}}}
AFTER = {"bookmarks": {"bills": {"completed_at": "2026-01-02T00:00:00Z"}}}
UNDER_WAY = {"bookmarks": {"log": {"replication_key_value": "2026-01-01"}}}

ALL = "SELECT ref, amount FROM {t} ORDER BY 1, 2"


def everywhere(server: Server, extracts: Extracts, stream: str, sql: str = ALL) -> list[list[Any]]:
    """What a query finds in the extract and in the data source alike."""
    here = extracts.rows(stream, sql)
    assert query(server.app.state.datasource(stream), sql) == here
    return here


def refs(server: Server, extracts: Extracts, stream: str) -> str:
    return "".join(row[0] for row in everywhere(server, extracts, stream))


def log(letters: str, *, keys: tuple[str, ...] = ()) -> Messages:
    """The beginning of a run: rows, one per letter."""
    rows = [record("log", ref=letter, amount=1) for letter in letters]
    return [schema("log", {"ref": NULLABLE_TEXT, "amount": BILL["amount"]}, keys), *rows]


def test_upsert_keeps_what_came_and_hands_on_no_state_beyond_it(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    load(publishing, [*log("abc", keys=("ref",)), state()])
    assert load(publishing, [*log("cd", keys=("ref",)), state(UNDER_WAY), *log("e", keys=("ref",))]) == [
        UNDER_WAY
    ]
    assert refs(server, extracts, "log") == "abcde"
    load(publishing, [*log("ef", keys=("ref",)), state()])
    assert refs(server, extracts, "log") == "abcdef"


@pytest.mark.parametrize(
    ("keys", "proven"),
    [
        ((), "d"),
        pytest.param((), "", marks=pytest.mark.soak),
        pytest.param(("ref",), "d", marks=pytest.mark.soak),
        pytest.param(("ref",), "", marks=pytest.mark.soak),
    ],
)
def test_rows_that_come_again_are_not_appended_again(
    publishing: Config, server: Server, extracts: Extracts, keys: tuple[str, ...], proven: str
) -> None:
    publishing["load_method"] = "append-only"
    load(publishing, [*log("aac", keys=keys), state()])
    middle = [*log(proven, keys=keys), state(UNDER_WAY)] if proven else []
    assert load(publishing, [*middle, *log("eef", keys=keys)]) == ([UNDER_WAY] if proven else [])
    assert refs(server, extracts, "log") == f"aac{proven}eef"
    load(publishing, [*log("eefg", keys=keys)])  # dies again, a little later
    load(publishing, [*log("eefgh", keys=keys), state()])
    assert refs(server, extracts, "log") == f"aac{proven}eefgh"
    load(publishing, [*log("h", keys=keys), state()])  # comes as another event, behind a whole run
    assert refs(server, extracts, "log") == f"aac{proven}eefghh"


def test_rows_whose_change_to_a_wider_type_comes_between_are_not_appended_again(
    config: Config, extracts: Extracts
) -> None:
    integer = {"type": ["integer", "null"]}
    row = [record("log", n=1), record("log", n=2)]
    load(config, [schema("log", {"n": integer}), record("log", n=1), state(), *row])
    load(
        config,
        [schema("log", {"n": {"type": "number"}, "new": NULLABLE_TEXT}), *row, record("log", n=1.5), state()],
    )
    assert extracts.column("log", "n") == [1, 1, 1.5, 2]


@pytest.mark.parametrize(
    ("way", "keys"),
    [
        ("overwrite", ()),
        ("ACTIVATE_VERSION", ("ref",)),
        pytest.param("overwrite", ("ref",), marks=pytest.mark.soak),
        pytest.param("ACTIVATE_VERSION", (), marks=pytest.mark.soak),
    ],
)
def test_a_table_that_is_read_whole_loses_and_doubles_nothing(
    publishing: Config, server: Server, extracts: Extracts, way: str, keys: tuple[str, ...]
) -> None:
    publishing["load_method"] = "overwrite" if way == "overwrite" else ""
    publishing["max_shrink_percent"] = 100
    if not publishing["load_method"]:
        del publishing["load_method"]
    activate = [{"type": "ACTIVATE_VERSION", "stream": "bills", "version": 1}] if way != "overwrite" else []

    def run(letters: str, *ending: dict[str, Any]) -> list[dict[str, Any]]:
        rows = [record("bills", ref=letter, amount=1, note_id=letter) for letter in letters]
        return load(publishing, [state(BEFORE), schema("bills", BILL, keys), *activate, *rows, *ending])

    run("abc", state(AFTER))
    run("b")
    assert refs(server, extracts, "bills") == "abc"
    run("bd", state(BEFORE))
    assert refs(server, extracts, "bills") == ("abcd" if keys else "abc")
    run("bde", state(AFTER))
    assert refs(server, extracts, "bills") == "bde"


def test_lines_of_documents_that_were_cut_short_stay(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing |= {"replace_within": WITHIN, "delete_match": {"bills": "note_id"}}
    both = [schema("bills", BILL, ["ref"]), schema("bill_lines", LINE, ["ref", "nbr"])]
    heads = bills(("1", 2), ("2", 2), ("3", 1))[1:-1]
    lines = [line("1", 1), line("1", 2), line("2", 1), line("2", 2), line("3", 1)]
    load(publishing, [*both, *heads, *lines, state()])
    sql = "SELECT ref, nbr FROM {t} ORDER BY 1, 2"
    whole = [*both, *bills(("1", 1), ("2", 1))[1:-1], tombstone("3"), line("1", 2), line("2", 2)]
    assert load(publishing, whole[:-1]) == []  # dies amid the lines
    assert everywhere(server, extracts, "bill_lines", sql) == [
        ["1", 1],
        ["1", 2],
        ["2", 1],
        ["2", 2],
        ["3", 1],
    ]
    assert load(publishing, [*whole, state()]) == [STATE]
    assert everywhere(server, extracts, "bill_lines", sql) == [["1", 2], ["2", 2]]
    assert refs(server, extracts, "bills") == "12"
