from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from tests.sandbox.company.books import books_of
from tests.sandbox.epicor_kinetic import COMPANIES
from tests.sandbox.epicor_kinetic.baqs import BAQS

if TYPE_CHECKING:
    from tests.sandbox.epicor_kinetic.visitor import Visitor

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
GL = "BaqSvc/ACC-GLActivity/Data"
SPEND = "BaqSvc/SpendByVendor/Data"


def test_baqs_are_listed_and_described(visitor: Visitor) -> None:
    assert [each["name"] for each in visitor.ask("BaqSvc").json()["value"]] == list(BAQS)
    document = visitor.ask("BaqSvc/OpenPayables").json()
    assert [(each["name"], each["kind"]) for each in document["value"]] == [("Data", "EntitySet")]
    for name in BAQS:
        root = ET.fromstring(visitor.ask(f"BaqSvc/{name}/$metadata").content)  # noqa: S314 - our own answer
        described = [each.get("Name") for each in root.iter(f"{EDM}Property")]
        assert described == [column.name for column in BAQS[name].all_columns]


def test_a_baq_has_the_columns_that_it_describes(visitor: Visitor) -> None:
    since = ("FromDate", "2025-01-01")
    for name, pairs in (("OpenPayables", ()), ("ExternalVendors", ()), ("SpendByVendor", (since,))):
        row = visitor.rows(f"BaqSvc/{name}/Data", *pairs, top=1)[0]
        assert list(row) == [column.name for column in BAQS[name].all_columns]
        assert all(value is not None for key, value in row.items() if key.endswith(("Num", "ID", "Name")))


def test_unknown_baqs_and_sets_do_not_exist(visitor: Visitor) -> None:
    for path in ("BaqSvc/openpayables/Data", "BaqSvc/OpenPayables/data"):
        assert visitor.refusal(path)[0] == 404


def test_a_baq_without_options_ends_at_100_rows(visitor: Visitor) -> None:
    assert len(visitor.rows(GL)) == 100
    assert len(visitor.rows(GL, top=150)) == 150


def test_a_baq_is_walked_by_keyset(visitor: Visitor) -> None:
    last, found = 0, 0
    while page := visitor.rows(
        GL, filter=f"GLJrnDtl_SysRevID gt {last}", orderby="GLJrnDtl_SysRevID asc", top=100
    ):
        found += len(page)
        last = page[-1]["GLJrnDtl_SysRevID"]
    assert found == len(visitor.app.rows("GLJrnDtl", "EPIC06"))


def test_parameters_are_required_checked_and_optional(visitor: Visitor) -> None:
    status, message = visitor.refusal(SPEND)
    assert (status, "FromDate" in message) == (400, True)
    assert visitor.refusal(SPEND, ("FromDate", "yesterday"))[0] == 400
    assert visitor.refusal(SPEND, ("FromDate", "2025-01-01"), ("FromDate", "2025-02-01"))[0] == 400
    assert visitor.rows(SPEND, ("FromDate", "2030-01-01")) == []
    some = visitor.rows(SPEND, ("FromDate", "2025-01-01"), ("ToDate", "2025-06-30"), top=1000)
    assert 0 < len(some) <= len(visitor.rows(SPEND, ("FromDate", "2025-01-01"), top=1000))


def test_a_list_parameter_is_given_several_times(visitor: Visitor) -> None:
    pairs = (("Account", "020000"), ("Account", "011000"))
    found = visitor.rows(GL, *pairs, top=5000)
    assert {row["GLJrnDtl_SegValue1"] for row in found} == {"020000", "011000"}


def test_spend_by_vendor_is_that_of_the_books(visitor: Visitor) -> None:
    spent: dict[str, float] = {}
    for company in COMPANIES:
        for row in visitor.but(company=company).rows(SPEND, ("FromDate", "2025-01-01"), top=1000):
            code = row["Vendor_VendorID"]
            spent[code] = round(spent.get(code, 0) + row["Calculated_Spend"], 2)
    books = books_of(visitor.world.company).spend_by_vendor
    assert {code: amount for code, amount in spent.items() if amount} == {
        code: float(amount) for code, amount in books.items()
    }  # a vendor whose only bill was voided comes to nothing


def test_row_ident_is_a_running_number_of_the_answer(visitor: Visitor) -> None:
    names = [row["RowIdent"] for row in visitor.rows("BaqSvc/OpenPayables/Data", orderby="APInvHed_SysRevID")]
    assert names[0] == "00000001-0000-0000-0000-000000000000"
    again = visitor.rows("BaqSvc/OpenPayables/Data", orderby="APInvHed_SysRevID", skip=1)
    assert again[0]["RowIdent"] == names[0]


def test_an_external_source_pads_its_text(visitor: Visitor) -> None:
    row = visitor.rows("BaqSvc/ExternalVendors/Data", orderby="ExtVendor_Code", top=1)[0]
    assert row["ExtVendor_Code"] != row["ExtVendor_Code"].rstrip()
    assert row["RowMod"] == ""
    visitor.switches.blank_padding = False
    bare = visitor.rows("BaqSvc/ExternalVendors/Data", orderby="ExtVendor_Code", top=1)[0]
    assert bare["ExtVendor_Code"] == row["ExtVendor_Code"].rstrip()


def test_a_calculated_column_of_a_baq_can_be_filtered(visitor: Visitor) -> None:
    late = visitor.rows("BaqSvc/OpenPayables/Data", filter="Calculated_DaysOverdue gt 0", top=1000)
    assert 0 < len(late) < len(visitor.rows("BaqSvc/OpenPayables/Data", top=1000))
