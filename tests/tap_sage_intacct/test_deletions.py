"""What was deleted leaves: told by the audit trail, by its key, as soon as it may be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_sage_intacct.streams.deletions import record_number
from tap_sage_intacct.streams.stream import Outcome
from tests.sandbox.company.model import DocumentStatus
from tests.tap_sage_intacct.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from tests.tap_sage_intacct.conftest import Instance


def held_bill(instance: Instance) -> str:
    """Enter a bill on hold, which may be deleted; its key in the company."""
    instance.world.life.post_bill(hold=True)
    instance.world.life.advance(10)
    return next(
        key for key, bill in reversed(instance.company.bills.items()) if bill.status is DocumentStatus.HOLD
    )


@pytest.mark.parametrize("style", ["plain", "rec", "mixed"])
def test_a_deleted_record_is_told_by_its_key_alone(instance: Instance, style: Any) -> None:
    instance.switches.audit_key_style = style
    key = held_bill(instance)
    number = instance.company.bills[key].reference_nbr
    first = run_tap(instance.config, "bills", "bill_lines")
    (gone,) = [row["recordno"] for row in first.live("bills") if row["recordid"] == number]
    instance.world.life.delete_bill(key)
    instance.world.life.advance(10)
    second = run_tap(instance.config, "bills", "bill_lines", state=first.state)
    (tombstone,) = [row for row in second.rows("bills") if row["recordno"] == gone]
    assert tombstone["_sdc_deleted_at"].endswith("+00:00")
    assert tombstone["company_id"] == "Meridian"
    assert {name for name, value in tombstone.items() if value is not None} == {
        "company_id", "recordno", "_sdc_deleted_at",
    }  # fmt: skip
    warehouse = Warehouse()
    warehouse.load(first)
    warehouse.load(second)
    assert gone not in {row["recordno"] for row in warehouse.rows("bills")}
    assert gone not in {row["recordkey"] for row in warehouse.rows("bill_lines")}


def test_a_bill_recreated_by_purchasing_is_counted_once(instance: Instance) -> None:
    life = instance.world.life
    life.post_purchase_order()
    life.post_bill_for_order()
    life.advance(10)
    streams = ("bills", "bill_lines", "journal_entries", "gl_details")
    first = run_tap(instance.config, *streams)
    before = {row["recordid"]: row["recordno"] for row in first.live("bills")}
    number = life.correct_order_bill().reference_nbr
    life.advance(10)
    second = run_tap(instance.config, *streams, state=first.state)
    warehouse = Warehouse()
    warehouse.load(first)
    warehouse.load(second)
    (bill,) = [row for row in warehouse.rows("bills") if row["recordid"] == number]
    assert bill["recordno"] != before[number]
    assert {
        row["recordno"] for row in warehouse.rows("bill_lines") if row["recordkey"] == before[number]
    } == set()
    now = run_tap(instance.config, *streams)
    for stream in streams:
        assert len(warehouse.rows(stream)) == len(now.live(stream))


def test_one_reading_of_the_audit_trail_serves_all_streams(instance: Instance) -> None:
    streams = ("bills", "payments", "vendors", "journal_entries", "deleted_records")
    first = run_tap(instance.config, *streams)
    instance.world.life.advance(60)
    instance.script.clear()
    run_tap(instance.config, *streams, state=first.state)
    assert instance.count("object=AUDITHISTORY") == 1


def test_a_first_run_asks_for_no_tombstones(instance: Instance) -> None:
    key = held_bill(instance)
    instance.world.life.delete_bill(key)
    instance.world.life.advance(10)
    run = run_tap(instance.config, "bills")
    assert run.rows("bills") == run.live("bills")
    assert instance.count("object=AUDITHISTORY") == 0


def test_a_record_deleted_between_the_two_runs_of_a_first_load_does_not_stay(instance: Instance) -> None:
    held = {instance.company.bills[key].reference_nbr: key for key in [held_bill(instance) for _ in range(6)]}
    config = instance.with_(page_size=4)
    calls = run_tap(config, "bills").tap.client.calls
    first = run_tap({**config, "max_calls_per_run": calls - 1}, "bills")
    assert first.tap.has_stopped
    gone = next(row for row in first.live("bills") if row["recordid"] in held)
    instance.world.life.delete_bill(held[gone["recordid"]])
    instance.world.life.advance(60 * 24 * 3)
    second = run_tap(instance.config, "bills", state=first.state)
    assert gone["recordno"] in {row["recordno"] for row in second.rows("bills") if row["_sdc_deleted_at"]}


def test_deletions_that_show_up_late_are_told(instance: Instance) -> None:
    instance.switches.late_audit_minutes = 90
    key = held_bill(instance)
    first = run_tap(instance.config, "bills")
    instance.world.life.delete_bill(key)
    instance.world.life.advance(15)
    second = run_tap(instance.config, "bills", state=first.state)
    assert [row for row in second.rows("bills") if row["_sdc_deleted_at"]] == []
    instance.world.life.advance(100)
    third = run_tap(instance.config, "bills", state=second.state)
    assert len([row for row in third.rows("bills") if row["_sdc_deleted_at"]]) == 1


def test_without_the_right_nothing_is_stamped_and_it_resumes_when_it_is_given(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    key = held_bill(instance)
    first = run_tap(instance.config, "bills")
    instance.world.life.delete_bill(key)
    instance.world.life.advance(60 * 24)
    instance.switches.forbidden_objects = frozenset({"AUDITHISTORY"})
    second = run_tap(instance.config, "bills", state=first.state)
    assert second.tap.exit_code == 0
    assert "View on custom reports" in caplog.text
    assert second.bookmark("bills")["deletions_read_until"] == first.bookmark("bills")["deletions_read_until"]
    instance.switches.forbidden_objects = frozenset()
    instance.world.life.advance(60 * 24)
    third = run_tap(instance.config, "bills", state=second.state)
    assert len([row for row in third.rows("bills") if row["_sdc_deleted_at"]]) == 1


@pytest.mark.parametrize("zone", [-480, 600])
def test_the_zone_of_the_audit_trail_does_not_matter(instance: Instance, zone: int) -> None:
    instance.switches.zone_minutes = zone
    instance.switches.audit_zone = "GMT"
    key = held_bill(instance)
    run = run_tap(instance.config, "bills")
    instance.world.life.delete_bill(key)
    told = 0
    for _ in range(3):
        instance.world.life.advance(60 * 5)
        run = run_tap(instance.config, "bills", state=run.state)
        told += any(row["_sdc_deleted_at"] for row in run.rows("bills"))
    assert told


def test_deleted_records_are_a_stream_of_their_own(instance: Instance) -> None:
    key = held_bill(instance)
    instance.world.life.delete_bill(key)
    instance.world.life.advance(10)
    first = run_tap(instance.config, "deleted_records")
    bills = [row for row in first.rows("deleted_records") if row["objecttype"] == "apbill"]
    assert bills
    assert all(
        row["record_key"].isdigit() and row["objectkey"].startswith(row["record_key"]) for row in bills
    )
    assert all(row["accessmode"] for row in bills)
    assert tuple(first.tap.streams["deleted_records"].primary_keys) == ("company_id", "id")
    instance.world.life.advance(60 * 24)
    second = run_tap(instance.config, "deleted_records", state=first.state)  # within the lookback: once more
    assert len(second.rows("deleted_records")) < len(first.rows("deleted_records"))
    instance.world.life.advance(60 * 24)
    assert run_tap(instance.config, "deleted_records", state=second.state).rows("deleted_records") == []


def test_deletions_can_be_switched_off(instance: Instance) -> None:
    config = instance.with_(track_deletions=False)
    first = run_tap(config, "bills")
    instance.world.life.advance(60)
    run = run_tap(config, "bills", state=first.state)
    assert run.tap.chosen["bills"].feed.outcome is Outcome.DONE
    assert instance.count("object=AUDITHISTORY") == 0


def test_audit_keys_are_understood_or_left_alone() -> None:
    assert record_number("12") == record_number("12--REC") == "12"
    assert [record_number(key) for key in ("0012", "V-12", "", None, "PRJ--REC")] == [None] * 5
