"""What the schemas tell targets beside types; see "Hints for Tableau" in target-tableau's README."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_syspro.streams.columns import Column, schema_of
from tap_syspro.streams.hints import STREAMS, label_of, stream_hints
from tests.tap_syspro.harness import run_tap

if TYPE_CHECKING:
    from tests.tap_syspro.conftest import Instance


def test_hints_survive_a_catalog_and_reach_the_target(instance: Instance) -> None:
    catalog = run_tap(instance.config, "ap_invoice").tap.catalog_dict
    run = run_tap(instance.config, "ap_invoice", catalog=catalog)
    (schema,) = (m["schema"] for m in run.messages if m["type"] == "SCHEMA" and m["stream"] == "ap_invoice")
    properties = schema["properties"]
    hints = {name: each.get("x-sql-datatype-properties") for name, each in properties.items()}
    assert hints["orig_inv_value"] == {
        "precision": 18,
        "scale": 2,
        "label": "Original invoice value",
        "currency": "document",
    }
    assert hints["ledger_balance"]["currency"] == "base"
    assert hints["journal"] == {"label": "Journal", "role": "dimension"}
    assert hints["_company"] == {"label": "Company"}
    assert "9 paid" in properties["invoice_status"]["description"]
    assert schema["title"] == "AP invoices"
    assert schema["x-sql-datatype-properties"]["grain"] == "One row per invoice."


def test_every_known_stream_says_what_it_holds_and_a_table_of_one_s_own_nothing(instance: Instance) -> None:
    tap = run_tap(instance.config, "ap_terms").tap
    known = {name for name, stream in tap.streams.items() if stream.selected_by_default}
    assert known <= set(STREAMS)
    assert stream_hints("my_view") == {}


def test_closing_balances_are_not_to_be_added_up_over_periods() -> None:
    columns = [Column("closing_balance", "decimal", "", 2), Column("movement", "decimal", "", 2)]
    properties = schema_of("gen_history_periods", columns)["properties"]
    closing = properties["closing_balance"]["x-sql-datatype-properties"]
    assert closing["not_over"] == ["gl_year", "period"]
    assert closing["currency"] == "base"
    assert "not_over" not in properties["movement"]["x-sql-datatype-properties"]


def test_what_an_amount_is_in_follows_its_table() -> None:
    def hints(stream: str, column: Column) -> dict[str, object]:
        schema = schema_of(stream, [column])["properties"][column.name]
        return dict(schema["x-sql-datatype-properties"])

    assert hints("gen_transaction", Column("entry_value", "decimal", "EntryValue", 2))["currency"] == "base"
    assert hints("ap_invoice_pay", Column("trn_value", "decimal", "TrnValue", 2))["currency"] == "document"
    foreign = Column("foreign_tax_val", "decimal", "ForeignTaxVal", 2)
    assert hints("ar_trn_summary", foreign)["currency"] == "document"
    assert "currency" not in hints("ap_supplier", Column("current_balance", "decimal", "CurrentBalance", 2))
    limit = hints("gen_master", Column("credit_limit", "integer", "CreditLimit"))
    assert "role" not in limit
    assert hints("inv_warehouse", Column("unit_cost", "decimal", "UnitCost", 5))["format"] == "price"
    assert "currency" not in hints("inv_warehouse", Column("qty", "decimal", "QtyOnHand", 6))


@pytest.mark.parametrize(
    ("stream", "source", "expected"),
    [
        ("gen_transaction", "GlCode", "GL code"),
        ("por_master_detail", "MStockCode", "Stock code"),
        ("ap_supplier", "MinPoVal", "Min PO value"),
        ("gen_transaction", "SubModSupplier", "Supplier (sub-ledger)"),
        ("ap_invoice", "MthInvBal1", "Month invoice balance 1"),
        ("ap_invoice", "MulDiv", "Rate direction"),
    ],
)
def test_labels_are_names_in_words(stream: str, source: str, expected: str) -> None:
    assert label_of(stream, source) == expected
