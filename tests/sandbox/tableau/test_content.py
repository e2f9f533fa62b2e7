from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests
import tableauserverclient as tsc

from tests.sandbox import tableau
from tests.sandbox.serving import serve
from tests.sandbox.tableau.app import TableauApp, create_app
from tests.sandbox.tableau.by_hand import unzipped
from tests.sandbox.tableau.conftest import Client, Files, Published, pat, sign_in
from tests.sandbox.tableau.model import Write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    CodeOf = Callable[[Callable[[], object]], str]


def _names(client: Client, kind: str, query: str) -> list[str | None]:
    return [found.get("name") for found in client.raw("GET", f"/{kind}s?{query}").xml.iter(kind)]


# -- projects ------------------------------------------------------------------------------------------------


def test_a_new_site_has_the_projects_that_the_demo_needs(client: Client) -> None:
    nested = client.server.projects.get_by_path(tableau.NESTED_PROJECT)
    assert nested is not None
    assert (nested.name, nested.parent_id) == ("Close", client.project("Finance"))
    assert [p.name for p in tsc.Pager(client.server.projects) if p.is_default()] == ["Default"]
    assert client.project("ERP")


def test_lists_are_paged(client: Client) -> None:
    second = client.raw("GET", "/projects?pageSize=3&pageNumber=2")
    assert [p.get("name") for p in second.xml.iter("project")] == ["Close"]
    assert second.find("pagination").attrib == {"pageNumber": "2", "pageSize": "3", "totalAvailable": "4"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("pageNumber=2", "400006"),
        ("pageNumber=0", "400006"),
        ("pageNumber=x", "400006"),
        ("pageSize=0", "400007"),
        ("pageSize=1001", "403014"),
        ("filter=nonsense:eq:1", "400003"),
        ("filter=name:like:1", "400003"),
        ("filter=name", "400003"),
        ("sort=name:up", "400003"),
    ],
)
def test_a_list_refuses_bad_paging_and_filters(client: Client, query: str, code: str) -> None:
    assert client.raw("GET", f"/projects?{query}").code == code


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("filter=name:eq:ERP", ["ERP"]),
        ("filter=name%3Aeq%3AERP", ["ERP"]),
        ("filter=name:eq:erp", []),
        ("filter=name:cieq:erp", ["ERP"]),
        ("filter=name:eq:*e*", ["Default", "Finance", "Close"]),
        ("filter=name:in:[ERP,Close]", ["ERP", "Close"]),
        ("filter=name:has:F", ["Default", "Finance"]),
        ("filter=topLevelProject:eq:false", ["Close"]),
        ("filter=topLevelProject:eq:true,name:eq:Close", []),
        ("filter=createdAt:gt:2020-01-01T00:00:00Z&sort=name:desc", ["Finance", "ERP", "Default", "Close"]),
        ("filter=createdAt:lt:2020-01-01T00:00:00Z", []),
    ],
)
def test_filters_and_sorting(client: Client, query: str, names: list[str]) -> None:
    assert _names(client, "project", query) == names


@pytest.mark.parametrize("name", ["AP, open", "AP & AR", "AP: open", "AP [1]"])
def test_a_name_with_reserved_characters_is_listed_but_never_matched(admin: Client, name: str) -> None:
    admin.server.projects.create(tsc.ProjectItem(name))
    assert list(admin.server.projects.filter(name=name)) == []
    assert _names(admin, "project", f"filter=name:cieq:{quote(name)}") == []
    assert name in [p.name for p in tsc.Pager(admin.server.projects)]


def test_a_project_is_created_below_one_that_the_user_owns(client: Client, app: TableauApp) -> None:
    made = client.server.projects.create(tsc.ProjectItem("Q1", "first quarter", parent_id=client.project()))
    assert (made.name, made.parent_id, made.description) == ("Q1", client.project(), "first quarter")
    assert app.state.writes == [Write("project", "Q1")]


def test_a_sibling_of_the_same_name_is_a_conflict_whatever_its_case(client: Client, code_of: CodeOf) -> None:
    parent = client.project()
    client.server.projects.create(tsc.ProjectItem("Q1", parent_id=parent))
    assert code_of(lambda: client.server.projects.create(tsc.ProjectItem("q1", parent_id=parent))) == "409006"
    other = client.project("Finance")
    assert client.server.projects.create(tsc.ProjectItem("Q1", parent_id=other)).name == "Q1"


def test_only_administrators_create_projects_at_the_top(
    client: Client, admin: Client, code_of: CodeOf
) -> None:
    assert code_of(lambda: client.server.projects.create(tsc.ProjectItem("Top"))) == "403045"
    assert admin.server.projects.create(tsc.ProjectItem("Top")).parent_id is None


def test_a_viewer_creates_no_project(viewer: Client, code_of: CodeOf) -> None:
    parent = viewer.project()
    assert code_of(lambda: viewer.server.projects.create(tsc.ProjectItem("Q1", parent_id=parent))) == "403045"


def test_permissions_of_a_project_show_who_may_save(client: Client, app: TableauApp) -> None:
    project = next(p for p in tsc.Pager(client.server.projects) if p.name == "ERP")
    client.server.projects.populate_permissions(project)
    everyone = next(rule for rule in project.permissions if rule.grantee.tag_name == "group")
    assert everyone.capabilities == {"Read": "Allow", "Write": "Allow"}
    assert {g.id: g.name for g in tsc.Pager(client.server.groups)} == {everyone.grantee.id: "All Users"}
    app.state.project("ERP").writers = []
    client.server.projects.populate_permissions(project)
    rights = [rule.capabilities for rule in project.permissions if rule.grantee.tag_name == "group"]
    assert rights == [{"Read": "Allow"}]
    client.server.projects.populate_datasource_default_permissions(project)
    assert "Write" not in project.default_datasource_permissions[0].capabilities


def test_users_and_the_site_can_be_read(client: Client) -> None:
    assert client.server.users.get_by_id(client.server.user_id).site_role == "Creator"
    assert [user.name for user in tsc.Pager(client.server.users)] == ["admin", "publisher", "viewer"]
    assert client.raw("GET", "/users/nobody").code == "404002"
    assert client.raw("GET", "").find("site").get("name") == tableau.SITE_NAME


# -- data sources --------------------------------------------------------------------------------------------


def test_a_data_source_is_found_by_name_and_by_project(client: Client, published: Published) -> None:
    assert _names(client, "datasource", "filter=name:eq:AP+Bills") == ["AP Bills"]
    assert _names(client, "datasource", "filter=projectName:eq:ERP,hasExtracts:eq:false") == ["AP Bills"]
    assert client.server.datasources.get_by_id(published.id).project_name == "ERP"
    assert client.raw("GET", "/datasources/nothing").code == "404004"


def test_a_new_data_source_is_found_only_when_the_index_has_caught_up(
    client: Client, app: TableauApp, files: Files
) -> None:
    app.switches.index_lag_calls = 2
    published = client.publish(files.make())
    found = [_names(client, "datasource", "filter=name:eq:AP+Bills") for _ in range(3)]
    assert found == [[], [], ["AP Bills"]]
    assert client.server.datasources.get_by_id(published.id).name == "AP Bills"


def test_connected_workbooks_are_counted_only_when_asked_for(
    client: Client, app: TableauApp, published: Published
) -> None:
    app.state.add_workbook("Spend", live_on=[published.id])
    path = f"/datasources/{published.id}"
    assert client.raw("GET", path).find("datasource").get("connectedWorkbooksCount") is None
    asked = client.raw("GET", f"{path}?fields=_default_,connectedWorkbooksCount")
    assert asked.find("datasource").get("connectedWorkbooksCount") == "1"


def test_tags_and_certification_are_kept(client: Client, app: TableauApp, published: Published) -> None:
    item = client.server.datasources.get_by_id(published.id)
    item.tags = {"erp", "load/42, nightly"}
    item.certified, item.certification_note, item.description = True, "checked", "bills & more"
    client.server.datasources.update(item)
    item = client.server.datasources.get_by_id(published.id)
    assert (item.certified, item.certification_note, item.tags) == (
        True,
        "checked",
        {"erp", "load/42, nightly"},
    )
    assert item.description == "bills & more"
    client.server.datasources.delete_tags(item, "load/42, nightly")
    assert client.server.datasources.get_by_id(published.id).tags == {"erp"}
    assert client.raw("DELETE", f"/datasources/{published.id}/tags/never").code == "404007"
    assert [write.kind for write in app.state.writes] == ["publish", "tag", "update", "tag"]


def test_certification_must_be_a_boolean_as_an_unread_item_sends_none(
    client: Client, published: Published
) -> None:
    body = '<tsRequest><datasource isCertified="none"/></tsRequest>'
    assert client.raw("PUT", f"/datasources/{published.id}", data=body).code == "400000"


def test_a_data_source_can_be_renamed_and_moved_unless_the_name_is_taken(
    client: Client, files: Files, published: Published, code_of: CodeOf
) -> None:
    client.publish(files.make(), "GL")
    item = client.server.datasources.get_by_id(published.id)
    item.name = "gl"
    assert code_of(lambda: client.server.datasources.update(item)) == "409015"
    item.name, item.project_id = "Bills", client.project("Close")
    client.server.datasources.update(item)
    assert client.server.datasources.get_by_id(published.id).project_name == "Close"


def test_a_viewer_reads_but_changes_nothing(viewer: Client, client: Client, published: Published) -> None:
    path = f"/datasources/{published.id}"
    assert client.raw("GET", path).status == 200
    assert viewer.raw("PUT", path, data='<tsRequest><datasource name="x"/></tsRequest>').code == "403032"
    assert viewer.raw("PUT", f"{path}/tags", data="<tsRequest><tags/></tsRequest>").code == "403004"
    assert viewer.raw("DELETE", path).code == "403004"


def test_a_deleted_data_source_is_gone(client: Client, app: TableauApp, published: Published) -> None:
    stored = app.state.datasource("AP Bills")
    client.server.datasources.delete(published.id)
    assert client.raw("DELETE", f"/datasources/{published.id}").code == "404004"
    assert not stored.exists()


def test_a_published_hyper_has_one_hyper_connection_and_no_extract(
    client: Client, published: Published
) -> None:
    item = client.server.datasources.get_by_id(published.id)
    client.server.datasources.populate_connections(item)
    assert [connection.connection_type for connection in item.connections] == ["hyper"]
    assert str(item.has_extracts).lower() == "false"


# -- downloads -----------------------------------------------------------------------------------------------


def test_a_published_hyper_comes_back_inside_a_tdsx(
    client: Client, files: Files, published: Published
) -> None:
    got = client.server.datasources.download(published.id, str(files.folder / "down"))
    assert got.endswith(".tdsx")
    assert files.query(unzipped(got, files.folder)) == [[1, "one"], [2, "two"]]


def test_it_can_come_back_as_a_plain_hyper(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    app.switches.download_as_hyper = True
    got = client.server.datasources.download(published.id, str(files.folder / "down"))
    assert got.endswith(".hyper")
    assert files.query(files.folder / "down.hyper") == [[1, "one"], [2, "two"]]


def test_without_its_extract_only_the_document_comes_back(
    client: Client, files: Files, published: Published
) -> None:
    got = client.server.datasources.download(published.id, str(files.folder / "down"), include_extract=False)
    assert got.endswith(".tds")
    assert b"[Extract].[Extract]" in (files.folder / "down.tds").read_bytes()


def test_an_older_revision_can_be_downloaded_until_it_is_pruned(
    client: Client, app: TableauApp, files: Files, published: Published, code_of: CodeOf
) -> None:
    client.publish(files.make('CREATE TABLE "Extract"."Extract" (id BIGINT, note TEXT)'))
    first = client.server.datasources.download_revision(published.id, "1", str(files.folder / "old"))
    assert files.query(unzipped(first, files.folder)) == [[1, "one"], [2, "two"]]
    item = client.server.datasources.get_by_id(published.id)
    client.server.datasources.populate_revisions(item)
    assert [(r.revision_number, r.current) for r in item.revisions] == [("1", False), ("2", True)]
    app.switches.revision_limit = 1
    client.publish(files.make())
    download = client.server.datasources.download_revision
    assert code_of(lambda: download(published.id, "1", str(files.folder / "old"))) == "404024"


# -- restart and insight -------------------------------------------------------------------------------------


def test_a_restart_finds_everything_but_the_sessions(tmp_path: Path, files: Files) -> None:
    first = create_app(tmp_path / "kept")
    with serve(first) as url:
        client = sign_in(url, pat())
        published = client.publish(files.make())
        client.server.datasources.add_tags(published.id, {"kept"})
        token, site = client.server.auth_token, client.server.site_id
    first.close()
    second = create_app(tmp_path / "kept")
    with serve(second) as url:
        stale = {"X-Tableau-Auth": token}
        assert (
            requests.get(f"{url}/api/3.29/sites/{site}/projects", headers=stale, timeout=10).status_code
            == 401
        )
        client = sign_in(url, pat())
        assert client.server.site_id == site
        assert client.server.datasources.get_by_id(published.id).tags == {"kept"}
        assert files.query(second.state.datasource("AP Bills")) == [[1, "one"], [2, "two"]]
        assert [write.kind for write in second.state.writes] == ["publish", "tag"]
    second.close()


def test_the_contents_can_be_looked_at_without_signing_in(
    url: str, client: Client, app: TableauApp, published: Published
) -> None:
    seen = requests.get(f"{url}/_sandbox/tableau.json", timeout=10).json()
    assert seen["writes"] == 1
    (listed,) = seen["datasources"]
    assert listed.pop("updatedAt").endswith("Z")
    assert listed == {
        "name": "AP Bills",
        "project": "ERP",
        "luid": published.id,
        "rows": 2,
        "columns": ["id", "note", "amount", "booked"],
        "revisions": 1,
    }
    client.raw("GET", "/datasources")
    assert len(app.state.writes) == 1


def test_asking_for_what_is_not_there_is_an_error_for_tests_too(app: TableauApp) -> None:
    for missing in ("Nothing", "nothing/at/all"):
        with pytest.raises(KeyError):
            app.state.project(missing)
    with pytest.raises(KeyError):
        app.state.datasource("Nothing")
    with pytest.raises(KeyError):
        app.state.user("nobody")
