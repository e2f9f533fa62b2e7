"""What the schemas tell targets beside types; see "Hints for Tableau" in target-tableau's README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_exact_online.streams import ENTITIES, PROPERTIES
from tap_exact_online.streams.hints import STREAMS, hints_of, meaning_of, spaced
from tests.tap_exact_online.harness import run_tap

if TYPE_CHECKING:
    from tests.tap_exact_online.conftest import Instance


def told(run: Any, stream: str) -> dict[str, Any]:
    (schema,) = (m["schema"] for m in run.messages if m["type"] == "SCHEMA" and m["stream"] == stream)
    return dict(schema)


def test_hints_survive_a_catalog_and_reach_the_target(instance: Instance) -> None:
    schema = told(run_tap(instance, "purchase_entries"), "purchase_entries")
    properties = schema["properties"]
    hints = {name: each.get("x-sql-datatype-properties") for name, each in properties.items()}
    assert hints["amount_dc"] == {"precision": 18, "scale": 4, "label": "Amount", "currency": "base"}
    assert hints["amount_fc"]["currency"] == "document"
    assert hints["amount_fc"]["label"] == "Amount (document currency)"
    assert hints["ledger_amount"]["currency"] == "base"
    assert hints["status"] == {"label": "Status", "role": "dimension"}
    assert hints["supplier"] == {"folder": "IDs", "label": "Supplier ID"}
    assert hints["supplier_code"] == {"label": "Supplier code"}
    assert "50 processed" in properties["status"]["description"]
    assert schema["title"] == "Purchase entries"
    own = schema["x-sql-datatype-properties"]
    assert own["grain"] == "One row per entry."
    assert any("begins with Ledger" in note for note in own["notes"])
    assert any("Division currency" in note for note in own["notes"])


def test_every_stream_says_what_it_holds() -> None:
    names = {entity.stream for entity in ENTITIES} | {e.lines.stream for e in ENTITIES if e.lines}
    assert set(STREAMS) == names
    assert all(about.description.endswith(".") for about in STREAMS.values())


def test_meanings_are_told_of_properties_that_there_are() -> None:
    known = {f"{endpoint}.{name}" for endpoint, properties in PROPERTIES.items() for name in properties}
    assert meaning_of("vat/VATCodes", "Percentage")
    from tap_exact_online.streams import hints  # noqa: PLC0415 - its private table is what is checked

    assert set(hints._MEANINGS) <= known  # noqa: SLF001


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GLAccountCode", "GL account code"),
        ("VATAmount", "VAT amount"),
        ("ID", "ID"),
        ("YourRef", "Your ref"),
        ("FreeTextField_01", "Free text field 01"),
    ],
)
def test_labels_are_names_in_words(name: str, expected: str) -> None:
    assert spaced(name) == expected


def test_documents_and_their_lines_in_one_table_say_so() -> None:
    for stream in ("purchase_orders", "sales_invoices"):
        assert any("counts twice" in note for note in STREAMS[stream].notes)


def test_only_amounts_have_a_currency_and_fractions_are_no_percents() -> None:
    properties = PROPERTIES["sync/PurchaseOrder/PurchaseOrders"]
    endpoint = "sync/PurchaseOrder/PurchaseOrders"
    for name in ("Quantity", "ExchangeRate", "VATPercentage", "Discount"):
        assert "currency" not in hints_of(endpoint, name, "decimal", properties), name
    assert (
        hints_of("vat/VATCodes", "Percentage", "decimal", PROPERTIES["vat/VATCodes"])["format"] == "fraction"
    )
    balance = hints_of("financial/ReportingBalance", "AmountDebit", "decimal", {"AmountDebit": "decimal"})
    assert balance["currency"] == "base"
