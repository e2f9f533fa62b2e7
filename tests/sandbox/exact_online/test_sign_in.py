"""OAuth as Exact Online does it: codes, refresh tokens that work once, the window between 570 and 600 seconds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sandbox.company.world import World
from tests.sandbox.exact_online import (
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URI,
    SEED_REFRESH_TOKEN,
)
from tests.sandbox.exact_online.app import create_app
from tests.sandbox.exact_online.visitor import Visitor

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.exact_online.conftest import Stage

_DAY = 86_400
_ME = "/api/v1/current/Me"


def test_the_consent_redirects_with_a_code_that_must_be_decoded(stranger: Visitor) -> None:
    answer = stranger.consent()
    assert answer.status_code == 302
    location = urlsplit(answer.headers["location"])
    assert answer.headers["location"].startswith(f"{REDIRECT_URI}?code=")
    assert "%21" in location.query
    assert parse_qs(location.query)["state"] == ["s t&te"]


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "00000000-0000-0000-0000-000000000000"},
        {"redirect_uri": "http://localhost/callback"},
        {"response_type": "token2"},
        {"force_login": "yes"},
    ],
)
def test_a_consent_for_an_unknown_app_or_address_is_refused(
    stranger: Visitor, change: dict[str, str]
) -> None:
    assert stranger.consent(**change).status_code == 400


def test_a_code_gives_a_pair_once(stranger: Visitor) -> None:
    form = {"grant_type": "authorization_code", "code": stranger.code(), "redirect_uri": REDIRECT_URI}
    answer = stranger.token(**form)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == "600"
    assert answer.json()["token_type"] == "bearer"
    assert answer.headers["content-type"].startswith("application/json")
    again = stranger.token(**form)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_code_dies_after_three_minutes(stranger: Visitor) -> None:
    code = stranger.code()
    stranger.site.clock.advance(181)
    answer = stranger.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)
    assert answer.json()["error"] == "invalid_grant"


def test_another_consent_ends_the_chain_that_was_there(visitor: Visitor) -> None:
    assert visitor.call("GET", _ME).status_code == 200
    old = visitor.bearer
    visitor.sign_in_again()
    assert visitor.call("GET", _ME).status_code == 200
    assert visitor.token().json()["error"] == "invalid_grant"  # of the old chain: it leaves the new one alone
    assert visitor.call("GET", _ME).status_code == 200
    visitor.bearer = old
    assert visitor.call("GET", _ME).status_code == 401
    visitor.sign_in_again().site.identity.consent_again()
    assert visitor.call("GET", _ME).status_code == 401


def test_a_refresh_before_its_time_is_refused_and_changes_nothing(stranger: Visitor) -> None:
    pair = stranger.token().json()
    stranger.site.clock.advance(569)
    early = stranger.token(refresh_token=pair["refresh_token"])
    assert (early.status_code, early.json()["error"]) == (400, "access_denied")
    assert early.headers["Reason"].startswith("TooEarlyToRefreshTokens")
    stranger.site.clock.advance(1)
    assert stranger.token(refresh_token=pair["refresh_token"]).status_code == 200
    assert stranger.site.counters.refreshed_too_early == 1
    assert stranger.site.counters.tokens_issued == 2


def test_a_refresh_token_that_was_used_ends_the_chain(stranger: Visitor) -> None:
    first = stranger.token().json()
    answer = stranger.token()
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")
    assert answer.json()["error_description"] == "Old refresh token used."
    stranger.site.clock.advance(580)
    dead = stranger.token(refresh_token=first["refresh_token"])
    assert (dead.status_code, dead.json()["error"]) == (400, "invalid_grant")
    assert stranger.site.counters.reused_refresh_tokens == 1
    assert stranger.site.counters.chains_revoked == 1


def test_a_site_can_forgive_a_token_that_was_used(stranger: Visitor) -> None:
    stranger.site.switches.revoke_on_reuse = False
    first = stranger.token().json()
    assert stranger.token().status_code == 401
    stranger.site.clock.advance(580)
    assert stranger.token(refresh_token=first["refresh_token"]).status_code == 200


def test_a_refresh_token_dies_after_thirty_days_without_use(stranger: Visitor) -> None:
    pair = stranger.token().json()
    stranger.site.clock.advance(29 * _DAY)
    pair = stranger.token(refresh_token=pair["refresh_token"]).json()
    stranger.site.clock.advance(30 * _DAY + 1)
    answer = stranger.token(refresh_token=pair["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "Expiration time" in answer.json()["error_description"]


def test_an_access_token_lives_six_hundred_seconds(visitor: Visitor) -> None:
    visitor.site.clock.advance(599)
    assert visitor.call("GET", _ME).status_code == 200
    visitor.site.clock.advance(1)
    answer = visitor.call("GET", _ME)
    assert answer.status_code == 401
    assert "expired" in answer.headers["WWW-Authenticate"]


def test_the_company_s_clock_ages_tokens_too(visitor: Visitor) -> None:
    visitor.world.life.advance(10)
    assert visitor.call("GET", _ME).status_code == 401


def test_a_token_must_be_good_until_the_end_of_a_call(visitor: Visitor) -> None:
    visitor.site.clock.advance(599)
    real = visitor.site.system.me_row
    visitor.site.system.me_row = lambda: (visitor.site.clock.advance(2), real())[1]  # type: ignore[method-assign]
    assert visitor.call("GET", _ME).status_code == 401


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"refresh_token": "x"}, "invalid_grant"),
    ],
)
def test_a_wrong_token_request_is_refused(stranger: Visitor, change: dict[str, str], error: str) -> None:
    answer = stranger.token(**change)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_the_token_endpoint_takes_forms_only(stranger: Visitor) -> None:
    body = {
        "grant_type": "refresh_token",
        "refresh_token": SEED_REFRESH_TOKEN,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    assert stranger.call("POST", "/api/oauth2/token", json=body).json()["error"] == "invalid_request"
    assert stranger.call("GET", "/api/oauth2/token", params=body).json()["error"] == "invalid_request"
    assert stranger.call("POST", "/api/oauth2/token", data=body).status_code == 200


def test_the_token_endpoint_is_limited_per_day(stranger: Visitor) -> None:
    stranger.site.switches.token_calls_per_day = 1
    stranger.sign_in()
    assert stranger.token().status_code == 429
    stranger.site.clock.advance(_DAY)
    assert stranger.token().status_code == 401


def test_without_a_token_nothing_is_shown(stranger: Visitor) -> None:
    assert stranger.call("GET", _ME).status_code == 401
    assert stranger.ask("financial/Journals", top=1).status_code == 401
    assert stranger.site.counters.unauthorized == 2


def test_the_chain_survives_a_restart(stage: tuple[str, Stage], stranger: Visitor, tmp_path: Path) -> None:
    url, current = stage
    current.app = create_app(stranger.world, tmp_path)
    pair = stranger.token().json()
    current.app = site = create_app(stranger.world, tmp_path)
    assert Visitor(url, site, stranger.world, bearer=pair["access_token"]).call("GET", _ME).status_code == 200
    assert stranger.token().status_code == 401  # the seed was used before
    if os.name == "posix":
        assert (tmp_path / "tokens.json").stat().st_mode & 0o077 == 0


def test_a_fresh_folder_takes_the_seed_again(
    stage: tuple[str, Stage], stranger: Visitor, tmp_path: Path
) -> None:
    _, current = stage
    for name in ("first", "second"):
        current.app = create_app(World(stranger.world.company), tmp_path / name)
        assert stranger.token().status_code == 200
