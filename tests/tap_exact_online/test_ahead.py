"""Pages are asked for while those before them are written, and nothing else changes by that."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_exact_online.errors import StoppedError
from tap_exact_online.paging import ahead
from tap_exact_online.streams import feed
from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.exact_online.switches import Switches
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import run_tap
from tests.tap_exact_online.test_command import catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.tap_exact_online.conftest import Instance
    from tests.tap_exact_online.harness import Run

HQ = max(DIVISIONS.values())
LIST = "PurchaseEntries"
PAGE = 60


@pytest.fixture
def long(make_instance: Callable[..., Instance]) -> Instance:
    """A site whose purchase entries take several pages."""
    return make_instance(bills=150)


def read(instance: Instance, **settings: Any) -> Run:
    config = instance.with_(divisions=[HQ], enrich=False, **settings)
    return run_tap(instance, "purchase_entries", config=config)


def until(condition: Callable[[], bool]) -> bool:
    """Wait a little for something to come true."""
    for _ in range(250):
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_items_come_in_order_and_one_is_made_while_the_one_before_is_used() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            yield number

    for number in ahead(items(), lambda: True):
        expected = list(range(min(number + 2, 5)))
        assert until(lambda expected=expected: made == expected)  # type: ignore[misc]


def test_nothing_is_made_ahead_where_that_is_not_allowed() -> None:
    makers: list[threading.Thread] = []

    def items() -> Iterator[int]:
        for number in range(3):
            makers.append(threading.current_thread())
            yield number

    for number in ahead(items(), lambda: False):
        assert len(makers) == number + 1
    assert set(makers) == {threading.current_thread()}


def test_what_goes_wrong_with_an_item_is_raised_where_it_would_have_come() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise StoppedError("no call is left")

    used: list[int] = []
    with pytest.raises(StoppedError, match="no call is left"):
        used.extend(ahead(items(), lambda: True))
    assert used == [1]


def test_the_next_page_is_asked_for_while_the_first_is_written(long: Instance) -> None:
    seen: list[bool] = []

    def first_row(message: dict[str, Any]) -> None:
        if message["type"] == "RECORD" and not seen:
            seen.append(until(lambda: long.script.count(LIST) == 2))

    run = run_tap(
        long,
        "purchase_entries",
        config=long.with_(divisions=[HQ], enrich=False),
        on_message=first_row,
    )
    assert seen == [True]
    assert long.app.counters.largest_overlap == 0
    assert long.script.count(LIST) == -(-len(run.rows("purchase_entries")) // PAGE)


@pytest.mark.parametrize("trouble", [None, Fault(LIST, status=404, body=b"{}", skip=1, times=9)])
def test_reading_ahead_writes_and_asks_what_reading_on_demand_does(
    long: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: Fault | None
) -> None:
    found = []
    for few in (50, 10**9):
        monkeypatch.setattr(feed, "_FEW_CALLS", few)
        long.script.clear()
        caplog.clear()
        if trouble is not None:
            long.script.add(Fault(trouble.pattern, trouble.status, trouble.body, skip=1, times=9))
        run = read(long)
        told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        asked = [call.line for call in long.script.calls if LIST in call.line]
        found.append((run.rows("purchase_entries"), run.tap.exit_code, told, asked))
    assert found[0] == found[1]
    rows, code, told, asked = found[0]
    if trouble is None:
        assert (len(rows) > PAGE, code, told) == (True, 0, [])
    else:
        assert (len(rows), code, len(told), len(asked)) == (PAGE, 1, 1, 2)


def test_where_few_calls_are_left_a_page_is_written_before_the_next_is_asked_for(long: Instance) -> None:
    asked: list[int] = []

    def count(message: dict[str, Any]) -> None:
        if message["type"] == "RECORD":
            asked.append(long.script.count(LIST))

    config = long.with_(divisions=[HQ], enrich=False, max_calls_per_run=10)
    run_tap(long, "purchase_entries", config=config, on_message=count)
    assert asked == [1 + place // PAGE for place in range(len(asked))]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_a_signal_does_not_wait_for_the_page_that_was_asked_for_ahead(
    make_instance: Callable[..., Instance], tmp_path: Path
) -> None:
    real = make_instance(bills=150, switches=Switches(clock="real"))
    real.script.add(Fault(LIST, delay=60, skip=1))
    settings, written = tmp_path / "config.json", tmp_path / "out"
    settings.write_text(json.dumps(real.with_(divisions=[HQ], enrich=False)))
    arguments = ("--config", str(settings), *catalog(tmp_path, "purchase_entries"))
    with written.open("wb") as out:  # nobody reads until the signal is sent, and a pipe holds little
        process = subprocess.Popen(
            [sys.executable, "-m", "tap_exact_online", *arguments], stdout=out, stderr=subprocess.PIPE
        )
        try:
            assert until(lambda: real.script.count(LIST) == 2)
            time.sleep(0.5)  # until the first page is written
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=40)
        finally:
            process.kill()
    assert time.monotonic() - began < 15
    assert process.returncode == 128 + signal.SIGTERM, err
    assert b"Traceback" not in err
    rows = [line for line in written.read_text().splitlines() if json.loads(line)["type"] == "RECORD"]
    assert len(rows) == PAGE
