"""Runs the tap in this process or as a command, and keeps what it says."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest import mock

import msgspec
from singer_sdk.contrib.msgspec import decoder, serialize_jsonl
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from typing_extensions import override

from tap_sage_intacct.client import Client
from tap_sage_intacct.tap import TapSageIntacct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from singer_sdk.singerlib import Message

Row = dict[str, Any]


class Recorder(GenericSingerWriter[bytearray, Any]):
    """Keeps every message as the target would see it: written as JSON and read again."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._decoded: list[dict[str, Any]] = []
        self.on_message: Callable[[dict[str, Any]], None] | None = None

    @classmethod
    def of(cls, messages: Sequence[dict[str, Any]]) -> Recorder:
        """A recorder that has seen these messages."""
        recorder = cls()
        recorder._decoded = list(messages)
        return recorder

    @override
    def serialize_message(self, message: Message) -> bytearray:
        return serialize_jsonl(message.to_dict())

    @override
    def write_message(self, message: Message) -> None:
        self.lines.append(bytes(self.serialize_message(message)))
        if self.on_message is not None:
            self.on_message(decoder.decode(self.lines[-1]))

    @property
    def messages(self) -> list[dict[str, Any]]:
        self._decoded += [decoder.decode(line) for line in self.lines[len(self._decoded) :]]
        return self._decoded


@dataclasses.dataclass
class Run:
    """What one run of the tap left behind."""

    tap: TapSageIntacct
    recorder: Recorder
    waits: list[float]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.recorder.messages

    def rows(self, stream: str) -> list[Row]:
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream]

    def live(self, stream: str) -> list[Row]:
        return [row for row in self.rows(stream) if not row.get("_sdc_deleted_at")]

    @property
    def state(self) -> dict[str, Any]:
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1] if states else {}

    def bookmark(self, stream: str) -> dict[str, Any]:
        return dict(self.state["bookmarks"][stream])


def catalog_of(
    tap: TapSageIntacct, streams: Iterable[str], columns: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Any]:
    """The tap's own catalog with some streams selected and the rest not.

    Args:
        tap: The tap.
        streams: What to select.
        columns: Stream -> columns to select besides those that are by default.
    """
    wanted = set(streams)
    catalog = json.loads(tap.catalog_json_text)
    assert wanted <= {entry["tap_stream_id"] for entry in catalog["streams"]}
    for entry in catalog["streams"]:
        more = (columns or {}).get(entry["tap_stream_id"], ())
        for part in entry["metadata"]:
            if not part["breadcrumb"]:
                part["metadata"]["selected"] = entry["tap_stream_id"] in wanted
            elif part["breadcrumb"][-1] in more:
                part["metadata"]["selected"] = True
    return dict(catalog)


def discovered(config: Mapping[str, Any]) -> dict[str, Any]:
    """The streams of the catalog, by name."""
    tap = TapSageIntacct(config=dict(config), setup_mapper=False)
    try:
        return {entry["tap_stream_id"]: entry for entry in json.loads(tap.catalog_json_text)["streams"]}
    finally:
        tap.close()


def run_tap(
    config: Mapping[str, Any],
    *streams: str,
    state: Mapping[str, Any] | None = None,
    on_message: Callable[[dict[str, Any]], None] | None = None,
    on_wait: Callable[[float], None] | None = None,
    catalog: dict[str, Any] | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Run:
    """Run the tap for some streams, or all; waiting is noted and not done."""
    recorder = Recorder()
    recorder.on_message = on_message
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if on_wait is not None:
            on_wait(seconds)

    with mock.patch.object(Client, "sleep", staticmethod(wait)):
        if streams and catalog is None:
            finder = TapSageIntacct(config=dict(config), setup_mapper=False)
            try:
                catalog = catalog_of(finder, streams, columns)
            finally:
                finder.close()
        tap = TapSageIntacct(
            config=dict(config),
            catalog=catalog,
            state=json.loads(json.dumps(state)) if state else None,
            message_writer=recorder,
        )
        try:
            tap.connect()
            tap.sync_all()
            tap.log_outcome()
        finally:
            tap.close()
    return Run(tap, recorder, waits)


PARENTS = {
    "ap_adjustment_lines": ("ap_adjustments", "recordkey"),
    "bill_lines": ("bills", "recordkey"),
    "gl_details": ("journal_entries", "batchkey"),
    "invoice_lines": ("invoices", "recordkey"),
    "journal_entry_lines": ("journal_entries", "batchno"),
    "payment_details": ("payments", "paymentkey"),
    "purchase_document_lines": ("purchase_documents", "dochdrno"),
}


class Warehouse:
    """Holds what a target would: last row per key, tombstones obeyed, lines replaced with their document."""

    def __init__(self) -> None:
        self.tables: defaultdict[str, dict[tuple[Any, ...], Row]] = defaultdict(dict)

    def load(self, run: Run) -> None:
        for name, stream in run.tap.chosen.items():
            if name in PARENTS:
                parent, column = PARENTS[name]
                read = {row["recordno"] for row in run.rows(parent)}
                self.tables[name] = {k: r for k, r in self.tables[name].items() if r[column] not in read}
            table = self.tables[name]
            for row in run.rows(name):
                key = tuple(row[part] for part in stream.primary_keys)
                if row.get("_sdc_deleted_at"):
                    table.pop(key, None)
                else:
                    table[key] = row

    def rows(self, stream: str) -> list[Row]:
        return list(self.tables[stream].values())

    def total(self, stream: str, column: str) -> Decimal:
        return sum((row[column] for row in self.rows(stream)), Decimal(0))

    def by(self, stream: str, column: str, group: str) -> dict[str, Decimal]:
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for row in self.rows(stream):
            sums[row[group]] += row[column]
        return {key: value for key, value in sums.items() if value}


def command(
    config: Mapping[str, Any], folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start the tap as a user does."""
    path = folder / "config.json"
    path.write_bytes(msgspec.json.encode(config))
    return subprocess.Popen(
        [sys.executable, "-m", "tap_sage_intacct", "--config", str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )
