"""What one call does about the answers that Exact Online really gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_exact_online.errors import UserError
from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import run_tap

if TYPE_CHECKING:
    from tests.tap_exact_online.conftest import Instance

EAST, HQ = sorted(DIVISIONS.values())
CENTERS = "hrm/Costcenters"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "body": b"<html>maintenance</html>"},
        {"status": 599},
        {"status": 408, "body": b"timeout"},
        {"status": 200, "body": b"<html><body>please sign in</body></html>"},
        {"status": 200, "body": b'{"d": {"results": [{"Code": "M\xfcller"}]}}'},  # not UTF-8
        {"status": 302, "body": b"", "headers": {"location": "/login"}},
        {"cut": True},
        {"cut": True, "after": True},
    ],
    ids=lambda fault: "-".join(f"{k}{v}" for k, v in fault.items() if k in {"status", "cut", "after"}),
)
def test_passing_trouble_is_waited_out(instance: Instance, fault: dict[str, Any]) -> None:
    instance.script.add(Fault(CENTERS, times=2, **fault))
    run = run_tap(instance, "cost_centers")
    assert run.tap.exit_code == 0
    assert len(run.rows("cost_centers")) == 2 * len(instance.company.cost_centers)
    assert len(run.waits) == 2
    assert run.waits[1] > run.waits[0]
    assert instance.script.count(CENTERS) == 4


def test_a_timeout_of_the_server_is_given_more_time_than_other_trouble(instance: Instance) -> None:
    instance.script.add(Fault(CENTERS, times=4, status=408))
    run = run_tap(instance, "cost_centers")
    assert [int(wait) for wait in run.waits] == [10, 20, 40, 80]


def test_trouble_that_stays_fails_the_stream_names_it_and_leaves_the_others(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    first = run_tap(instance, "cost_centers", "journals")
    mark = first.bookmark("cost_centers", HQ)["replication_key_value"]
    instance.world.life.advance(5)
    instance.script.add(Fault(rf"{HQ}/{CENTERS}", times=99, status=500, headers={"X-Request-ID": "abc-123"}))
    run = run_tap(instance, "cost_centers", "journals", state=first.state)
    assert run.tap.exit_code == 1
    assert run.bookmark("cost_centers", HQ)["replication_key_value"] == mark
    assert run.bookmark("journals", HQ)["replication_key_value"] > mark
    (said,) = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert f"cost_centers of division {HQ}: failed" in said
    assert "abc-123" in said


@pytest.mark.parametrize(
    "text",
    ["Forbidden", "Forbidden - Application Scope Violated. Cannot read"],
)
def test_a_stream_without_a_right_is_left_out_and_the_others_are_read(
    instance: Instance, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    instance.switches.forbidden = {CENTERS: text}
    run = run_tap(instance, "cost_centers", "journals")
    assert run.tap.exit_code == 0
    assert run.rows("journals")
    assert run.rows("cost_centers") == []
    assert (
        "completed_at" not in run.state["bookmarks"].get("cost_centers", {}) or run.rows("cost_centers") == []
    )
    assert run.unread == {"cost_centers": "skipped"}
    assert text.partition(" ")[0] in caplog.text
    assert instance.script.count(CENTERS) == 2
    strict = run_tap(
        instance, "cost_centers", "journals", config=instance.with_(skip_forbidden_streams=False)
    )
    assert strict.tap.exit_code == 1
    assert strict.rows("journals")


def test_when_nothing_could_be_read_the_run_does_not_look_like_success(instance: Instance) -> None:
    instance.switches.forbidden = {CENTERS: "Forbidden"}
    assert run_tap(instance, "cost_centers", config=instance.with_(enrich=False)).tap.exit_code == 1


@pytest.mark.parametrize("reason", ["NoDivisionAccess", "DivisionBlocked", "LicenseExpired"])
def test_a_division_that_is_closed_is_left_at_once_and_the_next_is_read(
    instance: Instance, reason: str
) -> None:
    body = b'{"error":{"code":"","message":{"lang":"","value":"Forbidden"}}}'
    fault = Fault(rf"/{EAST}/sync", status=403, body=body, headers={"Reason": reason}, times=99)
    instance.script.add(fault)
    run = run_tap(instance, "gl_accounts", "cost_centers", "journals")
    assert run.tap.exit_code == 0
    assert {row["division"] for row in run.rows("cost_centers")} == {HQ}
    assert instance.script.count(rf"/{EAST}/(sync|hrm|financial)") == 1


@pytest.mark.parametrize("status", [400, 403])
def test_a_blocked_user_ends_the_run_at_once(instance: Instance, status: int) -> None:
    fault = Fault(
        CENTERS, status=status, body=b"{}", headers={"Reason": "BlockedUser: too many errors"}, times=9
    )
    instance.script.add(fault)
    with pytest.raises(UserError, match="BlockedUser"):
        run_tap(instance, "cost_centers", "journals")
    assert instance.script.count(CENTERS) == 1


@pytest.mark.parametrize("status", [400, 404])
def test_a_wrong_request_is_not_repeated(instance: Instance, status: int) -> None:
    body = (
        b'{"error":{"code":"","message":{"lang":"","value":"This endpoint has mandatory filtering applied"}}}'
    )
    instance.script.add(Fault(rf"{HQ}/{CENTERS}", status=status, body=body, times=9))
    run = run_tap(instance, "cost_centers", "journals", config=instance.with_(divisions=[HQ]))
    assert run.tap.exit_code == 1
    assert instance.script.count(CENTERS) == 1
    assert run.waits == []


def test_a_next_page_on_another_host_is_not_followed(instance: Instance) -> None:
    body = b'{"d":{"results":[],"__next":"https://evil.example/api/v1/1/x?$skiptoken=1"}}'
    instance.script.add(Fault(CENTERS, status=200, body=body, times=9))
    run = run_tap(instance, "cost_centers", config=instance.with_(divisions=[HQ]))
    assert run.tap.exit_code == 1
    assert run.rows("cost_centers") == []


def test_a_server_that_sends_in_circles_is_noticed(instance: Instance) -> None:
    address = f"{instance.url}/api/v1/{HQ}/{CENTERS}?$skiptoken=1"
    body = b'{"d":{"results":[],"__next":"' + address.encode() + b'"}}'
    instance.script.add(Fault(CENTERS, status=200, body=body, times=99))
    run = run_tap(instance, "cost_centers", config=instance.with_(divisions=[HQ]))
    assert run.tap.exit_code == 1
    assert instance.script.count(CENTERS) <= 4


def test_an_empty_page_in_the_middle_does_not_end_a_list(instance: Instance) -> None:
    address = f"{instance.url}/api/v1/{HQ}/{CENTERS}?$select=ID,Code,Modified,Description"
    body = b'{"d":{"results":[],"__next":"' + address.encode() + b'"}}'
    instance.script.add(Fault(CENTERS, status=200, body=body))
    run = run_tap(instance, "cost_centers", config=instance.with_(divisions=[HQ]))
    assert len(run.rows("cost_centers")) == len(instance.company.cost_centers)


def test_a_value_that_is_not_what_the_reference_says_names_stream_division_and_field(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    body = b'{"d":{"results":[{"ID":"x","Code":"1","Modified":"/Date(nonsense)/"}]}}'
    instance.script.add(Fault(CENTERS, status=200, body=body, times=9))
    run = run_tap(instance, "cost_centers", config=instance.with_(divisions=[HQ], enrich=False))
    assert run.tap.exit_code == 1
    assert f"cost_centers of division {HQ}" in caplog.text
    assert "Modified" in caplog.text


def test_the_servers_zone_is_compared_and_a_difference_is_said(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    run_tap(instance, "cost_centers", config=instance.with_(server_timezone="Europe/London"))
    assert "server_timezone" in caplog.text


def test_a_user_without_divisions_is_said(instance: Instance) -> None:
    instance.script.add(Fault("system/Divisions", status=200, body=b'{"d":{"results":[]}}'))
    with pytest.raises(UserError, match="who may open: none"):
        run_tap(instance, "cost_centers")
