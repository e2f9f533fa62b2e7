"""A run that dies between two of its steps, with extracts and data sources that were there before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_tableau.contents import Contents
from target_tableau.delivery import Delivery
from target_tableau.errors import BadRecordError
from target_tableau.extract import ExtractBuild
from target_tableau.journal import Journal
from target_tableau.load import Load
from target_tableau.publish import Publisher
from target_tableau.replay import replay
from target_tableau.settings import Settings
from target_tableau.target import TargetTableau
from tests.target_tableau.support import (
    BILL,
    LATER,
    Books,
    Extracts,
    Killed,
    bills,
    kill_at,
    load,
    query,
    record,
    schema,
    state,
)

if TYPE_CHECKING:
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]

STEPS = {
    "the first journal file is written": (Journal, "write_batch", True),
    "all is in the journal": (Load, "_build", False),
    "the first extract is built": (ExtractBuild, "build", True),
    "all extracts are built": (Delivery, "deliver", False),
    "the first is to be sent": (Publisher, "_send", False),
    "the first is sent": (Publisher, "_send", True),
    "all are published": (Delivery, "deliver", True),
    "the first is noted": (Contents, "note", True),
    "the first is in place": (ExtractBuild, "promote", True),
    "all are in place": (TargetTableau, "_write_state_message", False),
    "STATE is handed on": (TargetTableau, "_write_state_message", True),
    "the load is closed": (Load, "close", True),
}
BY_OVERWRITE = ("bills", "log")
LONG = {
    "the first is sent",
    "all are in place",
    "the first journal file is written",
    "all extracts are built",
    "the first is noted",
    "the first extract is built",
    "the first is to be sent",
    "the load is closed",
}
CASES = [
    pytest.param(step, stream, marks=[] if number % 2 == other and step not in LONG else [pytest.mark.soak])
    for number, step in enumerate(STEPS)
    for other, stream in enumerate(BY_OVERWRITE)
]


@pytest.mark.parametrize(("step", "overwritten"), CASES)
def test_a_run_that_is_killed_when(
    books: Books, monkeypatch: pytest.MonkeyPatch, step: str, overwritten: str
) -> None:
    books.config["datasources"] = [{"stream": overwritten, "publish_mode": "overwrite"}]
    owner, name, after = STEPS[step]
    with monkeypatch.context() as patch:
        kill_at(patch, owner, name, after=after)
        handed_on = books.attempt(Killed)
    assert bool(handed_on) == (step in {"STATE is handed on", "the load is closed"})
    books.converge(handed_on)


@pytest.mark.parametrize(
    "step",
    [
        "all are in place",
        *(pytest.param(step, marks=pytest.mark.soak) for step in ("all are published", "STATE is handed on")),
    ],
)
def test_a_replay_of_a_load_that_was_killed_doubles_nothing(
    books: Books, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    owner, name, after = STEPS[step]
    with monkeypatch.context() as patch:
        kill_at(patch, owner, name, after=after)
        books.attempt(Killed)
    (killed,) = sorted((books.extracts.folder / "journal").iterdir())[1:]
    assert replay(Settings.from_config(books.config), killed.name) == LATER
    assert (books.here(), books.published()) == (books.new, books.new)
    books.converge([LATER])


SLICES = 5


@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [
        (ExtractBuild, "promote", 4),
        pytest.param(Journal, "write_batch", 5, marks=pytest.mark.soak),
        pytest.param(TargetTableau, "_write_state_message", 4, marks=pytest.mark.soak),
    ],
    ids=["a checkpoint in place", "amid a slice", "STATE handed on"],
)
def test_a_first_load_killed_at_80_percent_goes_on_from_its_checkpoint(
    publishing: Config,
    server: Server,
    extracts: Extracts,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    call: int,
) -> None:
    publishing["checkpoint_minutes"] = 0

    def slices(first: int) -> list[dict[str, Any]]:
        """What the tap sends when it goes on behind a slice."""
        messages = [schema("bills", BILL, ["ref"])]
        for number in range(first, SLICES):
            messages += bills(*((f"{number}-{row}", row) for row in range(20)))[1:-1]
            messages.append(state({"bookmarks": {"bills": {"replication_key_value": f"{number}"}}}))
        return messages

    handed_on: list[dict[str, Any]] = []
    with monkeypatch.context() as patch:
        kill_at(patch, owner, name, after=True, call=call)
        with pytest.raises(Killed):
            load(publishing, slices(0), handed_on)
    assert len(handed_on) == (3 if name == "promote" else 4)
    count = "SELECT COUNT(*), COUNT(DISTINCT ref), SUM(amount) FROM {t}"
    safe = [20 * len(handed_on), 20 * len(handed_on), 190 * len(handed_on)]
    more = [20 * 4, 20 * 4, 190 * 4]
    assert extracts.rows("bills", count)[0] in (safe, more)
    assert query(server.app.state.datasource("bills"), count)[0] in (safe, more)
    reads = len(handed_on)
    last = load(publishing, slices(reads))[-1]
    assert last["bookmarks"]["bills"]["replication_key_value"] == "4"
    assert extracts.rows("bills", count) == [[100, 100, 950]]
    assert query(server.app.state.datasource("bills"), count) == [[100, 100, 950]]


def test_a_load_that_fails_behind_a_checkpoint_takes_nothing_of_it_back(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing["checkpoint_minutes"] = 0
    messages = [schema("log", BILL), record("log", ref="a", amount=1), state({"at": 1})]
    handed_on: list[dict[str, Any]] = []
    with pytest.raises(BadRecordError):
        load(publishing, [*messages, record("log", ref="b", amount="x")], handed_on)
    assert handed_on == [{"at": 1}]
    load(publishing, [messages[0], record("log", ref="b", amount=2), state({"at": 2})])
    assert extracts.column("log", "ref") == ["a", "b"]
    assert server.rows("log") == {"a": 1, "b": 2}
