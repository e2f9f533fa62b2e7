"""Incidents of all companies are told once, to those whom the loader's alerts reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from orchestrate.health import look
from orchestrate.timing import COMPANY
from tests.orchestrate.location import Location
from tests.sandbox.serving import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

    from tests.orchestrate.fleet import Fleet


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What was told, and before it the address that takes it."""
    heard: list[Any] = []

    async def take(request: Request) -> Response:
        heard.append(await request.json())
        return Response(status_code=200)

    with serve(Starlette(routes=[Route("/alert", take, methods=["POST"])])) as url:
        heard.append(f"{url.replace('http://', 'json://')}/alert")
        yield heard


def test_a_company_whose_run_fails_is_told_of_once_and_again_when_it_is_over(
    fleet: Fleet, tmp_path: Path, told: list[Any]
) -> None:
    site = fleet.add("acumatica", bills=6)
    (company,) = site.companies
    fleet.content["alert_urls"] = told.pop()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        location = Location(fleet, instance, tmp_path / "work")
        plan, places = location.load()
        job = location.definitions().resolve_job_def(f"read_{company}")

        def run(status: dg.DagsterRunStatus) -> None:
            instance.create_run_for_job(job, status=status, tags={COMPANY: company})

        run(dg.DagsterRunStatus.FAILURE)
        (begun,) = look(plan, places, instance, {}).begun
        assert (begun.kind, begun.subject) == ("run", company)
        assert len(told) == 1
        assert company in told[0]["message"]
        assert look(plan, places, instance, {}).begun == []
        assert len(told) == 1
        run(dg.DagsterRunStatus.SUCCESS)
        assert [incident.subject for incident in look(plan, places, instance, {}).over] == [company]
        assert len(told) == 2
        assert "Over" in told[1]["message"]


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_failed_run_tells_in_one_line_what_to_change(fleet: Fleet, location: Location) -> None:
    site = fleet.add("acumatica", bills=6)
    (company,) = site.companies
    fleet.content["credentials"]["acumatica_0"]["settings"]["password"] = "canary"
    result = location.materialize(company, raise_on_error=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    told = failure.step_failure_data.user_failure_data
    assert told is not None
    description = told.description or ""
    assert "password" in description
    assert "canary" not in description
    assert "\n" not in description
    plan, places = location.load()
    assert company in " ".join(
        incident.subject for incident in look(plan, places, location.instance, {}).begun
    )


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_watched_company_is_read_only_when_something_is_new(fleet: Fleet, tmp_path: Path) -> None:
    site = fleet.add("epicor_kinetic", bills=6, watch_seconds=60)
    company = site.companies[0]
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        location = Location(fleet, instance, tmp_path / "work")

        def look_at_it() -> Any:
            definitions = location.definitions()
            sensor = definitions.resolve_sensor_def(f"watch_{company}")
            with dg.build_sensor_context(instance=instance, definitions=definitions) as context:
                return sensor.evaluate_tick(context)

        assert "never been read" in look_at_it().skip_message
        location.materialize(company)
        assert look_at_it().skip_message == "nothing new"
        site.world.life.live(40)
        assert len(look_at_it().run_requests) == 1
