"""Deleted records are told by their note id, and nothing more is known of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.company.payables import bill_key
from tests.sandbox.faults import Fault
from tests.tap_acumatica.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from tests.tap_acumatica.conftest import Instance


def test_a_deleted_bill_is_told_by_its_note_id_and_its_lines_go_with_it(instance: Instance) -> None:
    life = instance.world.life
    bill = life.post_bill(hold=True)
    life.advance(15)
    warehouse = Warehouse()
    first = run_tap(instance.config, "bills", "bill_lines")
    warehouse.load(first)
    assert first.rows("bills")
    assert not [row for row in first.rows("bills") if row["_sdc_deleted_at"]]
    life.delete_bill(f"{bill.type}|{bill.reference_nbr}")
    gone_at = instance.company.clock
    life.advance(15)
    second = run_tap(instance.config, "bills", "bill_lines", state=first.state)
    (tombstone,) = [row for row in second.rows("bills") if row["_sdc_deleted_at"]]
    assert tombstone["note_id"] == bill.note_id
    assert tombstone["_sdc_deleted_at"].startswith(gone_at.isoformat()[:19])
    assert {k for k, v in tombstone.items() if v is not None} == {"note_id", "_sdc_deleted_at"}
    assert {"type", "reference_nbr"} <= set(tombstone)
    warehouse.load(second)
    assert bill.note_id not in {row["note_id"] for row in warehouse.rows("bills")}
    assert bill.note_id not in {row["parent_note_id"] for row in warehouse.rows("bill_lines")}


def test_keys_are_nullable_because_a_tombstone_has_none(instance: Instance) -> None:
    run = run_tap(instance.config, "bills")
    schema = next(m["schema"] for m in run.messages if m["type"] == "SCHEMA")
    assert schema["properties"]["reference_nbr"]["type"] == ["string", "null"]


def test_a_record_deleted_while_the_first_run_goes_on_is_told_by_the_next(instance: Instance) -> None:
    life = instance.world.life
    bill = life.post_bill(hold=True)
    life.advance(15)

    def delete() -> None:
        life.advance(1)
        life.delete_bill(f"{bill.type}|{bill.reference_nbr}")

    instance.script.add(Fault(r"dac/APRegister\?", hook=delete))
    first = run_tap(instance.config, "bills")
    assert bill.note_id in {row["note_id"] for row in first.rows("bills")}
    life.advance(15)
    second = run_tap(instance.config, "bills", state=first.state)
    assert bill.note_id in {row["note_id"] for row in second.rows("bills") if row["_sdc_deleted_at"]}


def test_bills_and_payments_share_one_deletion_feed(instance: Instance) -> None:
    first = run_tap(instance.config)
    instance.world.life.live(30)
    instance.script.clear()
    run_tap(instance.config, state=first.state)
    assert instance.script.count(r"APRegister/px\.GetDeletedRecords") == 1
    assert instance.script.count(r"px\.GetDeletedRecords") == 6


def test_deletions_can_be_switched_off(instance: Instance) -> None:
    config = instance.with_(track_deletions=False)
    first = run_tap(config, "bills")
    instance.world.life.live(60)
    second = run_tap(config, "bills", state=first.state)
    assert instance.script.count("GetDeletedRecords") == 0
    assert not [row for row in second.rows("bills") if row["_sdc_deleted_at"]]


def test_a_record_deleted_between_the_two_runs_of_a_first_load_does_not_stay(instance: Instance) -> None:
    bill = instance.world.life.post_bill(hold=True)
    instance.world.life.advance(15)
    seen: list[dict[str, Any]] = []

    class CutError(Exception):
        pass

    def cut_behind_the_slice_with_the_bill(message: dict[str, Any]) -> None:
        seen.append(message)
        notes = {m["record"]["note_id"] for m in seen if m["type"] == "RECORD"}
        if message["type"] == "STATE" and bill.note_id in notes:
            raise CutError

    with pytest.raises(CutError):
        run_tap(instance.config, "bills", on_message=cut_behind_the_slice_with_the_bill)
    instance.world.life.delete_bill(bill_key(bill))
    instance.world.life.advance(60 * 24 * 2)
    second = run_tap(instance.config, "bills", state=seen[-1]["value"])
    assert bill.note_id in {row["note_id"] for row in second.rows("bills") if row["_sdc_deleted_at"]}


def test_deletions_that_the_server_gives_in_parts_are_all_told(instance: Instance) -> None:
    life = instance.world.life
    bills = [life.post_bill(hold=True) for _ in range(5)]
    life.advance(15)
    first = run_tap(instance.config, "bills")
    for bill in bills:
        life.delete_bill(bill_key(bill))
    life.advance(15)
    instance.switches.dac_page_limit = 2
    second = run_tap(instance.config, "bills", state=first.state)
    gone = {row["note_id"] for row in second.rows("bills") if row["_sdc_deleted_at"]}
    assert gone >= {bill.note_id for bill in bills}


def test_a_pause_longer_than_the_erp_remembers_deletions_is_said(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    first = run_tap(instance.config, "bills")
    instance.world.life.advance(60 * 24 * 11)
    run_tap(instance.config, "bills", state=first.state)
    assert any("full refresh" in record.getMessage() for record in caplog.records)


def test_deletions_that_are_not_tracked_are_said_and_asked_for_again_later(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    first = run_tap(instance.config, "bills")
    instance.switches.tracked_dacs = frozenset()
    instance.world.life.advance(60)
    second = run_tap(instance.config, "bills", state=first.state)
    assert any("GetDeletedRecords" in r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)
    read = "deletions_read_until"
    assert second.bookmark("bills")[read] == first.bookmark("bills")[read]
    assert second.tap.exit_code == 0


def test_a_deleted_sales_order_and_a_deleted_invoice_are_told_by_note_id(instance: Instance) -> None:
    life = instance.world.life
    order, invoice = life.post_sales_order(hold=True), life.post_invoice(hold=True)
    life.advance(15)
    streams = ("sales_orders", "sales_order_lines", "ar_invoices", "ar_payments")
    first = run_tap(instance.config, *streams)
    assert order.note_id in {row["note_id"] for row in first.rows("sales_orders")}
    life.delete_sales_order(order.order_nbr)
    life.delete_invoice(invoice.invoice_nbr)
    life.advance(15)
    second = run_tap(instance.config, *streams, state=first.state)
    for stream, record in (("sales_orders", order), ("ar_invoices", invoice)):
        gone = {row["note_id"] for row in second.rows(stream) if row["_sdc_deleted_at"]}
        assert record.note_id in gone
