from __future__ import annotations

import dataclasses
import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from tests.sandbox.acumatica import (
    CLIENT_ID,
    CLIENT_SECRET,
    EMPTY_TENANT,
    EMPTY_TENANT_CLIENT_ID,
    PASSWORD,
    TENANT,
    USER_NAME,
)

if TYPE_CHECKING:
    from tests.sandbox.acumatica.visitor import Visitor


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_password_grant_gives_a_bearer_that_opens_the_site(visitor: Visitor) -> None:
    answer = visitor.token()
    assert answer.status_code == 200
    token = answer.json()
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 3600
    assert token["refresh_token"]
    visitor.bearer = token["access_token"]
    assert visitor.ask("Account", top=1).status_code == 200


def test_without_offline_access_there_is_no_refresh_token(visitor: Visitor) -> None:
    assert "refresh_token" not in visitor.token(scope="api").json()


def test_token_request_in_json_is_refused(visitor: Visitor) -> None:
    body = {"grant_type": "password", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    answer = visitor.call("POST", "/identity/connect/token", json=body)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": CLIENT_ID.partition("@")[0]}, "invalid_client"),
        ({"client_id": CLIENT_ID.replace(TENANT, "Nowhere")}, "invalid_client"),
        ({"client_id": f"00000000-0000-4000-8000-000000000000@{TENANT}"}, "invalid_client"),
        ({"password": "wrong"}, "invalid_grant"),
        ({"username": "nobody"}, "invalid_grant"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"grant_type": "device_code"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "made-up"}, "invalid_grant"),
    ],
)
def test_bad_token_request_names_its_oauth_error(
    visitor: Visitor, changes: dict[str, str], error: str
) -> None:
    answer = visitor.token(**changes)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_refresh_token_works_once(visitor: Visitor) -> None:
    first = visitor.token().json()["refresh_token"]
    second = visitor.refresh(first).json()["refresh_token"]
    assert second != first
    assert visitor.refresh(first).json() == {"error": "invalid_grant"}
    assert visitor.refresh(second).status_code == 200


def test_refresh_token_stays_when_rotation_is_off(visitor: Visitor) -> None:
    visitor.app.switches.refresh_rotates = False
    first = visitor.token().json()["refresh_token"]
    assert visitor.refresh(first).json()["refresh_token"] == first
    assert visitor.refresh(first).status_code == 200


def test_refresh_chain_dies_after_its_days_even_if_it_was_used(visitor: Visitor) -> None:
    clock = visitor.app.switches.time = Clock()
    token = visitor.token().json()["refresh_token"]
    clock.now += 29 * 24 * 3600
    token = visitor.refresh(token).json()["refresh_token"]
    clock.now += 1 * 24 * 3600
    assert visitor.refresh(token).json() == {"error": "invalid_grant"}


def test_authorised_refresh_token_can_be_used_without_a_password(visitor: Visitor) -> None:
    token = visitor.app.identity.authorise(TENANT)
    assert visitor.refresh(token).status_code == 200


def test_expired_bearer_is_refused_and_its_seat_is_free(visitor: Visitor) -> None:
    clock = visitor.app.switches.time = Clock()
    user = visitor.sign_in()
    assert user.ask("Account", top=1).status_code == 200
    assert len(visitor.app.sessions) == 1
    clock.now += 3600
    assert user.ask("Account", top=1).status_code == 401
    assert len(visitor.app.sessions) == 0


def test_bearer_dies_after_a_number_of_calls(visitor: Visitor) -> None:
    visitor.app.switches.token_dies_after_calls = 2
    user = visitor.sign_in()
    assert [user.ask("Account", top=1).status_code for _ in range(3)] == [200, 200, 401]


def test_revoked_bearer_is_refused_but_keeps_its_seat(visitor: Visitor) -> None:
    user = visitor.sign_in()
    user.ask("Account", top=1)
    assert user.call("POST", "/identity/connect/revocation", data={"token": user.bearer}).status_code == 200
    assert user.ask("Account", top=1).status_code == 401
    assert len(visitor.app.sessions) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eDp5"}]
)
def test_contract_api_refuses_who_is_not_signed_in(visitor: Visitor, headers: dict[str, str]) -> None:
    assert visitor.ask("Account", headers=headers).status_code == 401


def test_token_takes_no_seat_until_it_is_used(visitor: Visitor) -> None:
    user = visitor.sign_in()
    assert len(visitor.app.sessions) == 0
    user.ask("Account", top=1)
    user.ask("Account", top=1)
    assert len(visitor.app.sessions) == 1


def test_refreshed_bearer_goes_on_in_the_same_session(visitor: Visitor) -> None:
    first = visitor.token().json()
    visitor.bearer = first["access_token"]
    before = visitor.rows("Bill", top=1, expand="Details")[0]["Details"][0]["id"]
    visitor.bearer = visitor.refresh(first["refresh_token"]).json()["access_token"]
    assert visitor.rows("Bill", top=1, expand="Details")[0]["Details"][0]["id"] == before
    assert visitor.app.sessions.opened == 1


@pytest.mark.parametrize(("answer", "text"), [(500, "API Login Limit"), (429, "custom error module")])
def test_caller_beyond_the_seats_is_turned_away(visitor: Visitor, answer: int, text: str) -> None:
    visitor.app.switches.seat_limit = 2
    visitor.app.switches.seat_answer = 500 if answer == 500 else 429
    users = [visitor.sign_in() for _ in range(3)]
    statuses = [user.ask("Account", top=1).status_code for user in users]
    assert statuses == [200, 200, answer]
    refused = users[2].ask("Account", top=1)
    assert text in refused.text
    assert visitor.log_in().status_code == answer
    users[0].log_out()
    assert users[2].ask("Account", top=1).status_code == 200


def test_login_limit_in_plain_text_is_no_json(visitor: Visitor) -> None:
    visitor.app.switches.seat_limit = 0
    visitor.app.switches.seat_answer = 429
    answer = visitor.log_in()
    assert answer.headers["content-type"].startswith("text/plain")


def test_logged_out_bearer_silently_opens_a_new_session(visitor: Visitor) -> None:
    user = visitor.sign_in()
    before = user.rows("Bill", top=1, expand="Details")[0]["Details"][0]["id"]
    assert user.log_out().status_code == 204
    assert len(visitor.app.sessions) == 0
    assert user.rows("Bill", top=1, expand="Details")[0]["Details"][0]["id"] != before
    assert len(visitor.app.sessions) == 1
    assert visitor.app.sessions.opened == 2


def test_logout_without_content_length_is_refused_and_frees_nothing(visitor: Visitor) -> None:
    user = visitor.sign_in()
    user.ask("Account", top=1)
    connection = http.client.HTTPConnection(urlsplit(visitor.url).netloc, timeout=10)
    connection.putrequest("POST", "/acme/entity/auth/logout")
    connection.putheader("Authorization", f"Bearer {user.bearer}")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 411
    answer.read()
    connection.close()
    assert len(visitor.app.sessions) == 1


def test_logout_with_an_invalid_bearer_is_refused(visitor: Visitor) -> None:
    assert dataclasses.replace(visitor, bearer="made-up").log_out().status_code == 401


def test_concurrent_access_takes_a_seat_per_cookie_jar(visitor: Visitor) -> None:
    user = visitor.sign_in(scope="api:concurrent_access")
    assert user.ask("Account", top=1).status_code == 200
    assert user.ask("Account", top=1).status_code == 200
    assert len(visitor.app.sessions) == 2
    with requests.Session() as jar:
        headers = {"Authorization": f"Bearer {user.bearer}"}
        for _ in range(3):
            jar.get(f"{user.base}/entity/Default/24.200.001/Account?$top=1", headers=headers, timeout=10)
    assert len(visitor.app.sessions) == 3


def test_cookie_login_opens_a_session_at_once(visitor: Visitor) -> None:
    answer = visitor.log_in()
    assert answer.status_code == 204
    assert len(visitor.app.sessions) == 1
    assert {"ASP.NET_SessionId", ".ASPXAUTH"} <= set(answer.cookies.keys())
    address = f"{visitor.base}/entity/Default/24.200.001/Account?$top=1"
    assert requests.get(address, cookies=answer.cookies, timeout=10).status_code == 200
    requests.post(f"{visitor.base}/entity/auth/logout", cookies=answer.cookies, timeout=10)
    assert len(visitor.app.sessions) == 0
    assert requests.get(address, cookies=answer.cookies, timeout=10).status_code == 401


def test_every_cookie_has_to_come_back(visitor: Visitor) -> None:
    cookies = dict(visitor.log_in().cookies.items())
    address = f"{visitor.base}/entity/Default/24.200.001/Account?$top=1"
    for missing in cookies:
        rest = {name: value for name, value in cookies.items() if name != missing}
        assert requests.get(address, cookies=rest, timeout=10).status_code == 401, missing


def test_login_accepts_a_form_and_the_old_name_of_the_tenant(visitor: Visitor) -> None:
    form = {"name": USER_NAME, "password": PASSWORD, "company": TENANT}
    assert visitor.call("POST", "/entity/auth/login", data=form).status_code == 204


def test_idle_cookie_session_ends(visitor: Visitor) -> None:
    clock = visitor.app.switches.time = Clock()
    cookies = visitor.log_in().cookies
    address = f"{visitor.base}/entity/Default/24.200.001/Account?$top=1"
    for _ in range(3):
        clock.now += 599
        assert requests.get(address, cookies=cookies, timeout=10).status_code == 200
    clock.now += 600
    assert requests.get(address, cookies=cookies, timeout=10).status_code == 401


@pytest.mark.parametrize("tenant", ["Nowhere", ""])
def test_tenant_that_is_unknown_or_missing_is_an_undefined_company(visitor: Visitor, tenant: str) -> None:
    answer = visitor.log_in(tenant=tenant)
    assert answer.status_code == 500
    assert answer.json()["exceptionType"] == "PX.Data.PXUndefinedCompanyException"


def test_missing_tenant_may_mean_the_first_one(visitor: Visitor) -> None:
    visitor.app.switches.tenant_required = False
    assert visitor.log_in(tenant="").status_code == 204


def test_site_with_one_tenant_takes_any_name(visitor: Visitor) -> None:
    visitor.app.switches.multi_tenant = False
    assert visitor.log_in(tenant="Whatever").status_code == 204


def test_wrong_password_at_login_is_a_500_and_many_lock_the_user(visitor: Visitor) -> None:
    for _ in range(5):
        answer = visitor.log_in(password="wrong")
        assert (answer.status_code, "Invalid credentials" in answer.text) == (500, True)
    assert visitor.log_in().status_code == 500
    assert visitor.token().json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}"])
def test_login_with_a_bad_body_is_a_400(visitor: Visitor, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert visitor.call("POST", "/entity/auth/login", data=body, headers=headers).status_code == 400


def test_cookie_session_keeps_the_rights_that_it_began_with(visitor: Visitor) -> None:
    cookies = visitor.log_in().cookies
    user = visitor.sign_in()
    visitor.app.switches.forbidden_forms = frozenset({"GL202500"})
    address = f"{visitor.base}/entity/Default/24.200.001/Account?$top=1"
    assert requests.get(address, cookies=cookies, timeout=10).status_code == 200
    assert user.ask("Account", top=1).status_code == 403


def test_second_tenant_is_empty(visitor: Visitor) -> None:
    user = visitor.sign_in(client_id=EMPTY_TENANT_CLIENT_ID)
    for entity in ("Account", "Bill", "Ledger", "Currency", "FinancialPeriod", "Vendor"):
        assert user.rows(entity) == []
    assert user.dac_rows("GLHistory", root=f"/t/{EMPTY_TENANT}/api/odata/dac") == []
    assert user.dac_rows("APRegister/px.GetDeletedRecords()", root=f"/t/{EMPTY_TENANT}/api/odata/dac") == []


def test_closing_the_site_ends_its_sessions(visitor: Visitor) -> None:
    visitor.sign_in().ask("Account", top=1)
    visitor.app.close()
    assert len(visitor.app.sessions) == 0


def test_identity_server_describes_itself(visitor: Visitor) -> None:
    found = visitor.call("GET", "/identity/.well-known/openid-configuration").json()
    assert found["token_endpoint"] == f"{visitor.base}/identity/connect/token"
    assert "client_credentials" not in found["grant_types_supported"]
