"""Writes semantic layers as Tableau data sources: the .tds, and the .tdsx around an extract.

The document names a plain Hyper connection and has no `<extract>` element, for only a data source that is live to
Hyper can be changed by updates (Tableau REST API, "Update Data in Hyper Data Source"). Order and attributes of the
elements follow Tableau's published schema of its documents and what Tableau itself writes.
"""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING, Final

from lxml import etree

from target_tableau.captions import unique
from target_tableau.columns import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from target_tableau.semantics import Field, Semantics

_PIECE: Final = 1024 * 1024
_TABLE: Final = "[Extract].[Extract]"
_RELATION: Final = "Extract"
_OBJECT: Final = "[__tableau_internal_object_id__]"
_FLAGS: Final = ("ObjectModelEncapsulateLegacy", "ObjectModelTableType", "SchemaViewerObjectModel")
"""Tell a reader to expect the object graph, the table column and folders; without them it refuses these."""

_REMOTE_TYPES: Final = {
    Kind.BIGINT: "20",
    Kind.BOOL: "11",
    Kind.DATE: "133",
    Kind.DOUBLE: "5",
    Kind.NUMERIC: "131",
    Kind.TEXT: "129",
    Kind.TIMESTAMP: "135",
}
_BEFORE_COLUMNS: Final = (
    "document-format-change-manifest",
    "repository-location",
    "connection",
    "utility-dimensions",
    "dimension",
    "overridable-settings",
    "aliases",
    "column",
)
_RECORD_AGGREGATIONS: Final = {"string": "Count", "boolean": "Count", "date": "Year", "datetime": "Year"}
_MADE_BY_SERVERS: Final = frozenset({"connection", "repository-location", "document-format-change-manifest"})
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def bracketed(name: str) -> str:
    """A name as documents refer to it."""
    return f"[{name.replace(']', ']]')}]"


def data_entry(semantics: Semantics) -> str:
    """Where the extract lies in the package; the connection names the same place."""
    return f"Data/Extracts/{semantics.name}.hyper"


def write_package(semantics: Semantics, extract: Path, target: Path) -> None:
    """Write a .tdsx around an extract."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(_entry(f"{semantics.name}.tds"), to_bytes(document(semantics)))
        info = _entry(data_entry(semantics))
        info.file_size = extract.stat().st_size  # decides whether the entry must be able to pass 2 GiB
        with extract.open("rb") as plain, archive.open(info, "w") as packed:
            shutil.copyfileobj(plain, packed, _PIECE)


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry that looks the same whenever it is written."""
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def to_bytes(root: etree._Element) -> bytes:
    """The document as it stands in a package."""
    return etree.tostring(root.getroottree(), encoding="utf-8", xml_declaration=True)


def document(semantics: Semantics) -> etree._Element:
    """Make the .tds of a semantic layer."""
    root = etree.Element("datasource", nsmap={"user": "http://www.tableausoftware.com/xml/user"})
    root.attrib.update(
        {
            "formatted-name": semantics.name,
            "inline": "true",
            "source-platform": "linux",
            "version": "18.1",
        }
    )
    manifest = etree.SubElement(root, "document-format-change-manifest")
    for flag in _FLAGS:
        etree.SubElement(manifest, flag)
    root.append(_connection(semantics))
    etree.SubElement(root, "aliases", enabled="yes")
    etree.SubElement(
        root,
        "column",
        caption=semantics.caption,
        datatype="table",
        name=f"{_OBJECT}.{bracketed(_object_id(semantics))}",
        role="measure",
        type="quantitative",
    )
    root.extend(column(field) for field in semantics.fields)
    folders = etree.SubElement(root, "folders-common")
    for name in sorted({field.folder for field in semantics.fields}):
        folder = etree.SubElement(folders, "folder", name=name)
        for field in semantics.fields:
            if field.folder == name:
                etree.SubElement(folder, "folder-item", name=bracketed(field.name), type="field")
    orders = {"dim-ordering": "alphabetic", "measure-ordering": "alphabetic", "show-structure": "true"}
    etree.SubElement(root, "layout", orders)
    objects = etree.SubElement(etree.SubElement(root, "object-graph"), "objects")
    shown = etree.SubElement(objects, "object", caption=semantics.caption, id=_object_id(semantics))
    etree.SubElement(shown, "properties", context="").append(_relation(semantics))
    return root


def _object_id(semantics: Semantics) -> str:
    return f"Extract (Extract.Extract)_{semantics.identifier}"


def _connection_name(semantics: Semantics) -> str:
    return f"hyper.{semantics.identifier.lower()}"


def _relation(semantics: Semantics) -> etree._Element:
    return etree.Element(
        "relation", connection=_connection_name(semantics), name=_RELATION, table=_TABLE, type="table"
    )


def _connection(semantics: Semantics) -> etree._Element:
    federated = etree.Element("connection", {"class": "federated"})
    named = etree.SubElement(
        etree.SubElement(federated, "named-connections"),
        "named-connection",
        caption=semantics.name,
        name=_connection_name(semantics),
    )
    etree.SubElement(
        named,
        "connection",
        {
            "authentication": "auth-none",
            "author-locale": "en_US",
            "class": "hyper",
            "dbname": data_entry(semantics),
            "default-settings": "yes",
            "server": "",
            "sslmode": "",
            "username": "tableau_internal_user",
            "workgroup-auth-mode": "as-is",
        },
    )
    federated.append(_relation(semantics))
    records = etree.SubElement(federated, "metadata-records")
    parent, object_id = f"[{_RELATION}]", bracketed(_object_id(semantics))
    records.extend(
        record(field, number, parent, ("object-id", object_id))
        for number, field in enumerate(semantics.fields)
    )
    return federated


def record(field: Field, ordinal: int, parent: str, object_id: tuple[str, str] | None) -> etree._Element:
    """The metadata-record of a column: what a server knows of it before it opens the extract.

    Args:
        field: The column.
        ordinal: Its number, from 0.
        parent: The relation, in brackets.
        object_id: Tag and text of the reference to the object graph; tags differ between versions of Tableau.
    """
    made = etree.Element("metadata-record", {"class": "column"})
    told = {
        "remote-name": field.name,
        "remote-type": _REMOTE_TYPES[field.type.kind],
        "local-name": bracketed(field.name),
        "parent-name": parent,
        "remote-alias": field.name,
        "ordinal": str(ordinal),
        "local-type": field.datatype,
        "aggregation": _RECORD_AGGREGATIONS.get(field.datatype, "Sum"),
    }
    if field.type.kind is Kind.NUMERIC:
        told |= {"precision": str(field.type.precision), "scale": str(field.type.scale)}
    told["contains-null"] = "true"
    for tag, text in told.items():
        etree.SubElement(made, tag).text = text
    if field.datatype == "string":
        etree.SubElement(made, "collation", flag="0", name="binary")
    if object_id is not None:
        etree.SubElement(made, object_id[0]).text = object_id[1]
    return made


def column(field: Field) -> etree._Element:
    """The column element of a field."""
    wanted = {
        "aggregation": field.aggregation,
        "caption": field.caption if field.caption != field.name else "",
        "datatype": field.datatype,
        "default-format": field.format,
        "hidden": "true" if field.hidden else "",
        "name": bracketed(field.name),
        "role": field.role,
        "type": field.discreteness,
    }
    made = etree.Element("column", {name: value for name, value in wanted.items() if value})
    if field.description:
        text = etree.SubElement(etree.SubElement(made, "desc"), "formatted-text")
        etree.SubElement(text, "run").text = field.description
    return made


# documents that are there already -------------------------------------------------------------------------


def local(element: etree._Element) -> str:
    """An element's name; some versions put a feature before it: `_.fcp.SchemaViewerObjectModel.true...folder`."""
    return str(element.tag).rpartition(".")[2]


def children(element: etree._Element | None, tag: str) -> list[etree._Element]:
    """The children of a name."""
    return [] if element is None else [child for child in element if local(child) == tag]


def is_as_made(root: etree._Element, semantics: Semantics) -> bool:
    """Whether a published document is, but for what servers write, what we would write now."""
    return _content(root) == _content(document(semantics))


def _content(root: etree._Element) -> list[bytes]:
    kept = [child for child in root.iterchildren("*") if local(child) not in _MADE_BY_SERVERS]
    for child in kept:
        child.tail = None
    return sorted(etree.tostring(child, method="c14n") for child in kept)


def extend(root: etree._Element, semantics: Semantics, known: Collection[str] = ()) -> list[str]:
    """Add the columns that a document does not know yet, and follow types that have changed in the extract.

    Columns that are there keep their caption, role, format, folder and description, whether an author gave them or an
    earlier load did: the document does not tell which, and workbooks show them.

    Args:
        root: The document; changed in place.
        semantics: How the columns are to be.
        known: Columns of the extract that was published before; counts where the document has no records of its own.

    Returns:
        What was done, in words.
    """
    records = _records(root)
    recorded = {name: one for one in records for name in [_text(one, "remote-name")] if name}
    columns = {str(each.get("name")).casefold(): each for each in children(root, "column")}
    there = {name.casefold() for name in recorded or known}
    new = [field for field in semantics.fields if field.name.casefold() not in there]
    free = [field for field in new if bracketed(field.name).casefold() not in columns]
    captions = unique(
        ((field.name, field.caption) for field in free),
        (str(each.get("caption") or each.get("name", "").strip("[]")) for each in columns.values()),
    )
    _add_records(records, [field for field in semantics.fields if field.name not in recorded])
    _add_columns(root, (_with_caption(column(field), captions[field.name]) for field in free))
    _add_to_folders(root, free)
    done = [f"new column {field.name}" for field in free]
    done += [
        f"the new column {field.name} is hidden by a field of that name" for field in new if field not in free
    ]
    for field in semantics.fields:
        if field.name in recorded and _follow_type(field, recorded[field.name], columns):
            done.append(f"{field.name} is {field.datatype} now")
    return done


def _text(element: etree._Element, tag: str) -> str:
    return next((child.text or "" for child in children(element, tag)), "")


def _records(root: etree._Element) -> list[etree._Element]:
    return [
        record
        for connection in children(root, "connection")
        for holder in children(connection, "metadata-records")
        for record in children(holder, "metadata-record")
        if record.get("class") == "column"
    ]


def _add_records(records: list[etree._Element], fields: Iterable[Field]) -> None:
    """Like those that are there; a document without any reads all columns from its extract."""
    if not records:
        return
    pattern, holder = records[-1], records[-1].getparent()
    ordinals = [int(text) for one in records if (text := _text(one, "ordinal")).isdigit()]
    object_ids = children(pattern, "object-id")
    object_id = (str(object_ids[0].tag), object_ids[0].text or "") if object_ids else None
    for number, field in enumerate(fields, max(ordinals, default=-1) + 1):
        if holder is not None:
            holder.append(record(field, number, _text(pattern, "parent-name"), object_id))


def _with_caption(made: etree._Element, caption: str) -> etree._Element:
    if bracketed(caption) == made.get("name"):
        made.attrib.pop("caption", "")
    else:
        made.set("caption", caption)
    return made


def _add_columns(root: etree._Element, made: Iterable[etree._Element]) -> None:
    position = max((at for at, child in enumerate(root, 1) if local(child) in _BEFORE_COLUMNS), default=0)
    for number, each in enumerate(made):
        root.insert(position + number, each)


def _add_to_folders(root: etree._Element, fields: Iterable[Field]) -> None:
    """Where authors have kept folders; a document without them has none because somebody wants none."""
    for folders in children(root, "folders-common"):
        by_name = {folder.get("name"): folder for folder in children(folders, "folder")}
        for field in fields:
            folder = by_name.get(field.folder)
            if folder is None:
                folder = by_name[field.folder] = etree.Element("folder", name=field.folder)
                smaller = [
                    each for each in children(folders, "folder") if str(each.get("name")) < field.folder
                ]
                folders.insert(folders.index(smaller[-1]) + 1 if smaller else 0, folder)
            etree.SubElement(folder, "folder-item", name=bracketed(field.name), type="field")


def _follow_type(field: Field, record_: etree._Element, columns: dict[str, etree._Element]) -> bool:
    """Bring record and column to the type that the extract has now; it only ever becomes wider.

    A type that an author has chosen (`datatype-customized`) stays.
    """
    before = _text(record_, "local-type")
    if before in {"", field.datatype}:
        return False
    fresh = record(field, 0, "", None)
    for tag in ("remote-type", "local-type", "aggregation"):
        for child in children(record_, tag):
            child.text = _text(fresh, tag)
    shown = columns.get(bracketed(field.name).casefold())
    if shown is None or shown.get("datatype") != before or shown.get("datatype-customized") == "true":
        return True
    shown.set("datatype", field.datatype)
    if field.datatype == "string":
        shown.set("role", "dimension")
        shown.set("type", "nominal")
        for numeric in ("aggregation", "default-format"):
            shown.attrib.pop(numeric, "")
    return True
