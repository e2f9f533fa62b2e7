"""Several workers on one PostgreSQL: exact books, one run at a time, and what a killed one leaves is finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from tests.orchestrate.fleet import ERPS
from tests.orchestrate.location import metadata_of
from tests.orchestrate.workers import Workers, overlaps

if TYPE_CHECKING:
    from pathlib import Path

    from tests.orchestrate.fleet import Fleet, Site

_TOO_MANY = 429


def check_runs(workers: Workers, companies: list[str], rounds: int) -> None:
    """Every company was read once per round, and never by two at once."""
    assert {company: workers.succeeded(company) for company in companies} == dict.fromkeys(companies, rounds)
    runs = workers.meltano_runs()
    assert overlaps((state, began, ended) for state, _, began, ended in runs) == []
    assert sum(status == "SUCCESS" for _, status, _, _ in runs) == rounds * len(companies)
    sources = {name: company["source"] for name, company in workers.fleet.content["companies"].items()}
    by_source = [(sources[state.rpartition(":")[2]], began, ended) for state, _, began, ended in runs]
    assert overlaps(by_source) == []


def check_limits(fleet: Fleet) -> None:
    """No server had to refuse a call, and no token of Tableau's was used by two at once."""
    assert [site.source for site in fleet.sites if site.answers.statuses[_TOO_MANY]] == []
    assert fleet.answers.statuses[401] == 0
    for site in fleet.sites:
        if site.erp is ERPS["acumatica"]:
            assert (site.app.sessions.peak, site.app.sessions.refused) == (1, 0)


def companies_of(sites: list[Site]) -> list[str]:
    return [company for site in sites for company in site.companies]


def test_two_companies_of_one_source_are_read_by_two_workers_of_which_one_is_killed(
    fleet: Fleet, tmp_path: Path
) -> None:
    site = fleet.add("epicor_kinetic", bills=12)
    (company, _) = site.companies
    with Workers(fleet, tmp_path / "workers") as workers:
        workers.start()
        workers.start()
        workers.work(site.companies, kills=1)
        fleet.check_books(site)
        check_runs(workers, site.companies, 1)
        check_limits(fleet)
        assert len(workers.killed) == 1
        key = dg.AssetKey(["epicor_kinetic", company, "ap_invoices"])
        event = workers.instance.get_latest_materialization_event(key)
        assert event is not None
        invoices = metadata_of(event.asset_materialization)
        assert invoices["rows_read"] > 0
        assert invoices["calls_of_run"] > 0
        assert invoices["bookmark"]["partitions"][0]["context"] == {"company": "EPIC06"}
        key = dg.AssetKey(["tableau", site.source.replace("-", "_"), "ap_invoices"])
        event = workers.instance.get_latest_materialization_event(key)
        assert event is not None
        published = metadata_of(event.asset_materialization)
        assert published["load_id"]
        assert published["dagster/row_count"] == fleet.rows(site, "ap_invoices")


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_forty_companies_are_read_by_four_workers_of_which_two_are_killed(
    fleet: Fleet, tmp_path: Path
) -> None:
    servers = {"acumatica": 8, "sage_intacct": 8, "epicor_kinetic": 4, "exact_online": 4, "syspro": 4}
    sites = [
        fleet.add(name, bills=6 + number, seed=number)
        for name, count in servers.items()
        for number in range(count)
    ]
    companies = companies_of(sites)
    assert len(companies) == 40
    fleet.content["defaults"]["tokens"] = ["first", "second", "person"]
    for credential in fleet.content["credentials"].values():
        credential["max_concurrent_runs"] = 2 if credential["extractor"] == "tap-epicor-kinetic" else 1
    with Workers(fleet, tmp_path / "workers") as workers:
        for _ in range(4):
            workers.start()
        workers.work(companies, kills=2, seed=1, within=2400)
        for site in sites:
            fleet.check_books(site)
            site.world.life.live(10)
            site.world.life.advance(30)
        workers.work(companies, kills=2, seed=2, within=2400)
        for site in sites:
            fleet.check_books(site)
        check_runs(workers, companies, 2)
        check_limits(fleet)
        assert len(workers.killed) == 4
