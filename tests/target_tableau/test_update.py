"""Sending only what has changed to a published data source, against the sandbox's Tableau Server."""

from __future__ import annotations

import os
import re
import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau import publish
from target_tableau.errors import JobError
from target_tableau.hyper import Engine, ExtractTable
from tests.sandbox.faults import Fault
from tests.sandbox.tableau.switches import Fate
from tests.target_tableau.conftest import CALCULATION, CAPTION
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
    query,
    record,
    schema,
    state,
    tombstone,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


def both_sides(server: Server, extracts: Extracts, stream: str, sql: str) -> list[list[Any]]:
    """What a query finds in the extract, which must be what it finds in the data source."""
    here = extracts.rows(stream, sql)
    assert query(server.app.state.datasource(stream), sql) == here
    return here


ALL = "SELECT ref, amount FROM {t} ORDER BY ref"


def test_a_change_is_sent_as_an_update_and_nothing_else(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing["delete_match"] = {"bills": "note_id"}
    load(publishing, bills(*((f"{number:04}", number) for number in range(2000))))
    published = server.get("bills").current.number
    load(publishing, [*bills(("0001", 7), ("new", 1), ("0003", 3))[:-1], tombstone("0002"), state()])
    assert server.writes_of("publish") == 1
    assert server.writes_of("patch") == 1
    assert server.get("bills").current.number == published
    assert both_sides(server, extracts, "bills", "SELECT COUNT(*) FROM {t}") == [[2000]]
    assert both_sides(server, extracts, "bills", "SELECT amount FROM {t} WHERE ref = '0001'") == [
        [Decimal(7)]
    ]
    assert both_sides(server, extracts, "bills", "SELECT COUNT(*) FROM {t} WHERE ref = '0002'") == [[0]]


def test_the_bytes_sent_follow_the_change_and_not_the_extract(publishing: Config, server: Server) -> None:
    load(publishing, bills(*((f"{number:06}", number) for number in range(50_000))))
    whole = server.app.state.writes[-1].size if server.app.state.writes[-1].kind == "publish" else 0
    whole = whole or next(w.size for w in server.app.state.writes if w.kind == "publish")
    load(publishing, bills(("000001", 7)))
    (sent,) = [write.size for write in server.app.state.writes if write.kind == "patch"]
    assert sent < whole / 3


def test_lines_of_a_document_that_was_read_again_are_replaced_in_tableau_too(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing |= {"replace_within": WITHIN, "delete_match": {"bills": "note_id"}}
    both = [schema("bills", BILL, ["ref"]), schema("bill_lines", LINE, ["ref", "nbr"])]
    heads = bills(("001", 3), ("002", 1))[1:-1]
    load(publishing, [*both, *heads, line("001", 1), line("001", 2), line("002", 1), state()])
    load(publishing, [*both, *bills(("001", 4))[1:-1], line("001", 2, 4), tombstone("002"), state()])
    assert server.writes_of("publish") == 2
    assert both_sides(server, extracts, "bills", ALL) == [["001", Decimal(4)]]
    lines = "SELECT ref, nbr, amount FROM {t} ORDER BY 1, 2"
    assert both_sides(server, extracts, "bill_lines", lines) == [["001", 2, Decimal(4)]]


LOG = {"ref": NULLABLE_TEXT, "amount": MONEY}


def log(*rows: tuple[str, object]) -> list[dict[str, Any]]:
    """A whole run of a stream without a key."""
    return [schema("log", LOG), *(record("log", ref=ref, amount=amount) for ref, amount in rows), state()]


def test_rows_without_a_key_are_inserted(publishing: Config, server: Server, extracts: Extracts) -> None:
    load(publishing, log(("a", 1)))
    load(publishing, log(("a", 1), ("b", 2)))
    assert server.writes_of("publish") == 1
    assert both_sides(server, extracts, "log", ALL) == [["a", 1], ["a", 1], ["b", 2]]


def test_rows_of_a_load_that_did_not_close_leave_tableau_before_they_come_again(
    publishing: Config, server: Server, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(publishing, log(("a", 1)))
    with monkeypatch.context() as patch:
        patch.setattr("target_tableau.target.TargetTableau._write_state_message", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            load(publishing, log(("b", 2)))
    shutil.rmtree(extracts.folder / "journal")  # nothing to finish it from: the tap reads its rows again
    load(publishing, log(("b", 2), ("c", 3)))
    assert both_sides(server, extracts, "log", ALL) == [["a", 1], ["b", 2], ["c", 3]]
    assert server.writes_of("publish") == 1


def test_an_extract_whose_time_of_change_the_engine_has_touched_is_still_known(
    publishing: Config, server: Server, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    detach = Engine.detach

    def touch(engine: Engine, table: ExtractTable) -> None:
        detach(engine, table)  # what Hyper does now and then to a file that it only reads
        for file in extracts.folder.glob("*.hyper"):
            os.utime(file)

    monkeypatch.setattr(Engine, "detach", touch)
    for number in range(3):
        load(publishing, bills(("001", number)))
        load(publishing, bills(("001", number)))  # reads the extract and changes nothing
    assert server.writes_of("publish") == 1
    assert server.writes_of("patch") == 2
    assert server.app.script.count("/content") == 0
    assert both_sides(server, extracts, "bills", ALL) == [["001", Decimal(2)]]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_table_read_whole_replaces_the_rows_and_keeps_the_document(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing |= {"load_method": "overwrite", "trust_end_of_input": True, "max_shrink_percent": 100}
    load(publishing, log(("a", 1), ("b", 2)))
    server.add_to_document("log", CAPTION)
    load(publishing, log(("b", 2), ("c", 3)))
    assert both_sides(server, extracts, "log", ALL) == [["b", 2], ["c", 3]]
    assert "Amount due" in server.document("log")
    assert server.writes_of("patch") == 1


def test_a_null_key_which_no_condition_finds_is_published_whole(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    load(
        publishing,
        [schema("bills", BILL, ["ref"]), record("bills", ref=None, amount=1, note_id="n"), state()],
    )
    load(
        publishing,
        [schema("bills", BILL, ["ref"]), record("bills", ref=None, amount=2, note_id="n"), state()],
    )
    assert server.writes_of("patch") == 0
    assert both_sides(server, extracts, "bills", ALL) == [[None, Decimal(2)]]


@pytest.mark.parametrize("mode", ["auto", "overwrite"])
def test_what_authors_have_added_is_kept_when_rows_and_columns_change(
    publishing: Config, server: Server, extracts: Extracts, mode: str
) -> None:
    publishing["publish_mode"] = mode
    load(publishing, bills(("001", 1)))
    server.add_to_document("bills", CAPTION, CALCULATION)
    load(publishing, bills(("001", 2), ("002", 3)))
    wider = {**BILL, "approver": NULLABLE_TEXT}
    load(publishing, [
        schema("bills", wider, ["ref"]), record("bills", ref="001", amount=4, note_id="n", approver="Ann"), state(),
    ])  # fmt: skip
    assert both_sides(server, extracts, "bills", "SELECT ref, amount, approver FROM {t} ORDER BY 1") == [
        ["001", Decimal(4), "Ann"],
        ["002", Decimal(3), None],
    ]
    document = server.document("bills")
    assert "Amount due" in document
    assert "[amount] * 2" in document
    assert server.get("bills").kind == "tdsx"


def test_a_change_that_tableau_finds_too_large_is_published_whole(
    publishing: Config, server: Server, extracts: Extracts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    load(publishing, bills(("001", 1)))
    server.app.switches.patch_limit = 1000
    assert load(publishing, bills(("001", 2))) == [STATE]
    assert "more than this server takes" in caplog.text
    assert both_sides(server, extracts, "bills", ALL) == [["001", Decimal(2)]]


def test_a_change_that_fits_no_request_is_not_even_sent(
    publishing: Config, server: Server, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(publishing, bills(("001", 1)))
    monkeypatch.setattr(publish, "_PAYLOAD_BYTES", 1000)
    load(publishing, bills(("001", 2)))
    assert server.app.script.count("PATCH") == 0
    assert both_sides(server, extracts, "bills", ALL) == [["001", Decimal(2)]]


def test_an_update_that_fails_in_tableau_becomes_an_overwrite(
    publishing: Config, server: Server, extracts: Extracts, caplog: pytest.LogCaptureFixture
) -> None:
    load(publishing, bills(("001", 1)))
    server.app.switches.fates = [Fate("failed", notes="errorCode=410012")]
    assert load(publishing, bills(("001", 2))) == [STATE]
    assert "410012" in caplog.text
    assert both_sides(server, extracts, "bills", ALL) == [["001", Decimal(2)]]
    load(publishing, bills(("001", 3)))
    assert server.writes_of("patch") == 1  # the next change is an update again


@pytest.mark.parametrize(
    ("fate", "told"), [(Fate("cancelled"), "was cancelled"), (Fate("never"), "may still go on")]
)
def test_an_update_that_is_cancelled_or_never_ends_leaves_everything_as_it_was(
    publishing: Config, server: Server, extracts: Extracts, fate: Fate, told: str
) -> None:
    load(publishing, bills(("001", 1), ("002", 1)))
    publishing["job_timeout_seconds"] = 1
    server.app.switches.fates = [fate]
    with pytest.raises(JobError, match=re.escape(told)):
        load(publishing, bills(("001", 2)))
    assert extracts.rows("bills", ALL) == [["001", 1], ["002", 1]]
    assert load(publishing, bills(("001", 2))) == [STATE]
    assert both_sides(server, extracts, "bills", ALL) == [["001", 2], ["002", 1]]


def test_a_job_that_went_on_behind_a_time_out_does_not_undo_the_next_run(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    load(publishing, log(("a", 1)))
    server.app.switches.work_at_finish = True
    server.app.switches.fates = [Fate(kind="UpdateUploadedFile", polls=10_000)]
    with pytest.raises(JobError, match="did not end within 0 s"):
        load(publishing | {"job_timeout_seconds": 0}, log(("b", 2)))
    (slow,) = [job for job in server.app.state.index.jobs.values() if job.completed_at is None]
    slow.polls_left = 3  # it ends while the next run waits for it
    load(publishing, log(("c", 3)))
    assert slow.completed_at is not None
    assert [row[0] for row in both_sides(server, extracts, "log", ALL)] in (["a", "c"], ["a", "b", "c"])


FAULTS = [
    Fault(r"POST .*/fileUploads", cut=True),
    Fault(r"PUT .*/fileUploads/", cut=True),
    Fault(r"PUT .*/fileUploads/", cut=True, after=True),
    Fault(r"PATCH .*/data", cut=True),
    Fault(r"PATCH .*/data", cut=True, after=True),
    Fault(r"PATCH .*/data", status=504, after=True, body=b"<html>gateway</html>"),
    Fault(r"GET .*/jobs/", cut=True, times=2),
    Fault(r"GET .*/jobs/", status=503, times=2),
]
SHORT = {2, 4, 6}
"""One fault of each call, behind the call where that is the harder one."""


@pytest.mark.parametrize("answer", ["job", pytest.param("empty", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=[] if number in SHORT else [pytest.mark.soak])
        for number, fault in enumerate(FAULTS)
    ],
    ids=lambda fault: f"{fault.pattern} {fault.status or 'cut'}{' after' if fault.after else ''}",
)
def test_an_update_over_a_bad_network_happens_once(
    publishing: Config, server: Server, extracts: Extracts, fault: Fault, answer: Any
) -> None:
    load(publishing, log(("a", 1)))
    server.app.switches.duplicate_answer = answer
    server.app.script.add(fault)
    assert load(publishing, log(("b", 2))) == [STATE]
    assert both_sides(server, extracts, "log", ALL) == [["a", 1], ["b", 2]]


def test_a_token_that_another_pipeline_uses_too_costs_sign_ins_and_no_rows(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    load(publishing, log(("a", 1)))
    server.app.switches.expire_after_calls = 2
    assert load(publishing, log(("b", 2))) == [STATE]
    assert both_sides(server, extracts, "log", ALL) == [["a", 1], ["b", 2]]
    assert server.app.script.count("signin") > 2


def test_an_extract_that_is_behind_what_was_published_is_not_published_over_it(
    publishing: Config, server: Server, extracts: Extracts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    load(publishing, bills(("001", 1)))
    shutil.copy2(extracts.folder / "bills.hyper", extracts.folder / "old")
    load(publishing, bills(("002", 2)))
    shutil.copy2(extracts.folder / "old", extracts.folder / "bills.hyper")  # somebody restored a backup
    load(publishing, bills(("003", 3)))
    assert "the published one is its base" in caplog.text
    assert [row[0] for row in both_sides(server, extracts, "bills", ALL)] == ["001", "002", "003"]


@pytest.fixture
def elsewhere(publishing: Config, tmp_path: Path) -> Config:
    """Another machine, which shares the ledger and nothing else."""
    publishing["ledger_url"] = f"sqlite:///{tmp_path / 'shared.db'}"
    return {**publishing, "output_dir": str(tmp_path / "elsewhere")}


def test_two_machines_with_one_ledger_take_turns_and_lose_nothing(
    publishing: Config, elsewhere: Config, server: Server
) -> None:
    for number, machine in enumerate([publishing, elsewhere, elsewhere, publishing, publishing, elsewhere]):
        load(machine, bills((f"{number}", number)))
    assert server.rows("bills") == {f"{number}": Decimal(number) for number in range(6)}


def test_a_machine_without_the_extract_sends_the_change_and_fetches_nothing(
    publishing: Config, elsewhere: Config, server: Server, tmp_path: Path
) -> None:
    rules = {"replace_within": WITHIN, "delete_match": {"bills": "note_id"}, "publish_mode": "update"}
    both = [schema("bills", BILL, ["ref"]), schema("bill_lines", LINE, ["ref", "nbr"])]
    heads = bills(("001", 3), ("002", 1), ("003", 1))[1:-1]
    lines = [line("001", 1), line("001", 2), line("002", 1), line("003", 1)]
    load(publishing | rules, [*both, *heads, *lines, state()])
    change = [*bills(("001", 4), ("004", 9))[1:-1], line("001", 2, 4), line("004", 1, 9), tombstone("002")]
    for _ in range(2):  # also when it comes twice
        assert load(elsewhere | rules, [*both, *change, state()]) == [STATE]
    assert server.rows("bills") == {"001": Decimal(4), "003": Decimal(1), "004": Decimal(9)}
    found = query(server.app.state.datasource("bill_lines"), "SELECT ref, nbr, amount FROM {t} ORDER BY 1, 2")
    assert found == [["001", 2, 4], ["003", 1, 1], ["004", 1, 9]]
    assert server.app.script.count("/content") == 0
    assert not list((tmp_path / "elsewhere").glob("*.hyper"))


def test_a_machine_without_the_extract_fetches_it_when_the_change_cannot_be_told_without(
    publishing: Config, elsewhere: Config, server: Server
) -> None:
    load(publishing, bills(("001", 1), ("002", 2)))
    wider = {**BILL, "approver": NULLABLE_TEXT}
    messages = [
        schema("bills", wider, ["ref"]),
        record("bills", ref="001", amount=4, note_id="n", approver="Ann"),
    ]
    load(elsewhere | {"publish_mode": "update"}, [*messages, state()])
    assert server.app.script.count("/content") > 0
    assert server.rows("bills") == {"001": Decimal(4), "002": Decimal(2)}
