"""Sites differ: every unknown of the OData service is played, and the same rows come."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_syspro.harness import TABLE_OF, keys_in_database, keys_of, run_tap

if TYPE_CHECKING:
    from tests.tap_syspro.conftest import Instance
    from tests.tap_syspro.harness import Run

STREAMS = ("inv_movements", "ap_invoice", "por_master_hdr", "por_master_detail")

# what the site is like, and what the settings say of it
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a lower cap": ({"row_cap": 3}, {"page_size": 7}),
    "a lower cap, no count": ({"row_cap": 5, "count_supported": False}, {}),
    "no count": ({"count_supported": False}, {"page_size": 6}),
    "a smaller top, refused": ({"max_top": 10}, {"page_size": 80}),
    "a smaller top, cut": ({"max_top": 10, "beyond_max_top": "cut"}, {}),
    "links": ({"next_link": "absolute", "row_cap": 4}, {"pagination": "next_link"}),
    "relative links": ({"next_link": "relative", "row_cap": 4}, {"pagination": "next_link"}),
    "links to a host behind": ({"next_link": "internal_host", "row_cap": 4}, {"pagination": "next_link"}),
    "counted rows": ({}, {"pagination": "skip", "page_size": 4}),
    "no filters with or": ({"key_filters_supported": False}, {"page_size": 4}),
    "short filters": ({"max_filter_nodes": 30}, {"page_size": 4}),
    "filters ignored": ({"filter_ignored": True}, {"page_size": 4}),
    "dates with an offset": ({"date_form": "offset"}, {"page_size": 4}),
    "plain dates": ({"date_form": "date"}, {"page_size": 4}),
    "decimals as text": ({"decimals_as_text": True, "integers_with_point": True}, {"page_size": 4}),
    "decimals as text on request": ({}, {"ieee754_compatible": True}),
    "lower-case names": ({"set_names": "lower"}, {}),
    "upper-case names": ({"set_names": "upper"}, {}),
    "no keys told": ({"keys_in_metadata": False}, {"page_size": 4}),
    "company in the query": (
        {"company_in": "query"},
        {"odata_path_template": "/SYSPRO8Odata/SYSPROOData/?company={company}", "page_size": 4},
    ),
    "no row versions": ({"time_stamp": "absent"}, {}),
    "blanks before order numbers": ({"orders_padded_with_blanks": True}, {"page_size": 4}),
    "no compression": ({"gzip": False}, {}),
    "short queries": ({"max_query_bytes": 1000}, {"max_query_length": 950, "page_size": 4}),
}


def check(instance: Instance, run: Run) -> None:
    assert run.failures == {}
    for name in STREAMS:
        table, keys = TABLE_OF[name]
        found = keys_of(run.rows(name), run.tap.chosen[name].primary_keys)
        stored_keys = {key for key in keys_in_database(instance, table, keys) if key[0] == "EDU1"}
        assert set(found) == stored_keys, name
    row = run.rows("ap_invoice")[0]
    stored = next(
        each
        for each in instance.app.table(row["_company"], "ApInvoice")
        if each["Invoice"] == row["invoice"] and each["Supplier"] == row["supplier"]
    )
    assert row["invoice_date"] == str(stored["InvoiceDate"])[:10]
    assert row["orig_inv_value"] == stored["OrigInvValue"]
    assert row["invoice_year"] == stored["InvoiceYear"]
    assert isinstance(row["invoice_year"], int)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_rows_come_from_a_site_with(instance: Instance, variant: str) -> None:
    switches, settings = VARIANTS[variant]
    for name, value in switches.items():
        setattr(instance.switches, name, value)
    config = instance.with_(companies=["EDU1"], **settings)
    first = run_tap(config, *STREAMS)
    check(instance, first)
    instance.world.life.live(6)
    second = run_tap(config, *STREAMS, state=first.state)
    assert second.failures == {}
    open_now = {
        (row["Supplier"].rstrip(), row["Invoice"].rstrip()): row["MthInvBal1"]
        for row in instance.app.table("EDU1", "ApInvoice")
    }
    held = {
        (row["supplier"], row["invoice"]): row["mth_inv_bal1"]
        for run in (first, second)
        for row in run.rows("ap_invoice")
    }
    assert {key: Decimal(value) for key, value in held.items()} == open_now


def test_a_service_that_ignores_skip_is_found_out(instance: Instance) -> None:
    instance.switches.skip_ignored = True
    run = run_tap(instance.with_(pagination="skip", page_size=20), "gen_transaction")
    assert run.tap.exit_code == 1
    assert "ignores $skip" in run.tap.chosen["gen_transaction"].feed.reason


def test_a_service_that_ignores_everything_is_found_out(instance: Instance) -> None:
    instance.switches.skip_ignored = True
    instance.switches.filter_ignored = True
    run = run_tap(instance.with_(page_size=20), "gen_transaction")
    assert run.tap.exit_code == 1


def test_links_to_another_host_are_refused_when_they_may_not_be_rewritten(instance: Instance) -> None:
    instance.switches.next_link = "internal_host"
    instance.switches.row_cap = 15
    config = instance.with_(pagination="next_link", rewrite_next_link=False)
    run = run_tap(config, "gen_transaction")
    assert run.tap.exit_code == 1
    assert "another host" in run.tap.chosen["gen_transaction"].feed.reason


def test_forced_paging_by_key_fails_where_the_filter_is_refused(instance: Instance) -> None:
    instance.switches.key_filters_supported = False
    run = run_tap(instance.with_(pagination="keyset", page_size=20), "gen_transaction")
    assert run.tap.exit_code == 1
    assert "pagination" in run.tap.chosen["gen_transaction"].feed.reason


def test_a_query_that_is_too_long_for_the_site_says_so(instance: Instance) -> None:
    instance.switches.max_query_bytes = 120
    run = run_tap(instance.config, "ap_invoice")
    assert run.tap.exit_code == 1
    reason = run.tap.chosen["ap_invoice"].feed.reason
    assert "404.15" in reason
    assert "max_query_length" in reason


def test_nothing_is_selected_that_was_not_wanted_and_no_query_is_too_long(instance: Instance) -> None:
    run_tap(instance.with_(companies=["EDU1"]))
    queries = [call.query for call in instance.script.calls if "$top" in call.query]
    assert queries
    assert max(map(len, queries)) <= 1800
    supplier = next(call.query for call in instance.script.calls if "/ApSupplier?" in call.line)
    assert "$select=Supplier" in supplier
    assert "BankAccount" not in supplier
