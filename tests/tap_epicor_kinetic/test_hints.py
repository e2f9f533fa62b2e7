"""What the schemas tell targets beside types; see "Hints for Tableau" in target-tableau's README."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_epicor_kinetic.streams.declarations import SOURCES
from tap_epicor_kinetic.streams.hints import STREAMS, hints_of, label_of, stream_hints
from tests.tap_epicor_kinetic.harness import run_tap

if TYPE_CHECKING:
    from tests.tap_epicor_kinetic.conftest import Instance


def test_hints_survive_a_catalog_and_reach_the_target(instance: Instance) -> None:
    run = run_tap(instance.config, "ap_invoices")
    (schema,) = (m["schema"] for m in run.messages if m["type"] == "SCHEMA")
    properties = schema["properties"]
    hints = {name: each.get("x-sql-datatype-properties") for name, each in properties.items()}
    assert hints["invoice_amt"] == {
        "precision": 18,
        "scale": 4,
        "label": "Invoice amount",
        "currency": "base",
    }
    assert hints["doc_invoice_amt"]["label"] == "Invoice amount (document currency)"
    assert hints["doc_invoice_amt"]["currency"] == "document"
    assert hints["ledger_balance"]["currency"] == "base"
    assert hints["vendor_num"] == {"label": "Vendor number", "role": "dimension"}
    assert hints["sys_rev_id"]["hidden"] is True
    assert "currency" not in hints["exchange_rate"]
    assert "currency" not in hints["score_c"], "nobody knows what a column of one's own installation holds"
    assert properties["debit_memo"]["description"] == "Debit memos have negative amounts."
    assert schema["title"] == "AP invoices"
    assert schema["x-sql-datatype-properties"]["grain"] == "One row per invoice."
    assert any("begins with Ledger" in note for note in schema["x-sql-datatype-properties"]["notes"])


def test_every_stream_says_what_it_holds() -> None:
    assert set(STREAMS) == {source.stream for source in SOURCES}
    assert stream_hints("a_baq_of_mine", ["company"]) == {}


def test_balances_say_what_must_not_be_added_up() -> None:
    notes = " ".join(STREAMS["gl_period_balances"].notes)
    assert "Balance type" in notes
    assert "twice" in notes
    opening = hints_of("gl_period_balances", "OpenBalance", "decimal")
    assert opening["not_over"] == ["fiscal_year", "fiscal_period"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("VendorNum", "Vendor number"),
        ("GLAccount", "GL account"),
        ("SegValue12", "Segment value 12"),
        ("APInvoiceNum", "AP invoice number"),
        ("OldNumber_c", "Old number"),
        ("APInvHed_InvoiceBal", "AP invoice header invoice balance"),
        ("PONUM", "PO number"),
    ],
)
def test_labels_are_names_in_words(source: str, expected: str) -> None:
    assert label_of(source) == expected


def test_journal_lines_tell_the_book_s_currency_from_the_document_s() -> None:
    assert hints_of("gl_journal_lines", "DebitAmount", "decimal")["currency"] == "document"
    assert hints_of("gl_journal_lines", "BookDebitAmount", "decimal")["currency"] == "base"
    assert hints_of("ap_invoice_lines", "UnitCost", "decimal") == {
        "label": "Unit cost",
        "currency": "base",
        "format": "price",
    }
