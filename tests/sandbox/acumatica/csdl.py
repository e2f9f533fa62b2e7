"""`$metadata` of DAC-based OData: entity types, keys, columns and navigation names in CSDL."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica.dac import DACS
from tests.sandbox.acumatica.odata_rows import columns_of
from tests.sandbox.acumatica.wire import Kind

if TYPE_CHECKING:
    from tests.sandbox.acumatica.dac.shapes import Dac
    from tests.sandbox.acumatica.switches import Switches

_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_TYPES = {
    Kind.STRING: "Edm.String",
    Kind.DECIMAL: "Edm.Decimal",
    Kind.INT: "Edm.Int32",
    Kind.SHORT: "Edm.Int16",
    Kind.LONG: "Edm.Int64",
    Kind.BOOLEAN: "Edm.Boolean",
    Kind.GUID: "Edm.Guid",
    Kind.STAMP: "Edm.DateTimeOffset",
    Kind.DAY: "Edm.DateTimeOffset",
}


def document(switches: Switches) -> bytes:
    """The whole description."""
    root = ET.Element("edmx:Edmx", {"Version": "4.0", "xmlns:edmx": _EDMX})
    services = ET.SubElement(root, "edmx:DataServices")
    for namespace in sorted({dac.namespace for dac in DACS.values()}):
        schema = ET.SubElement(services, "Schema", {"Namespace": namespace, "xmlns": _EDM})
        for dac in DACS.values():
            if dac.namespace == namespace:
                _entity_type(schema, dac, switches)
    container = ET.SubElement(services, "Schema", {"Namespace": "Default", "xmlns": _EDM})
    sets = ET.SubElement(container, "EntityContainer", {"Name": "Container"})
    for dac in DACS.values():
        entity_set = ET.SubElement(
            sets, "EntitySet", {"Name": dac.long_name, "EntityType": f"{dac.namespace}.{dac.name}"}
        )
        for way in dac.navigations:
            binding = {"Path": way.name, "Target": DACS[way.target].long_name}
            ET.SubElement(entity_set, "NavigationPropertyBinding", binding)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _entity_type(schema: ET.Element, dac: Dac[Any], switches: Switches) -> None:
    described = ET.SubElement(schema, "EntityType", {"Name": dac.name})
    key = ET.SubElement(described, "Key")
    for name in dac.keys:
        ET.SubElement(key, "PropertyRef", {"Name": name})
    for column in columns_of(dac, switches):
        attributes = {"Name": column.name, "Type": _TYPES[column.kind]}
        if column.name in dac.keys:
            attributes["Nullable"] = "false"
        if column.kind is Kind.DECIMAL:
            attributes["Scale"] = "Variable"
        ET.SubElement(described, "Property", attributes)
    for way in dac.navigations:
        target = DACS[way.target]
        kind = f"{target.namespace}.{target.name}"
        shown = f"Collection({kind})" if way.is_many else kind
        ET.SubElement(described, "NavigationProperty", {"Name": way.name, "Type": shown})
