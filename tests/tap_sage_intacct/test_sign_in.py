"""Sessions: one per run and entity, their endpoint, their end, and refusals that are never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_sage_intacct.auth import Sessions
from tap_sage_intacct.client import check_endpoint
from tap_sage_intacct.errors import UserError
from tap_sage_intacct.store import store_of
from tests.sandbox.faults import Fault
from tests.sandbox.sage_intacct import OPEN_ENTITY, PATH, PRIVATE_ENTITY, SESSION_PATH
from tests.sandbox.sage_intacct import errors as refusals
from tests.sandbox.sage_intacct.troubles import Trouble, html
from tests.tap_sage_intacct.conftest import schema_of_sandbox
from tests.tap_sage_intacct.harness import run_tap

if TYPE_CHECKING:
    from tests.tap_sage_intacct.conftest import Instance


def test_one_session_serves_all_streams_at_the_endpoint_it_names(instance: Instance) -> None:
    run = run_tap(instance.config, "bills", "vendors", "gl_accounts")
    assert run.tap.exit_code == 0
    assert instance.app.sessions.opened == 1
    first, *rest = [call.path for call in instance.script.calls]
    assert first == PATH
    assert set(rest) == {SESSION_PATH}


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://na12.intacct.com.evil.example/x",
        "https://evil.example/ia/xml/xmlgw.phtml",
        "ftp://na12.intacct.com/x",
    ],
)
def test_no_session_is_used_at_a_foreign_host(instance: Instance, endpoint: str) -> None:
    instance.switches.session_endpoint = endpoint
    with pytest.raises(UserError, match="endpoint of the session"):
        check_endpoint(endpoint, "endpoint of the session", any_host=False)
    with pytest.raises(UserError, match="api_url"):
        run_tap(instance.with_(allow_any_host=False), "vendors")
    assert instance.script.calls == []


def test_hosts_of_the_vendor_are_accepted_with_and_without_the_final_dot() -> None:
    for host in ("api.intacct.com", "na12.intacct.com.", "NA12.Intacct.COM"):
        assert check_endpoint(f"https://{host}/ia", "api_url", any_host=False)


def test_passwords_never_travel_in_the_clear() -> None:
    with pytest.raises(UserError, match="https"):
        check_endpoint("http://api.intacct.com/ia", "api_url", any_host=True)


@pytest.mark.parametrize("calls", [1, 3])
def test_a_session_that_dies_early_is_renewed_and_the_call_repeated(instance: Instance, calls: int) -> None:
    instance.switches.session_dies_after_calls = calls
    run = run_tap(instance.with_(page_size=5), "vendors")
    assert len(run.live("vendors")) == len(instance.company.vendors)
    assert run.tap.exit_code == 0
    assert instance.app.sessions.opened > 1


@pytest.mark.parametrize("ending", ["by the gateway's word", "by the setting"])
def test_a_session_is_renewed_before_its_end(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    now = 0.0

    def clock() -> float:
        return now

    def pass_time(message: dict[str, Any]) -> None:
        nonlocal now
        now += 110 * (message["type"] == "SCHEMA")

    monkeypatch.setattr(Sessions, "clock", staticmethod(clock))
    instance.switches.time = clock
    by_setting = ending == "by the setting"
    instance.switches.session_life_seconds = 1000 if by_setting else 120
    config = instance.with_(session_max_age_seconds=100 if by_setting else 3000)
    run = run_tap(config, "vendors", "classes", "departments", on_message=pass_time)
    assert run.tap.exit_code == 0
    assert instance.app.sessions.opened == 1 + 3
    assert "ended before its time" not in caplog.text


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "user": ({"user_password": "wrong"}, "user_password"),
    "company": ({"company_id": "Other"}, "company_id"),
    "sender": ({"sender_password": "wrong"}, "sender_password"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_sign_in_names_the_setting_and_is_not_repeated(instance: Instance, what: str) -> None:
    settings, says = REFUSED[what]
    with pytest.raises(UserError, match=says):
        run_tap(instance.with_(**settings))
    assert len(instance.script.calls) == 1


def test_an_unauthorised_sender_is_told_where_to_be_entered(instance: Instance) -> None:
    instance.switches.sender_authorized = False
    with pytest.raises(UserError, match=r"Web Services authorizations.*SandboxSender|sender_id") as caught:
        run_tap(instance.config, "vendors")
    assert "Company > Security" in str(caught.value)


@pytest.mark.parametrize(("state", "says"), [("expired", "expired"), ("unauthorized", "Web Services")])
def test_a_company_without_the_subscription_is_named(instance: Instance, state: Any, says: str) -> None:
    instance.switches.company_state = state
    with pytest.raises(UserError, match=says):
        run_tap(instance.config, "vendors")


def test_an_unknown_tenant_is_not_taken_for_a_limit(instance: Instance) -> None:
    instance.troubles.add(Trouble("getAPISession", refusals.unknown_tenant(), times=9))
    with pytest.raises(UserError, match=r"sender_id, company_id.*GW-0011"):
        run_tap(instance.config, "vendors")
    assert len(instance.script.calls) == 1


def test_needs_login_for_api_is_explained(instance: Instance) -> None:
    instance.switches.needs_login = True
    with pytest.raises(UserError, match="Needs login for API"):
        run_tap(instance.config, "vendors")
    assert len(instance.script.calls) < 6


def test_trouble_at_sign_in_is_waited_out(instance: Instance) -> None:
    instance.script.add(html("getAPISession", 502, times=2))
    run = run_tap(instance.config, "vendors")
    assert run.tap.exit_code == 0
    assert len(run.waits) == 2


def test_entities_have_sessions_keys_and_bookmarks_of_their_own(instance: Instance) -> None:
    config = instance.with_(entity_ids=[OPEN_ENTITY, PRIVATE_ENTITY])
    store_of(config).write(schema_of_sandbox())
    run = run_tap(config, "bills", "bill_lines")
    assert instance.app.sessions.opened == 2
    rows = run.live("bills")
    assert {row["entity_id"] for row in rows} == {OPEN_ENTITY, PRIVATE_ENTITY}
    assert all(row["megaentityid"] == row["entity_id"] for row in rows)
    assert tuple(run.tap.streams["bills"].primary_keys) == ("company_id", "entity_id", "recordno")
    state = run.bookmark("bills")
    assert set(state["entities"]) == {OPEN_ENTITY, PRIVATE_ENTITY}
    assert state["replication_key_value"] == state["entities"][OPEN_ENTITY]["read_until"]
    instance.script.clear()
    instance.world.life.advance(60 * 24)
    again = run_tap({**config, "lookback_seconds": 0}, "bills", "bill_lines", state=run.state)
    assert again.live("bills") == []


def test_private_entities_are_read_from_the_top_unless_that_is_switched_off(instance: Instance) -> None:
    everything = run_tap(instance.config, "bills").live("bills")
    assert PRIVATE_ENTITY in {row["megaentityid"] for row in everything}
    public = run_tap(instance.with_(show_private=False), "bills").live("bills")
    assert {row["megaentityid"] for row in public} == {OPEN_ENTITY}


def test_a_password_with_every_special_character_reaches_the_gateway(instance: Instance) -> None:
    # the sandbox's own passwords hold & and <, so a request put together as text would be refused
    assert "&" in instance.config["user_password"]
    assert "<" in instance.config["sender_password"]
    assert run_tap(instance.config, "classes").tap.exit_code == 0
    with pytest.raises(UserError, match="control character"):
        run_tap(instance.with_(user_password="bell\x07"), "classes")


def test_nothing_but_reading_is_ever_called(instance: Instance) -> None:
    run_tap(instance.config)
    read_only = {
        "getAPISession", "query", "readByQuery", "readMore", "lookup", "getDimensions", "readUserFormatting",
    }  # fmt: skip
    called = {part.partition("=")[2] for call in instance.script.calls for part in call.query.split("&")[:1]}
    assert called <= read_only


def test_a_silent_gateway_is_named(instance: Instance) -> None:
    with pytest.raises(UserError, match="api_url: no gateway answers"):
        run_tap(instance.with_(api_url="http://127.0.0.1:9/ia"), "classes")
    instance.script.add(Fault("getAPISession", status=404, body=b"no", times=5))
    with pytest.raises(UserError, match="not the address"):
        run_tap(instance.config, "classes")
