"""Published documents (.tdsx): what authors have made of a data source, carried over when its extract is replaced.

A .tdsx is a zip of one .tds and the extract that its Hyper connection names (Hyper API documentation, "Publish Hyper
files"; Tableau's own packages). Publishing a bare .hyper over one would wipe captions, calculations and folders.
"""

from __future__ import annotations

import logging
import os
import shutil
import zipfile
from typing import TYPE_CHECKING

from lxml import etree

from target_tableau import tds
from target_tableau.errors import TableauError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from target_tableau.semantics import Semantics

logger = logging.getLogger(__name__)

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
    root = _document_of(document)
    if root is None:
        return False
    for child in root:
        tag = str(child.tag).rpartition(".")[2]  # _.fcp.SchemaViewerObjectModel.true...folders-common
        if tag in _MADE_BY_PEOPLE and not str(child.get("name", "")).startswith(_INTERNAL):
            return True
    return False


def is_as_made(document: Path, semantics: Semantics) -> bool:
    """Whether a downloaded data source is what we would write now, so that nothing is lost by writing it anew.

    Raises:
        TableauError: It cannot be read.
    """
    root = _document_of(document)
    return root is not None and tds.is_as_made(root, semantics)


def _document_of(document: Path) -> etree._Element | None:
    """The .tds in a download; None for a bare .hyper."""
    if zipfile.is_zipfile(document):
        with zipfile.ZipFile(document) as archive:
            names = [name for name in archive.namelist() if _is_document(name)]
            return _parsed(document, archive.read(names[0]) if names else b"")
    return _parsed(document, document.read_bytes()) if document.suffix.lower() == ".tds" else None


def _is_document(name: str) -> bool:
    return "/" not in name and name.lower().endswith(".tds")


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


def package(
    extract: Path,
    folder: Path,
    semantics: Semantics | None = None,
    document: Path | None = None,
    known: Collection[str] = (),
) -> Path:
    """What is to be published of an extract: a .tdsx around it, or itself.

    Args:
        extract: The extract, `bills.hyper` or `bills.hyper.next`.
        folder: Where to write.
        semantics: What its columns are; without it and `document`, the bare extract is published.
        document: The published data source whose document is to be kept; columns that are new to it are described. It
            is removed then.
        known: Columns of the extract that was published before.

    Raises:
        TableauError: The published one does not hold one extract, or there is no room.
    """
    stem = extract.name.removesuffix(".next").removesuffix(".hyper")
    if document is None and semantics is None:
        return _as_hyper(extract, folder / f"{stem}.hyper")
    target = folder / f"{stem}.tdsx"
    try:
        if document is not None:
            _with_extract(document, extract, target, semantics, known)
            document.unlink()
        elif semantics is not None:
            tds.write_package(semantics, extract, target)
    except OSError as failure:
        raise TableauError(
            f"The package {target.name} cannot be written: {failure.strerror or failure}. Free some disk space; run "
            "again."
        ) from failure
    return target


def _as_hyper(extract: Path, named: Path) -> Path:
    """`bills.hyper.next` as `bills.hyper`: Tableau tells a file's type by its name."""
    if extract.suffix == ".hyper":
        return extract
    try:
        os.link(extract, named)
    except OSError:  # a file system without links
        shutil.copyfile(extract, named)
    return named


def _with_extract(
    document: Path, extract: Path, target: Path, semantics: Semantics | None, known: Collection[str]
) -> None:
    """Write a downloaded .tdsx again with another extract in it, everything else as it was."""
    with zipfile.ZipFile(document) as old:
        replaced = _extract_entry(document, old)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
            for entry in old.infolist():
                if entry.filename == replaced:
                    new.write(extract, replaced)
                elif _is_document(entry.filename) and semantics is not None:
                    new.writestr(entry.filename, _extended(document, old.read(entry), semantics, known))
                elif not entry.is_dir():
                    with old.open(entry) as source, new.open(entry.filename, "w") as copy:
                        shutil.copyfileobj(source, copy, _PIECE)


def _extended(document: Path, text: bytes, semantics: Semantics, known: Collection[str]) -> bytes:
    """A .tds with the columns that it does not know yet; to the byte the same when there are none."""
    root = _parsed(document, text)
    done = tds.extend(root, semantics, known)
    if not done:
        return text
    logger.info("The document of '%s' is brought up to date: %s.", document.stem, ", ".join(done))
    return tds.to_bytes(root)


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
