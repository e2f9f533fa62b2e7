"""A STATE that the first version of the tap has left is where this one goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_syspro.harness import Run, run_tap
from tests.upgrade.states import check_that_it_goes_on

if TYPE_CHECKING:
    from tests.tap_syspro.conftest import Instance

# of 26 November 2026, after it had read the whole company that `instance` serves
STATE = json.loads((Path(__file__).parent / "state_of_first_version.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "streams",
    [
        ("ap_invoice", "gen_journal_detail", "gen_transaction", "por_master_hdr", "por_master_detail"),
        pytest.param((), id="all", marks=pytest.mark.soak),
    ],
)
def test_the_next_run_reads_what_has_changed_since_and_nothing_else(
    instance: Instance, streams: tuple[str, ...]
) -> None:
    config = instance.with_(lookback_seconds=86_400)  # little of what is always read again

    def run(state: dict[str, Any] | None) -> Run:
        return run_tap(config, *streams, state=state)

    check_that_it_goes_on(instance.world, run, STATE)
