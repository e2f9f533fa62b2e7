"""Webhooks: subscriptions with their test call, and signed events that are delivered until they are taken."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations at run time
import hashlib
import hmac
import http.client
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response

from tests.sandbox.exact_online import CLIENT_ID, REDIRECT_URI, WEBHOOK_SECRET, errors, storing
from tests.sandbox.exact_online.clock import wall
from tests.sandbox.exact_online.endpoints import ENDPOINTS, Endpoint
from tests.sandbox.exact_online.lists import Address, Lists
from tests.sandbox.exact_online.rows.accounts import nothing
from tests.sandbox.exact_online.rows.row import Row
from tests.sandbox.exact_online.rows.view import USER_ID, USER_NAME
from tests.sandbox.exact_online.shapes import SHAPES
from tests.sandbox.exact_online.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.exact_online.clock import Clock
    from tests.sandbox.exact_online.exchange import Exchange
    from tests.sandbox.exact_online.switches import Switches
    from tests.sandbox.exact_online.tables import Tables

_FILE = "webhooks.json"
_PATH = "webhooks/WebhookSubscriptions"
_SECONDS = 10
_TAKEN = frozenset({200, 201})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Topic to the endpoint whose rows it is about; events of the others never come, as the company has no such rows.
TOPICS: dict[str, str] = {
    "Accounts": "crm/Accounts",
    "BankAccounts": "crm/BankAccounts",
    "Contacts": "crm/Contacts",
    "GLAccounts": "financial/GLAccounts",
    "FinancialTransactions": "financialtransaction/Transactions",
    "GeneralJournalEntries": "generaljournalentry/GeneralJournalEntries",
    "BankEntries": "financialtransaction/BankEntries",
    "CashEntries": "financialtransaction/CashEntries",
    "Items": "logistics/Items",
    "SalesInvoices": "salesinvoice/SalesInvoices",
    "PurchaseOrders": "purchaseorder/PurchaseOrders",
    "Documents": "documents/Documents",
    "CostTransactions": "project/TimeTransactions",
}
SILENT_TOPICS = frozenset(
    {
        "StockPositions", "DocumentAttachments", "GoodsDeliveries", "SalesOrders", "TimeTransactions",
        "Quotations", "Opportunities", "Subscriptions",
    }
)  # fmt: skip


class Subscription(msgspec.Struct):
    """Who wants to hear of what."""

    id: str
    division: int
    topic: str
    callback_url: str
    created_at: dt.datetime


class Event(msgspec.Struct):
    """One event on its way to one subscriber."""

    callback_url: str
    body: str
    due_at: float
    attempts: int = 0


class _Memory(msgspec.Struct):
    subscriptions: list[Subscription] = msgspec.field(default_factory=list)
    seen: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)  # "division|topic" -> row -> basis
    pending: list[Event] = msgspec.field(default_factory=list)


def sign(content: str) -> str:
    """The `HashCode` of an event: HMAC-SHA256 over the bytes of its Content, in upper case."""
    return hmac.new(WEBHOOK_SECRET.encode(), content.encode(), hashlib.sha256).hexdigest().upper()


class Webhooks:
    """The webhook side of one app.

    Attributes:
        deliveries: Every event that was taken, as its body.
        failures: (callback address, status or 0) of each attempt that failed.
    """

    def __init__(self, tables: Tables, clock: Clock, switches: Switches, directory: Path | None) -> None:
        self.deliveries: list[str] = []
        self.failures: list[tuple[str, int]] = []
        self._tables = tables
        self._clock = clock
        self._switches = switches
        self._directory = directory
        self._memory = storing.load(directory, _FILE, _Memory)
        self._endpoint = Endpoint(SHAPES[_PATH], nothing)
        self._lists = Lists(tables, switches)

    # ------------------------------------------------------------------ subscriptions

    def answer(self, exchange: Exchange, division: int, place: Address) -> Response:
        """`WebhookSubscriptions`: list, create, delete; an update is refused.

        Raises:
            Refusal: 400, 404, 405, or 500 for a duplicate and for a callback that does not answer.
        """
        if exchange.method == "GET":
            rows = [self._row(each) for each in self._memory.subscriptions if each.division == division]
            return self._lists.answer(exchange, division, self._endpoint, Table(rows), place)
        if exchange.method == "POST" and place.key is None:
            return self._create(exchange, division)
        if exchange.method == "DELETE" and place.key is not None:
            return self._delete(division, place.key)
        raise errors.Refusal(400, "Webhook subscriptions cannot be updated: delete and create.")

    def _create(self, exchange: Exchange, division: int) -> Response:
        try:
            body = msgspec.json.decode(exchange.body, type=dict[str, Any])
        except msgspec.DecodeError as malformed:
            raise errors.bad_request("Error processing request stream.") from malformed
        topic, url = body.get("Topic"), body.get("CallbackURL")
        if not isinstance(topic, str) or not isinstance(url, str):
            raise errors.bad_request("Mandatory: Topic, CallbackURL")
        if topic not in TOPICS and topic not in SILENT_TOPICS:
            raise errors.bad_request(f"Invalid value: Topic {topic}")
        self._check_address(url)
        if any((each.division, each.topic) == (division, topic) for each in self._memory.subscriptions):
            raise errors.Refusal(500, "Data already exists.")
        if self._post(url, b"") not in _TAKEN:
            raise errors.Refusal(500, "The callback endpoint did not answer with 200 or 201.")
        made = Subscription(str(uuid.uuid4()), division, topic, url, self._clock.company_now())
        self._memory.subscriptions.append(made)
        if topic in TOPICS:
            self._memory.seen[f"{division}|{topic}"] = self._bases(division, topic)
        self._save()
        place = Address(_PATH, f"guid'{made.id}'", "")
        shown = self._lists.answer(exchange, division, self._endpoint, Table([self._row(made)]), place)
        shown.status_code = http.client.CREATED
        return shown

    def _delete(self, division: int, key: str) -> Response:
        for each in self._memory.subscriptions:
            if each.division == division and key.lower() == f"guid'{each.id}'":
                self._memory.subscriptions.remove(each)
                self._memory.seen.pop(f"{division}|{each.topic}", None)
                self._save()
                return Response(status_code=204)
        raise errors.not_found()

    def _check_address(self, url: str) -> None:
        parts = urlsplit(url)
        if self._switches.loopback_callbacks and parts.hostname in _LOOPBACK:
            return
        if parts.scheme != "https" or parts.hostname != urlsplit(REDIRECT_URI).hostname:
            raise errors.bad_request("CallbackURL must be https on the domain of the app's redirect URI.")

    def _row(self, each: Subscription) -> Row:
        values = {
            "ID": each.id,
            "CallbackURL": each.callback_url,
            "ClientID": CLIENT_ID,
            "Created": wall(each.created_at),
            "Creator": USER_ID,
            "CreatorFullName": USER_NAME,
            "Description": each.topic,
            "Division": each.division,
            "Topic": each.topic,
            "UserID": USER_ID,
        }
        return Row(each.id, values)

    # ------------------------------------------------------------------ events

    def collect(self, base_url: str) -> int:
        """Make events of everything that changed since the last look. Whoever calls holds the company's lock.

        Returns:
            How many were made.
        """
        made = 0
        for each in self._memory.subscriptions:
            if each.topic not in TOPICS:
                continue
            place = f"{each.division}|{each.topic}"
            before, now = self._memory.seen.get(place, {}), self._bases(each.division, each.topic)
            self._memory.seen[place] = now
            changes = [("Create", key) for key in now if key not in before]
            changes += [("Update", key) for key in now if key in before and now[key] != before[key]]
            changes += [("Delete", key) for key in before if key not in now]
            for action, key in changes:
                self._queue(each, action, key, base_url)
            made += len(changes)
        if made:
            self._save()
        return made

    def deliver(self) -> int:
        """Post every event that is due; one that is not taken is tried again later, twice as late each time.

        Returns:
            How many were taken.
        """
        taken = 0
        for event in list(self._memory.pending):
            if event.due_at > self._clock.now():
                continue
            status = self._post(event.callback_url, event.body.encode())
            if status in _TAKEN:
                taken += 1
                self.deliveries.append(event.body)
                self._memory.pending.remove(event)
                continue
            self.failures.append((event.callback_url, status))
            event.due_at = self._clock.now() + self._switches.webhook_retry_seconds * 2**event.attempts
            event.attempts += 1
            if event.attempts > self._switches.webhook_attempts:
                self._memory.pending.remove(event)
        self._save()
        return taken

    @property
    def pending(self) -> int:
        """Events that wait for another attempt."""
        return len(self._memory.pending)

    def _queue(self, each: Subscription, action: str, key: str, base_url: str) -> None:
        endpoint = f"{base_url}/api/v1/{each.division}/{TOPICS[each.topic]}(guid'{key}')"
        content = msgspec.json.encode(
            {
                "Topic": each.topic,
                "ClientId": CLIENT_ID,
                "Division": each.division,
                "Action": action,
                "Key": key,
                "ExactOnlineEndpoint": endpoint,
                "EventCreatedOn": wall(self._clock.company_now()).isoformat(timespec="milliseconds"),
            }
        ).decode()
        body = f'{{"Content":{content},"HashCode":"{sign(content)}"}}'
        self._memory.pending.append(Event(each.callback_url, body, self._clock.now()))

    def _bases(self, division: int, topic: str) -> dict[str, int]:
        table = self._tables.table(division, ENDPOINTS[TOPICS[topic]].source)
        return {row.id: row.basis for row in table.rows}

    def _post(self, url: str, body: bytes) -> int:
        """Post to a subscriber and return its status; 0 when it could not be reached."""
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

    def _save(self) -> None:
        storing.save(self._directory, _FILE, self._memory)
