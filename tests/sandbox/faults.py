"""Trouble on request: scripted faults in front of a sandbox server, and a log of what it was asked.

A test tells a server to misbehave with `Script.add`; the middleware here obeys before the application sees
the request. Faults that need the application's knowledge (an expired token, a full seat table) are switches
of that application, not faults.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclasses.dataclass(frozen=True)
class Call:
    """One request as it came over the wire; `query` is still percent-encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]

    @property
    def line(self) -> str:
        """What fault patterns are matched against: `GET /entity/...?$top=1`."""
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")


@dataclasses.dataclass
class Fault:
    """What to do with the next `times` calls that match `pattern`, after letting `skip` of them pass.

    Attributes:
        pattern: Regular expression, searched in `Call.line`.
        status: Answer with this status and `body` instead of asking the application.
        after: The application does its work first, then `status` is answered (504 though it went through).
        cut: Close the connection: before the application is asked, or amid its answer with `after`.
        delay: Seconds to wait first.
        hook: Called (in a thread) before the application is asked: "the company changes between two pages".
    """

    pattern: str
    status: int | None = None
    body: bytes = b""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    after: bool = False
    cut: bool = False
    delay: float = 0.0
    hook: Callable[[], object] | None = None
    times: int = 1
    skip: int = 0


class Script:
    """The faults still to come and the calls already made."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Queue a fault behind those already queued."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget calls and faults."""
        with self._lock:
            self.calls.clear()
            self._faults.clear()

    def count(self, pattern: str) -> int:
        """How many calls so far match a regular expression."""
        with self._lock:
            return sum(1 for call in self.calls if re.search(pattern, call.line))

    def take(self, call: Call) -> Fault | None:
        """Log a call and return the fault it meets, if any."""
        with self._lock:
            self.calls.append(call)
            for fault in self._faults:
                if not re.search(fault.pattern, call.line):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault
        return None


class FaultyTransport:
    """ASGI middleware that obeys a `Script`."""

    def __init__(self, app: ASGIApp, script: Script) -> None:
        self.app = app
        self.script = script

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or spoil it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        call = Call(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
            },
        )
        fault = self.script.take(call)
        if fault is None:
            await self.app(scope, receive, send)
            return
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.hook is not None:
            await asyncio.to_thread(fault.hook)
        if fault.after:
            await self._spoil_answer(fault, scope, receive, send)
        elif fault.cut:
            await _cut(send, b"")
        elif fault.status is not None:
            await _drain(receive)
            await _answer(fault, send)
        else:
            await self.app(scope, receive, send)

    async def _spoil_answer(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await self.app(scope, receive, keep)
        if fault.cut:
            await _cut(send, bytes(body[: len(body) // 2]))
        else:
            await _answer(fault, send)


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


async def _answer(fault: Fault, send: Send) -> None:
    headers = {"content-type": "text/html", "content-length": str(len(fault.body)), **fault.headers}
    await send(
        {
            "type": "http.response.start",
            "status": fault.status or 200,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": fault.body})


async def _cut(send: Send, part: bytes) -> None:
    """Promise more bytes than come: the client sees its connection end in the middle of the answer."""
    length = str(len(part) + 1000).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": part, "more_body": True})
