"""Keeps what a server answers on disk, and gives it again without a network.

A tape is read from its beginning to its end, so that a long one takes no more memory than a short one. Requests that a
tap makes ahead may come in another order than they were made in when it was recorded, by a few places.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

_OUT_OF_ORDER = 64
# Every request of Intacct's gateway bears numbers of its own
_NUMBERS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CONNECTION = ("transfer-encoding", "connection", "content-encoding", "content-length")


class Answer(NamedTuple):
    """One answer of a server, and what was asked: method, path, query and body."""

    question: str
    status: int
    headers: dict[str, str]
    body: bytes


def question(method: str, url: str, body: str | bytes | None) -> str:
    """A request in the form by which it is found again; the host does not matter."""
    parts = urlsplit(url)
    text = body.decode() if isinstance(body, bytes) else body or ""
    return f"{method} {parts.path}?{parts.query} {_NUMBERS.sub('', text)}"


def answers(path: Path) -> Iterator[Answer]:
    """All answers on a tape, in the order in which they were given."""
    with path.open("rb") as file:
        while head := file.readline():
            asked, status, headers, length = json.loads(head)
            yield Answer(asked, status, headers, file.read(length))


@contextlib.contextmanager
def recording(path: Path) -> Iterator[None]:
    """Keep all answers that come while the block lasts."""
    send, lock = HTTPAdapter.send, threading.Lock()

    def kept(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = send(self, request, **options)
        asked = question(str(request.method), str(request.url), request.body)
        head = json.dumps([asked, response.status_code, dict(response.headers), len(response.content)])
        with lock:
            file.write(head.encode() + b"\n" + response.content)
        return response

    with path.open("wb") as file, mock.patch.object(HTTPAdapter, "send", kept):
        yield


class Player:
    """Gives the answers of a tape again.

    Raises:
        RuntimeError: Something is asked that is not on the tape.
    """

    def __init__(self, path: Path) -> None:
        self._answers = answers(path)
        self._waiting: list[Answer] = []
        self._lock = threading.Lock()
        self.given = 0

    def answer(self, asked: str) -> Answer:
        """The answer to a question."""
        with self._lock:
            self.given += 1
            for place, answer in enumerate(self._waiting):
                if answer.question == asked:
                    return self._waiting.pop(place)
            for answer in self._answers:
                if answer.question == asked:
                    return answer
                self._waiting.append(answer)
                if len(self._waiting) > _OUT_OF_ORDER:
                    break
        raise RuntimeError(f"not on the tape: {asked[:2000]}")


@contextlib.contextmanager
def playing(path: Path) -> Iterator[Player]:
    """Answer all requests from a tape while the block lasts."""
    player = Player(path)

    def send(_: HTTPAdapter, request: requests.PreparedRequest, **_options: Any) -> requests.Response:
        found = player.answer(question(str(request.method), str(request.url), request.body))
        response = requests.Response()
        response.status_code, response._content = found.status, found.body  # noqa: SLF001 - as adapters build it
        response.headers = CaseInsensitiveDict(found.headers)
        response.url, response.request = str(request.url), request
        return response

    with mock.patch.object(HTTPAdapter, "send", send):
        yield player


class SlowServer:
    """An ASGI application that gives the answers of a tape, each after a wait.

    Attributes:
        calls: How many requests came.
    """

    def __init__(self, path: Path, latency_seconds: float) -> None:
        self._player = Player(path)
        self._latency = latency_seconds
        self.calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.monotonic()
        self.calls += 1
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        raw = scope["raw_path"].decode("latin-1")
        url = f"http://host{raw.partition('?')[0]}?{scope['query_string'].decode('latin-1')}"
        found = self._player.answer(question(scope["method"], url, body))
        await asyncio.sleep(max(self._latency - (time.monotonic() - began), 0))
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in found.headers.items()
            if name.lower() not in _CONNECTION
        ]
        await send({"type": "http.response.start", "status": found.status, "headers": headers})
        await send({"type": "http.response.body", "body": found.body})
