"""A STATE that the first version of the tap has left is where this one goes on."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.tap_acumatica.harness import run_tap

if TYPE_CHECKING:
    from tests.tap_acumatica.conftest import Instance

# of 21 November 2026, after it had read the whole company that `instance` serves, at nine o'clock on its last day
STATE = json.loads((Path(__file__).parent / "state_of_first_version.json").read_text(encoding="utf-8"))


def test_the_next_run_reads_what_has_changed_since_and_nothing_else(instance: Instance) -> None:
    quiet = run_tap(instance.config, state=STATE)
    assert quiet.tap.exit_code == 0
    assert not quiet.rows("bills")
    assert not quiet.rows("journal_transactions")

    instance.world.life.live(40)
    instance.world.life.advance(60)
    since = dt.datetime.fromisoformat(STATE["bookmarks"]["bills"]["replication_key_value"])
    changed = {bill.reference_nbr for bill in instance.company.bills.values() if bill.modified_at > since}
    assert changed
    run = run_tap(instance.config, "bills", "bill_lines", state=STATE)
    assert {row["reference_nbr"] for row in run.rows("bills") if row["reference_nbr"]} == changed
    assert dt.datetime.fromisoformat(run.bookmark("bills")["replication_key_value"]) > since
