"""Instances differ: contracts, locked forms, lists that cannot be compiled, filters that find nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tap_acumatica import streams
from tap_acumatica.streams.documents import Entity
from tests.sandbox.acumatica import LIMITED_PASSWORD, LIMITED_USER_NAME
from tests.sandbox.faults import Fault
from tests.tap_acumatica.harness import last_per_key, run_tap
from tests.tap_acumatica.test_reading import BILL, bills_of, held_bills, held_lines, lines_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_acumatica.conftest import Instance
    from tests.tap_acumatica.harness import Run


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# endpoint versions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["22.200.001", "23.200.001", "25.200.001", "26.200.001"])
def test_every_endpoint_version_gives_the_same_bills(instance: Instance, version: str) -> None:
    instance.switches.offer_contract_5 = True
    run = run_tap(instance.with_(endpoint_version=version), "bills", "bill_lines")
    assert held_bills(run) == bills_of(instance.company)
    assert held_lines(run) == lines_of(instance.company)


def test_both_contracts_give_the_same_properties_and_the_same_values(instance: Instance) -> None:
    instance.switches.offer_contract_5 = True
    four = run_tap(instance.with_(endpoint_version="25.200.001"))
    five = run_tap(instance.with_(endpoint_version="26.200.001"))
    assert set(four.tap.streams) == set(five.tap.streams)
    for name, stream in four.tap.streams.items():
        mine, theirs = stream.schema["properties"], five.tap.streams[name].schema["properties"]
        assert set(mine) == set(theirs), name
        assert {p: (s["type"], s.get("format")) for p, s in mine.items()} == {
            p: (s["type"], s.get("format")) for p, s in theirs.items()
        }, name
        for old, new in zip(four.rows(name), five.rows(name), strict=True):
            assert {k: v for k, v in old.items() if not k.endswith("_id")} == {
                k: v for k, v in new.items() if not k.endswith("_id")
            }, name


def test_contract_5_gives_the_codes_behind_the_labels(instance: Instance) -> None:
    instance.switches.offer_contract_5 = True
    rows = run_tap(instance.with_(endpoint_version="26.200.001"), "bills").rows("bills")
    assert {("Bill", "INV"), ("Debit Adj.", "ADR")} <= {(row["type"], row["type_id"]) for row in rows}


def test_periods_have_one_form_however_the_site_shows_them(instance: Instance) -> None:
    plain = {r["note_id"]: r["post_period"] for r in run_tap(instance.config, "bills").rows("bills")}
    instance.switches.period_style = "MM-YYYY"
    dashed = {r["note_id"]: r["post_period"] for r in run_tap(instance.config, "bills").rows("bills")}
    assert plain == dashed
    assert all(period.startswith("20") and len(period) == 6 for period in plain.values())


def test_times_are_utc_whatever_zone_the_site_prints(instance: Instance) -> None:
    plain = {
        r["note_id"]: r["last_modified_date_time"] for r in run_tap(instance.config, "bills").rows("bills")
    }
    instance.switches.rest_zone_minutes = -300
    shifted = run_tap(instance.config, "bills").rows("bills")
    assert {row["note_id"]: row["last_modified_date_time"] for row in shifted} == plain
    dates = {bill.note_id: bill.date.isoformat() for bill in instance.company.bills.values()}
    assert {row["note_id"]: row["date"] for row in shifted} == dates


def test_texts_survive_as_they_are(instance: Instance) -> None:
    rows = run_tap(instance.config, "vendors").rows("vendors")
    names = {vendor.code: vendor.name for vendor in instance.company.vendors.values()}
    assert {row["vendor_id"]: row["vendor_name"] for row in rows} == names
    accounts = run_tap(instance.config, "gl_accounts").rows("gl_accounts")
    assert {row["account_cd"] for row in accounts} == set(instance.company.accounts)


def test_addresses_of_vendors_are_columns(instance: Instance) -> None:
    rows = {row["vendor_id"]: row for row in run_tap(instance.config, "vendors").rows("vendors")}
    for vendor in instance.company.vendors.values():
        assert rows[vendor.code]["main_contact_address_city"] == vendor.address.city
        assert rows[vendor.code]["main_contact_email"] == vendor.email


def test_subaccounts_are_cut_into_segments(instance: Instance) -> None:
    config = instance.with_(
        subaccount_segments=[{"name": "Area", "length": 3}, {"name": "Team", "length": 3}]
    )
    rows = run_tap(config, "cost_centers").rows("cost_centers")
    assert rows
    for row in rows:
        assert row["segment_area"] + row["segment_team"] == row["subaccount_cd"]


# what an instance refuses -----------------------------------------------------------------------------------


def test_forbidden_forms_are_left_out_and_the_rest_is_read(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    config = instance.with_(username=LIMITED_USER_NAME, password=LIMITED_PASSWORD)
    run = run_tap(config, "bills", "gl_accounts", "journal_transactions", "journal_lines")
    assert run.rows("bills")
    assert run.rows("gl_accounts") == run.rows("journal_lines") == []
    assert run.tap.exit_code == 0
    assert any("GL202500" in text and "gl_accounts" in text for text in errors_in(caplog))
    assert "replication_key_value" not in run.state["bookmarks"].get("gl_accounts", {})
    assert run.unread == dict.fromkeys(["gl_accounts", "journal_transactions", "journal_lines"], "skipped")


def test_a_forbidden_full_table_is_not_stamped_complete(instance: Instance) -> None:
    instance.switches.forbidden_forms = frozenset({"GL203000"})
    run = run_tap(instance.config, "cost_centers", "bills")
    assert "completed_at" not in run.state["bookmarks"].get("cost_centers", {})


def test_forbidden_forms_can_be_an_error(instance: Instance) -> None:
    instance.switches.forbidden_forms = frozenset({"GL202500"})
    run = run_tap(instance.with_(skip_forbidden_streams=False), "bills", "gl_accounts")
    assert run.rows("bills")
    assert run.tap.exit_code == 1


def test_a_run_that_may_read_nothing_fails(instance: Instance) -> None:
    instance.switches.forbidden_forms = frozenset({"GL202500", "AP301000"})
    assert run_tap(instance.config, "bills", "bill_lines", "gl_accounts").tap.exit_code == 1


def test_a_module_that_is_not_set_up_is_an_empty_stream(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.missing_setup = frozenset({"PurchaseOrder"})
    run = run_tap(instance.config, "purchase_orders", "bills")
    assert run.tap.exit_code == 0
    assert run.rows("purchase_orders") == []
    assert any("purchase_orders" in text for text in errors_in(caplog))


def test_a_stream_that_fails_keeps_its_bookmark_and_the_others_go_on(instance: Instance) -> None:
    first = run_tap(instance.config, "bills", "bill_lines", "gl_accounts", "vendors")
    instance.world.life.live(20)
    instance.script.add(Fault(r"/Bill\?", status=500, body=b"{}", times=100))
    second = run_tap(
        instance.with_(page_size=10), "bills", "bill_lines", "gl_accounts", "vendors", state=first.state
    )
    assert second.tap.exit_code == 1
    old, new = first.state["bookmarks"], second.state["bookmarks"]
    for stream in ("bills", "bill_lines"):
        assert new[stream]["replication_key_value"] == old[stream]["replication_key_value"]
        assert second.rows(stream) == []
    instance.script.clear()
    instance.world.life.advance(5)
    third = run_tap(instance.config, "bills", "bill_lines", state=second.state)
    assert held_bills(first, third) == bills_of(instance.company)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(r"/Bill\?", status=503, times=2),
        Fault(r"/Bill\?", status=429, times=2, headers={"content-type": "application/json"}, body=b"{}"),
        Fault(r"/Bill\?", cut=True, times=2),
        Fault(r"/Bill\?", cut=True, after=True, times=2),
        Fault(r"/Bill\?", status=200, body=b"<html>maintenance</html>", times=2),
        Fault(r"/Bill\?", status=302, headers={"location": "/acme/Frames/Error.aspx"}, times=2),
        Fault(r"/Bill\?", status=500, body=b'{"message":"deadlock"}', times=2),
    ],
)
def test_passing_trouble_costs_no_row(instance: Instance, fault: Fault) -> None:
    instance.script.add(fault)
    run = run_tap(instance.config, "bills", "bill_lines")
    assert held_bills(run) == bills_of(instance.company)
    assert len(run.rows("bills")) == len(instance.company.bills), "rows came twice"
    assert len(run.waits) == 2


def test_a_page_that_is_too_large_is_read_in_smaller_ones(instance: Instance) -> None:
    instance.script.add(Fault(r"top=200", status=504, times=5))
    run = run_tap(instance.config, "bills", "bill_lines")
    assert held_lines(run) == lines_of(instance.company)
    assert instance.script.count(r"top=100&") >= 1


def test_a_list_that_cannot_give_line_numbers_is_read_by_position(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.cannot_optimize["Bill"] = frozenset({"$custom"})
    run = run_tap(instance.config, "bills", "bill_lines")
    assert held_bills(run) == bills_of(instance.company)
    per_bill: dict[tuple[Any, ...], list[int]] = {}
    for row in run.rows("bill_lines"):
        per_bill.setdefault((row["type"], row["reference_nbr"]), []).append(row["line_nbr"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in per_bill.values())
    assert sum(map(len, per_bill.values())) == len(lines_of(instance.company))
    assert any("position" in text for text in errors_in(caplog))


def test_a_list_that_cannot_expand_lines_is_read_document_by_document(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.cannot_optimize["PurchaseOrder"] = frozenset({"Details"})
    run = run_tap(instance.config, "purchase_orders", "purchase_order_lines")
    wanted = {
        (order.order_nbr, line.line_nbr)
        for order in instance.company.purchase_orders.values()
        for line in order.lines
    }
    assert {(r["order_nbr"], r["line_nbr"]) for r in run.rows("purchase_order_lines")} == wanted
    assert any("document by document" in text for text in errors_in(caplog))


@pytest.mark.parametrize("entity", ["PurchaseOrder", "Bill"])
def test_a_filter_that_silently_finds_nothing_is_noticed(
    make_instance: Callable[..., Instance], caplog: pytest.LogCaptureFixture, entity: str
) -> None:
    instance = make_instance()
    instance.switches.dead_filters = frozenset({entity})
    run = run_tap(instance.config, "bills", "bill_lines", "purchase_orders")
    assert held_bills(run) == bills_of(instance.company)
    assert {r["order_nbr"] for r in run.rows("purchase_orders")} == set(instance.company.purchase_orders)
    assert any("finds nothing by modification time" in text for text in errors_in(caplog))


def test_a_filter_that_dies_later_loses_nothing(instance: Instance) -> None:
    """Empty answers move the bookmark only when the filter has shown that it finds anything."""
    runs: list[Run] = [run_tap(instance.config, "bills")]
    instance.switches.dead_filters = frozenset({"Bill"})
    for _ in range(9):
        instance.world.life.live(3)
        instance.world.life.advance(60)
        runs.append(run_tap(instance.config, "bills", state=runs[-1].state))
    assert not all(run.rows("bills") for run in runs)
    assert held_bills(*runs) == bills_of(instance.company)


def test_once_known_a_dead_filter_is_not_trusted_again_until_it_works(instance: Instance) -> None:
    instance.switches.dead_filters = frozenset({"Bill"})
    runs = [run_tap(instance.config, "bills")]
    for _ in range(2):
        instance.world.life.post_bill()
        instance.world.life.advance(30)
        runs.append(run_tap(instance.config, "bills", state=runs[-1].state))
        assert held_bills(*runs) == bills_of(instance.company)
    instance.switches.dead_filters = frozenset()
    instance.world.life.post_bill()
    instance.world.life.advance(30)
    runs.append(run_tap(instance.config, "bills", state=runs[-1].state))
    assert held_bills(*runs) == bills_of(instance.company)
    assert "finds_nothing_by_time" not in runs[-1].bookmark("bills")


def test_a_dead_filter_reads_only_the_changes_out_of_all(instance: Instance) -> None:
    instance.switches.dead_filters = frozenset({"Bill"})
    first = run_tap(instance.config, "bills")
    instance.world.life.advance(60 * 25)
    instance.world.life.post_bill()
    instance.world.life.advance(10)
    second = run_tap(instance.config, "bills", state=first.state)
    assert 1 <= len(second.rows("bills")) <= 3


def test_an_entity_that_the_endpoint_lacks_is_no_stream(
    instance: Instance, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "ENTITIES", (*streams.ENTITIES, Entity("ghosts", "Ghost", ("Id",))))
    run = run_tap(instance.config, "bills")
    assert "ghosts" not in run.tap.streams
    assert any("Ghost" in text for text in errors_in(caplog))


def test_a_stream_of_the_next_package_is_one_line(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = Entity("customers", "Customer", ("CustomerID",))
    monkeypatch.setattr(streams, "ENTITIES", (*streams.ENTITIES, more))
    run = run_tap(instance.config, "customers")
    assert set(instance.company.customers) == {row["customer_id"] for row in run.rows("customers")}
    assert last_per_key(run.rows("customers"), ("customer_id",))


def test_bills_are_keyed_by_type_and_number(instance: Instance) -> None:
    run = run_tap(instance.config, "bills")
    schema = next(m for m in run.messages if m["type"] == "SCHEMA")
    assert tuple(schema["key_properties"]) == ("tenant", *BILL)
    assert schema["bookmark_properties"] == ["last_modified_date_time"]
