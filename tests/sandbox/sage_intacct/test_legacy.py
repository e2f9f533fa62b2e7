from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.sage_intacct.visitor import Refused, element, records

if TYPE_CHECKING:
    from tests.sandbox.sage_intacct.visitor import Visitor


def test_read_by_query_gives_pages_behind_a_cursor_in_its_own_dialect(user: Visitor) -> None:
    data = user.read_by_query(
        "APBILL", "RECORDNO,STATE,PAYTOCONTACTNAME,ONHOLD", "STATE = 'A' OR STATE = 'C'", 10
    )
    assert data.get("listtype") == "apbill"
    result_id = data.get("resultId")
    assert result_id
    assert {row.tag for row in data} == {"apbill"}
    rows = records(data)
    assert {row["ONHOLD"] for row in rows} == {"F"}
    while data.get("numremaining") != "0":
        more = user.call(element("readMore", element("resultId", result_id))).find("data")
        assert more is not None
        data = more
        rows += records(data)
    assert {row["STATE"] for row in rows} == {"Posted", "Paid"}
    assert len(rows) == len(user.rows("APBILL", "RECORDNO", where=("in", "STATE", "Posted", "Paid")))
    with pytest.raises(Refused, match="not valid"):
        user.sign_in().call(element("readMore", element("resultId", result_id)))


def test_read_by_query_filters_in_sql_text(user: Visitor) -> None:
    name = next(each.name for each in user.world.company.vendors.values() if "'" in each.name)
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    assert len(user.read_by_query("VENDOR", "NAME", f"NAME = '{quoted}'")) == 1
    for text, count in (
        ("STATUS = 'T' and RECORDNO <= 5", 5),
        ("RECORDNO in (1, 2, 99999)", 2),
        ("NOT (RECORDNO > 2) or VENDORID like 'V00003%'", 3),
        ("RECORDNO < 3 AND WHENCREATED >= '01/01/2025'", 2),
        ("NAME is null", 0),
        ("RECORDNO < 3 and NAME IS NOT NULL", 2),
    ):
        assert len(user.read_by_query("VENDOR", "RECORDNO", text)) == count, text
    for text in ("NAME =", "NAME ~ 'x'", "(RECORDNO = 1", "RECORDNO = 1 RECORDNO = 2", "NOPE = 1"):
        with pytest.raises(Refused):
            user.read_by_query("VENDOR", "RECORDNO", text)
    with pytest.raises(Refused, match="pagesize"):
        user.read_by_query("VENDOR", "RECORDNO", "", 1001)


def test_read_nests_the_lines_and_audit_modes_are_words(user: Visitor) -> None:
    key = user.rows("APBILL", "RECORDNO", pagesize=1)[0]["RECORDNO"]
    function = element("read", element("object", "APBILL"), element("keys", key), element("fields", "*"))
    bill = user.call(function).find("data/apbill")
    assert bill is not None
    lines = [each.findtext("RECORDKEY") for each in bill.iter("apbillitem")]
    assert set(lines) == {key}
    named = element(
        "readByName", element("object", "VENDOR"), element("keys", "V00001"), element("fields", "NAME")
    )
    assert user.call(named).findtext("data/vendor/NAME") == user.world.company.vendors["V00001"].name
    data = user.read_by_query(
        "AUDITHISTORY", "ACCESSMODE", "OBJECTTYPE = 'salesdocument' or ACCESSMODE = 'Delete'"
    )
    assert {row["ACCESSMODE"] for row in records(data)} == {"Delete"}


def test_calls_are_counted_and_metered(user: Visitor) -> None:
    user.rows("APBILL", "RECORDNO")
    user.call(element("lookup", element("object", "APBILL")))
    user.read_by_query("APBILL", "RECORDNO")
    assert user.app.calls == {
        "getAPISession": 1, "query": 1, "query APBILL": 1, "lookup": 1, "lookup APBILL": 1,
        "readByQuery": 1, "readByQuery APBILL": 1,
    }  # fmt: skip
    assert user.app.transactions == 2
