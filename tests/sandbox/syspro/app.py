"""The SYSPRO site as one ASGI application: the OData service of IIS and the e.net service beside it."""

from __future__ import annotations

import email.utils
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from tests.sandbox.faults import FaultyTransport, Script
from tests.sandbox.syspro import COMPANIES, ENET_PATH
from tests.sandbox.syspro.database import Databases
from tests.sandbox.syspro.enet import Enet
from tests.sandbox.syspro.exchange import Exchange
from tests.sandbox.syspro.odata import ROOT, OData
from tests.sandbox.syspro.refusals import Refusal, not_found
from tests.sandbox.syspro.sessions import Sessions
from tests.sandbox.syspro.switches import Switches

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Message, Receive, Scope, Send

    from tests.sandbox.company.world import World

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class SysproSite:
    """One SYSPRO site with its companies.

    Attributes:
        script: Faults to come, and the calls so far.
        switches: How the site behaves.
        sessions: The e.net sessions that are open; `len` counts them.
        databases: The companies' databases.
        odata: The OData service; it counts refused sign-ins.
    """

    def __init__(self, world: World, switches: Switches, directory: Path | None) -> None:
        self.script = Script()
        self.switches = switches
        self.sessions = Sessions(switches)
        self.databases = Databases(world, switches, directory)
        self.odata = OData(self.databases, self.sessions, switches)
        self._enet = Enet(self.databases, self.sessions, switches)
        self._world = world
        routes = [Route("/{rest:path}", self._endpoint, methods=_METHODS)]
        self._app = FaultyTransport(Starlette(routes=routes), self.script)

    @property
    def open_sessions(self) -> int:
        """How many e.net sessions are open now."""
        return len(self.sessions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every answer is dated by the company's clock."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, value) for name, value in message["headers"] if name.lower() != b"date"]
                date = email.utils.format_datetime(self._world.company.clock, usegmt=True)
                message = {**message, "headers": [*headers, (b"date", date.encode())]}
            await send(message)

        await self._app(scope, receive, dated)

    def table(self, company_id: str, name: str) -> list[dict[str, Any]]:
        """The rows of a table as they are stored, for comparison with what clients have read."""
        with self._world.lock:
            contents = self.databases.by_company[company_id].contents(name)
            names = list(contents.table.places)
            return [dict(zip(names, row, strict=True)) for row in contents.rows]

    def restore_elsewhere(self) -> None:
        """Give all rows new row versions, lower than those given before, as after a restore on another server."""
        with self._world.lock:
            for company_id in COMPANIES:
                self.databases.by_company[company_id].restore_elsewhere()

    def close(self) -> None:
        """End every session, as a site does that is shut down."""
        self.sessions.end_all()

    async def _endpoint(self, request: Request) -> Response:
        return await run_in_threadpool(self._answer, await Exchange.read(request))

    def _answer(self, exchange: Exchange) -> Response:
        with self._world.lock:
            try:
                if exchange.path.lower().startswith(f"{ENET_PATH}/".lower()):
                    return self._enet.answer(exchange)
                if f"{exchange.path}/".startswith(f"{ROOT}/"):
                    return self.odata.answer(exchange)
                raise not_found()
            except Refusal as refusal:
                return refusal.response()


def create_app(
    world: World, *, switches: Switches | None = None, directory: Path | None = None
) -> SysproSite:
    """Serve a company as a SYSPRO site.

    Args:
        world: The company.
        switches: How the site behaves.
        directory: Where it keeps the row versions of its tables, so that they outlive the process.
    """
    return SysproSite(world, switches or Switches(), directory)
