"""Orders tell nothing of their changes, so open and recent ones are read again, with all their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tap_syspro.harness import TABLE_OF, held, keys_in_database, keys_of, run_tap

if TYPE_CHECKING:
    from tests.tap_syspro.conftest import Instance


def test_an_order_that_is_cancelled_later_is_seen_although_no_date_tells(instance: Instance) -> None:
    life = instance.world.life
    config = instance.with_(full_refresh_every_days=0, lookback_seconds=86_400)
    order = life.post_purchase_order()
    first = run_tap(config, "por_master_hdr", "por_master_detail")
    life.advance(60 * 24 * 40)
    for _ in range(4):
        life.post_purchase_order()
    second = run_tap(config, "por_master_hdr", "por_master_detail", state=first.state)
    life.cancel_purchase_order(order.order_nbr)
    third = run_tap(config, "por_master_hdr", "por_master_detail", state=second.state)
    number = order.order_nbr.removeprefix("PO").zfill(15)
    (row,) = [r for r in third.rows("por_master_hdr") if r["purchase_order"] == number]
    assert row["order_status"] == "*"
    assert [r for r in third.rows("por_master_detail") if r["purchase_order"] == number]


def test_an_order_that_is_deleted_is_told_with_its_key(instance: Instance) -> None:
    life = instance.world.life
    order = life.post_purchase_order(hold=True)
    first = run_tap(instance.config, "por_master_hdr", "por_master_detail")
    life.delete_purchase_order(order.order_nbr)
    second = run_tap(instance.config, "por_master_hdr", "por_master_detail", state=first.state)
    number = order.order_nbr.removeprefix("PO").zfill(15)
    (gone,) = [r for r in second.rows("por_master_hdr") if r["_sdc_deleted_at"]]
    assert gone["purchase_order"] == number
    found = {(r["_company"], r["purchase_order"]) for r in held("por_master_hdr", first, second)}
    assert found == keys_in_database(instance, *TABLE_OF["por_master_hdr"])
    lines = keys_of(held("por_master_detail", first, second), ("_company", "purchase_order", "line"))
    assert set(lines) == keys_in_database(instance, *TABLE_OF["por_master_detail"])
    quiet = run_tap(instance.config, "por_master_hdr", state=second.state)
    assert not [r for r in quiet.rows("por_master_hdr") if r["_sdc_deleted_at"]]


def test_deletions_can_be_left_out(instance: Instance) -> None:
    order = instance.world.life.post_purchase_order(hold=True)
    config = instance.with_(track_deletions=False)
    first = run_tap(config, "por_master_hdr")
    instance.world.life.delete_purchase_order(order.order_nbr)
    second = run_tap(config, "por_master_hdr", state=first.state)
    assert not [r for r in second.rows("por_master_hdr") if r["_sdc_deleted_at"]]


@pytest.mark.parametrize("transport", ["odata", "enet"])
def test_orders_that_are_read_again_have_all_their_lines(instance: Instance, transport: str) -> None:
    config = instance.enet(page_size=3) if transport == "enet" else instance.with_(page_size=3)
    streams = ("por_master_hdr", "por_master_detail", "sor_master", "sor_detail")
    runs = [run_tap(config, *streams)]
    life = instance.world.life
    for _ in range(2):
        for _ in range(4):
            life.post_sales_order()
            life.change_purchase_order()
            life.change_sales_order()
        life.post_purchase_order()
        life.ship_sales_order()
        runs.append(run_tap(config, *streams, state=runs[-1].state))
    for stream in ("por_master_detail", "sor_detail", "por_master_hdr", "sor_master"):
        primary = runs[0].tap.chosen[stream].primary_keys
        assert set(keys_of(held(stream, *runs), primary)) == keys_in_database(instance, *TABLE_OF[stream]), (
            stream
        )


def test_lines_alone_can_be_selected(instance: Instance) -> None:
    run = run_tap(instance.config, "sor_detail")
    primary = run.tap.chosen["sor_detail"].primary_keys
    assert set(keys_of(run.rows("sor_detail"), primary)) == keys_in_database(
        instance, *TABLE_OF["sor_detail"]
    )
    assert run.rows("sor_master") == []


def test_what_was_added_and_cancelled_is_told_by_the_logs(instance: Instance) -> None:
    life = instance.world.life
    config = instance.with_(start_date=f"{instance.world.company.clock:%Y-%m-%d}")
    order = life.post_sales_order()
    logs = ("sor_additions", "sor_cancelled", "sor_changes")
    first = run_tap(config, *logs)
    life.cancel_sales_order(order.order_nbr)
    second = run_tap(config, *logs, state=first.state)
    number = order.order_nbr.removeprefix("SO").zfill(15)
    lines = {line.line_nbr for line in order.lines}
    assert {r["sales_order_line"] for r in first.rows("sor_additions") if r["sales_order"] == number} == lines
    assert not [r for r in first.rows("sor_cancelled") if r["sales_order"] == number]
    assert {
        r["sales_order_line"] for r in second.rows("sor_cancelled") if r["sales_order"] == number
    } == lines
    assert not second.rows("sor_changes")  # the site does not keep this log, which is no error
    assert second.tap.exit_code == 0
