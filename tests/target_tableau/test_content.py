"""Where and how data sources are made: rules, projects, names, tags; and what `check` finds."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau.errors import TableauError
from tests.sandbox import tableau
from tests.target_tableau.support import STATE, bills, load, loads_command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


def of(stream: str) -> list[dict[str, Any]]:
    """A run of one bill under another stream's name."""
    return [
        {**message, "stream": stream} if "stream" in message else message for message in bills(("001", 1))
    ]


def test_rules_give_streams_names_projects_tags_and_descriptions(publishing: Config, server: Server) -> None:
    publishing |= {
        "source": "tap-x",
        "datasources": [
            {
                "stream": "gl_*",
                "project": tableau.NESTED_PROJECT,
                "name": "Ledger {stream}",
                "tags": ["finance"],
            },
            {"stream": "gl_balances", "name": "Trial balance", "description": "Ties to the ledger."},
        ],
    }
    for stream in ("vendors", "gl_entries", "gl_balances"):
        load(publishing, of(stream))
    assert server.find("tap-x vendors") is not None
    entries = server.find("Ledger gl_entries", tableau.NESTED_PROJECT)
    balances = server.find("Trial balance", tableau.NESTED_PROJECT)
    assert entries is not None
    assert balances is not None
    assert {"finance", "target-tableau"} <= set(entries.tags) & set(balances.tags)
    assert balances.description.startswith("Ties to the ledger.")


def test_a_project_that_is_missing_is_made_when_asked_for_with_those_above_it(
    publishing: Config, server: Server
) -> None:
    publishing |= {"project": "Finance/Close/2026/January", "create_project": True}
    load(publishing, of("bills"))
    assert server.find("bills", "Finance/Close/2026/January") is not None
    load(publishing, of("vendors"))
    assert server.writes_of("project") == 2


def test_a_project_that_may_not_be_made_is_told(publishing: Config) -> None:
    with pytest.raises(TableauError, match="create the project 'New'"):
        load(publishing | {"project": "New", "create_project": True}, of("bills"))


@pytest.mark.parametrize(
    "name",
    [
        "A & B, Inc.: [open] / closed",
        *(pytest.param(n, marks=pytest.mark.soak) for n in ("Bücher + 100 %", "x" * 100)),
    ],
)
def test_any_name_is_found_again(publishing: Config, server: Server, name: str) -> None:
    for number in range(30):
        server.app.state.add_database_extract(f"other {number}")
    publishing["datasources"] = [{"stream": "bills", "name": name}]
    load(publishing, bills(("001", 1)))
    (luid,) = [held.id for held in server.app.state.index.datasources.values() if held.name == name]
    another_machine = {"output_dir": f"{publishing['output_dir']}-2"}  # it knows nothing
    load(publishing | another_machine, bills(("002", 2)))
    held = server.get(name)
    assert held.id == luid
    assert server.rows(name) == {"001": Decimal(1), "002": Decimal(2)}


def test_what_people_have_set_on_a_data_source_stays(publishing: Config, server: Server) -> None:
    load(publishing, of("bills"))
    held = server.get("bills")
    held.tags.append("month end")
    held.description, held.certified = "Checked by Ann", True
    load(publishing | {"publish_mode": "overwrite"}, bills(("001", 2)))
    held = server.get("bills")
    assert "month end" in held.tags
    assert (held.description, held.certified) == ("Checked by Ann", True)


def test_a_project_that_everyone_may_see_is_warned_of_once(
    publishing: Config, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    messages = [*of("bills")[:-1], *of("vendors")[:-1], *of("x")[-1:]]
    load(publishing, messages)
    assert caplog.text.count("to everyone on the site") == 1
    assert server.find("vendors") is not None


def check(config: Config, tmp_path: Path) -> tuple[int, str]:
    result = loads_command(config, tmp_path, "check")
    return result.exit_code, result.output


def test_check_tells_all_that_a_load_needs(publishing: Config, server: Server, tmp_path: Path) -> None:
    server.app.switches.pat_days_left = 40
    code, told = check(publishing, tmp_path)
    assert code == 0, told
    for what in (
        "output folder",
        "GiB free",
        "Hyper engine",
        "load ledger",
        "sign-in: works",
        "REST API 3.29",
        "project: 'ERP'",
        "tableauhyperapi",
    ):
        assert what in told
    assert "ends in 40 days" in told or "ends in 39 days" in told
    assert server.writes == []


def test_check_names_what_is_wrong(publishing: Config, tmp_path: Path) -> None:
    code, told = check(publishing | {"project": "Nowhere"}, tmp_path)
    assert code == 1
    assert "no project 'Nowhere'" in told
    viewer = {"token_name": tableau.VIEWER_TOKEN_NAME, "token_value": tableau.VIEWER_TOKEN_VALUE}
    code, told = check(publishing | viewer, tmp_path)
    assert code == 1
    assert "may not publish to the project" in told


def test_a_large_file_is_published_as_a_job_and_a_small_one_at_once(
    publishing: Config, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(publishing, of("bills"))
    assert not server.app.state.index.jobs
    monkeypatch.setattr("target_tableau.publish._JOB_BYTES", 1000)
    load(publishing, of("vendors"))
    (job,) = server.app.state.index.jobs.values()
    assert job.kind == "PublishDatasource"


def test_who_waited_for_whom_is_told(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert load(config, of("bills")) == [STATE]
    assert "s for the tap; the tap waited" in caplog.text
