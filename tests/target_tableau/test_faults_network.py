"""Networks, jobs and tokens that fail amid a publish, over extracts and data sources that were there before."""

from __future__ import annotations

import re

import pytest

from target_tableau.errors import JobError
from tests.sandbox.faults import Fault
from tests.sandbox.tableau.switches import Fate
from tests.target_tableau.support import LATER, Books, load

CALLS = 22
"""More than a run makes that sends one stream by update and one by overwrite and a job."""

POST, PATCH, JOB = r"POST .*/datasources\?", r"PATCH .*/data", r"GET .*/jobs/"
GATEWAY = b"<html>gateway</html>"


@pytest.fixture(params=["bills", pytest.param("log", marks=pytest.mark.soak)])
def both_ways(books: Books, request: pytest.FixtureRequest, by_job: None) -> Books:  # noqa: ARG001
    """One stream is published whole by a job, the other by an update."""
    books.config["datasources"] = [{"stream": request.param, "publish_mode": "overwrite"}]
    return books


CUTS = [
    pytest.param(number, after, marks=[] if number % 6 == 5 - 3 * after else [pytest.mark.soak])
    for number in range(CALLS)
    for after in (False, True)
]


@pytest.mark.parametrize(("number", "after"), CUTS)
def test_a_network_that_ends_at_any_call_and_does_not_come_back(
    both_ways: Books, number: int, *, after: bool
) -> None:
    assert both_ways.server is not None
    script = both_ways.server.app.script
    script.add(Fault(".", cut=True, after=after, skip=number, times=10_000))
    handed_on = both_ways.attempt()
    reached = len(script.calls)
    assert reached <= number + 1 if handed_on else reached > number  # the last call signs out
    script.clear()
    both_ways.converge(handed_on)


PASSING = [
    Fault(POST, status=504, after=True, body=GATEWAY),
    Fault(PATCH, status=504, after=True, body=GATEWAY),
    pytest.param(Fault(POST, cut=True, times=2), marks=pytest.mark.soak),
    pytest.param(Fault(POST, cut=True, after=True), marks=pytest.mark.soak),
    pytest.param(Fault(PATCH, status=502, body=GATEWAY, times=2), marks=pytest.mark.soak),
    pytest.param(Fault(JOB, status=504, body=GATEWAY, times=2), marks=pytest.mark.soak),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.pattern} {fault.status or 'cut'}")
def test_a_fault_that_passes_costs_nothing(both_ways: Books, fault: Fault) -> None:
    assert both_ways.server is not None
    both_ways.server.app.script.add(fault)
    assert both_ways.attempt() == [LATER]
    assert (both_ways.here(), both_ways.published()) == (both_ways.new, both_ways.new)


def test_a_gateway_that_stays_away_though_the_publish_went_through(both_ways: Books) -> None:
    assert both_ways.server is not None
    script = both_ways.server.app.script
    for pattern in (POST, PATCH):
        script.add(Fault(pattern, status=504, after=True, body=GATEWAY, times=10))
    assert both_ways.attempt() == []
    script.clear()
    both_ways.converge([])


WHOLE, CHANGE = "PublishDatasource", "UpdateUploadedFile"
FATES = [
    (Fate("failed", notes="no"), "no", WHOLE),
    (Fate("failed", notes="no"), "", CHANGE),
    (Fate("cancelled"), "was cancelled", CHANGE),
    (Fate("cancelled", applies=True), "was cancelled", WHOLE),
    (Fate("cancelled", applies=True), "was cancelled", CHANGE),
    (Fate("never"), "did not end within 0 s", WHOLE),
    (Fate("never"), "did not end within 0 s", CHANGE),
    (Fate("never", applies=True), "did not end within 0 s", WHOLE),
    (Fate("never", applies=True), "did not end within 0 s", CHANGE),
]
SHORT = {0, 4, 6, 7}


@pytest.mark.parametrize(
    ("fate", "told", "kind"),
    [
        pytest.param(*case, marks=[] if number in SHORT else [pytest.mark.soak])
        for number, case in enumerate(FATES)
    ],
)
def test_a_job_that_does_not_end_well(both_ways: Books, fate: Fate, told: str, kind: str) -> None:
    assert both_ways.server is not None
    switches = both_ways.server.app.switches
    switches.fates = [Fate(fate.outcome, kind, notes=fate.notes, applies=fate.applies)]
    if fate.outcome == "never":
        both_ways.config["job_timeout_seconds"] = 0
    if not told:
        assert both_ways.attempt() == [LATER]  # it is published whole instead
        both_ways.converge([LATER])
        return
    handed_on: list[dict[str, object]] = []
    with pytest.raises(JobError, match=re.escape(told)):
        load(both_ways.config, both_ways.change, handed_on)
    both_ways.check(handed_on)
    assert handed_on == []
    both_ways.config["job_timeout_seconds"] = 1
    both_ways.converge([])


def test_a_token_superseded_at_every_second_call(both_ways: Books) -> None:
    assert both_ways.server is not None
    both_ways.server.app.switches.expire_after_calls = 2
    assert both_ways.attempt() == [LATER]
    assert both_ways.server.app.script.count("signin") > 4
    both_ways.converge([LATER])


@pytest.mark.soak
def test_a_token_that_is_superseded_all_the_time(both_ways: Books) -> None:
    assert both_ways.server is not None
    both_ways.server.app.switches.stillborn_sessions = 1000
    assert both_ways.attempt() == []
    both_ways.server.app.switches.stillborn_sessions = 0
    both_ways.converge([])
