"""What webhooks are told: events are recorded always, and wait for `Deliveries.deliver` to be sent.

A destination that does not answer 2xx is tried three times more with the identical body, later each time, and is then
given up. Whether a real server switches off a webhook whose events are given up again and again is not documented; a
switch does so here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.sandbox.tableau.model import Webhook
    from tests.sandbox.tableau.state import State

_TRIES = 4
_SECONDS = 10
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclasses.dataclass
class Delivery:
    """One event on its way to one destination."""

    webhook: str
    body: bytes
    due_at: dt.datetime
    tries: int = 0


class Deliveries:
    """Events that wait to be sent.

    Attributes:
        given_up: Bodies that no try could deliver.
    """

    def __init__(self, state: State) -> None:
        self.given_up: list[bytes] = []
        self._state = state
        self._waiting: list[Delivery] = []
        self._failed: dict[str, int] = {}

    @property
    def waiting(self) -> int:
        """How many wait for their first or another try."""
        return len(self._waiting)

    def announce(self, event: str, identifier: str, name: str) -> None:
        """Record an event, for all webhooks that listen for it."""
        state = self._state
        state.events.append((event, identifier))
        now = state.switches.clock()
        body = json.dumps(
            {
                "resource": _resource(event),
                "event_type": event,
                "resource_name": name,
                "site_luid": state.index.site,
                "resource_luid": identifier,
                "created_at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
        ).encode()
        self._waiting += [
            Delivery(webhook.id, body, now)
            for webhook in state.index.webhooks.values()
            if webhook.enabled and webhook.event == event
        ]

    def deliver(self) -> int:
        """Send what is due by the server's clock.

        Returns:
            How many were taken.
        """
        taken = 0
        for delivery in list(self._waiting):
            webhook = self._state.index.webhooks.get(delivery.webhook)
            if webhook is None or not webhook.enabled:
                self._waiting.remove(delivery)
            elif delivery.due_at <= self._state.switches.clock():
                taken += self._try(delivery, webhook)
        return taken

    def _try(self, delivery: Delivery, webhook: Webhook) -> bool:
        delivery.tries += 1
        if 200 <= self.send(webhook.url, delivery.body) < 300:
            self._waiting.remove(delivery)
            self._failed.pop(webhook.id, None)
            return True
        gap = self._state.switches.webhook_gap_seconds * 2 ** (delivery.tries - 1)
        delivery.due_at = self._state.switches.clock() + dt.timedelta(seconds=gap)
        if delivery.tries == _TRIES:
            self._waiting.remove(delivery)
            self.given_up.append(delivery.body)
            self._count_failure(webhook)
        return False

    def _count_failure(self, webhook: Webhook) -> None:
        failed = self._failed[webhook.id] = self._failed.get(webhook.id, 0) + 1
        most = self._state.switches.webhook_failures
        if most is not None and failed >= most:
            webhook.enabled = False
            webhook.reason = "Its destination did not take events."
            self._state.save()

    def send(self, url: str, body: bytes) -> int:
        """Post to a destination, and return its status; 0 if it does not answer.

        Certificates are checked, as a real server does.
        """
        deliver = self._state.switches.deliver
        return _post(url, body) if deliver is None else deliver(url, body)


def _post(url: str, body: bytes) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _resource(event: str) -> str:
    if "Refresh" in event:
        return "EXTRACTS"
    return "DATASOURCE" if event.startswith("Datasource") else "WORKBOOK"
