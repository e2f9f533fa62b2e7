"""One Hyper engine for a whole run, and the few things the target asks of it.

Facts from use of the Hyper API: a commit reaches the file only when the database is detached (or its last
connection closes); closing reports no errors, only `HyperProcess.shutdown` does; a killed engine leaves the file
as it was last closed. Temporary tables live in the session, also without a database.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Self

from tableauhyperapi import (
    Connection,
    HyperException,
    HyperProcess,
    TableName,
    Telemetry,
    escape_name,
    escape_string_literal,
)

from target_tableau.columns import type_from_sql
from target_tableau.errors import ExtractError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from target_tableau.columns import Type

SCHEMA = "Extract"
TABLE = "Extract"
"""Tableau expects the one table of an extract as "Extract"."Extract", and its update actions name it so."""

_SHUTDOWN_MILLISECONDS = 60_000
_LOCKED_SECONDS = 15
_LOCKED_PAUSE = 0.25

_ENVIRONMENT = frozenset(
    [
        "HOME",
        "LANG",
        "LC_ALL",
        "PATH",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
        "TZ",
        "USERPROFILE",
        "WINDIR",
        "DYLD_LIBRARY_PATH",
        "LD_LIBRARY_PATH",
    ]
)
"""What the engine's process may see: no setting of ours, and so no secret."""


class Engine:
    """A running hyperd with one session. Used by one thread at a time.

    Args:
        file_version: Version of the files it makes (2, 3 or 4).
        memory_limit: How much memory it may take, in Hyper's words ("400m").

    Raises:
        ExtractError: It cannot be started.
    """

    def __init__(self, file_version: int, memory_limit: str) -> None:
        parameters = {
            "log_config": "",  # hyperd.log would hold our SQL, and with it the company's data
            "default_database_version": str(file_version),
            "memory_limit": memory_limit,
        }
        with contextlib.ExitStack() as stack:
            try:
                with _bare_environment():
                    self._process = HyperProcess(
                        Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, "target-tableau", parameters=parameters
                    )
                stack.callback(self._process.close)
                self._connection = Connection(self._process.endpoint)
            except HyperException as failure:
                raise ExtractError(
                    f"The Hyper engine could not be started: {_line(failure)}. Run again; if it stays so, look whether "
                    "memory, disk or a virus scanner ends it."
                ) from failure
            stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the engine; without an exception under way, report what the close itself could not."""
        try:
            self._connection.close()
            self._process.shutdown(_SHUTDOWN_MILLISECONDS)
        except HyperException as failure:
            if kind is None:
                raise ExtractError(f"The Hyper engine did not end cleanly: {_line(failure)}") from failure

    def run(self, sql: str) -> int:
        """Run one statement and return how many rows it touched (0 where that means nothing).

        Raises:
            ExtractError: Hyper refused it, with Hyper's own words.
        """
        try:
            return self._connection.execute_command(sql) or 0
        except HyperException as failure:
            raise ExtractError(f"Hyper: {_line(failure)}") from failure

    def rows(self, sql: str) -> list[list[Any]]:
        """Run a query.

        Raises:
            ExtractError: Hyper refused it.
        """
        try:
            rows: list[list[Any]] = self._connection.execute_list_query(sql)
        except HyperException as failure:
            raise ExtractError(f"Hyper: {_line(failure)}") from failure
        return rows

    def count(self, sql: str) -> int:
        """Run a query that gives one number."""
        return int(self.rows(sql)[0][0])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end of the block, or roll back: after an error COMMIT would lie."""
        self.run("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            with contextlib.suppress(ExtractError):  # the first error is the one to tell
                self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    def create(self, path: Path, columns: Sequence[tuple[str, Type]]) -> ExtractTable:
        """Make and open a new extract with an empty table.

        Raises:
            ExtractError: The file cannot be made.
        """
        self.run(f"CREATE DATABASE {escape_name(str(path))}")
        table = self.attach(path)
        self.run(f"CREATE SCHEMA {escape_name(table.database)}.{escape_name(SCHEMA)}")
        self.run(f"CREATE TABLE {table.sql} ({column_list(columns)})")
        return table

    def attach(self, path: Path) -> ExtractTable:
        """Open an extract.

        Raises:
            ExtractError: The file is missing, broken, too new or open elsewhere (Tableau Desktop, perhaps).
        """
        alias = f"x{abs(hash(path))}"
        deadline = time.monotonic() + _LOCKED_SECONDS
        while True:
            try:
                self._connection.catalog.attach_database(str(path), alias)
            except HyperException as failure:
                # The engine of a run that was killed a moment ago takes some seconds to notice and to let go.
                if "locked" in _line(failure) and time.monotonic() < deadline:
                    time.sleep(_LOCKED_PAUSE)
                    continue
                raise ExtractError(
                    f"The extract {path} cannot be opened: {_line(failure)}. Close it in other programs; if it is "
                    "damaged, move it away and restore it from Tableau or a backup."
                ) from failure
            break
        return ExtractTable(alias)

    def detach(self, table: ExtractTable) -> None:
        """Close an extract: only now are its changes durable.

        Raises:
            ExtractError: The engine has died, or found the disk full.
        """
        try:
            self._connection.catalog.detach_database(table.database)
        except HyperException as failure:
            raise ExtractError(f"Hyper could not close an extract: {_line(failure)}") from failure

    @contextlib.contextmanager
    def attached(self, path: Path) -> Iterator[ExtractTable]:
        """Open an extract for the length of a block.

        Raises:
            ExtractError: As `attach`.
        """
        table = self.attach(path)
        try:
            yield table
        except BaseException:
            with contextlib.suppress(ExtractError):  # the first error is the one to tell
                self.detach(table)
            raise
        self.detach(table)

    def rebuild(
        self, table: ExtractTable, columns: Mapping[str, Type], existing: Collection[str] | None = None
    ) -> None:
        """Give an attached table other columns; Hyper cannot alter one.

        Args:
            table: The table.
            columns: Name -> type of the columns it is to have.
            existing: Those of them that it has; by default all.
        """
        schema = f"{escape_name(table.database)}.{escape_name(SCHEMA)}"
        self.run(f"CREATE TABLE {schema}.rebuilt ({column_list(list(columns.items()))})")
        filled = [name for name in columns if existing is None or name in existing]
        names = ", ".join(escape_name(name) for name in filled)
        values = ", ".join(f"CAST({escape_name(name)} AS {columns[name].sql})" for name in filled)
        self.run(f"INSERT INTO {schema}.rebuilt ({names}) SELECT {values} FROM {table.sql}")
        self.run(f"DROP TABLE {table.sql}")
        self.run(f"ALTER TABLE {schema}.rebuilt RENAME TO {escape_name(TABLE)}")

    def columns(self, table: ExtractTable) -> dict[str, Type]:
        """The columns of an attached extract, in order.

        Raises:
            ExtractError: It has no table "Extract"."Extract".
        """
        try:
            definition = self._connection.catalog.get_table_definition(
                TableName(table.database, SCHEMA, TABLE)
            )
        except HyperException as failure:
            raise ExtractError(
                f'The file has no table "{SCHEMA}"."{TABLE}", so it is not an extract of this loader: {_line(failure)}'
            ) from failure
        return {column.name.unescaped: type_from_sql(str(column.type)) for column in definition.columns}

    def copy_parquet(self, table: str, columns: Sequence[str], files: Sequence[Path]) -> int:
        """Load Parquet files, whose columns have exactly the table's types, and return the number of rows."""
        names = ", ".join(escape_name(name) for name in columns)
        return self.run(f"COPY {table} ({names}) FROM {parquet_array(files)} WITH (FORMAT => 'parquet')")


class ExtractTable:
    """The table of an attached extract.

    Attributes:
        database: Alias under which the file is attached.
        sql: The table's full, escaped name.
    """

    def __init__(self, alias: str) -> None:
        self.database = alias
        self.sql = ".".join(escape_name(part) for part in (alias, SCHEMA, TABLE))


def parquet_array(files: Sequence[Path]) -> str:
    """Parquet files as Hyper's `external` and COPY take them."""
    return "ARRAY[" + ", ".join(escape_string_literal(str(file.absolute())) for file in files) + "]"


def column_list(columns: Sequence[tuple[str, Type]]) -> str:
    """Column definitions of a CREATE TABLE; all are nullable, for ALTER could never make them so."""
    return ", ".join(f"{escape_name(name)} {kind.sql}" for name, kind in columns)


def _line(failure: HyperException) -> str:
    """Hyper's message in one line, without the statement (it may hold data)."""
    return " ".join(str(failure.main_message or failure).split())[:400]


@contextlib.contextmanager
def _bare_environment() -> Iterator[None]:
    """Hide the environment while the engine is started: a process list must not show our secrets."""
    kept = dict(os.environ)
    for name in kept:
        if name.upper() not in _ENVIRONMENT:
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)
