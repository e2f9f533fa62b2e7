"""A backfill: months side by side, one publish, and bookmarks from which nothing is missed."""

from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from orchestrate.backfill import Month, going_on, months_of
from orchestrate.backfill_assets import delivery_key, history_key
from orchestrate.states import read_state
from tests.orchestrate.location import Location, metadata_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.orchestrate.fleet import Fleet, Site


def bookmark(value: str | None, **more: Any) -> dict[str, Any]:
    return {"replication_key": "modified", "replication_key_value": value, **more}


def test_a_stream_goes_on_from_the_backfill_unless_it_stands_before_it() -> None:
    reached = {name: bookmark("2026-07-01") for name in ("new", "later", "before", "divisions")}
    reached["divisions"] = {
        "partitions": [{"context": {"division": 1}, "replication_key_value": "2026-07-01"}]
    }
    live = {
        "later": bookmark("2026-07-20", deletions_read_until="2026-07-20"),
        "before": bookmark("2026-02-01"),
        "divisions": {"partitions": [{"context": {"division": 1}, "replication_key_value": "2026-08-01"}]},
        "untouched": {"completed_at": "2026-07-20"},
    }
    assert going_on(live, reached) == {
        **live,
        "new": bookmark("2026-07-01"),
        "later": bookmark("2026-07-01"),  # what was deleted since is read again
        "divisions": reached["divisions"],
    }


def test_months_are_those_that_are_over(fleet: Fleet, location: Location) -> None:
    site = fleet.add("acumatica", bills=6, backfill_from="2025-11")
    pipeline = location.load()[0].pipelines[site.companies[0]]
    names = [month.name for month in months_of(pipeline, dt.date(2026, 2, 1))]
    assert names == ["2025-11", "2025-12", "2026-01"]
    assert [month.name for month in months_of(pipeline, dt.date(2026, 1, 31))] == ["2025-11", "2025-12"]
    assert Month.named("2025-12-01").following.name == "2026-01"
    assert {stream.name for stream in pipeline.backfilled} == set(site.erp.streams) - {"gl_balances"}


@dataclasses.dataclass
class Backfill:
    """A company with a backfill."""

    fleet: Fleet
    location: Location
    site: Site

    @property
    def company(self) -> str:
        return self.site.companies[0]

    def read(self, month: str, *, well: bool = True) -> dg.ExecuteInProcessResult:
        definitions = self.location.definitions()
        pipeline = self.location.load()[0].pipelines[self.company]
        job = definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.location.instance,
            asset_selection=[history_key(pipeline)],
            partition_key=f"{month}-01",
            raise_on_error=well,
        )

    def publish(self, *, well: bool = True) -> dg.ExecuteInProcessResult:
        job = self.location.definitions().resolve_job_def(f"publish_history_of_{self.company}")
        return job.execute_in_process(instance=self.location.instance, raise_on_error=well)

    def wants_to_publish(self) -> bool:
        definitions = self.location.definitions()
        sensor = definitions.resolve_sensor_def(f"history_{self.company}")
        with dg.build_sensor_context(instance=self.location.instance, definitions=definitions) as context:
            return bool(sensor.evaluate_tick(context).run_requests)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("erp", ["acumatica", "sage_intacct"])
def test_a_backfill_is_read_side_by_side_and_published_once(fleet: Fleet, tmp_path: Path, erp: str) -> None:
    # an instance in memory lets no two threads read while one writes
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        check_backfill(fleet, Location(fleet, instance, tmp_path / "work"), erp)


def check_backfill(fleet: Fleet, location: Location, erp: str) -> None:
    site = fleet.add(erp, bills=20, backfill_from="2024-12")
    fleet.content["credentials"][f"{erp}_0"]["max_concurrent_runs"] = 3
    backfill = Backfill(fleet, location, site)
    plan, places = location.load()
    pipeline = plan.pipelines[backfill.company]
    months = [month.name for month in months_of(pipeline, dt.datetime.now(dt.UTC).date())]
    first, *others = months
    result = backfill.publish(well=False)
    assert not result.success  # nothing has been read
    with ThreadPoolExecutor(3) as side_by_side:
        list(side_by_side.map(backfill.read, others))
    assert not backfill.wants_to_publish()
    result = backfill.publish(well=False)
    failed = next(event for event in result.all_events if event.is_step_failure)
    assert first in str(failed.step_failure_data.user_failure_data)
    assert [write.kind for write in fleet.tableau.state.writes] == []
    # the company lives on, and loses a document that has been read already, while the last month is read
    site.world.life.live(15)
    backfill.read(first)
    assert backfill.wants_to_publish()
    backfill.publish()
    assert not backfill.wants_to_publish()
    event = location.instance.get_latest_materialization_event(delivery_key(pipeline))
    assert event is not None
    assert metadata_of(event.asset_materialization)["months"] == len(months)
    writes = [write.name for write in fleet.tableau.state.writes if write.kind == "publish"]
    assert f"{site.source} bills" in writes
    assert len(writes) == len(set(writes))
    state = read_state(pipeline, places, backfill.company)
    reached = state["bookmarks"]["bills"]["replication_key_value"]
    # what lies behind the backfill is the company's own next run
    location.materialize(backfill.company)
    fleet.check_books(site)
    later = read_state(pipeline, places, backfill.company)["bookmarks"]["bills"]["replication_key_value"]
    assert later >= reached
    assert not places.backfills.joinpath(backfill.company, first).exists()
