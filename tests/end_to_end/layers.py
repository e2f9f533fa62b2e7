"""What an author opens: the packages that the sandbox Tableau holds, and what must hold for every column of each.

`python -m tests.end_to_end.layers FOLDER`, with a folder in which the demo has run, writes the table that
target-tableau's README shows.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from tests.end_to_end.support import ROOT, Project
from tests.target_tableau.support import Extracts

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXED = "n#,##0.00;-#,##0.00"
DOLLARS = 'c"$"#,##0.00;-"$"#,##0.00'
_RAW = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+|[a-z][a-z0-9]*")
_NAMES_SOMETHING = re.compile(r"(^|_)(id|key|keys|code|year|period|nbr|recordno|journal|register)$")
_MONEY = re.compile(r"^ledger_|(^|_)(amount|amt|balance|debit|credit)(_[df]c)?$")


@dataclasses.dataclass(frozen=True)
class Shown:
    """A column as its document describes it.

    Attributes:
        where: Data source and column, for messages.
        name: Its name in the extract.
        element: Its `<column>`.
        folders: The folders that it lies in.
    """

    where: str
    name: str
    element: etree._Element
    folders: tuple[str, ...]

    def get(self, attribute: str) -> str:
        return str(self.element.get(attribute) or "")

    @property
    def caption(self) -> str:
        return self.get("caption") or self.name


@dataclasses.dataclass(frozen=True)
class Layer:
    """The document of a published data source and the columns of the extract that lies in its package."""

    name: str
    root: etree._Element
    columns: tuple[Shown, ...]
    types: dict[str, str]


def layers_of(project: Project) -> Iterator[Layer]:
    """Every published data source, opened from its package."""
    (index,) = (project.folder / ".sandbox").rglob("index.json")
    for held in project.index.datasources.values():
        if held.kind == "tdsx":
            assert held.current.package is not None
            assert held.current.file is not None
            folder = index.parent / "datasources" / held.id
            yield layer_of(held.name, folder / held.current.package, folder / held.current.file)


def layer_of(name: str, package: Path, extract: Path) -> Layer:
    """Open a package."""
    with zipfile.ZipFile(package) as archive:
        (document,) = [entry for entry in archive.namelist() if entry.endswith(".tds")]
        root = etree.fromstring(archive.read(document))
    folders: dict[str, list[str]] = {}
    for folder in root.iter("folder"):
        for item in folder.iter("folder-item"):
            folders.setdefault(str(item.get("name")), []).append(str(folder.get("name")))
    columns = tuple(
        Shown(
            f"{name}: {each.get('name')}",
            plain(str(each.get("name"))),
            each,
            tuple(folders.get(str(each.get("name")), ())),
        )
        for each in root.findall("column")
        if each.get("datatype") != "table"
    )
    types = Extracts(extract.parent).types(extract.stem)
    return Layer(name, root, columns, types)


def plain(bracketed: str) -> str:
    return bracketed[1:-1].replace("]]", "]")


def check_layer(layer: Layer) -> None:
    """Roles, captions and formats of every column of a data source."""
    assert sorted(each.name for each in layer.columns) == sorted(layer.types), layer.name
    captions = Counter(each.caption.casefold() for each in layer.columns)
    assert not [caption for caption, count in captions.items() if count > 1], layer.name
    for each in layer.columns:
        assert not _RAW.fullmatch(each.caption), each.where
        assert "_" not in each.caption, each.where
        assert len(each.folders) == 1, each.where
        check_role(each, layer.types[each.name])
        check_format(each, layer.types[each.name])
        if each.name.startswith("_sdc_"):
            assert each.get("hidden") == "true", each.where
            assert each.folders == ("Loader",), each.where
        else:
            assert each.folders != ("Loader",), each.where


def check_role(each: Shown, kind: str) -> None:
    """What is no number, or names something, is a dimension; only measures are added up."""
    is_number = kind.startswith(("NUMERIC", "BIG_INT", "DOUBLE"))
    role = each.get("role")
    assert role in ({"dimension", "measure"} if is_number else {"dimension"}), each.where
    if is_number and _NAMES_SOMETHING.search(each.name) and not _MONEY.search(each.name):
        assert role == "dimension", each.where
    if role == "measure":
        assert each.get("type") == "quantitative", each.where
        assert each.get("aggregation") in {"Sum", "Avg", "Max", "Min"}, each.where
    else:
        assert each.get("type") == (
            "ordinal" if is_number or "TIMESTAMP" in kind or kind == "DATE" else "nominal"
        ), each.where
        assert not each.get("aggregation"), each.where


def check_format(each: Shown, kind: str) -> None:
    """Money has its decimals, that of the ledger its currency; days and times are written the same way everywhere."""
    shown = each.get("default-format")
    if kind == "DATE":
        assert shown == "*yyyy-mm-dd", each.where
    elif "TIMESTAMP" in kind:
        assert shown == "*yyyy-mm-dd hh:nn:ss", each.where
    elif each.get("role") == "dimension":
        assert not shown, each.where
    elif each.name.startswith("ledger_"):
        assert shown == DOLLARS, each.where
        assert each.get("aggregation") == "Sum", each.where
    elif _MONEY.search(each.name):
        assert shown in {DOLLARS, FIXED}, each.where
        assert each.get("aggregation") in {"Sum", "Max"}, each.where
    elif re.search(r"(^|_)(rate|percent|pct|percentage)\d?$", each.name):
        assert each.get("aggregation") == "Avg", each.where


# the picture in the README -----------------------------------------------------------------------------------

PICTURED = "tap-epicor-kinetic ap_bills"
PICTURE = ROOT / "target-tableau" / "docs" / "data-source.md"
_SAMPLES = {
    DOLLARS: "$1,234.50",
    FIXED: "1,234.50",
    "n#,##0.000000;-#,##0.000000": "1.234500",
    "*yyyy-mm-dd": "2026-01-31",
    "*yyyy-mm-dd hh:nn:ss": "2026-01-31 12:00:00",
}


def picture_of(layer: Layer) -> str:
    """A page with what authors see of a data source: its columns by folder, hidden ones left out."""
    shown = sorted(
        (each for each in layer.columns if each.get("hidden") != "true"),
        key=lambda each: (each.folders, each.caption.casefold()),
    )
    rows = []
    before: tuple[str, ...] = ()
    for each in shown:
        folder = f"**{each.folders[0]}**" if each.folders != before else ""
        before = each.folders
        sample = _SAMPLES.get(each.get("default-format"), each.get("default-format"))
        cells = (folder, each.caption, each.get("role"), each.get("aggregation"), sample, f"`{each.name}`")
        rows.append(f"| {' | '.join(cells)} |")
    hidden = len(layer.columns) - len(shown)
    return "\n".join(
        [
            f"# What an author sees of `{layer.name}`",
            "",
            "Read from the .tds that the demo has published to the sandbox's Tableau, and kept in step with it by a",
            f"test. Folders and captions are in the order of the data pane; {hidden} technical columns are hidden.",
            "Tableau itself was not at hand: this is what the document says, not a picture of Tableau.",
            "",
            "| Folder | Caption | Role | Added up as | Shown like | Column |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def check_picture(project: Project) -> None:
    """The table in the README is that of the data source as it is published now."""
    (layer,) = (each for each in layers_of(project) if each.name == PICTURED)
    assert PICTURE.read_text(encoding="utf-8") == picture_of(layer)


if __name__ == "__main__":
    (found,) = (each for each in layers_of(Project(Path(sys.argv[1]), {})) if each.name == PICTURED)
    PICTURE.write_text(picture_of(found), encoding="utf-8")
