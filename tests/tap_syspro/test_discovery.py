"""The schema comes from the site: custom columns, unknown sets, settings per stream, snapshots, segments, terms."""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from tap_syspro.discovery import parse, snake
from tap_syspro.errors import UserError
from tap_syspro.tap import TapSyspro
from tests.sandbox.faults import Fault
from tests.sandbox.syspro import COMPANIES
from tests.tap_syspro.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from tests.tap_syspro.conftest import Instance


def catalog(config: dict[str, Any]) -> dict[str, Any]:
    tap = TapSyspro(config=config, setup_mapper=False)
    try:
        return {entry["tap_stream_id"]: entry for entry in json.loads(tap.catalog_json_text)["streams"]}
    finally:
        tap.close()


def selected_by_default(entry: dict[str, Any]) -> set[str]:
    return {
        part["breadcrumb"][1]
        for part in entry["metadata"]
        if part["breadcrumb"] and part["metadata"].get("selected-by-default", True)
    }


def test_custom_columns_are_read_and_standard_ones_outside_the_catalogue_are_offered(
    instance: Instance,
) -> None:
    entry = catalog(instance.config)["ap_supplier"]
    chosen = selected_by_default(entry)
    assert {"zz_gate", "zz_rating", "zz_review_date", "supplier_name"} <= chosen
    offered = set(entry["schema"]["properties"])
    for name in ("bank_account", "tax_regn_num", "email", "fax", "time_stamp", "supplier_display"):
        assert name in offered, name
        assert name not in chosen, name
    run = run_tap(instance.config, "ap_supplier")
    stored = {
        (company, row["Supplier"].rstrip()): row
        for company, rows in instance.rows("ApSupplier").items()
        for row in rows
    }
    for row in run.rows("ap_supplier"):
        other = stored[row["_company"], row["supplier"]]
        assert row["zz_rating"] == other["ZzRating"]
        assert row["zz_review_date"] == (str(other["ZzReviewDate"])[:10] if other["ZzReviewDate"] else None)


def test_amounts_are_typed_with_their_scale_and_years_are_whole(instance: Instance) -> None:
    properties = catalog(instance.config)["ap_invoice"]["schema"]["properties"]
    hints = properties["orig_inv_value"]["x-sql-datatype-properties"]
    assert {"precision": 18, "scale": 2}.items() <= hints.items()
    assert properties["conv_rate"]["x-sql-datatype-properties"]["scale"] == 6
    assert properties["invoice_year"]["type"] == ["integer", "null"]
    assert properties["invoice_date"]["format"] == "date"
    assert properties["supplier"]["title"] == "Supplier"


def test_a_site_that_does_not_describe_itself_is_read_by_the_catalogue(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.script.add(Fault(r"metadata", status=403, body=b"no", times=99))
    with caplog.at_level(logging.WARNING):
        run = run_tap(instance.with_(page_size=20), "ap_invoice", "gen_transaction", "por_master_hdr")
    assert "built-in catalogue" in caplog.text
    assert run.tap.exit_code == 0
    assert len(run.rows("ap_invoice")) == instance.count("ApInvoice")
    second = run_tap(instance.config, "ap_invoice", "gen_transaction", "por_master_hdr", state=run.state)
    assert second.tap.exit_code == 0


def test_the_schema_is_asked_for_once_a_day(instance: Instance) -> None:
    catalog(instance.config)
    instance.script.clear()
    catalog(instance.config)
    assert instance.script.calls == []
    catalog(instance.with_(discovery_max_age_minutes=0))
    assert instance.script.count("metadata") == len(COMPANIES)


def test_columns_of_all_companies_are_offered(instance: Instance) -> None:
    document = b"""<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
    <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="N"><EntityType Name="T"><Key><PropertyRef
    Name="Supplier"/></Key><Property Name="Supplier" Type="Edm.String" Nullable="false"/><Property Name="OnlyHere"
    Type="Edm.String"/></EntityType><EntityContainer Name="C"><EntitySet Name="ApSupplier" EntityType="N.T"/>
    </EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""
    instance.script.add(Fault(r"EDU2/\$metadata", status=200, body=document, times=99))
    properties = catalog(instance.config)["ap_supplier"]["schema"]["properties"]
    assert "only_here" in properties
    assert "supplier_name" in properties


def test_every_entity_set_can_be_offered_and_none_of_them_is_selected(instance: Instance) -> None:
    instance.switches.plus_tables = "renamed"
    entries = catalog(instance.with_(include_all_entities=True))
    for name in ("tbl_currency", "inv_wh_control", "ap_supplier_plus"):
        root = next(p["metadata"] for p in entries[name]["metadata"] if not p["breadcrumb"])
        assert not root.get("selected")
        assert root["table-key-properties"][0] == "_company"
    run = run_tap(instance.with_(include_all_entities=True), "ap_supplier_plus", "tbl_currency")
    assert len(run.rows("tbl_currency")) == instance.count("TblCurrency")
    stored = {row["Supplier"].rstrip(): row for row in instance.app.table("EDU1", "ApSupplier+")}
    rows = [row for row in run.rows("ap_supplier_plus") if row["_company"] == "EDU1"]
    assert {row["supplier"] for row in rows} == set(stored)


def test_addresses_are_never_made_up_for_custom_form_tables(instance: Instance) -> None:
    instance.switches.plus_tables = "omitted"
    entries = catalog(instance.with_(include_all_entities=True))
    assert not [name for name in entries if "plus" in name]
    run_tap(instance.with_(companies=["EDU1"]))
    assert instance.script.count(r"%2B|\+") == 0


def test_a_set_whose_address_the_web_server_refuses_is_left_out(instance: Instance) -> None:
    instance.switches.plus_tables = "listed"
    config = instance.with_(include_all_entities=True, companies=["EDU1"])
    run = run_tap(config, "ap_supplier", "inv_wh_control", *_plus(config))
    assert run.tap.exit_code == 0
    assert run.rows("ap_supplier")
    assert run.rows("inv_wh_control")
    assert set(run.failures) == set(_plus(config))


def _plus(config: dict[str, Any]) -> list[str]:
    """The streams of custom-form tables, told by the name of their set."""
    tap = TapSyspro(config=config, setup_mapper=False)
    streams = [snake(name) for name in tap.offered.values() if name.endswith("+")]
    tap.close()
    assert streams
    return streams


def test_a_set_is_a_stream_by_its_settings(instance: Instance) -> None:
    streams = {
        "branches": {"entity_set": "salbranch", "key_properties": ["Branch"], "filter": "Branch eq 'HQ'"},
        "ap_invoice": {"select": ["OrigInvValue", "InvoiceDate"], "page_size": 11, "lookback_days": 1},
        "ar_customer": {"replication_key": "DateCustAdded", "lookback_days": 3},
        "gen_transaction": {"replication_method": "FULL_TABLE"},
    }
    config = instance.with_(streams=streams, companies=["EDU1"])
    run = run_tap(config, "branches", "ap_invoice", "ar_customer", "gen_transaction")
    assert {row["branch"] for row in run.rows("branches")} == {"HQ"}
    assert set(run.rows("ap_invoice")[0]) == {
        "_company", "supplier", "invoice", "orig_inv_value", "invoice_date",
        "base_orig_inv_value", "ledger_amount", "ledger_balance",
    }  # fmt: skip
    assert instance.script.count(r"/ApInvoice\?.*top=11&") > 1
    assert run.bookmark("ar_customer")["replication_key"] == "date_cust_added"
    assert "replication_key" not in run.bookmark("gen_transaction")
    run_tap(config, "ar_customer", state=run.state)
    assert instance.script.count(r"ArCustomer\?\$filter=.*DateCustAdded%20ge") == 1


@pytest.mark.parametrize(
    ("streams", "says"),
    [
        ({"ap_invoice": {"replication_key": "Nothing"}}, "no column Nothing"),
        ({"ap_supplier": {"replication_method": "INCREMENTAL"}}, "replication_key"),
    ],
)
def test_settings_that_name_what_is_not_there_are_refused(
    instance: Instance, streams: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        catalog(instance.with_(streams=streams))


def test_a_missing_table_is_left_out_of_the_catalog(instance: Instance) -> None:
    instance.switches.missing_sets = frozenset({"InvMovements"})
    assert "inv_movements" not in catalog(instance.config)


# keys and texts ---------------------------------------------------------------------------------------------


def test_keys_keep_their_zeros_and_can_be_shown_without(instance: Instance) -> None:
    tap = TapSyspro(config=dict(instance.config), setup_mapper=False)
    wanted = json.loads(tap.catalog_json_text)
    tap.close()
    for entry in wanted["streams"]:
        for part in entry["metadata"]:
            part["metadata"]["selected"] = entry["tap_stream_id"] == "por_master_hdr"
    run = run_tap(instance.config, "por_master_hdr", catalog=wanted)
    for row in run.rows("por_master_hdr"):
        assert len(row["purchase_order"]) == 15
        assert row["purchase_order_display"] == row["purchase_order"].lstrip("0")


def test_a_bank_account_is_read_when_it_is_selected(instance: Instance) -> None:
    config = instance.with_(companies=["EDU1"])
    tap = TapSyspro(config=config, setup_mapper=False)
    wanted = json.loads(tap.catalog_json_text)
    tap.close()
    for entry in wanted["streams"]:
        for part in entry["metadata"]:
            part["metadata"]["selected"] = entry["tap_stream_id"] == "ap_supplier"
    rows = run_tap(config, catalog=wanted).rows("ap_supplier")
    stored = instance.app.table("EDU1", "ApSupplier")
    assert {row["supplier"]: row["bank_account"] for row in rows} == {
        row["Supplier"].rstrip(): row["BankAccount"] for row in stored
    }


def test_blanks_at_the_end_are_removed_and_blank_texts_are_null(instance: Instance) -> None:
    run = run_tap(instance.config, "ap_invoice", "ap_terms")
    texts = [v for row in run.rows("ap_invoice") for v in row.values() if isinstance(v, str)]
    assert all(value == value.rstrip() for value in texts)
    assert None in {row["invoice_status"] for row in run.rows("ap_invoice")}
    kept = run_tap(instance.with_(blank_as_null=False, strip_strings="none"), "ap_invoice")
    assert " " in {row["invoice_status"] for row in kept.rows("ap_invoice")}


# dated rows, segments, terms ----------------------------------------------------------------------------------


def test_inventory_snapshots_accumulate_a_day_at_a_time(instance: Instance) -> None:
    config = instance.with_(snapshot_inventory=True, emit_activate_version_messages=True)
    first = run_tap(config, "inv_warehouse")
    assert not [m for m in first.messages if m["type"] == "ACTIVATE_VERSION"]
    assert first.tap.chosen["inv_warehouse"].primary_keys[-1] == "snapshot_date"
    day = instance.company.clock.date()
    assert {row["snapshot_date"] for row in first.rows("inv_warehouse")} == {day.isoformat()}
    instance.world.life.advance(60 * 24)
    instance.world.life.count_stock()
    second = run_tap(config, "inv_warehouse", state=first.state)
    warehouse = Warehouse()
    warehouse.load(first)
    warehouse.load(second)
    days = {row["snapshot_date"] for row in warehouse.rows("inv_warehouse")}
    assert days == {day.isoformat(), (day + dt.timedelta(days=1)).isoformat()}
    assert len(warehouse.rows("inv_warehouse")) == len(first.rows("inv_warehouse")) * 2


def test_balances_of_some_years_are_read_and_older_ones_stay(instance: Instance) -> None:
    all_years = run_tap(instance.config, "gen_history", "gen_history_periods")
    assert {row["gl_year"] for row in all_years.rows("gen_history")} == {2025, 2026}
    run = run_tap(instance.with_(gl_history_years=1), "gen_history", "gen_history_periods")
    assert {row["gl_year"] for row in run.rows("gen_history")} == {2026}
    rows = run.rows("gen_history_periods")
    assert len(rows) == 16 * len(run.rows("gen_history"))
    assert set(rows[0]) == {
        "_company",
        "company",
        "gl_code",
        "gl_year",
        "period",
        "closing_balance",
        "movement",
    }
    by_key = {(r["_company"], r["gl_code"], r["gl_year"], r["period"]): r for r in rows}
    for (company, code, year, period), row in by_key.items():
        if period:
            before = by_key[company, code, year, period - 1]["closing_balance"]
            assert row["movement"] == row["closing_balance"] - before


def test_periods_alone_can_be_selected(instance: Instance) -> None:
    run = run_tap(instance.config, "gen_history_periods")
    assert len(run.rows("gen_history_periods")) == 16 * instance.count("GenHistory")


def test_gl_codes_are_cut_into_segments_everywhere(instance: Instance) -> None:
    run = run_tap(instance.config, "gen_transaction", "inv_movements", "por_master_detail", "gen_master")
    for name, column in (
        ("gen_transaction", "gl_code"),
        ("gen_master", "gl_code"),
        ("por_master_detail", "m_gl_code"),
    ):
        rows = run.rows(name)
        assert rows
        for row in rows:
            if row[column]:
                account, cost_center = row[column].split("-")
                assert (row["segment_account"], row["segment_cost_center"]) == (account, cost_center)


def test_cost_centers_are_the_values_of_segments_with_their_texts(instance: Instance) -> None:
    segments = [
        {"name": "cost_center", "separator": "-", "index": 1},
        {"name": "kind", "start": 0, "length": 2, "entity_set": "GenGroups", "code_property": "GlGroup"},
    ]
    run = run_tap(instance.with_(gl_segments=segments), "cost_centers")
    rows = run.rows("cost_centers")
    codes = {row["GlCode"].split("-")[1].rstrip() for row in instance.app.table("EDU1", "GenMaster")}
    assert {r["code"] for r in rows if r["segment"] == "cost_center" and r["_company"] == "EDU1"} == codes
    kinds = {r["code"]: r["description"] for r in rows if r["segment"] == "kind"}
    assert all(kinds.values())
    assert run.tap.chosen["cost_centers"].primary_keys == ("_company", "segment", "code")


def test_without_segments_there_are_no_cost_centers(instance: Instance) -> None:
    entries = catalog(instance.with_(gl_segments=[]))
    assert "cost_centers" not in entries
    assert not [name for name in entries["gen_master"]["schema"]["properties"] if name.startswith("segment")]


def test_due_dates_are_worked_out_of_the_terms(instance: Instance) -> None:
    run = run_tap(instance.config, "ar_invoice")
    rows = {row["invoice"]: row for row in run.rows("ar_invoice")}
    known = 0
    for invoice in instance.company.sales_invoices.values():
        row = rows.get(invoice.invoice_nbr)
        if row is None or invoice.terms is None:
            continue
        days = instance.company.terms[invoice.terms].days
        assert row["due_date"] == (invoice.date + dt.timedelta(days=days)).isoformat()
        known += 1
    assert known > 5


def test_due_dates_stay_empty_where_the_terms_cannot_be_read(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.forbidden_sets = frozenset({"TblArTerms"})
    with caplog.at_level(logging.WARNING):
        run = run_tap(instance.config, "ar_invoice")
    assert run.tap.exit_code == 0
    assert {row["due_date"] for row in run.rows("ar_invoice")} == {None}
    assert sum("due_date stays empty" in record.message for record in caplog.records) == 1


def test_currencies_that_are_divided_come_out_the_same(instance: Instance) -> None:
    before = {
        (r["supplier"], r["invoice"]): r for r in run_tap(instance.config, "ap_invoice").rows("ap_invoice")
    }
    instance.switches.divided_currencies = frozenset({"EUR", "GBP"})
    instance.world.life.new_item()
    after = run_tap(instance.config, "ap_invoice").rows("ap_invoice")
    assert any(row["mul_div"] == "D" for row in after)
    for row in after:
        old = before[row["supplier"], row["invoice"]]["base_orig_inv_value"]
        # six decimals of a rate that is turned round leave an uncertainty of its own
        assert abs(row["base_orig_inv_value"] - old) <= max(abs(old) * 2 / 10**6, 0.01)


def test_names_are_snake_case_of_the_erps_own() -> None:
    names = {
        "GlCode": "gl_code",
        "MStockCode": "m_stock_code",
        "InvoiceBal1": "invoice_bal1",
        "SubModArInvoice": "sub_mod_ar_invoice",
        "MLastReceiptDat": "m_last_receipt_dat",
        "ArCustomer+": "ar_customer_plus",
        "TblArTerms": "tbl_ar_terms",
    }
    assert {name: snake(name) for name in names} == names


def test_keys_of_base_types_are_found() -> None:
    document = b"""<Edmx><DataServices><Schema xmlns="x" Namespace="N" Alias="S">
    <EntityType Name="B"><Key><PropertyRef Name="A"/></Key><Property Name="A" Type="Edm.String"/></EntityType>
    <EntityType Name="T" BaseType="S.B"><Property Name="C" Type="Edm.Decimal" Scale="3"/></EntityType>
    <EntityContainer><EntitySet Name="Ts" EntityType="N.T"/></EntityContainer></Schema></DataServices></Edmx>"""
    (entity,) = parse(document.replace(b'xmlns="x" ', b"")).values()
    assert entity.keys == ("A",)
    assert entity.fields["C"].scale == 3
