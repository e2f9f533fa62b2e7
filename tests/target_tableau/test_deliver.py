"""A backfill: parts are read side by side into journals, and delivered as one load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_tableau.deliver import deliver
from target_tableau.errors import TargetTableauError
from target_tableau.journal import Journal
from target_tableau.ledger import Ledger
from target_tableau.settings import Settings
from tests.target_tableau.support import (
    BILL,
    LINE,
    STATE,
    WITHIN,
    load,
    loads_command,
    query,
    record,
    schema,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


def documents(*lines: tuple[str, int, int]) -> list[dict[str, Any]]:
    """Bills with their lines: reference, line number, amount."""
    messages: list[dict[str, Any]] = [
        schema("bills", BILL, ["ref"]),
        schema("bill_lines", LINE, ["ref", "nbr"]),
    ]
    for ref in dict.fromkeys(ref for ref, _, _ in lines):
        own = [(nbr, amount) for each, nbr, amount in lines if each == ref]
        total = sum(amount for _, amount in own)
        messages.append(record("bills", ref=ref, amount=total, note_id=f"n-{ref}"))
        messages += [
            record("bill_lines", ref=ref, nbr=nbr, amount=amount, parent_note_id=f"n-{ref}")
            for nbr, amount in own
        ]
    return [*messages, state(STATE)]


@pytest.fixture
def parts(publishing: Config, tmp_path: Path) -> list[Config]:
    """Settings of two parts of a backfill, which share the source and the ledger."""
    publishing |= {"replace_within": WITHIN, "ledger_url": f"sqlite:///{tmp_path / 'shared.db'}"}
    return [
        publishing | {"journal_only": True, "output_dir": str(tmp_path / f"part-{number}")}
        for number in (1, 2)
    ]


def published_lines(server: Server) -> list[list[Any]]:
    return query(server.app.state.datasource("bill_lines"), "SELECT ref, nbr, amount FROM {t} ORDER BY 1, 2")


def test_parts_are_read_beside_a_load_and_published_once(
    parts: list[Config], publishing: Config, server: Server, tmp_path: Path
) -> None:
    live = documents(("live", 1, 9))
    assert load(publishing, live) == [STATE]
    with Ledger(publishing["ledger_url"], tmp_path).exclusive(
        "the extracts that are kept in this ledger", 0
    ):  # as a load that is under way holds them
        assert load(parts[0], documents(("a", 1, 1), ("a", 2, 2), ("moved", 1, 3), ("moved", 2, 4))) == [
            STATE
        ]
        assert load(parts[1], documents(("b", 1, 5), ("moved", 1, 6))) == [STATE]
    writes = len(server.writes)
    assert published_lines(server) == [["live", 1, 9]]
    done = loads_command(publishing, tmp_path, "deliver", parts[0]["output_dir"], parts[1]["output_dir"])
    assert done.exit_code == 0, done.output
    # a document that was changed between the readings has the lines that it had at the later one
    assert published_lines(server) == [["a", 1, 1], ["a", 2, 2], ["b", 1, 5], ["live", 1, 9], ["moved", 1, 6]]
    assert server.rows("bills") == {"a": 3, "b": 5, "live": 9, "moved": 6}
    assert len(server.writes) - writes == 2  # one for each data source
    again = deliver(Settings.from_config(publishing), [tmp_path / "part-1", tmp_path / "part-2"])
    assert {row["stream"]: row["unchanged"] for row in again} == {"bills": 3, "bill_lines": 4}
    assert len(server.writes) - writes == 2
    statuses = {row["status"] for row in Ledger(publishing["ledger_url"], tmp_path).loads()}
    assert statuses == {"collected", "done"}


def test_a_part_that_was_not_read_to_its_end_is_not_delivered(
    parts: list[Config], publishing: Config, server: Server, tmp_path: Path
) -> None:
    load(parts[0], documents(("a", 1, 1)))
    folder = tmp_path / "part-2"
    Journal(folder / "journal", "20260101T000000000000-aaaa").write_json("bills.schema", {"stream": "bills"})
    with pytest.raises(TargetTableauError, match="was not read to its end") as caught:
        deliver(Settings.from_config(publishing), [tmp_path / "part-1", folder])
    assert "\n" not in str(caught.value)
    assert server.find("bills") is None
