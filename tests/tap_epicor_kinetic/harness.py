"""Runs the tap in this process or as a command, and keeps what it says."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

from tap_epicor_kinetic.client import Client
from tap_epicor_kinetic.streams import sources_of
from tap_epicor_kinetic.tap import TapEpicorKinetic
from tests.singer import Recorder, SingerRun, Tables, start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_epicor_kinetic.streams.source import Source
    from tests.tap_epicor_kinetic.conftest import Instance

COMPANIES = ("EPIC06", "EPIC07")


@dataclasses.dataclass
class Run(SingerRun[TapEpicorKinetic]):
    """What one run of the tap left behind."""

    stamp_before: dict[str, Any]

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


class Warehouse(Tables):
    """Holds what a target would: the last row per key; a whole read replaces what was there."""

    def load(self, run: Run) -> None:
        """Take what a run brought, as target-tableau does: versions count with proof that the stream ended."""
        for name, stream in run.tap.chosen.items():
            if name in run.activated and run.is_proven_whole(name):
                self.tables[name] = {}
            for row in run.rows(name):
                self.tables[name][tuple(row[key] for key in stream.primary_keys)] = row


command = functools.partial(start, "tap_epicor_kinetic")
"""Starts the tap as a user does."""


def keys_on_server(instance: Instance, table: str, *key: str) -> set[tuple[Any, ...]]:
    """The keys of a table in both companies."""
    return {
        (company, *(row[name] for name in key))
        for company in COMPANIES
        for row in instance.site.rows(table, company)
    }


def keys_of(run: Run, stream: str) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in run.tap.streams[stream].primary_keys) for row in run.rows(stream)]
