"""Runs an ASGI application on a loopback port, in a thread, for as long as a `with` block lasts."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"
_START_SECONDS = 20


def bind(port: int = 0) -> socket.socket:
    """Take a loopback port; 0 lets the system choose one.

    Raises:
        OSError: The port is taken.
    """
    # asyncio switches Nagle's algorithm off only where the protocol is named; without, a kept connection
    # waits 40 ms for the acknowledgement of every answer's head
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((LOOPBACK, port))
    except OSError:
        taken.close()
        raise
    return taken


def uvicorn_server(app: ASGIApp, certificate: Path | None = None) -> uvicorn.Server:
    """A server that logs nothing and leaves the `Date` header to the application, which has its own clock.

    Args:
        app: What is served.
        certificate: File with a private key and its chain; the server then speaks TLS.
    """
    config = uvicorn.Config(
        app,
        http="httptools",  # in C: half the cost of an answer of h11's
        loop="asyncio",  # uvloop comes with Dagster alone, and not on Windows; all tests are to see the same server
        ssl_certfile=certificate,
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def serve(app: ASGIApp, port: int = 0, certificate: Path | None = None) -> Iterator[str]:
    """Serve `app` and yield its base URL without a trailing slash; with a certificate, over TLS.

    Raises:
        TimeoutError: The server did not come up.
    """
    taken = bind(port)
    server = uvicorn_server(app, certificate)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the sandbox server did not start")
        time.sleep(0.005)
    try:
        yield f"{'https' if certificate else 'http'}://{LOOPBACK}:{taken.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        taken.close()
