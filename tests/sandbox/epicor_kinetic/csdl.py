"""`$metadata`: one document per service, as every service is an OData root of its own."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from tests.sandbox.epicor_kinetic.schema import Kind
from tests.sandbox.epicor_kinetic.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.epicor_kinetic.schema import Column
    from tests.sandbox.epicor_kinetic.services import EntitySet, Service
    from tests.sandbox.epicor_kinetic.switches import Switches

_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
NAMESPACE = "Erp.Tablesets"
_BAQ_NAMESPACE = "Ice.BaqData"
_DATES = {Kind.DATE, Kind.STAMP}


def of_service(service: Service, switches: Switches) -> bytes:
    """The description of a business object."""
    root, services = _document()
    schema = ET.SubElement(services, "Schema", {"Namespace": NAMESPACE, "xmlns": _EDM})
    container = _container(services)
    for *_, entity_set in service.sets.values():
        _entity_type(schema, entity_set, switches)
        described = ET.SubElement(
            container,
            "EntitySet",
            {"Name": entity_set.name, "EntityType": f"{NAMESPACE}.{row_type(entity_set.table)}"},
        )
        for child in entity_set.children:
            ET.SubElement(described, "NavigationPropertyBinding", {"Path": child.name, "Target": child.name})
    return _written(root)


def of_baq(columns: Iterable[Column], switches: Switches) -> bytes:
    """The description of a BAQ; its key is the running number of the row."""
    root, services = _document()
    schema = ET.SubElement(services, "Schema", {"Namespace": _BAQ_NAMESPACE, "xmlns": _EDM})
    described = ET.SubElement(schema, "EntityType", {"Name": "DataRow"})
    ET.SubElement(ET.SubElement(described, "Key"), "PropertyRef", {"Name": "RowIdent"})
    for column in columns:
        _property(described, column, switches, is_key=column.name == "RowIdent")
    ET.SubElement(
        _container(services), "EntitySet", {"Name": "Data", "EntityType": f"{_BAQ_NAMESPACE}.DataRow"}
    )
    return _written(root)


def row_type(table: str) -> str:
    """The name of an entity type."""
    return f"{table}Row"


def _document() -> tuple[ET.Element, ET.Element]:
    root = ET.Element("edmx:Edmx", {"Version": "4.0", "xmlns:edmx": _EDMX})
    return root, ET.SubElement(root, "edmx:DataServices")


def _container(services: ET.Element) -> ET.Element:
    schema = ET.SubElement(services, "Schema", {"Namespace": "Default", "xmlns": _EDM})
    return ET.SubElement(schema, "EntityContainer", {"Name": "Container"})


def _entity_type(schema: ET.Element, entity_set: EntitySet, switches: Switches) -> None:
    table = TABLES[entity_set.table]
    described = ET.SubElement(schema, "EntityType", {"Name": row_type(table.name)})
    key = ET.SubElement(described, "Key")
    for name in table.keys:
        ET.SubElement(key, "PropertyRef", {"Name": name})
    for column in table.columns(switches):
        _property(described, column, switches, is_key=column.name in table.keys)
    for child in entity_set.children:
        target = f"Collection({NAMESPACE}.{row_type(child.table)})"
        ET.SubElement(described, "NavigationProperty", {"Name": child.name, "Type": target})


def _property(described: ET.Element, column: Column, switches: Switches, *, is_key: bool) -> None:
    attributes = {"Name": column.name, "Type": column.kind.edm}
    # that a column says it is never null proves nothing: dates that were never set are
    if is_key or (
        switches.nullable_lies and not column.custom and column.kind in _DATES | {Kind.TEXT, Kind.BOOLEAN}
    ):
        attributes["Nullable"] = "false"
    if column.kind is Kind.DECIMAL and switches.decimal_facets:
        attributes |= {"Precision": "28", "Scale": "8"}
    ET.SubElement(described, "Property", attributes)


def _written(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
