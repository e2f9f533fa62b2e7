"""Replay of a load from the journal, and the audit trail of a record."""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau.errors import JobError, TargetTableauError
from target_tableau.replay import replay
from target_tableau.settings import Settings
from tests.sandbox.tableau.switches import Fate
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
    loads_command,
    query,
    record,
    schema,
    state,
    tombstone,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.tableau.app import TableauApp
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


@pytest.fixture
def server(server: Server, publishing: Config, config: Config, by_job: None) -> TableauApp:  # noqa: ARG001
    """The server that `config` publishes to, whole and by jobs, which can be made to fail."""
    config |= {**publishing, "publish_mode": "overwrite"}
    return server.app


def last_load(config: Config, tmp_path: Path) -> str:
    return loads_command(config, tmp_path, "list", "--limit", "1").output.split()[0]


def test_a_load_whose_publish_failed_is_finished_without_the_source(
    config: Config, server: TableauApp, extracts: Extracts, tmp_path: Path
) -> None:
    config |= {"replace_within": WITHIN, "delete_match": {"bills": "note_id"}}
    both = [schema("bills", BILL, ["ref"]), schema("bill_lines", LINE, ["ref", "nbr"])]
    heads = bills(("001", 3), ("002", 1))[1:-1]
    load(config, [*both, *heads, line("001", 1), line("001", 2), line("002", 1), state()])
    server.switches.fates = [Fate("failed", notes="no")]
    change = [
        *both,
        record("bills", ref="001", amount=9, note_id="n-001"),
        line("001", 2, 9),
        tombstone("002"),
        state(),
    ]
    with pytest.raises(JobError):
        load(config, change)
    result = loads_command(config, tmp_path, "replay", last_load(config, tmp_path))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == STATE
    for path in (extracts.folder / "bills.hyper", server.state.datasource("bills")):
        assert query(path, "SELECT ref, amount FROM {t}") == [["001", Decimal(9)]]
    for path in (extracts.folder / "bill_lines.hyper", server.state.datasource("bill_lines")):
        assert query(path, "SELECT ref, nbr, amount FROM {t}") == [["001", 2, Decimal(9)]]
    # what the tap then reads again is absorbed
    writes = len(server.state.writes)
    assert load(config, change) == [STATE]
    assert len(server.state.writes) == writes


def test_a_schema_that_changed_amid_the_load_is_replayed_with_all_its_columns(
    config: Config, server: TableauApp, extracts: Extracts, tmp_path: Path
) -> None:
    server.switches.fates = [Fate("failed")]
    integer = {"type": "integer"}
    with pytest.raises(JobError):
        load(config, [
            schema("t", {"id": integer, "n": integer, "old": NULLABLE_TEXT}, ["id"]), record("t", id=1, n=5, old="x"),
            schema("t", {"id": integer, "n": MONEY}, ["id"]), record("t", id=2, n=6.5), state(),
        ])  # fmt: skip
    assert loads_command(config, tmp_path, "replay", last_load(config, tmp_path)).exit_code == 0
    assert extracts.rows("t", "SELECT id, n, old FROM {t} ORDER BY id") == [
        [1, Decimal(5), "x"],
        [2, Decimal("6.5"), None],
    ]


def test_an_old_load_is_not_replayed_over_a_newer_one(
    config: Config, server: TableauApp, tmp_path: Path
) -> None:
    server.switches.fates = [Fate("failed")]
    with pytest.raises(JobError):
        load(config, bills(("001", 1)))
    old = last_load(config, tmp_path)
    server.switches.fates = [Fate("failed")]  # it is tried first by the next run, and must not succeed there
    load(config, bills(("001", 2)))
    result = loads_command(config, tmp_path, "replay", old)
    assert result.exit_code == 1
    assert "whose rows are newer" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("which", ["done", "unknown"])
def test_what_cannot_be_replayed_is_told_in_one_line(config: Config, tmp_path: Path, which: str) -> None:
    load(config, bills(("001", 1)))
    load_id = last_load(config, tmp_path) if which == "done" else "20200101T000000000000-abcd"
    with pytest.raises(TargetTableauError, match=r"nothing to replay|not complete"):
        replay(Settings.from_config(config), load_id)


def test_trace_tells_every_version_of_a_record(config: Config, tmp_path: Path) -> None:
    config["delete_match"] = {"bills": "note_id"}
    load(config, bills(("001", 1), ("002", 7)))
    load(config, bills(("001", 2)))
    load(config, bills(("001", 2)))
    load(config, [schema("bills", BILL, ["ref"]), tombstone("001"), state()])
    told = loads_command(config, tmp_path, "trace", "bills", "001").output
    positions = [
        told.index(part)
        for part in (
            "came with ref=001, amount=1.00",
            "amount 1.00 -> 2.00",
            "came again, unchanged",
            "deleted in the source",
        )
    ]
    assert positions == sorted(positions)
    assert "7.00" not in told
    assert "The journal reaches back to" in told


def test_trace_of_an_unknown_record_says_how_far_the_journal_reaches(config: Config, tmp_path: Path) -> None:
    load(config, bills(("001", 1)))
    told = loads_command(config, tmp_path, "trace", "bills", "999").output
    assert "No record of bills with the key 999" in told
    assert "30 days are kept" in told
    wrong = loads_command(config, tmp_path, "trace", "bills", "1", "2")
    assert wrong.exit_code == 1
    assert "1 key properties (ref)" in wrong.output
    assert "not in the journal" in loads_command(config, tmp_path, "trace", "nothing", "1").output


def test_trace_tells_what_the_codes_of_a_record_stand_for(config: Config, tmp_path: Path) -> None:
    config["references"] = [
        {"from": "bills.vendor", "to": "vendors.code"},
        {"from": "bills.account", "to": "accounts.code"},
        {"from": "bills.project", "to": "projects.code"},
    ]
    text = dict.fromkeys(("ref", "vendor", "account", "project", "code", "name"), NULLABLE_TEXT)
    load(config, [
        schema("vendors", {name: text[name] for name in ("code", "name")}, ["code"]),
        record("vendors", code="0042", name="Acme"),
        schema("accounts", {"code": NULLABLE_TEXT}, ["code"]), record("accounts", code="400000"),
        schema("bills", text, ["ref"]), record("bills", ref="1", vendor="0042", account="9", project="P"), state(),
    ])  # fmt: skip
    told = loads_command(config, tmp_path, "trace", "bills", "1").output
    assert "vendor 0042: in vendors as code=0042, name=Acme" in told
    assert "account 9: not found in accounts" in told
    assert "projects is not loaded" in told


def test_rejected_records_are_tried_again_under_the_schema_of_now(
    config: Config, extracts: Extracts, tmp_path: Path
) -> None:
    config["on_bad_record"] = "quarantine"
    load(config, bills(("001", 1), ("002", "1,5"), ("003", "free"), ("004", "9,9")))
    rejected = last_load(config, tmp_path)
    assert extracts.column("bills", "ref") == ["001"]
    load(config, bills(("004", 4)))  # what came since is newer and stays
    as_text = {**BILL, "amount": NULLABLE_TEXT}
    load(
        config,
        [schema("bills", as_text, ["ref"]), record("bills", ref="005", amount="x", note_id="n"), state()],
    )
    result = loads_command(config, tmp_path, "replay", rejected, "--rejected")
    assert result.exit_code == 0, result.output
    assert "+2" in result.output
    assert extracts.rows("bills", "SELECT ref, amount FROM {t} ORDER BY ref") == [
        ["001", "1.00"], ["002", "1,5"], ["003", "free"], ["004", "4.00"], ["005", "x"],
    ]  # fmt: skip
    again = loads_command(config, tmp_path, "replay", rejected, "--rejected")
    assert again.exit_code == 1
    assert "No rejected records" in again.output


def test_rejected_records_that_still_do_not_fit_are_kept(config: Config, tmp_path: Path) -> None:
    config["on_bad_record"] = "quarantine"
    load(config, bills(("001", 1), ("002", "1,5")))
    result = loads_command(config, tmp_path, "replay", last_load(config, tmp_path), "--rejected")
    assert "rejected 1" in result.output
    kept = list((tmp_path / "output" / "rejected").rglob("*.jsonl"))
    assert len(kept) == 1
    assert last_load(config, tmp_path) == kept[0].parent.name
    assert '"ref":"002"' in kept[0].read_text()


MELTANO = """#!{python}
import json, pathlib, sys
*words, state_id = sys.argv[1:]
assert words[:4] == ["state", "set", "--force", "--input-file"], words
pathlib.Path("{told}").write_text(json.dumps([state_id, json.loads(pathlib.Path(words[4]).read_text())]))
sys.exit({code})
"""


@pytest.mark.parametrize("code", [0, 1])
def test_the_state_of_a_replayed_load_is_handed_to_meltano(
    config: Config, server: TableauApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Meltano itself is asked in the end-to-end tests; here it is what it is called with."""
    server.switches.fates = [Fate("failed")]
    with pytest.raises(JobError):
        load(config, bills(("001", 1)))
    told, meltano = tmp_path / "told.json", tmp_path / "bin" / "meltano"
    meltano.parent.mkdir()
    meltano.write_text(MELTANO.format(python=sys.executable, told=told, code=code))
    meltano.chmod(0o755)
    monkeypatch.setenv("PATH", str(meltano.parent), prepend=os.pathsep)
    result = loads_command(
        config, tmp_path, "replay", last_load(config, tmp_path), "--state-id", "prod:x-to-y"
    )
    assert result.exit_code == code, result.output
    assert json.loads(told.read_text()) == ["prod:x-to-y", STATE]
    assert ("did not take the state 'prod:x-to-y'" in result.output) == bool(code)


def test_rejected_records_that_were_deleted_or_came_again_since_stay_as_they_are(
    config: Config, extracts: Extracts, tmp_path: Path
) -> None:
    config |= {"on_bad_record": "quarantine", "delete_match": {"bills": "note_id"}}
    load(config, bills(("001", 1), ("002", 2), ("003", 3)))
    load(config, bills(("001", "x"), ("002", "x"), ("003", "x"), ("004", "x")))
    rejected = last_load(config, tmp_path)
    load(config, bills(("001", 1)))  # as it was: the row bears the older load
    gone = record("bills", ref="002", _sdc_deleted_at="2026-02-01T00:00:00+00:00")
    as_text = schema("bills", {**BILL, "amount": NULLABLE_TEXT}, ["ref"])
    load(config, [as_text, gone, tombstone("003"), state()])
    result = loads_command(config, tmp_path, "replay", rejected, "--rejected")
    assert result.exit_code == 0, result.output
    assert extracts.rows("bills", "SELECT ref, amount FROM {t} ORDER BY ref") == [
        ["001", "1.00"],
        ["004", "x"],
    ]
