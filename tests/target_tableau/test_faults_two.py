"""Two runs at once, and two sources that claim one data source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from target_tableau import delivery, run
from target_tableau.errors import LockedError, TableauError
from target_tableau.ledger import Ledger
from tests.sandbox import tableau
from tests.target_tableau.support import STATE, Books, bills, load

if TYPE_CHECKING:
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (run, delivery):
        monkeypatch.setattr(module, "_LOCK_SECONDS", 0.1)


def test_a_run_on_extracts_that_another_run_works_on_stops_and_changes_nothing(books: Books) -> None:
    with FileLock(books.extracts.folder / ".lock"):
        assert books.attempt(LockedError) == []
    assert (books.here(), books.published()) == (books.old, books.old)
    books.converge([])


def test_a_run_on_a_data_source_that_another_run_publishes_stops_and_changes_nothing(books: Books) -> None:
    ledger = Ledger(None, books.extracts.folder)
    what = f"the data source 'log' in project '{tableau.PROJECT}' of {books.config['server_url']}"
    with ledger.exclusive(what, 0):
        assert books.attempt(LockedError) == []
    ledger.close()
    assert (books.here(), books.published()) == (books.old, books.old)
    books.converge([])


@pytest.mark.parametrize("machine", ["the same", "another"])
def test_a_data_source_that_another_source_fills_is_refused(
    publishing: Config, server: Server, machine: str, tmp_path: Any
) -> None:
    publishing["datasource_name"] = "All {stream}"
    load(publishing | {"source": "tap-a"}, bills(("a", 1)))
    other = publishing | {"source": "tap-b"}
    if machine == "another":
        other["output_dir"] = str(tmp_path / "another")
    handed_on: list[dict[str, Any]] = []
    with pytest.raises(TableauError, match="tap-a") as caught:
        load(other, bills(("b", 2)), handed_on)
    assert "\n" not in str(caught.value)
    assert handed_on == []
    assert server.rows("All bills") == {"a": 1}
    assert load(publishing | {"source": "tap-a"}, bills(("c", 3))) == [STATE]
    assert server.rows("All bills") == {"a": 1, "c": 3}
    assert load(other | {"adopt": True}, bills(("b", 2))) == [STATE]
    assert server.rows("All bills") == {"b": 2}
