"""The sandbox's Tableau Server as an ASGI application."""

from __future__ import annotations

import asyncio
import itertools
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.sandbox.faults import FaultyTransport, Script
from tests.sandbox.tableau import (
    datasources,
    job_methods,
    metadata,
    people,
    projects,
    publishing,
    refresh,
    rights,
    updates,
    uploads,
    webhooks,
)
from tests.sandbox.tableau.errors import TableauError
from tests.sandbox.tableau.service import PRODUCTS, Service, obey
from tests.sandbox.tableau.switches import Switches
from tests.sandbox.tableau.wire import answer, element, error_answer, no_content, parse_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Message, Receive, Scope, Send

    from tests.sandbox.tableau.service import Rule
    from tests.sandbox.tableau.state import State

MODULES = (
    projects, rights, uploads, publishing, updates, datasources, job_methods, refresh, webhooks, people,
)  # fmt: skip
"""Each has a list of `RULES`."""


class TableauApp:
    """The application, with what tests want to reach.

    Attributes:
        script: Faults to come and calls made.
        switches: How the server behaves.
        state: What it holds.
        service: The server without its URLs (sessions, Hyper engine, jobs).
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.switches = service.switches
        self.state: State = service.state
        self.script = Script()
        self._app = FaultyTransport(_starlette(service), self.script)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the `Date` header tells the server's own clock."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self.switches.clock(), usegmt=True)
                message["headers"] = [*message.get("headers", []), (b"date", date.encode())]
            await send(message)

        await self._app(scope, receive, dated)

    def deliver(self) -> int:
        """Send the events that are due to the webhooks that listen, and return how many were taken."""
        return self.service.deliveries.deliver()

    def run_out(self) -> None:
        """Let every job end that ever does."""
        asyncio.run(self.service.jobs.run_out())

    def close(self) -> None:
        """Stop the Hyper process and write the index; call it when nothing is served any more."""
        self.service.engine.close()
        self.state.save()


def create_app(directory: Path, *, switches: Switches | None = None) -> TableauApp:
    """Make a server whose contents live in a directory, and take up what is there already."""
    return TableauApp(Service(directory, switches or Switches()))


def _starlette(service: Service) -> Starlette:
    routes = [
        Route("/api/{version}/auth/signin", _sign_in(service), methods=["POST"]),
        Route("/api/{version}/auth/signout", _sign_out(service), methods=["POST"]),
        Route("/api/{version}/serverInfo", _server_info(service), methods=["GET"]),
        Route("/api/{version}/serverinfo", _server_info(service), methods=["GET"]),
        Route("/api/metadata/graphql", metadata.endpoint(service), methods=["POST"]),
        Route("/_sandbox/tableau.json", _contents(service), methods=["GET"]),
        *_rule_routes(service),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error})


def _rule_routes(service: Service) -> Iterator[Route]:
    """One route per path; the method decides between its rules."""
    rules = [rule for module in MODULES for rule in module.RULES]
    for path, group in itertools.groupby(sorted(rules, key=_path), key=_path):
        by_method = {rule.method: rule for rule in group}
        yield Route(
            f"/api/{{version}}/sites/{{site}}{path}", _endpoint(service, by_method), methods=list(by_method)
        )


def _path(rule: Rule) -> str:
    return rule.path


def _endpoint(service: Service, rules: dict[str, Rule]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        # Starlette answers HEAD wherever there is a GET.
        return await obey(service, rules["GET" if request.method == "HEAD" else request.method], request)

    return endpoint


def _sign_in(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            service.check_version(request.path_params["version"])
            return answer(service.sessions.sign_in(parse_request(await request.body())))
        except TableauError as error:
            return error_answer(error)

    return endpoint


def _sign_out(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            service.check_version(request.path_params["version"])
            service.sessions.sign_out(service.sessions.require(request.headers.get("x-tableau-auth")).token)
        except TableauError as error:
            return error_answer(error)
        return no_content()

    return endpoint


def _server_info(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            service.check_version(request.path_params["version"])
        except TableauError as error:
            return error_answer(error)
        version = service.switches.api_version
        product, build = PRODUCTS.get(version, ("sandbox", f"sandbox.{version}"))
        return answer(
            element(
                "serverInfo",
                element("productVersion", text=product, build=build),
                element("restApiVersion", text=version),
            )
        )

    return endpoint


def _contents(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        state = service.state
        listed = [
            {
                "name": held.name,
                "project": state.path_of(held.project),
                "luid": held.id,
                "rows": held.rows,
                "columns": held.columns,
                "updatedAt": held.updated_at,
                "revisions": len(held.revisions),
            }
            for held in state.index.datasources.values()
        ]
        return JSONResponse({"datasources": listed, "writes": len(state.writes)})

    return endpoint


async def _http_error(_: Request, error: Exception) -> Response:
    """What no route answers, in Tableau's words."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return error_answer(
            TableauError("405000", "Invalid Request Method", "The resource has no such method.")
        )
    return error_answer(
        TableauError("404003", "Resource Not Found", "The requested resource does not exist.")
    )
