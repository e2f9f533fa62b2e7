"""`$metadata` of SYSPRO OData: one entity type per table, in CSDL."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from tests.sandbox.syspro.schema import TIME_STAMP, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.syspro.schema import Column, Table
    from tests.sandbox.syspro.switches import Switches

_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_NAMESPACE = "SYSPRO"


def document(sets: Mapping[str, Table], switches: Switches) -> bytes:
    """The whole description.

    Args:
        sets: Name of each entity set to its table.
        switches: How the site behaves.
    """
    root = ET.Element("edmx:Edmx", {"Version": "4.0", "xmlns:edmx": _EDMX})
    services = ET.SubElement(root, "edmx:DataServices")
    schema = ET.SubElement(services, "Schema", {"Namespace": _NAMESPACE, "xmlns": _EDM})
    for name, table in sets.items():
        _entity_type(schema, name, table, switches)
    container = ET.SubElement(schema, "EntityContainer", {"Name": "Container"})
    for name in sets:
        ET.SubElement(container, "EntitySet", {"Name": name, "EntityType": f"{_NAMESPACE}.{name}"})
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _entity_type(schema: ET.Element, name: str, table: Table, switches: Switches) -> None:
    described = ET.SubElement(schema, "EntityType", {"Name": name})
    if switches.keys_in_metadata and not table.is_view:
        key = ET.SubElement(described, "Key")
        for key_name in table.keys:
            ET.SubElement(key, "PropertyRef", {"Name": key_name})
    for column in table.by_name.values():
        if column.name != TIME_STAMP or (switches.time_stamp != "absent" and not table.is_view):
            ET.SubElement(described, "Property", _attributes(column, switches))


def _attributes(column: Column, switches: Switches) -> dict[str, str]:
    attributes = {"Name": column.name, "Type": edm_type(column, switches)}
    if not column.nullable:
        attributes["Nullable"] = "false"
    if column.kind is Kind.TEXT:
        attributes["MaxLength"] = str(column.size)
    if attributes["Type"] == "Edm.Decimal":
        attributes |= {"Precision": str(column.size), "Scale": str(column.scale)}
    return attributes


def edm_type(column: Column, switches: Switches) -> str:
    """The type of a column: `decimal(p, 0)` is Edm.Decimal too, as the library maps it."""
    if column.kind is Kind.DAY:
        return "Edm.Date" if switches.date_form == "date" else "Edm.DateTimeOffset"
    if column.kind is Kind.ROW_VERSION:
        return "Edm.Int64" if switches.time_stamp == "number" else "Edm.Binary"
    if column.name == "RowVer":
        return "Edm.Int64"
    return "Edm.String" if column.kind is Kind.TEXT else "Edm.Decimal"
