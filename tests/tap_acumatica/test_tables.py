"""Tables and generic inquiries that the settings name."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_acumatica.errors import UserError
from tap_acumatica.streams.csdl import parse
from tap_acumatica.streams.tables import Table, configured
from tests.sandbox.faults import Fault
from tests.tap_acumatica.harness import last_per_key, run_tap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.singer import Row
    from tests.tap_acumatica.conftest import Instance

XML = {"content-type": "application/xml"}
ODATA = {"content-type": "application/json"}
NEW = "/t/MeridianLive/api/odata/gi"
INQUIRIES_CSDL = b"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="PX.Data" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="Row"><Property Name="Company" Type="Edm.String"/></EntityType>
<EntityType Name="APOpenDocuments" BaseType="PX.Data.Row"><Property Name="RefNbr" Type="Edm.String"/>
<Property Name="Date" Type="Edm.DateTimeOffset"/><Property Name="LastModifiedOn" Type="Edm.DateTimeOffset"/>
<Property Name="Balance" Type="Edm.Decimal"/><Property Name="Lines" Type="Edm.Int32"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="AP Open Documents" EntityType="PX.Data.APOpenDocuments"/>
</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""
ROWS = [
    {
        "Company": "Meridian",
        "RefNbr": f"00000{number} ",
        "Date": "2026-01-05T00:00:00",
        "LastModifiedOn": f"2026-01-0{number}T06:13:09.57",
        "Balance": "12.50",
        "Lines": number,
    }
    for number in (1, 2, 3)
]


def inquiry_config(instance: Instance, **entry: Any) -> dict[str, Any]:
    return instance.with_(generic_inquiries=[{"name": "AP Open Documents", "keys": ["RefNbr"], **entry}])


def answer(
    instance: Instance, rows: list[Row], pattern: str = "odata/gi/AP", body: bytes | None = None
) -> None:
    """Let the site answer as one does that has this inquiry."""
    instance.script.add(Fault(r"gi/\$metadata", status=200, body=INQUIRIES_CSDL, headers=XML, times=9))
    content = body if body is not None else json.dumps({"@odata.context": "x", "value": rows}).encode()
    instance.script.add(Fault(pattern, status=200, body=content, headers=ODATA, times=9))


def calls_of(instance: Instance, part: str) -> list[str]:
    return [call.line for call in instance.script.calls if part in call.line]


def test_a_generic_inquiry_becomes_a_stream_with_the_types_of_its_columns(instance: Instance) -> None:
    answer(instance, ROWS)
    run = run_tap(inquiry_config(instance), "ap_open_documents")
    assert run.rows("ap_open_documents")[0] == {
        "tenant": "MeridianLive",
        "company": "Meridian",
        "ref_nbr": "000001",
        "date": "2026-01-05",
        "last_modified_on": "2026-01-01T06:13:09.570000+00:00",
        "balance": Decimal("12.50"),
        "lines": 1,
    }
    assert run.tap.streams["ap_open_documents"].primary_keys == ("tenant", "ref_nbr")
    assert "completed_at" in run.bookmark("ap_open_documents")
    (line,) = calls_of(instance, f"{NEW}/AP")
    assert "AP Open Documents?$orderby=RefNbr&$top=1000&$skip=0" in line


def test_an_inquiry_with_a_replication_key_asks_for_what_is_new_and_a_day_more(instance: Instance) -> None:
    answer(instance, ROWS)
    config = inquiry_config(instance, replication_key="LastModifiedOn", stream="open_bills")
    first = run_tap({**config, "naive_timezone": "Europe/Berlin"}, "open_bills")
    row = first.rows("open_bills")[0]
    assert row["last_modified_date_time"] == row["last_modified_on"] == "2026-01-01T05:13:09.570000+00:00"
    bookmark = first.bookmark("open_bills")["replication_key_value"]
    instance.script.clear()
    answer(instance, [])
    run_tap(config, "open_bills", state=first.state)
    (line,) = calls_of(instance, f"{NEW}/AP")[:1]
    assert f"LastModifiedOn%20ge%20{_day_before(bookmark)}" in line


def _day_before(moment: str) -> str:
    import datetime as dt  # noqa: PLC0415 - needed here alone

    return (dt.datetime.fromisoformat(moment) - dt.timedelta(days=1, minutes=10)).strftime("%Y-%m-%dT%H")


def test_parameters_and_the_older_address_are_written_as_the_server_reads_them(instance: Instance) -> None:
    config = inquiry_config(
        instance, parameters={"Branch": "O'Neil", "Closed": False, "Year": 2026}, order=["Date"]
    )
    instance.script.add(Fault(r"MeridianLive/\$metadata", status=200, body=INQUIRIES_CSDL, headers=XML))
    answer(instance, ROWS, r"acme/odata/MeridianLive/AP")
    run = run_tap({**config, "odata_style": "legacy"}, "ap_open_documents")
    assert len(run.rows("ap_open_documents")) == 3
    (line,) = calls_of(instance, "_WithParameters")
    assert "AP Open Documents_WithParameters(Branch='O''Neil',Closed=false,Year=2026)?$orderby=Date&" in line


def test_an_inquiry_sorted_by_a_formula_column_fails_with_what_to_change(instance: Instance) -> None:
    answer(instance, [], body=b"")
    run = run_tap(inquiry_config(instance), "ap_open_documents", "cost_centers")
    assert run.tap.exit_code == 1
    assert "formula column" in run.tap.chosen["ap_open_documents"].feed.reason
    assert "completed_at" not in run.state["bookmarks"].get("ap_open_documents", {})
    assert run.rows("cost_centers")


def test_an_inquiry_that_is_not_exposed_is_left_out_with_a_warning(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.script.add(Fault(r"gi/\$metadata", status=200, body=INQUIRIES_CSDL, headers=XML))
    config = instance.with_(generic_inquiries=[{"name": "Nowhere"}])
    run = run_tap(config, "cost_centers")
    assert "nowhere" not in run.tap.streams
    assert "is it published" in caplog.text


def test_an_inquiry_without_keys_is_read_whole_and_has_none(instance: Instance) -> None:
    answer(instance, ROWS)
    config = instance.with_(generic_inquiries=[{"name": "AP Open Documents"}])
    run = run_tap(config, "ap_open_documents")
    schema = next(m for m in run.messages if m["type"] == "SCHEMA")
    assert schema["key_properties"] == []
    assert len(run.rows("ap_open_documents")) == 3


# tables -----------------------------------------------------------------------------------------------------


def test_a_table_is_read_incrementally_with_all_its_columns(instance: Instance) -> None:
    entry = {
        "name": "PX_Objects_AP_APTran",
        "stream": "ap_lines",
        "keys": ["TranType", "RefNbr", "LineNbr"],
        "replication_key": "LastModifiedDateTime",
    }
    config = instance.with_(dacs=[entry])
    first = run_tap(config, "ap_lines")
    lines = [line for bill in instance.company.bills.values() for line in bill.lines]
    assert sum(row["tran_amt"] for row in first.rows("ap_lines")) == sum(line.base_amount for line in lines)
    keys = ("tenant", "tran_type", "ref_nbr", "line_nbr")
    assert len(last_per_key(first.rows("ap_lines"), keys)) == len(lines)
    instance.world.life.advance(60)
    bill = instance.world.life.post_bill()
    instance.world.life.advance(30)
    second = run_tap(config, "ap_lines", state=first.state)
    assert {row["ref_nbr"] for row in second.rows("ap_lines")} == {bill.reference_nbr}


def test_the_description_of_tables_is_asked_for_once(instance: Instance) -> None:
    config = instance.with_(dacs=[{"name": "ARTran", "keys": ["TranType", "RefNbr", "LineNbr"]}])
    for _ in range(2):
        assert run_tap(config, "ar_tran").rows("ar_tran")
    assert instance.script.count(r"\$metadata") == 1


def test_a_table_that_the_role_may_not_read_is_left_out(instance: Instance) -> None:
    instance.switches.forbidden_dacs = frozenset({"ARTran"})
    config = instance.with_(dacs=[{"name": "ARTran", "keys": ["TranType", "RefNbr", "LineNbr"]}])
    run = run_tap(config, "ar_tran", "cost_centers")
    assert run.tap.exit_code == 0
    assert run.rows("ar_tran") == []
    assert "completed_at" not in run.state["bookmarks"].get("ar_tran", {})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dacs": [{"name": "ARTran", "keys": ["Nope"]}]}, "no column Nope; it has "),
        ({"dacs": [{"name": "ARTran", "replication_key": "LastModifiedDateTime"}]}, "needs keys too"),
        ({"dacs": [{"name": "ARTran", "stream": "bills"}]}, "two streams named bills"),
        ({"dacs": [{"name": "ARTran"}, {"name": "ARTran"}]}, "two streams named ar_tran"),
    ],
)
def test_settings_that_cannot_be_meant_stop_the_run(
    instance: Instance, settings: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        run_tap(instance.with_(**settings), "bills")


def test_names_of_streams_come_from_titles() -> None:
    names = ["GL-Trial Balance", "ARTran", "PX_Objects_GL_Batch", " AP  Open (all) "]
    found = [table.stream for table in configured({"dacs": [{"name": name} for name in names]})]
    assert found == ["gl_trial_balance", "ar_tran", "px_objects_gl_batch", "ap_open_all"]


def test_columns_that_a_type_inherits_are_its_own() -> None:
    columns = parse(INQUIRIES_CSDL)["AP Open Documents"]
    assert [name for name, _ in columns][:2] == ["Company", "RefNbr"]


def test_a_table_without_parameters_has_its_plain_name() -> None:
    assert Table("x", "GL Batches", ()).address == "GL Batches"


# the sandbox's own inquiries --------------------------------------------------------------------------------


def test_an_inquiry_of_the_instance_says_what_the_books_say(instance: Instance) -> None:
    entry = {
        "name": "GL Trial Balance",
        "keys": ["Branch", "Account", "Subaccount", "FinancialPeriod"],
    }
    config = instance.with_(generic_inquiries=[entry], gl_balances_dense=False, page_size=50)
    run = run_tap(config, "gl_trial_balance", "gl_balances")
    found = {
        (row["branch"], row["account"], row["subaccount"], row["financial_period"]): row["ending_balance"]
        for row in run.rows("gl_trial_balance")
    }
    expected = {
        (row["branch"], row["account"], row["subaccount"], row["period"]): row["fin_ytd_balance"]
        for row in run.rows("gl_balances")
    }
    assert found == expected
    assert found


@pytest.mark.parametrize("style", ["new", "legacy"])
def test_changes_of_an_inquiry_are_found_on_both_addresses(instance: Instance, style: str) -> None:
    entry = {
        "name": "AP Open Documents",
        "keys": ["Type", "ReferenceNbr"],
        "replication_key": "LastModifiedOn",
    }
    config = instance.with_(generic_inquiries=[entry], odata_style=style, naive_timezone="Etc/GMT-2")
    first = run_tap(config, "ap_open_documents")
    instance.world.life.advance(60 * 24 * 3)
    bill = instance.world.life.post_bill()
    instance.world.life.advance(30)
    second = run_tap(config, "ap_open_documents", state=first.state)
    rows = {row["reference_nbr"]: row for row in second.rows("ap_open_documents")}
    assert set(rows) == {bill.reference_nbr}
    stamp = bill.modified_at.isoformat(timespec="microseconds")
    assert rows[bill.reference_nbr]["last_modified_date_time"] == stamp
    assert rows[bill.reference_nbr]["date"] == bill.date.isoformat()


def test_an_inquiry_of_the_instance_takes_its_parameter(instance: Instance) -> None:
    vendor = next(bill.vendor for bill in instance.company.bills.values() if bill.balance)
    config = inquiry_config(instance, keys=["Type", "ReferenceNbr"], parameters={"Vendor": vendor})
    assert {row["vendor"] for row in run_tap(config, "ap_open_documents").rows("ap_open_documents")} == {
        vendor
    }


@pytest.mark.parametrize("entry", [{"order": ["DaysOverdue"]}, {"keys": ["SignedBalance"]}])
def test_a_formula_column_of_the_instance_cannot_be_sorted(instance: Instance, entry: dict[str, Any]) -> None:
    config = instance.with_(generic_inquiries=[{"name": "AR Aging", **entry}])
    run = run_tap(config, "ar_aging")
    assert run.tap.exit_code == 1
    assert "formula column" in run.tap.chosen["ar_aging"].feed.reason
