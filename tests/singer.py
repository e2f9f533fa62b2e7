"""What the tests of all taps share: a tap's messages as a target sees them, and what a target would hold of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from unittest import mock

import msgspec
from singer_sdk import Tap
from singer_sdk.contrib.msgspec import decoder, serialize_jsonl
from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from typing_extensions import override

from target_tableau.proof import unread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from singer_sdk.singerlib import Message

Row = dict[str, Any]
T = TypeVar("T", bound=Tap)


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


def set_up_mapper(tap: Tap) -> None:
    """Map the selected streams as the tap does; to map the others too would cost more than most tests do."""
    chosen = Catalog()
    for name, stream in tap.streams.items():
        if stream.metadata.root.selected:
            chosen[name] = stream._singer_catalog_entry  # noqa: SLF001 - as the tap makes its own
    with mock.patch.object(Tap, "catalog", chosen):
        tap.setup_mapper()


@dataclasses.dataclass
class SingerRun(Generic[T]):
    """What one run of a tap left behind."""

    tap: T
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
    def unread(self) -> dict[str, str]:
        """What target-tableau tells people of, because the tap did not read it to its end, and why."""
        begun = (m["stream"] for m in self.messages if m["type"] == "SCHEMA")
        return unread(begun, self.state, dt.datetime.now(dt.UTC))


class Tables:
    """Rows by stream and key, and sums over them."""

    def __init__(self) -> None:
        self.tables: defaultdict[str, dict[tuple[Any, ...], Row]] = defaultdict(dict)

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


def start(
    package: str,
    config: Mapping[str, Any],
    folder: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a tap as a user does."""
    path = folder / "config.json"
    path.write_bytes(msgspec.json.encode(config))
    return subprocess.Popen(
        [sys.executable, "-m", package, "--config", str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )
