"""Two clients at once, thousands of calls, a company that goes on meanwhile: nothing is lost and all is counted."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.sandbox.exact_online import DIVISIONS

if TYPE_CHECKING:
    from tests.sandbox.exact_online.visitor import Json, Visitor

_LINES = "sync/Financial/TransactionLines"
_TERMS = "sync/Cashflow/PaymentTerms"
_TYPES = {_LINES: 1, _TERMS: 10}
_BOUNDED = 50  # pages


class Client(threading.Thread):
    """Follows two sync lists of a division until it has made so many calls.

    Attributes:
        rows: What it knows of each list, by ID.
    """

    def __init__(self, visitor: Visitor, calls: int) -> None:
        super().__init__()
        self.visitor = visitor
        self.left = calls
        self.rows: dict[str, dict[str, Json]] = {_LINES: {}, _TERMS: {}}
        self.failures: list[int] = []
        self._stamps = {_LINES: 1, _TERMS: 1, "sync/Deleted": 1}

    @override
    def run(self) -> None:
        while self.left > 0 and not self.failures:
            self.catch_up()

    def catch_up(self) -> None:
        """Read what is new in all lists, then what is gone."""
        for path in (*self.rows, "sync/Deleted"):
            for row in self._newer(path):
                stamp = int(row["Timestamp"])
                self._stamps[path] = max(self._stamps[path], stamp)
                if path in self.rows:
                    self.rows[path][row["ID"]] = row
                else:
                    self._drop(row, stamp)

    def _drop(self, row: Json, stamp: int) -> None:
        for path, entity_type in _TYPES.items():
            known = self.rows[path].get(row["EntityKey"])
            if row["EntityType"] == entity_type and known and int(known["Timestamp"]) <= stamp:
                del self.rows[path][row["EntityKey"]]

    def _newer(self, path: str) -> list[Json]:
        rows: list[Json] = []
        answer = self.visitor.ask(path, filter=f"Timestamp gt {self._stamps[path]}L")
        for _ in range(_BOUNDED):
            self.left -= 1
            if answer.status_code != 200:
                self.failures.append(answer.status_code)
                return rows
            page = answer.json()["d"]
            rows += page["results"]
            if "__next" not in page:
                return rows
            answer = self.visitor.call("GET", page["__next"])
        raise AssertionError("the list does not end")


def _run(visitor: Visitor, calls: int, bills: int) -> None:
    visitor.site.switches.minute_limit = visitor.site.switches.day_limit = 10**6
    clients = {
        division: Client(dataclasses.replace(visitor, division=division), calls // 2)
        for division in DIVISIONS.values()
    }
    for client in clients.values():
        client.start()
    life = visitor.world.life
    for _ in range(bills):
        life.post_bill()
        life.pay(in_full=False)
        held = life.hold_journal()
        life.delete_journal(f"{held.module}|{held.batch_nbr}")
    for client in clients.values():
        client.join()
    counters = visitor.site.counters
    for division, client in clients.items():
        client.catch_up()
        assert client.failures == []
        for path, known in client.rows.items():
            now = dataclasses.replace(visitor, division=division).rows(path)
            assert known == {row["ID"]: row for row in now}
    assert sum(counters.calls.values()) == visitor.site.script.count(r"^GET /api/v1/\d")
    assert sum(counters.calls.values()) >= calls
    assert not counters.overlaps
    assert not counters.errors


def test_two_clients_follow_a_company_that_goes_on(visitor: Visitor) -> None:
    _run(visitor, calls=300, bills=15)


@pytest.mark.soak
def test_two_clients_make_ten_thousand_calls(visitor: Visitor) -> None:
    _run(visitor, calls=10_000, bills=300)
