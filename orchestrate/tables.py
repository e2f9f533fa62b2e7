"""Meltano's tables, made by one process: Meltano itself lets two that are the first at once make them twice."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from orchestrate.errors import OrchestrateError
from target_tableau.errors import TargetTableauError
from target_tableau.ledger_lock import exclusive, reason_of

if TYPE_CHECKING:
    from orchestrate.places import Places

MELTANO_SCHEMA = "meltano"
"""The schema of the shared database with Meltano's tables; the loader has one of the same name."""
_SECONDS = 300
_MADE = sa.Table("orchestrate_made", sa.MetaData(), sa.Column("meltano", sa.String(64), primary_key=True))


def search_path() -> str:
    """PATH with the folder of this Python in front: a service starts it without activating its environment."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def meltano(*arguments: str) -> list[str]:
    """The command line of the Meltano that is installed beside this Python."""
    found = shutil.which("meltano", path=search_path())
    return [found or "meltano", "--log-format=json", *arguments]


def prepare(places: Places, environment: str) -> None:
    """Make the worker's folder and, once for all workers and each version of Meltano, its tables.

    Args:
        places: Where things are kept.
        environment: The Meltano environment.

    Raises:
        OrchestrateError: The database cannot be used.
    """
    places.work_dir.mkdir(parents=True, exist_ok=True)
    try:
        _prepare(places.meltano_database, places.lock_database, places.root, places.work_dir, environment)
    except SQLAlchemyError as failure:
        raise OrchestrateError(
            f"The database at database_url cannot be used: {reason_of(failure)}."
        ) from failure
    except TargetTableauError as failure:
        raise OrchestrateError(f"Meltano's tables cannot be made: {failure}") from failure


@functools.cache
def _prepare(database: str, lock_database: str, root: Path, work_dir: Path, environment: str) -> None:
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    locks = sa.create_engine(lock_database, poolclass=sa.NullPool)
    address = sa.make_url(lock_database)
    is_file = address.get_backend_name() == "sqlite"
    try:
        if not is_file and not _is_made(engine):
            with locks.begin() as connection:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('orchestrate'))"))
                connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {MELTANO_SCHEMA}"))
        if _is_made(engine):
            return
        with exclusive(
            locks, Path(address.database or "") if is_file else None, "Meltano's tables", _SECONDS
        ):
            if not _is_made(engine):
                _make(database, root, work_dir, environment)
                with engine.begin() as connection:
                    _MADE.create(connection, checkfirst=True)
                    connection.execute(_MADE.insert().values(meltano=version("meltano")))
    finally:
        engine.dispose()
        locks.dispose()


def _is_made(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(_MADE.name):
            return False
        return version("meltano") in connection.scalars(sa.select(_MADE.c.meltano)).all()


def _make(database: str, root: Path, work_dir: Path, environment: str) -> None:
    variables = {
        "MELTANO_DATABASE_URI": database,
        "MELTANO_ENVIRONMENT": environment,
        "MELTANO_SYS_DIR_ROOT": str(work_dir / "meltano"),
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    done = subprocess.run(  # noqa: S603 - the project's own Meltano
        meltano("state", "list"),
        cwd=root,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise OrchestrateError(
            f"Meltano's tables cannot be made: {(done.stderr.strip().splitlines() or ['?'])[-1]}"
        )
