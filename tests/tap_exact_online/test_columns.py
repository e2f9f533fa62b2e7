"""Names, kinds and values: what Exact Online writes and what it means."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal

import msgspec
import pytest

from tap_exact_online.client import decode, query
from tap_exact_online.errors import ServerTroubleError
from tap_exact_online.paging import date_reader, literal, rows_in, time_reader
from tap_exact_online.records import page_decoder
from tap_exact_online.streams import ENTITIES, PROPERTIES
from tap_exact_online.streams.columns import Reader, columns_of, scale_of, snake
from tap_exact_online.streams.names import joins_of

ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ID", "id"),
        ("HID", "hid"),
        ("EntryID", "entry_id"),
        ("AmountDC", "amount_dc"),
        ("AmountVATFC", "amount_vat_fc"),
        ("VATAmountDC", "vat_amount_dc"),
        ("AmountFCExclVat", "amount_fc_excl_vat"),
        ("GLAccountCode", "gl_account_code"),
        ("CostCenter", "cost_center"),
        ("Costcenter", "costcenter"),
        ("AgeGroup1Amount", "age_group1_amount"),
        ("FreeTextField_01", "free_text_field_01"),
        ("ProjectWBSDescription", "project_wbs_description"),
    ],
)
def test_properties_are_the_erps_names_in_snake_case(name: str, expected: str) -> None:
    assert snake(name) == expected


def test_no_two_properties_of_a_stream_become_one() -> None:
    for endpoint, properties in PROPERTIES.items():
        names = [snake(name) for name in properties]
        assert len(set(names)) == len(names), endpoint


def test_every_key_and_carried_property_exists() -> None:
    for entity in ENTITIES:
        assert set(entity.keys) <= set(PROPERTIES[entity.endpoint]), entity
        if entity.lines:
            assert set(entity.lines.carry) <= set(PROPERTIES[entity.endpoint]), entity
            assert entity.lines.parent in PROPERTIES[entity.lines.endpoint], entity


def test_names_are_joined_only_where_the_row_does_not_tell_them() -> None:
    joined = {
        endpoint: {join.column.name for join in joins_of(properties)}
        for endpoint, properties in PROPERTIES.items()
    }
    assert joined["sync/Financial/TransactionLines"] == set()
    assert joined["purchase/PurchaseInvoices"] == {
        "supplier_code",
        "supplier_name",
        "contact_person_full_name",
    }
    assert {"cost_center_description", "item_code"} <= joined["purchase/PurchaseInvoiceLines"]
    assert "gl_account_code" in joined["sync/SalesInvoice/SalesInvoices"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/Date(1782405060240)/", "2026-06-25T14:31:00.240000+00:00"),  # recorded: summer, two hours ahead
        ("/Date(1768487430123)/", "2026-01-15T13:30:30.123000+00:00"),  # winter, one hour
        ("/Date(0)/", "1969-12-31T23:00:00.000000+00:00"),
        (
            "/Date(-62135596800000)/",
            "0001-01-01T00:00:00.000000+00:00",
        ),  # the beginning of the calendar: no time
    ],
)
def test_times_are_dutch_wall_clock(value: str, expected: str) -> None:
    assert time_reader(ZONE)(value) == expected


def test_the_hour_that_comes_twice_never_runs_backwards_against_the_lookback() -> None:
    read = time_reader(ZONE)
    walls = [
        dt.datetime(2026, 10, 25, 1, 59),
        dt.datetime(2026, 10, 25, 2, 30),
        dt.datetime(2026, 10, 25, 3, 1),
    ]
    epoch = dt.datetime(1970, 1, 1)
    stamps = [read(f"/Date({int((wall - epoch).total_seconds() * 1000)})/") for wall in walls]
    assert stamps == sorted(stamps)
    second_half_past_two = dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)
    off = second_half_past_two - dt.datetime.fromisoformat(stamps[1])
    assert off <= dt.timedelta(minutes=60)  # less than the lookback of 90 minutes


def test_days_are_never_shifted() -> None:
    read = date_reader()
    assert read("/Date(1769817600000)/") == "2026-01-31"
    assert read("/Date(1782405060240)/") == "2026-06-25"


def test_filters_are_the_same_wall_clock() -> None:
    moment = dt.datetime(2026, 6, 25, 14, 31, 0, 240_000, tzinfo=dt.UTC)
    assert literal(moment, ZONE) == "datetime'2026-06-25T16:31:00.240'"


def reader(*fields: tuple[str, str], trim: bool = True, null_empty_guid: bool = True) -> Reader:
    return Reader(columns_of(dict(fields), []), {}, ZONE, trim=trim, null_empty_guid=null_empty_guid)


def test_values_become_what_they_mean() -> None:
    read = reader(
        ("Timestamp", "big"), ("Code", "text"), ("Account", "guid"), ("Amount", "decimal"), ("Status", "whole"),
        ("Matching", "flag"), ("Date", "date"), ("Modified", "time"), ("Notes", "text"),
    )  # fmt: skip
    (row,) = read(
        [
            {
                "Timestamp": "9007199254740993",
                "Code": "           0012655",
                "Account": "00000000-0000-0000-0000-000000000000",
                "Amount": Decimal("0.055"),
                "Status": 50,
                "Matching": "true",
                "Date": "/Date(1769817600000)/",
                "Modified": None,
                "Notes": "",
                "__metadata": {},
            }
        ]
    )
    assert row == {
        "timestamp": 9007199254740993,
        "code": "0012655",
        "account": None,
        "amount": Decimal("0.055"),
        "status": 50,
        "matching": True,
        "date": "2026-01-31",
        "modified": None,
        "notes": None,
    }


def test_texts_and_guids_can_be_left_as_they_come() -> None:
    read = reader(("Code", "text"), ("Account", "guid"), trim=False, null_empty_guid=False)
    empty = "00000000-0000-0000-0000-000000000000"
    assert read([{"Code": "  12 ", "Account": empty}]) == [{"code": "  12 ", "account": empty}]


def test_a_value_that_is_not_what_the_reference_says_is_named() -> None:
    records = [{"Modified": value} for value in (None, "/Date(0)/", "yesterday", "/Date(1)/")]
    with pytest.raises(ValueError, match=r"Modified: 'yesterday'"):
        reader(("Modified", "time"))(records)
    with pytest.raises(ValueError, match=r"Code: 7"):
        reader(("Code", "text"), ("Status", "whole"))([{"Code": "A"}, {"Code": 7}])
    with pytest.raises(ValueError, match=r"Day: '/Date\(999999999999999\)/'"):
        reader(("Day", "date"))([{"Day": "/Date(999999999999999)/"}])


def test_records_that_come_together_are_converted_as_each_would_be_alone() -> None:
    fields = (
        ("Timestamp", "big"), ("Code", "text"), ("Account", "guid"), ("Amount", "decimal"), ("Status", "whole"),
        ("Matching", "flag"), ("Date", "date"), ("Modified", "time"), ("Notes", "text"),
    )  # fmt: skip
    values: dict[str, list[object]] = {
        "Timestamp": ["1", 2, None],
        "Code": ["  1", "", None],
        "Account": ["00000000-0000-0000-0000-000000000000", "6afb8409-4301-5fec-a290-088529f28b0b", None],
        "Amount": [Decimal("1.0"), Decimal("1.00"), 1],
        "Status": [50, None, 20],
        "Matching": ["true", 0, None],
        "Date": ["/Date(1769817600000)/", "/Date(1769817600000)/", None],
        "Modified": ["/Date(1782405060240)/", None, "/Date(1782405060240)/"],
        "Notes": [None, None, None],
    }
    records = [
        {name: column[place] for name, column in values.items() if column[place] is not None}
        for place in (0, 1, 2)
    ] * 150  # more than are converted at once
    read = reader(*fields)
    rows = read(records)
    assert list(map(repr, rows)) == [repr(row) for record in records for row in read([record])]
    assert [list(row) for row in rows] == [[snake(name) for name, _ in fields]] * 450
    assert read([]) == []


def test_a_key_is_never_null() -> None:
    columns = columns_of({"CostCenterCode": "text", "Status": "whole"}, ["CostCenterCode"])
    read = Reader(columns, {}, ZONE, trim=True, null_empty_guid=True)
    for codes in ([None], [None, "7"]):
        rows = read([{"CostCenterCode": code, "Status": 20} for code in codes])
        assert [row["cost_center_code"] for row in rows] == [code or "" for code in codes]


def test_numbers_stay_exact_and_plain() -> None:
    body = b'{"a":0.1,"b":1E+2,"c":-1.25e-7,"d":12345678901234.5678,"id":"1e5-4E2,-3E1"}'
    row = decode(body)
    assert [f"{row[name]:f}" for name in "abcd"] == ["0.1", "100", "-0.000000125", "12345678901234.5678"]
    assert "E" not in str(row["b"])
    assert row["id"] == "1e5-4E2,-3E1"


@pytest.mark.parametrize(
    ("name", "scale"),
    [("AmountDC", 4), ("Quantity", 6), ("VATPercentage", 6), ("ExchangeRate", 8), ("Rate", 8)],
)
def test_scales_follow_the_name(name: str, scale: int) -> None:
    assert scale_of(name) == scale


def test_queries_are_encoded_as_the_server_needs_them() -> None:
    text = query(
        {"$filter": "Modified ge datetime'2026-01-31T10:00:00.000' and A eq 'x+y'", "$select": "A,B/C"}
    )
    assert text == (
        "$filter=Modified%20ge%20datetime'2026-01-31T10%3A00%3A00.000'%20and%20A%20eq%20'x%2By'&$select=A,B/C"
    )


def test_pages_of_known_fields_are_read_as_dictionaries_would_be() -> None:
    read = page_decoder(("ID", "Timestamp", "AmountDC"))
    body = b'{"d":{"results":[{"__metadata":{"uri":"u"},"ID":"a","AmountDC":1.10},{"ID":"b","Timestamp":"7"}]%s}}'
    for rest, link in ((b"", None), (b',"__next":null', None), (b',"__next":"n"', "n")):
        records, found = rows_in(read(body % rest))
        assert found == link
        plain, _ = rows_in(decode(body % rest))
        for record, same in zip(records, plain, strict=True):
            for field in ("ID", "Timestamp", "AmountDC"):
                assert str(record[field]) == str(record.get(field)) == str(same.get(field))
            assert record.get("Withdrawn") is None
        fields = (("Timestamp", "big"), ("AmountDC", "decimal"), ("ID", "text"), ("Withdrawn", "text"))
        for wanted in (fields, fields[:3], fields[2:3]):
            assert repr(reader(*wanted)(records)) == repr(reader(*wanted)(plain))


def test_pages_of_other_shapes_and_no_pages_are_what_they_are_without_known_fields() -> None:
    read = page_decoder(("a",))
    for body in (b'{"d":[{"a":1}]}', b'{"d":{"a":1}}', b'{"d":null}', b'{"error":"e"}', b"[1]"):
        assert read(body) == decode(body)
    for body in (b"<html>", b'{"d":{"results":[{"a":1}'):
        with pytest.raises(msgspec.DecodeError):
            read(body)


def test_answers_of_all_shapes_are_read() -> None:
    assert rows_in({"d": {"results": [{"a": 1}], "__next": "n"}}) == ([{"a": 1}], "n")
    assert rows_in({"d": [{"a": 1}]}) == ([{"a": 1}], None)
    assert rows_in({"d": {"a": 1}}) == ([{"a": 1}], None)
    with pytest.raises(ServerTroubleError):
        rows_in([1])
    with pytest.raises(ServerTroubleError):
        rows_in({"d": None})
