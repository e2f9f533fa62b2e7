"""When companies are read: by schedule, or when their ERP says that something has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import dagster as dg

from orchestrate.assets import job_name, stream_key
from orchestrate.errors import ConfigError
from orchestrate.states import ask_meltano, read_state

if TYPE_CHECKING:
    from orchestrate.pipelines import Pipeline
    from orchestrate.places import Places

COMPANY = "erp/company"
"""Tag of runs: the company that they read."""
ACTIVE = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_CHANGED = "changed"  # command of an extractor that tells by its exit code
_NOTHING_NEW = 3
_WEBHOOKS = "webhooks"  # command of an extractor that receives events
_WEBHOOK_SECONDS = 15


def is_active(instance: dg.DagsterInstance, company: str) -> bool:
    """Whether a run of a company waits or works: a second one would only wait for it."""
    return instance.get_runs_count(dg.RunsFilter(tags={COMPANY: company}, statuses=ACTIVE)) > 0


def schedule_of(pipeline: Pipeline) -> dg.ScheduleDefinition | None:
    """The schedule of a company, if it has one.

    Raises:
        ConfigError: Its cron expression or zone is none.
    """
    company = pipeline.company
    if not company.schedule:
        return None

    def due(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_active(context.instance, pipeline.name):
            return dg.SkipReason(f"The run of {pipeline.name} before this one has not ended.")
        return dg.RunRequest()

    try:
        return dg.ScheduleDefinition(
            name=f"schedule_{pipeline.name}",
            job_name=job_name(pipeline),
            cron_schedule=company.schedule,
            execution_timezone=company.time_zone,
            execution_fn=due,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigError(
            f"companies.{pipeline.name}: schedule '{company.schedule}' in time_zone '{company.time_zone}' is not valid."
        ) from error


def watch_of(pipeline: Pipeline, places: Places) -> dg.SensorDefinition | None:
    """A sensor that asks the ERP by one small call per stream whether a run is worth while.

    Raises:
        ConfigError: The extractor cannot tell.
    """
    seconds = pipeline.company.watch_seconds
    if not seconds:
        return None
    if _CHANGED not in pipeline.extractor.commands:
        raise ConfigError(
            f"companies.{pipeline.name}: watch_seconds is set, but {pipeline.extractor.name} cannot tell what is new."
        )

    def look(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_active(context.instance, pipeline.name):
            return dg.SkipReason(f"A run of {pipeline.name} is under way.")
        state = read_state(pipeline, places, pipeline.name)
        if not state:
            return dg.SkipReason(
                f"{pipeline.name} has never been read; its first run is its schedule's, or yours."
            )
        done = ask_meltano(
            pipeline,
            places,
            "invoke",
            f"{pipeline.extractor.name}:{_CHANGED}",
            given=json.dumps(state),
            well=(0, _NOTHING_NEW),
        )
        told = (done.stdout.strip().splitlines() or [""])[-1]
        return dg.SkipReason(told) if done.returncode else dg.RunRequest(tags={"erp/because": told[:200]})

    return dg.SensorDefinition(
        name=f"watch_{pipeline.name}",
        job_name=job_name(pipeline),
        evaluation_fn=look,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Asks whether anything has changed in {pipeline.name}.",
    )


def event_key(pipeline: Pipeline) -> dg.AssetKey:
    """The asset that stands for the events which an ERP sends of a company."""
    return dg.AssetKey([pipeline.erp, pipeline.name, "events"])


def has_events(pipeline: Pipeline) -> bool:
    """Whether the ERP of a company sends events."""
    return _WEBHOOKS in pipeline.extractor.commands


def event_spec(pipeline: Pipeline) -> dg.AssetSpec:
    """The asset of a company's events."""
    return dg.AssetSpec(
        event_key(pipeline),
        description=f"What {pipeline.name} has told of itself, by `python -m orchestrate changed {pipeline.name}`.",
        group_name=pipeline.name,
        kinds={"webhook"},
    )


def note_change(instance: dg.DagsterInstance, pipeline: Pipeline, streams: list[str]) -> None:
    """Note that something has changed, so that the sensor asks for a run.

    Args:
        instance: Dagster's instance.
        pipeline: The company.
        streams: What has changed, as far as it is known; empty for all.
    """
    instance.report_runless_asset_event(
        dg.AssetMaterialization(event_key(pipeline), metadata={"streams": ",".join(streams)})
    )


def events_of(pipeline: Pipeline) -> dg.AssetSensorDefinition | None:
    """A sensor that reads what events have touched."""
    if not has_events(pipeline):
        return None
    known = {stream.name for stream in pipeline.streams}

    def react(context: dg.SensorEvaluationContext, event: dg.EventLogEntry) -> dg.RunRequest | dg.SkipReason:
        metadata = event.asset_materialization.metadata if event.asset_materialization else {}
        told = str(metadata["streams"].value) if "streams" in metadata else ""
        touched = sorted(known.intersection(filter(None, told.split(","))))
        if told and not touched:
            return dg.SkipReason(f"Nothing of {told} is read of {pipeline.name}.")
        chosen = [stream_key(pipeline, name) for name in touched] or None
        return dg.RunRequest(run_key=f"{pipeline.name} {context.cursor}", asset_selection=chosen)

    return dg.AssetSensorDefinition(
        name=f"events_{pipeline.name}",
        asset_key=event_key(pipeline),
        job_name=job_name(pipeline),
        asset_materialization_fn=react,
        minimum_interval_seconds=_WEBHOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Reads what events of {pipeline.name} have touched.",
    )
