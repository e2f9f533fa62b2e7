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

from tap_syspro.client import Client
from tap_syspro.tap import TapSyspro

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

    tap: TapSyspro
    recorder: Recorder
    waits: list[float]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.recorder.messages

    def rows(self, stream: str) -> list[Row]:
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream]

    @property
    def state(self) -> dict[str, Any]:
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1] if states else {}

    @property
    def failures(self) -> dict[str, str]:
        """Why streams were not read to their end."""
        return {name: stream.feed.reason for name, stream in self.tap.chosen.items() if stream.feed.reason}

    def bookmark(self, stream: str) -> dict[str, Any]:
        return dict(self.state["bookmarks"][stream])


def select(tap: TapSyspro, streams: Iterable[str]) -> None:
    """Select some streams and no others, as a catalog would."""
    wanted = set(streams)
    assert wanted <= set(tap.streams), wanted - set(tap.streams)
    for name, stream in tap.streams.items():
        stream.metadata.root.selected = name in wanted


def run_tap(
    config: Mapping[str, Any],
    *streams: str,
    state: Mapping[str, Any] | None = None,
    on_message: Callable[[dict[str, Any]], None] | None = None,
    on_wait: Callable[[float], None] | None = None,
    catalog: dict[str, Any] | None = None,
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
        tap = TapSyspro(
            config=dict(config),
            catalog=catalog,
            state=json.loads(json.dumps(state)) if state else None,
            message_writer=recorder,
        )
        if streams and catalog is None:
            select(tap, streams)
        try:
            tap.connect()
            tap.sync_all()
            tap.log_outcome()
        finally:
            tap.close()
    return Run(tap, recorder, waits)


def last_per_key(rows: Iterable[Row], keys: Iterable[str]) -> dict[tuple[Any, ...], Row]:
    """What a target that upserts by key and obeys tombstones would hold."""
    keys = list(keys)
    held: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        if row.get("_sdc_deleted_at"):
            held.pop(key, None)
        else:
            held[key] = row
    return held


PAIRS = {
    "por_master_detail": ("por_master_hdr", "purchase_order"),
    "sor_detail": ("sor_master", "sales_order"),
}


class Warehouse:
    """Holds what a target would: last row per key, tombstones obeyed, lines replaced with their document."""

    def __init__(self) -> None:
        self.tables: defaultdict[str, dict[tuple[Any, ...], Row]] = defaultdict(dict)

    def load(self, run: Run) -> None:
        for name, stream in run.tap.chosen.items():
            if name in PAIRS:
                head, key = PAIRS[name]
                parents = {(row["_company"], row[key]) for row in run.rows(head)}
                table = self.tables[name]
                self.tables[name] = {k: r for k, r in table.items() if (r["_company"], r[key]) not in parents}
                self.tables[name].update(last_per_key(run.rows(name), stream.primary_keys))
            else:
                held = list(self.tables[name].values())
                self.tables[name] = last_per_key([*held, *run.rows(name)], stream.primary_keys)

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
        [sys.executable, "-m", "tap_syspro", "--config", str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )
