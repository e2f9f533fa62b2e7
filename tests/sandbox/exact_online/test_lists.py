"""Lists: options that are demanded or refused, pages by key, expansions."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.sandbox.company.model import BillLine
from tests.sandbox.exact_online.shapes import SHAPES
from tests.sandbox.exact_online.visitor import Visitor, message
from tests.sandbox.faults import Fault

if TYPE_CHECKING:
    from tests.sandbox.exact_online.visitor import Json

_EVER = "Modified ge datetime'1900-01-01T00:00:00'"
_LINES = "financialtransaction/TransactionLines"
_ENTRIES = "purchaseentry/PurchaseEntries"


def _ids(rows: list[Json], name: str = "ID") -> list[str]:
    return [row[name] for row in rows]


def test_a_plain_list_without_select_is_refused(visitor: Visitor) -> None:
    answer = visitor.ask("hrm/Costcenters")
    assert answer.status_code == 400
    assert "$select" in message(answer)
    assert "$top=1" in message(answer)
    assert visitor.ask("hrm/Costcenters", top=1).status_code == 200
    assert visitor.ask("hrm/Costcenters", select="*").status_code == 200
    visitor.site.switches.select_mandatory = False
    assert visitor.ask("hrm/Costcenters").status_code == 200


def test_a_list_with_a_sync_twin_needs_a_filter(visitor: Visitor) -> None:
    for path in ("financial/GLAccounts", "bulk/Financial/GLAccounts", "bulk/Cashflow/Payments"):
        answer = visitor.ask(path, select="ID")
        assert answer.status_code == 400
        assert "mandatory filtering" in message(answer)
        assert "Modified" in message(answer)
        assert visitor.ask(path, select="ID", filter="Status eq 20").status_code == 400
        assert visitor.ask(path, select="ID", filter=_EVER).status_code == 200
    assert visitor.ask("hrm/Costcenters", select="ID").status_code == 200
    visitor.site.switches.filter_mandatory = False
    assert visitor.ask("financial/GLAccounts", select="ID").status_code == 200


@pytest.mark.parametrize(
    "options",
    [
        {"select": "ID,Colour"},
        {"select": "ID", "filter": "Colour eq 'red'"},
        {"select": "ID", "filter": "Modified ge '2026-01-01'"},
        {"select": "ID", "filter": "Modified ge datetime'2026-01-01T00:00:00Z'"},
        {"select": "ID", "filter": "Modified ge datetime'2026-02-31'"},
        {"select": "ID", "filter": "Code eq Description"},
        {"select": "ID", "filter": "Code eq"},
        {"select": "ID", "filter": "Account/Name eq 'x'"},
        {"select": "ID", "orderby": "Colour"},
        {"select": "ID", "orderby": "Code upwards"},
        {"select": "ID", "top": "many"},
        {"select": "ID", "skip": "60"},
        {"select": "ID", "expand": "Creator"},
        {"select": "ID", "inlinecount": "yes"},
        {"select": "ID", "skiptoken": "60"},
    ],
)
def test_a_wrong_option_is_refused(visitor: Visitor, options: dict[str, str]) -> None:
    answer = visitor.ask("hrm/Costcenters", **options)
    assert answer.status_code == 400
    assert message(answer)


def test_a_plus_is_no_blank(visitor: Visitor) -> None:
    path = f"/api/v1/{visitor.division}/hrm/Costcenters?$select=ID&$filter="
    assert visitor.call("GET", path + "Active%20eq%20true").status_code == 200
    assert visitor.call("GET", path + "Active+eq+true").status_code == 400


def test_a_withdrawn_property_is_named_by_the_refusal(visitor: Visitor) -> None:
    visitor.site.switches.withdrawn = {"hrm/Costcenters": frozenset({"EndDate"})}
    answer = visitor.ask("hrm/Costcenters", select="ID,EndDate")
    assert answer.status_code == 400
    assert "'EndDate'" in message(answer)


def test_a_field_or_an_order_can_be_unsupported(visitor: Visitor) -> None:
    visitor.site.switches.unfilterable = {"hrm/Costcenters": frozenset({"Modified"})}
    visitor.site.switches.unorderable = frozenset({"hrm/Costcenters"})
    answer = visitor.ask("hrm/Costcenters", select="ID", filter=_EVER)
    assert message(answer) == "Filtering on these fields is not supported: Modified"
    assert visitor.ask("hrm/Costcenters", select="ID", orderby="Modified").status_code == 400


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Code eq '000100'", ["000100"]),
        ("Code ge '000100' and Code lt '000200'", ["000100", "000110", "000120"]),
        ("Code eq '000100' or (Code eq '001000' and not (Active eq false))", ["000100", "001000"]),
        ("substringof('line', Description) eq true", ["000200", "000210"]),
        ("startswith(Description,'vente')", ["000410"]),
        ("endswith(trim(Description), 'Ångström')", ["009900"]),
        ("EndDate ne null", []),
        ("Description eq 'Vente à l''étranger'", ["000410"]),
    ],
)
def test_filters_find_what_they_say(visitor: Visitor, text: str, codes: list[str]) -> None:
    rows = visitor.rows("hrm/Costcenters", select="Code", filter=text, orderby="Code")
    assert _ids(rows, "Code") == codes


def test_pages_of_sixty_follow_each_other_by_key(visitor: Visitor) -> None:
    page = visitor.page(_LINES, select="ID", filter=_EVER)
    assert len(page["results"]) == 60
    assert page["__next"].startswith(visitor.url)
    assert unquote(page["__next"]).endswith(f"$skiptoken=guid'{page['results'][-1]['ID']}'")
    assert "$select=ID" in page["__next"]
    rows = visitor.rows(_LINES, select="ID", filter=_EVER)
    assert _ids(rows) == sorted(set(_ids(rows)))
    own = [each for each in visitor.world.company.journals.values() if each.branch == "HQ"]
    assert len(rows) == sum(len(each.lines) for each in own)


def test_pages_in_order_of_modified_carry_both_values(visitor: Visitor) -> None:
    page = visitor.page(_LINES, select="ID,Modified", filter=_EVER, orderby="Modified")
    token = unquote(page["__next"]).partition("$skiptoken=")[2]
    assert token.startswith("datetime'")
    assert token.endswith(f",guid'{page['results'][-1]['ID']}'")
    rows = visitor.rows(_LINES, select="ID,Modified", filter=_EVER, orderby="Modified")
    assert len(set(_ids(rows))) == len(rows)
    backwards = visitor.rows(_LINES, select="ID", filter=_EVER, orderby="Modified desc")
    assert sorted(_ids(backwards)) == sorted(_ids(rows))
    assert visitor.ask(_LINES, select="ID", filter=_EVER, skiptoken="datetime'2026-01-01'").status_code == 400


def test_top_counts_down_over_pages(visitor: Visitor) -> None:
    page = visitor.page(_LINES, select="ID", filter=_EVER, top=100)
    assert len(page["results"]) == 60
    assert "$top=40" in page["__next"]
    assert len(visitor.rows(_LINES, select="ID", filter=_EVER, top=100)) == 100
    assert len(visitor.page(_LINES, select="ID", filter=_EVER, top=60)) == 60  # neither results nor a way on


def test_bulk_and_sync_pages_hold_a_thousand(visitor: Visitor) -> None:
    every = len(visitor.rows(_LINES, select="ID", filter=_EVER))
    assert 60 < every < 1000
    assert len(visitor.page("bulk/Financial/TransactionLines", select="ID", filter=_EVER)["results"]) == every
    assert len(visitor.page("sync/Financial/TransactionLines", select="ID")["results"]) == every


def test_counts_are_text(visitor: Visitor) -> None:
    page = visitor.page("hrm/Costcenters", select="ID", inlinecount="allpages")
    assert page["__count"] == "12"
    answer = visitor.ask("hrm/Costcenters/$count")
    assert answer.text == "12"
    assert answer.headers["content-type"].startswith("text/plain")


def test_lines_come_with_their_entry_when_expanded_and_selected(visitor: Visitor) -> None:
    select = "EntryID,PurchaseEntryLines/ID,PurchaseEntryLines/EntryID"
    rows = visitor.rows(_ENTRIES, select=select, expand="PurchaseEntryLines")
    lines = [line for row in rows for line in row["PurchaseEntryLines"]["results"]]
    assert all(set(line) == {"__metadata", "ID", "EntryID"} for line in lines)
    own = visitor.rows("purchaseentry/PurchaseEntryLines", select="ID,EntryID")
    assert {(line["EntryID"], line["ID"]) for line in lines} == {(row["EntryID"], row["ID"]) for row in own}
    for row in rows:
        assert {line["EntryID"] for line in row["PurchaseEntryLines"]["results"]} == {row["EntryID"]}
    assert visitor.ask(_ENTRIES, select=select).status_code == 400  # a path into what is not expanded


def test_collections_that_are_not_expanded_are_deferred(visitor: Visitor) -> None:
    row = visitor.first(_ENTRIES)
    uri = row["PurchaseEntryLines"]["__deferred"]["uri"]
    assert row["__metadata"]["uri"] in uri
    lines = visitor.call("GET", uri).json()["d"]["results"]
    assert {line["EntryID"] for line in lines} == {row["EntryID"]}


def test_an_expanded_list_ends_after_sixty_rows_with_a_way_on(visitor: Visitor) -> None:
    company = visitor.world.company
    with visitor.world.lock:
        bill = next(each for each in company.bills.values() if each.branch == "HQ")
        line = bill.lines[0]
        bill.lines = [
            BillLine(
                **{field: getattr(line, field) for field in line.__struct_fields__} | {"line_nbr": number}
            )
            for number in range(1, 141)
        ]
    options = {"select": "EntryID,PurchaseEntryLines/LineNumber", "expand": "PurchaseEntryLines"}
    rows = visitor.rows(_ENTRIES, filter=f"EntryID eq guid'{bill.note_id}'", **options)
    collection = rows[0]["PurchaseEntryLines"]
    assert len(collection["results"]) == 60
    numbers = {line["LineNumber"] for line in collection["results"]}
    for expected in (120, 140):
        collection = visitor.call("GET", collection["__next"]).json()["d"]
        numbers |= {line["LineNumber"] for line in collection["results"]}
        assert len(numbers) == expected
    assert "__next" not in collection


def test_one_row_is_read_by_its_key(visitor: Visitor) -> None:
    wanted = visitor.first("hrm/Costcenters")
    row = visitor.page(f"hrm/Costcenters(guid'{wanted['ID']}')")
    assert row["Code"] == wanted["Code"]
    missing = visitor.ask("hrm/Costcenters(guid'00000000-0000-0000-0000-000000000000')")
    assert missing.status_code == 404
    assert visitor.ask("hrm/Costcenters('x')").status_code == 400


def test_a_caller_that_does_not_ask_for_json_gets_atom(visitor: Visitor) -> None:
    answer = visitor.ask("hrm/Costcenters", select="ID,Code", headers={"Accept": "*/*"})
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert answer.text.startswith("<?xml")
    assert visitor.ask("x", headers={"Accept": "*/*"}).text.startswith("<?xml")
    assert visitor.ask("hrm/Costcenters", top=1, headers={"Accept": "application/xml"}).status_code == 415
    assert visitor.site.counters.without_json == 3


def test_rows_that_come_between_two_pages_are_neither_lost_nor_twice(visitor: Visitor) -> None:
    life = visitor.world.life

    def more() -> None:
        life.advance(1)
        for _ in range(8):
            life.post_bill()

    before = set(_ids(visitor.rows(_LINES, select="ID", filter=_EVER)))
    visitor.site.script.add(Fault("skiptoken", hook=more, times=3))
    rows = visitor.rows(_LINES, select="ID", filter=_EVER)
    assert len(set(_ids(rows))) == len(rows)
    assert before <= set(_ids(rows))


def test_an_unknown_path_is_not_found(visitor: Visitor) -> None:
    for path in ("financial/Nothing", "financial/glaccounts", "webhooks/WebhookTopics", "financial"):
        assert visitor.ask(path, top=1).status_code == 404


def test_an_address_that_is_too_long_is_refused(visitor: Visitor) -> None:
    names = ",".join(name for name in SHAPES["sync/SalesInvoice/SalesInvoices"].properties)
    assert visitor.ask("sync/SalesInvoice/SalesInvoices", select=names).status_code == 200
    assert visitor.ask("sync/SalesInvoice/SalesInvoices", select=",".join([names] * 4)).status_code == 414


def test_nothing_can_be_changed(visitor: Visitor) -> None:
    address = f"/api/v1/{visitor.division}/financial/GLAccounts"
    for method in ("POST", "PUT", "DELETE"):
        assert visitor.call(method, address, json={}).status_code == 405
    assert visitor.site.counters.writes == 3
