"""The sandbox's Exact Online site on a real socket, with a company of its own for every test."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import requests

from tap_exact_online import auth
from tap_exact_online.renewal import pair_of, renew, write_pair
from tap_exact_online.settings import with_defaults
from tap_exact_online.store import store_of
from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.exact_online import CLIENT_ID, CLIENT_SECRET, DIVISIONS, REDIRECT_URI, SEED_REFRESH_TOKEN
from tests.sandbox.exact_online.app import create_app
from tests.sandbox.serving import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sandbox.exact_online.app import ExactOnlineSite
    from tests.sandbox.exact_online.switches import Switches
    from tests.sandbox.faults import Script


@dataclasses.dataclass
class Instance:
    """A site and what a user needs to read it."""

    world: World
    app: ExactOnlineSite
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

    def sign_in(self) -> None:
        """Trade the first refresh token and keep the pair where the tap looks for it."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": SEED_REFRESH_TOKEN,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
        answer = requests.post(f"{self.url}/api/oauth2/token", data=form, timeout=10).json()
        write_pair(store_of(with_defaults(self.config)), pair_of(answer, self.app.clock.now()))

    def sign_in_again(self) -> None:
        """Renew the pair when the company's clock was moved beyond its life."""
        config = with_defaults(self.config)
        renew(config, shift=self.app.clock.now() - time.time())


@functools.cache
def _company(bills: int) -> bytes:
    return msgspec.json.encode(generate(seed=7, bills=bills))


@contextlib.contextmanager
def sites(folder: Path) -> Iterator[Callable[..., Instance]]:
    """Starts sites; each is a new company of so many bills."""
    stops: list[Callable[[], object]] = []

    def make(*, bills: int = 40, switches: Switches | None = None, signed_in: bool = True) -> Instance:
        world = World(msgspec.json.decode(_company(bills), type=Company))
        app = create_app(world, switches=switches)
        server = serve(app)
        url = server.__enter__()
        stops.append(lambda: server.__exit__(None, None, None))
        config = {
            "api_url": url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uri": REDIRECT_URI,
            "divisions": sorted(DIVISIONS.values()),
            "token_store_path": str(folder / f"private-{len(stops)}"),
        }
        made = Instance(world, app, url, config)
        if signed_in:
            made.sign_in()
        return made

    try:
        yield make
    finally:
        for stop in stops:
            stop()


@pytest.fixture
def make_instance(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Starts sites; each is a new company of so many bills."""
    with sites(tmp_path) as make:
        yield make


@pytest.fixture
def instance(make_instance: Callable[..., Instance]) -> Instance:
    """A site with a small company, and a token pair in the tap's folder."""
    return make_instance()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew in this process, where a test does not need the other one."""

    def renew_here(config: Any, *, now: float, at_once: bool = False) -> None:
        renew(config, shift=now - time.time(), at_once=at_once)

    monkeypatch.setattr(auth, "renew_apart", renew_here)
