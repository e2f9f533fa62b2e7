"""What the company's description of its fields tells targets beside types."""

from __future__ import annotations

from tap_sage_intacct.discovery import Field
from tap_sage_intacct.streams.columns import amount, columns_of, schema_of

FIELDS = [
    Field("RECORDNO", "INTEGER", "Record number", "Record number"),
    Field("TOTALDUE", "CURRENCY", "Total due", "What is open"),
    Field("TRX_TOTALDUE", "CURRENCY", "Transaction total due"),
    Field("CREDITLIMIT", "DECIMAL", "CREDITLIMIT", "CREDITLIMIT"),
    Field("PRINTEDBY", "INTEGER"),
    Field("REPEATCOUNT", "INTEGER"),
    Field("GLDIMCHANNEL", "INTEGER", is_custom=True),
    Field("EXCHANGE_RATE", "DECIMAL", "Exchange rate", "No description specified"),
]


def test_labels_are_hints_and_the_rest_of_what_lookup_tells_stands_in_descriptions() -> None:
    schema = schema_of(columns_of(FIELDS))["properties"]
    assert schema["totaldue"]["title"] == "TOTALDUE"
    assert schema["totaldue"]["x-sql-datatype-properties"]["label"] == "Total due"
    assert schema["totaldue"]["description"] == "What is open"
    assert schema["recordno"] == {
        "type": ["string", "null"],
        "title": "RECORDNO",
        "x-sql-datatype-properties": {"label": "Record number"},
    }
    assert "label" not in schema["creditlimit"]["x-sql-datatype-properties"]
    assert "description" not in schema["creditlimit"]
    assert "description" not in schema["exchange_rate"]


def test_amounts_with_a_twin_in_the_document_s_currency_are_in_that_of_the_books() -> None:
    schema = schema_of(columns_of(FIELDS))["properties"]
    hints = {name: each.get("x-sql-datatype-properties") for name, each in schema.items()}
    assert hints["totaldue"] == {"precision": 18, "scale": 4, "currency": "base", "label": "Total due"}
    assert hints["trx_totaldue"] == {
        "precision": 18,
        "scale": 4,
        "currency": "document",
        "label": "Transaction total due",
    }
    assert hints["creditlimit"] == {"precision": 18, "scale": 4}
    assert hints["exchange_rate"] == {"precision": 18, "scale": 10, "label": "Exchange rate"}


def test_whole_numbers_that_name_something_are_not_to_be_added_up() -> None:
    schema = schema_of(columns_of(FIELDS))["properties"]
    assert schema["printedby"]["x-sql-datatype-properties"] == {"role": "dimension"}
    assert schema["gldimchannel"]["x-sql-datatype-properties"] == {"role": "dimension"}
    assert "x-sql-datatype-properties" not in schema["repeatcount"]


def test_streams_say_which_amounts_tie_to_the_ledger_and_that_there_is_a_row_per_book() -> None:
    ledger = amount("ledger_due", "Open in the ledger", "What is still due.")
    schema = schema_of([*columns_of([*FIELDS, Field("BOOKID", "TEXT")]), ledger])
    assert schema["properties"]["ledger_due"]["x-sql-datatype-properties"]["currency"] == "base"
    tie, book = schema["x-sql-datatype-properties"]["notes"]
    assert "add up Open in the ledger" in tie
    assert "row per book" in book
    assert "x-sql-datatype-properties" not in schema_of(columns_of(FIELDS))
