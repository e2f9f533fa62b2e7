from __future__ import annotations

import base64
import datetime as dt
import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.acumatica import (
    EMPTY_TENANT,
    LIMITED_PASSWORD,
    LIMITED_USER_NAME,
    PASSWORD,
    TENANT,
    USER_NAME,
)
from tests.sandbox.acumatica.dac import DACS
from tests.sandbox.acumatica.visitor import plain
from tests.sandbox.company.books import Place, books_of
from tests.sandbox.company.model import DocumentStatus

if TYPE_CHECKING:
    from tests.sandbox.acumatica.visitor import Visitor

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
SHOW = {"PX-ApiArchive": "SHOW"}
CODES = (
    "AccountByAccountID($select=AccountCD,Description,Type),SubBySubID($select=SubCD),"
    "BranchByBranchID($select=BranchCD),LedgerByLedgerID($select=LedgerCD)"
)


@pytest.fixture
def user(visitor: Visitor) -> Visitor:
    return visitor.sign_in()


def money(value: float) -> Decimal:
    return Decimal(str(value))


def test_history_agrees_with_the_books_to_the_cent(user: Visitor) -> None:
    company = user.world.company
    shown = {}
    for row in user.dac_rows("PX_Objects_GL_GLHistory", expand=CODES):
        place = Place(
            row["BranchByBranchID"]["BranchCD"].rstrip(),
            row["AccountByAccountID"]["AccountCD"].rstrip(),
            row["SubBySubID"]["SubCD"].rstrip(),
            row["FinPeriodID"],
        )
        sign = 1 if row["AccountByAccountID"]["Type"] in {"A", "E"} else -1
        shown[place] = (
            money(row["FinBegBalance"]) * sign,
            money(row["FinPtdDebit"]),
            money(row["FinPtdCredit"]),
            money(row["FinYtdBalance"]) * sign,
        )
        assert row["LedgerByLedgerID"]["LedgerCD"].rstrip() == "ACTUAL"
    assert shown == {place: tuple(balance) for place, balance in books_of(company).balances.items()}


def test_history_has_rows_only_for_periods_with_activity(user: Visitor) -> None:
    quiet = [
        row
        for row in user.dac_rows("GLHistory", expand="AccountByAccountID($select=AccountCD)")
        if not row["FinPtdDebit"] and not row["FinPtdCredit"]
    ]
    # the result of a year that is over is carried without a posting
    assert {row["AccountByAccountID"]["AccountCD"].rstrip() for row in quiet} <= {"032000"}


def test_history_stamp_of_later_balances_moves_with_an_earlier_posting(user: Visitor) -> None:
    user.world.life.advance(60 * 24)
    before = {str(row): row for row in user.dac_rows("GLHistory")}
    user.world.life.post_journal()
    changed = [row for row in user.dac_rows("GLHistory") if str(row) not in before]
    now = user.world.company.clock
    assert changed
    assert {dt.datetime.fromisoformat(row["LastModifiedDateTime"]) for row in changed} == {now}


def test_history_without_stamp_refuses_to_be_filtered_by_it(user: Visitor) -> None:
    user.app.switches.history_has_stamp = False
    assert "LastModifiedDateTime" not in user.dac_rows("GLHistory", top=1)[0]
    condition = "LastModifiedDateTime ge 2020-01-01T00:00:00Z"
    assert user.dac("GLHistory", filter=condition).status_code == 400
    assert 'Name="FinYtdBalance"' in user.dac("$metadata").text


def test_codes_are_padded_and_moments_carry_the_users_offset(user: Visitor) -> None:
    row = user.dac_rows("Account", top=1)[0]
    assert row["AccountCD"] == "010100    "
    assert row["LastModifiedDateTime"].endswith("+02:00")
    assert row["Type"] == "A"
    user.app.switches.user_zone_minutes = -300
    assert user.dac_rows("Account", top=1)[0]["LastModifiedDateTime"].endswith("-05:00")


def test_padded_codes_are_found_without_their_blanks(user: Visitor) -> None:
    assert len(user.dac_rows("Account", filter="AccountCD eq '010100'")) == 1


@pytest.mark.parametrize("name", sorted(DACS))
def test_rows_come_in_ascending_key_order(user: Visitor, name: str) -> None:
    keys = [tuple(row[key] for key in DACS[name].keys) for row in user.dac_rows(name)]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_orderby_works_here(user: Visitor) -> None:
    ascending = user.dac_rows("APRegister", orderby="OrigDocAmt,RefNbr desc", select="OrigDocAmt")
    amounts = [row["OrigDocAmt"] for row in ascending]
    assert amounts == sorted(amounts)
    newest = user.dac_rows("Batch", orderby="LastModifiedDateTime desc", top=1)[0]
    stamp = max(each.modified_at for each in user.world.company.journals.values() if not each.archived)
    assert dt.datetime.fromisoformat(newest["LastModifiedDateTime"]) == stamp
    assert user.dac("Batch", orderby="Nothing").status_code == 400
    assert user.dac("Batch", orderby="Module sideways").status_code == 400


def test_top_and_skip_page_through(user: Visitor) -> None:
    everything = user.dac_rows("GLTran")
    pages = [
        row for skip in range(0, len(everything), 100) for row in user.dac_rows("GLTran", top=100, skip=skip)
    ]
    assert pages == everything
    assert user.dac("GLTran", top="x").status_code == 400


def test_select_keeps_the_columns_named(user: Visitor) -> None:
    assert set(user.dac_rows("Batch", select="Module,BatchNbr", top=1)[0]) == {"Module", "BatchNbr"}
    assert user.dac("Batch", select="Nothing").status_code == 400


def test_many_rows_are_expanded_three_levels_deep_at_most(user: Visitor) -> None:
    row = user.dac_rows(
        "Batch",
        top=1,
        expand="GLTranCollection($select=LineNbr;$expand=AccountByAccountID($select=AccountCD))",
    )[0]
    assert row["GLTranCollection"][0]["AccountByAccountID"]["AccountCD"].rstrip()
    too_deep = "APTranCollection($expand=InventoryItemByInventoryID($expand=X($expand=Y)))"
    assert user.dac("APRegister", expand=too_deep).status_code == 400
    for expand in ("Nothing", "GLTranCollection(", "GLTranCollection($filter=LineNbr eq 1)"):
        assert user.dac("Batch", expand=expand).status_code == 400


@pytest.mark.parametrize(
    "condition",
    [
        "DocType eq 'INV' and contains(DocDesc,'a')",
        "tolower(CuryID) eq 'eur'",
        "startswith(RefNbr,'00000') eq true",
        "VendorByVendorID/CuryID eq 'EUR'",
        "not (DocType eq 'CHK') and DocBal gt 0",
        "LastModifiedDateTime ge 2026-01-01T00:00:00+02:00",
        "DocDate ge 2026-01-01T00:00:00Z",
        "Released eq false",
        "DocDesc eq null",
    ],
)
def test_filters_are_odata_4(user: Visitor, condition: str) -> None:
    user.world.life.post_bill(hold=True)
    some = user.dac_rows("APRegister", filter=condition)
    assert 0 < len(some) < len(user.dac_rows("APRegister"))


@pytest.mark.parametrize(
    "condition",
    [
        "LastModifiedDateTime ge datetimeoffset'2026-01-01T00:00:00Z'",
        "LastModifiedDateTime ge 2026-01-01",
        "LastModifiedDateTime ge 2026-01-01T00:00:00",
        "LastModifiedDateTime ge '2026-01-01T00:00:00Z'",
        "substringof('a',DocDesc)",
        "DocType eq INV",
        "Nothing eq 1",
        "DocBal gt '0'",
        "OrigDocAmt gt 0M",
    ],
)
def test_what_is_no_odata_4_filter_is_a_400(user: Visitor, condition: str) -> None:
    answer = user.dac("APRegister", filter=condition)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("option", ["count", "apply", "search"])
def test_options_that_are_not_offered_are_refused(user: Visitor, option: str) -> None:
    assert user.dac("APRegister", **{option: "true"}).status_code == 400


def test_register_holds_bills_and_payments_with_base_amounts(user: Visitor) -> None:
    company = user.world.company
    rows = {row["NoteID"]: row for row in user.dac_rows("PX_Objects_AP_APRegister", headers=SHOW)}
    assert set(rows) == {each.note_id for each in (*company.bills.values(), *company.payments.values())}
    for bill in company.bills.values():
        row = rows[bill.note_id]
        assert money(row["OrigDocAmt"]) == bill.base_amount
        assert money(row["DocBal"]) == bill.base_balance
        assert money(row["CuryOrigDocAmt"]) == bill.amount
        assert row["Released"] is (bill.status is not DocumentStatus.HOLD)
        assert row["OpenDoc"] is (bill.status is DocumentStatus.OPEN)
        assert row["Voided"] is (bill.status is DocumentStatus.VOIDED)
    assert {row["DocType"] for row in rows.values()} == {"ACR", "ADR", "CHK", "INV"}


def test_note_id_equals_the_id_of_contract_rest(user: Visitor) -> None:
    bill = user.rows("Bill", top=1)[0]
    found = user.dac_rows("APInvoice", filter=f"NoteID eq {bill['id']}")
    assert [row["RefNbr"] for row in found] == [plain(bill, "ReferenceNbr")]


def test_lines_add_up_in_base_currency(user: Visitor) -> None:
    company = user.world.company
    sums: dict[tuple[str, str], Decimal] = {}
    for row in user.dac_rows("APTran", headers=SHOW):
        key = (row["TranType"], row["RefNbr"])
        sums[key] = sums.get(key, Decimal(0)) + money(row["TranAmt"])
    invoices = user.dac_rows("APInvoice", headers=SHOW, expand="APTranCollection($select=LineNbr)")
    for invoice in invoices:
        key = (invoice["DocType"], invoice["RefNbr"])
        assert sums.get(key, Decimal(0)) + money(invoice["TaxTotal"]) == money(invoice["OrigDocAmt"])
    assert sum(len(invoice["APTranCollection"]) for invoice in invoices) == sum(
        len(bill.lines) for bill in company.bills.values()
    )
    debits = sum(
        money(row["DebitAmt"]) for row in user.dac_rows("GLTran", headers=SHOW, filter="Posted eq true")
    )
    assert debits == books_of(company).debits


def test_payment_moves_the_stamp_of_the_bill_but_not_of_its_lines(user: Visitor) -> None:
    life = user.world.life
    life.advance(15)
    settled = life.pay().applications[0]
    bill = user.world.company.bills[f"{settled.type}|{settled.reference_nbr}"]
    since = user.world.company.clock.isoformat().replace("+00:00", "Z")
    condition = f"LastModifiedDateTime ge {since} and RefNbr eq '{bill.reference_nbr}'"
    assert len(user.dac_rows("APInvoice", filter=condition)) == 1
    assert user.dac_rows("APTran", filter=condition) == []
    user.app.switches.line_stamps_follow_document = True
    assert len(user.dac_rows("APTran", filter=condition)) == len(bill.lines)


def test_purchase_orders_carry_base_totals(user: Visitor) -> None:
    rows = {row["OrderNbr"]: row for row in user.dac_rows("POOrder", headers=SHOW, expand="POLineCollection")}
    for order in user.world.company.purchase_orders.values():
        row = rows[order.order_nbr]
        assert money(row["OrderTotal"]) == round(order.total * order.rate + Decimal("1e-9"), 2)
        assert sum(money(line["ExtCost"]) for line in row["POLineCollection"]) == money(row["OrderTotal"])


def test_archived_rows_are_hidden_here_too(user: Visitor) -> None:
    assert len(user.dac_rows("APInvoice")) < len(user.dac_rows("APInvoice", headers=SHOW))


def test_deleted_records_are_told_by_their_note_id(user: Visitor) -> None:
    life = user.world.life
    before = user.world.company.clock
    life.advance(15)
    life.post_bill(hold=True)
    bill = life.delete_bill()
    life.hold_journal()
    journal = life.delete_journal()
    since = before.isoformat().replace("+00:00", "Z")

    def gone(dac: str) -> list[str]:
        rows = user.dac_rows(f"{dac}/px.GetDeletedRecords()", filter=f"DeleteDate gt {since}")
        assert all(set(row) == {"NoteID", "DeleteDate"} for row in rows)
        return [row["NoteID"] for row in rows]

    assert gone("APRegister") == gone("PX_Objects_AP_APInvoice") == [bill.note_id]
    assert gone("Batch") == [journal.note_id]
    assert gone("POOrder") == []
    rows = user.dac_rows("Batch/px.GetDeletedRecords()", filter=f"DeleteDate gt {since}")
    assert dt.datetime.fromisoformat(rows[0]["DeleteDate"]) == journal.deleted_at


def test_deletions_are_forgotten_after_ten_days_of_the_companys_clock(user: Visitor) -> None:
    life = user.world.life
    life.post_bill(hold=True)
    gone = life.delete_bill().note_id
    path = "APRegister/px.GetDeletedRecords()"
    life.advance(10 * 24 * 60)
    assert gone in {row["NoteID"] for row in user.dac_rows(path)}
    life.advance(1)
    assert gone not in {row["NoteID"] for row in user.dac_rows(path)}
    user.app.switches.deletion_retention_days = 11
    assert gone in {row["NoteID"] for row in user.dac_rows(path)}


def test_dac_without_tracking_refuses_to_tell_deletions(user: Visitor) -> None:
    assert user.dac("GLTran/px.GetDeletedRecords()").status_code == 400
    user.app.switches.tracked_dacs = frozenset()
    assert user.dac("APRegister/px.GetDeletedRecords()").status_code == 400


def test_old_and_new_address_show_the_same(user: Visitor) -> None:
    legacy = f"/odatav4/{TENANT}"
    assert user.dac_rows("Sub", root=legacy) == user.dac_rows("Sub")
    user.app.switches.new_odata_url = False
    assert user.dac("Sub").status_code == 404
    assert user.dac("Sub", root=legacy).status_code == 200
    user.app.switches.legacy_odata_url = False
    assert user.dac("Sub", root=legacy).status_code == 404


def test_metadata_names_types_keys_and_navigations(user: Visitor) -> None:
    root = ET.fromstring(user.dac("$metadata").content)  # noqa: S314 - our own answer
    types = {each.get("Name"): each for each in root.iter(f"{EDM}EntityType")}
    history = types["GLHistory"]
    assert [key.get("Name") for key in history.iter(f"{EDM}PropertyRef")] == list(DACS["GLHistory"].keys)
    assert {way.get("Name") for way in history.iter(f"{EDM}NavigationProperty")} == {
        "AccountByAccountID",
        "BranchByBranchID",
        "LedgerByLedgerID",
        "SubBySubID",
    }
    columns = {column.get("Name"): column.get("Type") for column in history.iter(f"{EDM}Property")}
    assert columns["FinYtdBalance"] == "Edm.Decimal"
    assert columns["LastModifiedDateTime"] == "Edm.DateTimeOffset"
    assert set(columns) == set(user.dac_rows("GLHistory", top=1)[0])
    sets = {each.get("Name") for each in root.iter(f"{EDM}EntitySet")}
    assert sets == {each["name"] for each in user.dac("").json()["value"]}


def test_forbidden_and_unknown_dacs(user: Visitor) -> None:
    user.app.switches.forbidden_dacs = frozenset({"GLHistory"})
    assert user.dac("PX_Objects_GL_GLHistory").status_code == 403
    assert user.dac("GLTran", top=1).status_code == 200
    assert user.dac("Nothing").status_code == 404
    assert user.dac("Account/px.Other()").status_code == 404


def test_form_that_a_user_may_not_open_hides_its_dacs(visitor: Visitor) -> None:
    clerk = visitor.sign_in(username=LIMITED_USER_NAME, password=LIMITED_PASSWORD)
    assert clerk.dac("GLTran", top=1).status_code == 403
    assert clerk.dac("APRegister", top=1).status_code == 200


def test_answers_may_come_in_parts_with_a_next_link(user: Visitor) -> None:
    everything = user.dac_rows("Account", select="AccountCD")
    user.app.switches.dac_page_limit = 25
    answer = user.dac("Account", select="AccountCD").json()
    seen = list(answer["value"])
    while "@odata.nextLink" in answer:
        answer = user.call("GET", answer["@odata.nextLink"].removeprefix(user.base)).json()
        seen += answer["value"]
    assert seen == everything
    assert "@odata.nextLink" not in user.dac("Account", top=25).json()


def test_odata_wants_a_bearer_of_its_tenant(user: Visitor, visitor: Visitor) -> None:
    assert visitor.dac("Account").status_code == 401
    assert user.dac("Account", root=f"/t/{EMPTY_TENANT}/api/odata/dac").status_code == 401
    unknown = user.dac("Account", root="/t/Nowhere/api/odata/dac")
    assert (unknown.status_code, "PXUndefinedCompanyException" in unknown.text) == (500, True)


def test_basic_sign_in_takes_no_seat(visitor: Visitor) -> None:
    secret = base64.b64encode(f"{USER_NAME}@{TENANT}:{PASSWORD}".encode()).decode()
    assert visitor.dac("Account", top=1, headers={"Authorization": f"Basic {secret}"}).status_code == 200
    assert len(visitor.app.sessions) == 0
    wrong = base64.b64encode(f"{USER_NAME}:nonsense".encode()).decode()
    assert visitor.dac("Account", top=1, headers={"Authorization": f"Basic {wrong}"}).status_code == 401
    assert visitor.dac("Account", top=1, headers={"Authorization": "Basic %%%"}).status_code == 401
