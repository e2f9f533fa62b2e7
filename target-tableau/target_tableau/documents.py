"""Published documents (.tdsx): what authors have made of a data source, carried over when its extract is replaced.

A .tdsx is a zip of one .tds and the extract that its Hyper connection names (Hyper API documentation, "Publish Hyper
files"; Tableau's own packages). Publishing a bare .hyper over one would wipe captions, calculations and folders.
"""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

from lxml import etree

from target_tableau.errors import TableauError

if TYPE_CHECKING:
    from pathlib import Path

_PIECE = 1024 * 1024
_MADE_BY_PEOPLE = frozenset(
    {
        "calculated-members",
        "column",
        "column-instance",
        "default-sorts",
        "drill-paths",
        "filter",
        "folder",
        "folders-common",
        "folders-parameters",
        "group",
        "semantic-values",
        "style",
    }
)
"""Elements right below <datasource> that hold somebody's work; the server itself writes only the connection."""

_INTERNAL = "[__tableau_internal_object_id__]"


def safe_parser() -> etree.XMLParser:
    """A parser that reads nothing but what it is given."""
    return etree.XMLParser(resolve_entities=False, no_network=True)


def holds_work(document: Path) -> bool:
    """Whether a downloaded data source holds anything that people, or a semantic layer, have added to its data.

    Args:
        document: A .tdsx, a .tds (what a download without the extract gives), or a bare .hyper.

    Raises:
        TableauError: It cannot be read.
    """
    if zipfile.is_zipfile(document):
        with zipfile.ZipFile(document) as archive:
            names = [name for name in archive.namelist() if "/" not in name and name.lower().endswith(".tds")]
            text = archive.read(names[0]) if names else b""
    elif document.suffix.lower() == ".tds":
        text = document.read_bytes()
    else:
        return False  # a bare .hyper
    for child in _parsed(document, text):
        tag = str(child.tag).rpartition(".")[2]  # _.fcp.SchemaViewerObjectModel.true...folders-common
        if tag in _MADE_BY_PEOPLE and not str(child.get("name", "")).startswith(_INTERNAL):
            return True
    return False


def extract_of(document: Path, folder: Path) -> Path:
    """Unpack the extract of a downloaded data source.

    Raises:
        TableauError: There is none, or several.
    """
    if not zipfile.is_zipfile(document):
        return document
    with zipfile.ZipFile(document) as archive:
        target = folder / "base.hyper"
        with archive.open(_extract_entry(document, archive)) as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, _PIECE)
    return target


def with_extract(document: Path, extract: Path, target: Path) -> None:
    """Write a downloaded .tdsx again with another extract in it, everything else as it was.

    Raises:
        TableauError: It does not hold one extract.
    """
    with zipfile.ZipFile(document) as old:
        replaced = _extract_entry(document, old)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
            for entry in old.infolist():
                if entry.filename == replaced:
                    new.write(extract, replaced)
                elif not entry.is_dir():
                    with old.open(entry) as source, new.open(entry.filename, "w") as copy:
                        shutil.copyfileobj(source, copy, _PIECE)


def _extract_entry(document: Path, archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.lower().endswith(".hyper")]
    if len(names) != 1:
        raise TableauError(
            f"The published data source {document.name} holds {len(names)} extracts instead of one, so it cannot be "
            "the base of the next load. Choose another datasource_name."
        )
    return names[0]


def _parsed(document: Path, text: bytes) -> etree._Element:
    try:
        return etree.fromstring(text, safe_parser())
    except etree.XMLSyntaxError as broken:
        raise TableauError(
            f"The published data source {document.name} cannot be read as a .tds, so it is not known what authors "
            "have added to it. Look at it in Tableau, or choose another datasource_name."
        ) from broken
