"""Names beside codes and guids, without a call per record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import run_tap

if TYPE_CHECKING:
    import pytest

    from tests.tap_exact_online.conftest import Instance


def test_names_stand_beside_the_guids_that_the_api_leaves_alone(instance: Instance) -> None:
    run = run_tap(instance, "purchase_invoices", "purchase_invoice_lines", "sales_invoices")
    vendors = {vendor.code: vendor.name for vendor in instance.company.vendors.values()}
    rows = run.rows("purchase_invoices")
    assert rows
    for row in rows:
        assert vendors[row["supplier_code"]] == row["supplier_name"]
    centers = {center.code: center.name for center in instance.company.cost_centers.values()}
    lines = [row for row in run.rows("purchase_invoice_lines") if row["cost_center"]]
    assert lines
    for row in lines:
        assert row["cost_center_description"] == centers[row["cost_center"]]
    items = {item.code: item.description for item in instance.company.items.values()}
    for row in run.rows("purchase_invoice_lines"):
        if row["item"]:
            assert items[row["item_code"]] == row["item_description"]
    for row in run.rows("sales_invoices"):
        if row["gl_account"]:
            assert row["gl_account_code"] in instance.company.accounts


def test_names_cost_a_call_per_dimension_and_division_at_most(instance: Instance) -> None:
    first = run_tap(instance, "purchase_invoices")
    assert instance.script.count("sync/CRM/Accounts") == len(DIVISIONS)
    instance.world.life.advance(5)
    instance.script.clear()
    run_tap(instance, "purchase_invoices", state=first.state)
    assert instance.script.count("sync/CRM/Accounts") <= len(DIVISIONS)
    calls = [call.query for call in instance.script.calls if "CRM/Accounts" in call.path]
    assert all("gt%201L" not in query for query in calls), "read from the beginning again"


def test_a_dimension_that_is_a_stream_of_the_run_costs_no_call_of_its_own(instance: Instance) -> None:
    run = run_tap(instance, "accounts", "purchase_invoices", "contacts")
    assert instance.script.count("sync/CRM/Accounts") == len(DIVISIONS)
    assert all(row["supplier_name"] for row in run.rows("purchase_invoices"))


def test_a_supplier_that_came_while_the_run_was_under_way_has_its_name_too(instance: Instance) -> None:
    life = instance.world.life

    def arrive() -> None:
        life.advance(1)
        vendor = life.new_vendor()
        bill = next(iter(instance.company.bills.values()))
        bill.vendor = vendor.code
        names.append(vendor.name)

    names: list[str] = []
    instance.script.add(Fault(r"purchase/PurchaseInvoices", hook=arrive))
    run = run_tap(instance, "accounts", "purchase_invoices")
    assert names[0] in {row["supplier_name"] for row in run.rows("purchase_invoices")}


def test_a_renamed_supplier_has_its_new_name_with_the_next_document(instance: Instance) -> None:
    first = run_tap(instance, "purchase_invoices")
    instance.world.life.advance(1)
    bill = next(iter(instance.company.bills.values()))
    vendor = instance.company.vendors[bill.vendor]
    vendor.name = "Renamed & Co"
    vendor.modified_at = bill.modified_at = instance.company.clock
    instance.world.life.advance(1)
    second = run_tap(instance, "purchase_invoices", state=first.state)
    assert "Renamed & Co" in {row["supplier_name"] for row in second.rows("purchase_invoices")}


def test_names_can_be_switched_off(instance: Instance) -> None:
    run = run_tap(instance, "purchase_invoices", config=instance.with_(enrich=False))
    assert "supplier_name" not in run.rows("purchase_invoices")[0]
    assert instance.script.count("CRM") == 0


def test_names_that_may_not_be_read_leave_their_columns_empty_and_are_said_once(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.forbidden = {"sync/CRM/Accounts": "Forbidden"}
    run = run_tap(instance, "purchase_invoices", "purchase_invoice_lines")
    assert run.tap.exit_code == 0
    assert {row["supplier_name"] for row in run.rows("purchase_invoices")} == {None}
    assert len(
        [r for r in caplog.records if "enrich:" in r.getMessage() and "CRM/Accounts" in r.getMessage()]
    ) == len(DIVISIONS)


def test_names_of_one_division_are_not_those_of_another(instance: Instance) -> None:
    run = run_tap(instance, "purchase_invoices", "accounts")
    accounts = {(row["division"], row["id"]): row["name"] for row in run.rows("accounts")}
    for row in run.rows("purchase_invoices"):
        assert accounts[row["division"], row["supplier"]] == row["supplier_name"]
