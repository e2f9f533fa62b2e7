from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.tableau.by_hand import (
    SAME,
    TDS,
    notes_of,
    package,
    patch,
    payload_of,
    post,
    unzipped,
)

if TYPE_CHECKING:
    from tests.sandbox.tableau.app import TableauApp
    from tests.sandbox.tableau.conftest import Client, Files

FOLDERS = (
    "<folders-common><folder name='Keys'><folder-item name='[id]' type='field' /></folder></folders-common>"
    "</datasource>"
)


def test_a_package_is_kept_as_it_is(client: Client, app: TableauApp, files: Files) -> None:
    sent_file = package(files)
    published = client.publish(sent_file)
    got = client.server.datasources.download(published.id, str(files.folder / "down"))
    with zipfile.ZipFile(sent_file) as sent, zipfile.ZipFile(got) as back:
        assert {entry: back.read(entry) for entry in back.namelist()} == {
            e: sent.read(e) for e in sent.namelist()
        }
    assert files.query(app.state.datasource("AP Bills")) == [[1, "one"], [2, "two"]]
    alone = client.server.datasources.download(
        published.id, str(files.folder / "alone"), include_extract=False
    )
    assert alone.endswith(".tds")
    assert "Identity" in (files.folder / "alone.tds").read_text()


def test_a_bare_hyper_over_a_package_loses_the_captions(client: Client, files: Files) -> None:
    published = client.publish(package(files))
    client.publish(files.make())
    client.server.datasources.download(published.id, str(files.folder / "down"), include_extract=False)
    assert "Identity" not in (files.folder / "down.tds").read_text()


def test_a_package_with_an_extract_element_is_no_live_connection(client: Client, files: Files) -> None:
    extract = "<extract enabled='true'><connection class='hyper' dbname='Data/Extracts/b.hyper'/></extract>"
    published = client.publish(package(files, TDS.replace("</datasource>", f"{extract}</datasource>")))
    shown = client.raw("GET", f"/datasources/{published.id}").find("datasource")
    assert shown.get("hasExtracts") == "true"
    assert client.raw("POST", f"/datasources/{published.id}/refresh", data="<tsRequest/>").status == 202


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tds": TDS.replace("</datasource>", "")}, "b.tds"),
        ({"tds": TDS.replace("datasource", "workbook")}, "root element"),
        ({"tds": TDS.replace("[Extract].[Extract]", "[Extract].[Bills]")}, "does not exist"),
        ({"tds": TDS.replace("dbname=", "server=")}, "no connection"),
        ({"entry": "Data/other.hyper"}, "does not hold the file"),
        ({"root": "Data/b.tds"}, "one .tds at its root"),
        ({"tds": TDS.replace("version='18.1'", "")}, "lacks a required attribute"),
        ({"tds": TDS.replace("inline='true'", "inline='true' site='x'")}, "attribute 'site' is not declared"),
        ({"tds": TDS.replace("<column ", "<layout /><column ")}, "element 'column' is not allowed"),
        (
            {"tds": TDS.replace("<column ", "<columns /><column ")},
            "no declaration found for element 'columns'",
        ),
        ({"tds": TDS.replace("[id]", "[id ] x]")}, "does not match the pattern"),
        ({"tds": TDS.replace("role='dimension'", "")}, "value 'None' of 'role' not in enumeration"),
        ({"tds": TDS.replace("'ordinal'", "'ordered'")}, "value 'ordered' of 'type' not in enumeration"),
        ({"tds": TDS.replace("'integer'", "'integer' hidden='yes'")}, "value 'yes' of 'hidden'"),
        (
            {"tds": TDS.replace("'ordinal' />", "'ordinal'><desc>A key</desc></column>")},
            "element 'desc' holds",
        ),
        ({"tds": TDS.replace("</datasource>", FOLDERS)}, "no declaration found for element 'folders-common'"),
        (
            {"tds": TDS.replace("</datasource>", "<object-graph /></datasource>")},
            "no declaration found for element 'object-graph'",
        ),
        ({"tds": TDS.replace("'integer'", "'table'")}, "value 'table' not in enumeration"),
    ],
)
def test_a_package_that_does_not_hold_together_is_refused(
    client: Client, files: Files, change: dict[str, str], reason: str
) -> None:
    refused = post(client, package(files, **change), filename="b.tdsx")
    assert refused.code == "400011"
    assert reason in refused.detail


def test_folders_the_object_graph_and_the_table_column_are_known_when_the_manifest_says_so(
    client: Client, files: Files
) -> None:
    flags = (
        "<document-format-change-manifest><SchemaViewerObjectModel /><ObjectModelTableType />"
        "</document-format-change-manifest>"
    )
    tds = TDS.replace("</datasource>", FOLDERS).replace("'integer'", "'table'")
    tds = tds.replace("<connection class='federated'>", f"{flags}<connection class='federated'>")
    assert client.publish(package(files, tds)).id


def test_a_package_that_is_no_zip_is_refused(client: Client, files: Files) -> None:
    assert post(client, files.make(), filename="b.tdsx").code == "400011"


def test_a_package_carries_the_new_rows_when_it_is_downloaded(client: Client, files: Files) -> None:
    published = client.publish(package(files))
    action = {"action": "replace", **SAME}
    assert (
        notes_of(client, patch(client, published, action, payload=payload_of(files, "(7, 'seven', 7, NULL)")))
        is None
    )
    got = client.server.datasources.download(published.id, str(files.folder / "down"))
    assert files.query(unzipped(got, files.folder)) == [[7, "seven"]]
