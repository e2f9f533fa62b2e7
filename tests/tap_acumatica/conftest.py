"""The sandbox's Acumatica site on a real socket, with a company of its own for every test."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.sandbox.acumatica import CLIENT_ID, CLIENT_SECRET, INSTANCE, PASSWORD, USER_NAME
from tests.sandbox.acumatica.app import create_app
from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.serving import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sandbox.acumatica.app import AcumaticaSite
    from tests.sandbox.acumatica.switches import Switches
    from tests.sandbox.faults import Script


@dataclasses.dataclass
class Instance:
    """A site and what a user needs to read it."""

    world: World
    app: AcumaticaSite
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


@functools.cache
def _company(bills: int) -> bytes:
    return msgspec.json.encode(generate(seed=7, bills=bills))


@pytest.fixture
def make_instance(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Starts sites; each is a new company of so many bills."""
    stops: list[Callable[[], object]] = []

    def make(*, bills: int = 60, switches: Switches | None = None) -> Instance:
        world = World(msgspec.json.decode(_company(bills), type=Company))
        app = create_app(world, switches=switches)
        server = serve(app)
        url = server.__enter__()
        stops.append(lambda: server.__exit__(None, None, None))
        stops.append(app.close)
        config = {
            "base_url": f"{url}/{INSTANCE}",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "username": USER_NAME,
            "password": PASSWORD,
            "token_store_path": str(tmp_path / f"private-{len(stops)}"),
        }
        return Instance(world, app, url, config)

    yield make
    for stop in stops:
        stop()


@pytest.fixture
def instance(make_instance: Callable[..., Instance]) -> Instance:
    """A site with a small company."""
    return make_instance()
