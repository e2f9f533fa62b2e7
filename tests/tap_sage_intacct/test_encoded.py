"""Rows that are encoded as they are read are, byte for byte, those that are made first and encoded then."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from unittest import mock
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.contrib.msgspec import encoder

from tap_sage_intacct import envelope
from tap_sage_intacct.discovery import Field
from tap_sage_intacct.envelope import NotXmlError, read_reply
from tap_sage_intacct.errors import BadValueError
from tap_sage_intacct.streams import amounts
from tap_sage_intacct.streams.columns import DELETED_AT, Clock, columns_of, converters
from tap_sage_intacct.streams.encoded import EncodedReader
from tap_sage_intacct.streams.rows import RowReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_sage_intacct.records import Reader
    from tap_sage_intacct.streams.declarations import Amounts

NUMBERS = (
    "0", "5", "-5", "5900", "-0.10", "1679615.93", "0.0000000000", "0.00000012", "1E+3", "007", "+5", ".5", "-0",
    "123456789012345678901.5", "NaN",
)  # fmt: skip
TEXTS = (
    "a",
    "b c",
    "",
    " ",
    '"',
    "\\",
    "/",
    "&",
    "<",
    ">",
    "]]>",
    "ü€🚂",
    "\x7f",
    "line\nline",
    "tab\t",
    "a,b",
    "\r",
    "\x01",
)
KINDS: dict[str, Sequence[str]] = {
    "TEXT": TEXTS,
    "INTEGER": ("1", "0", "-1", "3.0", "3.5", "12345678901234567890", "007", "-0", "x"),
    "DECIMAL": NUMBERS,
    "BOOLEAN": ("true", "false", "T", "F", "maybe"),
    "DATE": ("01/31/2026", "2026-01-31", "31/12/2026"),
    "TIMESTAMP": ("01/31/2026 12:30:59", "01/31/2026", "2026-01-31T12:30:59-08:00", "soon"),
}
STATES = ("Posted", "Draft", "Reversed", "draft ", "F", "T")
# Object -> amounts, and its fields; RECORDNO is a number here and a text there.
OBJECTS: dict[str, tuple[Amounts, tuple[tuple[str, str], ...]]] = {
    "GLDETAIL": (
        amounts.GL_DETAILS,
        (
            ("RECORDNO", "TEXT"), ("BATCHKEY", "INTEGER"), ("BATCH_STATE", "STATE"), ("STATISTICAL", "STATE"),
            ("DEBITAMOUNT", "DECIMAL"), ("CREDITAMOUNT", "DECIMAL"), ("MODIFIED", "TIMESTAMP"),
        ),
    ),
    "GLENTRY": (
        amounts.JOURNAL_LINES,
        (
            ("RECORDNO", "INTEGER"), ("BATCHKEY", "INTEGER"), ("TR_TYPE", "INTEGER"), ("STATE", "STATE"),
            ("AMOUNT", "DECIMAL"), ("ENTRY_DATE", "DATE"),
        ),
    ),
    "APBILL": (
        amounts.BILLS,
        (
            ("RECORDNO", "INTEGER"), ("BATCHKEY", "INTEGER"), ("STATE", "STATE"), ("TOTALENTERED", "DECIMAL"),
            ("TOTALDUE", "DECIMAL"), ("ONHOLD", "BOOLEAN"), ("VENDOR.NAME", "TEXT"),
        ),
    ),
    "APPYMTDETAIL": (
        amounts.PAYMENT_DETAILS,
        (
            ("RECORDNO", "INTEGER"), ("BATCHKEY", "INTEGER"), ("STATE", "STATE"), ("PAYMENTAMOUNT", "DECIMAL"),
            ("DISCOUNTAMOUNT", "DECIMAL"),
        ),
    ),
}  # fmt: skip


def readers(name: str, unwanted: Sequence[str], *, has_company: bool) -> tuple[RowReader, EncodedReader]:
    """What reads an object, both ways; some of its fields are read and not wanted."""
    worked_out, fields = OBJECTS[name]
    columns = columns_of([Field(field, "TEXT" if kind == "STATE" else kind) for field, kind in fields])
    constants = {"company_id": "C & Co"} if has_company else {}
    rows = RowReader(name, columns, constants, converters(Clock(dt.UTC)), worked_out, ["recordno"])
    return rows, EncodedReader(rows, ["recordno", "batchkey"], unwanted, [DELETED_AT])


def written(name: str, body: bytes, unwanted: Sequence[str], *, has_company: bool) -> tuple[Any, ...]:
    """What is read of an answer by the way of its own, or why it is not."""
    reader = readers(name, unwanted, has_company=has_company)[1]
    found = outcome(body, name, reader)
    return found if isinstance(found[0], type) else (found[0].records, found[0].column("batchkey"))


def expected(name: str, body: bytes, unwanted: Sequence[str], *, has_company: bool) -> tuple[Any, ...]:
    """What is read of it by the XML parser, made rows of and encoded."""
    reader = readers(name, unwanted, has_company=has_company)[0]
    with mock.patch.object(envelope, "cut", return_value=None):
        found = outcome(body, name, reader)
    if isinstance(found[0], type):
        return found
    batches = [row["batchkey"] for row in found[0]]
    for row in found[0]:
        for field in unwanted:
            row.pop(field, None)
        row[DELETED_AT] = None
    return list(map(encoder.encode, found[0])), batches


def outcome(body: bytes, name: str, reader: Reader[Any]) -> tuple[Any, ...]:
    try:
        return (read_reply(body, name, reader).rows,)
    except (BadValueError, NotXmlError) as error:
        return type(error), str(error) if isinstance(error, BadValueError) else ""


def answer(records: Iterable[str]) -> bytes:
    inside = "".join(records)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<response><control><status>success</status></control><operation>'
        f'<result><status>success</status><data numremaining="0">{inside}</data></result></operation></response>'
    ).encode()


@st.composite
def text(draw: st.DrawFn, kind: str) -> str:
    """A text as it stands between two tags, mostly as the gateway writes it."""
    good = STATES if kind == "STATE" else KINDS[kind]
    value = draw(st.sampled_from(["", *good]) if draw(st.integers(0, 9)) else st.text(max_size=5))
    how = draw(st.integers(0, 30))
    if how == 30:
        return f"<![CDATA[{value}]]>"
    if how == 29:
        return value
    if how == 28:
        return "".join(f"&#{ord(letter)};" for letter in value)
    return escape(value, {'"': "&quot;"})


@st.composite
def record(draw: st.DrawFn, name: str) -> str:
    """A record, mostly like all others."""
    elements = []
    for field, kind in OBJECTS[name][1]:
        inside = draw(text(kind)) if field != "RECORDNO" else str(draw(st.integers(0, 99)))
        is_short = not inside and draw(st.integers(0, 3)) == 0
        elements.append(f"<{field}/>" if is_short else f"<{field}>{inside}</{field}>")
    how = draw(st.integers(0, 60))
    changed = {
        60: [*elements, "<OTHER>1</OTHER>"],
        59: elements[:-1],
        58: [*elements[1:], elements[0]],
        57: [*elements, "<!-- </X> -->"],
        56: [*elements, elements[0]],
        55: [elements[0].replace(">", ' a="1">', 1), *elements[1:]],
        54: [*elements[:-1], "<DEEP><A>1</A></DEEP>", elements[-1]],
        53: [*elements[:-1], elements[-1].lower().replace("<![cdata[", "<![CDATA[")],
        52: [*elements[:-1], "stray", elements[-1]],
        51: elements[:1],
    }.get(how, elements)
    return f"<{name}>{''.join(changed)}</{name}>"


@given(st.data())
def test_encoded_rows_are_what_the_parser_of_xml_and_the_encoder_make(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(OBJECTS)))
    records = data.draw(st.lists(record(name), min_size=1, max_size=6))
    unwanted = data.draw(st.sampled_from([[], ["batchkey"], ["ledger_amount", "ledger_debit_amount"]]))
    company = data.draw(st.booleans())
    body = answer(records)
    assert written(name, body, unwanted, has_company=company) == expected(
        name, body, unwanted, has_company=company
    )


@pytest.mark.parametrize("name", OBJECTS)
def test_many_records_of_ever_other_texts_are_encoded_as_few_are(name: str) -> None:
    fields = OBJECTS[name][1]
    records = [
        "".join(
            f"<{field}>{values[number % len(values)] if number % 7 else ''}</{field}>"
            for field, kind in fields[1:]
            for values in [
                [str(number), f"{number}.25"]
                if kind == "DECIMAL"
                else ["Posted"]
                if kind == "STATE"
                else GOOD[kind]
            ]
        )
        for number in range(1700)
    ]
    body = answer([f"<{name}><RECORDNO>{n}</RECORDNO>{one}</{name}>" for n, one in enumerate(records)])
    found = written(name, body, [], has_company=True)
    assert found == expected(name, body, [], has_company=True)
    assert len(found[0]) == len(set(found[0])) == 1700


def test_a_text_of_two_lines_among_ever_other_texts_is_no_broken_json() -> None:
    name = "APBILL"
    fields = [field for field, _ in OBJECTS[name][1]]
    records = [
        "".join(
            f"<{field}>{given}</{field}>"
            for field in fields
            for given in [
                str(number)
                if field == "RECORDNO"
                else f"of {number}{chr(10) if number > 1500 else ''}lines"
                if field == "VENDOR.NAME"
                else ""
            ]
        )
        for number in range(1700)
    ]
    body = answer([f"<{name}>{one}</{name}>" for one in records])
    found = written(name, body, [], has_company=True)
    assert found == expected(name, body, [], has_company=True)
    assert b'"of 1600\\nlines"' in found[0][1600]


GOOD: dict[str, Sequence[str]] = {
    "TEXT": ("a", "ü", "&amp;"),
    "INTEGER": ("1", "-1", "3.0"),
    "BOOLEAN": ("true", "F"),
    "DATE": ("01/31/2026",),
    "TIMESTAMP": ("01/31/2026 12:30:59", "01/31/2026"),
}
