"""The Exact Online site as one ASGI application."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import threading
from collections import Counter
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.sandbox.exact_online import errors
from tests.sandbox.exact_online.api import Api, division_of
from tests.sandbox.exact_online.clock import Clock
from tests.sandbox.exact_online.counters import Counters
from tests.sandbox.exact_online.exchange import Exchange
from tests.sandbox.exact_online.limits import Limits
from tests.sandbox.exact_online.oauth import Identity
from tests.sandbox.exact_online.stamps import Stamps
from tests.sandbox.exact_online.switches import Switches
from tests.sandbox.exact_online.system import System
from tests.sandbox.exact_online.tables import Tables
from tests.sandbox.exact_online.webhooks import Webhooks
from tests.sandbox.faults import FaultyTransport, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Message, Receive, Scope, Send

    from tests.sandbox.company.world import World

_ALL = ["GET", "PUT", "POST", "PATCH", "DELETE"]


class ExactOnlineSite:
    """One instance of Exact Online.

    Attributes:
        script: Faults to come, and the calls so far.
        switches: How the site behaves.
        clock: Its own clock.
        counters: What it counted.
        identity: Users and tokens.
        system: The user and the divisions.
        webhooks: Subscriptions and events.
    """

    def __init__(self, world: World, directory: Path | None, switches: Switches) -> None:
        self.script = Script()
        self.switches = switches
        self.clock = Clock(world, switches)
        self.counters = Counters()
        self._world = world
        self._limits = Limits(self.clock, self.counters, switches)
        self._stamps = Stamps(directory)
        self._tables = Tables(world, self.clock, self._stamps, switches)
        self.identity = Identity(self.clock, self.counters, self._limits, switches, directory)
        self.system = System(world, self.clock, self._stamps, self._tables, switches)
        self.webhooks = Webhooks(self._tables, self.clock, switches, directory)
        self._api = Api(
            identity=self.identity,
            limits=self._limits,
            counters=self.counters,
            tables=self._tables,
            system=self.system,
            webhooks=self.webhooks,
            switches=switches,
        )
        self._counts: Counter[int] = Counter()  # requests under way, by division
        self._count_lock = threading.Lock()
        self._notify_lock = threading.Lock()
        self._base_url = "https://start.exactonline.nl"
        self._app = FaultyTransport(self._starlette(), self.script)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every answer is dated by the site's clock."""
        with contextlib.ExitStack() as under_way:

            async def dated(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message = {**message, "headers": self._dated(message["headers"])}
                elif not message.get("more_body"):
                    under_way.close()  # before the client can know that it is over and ask again
                await send(message)

            division = division_of(scope.get("path", ""))
            overlaps = under_way.enter_context(self._under_way(division))
            if overlaps and self.switches.overlap == "refuse":
                await Response(status_code=429)(scope, receive, dated)
            else:
                await self._app(scope, receive, dated)

    def move_division(self, division: int) -> None:
        """Move a division to another database: all its row versions are regenerated, lower than before."""
        with self._world.lock:
            self._stamps.regenerate(division, self.clock.company_now())

    def notify(self) -> int:
        """Make events of what changed in the company since the last call, and post all that are due.

        Returns:
            How many events subscribers took.
        """
        with self._notify_lock:
            with self._world.lock:
                self.webhooks.collect(self._base_url)
            return self.webhooks.deliver()

    def _dated(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        now = dt.datetime.fromtimestamp(self.clock.now(), tz=dt.UTC)
        date = email.utils.format_datetime(now, usegmt=True).encode()
        return [*((name, value) for name, value in headers if name.lower() != b"date"), (b"date", date)]

    @contextlib.contextmanager
    def _under_way(self, division: int) -> Iterator[bool]:
        """Count a request for a division while it is under way; tells whether another one is."""
        if not division:
            yield False
            return
        with self._count_lock:
            others = self._counts[division]
            self._counts[division] += 1
            self.counters.largest_overlap = max(self.counters.largest_overlap, others)
            if others:
                self.counters.overlaps[division] += 1
        try:
            yield bool(others)
        finally:
            with self._count_lock:
                self._counts[division] -= 1

    def _starlette(self) -> Starlette:
        return Starlette(
            routes=[
                self._route("/api/oauth2/auth", self.identity.authorize, ["GET"]),
                self._route("/api/oauth2/token", self.identity.token, _ALL),
                self._route("/api/v1/{rest:path}", self._api.answer, _ALL, locked=True),
            ],
            exception_handlers={404: _nothing_here},
        )

    def _route(
        self, path: str, handler: Callable[[Exchange], Response], methods: list[str], *, locked: bool = False
    ) -> Route:
        def work(exchange: Exchange) -> Response:
            try:
                if not locked:
                    return handler(exchange)
                with self._world.lock:
                    return handler(exchange)
            except errors.Refusal as refusal:
                return refusal.response()

        async def endpoint(request: Request) -> Response:
            exchange = await Exchange.read(request)
            self._base_url = exchange.base_url
            return await run_in_threadpool(work, exchange)

        return Route(path, endpoint, methods=methods)


def create_app(
    world: World, directory: Path | None = None, *, switches: Switches | None = None
) -> ExactOnlineSite:
    """A site that shows a company.

    Args:
        world: The company; its two branches are two divisions.
        directory: Where the site keeps its tokens, row versions and subscriptions; None keeps them in memory.
        switches: How it behaves; the real thing's habits by default.
    """
    return ExactOnlineSite(world, directory, switches or Switches())


async def _nothing_here(_: Request, __: Exception) -> Response:
    return PlainTextResponse("Not Found", 404)
