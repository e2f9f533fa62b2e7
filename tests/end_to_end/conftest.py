"""Pipelines of each ERP, over a small company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.sandbox.acumatica import CLIENT_ID, CLIENT_SECRET, INSTANCE, PASSWORD, USER_NAME
from tests.sandbox.acumatica.app import create_app as acumatica
from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.epicor_kinetic import API_KEY, COMPANIES
from tests.sandbox.epicor_kinetic import INSTANCE as KINETIC
from tests.sandbox.epicor_kinetic import PASSWORD as KINETIC_PASSWORD
from tests.sandbox.epicor_kinetic import USER_NAME as KINETIC_USER
from tests.sandbox.epicor_kinetic.app import create_app as epicor_kinetic
from tests.sandbox.sage_intacct.app import create_app as sage_intacct
from tests.sandbox.serving import serve
from tests.sandbox.syspro import COMPANIES as SYSPRO_COMPANIES
from tests.sandbox.syspro import ODATA_PASSWORD, ODATA_USER_NAME
from tests.sandbox.syspro.app import create_app as syspro
from tests.tap_acumatica.harness import run_tap as run_acumatica
from tests.tap_epicor_kinetic.harness import run_tap as run_epicor_kinetic
from tests.tap_exact_online.conftest import sites as exact_online_sites
from tests.tap_exact_online.harness import run_tap as run_exact_online
from tests.tap_sage_intacct.conftest import config_of as sage_intacct_config
from tests.tap_sage_intacct.harness import run_tap as run_sage_intacct
from tests.tap_syspro.conftest import SEGMENTS
from tests.tap_syspro.harness import run_tap as run_syspro
from tests.target_tableau.conftest import Server, servers
from tests.target_tableau.support import lend_engines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


from tests.end_to_end.pipeline import Pipeline


@pytest.fixture(autouse=True)
def _lent_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    lend_engines(monkeypatch)


@pytest.fixture
def world() -> World:
    return World(msgspec.json.decode(msgspec.json.encode(generate(seed=7, bills=40)), type=Company))


@pytest.fixture
def tableau_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with servers(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def on_acumatica(world: World, tmp_path: Path) -> Iterator[Pipeline]:
    app = acumatica(world)
    with serve(app) as url:
        config = {
            "base_url": f"{url}/{INSTANCE}",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "username": USER_NAME,
            "password": PASSWORD,
            "token_store_path": str(tmp_path / "private"),
            "emit_activate_version_messages": True,
        }
        yield Pipeline("tap-acumatica", world, run_acumatica, config, tmp_path / "output", app)
    app.close()


@pytest.fixture
def on_sage_intacct(world: World, tmp_path: Path) -> Iterator[Pipeline]:
    app = sage_intacct(world)
    with serve(app) as url:
        config = {**sage_intacct_config(url, tmp_path / "cache"), "emit_activate_version_messages": True}
        yield Pipeline("tap-sage-intacct", world, run_sage_intacct, config, tmp_path / "output")
    app.close()


@pytest.fixture
def on_exact_online(tmp_path: Path) -> Iterator[Pipeline]:
    with exact_online_sites(tmp_path) as make:
        instance = make(bills=40)

        def run(config: dict[str, Any], *streams: str, state: dict[str, Any]) -> Any:
            return run_exact_online(instance, *streams, config=config, state=state)

        config = instance.with_(emit_activate_version_messages=True)
        yield Pipeline("tap-exact-online", instance.world, run, config, tmp_path / "output")


@pytest.fixture
def on_epicor_kinetic(world: World, tmp_path: Path) -> Iterator[Pipeline]:
    app = epicor_kinetic(world)
    with serve(app) as url:
        config = {
            "base_url": f"{url}/{KINETIC}",
            "companies": list(COMPANIES),
            "api_key": API_KEY,
            "username": KINETIC_USER,
            "password": KINETIC_PASSWORD,
            "cache_path": str(tmp_path / "cache"),
            "offered_columns": "useful",
            "full_refresh_days": 1,
            "emit_activate_version_messages": True,
        }
        yield Pipeline("tap-epicor-kinetic", world, run_epicor_kinetic, config, tmp_path / "output", app)


@pytest.fixture
def on_syspro(world: World, tmp_path: Path) -> Iterator[Pipeline]:
    app = syspro(world)
    with serve(app) as url:
        config = {
            "base_url": url,
            "companies": list(SYSPRO_COMPANIES),
            "odata_username": ODATA_USER_NAME,
            "odata_password": ODATA_PASSWORD,
            "gl_segments": SEGMENTS,
            "store_path": str(tmp_path / "private"),
            "emit_activate_version_messages": True,
        }
        yield Pipeline("tap-syspro", world, run_syspro, config, tmp_path / "output")
    app.close()
