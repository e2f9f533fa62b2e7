"""Runs the tap in this process or as a command, and keeps what it says."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest import mock

import msgspec
from typing_extensions import override

from tap_exact_online.client import Client
from tap_exact_online.clock import Clock
from tap_exact_online.streams import ENTITIES
from tap_exact_online.streams.columns import snake
from tap_exact_online.tap import TapExactOnline
from tests.singer import Recorder, Row, SingerRun, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.sandbox.exact_online.app import ExactOnlineSite
    from tests.tap_exact_online.conftest import Instance


@dataclasses.dataclass
class Run(SingerRun[TapExactOnline]):
    """What one run of the tap left behind."""

    def bookmark(self, stream: str, division: int) -> dict[str, Any]:
        places = self.state["bookmarks"][stream]["partitions"]
        (found,) = (place for place in places if place["context"] == {"division": division})
        return dict(found)


def catalog_of(tap: TapExactOnline, streams: Iterable[str]) -> dict[str, Any]:
    """The tap's own catalog with some streams selected and the rest not."""
    wanted = set(streams)
    catalog = json.loads(tap.catalog_json_text)
    assert wanted <= {entry["tap_stream_id"] for entry in catalog["streams"]}
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if not part["breadcrumb"]:
                part["metadata"]["selected"] = entry["tap_stream_id"] in wanted
    return dict(catalog)


class SiteClock(Clock):
    """The site's clock as the tap's own: waiting moves it on, and takes no time."""

    def __init__(self, site: ExactOnlineSite, on_wait: Callable[[float], None] | None = None) -> None:
        self._site = site
        self._on_wait = on_wait
        self.waits: list[float] = []

    @override
    def now(self) -> float:
        return self._site.clock.now()

    @override
    def monotonic(self) -> float:
        return self._site.clock.now()

    @override
    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self._on_wait is not None:
            self._on_wait(seconds)
        self._site.clock.advance(seconds)


@functools.cache
def _catalog(streams: tuple[str, ...], *, enrich: bool) -> str:
    """A catalog of these streams alone: to read the other fifty costs more than most tests."""
    config = {"client_id": "x", "client_secret": "x", "enrich": enrich}
    catalog = catalog_of(TapExactOnline(config=config, setup_mapper=False), streams)
    return json.dumps({"streams": [each for each in catalog["streams"] if each["tap_stream_id"] in streams]})


def run_tap(
    instance: Instance,
    *streams: str,
    config: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    on_message: Callable[[dict[str, Any]], None] | None = None,
    on_wait: Callable[[float], None] | None = None,
    catalog: dict[str, Any] | None = None,
) -> Run:
    """Run the tap for some streams, or all; waiting is noted and not done."""
    config = dict(instance.config if config is None else config)
    recorder = Recorder()
    recorder.on_message = on_message
    clock = SiteClock(instance.app, on_wait)
    with mock.patch.object(Client, "clock", clock):
        if streams and catalog is None:
            catalog = json.loads(_catalog(streams, enrich=config.get("enrich", True)))
        tap = TapExactOnline(
            config=config,
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
    return Run(tap, recorder, clock.waits)


def last_per_key(
    rows: Iterable[Row], keys: Iterable[str], held: dict[tuple[Any, ...], Row] | None = None
) -> dict[tuple[Any, ...], Row]:
    """What a target that upserts by key and obeys tombstones would hold."""
    keys = list(keys)
    held = dict(held or {})
    for row in rows:
        key = tuple(row[name] for name in keys)
        assert None not in key
        if row.get("_sdc_deleted_at"):
            held.pop(key, None)
        else:
            held[key] = row
    return held


PAIRS = {
    entity.lines.stream: (entity.stream, snake(entity.keys[0]), snake(entity.lines.parent))
    for entity in ENTITIES
    if entity.lines
}


class Warehouse:
    """Holds what a target would: last row per key, tombstones obeyed, lines replaced with their document."""

    def __init__(self) -> None:
        self.tables: defaultdict[str, dict[tuple[Any, ...], Row]] = defaultdict(dict)

    def load(self, run: Run) -> None:
        for name, stream in run.tap.chosen.items():
            table = self.tables[name]
            if name in PAIRS:
                parent, key, mine = PAIRS[name]
                parents = {(row["division"], row[key]) for row in run.rows(parent)}
                table = {k: r for k, r in table.items() if (r["division"], r[mine]) not in parents}
            if stream.is_full_table and "completed_at" in run.state["bookmarks"].get(name, {}):
                table = {}
            self.tables[name] = last_per_key(run.rows(name), stream.primary_keys, table)

    def rows(self, stream: str, division: int | None = None) -> list[Row]:
        return [r for r in self.tables[stream].values() if division in {None, r["division"]}]

    def total(self, stream: str, column: str, division: int | None = None) -> Decimal:
        return sum((row[column] for row in self.rows(stream, division)), Decimal(0))

    def by(self, stream: str, column: str, group: str, division: int | None = None) -> dict[str, Decimal]:
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for row in self.rows(stream, division):
            sums[row[group]] += row[column]
        return {key: value for key, value in sums.items() if value}


def line_of(config: Mapping[str, Any]) -> bytes:
    """Settings as one line of JSON."""
    return msgspec.json.encode(config) + b"\n"


command = functools.partial(start, "tap_exact_online")
"""Starts the tap as a user does."""
