"""What the target is measured against: `python -m tests.benchmarks.peers NAME FOLDER`, messages on standard input.

- `discard`: a singer-sdk target with a `BatchSink` and its defaults that throws every record away.
- `inserter`: the same, but the records go into a .hyper file through the Hyper API's row `Inserter`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import BatchSink, Target
from tableauhyperapi import Connection, CreateMode, HyperProcess, Inserter, Telemetry
from typing_extensions import override

from tests.benchmarks import gl_lines
from tests.benchmarks.bare import FILE, QUIET, definition

if TYPE_CHECKING:
    from collections.abc import Callable


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
        with Inserter(self.connection, definition()) as inserter:
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
        HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters=QUIET) as engine,
        Connection(engine.endpoint, str(folder / FILE), CreateMode.CREATE_AND_REPLACE) as connection,
    ):
        connection.catalog.create_schema("Extract")
        connection.catalog.create_table(definition())
        InserterSink.connection = connection
        InserterTarget(config={"add_record_metadata": False}).listen(sys.stdin)


PEERS: dict[str, Callable[[Path], None]] = {"discard": discard, "inserter": inserter}

if __name__ == "__main__":
    PEERS[sys.argv[1]](Path(sys.argv[2]))
