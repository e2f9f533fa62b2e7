"""The demo as a user runs it: `meltano run demo`, and again after the company has lived on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.layers import check_layer, check_picture, layers_of
from tests.end_to_end.support import Project
from tests.end_to_end.ties import TIES, lines_of_company, lines_of_extracts
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from pathlib import Path

AFTER_LIFE = ("tap-acumatica",)
"""What is read again in the default run; the long test reads all ERPs ten times, and once where nothing happened."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.make(tmp_path_factory.mktemp("project"))


def table_of(output: str) -> dict[str, list[str]]:
    """The table that the demo prints at its end: data source -> its other cells."""
    lines = [
        re.sub(r"^\S+ \[info +\] \S+ +", "", line)
        for line in output.splitlines()
        if "loads" in line.split("]")[-1][:10]
    ]
    start = max(number for number, line in enumerate(lines) if line.startswith("data source"))
    rows = lines[start + 2 :]
    assert all(len(line) <= 75 for line in rows)
    return {" ".join(row.split()[:2]): row.split()[2:] for row in rows}


def as_listed(names: list[str], table: dict[str, list[str]]) -> set[str]:
    """How the table shows names: one that is too long is cut where its column ends, and marked."""
    width = max((len(shown) for shown in table if shown.endswith("~")), default=max(map(len, names)))
    return {name if len(name) <= width else f"{name[: width - 1]}~" for name in names}


def check_quiet(project: Project, *sources: str) -> None:
    """Where nothing has happened in the ERP, nothing is written on Tableau."""
    writes = len(project.index.writes)
    for source in sources:
        result = project.meltano("run", "sandbox:start", source, "target-tableau", "loads:report")
        output = result.stdout + result.stderr
        assert result.returncode == 0, output
        changes = {name: cells[1] for name, cells in table_of(output).items() if name.startswith(source)}
        assert set(changes.values()) == {"none"}
    assert len(project.index.writes) == writes


def check_ties(project: Project, *sources: str) -> None:
    """The extracts of ERPs, and what Tableau holds of them, are what the company's books say."""
    company = project.company
    for source in sources:
        TIES[source](project.extracts(source), company)
        TIES[source](project.published(source), company)
    assert lines_of_extracts(project.extracts("tap-acumatica")) == lines_of_company(company)


def check_layers(project: Project) -> None:
    """Every data source, models and snapshots among them, is one that an author can use: roles, captions, formats."""
    opened = set()
    for layer in layers_of(project):
        check_layer(layer)
        opened.add(layer.name)
    assert opened == {f"{source} {stream}" for source in TIES for stream in project.streams(source)}
    assert {f"{source} gl_detail" for source in TIES} <= opened


@pytest.mark.timeout(1200)
def test_demo_first_and_after_life_went_on(project: Project) -> None:
    first = project.demo()
    output = first.stdout + first.stderr
    assert first.returncode == 0, output
    project.wait_for_quiet()
    landed = [(source, stream) for source in TIES for stream in project.streams(source)]
    table = table_of(output)
    assert set(table) == as_listed([f"{source} {stream}" for source, stream in landed], table)
    for source, stream in landed:
        count = "SELECT COUNT(*) FROM {t}"
        assert query(project.extracts(source)(stream), count) == query(
            project.published(source)(stream), count
        )
    check_ties(project, *TIES)
    check_layers(project)
    check_picture(project)

    writes = len(project.index.writes)
    project.sandbox("live", "--events", "60")
    for source in AFTER_LIFE:
        result = project.meltano("run", "sandbox:start", source, "target-tableau")
        assert result.returncode == 0, result.stdout + result.stderr
    assert len(project.index.writes) > writes
    check_ties(project, *AFTER_LIFE)
    project.wait_for_quiet()


def test_a_step_that_fails_leaves_nothing_running(tmp_path: Path) -> None:
    project = Project.make(tmp_path)
    result = project.meltano("run", "demo", TAP_ACUMATICA_PASSWORD="wrong")
    output = result.stdout + result.stderr
    assert result.returncode == 1
    assert "username" in output
    assert "Traceback" not in output.split("Block run completed")[0]
    project.wait_for_quiet()
    assert not any(project.streams(source) for source in TIES)


@pytest.mark.parametrize(
    "commands", [("check",), pytest.param(("check", "report", "list"), marks=pytest.mark.soak)]
)
def test_commands_of_the_loader_see_the_settings_of_the_project(
    project: Project, commands: tuple[str, ...]
) -> None:
    project.sandbox("start", "--no-follow")
    try:
        for command in commands:
            result = project.meltano("invoke", f"target-tableau:{command}")
            output = result.stdout + result.stderr
            assert result.returncode == 0, output
            assert "Traceback" not in output
        connection = project.meltano("invoke", "tap-acumatica", "--test")
        assert connection.returncode == 0, connection.stdout + connection.stderr
    finally:
        project.sandbox("stop")


@pytest.mark.soak
@pytest.mark.timeout(5400)
def test_ten_rounds_of_life_tie_to_the_books_each_time(tmp_path: Path) -> None:
    project = Project.make(tmp_path)
    for seed in range(10):
        result = project.demo()
        assert result.returncode == 0, result.stdout + result.stderr
        check_ties(project, *TIES)
        if not seed:
            check_quiet(project, *TIES)
        project.sandbox("live", "--events", "80", "--seed", str(seed))
    project.wait_for_quiet()
