"""The sandbox's Epicor site on a real socket, with a company of its own for every test."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.epicor_kinetic import API_KEY, COMPANIES, INSTANCE, PASSWORD, USER_NAME
from tests.sandbox.epicor_kinetic.app import create_app
from tests.sandbox.serving import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sandbox.epicor_kinetic.app import KineticSite
    from tests.sandbox.epicor_kinetic.switches import Switches
    from tests.sandbox.faults import Script


@dataclasses.dataclass
class Instance:
    """A site and what a user needs to read it."""

    world: World
    site: KineticSite
    url: str
    config: dict[str, Any]

    @property
    def company(self) -> Company:
        return self.world.company

    @property
    def script(self) -> Script:
        return self.site.script

    @property
    def switches(self) -> Switches:
        return self.site.switches

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

    def make(*, bills: int = 30, switches: Switches | None = None) -> Instance:
        world = World(msgspec.json.decode(_company(bills), type=Company))
        site = create_app(world, switches=switches)
        server = serve(site)
        url = server.__enter__()
        stops.append(lambda: server.__exit__(None, None, None))
        config = {
            "base_url": f"{url}/{INSTANCE}",
            "companies": list(COMPANIES),
            "api_key": API_KEY,
            "username": USER_NAME,
            "password": PASSWORD,
            "cache_path": str(tmp_path / f"cache-{len(stops)}"),
        }
        return Instance(world, site, url, config)

    yield make
    for stop in stops:
        stop()


@pytest.fixture
def instance(make_instance: Callable[..., Instance]) -> Instance:
    """A site with a small company."""
    return make_instance()
