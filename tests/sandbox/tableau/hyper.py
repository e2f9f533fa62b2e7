"""The Hyper engine behind the server: looks into published files and works on copies of them.

One process for the whole server, started when first needed. Every piece of work holds the lock, so work on
the same file never interleaves.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tableauhyperapi import Connection, CreateMode, HyperException, HyperProcess, Telemetry, escape_name

from tests.sandbox.tableau.errors import publish_failed

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

TARGET = "target"
"""Name under which the file that is worked on is attached."""

_LONGEST_NAME = 255


@dataclasses.dataclass(frozen=True)
class Table:
    """One table: its schema, its name and its columns in order, name → SQL type."""

    schema: str
    name: str
    columns: dict[str, str]

    def sql(self, database: str) -> str:
        """The table's name as SQL."""
        return ".".join(escape_name(part) for part in (database, self.schema, self.name))


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a .hyper file holds; `links` are pairs of table names joined by an assumed foreign key."""

    version: int
    tables: tuple[Table, ...]
    links: tuple[tuple[str, str], ...]
    rows: int

    @property
    def columns(self) -> list[str]:
        """Column names of all tables."""
        return [column for table in self.tables for column in table.columns]


class Engine:
    """Owns the Hyper process."""

    def __init__(self) -> None:
        self._process: HyperProcess | None = None
        self._sockets: Path | None = None
        self._lock = threading.RLock()

    def work(self, job: Callable[[HyperProcess], Result]) -> Result:
        """Do a piece of work with the process, alone."""
        with self._lock:
            return job(self._started())

    def close(self) -> None:
        """Stop the process; it starts again when needed."""
        with self._lock:
            if self._process is not None:
                self._process.close()
                self._process = None
            if self._sockets is not None:
                shutil.rmtree(self._sockets, ignore_errors=True)
                self._sockets = None

    def inspect(self, path: Path) -> Contents:
        """Look into a file.

        Raises:
            HyperException: The file is no Hyper database, or one that the engine cannot read.
        """
        return self.work(lambda process: _inspect(process, path))

    def from_parquet(self, parquet: Path, path: Path) -> None:
        """Convert a Parquet file, as the server does with published ones.

        Raises:
            HyperException: The file is no Parquet file, or has a column that Hyper cannot read.
        """

        def convert(process: HyperProcess) -> None:
            with Connection(process.endpoint, path, CreateMode.CREATE_AND_REPLACE) as connection:
                connection.execute_command('CREATE SCHEMA "Extract"')
                source = "'" + str(parquet.absolute()).replace("'", "''") + "'"
                connection.execute_command(
                    f'CREATE TABLE "Extract"."Extract" AS SELECT * FROM external({source}, FORMAT => \'parquet\')'
                )

        self.work(convert)

    def _started(self) -> HyperProcess:
        if self._process is None:
            # Socket paths are limited to about 100 characters, so they do not go where the contents are.
            self._sockets = Path(tempfile.mkdtemp(prefix="tab"))
            self._process = HyperProcess(
                Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU,
                parameters={"log_config": "", "domain_socket_dir": str(self._sockets)},
            )
        return self._process


def _inspect(process: HyperProcess, path: Path) -> Contents:
    with Connection(process.endpoint, path) as connection:
        version = connection.execute_scalar_query("SELECT database_version FROM pg_catalog.hyper_database")
        tables = tables_in(connection, None)
        rows = sum(
            connection.execute_scalar_query(
                f"SELECT count(*) FROM {escape_name(table.schema)}.{escape_name(table.name)}"
            )
            for table in tables
        )
        links = connection.execute_list_query(
            "SELECT child.relname, parent.relname FROM pg_catalog.pg_constraint link"
            " JOIN pg_catalog.pg_class child ON child.oid = link.conrelid"
            " JOIN pg_catalog.pg_class parent ON parent.oid = link.confrelid WHERE link.contype = 'f'"
        )
    return Contents(int(version), tables, tuple((str(a), str(b)) for a, b in links), rows)


def tables_in(connection: Connection, database: str | None) -> tuple[Table, ...]:
    """All tables of an attached database (None: of the one that the connection opened)."""
    catalog = connection.catalog
    schemas = catalog.get_schema_names(database) if database else catalog.get_schema_names()
    found = []
    for schema in schemas:
        for name in catalog.get_table_names(schema):
            definition = catalog.get_table_definition(name)
            columns = {column.name.unescaped: str(column.type) for column in definition.columns}
            found.append(Table(schema.name.unescaped, name.name.unescaped, columns))
    return tuple(found)


def check(contents: Contents, name: str, newest_version: int, *, many_tables: bool, any_table: bool) -> None:
    """Refuse a file that Tableau would not publish.

    Args:
        contents: What the file holds.
        name: File name, for the message.
        newest_version: Newest file version that the server opens.
        many_tables: Whether the server takes several tables (2021.4 and later).
        any_table: Whether the one table may bear any name (2020.1 and later), not just Extract.Extract.

    Raises:
        TableauError: 400011.
    """
    if contents.version > newest_version:
        raise publish_failed(name, f"unsupported version {contents.version} of the database file")
    if not contents.tables:
        raise publish_failed(name, "the extract holds no table")
    for table in contents.tables:
        _check_columns(table, name)
    if len(contents.tables) == 1:
        table = contents.tables[0]
        if not any_table and (table.schema, table.name) != ("Extract", "Extract"):
            raise publish_failed(name, "the table must be named Extract, in a schema named Extract")
        return
    if not many_tables:
        raise publish_failed(name, "the extract holds more than one table")
    if len(_connected(contents)) != len(contents.tables):
        raise publish_failed(name, "the extract holds tables that no foreign key relates to the others")


def _connected(contents: Contents) -> set[str]:
    """Names of the tables that can be reached from the first by foreign keys."""
    reached = {contents.tables[0].name}
    while True:
        more = {name for link in contents.links if reached & set(link) for name in link}
        if more <= reached:
            return reached
        reached |= more


def _check_columns(table: Table, name: str) -> None:
    if not table.columns:
        raise publish_failed(name, f"the table {table.name} has no columns")
    folded: set[str] = set()
    for column in table.columns:
        if len(column) > _LONGEST_NAME:
            raise publish_failed(name, f"the column name {column[:40]}... is longer than {_LONGEST_NAME}")
        if column.casefold() in folded:
            raise publish_failed(name, f"the column name {column} is not unique ignoring case")
        folded.add(column.casefold())


def native(error: HyperException) -> str:
    """The engine's own words, on one line."""
    return str(error.main_message or error).splitlines()[0]
