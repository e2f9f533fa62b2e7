"""The documents of data sources: how they are built, published, updated, and kept as authors have them."""

from __future__ import annotations

import dataclasses
import errno
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from target_tableau import tds
from target_tableau.errors import TableauError
from tests.sandbox.faults import Fault
from tests.sandbox.tableau.wire import error_body
from tests.target_tableau.conftest import CALCULATION
from tests.target_tableau.support import (
    BILL,
    MONEY,
    NULLABLE_TEXT,
    STATE,
    TIME,
    bills,
    load,
    query,
    record,
    schema,
    state,
)
from tests.target_tableau.test_semantics import INTEGER, NUMBER, made, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_tableau.semantics import Semantics
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]

ODD_NAMES = [
    "Amt ] x",
    "a [b] c",
    "]",
    "a & <b> \"c\" 'd'",
    "new\nline",
    "tab\there",
    "x: y (z) #1",
    "Größe ☃",
    "a.b",
    "%",
]


def again(root: etree._Element) -> etree._Element:
    """A document as a reader sees it."""
    return etree.fromstring(tds.to_bytes(root))


def columns(root: etree._Element) -> dict[str, etree._Element]:
    """Columns by name, without the table's own."""
    return {str(each.get("name")): each for each in root.findall("column") if each.get("datatype") != "table"}


def attributes(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.items()}


def plain(bracketed: str) -> str:
    assert bracketed[0] == "["
    assert bracketed[-1] == "]"
    return bracketed[1:-1].replace("]]", "]")


def check(root: etree._Element, layer: Semantics) -> None:
    """Every column of the extract has one record, one column and one folder; everything that is named is there."""
    names = [each.name for each in layer.fields]
    records = root.findall("connection/metadata-records/metadata-record")
    assert [each.findtext("remote-name") for each in records] == names
    assert [each.findtext("ordinal") for each in records] == [str(number) for number in range(len(names))]
    assert [plain(str(each.findtext("local-name"))) for each in records] == names
    assert [plain(name) for name in columns(root)] == names
    assert [each.get("datatype") for each in columns(root).values()] == [
        each.findtext("local-type") for each in records
    ]
    folded = [plain(str(item.get("name"))) for item in root.iter("folder-item")]
    assert sorted(folded) == sorted(names)
    captions = [each.get("caption") or plain(name) for name, each in columns(root).items()]
    assert len({caption.casefold() for caption in captions}) == len(names)
    (relation,) = root.findall("connection/relation")
    assert {each.findtext("parent-name") for each in records} == {f"[{relation.get('name')}]"}
    assert relation.get("table") == "[Extract].[Extract]"
    (named,) = root.findall("connection/named-connections/named-connection")
    assert relation.get("connection") == named.get("name")
    (connection,) = named.findall("connection")
    assert (connection.get("class"), connection.get("dbname")) == ("hyper", tds.data_entry(layer))
    (shown,) = root.findall("object-graph/objects/object")
    assert {each.findtext("object-id") for each in records} == {f"[{shown.get('id')}]"}
    (table,) = [each for each in root.findall("column") if each.get("datatype") == "table"]
    assert table.get("name") == f"[__tableau_internal_object_id__].[{shown.get('id')}]"
    assert table.get("caption") == shown.get("caption") == layer.caption
    assert not list(root.iter("extract"))  # with one, Tableau would refuse to update the data source


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


# on a server ----------------------------------------------------------------------------------------------

TITLED = {**BILL, "amount": told({**MONEY, "title": "Amount due"}, currency="base"), "line_nbr": INTEGER}


def document(server: Server, name: str = "bills") -> etree._Element:
    return etree.fromstring(server.document(name).encode())


def run(properties: Config, **values: Any) -> list[dict[str, Any]]:
    """One bill under a schema."""
    return [schema("bills", properties, ["ref"]), record("bills", ref="001", note_id="n", **values), state()]


def test_a_data_source_is_first_published_with_its_layer_and_then_updated_without_touching_it(
    publishing: Config, server: Server
) -> None:
    publishing["source"] = "tap-x"
    messages = run(TITLED, amount=1, line_nbr=7)
    messages[0]["schema"] |= told({"title": "Bills of vendors"}, base_currency="USD")
    load(publishing, messages)
    held = server.get("tap-x bills")
    assert held.kind == "tdsx"
    assert held.live
    root = document(server, "tap-x bills")
    amount = columns(root)["[amount]"]
    assert (amount.get("caption"), amount.get("default-format")) == (
        "Amount due",
        'c"$"#,##0.00;-"$"#,##0.00',
    )
    assert columns(root)["[line_nbr]"].get("role") == "dimension"
    assert [each.get("name") for each in root.iter("folder")] == ["Amounts", "Dimensions", "Keys", "Loader"]
    told_ = held.description.splitlines()
    assert told_[:3] == ["Bills of vendors.", "One row per Reference.", "In base currency (USD): Amount due."]
    assert told_[-1] == "Loaded by target-tableau: stream bills of tap-x."
    before = server.document("tap-x bills")
    load(publishing, run(TITLED, amount=2, line_nbr=7))
    assert server.writes_of("publish") == 1
    assert server.writes_of("patch") == 1
    assert server.document("tap-x bills") == before
    assert query(server.app.state.datasource("tap-x bills"), "SELECT amount FROM {t}") == [[2]]


def test_a_rule_s_description_comes_before_the_one_that_is_made(publishing: Config, server: Server) -> None:
    publishing["datasources"] = [{"stream": "bills", "description": "Ask Ann."}]
    load(publishing, bills(("001", 1)))
    assert server.get("bills").description.splitlines()[0] == "Ask Ann."


@pytest.mark.parametrize("mode", ["auto", "overwrite"])
def test_new_columns_are_described_in_the_authors_document(
    publishing: Config, server: Server, mode: str
) -> None:
    publishing["publish_mode"] = mode
    load(publishing, run(TITLED, amount=1))

    def edit(root: etree._Element) -> None:
        columns(root)["[amount]"].set("caption", "What we owe")
        for folder in root.iter("folder"):
            folder.set("name", f"My {folder.get('name')}")

    server.edit("bills", edit)
    wider = {**TITLED, "approver": {**NULLABLE_TEXT, "title": "Approved by"}}
    load(publishing, run(wider, amount=2, approver="Ann"))
    root = document(server)
    found = columns(root)
    assert found["[amount]"].get("caption") == "What we owe"
    assert found["[approver]"].get("caption") == "Approved by"
    folders = {each.get("name"): [item.get("name") for item in each] for each in root.iter("folder")}
    assert folders["Dimensions"] == ["[approver]"]
    assert "[amount]" in folders["My Amounts"]
    assert query(server.app.state.datasource("bills"), "SELECT amount, approver FROM {t}") == [[2, "Ann"]]


def test_a_column_whose_type_became_wider_is_shown_as_what_it_is(publishing: Config, server: Server) -> None:
    load(publishing, run(TITLED, line_nbr=7))
    load(publishing, run({**TITLED, "line_nbr": NULLABLE_TEXT}, line_nbr="7a"))
    assert columns(document(server))["[line_nbr]"].get("datatype") == "string"


def test_a_document_that_nobody_has_changed_is_written_anew_without_fetching_the_extract(
    publishing: Config, server: Server
) -> None:
    publishing["publish_mode"] = "overwrite"
    load(publishing, run(TITLED, amount=1))
    before = server.document("bills")
    server.app.script.calls.clear()
    load(publishing, run(TITLED, amount=2))
    fetched = [call.line for call in server.app.script.calls if "/content" in call.line]
    assert len(fetched) == 1
    assert "includeExtract=False" in fetched[0]
    assert server.document("bills") == before


def test_the_layer_can_be_left_out(publishing: Config, server: Server) -> None:
    publishing["semantic_layer"] = False
    load(publishing, run(TITLED, amount=1))
    assert server.get("bills").kind == "hyper"
    assert "Amount due" not in server.document("bills")
    assert server.get("bills").description == "Loaded by target-tableau: stream bills of an unnamed source."


def test_a_data_source_that_was_published_bare_gets_its_layer_when_it_is_published_whole(
    publishing: Config, server: Server
) -> None:
    load(publishing | {"semantic_layer": False}, run(TITLED, amount=1))
    before = server.get("bills").id
    load(publishing | {"publish_mode": "overwrite"}, run(TITLED, amount=2))
    assert server.get("bills").id == before
    assert columns(document(server))["[amount]"].get("caption") == "Amount due"


def test_a_bare_data_source_that_authors_have_worked_on_gets_only_its_new_columns_described(
    publishing: Config, server: Server
) -> None:
    load(publishing | {"semantic_layer": False}, run(TITLED, amount=1))
    server.add_to_document("bills", CALCULATION)
    load(publishing, run({**TITLED, "approver": NULLABLE_TEXT}, amount=2, approver="Ann"))
    assert list(columns(document(server))) == ["[Calculation_1]", "[approver]"]


def test_a_layer_that_is_switched_off_later_leaves_the_document_as_it_is(
    publishing: Config, server: Server
) -> None:
    load(publishing, run(TITLED, amount=1))
    load(publishing | {"semantic_layer": False}, run({**TITLED, "approver": NULLABLE_TEXT}, approver="Ann"))
    found = columns(document(server))
    assert found["[amount]"].get("caption") == "Amount due"
    assert "[approver]" not in found


def test_odd_names_are_published(publishing: Config, server: Server) -> None:
    names = [name for name in ODD_NAMES if "\n" not in name]
    odd = {**BILL, **{name: NULLABLE_TEXT for name in names}}  # noqa: C420 - beside others
    load(publishing, run(odd, **dict.fromkeys(names, "x")))
    assert {plain(name) for name in columns(document(server))} >= set(names)


def test_a_document_that_tableau_refuses_is_told_with_tableau_s_reason_and_the_way_out(
    publishing: Config, server: Server
) -> None:
    refusal = error_body(
        "400011", "Bad Request", "There was a problem publishing the file 'bills.tdsx'. (no tds today)"
    )
    server.app.script.add(Fault(r"POST .*/datasources\?", status=400, body=refusal))
    with pytest.raises(TableauError, match=r"no tds today.*set semantic_layer to false"):
        load(publishing, run(TITLED, amount=1))
    assert load(publishing | {"semantic_layer": False}, run(TITLED, amount=1)) == [STATE]


def test_a_full_disk_while_a_package_is_written_is_told_and_leaves_everything_as_it_was(
    publishing: Config, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tds, "write_package", full)
        with pytest.raises(TableauError, match=r"bills.tdsx cannot be written: No space left on device"):
            load(publishing, run(TITLED, amount=1))
    assert "publish" not in server.writes
    assert load(publishing, run(TITLED, amount=1)) == [STATE]


def test_a_data_source_that_tableau_takes_for_a_copy_is_told_of(
    publishing: Config, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_live: Callable[..., etree._Element] = tds.document

    def with_extract(layer: Semantics) -> etree._Element:
        root = made_live(layer)
        extract = etree.Element("extract", enabled="true", units="records")
        etree.SubElement(extract, "connection", {"class": "hyper", "dbname": tds.data_entry(layer)})
        root.insert(root.index(root.findall("layout")[0]), extract)
        return root

    monkeypatch.setattr(tds, "document", with_extract)
    load(publishing, run(TITLED, amount=1))
    assert "Tableau takes 'bills' for an extract of something else" in caplog.text
