from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.serving import serve
from tests.sandbox.syspro.app import create_app
from tests.sandbox.syspro.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send


class Stage:
    """One socket for all tests of a process: a new site for each, no new server."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[str, Stage]]:
    stage = Stage()
    with serve(stage) as url:
        yield url, stage


@pytest.fixture(scope="session")
def saved_company() -> bytes:
    return msgspec.json.encode(generate(bills=60))


@pytest.fixture
def visitor(stage: tuple[str, Stage], saved_company: bytes) -> Iterator[Visitor]:
    """A site over a real socket, and somebody who is not logged on yet."""
    url, current = stage
    world = World(msgspec.json.decode(saved_company, type=Company))
    current.app = app = create_app(world)
    yield Visitor(url, app, world)
    app.close()
