"""One fleet of sandbox companies per test, and what Dagster makes of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from orchestrate.definitions import definitions_of, plan_of
from tests.orchestrate.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchestrate.pipelines import Plan
    from orchestrate.places import Places


@dataclasses.dataclass
class Location:
    """The code location of a fleet, with an instance of its own."""

    fleet: Fleet
    instance: dg.DagsterInstance
    work_dir: Path

    def load(self) -> tuple[Plan, Places]:
        variables = {
            "ORCHESTRATE_COMPANIES": str(self.fleet.write()),
            "ORCHESTRATE_WORK_DIR": str(self.work_dir),
            "MELTANO_PROJECT_ROOT": str(self.fleet.folder),
        }
        return plan_of(variables)

    def definitions(self) -> dg.Definitions:
        return definitions_of(*self.load())

    def materialize(
        self, company: str, *, raise_on_error: bool = True, streams: list[str] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Read a company in this process, as its schedule would."""
        definitions = self.definitions()
        job = definitions.resolve_job_def(f"read_{company}")
        keys = None
        if streams is not None:
            keys = [key for key in job.asset_layer.executable_asset_keys if key.path[-1] in streams]
        return job.execute_in_process(
            instance=self.instance, raise_on_error=raise_on_error, asset_selection=keys
        )


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path) as fleet:
        yield fleet


@pytest.fixture
def location(fleet: Fleet, tmp_path: Path) -> Iterator[Location]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Location(fleet, instance, tmp_path / "work")


def metadata_of(event: Any) -> dict[str, Any]:
    """The metadata of a materialization as plain values."""
    return {name: value.value for name, value in event.metadata.items()}
