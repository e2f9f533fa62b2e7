"""Data source documents: the .tds inside a .tdsx, and the packages that downloads are made of."""

from __future__ import annotations

import dataclasses
import re
import shutil
import xml.etree.ElementTree as ET
import zipfile
from typing import TYPE_CHECKING

from tests.sandbox.tableau.errors import publish_failed
from tests.sandbox.tableau.switches import MEGABYTE
from tests.sandbox.tableau.tds import check_document
from tests.sandbox.tableau.wire import element

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.tableau.hyper import Contents

LIVE_CLASSES = frozenset({"hyper"})


@dataclasses.dataclass(frozen=True)
class Document:
    """What a .tds says: the file it reads, the tables it names, and whether it is live to Hyper."""

    entry: str
    data: str
    tables: tuple[str, ...]
    live: bool


def unpack(package: Path, name: str, target: Path) -> Document:
    """Read a .tdsx and write the .hyper that it carries to `target`.

    Raises:
        TableauError: 400011, when it is no such package or its document does not hold together.
    """
    try:
        with zipfile.ZipFile(package) as archive:
            entries = archive.namelist()
            roots = [e for e in entries if "/" not in e and e.lower().endswith(".tds")]
            if len(roots) != 1:
                raise publish_failed(name, f"the package must hold one .tds at its root, not {len(roots)}")
            document = _read(archive.read(roots[0]), roots[0], name)
            if document.data not in entries:
                raise publish_failed(name, f"the package does not hold the file {document.data}")
            with archive.open(document.data) as packed, target.open("wb") as plain:
                shutil.copyfileobj(packed, plain, MEGABYTE)
    except zipfile.BadZipFile as broken:
        raise publish_failed(name, f"the package cannot be opened: {broken}") from broken
    return document


def check_tables(document: Document, contents: Contents, name: str) -> None:
    """Refuse a document that names a table which its file does not hold.

    Raises:
        TableauError: 400011.
    """
    held = {f"[{table.schema}].[{table.name}]" for table in contents.tables}
    for table in document.tables:
        if table not in held:
            raise publish_failed(name, f"the table {table} does not exist")


def _read(text: bytes, entry: str, name: str) -> Document:
    try:
        root = ET.fromstring(text)  # noqa: S314 - a test's own document; entities are refused below
    except ET.ParseError as malformed:
        raise publish_failed(name, f"{entry}: {malformed}") from malformed
    if root.tag != "datasource" or b"<!ENTITY" in text:
        raise publish_failed(name, f"{entry}: the root element must be datasource")
    check_document(root, entry, name)
    sources = [c for c in root.iter("connection") if c.get("class") in {"hyper", "dataengine"}]
    data = next((c.get("dbname") for c in sources if c.get("dbname")), None)
    if data is None:
        raise publish_failed(name, f"{entry}: no connection names a .hyper file")
    extract = root.find("extract")
    live = extract is None or extract.get("enabled") == "false"
    tables = [r.get("table", "") for r in root.iter("relation") if r.get("type") == "table"]
    return Document(entry, data, tuple(dict.fromkeys(tables)), live)


def generated(name: str, contents: Contents) -> bytes:
    """A minimal .tds over `Data/Extracts/{name}.hyper`, as the server makes for a published .hyper."""
    entry = f"Data/Extracts/{name}.hyper"
    inner = element("connection", class_="hyper", dbname=entry, authentication="auth-none", server="")
    named = element("named-connection", inner, caption=name, name="hyper.0")
    relations = [
        element(
            "relation",
            connection="hyper.0",
            name=table.name,
            table=f"[{table.schema}].[{table.name}]",
            type="table",
        )
        for table in contents.tables
    ]
    outer = element("connection", element("named-connections", named), *relations, class_="federated")
    root = element("datasource", outer, inline="true", version="18.1")
    root.set("formatted-name", name)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def pack(target: Path, document: bytes, name: str, data: Path) -> None:
    """Write a .tdsx around a .hyper file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(f"{name}.tds", document)
        archive.write(data, f"Data/Extracts/{name}.hyper")


def repack(package: Path, target: Path, data: Path | None) -> None:
    """Copy a .tdsx, with the .hyper inside replaced by another."""
    with (
        zipfile.ZipFile(package) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        root = next(e for e in old.namelist() if "/" not in e and e.lower().endswith(".tds"))
        document = _read(old.read(root), root, package.name)
        for entry in old.namelist():
            if entry != document.data or data is None:
                new.writestr(entry, old.read(entry))
            else:
                new.write(data, entry)


def document_of(package: Path) -> bytes:
    """The .tds of a stored .tdsx."""
    with zipfile.ZipFile(package) as archive:
        root = next(e for e in archive.namelist() if "/" not in e and e.lower().endswith(".tds"))
        return archive.read(root)


def plain_name(name: str) -> str:
    """A name that is safe in a file name and in an ASCII header."""
    return re.sub(r"[^0-9A-Za-z _.()-]", "_", name).strip() or "datasource"
