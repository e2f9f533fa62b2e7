"""Runs the tap in this process or as a command, and keeps what it says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

from tap_syspro.client import Client
from tap_syspro.streams import TABLES
from tap_syspro.tap import TapSyspro
from tests.singer import Recorder, Row, SingerRun, Tables, set_up_mapper, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.tap_syspro.conftest import Instance

TABLE_OF = {
    **{table.stream: (table.entity, table.keys) for table in TABLES},
    **{table.lines.stream: (table.lines.entity, table.lines.keys) for table in TABLES if table.lines},
}


@dataclasses.dataclass
class Run(SingerRun[TapSyspro]):
    """What one run of the tap left behind."""

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
            setup_mapper=False,
        )
        try:
            if streams and catalog is None:
                select(tap, streams)
            set_up_mapper(tap)
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


class Warehouse(Tables):
    """Holds what a target would: last row per key, tombstones obeyed, lines replaced with their document."""

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


command = functools.partial(start, "tap_syspro")
"""Starts the tap as a user does."""


def text(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return str(value).rstrip()


def keys_in_database(instance: Instance, table: str, keys: Iterable[str]) -> set[tuple[str, ...]]:
    return {
        (company, *(text(row[key]) for key in keys))
        for company, rows in instance.rows(table).items()
        for row in rows
    }


def keys_of(rows: Iterable[Row], primary: Iterable[str]) -> list[tuple[str, ...]]:
    primary = list(primary)
    return [tuple(text(row[key]) for key in primary) for row in rows]


def held(stream: str, *runs: Run) -> list[Row]:
    warehouse = Warehouse()
    for run in runs:
        warehouse.load(run)
    return warehouse.rows(stream)
