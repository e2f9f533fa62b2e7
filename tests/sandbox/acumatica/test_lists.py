from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.sandbox.acumatica.visitor import plain, values
from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.faults import Fault

if TYPE_CHECKING:
    from tests.sandbox.acumatica.visitor import Visitor

ALL = "LastModifiedDateTime ge datetimeoffset'1900-01-01T00:00:00Z'"


@pytest.fixture
def user(visitor: Visitor) -> Visitor:
    return visitor.sign_in()


def literal(moment: dt.datetime) -> str:
    return f"datetimeoffset'{moment.isoformat(timespec='milliseconds')}'"


def test_list_is_a_bare_array_in_ascending_key_order(user: Visitor) -> None:
    bills = user.rows("Bill")
    codes = {"Credit Adj.": "ACR", "Debit Adj.": "ADR", "Bill": "INV"}
    keys = [(codes[plain(bill, "Type")], plain(bill, "ReferenceNbr")) for bill in bills]
    assert keys == sorted(keys)
    assert len({kind for kind, _ in keys}) == 3
    assert values(user.rows("Account"), "AccountCD") == sorted(user.world.company.accounts)


def test_orderby_is_ignored(user: Visitor) -> None:
    assert user.rows("Account", orderby="AccountCD desc") == user.rows("Account")


def test_without_top_everything_comes(user: Visitor) -> None:
    shown = {key for key, each in user.world.company.journals.items() if not each.archived}
    assert len(user.rows("JournalTransaction")) == len(shown)


def test_skip_comes_before_top(user: Visitor) -> None:
    everything = values(user.rows("Account"), "AccountCD")
    assert values(user.rows("Account", skip=3, top=2), "AccountCD") == everything[3:5]
    assert values(user.rows("Account", skip=3), "AccountCD") == everything[3:]
    assert user.rows("Account", skip=len(everything), top=10) == []
    assert user.rows("Account", top=0) == []


@pytest.mark.parametrize("options", [{"top": "x"}, {"top": "-1"}, {"skip": "1.5"}])
def test_paging_by_anything_but_numbers_fails(user: Visitor, options: dict[str, str]) -> None:
    assert user.ask("Account", **options).status_code == 500


@pytest.mark.parametrize(
    "condition",
    [
        "Status eq 'Open' and (Type eq 'Bill' or Type eq 'Credit Adj.')",
        "Amount gt 100.5M and not (Hold eq true)",
        "Amount ge 100 and Amount lt 50000",
        "substringof('RE', VendorRef) or startswith(Vendor,'V0000') or endswith(Vendor,'1')",
        "DueDate eq null",
        "'Bill' eq Type",
        "Date ge datetimeoffset'2026-01-01T00:00:00+00:00'",
    ],
)
def test_filters_keep_what_matches(user: Visitor, condition: str) -> None:
    some = user.rows("Bill", filter=condition)
    assert 0 < len(some) < len(user.rows("Bill"))
    rest = user.rows("Bill", filter=f"not ({condition})")
    assert len(some) + len(rest) == len(user.rows("Bill"))


def test_apostrophes_in_filters_are_doubled(user: Visitor) -> None:
    user.world.life.rename_vendor()
    name = next(each.name for each in user.world.company.vendors.values() if "'" in each.name)
    escaped = name.replace("'", "''")
    assert values(user.rows("Vendor", filter=f"VendorName eq '{escaped}'"), "VendorName") == [name]


def test_text_is_compared_without_case_and_trailing_blanks(user: Visitor) -> None:
    assert user.rows("Bill", filter="Type eq 'bill  '") == user.rows("Bill", filter="Type eq 'Bill'")


def test_keyset_by_code_walks_on(user: Visitor) -> None:
    codes = values(user.rows("Account"), "AccountCD")
    assert values(user.rows("Account", filter=f"AccountCD gt '{codes[4]}'", top=3), "AccountCD") == codes[5:8]


def test_linked_record_can_be_filtered_by(user: Visitor) -> None:
    email = next(each.email for each in user.world.company.vendors.values() if each.email)
    rows = user.rows("Vendor", filter=f"MainContact/Email eq '{email}'", expand="MainContact")
    assert rows
    assert {plain(row["MainContact"], "Email") for row in rows} == {email}


def test_custom_fields_can_be_filtered_by(user: Visitor) -> None:
    row = user.rows("Bill", custom="Document.AttributeCOSTOWNER", top=1)[0]
    owner = row["custom"]["Document"]["AttributeCOSTOWNER"]["value"]
    condition = f"cf.String(f='Document.AttributeCOSTOWNER') eq '{owner}'"
    assert row["id"] in {each["id"] for each in user.rows("Bill", filter=condition)}
    assert user.ask("Bill", filter="cf.Decimal(f='Document.AttributeCOSTOWNER') eq 0M").status_code == 500
    assert user.ask("Bill", filter="cf.String(f='Document.AttributeNONE') eq 'x'").status_code == 500


@pytest.mark.parametrize(
    "condition",
    [
        "contains(Vendor,'V')",
        "tolower(Type) eq 'bill'",
        "LastModifiedDateTime ge '2025-01-01T00:00:00Z'",
        "LastModifiedDateTime ge 2025-01-01T00:00:00Z",
        "LastModifiedDateTime ge datetime'2025-01-01T00:00:00'",
        "LastModifiedDateTime ge datetimeoffset'2025-13-01T00:00:00Z'",
        "LastModifiedDateTime ge date'2025-01-01'",
        "Amount eq '5'",
        "ReferenceNbr eq 5",
        "Hold eq 'true'",
        "Vendor",
        "Nothing eq 'x'",
        "Type eq",
        "Type eq 'Bill' and",
        "(Type eq 'Bill'",
        "Type = 'Bill'",
        "Type eq 'Bill' Status eq 'Open'",
        "Details/Amount gt 5",
        "Vendor eq VendorRef",
        "startswith(Vendor)",
        "Amount lt null",
    ],
)
def test_what_is_no_filter_in_contract_4_fails(user: Visitor, condition: str) -> None:
    answer = user.ask("Bill", filter=condition)
    assert answer.status_code == 500, answer.text
    assert answer.json()["message"] == "An error has occurred."


@pytest.mark.parametrize(
    "function", ["startswith(Vendor,'V')", "endswith(Vendor,'1')", "substringof('V',Vendor)"]
)
def test_function_compared_with_true_silently_finds_nothing(user: Visitor, function: str) -> None:
    assert user.rows("Bill", filter=function)
    assert user.rows("Bill", filter=f"{function} eq true") == []


def test_plus_that_is_not_encoded_fails(user: Visitor) -> None:
    condition = "LastModifiedDateTime%20ge%20datetimeoffset'2025-01-01T00%3A00%3A00.000{}00%3A00'"
    path = "/entity/Default/24.200.001/Bill?$filter="
    assert user.call("GET", path + condition.format("%2B")).status_code == 200
    assert user.call("GET", path + condition.format("+")).status_code == 500


def test_literal_without_offset_means_the_users_zone(user: Visitor) -> None:
    stamp = max(bill.modified_at for bill in user.world.company.bills.values() if not bill.archived)
    two_hours_later = (stamp + dt.timedelta(hours=2)).replace(tzinfo=None).isoformat(timespec="milliseconds")
    assert user.rows("Bill", filter=f"LastModifiedDateTime ge datetimeoffset'{two_hours_later}'")
    assert not user.rows("Bill", filter=f"LastModifiedDateTime ge datetimeoffset'{two_hours_later}Z'")


def test_window_is_exact_to_the_millisecond_and_keeps_ties(user: Visitor) -> None:
    life = user.world.life
    first, second = life.post_bill(), life.post_bill()
    assert first.modified_at == second.modified_at
    at = user.world.company.clock
    before, after = at - dt.timedelta(milliseconds=1), at + dt.timedelta(milliseconds=1)

    def count(lower: dt.datetime, upper: dt.datetime) -> int:
        condition = f"LastModifiedDateTime ge {literal(lower)} and LastModifiedDateTime le {literal(upper)}"
        return len(user.rows("Bill", filter=condition))

    assert count(at, at) == 2
    assert count(before, after) == 2
    assert count(before, before) == 0
    assert count(after, after) == 0
    assert len(user.rows("Bill", filter=f"LastModifiedDateTime eq {literal(at)}")) == 2
    assert user.rows("Bill", filter=f"LastModifiedDateTime gt {literal(at)}") == []


def test_row_that_changes_between_two_pages_shifts_the_rest(user: Visitor) -> None:
    """The hazard of `$skip`: in a window that is closed above, one row is never shown."""
    company, life = user.world.company, user.world.life
    for _ in range(6):
        life.post_bill(hold=True)
    condition = f"LastModifiedDateTime le {literal(company.clock)} and Status eq 'On Hold' and Type eq 'Bill'"
    life.advance(15)
    everything = values(user.rows("Bill", filter=condition), "ReferenceNbr")
    assert len(everything) >= 6
    user.app.script.add(Fault(r"skip=2", hook=lambda: life.release_bill(f"bill|{everything[0]}")))
    seen = values(user.rows("Bill", filter=condition, top=2, skip=0), "ReferenceNbr")
    seen += values(user.rows("Bill", filter=condition, top=2, skip=2), "ReferenceNbr")
    assert seen == [*everything[:2], *everything[3:5]]


def test_details_are_absent_unless_expanded(user: Visitor) -> None:
    bare, full = user.rows("Bill", top=1)[0], user.rows("Bill", top=1, expand="Details,TaxDetails")[0]
    assert not {"Details", "TaxDetails"} & set(bare)
    assert isinstance(full["Details"], list)
    assert full["Details"][0]["rowNumber"] == 1
    vendor = user.rows("Vendor", top=1)[0]
    assert "MainContact" not in vendor
    assert "Address" not in user.rows("Vendor", top=1, expand="MainContact")[0]["MainContact"]
    nested = user.rows("Vendor", top=1, expand="MainContact,MainContact/Address")[0]
    assert plain(nested["MainContact"]["Address"], "City")


@pytest.mark.parametrize(
    "expand", ["Details($expand=Allocations)", "Nothing", "details", "Details/Nothing", "Files"]
)
def test_unreadable_expand_fails(user: Visitor, expand: str) -> None:
    assert user.ask("Bill", expand=expand).status_code == 500


def test_attachments_are_expanded_as_files(user: Visitor) -> None:
    assert user.rows("Bill", expand="files", top=1)[0]["files"] == []


def test_select_keeps_the_fields_named(user: Visitor) -> None:
    row = user.rows("Bill", select="ReferenceNbr,Type,Details/Amount", expand="Details", top=1)[0]
    assert set(row) == {"id", "rowNumber", "note", "custom", "_links", "ReferenceNbr", "Type", "Details"}
    assert set(row["Details"][0]) == {"id", "rowNumber", "note", "custom", "Amount"}


def test_collection_needs_both_select_and_expand(user: Visitor) -> None:
    assert "Details" not in user.rows("Bill", select="Type", expand="Details", top=1)[0]
    assert "Details" not in user.rows("Bill", select="Type,Details/Amount", top=1)[0]
    assert user.ask("Bill", select="Nothing").status_code == 500


def test_select_is_ignored_on_journal_transactions(user: Visitor) -> None:
    assert "Status" in user.rows("JournalTransaction", select="BatchNbr", top=1)[0]


def test_line_number_of_bill_lines_comes_only_by_custom(user: Visitor) -> None:
    bill = user.rows("Bill", expand="Details", custom="Details/Transactions.LineNbr", top=1)[0]
    for line in bill["Details"]:
        assert "LineNbr" not in line
        field = line["custom"]["Transactions"]["LineNbr"]
        assert field["type"] == "CustomIntField"
        assert field["value"] >= 1
    assert user.rows("Bill", expand="Details", top=1)[0]["Details"][0]["custom"] == {}
    assert "Details" not in user.rows("Bill", custom="Details/Transactions.LineNbr", top=1)[0]
    assert user.ask("Bill", custom="Document.Nothing").status_code == 500


def test_custom_fields_of_payments_complete_them(user: Visitor) -> None:
    names = ("BranchID", "FinPeriodID", "BatchNbr", "Cleared")
    row = user.rows("Check", custom=",".join(f"CurrentDocument.{name}" for name in names), top=1)[0]
    assert set(row["custom"]["CurrentDocument"]) == set(names)


def test_detail_ids_last_no_longer_than_a_session(user: Visitor) -> None:
    first = user.rows("Bill", expand="Details", top=1)[0]
    assert user.rows("Bill", expand="Details", top=1)[0] == first
    other = user.sign_in().rows("Bill", expand="Details", top=1)[0]
    assert other["id"] == first["id"]
    assert other["Details"][0]["id"] != first["Details"][0]["id"]


def test_details_may_share_their_id(user: Visitor) -> None:
    user.app.switches.twin_detail_ids = True
    bills = user.rows("Bill", expand="Details")
    bill = next(each for each in bills if len(each["Details"]) > 1)
    assert len({(line["id"], line["rowNumber"]) for line in bill["Details"]}) == 1


def test_archived_documents_are_hidden_unless_asked_for(user: Visitor) -> None:
    archived = {bill.note_id for bill in user.world.company.bills.values() if bill.archived}
    assert archived
    shown = {row["id"] for row in user.rows("Bill")}
    everything = {row["id"] for row in user.rows("Bill", headers={"PX-ApiArchive": "SHOW"})}
    assert not shown & archived
    assert everything - shown == archived


def test_record_by_key_and_by_id(user: Visitor) -> None:
    row = user.rows("Bill", skip=3, top=1)[0]
    kind, number = plain(row, "Type"), plain(row, "ReferenceNbr")
    assert user.ask(f"Bill/{kind}/{number}").json()["id"] == row["id"]
    assert user.ask(f"Bill/{kind}|{number}").json()["id"] == row["id"]
    assert user.ask(f"Bill/{row['id']}", expand="Details").json()["Details"]
    assert user.ask(f"Bill/{kind}/999999").status_code == 404
    assert user.ask(f"Bill/{number}").status_code == 404
    assert user.ask("Bill/00000000-0000-4000-8000-000000000000").status_code == 404


def test_key_with_a_slash_cannot_be_put_in_a_path(user: Visitor) -> None:
    item = user.world.life.new_item()
    item.code = "GEAR-1/40"
    user.world.life.change_item()  # the site looks anew
    assert user.ask(f"StockItem/{quote(item.code, safe='')}").status_code == 404
    entity = "StockItem" if item.is_stock else "NonStockItem"
    assert user.rows(entity, filter="InventoryID eq 'GEAR-1/40'")


def test_ad_hoc_schema_lists_what_custom_can_fetch(user: Visitor) -> None:
    schema = user.ask("Bill/$adHocSchema").json()
    assert schema["custom"]["Document"]["AttributeCOSTOWNER"] == {"type": "CustomStringField", "value": None}
    assert schema["Details"][0]["custom"]["Transactions"]["LineNbr"]["type"] == "CustomIntField"


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_company_cannot_be_changed(user: Visitor, method: str) -> None:
    assert user.call(method, "/entity/Default/24.200.001/Bill", json={}).status_code == 405


def test_payment_applications_move_from_details_to_history_at_release(user: Visitor) -> None:
    life = user.world.life
    payment = life.pay(hold=True)

    def counts() -> tuple[int, int, str]:
        row = user.ask(f"Check/Payment/{payment.payment_nbr}", expand="Details,History").json()
        return len(row["Details"]), len(row["History"]), plain(row, "Status")

    assert counts() == (len(payment.applications), 0, "On Hold")
    life.release_payment(payment.payment_nbr)
    assert counts() == (0, len(payment.applications), "Closed")


def test_applications_are_shown_on_the_bill_too(user: Visitor) -> None:
    payment = next(each for each in user.world.company.payments.values() if each.applications)
    settled = payment.applications[0]
    bill = next(
        each
        for each in user.world.company.bills.values()
        if (each.type, each.reference_nbr) == (settled.type, settled.reference_nbr)
    )
    row = user.ask(f"Bill/{bill.note_id}", expand="Applications").json()
    assert payment.payment_nbr in values(row["Applications"], "ReferenceNbr")


def test_every_document_of_the_company_is_shown(user: Visitor) -> None:
    company = user.world.company
    show = {"PX-ApiArchive": "SHOW"}
    for entity, table in (
        ("Bill", company.bills),
        ("Check", company.payments),
        ("Invoice", company.sales_invoices),
        ("JournalTransaction", company.journals),
        ("PurchaseOrder", company.purchase_orders),
        ("Vendor", company.vendors),
        ("Customer", company.customers),
        ("Account", company.accounts),
        ("Subaccount", company.cost_centers),
    ):
        shown = {row["id"] for row in user.rows(entity, headers=show)}
        assert shown == {record.note_id for record in table.values()}, entity
    stock = user.rows("StockItem") + user.rows("NonStockItem")
    assert {row["id"] for row in stock} == {item.note_id for item in company.items.values()}
    assert values(user.rows("Ledger", expand="Branches"), "LedgerID") == ["ACTUAL"]
    years = user.rows("FinancialPeriod", expand="Details")
    assert sum(len(year["Details"]) for year in years) == len(company.periods)


def test_lines_add_up_to_their_document(user: Visitor) -> None:
    for bill in user.rows("Bill", expand="Details,TaxDetails"):
        lines = sum(round(plain(line, "Amount") * 100) for line in bill["Details"])
        assert lines + round(plain(bill, "TaxTotal") * 100) == round(plain(bill, "Amount") * 100)
    for journal in user.rows("JournalTransaction", expand="Details"):
        sides = [sum(round(plain(line, side) * 100) for line in journal["Details"]) for side in _SIDES]
        assert sides[0] == sides[1]


_SIDES = ("DebitAmount", "CreditAmount")


def test_page_through_an_answer_looks_only_once(user: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    bills = user.world.company.bills
    original = type(next(iter(bills.values()))).amount

    def counted(bill: object) -> object:
        looked.append(bill)
        return original.fget(bill)  # type: ignore[attr-defined]  # a property has it

    monkeypatch.setattr(type(next(iter(bills.values()))), "amount", property(counted))
    condition = f"Amount ne 0 and {ALL}"
    user.rows("Bill", filter=condition, select="ReferenceNbr", top=5)
    first = len(looked)
    for skip in range(5, 40, 5):
        user.rows("Bill", filter=condition, select="ReferenceNbr", top=5, skip=skip)
    assert 0 < first == len(looked)


def test_hold_bills_are_shown_as_such(user: Visitor) -> None:
    held = user.world.life.post_bill(hold=True)
    assert held.status is DocumentStatus.HOLD
    row = user.ask(f"Bill/{held.note_id}").json()
    assert (plain(row, "Status"), plain(row, "Hold")) == ("On Hold", True)
