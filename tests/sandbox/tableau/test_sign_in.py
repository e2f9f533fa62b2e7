from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

import pytest
import requests
import tableauserverclient as tsc
from tableauserverclient.server.endpoint.exceptions import FailedSignInError

from tests.sandbox import tableau
from tests.sandbox.tableau.conftest import Client, Reply, pat, sign_in
from tests.sandbox.tableau.switches import Switches, too_many_requests

if TYPE_CHECKING:
    from tests.sandbox.tableau.app import TableauApp


def _refused(url: str, credentials: tsc.PersonalAccessTokenAuth | tsc.TableauAuth | tsc.JWTAuth) -> str:
    with pytest.raises(FailedSignInError) as raised:
        sign_in(url, credentials)
    return str(raised.value.code)


def _post(url: str, body: str, version: str = "3.29") -> Reply:
    return Reply(requests.post(f"{url}/api/{version}/auth/signin", data=body, timeout=10))


def test_a_token_signs_in_and_the_server_says_its_version(client: Client, app: TableauApp) -> None:
    assert client.server.version == "3.29"
    assert client.server.site_id == app.state.index.site
    assert client.server.user_id == app.state.user(tableau.USERNAME).id


def test_signing_in_again_with_the_same_token_ends_the_first_session(url: str) -> None:
    first = sign_in(url, pat())
    second = sign_in(url, pat())
    assert first.raw("GET", "/projects").code == "401002"
    assert second.raw("GET", "/projects").status == 200


def test_another_token_of_the_same_user_leaves_the_session_alone(url: str) -> None:
    first = sign_in(url, pat())
    sign_in(url, pat(tableau.SECOND_TOKEN_NAME, tableau.SECOND_TOKEN_VALUE))
    assert first.raw("GET", "/projects").status == 200


def test_password_sessions_do_not_end_each_other(url: str) -> None:
    first = sign_in(url, tsc.TableauAuth(tableau.USERNAME, tableau.PASSWORD, tableau.SITE))
    sign_in(url, tsc.TableauAuth(tableau.USERNAME, tableau.PASSWORD, tableau.SITE))
    assert first.raw("GET", "/projects").status == 200


@pytest.mark.parametrize("site", ["", tableau.SITE_NAME, "Finance", "default", "other"])
def test_only_the_content_url_names_the_site(url: str, site: str) -> None:
    assert (
        _refused(url, tsc.PersonalAccessTokenAuth(tableau.TOKEN_NAME, tableau.TOKEN_VALUE, site)) == "401001"
    )


def test_a_wrong_secret_is_refused(url: str) -> None:
    assert _refused(url, pat(secret="guess")) == "401001"
    assert _refused(url, pat("nobody", tableau.TOKEN_VALUE)) == "401001"
    assert _refused(url, tsc.TableauAuth(tableau.USERNAME, "guess", tableau.SITE)) == "401001"


def test_an_expired_token_is_refused(url: str, app: TableauApp) -> None:
    app.switches.pat_days_left = 0
    assert _refused(url, pat()) == "401001"


def test_sign_in_tells_how_long_the_token_lasts(url: str, app: TableauApp) -> None:
    app.switches.pat_days_left = 12
    body = (
        f'<tsRequest><credentials personalAccessTokenName="{tableau.TOKEN_NAME}" '
        f'personalAccessTokenSecret="{tableau.TOKEN_VALUE}"><site contentUrl="{tableau.SITE}"/>'
        "</credentials></tsRequest>"
    )
    credentials = _post(url, body).find("credentials")
    assert credentials.get("estimatedTimeToExpiration") == "12:23:59"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<tsRequest>",
        "<tsRequest/>",
        '<tsRequest><credentials><site contentUrl="finance"/></credentials></tsRequest>',
        '<tsRequest><credentials name="a" jwt="b"><site contentUrl="finance"/></credentials></tsRequest>',
        '<!DOCTYPE x [<!ENTITY y "z">]><tsRequest><credentials name="&y;"/></tsRequest>',
    ],
)
def test_an_incomplete_sign_in_is_a_bad_request(url: str, body: str) -> None:
    assert _post(url, body).code == "400000"


def test_a_call_without_a_token_is_told_so(url: str, app: TableauApp) -> None:
    answered = Reply(requests.get(f"{url}/api/3.29/sites/{app.state.index.site}/projects", timeout=10))
    assert (answered.status, answered.code) == (401, "401000")


def test_a_session_ends_with_sign_out(client: Client) -> None:
    token = client.server.auth_token
    client.server.auth.sign_out()
    headers = {"X-Tableau-Auth": token}
    answered = Reply(requests.post(f"{client.url}/api/3.29/auth/signout", headers=headers, timeout=10))
    assert answered.code == "401002"


def test_an_idle_session_ends_and_a_used_one_does_not(client: Client, app: TableauApp) -> None:
    now = app.switches.clock()
    for minutes in (239, 478):
        app.switches.clock = lambda minutes=minutes: now + dt.timedelta(minutes=minutes)  # type: ignore[misc]
        assert client.raw("GET", "/projects").status == 200
    app.switches.clock = lambda: now + dt.timedelta(minutes=719)
    assert client.raw("GET", "/projects").code == "401002"


def test_a_token_can_die_after_some_calls_and_be_replaced(client: Client, app: TableauApp) -> None:
    app.switches.expire_after_calls = 2
    answers = [client.raw("GET", "/projects").status for _ in range(3)]
    assert answers == [200, 200, 401]
    client.server.auth.sign_in(pat())
    assert client.raw("GET", "/projects").status == 200


def test_a_fresh_session_can_be_refused_at_once(url: str, app: TableauApp) -> None:
    app.switches.stillborn_sessions = 1
    assert sign_in(url, pat()).raw("GET", "/projects").code == "401002"
    assert sign_in(url, pat()).raw("GET", "/projects").status == 200


def test_another_site_in_the_url_is_not_found(client: Client) -> None:
    client.server._site_id = "0" * 8  # noqa: SLF001 - what a client with a stale site id would send
    assert client.raw("GET", "/projects").code == "404000"


@pytest.mark.parametrize("version", ["3.30", "4.0", "1.9", "x", "3"])
def test_an_unknown_version_is_refused(url: str, version: str) -> None:
    answered = Reply(requests.get(f"{url}/api/{version}/serverInfo", timeout=10))
    assert (answered.status, answered.code) == (404, "404001")


def test_server_info_needs_no_session(url: str) -> None:
    answered = Reply(requests.get(f"{url}/api/2.4/serverinfo", timeout=10))
    assert answered.find("serverInfo/restApiVersion").text == "3.29"


def test_every_answer_tells_the_servers_own_time(url: str, app: TableauApp) -> None:
    app.switches.clock = lambda: dt.datetime(2026, 1, 31, 23, 59, 58, tzinfo=dt.UTC)
    answered = requests.get(f"{url}/api/3.29/serverInfo", timeout=10)
    assert answered.headers["Date"] == "Sat, 31 Jan 2026 23:59:58 GMT"


def test_an_old_server_lacks_newer_methods(url: str, app: TableauApp) -> None:
    app.switches.api_version = "3.4"
    client = sign_in(url, pat())
    assert client.server.version == "3.4"
    assert client.raw("PATCH", "/datasources/x/data").code == "404003"


def test_unknown_paths_and_methods_are_refused_in_xml(client: Client) -> None:
    assert client.raw("GET", "/nonsense").code == "404003"
    assert client.raw("DELETE", "/projects").code == "405000"


def test_too_many_requests_come_with_and_without_a_header(client: Client, app: TableauApp) -> None:
    app.script.add(too_many_requests("GET .*/projects", minutes=29))
    app.script.add(too_many_requests("GET .*/projects", seconds=3))
    first, second = (client.raw("GET", "/projects") for _ in range(2))
    assert (first.code, "Retry-After" in first.response.headers) == ("429000", False)
    assert "retry after 29 minutes" in first.detail
    assert second.response.headers["Retry-After"] == "3"
    assert client.raw("GET", "/projects").status == 200


# -- connected apps ------------------------------------------------------------------------------------------


def _jwt(
    *,
    header: dict[str, object] | None = None,
    secret: str = tableau.CONNECTED_APP_SECRET_VALUE,
    **claims: object,
) -> tsc.JWTAuth:
    said = {"alg": "HS256", "typ": "JWT", "kid": tableau.CONNECTED_APP_SECRET_ID, **(header or {})}
    body = {
        "iss": tableau.CONNECTED_APP_CLIENT_ID,
        "aud": "tableau",
        "sub": tableau.USERNAME,
        "jti": "first",
        "exp": int(dt.datetime.now(dt.UTC).timestamp()) + 300,
        "scp": ["tableau:content:read"],
        **claims,
    }
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (said, body)]
    signature = hmac.new(secret.encode(), b".".join(parts), hashlib.sha256).digest()
    token = b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
    return tsc.JWTAuth(token, site_id=tableau.SITE)


def test_a_connected_app_signs_in_and_is_held_to_its_scopes(url: str) -> None:
    client = sign_in(url, _jwt())
    assert client.raw("GET", "/projects").status == 200
    assert client.raw("POST", "/fileUploads").code == "401002"
    wider = sign_in(url, _jwt(jti="second", scp=["tableau:file_uploads:*"]))
    assert wider.raw("POST", "/fileUploads").status == 201


def test_a_jwt_may_be_used_once(url: str) -> None:
    sign_in(url, _jwt())
    assert _refused(url, _jwt()) == "401001"


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": 1},
        {"exp": "soon"},
        {"exp": int(dt.datetime.now(dt.UTC).timestamp()) + 3600},
        {"aud": "tableaux"},
        {"iss": "somebody"},
        {"sub": "nobody"},
        {"sub": tableau.USERNAME.upper()},
        {"jti": ""},
        {"scp": []},
        {"header": {"kid": "other"}},
        {"header": {"alg": "none"}},
        {"secret": "guess"},
    ],
)
def test_a_jwt_that_breaks_a_rule_is_refused(url: str, wrong: dict[str, object]) -> None:
    assert _refused(url, _jwt(**wrong)) == "401001"  # type: ignore[arg-type]


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "!.!.!", "bnVsbA.bnVsbA.bnVsbA"])
def test_what_is_no_jwt_at_all_is_refused(url: str, token: str) -> None:
    assert _refused(url, tsc.JWTAuth(token, site_id=tableau.SITE)) == "401001"


def test_only_an_administrator_may_impersonate(url: str, app: TableauApp) -> None:
    wanted = app.state.user(tableau.VIEWER_USERNAME).id
    as_viewer = tsc.PersonalAccessTokenAuth(
        tableau.ADMIN_TOKEN_NAME, tableau.ADMIN_TOKEN_VALUE, tableau.SITE, user_id_to_impersonate=wanted
    )
    assert sign_in(url, as_viewer).server.user_id == wanted
    body = (
        f'<tsRequest><credentials name="{tableau.USERNAME}" password="{tableau.PASSWORD}">'
        f'<site contentUrl="{tableau.SITE}"/><user id="{wanted}"/></credentials></tsRequest>'
    )
    assert _post(url, body).code == "403004"


def test_passwords_can_be_switched_off_as_with_mfa(url: str, app: TableauApp) -> None:
    app.switches.password_sign_in = False
    assert _refused(url, tsc.TableauAuth(tableau.USERNAME, tableau.PASSWORD, tableau.SITE)) == "401001"


def test_switches_start_as_a_current_server() -> None:
    assert Switches().api_version == "3.29"
