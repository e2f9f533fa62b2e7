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

from tap_epicor_kinetic.client import Client
from tap_epicor_kinetic.streams import sources_of
from tap_epicor_kinetic.tap import TapEpicorKinetic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from singer_sdk.singerlib import Message

    from tap_epicor_kinetic.streams.source import Source

Row = dict[str, Any]


class Recorder(GenericSingerWriter[bytearray, Any]):
    """Keeps every message as the target would see it: written as JSON and read again."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._decoded: list[dict[str, Any]] = []
        self.on_message: Callable[[dict[str, Any]], None] | None = None

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

    tap: TapEpicorKinetic
    recorder: Recorder
    waits: list[float]
    stamp_before: dict[str, Any]

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
    def activated(self) -> set[str]:
        """Streams of which this run says that what it does not bring is gone."""
        return {m["stream"] for m in self.messages if m["type"] == "ACTIVATE_VERSION"}

    def is_proven_whole(self, stream: str) -> bool:
        """Whether the stamp of a complete read changed between the first and the last STATE."""
        states = [m["value"]["bookmarks"].get(stream, {}) for m in self.messages if m["type"] == "STATE"]
        stamps = [state.get("completed_at") for state in states]
        return bool(stamps) and stamps[-1] is not None and stamps[-1] != self.stamp_before.get(stream)

    def bookmark(self, stream: str, company: str = "EPIC06") -> dict[str, Any]:
        """The state of a stream in one company."""
        places = self.state["bookmarks"][stream]["partitions"]
        (found,) = (place for place in places if place["context"]["company"] == company)
        return dict(found)


def catalog_of(config: Mapping[str, Any], *streams: str) -> dict[str, Any]:
    """The tap's own catalog of some streams, which are selected; the others are not asked for, which saves time."""
    finder = TapEpicorKinetic(
        config={name: value for name, value in config.items() if name != "max_calls_per_run"},
        setup_mapper=False,
    )

    def wanted(settings: Mapping[str, Any]) -> list[Source]:
        return [source for source in sources_of(settings) if source.stream in streams]

    try:
        with mock.patch("tap_epicor_kinetic.tap.sources_of", wanted):
            catalog = json.loads(finder.catalog_json_text)
    finally:
        finder.close()
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if not part["breadcrumb"]:
                part["metadata"]["selected"] = True
    return dict(catalog)


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
        if streams and catalog is None:
            catalog = catalog_of(config, *streams)
        tap = TapEpicorKinetic(
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
    known = (state or {}).get("bookmarks", {})
    return Run(tap, recorder, waits, {name: mark.get("completed_at") for name, mark in known.items()})


class Warehouse:
    """Holds what a target would: the last row per key; a whole read replaces what was there."""

    def __init__(self) -> None:
        self.tables: defaultdict[str, dict[tuple[Any, ...], Row]] = defaultdict(dict)

    def load(self, run: Run) -> None:
        """Take what a run brought, as target-tableau does: versions count with proof that the stream ended."""
        for name, stream in run.tap.chosen.items():
            if name in run.activated and run.is_proven_whole(name):
                self.tables[name] = {}
            for row in run.rows(name):
                self.tables[name][tuple(row[key] for key in stream.primary_keys)] = row

    def rows(self, stream: str, **wanted: Any) -> list[Row]:
        """Rows with these values."""
        rows = self.tables[stream].values()
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def total(self, stream: str, column: str, **wanted: Any) -> Decimal:
        return sum((row[column] for row in self.rows(stream, **wanted)), Decimal(0))

    def by(self, stream: str, column: str, group: str, **wanted: Any) -> dict[Any, Decimal]:
        sums: defaultdict[Any, Decimal] = defaultdict(Decimal)
        for row in self.rows(stream, **wanted):
            sums[row[group]] += row[column]
        return {key: value for key, value in sums.items() if value}


def command(
    config: Mapping[str, Any], folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start the tap as a user does."""
    path = folder / "config.json"
    path.write_bytes(msgspec.json.encode(config))
    return subprocess.Popen(
        [sys.executable, "-m", "tap_epicor_kinetic", "--config", str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )
