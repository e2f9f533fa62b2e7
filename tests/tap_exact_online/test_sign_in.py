"""The token pair: renewed in its window, kept before it is used, shared by processes, and never lost."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tap_exact_online.auth import Tokens
from tap_exact_online.errors import UserError
from tap_exact_online.renewal import Pair, read_pair
from tap_exact_online.settings import with_defaults
from tap_exact_online.store import KEY_VARIABLE, store_of
from tests.sandbox.exact_online import DIVISIONS, SEED_REFRESH_TOKEN
from tests.sandbox.faults import Fault
from tests.tap_exact_online.harness import SiteClock, run_tap

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
