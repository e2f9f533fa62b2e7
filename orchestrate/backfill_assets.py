"""A backfill in the asset graph: an asset with a partition per month, and its delivery when all are there."""

# Dagster looks at the annotations of what it runs and takes no strings for them: no `from __future__` here.

import datetime as dt
from typing import Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestrate.assets import retries_of, teller
from orchestrate.backfill import Month, deliver, months_of, read_month
from orchestrate.errors import OrchestrateError
from orchestrate.pipelines import Pipeline, Plan
from orchestrate.places import Places
from orchestrate.runs import BusyError

_SECONDS = 30


def history_key(pipeline: Pipeline) -> dg.AssetKey:
    """The asset whose partitions are the months of a company's backfill."""
    return dg.AssetKey([pipeline.erp, pipeline.name, "history"])


def delivery_key(pipeline: Pipeline) -> dg.AssetKey:
    """The asset that stands for a backfill which is published."""
    return dg.AssetKey([pipeline.erp, pipeline.name, "history_published"])


def backfill_assets(plan: Plan, pipeline: Pipeline, places: Places) -> list[dg.AssetsDefinition]:
    """The months of a company, and their delivery."""
    streams = [stream.name for stream in pipeline.backfilled]
    months = dg.MonthlyPartitionsDefinition(start_date=f"{pipeline.company.backfill_from}-01")

    @dg.asset(
        key=history_key(pipeline),
        partitions_def=months,
        pool=pipeline.pool,
        retry_policy=retries_of(pipeline),
        group_name=pipeline.name,
        kinds={"meltano"},
        description=f"One month of {', '.join(streams)}, read into a journal.",
        op_tags={"erp/company": pipeline.name},
    )
    def history(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        month = Month.named(context.partition_key)
        try:
            report = read_month(pipeline, places, month, teller(context))
        except BusyError as busy:
            raise dg.RetryRequested(max_retries=pipeline.company.retries or 0, seconds_to_wait=30) from busy
        except OrchestrateError as failure:
            raise dg.Failure(str(failure)) from failure
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(report.rows.values()),
                "rows": report.rows,
                "calls_of_run": report.calls or 0,
                "run_id": report.run_id,
            }
        )

    @dg.asset(
        key=delivery_key(pipeline),
        deps=[dg.AssetDep(history_key(pipeline), partition_mapping=dg.AllPartitionMapping())],
        retry_policy=retries_of(pipeline),
        group_name=pipeline.name,
        kinds={"tableau"},
        description="All months as one load, published once; then the company's own runs go on behind them.",
        op_tags={"erp/company": pipeline.name, "erp/state_id": pipeline.state_id},
    )
    def history_published(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        try:
            report = deliver(plan, pipeline, places, teller(context))
        except BusyError as busy:
            raise dg.RetryRequested(max_retries=pipeline.company.retries or 0, seconds_to_wait=30) from busy
        except OrchestrateError as failure:
            raise dg.Failure(str(failure)) from failure
        months = months_of(pipeline, dt.datetime.now(dt.UTC).date())
        return dg.MaterializeResult(metadata={"months": len(months), "token": report.token})

    return [history, history_published]


def _delivery_job_name(pipeline: Pipeline) -> str:
    return f"publish_history_of_{pipeline.name}"


def delivery_job(pipeline: Pipeline) -> UnresolvedAssetJobDefinition:
    """The job that publishes a backfill."""
    return dg.define_asset_job(
        _delivery_job_name(pipeline),
        selection=dg.AssetSelection.assets(delivery_key(pipeline)),
        tags={"erp/company": pipeline.name, "erp/state_id": pipeline.state_id},
    )


def delivery_sensor(pipeline: Pipeline) -> dg.SensorDefinition:
    """Publishes a backfill once all of its months have been read."""

    def look(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        instance = context.instance
        wanted = {f"{month.first}" for month in months_of(pipeline, dt.datetime.now(dt.UTC).date())}
        missing = wanted - set(instance.get_materialized_partitions(history_key(pipeline)))
        if missing:
            return dg.SkipReason(f"{len(missing)} of {len(wanted)} months have not been read.")
        read = instance.get_latest_materialization_event(history_key(pipeline))
        published = instance.get_latest_materialization_event(delivery_key(pipeline))
        if read is None or (published is not None and published.timestamp > read.timestamp):
            return dg.SkipReason("All months have been read and published.")
        return dg.RunRequest(run_key=f"{pipeline.name} {read.timestamp}")

    return dg.SensorDefinition(
        name=f"history_{pipeline.name}",
        job_name=_delivery_job_name(pipeline),
        evaluation_fn=look,
        minimum_interval_seconds=_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Publishes the backfill of {pipeline.name} once all of its months have been read.",
    )
