"""A stream replicates by whatever column its installation has: SysRevID, a date, a column of its own, or none."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from tap_epicor_kinetic.errors import UserError
from tests.sandbox.epicor_kinetic.switches import Switches, worst_mood
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import Warehouse, catalog_of, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_epicor_kinetic.conftest import Instance


def filters(instance: Instance, entity_set: str) -> list[str]:
    return [
        unquote(call.query).partition("$filter=")[2].partition("&")[0]
        for call in instance.script.calls
        if call.path.endswith(f"/{entity_set}")
    ]


def test_change_date_reads_back_a_day_with_ge_in_whole_seconds(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=worst_mood())
    config = instance.with_(
        replication_keys={"ap_invoices": "ChangeDate"}, companies=["EPIC06"], page_size=10
    )
    clock = instance.company.clock
    first = run_tap(config, "ap_invoices")
    # Rows that nobody edited have no ChangeDate, so the first read must not ask for one.
    assert len(first.rows("ap_invoices")) == len(instance.site.rows("APInvHed", "EPIC06"))
    assert not [text for text in filters(instance, "APInvoices") if "ChangeDate" in text]
    place = first.bookmark("ap_invoices")
    assert place["replication_key"] == "change_date"
    assert dt.datetime.fromisoformat(place["replication_key_value"]) == clock.replace(microsecond=0)
    instance.script.clear()
    instance.world.life.advance(60)
    instance.world.life.post_bill()
    instance.world.life.change_bill()
    second = run_tap(config, "ap_invoices", state=first.state)
    asked = filters(instance, "APInvoices")
    assert all(
        re.search(r"ChangeDate ge \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) or "desc" in text for text in asked
    )
    (lower,) = set(re.findall(r"ChangeDate ge (\S+Z)", " ".join(asked)))
    assert clock - dt.datetime.fromisoformat(lower) >= dt.timedelta(days=1, minutes=10)
    held = Warehouse()
    held.load(first)
    held.load(second)
    for row in instance.site.rows("APInvHed", "EPIC06"):
        if row["ChangeDate"] is not None:
            (mine,) = held.rows("ap_invoices", vendor_num=row["VendorNum"], invoice_num=row["InvoiceNum"])
            assert mine["sys_rev_id"] == row["SysRevID"]


def test_a_read_by_date_that_is_cut_goes_on_where_it_was(instance: Instance) -> None:
    config = instance.with_(replication_keys={"parts": "ChangedOn"}, companies=["EPIC06"], page_size=4)
    cut = run_tap({**config, "max_calls_per_run": 4}, "parts")
    assert "replication_key_value" not in cut.bookmark("parts")
    rest = run_tap(config, "parts", state=cut.state)
    before, after = ([row["part_num"] for row in run.rows("parts")] for run in (cut, rest))
    assert before
    assert not set(before) & set(after)
    assert sorted(before + after) == sorted(
        str(row["PartNum"]) for row in instance.site.rows("Part", "EPIC06")
    )
    assert rest.bookmark("parts")["replication_key_value"]
    assert "reading" not in rest.bookmark("parts")


def test_an_installation_with_an_updated_on_is_served_by_configuration(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=Switches(updated_on=frozenset({"Vendor"})))
    config = instance.with_(replication_keys={"vendors": "UpdatedOn"}, companies=["EPIC06"])
    first = run_tap(config, "vendors")
    assert len(first.rows("vendors")) == len(instance.site.rows("Vendor", "EPIC06"))
    instance.world.life.advance(60 * 24 * 30)
    renamed = instance.world.life.rename_vendor()
    second = run_tap(config, "vendors", state=first.state)
    assert second.tap.exit_code == 0
    assert 1 <= len(second.rows("vendors")) < len(first.rows("vendors"))
    assert renamed is not None
    assert first.bookmark("vendors")["replication_key"] == "updated_on"


def test_updated_on_where_there_is_none_is_explained(instance: Instance) -> None:
    with pytest.raises(UserError, match=r"vendors has no column UpdatedOn.*SysRevID, which is the default"):
        run_tap(instance.with_(replication_keys={"vendors": "UpdatedOn"}), "vendors")


def test_a_table_without_a_revision_is_read_whole_by_its_key(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(
        switches=Switches(tables_without_revision=frozenset({"Vendor"}), row_cap=7, default_rows=7)
    )
    run = run_tap(instance.with_(page_size=7, emit_activate_version_messages=True), "vendors")
    assert len(run.rows("vendors")) == 2 * len(instance.site.rows("Vendor", "EPIC06"))
    assert run.tap.streams["vendors"].replication_method == "FULL_TABLE"
    assert run.activated == {"vendors"}
    assert run.is_proven_whole("vendors")


def test_a_table_without_a_revision_on_a_server_without_skip_fails_and_says_why(
    make_instance: Callable[..., Instance], caplog: pytest.LogCaptureFixture
) -> None:
    switches = Switches(
        tables_without_revision=frozenset({"Vendor"}), skip_honoured=False, row_cap=7, default_rows=7
    )
    instance = make_instance(switches=switches)
    run = run_tap(instance.with_(page_size=7), "vendors", "terms")
    assert run.tap.exit_code == 1
    assert run.rows("terms")
    assert "ignores $skip" in caplog.text


def test_no_replication_key_reads_all_in_every_run(instance: Instance) -> None:
    config = instance.with_(
        replication_keys={"terms": ""}, companies=["EPIC06"], emit_activate_version_messages=True
    )
    first = run_tap(config, "terms")
    second = run_tap(config, "terms", state=first.state)
    assert first.rows("terms") == second.rows("terms")
    assert second.activated == {"terms"}
    assert second.is_proven_whole("terms")


def test_full_table_by_the_catalog_reads_all_and_proves_it(instance: Instance) -> None:
    config = instance.with_(companies=["EPIC06"], emit_activate_version_messages=True)
    state = run_tap(config, "terms").state
    catalog = catalog_of(config, "terms")
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
        for part in entry["metadata"]:
            if not part["breadcrumb"]:
                part["metadata"]["forced-replication-method"] = "FULL_TABLE"
    run = run_tap(config, "terms", state=state, catalog=catalog)
    assert len(run.rows("terms")) == len(instance.site.rows("Terms", "EPIC06"))
    assert run.activated == {"terms"}
    assert run.is_proven_whole("terms")


def test_another_replication_key_forgets_the_bookmark_of_the_one_before(instance: Instance) -> None:
    config = instance.with_(companies=["EPIC06"])
    state = run_tap(config, "ap_invoices").state
    other = run_tap({**config, "replication_keys": {"ap_invoices": "ChangeDate"}}, "ap_invoices", state=state)
    assert len(other.rows("ap_invoices")) == len(instance.site.rows("APInvHed", "EPIC06"))


def test_start_and_end_date_bound_a_stream_that_replicates_by_a_date(instance: Instance) -> None:
    stamps = sorted(
        str(row["CreateDate"])[:10] for row in instance.site.rows("GLJrnDtl", "EPIC06") if row["CreateDate"]
    )
    lower, upper = stamps[len(stamps) // 3], stamps[2 * len(stamps) // 3]
    config = instance.with_(
        replication_keys={"gl_journal_lines": "CreateDate"},
        companies=["EPIC06"],
        start_date=f"{lower}T00:00:00Z",
        end_date=f"{upper}T00:00:00Z",
    )
    run = run_tap(config, "gl_journal_lines")
    assert sorted(row["create_date"] for row in run.rows("gl_journal_lines")) == [
        stamp for stamp in stamps if lower <= stamp <= upper
    ]
    bookmark = run.bookmark("gl_journal_lines")["replication_key_value"]
    assert bookmark == f"{upper}T00:00:00.000000+00:00"


EXTRA: dict[str, Any] = {"name": "vend_groups", "service": "Erp.BO.VendGrupSvc", "entity_set": "VendGrups"}


def test_any_other_entity_set_is_a_stream_by_configuration(instance: Instance) -> None:
    config = instance.with_(extra_streams=[EXTRA], companies=["EPIC06"])
    run = run_tap(config, "vend_groups")
    assert list(run.tap.streams["vend_groups"].primary_keys) == ["company", "group_code"]
    assert {row["group_code"] for row in run.rows("vend_groups")} == {
        row["GroupCode"] for row in instance.site.rows("VendGrup", "EPIC06")
    }
    assert run.bookmark("vend_groups")["replication_key"] == "sys_rev_id"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"extra_streams": [{**EXTRA, "keys": ["Nope"]}]}, "has no column Nope"),
        ({"extra_streams": [{**EXTRA, "replication_key": "UpdatedOn"}]}, "has no column UpdatedOn"),
        ({"extra_streams": [{**EXTRA, "name": "vendors"}]}, "two streams named vendors"),
        ({"extra_streams": [{**EXTRA, "entity_set": "a/b?c"}]}, "no name"),
        ({"replication_keys": {"nope": "X"}}, "there is no stream nope"),
        ({"sources": {"vendors": "Vendors"}}, "Erp.BO.NameSvc/Names"),
        ({"replication_keys": {"ap_invoice_schedules": "ChangedOn"}}, "header's SysRevID"),
    ],
)
def test_a_setting_that_names_what_is_not_there_is_explained(
    instance: Instance, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        run_tap(instance.with_(**settings), "vend_groups")


def test_a_stream_can_be_read_from_another_service(instance: Instance) -> None:
    config = instance.with_(
        sources={"ap_payments": "Erp.BO.PaymentEntrySvc/PaymentEntries"}, companies=["EPIC06"]
    )
    run = run_tap(config, "ap_payments")
    assert run.rows("ap_payments")
    assert instance.script.count("PaymentEntries") > 0
    assert instance.script.count("CheckRecSearches") == 0


def test_filters_hold_no_date_literal_that_epicor_answers_with_500(instance: Instance) -> None:
    """Bookmarks have fractions of seconds and settings have offsets; neither may reach a filter."""
    config = instance.with_(
        replication_keys={"ap_invoices": "ChangeDate"},
        start_date="2025-01-01T00:00:00.123+10:00",
        companies=["EPIC06"],
    )
    instance.script.add(Fault(r"/APInvoices\?", delay=0.0))
    first = run_tap(config, "ap_invoices", "purchase_orders")
    second = run_tap(config, "ap_invoices", "purchase_orders", state=first.state)
    assert first.tap.exit_code == second.tap.exit_code == 0
    for text in filters(instance, "APInvoices") + filters(instance, "POes"):
        for found in re.findall(r"\d{4}-\d\d-\d\d\S*", text):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)*", found)
