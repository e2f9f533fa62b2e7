"""Nothing is missed, nothing is counted twice, and a run that is cut goes on where it stood."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.faults import Fault
from tests.sandbox.syspro import COMPANIES
from tests.tap_syspro.harness import (
    TABLE_OF,
    Warehouse,
    held,
    keys_in_database,
    keys_of,
    last_per_key,
    run_tap,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_syspro.conftest import Instance
    from tests.tap_syspro.harness import Run


@pytest.mark.parametrize("transport", ["odata", "enet"])
def test_a_first_load_has_every_row_of_every_table_once(instance: Instance, transport: str) -> None:
    run = run_tap(instance.enet() if transport == "enet" else instance.config)
    assert run.tap.exit_code == 0
    streams = [name for name in run.tap.chosen if name in TABLE_OF and run.rows(name)]
    assert len(streams) > 20
    for name in streams:
        table, keys = TABLE_OF[name]
        found = keys_of(run.rows(name), run.tap.chosen[name].primary_keys)
        assert len(found) == len(set(found)), name
        if "analysis_category" in run.tap.chosen[name].primary_keys:  # the service knows a longer key
            keys = ("AnalysisCategory", *keys)
        assert set(found) == keys_in_database(instance, table, keys), name


def test_every_record_has_exactly_the_selected_properties(instance: Instance) -> None:
    run = run_tap(instance.config)
    schemas = {m["stream"]: set(m["schema"]["properties"]) for m in run.messages if m["type"] == "SCHEMA"}
    for name, stream in run.tap.chosen.items():
        for row in run.rows(name)[:3]:
            assert set(row) == {column.name for column in stream.wanted}, name
            assert set(row) == schemas[name], name


def test_a_quiet_run_costs_one_call_per_stream_and_company(instance: Instance) -> None:
    first = run_tap(instance.config)
    instance.script.clear()
    second = run_tap(instance.config, state=first.state)
    tables = len(second.tap.chosen) - 1  # periods come with their years
    # the service document, and the terms that due dates are worked out of
    assert second.tap.client.calls <= len(COMPANIES) * (tables + 1) + 1
    assert instance.script.count(r"metadata") == 0


def test_rows_are_posted_while_pages_are_read_and_none_is_lost(instance: Instance) -> None:
    life = instance.world.life
    for skip in (1, 3, 5):
        instance.script.add(Fault(r"GenTransaction\?", skip=skip, hook=lambda: life.live(4)))
    config = instance.with_(page_size=40)
    first = run_tap(config, "gen_transaction")
    second = run_tap(config, "gen_transaction", state=first.state)
    stream = first.tap.chosen["gen_transaction"]
    found = keys_of(held("gen_transaction", first, second), stream.primary_keys)
    assert set(found) == keys_in_database(instance, *TABLE_OF["gen_transaction"])


def test_rows_are_deleted_while_pages_are_read_and_no_other_is_lost(instance: Instance) -> None:
    before = keys_in_database(instance, *TABLE_OF["ap_invoice_pay"])
    instance.script.add(
        Fault(
            r"ApInvoicePay\?.*EDU1|EDU1/ApInvoicePay\?",
            skip=2,
            hook=lambda: setattr(instance.switches, "purged_before", dt.date(2025, 6, 1)),
        )
    )
    run = run_tap(instance.with_(page_size=5), "ap_invoice_pay")
    found = set(keys_of(run.rows("ap_invoice_pay"), run.tap.chosen["ap_invoice_pay"].primary_keys))
    left = keys_in_database(instance, *TABLE_OF["ap_invoice_pay"])
    assert left < before
    assert left <= found


def test_purged_rows_of_ledgers_stay_and_nothing_tells_the_target_to_drop_them(instance: Instance) -> None:
    config = instance.with_(emit_activate_version_messages=True)
    first = run_tap(config, "gen_transaction", "ar_customer", "gen_history")
    instance.switches.purged_before = dt.date(2026, 1, 1)
    second = run_tap(config, "gen_transaction", "ar_customer", "gen_history", state=first.state)
    rows = held("gen_transaction", first, second)
    assert len(rows) == len(first.rows("gen_transaction"))
    activated = {
        m["stream"] for run in (first, second) for m in run.messages if m["type"] == "ACTIVATE_VERSION"
    }
    assert activated == {"ar_customer"}
    assert second.tap.exit_code == 0


def test_a_back_dated_entry_is_found_within_the_lookback_and_not_beyond(instance: Instance) -> None:
    narrow = instance.with_(companies=["EDU1"], lookback_seconds=86_400)
    first = run_tap(narrow, "gen_transaction")
    bookmark = first.bookmark("gen_transaction")["companies"]["EDU1"]["bookmark"]
    journal = next(
        each
        for each in instance.company.journals.values()
        if each.branch == "HQ"
        and each.status == "posted"
        and 20 < (dt.date.fromisoformat(bookmark) - each.date).days < 90
    )
    (debit, *_) = [line for line in journal.lines if line.base_debit]
    late = debit.line_nbr + 500
    journal.lines.append(type(debit)(**{**_fields(debit), "line_nbr": late}))
    instance.world.life.live(1)
    assert not _has_line(run_tap(narrow, "gen_transaction", state=first.state), late)
    wide = instance.with_(companies=["EDU1"])
    assert _has_line(run_tap(wide, "gen_transaction", state=first.state), late)


def _fields(line: Any) -> dict[str, Any]:
    return {name: getattr(line, name) for name in line.__struct_fields__}


def _has_line(run: Run, number: int) -> bool:
    return any(row["gl_line"] % 1000 == number for row in run.rows("gen_transaction"))


def test_the_bookmark_is_the_latest_date_seen_and_never_in_the_future(instance: Instance) -> None:
    life = instance.world.life
    bill = life.post_bill(branch="HQ")
    bill.date = instance.company.clock.date() + dt.timedelta(days=400)
    life.live(1)
    run = run_tap(instance.with_(companies=["EDU1"]), "ap_invoice")
    future = bill.date.isoformat()
    assert any(row["invoice_date"] == future for row in run.rows("ap_invoice"))
    bookmark = run.bookmark("ap_invoice")
    assert bookmark["replication_key_value"][:10] <= instance.company.clock.date().isoformat()
    assert bookmark["replication_key_value"].endswith("T00:00:00.000000+00:00")


# bounds -----------------------------------------------------------------------------------------------------


def test_start_and_end_date_bound_ledgers_and_documents_but_not_masters(instance: Instance) -> None:
    config = instance.with_(start_date="2026-01-01T00:00:00Z", end_date="2026-03-31T00:00:00Z")
    run = run_tap(config, "gen_transaction", "ap_invoice", "ap_supplier", "gen_history")
    days = [row["jnl_date"] for row in run.rows("gen_transaction")]
    assert days
    assert min(days) >= "2026-01-01"
    assert max(days) <= "2026-03-31"
    assert max(row["invoice_date"] for row in run.rows("ap_invoice")) <= "2026-03-31"
    old = [row for row in run.rows("ap_invoice") if row["invoice_date"] < "2025-12-31"]
    assert all(row["ledger_balance"] or row["year_inv_bal_zero"] >= 2025 for row in old)
    assert len(run.rows("ap_supplier")) == instance.count("ApSupplier")
    assert {row["gl_year"] for row in run.rows("gen_history")} > {2026}
    assert run.bookmark("gen_transaction")["replication_key_value"][:10] <= "2026-03-31"


def test_parts_of_a_backfill_meet(instance: Instance) -> None:
    first = run_tap(instance.with_(end_date="2025-12-31T00:00:00Z"), "gen_transaction")
    second = run_tap(instance.config, "gen_transaction", state=first.state)
    primary = first.tap.chosen["gen_transaction"].primary_keys
    found = set(keys_of(held("gen_transaction", first, second), primary))
    assert found == keys_in_database(instance, *TABLE_OF["gen_transaction"])


# cuts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["odata", "enet"])
def test_a_call_budget_stops_cleanly_and_runs_go_on_until_all_is_read(
    instance: Instance, transport: str
) -> None:
    settings: dict[str, Any] = {"page_size": 40, "companies": ["EDU1"]}
    config = instance.enet(**settings) if transport == "enet" else instance.with_(**settings)
    streams = ("gen_transaction", "gen_master", "por_master_hdr", "por_master_detail")
    run = run_tap(config, *streams)
    catalog = json.loads(run.tap.catalog_json_text)
    limited = {**config, "max_calls_per_run": 7}
    runs: list[Run] = []
    state: dict[str, Any] = {}
    for _ in range(15):
        runs.append(run_tap(limited, state=state, catalog=catalog))
        state = runs[-1].state
        assert runs[-1].tap.exit_code == 0
        if all("read_at" in state["bookmarks"].get(stream, {}) for stream in streams):
            break
    assert 2 < len(runs) < 15
    warehouse = Warehouse()
    for each in runs:
        warehouse.load(each)
    for stream in streams:
        assert len(warehouse.rows(stream)) == len(run.rows(stream)), stream


def test_a_run_cut_by_the_network_goes_on_behind_its_last_page(instance: Instance) -> None:
    config = instance.with_(page_size=40, max_retries=0, companies=["EDU1"])
    instance.script.add(Fault(r"GenTransaction\?", cut=True, skip=3))
    first = run_tap(config, "gen_transaction")
    assert first.tap.exit_code == 1
    assert first.bookmark("gen_transaction").get("replication_key_value") is None
    read = len(first.rows("gen_transaction"))
    assert read == 120
    second = run_tap(config, "gen_transaction", state=first.state)
    total = len(instance.app.table("EDU1", "GenTransaction"))
    assert len(second.rows("gen_transaction")) == total - read
    assert second.bookmark("gen_transaction")["replication_key_value"]


def test_a_whole_read_that_goes_on_from_an_earlier_run_is_no_proof_that_all_rows_came(
    instance: Instance,
) -> None:
    config = instance.with_(page_size=40, max_retries=0, companies=["EDU1"])
    instance.script.add(Fault(r"GenMaster\?", cut=True, skip=1))
    first = run_tap(config, "gen_master")
    second = run_tap(config, "gen_master", state=first.state)
    assert len(second.rows("gen_master")) < len(instance.app.table("EDU1", "GenMaster"))
    assert "completed_at" not in second.bookmark("gen_master")
    assert "starting_replication_value" not in second.bookmark("gen_master")
    assert run_tap(config, "gen_master", state=second.state).bookmark("gen_master")["completed_at"]


def test_state_covers_only_rows_that_were_written_before_it(instance: Instance) -> None:
    """Whoever stops reading the tap's output at any STATE goes on from there without a gap."""
    config = instance.with_(page_size=50, companies=["EDU1"])
    run = run_tap(config, "gen_transaction")
    primary = run.tap.chosen["gen_transaction"].primary_keys
    expected = {k for k in keys_in_database(instance, *TABLE_OF["gen_transaction"]) if k[0] == "EDU1"}
    states = [i for i, m in enumerate(run.messages) if m["type"] == "STATE"]
    for index in states[:-1:2]:
        rest = run_tap(config, "gen_transaction", state=run.messages[index]["value"])
        before = [m["record"] for m in run.messages[:index] if m["type"] == "RECORD"]
        found = last_per_key([*before, *rest.rows("gen_transaction")], primary)
        assert {tuple(text(part) for part in key) for key in found} == expected


def test_a_value_that_fits_no_column_fails_its_stream_alone_and_is_named(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        {"Supplier": "0000042", "SupplierName": "Initech", "DateSuppAdded": "2024-01-31", "LastPurchDate": 7}
    ]
    headers = {"content-type": "application/json"}
    body = json.dumps({"value": rows}).encode()
    instance.script.add(Fault(r"ApSupplier\?", status=200, body=body, headers=headers))
    run = run_tap(instance.with_(companies=["EDU1"]), "ap_supplier", "ar_customer")
    assert run.tap.exit_code == 1
    assert run.rows("ar_customer")
    assert run.rows("ap_supplier") == []
    assert "Supplier 0000042: LastPurchDate is '7', which is no date" in caplog.text


def test_a_failed_stream_keeps_its_bookmark_and_the_others_go_on(instance: Instance) -> None:
    first = run_tap(instance.config, "gen_transaction", "ap_invoice")
    instance.script.add(Fault(r"GenTransaction\?", status=400, body=b'{"error":{"message":"no"}}', times=99))
    instance.world.life.live(5)
    second = run_tap(instance.config, "gen_transaction", "ap_invoice", state=first.state)
    assert second.tap.exit_code == 1
    mark = first.bookmark("gen_transaction")["companies"]
    assert second.bookmark("gen_transaction")["companies"] == mark
    assert "starting_replication_value" in second.bookmark("gen_transaction")
    assert "starting_replication_value" not in second.bookmark("ap_invoice")


def test_companies_have_bookmarks_of_their_own_and_a_new_one_is_read_whole(instance: Instance) -> None:
    first = run_tap(instance.with_(companies=["EDU1"]), "gen_transaction")
    second = run_tap(instance.config, "gen_transaction", state=first.state)
    of_second = [row for row in second.rows("gen_transaction") if row["_company"] == "EDU2"]
    assert len(of_second) == len(instance.app.table("EDU2", "GenTransaction"))
    assert set(second.bookmark("gen_transaction")["companies"]) == {"EDU1", "EDU2"}


def test_a_bookmark_that_a_person_has_set_is_used(instance: Instance) -> None:
    state = {
        "bookmarks": {
            "gen_transaction": {
                "replication_key": "jnl_date",
                "replication_key_value": "2026-06-01T00:00:00Z",
            }
        }
    }
    run = run_tap(instance.with_(companies=["EDU1"], lookback_seconds=86_400), "gen_transaction", state=state)
    assert {row["jnl_date"] >= "2026-05-31" for row in run.rows("gen_transaction")} == {True}


def test_full_tables_are_stamped_when_every_company_was_read(instance: Instance) -> None:
    first = run_tap(instance.config, "ap_supplier")
    assert first.bookmark("ap_supplier")["completed_at"]
    instance.switches.forbidden_sets = frozenset({"ApSupplier"})
    second = run_tap(instance.config, "ap_supplier", state=first.state)
    assert second.bookmark("ap_supplier")["completed_at"] == first.bookmark("ap_supplier")["completed_at"]


def test_a_catalog_can_ask_for_full_tables(instance: Instance) -> None:
    config = instance.with_(companies=["EDU1"])
    first = run_tap(config, "ap_invoice", "por_master_hdr", "por_master_detail")
    catalog = json.loads(first.tap.catalog_json_text)
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
        entry.pop("replication_key", None)
    instance.world.life.advance(60 * 24 * 200)
    second = run_tap(config, state=first.state, catalog=catalog)
    for stream in ("ap_invoice", "por_master_hdr", "por_master_detail"):
        assert len(second.rows(stream)) == len(first.rows(stream)), stream


def test_documents_are_read_whole_again_after_some_days(instance: Instance) -> None:
    config = instance.with_(companies=["EDU1"], full_refresh_every_days=7)
    first = run_tap(config, "ap_invoice")
    instance.world.life.advance(60 * 24 * 120)
    instance.world.life.post_bill(branch="HQ")
    second = run_tap(config, "ap_invoice", state=first.state)
    assert len(second.rows("ap_invoice")) == len(instance.app.table("EDU1", "ApInvoice"))
    third = run_tap(config, "ap_invoice", state=second.state)
    assert len(third.rows("ap_invoice")) < len(second.rows("ap_invoice"))


def test_one_company_with_the_ledger_of_all_gives_keys_that_stay_apart(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance()
    instance.switches.gl_in_first_company = True
    run = run_tap(instance.with_(companies=["EDU1"]), "gen_transaction", "gen_master", "gen_journal_detail")
    for name in ("gen_transaction", "gen_master", "gen_journal_detail"):
        found = keys_of(run.rows(name), run.tap.chosen[name].primary_keys)
        assert len(found) == len(set(found)) > 0
    assert {row["company"] for row in run.rows("gen_transaction")} == {"EDU1", "EDU2"}


def test_tables_that_only_one_company_has_do_not_stop_the_other(instance: Instance) -> None:
    first = run_tap(instance.config, "ap_terms", "ap_supplier")
    instance.script.add(Fault(r"EDU2/TblApTerms", status=404, body=b"<html>no</html>", times=9))
    second = run_tap(instance.config, "ap_terms", "ap_supplier", state=first.state)
    assert second.tap.exit_code == 0
    assert {row["_company"] for row in second.rows("ap_terms")} == {"EDU1"}
    assert {row["_company"] for row in second.rows("ap_supplier")} == {"EDU1", "EDU2"}
