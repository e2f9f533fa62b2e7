"""Projects: the tree that content lives in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.tableau.errors import bad_request, conflict, forbidden
from tests.sandbox.tableau.query import page, select
from tests.sandbox.tableau.rights import may_save
from tests.sandbox.tableau.service import Context, Rule
from tests.sandbox.tableau.wire import answer, child_of, element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from starlette.responses import Response

    from tests.sandbox.tableau.model import Project
    from tests.sandbox.tableau.query import Fields

CONTENT_PERMISSIONS = frozenset({"ManagedByOwner", "LockedToProject", "LockedToProjectWithoutNested"})


def _project(ctx: Context, project: Project) -> ET.Element:
    return element(
        "project",
        element("owner", id=project.owner),
        id=project.id,
        name=project.name,
        description=project.description,
        createdAt=project.created_at,
        updatedAt=project.updated_at,
        contentPermissions=project.content_permissions,
        parentProjectId=project.parent,
        topLevelProject=project.parent is None,
        writeable=may_save(ctx.user, project),
    )


def _fields(project: Project) -> Fields:
    return {
        "name": project.name,
        "parentProjectId": project.parent,
        "topLevelProject": project.parent is None,
        "createdAt": project.created_at,
        "updatedAt": project.updated_at,
        "ownerName": project.owner,
    }


async def query_projects(ctx: Context) -> Response:
    """GET projects."""
    chosen = select(list(ctx.state.index.projects.values()), ctx.query, _fields)
    head, shown = page(chosen, ctx.query)
    return answer(head, element("projects", *[_project(ctx, project) for project in shown]))


async def create_project(ctx: Context) -> Response:
    """POST projects: names are unique among siblings, ignoring case."""
    wanted = child_of(await ctx.xml(), "project")
    name, parent = wanted.get("name", "").strip(), wanted.get("parentProjectId") or None
    permissions = wanted.get("contentPermissions", "ManagedByOwner")
    if not name:
        raise bad_request("Project name is missing or empty")
    if permissions not in CONTENT_PERMISSIONS:
        raise bad_request(f"Invalid content permissions '{permissions}'", "400008")
    if parent is not None:
        _check_leader(ctx, ctx.state.get_project(parent))
    elif not ctx.user.is_admin:
        raise forbidden(f"User '{ctx.user.name}' may not create projects at the top of the site.", "403045")
    siblings = [p for p in ctx.state.index.projects.values() if p.parent == parent]
    if any(p.name.casefold() == name.casefold() for p in siblings):
        raise conflict(f"Project name '{name}' conflicts with that of an existing project.", "409006")
    made = ctx.state.add_project(name, ctx.user.id, parent)
    made.description = wanted.get("description", "")
    made.content_permissions = permissions
    ctx.state.wrote("project", name)
    return answer(_project(ctx, made), status=201)


def _check_leader(ctx: Context, parent: Project) -> None:
    if not (ctx.user.is_admin or (ctx.user.may_publish and parent.owner == ctx.user.id)):
        raise forbidden(f"User '{ctx.user.name}' does not lead the project '{parent.name}'.", "403045")


RULES = [
    Rule("GET", "/projects", query_projects),
    Rule("POST", "/projects", create_project, "tableau:projects:create"),
]
