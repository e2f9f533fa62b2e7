"""What is wrong with the loads and runs of all companies, told once to those whom the loader's alerts reach."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dagster as dg

from orchestrate.companies import expanded
from orchestrate.errors import OrchestrateError
from orchestrate.timing import COMPANY
from target_tableau import alerts
from target_tableau.errors import LockedError, TargetTableauError
from target_tableau.health import find, now_utc
from target_tableau.incidents import Health, Incident, compare, note_told
from target_tableau.ledger import Ledger
from target_tableau.settings import Settings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from orchestrate.pipelines import Pipeline, Plan
    from orchestrate.places import Places

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_SECONDS = 60


def look(
    plan: Plan, places: Places, instance: dg.DagsterInstance, variables: Mapping[str, str] = os.environ
) -> Health:
    """Find what is wrong, and tell what is new and what is over.

    Raises:
        OrchestrateError: The ledger cannot be read, or an alert could not be delivered.
    """
    urls = str(expanded(plan.file.alert_urls, variables, "alert_urls") or "").split()
    heartbeat = expanded(plan.file.heartbeat_url, variables, "heartbeat_url")
    now = now_utc()
    try:
        ledger = Ledger(places.database_url, places.output)
        try:
            with ledger.exclusive("the look for incidents", 0):
                found = list(_incidents(plan, places, instance, ledger, now))
                state = compare(ledger, found, plan.sources(), now)
                if urls and state.has_news:
                    alerts.send(urls, state, "")
                    note_told(ledger, state, now)
        finally:
            ledger.close()
        if heartbeat:
            alerts.beat(heartbeat)
    except LockedError:
        return Health([], [], [])  # another looks at this moment
    except TargetTableauError as failure:
        raise OrchestrateError(str(failure)) from failure
    return state


def _incidents(
    plan: Plan, places: Places, instance: dg.DagsterInstance, ledger: Ledger, now: dt.datetime
) -> Iterator[Incident]:
    told: dict[tuple[str, str, str], Incident] = {}
    for pipelines in plan.sources().values():
        config = {**plan.project.loader.config, **pipelines[0].loader_config(places)}
        of_source = find(Settings.from_config(_told_of(config)), ledger, now)
        if not any(incident.kind == "failed" for incident in of_source):
            of_source += failed_runs(instance, pipelines)
        for incident in of_source:
            told.setdefault(incident.key, incident)
    yield from told.values()


def _told_of(config: Mapping[str, object]) -> dict[str, object]:
    """The settings by which data sources are named and promised; how to sign in does not matter here."""
    names = ("source", "output_dir", "datasource_name", "datasources", "freshness_minutes", "project")
    return {name: config[name] for name in names if config.get(name) is not None}


def failed_runs(instance: dg.DagsterInstance, pipelines: Iterable[Pipeline]) -> list[Incident]:
    """Companies whose last run failed: a tap that cannot sign in leaves no load behind."""
    found = []
    for pipeline in pipelines:
        filters = dg.RunsFilter(tags={COMPANY: pipeline.name}, statuses=_ENDED)
        for record in instance.get_run_records(filters, limit=1):
            run = record.dagster_run
            if run.status == dg.DagsterRunStatus.FAILURE:
                told = (
                    f"The run of '{pipeline.name}' of {record.create_timestamp:%Y-%m-%d %H:%M} UTC failed: "
                    f"{_reason(instance, run.run_id)} See run {run.run_id} in Dagster."
                )
                found.append(Incident("run", pipeline.name, told, pipeline.source))
    return found


def _reason(instance: dg.DagsterInstance, run_id: str) -> str:
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    for entry in entries:
        data = entry.dagster_event.step_failure_data if entry.dagster_event else None
        if data is not None and data.user_failure_data is not None and data.user_failure_data.description:
            return str(data.user_failure_data.description)
    return "its process ended without a word."


def sync_pools(plan: Plan, instance: dg.DagsterInstance) -> list[str]:
    """Give every pool the size that the file says, and return the names of those that had another."""
    storage = instance.event_log_storage
    known = {pool.name: pool.limit for pool in storage.get_pool_limits() if not pool.from_default}
    changed = [name for name, limit in plan.pools().items() if known.get(name) != limit]
    for name in changed:
        storage.set_concurrency_slots(name, plan.pools()[name])
    return changed


def sensors(plan: Plan, places: Places) -> list[dg.SensorDefinition]:
    """The look every minute, and at once when a run has failed."""

    def look_around(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        sync_pools(plan, context.instance)
        state = look(plan, places, context.instance)
        return dg.SkipReason(" ".join(incident.told for incident in state.begun) or "Nothing new.")

    def tell_of_failure(context: dg.RunFailureSensorContext) -> None:
        look(plan, places, context.instance)

    return [
        dg.SensorDefinition(
            name="health",
            evaluation_fn=look_around,
            minimum_interval_seconds=_SECONDS,
            default_status=dg.DefaultSensorStatus.RUNNING,
            description="Tells of incidents once, and keeps the sizes of the pools as the companies file says.",
        ),
        dg.run_failure_sensor(name="failures", default_status=dg.DefaultSensorStatus.RUNNING)(
            tell_of_failure
        ),
    ]
