"""Refreshing what depends on published data, against the sandbox's Tableau Server."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau.errors import RefreshError
from tests.sandbox.faults import Fault
from tests.sandbox.tableau.switches import Fate
from tests.target_tableau.support import STATE, bills, load, loads_command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


@pytest.fixture
def published(publishing: Config, server: Server) -> str:
    """A published data source of one bill; its id."""
    load(publishing, bills(("001", 1)))
    return server.get("bills").id


@pytest.mark.parametrize("named", [pytest.param("id", marks=pytest.mark.soak), "name", "path", "dependents"])
def test_a_workbook_with_a_copy_is_refreshed_when_rows_have_changed(
    publishing: Config, server: Server, published: str, named: str
) -> None:
    book = server.app.state.add_workbook("Spend", extracts=[published])
    names = {"id": book.id, "name": "Spend", "path": "ERP/Spend"}
    publishing["refresh"] = {"dependents": True} if named == "dependents" else {"workbooks": [names[named]]}
    assert load(publishing, bills(("001", 1))) == [STATE]
    assert server.writes_of("refresh") == 0  # nothing has changed
    assert load(publishing, bills(("001", 2), ("002", 2))) == [STATE]
    assert book.seen == {published: 2}
    assert server.writes_of("refresh") == 1


def test_a_workbook_without_a_copy_is_left_alone(publishing: Config, server: Server, published: str) -> None:
    server.app.state.add_workbook("Live", live_on=[published])
    publishing["refresh"] = {"dependents": True}
    load(publishing, bills(("001", 2)))
    assert server.app.script.count("/refresh") == 0


def test_tasks_and_other_data_sources_are_refreshed_and_each_once(
    publishing: Config, server: Server, published: str
) -> None:
    other = server.app.state.add_database_extract("From SQL")
    book = server.app.state.add_workbook("Spend", extracts=[published])
    task = server.app.state.add_task(workbook=book.id)
    publishing["refresh"] = {"datasources": ["From SQL"], "tasks": [task.id]}
    load(publishing, [*bills(("001", 2))[:-1], *_vendors(), *bills()[-1:]])
    assert [write.name for write in server.app.state.writes if write.kind == "refresh"] == [
        other.name,
        "Spend",
    ]
    assert task.last_run_at


def _vendors() -> list[dict[str, Any]]:
    return [
        {**message, "stream": "vendors"}
        for message in bills(("V1", 1))
        if message["type"] in {"SCHEMA", "RECORD"}
    ]


def test_a_rule_names_what_depends_on_some_streams_only(
    publishing: Config, server: Server, published: str
) -> None:
    server.app.state.add_workbook("Spend", extracts=[published])
    publishing["datasources"] = [{"stream": "vendor*", "refresh": {"workbooks": ["Spend"]}}]
    load(publishing, bills(("001", 2)))
    assert server.writes_of("refresh") == 0
    load(publishing, [*_vendors(), *bills()[-1:]])
    assert server.writes_of("refresh") == 1


def test_the_published_data_source_itself_needs_no_refresh_and_that_is_said(
    publishing: Config, published: str, caplog: pytest.LogCaptureFixture
) -> None:
    publishing["refresh"] = {"datasources": [published]}
    assert load(publishing, bills(("001", 2))) == [STATE]
    assert "already current" in caplog.text


def test_a_failed_refresh_does_not_hold_the_state_back_and_comes_first_next_time(
    publishing: Config, server: Server, published: str, tmp_path: Path
) -> None:
    book = server.app.state.add_workbook("Spend", extracts=[published])
    publishing["refresh"] = {"workbooks": ["Spend"]}
    server.app.switches.fates = [Fate("failed", "RefreshExtract", notes="out of memory")]
    handed_on: list[dict[str, Any]] = []
    with pytest.raises(RefreshError, match=r"The data has landed.*Spend.*out of memory"):
        load(publishing, bills(("001", 2)), handed_on=handed_on)
    assert handed_on == [STATE]
    assert server.rows("bills") == {"001": Decimal(2)}
    told = loads_command(publishing, tmp_path, "show", "latest").output
    assert "out of memory" in told
    load(publishing, bills(("001", 2)))  # changes nothing, but owes the refresh
    assert book.seen == {published: 1}
    load(publishing, bills(("001", 2)))
    assert server.writes_of("refresh") == 2


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        (Fate("cancelled", "RefreshExtract"), "was cancelled"),
        (Fate("never", "RefreshExtract"), "did not end within 1 s"),
    ],
)
def test_a_refresh_that_does_not_end_well_is_told(
    publishing: Config, server: Server, published: str, fate: Fate, told: str
) -> None:
    server.app.state.add_workbook("Spend", extracts=[published])
    publishing |= {"refresh": {"workbooks": ["Spend"]}, "job_timeout_seconds": 1}
    server.app.switches.fates = [fate]
    with pytest.raises(RefreshError, match=told):
        load(publishing, bills(("001", 2)))


def test_a_refresh_that_is_queued_already_is_asked_for_again(
    publishing: Config, server: Server, published: str
) -> None:
    book = server.app.state.add_workbook("Spend", extracts=[published])
    server.app.switches.refresh_queued = 2
    publishing["refresh"] = {"workbooks": ["Spend"]}
    load(publishing, bills(("001", 2), ("002", 2)))
    assert book.seen == {published: 2}
    assert server.app.script.count("/refresh") == 3


@pytest.mark.parametrize("name", ["Nothing", "Twice"])
def test_a_workbook_that_is_not_to_be_found_is_named(
    publishing: Config, server: Server, published: str, name: str
) -> None:
    server.app.state.add_workbook("Twice", extracts=[published])
    server.app.state.add_workbook("Twice", "Finance", extracts=[published])
    publishing["refresh"] = {"workbooks": [name]}
    with pytest.raises(RefreshError, match=f"'{name}': there (is none|are several)"):
        load(publishing, bills(("001", 2)))


def test_a_metadata_api_that_is_off_is_told_and_costs_no_state(
    publishing: Config, server: Server, published: str
) -> None:
    server.app.switches.metadata_enabled = False
    publishing["refresh"] = {"dependents": True}
    handed_on: list[dict[str, Any]] = []
    with pytest.raises(RefreshError, match="Metadata API"):
        load(publishing, bills(("001", 2)), handed_on=handed_on)
    assert handed_on == [STATE]
    assert published


def test_a_network_that_breaks_during_the_wait_is_overcome(
    publishing: Config, server: Server, published: str
) -> None:
    book = server.app.state.add_workbook("Spend", extracts=[published])
    publishing["refresh"] = {"workbooks": ["Spend"]}
    server.app.script.add(Fault(r"GET .*/jobs/", cut=True, times=2))
    load(publishing, bills(("001", 2), ("002", 2)))
    assert book.seen == {published: 2}


def test_the_command_refreshes_for_data_that_something_else_has_landed(
    publishing: Config, server: Server, published: str, tmp_path: Path
) -> None:
    book = server.app.state.add_workbook("Spend", extracts=[published])
    publishing["refresh"] = {"dependents": True}
    result = loads_command(publishing, tmp_path, "refresh")
    assert result.exit_code == 0, result.output
    assert book.seen == {published: 1}
    server.app.switches.fates = [Fate("failed", "RefreshExtract", notes="no memory")]
    result = loads_command(publishing, tmp_path, "refresh")
    assert result.exit_code == 1
    assert "no memory" in result.output
    assert "Traceback" not in result.output
