"""The sandbox's Intacct gateway on a real socket, with a company of its own for every test."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tap_sage_intacct.store import store_of
from tests.sandbox import sage_intacct
from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.sage_intacct.app import create_app
from tests.sandbox.serving import serve
from tests.tap_sage_intacct.harness import discovered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox.faults import Script
    from tests.sandbox.sage_intacct.app import IntacctSite
    from tests.sandbox.sage_intacct.switches import Switches
    from tests.sandbox.sage_intacct.troubles import Troubles


@dataclasses.dataclass
class Instance:
    """A company behind its gateway, and what a user needs to read it."""

    world: World
    app: IntacctSite
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

    @property
    def troubles(self) -> Troubles:
        return self.app.troubles

    def with_(self, **settings: Any) -> dict[str, Any]:
        """The configuration with some settings changed."""
        return {**self.config, **settings}

    def count(self, *words: str) -> int:
        """How many calls so far hold all of these words."""
        return sum(1 for call in self.script.calls if all(word in call.line for word in words))


def config_of(url: str, cache: Path) -> dict[str, Any]:
    """What a user fills in."""
    return {
        "api_url": f"{url}{sage_intacct.PATH}",
        "allow_any_host": True,
        "company_id": sage_intacct.COMPANY_ID,
        "user_id": sage_intacct.USER_ID,
        "user_password": sage_intacct.USER_PASSWORD,
        "sender_id": sage_intacct.SENDER_ID,
        "sender_password": sage_intacct.SENDER_PASSWORD,
        "cache_path": str(cache),
    }


@functools.cache
def company_of(bills: int) -> bytes:
    """A company as bytes, made once."""
    return msgspec.json.encode(generate(seed=7, bills=bills))


@functools.cache
def schema_of_sandbox() -> dict[str, Any]:
    """What discovery finds out in a company as the sandbox makes it, asked for once."""
    world = World(msgspec.json.decode(company_of(30), type=Company))
    app = create_app(world)
    with serve(app) as url, tempfile.TemporaryDirectory() as folder:
        config = {**config_of(url, Path(folder)), "entity_ids": []}
        discovered(config)
        content = store_of(config).read()
    app.close()
    return content


@pytest.fixture
def make_instance(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Starts gateways; each shows a new company of so many bills, whose schema is known unless `known` is false."""
    stops: list[Callable[[], object]] = []

    def make(*, bills: int = 30, switches: Switches | None = None, known: bool = True) -> Instance:
        world = World(msgspec.json.decode(company_of(bills), type=Company))
        app = create_app(world, switches=switches)
        server = serve(app)
        url = server.__enter__()
        stops.append(lambda: server.__exit__(None, None, None))
        stops.append(app.close)
        config = config_of(url, tmp_path / f"cache-{len(stops)}")
        if known:
            store_of({**config, "entity_ids": []}).write(schema_of_sandbox())
        return Instance(world, app, url, config)

    yield make
    for stop in stops:
        stop()


@pytest.fixture
def instance(make_instance: Callable[..., Instance]) -> Instance:
    """A small company."""
    return make_instance()
