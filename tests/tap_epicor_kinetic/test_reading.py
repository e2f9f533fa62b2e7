"""Nothing is missed and nothing counted twice: bookmarks, overlap, bounds, whole reads, call counts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.sandbox.epicor_kinetic.switches import Switches, worst_mood
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import COMPANIES, Warehouse, keys_of, keys_on_server, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_epicor_kinetic.conftest import Instance


def asked(instance: Instance, pattern: str) -> list[str]:
    """The queries of calls that match, decoded."""
    return [unquote(call.query) for call in instance.script.calls if re.search(pattern, call.path)]


def business_calls(instance: Instance) -> int:
    return sum(1 for call in instance.script.calls if not call.path.endswith("$metadata"))


def test_a_value_that_fits_no_column_fails_its_stream_alone_and_is_named(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    row = {"Company": "EPIC06", "CustNum": 42, "SysRevID": 7, "SysRowID": "b4c0", "CreditLimit": "much"}
    headers = {"content-type": "application/json"}
    body = json.dumps({"value": [row]}).encode()
    instance.script.add(Fault("CustomerSvc/Customers", status=200, body=body, headers=headers))
    run = run_tap(instance.config, "customers", "vendors")
    assert run.tap.exit_code == 1
    assert run.rows("vendors")
    assert "CustNum 42: CreditLimit is 'much', which is no decimal" in caplog.text


def test_both_companies_are_read_and_overlapping_keys_stay_apart(instance: Instance) -> None:
    run = run_tap(instance.config, "vendors")
    keys = keys_of(run, "vendors")
    assert len(set(keys)) == len(keys)
    assert set(keys) == keys_on_server(instance, "Vendor", "VendorNum")
    numbers = {company: {num for c, num in keys if c == company} for company in COMPANIES}
    assert numbers["EPIC06"] & numbers["EPIC07"]


def test_every_row_comes_once_from_a_server_that_caps_pages_and_ignores_skip(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=dataclasses.replace(worst_mood(), row_cap=7, default_rows=7))
    run = run_tap(instance.with_(page_size=500), "gl_journal_lines", "ap_invoice_lines")
    for stream, table, keys in (
        (
            "gl_journal_lines",
            "GLJrnDtl",
            ("BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode", "JournalNum", "JournalLine"),
        ),
        ("ap_invoice_lines", "APInvDtl", ("VendorNum", "InvoiceNum", "InvoiceLine")),
    ):
        found = keys_of(run, stream)
        assert len(set(found)) == len(found)
        assert set(found) == keys_on_server(instance, table, *keys)
    assert not [query for query in asked(instance, "GLJrnDtls$") if "$skip" in query or "$count" in query]


def test_a_next_link_is_followed_when_it_comes(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(switches=Switches(row_cap=9, default_rows=9, next_links=True))
    run = run_tap(instance.with_(page_size=40), "ap_invoice_lines")
    found = keys_of(run, "ap_invoice_lines")
    assert len(set(found)) == len(found)
    assert set(found) == keys_on_server(instance, "APInvDtl", "VendorNum", "InvoiceNum", "InvoiceLine")
    assert [query for query in asked(instance, "APInvDtlSearches$") if "skip" in query.lower()]


def test_a_next_link_to_another_host_gets_no_credentials(instance: Instance) -> None:
    body = b'{"value":[],"@odata.nextLink":"https://elsewhere.example.com/more"}'
    rows = b'{"value":[{"Company":"EPIC06","VendorNum":1,"SysRevID":5,"SysRowID":"a"}],' + body[12:]
    instance.script.add(
        Fault(r"/Vendors\?", status=200, body=rows, headers={"content-type": "application/json"})
    )
    with pytest.raises(Exception, match=r"elsewhere\.example\.com"):
        run_tap(instance.config, "vendors")


def test_a_quiet_run_costs_one_call_per_stream_and_company(instance: Instance) -> None:
    config = instance.with_(sysrevid_overlap=0)
    streams = ("ap_invoices", "gl_journal_lines", "gl_period_balances", "terms", "vendors")
    state = run_tap(config, *streams).state
    instance.script.clear()
    run = run_tap(config, *streams, state=state)
    assert business_calls(instance) == len(streams) * len(COMPANIES)
    assert instance.script.count("metadata") == 0
    assert run.state["bookmarks"] == state["bookmarks"]
    # Reading is inclusive: the newest row of each comes again, and is the proof that the counter goes on.
    assert {len(run.rows(stream)) for stream in streams} == {0, 2}


def test_calls_are_rows_by_page_and_five_per_stream(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(bills=60, switches=worst_mood())
    for stream in ("gl_journal_lines", "ap_invoice_lines"):
        run = run_tap(instance.with_(page_size=50, companies=["EPIC06"]), stream)
        rows = len(run.rows(stream))
        assert rows > 50
        assert run.tap.client.calls <= -(-rows // 50) + 5


def test_only_what_changed_comes_with_the_next_run(instance: Instance) -> None:
    config = instance.with_(sysrevid_overlap=0)
    state = run_tap(config, "vendors").state
    instance.site.rewrite("Vendor", "EPIC07", 3)
    instance.site.rewrite("Vendor", "EPIC07", 1)
    run = run_tap(config, "vendors", state=state)
    newest = {company: instance.site.rows("Vendor", company)[-1]["SysRevID"] for company in COMPANIES}
    assert {row["vendor_num"] for row in run.rows("vendors") if row["company"] == "EPIC07"} >= {1, 3}
    assert len(run.rows("vendors")) <= 4
    assert {
        company: run.bookmark("vendors", company)["replication_key_value"] for company in COMPANIES
    } == newest


def test_rows_that_commit_late_with_lower_numbers_are_found_by_the_overlap(instance: Instance) -> None:
    late = instance.site.begin_transaction()
    instance.world.life.post_bill()
    first = run_tap(instance.config, "ap_invoices")
    instance.site.commit_late(late, instance.world.life.post_bill)
    missing = keys_on_server(instance, "APInvHed", "VendorNum", "InvoiceNum") - set(
        keys_of(first, "ap_invoices")
    )
    assert missing
    again = run_tap(instance.config, "ap_invoices", state=first.state)
    assert missing <= set(keys_of(again, "ap_invoices"))
    none = run_tap(instance.with_(sysrevid_overlap=0), "ap_invoices", state=first.state)
    assert not missing & set(keys_of(none, "ap_invoices"))


def test_a_row_that_changes_while_pages_are_read_is_neither_skipped_nor_lost(instance: Instance) -> None:
    config = instance.with_(page_size=5)
    order = [row["VendorNum"] for row in instance.site.rows("Vendor", "EPIC06")]
    unread = order[12]
    instance.script.add(
        Fault(r"/EPIC06/.*/Vendors\?", hook=lambda: instance.site.rewrite("Vendor", "EPIC06", unread), skip=1)
    )
    first = run_tap(config, "vendors")
    second = run_tap(config, "vendors", state=first.state)
    held = Warehouse()
    held.load(first)
    held.load(second)
    assert set(held.tables["vendors"]) == keys_on_server(instance, "Vendor", "VendorNum")
    (row,) = held.rows("vendors", company="EPIC06", vendor_num=unread)
    assert row["sys_rev_id"] == instance.site.rows("Vendor", "EPIC06")[-1]["SysRevID"]


def test_a_run_is_bounded_by_what_there_was_when_it_began(instance: Instance) -> None:
    """A table that is written faster than it is read does not keep the run going for ever."""
    config = instance.with_(page_size=5, companies=["EPIC06"])
    instance.script.add(
        Fault(
            r"/Vendors\?",
            hook=lambda: [instance.site.rewrite("Vendor", "EPIC06", num) for num in (1, 2, 3, 4, 5)],
            times=50,
            skip=2,
        )
    )
    run = run_tap(config, "vendors")
    assert run.tap.client.calls < 10
    assert run.tap.exit_code == 0
    instance.script.clear()
    again = run_tap(config, "vendors", state=run.state)
    assert {1, 2, 3, 4, 5} <= {row["vendor_num"] for row in again.rows("vendors")}


def test_a_server_that_ignores_the_filter_or_the_order_is_noticed(
    make_instance: Callable[..., Instance],
) -> None:
    for switches in (
        Switches(order_ignored=frozenset({"Vendors"})),
        Switches(filter_ignored=frozenset({"Vendors"}), row_cap=5, default_rows=5),
    ):
        instance = make_instance(switches=switches)
        run = run_tap(instance.with_(page_size=5), "vendors", "terms")
        assert run.tap.exit_code == 1
        assert run.rows("terms")
        assert run.tap.unreadable == ["vendors (EPIC06)", "vendors (EPIC07)"]


def test_schedules_are_lifted_out_of_their_invoices_and_go_with_them(instance: Instance) -> None:
    config = instance.with_(sysrevid_overlap=0)
    first = run_tap(config, "ap_invoice_schedules")
    wanted = keys_on_server(instance, "APInvSched", "VendorNum", "InvoiceNum", "PaySeq")
    assert set(keys_of(first, "ap_invoice_schedules")) == wanted
    invoice = instance.site.rows("APInvHed", "EPIC06")[0]
    number = instance.site.rewrite("APInvHed", "EPIC06", invoice["VendorNum"], invoice["InvoiceNum"])
    second = run_tap(config, "ap_invoice_schedules", state=first.state)
    assert {row["header_sys_rev_id"] for row in second.rows("ap_invoice_schedules")} >= {number}
    assert second.bookmark("ap_invoice_schedules")["replication_key_value"] == number


def test_child_rows_are_never_filtered_by_their_own_columns(instance: Instance) -> None:
    """A filter on a child set meets the header's columns, and finds other rows or none."""
    run = run_tap(instance.config, "customer_ship_tos")
    wanted = keys_on_server(instance, "ShipTo", "CustNum", "ShipToNum")
    assert set(keys_of(run, "customer_ship_tos")) == wanted
    assert not asked(instance, "ShipToes$")


def test_balances_are_read_whole_when_anything_changed_and_not_otherwise(instance: Instance) -> None:
    config = instance.with_(emit_activate_version_messages=True)
    first = run_tap(config, "gl_period_balances")
    assert first.activated == set()  # nothing that the target could hold and should forget
    instance.script.clear()
    quiet = run_tap(config, "gl_period_balances", state=first.state)
    assert quiet.rows("gl_period_balances") == []
    assert quiet.activated == set()
    assert business_calls(instance) == 2
    instance.world.life.post_journal()
    changed = run_tap(config, "gl_period_balances", state=quiet.state)
    assert changed.activated == {"gl_period_balances"}
    assert changed.is_proven_whole("gl_period_balances")
    keys = (
        "BookID",
        "BalanceAcct",
        "BalanceType",
        "FiscalYear",
        "FiscalYearSuffix",
        "FiscalPeriod",
        "FiscalCalendarID",
    )
    assert set(keys_of(changed, "gl_period_balances")) == keys_on_server(instance, "GLPeriodBal", *keys)


def test_a_whole_read_that_is_cut_proves_nothing_and_keeps_the_bookmark(instance: Instance) -> None:
    config = instance.with_(emit_activate_version_messages=True, page_size=5, full_refresh_days=1)
    first = run_tap(config, "vendors")
    state = first.state
    old = (dt.datetime.now(dt.UTC) - dt.timedelta(days=2)).isoformat()
    state["bookmarks"]["vendors"]["read_whole_at"] = old
    cut = run_tap({**config, "max_calls_per_run": 3}, "vendors", state=state)
    assert cut.activated == {"vendors"}
    assert not cut.is_proven_whole("vendors")
    assert (
        cut.bookmark("vendors")["replication_key_value"] == first.bookmark("vendors")["replication_key_value"]
    )
    # It is not tried again in the next run: changes must come through meanwhile.
    following = run_tap(config, "vendors", state=cut.state)
    assert following.activated == set()


def test_payroll_checks_stay_out_unless_they_are_wanted(instance: Instance) -> None:
    run = run_tap(instance.config, "ap_payments")
    assert {row["check_src"] for row in run.rows("ap_payments")} <= {"1", "2", "3"}
    on_server = {row["CheckSrc"] for row in instance.site.rows("CheckHed", "EPIC06")}
    assert on_server & {"4", "5", "6"}
    more = run_tap(instance.with_(include_payroll=True), "ap_payments")
    assert {row["check_src"] for row in more.rows("ap_payments")} & {"4", "5", "6"}


def test_start_and_end_date_bound_documents_by_their_day(instance: Instance) -> None:
    days = sorted(str(row["InvoiceDate"])[:10] for row in instance.site.rows("APInvHed", "EPIC06"))
    lower, upper = days[len(days) // 4], days[len(days) // 2]
    config = instance.with_(
        companies=["EPIC06"], start_date=f"{lower}T00:00:00Z", end_date=f"{upper}T00:00:00Z"
    )
    run = run_tap(config, "ap_invoices", "vendors")
    found = sorted(row["invoice_date"] for row in run.rows("ap_invoices"))
    assert found == [day for day in days if lower <= day <= upper]
    assert len(run.rows("vendors")) == len(instance.site.rows("Vendor", "EPIC06"))
    # Other bounds are another stream: its bookmark says nothing of what lies outside.
    rest = run_tap(instance.with_(companies=["EPIC06"]), "ap_invoices", state=run.state)
    assert sorted(row["invoice_date"] for row in rest.rows("ap_invoices")) == days


def test_a_filter_of_the_user_is_obeyed_in_every_call(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(switches=Switches(second_book=True))
    config = instance.with_(
        filters={"gl_journal_lines": "BookID eq 'MAIN' or BookID eq 'OTHER'"}, page_size=50
    )
    run = run_tap(config, "gl_journal_lines")
    assert {row["book_id"] for row in run.rows("gl_journal_lines")} == {"MAIN"}
    both = {row["BookID"] for row in instance.site.rows("GLJrnDtl", "EPIC06")}
    assert len(both) == 2


def test_one_request_at_a_time_and_nothing_but_get(instance: Instance) -> None:
    run_tap(instance.with_(auth_method="token_resource"), "vendors", "ap_invoices", "terms")
    assert instance.site.most_calls_at_once == 1
    assert instance.site.violations == []
    assert instance.site.methods["POST"] >= 1
    assert set(instance.site.methods) == {"GET", "POST"}
