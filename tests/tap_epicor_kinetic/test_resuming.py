"""Where a run goes on: behind a cut, behind a failure, and where the database is another than before."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import catalog_of, command, keys_of, keys_on_server, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tap_epicor_kinetic.conftest import Instance


def test_a_cut_run_goes_on_from_its_last_page(instance: Instance) -> None:
    config = instance.with_(page_size=10, companies=["EPIC06"], sysrevid_overlap=0)
    cut = run_tap({**config, "max_calls_per_run": 5}, "gl_journal_lines")
    assert cut.tap.exit_code == 0
    before = set(keys_of(cut, "gl_journal_lines"))
    assert 20 <= len(before) < 100
    assert "starting_replication_value" in cut.state["bookmarks"]["gl_journal_lines"]
    rest = run_tap(config, "gl_journal_lines", state=cut.state)
    after = keys_of(rest, "gl_journal_lines")
    assert len(before & set(after)) == 1  # the row of the bookmark, once more
    keys = ("BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode", "JournalNum", "JournalLine")
    wanted = {key for key in keys_on_server(instance, "GLJrnDtl", *keys) if key[0] == "EPIC06"}
    assert before | set(after) == wanted


def test_a_server_that_fails_in_the_middle_leaves_the_bookmark_behind_the_last_page(
    instance: Instance,
) -> None:
    config = instance.with_(page_size=10, companies=["EPIC06"])
    instance.script.add(Fault(r"/GLJrnDtls\?", status=400, body=b'{"ErrorMessage":"no"}', skip=5))
    run = run_tap(config, "gl_journal_lines", "vendors")
    assert run.tap.exit_code == 1
    assert run.rows("vendors")
    numbers = [row["sys_rev_id"] for row in run.rows("gl_journal_lines")]
    assert run.bookmark("gl_journal_lines")["replication_key_value"] == numbers[-1]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("as_blocks", [False, True])
def test_state_is_written_only_behind_the_rows_that_it_covers(
    make_instance: Callable[..., Instance], tmp_path: Path, *, as_blocks: bool
) -> None:
    config = make_instance(bills=120).with_(companies=["EPIC06"])
    if as_blocks:  # a user's run writes them so; the harness takes single messages
        (tmp_path / "catalog.json").write_text(json.dumps(catalog_of(config, "gl_journal_lines")))
        out, err = command(config, tmp_path, "--catalog", str(tmp_path / "catalog.json")).communicate(
            timeout=60
        )
        messages = [json.loads(line) for line in out.splitlines()]
        assert messages, err
    else:
        messages = run_tap(config, "gl_journal_lines").messages
    seen, states = 0, 0
    for message in messages:
        if message["type"] == "RECORD":
            seen = max(seen, message["record"]["sys_rev_id"])
        elif message["type"] == "STATE":
            for place in message["value"]["bookmarks"].get("gl_journal_lines", {}).get("partitions", ()):
                states += 1
                assert place.get("replication_key_value", 0) <= seen
    assert states > 1


def test_a_restored_database_is_read_again_whole_with_a_loud_warning(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    config = instance.with_(emit_activate_version_messages=True)
    first = run_tap(config, "ap_invoices")
    instance.site.migrate()
    instance.world.life.post_bill()
    with caplog.at_level(logging.WARNING):
        second = run_tap(config, "ap_invoices", state=first.state)
    assert "restored or moved" in caplog.text
    assert set(keys_of(second, "ap_invoices")) == keys_on_server(
        instance, "APInvHed", "VendorNum", "InvoiceNum"
    )
    highest = instance.site.rows("APInvHed", "EPIC06")[-1]["SysRevID"]
    assert second.bookmark("ap_invoices")["replication_key_value"] == highest
    # What the restored database no longer has is found by a whole read in the run after.
    third = run_tap(config, "ap_invoices", state=second.state)
    assert third.activated == {"ap_invoices"}
    assert third.is_proven_whole("ap_invoices")
    fourth = run_tap(config, "ap_invoices", state=third.state)
    assert fourth.activated == set()


def test_a_deleted_newest_row_is_not_taken_for_a_restored_database(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    config = instance.with_(sysrevid_overlap=0, companies=["EPIC06"])
    instance.world.life.post_bill(hold=True)
    while instance.site.rows("APInvHed", "EPIC06")[-1]["Posted"]:
        instance.world.life.post_bill(hold=True)
    first = run_tap(config, "ap_invoices")
    newest = first.bookmark("ap_invoices")["replication_key_value"]
    while instance.site.rows("APInvHed", "EPIC06")[-1]["SysRevID"] == newest:
        instance.world.life.delete_bill()
    with caplog.at_level(logging.WARNING):
        second = run_tap(config, "ap_invoices", state=first.state)
    assert "restored" not in caplog.text
    assert len(second.rows("ap_invoices")) <= 1


def test_a_number_that_belongs_to_another_row_gives_the_restored_database_away(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    first = run_tap(instance.config, "vendors")
    state = first.state
    for place in state["bookmarks"]["vendors"]["partitions"]:
        place["newest"][0][1] = "00000000-0000-0000-0000-000000000000"
    with caplog.at_level(logging.WARNING):
        second = run_tap(instance.config, "vendors", state=state)
    assert "belongs to another row" in caplog.text
    assert set(keys_of(second, "vendors")) == keys_on_server(instance, "Vendor", "VendorNum")
