"""Values arrive exact: money, keys, dates, times of every zone, and empty elements."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_sage_intacct.discovery import Field
from tap_sage_intacct.errors import BadValueError, UserError
from tap_sage_intacct.records import Run
from tap_sage_intacct.streams.columns import (
    Clock,
    boolean,
    column_of,
    columns_of,
    converters,
    count,
    key,
    number,
    zone_of,
)
from tap_sage_intacct.streams.rows import RowReader
from tests.tap_sage_intacct.harness import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.singer import Row
    from tests.tap_sage_intacct.conftest import Instance


def test_money_is_exact_and_stands_beside_its_currency(instance: Instance) -> None:
    rows = {
        row["recordid"]: row
        for row in run_tap(instance.config, "bills").live("bills")
        if row["state"] == "Paid"
    }
    assert rows
    for bill in instance.company.bills.values():
        row = rows.get(bill.reference_nbr)
        if row and bill.type == "bill":
            assert (row["totalentered"], row["trx_totalentered"]) == (bill.base_amount, bill.amount)
            assert (row["basecurr"], row["currency"]) == (instance.company.base_currency, bill.currency)


def test_leading_zeros_and_case_survive(instance: Instance) -> None:
    run = run_tap(instance.config, "gl_accounts", "vendors")
    assert {row["accountno"] for row in run.live("gl_accounts")} == set(instance.company.accounts)
    assert {row["vendorid"] for row in run.live("vendors")} == set(instance.company.vendors)
    assert all(isinstance(row["recordno"], str) for row in run.live("vendors"))


def test_an_empty_element_is_null_and_no_text(instance: Instance) -> None:
    rows = run_tap(instance.config, "vendors").live("vendors")
    assert all("" not in row.values() for row in rows)
    assert any(row["taxid"] is None for row in rows if "taxid" in row) or "taxid" not in rows[0]


def test_whole_numbers_with_a_decimal_point_are_whole(instance: Instance) -> None:
    instance.switches.float_integers = frozenset({"GLENTRY.LINE_NO", "GLENTRY.BATCHNO", "GLENTRY.RECORDNO"})
    rows = run_tap(instance.config, "journal_entry_lines").live("journal_entry_lines")
    assert rows
    assert all(
        isinstance(row["line_no"], int) and "." not in row["batchno"] + row["recordno"] for row in rows
    )


@pytest.mark.parametrize("zone", [-480, 0, 330])
def test_times_are_in_utc_whatever_the_zone_of_the_user_and_no_row_is_lost(
    instance: Instance, zone: int
) -> None:
    expected = {row["recordno"]: row for row in run_tap(instance.config, "bills").live("bills")}
    instance.switches.zone_minutes = zone
    first = run_tap(instance.config, "bills")
    assert {row["recordno"]: row for row in first.live("bills")} == expected
    assert first.bookmark("bills")["replication_key_value"].endswith("+00:00")
    instance.world.life.advance(60 * 24)
    for _ in range(4):
        instance.world.life.post_bill()
    instance.world.life.advance(10)
    second = run_tap(instance.with_(lookback_seconds=0), "bills", state=first.state)
    assert len({row["recordno"] for row in second.live("bills")} - set(expected)) == 4


def test_a_zone_that_is_not_told_widens_the_lookback_and_is_named(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.user_formatting = "refused"
    run = run_tap(instance.config, "classes")
    assert run.tap.lookback == dt.timedelta(hours=26)
    assert "timestamp_timezone" in caplog.text
    assert run_tap(instance.with_(timestamp_timezone="UTC"), "classes").tap.lookback == dt.timedelta(hours=2)


def test_a_user_whose_dates_may_be_mistaken_stops_the_run(instance: Instance) -> None:
    instance.switches.date_format = "/dmY"
    with pytest.raises(UserError, match="mm/dd/yyyy"):
        run_tap(instance.config, "bills")
    assert run_tap(instance.with_(timestamp_timezone="UTC"), "bills").tap.exit_code == 0


def test_a_zone_can_be_named(instance: Instance) -> None:
    instance.switches.zone_minutes = -480
    instance.switches.user_formatting = "wrong"
    run = run_tap(instance.with_(timestamp_timezone="-08:00"), "bills")
    assert all(row["auwhencreated"] < instance.company.clock.isoformat() for row in run.live("bills"))


def test_business_dates_are_never_shifted(instance: Instance) -> None:
    instance.switches.zone_minutes = -480
    rows = run_tap(instance.config, "bills").live("bills")
    dates = {
        bill.reference_nbr: bill.date.isoformat()
        for bill in instance.company.bills.values()
        if bill.type == "bill"
    }
    assert all(
        row["whencreated"] == dates[row["recordid"]] for row in rows if row["state"] in {"Posted", "Paid"}
    )


def test_timestamps_that_come_with_the_date_only_are_times(instance: Instance) -> None:
    rows = run_tap(instance.config, "journal_entries").live("journal_entries")
    assert rows
    assert all(row["modified"] is None or row["modified"].endswith("T00:00:00.000000+00:00") for row in rows)


CLOCK = Clock(dt.UTC)


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("03/04/2026 05:06:07", "2026-03-04T05:06:07.000000+00:00"),
        ("03/04/2026", "2026-03-04T00:00:00.000000+00:00"),
        ("2026-03-04T05:06:07-08:00", "2026-03-04T13:06:07.000000+00:00"),
        ("2026-03-04", "2026-03-04T00:00:00.000000+00:00"),
    ],
)
def test_times_are_read_in_every_form_they_come_in(value: str, made: str) -> None:
    assert CLOCK.utc(value) == made


@pytest.mark.parametrize("hours", [-8, 5])
@pytest.mark.parametrize("value", ["12/31/9999 23:59:59", "01/01/0001 00:00:00", "9999-12-31T23:59:59-08:00"])
def test_a_time_at_an_end_of_the_calendar_does_not_fail_its_stream(value: str, hours: int) -> None:
    made = Clock(dt.timezone(dt.timedelta(hours=hours))).utc(value)
    assert dt.datetime.fromisoformat(made).year in {1, 9999}


@pytest.mark.parametrize(
    "value", ["31/12/2026 05:06:07", "03/04/2026 05:06:xx", "soon", "03-04-2026 05:06:07"]
)
def test_what_is_no_time_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        CLOCK.utc(value)


def test_daylight_saving_is_followed_where_a_zone_has_it() -> None:
    clock = Clock(zone_of("America/Los_Angeles"))
    assert clock.utc("01/15/2026 12:00:00") == "2026-01-15T20:00:00.000000+00:00"
    assert clock.utc("07/15/2026 12:00:00") == "2026-07-15T19:00:00.000000+00:00"
    assert clock.literal(dt.datetime(2026, 7, 15, 19, tzinfo=dt.UTC)) == "07/15/2026 12:00:00"
    assert clock.literal_of("2026-01-15T20:00:00.000000+00:00") == "01/15/2026 12:00:00"


def test_zones_are_understood() -> None:
    assert zone_of("-08:00").utcoffset(None) == dt.timedelta(hours=-8)
    assert zone_of("GMT+05:30").utcoffset(None) == dt.timedelta(hours=5, minutes=30)
    with pytest.raises(ValueError, match="Mars"):
        zone_of("Mars/Olympus")


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("5900", "5900"),
        ("-0.10", "-0.10"),
        ("1679615.93", "1679615.93"),
        ("0.0000000000", "0"),
        ("1E+3", "1000"),
        ("1E+30", f"1{30 * '0'}"),
    ],
)
def test_numbers_are_exact_and_plain(value: str, made: str) -> None:
    assert str(number(value)) == made
    assert isinstance(number(value), Decimal)


def test_flags_counts_and_keys() -> None:
    assert [boolean(value) for value in ("true", "T", "false", "F")] == [True, True, False, False]
    with pytest.raises(ValueError, match="maybe"):
        boolean("maybe")
    assert [count("3"), count("3.0"), count("3.5")] == [3, 3, Decimal("3.5")]
    assert [key("3"), key("3.0"), key("-3")] == ["3", "3", "-3"]


TYPES: tuple[tuple[str, str, Any], ...] = (
    ("ACCOUNTNO", "TEXT", {"type": ["string", "null"]}),
    ("STATUS", "ENUM", {"type": ["string", "null"]}),
    ("SEQ", "SEQUENCE", {"type": ["string", "null"]}),
    ("ODD", "HOLOGRAM", {"type": ["string", "null"]}),
    ("ONHOLD", "BOOLEAN", {"type": ["boolean", "null"]}),
    ("WHENDUE", "DATE", {"type": ["string", "null"], "format": "date"}),
    ("WHENMODIFIED", "TIMESTAMP", {"type": ["string", "null"], "format": "date-time"}),
    ("LINE_NO", "INTEGER", {"type": ["number", "null"]}),
    ("VENDORKEY", "INTEGER", {"type": ["string", "null"]}),
    ("RECORDNO", "INTEGER", {"type": ["string", "null"]}),
    ("AMOUNT", "DECIMAL", 4),
    ("TOTALDUE", "CURRENCY", 4),
    ("EXCHANGE_RATE", "DECIMAL", 10),
    ("RETAINAGEPERCENTAGE", "PERCENT", 6),
)


@pytest.mark.parametrize(("name", "kind", "schema"), TYPES)
def test_every_type_of_the_vendor_has_one_here(name: str, kind: str, schema: Any) -> None:
    if isinstance(schema, int):
        schema = {
            "type": ["number", "null"], "x-sql-datatype-properties": {"precision": 18, "scale": schema},
        }  # fmt: skip
    made = column_of(Field(name, kind)).schema()
    assert made == {**schema, "title": name}


def reader(*fields: tuple[str, str]) -> Callable[[Run], Row]:
    columns = columns_of([Field(name, kind) for name, kind in fields])
    rows = RowReader("APBILL", columns, {"company_id": "C"}, converters(CLOCK))
    return lambda run: rows.read([run])[0]


def test_rows_hold_exactly_the_wanted_properties_whatever_the_order_of_elements() -> None:
    read = reader(("RECORDNO", "INTEGER"), ("AMOUNT", "DECIMAL"), ("VENDOR.NAME", "TEXT"))
    one = Run(("RECORDNO", "AMOUNT", "VENDOR.NAME"), [(b"1", b"2.50", b"A")])
    other = Run(("extra", "amount", "recordno"), (), [["x", "3", "2"]])
    assert read(one) == {"recordno": "1", "amount": Decimal("2.50"), "vendor__name": "A", "company_id": "C"}
    assert read(other) == {"recordno": "2", "amount": Decimal(3), "vendor__name": None, "company_id": "C"}


def test_a_value_that_fits_no_type_is_named_with_its_record_and_field() -> None:
    read = reader(("RECORDNO", "INTEGER"), ("WHENDUE", "DATE"))
    with pytest.raises(BadValueError, match=r"APBILL 7: WHENDUE is '31/12/2026'.*mm/dd/yyyy"):
        read(Run(("RECORDNO", "WHENDUE"), [(b"6", b"12/31/2026"), (b"7", b"31/12/2026")]))
