"""An ERP read in groups with states of their own, by the command that schedulers call."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.end_to_end.support import ROOT, Project
from tests.end_to_end.ties import TIES
from tests.schedules.costs import QUIET_CALLS
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


COMMAND = (sys.executable, "-m", "orchestrate.schedules", "run")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.make(tmp_path)
    made.sandbox("start", "--no-follow")
    yield made
    made.sandbox("stop")


def run_schedule(project: Project, name: str) -> str:
    """Start a schedule as cron does."""
    result = subprocess.run(
        [*COMMAND, name, "--environment", "sandbox", "--project", str(project.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=project.environment({}),
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    return output


def calls_of(output: str) -> int:
    """What the tap's last line tells: counted calls, at Exact Online those of the division that needs most."""
    (line,) = [line for line in output.splitlines() if " calls" in line and "Rows:" in line]
    used = [int(part.split()[-2]) for part in line.split(",") if part.strip().endswith("used")]
    return max(used) if used else int(line.partition(" calls")[0].split()[-1])


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_vendor_that_is_gone_leaves_with_the_nightly_whole_read(project: Project) -> None:
    run_schedule(project, "acumatica-payables")
    vendors = project.extracts("tap-acumatica")("vendors")
    before = {row[0] for row in query(vendors, "SELECT vendor_id FROM {t}")}
    project.sandbox("stop")
    company = project.company
    used = {bill.vendor for bill in company.bills.values()} | {
        order.vendor for order in company.purchase_orders.values()
    }
    gone = min(set(company.vendors) - used)
    del company.vendors[gone]
    (project.folder / ".sandbox" / "company.json").write_bytes(msgspec.json.encode(company))
    project.sandbox("start", "--no-follow")

    run_schedule(project, "acumatica-full")
    assert {row[0] for row in query(vendors, "SELECT vendor_id FROM {t}")} == before - {gone}
    listed = project.meltano("--environment", "sandbox", "state", "list").stdout.split()
    full, payables = (
        f"sandbox:tap-acumatica--{group}-to-target-tableau--acumatica" for group in ("full", "payables")
    )
    assert sorted(listed) == [full, payables]  # the order of the list itself is that of the disk
    state = json.loads(project.meltano("state", "get", full).stdout)
    assert "completed_at" in state["singer_state"]["bookmarks"]["vendors"]
    assert {item.name.split()[0] for item in project.index.datasources.values()} == {"tap-acumatica"}


@pytest.mark.soak
@pytest.mark.timeout(5400)
def test_groups_tie_to_the_books_and_cost_what_the_readme_says(project: Project) -> None:
    erps = [source.removeprefix("tap-") for source in TIES]
    for round_of_life in range(2):
        for erp in erps:
            for group in ("masters", "ledger", "payables", "trade", "full"):
                run_schedule(project, f"{erp}-{group}")
        for source, tie in TIES.items():
            tie(project.extracts(source), project.company)
            tie(project.published(source), project.company)
        if not round_of_life:
            quiet = {name: calls_of(run_schedule(project, name)) for name in QUIET_CALLS}
            assert quiet == QUIET_CALLS
            project.sandbox("live", "--events", "60")
