"""Published data sources: list, read, change, tag, delete, download."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from tests.sandbox.tableau import documents
from tests.sandbox.tableau.errors import bad_request, conflict, forbidden, not_found
from tests.sandbox.tableau.query import page, select
from tests.sandbox.tableau.rights import may_save, require_write
from tests.sandbox.tableau.service import HOUR, Context, Rule
from tests.sandbox.tableau.state import luid
from tests.sandbox.tableau.storing import describe
from tests.sandbox.tableau.wire import answer, boolean, child_of, element, no_content

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from pathlib import Path

    from starlette.responses import Response

    from tests.sandbox.tableau.model import Datasource, Revision
    from tests.sandbox.tableau.query import Fields
    from tests.sandbox.tableau.state import State


def _datasource(ctx: Context, code: str = "404004") -> Datasource:
    return ctx.state.get_datasource(ctx.part("datasource"), code)


def _extra(ctx: Context, datasource: Datasource) -> dict[str, int]:
    """Attributes that are shown only when `fields` asks for them."""
    wanted = set(ctx.query.get("fields", "").split(","))
    if not wanted & {"connectedWorkbooksCount", "_all_"}:
        return {}
    readers = [w for w in ctx.state.index.workbooks.values() if datasource.id in w.upstream]
    return {"connectedWorkbooksCount": len(readers)}


def _field_reader(state: State) -> dict[str, Fields]:
    names = {user.id: user.name for user in state.index.users.values()}
    return {
        held.id: {
            "name": held.name,
            "projectName": state.index.projects[held.project].name,
            "ownerName": names.get(held.owner),
            "contentUrl": held.content_url,
            "createdAt": held.created_at,
            "updatedAt": held.updated_at,
            "isCertified": held.certified,
            "hasExtracts": not held.live,
            "type": "hyper" if held.live else "sqlserver",
            "size": held.size,
            "tags": list(held.tags),
            "description": held.description,
        }
        for held in state.index.datasources.values()
    }


async def query_datasources(ctx: Context) -> Response:
    """GET datasources; new ones show only when the search index has caught up."""
    held = list(ctx.state.index.datasources.values())
    visible = [d for d in held if d.hidden_calls == 0]
    for lagging in held:
        lagging.hidden_calls = max(0, lagging.hidden_calls - 1)
    fields = _field_reader(ctx.state)
    head, shown = page(select(visible, ctx.query, lambda d: fields[d.id]), ctx.query)
    listed = [describe(ctx.state, d, _extra(ctx, d)) for d in shown]
    return answer(head, element("datasources", *listed))


async def query_datasource(ctx: Context) -> Response:
    """GET datasources/{datasource}."""
    held = _datasource(ctx)
    return answer(describe(ctx.state, held, _extra(ctx, held)))


async def update_datasource(ctx: Context) -> Response:
    """PUT datasources/{datasource}: name, project, owner, description, certification."""
    ctx.service.spend("publish_datasource", ctx.switches.publishes_per_hour, HOUR)
    held = _datasource(ctx)
    require_write(ctx, held)
    wanted = child_of(await ctx.xml(), "datasource")
    certified = wanted.get("isCertified")
    flag = None if certified is None else boolean(certified, "isCertified")
    _move(ctx, held, wanted)
    if flag is not None:
        held.certified = flag
    held.certification_note = wanted.get("certificationNote", held.certification_note)
    held.description = wanted.get("description", held.description)
    held.updated_at = ctx.state.now()
    ctx.state.wrote("update", held.name)
    return answer(describe(ctx.state, held))


def _move(ctx: Context, held: Datasource, wanted: ET.Element) -> None:
    """Give a data source another name, project or owner; nothing changes unless all of it may."""
    name = wanted.get("name", held.name)
    project = _identifier(wanted, "project") or held.project
    owner = _identifier(wanted, "owner") or held.owner
    home = ctx.state.get_project(project)
    if project != held.project and not may_save(ctx.user, home):
        raise forbidden(f"User '{ctx.user.name}' may not move content to '{home.name}'.", "403030")
    if owner not in ctx.state.index.users:
        raise not_found(f"User '{owner}' could not be found.", "404002")
    if owner != held.owner and not ctx.user.is_admin and ctx.user.id != held.owner:
        raise forbidden("Only the owner or an administrator may change the owner.", "403027")
    if not name.strip():
        raise bad_request("The name of the data source is empty")
    other = ctx.state.find_datasource(name, project)
    if other is not None and other.id != held.id:
        raise conflict(f"The datasource name '{name}' is already taken in '{home.name}'.", "409015")
    held.name, held.project, held.owner = name, project, owner


def _identifier(wanted: ET.Element, tag: str) -> str | None:
    found = wanted.find(tag)
    return None if found is None else found.get("id")


async def delete_datasource(ctx: Context) -> Response:
    """DELETE datasources/{datasource}."""
    held = _datasource(ctx)
    require_write(ctx, held, "403004")
    del ctx.state.index.datasources[held.id]
    ctx.state.wrote("delete", held.name)
    await asyncio.to_thread(shutil.rmtree, ctx.state.folder(held), ignore_errors=True)
    ctx.service.announce("DatasourceDeleted", held.id, held.name)
    return no_content()


async def query_connections(ctx: Context) -> Response:
    """GET datasources/{datasource}/connections."""
    held = _datasource(ctx, "404011")
    kind = "hyper" if held.live else "sqlserver"
    server = "" if held.live else "erp-db.sandbox"
    connection = element(
        "connection",
        element("datasource", id=held.id, name=held.name),
        id=held.connection,
        type=kind,
        serverAddress=server,
        userName="",
        embedPassword=False,
    )
    return answer(element("connections", connection))


async def add_tags(ctx: Context) -> Response:
    """PUT datasources/{datasource}/tags."""
    held = _datasource(ctx)
    require_write(ctx, held, "403004")
    # Clients put a label that holds a space or a comma in double quotes, which are no part of it.
    labels = [tag.get("label", "").strip('"') for tag in child_of(await ctx.xml(), "tags").findall("tag")]
    if not all(labels):
        raise bad_request("There was a problem adding tags: a tag has no label", "400075")
    held.tags = list(dict.fromkeys([*held.tags, *labels]))
    ctx.state.wrote("tag", held.name)
    return answer(element("tags", *[element("tag", label=tag) for tag in held.tags]))


async def delete_tag(ctx: Context) -> Response:
    """DELETE datasources/{datasource}/tags/{tag}."""
    held, label = _datasource(ctx), ctx.part("tag")
    require_write(ctx, held, "403004")
    if label not in held.tags:
        raise not_found(f"The tag '{label}' does not exist for this datasource.", "404007")
    held.tags.remove(label)
    ctx.state.wrote("tag", held.name)
    return no_content()


async def query_revisions(ctx: Context) -> Response:
    """GET datasources/{datasource}/revisions."""
    held = _datasource(ctx)
    head, shown = page(held.revisions, ctx.query)
    listed = [_revision(ctx, held, revision) for revision in shown]
    return answer(head, element("revisions", *listed))


def _revision(ctx: Context, held: Datasource, revision: Revision) -> ET.Element:
    publisher = ctx.state.index.users.get(revision.publisher)
    return element(
        "revision",
        element("publisher", id=revision.publisher, name=publisher.name if publisher else None),
        revisionNumber=revision.number,
        publishedAt=revision.published_at,
        current=revision is held.current,
        deleted=False,
        sizeInBytes=revision.size,
    )


async def download(ctx: Context) -> Response:
    """GET datasources/{datasource}/content."""
    held = _datasource(ctx)
    return await _download(ctx, held, held.current)


async def download_revision(ctx: Context) -> Response:
    """GET datasources/{datasource}/revisions/{revision}/content."""
    held, wanted = _datasource(ctx), ctx.part("revision")
    found = next((r for r in held.revisions if str(r.number) == wanted), None)
    if found is None or found.file is None:
        raise not_found(f"Revision {wanted} of the datasource could not be found.", "404024")
    return await _download(ctx, held, found)


async def _download(ctx: Context, held: Datasource, revision: Revision) -> Response:
    if ctx.user.role == "Unlicensed":
        raise forbidden(f"User '{ctx.user.name}' may not download datasources.", "403028")
    if revision.file is None:
        raise not_found(f"The datasource '{held.name}' has no file to download.", "404004")
    whole = boolean(ctx.query.get("includeExtract", "true").lower(), "includeExtract", "400008")
    target = ctx.state.incoming / f"download-{luid()}"
    suffix = await asyncio.to_thread(_packed, ctx, held, revision, target, whole=whole)
    filename = f"{documents.plain_name(held.name)}.{suffix}"
    return FileResponse(
        target,
        headers={"content-disposition": f'name="tableau_datasource"; filename="{filename}"'},
        media_type="application/octet-stream" if suffix != "tds" else "application/xml",
        background=BackgroundTask(target.unlink, missing_ok=True),
    )


def _packed(ctx: Context, held: Datasource, revision: Revision, target: Path, *, whole: bool) -> str:
    """Write what a download returns and say its suffix; runs in a thread."""
    folder = ctx.state.folder(held)
    data = folder / (revision.file or "")
    if revision.package is not None:
        if whole:
            documents.repack(folder / revision.package, target, data if revision.patched else None)
            return "tdsx"
        target.write_bytes(documents.document_of(folder / revision.package))
        return "tds"
    if whole and ctx.switches.download_as_hyper:
        shutil.copyfile(data, target)
        return "hyper"
    name = documents.plain_name(held.name)
    document = documents.generated(name, ctx.service.engine.inspect(data))
    if not whole:
        target.write_bytes(document)
        return "tds"
    documents.pack(target, document, name, data)
    return "tdsx"


DOWNLOAD = "tableau:datasources:download"
UPDATE = "tableau:datasources:update"
TAGS = "tableau:datasource_tags:update"
RULES = [
    Rule("GET", "/datasources", query_datasources),
    Rule("GET", "/datasources/{datasource}", query_datasource),
    Rule("PUT", "/datasources/{datasource}", update_datasource, UPDATE),
    Rule("DELETE", "/datasources/{datasource}", delete_datasource, "tableau:datasources:delete"),
    Rule("GET", "/datasources/{datasource}/connections", query_connections),
    Rule("PUT", "/datasources/{datasource}/tags", add_tags, TAGS, (2, 6)),
    Rule("DELETE", "/datasources/{datasource}/tags/{tag:path}", delete_tag, TAGS, (2, 6)),
    Rule("GET", "/datasources/{datasource}/revisions", query_revisions, since=(2, 3)),
    Rule(
        "GET", "/datasources/{datasource}/revisions/{revision}/content", download_revision, DOWNLOAD, (2, 3)
    ),
    Rule("GET", "/datasources/{datasource}/content", download, DOWNLOAD),
]
