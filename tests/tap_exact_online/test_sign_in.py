"""The token pair: renewed in its window, kept before it is used, shared by processes, and never lost."""

from __future__ import annotations

import logging
import os
import random
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import requests

from tap_exact_online import renewal
from tap_exact_online.auth import Tokens
from tap_exact_online.client import Client
from tap_exact_online.errors import UserError
from tap_exact_online.renewal import Pair, RefusedTokenError, read_pair
from tap_exact_online.settings import with_defaults
from tap_exact_online.store import KEY_VARIABLE, store_of
from tests.sandbox.exact_online import CLIENT_SECRET, DIVISIONS, REDIRECT_URI, SEED_REFRESH_TOKEN
from tests.sandbox.exact_online.switches import Switches
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import SiteClock, line_of, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_exact_online.conftest import Instance

DIVISION = DIVISIONS["HQ"]
DAY = 86_400


def tokens_of(instance: Instance, **settings: Any) -> Tokens:
    config = with_defaults(instance.with_(**settings))
    return Tokens(store_of(config), config, SiteClock(instance.app))


def stored(instance: Instance, **settings: Any) -> Pair:
    config = with_defaults(instance.with_(**settings))
    pair = read_pair(store_of(config), config.get("refresh_token"))
    assert pair is not None
    return pair


# the window -------------------------------------------------------------------------------------------------


def test_the_first_pair_comes_from_the_setting_and_is_renewed_in_a_process_of_its_own(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(signed_in=False)
    config = instance.with_(refresh_token=SEED_REFRESH_TOKEN)
    run = run_tap(instance, "cost_centers", config=config)
    assert run.rows("cost_centers")
    assert instance.app.counters.tokens_issued == 1
    run_tap(instance, "cost_centers", config=config)
    assert instance.app.counters.tokens_issued == 1, "a good token was thrown away"


@pytest.mark.usefixtures("here")
def test_a_token_is_used_for_570_seconds_and_renewed_before_600(instance: Instance) -> None:
    tokens = tokens_of(instance)
    first = tokens.credentials()
    instance.app.clock.advance(569)
    assert tokens.credentials() == first
    instance.app.clock.advance(3)
    second = tokens.credentials()
    assert second != first
    assert stored(instance).access_token == second
    counters = instance.app.counters
    assert (counters.tokens_issued, counters.refreshed_too_early, counters.reused_refresh_tokens) == (2, 0, 0)


@pytest.mark.usefixtures("here")
def test_a_long_run_renews_again_and_again_without_one_refused_call(instance: Instance) -> None:
    instance.script.add(Fault(r"/api/v1/3", times=1000, hook=lambda: instance.app.clock.advance(28)))
    for _ in range(4):
        run = run_tap(instance, "gl_accounts", "accounts", "cost_centers", "journals", "vat_codes")
        assert run.tap.exit_code == 0
    counters = instance.app.counters
    assert counters.tokens_issued >= 3
    assert (counters.unauthorized, counters.refreshed_too_early, counters.reused_refresh_tokens) == (0, 0, 0)


@pytest.mark.usefixtures("here")
def test_the_token_is_fetched_behind_a_wait_not_before_it(instance: Instance) -> None:
    instance.switches.minute_limit = 3
    instance.app.clock.advance(545)
    run = run_tap(instance, "gl_accounts", "accounts", "cost_centers", "journals")
    assert run.waits
    assert instance.app.counters.unauthorized == 0


@pytest.mark.usefixtures("here")
def test_a_page_that_outlives_its_token_is_read_again_with_the_next(instance: Instance) -> None:
    instance.app.clock.advance(560)
    instance.script.add(Fault(r"sync/Financial/GLAccounts", hook=lambda: instance.app.clock.advance(60)))
    run = run_tap(instance, "gl_accounts")
    assert run.tap.exit_code == 0
    assert run.rows("gl_accounts")
    assert instance.app.counters.unauthorized == 1


def test_a_token_that_is_refused_while_it_should_be_good_ends_the_run_without_a_refresh(
    instance: Instance,
) -> None:
    instance.app.identity.consent_again()
    with pytest.raises(UserError, match="consent again"):
        run_tap(instance, "gl_accounts")
    assert instance.app.counters.token_calls == 1


@pytest.mark.usefixtures("here")
def test_another_process_that_has_renewed_is_followed(instance: Instance) -> None:
    ours, theirs = tokens_of(instance), tokens_of(instance)
    ours.credentials()
    instance.app.clock.advance(575)
    renewed = theirs.credentials()
    assert ours.credentials() == renewed
    assert instance.app.counters.tokens_issued == 2


@pytest.mark.usefixtures("here")
def test_too_early_is_waited_out(instance: Instance, caplog: pytest.LogCaptureFixture) -> None:
    instance.switches.refresh_not_before_seconds = 590
    instance.app.clock.advance(572)
    run = run_tap(instance, "gl_accounts")
    assert run.tap.exit_code == 0
    assert instance.app.counters.refreshed_too_early <= 2
    assert "Traceback" not in caplog.text


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("status", "tries"), [(200, 1), (503, 2)])
def test_an_empty_answer_of_the_token_address_is_asked_for_again(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, status: int, tries: int
) -> None:
    monkeypatch.setattr("tap_exact_online.renewal._PAUSE_SECONDS", 0)
    instance.app.clock.advance(580)
    instance.script.add(Fault("oauth2/token", status=status, body=b"", times=tries))
    assert tokens_of(instance).credentials()
    assert instance.app.counters.tokens_issued == 2


@pytest.mark.usefixtures("here")
def test_a_used_up_refresh_token_says_what_to_do_and_shows_no_token(instance: Instance) -> None:
    old = stored(instance)
    instance.app.clock.advance(580)
    tokens_of(instance).credentials()
    instance.app.clock.advance(580)
    with pytest.raises(UserError, match="consent again") as caught:
        tokens_of(instance, refresh_token=old.refresh_token).credentials()
    assert old.refresh_token not in str(caught.value)
    assert "Old refresh token used" in str(caught.value)


@pytest.mark.usefixtures("here")
def test_a_wrong_application_is_named(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(signed_in=False)
    with pytest.raises(UserError, match="client_id, client_secret") as caught:
        tokens_of(instance, refresh_token=SEED_REFRESH_TOKEN, client_secret="wrong-secret").credentials()
    assert "wrong-secret" not in str(caught.value)


def test_without_any_token_the_login_command_is_named(make_instance: Callable[..., Instance]) -> None:
    with pytest.raises(UserError, match="tap-exact-online-login"):
        tokens_of(make_instance(signed_in=False)).credentials()


@pytest.mark.usefixtures("here")
def test_a_refresh_token_that_nears_its_end_is_warned_of_with_the_date(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.app.clock.advance(19 * DAY)
    tokens_of(instance).credentials()
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    instance.app.clock.advance(24 * DAY)
    tokens_of(instance).credentials()
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert re.search(r"24 days.* 20\d\d-\d\d-\d\d", warning)
    assert "--keepalive" in warning


def test_a_refresh_token_beyond_its_life_is_not_tried(instance: Instance) -> None:
    instance.app.clock.advance(31 * DAY)
    with pytest.raises(UserError, match=r"expired on 20\d\d-\d\d-\d\d; run tap-exact-online-login"):
        tokens_of(instance).credentials()
    assert instance.app.counters.token_calls == 1


@pytest.mark.usefixtures("here")
def test_a_setting_that_changes_starts_a_new_chain_and_one_that_stays_does_not(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(signed_in=False)
    tokens_of(instance, refresh_token=SEED_REFRESH_TOKEN).credentials()
    kept = stored(instance, refresh_token=SEED_REFRESH_TOKEN)
    assert kept.access_token
    assert stored(instance, refresh_token="another").access_token == ""
    assert stored(instance).refresh_token == kept.refresh_token


def test_tokens_that_another_key_locks_are_not_overwritten(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    with pytest.raises(UserError, match="token_key_file"):
        tokens_of(instance, refresh_token="x").credentials()
    monkeypatch.delenv(KEY_VARIABLE)
    assert stored(instance).access_token


@pytest.mark.usefixtures("here")
def test_threads_share_one_renewal(instance: Instance) -> None:
    tokens = tokens_of(instance)
    instance.app.clock.advance(580)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: tokens.credentials(), range(16)))
    assert len(found) == 1
    assert instance.app.counters.tokens_issued == 2


# processes and kills ------------------------------------------------------------------------------------------

WORKER = """
import json, sys, time
from tap_exact_online.auth import Tokens
from tap_exact_online.client import Client
from tap_exact_online.paging import walk
from tap_exact_online.store import store_of
config = json.loads(sys.stdin.readline())
store = store_of(config)
client = Client(store, config)
client.tokens = Tokens(store, config, client.clock)
print("ready", flush=True)
while True:
    list(walk(client, int(sys.argv[1]), "system/Divisions", {"$select": "Code"}))
    print("read", flush=True)
    time.sleep(0.005)
"""


def start_worker(instance: Instance, division: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(division)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(line_of(with_defaults(instance.config)))
    process.stdin.flush()
    return process


def close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        stream.close()


class Workers:
    """Two processes that read the same company through one pair, and are killed at random."""

    def __init__(self, instance: Instance, seed: int) -> None:
        self.instance = instance
        self.read = 0
        self.kills = 0
        self.problems: list[str] = []
        self._rng = random.Random(seed)
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._stopped = False

    def keep(self, division: int) -> None:
        """Start the process of a division again whenever it was killed, which is after some random calls."""
        while not self._stopped:
            process = self._running[division] = start_worker(self.instance, division)
            left = self._rng.randint(30, 120)
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                with self._lock:
                    self.read += line == b"read\n"
                left -= 1
                if left == 0:
                    time.sleep(self._rng.uniform(0, 0.02))
                    self.kill(division)
            said = process.stderr.read().decode()
            code = process.wait()
            close(process)
            if code != -9:
                self.problems.append(said)
                return

    def kill(self, division: int) -> None:
        process = self._running.get(division)
        if process is not None and process.poll() is None:
            process.kill()
            self.kills += 1

    def stop(self) -> None:
        self._stopped = True
        for division in list(self._running):
            self.kill(division)

    def turn(self, calls: int) -> None:
        """Let them read so many calls; now and then one is killed just when the pair is exchanged."""
        threads = [threading.Thread(target=self.keep, args=(code,)) for code in DIVISIONS.values()]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 120 + calls / 3
        seen = 0
        while self.read < calls and not self.problems and time.monotonic() < deadline:
            time.sleep(0.002)
            asked = self.instance.app.counters.token_calls
            if asked > seen and self._rng.random() < 0.5:
                self.kill(self._rng.choice(list(DIVISIONS.values())))
            seen = asked
        self.stop()
        for thread in threads:
            thread.join()


def check_soak(instance: Instance, calls: int, seed: int = 1) -> None:
    # A token of 32 seconds is taken for one of 600 that is 568 seconds old: it is renewed after three.
    instance.switches.clock = "real"
    instance.switches.access_token_seconds = 32
    instance.switches.refresh_not_before_seconds = 2
    instance.switches.token_calls_per_day = instance.switches.minute_limit = 1_000_000
    instance.switches.day_limit = 1_000_000
    instance.sign_in()
    workers = Workers(instance, seed)
    workers.turn(calls)
    counters = instance.app.counters
    assert workers.problems == []
    assert workers.read >= calls
    assert workers.kills >= 3
    assert counters.tokens_issued >= 2
    assert (counters.reused_refresh_tokens, counters.chains_revoked, counters.refreshed_too_early) == (
        0,
        0,
        0,
    )
    assert counters.unauthorized == 0
    assert tokens_of(instance).credentials()


def test_two_processes_that_are_killed_at_random_never_lose_the_pair(
    make_instance: Callable[..., Instance],
) -> None:
    check_soak(make_instance(signed_in=False), 300)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_calls_of_killed_processes_never_lose_the_pair(
    make_instance: Callable[..., Instance],
) -> None:
    check_soak(make_instance(signed_in=False), 10_000, seed=2)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_run_that_is_killed_while_the_pair_is_exchanged_does_not_lose_it(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=Switches(clock="real"), signed_in=False)
    instance.config["refresh_token"] = SEED_REFRESH_TOKEN
    instance.script.add(Fault("oauth2/token", delay=0.5))
    process = start_worker(instance, DIVISION)
    for _ in range(500):
        if instance.script.count("oauth2/token"):
            break
        time.sleep(0.01)
    # the whole group, as a runner that loses patience does it
    os.kill(process.pid, 9)
    process.wait()
    close(process)
    for _ in range(500):
        if instance.app.counters.tokens_issued and stored(instance).access_token:
            break
        time.sleep(0.01)
    config = with_defaults(instance.config)
    client = Client(store_of(config), config)
    client.tokens = Tokens(store_of(config), config, client.clock)
    assert client.me()
    assert instance.app.counters.tokens_issued == 1
    client.session.close()


# the command ----------------------------------------------------------------------------------------------------


def login(
    instance: Instance, *arguments: str, said: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    settings = {
        f"TAP_EXACT_ONLINE_{k.upper()}": str(v) for k, v in instance.config.items() if k != "divisions"
    }
    return subprocess.run(
        [sys.executable, "-m", "tap_exact_online.login", *arguments],
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **settings, **env},
    )


def consent(url: str) -> str:
    """What the browser of the user does: open the address, agree, and show where it ended up."""
    response = requests.get(url, allow_redirects=False, timeout=10)
    assert response.status_code == 302
    location = response.headers["location"]
    assert location.startswith(REDIRECT_URI)
    assert "%21" in location
    return location


def test_the_login_command_guides_a_person_through_the_consent(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=Switches(clock="real"), signed_in=False)
    settings = {
        f"TAP_EXACT_ONLINE_{k.upper()}": str(v) for k, v in instance.config.items() if k != "divisions"
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tap_exact_online.login"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **settings},
    )
    assert process.stdout is not None
    shown = ""
    while not (found := re.search(r"http://127\S+/oauth2/auth\?\S+", shown)):
        shown += process.stdout.readline()
    out, err = process.communicate(consent(found[0]) + "\n", timeout=30)
    assert process.returncode == 0, err
    assert "expires on" in out
    assert CLIENT_SECRET not in shown + out + err
    pair = stored(instance)
    assert pair.access_token
    assert pair.access_token not in out + err
    assert run_status(instance).returncode == 0
    assert "Consent of" in run_status(instance).stdout


def run_status(instance: Instance) -> subprocess.CompletedProcess[str]:
    return login(instance, "--status")


def test_an_address_without_a_code_or_of_another_attempt_is_refused(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=Switches(clock="real"), signed_in=False)
    done = login(instance, said="https://bi.meridian.example/exact/callback?state=x\n")
    assert done.returncode == 1
    assert "no code" in done.stderr
    done = login(instance, said="https://bi.meridian.example/exact/callback?code=abc&state=other\n")
    assert done.returncode == 1
    assert "another attempt" in done.stderr
    assert "Traceback" not in done.stderr
    assert instance.app.counters.token_calls == 0


def test_a_code_can_be_handed_over_as_an_argument_and_works_once(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=Switches(clock="real"), signed_in=False)
    query = f"client_id={instance.config['client_id']}&redirect_uri={REDIRECT_URI}&response_type=code"
    redirect = consent(f"{instance.url}/api/oauth2/auth?{query}")
    assert login(instance, "--redirect-url", redirect).returncode == 0
    again = login(instance, "--redirect-url", redirect)
    assert again.returncode == 1
    assert "does not give tokens" in again.stderr


def test_keepalive_uses_the_refresh_token_of_a_paused_pipeline(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=Switches(clock="real"))
    fresh = login(instance, "--keepalive")
    assert fresh.returncode == 0
    assert "nothing to do" in fresh.stdout
    assert instance.app.counters.tokens_issued == 1
    instance.app.clock.advance(3 * DAY)
    store = store_of(with_defaults(instance.config))
    old = stored(instance)
    store.write_secret(
        "tokens",
        {
            "access_token": old.access_token,
            "refresh_token": old.refresh_token,
            "obtained_at": time.time() - 3 * DAY,
            "consented_at": old.consented_at,
            "seed": old.seed,
        },
    )
    done = login(instance, "--keepalive")
    assert done.returncode == 0, done.stderr
    assert "Renewed" in done.stdout
    assert instance.app.counters.tokens_issued == 2


def test_status_without_tokens_says_what_to_do(make_instance: Callable[..., Instance]) -> None:
    done = run_status(make_instance(signed_in=False))
    assert done.returncode == 1
    assert "tap-exact-online-login" in done.stderr


def test_a_missing_setting_of_a_command_is_named(instance: Instance) -> None:
    done = login(instance, TAP_EXACT_ONLINE_CLIENT_ID="")
    assert done.returncode == 1
    assert done.stderr.startswith("client_id: not set")


def test_the_process_that_renews_tells_no_secret(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(signed_in=False)
    config = with_defaults(instance.with_(refresh_token="not-a-token-at-all"))
    with pytest.raises(RefusedTokenError) as caught:
        renewal.renew_apart(config, now=time.time())
    assert "not-a-token-at-all" not in caught.value.told
    assert CLIENT_SECRET not in caught.value.told
    with mock.patch("subprocess.Popen") as popen:
        popen.return_value.communicate.return_value = (b"{}", b"")
        renewal.renew_apart(config, now=time.time())
    assert "not-a-token" not in str(popen.call_args)
