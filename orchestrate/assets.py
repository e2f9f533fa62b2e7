"""Assets: every stream of a company, and downstream the data sources, models and snapshots that it fills.

One `meltano run` reads all streams of a company and publishes what changed, so a company is one operation with many
assets. Data sources are filled by the runs of one or more companies and cannot be made alone: they stand in the graph
as external assets, and each run reports what it has published.
"""

# Dagster looks at the annotations of what it runs and takes no strings for them: no `from __future__` here.

import datetime as dt
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestrate.errors import OrchestrateError
from orchestrate.pipelines import Pipeline, Plan
from orchestrate.places import Places
from orchestrate.runs import BusyError, Report, meltano_run
from target_tableau.ledger import Status

_NOISE = re.compile(
    r"Skipping|Starting|Beginning|Using|Reading|Reader|Incremental state|Meltano \d|Environment|$"
)
"""What runs say in passing: each line kept would be a row of Dagster's event log."""
_COUNTS = ("new", "changed", "deleted", "unchanged", "rejected", "total", "seconds", "bytes_sent")


def stream_key(pipeline: Pipeline, stream: str) -> dg.AssetKey:
    """The asset of a stream: ERP, company, stream."""
    return dg.AssetKey([pipeline.erp, pipeline.name, stream])


def published_key(source: str, name: str) -> dg.AssetKey:
    """The asset of a data source: Tableau, source, stream or model."""
    return dg.AssetKey(["tableau", source.replace("-", "_"), name])


def _freshness(pipeline: Pipeline) -> dg.FreshnessPolicy | None:
    minutes = pipeline.company.freshness_minutes
    return dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(minutes=minutes)) if minutes else None


def stream_specs(pipeline: Pipeline) -> list[dg.AssetSpec]:
    """The assets of a company's streams."""
    return [
        dg.AssetSpec(
            stream_key(pipeline, stream.name),
            description=f"Stream {stream.name} of {pipeline.name}, read by {pipeline.extractor.name}.",
            group_name=pipeline.name,
            kinds={"meltano"},
            skippable=True,
            metadata={
                "state_id": pipeline.state_id,
                "keys": ", ".join(stream.keys) or "none",
                "replication_key": stream.replication_key or "none: read whole",
            },
            tags={"erp/name": pipeline.erp, "erp/credential": pipeline.company.credential},
        )
        for stream in pipeline.streams
    ]


def published_specs(plan: Plan) -> list[dg.AssetSpec]:
    """The assets of data sources, models and snapshots."""
    specs = []
    for source, pipelines in plan.sources().items():
        slug = pipelines[0].name if source.endswith(f"-{pipelines[0].name}") else source.replace("-", "_")
        policy = _freshness(pipelines[0])
        upstream: dict[str, list[dg.AssetKey]] = {}
        derived: dict[str, list[dg.AssetKey]] = {}
        for pipeline in pipelines:
            for stream in pipeline.streams:
                upstream.setdefault(stream.name, []).append(stream_key(pipeline, stream.name))
            for each in pipeline.derived:
                keys = derived.setdefault(each.name, [])
                keys += [key for name in each.streams if (key := published_key(source, name)) not in keys]
        for name, keys in {**upstream, **derived}.items():
            kind = "model" if name in derived else "data source"
            specs.append(
                dg.AssetSpec(
                    published_key(source, name),
                    deps=keys,
                    description=f"Tableau {kind} {name} of {source}, published by the loads of its streams.",
                    group_name=f"{slug}_tableau",
                    kinds={"tableau"},
                    freshness_policy=policy,
                )
            )
    return specs


def company_assets(plan: Plan, pipeline: Pipeline, places: Places) -> dg.AssetsDefinition:
    """The operation that reads a company."""
    company = pipeline.company

    @dg.multi_asset(
        name=f"{pipeline.erp}__{pipeline.name}",
        specs=stream_specs(pipeline),
        can_subset=True,
        pool=pipeline.pool,
        retry_policy=retries_of(pipeline),
        op_tags={"erp/company": pipeline.name, "erp/state_id": pipeline.state_id},
    )
    def read_company(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        chosen = {key.path[-1] for key in context.selected_asset_keys}
        try:
            report = meltano_run(plan, pipeline, places, streams=chosen, tell=teller(context))
        except BusyError as busy:
            raise dg.RetryRequested(max_retries=company.retries or 0, seconds_to_wait=30) from busy
        except OrchestrateError as failure:
            raise dg.Failure(description=str(failure), metadata={"company": pipeline.name}) from failure
        _report_published(context, pipeline, report)
        for stream in sorted(chosen):
            yield dg.MaterializeResult(
                asset_key=stream_key(pipeline, stream), metadata=_metadata_of_stream(report, stream)
            )

    return read_company


def retries_of(pipeline: Pipeline) -> dg.RetryPolicy:
    """How failed operations of a company are tried again."""
    company = pipeline.company
    return dg.RetryPolicy(
        max_retries=company.retries or 0,
        delay=company.retry_delay_seconds,
        backoff=dg.Backoff.EXPONENTIAL,
        jitter=dg.Jitter.PLUS_MINUS,
    )


def company_job(pipeline: Pipeline) -> UnresolvedAssetJobDefinition:
    """The job that reads a company; its tags tell the queue and the sensors whose run it is."""
    return dg.define_asset_job(
        job_name(pipeline),
        selection=dg.AssetSelection.assets(
            *(stream_key(pipeline, stream.name) for stream in pipeline.streams)
        ),
        description=f"Read what is new in {pipeline.name} and publish it.",
        tags={"erp/company": pipeline.name, "erp/state_id": pipeline.state_id},
    )


def job_name(pipeline: Pipeline) -> str:
    """The name of the job that reads a company."""
    return f"read_{pipeline.name}"


def teller(context: dg.AssetExecutionContext) -> Callable[[int, str], None]:
    """Hands what a run logs on to Dagster's log."""

    def tell(level: int, text: str) -> None:
        if level > logging.INFO or (level == logging.INFO and not _NOISE.match(text)):
            context.log.log(level, text)

    return tell


def _metadata_of_stream(report: Report, stream: str) -> dict[str, Any]:
    load = report.loads.get(stream) or {}
    metadata: dict[str, Any] = {
        "dagster/row_count": load.get("total"),
        "rows_read": report.rows.get(stream, 0),
        "bookmark": report.bookmarks.get(stream),
        "load_id": load.get("load_id"),
        "run_id": report.run_id,
        "calls_of_run": report.calls,
        **{f"rows_{name}": load.get(name) for name in ("new", "changed", "deleted", "rejected")},
    }
    return {name: value for name, value in metadata.items() if value is not None}


def _report_published(context: dg.AssetExecutionContext, pipeline: Pipeline, report: Report) -> None:
    """Tell which data sources the run has published, and which it has found up to date."""
    loaded = {name for name, load in report.loads.items() if load["status"] == Status.DONE.value}
    for derived in pipeline.derived:
        if derived.name not in report.loads and loaded.issuperset(derived.streams):
            # nothing that it is made of has changed, so it was not made anew and is as fresh as they are
            context.log_event(
                dg.AssetMaterialization(
                    published_key(pipeline.source, derived.name), metadata={"company": pipeline.name}
                )
            )
    for name, load in report.loads.items():
        if load["status"] != Status.DONE.value:
            continue
        metadata = {
            "dagster/row_count": load["total"],
            "load_id": load["load_id"],
            "company": pipeline.name,
            "name": load["datasource"],
            "id": load["datasource_luid"],
            "job_id": load["job"],
            "publish_mode": load["publish_mode"],
            **{count: load[count] for count in _COUNTS},
        }
        context.log_event(
            dg.AssetMaterialization(
                published_key(pipeline.source, name),
                metadata={key: value for key, value in metadata.items() if value is not None},
            )
        )
