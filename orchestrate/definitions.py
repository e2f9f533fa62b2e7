"""The code location: what Dagster loads.

Environment variables say where things are: `ORCHESTRATE_COMPANIES` (the companies file, by default
`orchestrate/companies.yml`), `ORCHESTRATE_CATALOGS` (by default the catalogs that come with this package) and
`ORCHESTRATE_WORK_DIR`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from orchestrate.assets import company_assets, company_job, published_specs
from orchestrate.backfill_assets import backfill_assets, delivery_job, delivery_sensor
from orchestrate.health import sensors
from orchestrate.pipelines import Plan, read_plan
from orchestrate.places import CATALOGS, COMPANIES, PROJECT_ROOT, Places
from orchestrate.timing import event_spec, events_of, has_events, schedule_of, watch_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent


def catalogs_dir(variables: Mapping[str, str] = os.environ) -> Path:
    """The folder of the catalogs."""
    return Path(variables.get(CATALOGS) or PACKAGE / "catalogs")


def plan_of(variables: Mapping[str, str] = os.environ, *, with_streams: bool = True) -> tuple[Plan, Places]:
    """The plan and the places that the environment names.

    Args:
        variables: The environment.
        with_streams: Read the catalogs; without, every pipeline is empty.

    Raises:
        ConfigError: Something is wrong; one line.
    """
    root = Path(variables.get(PROJECT_ROOT) or ROOT)
    companies = Path(variables.get(COMPANIES) or PACKAGE / "companies.yml")
    plan = read_plan(root, companies, catalogs_dir(variables) if with_streams else None)
    return plan, Places.find(root, plan.file, variables)


def definitions_of(plan: Plan, places: Places) -> dg.Definitions:
    """Everything that Dagster is to know.

    Raises:
        ConfigError: Something in the companies file does not work out.
    """
    pipelines = list(plan.pipelines.values())
    watches = [
        each for pipeline in pipelines for each in (watch_of(pipeline, places), events_of(pipeline)) if each
    ]
    backfilled = [pipeline for pipeline in pipelines if pipeline.backfilled]
    return dg.Definitions(
        assets=[
            *(asset for pipeline in backfilled for asset in backfill_assets(plan, pipeline, places)),
            *(company_assets(plan, pipeline, places) for pipeline in pipelines),
            *published_specs(plan),
            *(event_spec(pipeline) for pipeline in pipelines if has_events(pipeline)),
        ],
        jobs=[*map(company_job, pipelines), *map(delivery_job, backfilled)],
        schedules=[each for each in map(schedule_of, pipelines) if each is not None],
        sensors=[*watches, *map(delivery_sensor, backfilled), *sensors(plan, places)],
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev -m orchestrate.definitions` loads."""
    return definitions_of(*plan_of())
