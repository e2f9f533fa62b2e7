"""Runs the tap in this process or as a command, and keeps what it says."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

from tap_acumatica.client import Client
from tap_acumatica.tap import TapAcumatica
from tests.singer import Recorder, Row, SingerRun, Tables, set_up_mapper, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclasses.dataclass
class Run(SingerRun[TapAcumatica]):
    """What one run of the tap left behind."""

    def bookmark(self, stream: str) -> dict[str, Any]:
        return dict(self.state["bookmarks"][stream])


def select(tap: TapAcumatica, streams: Iterable[str]) -> None:
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
        tap = TapAcumatica(
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
        if row.get("_sdc_deleted_at"):
            held = {key: kept for key, kept in held.items() if kept["note_id"] != row["note_id"]}
        else:
            held[tuple(row[key] for key in keys)] = row
    return held


PAIRS = {
    "bill_lines": "bills",
    "journal_lines": "journal_transactions",
    "purchase_order_lines": "purchase_orders",
    "ap_payment_applications": "ap_payments",
    "ar_invoice_lines": "ar_invoices",
    "ar_payment_applications": "ar_payments",
    "customer_attributes": "customers",
    "non_stock_item_attributes": "non_stock_items",
    "purchase_receipt_lines": "purchase_receipts",
    "sales_invoice_lines": "sales_invoices",
    "sales_order_lines": "sales_orders",
    "stock_item_attributes": "stock_items",
    "vendor_attributes": "vendors",
}


class Warehouse(Tables):
    """Holds what a target would: last row per key, tombstones obeyed, lines replaced with their document."""

    def load(self, run: Run) -> None:
        for name, stream in run.tap.chosen.items():
            if name in PAIRS:
                parents = {row["note_id"] for row in run.rows(PAIRS[name])}
                table = self.tables[name]
                self.tables[name] = {k: r for k, r in table.items() if r["parent_note_id"] not in parents}
                self.tables[name].update(last_per_key(run.rows(name), stream.primary_keys))
            else:
                held = list(self.tables[name].values())
                self.tables[name] = last_per_key([*held, *run.rows(name)], stream.primary_keys)


command = functools.partial(start, "tap_acumatica")
"""Starts the tap as a user does."""
