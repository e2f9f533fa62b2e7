"""The Acumatica site as one ASGI application."""

from __future__ import annotations

import email.utils
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.sandbox.acumatica import INSTANCE, endpoints, errors, swagger
from tests.sandbox.acumatica.contract import ContractApi
from tests.sandbox.acumatica.exchange import Exchange, json_answer
from tests.sandbox.acumatica.gate import Gate
from tests.sandbox.acumatica.identity import Identity
from tests.sandbox.acumatica.odata import DacOData
from tests.sandbox.acumatica.odata_inquiries import InquiryOData
from tests.sandbox.acumatica.seats import Seats
from tests.sandbox.acumatica.shelves import Shelves
from tests.sandbox.acumatica.switches import Switches
from tests.sandbox.faults import FaultyTransport, Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import Message, Receive, Scope, Send

    from tests.sandbox.company.world import World

_ALL = ["GET", "PUT", "POST", "PATCH", "DELETE"]
_ERROR_PAGE = f"/{INSTANCE}/Frames/Error.aspx"


class AcumaticaSite:
    """One instance of Acumatica ERP.

    Attributes:
        script: Faults to come, and the calls so far.
        switches: How the site behaves.
        sessions: The table of seats.
        identity: Users and tokens.
    """

    def __init__(self, world: World, switches: Switches) -> None:
        self.script = Script()
        self.switches = switches
        self.sessions = Seats(switches)
        self.identity = Identity(switches)
        self._world = world
        self._gate = Gate(self.identity, self.sessions, switches)
        self._shelves = Shelves(world, switches)
        self._contract = ContractApi(self._shelves, self._gate, switches)
        self._dacs = DacOData(world, self._shelves, self._gate, switches)
        self._inquiries = InquiryOData(self._shelves, self._gate, switches)
        self._app = FaultyTransport(self._starlette(), self.script)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every answer is dated by the company's clock."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, value) for name, value in message["headers"] if name.lower() != b"date"]
                date = email.utils.format_datetime(self._world.company.clock, usegmt=True)
                message = {**message, "headers": [*headers, (b"date", date.encode())]}
            await send(message)

        await self._app(scope, receive, dated)

    def close(self) -> None:
        """End every session, as a site does that is shut down."""
        self.sessions.end_all()

    def _starlette(self) -> Starlette:
        root = f"/{INSTANCE}"
        identity = f"{root}/identity"
        entity = f"{root}/entity"
        return Starlette(
            routes=[
                self._route(f"{identity}/connect/token", self._gate.token, ["POST"]),
                self._route(f"{identity}/connect/revocation", self._gate.revoke, ["POST"]),
                self._route(f"{identity}/.well-known/openid-configuration", self._gate.discovery, ["GET"]),
                self._route(f"{entity}/auth/login", self._gate.login, ["POST"]),
                self._route(f"{entity}/auth/logout", self._gate.logout, ["POST"]),
                self._route(entity, self._list_endpoints, ["GET"]),
                self._route(f"{entity}/swagger.json", self._describe_site, ["GET"]),
                self._route(f"{entity}/{{rest:path}}", self._call_entity, _ALL),
                self._route(f"{root}/t/{{tenant}}/api/odata/gi", self._inquiries.answer, ["GET"]),
                self._route(
                    f"{root}/t/{{tenant}}/api/odata/gi/{{rest:path}}", self._inquiries.answer, ["GET"]
                ),
                self._route(f"{root}/odata/{{rest:path}}", self._inquiries.answer, ["GET"]),
                self._route(f"{root}/t/{{rest:path}}", self._dacs.answer, ["GET"]),
                self._route(f"{root}/odatav4/{{rest:path}}", self._dacs.answer, ["GET"]),
                Route(_ERROR_PAGE, _error_page, methods=["GET"]),
            ],
            exception_handlers={404: _nothing_here},
        )

    def _route(self, path: str, handler: Callable[[Exchange], Response], methods: list[str]) -> Route:
        def locked(exchange: Exchange) -> Response:
            with self._world.lock:
                try:
                    response = handler(exchange)
                except errors.Refusal as refusal:
                    response = refusal.response()
            for cookie in exchange.set_cookies:
                response.headers.append("set-cookie", cookie)
            return response

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(locked, await Exchange.read(request))

        return Route(path, endpoint, methods=methods)

    def _list_endpoints(self, exchange: Exchange) -> Response:
        session = self._gate.admit_if_signed_in(exchange)
        return json_answer(endpoints.listing(self.switches, signed_in=session is not None))

    def _describe_site(self, exchange: Exchange) -> Response:
        return json_answer(swagger.site_document(exchange.base_url))

    def _call_entity(self, exchange: Exchange) -> Response:
        name, version, *rest = [*exchange.path.removeprefix(f"/{INSTANCE}/entity/").split("/", 3), ""]
        if rest[:1] == ["swagger.json"]:
            return self._describe(exchange, name, version)
        session = self._gate.admit(exchange)
        endpoint = self._endpoint(name, version)
        entity, keys = [*rest, ""][:2]
        return self._contract.answer(exchange, session, endpoint, entity, keys)

    def _describe(self, exchange: Exchange, name: str, version: str) -> Response:
        """`swagger.json`: for those who are signed in, or for the tenant that `company` names."""
        if self._gate.admit_if_signed_in(exchange) is None:
            self._gate.known_tenant(exchange.options.get("company"))
        return json_answer(swagger.document(self._endpoint(name, version), exchange.base_url))

    def _endpoint(self, name: str, version: str) -> endpoints.Endpoint:
        if name == endpoints.CUSTOM_ENDPOINT and self.switches.broken_endpoint == "500":
            raise errors.failure("Value cannot be null. Parameter name: key", "System.ArgumentNullException")
        if name == endpoints.CUSTOM_ENDPOINT and self.switches.broken_endpoint == "302":
            raise errors.html_refusal(302, "Object moved", {"location": _ERROR_PAGE})
        for endpoint in endpoints.offered(self.switches):
            if (endpoint.name, endpoint.version) == (name, version):
                return endpoint
        raise errors.not_found(self.switches.unknown_version_body, f"Endpoint {name}/{version}")


def _error_page(_: Request) -> Response:
    return HTMLResponse("<!DOCTYPE html>\n<html><body><h1>An error has occurred.</h1></body></html>")


def _nothing_here(_request: Request, _error: Exception) -> Response:
    return errors.html_refusal(404, "The resource cannot be found.").response()


def create_app(world: World, *, switches: Switches | None = None) -> AcumaticaSite:
    """Serve a company as an Acumatica site."""
    return AcumaticaSite(world, switches or Switches())
