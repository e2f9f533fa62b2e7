"""What a run reads: bounds in time, divisions, and lists that are read whole."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tap_exact_online.errors import UserError
from tests.sandbox.exact_online import (
    ARCHIVED_DIVISION,
    DIVISIONS,
    FORBIDDEN_DIVISION,
    SECOND_LICENCE_DIVISION,
)
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import catalog_of, last_per_key, run_tap
from tests.tap_exact_online.test_reading import calls_to

if TYPE_CHECKING:
    from tests.tap_exact_online.conftest import Instance

EAST, HQ = sorted(DIVISIONS.values())
KEY = ("division", "id")


# bounds -----------------------------------------------------------------------------------------------------


def test_a_start_date_bounds_documents_and_not_masters(instance: Instance) -> None:
    config = instance.with_(start_date="2026-05-01T00:00:00Z")
    run = run_tap(instance, "accounts", "purchase_entries", "transaction_lines", config=config)
    whole = run_tap(instance, "accounts", "purchase_entries", "transaction_lines")
    assert len(run.rows("accounts")) == len(whole.rows("accounts"))
    for stream in ("purchase_entries", "transaction_lines"):
        expected = {row["modified"] for row in whole.rows(stream) if row["modified"] >= "2026-05-01"}
        found = {row["modified"] for row in run.rows(stream)}
        assert found >= expected, stream
        assert len(run.rows(stream)) < len(whole.rows(stream))
    assert calls_to(instance, "SyncTimestamp") == 2


def test_without_the_row_version_of_a_time_old_rows_are_left_out_here(instance: Instance) -> None:
    instance.switches.forbidden = {"read/sync/Sync/SyncTimestamp": "Forbidden"}
    config = instance.with_(start_date="2026-05-01T00:00:00Z")
    run = run_tap(instance, "transaction_lines", config=config)
    assert run.tap.exit_code == 0
    rows = run.rows("transaction_lines")
    assert rows
    assert min(row["modified"] for row in rows) >= "2026-05-01T00:00:00"


def test_an_end_date_bounds_documents_and_their_bookmark(instance: Instance) -> None:
    config = instance.with_(end_date="2025-12-31T00:00:00Z")
    first = run_tap(instance, "purchase_entries", config=config)
    assert (
        max(row["modified"] for row in first.rows("purchase_entries")) <= "2025-12-31T00:00:00.000000+00:00"
    )
    second = run_tap(instance, "purchase_entries", state=first.state)
    whole = run_tap(instance, "purchase_entries")
    keys = ("division", "entry_id")
    assert last_per_key(
        [*first.rows("purchase_entries"), *second.rows("purchase_entries")], keys
    ) == last_per_key(whole.rows("purchase_entries"), keys)


def test_filters_are_the_wall_clock_of_the_netherlands(instance: Instance) -> None:
    run_tap(instance, "cost_centers", config=instance.with_(end_date="2026-06-01T10:00:00Z", enrich=False))
    (query,) = {call.query for call in instance.script.calls if "Costcenters" in call.path}
    assert "2026-06-01T12:00:00.000" in query.replace("%3A", ":")
    assert "%20" in query
    assert "+" not in query


def test_intervals_save_calls_and_the_next_read_comes_when_it_is_due(instance: Instance) -> None:
    config = instance.with_(stream_intervals={"payables_*": 60})
    streams = ("payables_list", "receivables_list")
    first = run_tap(instance, *streams, config=config)
    instance.world.life.advance(30)
    instance.sign_in_again()
    instance.script.clear()
    second = run_tap(instance, *streams, config=config, state=first.state)
    assert calls_to(instance, "PayablesList") == 0
    assert calls_to(instance, "ReceivablesList") == 2
    assert not any(
        m["type"] in {"SCHEMA", "ACTIVATE_VERSION"} and m["stream"] == "payables_list"
        for m in second.messages
    )
    instance.world.life.advance(31)
    instance.sign_in_again()
    third = run_tap(instance, *streams, config=config, state=second.state)
    assert third.rows("payables_list")


# divisions --------------------------------------------------------------------------------------------------


def test_a_division_that_the_user_may_not_open_is_named_with_those_that_he_may(instance: Instance) -> None:
    with pytest.raises(UserError, match=rf"divisions: {FORBIDDEN_DIVISION}.*{HQ}"):
        run_tap(instance, "cost_centers", config=instance.with_(divisions=[HQ, FORBIDDEN_DIVISION]))
    with pytest.raises(UserError, match="give numbers"):
        run_tap(instance, "cost_centers", config=instance.with_(divisions=["HQ"]))


def test_all_active_leaves_the_archived_ones_out(instance: Instance) -> None:
    run = run_tap(instance, "divisions", config=instance.with_(divisions=["all_active"]))
    read = {division.code for division in run.tap.company.divisions}
    assert read == {EAST, HQ, SECOND_LICENCE_DIVISION}
    assert ARCHIVED_DIVISION in {row["code"] for row in run.rows("divisions")}


def test_without_a_setting_the_open_division_is_read_with_a_warning(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_tap(instance, "cost_centers", config=instance.with_(divisions=[]))
    assert len({row["division"] for row in run.rows("cost_centers")}) == 1
    assert "divisions: not set" in caplog.text


def test_a_division_that_was_moved_is_read_anew(instance: Instance, caplog: pytest.LogCaptureFixture) -> None:
    first = run_tap(instance, "gl_accounts")
    instance.world.life.advance(200)
    instance.sign_in_again()
    instance.app.move_division(HQ)
    second = run_tap(instance, "gl_accounts", state=first.state)
    rows = second.rows("gl_accounts")
    assert {row["division"] for row in rows} == {HQ}
    assert len(rows) == len(instance.company.accounts)
    assert "numbered its rows anew" in caplog.text
    third = run_tap(instance, "gl_accounts", state=second.state)
    assert len(third.rows("gl_accounts")) < len(rows)


# full tables ------------------------------------------------------------------------------------------------


def test_a_list_that_is_read_whole_activates_its_version_before_its_rows(instance: Instance) -> None:
    config = instance.with_(emit_activate_version_messages=True)
    run = run_tap(instance, "payables_list", "cost_centers", config=config)
    kinds = [(m["type"], m["stream"]) for m in run.messages if m["type"] != "STATE"]
    assert kinds.count(("ACTIVATE_VERSION", "payables_list")) == 1
    assert ("ACTIVATE_VERSION", "cost_centers") not in kinds
    assert kinds.index(("ACTIVATE_VERSION", "payables_list")) < kinds.index(("RECORD", "payables_list"))
    versions = {
        m.get("version") for m in run.messages if m["type"] == "RECORD" and m["stream"] == "payables_list"
    }
    assert len(versions) == 1
    assert None not in versions


def test_a_list_that_was_not_read_in_every_division_is_not_stamped_complete(instance: Instance) -> None:
    first = run_tap(instance, "payables_list")
    stamp = first.state["bookmarks"]["payables_list"]["completed_at"]
    instance.script.add(Fault(rf"/{HQ}/read/financial/PayablesList", status=404, times=9))
    second = run_tap(instance, "payables_list", state=first.state)
    assert second.tap.exit_code == 1
    assert second.state["bookmarks"]["payables_list"]["completed_at"] == stamp


def test_a_stream_can_be_forced_to_be_read_whole(instance: Instance) -> None:
    run = run_tap(instance, "transaction_lines")
    catalog = catalog_of(run.tap, ["transaction_lines"])
    entry = next(e for e in catalog["streams"] if e["tap_stream_id"] == "transaction_lines")
    entry["replication_method"] = "FULL_TABLE"
    for part in entry["metadata"]:
        if not part["breadcrumb"]:
            part["metadata"]["forced-replication-method"] = "FULL_TABLE"
    again = run_tap(instance, catalog=catalog, state=run.state)
    assert len(again.rows("transaction_lines")) == len(run.rows("transaction_lines"))


def test_balances_are_bounded_by_years_and_their_keys_are_complete(instance: Instance) -> None:
    one = run_tap(instance, "reporting_balance", config=instance.with_(reporting_years=1))
    two = run_tap(instance, "reporting_balance")
    assert {row["reporting_year"] for row in one.rows("reporting_balance")} == {2026}
    assert {row["reporting_year"] for row in two.rows("reporting_balance")} == {2025, 2026}


def test_stream_maps_and_flattening_still_work(instance: Instance) -> None:
    config = instance.with_(stream_maps={"cost_centers": {"code": "code", "loud": "description.upper()"}})
    run = run_tap(instance, "cost_centers", config=config)
    assert {row["loud"] for row in run.rows("cost_centers")} == {
        center.name.upper() for center in instance.company.cost_centers.values()
    }


def test_the_day_of_a_run_is_the_servers(instance: Instance) -> None:
    run = run_tap(instance, "cost_centers")
    assert abs(run.tap.began - instance.app.clock.company_now()) < dt.timedelta(seconds=2)
