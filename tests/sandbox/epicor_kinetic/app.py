"""The Epicor Kinetic server as one ASGI application."""

from __future__ import annotations

import collections
import email.utils
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from tests.sandbox.epicor_kinetic import ENTRA_TENANT, INSTANCE
from tests.sandbox.epicor_kinetic.baq_api import SERVICE as BAQ_SERVICE
from tests.sandbox.epicor_kinetic.baq_api import BaqApi
from tests.sandbox.epicor_kinetic.errors import Refusal, no_license, not_found, wrong_method
from tests.sandbox.epicor_kinetic.exchange import Exchange
from tests.sandbox.epicor_kinetic.gate import Gate
from tests.sandbox.epicor_kinetic.identity import Identity
from tests.sandbox.epicor_kinetic.listing import Lister
from tests.sandbox.epicor_kinetic.odata import ODataApi
from tests.sandbox.epicor_kinetic.revisions import Revisions
from tests.sandbox.epicor_kinetic.switches import Switches
from tests.sandbox.faults import FaultyTransport, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import Message, Receive, Scope, Send

    from tests.sandbox.company.world import World
    from tests.sandbox.epicor_kinetic.schema import Row, Value

_ODATA = f"/{INSTANCE}/api/v2/odata/"


class KineticSite:
    """One instance of Epicor Kinetic.

    Attributes:
        script: Faults to come, and the calls so far.
        switches: How the server behaves.
        identity: Users, keys, tokens and sessions.
        methods: How often each HTTP method was seen.
        violations: Calls with a method that a reader has no use for: anything but GET and the POST for a token.
        most_calls_at_once: The most business calls that were under way at one moment.
    """

    def __init__(self, world: World, directory: Path | None, switches: Switches) -> None:
        self.script = Script()
        self.switches = switches
        self.identity = Identity(switches)
        self.methods: collections.Counter[str] = collections.Counter()
        self.violations: list[str] = []
        self.most_calls_at_once = 0
        self._calls_at_once = 0
        self._world = world
        self._revisions = Revisions(world, switches, directory)
        self._gate = Gate(self.identity, switches)
        lister = Lister(switches)
        self._odata = ODataApi(self._revisions, lister, switches)
        self._baqs = BaqApi(self._revisions, lister, switches)
        self._app = FaultyTransport(self._serve, self.script)
        self._token_doors: dict[str, Callable[[Exchange], Response]] = {
            f"/{INSTANCE}/TokenResource.svc/": self._gate.token_resource,
            "/connect/token": self._gate.identity_provider,
            f"/{ENTRA_TENANT}/oauth2/v2.0/token": self._gate.entra,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every answer is dated by the company's clock."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, value) for name, value in message["headers"] if name.lower() != b"date"]
                date = email.utils.format_datetime(self._world.company.clock, usegmt=True)
                message = {**message, "headers": [*headers, (b"date", date.encode())]}
            await send(message)

        if scope["type"] == "http":
            self._observe(scope["method"], scope["path"])
        await self._app(scope, receive, dated)

    # -- what a test can do to the database -----------------------------------------------------------------

    @property
    def counter(self) -> int:
        """The highest `SysRevID` given so far."""
        with self._world.lock:
            self._revisions.look()
            return self._revisions.counter

    def rows(self, table: str, company: str) -> list[Row]:
        """The rows of a table in an Epicor company as they stand in the database, in the order of their numbers.

        Args:
            table: Row type, as `Vendor`.
            company: Epicor company.
        """
        with self._world.lock:
            return list(self._revisions.shelf(table, company).rows)

    def rewrite(self, table: str, company: str, *key: Value) -> int:
        """Write a row again without changing it: it jumps to the end of its table.

        Args:
            table: Row type, as `Vendor`.
            company: Epicor company.
            key: The key without the company.

        Raises:
            KeyError: There is no such row.
        """
        with self._world.lock:
            return self._revisions.rewrite(table, company, key)

    def begin_transaction(self, numbers: int = 200) -> list[int]:
        """Begin a long transaction: it takes its numbers now and commits later."""
        with self._world.lock:
            return self._revisions.reserve(numbers)

    def commit_late(self, transaction: Iterable[int], change: Callable[[], object]) -> None:
        """Let `change` happen to the company; its rows appear now, with the lower numbers taken before."""
        with self._world.lock:
            self._revisions.commit_late(transaction, change)

    def migrate(self) -> None:
        """Move to a new database: the counter starts far below, every row has another number."""
        with self._world.lock:
            self._revisions.restart()

    # -- requests -------------------------------------------------------------------------------------------

    def _observe(self, method: str, path: str) -> None:
        self.methods[method] += 1
        if method != "GET" and not (method == "POST" and path in self._token_doors):
            self.violations.append(f"{method} {path}")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not served")
        exchange = await Exchange.read(Request(scope, receive))
        is_business = exchange.raw_path.startswith(_ODATA)
        self._calls_at_once += is_business
        self.most_calls_at_once = max(self.most_calls_at_once, self._calls_at_once)
        crowded = is_business and self._calls_at_once > self.switches.license_seats
        try:
            response = await run_in_threadpool(self._answer, exchange, crowded=crowded)
        finally:
            self._calls_at_once -= is_business
        await response(scope, receive, send)

    def _answer(self, exchange: Exchange, *, crowded: bool) -> Response:
        with self._world.lock:
            try:
                return self._handle(exchange, crowded=crowded)
            except Refusal as refusal:
                return refusal.response(exchange.accept, self.switches.error_form)

    def _handle(self, exchange: Exchange, *, crowded: bool) -> Response:
        door = self._token_doors.get(exchange.path)
        if exchange.method != ("GET" if door is None else "POST"):
            raise wrong_method(exchange.method)
        if door is not None:
            return door(exchange)
        if not exchange.raw_path.startswith(_ODATA):
            raise not_found(f"No HTTP resource was found that matches the request URI '{exchange.path}'.")
        epicor, service, *rest = [
            *(unquote(part) for part in exchange.raw_path.removeprefix(_ODATA).split("/")),
            "",
        ]
        if rest[-1:] == [""]:
            rest.pop()
        self._gate.admit(exchange, epicor, service)
        if crowded:
            raise no_license(self.switches.license_message)
        if service == BAQ_SERVICE:
            return self._baqs.answer(exchange, epicor, rest, self._world.company.clock.date())
        return self._odata.answer(exchange, epicor, service, rest)


def create_app(
    world: World, directory: Path | None = None, *, switches: Switches | None = None
) -> KineticSite:
    """Serve a company as an Epicor Kinetic server.

    Args:
        world: The company.
        directory: Where the row numbers are kept, so that they outlive the server; None: they end with it.
        switches: How it behaves.
    """
    return KineticSite(world, directory, switches or Switches())
