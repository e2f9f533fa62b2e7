"""What the tests of target-tableau share: messages in, extracts out."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import io
import json
import time
from typing import TYPE_CHECKING, Any

from tableauhyperapi import Connection, HyperException, HyperProcess, Telemetry

from target_tableau.target import TargetTableau

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

STATE = {
    "bookmarks": {
        "bills": {"replication_key": "modified", "replication_key_value": "2026-01-01T00:00:00+00:00"}
    }
}

NULLABLE_TEXT = {"type": ["string", "null"]}
MONEY = {"type": ["number", "null"], "x-sql-datatype-properties": {"precision": 18, "scale": 2}}
TIME = {"type": ["string", "null"], "format": "date-time"}
BILL = {"ref": NULLABLE_TEXT, "amount": MONEY, "note_id": NULLABLE_TEXT, "_sdc_deleted_at": TIME}
LINE = {
    "ref": NULLABLE_TEXT,
    "nbr": {"type": ["integer", "null"]},
    "amount": MONEY,
    "parent_note_id": NULLABLE_TEXT,
}
WITHIN = {"bill_lines": {"parent": "bills", "columns": {"parent_note_id": "note_id"}}}


def schema(stream: str, properties: Mapping[str, Any], keys: Sequence[str] = ()) -> dict[str, Any]:
    """A SCHEMA message."""
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": dict(properties)},
        "key_properties": list(keys),
    }


def record(stream: str, **values: Any) -> dict[str, Any]:
    """A RECORD message."""
    return {
        "type": "RECORD",
        "stream": stream,
        "record": values,
        "time_extracted": "2026-01-01T00:00:00+00:00",
    }


def state(value: Mapping[str, Any] = STATE) -> dict[str, Any]:
    """A STATE message."""
    return {"type": "STATE", "value": dict(value)}


def bills(*rows: tuple[str, object]) -> list[dict[str, Any]]:
    """A whole run of the bills stream, from SCHEMA to STATE; each bill's note id is `n-` and its number."""
    return [
        schema("bills", BILL, ["ref"]),
        *(record("bills", ref=ref, amount=amount, note_id=f"n-{ref}") for ref, amount in rows),
        state(),
    ]


def tombstone(ref: str) -> dict[str, Any]:
    """The deletion of a bill that knows only its note id."""
    return record("bills", ref=None, note_id=f"n-{ref}", _sdc_deleted_at="2026-02-01T00:00:00+00:00")


def line(ref: str, nbr: int, amount: object = 1) -> dict[str, Any]:
    """A line of a bill."""
    return record("bill_lines", ref=ref, nbr=nbr, amount=amount, parent_note_id=f"n-{ref}")


def load(
    config: Mapping[str, Any],
    messages: Iterable[dict[str, Any] | str],
    handed_on: list[dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Run the target over messages and return the STATE values it handed on.

    `handed_on` receives them too, also when the run fails.
    """
    lines = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    output = io.StringIO()
    states = [] if handed_on is None else handed_on
    try:
        with contextlib.redirect_stdout(output):
            target = TargetTableau(config=dict(config))
            target.listen(io.BytesIO("".join(f"{line}\n" for line in lines).encode()))  # type: ignore[arg-type]
    finally:
        states += [json.loads(text) for text in output.getvalue().splitlines()]
    return states


@dataclasses.dataclass
class Extracts:
    """The extracts of one output folder, read with an engine of the tests' own."""

    folder: Path

    def rows(self, stream: str, sql: str) -> list[list[Any]]:
        """Query an extract; `{t}` stands for its table."""
        return query(self.folder / f"{stream}.hyper", sql)

    def column(self, stream: str, name: str) -> list[Any]:
        """The values of a column, in order."""
        return [row[0] for row in self.rows(stream, f'SELECT "{name}" FROM {{t}} ORDER BY 1')]

    def types(self, stream: str) -> dict[str, str]:
        """Column name -> SQL type."""
        with _connection(self.folder / f"{stream}.hyper") as connection:
            table = connection.catalog.get_table_names("Extract")[0]
            definition = connection.catalog.get_table_definition(table)
        return {column.name.unescaped: str(column.type) for column in definition.columns}


def query(path: Path, sql: str) -> list[list[Any]]:
    """Query an extract; `{t}` stands for its table."""
    with _connection(path) as connection:
        rows: list[list[Any]] = connection.execute_list_query(sql.format(t='"Extract"."Extract"'))
    return rows


@functools.cache
def engine() -> HyperProcess:
    """One engine for all tests of a process: starting one takes longer than most queries."""
    process = HyperProcess(
        Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={"log_config": "", "memory_limit": "1g"}
    )
    atexit.register(process.close)
    return process


def _connection(path: Path) -> Connection:
    for _ in range(100):
        try:
            return Connection(engine().endpoint, str(path))
        except HyperException as failure:  # the engine of a target that was killed lets go after some seconds
            if "locked" not in str(failure):
                raise
            time.sleep(0.1)
    raise TimeoutError(f"{path} stays locked")
