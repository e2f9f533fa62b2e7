from __future__ import annotations

import base64
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.faults import Fault
from tests.sandbox.syspro.visitor import EDM, KEY, described, keys, types

if TYPE_CHECKING:
    from tests.sandbox.syspro.visitor import Json, Visitor


# -------------------------------------------------------------------- paging


def test_top_and_skip_walk_the_whole_key_order(visitor: Visitor) -> None:
    whole = visitor.rows("ApInvoice", orderby=KEY)
    assert keys(whole) == sorted(keys(whole))
    pages = [visitor.rows("ApInvoice", orderby=KEY, top=7, skip=skip) for skip in range(0, len(whole) + 7, 7)]
    assert [row for page in pages for row in page] == whole


def test_without_the_whole_key_in_the_order_rows_come_in_any(visitor: Visitor) -> None:
    assert visitor.rows("ApInvoice") != visitor.rows("ApInvoice")
    ordered = [visitor.rows("ApInvoice", orderby="Supplier") for _ in range(2)]
    assert ordered[0] != ordered[1]
    assert [row["Supplier"] for row in ordered[0]] == sorted(row["Supplier"] for row in ordered[1])


def test_top_beyond_the_limit_is_refused_or_cut(visitor: Visitor) -> None:
    assert "The limit of '5000' for Top query" in visitor.refused("ApInvoice", top=5001)
    visitor.switches.max_top = 3
    visitor.switches.beyond_max_top = "cut"
    assert len(visitor.rows("ApInvoice", top=5000)) == 3


def test_a_lower_cap_makes_short_pages_that_are_not_the_end(visitor: Visitor) -> None:
    visitor.switches.row_cap = 3
    answer = visitor.ask("ApInvoice", orderby=KEY, top=100, count="true").json()
    assert len(answer["value"]) == 3
    assert answer["@odata.count"] > 3
    assert "@odata.nextLink" not in answer


@pytest.mark.parametrize("form", ["absolute", "relative", "internal_host"])
def test_next_links_without_top(visitor: Visitor, form: str) -> None:
    whole = visitor.rows("ApInvoice", orderby=KEY)
    visitor.switches.row_cap = 20
    visitor.switches.next_link = form  # type: ignore[assignment]
    found: list[Json] = []
    path: str | None = f"EDU1/ApInvoice?$orderby={KEY}"
    while path:
        answer = visitor.raw(path).json(parse_float=Decimal)
        found += answer["value"]
        link = answer.get("@odata.nextLink")
        if link is not None and form == "internal_host":
            assert "internal.example" in link
        assert link is None or link.startswith("ApInvoice?" if form == "relative" else "http")
        path = None if link is None else "EDU1/ApInvoice?" + link.partition("?")[2]
    assert found == whole
    assert "@odata.nextLink" not in visitor.ask("ApInvoice", orderby=KEY, top=25).json()


def test_count_and_its_absence(visitor: Visitor) -> None:
    answer = visitor.ask("ApInvoice", count="true", filter="MthInvBal1 ne 0", top=1).json()
    assert answer["@odata.count"] == len(visitor.rows("ApInvoice", filter="MthInvBal1 ne 0"))
    visitor.switches.count_supported = False
    assert visitor.refused("ApInvoice", count="true")


def test_skip_that_has_no_effect(visitor: Visitor) -> None:
    visitor.switches.skip_ignored = True
    assert visitor.rows("ApInvoice", orderby=KEY, top=2, skip=2) == visitor.rows(
        "ApInvoice", orderby=KEY, top=2
    )


def test_select_gives_those_columns_and_refuses_unknown_ones(visitor: Visitor) -> None:
    assert set(visitor.rows("ApInvoice", select="Supplier,TimeStamp")[0]) == {"Supplier", "TimeStamp"}
    assert visitor.refused("ApInvoice", select="Supplier,Supplierx")


def test_a_long_query_looks_like_a_missing_page(visitor: Visitor) -> None:
    columns = ",".join(types(visitor, "ArCustomer"))
    answer = visitor.ask("ArCustomer", select=columns, filter="Customer gt '" + "0" * 700 + "'")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


# -------------------------------------------------------------- row versions


def test_row_versions_grow_with_changes_only(visitor: Visitor) -> None:
    def versions() -> dict[tuple[str, str], bytes]:
        rows = visitor.rows("ApInvoice", orderby=KEY, select="Supplier,Invoice,TimeStamp")
        return {(row["Supplier"], row["Invoice"]): base64.b64decode(row["TimeStamp"]) for row in rows}

    before = versions()
    payment = visitor.world.life.pay()
    while payment.branch != "HQ":
        payment = visitor.world.life.pay()
    after = versions()
    changed = {key for key in after if after[key] != before.get(key)}
    assert changed
    assert changed < set(after)
    assert min(after[key] for key in changed) > max(before.values())
    assert versions() == after


@pytest.mark.parametrize("form", ["base64url", "number", "absent"])
def test_other_forms_of_row_versions(visitor: Visitor, form: str) -> None:
    visitor.switches.time_stamp = form  # type: ignore[assignment]
    kind = types(visitor, "ApInvoice").get("TimeStamp")
    row = visitor.rows("ApInvoice", orderby=KEY)[0]
    if form == "number":
        assert kind == "Edm.Int64"
        found = visitor.rows("ApInvoice", filter=f"TimeStamp gt {row['TimeStamp']}")
        assert len(found) == len(visitor.rows("ApInvoice")) - 1
    elif form == "absent":
        assert kind is None
        assert "TimeStamp" not in row
        assert visitor.refused("ApInvoice", select="TimeStamp")
    else:
        assert len(base64.urlsafe_b64decode(row["TimeStamp"])) == 8


def test_a_view_with_the_row_version_as_a_number(visitor: Visitor) -> None:
    assert visitor.ask("ApInvoiceChanges").status_code == 404
    visitor.switches.changes_view = True
    stamps = {
        (row["Supplier"], row["Invoice"]): int.from_bytes(base64.b64decode(row["TimeStamp"]), "big")
        for row in visitor.rows("ApInvoice")
    }
    rows = visitor.rows("ApInvoiceChanges", orderby="RowVer")
    assert [row["RowVer"] for row in rows] == sorted(stamps.values())
    assert {(row["Supplier"], row["Invoice"]): row["RowVer"] for row in rows} == stamps
    assert "TimeStamp" not in rows[0]
    newest = rows[-1]["RowVer"]
    assert visitor.rows("ApInvoiceChanges", filter=f"RowVer ge {newest}") == [rows[-1]]
    described_type = described(visitor).find(f".//{EDM}EntityType[@Name='ApInvoiceChanges']")
    assert described_type is not None
    assert described_type.find(f"{EDM}Key") is None


# ------------------------------------------------------------------- trouble


def test_rows_appear_and_vanish_between_two_pages(visitor: Visitor) -> None:
    whole = keys(visitor.rows("ApInvoice", orderby=KEY))
    visitor.app.script.add(
        Fault(r"skip=5", hook=lambda: [visitor.world.life.post_bill(branch="HQ") for _ in range(3)])
    )
    pages = [visitor.rows("ApInvoice", orderby=KEY, top=5, skip=skip) for skip in (0, 5)]
    now = keys(visitor.rows("ApInvoice", orderby=KEY))
    assert len(now) == len(whole) + 3
    assert keys(pages[0]) == whole[:5]
    assert keys(pages[1]) == now[5:10]


def test_bursts_of_errors_come_from_the_script(visitor: Visitor) -> None:
    visitor.app.script.add(Fault(r"GET .*/ApInvoice", status=503, headers={"Retry-After": "1"}, times=2))
    assert [visitor.ask("ApInvoice").status_code for _ in range(3)] == [503, 503, 200]
    assert visitor.app.script.count("/ApInvoice") == 3
