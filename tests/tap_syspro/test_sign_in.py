"""Sign-in by every method; one session at a time, always logged off; wrong credentials end in one line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from tap_syspro.auth import peeled
from tap_syspro.errors import UserError
from tap_syspro.store import store_of
from tests.sandbox.faults import Fault
from tests.sandbox.syspro import COMPANIES, ODATA_PASSWORD, OPERATOR, OPERATOR_PASSWORD
from tests.tap_syspro.harness import run_tap

if TYPE_CHECKING:
    from tests.tap_syspro.conftest import Instance

ENET = {"operator": OPERATOR, "operator_password": OPERATOR_PASSWORD}


def sessions(instance: Instance, **settings: Any) -> dict[str, Any]:
    return instance.with_(**ENET, **settings)


@pytest.mark.parametrize("method", ["session", "basic+session"])
@pytest.mark.parametrize("place", ["header", "query"])
def test_odata_is_read_with_a_session(instance: Instance, method: str, place: str) -> None:
    instance.switches.odata_auth = method  # type: ignore[assignment]
    instance.switches.session_in = place  # type: ignore[assignment]
    instance.switches.session_name = "X-Syspro-Session"
    config = sessions(
        instance,
        auth_method=method,
        session_param_in=place,
        session_param_name="X-Syspro-Session",
        odata_password=ODATA_PASSWORD if "basic" in method else None,
    )
    run = run_tap({k: v for k, v in config.items() if v is not None}, "ap_supplier", "ap_terms")
    assert run.tap.exit_code == 0
    assert {row["_company"] for row in run.rows("ap_supplier")} == set(COMPANIES)
    # one for discovery per company, one per company of the run
    assert instance.app.sessions.peak == 1
    assert instance.app.sessions.evicted == 0
    assert instance.app.open_sessions == 0


@pytest.mark.parametrize("refusal", ["401", "403", "text"])
def test_a_session_that_dies_is_replaced_once_and_the_call_repeated(instance: Instance, refusal: str) -> None:
    instance.switches.odata_auth = "session"
    instance.switches.session_refusal = refusal  # type: ignore[assignment]
    instance.switches.session_dies_after_calls = 3
    run = run_tap(sessions(instance, auth_method="session", page_size=20), "gen_transaction")
    assert run.tap.exit_code == 0
    assert len(run.rows("gen_transaction")) == instance.count("GenTransaction")
    assert instance.app.open_sessions == 0


def test_a_session_that_dies_at_once_ends_the_run(instance: Instance) -> None:
    instance.switches.odata_auth = "session"
    instance.switches.session_dies_after_calls = 0
    with pytest.raises(UserError, match="refuses the sign-in"):
        run_tap(sessions(instance, auth_method="session"), "gen_transaction")


def test_an_old_session_is_replaced_before_it_can_expire(instance: Instance) -> None:
    config = {**instance.enet(page_size=20, companies=["EDU1"]), "session_max_age_seconds": 60}
    clock = mock.Mock()
    clock.monotonic.side_effect = (25.0 * i for i in range(10_000))
    with mock.patch("tap_syspro.auth.time", clock):
        run = run_tap(config, "gen_transaction")
    assert len(run.rows("gen_transaction")) == len(instance.app.table("EDU1", "GenTransaction"))
    assert instance.app.sessions.opened > 3
    assert instance.app.sessions.evicted == 0
    assert instance.script.count(r"Rest/Logoff\?") == instance.script.count(r"Rest/Logon\?")


def test_companies_are_read_one_after_the_other(instance: Instance) -> None:
    run_tap(instance.enet(), "ap_supplier", "ap_terms", "gen_groups")
    assert instance.app.sessions.opened == len(COMPANIES)
    assert instance.app.sessions.peak == 1
    assert instance.app.sessions.evicted == 0


def test_wrong_operator_passwords_are_tried_once(instance: Instance) -> None:
    with pytest.raises(UserError, match="operator_password") as caught:
        run_tap({**instance.enet(), "operator_password": "Wrong Pa55"}, "ap_supplier")
    assert instance.script.count(r"Rest/Logon\?") == 1
    assert instance.app.sessions.failed == 1
    assert "Wrong Pa55" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"odata_password": "wrong"}, "odata_password.*restarted"),
        ({"odata_path_template": "/Nothing/{company}"}, "odata_path_template"),
        ({"companies": ["EDU9"]}, "EDU9"),
        ({"companies": []}, "companies"),
        ({"odata_path_template": "/SYSPRO8Odata/SYSPROOData/EDU1"}, "cannot be told apart"),
        ({"base_url": "ftp://127.0.0.1"}, "base_url"),
        ({"base_url": "http://erp.example.com"}, "allow_http"),
        ({"base_url": "https://me:secret@erp.example.com"}, "user name and password"),
        ({"odata_username": ""}, "odata_username"),
        ({"auth_method": "session"}, "operator, operator_password"),
        ({"transport": "enet", **ENET, "logon_path": "/Nowhere"}, "logon_path"),
        ({"transport": "enet", **ENET, "change_detection": "rowversion"}, "change_detection"),
        ({"transport": "enet", **ENET, "streams": {"ap_invoice": {"filter": "x eq 1"}}}, "filter"),
    ],
)
def test_a_wrong_setting_is_named(instance: Instance, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        run_tap(instance.with_(**settings), "ap_supplier")


def test_an_operator_that_the_service_has_not_loaded_is_explained(instance: Instance) -> None:
    instance.switches.operator_loaded = False
    with pytest.raises(UserError, match="restarted"):
        run_tap(instance.config, "ap_supplier")


def test_company_passwords_go_to_their_company(instance: Instance) -> None:
    instance.switches.company_passwords = {"EDU1": "one", "EDU2": "two"}
    config = {**instance.enet(), "company_password": "one", "company_passwords": {"EDU2": "two"}}
    run = run_tap(config, "ap_terms")
    assert {row["_company"] for row in run.rows("ap_terms")} == set(COMPANIES)


@pytest.mark.parametrize("wrapping", ["plain", "json", "string"])
def test_session_ids_are_peeled_out_of_what_hosts_wrap_them_in(instance: Instance, wrapping: str) -> None:
    instance.switches.enet_wrapping = wrapping  # type: ignore[assignment]
    run = run_tap(instance.enet(companies=["EDU1"]), "ap_terms")
    assert len(run.rows("ap_terms")) == len(instance.app.table("EDU1", "TblApTerms"))


def test_logon_and_logoff_may_stand_elsewhere(instance: Instance) -> None:
    instance.switches.utilities_paths = True
    paths = {"logon_path": "/Utilities/Logon", "logoff_path": "/Utilities/Logoff"}
    run = run_tap({**instance.enet(), **paths}, "ap_terms")
    assert run.tap.exit_code == 0


def test_an_id_is_never_cut(instance: Instance) -> None:
    run_tap(instance.enet(companies=["EDU1"]), "ap_terms")
    used = [call.query for call in instance.script.calls if "Query/Query" in call.line]
    assert used
    assert all(len(query.split("UserId=")[1].split("&")[0]) == 34 for query in used)
    assert peeled('"AB12"') == "AB12"
    assert peeled('<string xmlns="x">AB12  </string>') == "AB12"


def test_two_runs_of_one_operator_do_not_end_each_others_sessions(instance: Instance) -> None:
    config = instance.enet()
    with (
        store_of(config, "base_url", "enet_base_url", "operator").lock("operator", 0) as locked,
        mock.patch("tap_syspro.auth._LOCK_WAIT_SECONDS", 0),
    ):
        assert locked
        with pytest.raises(UserError, match="another run uses operator"):
            run_tap(config, "ap_terms")
    assert instance.script.count("Logon") == 0


def test_sessions_are_logged_off_when_a_stream_fails(instance: Instance) -> None:
    instance.script.add(Fault(r"Query/Query", cut=True, skip=2, times=99))
    run = run_tap(instance.enet(), "ap_supplier", "gen_transaction")
    assert run.tap.exit_code == 1
    assert instance.app.open_sessions == 0
    assert instance.script.count("Logoff") >= 1


def test_a_logoff_without_answer_does_not_spoil_the_run(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.script.add(Fault(r"Logoff", cut=True, after=True, times=9))
    with caplog.at_level(logging.WARNING):
        run = run_tap(instance.enet(companies=["EDU1"]), "ap_terms")
    assert run.tap.exit_code == 0
    assert "Logoff" in caplog.text


def test_the_call_budget_does_not_keep_a_session_from_being_logged_off(instance: Instance) -> None:
    run = run_tap({**instance.enet(), "max_calls_per_run": 3}, "gen_transaction", "gen_master")
    assert any(stream.feed.outcome.value == "stopped" for stream in run.tap.chosen.values())
    assert instance.app.open_sessions == 0


def test_no_secret_is_in_what_the_http_library_logs(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        run_tap(instance.enet(), "ap_terms")
    text = "\n".join(record.getMessage() for record in caplog.records if "uvicorn" not in record.name)
    assert "Logon" in text
    for secret in (OPERATOR_PASSWORD, "Sandbox%20Enet%2FPa55", "Sandbox+Enet"):
        assert secret not in text
    ids = {
        call.query.split("UserId=")[1].split("&")[0]
        for call in instance.script.calls
        if "UserId=" in call.query
    }
    assert ids
    assert not any(each in text for each in ids)


def test_a_person_who_logs_on_as_the_operator_does_not_stop_the_run(instance: Instance) -> None:
    instance.script.add(
        Fault(r"Query/Query", skip=3, hook=lambda: instance.app.sessions.log_on(OPERATOR, "EDU1"))
    )
    run = run_tap(instance.enet(companies=["EDU1"], page_size=20), "gen_transaction")
    assert run.failures == {}
    assert len(run.rows("gen_transaction")) == len(instance.app.table("EDU1", "GenTransaction"))
    assert instance.app.sessions.evicted == 2  # the run by the person, the person by the run
