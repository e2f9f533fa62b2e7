from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.epicor_kinetic import COMPANIES
from tests.sandbox.epicor_kinetic.app import create_app
from tests.sandbox.epicor_kinetic.services import SERVICES
from tests.sandbox.epicor_kinetic.tables import TABLES
from tests.sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox.epicor_kinetic.app import KineticSite
    from tests.sandbox.epicor_kinetic.visitor import Json, Visitor

INVOICES = "APInvoiceSvc/APInvoices"
VENDORS = "VendorSvc/Vendors"


def company_of(branch: str) -> str:
    return next(epicor for epicor, code in COMPANIES.items() if code == branch)


def since(visitor: Visitor, path: str, number: int, company: str = "EPIC06") -> list[Json]:
    return visitor.but(company=company).rows(
        path, filter=f"SysRevID gt {number}", orderby="SysRevID", top=1000
    )


def everything(visitor: Visitor) -> Iterator[tuple[str, str, Json]]:
    """Every row of every table in both companies."""
    ways = {way[-1].table: service.name for service in SERVICES.values() for way in service.sets.values()}
    for table in TABLES:
        name = next(name for name, way in SERVICES[ways[table]].sets.items() if way[-1].table == table)
        for company in COMPANIES:
            for row in visitor.all_rows(f"{ways[table]}/{name}", company, size=100_000):
                yield table, company, row


def test_no_number_is_given_twice_over_all_tables_and_companies(visitor: Visitor) -> None:
    numbers = [row["SysRevID"] for _, _, row in everything(visitor)]
    assert len(numbers) == len(set(numbers)) > 2000
    assert max(numbers) <= visitor.app.counter
    assert min(numbers) < 2**31 < max(numbers)  # an Int32 does not hold them


def test_a_quiet_company_moves_no_number(visitor: Visitor) -> None:
    before = visitor.all_rows(INVOICES)
    visitor.world.life.advance(15)
    assert visitor.all_rows(INVOICES) == before


def test_a_new_bill_gives_the_highest_numbers_to_its_rows(visitor: Visitor) -> None:
    counter = visitor.app.counter
    bill = visitor.world.life.post_bill(branch="HQ")
    (invoice,) = since(visitor, INVOICES, counter)
    assert invoice["InvoiceNum"] == bill.reference_nbr
    lines = since(visitor, "APInvDtlSearchSvc/APInvDtlSearches", counter)
    assert [line["InvoiceLine"] for line in lines] == [line.line_nbr for line in bill.lines]
    assert since(visitor, INVOICES, counter, "EPIC07") == []
    assert since(visitor, VENDORS, counter) == []


def test_a_receipt_moves_the_release_but_neither_line_nor_order(visitor: Visitor) -> None:
    """Billing the delivery of a part changes quantities of the release only."""
    life = visitor.world.life
    for _ in range(20):
        counter = visitor.app.counter
        bill = life.post_bill_for_order()
        order = visitor.world.company.purchase_orders[str(bill.lines[0].order_nbr)]
        if order.status == "open":
            break
    company = company_of(order.branch)
    releases = since(visitor, "PORelSearchSvc/PORelSearches", counter, company)
    assert {row["POLine"] for row in releases} == {line.order_line_nbr for line in bill.lines}
    assert since(visitor, "PODetailTrackerSearchSvc/PODetailTrackerSearches", counter, company) == []
    assert since(visitor, "POSvc/POes", counter, company) == []


def test_a_looked_up_column_changes_without_a_number(visitor: Visitor) -> None:
    """The vendor's name stands on its invoices, but no invoice was written."""
    counter = visitor.app.counter
    bill = next(bill for bill in visitor.world.company.bills.values() if bill.branch == "HQ")
    vendor = visitor.world.life.rename_vendor(bill.vendor)
    assert since(visitor, INVOICES, counter) == []
    assert [row["Name"] for row in since(visitor, VENDORS, counter)] == [vendor.name]
    row = visitor.rows(INVOICES, filter=f"InvoiceNum eq '{bill.reference_nbr}'")[0]
    assert row["VendorNumName"] == vendor.name


def test_a_custom_field_has_a_number_of_its_own(visitor: Visitor) -> None:
    visitor.switches.custom_edits_move_revision = False
    before = {row["VendorNum"]: row for row in visitor.all_rows(VENDORS)}
    vendor = visitor.world.life.change_vendor_custom()
    after = visitor.rows(VENDORS, filter=f"VendorNum eq {vendor.vendor_id}")[0]
    old = before[vendor.vendor_id]
    assert after["SysRevID"] == old["SysRevID"]
    assert after["UD_SysRevID"] != old["UD_SysRevID"]
    visitor.switches.custom_edits_move_revision = True
    counter = visitor.app.counter
    vendor = visitor.world.life.change_vendor_custom()
    assert [row["VendorNum"] for row in since(visitor, VENDORS, counter)] == [vendor.vendor_id]


def test_change_dates_are_null_on_rows_that_nobody_edited(visitor: Visitor) -> None:
    held = visitor.world.life.post_bill(hold=True, branch="HQ")
    key = f"InvoiceNum eq '{held.reference_nbr}'"
    assert visitor.rows(INVOICES, filter=key)[0]["ChangeDate"] is None
    visitor.world.life.advance(60)
    visitor.world.life.release_bill(f"bill|{held.reference_nbr}")
    row = visitor.rows(INVOICES, filter=key)[0]
    assert row["ChangeDate"] == f"{visitor.world.company.clock:%Y-%m-%d}T00:00:00"
    assert row["ChangedBy"] == "manager"
    visitor.switches.change_dates_only_when_edited = False
    assert all(row["ChangeDate"] for row in visitor.all_rows(INVOICES))


# ---------------------------------------------------------------- mutations


def test_a_row_written_again_jumps_to_the_end_between_two_pages(visitor: Visitor) -> None:
    first = visitor.rows(VENDORS, filter="SysRevID gt 0", orderby="SysRevID", top=5)
    jumped = first[0]["VendorNum"]
    hook = Fault(r"Vendors", hook=lambda: visitor.app.rewrite("Vendor", "EPIC06", jumped))
    visitor.app.script.add(hook)
    rest = since(visitor, VENDORS, first[-1]["SysRevID"])
    assert rest[-1]["VendorNum"] == jumped
    assert rest[-1]["SysRevID"] > max(row["SysRevID"] for row in rest[:-1])
    assert {key: value for key, value in rest[-1].items() if key != "SysRevID"} == {
        key: value for key, value in first[0].items() if key != "SysRevID"
    }


def test_a_deleted_row_vanishes_without_a_trace_but_for_the_customers_own_list(visitor: Visitor) -> None:
    held = visitor.world.life.post_bill(hold=True, branch="HQ")
    row = visitor.rows(INVOICES, filter=f"InvoiceNum eq '{held.reference_nbr}'")[0]
    counter = visitor.app.counter
    visitor.world.life.delete_bill(f"bill|{held.reference_nbr}")
    assert visitor.rows(INVOICES, filter=f"InvoiceNum eq '{held.reference_nbr}'") == []
    assert since(visitor, INVOICES, counter) == []
    gone = visitor.rows("BaqSvc/DeletedRows/Data", filter="UD40_Key1 eq 'APInvHed'")
    assert [each["UD40_Key2"] for each in gone] == [row["SysRowID"]]


def test_a_late_commit_appears_below_what_was_read(visitor: Visitor) -> None:
    transaction = visitor.app.begin_transaction()
    visitor.world.life.post_bill(branch="HQ")
    seen = max(row["SysRevID"] for row in visitor.all_rows(INVOICES))
    before = {row["InvoiceNum"] for row in visitor.all_rows(INVOICES)}
    visitor.app.commit_late(transaction, lambda: visitor.world.life.post_bill(branch="HQ"))
    assert since(visitor, INVOICES, seen) == []
    (late,) = [row for row in visitor.all_rows(INVOICES) if row["InvoiceNum"] not in before]
    assert transaction[0] <= late["SysRevID"] < seen


def test_a_migration_starts_the_counter_anew(visitor: Visitor) -> None:
    before = visitor.all_rows(INVOICES)
    visitor.app.migrate()
    after = visitor.all_rows(INVOICES)
    assert max(row["SysRevID"] for row in after) < min(row["SysRevID"] for row in before)
    assert [row["SysRowID"] for row in after] == [row["SysRowID"] for row in before]


# ----------------------------------------------------------------- restarts


def numbers_of(site: KineticSite) -> dict[str, int]:
    return {
        str(row["SysRowID"]): int(str(row["SysRevID"]))
        for table in TABLES
        for company in COMPANIES
        for row in site.rows(table, company)
    }


def test_numbers_outlive_the_server(saved_company: bytes, tmp_path: Path) -> None:
    world = World(msgspec.json.decode(saved_company, type=Company))
    first = create_app(world, tmp_path)
    world.life.live(5)
    before = numbers_of(first)
    again = create_app(World(world.company), tmp_path)
    assert numbers_of(again) == before


def test_what_happened_while_the_server_was_down_gets_higher_numbers(
    saved_company: bytes, tmp_path: Path
) -> None:
    world = World(msgspec.json.decode(saved_company, type=Company))
    first = create_app(world, tmp_path)
    before, counter = numbers_of(first), first.counter
    bill = world.life.post_bill(branch="HQ")
    again = create_app(World(world.company), tmp_path)
    after = numbers_of(again)
    moved = {row_id for row_id, number in after.items() if before.get(row_id) != number}
    assert moved
    assert all(after[row_id] > counter for row_id in moved)
    rows = [row for row in again.rows("APInvHed", "EPIC06") if row["SysRowID"] in moved]
    assert [row["InvoiceNum"] for row in rows] == [bill.reference_nbr]
