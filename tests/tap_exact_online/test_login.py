"""The command that lets a person consent, and keeps the consent alive."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from unittest import mock

import pytest
import requests

from tap_exact_online import renewal
from tap_exact_online.renewal import RefusedTokenError
from tap_exact_online.settings import with_defaults
from tap_exact_online.store import store_of
from tests.sandbox.exact_online import CLIENT_SECRET, DIVISIONS, REDIRECT_URI
from tests.sandbox.exact_online.switches import Switches
from tests.tap_exact_online.test_sign_in import stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_exact_online.conftest import Instance

DIVISION = DIVISIONS["HQ"]
DAY = 86_400


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
