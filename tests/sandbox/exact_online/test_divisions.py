"""Divisions, rights, and the values that rows are made of."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.exact_online import (
    ARCHIVED_DIVISION,
    DIVISIONS,
    FORBIDDEN_DIVISION,
    SECOND_LICENCE_DIVISION,
)
from tests.sandbox.exact_online.shapes import SHAPES
from tests.sandbox.exact_online.visitor import message, milliseconds
from tests.sandbox.faults import Fault

if TYPE_CHECKING:
    from tests.sandbox.exact_online.visitor import Json, Visitor

_ME = "/api/v1/current/Me"


def _me(visitor: Visitor) -> Json:
    (row,) = visitor.call("GET", _ME).json()["d"]["results"]
    assert isinstance(row, dict)
    return row


def _codes(visitor: Visitor, path: str) -> dict[int, int]:
    return {row["Code"]: row["Status"] for row in visitor.rows(path, select="Code,Status")}


def test_the_current_division_is_what_the_user_opened_last(visitor: Visitor) -> None:
    assert _me(visitor)["CurrentDivision"] == DIVISIONS["HQ"]
    visitor.site.system.current_division = DIVISIONS["EAST"]
    assert _me(visitor)["CurrentDivision"] == DIVISIONS["EAST"]
    rows = visitor.rows("system/Divisions", select="Code", filter="Current eq true")
    assert [row["Code"] for row in rows] == [DIVISIONS["EAST"]]


def test_the_user_s_clock_is_that_of_the_netherlands(visitor: Visitor) -> None:
    me = _me(visitor)
    assert (me["ServerTime"], me["ServerUtcOffset"]) == ("2026-06-30T11:00:00", 7200)
    assert me["Legislation"] == "128"
    assert me["DivisionCustomerCode"] == "           1265594"
    assert me["EmployeeID"] == "00000000-0000-0000-0000-000000000000"
    answer = visitor.call("GET", f"{_ME}?$select=UserID,CurrentDivision")
    assert set(answer.json()["d"]["results"][0]) == {"__metadata", "UserID", "CurrentDivision"}
    assert answer.headers["date"] == "Tue, 30 Jun 2026 09:00:00 GMT"


def test_a_division_has_neither_deferred_nor_missing_parts(visitor: Visitor) -> None:
    row = visitor.first("system/Divisions")
    assert row["Class_01"] is None
    assert row["Legislation"] == "NL "
    assert set(row) - {"__metadata"} == set(SHAPES["system/Divisions"].properties)


def test_three_lists_of_divisions_differ(visitor: Visitor) -> None:
    own = dict.fromkeys(DIVISIONS.values(), 1)
    assert _codes(visitor, "system/Divisions") == {**own, ARCHIVED_DIVISION: 2, SECOND_LICENCE_DIVISION: 1}
    assert FORBIDDEN_DIVISION in _codes(visitor, "system/AllDivisions")
    assert SECOND_LICENCE_DIVISION not in _codes(visitor, "system/AllDivisions")
    assert _codes(visitor, "hrm/Divisions") == {**dict.fromkeys(own, 0), ARCHIVED_DIVISION: 1}
    visitor.division = SECOND_LICENCE_DIVISION
    assert _codes(visitor, "hrm/Divisions") == {SECOND_LICENCE_DIVISION: 0}
    assert len(_codes(visitor, "system/Divisions")) == 4


@pytest.mark.parametrize("division", [FORBIDDEN_DIVISION, 1])
def test_a_division_that_the_user_may_not_open_is_refused(visitor: Visitor, division: int) -> None:
    visitor.division = division
    answer = visitor.ask("hrm/Costcenters", top=1)
    assert (answer.status_code, answer.headers["Reason"]) == (403, "NoDivisionAccess")
    assert "division scope" in message(answer)


def test_a_right_can_be_missing(visitor: Visitor) -> None:
    switches = visitor.site.switches
    text = "Forbidden - Application Scope Violated. Cannot read"
    switches.forbidden = {"purchase/PurchaseInvoices": text}
    switches.empty = frozenset({"salesinvoice/SalesInvoices"})
    answer = visitor.ask("purchase/PurchaseInvoices", top=1)
    assert (answer.status_code, message(answer)) == (403, text)
    assert visitor.rows("salesinvoice/SalesInvoices", select="*", filter="Created ne null") == []
    assert visitor.ask("purchaseentry/PurchaseEntries", top=1).status_code == 200
    switches.division_reasons = {visitor.division: "LicenseExpired"}
    answer = visitor.ask("purchaseentry/PurchaseEntries", top=1)
    assert (answer.status_code, answer.headers["Reason"]) == (403, "LicenseExpired")


def test_a_list_can_come_without_results(visitor: Visitor) -> None:
    assert isinstance(visitor.page("vat/VATCodes", top=60), list)
    assert isinstance(visitor.page("vat/VATCodes", top=61), dict)
    assert isinstance(visitor.page("vat/VATCodes", top=60, inlinecount="allpages"), dict)
    visitor.site.switches.bare_when_topped = False
    assert isinstance(visitor.page("vat/VATCodes", top=60), dict)
    visitor.site.switches.bare_lists = frozenset({"hrm/Costcenters"})
    assert isinstance(visitor.ask("hrm/Costcenters", select="ID").json()["d"], list)


def test_codes_are_padded(visitor: Visitor) -> None:
    accounts = visitor.rows("sync/CRM/Accounts")
    assert {len(row["Code"]) for row in accounts} == {18}
    assert len({row["Code"] for row in accounts}) == len(accounts)
    company = visitor.world.company
    assert {row["SearchCode"] for row in accounts} == {*company.vendors, *company.customers}
    text = "Modified ge datetime'1900-01-01' and Code eq 'V00001'"
    assert visitor.rows("crm/Accounts", select="ID", filter=text) == []
    text = text.replace("Code", "trim(Code)")
    assert len(visitor.rows("crm/Accounts", select="ID", filter=text)) == 1
    assert {row["Code"] for row in visitor.rows("vat/VATCodes", select="Code")} == {
        "0  ",
        "1  ",
        "2  ",
        "3  ",
    }
    visitor.site.switches.padded = False
    assert "V00001" in {row["Code"] for row in visitor.rows("sync/CRM/Accounts")}


def test_percentages_are_fractions_and_whole_numbers_have_no_decimals(visitor: Visitor) -> None:
    rows = visitor.rows("vat/VATCodes", select="Percentage", orderby="Code")
    assert [row["Percentage"] for row in rows] == [0, 0.0825, 0.19, 0.2]
    answer = visitor.ask("vat/VATCodes", select="Percentage", orderby="Code")
    assert '"Percentage":0}' in answer.text


def test_times_are_wall_clock_and_days_are_midnight(visitor: Visitor) -> None:
    bill = visitor.world.life.post_bill(branch="HQ")
    (row,) = visitor.rows(
        "purchaseentry/PurchaseEntries",
        select="EntryDate,Modified",
        filter=f"EntryID eq guid'{bill.note_id}'",
    )
    local = bill.modified_at.astimezone(dt.UTC) + dt.timedelta(hours=2)  # June
    assert milliseconds(row["Modified"]) == int(local.timestamp() * 1000)
    assert milliseconds(row["EntryDate"]) % 86_400_000 == 0


@pytest.mark.parametrize(("utc", "wall"), [("00:30", "02:30"), ("01:30", "02:30"), ("02:30", "03:30")])
def test_the_hour_that_october_repeats(visitor: Visitor, utc: str, wall: str) -> None:
    company = visitor.world.company
    visitor.world.life.advance(
        (dt.datetime(2026, 10, 25, tzinfo=dt.UTC) - company.clock).total_seconds() / 60
    )
    hours, minutes = map(int, utc.split(":"))
    visitor.world.life.advance(hours * 60 + minutes)
    visitor.world.life.rename_cost_center("000100")
    visitor.sign_in_again()
    (row,) = visitor.rows("hrm/Costcenters", select="Modified", filter="Code eq '000100'")
    naive = dt.datetime.fromtimestamp(milliseconds(row["Modified"]) / 1000, tz=dt.UTC)
    assert f"{naive:%m-%d %H:%M}" == f"10-25 {wall}"
    text = f"Modified ge datetime'2026-10-25T{wall}:00' and Code eq '000100'"
    assert len(visitor.rows("hrm/Costcenters", select="ID", filter=text)) == 1


def test_every_division_has_guids_of_its_own(visitor: Visitor) -> None:
    here = {row["ID"] for row in visitor.rows("sync/Financial/GLAccounts", select="ID")}
    visitor.division = DIVISIONS["EAST"]
    there = visitor.rows("sync/Financial/GLAccounts", select="ID,Division,Code")
    assert {row["Division"] for row in there} == {DIVISIONS["EAST"]}
    assert not here & {row["ID"] for row in there}
    assert {row["Code"] for row in there} == set(visitor.world.company.accounts)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("Costcenters", status=408, body=b""),
        Fault("Costcenters", status=503, body=b"<html>busy</html>"),
        Fault("Costcenters", status=500, after=True),
    ],
)
def test_trouble_comes_on_demand(visitor: Visitor, fault: Fault) -> None:
    visitor.site.script.add(fault)
    answer = visitor.ask("hrm/Costcenters", top=1)
    assert (answer.status_code, answer.content) == (fault.status, fault.body)
    assert visitor.ask("hrm/Costcenters", top=1).status_code == 200
