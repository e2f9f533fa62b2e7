"""Where things are kept: in one folder on one machine, or in a PostgreSQL that all workers share."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from orchestrate.companies import expanded
from orchestrate.tables import MELTANO_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrate.companies import CompaniesFile

COMPANIES = "ORCHESTRATE_COMPANIES"
"""The environment variable that names the companies file."""
CATALOGS = "ORCHESTRATE_CATALOGS"
"""The environment variable that names the folder of the catalogs."""
PROJECT_ROOT = "MELTANO_PROJECT_ROOT"
"""Meltano's own variable for the folder of its project."""
WORK_DIR = "ORCHESTRATE_WORK_DIR"
"""The environment variable that names a worker's folder; `.orchestrate` in the project by default."""


_POSTGRES = {"postgres", "postgresql"}


@dataclasses.dataclass(frozen=True)
class Places:
    """Where a worker keeps things.

    Attributes:
        root: Folder of the Meltano project.
        work_dir: The worker's own folder. Nothing in it is needed by the next run, see README.
        database_url: The PostgreSQL that workers share; None on one machine.
        dagster_url: The PostgreSQL of Dagster itself, another database of the same server as a rule.
        backfills: Folder for what backfills have read.
        variables: The variables that made another process find the same places.
    """

    root: Path
    work_dir: Path
    database_url: str | None = dataclasses.field(repr=False)
    dagster_url: str | None = dataclasses.field(repr=False)
    backfills: Path
    variables: dict[str, str]

    @classmethod
    def find(cls, root: Path, file: CompaniesFile, variables: Mapping[str, str] = os.environ) -> Places:
        """The places that the companies file and the environment name.

        Args:
            root: Folder of the Meltano project.
            file: The companies file.
            variables: The environment.

        Raises:
            ConfigError: A variable that the file names is not set.
        """
        work_dir = Path(variables.get(WORK_DIR) or root / ".orchestrate").resolve()
        url = expanded(file.database_url, variables, "database_url")
        given = expanded(file.backfill_dir, variables, "backfill_dir")
        own = expanded(file.dagster_url, variables, "dagster_url")
        backfills = Path(given) if given else work_dir / "backfills"
        names = {name: variables[name] for name in (COMPANIES, CATALOGS) if variables.get(name)}
        same = {**names, WORK_DIR: str(work_dir), PROJECT_ROOT: str(root)}
        return cls(root, work_dir, url or None, own or None, backfills, same)

    @property
    def output(self) -> Path:
        """The loader's `output_dir`."""
        return self.work_dir / "output"

    @property
    def meltano_database(self) -> str:
        """Meltano's system database, with the state of every company."""
        if self.database_url is None:
            return f"sqlite:///{self.work_dir / 'meltano.db'}"
        address = sa.make_url(self.lock_database)
        options = " ".join(
            filter(None, [str(address.query.get("options", "")), f"-csearch_path={MELTANO_SCHEMA}"])
        )
        return address.update_query_dict({"options": options}).render_as_string(hide_password=False)

    @property
    def lock_database(self) -> str:
        """The database that holds locks; on one machine only its place counts, beside which lock files lie."""
        if self.database_url is None:
            return f"sqlite:///{self.work_dir / 'locks.db'}"
        scheme, separator, rest = self.database_url.partition("://")
        return f"postgresql+psycopg{separator}{rest}" if scheme in _POSTGRES else self.database_url

    def meltano_dir(self, company: str) -> Path:
        """Meltano's own folder for a company: catalogs of two companies must not meet in one."""
        return self.work_dir / "meltano" / company
