"""The sandbox's SYSPRO site on a real socket, with a company of its own for every test."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.serving import serve
from tests.sandbox.syspro import (
    COMPANIES,
    ENET_PATH,
    ODATA_PASSWORD,
    ODATA_USER_NAME,
    OPERATOR,
    OPERATOR_PASSWORD,
)
from tests.sandbox.syspro.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from tests.sandbox.faults import Script
    from tests.sandbox.syspro.app import SysproSite
    from tests.sandbox.syspro.switches import Switches

SEGMENTS = [
    {"name": "account", "separator": "-", "index": 0},
    {"name": "cost_center", "separator": "-", "index": 1},
]


@dataclasses.dataclass
class Instance:
    """A site and what a user needs to read it."""

    world: World
    app: SysproSite
    url: str
    config: dict[str, Any]

    @property
    def company(self) -> Company:
        return self.world.company

    @property
    def script(self) -> Script:
        return self.app.script

    @property
    def switches(self) -> Switches:
        return self.app.switches

    def with_(self, **settings: Any) -> dict[str, Any]:
        """The configuration with some settings changed."""
        return {**self.config, **settings}

    def enet(self, **settings: Any) -> dict[str, Any]:
        """The configuration for e.net."""
        return self.with_(
            transport="enet",
            operator=OPERATOR,
            operator_password=OPERATOR_PASSWORD,
            enet_base_url=f"{self.url}{ENET_PATH}",
            **settings,
        )

    def rows(self, table: str) -> dict[str, list[dict[str, Any]]]:
        """What the databases hold, by company."""
        return {company: self.app.table(company, table) for company in COMPANIES}

    def count(self, table: str) -> int:
        return sum(len(rows) for rows in self.rows(table).values())


@functools.cache
def _company(bills: int) -> bytes:
    return msgspec.json.encode(generate(seed=7, bills=bills))


class Stage:
    """One socket for all tests of a process: a new site for each, no new server."""

    def __init__(self) -> None:
        self.app: SysproSite | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[str, Stage]]:
    stage = Stage()
    with serve(stage) as url:
        yield url, stage


@pytest.fixture
def make_instance(tmp_path: Path, stage: tuple[str, Stage]) -> Iterator[Callable[..., Instance]]:
    """Starts the site of a test, with a company of so many bills. At its end no session may be open."""
    url, current = stage

    def make(*, bills: int = 30, switches: Switches | None = None) -> Instance:
        world = World(msgspec.json.decode(_company(bills), type=Company))
        current.app = create_app(world, switches=switches)
        config = {
            "base_url": url,
            "companies": list(COMPANIES),
            "odata_username": ODATA_USER_NAME,
            "odata_password": ODATA_PASSWORD,
            "gl_segments": SEGMENTS,
            "store_path": str(tmp_path / "private"),
        }
        return Instance(world, current.app, url, config)

    yield make
    app, current.app = current.app, None
    if app is not None:
        left = app.open_sessions
        app.close()
        assert left == 0, "a session was left open"


@pytest.fixture
def instance(make_instance: Callable[..., Instance]) -> Instance:
    """A site with a small company."""
    return make_instance()
