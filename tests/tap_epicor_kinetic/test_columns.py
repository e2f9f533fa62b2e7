"""Values: exact money, keys as they are, days that never move, times in UTC, in every form Epicor writes."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.contrib.msgspec import serialize_jsonl

from tap_epicor_kinetic.discovery import snake
from tap_epicor_kinetic.streams.columns import (
    Column,
    boolean,
    columns_of,
    converters,
    date,
    integer,
    is_sensitive,
    number,
    row_reader,
    scale_of,
)
from tests.sandbox.epicor_kinetic.switches import Switches
from tests.tap_epicor_kinetic.harness import catalog_of, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_epicor_kinetic.conftest import Instance


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("VendorNumVendorID", "vendor_num_vendor_id"),
        ("PONUM", "ponum"),
        ("PONum", "po_num"),
        ("GLAccount1", "gl_account1"),
        ("REFPONum", "refpo_num"),
        ("SysRevID", "sys_rev_id"),
        ("Approver_c", "approver_c"),
        ("APInvHed_InvoiceNum", "ap_inv_hed_invoice_num"),
        ("Calculated_Days-Late", "calculated_days_late"),
    ],
)
def test_names_are_the_erps_own_in_snake_case(name: str, expected: str) -> None:
    assert snake(name) == expected


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (5, "5"),
        (Decimal("0.10"), "0.10"),
        ("440.00000000", "440"),
        ("-12345678901234.56700000", "-12345678901234.567"),
        (" 7 ", "7"),
        ("100", "100"),
        (Decimal("1E+2"), "100"),
        (Decimal("1E+30"), f"1{30 * '0'}"),
        ("1E-3", "0.001"),
    ],
)
def test_amounts_stay_exact_as_number_and_as_text(value: Any, written: str) -> None:
    assert bytes(serialize_jsonl({"a": number(value)})).decode() == f'{{"a":{written}}}\n'


def test_an_empty_text_is_no_amount_no_number_and_no_answer() -> None:
    assert [number(""), integer(" "), boolean(""), date("")] == [None] * 4


@pytest.mark.parametrize(
    "value",
    ["2026-08-14T00:00:00", "2026-08-14T00:00:00Z", "2026-08-14T00:00:00-07:00", "2026-08-14T00:00:00+10:00"],
)
def test_a_day_is_taken_literally_whatever_offset_stands_behind_it(value: str) -> None:
    assert date(value) == "2026-08-14"


@pytest.mark.parametrize(
    ("zone", "value", "expected"),
    [
        ("UTC", "2026-08-14T10:30:00", "2026-08-14T10:30:00.000000+00:00"),
        ("America/Chicago", "2026-08-14T10:30:00", "2026-08-14T15:30:00.000000+00:00"),
        ("America/Chicago", "2026-01-14T10:30:00", "2026-01-14T16:30:00.000000+00:00"),
        ("America/Chicago", "2026-08-14T10:30:00Z", "2026-08-14T10:30:00.000000+00:00"),
        ("UTC", "2026-08-14T10:30:00.123-07:00", "2026-08-14T17:30:00.123000+00:00"),
        # ends of the calendar stand for no time and must not end the run
        ("Europe/Berlin", "0001-01-01T00:00:00", "0001-01-01T00:00:00.000000+00:00"),
        ("UTC", "9999-12-31T23:59:59.9999999-05:00", "9999-12-31T23:59:59.999999+00:00"),
        ("UTC", "", None),
    ],
)
def test_points_in_time_go_to_utc(zone: str, value: str, expected: str | None) -> None:
    assert converters(zone)["time"](value) == expected


def test_custom_columns_whose_names_do_not_tell_keep_midnight_where_it_is() -> None:
    convert = converters("America/Chicago")["custom_time"]
    assert convert("2026-08-14T00:00:00") == "2026-08-14T00:00:00.000000+00:00"
    assert convert("2026-08-14T00:00:00-07:00") == "2026-08-14T00:00:00.000000+00:00"
    assert convert("2026-08-14T10:30:00") == "2026-08-14T15:30:00.000000+00:00"


def test_a_row_is_read_whatever_is_null_missing_or_text() -> None:
    columns = [
        Column("a", "string", "A"),
        Column("b", "integer", "B"),
        Column("c", "boolean", "C"),
        Column("d", "decimal", "D"),
        Column("e", "date", "E"),
    ]
    read = row_reader(columns, (), converters("UTC"), {"company": "X"})
    plain = {
        "A": "007",
        "B": 1,
        "C": True,
        "D": Decimal("1.5"),
        "E": "2026-01-02T00:00:00",
        "@odata.etag": "x",
    }
    assert read(plain) == {
        "a": "007",
        "b": 1,
        "c": True,
        "d": Decimal("1.5"),
        "e": "2026-01-02",
        "company": "X",
    }
    assert read({"A": None, "B": "12", "C": "true", "D": "3.10"}) == {
        "a": None, "b": 12, "c": True, "d": Decimal("3.1"), "e": None, "company": "X",
    }  # fmt: skip
    assert read({"A": 5, "B": 0, "C": 0, "D": 7, "E": None})["a"] == "5"


def test_columns_that_differ_in_case_alone_keep_apart() -> None:
    made = columns_of([("Zip", "Edm.String"), ("ZIP", "Edm.String")], None)
    assert [(column.name, column.source) for column in made] == [("zip", "Zip"), ("zip_2", "ZIP")]


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("DocInvoiceAmt", 4),
        ("InvoiceBal", 4),
        ("UnitCost", 6),
        ("XRelQty", 8),
        ("ExchangeRate", 8),
        ("Number01", 8),
        ("BookDebitAmount", 4),
    ],
)
def test_scales_follow_what_epicor_stores(name: str, scale: int) -> None:
    assert scale_of(name) == scale


@pytest.mark.parametrize(
    "name",
    [
        "TaxPayerID",
        "TIN",
        "PmtAcctRef",
        "VendorBankAcct",
        "VendorBankIBANCode",
        "CardNumber",
        "ccToken",
        "US1099State",
    ],
)
def test_bank_card_and_tax_numbers_are_known_as_such(name: str) -> None:
    assert is_sensitive(name)


@pytest.mark.parametrize("name", ["BankAcctID", "PayHold", "PaymentTotal", "TaxAmt", "TaxCatID", "DueDate"])
def test_harmless_columns_are_not_taken_for_secrets(name: str) -> None:
    assert not is_sensitive(name)


def selected_of(catalog: dict[str, Any], stream: str) -> dict[str, bool]:
    (entry,) = (entry for entry in catalog["streams"] if entry["tap_stream_id"] == stream)
    return {
        part["breadcrumb"][1]: part["metadata"].get("selected-by-default") is not False
        for part in entry["metadata"]
        if part["breadcrumb"]
    }


def test_useful_and_custom_columns_are_selected_the_rest_is_offered_and_marks_of_the_form_are_not(
    instance: Instance,
) -> None:
    chosen = selected_of(catalog_of(instance.config, "vendors"), "vendors")
    assert chosen["vendor_id"]
    assert chosen["remark_c"]
    assert chosen["sys_row_id"]
    assert chosen["tax_payer_id"] is False
    assert not {"row_mod", "bit_flag"} & set(chosen)
    useful = selected_of(catalog_of(instance.with_(offered_columns="useful"), "vendors"), "vendors")
    assert all(useful.values())
    assert set(useful) == {name for name, wanted in chosen.items() if wanted}


def test_more_columns_are_read_when_they_are_named(instance: Instance) -> None:
    config = instance.with_(
        more_columns={"vendors": ["TaxPayerID"]}, offered_columns="useful", companies=["EPIC06"]
    )
    run = run_tap(config, "vendors")
    wanted = {row["VendorNum"]: row["TaxPayerID"] for row in instance.site.rows("Vendor", "EPIC06")}
    assert {row["vendor_num"]: row["tax_payer_id"] for row in run.rows("vendors")} == wanted
    assert "tax_payer_id" not in run_tap(instance.config, "vendors").rows("vendors")[0]


def test_a_column_with_a_one_at_its_end_is_explained(instance: Instance) -> None:
    (entry,) = catalog_of(instance.config, "gl_accounts")["streams"]
    assert "adds the 1" in entry["schema"]["properties"]["gl_account1"]["description"]
    assert entry["key_properties"] == ["company", "coa_code", "gl_account1"]


def test_money_carries_its_scale_through_the_catalog(instance: Instance) -> None:
    (entry,) = catalog_of(instance.config, "ap_invoices")["streams"]
    hints = entry["schema"]["properties"]["doc_invoice_amt"]["x-sql-datatype-properties"]
    assert {"precision": 18, "scale": 4}.items() <= hints.items()


FORMS = {
    "plain": Switches(),
    "texts": Switches(decimals="text", longs_as_text=True, row_annotations=True, dates="Z"),
    "offset": Switches(dates="offset", zone_minutes=-420),
    "east": Switches(dates="offset", zone_minutes=600, decimal_facets=True),
}


def test_every_json_form_gives_the_same_rows(make_instance: Callable[..., Instance]) -> None:
    found: dict[str, list[dict[str, Any]]] = {}
    streams = ("ap_invoices", "exchange_rates", "gl_journal_lines", "parts", "purchase_order_lines")
    for name, switches in FORMS.items():
        instance = make_instance(switches=dataclasses.replace(switches))
        run = run_tap(instance.with_(companies=["EPIC06"]), *streams)
        assert run.tap.exit_code == 0
        found[name] = [row for stream in streams for row in run.rows(stream)]
    for form, rows in found.items():
        for row, plain in zip(rows, found["plain"], strict=True):
            other = {name: (row[name], plain[name]) for name in row if row[name] != plain[name]}
            # These are days on the server's own wall clock, and the servers stand in other zones.
            assert set(other) <= {"change_date", "posted_date"}, form
    assert any(isinstance(row.get("doc_invoice_amt"), Decimal) for row in found["plain"])


def test_no_property_is_emitted_that_is_not_in_the_schema(instance: Instance) -> None:
    instance.switches.row_annotations = True
    run = run_tap(instance.with_(companies=["EPIC06"]), "ap_invoices", "customers")
    for stream in ("ap_invoices", "customers"):
        (schema,) = [m["schema"] for m in run.messages if m["type"] == "SCHEMA" and m["stream"] == stream]
        for row in run.rows(stream):
            assert set(row) <= set(schema["properties"])
    assert "@odata" not in json.dumps([m for m in run.messages if m["type"] == "SCHEMA"])


def test_keys_keep_leading_zeros_and_case(instance: Instance) -> None:
    run = run_tap(instance.with_(companies=["EPIC06"]), "gl_segment_values", "ap_invoices")
    codes = {row["SegmentCode"] for row in instance.site.rows("COASegValues", "EPIC06")}
    assert {row["segment_code"] for row in run.rows("gl_segment_values")} == codes
    assert any(str(code).startswith("0") for code in codes)
    numbers = {row["InvoiceNum"] for row in instance.site.rows("APInvHed", "EPIC06")}
    assert {row["invoice_num"] for row in run.rows("ap_invoices")} == numbers
