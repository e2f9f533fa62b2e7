"""Deletions are told at once where the installation keeps a log of them, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_epicor_kinetic.errors import UserError
from tap_epicor_kinetic.streams import SOURCES
from tap_epicor_kinetic.streams.deletions import ROW_TYPES
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import Run, run_tap

if TYPE_CHECKING:
    from tests.singer import Row
    from tests.tap_epicor_kinetic.conftest import Instance

LOG = {
    "baq": "DeletedRows",
    "table": "UD40_Key1",
    "row_id": "UD40_Key2",
    "revision": "UD40_SysRevID",
    "deleted_at": "UD40_Date01",
}
STREAMS = ("ap_invoice_lines", "ap_invoices")
TABLES = {"ap_invoice_lines": "APInvDtl", "ap_invoices": "APInvHed"}


class Held:
    """What a target holds that matches tombstones by `sys_row_id`, as target-tableau does by `delete_match`."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Row]] = {}

    def load(self, run: Run) -> None:
        for stream in STREAMS:
            held = self.rows.setdefault(stream, {})
            for row in run.rows(stream):
                if row["_sdc_deleted_at"]:
                    held.pop(row["sys_row_id"], None)
                else:
                    held[row["sys_row_id"]] = row

    def check(self, instance: Instance) -> None:
        for stream, table in TABLES.items():
            on_server = {
                row["SysRowID"]
                for company in ("EPIC06", "EPIC07")
                for row in instance.site.rows(table, company)
            }
            assert set(self.rows[stream]) == on_server


def gone(run: Run, stream: str) -> list[Row]:
    return [row for row in run.rows(stream) if row["_sdc_deleted_at"]]


def test_deleted_rows_are_told_by_their_identity(instance: Instance) -> None:
    config = instance.with_(deletion_log=LOG)
    instance.world.life.post_bill(hold=True)
    held = Held()
    first = run_tap(config, *STREAMS)
    held.load(first)
    assert not gone(first, "ap_invoices")
    instance.world.life.delete_bill()
    second = run_tap(config, *STREAMS, state=first.state)
    (told,) = gone(second, "ap_invoices")
    assert told["_sdc_deleted_at"].endswith("+00:00")
    assert {name for name, value in told.items() if value is not None} == {"sys_row_id", "_sdc_deleted_at"}
    assert gone(second, "ap_invoice_lines")
    held.load(second)
    held.check(instance)


def test_a_row_that_is_deleted_while_the_first_run_reads_is_told(instance: Instance) -> None:
    instance.world.life.post_bill(hold=True)
    config = instance.with_(deletion_log=LOG, page_size=10)
    instance.script.add(
        Fault(r"/(APInvoices|APInvDtlSearches)\?", hook=instance.world.life.delete_bill, skip=3)
    )
    held = Held()
    first = run_tap(config, *STREAMS)
    held.load(first)
    held.load(run_tap(config, *STREAMS, state=first.state))
    held.check(instance)


def test_the_log_is_read_once_per_company_however_many_streams_want_it(instance: Instance) -> None:
    config = instance.with_(deletion_log=LOG, sysrevid_overlap=0)
    instance.world.life.post_bill(hold=True)
    state = run_tap(config, *STREAMS, "vendors", "terms").state
    instance.world.life.delete_bill()
    state = run_tap(config, *STREAMS, "vendors", "terms", state=state).state
    instance.script.clear()
    run = run_tap(config, *STREAMS, "vendors", "terms", state=state)
    assert instance.script.count("DeletedRows/Data") <= 4
    assert run.tap.exit_code == 0


def test_a_log_whose_numbers_began_anew_is_read_from_its_beginning(instance: Instance) -> None:
    config = instance.with_(deletion_log=LOG)
    for _ in range(2):
        instance.world.life.post_bill(hold=True)
    held = Held()
    first = run_tap(config, *STREAMS)
    held.load(first)
    instance.world.life.delete_bill()
    second = run_tap(config, *STREAMS, state=first.state)
    held.load(second)
    state = second.state
    for stream in STREAMS:
        for place in state["bookmarks"][stream]["partitions"]:
            place["deletions_read_until"] = 2**52
    instance.world.life.delete_bill()
    held.load(run_tap(config, *STREAMS, state=state))
    held.check(instance)


@pytest.mark.parametrize("change", [{"baq": "Nope"}, {"revision": "UD40_Nope"}])
def test_a_log_that_is_described_wrongly_is_an_error_that_names_the_setting(
    instance: Instance, change: dict[str, str]
) -> None:
    with pytest.raises(UserError, match=r"^deletion_log: "):
        run_tap(instance.with_(deletion_log={**LOG, **change}), "terms")


def test_without_a_log_there_is_no_such_column(instance: Instance) -> None:
    run = run_tap(instance.config, "terms")
    assert all("_sdc_deleted_at" not in row for row in run.rows("terms"))
    assert instance.script.count("BaqSvc") == 0


def test_every_stream_whose_rows_can_be_deleted_one_by_one_has_its_table() -> None:
    without: set[Any] = {source.stream for source in SOURCES if source.appends or source.rebuilt}
    assert set(ROW_TYPES) == {source.stream for source in SOURCES} - without
