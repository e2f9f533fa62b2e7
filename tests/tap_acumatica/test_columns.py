from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.contrib.msgspec import encoder

from tap_acumatica.decoding import decode, decoder
from tap_acumatica.discovery import Endpoint, Field, snake
from tap_acumatica.streams.columns import (
    Column,
    amount,
    code,
    columns_of,
    converters,
    date,
    label,
    number,
    period,
    schema_of,
    text,
    time_converter,
)
from tap_acumatica.streams.shapes import Shape, values_reader


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("ReferenceNbr", "reference_nbr"),
        ("AccountCD", "account_cd"),
        ("POOrderNbr", "po_order_nbr"),
        ("OrigPONbr", "orig_po_nbr"),
        ("VATExemptTotal", "vat_exempt_total"),
        ("F1099Box", "f1099_box"),
        ("UOM", "uom"),
        ("LastModifiedDateTime", "last_modified_date_time"),
        ("IsNonPM", "is_non_pm"),
    ],
)
def test_property_names_are_the_snake_case_of_the_erps_own(theirs: str, ours: str) -> None:
    assert snake(theirs) == ours


def as_written(literal: str) -> str:
    """A number of an answer, as it stands in a record."""
    return encoder.encode(number(decode(literal.encode()))).decode()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None, min_value=-(10**15), max_value=10**15))
def test_a_number_is_written_exactly_and_not_as_1e_plus_2(value: Decimal) -> None:
    written = as_written(str(value))
    assert Decimal(written) == value
    assert "E+" not in written


@pytest.mark.parametrize("literal", ["1E+2", "12E+30", "0E-8", "0.00000000", "0e3", "-5e+1", "-0.0000000"])
def test_numbers_with_an_exponent_become_plain(literal: str) -> None:
    written = as_written(literal)
    assert "e" not in written.lower()
    assert Decimal(written) == Decimal(literal)


def test_a_number_keeps_the_digits_of_the_erp_and_may_come_as_text() -> None:
    assert as_written("125.50") == as_written('"125.50"') == "125.50"
    assert as_written("100") == "100"
    assert as_written("1000000.0000001") == "1000000.0000001"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05.000000+00:00"),
        ("2026-01-02T03:04:05.1+00:00", "2026-01-02T03:04:05.100000+00:00"),
        ("2026-01-02T03:04:05.253+00:00", "2026-01-02T03:04:05.253000+00:00"),
        ("2026-01-02T03:04:05.253Z", "2026-01-02T03:04:05.253000+00:00"),
        ("2026-01-02T03:04:05.57+02:00", "2026-01-02T01:04:05.570000+00:00"),
        ("2026-01-02T03:04:05.1234567+00:00", "2026-01-02T03:04:05.123456+00:00"),
        ("2026-07-02T03:04:05", "2026-07-02T01:04:05.000000+00:00"),
        ("2026-01-02T03:04:05", "2026-01-02T02:04:05.000000+00:00"),
    ],
)
def test_times_come_in_one_form_in_utc_and_bare_ones_are_local(theirs: str, ours: str) -> None:
    assert time_converter("Europe/Berlin")(theirs) == ours


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00.000000+00:00"),
        ("9999-12-31T23:59:59.9999999-05:00", "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_a_time_at_an_end_of_the_calendar_does_not_end_the_run(theirs: str, ours: str) -> None:
    assert time_converter("Europe/Berlin")(theirs) == ours


def test_a_business_date_is_never_shifted() -> None:
    assert date("2026-06-30T00:00:00+00:00") == "2026-06-30"
    assert date("2026-06-30T00:00:00-08:00") == "2026-06-30"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("012026", "202601"), ("01-2026", "202601"), ("202601", "202601"), ("132025", "202513"), ("", "")],
)
def test_periods_become_yyyymm_whatever_form_they_come_in(theirs: str, ours: str) -> None:
    assert period(theirs) == ours


def test_codes_keep_leading_zeros_and_inner_blanks_and_lose_padding() -> None:
    assert text("010 100   ") == "010 100"


def test_a_drop_down_gives_its_label_in_both_contracts() -> None:
    assert label("Open") == "Open"
    assert label({"id": "N", "description": "Open"}) == "Open"
    assert label({"id": "N", "description": None}) is None
    assert label([{"id": "A", "description": "One"}, {"id": "B", "description": "Two"}]) == "One, Two"
    assert code("Open") is None
    assert code({"id": "N", "description": "Open"}) == "N"


BILL = {
    "Type": Field("string"),
    "Amount": Field("decimal"),
    "Qty": Field("decimal"),
    "Date": Field("time"),
    "CreatedDateTime": Field("time"),
    "PostPeriod": Field("string"),
    "TaxRegistrationID": Field("string"),
    "Vendor": Field("link", "Contact"),
    "Details": Field("list", "Contact"),
}
ENDPOINT = Endpoint(
    4, {"Bill": BILL, "Contact": {"Email": Field("string"), "Address": Field("link", "Address")}}
)


def columns(links: tuple[str, ...] = ()) -> dict[str, Column]:
    return {column.name: column for column in columns_of(ENDPOINT, "Bill", links)}


def test_amounts_travel_with_their_scale() -> None:
    assert columns()["amount"].schema()["x-sql-datatype-properties"] == {"precision": 18, "scale": 4}
    assert columns()["qty"].schema()["x-sql-datatype-properties"] == {"precision": 18, "scale": 6}


def test_worked_out_amounts_say_that_they_are_in_base_currency_and_which_tie_to_the_ledger() -> None:
    balance = amount("ledger_balance", "", "Open.", label="Open", not_over=["period"])
    schema = schema_of([balance])
    assert schema["properties"]["ledger_balance"]["x-sql-datatype-properties"] == {
        "precision": 18,
        "scale": 4,
        "currency": "base",
        "label": "Open",
        "not_over": ["period"],
    }
    (note,) = schema["x-sql-datatype-properties"]["notes"]
    assert note.startswith("To tie to the ledger")
    assert "x-sql-datatype-properties" not in schema_of(columns().values())


def test_business_dates_are_dates_and_stamps_are_times() -> None:
    assert columns()["date"].schema()["format"] == "date"
    assert columns()["created_date_time"].schema()["format"] == "date-time"


def test_tax_numbers_are_offered_but_not_read_by_default() -> None:
    assert not columns()["tax_registration_id"].by_default
    assert columns()["amount"].by_default


def test_collections_are_no_columns_and_linked_entities_only_when_expanded() -> None:
    assert "details" not in columns()
    assert "vendor_email" not in columns()
    assert columns(("Vendor",))["vendor_email"].path == ("Vendor", "Email")


def read(body: bytes) -> dict[str, Any]:
    """What is read of a record."""
    shape = Shape()
    names, values = values_reader(columns(("Vendor",)).values(), converters("UTC"), shape)
    return dict(zip(names, values(decoder(shape.made())(body)), strict=True))


@pytest.mark.parametrize("empty", ["{}", '{"value":null}', "null"])
def test_every_form_of_an_empty_value_is_null(empty: str) -> None:
    row = read(f'{{"Amount":{empty},"Vendor":{empty},"Date":{{"value":"2026-06-30T00:00:00"}}}}'.encode())
    assert row["amount"] is None
    assert row["vendor_email"] is None
    assert row["type"] is None
    assert row["date"] == "2026-06-30"


def test_a_record_becomes_its_properties() -> None:
    row = read(
        b'{"id":"y","Type":{"value":"Bill  "},"Amount":{"value":125.5},"PostPeriod":{"value":"012026"},'
        b'"Vendor":{"Email":{"value":"a@b.c"},"id":"x"},"note":""}'
    )
    assert row["type"] == "Bill"
    assert row["amount"] == Decimal("125.5")
    assert row["post_period"] == "202601"
    assert row["vendor_email"] == "a@b.c"


def test_a_number_where_a_text_is_expected_becomes_a_text() -> None:
    row = read(b'{"Type":{"value":7},"TaxRegistrationID":{"value":null},"Vendor":{"Email":{"value":"a "}}}')
    assert (row["type"], row["tax_registration_id"], row["vendor_email"]) == ("7", None, "a")


def test_fields_whose_names_are_none_in_python_are_read() -> None:
    shape = Shape()
    odd = Column("custom_odd", "string", ("custom", "Class-View", "Attribute.X 1"))
    _, values = values_reader([odd], converters("UTC"), shape)
    body = b'{"custom":{"Class-View":{"Attribute.X 1":{"type":"CustomStringField","value":"A"}}}}'
    assert values(decoder(shape.made())(body)) == ["A"]
