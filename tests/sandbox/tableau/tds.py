"""What Tableau demands of a .tds beyond being XML: names, order and required attributes of its elements.

A part of the vendor's schema of its documents (tableau/tableau-document-schemas), which Tableau applies when it opens
one. As there, nothing inside a connection is looked at, and names with a feature before them (`_.fcp.`) are let pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from tests.sandbox.tableau.errors import publish_failed

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

ORDER = (
    "document-format-change-manifest", "repository-location", "connection", "utility-dimensions", "dimension",
    "overridable-settings", "aliases", "column", "column-instance", "group", "mapped-images", "drill-paths",
    "folders-common", "folders-parameters", "actions", "calculated-members", "extract", "layout", "style",
    "semantic-values", "date-options", "default-date-format", "default-sorts", "field-sort-info",
    "datasource-dependencies", "explainability", "filter", "object-graph", "default-calendar-type",
    "data-source-tree",
)  # fmt: skip
ATTRIBUTES = frozenset(
    {"caption", "formatted-name", "hasconnection", "inline", "name", "source-platform", "version"}
)
IN_COLUMN = ("calculation", "utility-members", "aliases", "semantic-values", "desc", "members", "range")
CHOICES: dict[str, set[str | None]] = {
    "role": {"dimension", "measure", "unknown"},
    "type": {"nominal", "ordinal", "quantitative", "unknown"},
    "datatype": {
        "unknown", "integer", "real", "string", "datetime", "date", "boolean", "tuple", "spatial", "table",
    },
    "hidden": {None, "true", "false"},
}  # fmt: skip
NAME = re.compile(r"\[([^\]]|\]\])*\](\.\[([^\]]|\]\])*\])*")
Refuse = Callable[[str], NoReturn]
NEEDS = {
    "folders-common": "SchemaViewerObjectModel",
    "object-graph": "ObjectModelEncapsulateLegacy",
}
"""Elements that a reader does not know unless the manifest says so."""


def check_document(root: ET.Element, entry: str, name: str) -> None:
    """Refuse a document that the schema refuses.

    Args:
        root: The `<datasource>`.
        entry: Name of its file in the package.
        name: Name of what is published, for the error.

    Raises:
        TableauError: 400011, with the native text.
    """

    def refuse(reason: str) -> NoReturn:
        raise publish_failed(name, f"{entry}: {reason}")

    if root.get("inline") != "true" or not re.fullmatch(r"\d+\.\d+", root.get("version", "")):
        refuse("the element 'datasource' lacks a required attribute")
    odd = {attribute for attribute in root.attrib if not attribute.startswith("{")} - ATTRIBUTES
    if odd:
        refuse(f"attribute '{min(odd)}' is not declared for element 'datasource'")
    plain = [child for child in root if not child.tag.startswith("_.fcp.")]
    _check_order(plain, ORDER, refuse)
    flags = {flag.tag for manifest in root.findall("document-format-change-manifest") for flag in manifest}
    for tag, flag in NEEDS.items():
        if root.find(tag) is not None and flag not in flags:
            refuse(f"no declaration found for element '{tag}'")
    for column in root.findall("column"):
        _check_column(column, refuse)
        if column.get("datatype") == "table" and "ObjectModelTableType" not in flags:
            refuse("value 'table' not in enumeration")
    for item in root.iter("folder-item"):
        if NAME.fullmatch(item.get("name", "")) is None or item.get("type") not in {"field", "drillpath"}:
            refuse("a folder-item is not valid")


def _check_order(children: list[ET.Element], order: tuple[str, ...], refuse: Refuse) -> None:
    position = 0
    for child in children:
        if child.tag not in order:
            refuse(f"no declaration found for element '{child.tag}'")
        if order.index(child.tag) < position:
            refuse(f"element '{child.tag}' is not allowed for content model '({', '.join(order)})'")
        position = order.index(child.tag)


def _check_column(column: ET.Element, refuse: Refuse) -> None:
    if NAME.fullmatch(column.get("name", "")) is None:
        refuse(f"value '{column.get('name')}' does not match the pattern of a column's name")
    for attribute, choices in CHOICES.items():
        if column.get(attribute) not in choices:
            refuse(f"value '{column.get(attribute)}' of '{attribute}' not in enumeration")
    _check_order(list(column), IN_COLUMN, refuse)
    for desc in column.findall("desc"):
        if (desc.text or "").strip() or [child.tag for child in desc] != ["formatted-text"]:
            refuse("element 'desc' holds one element 'formatted-text'")
