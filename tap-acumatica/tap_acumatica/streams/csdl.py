"""What an instance's OData services say of their tables and generic inquiries (CSDL, in XML)."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from tap_acumatica.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_acumatica.client import Client, Site
    from tap_acumatica.store import Store
    from tap_acumatica.streams.tables import Table

Columns = list[tuple[str, str]]

_FILE: Final = "schema-odata"
_FORMAT: Final = 1

_LOG: Final = logging.getLogger("tap-acumatica")


def describe(
    connect: Callable[[], Client], site: Site, store: Store, tables: Sequence[Table], max_age_minutes: int
) -> Mapping[str, Columns]:
    """Columns of the tables that do not know their own, by stream.

    Args:
        connect: Gives a client that is signed in; called only when the instance must be asked.
        site: The instance.
        store: Where descriptions are kept.
        tables: What to describe.
        max_age_minutes: How old a kept description may be.
    """
    unknown = [table for table in tables if not table.columns]
    if not unknown:
        return {}
    asked = sorted([table.stream, table.name, table.is_inquiry, site.legacy_odata] for table in unknown)
    now = dt.datetime.now(dt.UTC).timestamp()
    kept = store.read(_FILE)
    fresh = 0 <= now - float(kept.get("written", 0)) < max_age_minutes * 60
    if kept.get("format") == _FORMAT and kept.get("asked") == asked and fresh:
        return {stream: [(name, kind) for name, kind in columns] for stream, columns in kept["found"].items()}
    client = connect()
    found: dict[str, Columns] = {}
    for is_inquiry in (False, True):
        some = [table for table in unknown if table.is_inquiry is is_inquiry]
        if some:
            found.update(_find(client, site.inquiry("") if is_inquiry else site.dac(""), some))
    store.write(_FILE, {"format": _FORMAT, "asked": asked, "written": now, "found": found})
    return found


def _find(client: Client, root: str, tables: Sequence[Table]) -> dict[str, Columns]:
    try:
        described = parse(client.get_metadata(root))
    except (ApiError, ET.ParseError) as error:
        _LOG.warning("%s does not describe itself. %s", root, error)
        return {}
    return {table.stream: columns for table in tables if (columns := _of(described, table))}


def _of(described: Mapping[str, Columns], table: Table) -> Columns | None:
    """The columns of a table. Titles of inquiries lose their blanks, tables may be named with their namespace."""
    plain = _plain(table.name)
    for name, columns in described.items():
        if _plain(name) == plain or (not table.is_inquiry and name.endswith(f"_{table.name}")):
            return columns
    return None


def _plain(name: str) -> str:
    return "".join(character for character in name if character.isalnum()).casefold()


def parse(document: bytes) -> dict[str, Columns]:
    """Name and type of the columns of every entity set; versions 3 and 4 differ in namespaces only.

    Raises:
        xml.etree.ElementTree.ParseError: It is no XML.
    """
    root = ET.fromstring(document)  # noqa: S314 - the instance that holds the books is trusted to describe itself
    types = {each.get("Name", ""): each for each in root.iter() if _local(each) == "EntityType"}
    sets = {
        each.get("Name", ""): each.get("EntityType", "").rpartition(".")[2]
        for each in root.iter()
        if _local(each) == "EntitySet"
    }
    return {name: _columns(types, kind) for name, kind in sets.items() if kind in types}


def _columns(types: Mapping[str, ET.Element[Any]], name: str) -> Columns:
    element = types[name]
    base = element.get("BaseType", "").rpartition(".")[2]
    inherited = _columns(types, base) if base in types and base != name else []
    own = [(each.get("Name", ""), each.get("Type", "")) for each in element if _local(each) == "Property"]
    return [*inherited, *own]


def _local(element: ET.Element[Any]) -> str:
    return str(element.tag).rpartition("}")[2]
