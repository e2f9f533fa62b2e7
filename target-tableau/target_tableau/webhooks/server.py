"""Takes events over HTTP: what does not know the token, is too long or too slow is turned away."""

from __future__ import annotations

import asyncio
import hmac
import logging
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from target_tableau.errors import TargetTableauError
from target_tableau.webhooks.events import EVENTS, BadEventError, keep, read_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from target_tableau.ledger import Ledger

_MOST_BYTES: Final = 64 * 1024
_MOST_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


class _TurnedAwayError(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Receiver:
    """Answers Tableau. An event is in the ledger when its answer goes out.

    Args:
        token: The last part of the address.
        ledger: Where events are kept.
        told: Called when a new one has come.
        patience: Seconds in which a body has to arrive.
    """

    def __init__(
        self, token: str, ledger: Ledger, told: Callable[[], object], patience: float = _MOST_SECONDS
    ) -> None:
        self._token = token.encode()
        self._ledger = ledger
        self._told = told
        self._patience = patience

    async def answer(self, request: Request) -> Response:
        """Take one event."""
        given = request.path_params["path"].rpartition("/")[2].encode()
        if not hmac.compare_digest(given, self._token):
            return PlainTextResponse("not here", 404, headers={"Connection": "close"})
        try:
            said = await run_in_threadpool(self._take, await self._body(request))
        except _TurnedAwayError as error:
            logger.warning("Event turned away: %s.", error)
            return PlainTextResponse("refused", error.status, headers={"Connection": "close"})
        except TargetTableauError as failure:
            logger.warning("Event not kept: %s", failure)  # Tableau tries again
            return PlainTextResponse("later", 503)
        return PlainTextResponse(said)

    async def _body(self, request: Request) -> bytes:
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

    def _take(self, body: bytes) -> str:
        try:
            event = read_event(body)
        except BadEventError as error:
            raise _TurnedAwayError(400, str(error)) from None
        if event is None:
            return "ready"
        if event.event not in EVENTS:
            logger.info("An event of a kind that means nothing here was not kept.")
            return "ignored"
        if not keep(self._ledger, event):
            return "known"
        self._told()
        return "kept"


def create_app(receiver: Receiver) -> Starlette:
    """The receiver as an ASGI application, under whatever path a proxy in front of it leaves."""
    return Starlette(routes=[Route("/{path:path}", receiver.answer, methods=["POST"])])
