"""Who may do what: site roles, project owners, and the permissions on a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.tableau.errors import forbidden
from tests.sandbox.tableau.service import Context, Rule
from tests.sandbox.tableau.wire import answer, element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from starlette.responses import Response

    from tests.sandbox.tableau.model import Datasource, Project, User

ALL_USERS = "a11a11a1-0000-4000-8000-000000000001"
"""Id of the group that every user belongs to."""


def may_save(user: User, project: Project) -> bool:
    """Whether the user may publish into the project."""
    if user.is_admin:
        return True
    return user.may_publish and (
        project.owner == user.id or project.writers is None or user.id in project.writers
    )


def may_overwrite(user: User, datasource: Datasource, project: Project) -> bool:
    """Whether the user may replace, update or delete the data source."""
    if user.is_admin or user.id in {datasource.owner, project.owner}:
        return True
    return user.may_publish and (datasource.overwriters is None or user.id in datasource.overwriters)


def require_admin(ctx: Context) -> None:
    """Refuse everyone but administrators.

    Raises:
        TableauError: 403004.
    """
    if not ctx.user.is_admin:
        raise forbidden(f"The user '{ctx.user.name}' is not an administrator of the site.")


def require_write(ctx: Context, datasource: Datasource, code: str = "403032") -> None:
    """Refuse those who may not change a data source.

    Raises:
        TableauError: `code`.
    """
    if not may_overwrite(ctx.user, datasource, ctx.state.get_project(datasource.project)):
        raise forbidden(f"User '{ctx.user.name}' may not change the datasource '{datasource.name}'.", code)


def _grant(kind: str, identifier: str, names: list[str]) -> ET.Element:
    capabilities = [element("capability", name=name, mode="Allow") for name in names]
    return element(
        "granteeCapabilities", element(kind, id=identifier), element("capabilities", *capabilities)
    )


async def project_permissions(ctx: Context) -> Response:
    """GET projects/{project}/permissions: who may see and save."""
    project = ctx.state.get_project(ctx.part("project"))
    everyone = ["Read"] if project.writers is not None else ["Read", "Write"]
    grants = [_grant("group", ALL_USERS, everyone)]
    grants += [_grant("user", writer, ["Read", "Write"]) for writer in project.writers or []]
    grants.append(_grant("user", project.owner, ["ProjectLeader"]))
    head = element("project", element("owner", id=project.owner), id=project.id, name=project.name)
    return answer(element("permissions", head, *grants))


async def default_permissions(ctx: Context) -> Response:
    """GET projects/{project}/default-permissions/datasources: what new data sources allow everyone."""
    project = ctx.state.get_project(ctx.part("project"))
    names = ["Read", "Connect", "ExportXml", "VizqlDataApiAccess"]
    names += ["Write"] if project.writers is None else []
    head = element("project", element("owner", id=project.owner), id=project.id, name=project.name)
    return answer(element("permissions", head, _grant("group", ALL_USERS, names)))


RULES = [
    Rule("GET", "/projects/{project}/permissions", project_permissions),
    Rule("GET", "/projects/{project}/default-permissions/datasources", default_permissions),
]
