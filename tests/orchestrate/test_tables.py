"""Meltano's tables in a database that many workers meet for the first time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import sqlalchemy as sa

from orchestrate.tables import prepare

if TYPE_CHECKING:
    from tests.orchestrate.fleet import Fleet
    from tests.orchestrate.location import Location


def test_first_runs_at_once_do_not_make_meltanos_tables_twice(fleet: Fleet, location: Location) -> None:
    fleet.add("acumatica", bills=6)
    plan, places = location.load()
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: prepare(places, plan.project.environment), range(4)))
    engine = sa.create_engine(places.meltano_database)
    tables = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    assert {"runs", "state", "plugin_settings", "orchestrate_made"} <= tables
