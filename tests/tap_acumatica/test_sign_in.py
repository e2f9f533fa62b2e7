"""One session, shared, renewed in time and ended on every way out; never a second try with a wrong password."""

from __future__ import annotations

import base64
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import requests

from tap_acumatica.client import Client
from tap_acumatica.errors import UserError
from tap_acumatica.store import KEY_VARIABLE, store_of
from tests.sandbox.acumatica import CLIENT_ID, CLIENT_SECRET, PASSWORD, TENANT, USER_NAME
from tests.sandbox.faults import Fault
from tests.tap_acumatica.harness import command, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_acumatica.conftest import Instance

TOKEN = r"POST /acme/identity/connect/token"
LOGOUT = r"POST /acme/entity/auth/logout"


def cookie_config(instance: Instance, **more: Any) -> dict[str, Any]:
    kept = {k: v for k, v in instance.config.items() if not k.startswith("client_")}
    return {**kept, "auth_method": "session", "tenant": TENANT, **more}


def first_refresh_token(instance: Instance) -> str:
    form = {
        "grant_type": "password",
        "username": USER_NAME,
        "password": PASSWORD,
        "scope": "api offline_access",
    }
    answer = requests.post(
        f"{instance.config['base_url']}/identity/connect/token",
        data={**form, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        timeout=5,
    )
    instance.script.clear()
    return str(answer.json()["refresh_token"])


def refresh_config(instance: Instance, token: str) -> dict[str, Any]:
    kept = {k: v for k, v in instance.config.items() if k not in {"username", "password"}}
    return {**kept, "auth_method": "oauth_refresh", "refresh_token": token}


def warm_up(config: dict[str, Any], instance: Instance) -> dict[str, Any]:
    """Run once, so that the schema is known; returns the catalog."""
    catalog = run_tap(config, "bills").tap.catalog_dict
    instance.script.clear()
    return catalog


def test_one_token_and_one_session_serve_all_streams(instance: Instance) -> None:
    instance.switches.seat_limit = 1
    catalog = run_tap(instance.config).tap.catalog_dict
    instance.script.clear()
    opened = instance.app.sessions.opened
    run_tap(instance.config, catalog=catalog)
    assert instance.script.count(TOKEN) == 1
    assert instance.app.sessions.opened == opened + 1


def test_the_session_is_ended_after_success_and_its_handle_forgotten(instance: Instance) -> None:
    run_tap(instance.config, "bills")
    assert len(instance.app.sessions) == 0
    assert not list(Path(instance.config["token_store_path"]).glob("*-session.sealed"))


def test_the_session_is_ended_after_an_error(instance: Instance) -> None:
    def fail(message: dict[str, Any]) -> None:
        if message["type"] == "RECORD":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tap(instance.config, "bills", on_message=fail)
    assert len(instance.app.sessions) == 0


def test_a_token_that_dies_between_pages_is_renewed_and_no_row_is_lost(instance: Instance) -> None:
    config = instance.with_(page_size=10)
    catalog = warm_up(config, instance)
    whole = {row["note_id"] for row in run_tap(config, catalog=catalog).rows("bills")}
    instance.script.clear()
    instance.switches.token_dies_after_calls = 3
    instance.switches.seat_limit = 50  # the sessions of dead tokens keep their seats for a while
    run = run_tap(config, catalog=catalog)
    assert {row["note_id"] for row in run.rows("bills")} == whole
    assert instance.script.count(TOKEN) >= 2
    assert run.waits == []


def test_a_token_is_renewed_before_it_expires_and_the_old_one_is_logged_out(instance: Instance) -> None:
    instance.switches.token_life_seconds = 0  # no call is made with a token that may be too old
    catalog = None
    with pytest.raises(UserError, match="Signing in anew did not help"):
        run_tap(instance.config, "bills", catalog=catalog)
    assert instance.script.count(TOKEN) >= 2
    lines = [call.line for call in instance.script.calls]
    second = [i for i, line in enumerate(lines) if "connect/token" in line][1]
    assert not any("auth/logout" in line for line in lines[:second])
    assert "auth/logout" in lines[second + 1], "the new token must be there before the old one goes"


def test_a_full_seat_table_is_waited_out_until_a_seat_is_free(instance: Instance) -> None:
    catalog = warm_up(instance.config, instance)
    instance.switches.seat_limit = 0

    def free(_: float) -> None:
        instance.switches.seat_limit = 1

    run = run_tap(instance.config, catalog=catalog, on_wait=free)
    assert len(run.rows("bills")) == len(instance.company.bills)
    assert len(run.waits) == 1
    assert run.waits[0] >= 30


@pytest.mark.parametrize("answer", [500, 429])
def test_waiting_for_a_seat_ends_after_the_time_that_the_user_grants(instance: Instance, answer: Any) -> None:
    instance.switches.seat_answer = answer
    instance.switches.seat_limit = 0
    with pytest.raises(UserError, match="max_seat_wait_seconds"):
        run_tap(instance.with_(max_seat_wait_seconds=45), "bills")


def test_the_session_of_a_killed_run_is_ended_by_the_next(instance: Instance) -> None:
    catalog = warm_up(instance.config, instance)
    instance.switches.seat_limit = 1
    form = {"grant_type": "password", "username": USER_NAME, "password": PASSWORD, "scope": "api"}
    base = instance.config["base_url"]
    token = requests.post(
        f"{base}/identity/connect/token",
        data={**form, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        timeout=5,
    ).json()["access_token"]
    requests.get(f"{base}/entity", headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert len(instance.app.sessions) == 1
    store_of(instance.config).write_secret("session", {"token": token})
    run = run_tap(instance.config, catalog=catalog)
    assert run.waits == []
    assert run.rows("bills")
    assert len(instance.app.sessions) == 0


def test_the_session_of_a_run_that_is_still_going_is_left_alone(instance: Instance) -> None:
    catalog = warm_up(instance.config, instance)
    nested: list[int] = []

    def start_another(message: dict[str, Any]) -> None:
        if message["type"] == "RECORD" and not nested:
            nested.append(1)
            before = {session.handle for session in instance.app.sessions.list()}
            run_tap(instance.config, catalog=catalog)
            assert {session.handle for session in instance.app.sessions.list()} == before

    run_tap(instance.config, catalog=catalog, on_message=start_another)
    assert nested
    assert len(instance.app.sessions) == 0


# cookies ----------------------------------------------------------------------------------------------------


def test_a_cookie_session_reads_the_same_rows_and_is_ended(instance: Instance) -> None:
    run = run_tap(cookie_config(instance), "bills", "bill_lines")
    assert len(run.rows("bills")) == len(instance.company.bills)
    assert len(instance.app.sessions) == 0


def test_a_cookie_session_that_ends_meanwhile_is_begun_again(instance: Instance) -> None:
    config = cookie_config(instance, page_size=10)
    catalog = warm_up(config, instance)
    instance.script.add(Fault(r"/Bill\?", hook=instance.app.sessions.end_all, skip=3))
    run = run_tap(config, catalog=catalog)
    assert {r["note_id"] for r in run.rows("bills")} == {b.note_id for b in instance.company.bills.values()}
    assert len(instance.app.sessions) == 0


def test_labels_are_english_whatever_the_site_speaks(instance: Instance) -> None:
    instance.switches.user_locale = "de-DE"
    assert {r["type"] for r in run_tap(cookie_config(instance), "bills").rows("bills")} >= {"Bill"}
    config = cookie_config(instance, locale="de-DE")
    assert {r["type"] for r in run_tap(config, "bills").rows("bills")} >= {"Rechnung"}


def test_the_cookie_session_of_a_killed_run_is_ended_by_the_next(instance: Instance) -> None:
    config = cookie_config(instance)
    catalog = warm_up(config, instance)
    body = {"name": USER_NAME, "password": PASSWORD, "tenant": TENANT}
    cookies = requests.post(f"{config['base_url']}/entity/auth/login", json=body, timeout=5).cookies
    store_of(config).write_secret("session", {"cookies": cookies.get_dict()})
    instance.switches.seat_limit = 1
    run_tap(config, catalog=catalog)
    assert len(instance.app.sessions) == 0


# refresh tokens ---------------------------------------------------------------------------------------------


def test_the_refresh_chain_goes_on_from_run_to_run(instance: Instance) -> None:
    config = refresh_config(instance, first_refresh_token(instance))
    for _ in range(3):
        assert run_tap(config, "bills").rows("bills")
    assert len(instance.app.sessions) == 0


def test_the_new_refresh_token_is_kept_before_the_access_token_is_used(instance: Instance) -> None:
    config = refresh_config(instance, first_refresh_token(instance))
    kept: list[bool] = []
    folder = Path(config["token_store_path"])
    look = Fault(r"GET /acme/entity", hook=lambda: kept.append(bool(list(folder.glob("*-tokens.sealed")))))
    instance.script.add(look)
    run_tap(config, "bills")
    assert kept == [True]


def test_a_signal_that_comes_with_the_new_refresh_token_does_not_lose_it(instance: Instance) -> None:
    config = refresh_config(instance, first_refresh_token(instance))
    send = Client.send

    def send_and_be_stopped(self: Client, method: str, address: str, **options: Any) -> Any:
        answer = send(self, method, address, **options)
        signal.raise_signal(signal.SIGTERM)
        return answer

    with mock.patch.object(Client, "send", send_and_be_stopped), pytest.raises(SystemExit):
        run_tap(config, "bills")
    assert run_tap(config, "bills").rows("bills")


def test_a_new_refresh_token_in_the_settings_starts_a_new_chain(instance: Instance) -> None:
    config = refresh_config(instance, first_refresh_token(instance))
    run_tap(config, "bills")
    store = store_of(config)
    store.write_secret("tokens", {**store.read_secret("tokens"), "refresh_token": "dead"})
    assert run_tap(refresh_config(instance, first_refresh_token(instance)), "bills").rows("bills")


def test_a_stored_refresh_token_that_cannot_be_opened_is_not_passed_over(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = refresh_config(instance, first_refresh_token(instance))
    run_tap(config, "bills")
    instance.script.clear()
    monkeypatch.setenv(KEY_VARIABLE, base64.b64encode(os.urandom(32)).decode())
    with pytest.raises(UserError, match=f"{KEY_VARIABLE}: .*put the old key behind the new one"):
        run_tap(config, "bills")
    assert instance.script.count(TOKEN) == 0, "the used first token would have broken the chain"


def test_a_session_handle_that_another_key_locks_is_left_to_end_by_itself(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_of(instance.config).write_secret("session", {"token": "a1"})
    monkeypatch.setenv(KEY_VARIABLE, base64.b64encode(os.urandom(32)).decode())
    assert run_tap(instance.config, "bills").rows("bills")


def test_no_refresh_token_stands_in_a_file_a_message_or_the_log(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    first = first_refresh_token(instance)
    config = refresh_config(instance, first)
    run = run_tap(config, "bills")
    newest = store_of(config).read_secret("tokens")["refresh_token"]
    assert newest != first
    told = b"".join([*run.recorder.lines, caplog.text.encode()])
    files = [path for path in Path(config["token_store_path"]).iterdir() if path.is_file()]
    told += b"".join(path.read_bytes() for path in files)
    for token in (first, newest):
        assert token.encode() not in told


def test_processes_that_start_together_share_one_chain_of_refresh_tokens(
    instance: Instance, tmp_path: Path
) -> None:
    config = refresh_config(instance, first_refresh_token(instance))
    catalog = warm_up(instance.config, instance)
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    arguments = ("--catalog", str(tmp_path / "catalog.json"))
    runs = [command(config, tmp_path, *arguments) for _ in range(3)]
    for process in runs:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
    assert len(instance.app.sessions) == 0
    assert run_tap(config, "bills").rows("bills")


def test_a_dead_refresh_token_says_what_to_do_and_is_tried_once(instance: Instance) -> None:
    with pytest.raises(UserError, match="authorise again"):
        run_tap(refresh_config(instance, "dead"), "bills")
    assert instance.script.count(TOKEN) == 1


# refused sign-ins -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"password": "wrong"}, "username, password"),
        ({"client_secret": "wrong"}, "client_secret"),
        ({"client_id": "nobody@MeridianLive"}, "client_id"),
        ({"client_id": "without-tenant"}, "@Tenant"),
        ({"tenant": "Other"}, "tenant"),
        ({"password": ""}, "password: needed"),
        ({"auth_method": "session", "client_id": ""}, "tenant: needed"),
    ],
)
def test_a_refused_sign_in_says_which_setting_and_is_not_tried_again(
    instance: Instance, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says) as caught:
        run_tap(instance.with_(**settings), "bills")
    assert "\n" not in str(caught.value)
    assert instance.script.count(TOKEN) <= 1


@pytest.mark.parametrize(
    ("settings", "says"), [({"password": "wrong"}, "password"), ({"tenant": "Elsewhere"}, "tenant")]
)
def test_a_refused_login_says_which_setting_and_is_not_tried_again(
    instance: Instance, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        run_tap(cookie_config(instance, **settings), "bills")
    assert instance.script.count(r"auth/login") == 1


def test_a_wrong_address_is_named(instance: Instance) -> None:
    wrong = instance.with_(base_url=f"{instance.url}/other")
    with pytest.raises(UserError, match="base_url"):
        run_tap(wrong, "bills")
    with pytest.raises(UserError, match="base_url"):
        run_tap({**cookie_config(instance), "base_url": f"{instance.url}/other"}, "bills")


def test_an_address_where_nobody_listens_is_named(instance: Instance) -> None:
    with pytest.raises(UserError, match="base_url"):
        run_tap(instance.with_(base_url="http://127.0.0.1:9/erp"), "bills")


def test_a_version_that_is_not_served_is_answered_with_those_that_are(instance: Instance) -> None:
    with pytest.raises(UserError, match=r"99\.100\.001 is not served; offered: .*Default 24\.200\.001"):
        run_tap(instance.with_(endpoint_version="99.100.001"), "bills")
    assert len(instance.app.sessions) == 0


def test_the_bare_endpoint_list_of_older_builds_is_understood(instance: Instance) -> None:
    instance.switches.bare_endpoint_list = True
    assert run_tap(instance.config, "bills").rows("bills")


@pytest.mark.parametrize("make", [lambda i: i.config, cookie_config])
def test_private_files_hold_no_password(
    instance: Instance, make: Callable[[Instance], dict[str, Any]]
) -> None:
    run_tap(make(instance), "bills")
    for path in Path(instance.config["token_store_path"]).iterdir():
        content = path.read_bytes()
        assert PASSWORD.encode() not in content
        assert CLIENT_SECRET.encode() not in content
        assert os.name == "nt" or path.stat().st_mode & 0o077 == 0 or path.suffix == ".lock"
