"""The generic query of e.net: its XML, its errors with status 200, and what it silently ignores."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_syspro.enet import decoded
from tests.sandbox.faults import Fault
from tests.tap_syspro.harness import TABLE_OF, keys_in_database, keys_of, run_tap

if TYPE_CHECKING:
    from tests.tap_syspro.conftest import Instance

STREAMS = ("inv_movements", "ap_invoice", "por_master_hdr", "por_master_detail")

VARIANTS: dict[str, dict[str, Any]] = {
    "lower-case elements": {"lowercase_elements": True},
    "empty dates": {"null_date": "empty"},
    "bytes in UTF-8": {"enet_utf8": True},
    "characters that XML does not allow": {"control_characters": True},
    "answers as JSON text": {"enet_wrapping": "json"},
    "answers in an element": {"enet_wrapping": "string"},
    "no order": {"comfnd_order_ignored": True},
    "equality only, others refused": {"comfnd_conditions": frozenset({"EQ"})},
    "equality only, others ignored": {"comfnd_conditions": frozenset({"EQ"}), "unknown_condition": "ignored"},
    "fewer rows than asked for": {"comfnd_max_rows": 3},
    "sessions that die": {"session_dies_after_calls": 4},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_rows_come_from_a_site_with(instance: Instance, variant: str) -> None:
    for name, value in VARIANTS[variant].items():
        setattr(instance.switches, name, value)
    config = instance.enet(page_size=4, companies=["EDU1"])
    first = run_tap(config, *STREAMS)
    assert first.failures == {}
    for name in STREAMS:
        table, keys = TABLE_OF[name]
        found = set(keys_of(first.rows(name), first.tap.chosen[name].primary_keys))
        assert found == {key for key in keys_in_database(instance, table, keys) if key[0] == "EDU1"}, name
    instance.world.life.live(6)
    second = run_tap(config, *STREAMS, state=first.state)
    assert second.failures == {}
    held = {
        (row["supplier"], row["invoice"]): row["mth_inv_bal1"]
        for run in (first, second)
        for row in run.rows("ap_invoice")
    }
    assert held == {
        (row["Supplier"].rstrip(), row["Invoice"].rstrip()): row["MthInvBal1"]
        for row in instance.app.table("EDU1", "ApInvoice")
    }


def test_numbers_are_exact_and_dates_are_days(instance: Instance) -> None:
    run = run_tap(instance.enet(companies=["EDU1"]), "inv_warehouse", "por_master_hdr")
    stored = {
        (row["StockCode"].rstrip(), row["Warehouse"].rstrip()): row
        for row in instance.app.table("EDU1", "InvWarehouse")
    }
    for row in run.rows("inv_warehouse"):
        other = stored[row["stock_code"], row["warehouse"]]
        assert row["qty_on_hand"] == other["QtyOnHand"]
        assert row["stock_value"] == (other["QtyOnHand"] * other["UnitCost"]).quantize(Decimal("0.01"))
    completed = {row["date_po_completed"] for row in run.rows("por_master_hdr")}
    assert None in completed
    assert all(day is None or len(day) == 10 for day in completed)


def test_a_column_that_the_operator_may_not_see_stays_empty_and_is_named_once(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.hidden_columns = {"InvWarehouse": frozenset({"UnitCost"})}
    with caplog.at_level(logging.WARNING):
        run = run_tap(instance.enet(), "inv_warehouse")
    assert {row["unit_cost"] for row in run.rows("inv_warehouse")} == {None}
    assert {row["stock_value"] for row in run.rows("inv_warehouse")} == {None}
    assert sum("never came: UnitCost" in record.message for record in caplog.records) == 1


def test_a_business_object_that_is_not_licensed_leaves_its_streams_out(instance: Instance) -> None:
    instance.switches.licensed_objects = frozenset()
    run = run_tap(instance.enet(companies=["EDU1"]), "ap_invoice", "ap_terms")
    assert run.tap.exit_code == 1  # nothing at all could be read
    assert run.rows("ap_invoice") == []
    assert "licensed" in run.tap.chosen["ap_invoice"].feed.reason


def test_a_table_that_the_release_does_not_have_is_left_out(instance: Instance) -> None:
    instance.switches.missing_sets = frozenset({"ApSupplierAddr"})
    run = run_tap(instance.enet(companies=["EDU1"]), "ap_supplier_addr", "ap_terms")
    assert run.tap.exit_code == 0
    assert run.rows("ap_terms")
    assert run.rows("ap_supplier_addr") == []


def test_columns_that_the_catalogue_does_not_know_can_be_named(instance: Instance) -> None:
    streams = {"ap_supplier": {"columns": {"ZzGate": "string", "ZzRating": "decimal"}}}
    run = run_tap({**instance.enet(companies=["EDU1"]), "streams": streams}, "ap_supplier")
    stored = {row["Supplier"].rstrip(): row for row in instance.app.table("EDU1", "ApSupplier")}
    rows = {row["supplier"]: row for row in run.rows("ap_supplier")}
    assert any(row["zz_rating"] is not None for row in rows.values())
    for key, row in rows.items():
        assert row["zz_gate"] == ((stored[key]["ZzGate"] or "").rstrip() or None)
        assert (row["zz_rating"] or 0) == (stored[key]["ZzRating"] or 0)


def test_a_table_that_the_catalogue_does_not_know_can_be_named(instance: Instance) -> None:
    streams = {
        "currencies": {
            "entity_set": "TblCurrency",
            "key_properties": ["Currency"],
            "columns": {"Description": "string"},
        }
    }
    run = run_tap({**instance.enet(companies=["EDU1"]), "streams": streams}, "currencies")
    found = {(row["currency"], row["description"]) for row in run.rows("currencies")}
    stored = instance.app.table("EDU1", "TblCurrency")
    assert found == {(row["Currency"].rstrip(), row["Description"].rstrip()) for row in stored}


def test_a_web_page_instead_of_xml_is_no_data(instance: Instance) -> None:
    instance.script.add(Fault(r"Query/Query", status=200, body=b"<html>maintenance</html>", times=99))
    run = run_tap(instance.enet(companies=["EDU1"]), "ap_terms")
    assert run.tap.exit_code == 1
    assert "web page" in run.tap.chosen["ap_terms"].feed.reason


def test_broken_xml_is_asked_for_again(instance: Instance) -> None:
    instance.script.add(Fault(r"Query/Query", status=200, body=b"<TblApTerms><Row>", times=1))
    run = run_tap(instance.enet(companies=["EDU1"]), "ap_terms")
    assert run.tap.exit_code == 0
    assert run.waits


def test_texts_are_read_in_either_encoding() -> None:
    assert decoded("Zweigstelle Köln".encode()) == "Zweigstelle Köln"
    assert decoded("Köln € 5".encode("cp1252")) == "Köln € 5"
