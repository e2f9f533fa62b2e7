from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.faults import Fault
from tests.sandbox.sage_intacct.visitor import Refused, condition, element, query, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.company.model import Vendor
    from tests.sandbox.sage_intacct.visitor import Condition, Visitor

FAR = ("greaterthan", "ACCESSTIME", "01/01/2020")


def numbers(user: Visitor, name: str, where: Condition, **rest: object) -> list[int]:
    return [int(row["RECORDNO"]) for row in user.rows(name, "RECORDNO", where=where, **rest)]


# ------------------------------------------------------------------ pages


def test_pages_count_what_is_left_and_a_query_has_no_cursor(user: Visitor) -> None:
    total = len(user.world.company.accounts)
    data = user.query("GLACCOUNT", "RECORDNO", pagesize=10, offset=total - 4)
    assert data.attrib == {
        "listtype": "GLACCOUNT",
        "totalcount": str(total),
        "offset": str(total - 4),
        "count": "4",
        "numremaining": "0",
    }
    first = user.query("GLACCOUNT", "RECORDNO")
    assert (first.get("count"), first.get("numremaining")) == (str(total), "0")


def test_page_has_100_rows_unless_told_and_2000_at_most(user: Visitor) -> None:
    assert user.query("GLENTRY", "RECORDNO").get("count") == "100"
    for size in ("2001", "0", "-1", "x"):
        with pytest.raises(Refused, match="pagesize"):
            user.query("GLENTRY", "RECORDNO", pagesize=size)


def test_no_hits_are_an_empty_list(user: Visitor) -> None:
    data = user.query("VENDOR", "RECORDNO", where=("equalto", "VENDORID", "nobody"))
    assert (data.get("totalcount"), data.get("count"), len(data)) == ("0", "0", 0)


def test_offsets_over_moving_rows_lose_one(user: Visitor) -> None:
    """Each offset is a new query: a row that leaves the first page makes another one fall between two pages."""
    where = ("equalto", "STATUS", "active")
    everyone = [row["VENDORID"] for row in user.rows("VENDOR", "VENDORID", where=where)]
    gone = everyone[0]

    def end_business() -> None:
        user.world.life.toggle_vendor(gone)

    user.app.script.add(Fault("object=VENDOR&offset=5", hook=end_business))
    seen = [
        row["VENDORID"]
        for offset in range(0, len(everyone), 5)
        for row in user.rows("VENDOR", "VENDORID", where=where, pagesize=5, offset=offset)
    ]
    assert len(seen) == len(everyone) - 1
    assert set(everyone) - set(seen) == {everyone[5]}


def test_keyset_over_moving_rows_loses_none(user: Visitor) -> None:
    everyone = numbers(user, "APBILL", ("greaterthan", "RECORDNO", "0"))
    user.app.script.add(Fault("object=APBILL", skip=1, hook=user.world.life.post_bill))
    seen: list[int] = []
    while page := numbers(
        user, "APBILL", ("greaterthan", "RECORDNO", str(seen[-1] if seen else 0)), pagesize=20
    ):
        assert page == sorted(page)
        seen += page
    assert set(everyone) < set(seen)
    assert len(seen) == len(set(seen)) == len(everyone) + 1


def test_rows_come_in_another_order_each_time_unless_it_is_named(user: Visitor) -> None:
    ways = {
        tuple(row["RECORDNO"] for row in user.rows("GLACCOUNT", "RECORDNO", order=None)) for _ in range(3)
    }
    assert len(ways) == 3
    user.app.switches.unordered = False
    assert len({str(user.rows("GLACCOUNT", "RECORDNO", order=None)) for _ in range(2)}) == 1


def test_order_by_several_fields_and_downwards(user: Visitor) -> None:
    function = query("VENDOR", "CURRENCY", "NAME", order=None)
    function.append(
        element(
            "orderby",
            element("order", element("field", "CURRENCY"), element("descending")),
            element("order", element("field", "NAME"), element("ascending")),
        )
    )
    rows = records(user.call(function)[-1])
    pairs = [(row["CURRENCY"], row["NAME"]) for row in rows]
    assert pairs == sorted(sorted(pairs, key=lambda pair: pair[1]), key=lambda pair: pair[0], reverse=True)
    assert len({currency for currency, _ in pairs}) == 3


# ---------------------------------------------------------------- filters


def test_operators(user: Visitor) -> None:
    vendors = user.world.company.vendors
    third = list(vendors.values())[2]

    def those(is_meant: Callable[[Vendor], bool]) -> set[int]:
        return {each.vendor_id for each in vendors.values() if is_meant(each)}

    low, high = ("greaterthanorequalto", "RECORDNO", "3"), ("lessthan", "RECORDNO", "7")
    expected: list[tuple[Condition, set[int]]] = [
        (("equalto", "VENDORID", third.code), {third.vendor_id}),
        (("notequalto", "VENDORID", third.code), those(lambda each: each is not third)),
        (("lessthan", "RECORDNO", "4"), {1, 2, 3}),
        (("lessthanorequalto", "RECORDNO", "4"), {1, 2, 3, 4}),
        (("between", "RECORDNO", "2", "4"), {2, 3, 4}),
        (("in", "RECORDNO", "2", "4", "9999"), {2, 4}),
        (("and", low, ("notin", "RECORDNO", "4", "5"), high), {3, 6}),
        (("or", ("equalto", "RECORDNO", "1"), ("and", ("greaterthan", "RECORDNO", "5"), high)), {1, 6}),
        (("isnull", "TAXID"), those(lambda each: each.tax_id is None)),
        (("isnotnull", "TAXID"), those(lambda each: each.tax_id is not None)),
        (("like", "VENDORID", "V0000_"), those(lambda each: each.code.startswith("V0000"))),
        (("notlike", "VENDORID", "V%"), those(lambda each: not each.code.startswith("V"))),
        (("equalto", "ACHENABLED", "true"), those(lambda each: each.vendor_id % 2 == 0)),
    ]
    for where, found in expected:
        assert set(numbers(user, "VENDOR", where)) == found, where
        assert found, where


def test_comparison_with_a_null_is_never_true(user: Visitor) -> None:
    value = next(each.tax_id for each in user.world.company.vendors.values() if each.tax_id)
    filled = numbers(user, "VENDOR", ("isnotnull", "TAXID"))
    assert (
        sorted(
            numbers(user, "VENDOR", ("equalto", "TAXID", value))
            + numbers(user, "VENDOR", ("notequalto", "TAXID", value))
        )
        == filled
    )


def test_case_counts_unless_it_is_not_to(user: Visitor) -> None:
    name = next(each.name for each in user.world.company.vendors.values() if each.name.isascii())
    where = ("equalto", "NAME", name.upper())
    assert numbers(user, "VENDOR", where) == []
    assert len(numbers(user, "VENDOR", where, caseinsensitive="true")) == 1


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (("and", ("isnull", "TAXID")), "two or more"),
        (("or",), "two or more"),
        (("isnull", "TAXID", "x"), "values"),
        (("between", "RECORDNO", "1"), "values"),
        (("in", "RECORDNO", *map(str, range(1001))), "values"),
        (("equals", "RECORDNO", "1"), "not an operator"),
        (("equalto", "RECORDNO", "one"), "Invalid value"),
        (("equalto", "WHENMODIFIED", "2026-01-01T00:00:00Z"), "Invalid value"),
        (("equalto", "WHENMODIFIED", "13/01/2026 00:00:00"), "Invalid value"),
        (("equalto", "ACHENABLED", "T"), "Invalid value"),
        (("like", "RECORDNO", "1"), "text only"),
        (("equalto", "NOPE", "1"), "not valid: vendor.NOPE"),
    ],
)
def test_filters_that_are_none(user: Visitor, where: Condition, text: str) -> None:
    with pytest.raises(Refused) as refused:
        user.rows("VENDOR", "RECORDNO", where=where)
    assert text in refused.value.text
    assert refused.value.place == "result"


def test_filter_holds_one_operator_on_top(user: Visitor) -> None:
    function = query("VENDOR", "RECORDNO")
    function.append(element("filter", *(condition(("isnull", "TAXID")) for _ in range(2))))
    with pytest.raises(Refused, match="exactly one operator"):
        user.call(function)


def test_options_are_a_sequence(user: Visitor) -> None:
    function = query("VENDOR", "RECORDNO", private=False, order=None)
    function.remove(function[-1])
    function.append(element("options", element("showprivate", "true"), element("caseinsensitive", "true")))
    with pytest.raises(Refused, match="in this order"):
        user.call(function)


# ----------------------------------------------------------------- fields


def test_unknown_field_and_unknown_object(user: Visitor) -> None:
    with pytest.raises(Refused, match=r"Field requested is not valid: gldetail\.STATUS") as refused:
        user.rows("GLDETAIL", "RECORDNO", "STATUS")
    assert refused.value.number == "XL03000010"
    for field in ("*", "PAYTOCONTACTNAME", "recordno"):
        with pytest.raises(Refused, match="not valid"):
            user.rows("APBILL", field)
    with pytest.raises(Refused, match="Object definition NOTHING not found") as refused:
        user.rows("NOTHING", "RECORDNO")
    assert refused.value.number == "Query Failed"


def test_fields_that_lookup_lists_and_query_refuses_are_all_named(user: Visitor) -> None:
    with pytest.raises(Refused) as refused:
        user.rows("PROJECT", "NAME", "CFDA", "PAYER")
    assert refused.value.number == "XL03000006"
    assert "The following fields cannot be queried: [ project: [CFDA, PAYER] ]" in refused.value.text
    user.app.switches.unqueryable_fields = {"APBILL": frozenset({"SUPDOCID"})}
    with pytest.raises(Refused, match=r"apbill: \[SUPDOCID\]"):
        user.rows("APBILL", "SUPDOCID")
    with pytest.raises(Refused, match="RECORD#"):
        user.rows("REPORTINGPERIOD", "RECORD#")


def test_dotted_fields_reach_related_records(user: Visitor) -> None:
    rows = user.rows(
        "APBILL", "VENDORID", "VENDOR.NAME", "VENDOR.TERM.DESCRIPTION", "VENDOR.DISPLAYCONTACT.PRINTAS"
    )
    vendors, terms = user.world.company.vendors, user.world.company.terms
    for row in rows:
        vendor = vendors[row["VENDORID"]]
        assert row["VENDOR.NAME"] == row["VENDOR.DISPLAYCONTACT.PRINTAS"] == vendor.name
        assert row["VENDOR.TERM.DESCRIPTION"] == terms[vendor.terms].description
    (symbol,) = {
        row["JOURNAL.SYMBOL"]
        for row in user.rows("GLDETAIL", "JOURNAL.SYMBOL", where=("equalto", "MODULEKEY", "3.AP"))
    }
    assert symbol == "APJ"
    with pytest.raises(Refused, match="not valid"):
        user.rows("VENDOR", "PARENT.PARENT.NAME")


def test_aggregates(user: Visitor) -> None:
    select = [element("count", "RECORDNO"), element("sum", "TOTALENTERED"), element("max", "WHENCREATED")]
    rows = records(user.call(query("APBILL", "STATE", select=select, order=None))[-1])
    bills = user.rows("APBILL", "STATE", "TOTALENTERED")
    assert {row["STATE"] for row in rows} == {bill["STATE"] for bill in bills}
    for row in rows:
        same = [Decimal(bill["TOTALENTERED"]) for bill in bills if bill["STATE"] == row["STATE"]]
        assert (int(row["COUNT.RECORDNO"]), Decimal(row["SUM.TOTALENTERED"])) == (len(same), sum(same))
        assert len(row["MAX.WHENCREATED"]) == 10
    user.app.switches.aggregate_names = "plain"
    (only,) = records(user.call(query("APBILL", select=[element("count", "RECORDNO")], order=None))[-1])
    assert only == {"RECORDNO": str(len(bills))}
    with pytest.raises(Refused, match="sum does not work"):
        user.call(query("APBILL", select=[element("sum", "STATE")]))


def test_other_formats_lose_the_envelope_but_errors_keep_it(user: Visitor) -> None:
    answer = user.post(user.envelope(query("VENDOR", "RECORDNO", "NAME", returnformat="json")))
    assert answer.headers["Content-Type"] == "application/json"
    rows = answer.json()
    assert rows[0]["RECORDNO"] == "1"
    names = {each.name for each in user.world.company.vendors.values()}
    assert {row["NAME"] for row in rows} == names
    csv = user.post(user.envelope(query("VENDOR", "RECORDNO", returnformat="csv"))).text
    assert csv.splitlines()[:2] == ["RECORDNO", "1"]
    with pytest.raises(Refused, match="NOPE"):
        user.call(query("VENDOR", "NOPE", returnformat="json"))


# ------------------------------------------------------------ permissions


def test_objects_that_may_not_be_read_can_be_looked_up(user: Visitor) -> None:
    user.app.switches.forbidden_objects = frozenset({"VENDOR", "AUDITHISTORY"})
    for name in ("VENDOR", "CONTRACT", "GLACCOUNTBALANCE"):
        assert user.call(element("lookup", element("object", name))) is not None
        with pytest.raises(Refused) as refused:
            user.rows(name, "RECORDNO", pagesize=1)
        assert refused.value.number == "PL04000005"
    with pytest.raises(Refused, match="permission to view audit history") as refused:
        user.rows("AUDITHISTORY", "ID", where=("and", ("equalto", "OBJECTTYPE", "apbill"), FAR), order=None)
    assert refused.value.number is None


def test_break_downs_on_great_offsets_and_wide_ranges(user: Visitor) -> None:
    user.app.switches.broken_offset = 100
    user.app.switches.broken_span_days = 7
    assert user.rows("GLENTRY", "RECORDNO", pagesize=50, offset=100)
    for function in (
        query("GLENTRY", "RECORDNO", pagesize=50, offset=150),
        query("GLDETAIL", "RECORDNO"),
        query("GLDETAIL", "RECORDNO", where=_window("06/01/2026 00:00:00", "06/08/2026 00:00:01")),
    ):
        with pytest.raises(Refused) as refused:
            user.call(function)
        assert refused.value.number == "DL02000001"
    assert (
        user.query("GLDETAIL", "RECORDNO", where=_window("06/01/2026 00:00:00", "06/08/2026 00:00:00"))
        is not None
    )
    assert user.rows("GLDETAIL", "RECORDNO", where=("in", "BATCHKEY", "9", "17", "10"))


def _window(low: str, high: str) -> Condition:
    return ("and", ("greaterthanorequalto", "WHENMODIFIED", low), ("lessthan", "WHENMODIFIED", high))
