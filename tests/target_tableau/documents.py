"""Documents of data sources as a reader sees them, and what must hold for every one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from target_tableau import tds

if TYPE_CHECKING:
    from target_tableau.semantics import Semantics
    from tests.target_tableau.conftest import Server

ODD_NAMES = [
    "Amt ] x",
    "a [b] c",
    "]",
    "a & <b> \"c\" 'd'",
    "new\nline",
    "tab\there",
    "x: y (z) #1",
    "Größe ☃",
    "a.b",
    "%",
]


def again(root: etree._Element) -> etree._Element:
    """A document as a reader sees it."""
    return etree.fromstring(tds.to_bytes(root))


def columns(root: etree._Element) -> dict[str, etree._Element]:
    """Columns by name, without the table's own."""
    return {str(each.get("name")): each for each in root.findall("column") if each.get("datatype") != "table"}


def attributes(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.items()}


def plain(bracketed: str) -> str:
    assert bracketed[0] == "["
    assert bracketed[-1] == "]"
    return bracketed[1:-1].replace("]]", "]")


def check(root: etree._Element, layer: Semantics) -> None:
    """Every column of the extract has one record, one column and one folder; everything that is named is there."""
    names = [each.name for each in layer.fields]
    records = root.findall("connection/metadata-records/metadata-record")
    assert [each.findtext("remote-name") for each in records] == names
    assert [each.findtext("ordinal") for each in records] == [str(number) for number in range(len(names))]
    assert [plain(str(each.findtext("local-name"))) for each in records] == names
    assert [plain(name) for name in columns(root)] == names
    assert [each.get("datatype") for each in columns(root).values()] == [
        each.findtext("local-type") for each in records
    ]
    folded = [plain(str(item.get("name"))) for item in root.iter("folder-item")]
    assert sorted(folded) == sorted(names)
    captions = [each.get("caption") or plain(name) for name, each in columns(root).items()]
    assert len({caption.casefold() for caption in captions}) == len(names)
    (relation,) = root.findall("connection/relation")
    assert {each.findtext("parent-name") for each in records} == {f"[{relation.get('name')}]"}
    assert relation.get("table") == "[Extract].[Extract]"
    (named,) = root.findall("connection/named-connections/named-connection")
    assert relation.get("connection") == named.get("name")
    (connection,) = named.findall("connection")
    assert (connection.get("class"), connection.get("dbname")) == ("hyper", tds.data_entry(layer))
    (shown,) = root.findall("object-graph/objects/object")
    assert {each.findtext("object-id") for each in records} == {f"[{shown.get('id')}]"}
    (table,) = [each for each in root.findall("column") if each.get("datatype") == "table"]
    assert table.get("name") == f"[__tableau_internal_object_id__].[{shown.get('id')}]"
    assert table.get("caption") == shown.get("caption") == layer.caption
    assert not list(root.iter("extract"))  # with one, Tableau would refuse to update the data source


def document(server: Server, name: str = "bills") -> etree._Element:
    return etree.fromstring(server.document(name).encode())


def column_elements(server: Server, name: str) -> dict[str, etree._Element]:
    """Column -> its element in a published document."""
    return {plain(bracketed): each for bracketed, each in columns(document(server, name)).items()}
