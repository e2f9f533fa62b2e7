"""The Intacct gateway as one ASGI application."""

from __future__ import annotations

import asyncio
import dataclasses
import email.utils
from collections import Counter
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response

from tests.sandbox.faults import FaultyTransport, Script
from tests.sandbox.sage_intacct import PATH, SESSION_PATH, envelope, errors
from tests.sandbox.sage_intacct.gateway import Gateway, Reply
from tests.sandbox.sage_intacct.sessions import Sessions
from tests.sandbox.sage_intacct.switches import Switches
from tests.sandbox.sage_intacct.troubles import Troubles

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from starlette.types import Message, Receive, Scope, Send

    from tests.sandbox.company.world import World

_LOOK_SECONDS = 0.01
_INPUT = {"application/xml", "text/xml", "x-intacct-xml-request"}


class IntacctSite:
    """One company behind the XML gateway.

    Attributes:
        script: Faults to come, and the calls so far; a call's line is
            `POST /ia/xml/xmlgw.phtml?function=query&object=APBILL&offset=0`.
        troubles: Refusals to come.
        switches: How company and gateway behave.
        sessions: Sessions, and how many were opened and refused.
        calls: How often each function was called, by name or by `name OBJECT`.
        transactions: How many calls were metered: every page of query, readByQuery and readMore is one.
        in_flight: Requests that are being answered now.
        peak_in_flight: The most that were in flight at once, waiting ones included.
        throttled: How many were refused because others were in flight.
    """

    def __init__(self, world: World, switches: Switches) -> None:
        self.script = Script()
        self.troubles = Troubles()
        self.switches = switches
        self.sessions = Sessions(switches)
        self.calls: Counter[str] = Counter()
        self.in_flight = 0
        self.peak_in_flight = 0
        self.throttled = 0
        self._served = 0
        self._world = world
        self._gateway = Gateway(world, switches, self.sessions, self.troubles, self.calls)
        self._app = FaultyTransport(self._answer, self.script)

    @property
    def transactions(self) -> int:
        """Calls that cost money."""
        return sum(self.calls[name] for name in ("query", "readByQuery", "readMore", "readReport"))

    def close(self) -> None:
        """End every session."""
        self.sessions.end_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every answer is dated by the company's clock."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, value) for name, value in message["headers"] if name.lower() != b"date"]
                date = email.utils.format_datetime(self._world.company.clock, usegmt=True)
                message = {**message, "headers": [*headers, (b"date", date.encode())]}
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, dated)
            return
        body = await HttpRequest(scope, receive).body()
        described = {**scope, "query_string": _line(body).encode()}
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        try:
            await self._in_turn(described, body, dated)
        finally:
            self.in_flight -= 1

    async def _in_turn(self, scope: Scope, body: bytes, send: Send) -> None:
        """Let a request through when there is room for it, or refuse it after a while."""
        left = self.switches.concurrency_wait_seconds
        while self._served >= self.switches.concurrency_limit:
            if left <= 0:
                self.throttled += 1
                response = self._gateway.refuse(envelope.Control(), errors.too_many_requests())
                await _response(response)(scope, _nothing_more, send)
                return
            await asyncio.sleep(_LOOK_SECONDS)
            left -= _LOOK_SECONDS
        self._served += 1
        try:
            await self._app(scope, _replay(body), send)
        finally:
            self._served -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope, receive)
        body = await request.body()
        if scope["path"] not in {PATH, SESSION_PATH}:
            response: Response = HTMLResponse("<html><body><h1>Not Found</h1></body></html>", 404)
        elif scope["method"] != "POST":
            response = HTMLResponse("<html><body><h1>Method Not Allowed</h1></body></html>", 405)
        else:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            base_url = f"{scope['scheme']}://{request.headers.get('host', '')}"
            call = Call(scope["path"], scope["query_string"].decode(), base_url, kind in _INPUT, body)
            response = _response(await run_in_threadpool(self._locked, call))
        await response(scope, receive, send)

    def _locked(self, call: Call) -> Reply:
        with self._world.lock:
            return self._gateway.answer(
                call.body, call.line, f"{call.base_url}{SESSION_PATH}",
                is_first=call.path == PATH, is_xml=call.is_xml,
            )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Call:
    """One request to the gateway."""

    path: str
    line: str
    base_url: str
    is_xml: bool
    body: bytes


def _line(body: bytes) -> str:
    root: ET.Element
    try:
        root = envelope.parse(body)
    except errors.Refusal:
        return "function=none"
    return envelope.describe(root)


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, media_type=None, headers={"content-type": reply.content_type})


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def create_app(world: World, *, switches: Switches | None = None) -> IntacctSite:
    """Serve a company through the XML gateway."""
    return IntacctSite(world, switches or Switches())
