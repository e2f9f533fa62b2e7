"""Keeps what the sandbox answers to one tap: `python -m tests.benchmarks.recorder TAP FOLDER ROWS`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.erps import BY_TAP
from tests.benchmarks.reading import CATALOG, NOW, SETTINGS, TAPE, by_tap, select, tap_of, tell
from tests.benchmarks.tape import recording
from tests.sandbox.acumatica.app import create_app as acumatica_app
from tests.sandbox.company.generate import generate
from tests.sandbox.company.world import World
from tests.sandbox.epicor_kinetic.app import create_app as epicor_app
from tests.sandbox.exact_online.app import create_app as exact_app
from tests.sandbox.exact_online.switches import Switches as ExactSwitches
from tests.sandbox.sage_intacct.app import create_app as intacct_app
from tests.sandbox.serving import serve
from tests.sandbox.syspro.app import create_app as syspro_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

LINES_PER_BILL = 10.8
_NO_LIMIT = 1_000_000_000
_DAY_SECONDS = 86_400


def _exact_server(world: World) -> ASGIApp:
    switches = ExactSwitches(
        clock="real", access_token_seconds=_DAY_SECONDS, minute_limit=_NO_LIMIT, day_limit=_NO_LIMIT
    )
    return exact_app(world, switches=switches)


_SERVERS: dict[str, Callable[[World], ASGIApp]] = {
    "tap-acumatica": acumatica_app,
    "tap-sage-intacct": intacct_app,
    "tap-syspro": syspro_app,
    "tap-exact-online": _exact_server,
    "tap-epicor-kinetic": epicor_app,
}


def record(tap: str, folder: Path, rows: int) -> None:
    """Read a company of about so many ledger lines by the tap, and keep all answers."""
    erp = BY_TAP[tap]
    world = World(generate(seed=7, bills=max(int(rows / LINES_PER_BILL), 5)))
    private = folder / "private"
    private.mkdir(parents=True)
    with serve(_SERVERS[tap](world)) as url:
        settings = erp.config(url, private)
        (folder / SETTINGS).write_text(json.dumps({**settings, NOW: time.time()}), encoding="utf-8")
        with tap_of(erp, folder, catalog=False) as finder:
            catalog = select(json.loads(finder.catalog_json_text), erp.stream)
        (folder / CATALOG).write_text(json.dumps(catalog), encoding="utf-8")
        with recording(folder / TAPE):
            tell("record", folder, by_tap(erp, folder))


if __name__ == "__main__":
    record(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
