"""Row versions as change detection: everything is read, only what changed is emitted."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

import pytest

from tap_syspro.errors import UserError
from tap_syspro.streams.columns import row_version
from tests.sandbox.faults import Fault
from tests.sandbox.syspro.view import payable_number
from tests.tap_syspro.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from tests.tap_syspro.conftest import Instance

STREAMS = ("ap_supplier", "ap_invoice", "gen_transaction")
ORDERS = ("por_master_hdr", "por_master_detail")


def configured(instance: Instance, **settings: Any) -> dict[str, Any]:
    return instance.with_(change_detection="rowversion", rowversion_safety=0, **settings)


@pytest.mark.parametrize("form", ["base64", "base64url", "number"])
def test_only_what_changed_is_emitted_masters_included(instance: Instance, form: str) -> None:
    instance.switches.time_stamp = form  # type: ignore[assignment]
    config = configured(instance)
    first = run_tap(config, *STREAMS)
    assert len(first.rows("ap_supplier")) == instance.count("ApSupplier")
    assert run_tap(config, *STREAMS, state=first.state).rows("ap_supplier") == []
    vendor = instance.world.life.rename_vendor()
    third = run_tap(config, *STREAMS, state=first.state)
    names = {row["supplier_name"] for row in third.rows("ap_supplier")}
    assert len(third.rows("ap_supplier")) == 2  # it stands in both companies
    assert len(names) == 1
    assert vendor.name.encode("cp1252", "replace").decode("cp1252")[:5] in names.pop()
    assert third.rows("gen_transaction") == []
    assert all(len(row["time_stamp"]) == 16 for row in first.rows("ap_supplier"))


def test_an_order_is_emitted_with_all_its_lines_when_one_of_them_changes(instance: Instance) -> None:
    config = configured(instance, page_size=4)
    first = run_tap(config, *ORDERS)
    # A service that cannot sort by row version does not tell the highest one before its first page was read, so
    # that of several pages some come twice.
    settled = run_tap(config, *ORDERS, state=first.state)
    assert run_tap(config, *ORDERS, state=settled.state).rows("por_master_detail") == []
    warehouse = Warehouse()
    warehouse.load(first)
    state = settled.state
    changed: set[tuple[str, str]] = set()
    for _ in range(4):
        instance.world.life.change_purchase_order()
        run = run_tap(config, *ORDERS, state=state)
        orders = {(row["_company"], row["purchase_order"]) for row in run.rows("por_master_hdr")}
        assert orders == {(row["_company"], row["purchase_order"]) for row in run.rows("por_master_detail")}
        assert len(orders) <= 2  # what changed, and what had changed before
        changed |= orders
        warehouse.load(run)
        state = run.state
    assert changed
    found = {
        (row["_company"], row["purchase_order"], row["line"], row["m_order_qty"])
        for row in warehouse.rows("por_master_detail")
    }
    stored = {
        (company, row["PurchaseOrder"].rstrip(), row["Line"], row["MOrderQty"])
        for company, rows in instance.rows("PorMasterDetail").items()
        for row in rows
    }
    assert found == stored


def test_a_safety_margin_emits_again_what_lies_below_the_bookmark(instance: Instance) -> None:
    config = instance.with_(change_detection="rowversion", companies=["EDU1"])
    first = run_tap(config, "ap_supplier")
    second = run_tap(config, "ap_supplier", state=first.state)
    assert len(second.rows("ap_supplier")) == len(first.rows("ap_supplier"))


def test_a_restored_database_is_read_anew(instance: Instance, caplog: pytest.LogCaptureFixture) -> None:
    config = configured(instance)
    first = run_tap(config, *STREAMS, *ORDERS)
    instance.app.restore_elsewhere()
    with caplog.at_level(logging.WARNING):
        second = run_tap(config, *STREAMS, *ORDERS, state=first.state)
    assert "restored or moved" in caplog.text
    for stream in (*STREAMS, *ORDERS):
        assert len(second.rows(stream)) == len(first.rows(stream)), stream
    third = run_tap(config, *STREAMS, *ORDERS, state=second.state)
    assert third.rows("ap_supplier") == []


def test_tables_without_row_versions_are_read_as_before(instance: Instance) -> None:
    instance.switches.time_stamp = "absent"
    run = run_tap(configured(instance), "ap_invoice")
    assert run.bookmark("ap_invoice")["replication_key"] == "invoice_date"


def test_one_stream_can_be_read_so_and_the_others_not(instance: Instance) -> None:
    streams = {"ap_supplier": {"replication_method": "ROWVERSION"}}
    config = instance.with_(streams=streams, rowversion_safety=0)
    first = run_tap(config, "ap_supplier", "ar_customer")
    second = run_tap(config, "ap_supplier", "ar_customer", state=first.state)
    assert second.rows("ap_supplier") == []
    assert len(second.rows("ar_customer")) == instance.count("ArCustomer")


def test_a_view_with_the_row_version_as_a_number_is_filtered_by_the_server(instance: Instance) -> None:
    instance.switches.changes_view = True
    streams = {
        "changes": {
            "entity_set": "ApInvoiceChanges",
            "key_properties": ["Supplier", "Invoice"],
            "replication_key": "RowVer",
        }
    }
    config = instance.with_(streams=streams, rowversion_safety=0)
    first = run_tap(config, "changes")
    assert len(first.rows("changes")) == instance.count("ApInvoice")
    instance.world.life.post_bill(branch="HQ")
    instance.script.clear()
    second = run_tap(config, "changes", state=first.state)
    assert 0 < len(second.rows("changes")) < len(first.rows("changes"))
    assert instance.script.count(r"filter=RowVer%20ge") == 2


def test_a_row_that_changes_behind_the_reader_comes_with_the_next_run(instance: Instance) -> None:
    instance.switches.changes_view = True
    keys = ["Supplier", "Invoice"]
    view = {
        "entity_set": "ApInvoiceChanges",
        "key_properties": keys,
        "replication_key": "RowVer",
        "page_size": 10,
    }
    config = instance.with_(streams={"changes": view}, rowversion_safety=0, companies=["EDU1"])
    rows = sorted(instance.rows("ApInvoice")["EDU1"], key=lambda row: [row[key] for key in keys])
    ends = {row["Invoice"] for row in (rows[0], rows[-1])}

    def change_the_first_and_the_last() -> None:
        for bill in instance.company.bills.values():
            if payable_number(bill) in ends:
                bill.due_date = bill.date + dt.timedelta(days=77)
        instance.world.life.advance(1)

    instance.script.add(Fault("ApInvoiceChanges", hook=change_the_first_and_the_last, skip=2))
    first = run_tap(config, "changes")
    second = run_tap(config, "changes", state=first.state)
    assert {row["invoice"] for row in second.rows("changes")} >= ends


def test_a_stream_without_row_versions_cannot_be_told_to_use_them(instance: Instance) -> None:
    instance.switches.time_stamp = "absent"
    streams = {"ap_supplier": {"replication_method": "ROWVERSION"}}
    with pytest.raises(UserError, match="TimeStamp"):
        run_tap(instance.with_(streams=streams), "ap_supplier")


def test_row_versions_are_sixteen_digits_whose_text_order_is_theirs() -> None:
    assert row_version("AAAAAAAAB9E=") == "00000000000007d1"
    assert row_version("AAAAAAAAB9E") == "00000000000007d1"
    assert row_version("_____-______") is not None
    assert row_version(2001) == "00000000000007d1"
    assert row_version("0x7D1") == "00000000000007d1"
    assert row_version(None) is None
