"""The bare limit: `python -m tests.benchmarks.bare FOLDER`, messages on standard input.

No Singer at all, but the least that can be done with pyarrow and Hyper, one step after the other: parse the JSON,
write an Arrow file, COPY it. It knows the schema, checks nothing, and keeps nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json
from tableauhyperapi import (
    Connection,
    CreateMode,
    HyperProcess,
    SqlType,
    TableDefinition,
    TableName,
    Telemetry,
    escape_string_literal,
)

from tests.benchmarks import gl_lines

FILE = "peer.hyper"
_TABLE = TableName("Extract", "Extract")
QUIET = {"log_config": ""}


def _columns() -> list[tuple[str, SqlType, pa.DataType]]:
    """Name, Hyper type and Arrow type of the ledger line's columns."""
    return [(name, *_types(schema)) for name, schema in gl_lines.PROPERTIES.items()]


def _types(schema: dict[str, Any]) -> tuple[SqlType, pa.DataType]:
    kind = schema["type"][0]
    if kind == "number":
        scale = schema["x-sql-datatype-properties"]["scale"]
        return SqlType.numeric(18, scale), pa.decimal128(18, scale)
    if kind == "integer":
        return SqlType.big_int(), pa.int64()
    if kind == "boolean":
        return SqlType.bool(), pa.bool_()
    return {
        "date": (SqlType.date(), pa.date32()),
        "date-time": (SqlType.timestamp(), pa.timestamp("us")),
    }.get(schema.get("format", ""), (SqlType.text(), pa.string()))


def definition() -> TableDefinition:
    """The table that a peer fills."""
    return TableDefinition(_TABLE, [TableDefinition.Column(name, kind) for name, kind, _ in _columns()])


def load(folder: Path) -> None:
    """Parse everything, write one Arrow file, COPY it into a new .hyper file."""
    columns = _columns()
    parsed = [
        pa.field(
            name, {pa.date32(): pa.string(), pa.timestamp("us"): pa.timestamp("us", "UTC")}.get(arrow, arrow)
        )
        for name, _, arrow in columns
    ]
    messages = pyarrow.json.read_json(
        pa.PythonFile(sys.stdin.buffer, "r"),
        read_options=pyarrow.json.ReadOptions(block_size=8 * 1024 * 1024),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pa.schema([pa.field("record", pa.struct(parsed))]),
            unexpected_field_behavior="ignore",
        ),
    )
    records = messages.column("record").drop_null()  # SCHEMA and STATE have none
    table = pa.Table.from_struct_array(records).cast(pa.schema([(name, arrow) for name, _, arrow in columns]))
    path = folder / "peer.arrow"
    with pa.ipc.new_file(path, table.schema) as out:
        out.write_table(table)
    with (
        HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters=QUIET) as engine,
        Connection(engine.endpoint, str(folder / FILE), CreateMode.CREATE_AND_REPLACE) as connection,
    ):
        connection.catalog.create_schema("Extract")
        connection.catalog.create_table(definition())
        connection.execute_command(
            f"COPY {_TABLE} FROM {escape_string_literal(str(path))} WITH (FORMAT => 'arrowfile')"
        )


if __name__ == "__main__":
    load(Path(sys.argv[1]))
