"""The schema is the company's own: custom fields, dimensions, refused fields, and what the user may not read."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from tap_sage_intacct.discovery import snake
from tap_sage_intacct.errors import UserError
from tap_sage_intacct.streams.stream import Outcome
from tests.sandbox.sage_intacct import errors as refusals
from tests.sandbox.sage_intacct.troubles import Trouble
from tests.tap_sage_intacct.harness import discovered, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tap_sage_intacct.conftest import Instance


def selected(entry: dict[str, Any]) -> set[str]:
    """Columns that are read without being asked for."""
    return {
        part["breadcrumb"][-1]
        for part in entry["metadata"]
        if part["breadcrumb"] and part["metadata"].get("selected-by-default", True)
    }


def test_fields_labels_and_custom_fields_are_those_of_the_company(instance: Instance) -> None:
    catalog = discovered(instance.config)
    bills = catalog["bills"]["schema"]["properties"]
    assert bills["recordno"]["title"] == "RECORDNO"
    assert {"risk_score_vb", "checked_on"} <= set(bills)
    assert any(name.startswith("gldim") for name in catalog["gl_details"]["schema"]["properties"])
    assert "channel" not in catalog
    assert not [name for entry in catalog.values() for name in entry["schema"]["properties"] if "#" in name]
    assert not [
        name for entry in catalog.values() for name in entry["schema"]["properties"] if "password" in name
    ]
    run = run_tap(instance.config, "bills")
    assert any(row["risk_score_vb"] is not None for row in run.live("bills"))


def test_useful_columns_are_selected_and_bank_and_tax_numbers_are_not(instance: Instance) -> None:
    catalog = discovered(instance.config)
    vendors = selected(catalog["vendors"])
    assert {"vendorid", "name", "displaycontact__mailaddress__city"} <= vendors
    left_out = {
        "taxid",
        "achaccountnumber",
        "wireaccountnumber",
        "record_url",
        "form1099type",
    }
    assert left_out <= set(catalog["vendors"]["schema"]["properties"])
    assert not left_out & vendors
    assert "due_in_days" not in selected(catalog["bills"])
    run = run_tap(instance.config, "vendors", columns={"vendors": ["taxid"]})
    assert {row["vendorid"]: row["taxid"] for row in run.live("vendors")} == {
        vendor.code: vendor.tax_id for vendor in instance.company.vendors.values()
    }


def test_keys_begin_with_the_company_and_lines_tell_their_document(instance: Instance) -> None:
    catalog = discovered(instance.config)
    assert all(entry["key_properties"][0] == "company_id" for entry in catalog.values())
    assert catalog["gl_details"]["key_properties"] == ["company_id", "recordno", "bookid"]
    parts = {
        part["breadcrumb"][-1]: part["metadata"]
        for part in catalog["bill_lines"]["metadata"]
        if part["breadcrumb"]
    }
    assert parts["recordkey"]["inclusion"] == "automatic"


def test_fields_that_query_refuses_are_not_offered(instance: Instance) -> None:
    catalog = discovered(instance.config)
    assert "cfda" not in catalog["projects"]["schema"]["properties"]
    assert run_tap(instance.config, "projects").tap.exit_code == 0


def test_a_field_that_is_refused_only_later_stays_empty_and_is_named_once(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.unqueryable_fields = {"APBILL": frozenset({"DOCNUMBER", "TERMNAME"})}
    run = run_tap(instance.with_(page_size=10), "bills")
    assert run.tap.exit_code == 0
    assert all(row["docnumber"] is None and row["termname"] is None for row in run.live("bills"))
    assert caplog.text.count("stay empty: DOCNUMBER, TERMNAME") == 1


def test_a_refused_key_fails_the_stream(instance: Instance) -> None:
    instance.switches.unqueryable_fields = {"APBILL": frozenset({"RECORDNO"})}
    assert run_tap(instance.config, "bills").tap.chosen["bills"].feed.outcome is Outcome.FAILED


def test_objects_that_may_not_be_read_are_left_out_and_named(
    make_instance: Callable[..., Instance], caplog: pytest.LogCaptureFixture
) -> None:
    instance = make_instance(known=False)
    instance.switches.forbidden_objects = frozenset({"APPYMT", "AUDITHISTORY", "GLENTRY"})
    catalog = discovered(instance.config)
    assert not {"payments", "deleted_records", "journal_entry_lines"} & set(catalog)
    assert {"payment_details", "bills", "gl_details"} <= set(catalog)
    assert "payments: left out. query APPYMT: result: PL04000005" in caplog.text
    run = run_tap(instance.config, "bills", "payment_details", "journal_entries")
    assert run.tap.exit_code == 0
    assert run.live("payment_details")


def test_a_right_that_is_lost_skips_the_stream_and_stamps_nothing(instance: Instance) -> None:
    instance.switches.forbidden_objects = frozenset({"APPYMT"})
    run = run_tap(instance.config, "payments", "bills")
    assert run.tap.chosen["payments"].feed.outcome is Outcome.SKIPPED
    assert run.tap.chosen["bills"].feed.outcome is Outcome.DONE
    assert run.tap.exit_code == 0
    assert "replication_key_value" not in run.state["bookmarks"].get("payments", {})
    alone = run_tap(instance.config, "payments")
    assert alone.tap.exit_code == 1
    assert run.unread == {"payments": "skipped"}
    strict = run_tap(instance.with_(skip_forbidden_streams=False), "payments", "bills")
    assert strict.tap.chosen["payments"].feed.outcome is Outcome.FAILED


def test_a_private_folder_that_cannot_be_written_is_named(
    make_instance: Callable[..., Instance], tmp_path: Path
) -> None:
    instance = make_instance(known=False)
    (tmp_path / "file").write_text("")
    instance.troubles.add(Trouble("function=lookup", refusals.unknown_object("X"), times=999))
    with pytest.raises(UserError, match="cache_path"):
        discovered(instance.with_(cache_path=str(tmp_path / "file")))


def test_a_custom_object_has_its_own_key_and_time_of_change(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(known=False)
    config = instance.with_(
        objects=[
            {"object": "channel", "stream": "channels"},
            {"object": "PODOCUMENT", "stream": "purchase_orders", "docparid": "Purchase Order"},
        ]
    )
    run = run_tap(config, "channels", "purchase_orders")
    asked = instance.count("function=lookup")
    assert asked > 40
    run_tap(config, "channels")
    assert instance.count("function=lookup") == asked  # once a day is enough
    assert run.live("channels")
    stream = run.tap.streams["channels"]
    assert tuple(stream.primary_keys) == ("company_id", "id")
    assert stream.replication_key == "updated_at"
    orders = run.live("purchase_orders")
    assert orders
    assert "delivery_gate" in orders[0]
    with pytest.raises(UserError, match="two streams named bills"):
        discovered(instance.with_(objects=[{"object": "X", "stream": "bills"}]))
    with pytest.raises(UserError, match="has no field NOPE"):
        discovered({**config, "objects": [{**config["objects"][0], "keys": ["NOPE"]}, config["objects"][1]]})


def test_every_stream_has_rows_and_true_keys(instance: Instance) -> None:
    run = run_tap(instance.config)
    assert run.tap.exit_code == 0
    for name, stream in run.tap.chosen.items():
        rows = run.live(name)
        assert rows or name == "deleted_records", name
        found = [tuple(row[part] for part in stream.primary_keys) for row in rows]
        assert len(found) == len(set(found)), name
        assert None not in {part for key in found for part in key}, name
        wanted = {column.name for column in stream.wanted}
        assert all(set(row) == wanted for row in rows), name


def test_balances_are_read_again_only_from_the_first_changed_period(instance: Instance) -> None:
    streams = ("account_balances", "balance_periods")
    first = run_tap(instance.config, *streams)
    for row in first.live("account_balances"):
        assert (
            row["endbal"]
            == row["openbal"] + row["totdebit"] - row["totcredit"] + row["totadjdebit"] - row["totadjcredit"]
        )
    instance.world.life.advance(60 * 24)
    quiet = run_tap(instance.config, *streams, state=first.state)
    instance.script.clear()
    instance.world.life.advance(60 * 24)
    quiet = run_tap(instance.config, *streams, state=quiet.state)
    assert quiet.rows("account_balances") == []
    assert instance.script.count("readByQuery") == 0
    instance.world.life.post_bill()
    instance.world.life.advance(10)
    changed = run_tap(instance.config, *streams, state=quiet.state)
    assert 0 < len(changed.rows("balance_periods")) < len(first.rows("balance_periods"))


def test_balances_come_to_the_books(instance: Instance) -> None:
    run = run_tap(instance.with_(page_size=60), "account_balances", "gl_details")
    turnover = sum(row["totdebit"] + row["totadjdebit"] for row in run.live("account_balances"))
    assert turnover == sum(row["ledger_debit_amount"] for row in run.live("gl_details"))


def test_names_are_those_of_the_vendor_in_snake_case() -> None:
    names = {"RECORDNO": "recordno", "PAYTO.TAXGROUP.NAME": "payto__taxgroup__name", "createdAt": "created_at",
             "enabledInGL": "enabled_in_gl", "RISK_SCORE_VB": "risk_score_vb"}  # fmt: skip
    assert {name: snake(name) for name in names} == names


def test_declarations_are_frozen() -> None:
    from tap_sage_intacct.streams import OBJECTS  # noqa: PLC0415 - only here

    with pytest.raises(dataclasses.FrozenInstanceError):
        OBJECTS[0].stream = "other"  # type: ignore[misc]
    assert len({one.stream for one in OBJECTS}) == len(OBJECTS)
