from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.acumatica import wire
from tests.sandbox.acumatica.visitor import plain, values

if TYPE_CHECKING:
    from tests.sandbox.acumatica.visitor import Visitor


@pytest.fixture
def user(visitor: Visitor) -> Visitor:
    return visitor.sign_in()


@pytest.fixture
def modern(user: Visitor) -> Visitor:
    """Somebody who speaks contract 5."""
    user.app.switches.offer_contract_5 = True
    user.version = "26.200.001"
    return user


def test_values_are_wrapped_and_null_is_an_empty_object(user: Visitor) -> None:
    bill = next(each for each in user.world.company.bills.values() if each.due_date is None)
    row = user.ask(f"Bill/{bill.note_id}").json()
    assert row["DueDate"] == {}
    assert row["Date"] == {"value": f"{bill.date.isoformat()}T00:00:00+00:00"}
    assert row["CashAccount"] == {}
    assert row["Hold"] == {"value": False}
    assert row["note"] == {"value": ""}
    assert row["_links"]["self"] == f"/acme/entity/Default/24.200.001/Bill/{bill.note_id}"


@pytest.mark.parametrize(
    ("microseconds", "printed"),
    [(0, ""), (100_000, ".1"), (570_000, ".57"), (253_000, ".253"), (4_000, ".004")],
)
def test_stamps_drop_trailing_zeros_of_milliseconds(microseconds: int, printed: str) -> None:
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, microseconds, tzinfo=dt.UTC)
    assert wire.stamp(moment, dt.UTC) == f"2026-01-02T03:04:05{printed}+00:00"


def test_stamps_can_be_printed_in_another_offset(user: Visitor) -> None:
    utc = plain(user.rows("Bill", top=1)[0], "LastModifiedDateTime")
    user.app.switches.rest_zone_minutes = -300
    local = plain(user.rows("Bill", top=1)[0], "LastModifiedDateTime")
    assert local.endswith("-05:00")
    assert dt.datetime.fromisoformat(local) == dt.datetime.fromisoformat(utc)


@pytest.mark.parametrize(
    ("stored", "printed"),
    [("125.50", "125.5"), ("0.00", "0.0"), ("1200.00", "1200.0"), ("-7.0000", "-7.0"), ("0.0275", "0.0275")],
)
def test_decimals_drop_trailing_zeros_but_one(stored: str, printed: str) -> None:
    assert str(wire.number(Decimal(stored))) == printed


def test_amounts_are_exact_on_the_wire(user: Visitor) -> None:
    text = user.ask("Bill", headers={"PX-ApiArchive": "SHOW"}).text
    amounts = {row["id"]: plain(row, "Amount") for row in json.loads(text, parse_float=Decimal)}
    assert amounts == {bill.note_id: bill.amount for bill in user.world.company.bills.values()}


@pytest.mark.parametrize(("form", "note"), [("object", {"value": ""}), ("string", ""), ("null", None)])
def test_empty_note_has_the_form_of_its_build(user: Visitor, form: Any, note: object) -> None:
    user.app.switches.note_form = form
    assert user.rows("Bill", top=1)[0]["note"] == note


@pytest.mark.parametrize(("style", "period"), [("MMYYYY", "012026"), ("MM-YYYY", "01-2026")])
def test_period_is_shown_in_the_sites_style(user: Visitor, style: Any, period: str) -> None:
    user.app.switches.period_style = style
    rows = user.rows("JournalTransaction", filter=f"PostPeriod eq '{period}'")
    assert rows
    assert set(values(rows, "PostPeriod")) == {period}


def test_labels_follow_the_locale_of_the_login(visitor: Visitor) -> None:
    cookies = visitor.log_in(locale="de-DE").cookies
    address = f"{visitor.base}/entity/Default/24.200.001/Bill"
    german = requests.get(address, cookies=cookies, timeout=10).json()
    english = visitor.sign_in().rows("Bill")
    assert set(values(german, "Type")) == {"Rechnung", "Gutschriftskorrektur", "Belastungskorrektur"}
    assert {"Offen", "Geschlossen"} <= set(values(german, "Status"))
    assert {"Open", "Closed"} <= set(values(english, "Status"))
    assert values(german, "ReferenceNbr") == values(english, "ReferenceNbr")
    found = requests.get(
        address, params={"$filter": "Type eq 'Rechnung'"}, cookies=cookies, timeout=10
    ).json()
    assert len(found) == values(english, "Type").count("Bill")


def test_labels_of_a_bearer_follow_the_users_language(user: Visitor) -> None:
    user.log_out()
    user.app.switches.user_locale = "de-DE"
    assert "Aktiva" in values(user.rows("Account"), "Type")


def test_status_and_type_labels(user: Visitor) -> None:
    life = user.world.life
    life.post_bill(hold=True)
    life.void_bill()
    life.void_payment()
    life.hold_journal()
    assert set(values(user.rows("Bill"), "Status")) == {"On Hold", "Open", "Closed", "Voided"}
    assert set(values(user.rows("Bill"), "Type")) == {"Bill", "Credit Adj.", "Debit Adj."}
    assert {"Closed", "Voided"} <= set(values(user.rows("Check"), "Status"))
    journals = user.rows("JournalTransaction")
    assert set(values(journals, "Status")) == {"Balanced", "Posted"}
    assert set(values(journals, "LedgerID")) == {"ACTUAL"}
    assert set(values(user.rows("Account"), "Type")) == {"Asset", "Liability", "Income", "Expense"}


def test_contract_5_has_objects_for_drop_downs(modern: Visitor) -> None:
    row = modern.rows("Bill", filter="Type eq 'Bill'", top=1)[0]
    assert row["Type"] == {"value": {"id": "INV", "description": "Bill"}}
    journal = modern.rows("JournalTransaction", top=1)[0]
    assert journal["Module"] == {"value": "AP"}  # not every drop-down changed
    assert set(journal["Status"]["value"]) == {"id", "description"}


def test_contract_5_has_bare_business_dates_and_explicit_nulls(modern: Visitor) -> None:
    bill = next(each for each in modern.world.company.bills.values() if each.due_date is None)
    row = modern.ask(f"Bill/{bill.note_id}").json()
    assert row["Date"] == {"value": bill.date.isoformat()}
    assert row["DueDate"] == {"value": None}
    order = modern.rows("PurchaseOrder", top=1)[0]
    assert plain(order, "Date").endswith("T00:00:00+00:00")  # this one stayed a stamp


def test_contract_5_filters_dates_by_its_own_literal(modern: Visitor) -> None:
    some = modern.rows("Bill", filter="Date gt date'2026-01-01'")
    assert 0 < len(some) < len(modern.rows("Bill"))
    assert modern.ask("Bill", filter="Date gt datetimeoffset'2026-01-01T00:00:00Z'").status_code == 500
    moment = "datetimeoffset'2026-01-01T00:00:00Z'"
    assert modern.rows("Bill", filter=f"LastModifiedDateTime ge {moment}")
    assert modern.ask("Bill", filter="LastModifiedDateTime ge date'2026-01-01'").status_code == 500


def test_contract_5_expands_in_parentheses(modern: Visitor) -> None:
    row = modern.rows("Vendor", expand="MainContact($expand=Address)", top=1)[0]
    assert plain(row["MainContact"]["Address"], "City")
    assert modern.ask("Vendor", expand="MainContact,MainContact/Address").status_code == 500
    assert modern.rows("Bill", expand="Files", top=1)[0]["files"] == []
    assert modern.ask("Bill", expand="files").status_code == 500


def test_contract_5_renamed_the_cursor_of_sales_orders(modern: Visitor) -> None:
    moment = "datetimeoffset'2020-01-01T00:00:00Z'"
    assert modern.ask("SalesOrder", filter=f"LastModifiedDateTime ge {moment}").status_code == 200
    assert modern.ask("SalesOrder", filter=f"LastModified ge {moment}").status_code == 500
    modern.version = "25.200.001"
    assert modern.ask("SalesOrder", filter=f"LastModifiedDateTime ge {moment}").status_code == 500
    assert modern.ask("SalesOrder", filter=f"LastModified ge {moment}").status_code == 200


def test_both_contracts_show_the_same_company(modern: Visitor) -> None:
    new = modern.rows("Bill", expand="Details")
    modern.version = "24.200.001"
    old = modern.rows("Bill", expand="Details")
    assert [(row["id"], plain(row, "Amount"), len(row["Details"])) for row in new] == [
        (row["id"], plain(row, "Amount"), len(row["Details"])) for row in old
    ]
