"""Receives events over HTTP: what is not genuine, too long or too slow is turned away before anything is kept."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tap_exact_online.webhooks.signature import BadEventError, read_event
from tap_exact_online.webhooks.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from tap_exact_online.webhooks.queue import Queue

_MOST_BYTES: Final = 64 * 1024
_MOST_SECONDS: Final = 5.0

_LOG: Final = logging.getLogger("tap-exact-online")


class _TurnedAwayError(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Receiver:
    """Answers Exact Online.

    Args:
        config: Settings of the tap, with `webhook_secret`.
        queue: Where events go.
        now: What time it is.
        patience: Seconds in which a body has to arrive.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        queue: Queue,
        now: Callable[[], float] = time.time,
        patience: float = _MOST_SECONDS,
    ) -> None:
        self._secret = str(config["webhook_secret"])
        self._client_id = str(config["client_id"]).strip("{}").lower()
        codes = {str(code) for code in config.get("divisions") or ()}
        self._divisions = {int(code) for code in codes if code.isdecimal()}
        self._queue = queue
        self._now = now
        self._patience = patience

    async def answer(self, request: Request) -> Response:
        """Take one event; it is on disk when the answer goes out."""
        try:
            body = await self._body(request)
            if not body:
                return PlainTextResponse("ready")  # the call that comes about a second after a subscription
            await run_in_threadpool(self._take, body)
        except _TurnedAwayError as error:
            _LOG.warning("Event turned away: %s", error)
            return PlainTextResponse("refused", error.status, headers={"Connection": "close"})
        return PlainTextResponse("kept")

    async def _body(self, request: Request) -> bytes:
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > _MOST_BYTES:
            raise _TurnedAwayError(413, "its body is too long")
        body = bytearray()
        try:
            async with asyncio.timeout(self._patience):
                async for part in request.stream():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise _TurnedAwayError(413, "its body is too long")
        except TimeoutError:
            raise _TurnedAwayError(408, "its body came too slowly") from None
        return bytes(body)

    def _take(self, body: bytes) -> None:
        try:
            event = read_event(body, self._secret)
        except BadEventError as error:
            raise _TurnedAwayError(401, str(error)) from None
        if event.client_id != self._client_id:
            raise _TurnedAwayError(403, "it is for another application")
        if self._divisions and event.division not in self._divisions:
            raise _TurnedAwayError(403, f"division {event.division} is not one of those that are read")
        if event.topic not in TOPICS:
            _LOG.info("No stream is touched by %s", event.topic)
            return
        self._queue.put(event, self._now())


def create_app(receiver: Receiver, path: str = "/") -> Starlette:
    """The receiver as an ASGI application."""
    return Starlette(routes=[Route(path, receiver.answer, methods=["POST"])])
