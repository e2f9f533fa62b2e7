"""What a tap's schema becomes in Tableau: captions, roles, aggregations, formats, folders, descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib import Catalog

from target_tableau.captions import caption_of, is_identifier, unique
from target_tableau.columns import plan_of, type_from_sql
from target_tableau.semantics import Field, Semantics, semantics_of
from tests.target_tableau.support import MONEY, NULLABLE_TEXT, TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

INTEGER = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}
DATE = {"type": ["string", "null"], "format": "date"}


def told(schema: dict[str, Any], **hints: Any) -> dict[str, Any]:
    """A property with hints."""
    return {**schema, "x-sql-datatype-properties": {**schema.get("x-sql-datatype-properties", {}), **hints}}


def made(
    properties: dict[str, Any],
    keys: Sequence[str] = (),
    stream: str = "bills",
    source: str = "tap-x",
    *,
    names: dict[str, str] | None = None,
    keeps_deleted: bool = False,
    **root: Any,
) -> Semantics:
    plan = plan_of(stream, {"schema": {"properties": properties, **root}, "key_properties": keys}, 2, names)
    columns = {column.name: column.type for column in plan.all_columns}
    return semantics_of(source, plan, columns, keeps_deleted=keeps_deleted)


def field(name: str, schema: dict[str, Any], **root: Any) -> Field:
    return next(each for each in made({name: schema}, **root).fields if each.name == name)


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("vendor_id", "Vendor ID"),
        ("VendorID", "Vendor ID"),
        ("ap_bills", "AP bills"),
        ("vendor__id", "Vendor ID"),
        ("po_line_nbr", "PO line number"),
        ("ordered_qty", "Ordered quantity"),
        ("last_modified_date_time", "Last modified date time"),
        ("main_contact_address_city", "Main contact address city"),
        ("RECORDNO", "Recordno"),
        ("fin_ytd_balance", "Fin YTD balance"),
        ("Due date (net)", "Due date (net)"),
        ("größe", "Größe"),
        ("___", "___"),
        ("uom", "UOM"),
    ],
)
def test_a_caption_is_made_of_the_words_of_a_name(name: str, caption: str) -> None:
    assert caption_of(name) == caption


@pytest.mark.parametrize(
    ("title", "identifier"),
    [
        ("APRegister.OrigDocAmt", True), ("ReferenceNbr", True), ("RECORDNO", True), ("vendor_id", True), ("id", True),
        ("Vendor ID", False), ("Released", False), ("ID", False), ("VAT", False), ("E-mail", False), ("", False),
        ("Credit/Debit", False),
    ],
)  # fmt: skip
def test_a_title_that_is_the_source_s_own_name_is_no_caption(title: str, *, identifier: bool) -> None:
    assert is_identifier(title) == identifier


def test_titles_and_labels_come_before_words_and_the_source_s_own_name_into_the_description() -> None:
    titled = field("totaldue", {**MONEY, "title": "Total due"})
    assert titled.caption == "Total due"
    assert (
        field("totaldue", told({**MONEY, "title": "Total due"}, label="Still open")).caption == "Still open"
    )
    own = field("base_amount", {**MONEY, "title": "APRegister.OrigDocAmt", "description": "In base currency"})
    assert own.caption == "Base amount"
    assert own.description == "In base currency. In the source: APRegister.OrigDocAmt."
    assert field("reference_nbr", {**NULLABLE_TEXT, "title": "ReferenceNbr"}).description == ""


def test_a_name_that_a_setting_gives_is_what_authors_see() -> None:
    layer = made(
        {
            "vendor": {**NULLABLE_TEXT, "title": "Vendor"},
            "cost": {**NUMBER, "title": "Cost"},
            "ID": {**NULLABLE_TEXT, "title": "Record"},
            "id": INTEGER,
        },
        names={"vendor": "Supplier code", "cost": "price_1", "ID": "ID", "id": "id_2"},
    )
    captions = {each.name: each.caption for each in layer.fields}
    assert captions["Supplier code"] == "Supplier code"
    assert captions["price_1"] == "Price 1"
    assert captions["ID"] == "Record"
    assert captions["id_2"] == "ID 2"


def test_captions_are_told_apart_without_regard_to_case_and_labels_come_first() -> None:
    layer = made({
        "amount_": NUMBER,
        "amount": {**NUMBER, "title": "AMOUNT due"},
        "due": told(NUMBER, label="Amount"),
        "again": told(NUMBER, label="amount"),
        "load_id": NULLABLE_TEXT,
    })  # fmt: skip
    captions = {each.name: each.caption for each in layer.fields}
    assert captions["due"] == "Amount"
    assert captions["again"] == "amount (again)"
    assert captions["amount_"] == "Amount (amount_)"
    assert captions["load_id"] == "Load ID"
    assert captions["_sdc_load_id"] == "Load ID (_sdc_load_id)"
    assert len({caption.casefold() for caption in captions.values()}) == len(layer.fields)
    assert unique([("a", "X"), ("b", "x")], ["X (a)", "x"]) == {"a": "X (a, 2)", "b": "x (b)"}


def test_captions_do_not_meet_the_fields_that_tableau_adds() -> None:
    assert field("number_of_records", INTEGER).caption == "Number of records (number_of_records)"


DIMENSIONS = [
    "line_nbr", "fiscal_year", "period", "vendor_id", "batch_no", "account_code", "recordno", "scheduleid",
    "sort_order", "is_default", "journal", "financial_period", "line_no", "contactkey1099", "tr_type", "priority",
]  # fmt: skip
MEASURES = {
    "amount": ("Sum", "integer"),
    "number_of_lines": ("Sum", "integer"),
    "total_number": ("Sum", "integer"),
    "qty_on_order": ("Sum", "integer"),
    "days_overdue": ("Sum", "integer"),
    "lead_time": ("Sum", "integer"),
    "totalpaid": ("Sum", "integer"),
    "exchange_rate": ("Avg", "rate"),
}


def test_whole_numbers_that_name_something_are_dimensions_and_the_others_measures() -> None:
    for name in DIMENSIONS:
        found = field(name, INTEGER)
        assert (found.role, found.aggregation, found.format, found.discreteness) == (
            "dimension",
            "",
            "",
            "ordinal",
        ), name
    for name, (aggregation, measure) in MEASURES.items():
        found = field(name, INTEGER)
        assert (found.role, found.aggregation, found.measure) == ("measure", aggregation, measure), name
        assert found.discreteness == "quantitative"


@pytest.mark.parametrize(
    ("name", "scale", "aggregation", "form", "folder"),
    [
        ("amount", 2, "Sum", "n#,##0.00;-#,##0.00", "Amounts"),
        ("whatever", 4, "Sum", "n#,##0.00;-#,##0.00", "Amounts"),
        ("whatever", 8, "Sum", "", "Quantities"),
        ("unit_price", 6, "Avg", "n#,##0.0000;-#,##0.0000", "Prices and rates"),
        ("unit_cost", 6, "Avg", "n#,##0.0000;-#,##0.0000", "Prices and rates"),
        ("average_cost", 4, "Avg", "n#,##0.0000;-#,##0.0000", "Prices and rates"),
        ("extended_cost", 4, "Sum", "n#,##0.00;-#,##0.00", "Amounts"),
        ("extended_price", 4, "Sum", "n#,##0.00;-#,##0.00", "Amounts"),
        ("currency_rate", 8, "Avg", "n#,##0.000000;-#,##0.000000", "Prices and rates"),
        ("discount_percent", 6, "Avg", "n#,##0.00;-#,##0.00", "Prices and rates"),
        ("discount_amount", 4, "Sum", "n#,##0.00;-#,##0.00", "Amounts"),
        ("ordered_qty", 6, "Sum", "n#,##0.00;-#,##0.00", "Quantities"),
        ("invoice_bal1", 2, "Sum", "n#,##0.00;-#,##0.00", "Amounts"),
        ("vat_margin", 2, "Sum", "n#,##0.00;-#,##0.00", "Amounts"),
        ("order_qty2", 6, "Sum", "n#,##0.00;-#,##0.00", "Quantities"),
        ("current_year", 2, "Sum", "n#,##0.00;-#,##0.00", "Amounts"),
    ],
)
def test_numbers_with_decimals_are_amounts_quantities_prices_or_rates(
    name: str, scale: int, aggregation: str, form: str, folder: str
) -> None:
    found = field(name, told(NUMBER, precision=18, scale=scale))
    assert (found.role, found.aggregation, found.format, found.folder) == (
        "measure",
        aggregation,
        form,
        folder,
    )
    assert found.datatype == "real"


def test_keys_dates_texts_and_the_loader_s_columns_have_their_places() -> None:
    layer = made(
        {"nbr": INTEGER, "due": DATE, "at": TIME, "code": NULLABLE_TEXT, "held": {"type": "boolean"}}, ["nbr"]
    )
    found = {each.name: (each.role, each.discreteness, each.format, each.folder) for each in layer.fields}
    assert found["nbr"] == ("dimension", "ordinal", "", "Keys")
    assert found["due"] == ("dimension", "ordinal", "*yyyy-mm-dd", "Dates")
    assert found["at"] == ("dimension", "ordinal", "*yyyy-mm-dd hh:nn:ss", "Dates")
    assert found["code"] == ("dimension", "nominal", "", "Dimensions")
    assert found["held"] == ("dimension", "nominal", "", "Dimensions")
    assert {each.name for each in layer.fields if each.hidden} == {
        "_sdc_extracted_at", "_sdc_deleted_at", "_sdc_sequence", "_sdc_load_id",
    }  # fmt: skip
    assert {each.folder for each in layer.fields if each.hidden} == {"Loader"}
    assert made({"amount": MONEY}, ["amount"]).fields[0].role == "dimension"  # whatever it is called


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        ({"role": "dimension"}, {"role": "dimension", "aggregation": "", "format": "", "folder": "Dimensions"}),
        ({"aggregation": "max"}, {"role": "measure", "aggregation": "Max"}),
        ({"aggregation": "CountD"}, {"aggregation": "CountD"}),
        ({"format": "fraction"}, {"aggregation": "Avg", "format": "p0.0%"}),
        ({"format": "none"}, {"format": ""}),
        ({"format": "*00000"}, {"format": "*00000"}),
        ({"format": "quantity", "folder": "Stock"}, {"format": "n#,##0.00;-#,##0.00", "folder": "Stock"}),
        ({"hidden": True}, {"hidden": True, "role": "measure"}),
        ({"currency": "USD"}, {"format": 'c"$"#,##0.00;-"$"#,##0.00'}),
        ({"currency": "JPY"}, {"format": 'c"¥"#,##0;-"¥"#,##0'}),
        ({"currency": "KWD"}, {"format": 'c"KWD "#,##0.000;-"KWD "#,##0.000'}),
        ({"currency": "document"}, {"description": "In the currency of the document.", "measure": "amount"}),
        ({"currency": "base"}, {"format": 'c"€"#,##0.00;-"€"#,##0.00', "description": "In EUR."}),
        ({"not_over": ["period"]}, {"aggregation": "Sum", "description": "Do not add it up over Period."}),
    ],
)  # fmt: skip
def test_hints_come_before_what_names_and_types_tell(hints: dict[str, Any], expected: dict[str, Any]) -> None:
    root = told({}, base_currency="EUR")
    found = field("balance", told(MONEY, **hints), **root)
    assert {name: getattr(found, name) for name in expected} == expected


def test_hints_make_measures_of_numbers_whose_names_say_otherwise() -> None:
    assert field("order_number", told(INTEGER, role="measure")).aggregation == "Sum"
    assert field("line", told(INTEGER, aggregation="max")).role == "measure"
    assert field("year", told(INTEGER, currency="base")).measure == "amount"
    assert field("latitude", told(NUMBER, scale=6)).role == "dimension"
    assert field("name", told(NULLABLE_TEXT, role="measure")).role == "dimension"  # a text stays one


@pytest.mark.parametrize(
    "hints",
    [
        {"role": "fact"}, {"role": 7}, {"aggregation": "total"}, {"format": "money"}, {"currency": "euro"},
        {"label": 5}, {"folder": ["x"]}, {"not_over": "period"}, {"hidden": "yes"},
    ],
    ids=str,
)  # fmt: skip
def test_a_hint_that_makes_no_sense_is_told_and_left_out(
    hints: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    found = field("balance", told(MONEY, **hints))
    assert (found.caption, found.role, found.aggregation, found.folder) == (
        "Balance",
        "measure",
        "Sum",
        "Amounts",
    )
    (name,) = hints
    assert f"Stream 'bills': the hint {name} of 'balance' is" in caplog.text


def test_a_format_that_does_not_fit_its_type_is_told_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert field("note", told(NULLABLE_TEXT, format="n#,##0;-#,##0")).format == ""
    assert field("due", told(DATE, format="p0.0%")).format == "*yyyy-mm-dd"
    assert caplog.text.count("does not fit") == 2
    assert field("due", told(DATE, format="*mmm yyyy")).format == "*mmm yyyy"


def test_the_description_tells_grain_currencies_zone_and_which_sums_not_to_take() -> None:
    layer = made(
        {
            "type": NULLABLE_TEXT,
            "ref": {**NULLABLE_TEXT, "title": "Reference"},
            "currency_id": NULLABLE_TEXT,
            "amount": MONEY,
            "base_amount": told(MONEY, currency="base"),
            "closing_balance": told(MONEY, currency="base", not_over=["period"]),
            "rate": told(NUMBER, precision=18, scale=8),
            "changed": TIME,
        },
        ["type", "ref"],
        **told(
            {"title": "Bills of vendors", "description": "What is owed"},
            base_currency="EUR",
            notes=["No drafts"],
        ),
    )
    assert layer.caption == "Bills of vendors"
    assert layer.description.splitlines() == [
        "What is owed.",
        "One row per Type and Reference.",
        "In base currency (EUR): Base amount and Closing balance.",
        "In the currency of the row (see Currency ID), not to be added up across currencies: Amount.",
        "Not to be added up: Rate.",
        "Not to be added up over Period: Closing balance.",
        "No drafts.",
        "Times are in UTC; dates without a time are as they were entered.",
    ]


def test_the_description_of_a_stream_without_key_and_hints_is_short_and_true() -> None:
    assert made({"a": NULLABLE_TEXT}, stream="ap_log").description.splitlines()[:2] == [
        "AP log.",
        "One row per record that the source sent.",
    ]
    grained = made({"a": NULLABLE_TEXT}, **told({}, grain="One row per movement"))
    assert "One row per movement." in grained.description


def test_columns_that_no_longer_come_keep_their_place() -> None:
    plan = plan_of("bills", {"schema": {"properties": {"ref": NULLABLE_TEXT}}, "key_properties": ["ref"]}, 2)
    columns = {
        "ref": plan.columns[0].type,
        "line_nbr": type_from_sql("BIGINT"),
        "paid": type_from_sql("NUMERIC(18,2)"),
    }
    found = {each.name: (each.role, each.caption) for each in semantics_of("", plan, columns).fields}
    assert found == {
        "ref": ("dimension", "Reference"),
        "line_nbr": ("dimension", "Line number"),
        "paid": ("measure", "Paid"),
    }


def test_rows_that_stay_after_their_deletion_are_told_of_and_their_mark_is_shown() -> None:
    properties = {"ref": NULLABLE_TEXT, "_sdc_deleted_at": TIME}
    kept = made(properties, keeps_deleted=True)
    (mark,) = [each for each in kept.fields if each.name == "_sdc_deleted_at"]
    assert not mark.hidden
    assert "leave those with a value in Deleted in the source at out of sums" in kept.description
    assert "Deleted" not in made(properties).description


def test_hints_survive_a_catalog() -> None:
    schema = {
        "type": "object",
        "properties": {
            "due": told({**MONEY, "title": "Due", "description": "Open."}, currency="base", label="Open")
        },
        "title": "Bills of vendors",
        "description": "All.",
        "x-sql-datatype-properties": {"notes": ["One."]},
    }
    catalog = {"streams": [{"stream": "bills", "tap_stream_id": "bills", "schema": schema, "metadata": []}]}
    assert Catalog.from_dict(catalog).to_dict()["streams"][0]["schema"] == schema


def test_what_xml_cannot_hold_is_left_out_of_texts(caplog: pytest.LogCaptureFixture) -> None:
    layer = made(
        {"a\x01": NULLABLE_TEXT, "b": {**NULLABLE_TEXT, "title": "B\x02 x", "description": "c\ud800d"}}
    )
    assert [each.name for each in layer.fields][:1] == ["b"]
    assert (layer.fields[0].caption, layer.fields[0].description) == ("B x", "cd.")
    assert "cannot stand in a .tds" in caplog.text
