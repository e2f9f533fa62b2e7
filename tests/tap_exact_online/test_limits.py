"""Every limit is kept: the server counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from tests.tap_exact_online.conftest import Instance

EAST, HQ = sorted(DIVISIONS.values())
SOME = (
    "gl_accounts",
    "accounts",
    "cost_centers",
    "journals",
    "vat_codes",
    "purchase_entries",
)


def check_limits(instance: Instance) -> None:
    counters = instance.app.counters
    assert counters.refused_by_minute == 0
    assert counters.blocked == counters.refused_while_blocked == 0
    assert counters.largest_overlap == 0
    assert max(counters.calls_by_minute.values()) <= instance.switches.minute_limit


def test_a_run_of_more_calls_than_a_minute_has_waits_for_the_next(instance: Instance) -> None:
    instance.switches.minute_limit = 4
    run = run_tap(instance, *SOME)
    check_limits(instance)
    assert run.tap.exit_code == 0
    assert run.waits
    assert all(0 < wait <= 62 for wait in run.waits)
    assert len(run.rows("gl_accounts")) == len(DIVISIONS) * len(instance.company.accounts)


def test_within_a_minute_nothing_waits(instance: Instance) -> None:
    run = run_tap(instance, *SOME)
    assert run.waits == []


def test_a_lower_number_of_calls_per_minute_is_kept_too(instance: Instance) -> None:
    run_tap(instance, *SOME, config=instance.with_(requests_per_minute=3))
    assert max(instance.app.counters.calls_by_minute.values()) <= 3


def test_a_minute_that_another_program_uses_up_is_waited_out(instance: Instance) -> None:
    headers = {"X-RateLimit-Minutely-Limit": "60", "X-RateLimit-Minutely-Remaining": "0"}
    instance.script.add(Fault("sync/CRM/Accounts", status=429, headers=headers, times=2))
    run = run_tap(instance, *SOME)
    assert run.tap.exit_code == 0
    assert len(run.waits) >= 2


def test_a_refusal_without_any_header_is_waited_out_until_the_next_minute(instance: Instance) -> None:
    instance.script.add(Fault("sync/CRM/Accounts", status=429, body=b"", times=2))
    run = run_tap(instance, "accounts")
    assert run.tap.exit_code == 0
    assert len(run.waits) == 2
    assert all(wait <= 61 for wait in run.waits)


def test_refusals_that_do_not_end_fail_the_stream_and_not_the_others(instance: Instance) -> None:
    instance.script.add(Fault("sync/CRM/Accounts", status=429, body=b"", times=99))
    run = run_tap(instance, "accounts", "cost_centers")
    assert run.tap.exit_code == 1
    assert run.rows("cost_centers")
    assert instance.script.count("sync/CRM/Accounts") <= 10


def test_the_daily_limit_ends_a_division_cleanly_and_the_next_day_goes_on(instance: Instance) -> None:
    instance.switches.day_limit = 5
    warehouse = Warehouse()
    run = run_tap(instance, *SOME)
    warehouse.load(run)
    assert run.tap.exit_code == 0
    counters = instance.app.counters
    assert counters.refused_by_day == 0
    assert set(counters.calls_by_day.values()) == {5}
    state = run.state
    for _ in range(3):
        instance.world.life.advance(60 * 24)
        instance.sign_in_again()
        run = run_tap(instance, *SOME, state=state)
        state = run.state
        warehouse.load(run)
    assert counters.refused_by_day == 0
    instance.switches.day_limit = 5000
    right = Warehouse()
    right.load(run_tap(instance, *SOME))
    for stream in SOME:
        assert set(warehouse.tables[stream]) == set(right.tables[stream]), stream


def test_the_daily_limit_of_one_division_does_not_stop_another(instance: Instance) -> None:
    headers = {
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "99999999999999",
    }
    instance.script.add(Fault(rf"{EAST}/sync/CRM/Accounts", status=429, headers=headers, times=9))
    run = run_tap(instance, "gl_accounts", "accounts")
    assert {row["division"] for row in run.rows("accounts")} == {HQ}
    assert instance.script.count(rf"{EAST}/sync/CRM/Accounts") == 1
    assert run.tap.exit_code == 0


@pytest.mark.usefixtures("here")
def test_the_daily_limit_can_be_waited_out(instance: Instance) -> None:
    instance.switches.day_limit = 4
    run = run_tap(
        instance, "gl_accounts", "accounts", "journals", config=instance.with_(on_daily_limit="wait")
    )
    assert run.tap.exit_code == 0
    assert max(run.waits) > 3600
    assert instance.app.counters.refused_by_day == 0
    assert len(run.rows("journals")) == 18


def test_what_was_used_and_what_is_left_is_said_at_the_end(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run_tap(instance, "gl_accounts")
    (line,) = [r.getMessage() for r in caplog.records if " calls (" in r.getMessage()]
    assert f"division {HQ}: " in line
    assert "of 5000 left today" in line


def test_errors_never_come_near_the_block_however_often_the_tap_runs(instance: Instance) -> None:
    instance.switches.forbidden = {"purchase/PurchaseInvoices": "Forbidden"}
    for _ in range(9):
        run = run_tap(instance, "purchase_invoices", "cost_centers")
        assert run.tap.exit_code == 0
        assert run.rows("cost_centers")
        instance.world.life.advance(2)
        instance.sign_in_again()
    counters = instance.app.counters
    assert counters.blocked == counters.refused_while_blocked == 0
    assert max(counters.errors.values()) <= 6
    instance.world.life.advance(61)
    instance.sign_in_again()
    instance.switches.forbidden = {}
    assert run_tap(instance, "purchase_invoices").rows("purchase_invoices")


def test_an_unreadable_memory_of_errors_counts_as_none(instance: Instance) -> None:
    run = run_tap(instance, "cost_centers")
    run.tap.store.write("errors", {f"{HQ} hrm/Costcenters": "nonsense"})
    assert run_tap(instance, "cost_centers").rows("cost_centers")
    assert json.dumps(run.state)
