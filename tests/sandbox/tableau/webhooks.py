"""Webhooks: kept for administrators, tested on request; delivery is in `events`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool

from tests.sandbox.tableau.errors import bad_request
from tests.sandbox.tableau.events import LOOPBACK
from tests.sandbox.tableau.model import Webhook
from tests.sandbox.tableau.rights import require_admin
from tests.sandbox.tableau.service import Context, Rule
from tests.sandbox.tableau.state import luid
from tests.sandbox.tableau.wire import answer, boolean, child_of, element, no_content

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from starlette.responses import Response

EVENTS = frozenset(
    [f"{kind}{what}" for kind in ("Datasource", "Workbook") for what in
     ("Created", "Updated", "Deleted", "RefreshStarted", "RefreshSucceeded", "RefreshFailed")]
    + ["AdminPromoted", "AdminDemoted", "LabelCreated", "LabelUpdated", "LabelDeleted", "SiteCreated",
       "SiteUpdated", "SiteDeleted", "UserDeleted", "ViewDeleted"]
)  # fmt: skip
"""The 22 events of the webhooks documentation."""

_SOURCE = "webhook-source-event-"


def _webhook(ctx: Context) -> Webhook:
    require_admin(ctx)
    found = ctx.state.index.webhooks.get(ctx.part("webhook"))
    if found is None:
        raise bad_request(f"Webhook '{ctx.part('webhook')}' could not be found.", "400113")
    return found


def _describe(ctx: Context, webhook: Webhook) -> ET.Element:
    owner = ctx.state.index.users[webhook.owner]
    source = _SOURCE + re.sub(r"(?<!^)(?=[A-Z])", "-", webhook.event).lower()
    destination = element("webhook-destination-http", method="POST", url=webhook.url)
    return element(
        "webhook",
        element("webhook-source", element(source)),
        element("webhook-destination", destination),
        element("owner", id=owner.id, name=owner.name),
        id=webhook.id,
        name=webhook.name,
        isEnabled=webhook.enabled,
        statusChangeReason=webhook.reason,
        event=webhook.event,
    )


def _event(wanted: ET.Element) -> str | None:
    """The event that a request names, by attribute, by element, or by both if they agree."""
    attribute = wanted.get("event")
    source = wanted.find("webhook-source")
    tag = "" if source is None or len(source) == 0 else source[0].tag
    named = "".join(part.title() for part in tag.removeprefix(_SOURCE).split("-")) if tag else None
    if attribute and named and attribute != named:
        raise bad_request(f"The events {attribute} and {named} do not agree")
    event = attribute or named
    if event is not None and event not in EVENTS:
        raise bad_request(f"Unknown webhook event '{event}'")
    return event


def _url(ctx: Context, wanted: ET.Element) -> str | None:
    destination = wanted.find("webhook-destination/webhook-destination-http")
    if destination is None:
        return None
    url = destination.get("url", "")
    parts = urlsplit(url)
    nearby = ctx.switches.loopback_webhooks and parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (parts.scheme == "https" or nearby) or destination.get("method", "POST") != "POST":
        raise bad_request("A webhook's destination must be an https URL that is called with POST")
    return url


async def create_webhook(ctx: Context) -> Response:
    """POST webhooks."""
    require_admin(ctx)
    wanted = child_of(await ctx.xml(), "webhook")
    event, url, name = _event(wanted), _url(ctx, wanted), wanted.get("name", "")
    if not (event and url and name):
        raise bad_request("A webhook needs a name, an event and a destination")
    made = Webhook(luid(), name, event, url, ctx.user.id)
    _switch(made, wanted)
    ctx.state.index.webhooks[made.id] = made
    ctx.state.save()
    return answer(_describe(ctx, made), status=201)


def _switch(webhook: Webhook, wanted: ET.Element) -> None:
    """Enable or disable; a reason belongs to a disabled webhook only."""
    enabled = wanted.get("isEnabled")
    flag = webhook.enabled if enabled is None else boolean(enabled, "isEnabled")
    reason = wanted.get("statusChangeReason", "")
    if flag and reason:
        raise bad_request("statusChangeReason must be empty when isEnabled is true", "400127")
    webhook.enabled, webhook.reason = flag, reason


async def query_webhooks(ctx: Context) -> Response:
    """GET webhooks; there is no paging."""
    require_admin(ctx)
    listed = [_describe(ctx, webhook) for webhook in ctx.state.index.webhooks.values()]
    return answer(element("webhooks", *listed))


async def query_webhook(ctx: Context) -> Response:
    """GET webhooks/{webhook}."""
    return answer(_describe(ctx, _webhook(ctx)))


async def update_webhook(ctx: Context) -> Response:
    """PUT webhooks/{webhook}."""
    held = _webhook(ctx)
    wanted = child_of(await ctx.xml(), "webhook")
    event, url = _event(wanted), _url(ctx, wanted)
    _switch(held, wanted)
    held.name = wanted.get("name") or held.name
    held.event, held.url = event or held.event, url or held.url
    ctx.state.save()
    return answer(_describe(ctx, held))


async def delete_webhook(ctx: Context) -> Response:
    """DELETE webhooks/{webhook}."""
    del ctx.state.index.webhooks[_webhook(ctx).id]
    ctx.state.save()
    return no_content()


async def test_webhook(ctx: Context) -> Response:
    """GET webhooks/{webhook}/test: sends an empty payload."""
    held = _webhook(ctx)
    status = await run_in_threadpool(ctx.service.deliveries.send, held.url, b"{}")
    return answer(element("webhookTestResult", element("body"), id=held.id, status=status))


SCOPE = "tableau:webhooks:*"
RULES = [
    Rule("POST", "/webhooks", create_webhook, SCOPE, (3, 6)),
    Rule("GET", "/webhooks", query_webhooks, SCOPE, (3, 6)),
    Rule("GET", "/webhooks/{webhook}", query_webhook, SCOPE, (3, 6)),
    Rule("PUT", "/webhooks/{webhook}", update_webhook, SCOPE, (3, 8)),
    Rule("DELETE", "/webhooks/{webhook}", delete_webhook, SCOPE, (3, 6)),
    Rule("GET", "/webhooks/{webhook}/test", test_webhook, SCOPE, (3, 6)),
]
