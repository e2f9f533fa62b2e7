from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.syspro import ENET_PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.syspro.visitor import Json, Visitor

INVOICE = ("Supplier", "Invoice", "InvoiceDate", "ManualChqDate", "OrigInvValue", "InvoiceYear", "Reference")
NUMBERS = "<Query><TableName>ApInvoice</TableName><Columns><Column>Invoice</Column></Columns>"
ORDERED = "<OrderBy><Column>Supplier</Column><Column>Invoice</Column></OrderBy>"


def where(*expressions: tuple[str, str, str], joint: str = "And") -> str:
    parts = [
        (f"<Expression><AndOr>{joint}</AndOr>" if place else "<Expression>")
        + f"<OpenBracket>(</OpenBracket><Column>{column}</Column><Condition>{condition}</Condition>"
        f"<Value>{value}</Value><CloseBracket>)</CloseBracket></Expression>"
        for place, (column, condition, value) in enumerate(expressions)
    ]
    return f"<Where>{''.join(parts)}</Where>"


@pytest.fixture
def session(visitor: Visitor) -> str:
    return visitor.session()


# -------------------------------------------------------------------- COMFND


def test_rows_are_those_of_odata_in_the_other_dialect(visitor: Visitor, session: str) -> None:
    found = visitor.found(session, "ApInvoice", INVOICE, ORDERED)
    expected = visitor.rows("ApInvoice", orderby="Supplier,Invoice")
    assert [(row["Supplier"], row["Invoice"]) for row in found] == [
        (row["Supplier"], row["Invoice"]) for row in expected
    ]
    assert [row["InvoiceDate"] for row in found] == [row["InvoiceDate"][:10] for row in expected]
    assert {row["ManualChqDate"] for row in found} == {"0000-00-00"}
    assert [row["OrigInvValue"] for row in found] == [
        f"{row['OrigInvValue']:f}".rjust(16) for row in expected
    ]
    assert {row["InvoiceYear"] for row in found} <= {"  2025", "  2026"}


def test_the_envelope(visitor: Visitor, session: str) -> None:
    answer = visitor.find(
        session,
        "<Query><TableName>TblApTerms</TableName><Columns><Column>TermsCode</Column></Columns></Query>",
    )
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.content.startswith(b'<?xml version="1.0" encoding="Windows-1252"?>')
    root = ET.fromstring(answer.content)  # noqa: S314 - from the sandbox itself
    assert (root.tag, root.attrib["Language"]) == ("TblApTerms", "05")
    assert root.findtext("RowsReturned") == "     4"
    assert sorted(each.text or "" for each in root.findall("Row/TermsCode")) == ["00", "10", "30", "60"]


def test_no_row_is_an_answer_too(visitor: Visitor, session: str) -> None:
    query = where(("Supplier", "EQ", "NOBODY"))
    assert visitor.found(session, "ApInvoice", INVOICE, query) == []


def test_the_session_decides_which_company(visitor: Visitor) -> None:
    companies = {}
    for visitor.company in ("EDU1", "EDU2"):
        session = visitor.session()
        companies[visitor.company] = visitor.found(session, "SalBranch", ("Branch",))
        assert visitor.enet("Logoff", UserId=session).text == "0"
    assert companies == {"EDU1": [{"Branch": "HQ"}], "EDU2": [{"Branch": "EAST"}]}
    assert visitor.app.open_sessions == 0
    assert visitor.app.sessions.evicted == 0


def test_conditions_brackets_and_precedence(visitor: Visitor, session: str) -> None:
    rows = visitor.rows("ApInvoice", orderby="Supplier,Invoice")
    supplier = rows[len(rows) // 2]["Supplier"]
    day = rows[len(rows) // 2]["InvoiceDate"][:10]
    cases: list[tuple[list[tuple[str, str, str]], str, Callable[[Json], bool]]] = [
        ([("Supplier", "GT", supplier)], "And", lambda row: row["Supplier"] > supplier),
        (
            [("Supplier", "GE", supplier), ("OrigInvValue", "GT", "0")],
            "And",
            lambda row: row["Supplier"] >= supplier and row["OrigInvValue"] > 0,
        ),
        (
            [("Supplier", "EQ", supplier), ("InvoiceDate", "LE", day)],
            "Or",
            lambda row: row["Supplier"] == supplier or row["InvoiceDate"][:10] <= day,
        ),
        ([("InvoiceYear", "NE", "2026")], "And", lambda row: row["InvoiceYear"] != 2026),
        ([("Invoice", "LIKE", "DN%")], "And", lambda row: row["Invoice"].startswith("DN")),
    ]
    for expressions, joint, test in cases:
        found = visitor.found(session, "ApInvoice", INVOICE, where(*expressions, joint=joint) + ORDERED)
        expected = [row["Invoice"] for row in rows if test(row)]
        assert expected
        assert [row["Invoice"] for row in found] == expected, expressions


def test_and_binds_before_or(visitor: Visitor, session: str) -> None:
    first = where(("TermsCode", "EQ", "10"), ("TermsCode", "EQ", "30"), joint="Or")
    third = (
        "<Expression><AndOr>And</AndOr><Column>DueDays</Column><Condition>EQ</Condition>"
        "<Value>99</Value></Expression></Where>"
    )
    found = visitor.found(session, "TblApTerms", ("TermsCode",), first.replace("</Where>", third))
    assert found == [{"TermsCode": "10"}]


def test_keyset_pages_reach_every_row(visitor: Visitor, session: str) -> None:
    order = "<ReturnRows>5</ReturnRows><OrderBy><Column>Supplier</Column></OrderBy>"
    found: list[dict[str, str]] = []
    page = visitor.found(session, "ApSupplier", ("Supplier",), order)
    while page:
        found += page
        after = where(("Supplier", "GT", found[-1]["Supplier"]))
        page = visitor.found(session, "ApSupplier", ("Supplier",), order + after)
    assert len(found) == len(visitor.world.company.vendors)


def test_a_page_can_be_shorter_than_asked_for(visitor: Visitor, session: str) -> None:
    visitor.switches.comfnd_max_rows = 4
    assert len(visitor.found(session, "ApSupplier", ("Supplier",), "<ReturnRows>9</ReturnRows>")) == 4


def test_unknown_elements_are_ignored(visitor: Visitor, session: str) -> None:
    filters = "<Filters><Supplier>V00001</Supplier></Filters>"
    assert len(visitor.found(session, "ApSupplier", ("Supplier",), filters)) == len(
        visitor.world.company.vendors
    )


@pytest.mark.parametrize(
    "query",
    [
        "<Query><TableName>ApInvoice</TableName></Query>",
        "<Query><TableName>ApInvoice</TableName><Columns><Column>*</Column></Columns></Query>",
        "<Query><TableName>ApInvoices</TableName><Columns><Column>Invoice</Column></Columns></Query>",
        f"{NUMBERS}<Where>Invoice = '1'</Where></Query>",
        f"{NUMBERS}{where(('Invoice', 'BETWEEN', '1'))}</Query>",
        f"{NUMBERS}{where(('OrigInvValue', 'EQ', 'much'))}</Query>",
        "<Query><TableName>ApInvoice",
        "",
    ],
)
def test_queries_that_are_refused_with_200(visitor: Visitor, session: str, query: str) -> None:
    answer = visitor.find(session, query)
    assert answer.status_code == 200
    assert answer.text.startswith("ERROR: ")


def test_conditions_other_than_eq_may_be_unknown_or_silently_ignored(visitor: Visitor, session: str) -> None:
    visitor.switches.comfnd_conditions = frozenset({"EQ"})
    query = where(("Supplier", "GT", "V"))
    names = "<Columns><Column>Supplier</Column></Columns>"
    refused = visitor.find(session, f"<Query><TableName>ApSupplier</TableName>{names}{query}</Query>")
    assert refused.text.startswith("ERROR: Invalid condition")
    visitor.switches.unknown_condition = "ignored"
    assert len(visitor.found(session, "ApSupplier", ("Supplier",), query)) == len(
        visitor.world.company.vendors
    )


def test_latin_1_bytes_and_utf_8_bytes_under_the_same_declaration(visitor: Visitor, session: str) -> None:
    columns = "<Columns><Column>Branch</Column><Column>Description</Column></Columns>"
    query = f"<Query><TableName>SalBranch</TableName>{columns}</Query>"
    assert "Müller".encode("cp1252") in visitor.find(session, query).content
    visitor.switches.enet_utf8 = True
    answer = visitor.find(session, query)
    assert "Müller".encode() in answer.content
    assert b"Windows-1252" in answer.content


def test_quirks_of_elements(visitor: Visitor, session: str) -> None:
    query = (
        "<Query><TableName>ApSupplier</TableName><Columns><Column>Supplier</Column><Column>BankAccount</Column>"
        "<Column>Fax</Column><Column>LastChequeDate</Column><Column>TimeStamp</Column></Columns></Query>"
    )
    text = visitor.find(session, query).text
    assert "<Fax/>" in text
    assert "<TimeStamp/>" in text
    assert "<LastChequeDate>0000-00-00</LastChequeDate>" in text
    assert "<BankAccount>" in text
    visitor.switches.hidden_columns["ApSupplier"] = frozenset({"BankAccount"})
    visitor.switches.lowercase_elements = True
    visitor.switches.null_date = "empty"
    text = visitor.find(session, query).text
    assert "bankaccount" not in text.lower()
    assert "<apsupplier " in text
    assert "<lastchequedate/>" in text


def test_a_character_that_xml_does_not_allow(visitor: Visitor, session: str) -> None:
    visitor.switches.control_characters = True
    query = "<Query><TableName>SalBranch</TableName><Columns><Column>Description</Column></Columns></Query>"
    answer = visitor.find(session, query)
    with pytest.raises(ET.ParseError):
        ET.fromstring(answer.content)  # noqa: S314 - from the sandbox itself


def test_custom_form_tables_can_be_queried_by_name(visitor: Visitor, session: str) -> None:
    query = (
        "<Query><TableName>ApSupplier+</TableName><Columns><Column>Supplier</Column></Columns>"
        "<OrderBy><Column>Supplier</Column></OrderBy></Query>"
    )
    root = ET.fromstring(visitor.find(session, query).content)  # noqa: S314 - from the sandbox itself
    assert root.tag == "ApSupplier"
    assert len(root.findall("Row")) == len(visitor.app.table("EDU1", "ApSupplier+"))


# --------------------------------------------------------------- browse, fetch


def test_browse_goes_on_at_the_next_key(visitor: Visitor, session: str) -> None:
    keys: list[str] = []
    start = ""
    while True:
        query = (
            f"<Browse><BrowseName>ArCustomer</BrowseName><StartAtKey>{start}</StartAtKey>"
            "<ReturnRows>8</ReturnRows></Browse>"
        )
        root = ET.fromstring(visitor.enet("Query/Browse", UserId=session, XmlIn=query).content)  # noqa: S314
        keys += [each.text or "" for each in root.findall("Row/Customer/Value")]
        if root.findtext("NextPrevKey/Fwd") == "False":
            break
        assert root.findtext("NextPrevKey/Fwd") == "True"
        start = root.findtext("NextPrevKey/NextKey") or ""
    assert keys == sorted(row["Customer"] for row in visitor.rows("ArCustomer"))
    answer = visitor.enet(
        "Query/Browse", UserId=session, XmlIn="<Browse><BrowseName>Other</BrowseName></Browse>"
    )
    assert answer.text.startswith("ERROR: ")


def test_fetch_gives_one_row_by_its_whole_key(visitor: Visitor, session: str) -> None:
    row = visitor.rows("ApInvoice", orderby="Supplier,Invoice")[0]
    query = (
        f"<Fetch><TableName>ApInvoice</TableName><Key>{row['Supplier']}</Key>"
        f"<OptionalKey1>{row['Invoice']}</OptionalKey1></Fetch>"
    )
    root = ET.fromstring(visitor.enet("Query/Fetch", UserId=session, XmlIn=query).content)  # noqa: S314
    assert (root.tag, root.findtext("Invoice")) == ("ApInvoice", row["Invoice"])
    other = query.replace(row["Invoice"], "0")
    assert visitor.enet("Query/Fetch", UserId=session, XmlIn=other).text.startswith("ERROR: ")


def test_there_is_nothing_elsewhere(visitor: Visitor, session: str) -> None:
    assert visitor.enet("Setup/Add", UserId=session).status_code == 404
    assert visitor.enet("Query/Query", UserId=session, XmlIn="x" * 16_384).status_code == 400
    import requests  # noqa: PLC0415 - for this one call

    assert requests.post(f"{visitor.url}{ENET_PATH}/Logon", data={}, timeout=30).status_code == 405
    assert requests.get(f"{visitor.url}/elsewhere", timeout=30).status_code == 404
