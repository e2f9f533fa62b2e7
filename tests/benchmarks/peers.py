"""What the target is measured against: `python -m tests.benchmarks.peers NAME FOLDER`, messages on standard input.

- `discard`: a singer-sdk target with a `BatchSink` and its defaults that throws every record away.
- `inserter`: the same, but the records go into a .hyper file through the Hyper API's row `Inserter`.
- `bare`: no Singer at all, but the least that can be done with pyarrow and Hyper, one step after the other: parse
  the JSON, write an Arrow file, COPY it. It knows the schema, checks nothing, and keeps nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.json
from singer_sdk import BatchSink, Target
from tableauhyperapi import (
    Connection,
    CreateMode,
    HyperProcess,
    Inserter,
    SqlType,
    TableDefinition,
    TableName,
    Telemetry,
    escape_string_literal,
)
from typing_extensions import override

from tests.benchmarks import gl_lines

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = "peer.hyper"
_TABLE = TableName("Extract", "Extract")
_QUIET = {"log_config": ""}


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


def _definition() -> TableDefinition:
    return TableDefinition(_TABLE, [TableDefinition.Column(name, kind) for name, kind, _ in _columns()])


class DiscardSink(BatchSink):
    """A sink with all defaults whose batches go nowhere."""

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        context["records"].clear()


class DiscardTarget(Target):
    name = "target-discard"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}
    default_sink_class = DiscardSink


class InserterSink(BatchSink):
    """Writes rows one by one through the Hyper API, as hand-made targets do."""

    connection: ClassVar[Connection]

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        names = list(gl_lines.PROPERTIES)
        with Inserter(self.connection, _definition()) as inserter:
            inserter.add_rows([record.get(name) for name in names] for record in context["records"])
            inserter.execute()


class InserterTarget(Target):
    name = "target-inserter"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}
    default_sink_class = InserterSink


def discard(_: Path) -> None:
    """Take all messages the SDK's way and do nothing with them."""
    DiscardTarget(config={"add_record_metadata": False}).listen(sys.stdin)


def inserter(folder: Path) -> None:
    """Take all messages the SDK's way and insert them row by row."""
    with (
        HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters=_QUIET) as engine,
        Connection(engine.endpoint, str(folder / FILE), CreateMode.CREATE_AND_REPLACE) as connection,
    ):
        connection.catalog.create_schema("Extract")
        connection.catalog.create_table(_definition())
        InserterSink.connection = connection
        InserterTarget(config={"add_record_metadata": False}).listen(sys.stdin)


def bare(folder: Path) -> None:
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
        HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters=_QUIET) as engine,
        Connection(engine.endpoint, str(folder / FILE), CreateMode.CREATE_AND_REPLACE) as connection,
    ):
        connection.catalog.create_schema("Extract")
        connection.catalog.create_table(_definition())
        connection.execute_command(
            f"COPY {_TABLE} FROM {escape_string_literal(str(path))} WITH (FORMAT => 'arrowfile')"
        )


PEERS: dict[str, Callable[[Path], None]] = {"discard": discard, "inserter": inserter, "bare": bare}

if __name__ == "__main__":
    PEERS[sys.argv[1]](Path(sys.argv[2]))
