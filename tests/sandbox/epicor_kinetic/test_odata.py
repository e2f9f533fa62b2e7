from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.epicor_kinetic import SITE
from tests.sandbox.epicor_kinetic.services import SERVICES
from tests.sandbox.epicor_kinetic.switches import worst_mood
from tests.sandbox.epicor_kinetic.tables import TABLES

if TYPE_CHECKING:
    from tests.sandbox.epicor_kinetic.visitor import Json, Visitor

LINES = "GLJrnDtlSvc/GLJrnDtls"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def numbers(rows: list[Json], name: str = "SysRevID") -> list[int]:
    return [row[name] for row in rows]


def described(visitor: Visitor, service: str) -> dict[str, dict[str, ET.Element]]:
    """Entity set to its properties."""
    root = ET.fromstring(visitor.ask(f"{service}/$metadata").content)  # noqa: S314 - our own answer
    types = {each.get("Name"): each for each in root.iter(f"{EDM}EntityType")}
    return {
        str(each.get("Name")): {
            str(part.get("Name")): part
            for part in types[str(each.get("EntityType")).rpartition(".")[2]].iter(f"{EDM}Property")
        }
        for each in root.iter(f"{EDM}EntitySet")
    }


# -------------------------------------------------------------- description


def test_every_set_is_described_and_has_exactly_the_columns_it_says(visitor: Visitor) -> None:
    for service in SERVICES.values():
        document = visitor.ask(f"{service.name}/").json()["value"]
        sets = described(visitor, service.name)
        assert [each["name"] for each in document] == list(sets) == list(service.sets)
        for name, properties in sets.items():
            for row in visitor.rows(f"{service.name}/{name}", top=1):
                assert list(row) == list(properties), f"{service.name}/{name}"


def test_keys_in_the_description_are_those_of_the_row_type(visitor: Visitor) -> None:
    root = ET.fromstring(visitor.ask("GLAccountSvc/$metadata").content)  # noqa: S314 - our own answer
    keys = [each.get("Name") for each in root.iter(f"{EDM}PropertyRef")]
    assert keys == ["Company", "COACode", "GLAccount1"]


def test_columns_behind_bit_flag_are_looked_up(visitor: Visitor) -> None:
    names = list(described(visitor, "APInvoiceSvc")["APInvoices"])
    after = names[names.index("BitFlag") + 1 :]
    assert after == [
        "VendorNumVendorID", "VendorNumName", "RowMod", "Remark_c", "Score_c", "CheckedOn_c", "Urgent_c", "UD_SysRevID"
    ]  # fmt: skip


def test_a_custom_column_is_neither_described_nor_shown_until_it_is_made(visitor: Visitor) -> None:
    visitor.switches.columns_to_come = frozenset({"Score_c"})
    described_, row = (
        described(visitor, "APInvoiceSvc")["APInvoices"],
        visitor.rows("APInvoiceSvc/APInvoices", top=1)[0],
    )
    assert not {"Score_c"} & {*described_, *row}
    assert {"Remark_c", "UD_SysRevID"} <= {*described_} & {*row}
    visitor.switches.columns_to_come = frozenset()
    assert "Score_c" in described(visitor, "APInvoiceSvc")["APInvoices"]
    assert "Score_c" in visitor.rows("APInvoiceSvc/APInvoices", top=1)[0]


def test_a_column_that_is_said_to_be_never_null_is_null_in_places(visitor: Visitor) -> None:
    column = described(visitor, "APInvoiceSvc")["APInvoices"]["DiscountDate"]
    assert column.get("Nullable") == "false"
    assert visitor.rows("APInvoiceSvc/APInvoices", top=1)[0]["DiscountDate"] is None


def test_names_are_case_sensitive_and_plurals_are_mechanical(visitor: Visitor) -> None:
    for path in (
        "vendorsvc/Vendors",
        "VendorSvc/vendors",
        "POSvc/POHeaders",
        "PODetailSearchSvc/PODetailSearches",
    ):
        assert visitor.refusal(path)[0] == 404
    assert len(visitor.rows("POSvc/POes")) > 0
    assert visitor.refusal("VendorSvc/Vendors", select="vendornum")[0] == 400


def test_the_reduced_list_has_no_revision(visitor: Visitor) -> None:
    rows = visitor.rows("PODetailSearchSvc/List")
    assert rows
    assert {"Company", "PONUM", "POLine"} <= set(rows[0])
    assert "SysRevID" not in rows[0]


# -------------------------------------------------------------------- pages


def test_a_keyset_walk_finds_every_row_once_in_the_worst_mood(visitor: Visitor) -> None:
    visitor.app.switches.__dict__.update(worst_mood().__dict__)
    rows = visitor.all_rows(LINES)
    held = [
        line
        for journal in visitor.world.company.journals.values()
        if journal.branch == "HQ" and journal.status == "posted"
        for line in journal.lines
    ]
    assert len(rows) == len(held) > 200
    assert numbers(rows) == sorted(set(numbers(rows)))
    assert visitor.app.script.count("GLJrnDtls") == len(rows) // 100 + 2


def test_a_page_has_100_rows_without_top(visitor: Visitor) -> None:
    assert len(visitor.rows(LINES)) == 100
    assert len(visitor.rows(LINES, top=150)) == 150
    visitor.switches.row_cap = 100
    assert len(visitor.rows(LINES, top=150)) == 100


def test_count_makes_the_server_forget_top(visitor: Visitor) -> None:
    answer = visitor.ask(LINES, count="true", top=3).json()
    assert len(answer["value"]) == 100
    assert answer["@odata.count"] == len(visitor.all_rows(LINES))


def test_skip_is_honoured_or_silently_ignored(visitor: Visitor) -> None:
    options: dict[str, Any] = {"orderby": "JournalNum,JournalLine,JournalCode", "top": 10}
    first, second = visitor.rows(LINES, **options), visitor.rows(LINES, **options, skip=10)
    assert first != second
    visitor.switches.skip_honoured = False
    assert visitor.rows(LINES, **options, skip=10) == first


def test_a_next_link_comes_only_where_it_is_switched_on_and_leads_to_the_end(visitor: Visitor) -> None:
    assert "@odata.nextLink" not in visitor.ask(LINES).json()
    visitor.switches.next_links = True
    answer = visitor.ask(LINES, filter="SysRevID gt 0", orderby="SysRevID", top=150).json()
    found = numbers(answer["value"])
    while link := answer.get("@odata.nextLink"):
        answer = visitor.call("GET", link).json()
        found += numbers(answer["value"])
    assert found == numbers(visitor.all_rows(LINES))


def test_rows_that_nobody_ordered_shift_between_pages(visitor: Visitor) -> None:
    assert numbers(visitor.rows(LINES)) != numbers(visitor.rows(LINES))


def test_a_server_can_ignore_filter_or_order(visitor: Visitor) -> None:
    highest = visitor.app.counter
    assert visitor.rows(LINES, filter=f"SysRevID gt {highest}", orderby="SysRevID") == []
    visitor.switches.filter_ignored = frozenset({"GLJrnDtls"})
    assert len(visitor.rows(LINES, filter=f"SysRevID gt {highest}", orderby="SysRevID")) == 100
    visitor.switches.order_ignored = frozenset({"GLJrnDtls"})
    found = numbers(visitor.rows(LINES, orderby="SysRevID"))
    assert found != sorted(found)


# ------------------------------------------------------------------ queries


def test_filters_compare_by_type(visitor: Visitor) -> None:
    vendors = visitor.rows("VendorSvc/Vendors")
    first = vendors[0]
    number, name = first["VendorNum"], first["Name"].replace("'", "''")
    for text in (
        f"VendorNum eq {number}",
        f"Name eq '{name}' and VendorNum eq {number}",
        f"not (VendorNum ne {number})",
        f"SysRowID eq {first['SysRowID']}",
        f"contains(Name,'{name[1:4]}') and VendorNum le {number} and VendorNum ge {number}",
        f"startswith(VendorID,'{first['VendorID']}') eq true",
    ):
        assert [row["VendorNum"] for row in visitor.rows("VendorSvc/Vendors", filter=text)] == [number], text


@pytest.mark.parametrize(
    "text",
    [
        "UpdatedOn gt 2026-06-10T00:00:00Z",
        "vendornum eq 1",
        "VendorNum eq '1'",
        "VendorID eq 1",
        "SysRevID gt '5'",
        "SysRevID gt datetime'2026-06-10'",
        "VendorNum eq 1 and",
        "TermsDescription eq 'x'",  # looked up
    ],
)
def test_a_filter_that_does_not_fit_is_an_odata_exception(visitor: Visitor, text: str) -> None:
    answer = visitor.ask("VendorSvc/Vendors", filter=text)
    assert answer.status_code == 400
    assert answer.json()["ErrorType"].endswith("ODataException")


def test_a_filter_on_a_looked_up_column_may_just_find_nothing(visitor: Visitor) -> None:
    visitor.switches.calculated_filters = "find nothing"
    assert visitor.rows("VendorSvc/Vendors", filter="TermsDescription ne 'x'") == []


@pytest.mark.parametrize(
    ("literal", "status"),
    [
        ("2026-01-10T00:00:00Z", 200),
        ("2026-01-10T00:00:00.123Z", 500),
        ("2026-01-10T00:00:00+10:00", 500),
        ("2026-01-10T00:00:00", 400),
        ("2026-01-10", 400),
    ],
)
def test_date_literals_are_utc_and_whole_seconds(visitor: Visitor, literal: str, status: int) -> None:
    assert visitor.ask(LINES, filter=f"PostedDate ge {literal}").status_code == status


def test_dates_are_filtered_by_their_day(visitor: Visitor) -> None:
    day = visitor.rows("APInvoiceSvc/APInvoices", orderby="InvoiceDate desc", top=1)[0]["InvoiceDate"]
    found = visitor.rows("APInvoiceSvc/APInvoices", filter=f"InvoiceDate ge {day}Z")
    assert {row["InvoiceDate"] for row in found} == {day}


def test_a_bare_plus_is_no_blank(visitor: Visitor) -> None:
    address = f"{visitor.base}/api/v2/odata/EPIC06/Erp.BO.VendorSvc/Vendors?$filter=VendorNum+eq+1"
    assert visitor.call("GET", address).status_code == 400


@pytest.mark.parametrize("option", ["apply", "search", "format", "skiptokens"])
def test_other_options_are_refused(visitor: Visitor, option: str) -> None:
    assert visitor.refusal("VendorSvc/Vendors", **{option: "x"})[0] == 400


# ------------------------------------------------------------ keys, children


def an_order(visitor: Visitor) -> Json:
    lines = visitor.rows("PODetailTrackerSearchSvc/PODetailTrackerSearches")
    return visitor.rows("POSvc/POes", filter=f"PONum eq {lines[0]['PONUM']}")[0]


def test_one_row_by_its_key_with_everything_below(visitor: Visitor) -> None:
    number = an_order(visitor)["PONum"]
    path = f"POSvc/POes('EPIC06',{number})"
    order = visitor.ask(path, expand="PODetails($expand=PORels)").json()
    assert order["PONum"] == number
    assert order["PODetails"]
    for line in order["PODetails"]:
        assert line["PONUM"] == number
        assert [(each["PONum"], each["POLine"]) for each in line["PORels"]] == [(number, line["POLine"])]
    assert visitor.rows(f"{path}/PODetails", orderby="POLine", select="POLine") == [
        {"POLine": line["POLine"]} for line in sorted(order["PODetails"], key=lambda line: line["POLine"])
    ]


def test_schedules_are_lifted_from_a_page_of_headers(visitor: Visitor) -> None:
    options: dict[str, Any] = {"filter": "SysRevID gt 0", "orderby": "SysRevID asc", "top": 100}
    invoices = visitor.rows("APInvoiceSvc/APInvoices", **options, expand="APInvScheds")
    assert numbers(invoices) == numbers(visitor.rows("APInvoiceSvc/APInvoices", **options))
    for invoice in invoices:
        below = invoice["APInvScheds"]
        assert [each["PaySeq"] for each in below] == list(range(1, len(below) + 1))
        assert {each["InvoiceNum"] for each in below} <= {invoice["InvoiceNum"]}
        assert invoice["PayDates"].count("~") == max(0, len(below) - 1)
    assert visitor.refusal("APInvoiceSvc/APInvoices", expand="APInvSched")[0] == 400


def test_keys_are_checked(visitor: Visitor) -> None:
    assert visitor.refusal("POSvc/POes('EPIC06')")[0] == 400
    assert visitor.refusal("POSvc/POes('EPIC06','1')")[0] == 400
    assert visitor.refusal("POSvc/POes('EPIC06',999999)")[0] == 404
    assert visitor.refusal("VendorSvc/Vendors(VendorNum=1,Company='EPIC06')")[0] == 400
    assert visitor.ask("VendorSvc/Vendors(Company='EPIC06',VendorNum=1)").json()["VendorNum"] == 1


def test_a_filter_on_a_child_set_goes_to_the_header(visitor: Visitor) -> None:
    number = an_order(visitor)["PONum"]
    assert visitor.rows("POSvc/PODetails", filter=f"PONUM eq {number}") == []
    assert visitor.rows("POSvc/PORels", filter=f"PONum eq {number}") != []
    assert visitor.refusal("POSvc/PODetails", filter=f"PONum eq {number}")[0] == 400
    visitor.switches.child_filter_on_parent = False
    assert visitor.rows("POSvc/PODetails", filter=f"PONUM eq {number}") != []


def test_flat_search_services_filter_on_their_own_columns(visitor: Visitor) -> None:
    number = an_order(visitor)["PONum"]
    path = "PODetailTrackerSearchSvc/PODetailTrackerSearches"
    assert {row["PONUM"] for row in visitor.rows(path, filter=f"PONUM eq {number}")} == {number}
    assert visitor.refusal(path, filter=f"PONum eq {number}")[0] == 400


def test_two_companies_have_the_same_keys_and_other_rows(visitor: Visitor) -> None:
    first = visitor.rows("VendorSvc/Vendors", filter="VendorNum eq 1")[0]
    second = visitor.but(company="EPIC07").rows("VendorSvc/Vendors", filter="VendorNum eq 1")[0]
    assert (first["Company"], second["Company"]) == ("EPIC06", "EPIC07")
    assert first["SysRowID"] != second["SysRowID"]
    assert first["SysRevID"] != second["SysRevID"]


# ------------------------------------------------------------------- values


def test_decimals_are_numbers_digit_by_digit_or_text(visitor: Visitor) -> None:
    path = "APInvoiceSvc/APInvoices"
    row = visitor.ask(path, orderby="SysRevID", top=1, select="InvoiceAmt,SysRevID")
    amount = row.json()["value"][0]["InvoiceAmt"]
    assert f'"InvoiceAmt":{amount:.2f}' in row.text
    visitor.switches.decimals, visitor.switches.longs_as_text = "text", True
    texts = visitor.rows(path, orderby="SysRevID", top=1, select="InvoiceAmt,SysRevID")[0]
    assert texts["InvoiceAmt"] == f"{amount:.8f}"
    assert texts["SysRevID"].isdigit()


def test_dates_come_bare_with_z_or_with_the_servers_offset(visitor: Visitor) -> None:
    path = "PartSvc/Parts"
    options: dict[str, Any] = {"orderby": "SysRevID", "top": 1}
    assert visitor.rows(path, **options)[0]["CreatedOn"] == "2025-01-01T06:00:00.250"
    visitor.switches.dates = "Z"
    assert visitor.rows(path, **options)[0]["CreatedOn"] == "2025-01-01T06:00:00.250Z"
    visitor.switches.dates, visitor.switches.zone_minutes = "offset", -420
    assert visitor.rows(path, **options)[0]["CreatedOn"] == "2024-12-31T23:00:00.250-07:00"
    invoice = visitor.rows("APInvoiceSvc/APInvoices", **options)[0]
    assert invoice["InvoiceDate"].endswith("T00:00:00-07:00")


def test_rows_are_wide_and_carry_what_nobody_asked_for(visitor: Visitor) -> None:
    visitor.switches.extra_columns, visitor.switches.row_annotations = 500, True
    row = visitor.rows("VendorSvc/Vendors", top=1)[0]
    assert len(row) > 540
    assert {"@odata.etag", "RowMod", "BitFlag", "UD_SysRevID", "Remark_c"} <= set(row)
    names = ",".join(name for name in row if name[0] != "@")
    answer = visitor.ask("VendorSvc/Vendors", select=names)
    assert answer.status_code == 404
    assert answer.text.startswith("<!DOCTYPE html>")
    visitor.switches.query_limit_status = 414
    assert visitor.ask("VendorSvc/Vendors", select=names).status_code == 414


def test_a_table_can_lack_the_revision_and_have_updated_on(visitor: Visitor) -> None:
    visitor.switches.tables_without_revision = frozenset({"Terms"})
    visitor.switches.updated_on = frozenset({"Vendor"})
    assert "SysRevID" not in visitor.rows("TermsSvc/Terms")[0]
    assert visitor.refusal("TermsSvc/Terms", orderby="SysRevID")[0] == 400
    assert visitor.rows("VendorSvc/Vendors", filter="UpdatedOn gt 2024-06-10T00:00:00Z", top=1)


def test_naming_traps_are_there(visitor: Visitor) -> None:
    assert visitor.rows("PlantSvc/Plants")[0]["Plant1"] == SITE
    lines = visitor.rows("APInvDtlSearchSvc/APInvDtlSearches", filter="PONum ne ''")
    assert all(isinstance(line["PONum"], str) for line in lines)
    assert "ZIP" in visitor.rows("VendorSvc/Vendors", top=1)[0]
    assert "Zip" in visitor.rows("CustomerSvc/Customers", top=1)[0]
    assert visitor.rows("GLAccountSvc/GLAccounts", top=1)[0]["GLAccount1"].count("|") == 1
    assert visitor.rows("Ice.BO.UD01Svc/UD01s", top=1)[0]["Key2"] == ""


def test_every_table_is_reached_through_some_set() -> None:
    reached = {way[-1].table for service in SERVICES.values() for way in service.sets.values()}
    assert reached == set(TABLES)
