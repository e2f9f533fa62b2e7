from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import pytest

from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.company.payables import bill_key
from tests.sandbox.sage_intacct import numbers
from tests.sandbox.sage_intacct.visitor import Refused, total

if TYPE_CHECKING:
    from tests.sandbox.sage_intacct.visitor import Row, Visitor


def audit(user: Visitor, kind: str, mode: str = "D", since: str = "01/01/2020 00:00:00") -> list[Row]:
    where = (
        "and",
        ("equalto", "OBJECTTYPE", kind),
        ("equalto", "ACCESSMODE", mode),
        ("greaterthanorequalto", "ACCESSTIME", since),
    )
    return user.rows("AUDITHISTORY", "ID", "OBJECTKEY", "ACCESSTIME", "ACCESSMODE", where=where, order="ID")


def test_deletions_are_in_the_audit_trail(user: Visitor) -> None:
    for _ in range(4):
        user.world.life.post_bill(hold=True)
    before = {row["RECORDNO"] for row in user.rows("APBILL", "RECORDNO")}
    for _ in range(4):
        user.world.life.delete_bill()
    gone = before - {row["RECORDNO"] for row in user.rows("APBILL", "RECORDNO")}
    found = [row["OBJECTKEY"] for row in audit(user, "apbill", since="06/30/2026 09:00:00")]
    found += [row["OBJECTKEY"] for row in audit(user, "apadjustment", since="06/30/2026 09:00:00")]
    assert gone <= {key.removesuffix("--REC") for key in found}
    user.app.switches.audit_key_style = "rec"
    assert all(row["OBJECTKEY"].endswith("--REC") for row in audit(user, "apbill"))
    user.app.switches.late_audit_minutes = 10
    assert audit(user, "apbill", since="06/30/2026 09:00:00") == []
    user.app.switches.audit_since = 0
    assert audit(user, "apbill") == []


def test_audit_keeps_to_deletions_and_to_gmt_on_request(user: Visitor) -> None:
    user.world.life.post_bill(hold=True)
    assert audit(user, "apbill", "C")
    user.app.switches.audit_accesses = False
    assert audit(user, "apbill", "C") == []

    def times(minutes: int, zone: Literal["user", "GMT"]) -> list[str]:
        user.app.switches.zone_minutes, user.app.switches.audit_zone = minutes, zone
        return [row["ACCESSTIME"] for row in audit(user, "glbatch")]

    assert times(0, "user") == times(-480, "GMT") != times(-480, "user")


def test_audit_needs_filters_on_type_and_time(user: Visitor) -> None:
    for where in (None, ("equalto", "OBJECTTYPE", "apbill"), ("greaterthan", "ACCESSTIME", "01/01/2020")):
        with pytest.raises(Refused) as refused:
            user.rows("AUDITHISTORY", "ID", where=where, order=None)
        assert refused.value.number == "DL02000001"


def test_keys_of_the_audit_trail_stand_for_themselves(user: Visitor) -> None:
    rows = [row for kind in ("apbill", "glbatch", "vendor", "project") for row in audit(user, kind, "C")]
    assert len({row["ID"] for row in rows}) == len(rows)
    assert {row["OBJECTKEY"] for row in audit(user, "project", "C")} == set(user.world.company.projects)
    vendors = {row["OBJECTKEY"].removesuffix("--REC") for row in audit(user, "vendor", "C")}
    assert vendors == {row["RECORDNO"] for row in user.rows("VENDOR", "RECORDNO")}
    for kind in ("apbillitem", "appymtdetail", "glentry", "arinvoiceitem"):
        assert audit(user, kind) == []


def test_bill_edited_in_purchasing_is_deleted_and_made_anew(user: Visitor) -> None:
    user.world.life.post_purchase_order()
    bill = user.world.life.post_bill_for_order()
    before, batch = str(numbers.bill(bill)), str(numbers.journal(f"AP|{bill.batch_nbr}"))
    where = ("equalto", "RECORDID", bill.reference_nbr)
    user.world.life.advance(15)
    user.world.life.correct_order_bill(bill_key(bill))
    (row,) = user.rows("APBILL", "RECORDNO", "STATE", "TOTALENTERED", where=where)
    assert row["RECORDNO"] != before
    assert int(row["RECORDNO"]) > max(int(each["RECORDNO"]) for each in user.rows("APBILL", "RECORDNO")[:-1])
    assert Decimal(row["TOTALENTERED"]) == bill.base_amount
    lines = user.rows("APBILLITEM", "RECORDKEY", where=("equalto", "RECORDKEY", before))
    assert lines == []
    (gone,) = audit(user, "apbill", since="06/30/2026 09:15:00")
    assert gone["OBJECTKEY"].removesuffix("--REC") == before
    assert gone["ACCESSTIME"] == "06/30/2026 09:15:00"
    (posting,) = audit(user, "glbatch", since="06/30/2026 09:15:00")
    assert posting["OBJECTKEY"].removesuffix("--REC") == batch
    books = books_of(user.world.company)
    posted = ("and", ("equalto", "BATCH_STATE", "Posted"), ("equalto", "BOOKID", "ACCRUAL"))
    postings = user.rows("GLDETAIL", "DEBITAMOUNT", where=posted)
    assert total(postings, "DEBITAMOUNT") == books.debits
    user.world.life.change_custom(bill_key(bill))
    (again,) = user.rows("APBILL", "RECORDNO", where=where)
    assert int(again["RECORDNO"]) > int(row["RECORDNO"])
    details = user.world.life.pay
    while bill.status is DocumentStatus.OPEN:
        details(in_full=True)
    user.world.life.change_custom(bill_key(bill))
    assert user.rows("APBILL", "RECORDNO", where=where) == [again]
