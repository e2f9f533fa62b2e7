"""What webhooks are told. Events are recorded always, and delivered when a test provides the transport."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.tableau.state import State

_TRIES = 4


def announce(state: State, event: str, identifier: str, name: str) -> None:
    """Record an event and deliver it to the webhooks that listen for it.

    A destination that does not answer 2xx is tried three times more with the identical body.
    """
    state.events.append((event, identifier))
    deliver = state.switches.deliver
    if deliver is None:
        return
    body = json.dumps(
        {
            "resource": _resource(event),
            "event_type": event,
            "resource_name": name,
            "site_luid": state.index.site,
            "resource_luid": identifier,
            "created_at": state.switches.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
    ).encode()
    for webhook in [w for w in state.index.webhooks.values() if w.enabled and w.event == event]:
        for _ in range(_TRIES):
            if 200 <= deliver(webhook.url, body) < 300:
                break


def _resource(event: str) -> str:
    if "Refresh" in event:
        return "EXTRACTS"
    return "DATASOURCE" if event.startswith("Datasource") else "WORKBOOK"
