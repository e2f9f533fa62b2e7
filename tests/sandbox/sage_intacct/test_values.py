from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.sandbox.company.model import BillType, Company
from tests.sandbox.company.payables import bill_key
from tests.sandbox.company.world import World
from tests.sandbox.sage_intacct import numbers
from tests.sandbox.sage_intacct.app import create_app
from tests.sandbox.sage_intacct.visitor import query
from tests.sandbox.serving import serve

if TYPE_CHECKING:
    from tests.sandbox.sage_intacct.visitor import Visitor


def test_private_records_need_to_be_asked_for(user: Visitor) -> None:
    def entities(**options: bool) -> set[str]:
        return {row["MEGAENTITYID"] for row in user.rows("APBILL", "MEGAENTITYID", **options)}

    assert entities(private=False) == {"HQ"}
    assert entities(private=True) == {"EAST", "HQ"}
    assert user.rows("VENDOR", "RECORDNO", private=False) == user.rows("VENDOR", "RECORDNO")
    inside = user.sign_in("EAST")
    assert {row["LOCATIONID"] for row in inside.rows("GLDETAIL", "LOCATIONID", private=False)} == {"EAST"}
    assert len(inside.rows("GLACCOUNT", "RECORDNO")) == len(user.world.company.accounts)


def test_rows_that_were_never_changed_may_have_no_stamp(user: Visitor) -> None:
    untouched = [each for each in user.world.company.accounts.values() if each.modified_at == each.created_at]
    where = ("isnull", "WHENMODIFIED")
    nulls = user.rows("GLACCOUNT", "RECORDNO", where=where)
    assert 0 < len(nulls) < len(untouched)
    windowed = user.rows(
        "GLACCOUNT", "RECORDNO", where=("greaterthan", "WHENMODIFIED", "01/01/2000 00:00:00")
    )
    assert len(nulls) + len(windowed) == len(user.world.company.accounts)
    user.world.life.rename_account(user.world.company.accounts["010200"].code)
    user.app.switches.null_when_modified = frozenset({"VENDOR"})
    assert not user.rows("GLACCOUNT", "RECORDNO", where=where)
    assert user.rows("VENDOR", "RECORDNO", where=where)


def test_stamps_are_written_and_read_in_the_user_s_zone(user: Visitor) -> None:
    account = user.world.life.rename_account("010200")
    where = ("equalto", "ACCOUNTNO", "010200")
    plain = account.modified_at.strftime("%m/%d/%Y %H:%M:%S")
    assert user.rows("GLACCOUNT", "WHENMODIFIED", where=where) == [{"WHENMODIFIED": plain}]
    user.app.switches.zone_minutes = -480
    shifted = (account.modified_at - dt.timedelta(hours=8)).strftime("%m/%d/%Y %H:%M:%S")
    assert user.rows("GLACCOUNT", "WHENMODIFIED", where=where) == [{"WHENMODIFIED": shifted}]
    exact = ("and", where, ("equalto", "WHENMODIFIED", shifted))
    assert user.rows("GLACCOUNT", "ACCOUNTNO", where=exact) == [{"ACCOUNTNO": "010200"}]
    bill = user.rows("APBILL", "WHENCREATED", "AUWHENCREATED", pagesize=1)[0]
    user.app.switches.creation_zone = "GMT"
    assert (
        user.rows("APBILL", "WHENCREATED", "AUWHENCREATED", pagesize=1)[0]["WHENCREATED"]
        == bill["WHENCREATED"]
    )
    assert user.rows("APBILL", "AUWHENCREATED", pagesize=1)[0]["AUWHENCREATED"] != bill["AUWHENCREATED"]


def test_values_that_are_written_unlike_their_type(user: Visitor) -> None:
    (row,) = user.rows("VENDOR", "DEFAULT_LEAD_TIME", "CERTIFICATES", where=("equalto", "RECORDNO", "1"))
    assert row["DEFAULT_LEAD_TIME"] == "1.0"
    joined = user.rows("VENDOR", "CERTIFICATES", where=("like", "CERTIFICATES", "%#~#%"))
    assert joined
    assert len(user.rows("GLBATCH", "MODIFIED", pagesize=1)[0]["MODIFIED"]) == 10
    amounts = {row["TOTALENTERED"] for row in user.rows("APBILL", "TOTALENTERED")}
    assert not any("," in amount or ("." in amount and amount.endswith("0")) for amount in amounts)
    assert all(row["ACCOUNTNO"] == row["ACCOUNTNO"].zfill(6) for row in user.rows("GLACCOUNT", "ACCOUNTNO"))


@pytest.mark.parametrize(
    ("form", "stray"), [("raw", b"\x1f</COMMENTS>"), ("reference", b"&#x1F;</COMMENTS>")]
)
def test_control_characters_in_a_value(user: Visitor, form: str, stray: bytes) -> None:
    setattr(user.app.switches, "control_characters", form)  # noqa: B010 - a parameter, not a literal
    assert stray in user.post(user.envelope(query("VENDOR", "COMMENTS"))).content


def test_quotes_are_references_and_some_values_are_encoded_twice(user: Visitor) -> None:
    answer = user.post(user.envelope(query("VENDOR", "COMMENTS")))
    assert b"<COMMENTS>Terms &amp;amp; buyer&#039;s notes on " in answer.content
    assert user.rows("VENDOR", "COMMENTS", pagesize=1)[0]["COMMENTS"].startswith("Terms &amp; buyer's notes")


def test_numbers_of_records_outlive_a_restart(user: Visitor) -> None:
    user.world.life.post_purchase_order()
    user.world.life.change_custom(bill_key(user.world.life.post_bill_for_order()))
    names = ("APBILL", "APBILLITEM", "GLENTRY", "PODOCUMENT", "APPYMTDETAIL")
    before = [user.rows(name, "RECORDNO") for name in names]
    saved = msgspec.json.decode(msgspec.json.encode(user.world.company), type=Company)
    with serve(create_app(World(saved))) as url:
        other = dataclasses.replace(user, url=url, session=None).sign_in()
        assert [other.rows(name, "RECORDNO") for name in names] == before


def test_rows_can_become_visible_late(user: Visitor) -> None:
    for _ in range(12):
        user.world.life.post_bill()
    everything = user.rows("APBILL", "RECORDNO")
    user.app.switches.late_minutes = 30
    early = user.rows("APBILL", "RECORDNO")
    assert 0 < len(everything) - len(early) < 12
    user.world.life.advance(31)
    assert user.rows("APBILL", "RECORDNO") == everything


def test_payments_need_not_touch_their_bills(user: Visitor) -> None:
    payment = user.world.life.pay(in_full=True)
    user.world.life.advance(60)
    payment = user.world.life.pay(in_full=True)
    application = next(each for each in payment.applications if each.type is BillType.BILL)
    where = ("equalto", "RECORDNO", str(numbers.bill(user.world.company.bills[bill_key(application)])))
    assert user.rows("APBILL", "WHENMODIFIED", where=where)[0]["WHENMODIFIED"].startswith("06/30/2026 10:00")
    user.app.switches.payments_touch_bills = False
    (row,) = user.rows("APBILL", "STATE", "WHENMODIFIED", where=where)
    assert row["STATE"] == "Paid"
    assert not row.get("WHENMODIFIED", "").startswith("06/30/2026 10:00")


def test_text_keys_may_compare_as_numbers(user: Visitor) -> None:
    where = ("greaterthan", "RECORDNO", "9")
    as_text = user.rows("PODOCUMENT", "RECORDNO", where=where)
    user.app.switches.text_keys_compare = "number"
    as_number = user.rows("PODOCUMENT", "RECORDNO", where=where)
    assert len(as_text) < len(as_number)
    keys = [int(row["RECORDNO"]) for row in as_number]
    assert keys == sorted(keys)
