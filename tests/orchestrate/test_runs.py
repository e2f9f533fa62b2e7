"""A company is read by `meltano run`, and Dagster knows what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.orchestrate.location import metadata_of

if TYPE_CHECKING:
    from tests.orchestrate.fleet import Fleet
    from tests.orchestrate.location import Location


def test_a_run_loads_a_company_and_tells_rows_bookmark_load_and_calls(
    fleet: Fleet, location: Location
) -> None:
    site = fleet.add("acumatica")
    (company,) = site.companies
    result = location.materialize(company)
    fleet.check_books(site)
    (step,) = [event for event in result.all_events if event.is_step_success]
    assert step.step_key == f"acumatica__{company}"
    events = {
        event.asset_key.to_user_string(): metadata_of(event.materialization)
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    bills = events[f"acumatica/{company}/bills"]
    rows = fleet.rows(site, "bills")
    assert (bills["rows_read"], bills["rows_new"], bills["dagster/row_count"]) == (rows, rows, rows)
    assert bills["bookmark"]["replication_key"] == "last_modified_date_time"
    assert bills["calls_of_run"] > 5
    published = events[f"tableau/{site.source.replace('-', '_')}/bills"]
    assert published["load_id"] == bills["load_id"]
    assert published["name"] == f"{site.source} bills"
    assert published["company"] == company
