"""Quotas and the error budget, kept by the site's clock."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.faults import Fault

if TYPE_CHECKING:
    import requests

    from tests.sandbox.exact_online.visitor import Visitor

_ME = "/api/v1/current/Me"
_DAILY = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
_MINUTELY = {"X-RateLimit-Minutely-Limit", "X-RateLimit-Minutely-Remaining", "X-RateLimit-Minutely-Reset"}


def _limits(answer: requests.Response) -> set[str]:
    return {name for name in _DAILY | _MINUTELY if name in answer.headers}


def _small(visitor: Visitor) -> requests.Response:
    return visitor.ask("hrm/Costcenters", select="ID", top=1)


def test_every_answer_of_a_division_tells_what_is_left(visitor: Visitor) -> None:
    _small(visitor)
    answer = _small(visitor)
    assert _limits(answer) == _DAILY | _MINUTELY
    assert answer.headers["X-RateLimit-Limit"] == "5000"
    assert answer.headers["X-RateLimit-Remaining"] == "4998"
    assert answer.headers["X-RateLimit-Minutely-Limit"] == "60"
    assert answer.headers["X-RateLimit-Minutely-Remaining"] == "58"
    now = visitor.site.clock.now() * 1000
    assert 0 < int(answer.headers["X-RateLimit-Minutely-Reset"]) - now <= 60_000
    assert 0 < int(answer.headers["X-RateLimit-Reset"]) - now <= 86_400_000
    assert int(answer.headers["X-RateLimit-Reset"]) % 86_400_000 == 0
    assert _limits(visitor.ask("hrm/Nothing")) == _DAILY | _MINUTELY


def test_the_user_and_the_token_endpoint_are_free(visitor: Visitor) -> None:
    assert _limits(visitor.call("GET", _ME)) == set()
    assert _limits(visitor.token()) == set()
    assert not visitor.site.counters.calls


def test_the_sixty_first_call_of_a_minute_waits_for_the_next(visitor: Visitor) -> None:
    visitor.site.clock.advance(60 - visitor.site.clock.now() % 60 + 40)
    assert {_small(visitor).status_code for _ in range(60)} == {200}
    answer = _small(visitor)
    assert answer.status_code == 429
    assert _limits(answer) == _MINUTELY
    assert answer.headers["X-RateLimit-Minutely-Remaining"] == "0"
    visitor.division = DIVISIONS["EAST"]
    assert _small(visitor).status_code == 200
    visitor.division = DIVISIONS["HQ"]
    visitor.site.clock.advance(20)
    assert _small(visitor).status_code == 200
    assert visitor.site.counters.refused_by_minute == 1
    assert max(visitor.site.counters.calls_by_minute.values()) == 60


def test_the_day_ends_at_midnight_utc(visitor: Visitor) -> None:
    visitor.site.switches.day_limit = 3
    assert [_small(visitor).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = _small(visitor)
    assert _limits(answer) == _DAILY
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    wait = int(answer.headers["X-RateLimit-Reset"]) / 1000 - visitor.site.clock.now()
    visitor.site.switches.access_token_seconds = 10**6
    visitor.site.clock.advance(599)  # still the same day, so the token is the only thing that could die
    assert _small(visitor).status_code == 429
    visitor.sign_in_again()
    visitor.site.clock.advance(wait - 599)
    assert _small(visitor).status_code == 200


def test_a_refusal_can_come_without_headers_and_body(visitor: Visitor) -> None:
    visitor.site.switches.minute_limit = 0
    visitor.site.switches.bare_429 = True
    answer = _small(visitor)
    assert (answer.status_code, answer.content, _limits(answer)) == (429, b"", set())


def test_the_eleventh_error_of_an_hour_blocks_the_key(visitor: Visitor) -> None:
    assert {visitor.ask("hrm/Nothing").status_code for _ in range(10)} == {404}
    assert _small(visitor).status_code == 200
    assert visitor.ask("hrm/Nothing").status_code == 404
    answer = _small(visitor)
    assert (answer.status_code, answer.headers["Reason"]) == (403, "BlockedUser")
    assert visitor.call("GET", _ME).status_code == 403
    assert visitor.token().status_code == 403
    assert visitor.site.counters.blocked == 1
    assert visitor.site.counters.refused_while_blocked == 3
    visitor.site.switches.access_token_seconds = 10**6
    visitor.site.clock.advance(3599)
    assert visitor.token().status_code == 403
    visitor.site.clock.advance(1)
    assert visitor.token().status_code == 401  # no longer blocked: it says that the token was used before


def test_errors_are_counted_per_endpoint_dead_tokens_too(visitor: Visitor) -> None:
    visitor.site.clock.advance(600)
    for path in (
        "hrm/Costcenters",
        "hrm/Costcenters(guid'00000000-0000-0000-0000-000000000000')",
        "hrm/Costunits",
    ):
        assert visitor.ask(path).status_code == 401
    places = {(division, path): count for (division, path, _), count in visitor.site.counters.errors.items()}
    assert places == {(visitor.division, "hrm/Costcenters"): 2, (visitor.division, "hrm/Costunits"): 1}


def test_a_second_block_is_twice_as_long(visitor: Visitor) -> None:
    for seconds in (3600, 7200):
        for _ in range(11):
            visitor.token(client_secret="wrong")
        visitor.site.clock.advance(seconds - 1)
        assert visitor.token(client_secret="wrong").status_code == 403
        visitor.site.clock.advance(1)
    assert visitor.site.counters.blocked == 2


def test_errors_of_another_hour_or_endpoint_do_not_add_up(visitor: Visitor) -> None:
    visitor.site.switches.access_token_seconds = 10**6
    for path in ("hrm/Nothing", "hrm/Nobody"):
        for _ in range(10):
            visitor.ask(path)
    assert visitor.site.counters.blocked == 0
    hours = {hour for _, _, hour in visitor.site.counters.errors}
    assert len(hours) == 1
    assert set(visitor.site.counters.errors.values()) == {10}


@pytest.mark.parametrize("overlap", ["record", "refuse"])
def test_overlapping_requests_are_noticed(visitor: Visitor, overlap: str) -> None:
    visitor.site.switches.overlap = overlap  # type: ignore[assignment]
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        go_on.wait(10)

    visitor.site.script.add(Fault("hrm/Costcenters", hook=hold))
    slow = threading.Thread(target=_small, args=(visitor,))
    slow.start()
    assert entered.wait(10)
    answer = visitor.ask("financial/Journals", top=1)
    go_on.set()
    slow.join()
    assert answer.status_code == (200 if overlap == "record" else 429)
    assert visitor.site.counters.overlaps[visitor.division] == 1
    assert visitor.site.counters.largest_overlap == 1
    assert _small(visitor).status_code == 200


def test_requests_one_after_the_other_do_not_overlap(visitor: Visitor) -> None:
    for _ in range(20):
        _small(visitor)
    assert not visitor.site.counters.overlaps
