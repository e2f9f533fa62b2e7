"""Runs the tap in this process or as a command, and keeps what it says."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

from tap_sage_intacct.client import Client
from tap_sage_intacct.tap import TapSageIntacct
from tests.singer import Recorder, Row, SingerRun, Tables, set_up_mapper, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclasses.dataclass
class Run(SingerRun[TapSageIntacct]):
    """What one run of the tap left behind."""

    def live(self, stream: str) -> list[Row]:
        return [row for row in self.rows(stream) if not row.get("_sdc_deleted_at")]

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


def select(tap: TapSageIntacct, streams: Iterable[str], columns: Mapping[str, Sequence[str]]) -> None:
    """Select some streams and no others, and more of their columns, as a catalog would."""
    wanted = set(streams)
    assert wanted <= set(tap.streams), wanted - set(tap.streams)
    for name, stream in tap.streams.items():
        stream.metadata.root.selected = name in wanted
        for column in columns.get(name, ()):
            stream.metadata["properties", column].selected = True


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
        tap = TapSageIntacct(
            config=dict(config),
            catalog=catalog,
            state=json.loads(json.dumps(state)) if state else None,
            message_writer=recorder,
            setup_mapper=False,
        )
        try:
            if streams and catalog is None:
                select(tap, streams, columns or {})
            set_up_mapper(tap)
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


class Warehouse(Tables):
    """Holds what a target would: last row per key, tombstones obeyed, lines replaced with their document."""

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


command = functools.partial(start, "tap_sage_intacct")
"""Starts the tap as a user does."""
