from __future__ import annotations

import base64
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.syspro.schema import TABLES
from tests.sandbox.syspro.visitor import EDM, KEY, described, keys, types

if TYPE_CHECKING:
    from tests.sandbox.syspro.visitor import Visitor


# ----------------------------------------------------------- what there is


def test_service_document_and_metadata_name_the_same_sets(visitor: Visitor) -> None:
    listed = {each["name"] for each in visitor.ask().json()["value"]}
    sets = {each.attrib["Name"] for each in described(visitor).findall(f".//{EDM}EntitySet")}
    assert listed == sets == {name for name in TABLES if "+" not in name}


def test_metadata_declares_keys_types_and_nulls(visitor: Visitor) -> None:
    described_type = described(visitor).find(f".//{EDM}EntityType[@Name='InvMovements']")
    assert described_type is not None
    names = [each.attrib["Name"] for each in described_type.findall(f"{EDM}Key/{EDM}PropertyRef")]
    assert names == ["StockCode", "Warehouse", "TrnYear", "TrnMonth", "EntryDate", "TrnTime"]
    properties = {each.attrib["Name"]: each.attrib for each in described_type.findall(f"{EDM}Property")}
    assert properties["EntryDate"]["Type"] == "Edm.DateTimeOffset"
    assert properties["EntryDate"]["Nullable"] == "false"
    assert properties["TrnYear"] == {
        "Name": "TrnYear",
        "Type": "Edm.Decimal",
        "Nullable": "false",
        "Precision": "4",
        "Scale": "0",
    }
    assert properties["TimeStamp"] == {"Name": "TimeStamp", "Type": "Edm.Binary"}
    visitor.switches.keys_in_metadata = False
    assert described(visitor).find(f".//{EDM}Key") is None


def test_wide_tables_are_as_wide_as_real_ones(visitor: Visitor) -> None:
    assert len(types(visitor, "ArCustomer")) == 137
    assert len(",".join(types(visitor, "ArCustomer"))) > 1_500


def test_custom_form_tables_are_left_out_renamed_or_out_of_reach(visitor: Visitor) -> None:
    assert visitor.ask("ApSupplierPlus").status_code == 404
    visitor.switches.plus_tables = "renamed"
    assert "Rating" in visitor.rows("ApSupplierPlus", orderby="Supplier")[0]
    visitor.switches.plus_tables = "listed"
    urls = {each["name"]: each["url"] for each in visitor.ask().json()["value"]}
    assert urls["ApSupplier+"] == "ApSupplier%2B"
    answer = visitor.raw("EDU1/ApSupplier%2B")
    assert (answer.status_code, "<html>" in answer.text) == (404, True)


@pytest.mark.parametrize("case", ["lower", "upper"])
def test_sets_in_another_case_are_found_by_that_name_only(visitor: Visitor, case: str) -> None:
    visitor.switches.set_names = "lower" if case == "lower" else "upper"
    name = "apinvoice" if case == "lower" else "APINVOICE"
    assert name in {each["name"] for each in visitor.ask().json()["value"]}
    assert visitor.ask(name).status_code == 200
    assert visitor.ask("ApInvoice").status_code == 404


def test_missing_and_forbidden_sets(visitor: Visitor) -> None:
    visitor.switches.missing_sets = frozenset({"InvMovements"})
    visitor.switches.forbidden_sets = frozenset({"GenMaster"})
    assert visitor.ask("InvMovements").status_code == 404
    assert "InvMovements" not in visitor.ask("$metadata").text
    assert visitor.ask("GenMaster").status_code == 403
    assert visitor.ask("GenHistory").status_code == 200


def test_company_is_a_segment_whose_case_matters(visitor: Visitor) -> None:
    assert visitor.ask("ApInvoice", company="edu1").status_code == 404
    assert keys(visitor.rows("ApInvoice", orderby=KEY)) != keys(
        visitor.rows("ApInvoice", orderby=KEY, company="EDU2")
    )
    visitor.switches.company_in = "query"
    assert visitor.ask("ApInvoice").status_code == 404
    answer = visitor.raw("ApInvoice?company=EDU2&$top=1")
    assert answer.json()["@odata.context"].endswith("/SYSPROOData/$metadata#ApInvoice")


def test_only_get_is_allowed(visitor: Visitor) -> None:
    import requests  # noqa: PLC0415 - for this one call

    url = f"{visitor.url}/SYSPRO8Odata/SYSPROOData/EDU1/ApInvoice"
    assert requests.post(url, json={}, timeout=30).status_code == 405


# ------------------------------------------------------------------ values


def test_values_as_the_wire_has_them(visitor: Visitor) -> None:
    answer = visitor.ask("ApInvoice", orderby=KEY, top=1)
    assert answer.headers["OData-Version"] == "4.0"
    row = answer.json(parse_float=str)["value"][0]
    assert row["OrigInvValue"][-3] == "."  # two decimals, with their zeros
    assert row["InvoiceDate"].endswith("T00:00:00Z")
    assert row["ManualChqDate"] is None
    assert row["InvoiceStatus"] in {" ", "1", "9"}
    assert row["InvoiceYear"] in {2025, 2026}
    assert len(base64.b64decode(row["TimeStamp"])) == 8


def test_keys_are_padded_and_characters_beyond_latin_1_are_lost(visitor: Visitor) -> None:
    suppliers = {row["Supplier"]: row for row in visitor.rows("ApSupplier", orderby="Supplier")}
    assert "000000000000010" in suppliers
    assert "V00001" in suppliers
    vendor = visitor.world.company.vendors["V00001"]
    visitor.world.life.rename_vendor("V00001")
    stored = visitor.rows("ApSupplier", filter="Supplier eq 'V00001'")[0]["SupplierName"]
    assert stored == vendor.name.encode("cp1252", "replace").decode("cp1252")[:50]


@pytest.mark.parametrize(
    ("form", "suffix", "literal"),
    [
        ("offset", "T00:00:00+02:00", "{}T00:00:00%2B02:00"),
        ("date", "", "{}"),
        ("utc", "T00:00:00Z", "{}T00:00:00Z"),
    ],
)
def test_date_forms_and_the_literal_that_fits(visitor: Visitor, form: str, suffix: str, literal: str) -> None:
    visitor.switches.date_form = form  # type: ignore[assignment]
    rows = visitor.rows("ApInvoice", orderby=KEY)
    day = rows[0]["InvoiceDate"][:10]
    assert rows[0]["InvoiceDate"] == day + suffix
    expected = [row for row in rows if row["InvoiceDate"] >= day]
    query = f"EDU1/ApInvoice?$orderby={KEY}&$filter=InvoiceDate%20ge%20{literal.format(day)}"
    found = visitor.raw(query).json(parse_float=Decimal)["value"]
    assert found == expected
    wrong = "2026-01-01T00:00:00Z" if form == "date" else "2026-01-01"
    assert "incompatible types" in visitor.refused("ApInvoice", filter=f"InvoiceDate ge {wrong}")


def test_a_literal_in_utc_misses_the_day_itself_on_a_server_two_hours_ahead(visitor: Visitor) -> None:
    visitor.switches.date_form = "offset"
    rows = visitor.rows("ApInvoice", orderby=KEY)
    day = max(row["InvoiceDate"] for row in rows)[:10]
    assert visitor.rows("ApInvoice", filter=f"InvoiceDate ge {day}T00:00:00Z") == []
    assert visitor.rows("ApInvoice", filter=f"InvoiceDate gt {day}T00:00:00-02:00") == []


def test_decimals_as_text_when_asked_for_or_always(visitor: Visitor) -> None:
    accept = {"Accept": "application/json;IEEE754Compatible=true"}
    row = visitor.rows("GenHistory", top=1, headers=accept)[0]
    assert isinstance(row["BeginYearBalance"], str)
    assert row["GlYear"] in {"2025", "2026"}
    visitor.switches.decimals_as_text = True
    assert isinstance(visitor.rows("GenHistory", top=1)[0]["ClosingBalPer1"], str)


def test_integers_with_a_point(visitor: Visitor) -> None:
    visitor.switches.integers_with_point = True
    assert str(visitor.rows("GenHistory", top=1)[0]["GlYear"]).endswith(".0")


def test_answers_are_compressed_for_those_who_accept_it(visitor: Visitor) -> None:
    packed = visitor.ask("ArCustomer", headers={"Accept-Encoding": "gzip"}, orderby="Customer")
    plain = visitor.ask("ArCustomer", headers={"Accept-Encoding": "identity"}, orderby="Customer")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


# ------------------------------------------------------------------ filters


def test_filters_against_a_plain_reading_of_the_rows(visitor: Visitor) -> None:
    rows = visitor.rows("ApInvoice", orderby=KEY)
    supplier = rows[len(rows) // 2]["Supplier"]
    for text, test in (
        ("MthInvBal1 ne 0", lambda row: row["MthInvBal1"] != 0),
        (
            "MthInvBal1 ne 0.00 or YearInvBalZero eq 2026",
            lambda row: row["MthInvBal1"] or row["YearInvBalZero"] == 2026,
        ),
        (
            "InvoiceYear eq 2026 and InvoiceMonth lt 4",
            lambda row: row["InvoiceYear"] == 2026 and row["InvoiceMonth"] < 4,
        ),
        (
            "(InvoiceYear eq 2025 or InvoiceMonth ge 5) and Currency eq 'USD'",
            lambda row: (row["InvoiceYear"] == 2025 or row["InvoiceMonth"] >= 5) and row["Currency"] == "USD",
        ),
        (f"Supplier gt '{supplier}'", lambda row: row["Supplier"] > supplier),
        ("ManualChqDate eq null", lambda row: row["ManualChqDate"] is None),
        ("ManualChqDate ne null", lambda row: row["ManualChqDate"] is not None),
        ("TotalAdjustments lt -0.01", lambda row: row["TotalAdjustments"] < 0),
        ("InvoiceStatus eq ''", lambda row: row["InvoiceStatus"] == " "),  # SQL pads the shorter text
    ):
        assert visitor.rows("ApInvoice", orderby=KEY, filter=text) == [row for row in rows if test(row)], text


def test_quotes_are_doubled_inside_literals(visitor: Visitor) -> None:
    rows = visitor.rows("ApSupplier", orderby="Supplier")
    name = next(row["SupplierName"] for row in rows if "'" in row["SupplierName"])
    text = name.replace("'", "''")
    assert visitor.rows("ApSupplier", filter=f"SupplierName eq '{text}'")[0]["SupplierName"] == name


@pytest.mark.parametrize(
    "text",
    [
        "InvoiceDat eq null",
        "startswith(Supplier,'V')",
        "Supplier in ('V00001','V00002')",
        "Supplier eq V00001",
        "Supplier eq 5",
        "MthInvBal1 eq '5'",
        "InvoiceDate ge '2026-01-01'",
        "InvoiceDate ge 2026-02-31T00:00:00Z",
        "TimeStamp gt 5",
        "(Supplier eq 'V00001'",
        "Supplier eq 'V00001' and",
        "Supplier eq 'V00001' OR Supplier eq 'V00002'",
        "not (Supplier eq 'V00001')",
    ],
)
def test_filters_that_are_refused(visitor: Visitor, text: str) -> None:
    assert visitor.refused("ApInvoice", filter=text)


def test_a_plus_is_no_blank(visitor: Visitor) -> None:
    assert visitor.raw("EDU1/ApInvoice?$filter=MthInvBal1+ne+0").status_code == 400


def test_limits_of_filters(visitor: Visitor) -> None:
    either = "Supplier eq 'V00001' or Supplier eq 'V00002'"
    visitor.switches.max_filter_nodes = 6
    assert "node count limit" in visitor.refused("ApInvoice", filter=either)
    visitor.switches.max_filter_nodes = 7
    assert visitor.ask("ApInvoice", filter=either).status_code == 200
    visitor.switches.key_filters_supported = False
    assert visitor.refused("ApInvoice", filter=either)
    visitor.switches.key_filters_supported = True
    visitor.switches.filter_ignored = True
    assert len(visitor.rows("ApInvoice", filter=either)) == len(visitor.rows("ApInvoice"))


@pytest.mark.parametrize("option", ["expand", "search", "apply", "skiptoken", "compute"])
def test_other_options_are_refused(visitor: Visitor, option: str) -> None:
    assert visitor.refused("ApInvoice", **{option: "x"})
