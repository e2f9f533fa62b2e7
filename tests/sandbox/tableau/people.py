"""Site, users and groups, as far as a publisher looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox import tableau
from tests.sandbox.tableau.errors import not_found
from tests.sandbox.tableau.query import page, select
from tests.sandbox.tableau.rights import ALL_USERS
from tests.sandbox.tableau.service import Context, Rule
from tests.sandbox.tableau.wire import answer, element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from starlette.responses import Response

    from tests.sandbox.tableau.model import User


def _user(user: User) -> ET.Element:
    return element("user", id=user.id, name=user.name, fullName=user.full_name, siteRole=user.role)


async def query_site(ctx: Context) -> Response:
    """GET sites/{site}."""
    return answer(
        element(
            "site",
            id=ctx.state.index.site,
            name=tableau.SITE_NAME,
            contentUrl=tableau.SITE,
            adminMode="ContentAndUsers",
            state="Active",
            revisionHistoryEnabled=True,
            revisionLimit=ctx.switches.revision_limit,
        )
    )


async def query_users(ctx: Context) -> Response:
    """GET users."""
    chosen = select(
        list(ctx.state.index.users.values()),
        ctx.query,
        lambda user: {"name": user.name, "siteRole": user.role},
    )
    head, shown = page(chosen, ctx.query)
    return answer(head, element("users", *[_user(user) for user in shown]))


async def query_user(ctx: Context) -> Response:
    """GET users/{user}."""
    found = ctx.state.index.users.get(ctx.part("user"))
    if found is None:
        raise not_found(f"User '{ctx.part('user')}' could not be found.", "404002")
    return answer(_user(found))


async def query_groups(ctx: Context) -> Response:
    """GET groups: there is the one that everybody is in."""
    chosen = select([ALL_USERS], ctx.query, lambda _: {"name": "All Users", "domainName": "local"})
    head, shown = page(chosen, ctx.query)
    groups = [
        element("group", element("domain", name="local"), id=group, name="All Users") for group in shown
    ]
    return answer(head, element("groups", *groups))


RULES = [
    Rule("GET", "", query_site),
    Rule("GET", "/users", query_users, "tableau:users:read"),
    Rule("GET", "/users/{user}", query_user, "tableau:users:read"),
    Rule("GET", "/groups", query_groups, "tableau:groups:read"),
]
