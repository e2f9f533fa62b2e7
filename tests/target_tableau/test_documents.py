"""The documents of data sources: how they are built, and extended where they are there already."""

from __future__ import annotations

import dataclasses
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from target_tableau import tds
from tests.target_tableau.documents import ODD_NAMES, again, attributes, check, columns, plain
from tests.target_tableau.support import (
    MONEY,
    NULLABLE_TEXT,
    TIME,
)
from tests.target_tableau.test_semantics import INTEGER, NUMBER, made, told

if TYPE_CHECKING:
    from pathlib import Path


Config = dict[str, Any]


def test_a_document_describes_every_column_of_its_extract_once() -> None:
    layer = made({
        "ref": NULLABLE_TEXT, "line_nbr": INTEGER, "amount": {**MONEY, "description": "Owed"}, "rate": NUMBER,
        "due": {"type": "string", "format": "date"}, "at": TIME, "held": {"type": "boolean"},
    }, ["ref", "line_nbr"])  # fmt: skip
    root = again(tds.document(layer))
    check(root, layer)
    assert [child.tag for child in root if child.tag != "column"] == [
        "document-format-change-manifest", "connection", "aliases", "folders-common", "layout", "object-graph",
    ]  # fmt: skip
    assert attributes(root) == {
        "formatted-name": "bills", "inline": "true", "source-platform": "linux", "version": "18.1",
    }  # fmt: skip
    amount = columns(root)["[amount]"]
    assert attributes(amount) == {
        "aggregation": "Sum", "caption": "Amount", "datatype": "real", "default-format": "n#,##0.00;-#,##0.00",
        "name": "[amount]", "role": "measure", "type": "quantitative",
    }  # fmt: skip
    assert amount.findtext("desc/formatted-text/run") == "Owed."
    assert columns(root)["[_sdc_sequence]"].get("hidden") == "true"
    types = {
        each.findtext("remote-name"): each.findtext("remote-type") for each in root.iter("metadata-record")
    }
    assert types | {"_sdc_sequence": "20"} == types
    assert [types[name] for name in ("ref", "line_nbr", "amount", "rate", "due", "at", "held")] == [
        "129", "20", "131", "5", "133", "135", "11",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_is_written_so_that_it_is_read_again(name: str) -> None:
    layer = made(
        {name: {**NULLABLE_TEXT, "title": f"{name} title", "description": name}}, [name], stream=name
    )
    root = again(tds.document(layer))
    check(root, layer)
    assert plain(next(iter(columns(root)))) == name
    assert tds.data_entry(layer).isascii()


def test_a_thousand_columns_of_one_name_are_told_apart() -> None:
    layer = made({f"{'_' * number}amount_due": NUMBER for number in range(1000)})
    check(again(tds.document(layer)), layer)


def test_ids_are_the_same_in_every_run_and_others_for_other_streams_and_sources() -> None:
    properties = {"a": NULLABLE_TEXT}
    assert tds.to_bytes(tds.document(made(properties))) == tds.to_bytes(tds.document(made(properties)))
    others = {made(properties, stream=stream, source=source).identifier for stream in "ab" for source in "cd"}
    assert len(others) == 4


def test_a_package_is_the_same_whenever_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "x.hyper").write_bytes(b"rows")
    layer = made({"a": NULLABLE_TEXT})
    for name in ("one", "two"):
        tds.write_package(layer, tmp_path / "x.hyper", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with zipfile.ZipFile(tmp_path / "one") as archive:
        assert archive.namelist() == ["bills.tds", "Data/Extracts/bills.hyper"]
        assert archive.read("Data/Extracts/bills.hyper") == b"rows"


# documents that are there already -------------------------------------------------------------------------

OLD = {"ref": NULLABLE_TEXT, "amount": MONEY}
NEW = {**OLD, "approver": {**NULLABLE_TEXT, "title": "Approved by"}, "paid": told(MONEY, folder="Money")}


def changed(root: etree._Element) -> etree._Element:
    """What an author has made of a document."""
    amount = columns(root)["[amount]"]
    amount.set("caption", "Owed to vendors")
    amount.set("default-format", "p0%")
    for folders in root.findall("folders-common"):
        folders.remove(next(each for each in folders if each.get("name") == "Amounts"))
    calculation = etree.SubElement(root, "column", caption="Double", datatype="real", name="[Calculation_1]")
    calculation.set("role", "measure")
    calculation.set("type", "quantitative")
    etree.SubElement(calculation, "calculation", {"class": "tableau", "formula": "[amount] * 2\r\n"})
    position = root.index(root.findall("column")[-2]) + 1
    root.insert(position, calculation)
    return root


def test_a_new_column_is_appended_and_nothing_else_is_touched() -> None:
    root = again(changed(tds.document(made(OLD))))
    before = [
        etree.tostring(child, method="c14n")
        for child in root
        if child.tag not in {"connection", "folders-common"}
    ]
    layer = made(NEW)
    assert tds.extend(root, layer) == ["new column approver", "new column paid"]
    root = again(root)
    after = [
        etree.tostring(child, method="c14n")
        for child in root
        if child.tag not in {"connection", "folders-common"}
    ]
    assert [each for each in after if each in before] == before
    approver = columns(root)["[approver]"]
    assert approver.get("caption") == "Approved by"
    records = {each.findtext("remote-name"): each for each in root.iter("metadata-record")}
    assert list(records)[-2:] == ["approver", "paid"]
    ordinals = [str(each.findtext("ordinal")) for each in records.values()]
    assert ordinals == [str(number) for number in range(len(records))]
    assert records["approver"].findtext("object-id") == records["ref"].findtext("object-id")
    folders = {each.get("name"): [item.get("name") for item in each] for each in root.iter("folder")}
    assert folders["Dimensions"] == ["[ref]", "[approver]"]
    assert folders["Money"] == ["[paid]"]
    assert "Amounts" not in folders
    tags = [child.tag for child in root]
    assert tags.index("folders-common") > max(at for at, tag in enumerate(tags) if tag == "column")
    assert tds.extend(root, layer) == []


def test_a_new_column_s_caption_gives_way_to_those_of_authors() -> None:
    root = changed(tds.document(made(OLD)))
    tds.extend(
        root,
        made({**OLD, "x": told(NULLABLE_TEXT, label="DOUBLE"), "y": {**NULLABLE_TEXT, "title": "Reference"}}),
    )
    assert columns(root)["[x]"].get("caption") == "DOUBLE (x)"
    assert columns(root)["[y]"].get("caption") == "Reference (y)"


def test_a_column_that_bears_the_name_of_an_author_s_field_does_not_replace_it() -> None:
    root = changed(tds.document(made(OLD)))
    (done,) = tds.extend(root, made({**OLD, "calculation_1": NULLABLE_TEXT}))
    assert "hidden by a field of that name" in done
    assert len([name for name in columns(root) if name.lower() == "[calculation_1]"]) == 1


def test_a_hint_that_changes_does_not_touch_what_is_published() -> None:
    root = tds.document(made(OLD))
    assert tds.extend(root, made({**OLD, "amount": told(MONEY, label="Sum", role="dimension")})) == []
    assert columns(root)["[amount]"].get("caption") == "Amount"


OLDER = """<datasource formatted-name='bills' inline='true' version='18.1'>
  <_.fcp.ObjectModelEncapsulateLegacy.true...object-graph />
  <connection class='federated'><named-connections><named-connection caption='b' name='hyper.1'>
    <connection class='hyper' dbname='Data/b.hyper' /></named-connection></named-connections>
    <relation connection='hyper.1' name='Extract' table='[Extract].[Extract]' type='table' />
    <metadata-records><metadata-record class='capability'><remote-name /></metadata-record>
      <metadata-record class='column'><remote-name>ref</remote-name><parent-name>[Rel]</parent-name>
        <ordinal>4</ordinal><local-type>string</local-type>
        <_.fcp.ObjectModelEncapsulateLegacy.true...object-id>[o]</_.fcp.ObjectModelEncapsulateLegacy.true...object-id>
      </metadata-record></metadata-records></connection>
  <aliases enabled='yes' />
  <_.fcp.SchemaViewerObjectModel.true...folders-common><folder name='Dimensions' />
  </_.fcp.SchemaViewerObjectModel.true...folders-common>
</datasource>"""


def test_a_document_of_an_older_tableau_is_extended_in_its_own_words() -> None:
    root = etree.fromstring(OLDER)
    layer = made({"ref": NULLABLE_TEXT, "approver": NULLABLE_TEXT})
    tds.extend(root, layer)
    new = next(each for each in root.iter("metadata-record") if each.findtext("remote-name") == "approver")
    assert (new.findtext("parent-name"), new[-1].text) == ("[Rel]", "[o]")
    assert str(new[-1].tag).startswith("_.fcp.")
    assert next(iter(columns(root))) == "[approver]"
    assert "[ref]" not in columns(root)
    assert root.index(columns(root)["[approver]"]) == root.index(root.findall("aliases")[0]) + 1
    assert next(item.get("name") for item in root.iter("folder-item")) == "[approver]"
    assert [folder.get("name") for folder in root.iter("folder")] == ["Dimensions", "Loader"]


def test_a_document_without_records_and_folders_gets_none() -> None:
    root = etree.fromstring(
        "<datasource inline='true' version='18.1'><connection class='federated' /></datasource>"
    )
    layer = made(NEW)
    assert tds.extend(root, layer, {each.name for each in layer.fields} - {"paid"}) == ["new column paid"]
    assert [child.tag for child in root] == ["connection", "column"]
    assert not list(root.iter("metadata-record"))


@pytest.mark.parametrize("by_author", [False, True])
def test_a_type_that_became_wider_is_followed_unless_an_author_has_chosen_one(*, by_author: bool) -> None:
    root = tds.document(made({"count": INTEGER, "amount": MONEY}))
    if by_author:
        columns(root)["[amount]"].set("datatype-customized", "true")
    done = tds.extend(root, made({"count": MONEY, "amount": NULLABLE_TEXT}))
    assert done == ["count is real now", "amount is string now"]
    found = columns(root)
    assert (found["[count]"].get("datatype"), found["[count]"].get("role")) == ("real", "measure")
    amount = attributes(found["[amount]"])
    if by_author:
        assert (amount["datatype"], amount["role"]) == ("real", "measure")
    else:
        assert amount == {
            "caption": "Amount", "datatype": "string", "name": "[amount]", "role": "dimension", "type": "nominal",
        }  # fmt: skip
    records = {each.findtext("remote-name"): each for each in root.iter("metadata-record")}
    assert [records[name].findtext("local-type") for name in ("count", "amount")] == ["real", "string"]
    assert records["amount"].findtext("remote-type") == "129"


def test_a_document_that_has_grown_by_columns_is_as_it_would_be_made_now() -> None:
    root = tds.document(made(OLD))
    names = [*OLD, *(each.name for each in made({}).fields), "paid", "due"]
    grown = {"paid": told(MONEY, folder="Before"), "due": {"type": "string", "format": "date"}}
    layer = made({**OLD, **grown})
    layer = dataclasses.replace(
        layer, fields=tuple(sorted(layer.fields, key=lambda each: names.index(each.name)))
    )
    tds.extend(root, layer)
    assert tds.is_as_made(again(root), layer)


def test_a_document_is_as_made_until_somebody_changes_it() -> None:
    layer = made(OLD)
    root = again(tds.document(layer))
    etree.SubElement(root, "repository-location", id="bills", path="/datasources")
    root.insert(0, etree.Comment("build 20251.25.0306"))
    assert tds.is_as_made(root, layer)
    assert not tds.is_as_made(root, made(NEW))
    columns(root)["[amount]"].set("caption", "Due")
    assert not tds.is_as_made(root, layer)
