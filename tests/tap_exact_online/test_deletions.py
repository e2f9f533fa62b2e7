"""Deleted rows are told by key, once, and a row that is there again wins."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.company.model import JournalStatus
from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.singer import Row
    from tests.tap_exact_online.conftest import Instance
    from tests.tap_exact_online.harness import Run


def tombstones(run: Run, stream: str) -> list[Row]:
    return [row for row in run.rows(stream) if row.get("_sdc_deleted_at")]


def delete_journal(instance: Instance) -> None:
    """A journal on hold comes and, later, goes."""
    instance.world.life.delete_journal()
    instance.world.life.advance(1)


def hold(instance: Instance) -> set[str]:
    instance.world.life.advance(1)
    instance.world.life.hold_journal()
    instance.world.life.advance(1)
    return {
        journal.batch_nbr
        for journal in instance.company.journals.values()
        if journal.status is not JournalStatus.POSTED
    }


def test_a_deleted_row_is_told_once_with_its_key_and_its_time(instance: Instance) -> None:
    hold(instance)
    first = run_tap(instance, "transaction_lines", "deleted")
    assert tombstones(first, "transaction_lines") == []
    delete_journal(instance)
    second = run_tap(instance, "transaction_lines", "deleted", state=first.state)
    gone = tombstones(second, "transaction_lines")
    assert gone
    known = {(row["division"], row["id"]) for row in first.rows("transaction_lines")}
    for row in gone:
        assert (row["division"], row["id"]) in known
        when = dt.datetime.fromisoformat(row["_sdc_deleted_at"])
        assert abs(when - instance.company.clock) < dt.timedelta(minutes=10)
        assert row["amount_dc"] is None
    assert {row["entity_key"] for row in second.rows("deleted")} >= {row["id"] for row in gone}
    instance.world.life.advance(200)
    instance.sign_in_again()
    third = run_tap(instance, "transaction_lines", state=second.state)
    fourth = run_tap(instance, "transaction_lines", state=third.state)
    assert tombstones(fourth, "transaction_lines") == []


def test_the_list_of_deletions_is_read_behind_the_streams(instance: Instance) -> None:
    hold(instance)
    first = run_tap(instance, "transaction_lines")
    (division,) = {r["division"] for r in first.rows("transaction_lines") if r["status"] == 20}
    instance.world.life.advance(200)
    instance.sign_in_again()
    # it goes while the run is under way, after its rows were read
    instance.script.add(Fault(rf"{division}/sync/Deleted", hook=lambda: delete_journal(instance)))
    second = run_tap(instance, "transaction_lines", state=first.state)
    assert tombstones(second, "transaction_lines")


def test_a_row_that_went_during_the_very_first_run_is_told(instance: Instance) -> None:
    hold(instance)
    instance.script.add(Fault(r"sync/Deleted", hook=lambda: delete_journal(instance)))
    warehouse = Warehouse()
    run = run_tap(instance, "transaction_lines")
    warehouse.load(run)
    later = run_tap(instance, "transaction_lines", state=run.state)
    warehouse.load(later)
    assert tombstones(run, "transaction_lines") or tombstones(later, "transaction_lines")
    right = run_tap(instance, "transaction_lines")
    there = {(row["division"], row["id"]) for row in right.rows("transaction_lines") if row["gl_account"]}
    assert set(warehouse.tables["transaction_lines"]) == there


class CutError(Exception):
    """The run ends as if it were killed."""


def cut_at_state(
    instance: Instance, stream: str, is_reached: Callable[[Row], bool], state: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The first STATE behind a certain row of a run that is killed as soon as that is written."""
    seen: list[dict[str, Any]] = []

    def cut(message: dict[str, Any]) -> None:
        seen.append(message)
        if message["type"] == "STATE" and any(
            m["type"] == "RECORD" and is_reached(m["record"]) for m in seen
        ):
            raise CutError

    with pytest.raises(CutError):
        run_tap(instance, stream, state=state, on_message=cut)
    return dict(seen[-1]["value"])


def test_a_row_deleted_between_the_two_runs_of_a_first_load_does_not_stay(instance: Instance) -> None:
    hold(instance)
    state = cut_at_state(instance, "transaction_lines", lambda row: row["status"] == 20)
    delete_journal(instance)
    run_tap(instance, "deleted")  # the sandbox dates a deletion when it is asked next
    instance.world.life.advance(60 * 24 * 2)
    instance.sign_in_again()
    assert tombstones(run_tap(instance, "transaction_lines", state=state), "transaction_lines")


def test_deletions_from_before_the_first_run_do_not_concern_it(instance: Instance) -> None:
    hold(instance)
    delete_journal(instance)
    instance.world.life.advance(60 * 24)
    instance.sign_in_again()
    assert tombstones(run_tap(instance, "transaction_lines"), "transaction_lines") == []


def test_a_row_that_is_there_again_is_not_told_as_deleted(instance: Instance) -> None:
    hold(instance)
    first = run_tap(instance, "transaction_lines")
    delete_journal(instance)
    dead = tombstones(run_tap(instance, "transaction_lines", state=first.state), "transaction_lines")[0]
    # the list says that a row went, but the row is there with a higher version
    living = next(row for row in first.rows("transaction_lines") if row["division"] == dead["division"])
    state = run_tap(instance, "transaction_lines").state
    instance.script.clear()
    entry = {
        "Timestamp": str(living["timestamp"] - 1),
        "EntityKey": living["id"],
        "EntityType": 1,
        "DeletedDate": "/Date(1782405060240)/",
    }
    answer = json.dumps({"d": {"results": [entry]}})
    for place in state["bookmarks"]["transaction_lines"]["partitions"]:
        place["replication_key_value"] = 2
    instance.script.add(
        Fault(
            rf"{dead['division']}/sync/Deleted",
            status=200,
            body=answer.encode(),
            headers={"content-type": "application/json"},
            times=9,
        )
    )
    assert tombstones(run_tap(instance, "transaction_lines", state=state), "transaction_lines") == []


def test_deletions_can_be_switched_off_and_then_cost_no_call(instance: Instance) -> None:
    run = run_tap(instance, "transaction_lines", config=instance.with_(emit_deletes=False))
    assert run.tap.exit_code == 0
    assert instance.script.count("sync/Deleted") == 0


def test_one_list_serves_all_streams_and_streams_without_deletions_need_none(instance: Instance) -> None:
    run_tap(instance, "transaction_lines", "accounts", "gl_accounts")
    assert instance.script.count("sync/Deleted") == len(DIVISIONS)
    instance.script.clear()
    run_tap(instance, "purchase_entries", "cost_centers")
    assert instance.script.count("sync/Deleted") == 0


def test_a_stream_that_failed_hears_of_its_deletions_later(instance: Instance) -> None:
    hold(instance)
    first = run_tap(instance, "transaction_lines", "accounts")
    delete_journal(instance)
    instance.script.add(Fault(r"sync/Financial/TransactionLines", status=404, times=9))
    second = run_tap(instance, "transaction_lines", "accounts", state=first.state)
    assert tombstones(second, "transaction_lines") == []
    instance.script.clear()
    third = run_tap(instance, "transaction_lines", "accounts", state=second.state)
    assert tombstones(third, "transaction_lines")


def test_a_gap_of_more_than_55_days_is_filled_by_a_full_read_and_said(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    first = run_tap(instance, "gl_accounts")
    instance.world.life.advance(60 * 24 * 29)
    instance.sign_in_again()
    instance.world.life.advance(60 * 24 * 28)
    instance.sign_in_again()
    second = run_tap(instance, "gl_accounts", state=first.state)
    assert len(second.rows("gl_accounts")) == len(DIVISIONS) * len(instance.company.accounts)
    assert "55 days" in caplog.text


def test_a_full_read_after_a_gap_that_takes_several_runs_is_not_begun_again(instance: Instance) -> None:
    first = run_tap(instance, "gl_accounts")
    for days in (29, 28):
        instance.world.life.advance(60 * 24 * days)
        instance.sign_in_again()
    state = cut_at_state(instance, "gl_accounts", lambda row: row["timestamp"] is not None, first.state)
    second = run_tap(instance, "gl_accounts", state=state)
    assert len(second.rows("gl_accounts")) == (len(DIVISIONS) - 1) * len(instance.company.accounts)


def test_lines_that_a_document_no_longer_has_go_with_it(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(bills=40)
    warehouse = Warehouse()
    first = run_tap(instance, "purchase_entries", "purchase_entry_lines")
    warehouse.load(first)
    before = len(warehouse.rows("purchase_entry_lines"))
    instance.world.life.advance(1)
    bill = next(bill for bill in instance.company.bills.values() if len(bill.lines) > 2)
    del bill.lines[1:]
    bill.modified_at = instance.company.clock
    instance.world.life.advance(1)
    warehouse.load(run_tap(instance, "purchase_entries", "purchase_entry_lines", state=first.state))
    assert len(warehouse.rows("purchase_entry_lines")) < before
