from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import epicor_kinetic as site
from tests.sandbox.epicor_kinetic.gate import new_session

if TYPE_CHECKING:
    from tests.sandbox.epicor_kinetic.visitor import Visitor

VENDORS = "VendorSvc/Vendors"


def bearer(visitor: Visitor, token: str) -> Visitor:
    return visitor.but(auth=None, headers={"Authorization": f"Bearer {token}"})


# ------------------------------------------------------------------ API key


def test_without_an_api_key_nothing_is_served(visitor: Visitor) -> None:
    status, message = visitor.but(headers={"x-api-key": None}).refusal(VENDORS)
    assert (status, message) == (403, "API key is missing.")


@pytest.mark.parametrize("key", ["wrong", site.EXPIRED_API_KEY])
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_bad_api_key_is_named_in_the_answer_whatever_its_status(
    visitor: Visitor, key: str, status: Any
) -> None:
    visitor.switches.key_refusal = status
    found, message = visitor.but(headers={"x-api-key": key}).refusal(VENDORS)
    assert found == status
    assert "Invalid API key" in message


def test_a_server_may_do_without_api_keys(visitor: Visitor) -> None:
    visitor.switches.api_key_required = False
    assert visitor.but(headers={"x-api-key": None}).ask(VENDORS).status_code == 200


def test_the_access_scope_of_a_key_leaves_services_out_one_by_one(visitor: Visitor) -> None:
    scoped = visitor.but(headers={"x-api-key": site.SCOPED_API_KEY})
    assert scoped.ask(VENDORS).status_code == 200
    status, message = scoped.refusal("CustomerSvc/Customers")
    assert status == 403
    assert "access scope" in message
    assert scoped.ask("BaqSvc/OpenPayables/Data").status_code == 403


def test_a_key_in_the_address_works_and_is_counted(visitor: Visitor) -> None:
    assert visitor.but(headers={"x-api-key": None}).ask(VENDORS, ("api-key", site.API_KEY)).status_code == 200
    assert visitor.app.identity.keys_in_urls == 1


# ----------------------------------------------------------------- identity


def test_a_key_alone_is_no_identity(visitor: Visitor) -> None:
    assert visitor.but(auth=None).refusal(VENDORS)[0] == 401


@pytest.mark.parametrize("pair", [(site.USER_NAME, "wrong"), ("nobody", site.PASSWORD)])
def test_a_wrong_password_is_refused(visitor: Visitor, pair: tuple[str, str]) -> None:
    assert visitor.but(auth=pair).refusal(VENDORS)[0] == 401


def test_basic_can_be_switched_off(visitor: Visitor) -> None:
    visitor.switches.basic = False
    assert visitor.refusal(VENDORS)[0] == 401


def test_a_user_without_rights_to_a_company_is_refused_there_only(visitor: Visitor) -> None:
    clerk = visitor.but(auth=(site.LIMITED_USER_NAME, site.LIMITED_PASSWORD))
    assert clerk.ask(VENDORS).status_code == 200
    status, message = clerk.but(company=site.OTHER_COMPANY).refusal(VENDORS)
    assert status == 403
    assert site.OTHER_COMPANY in message


def test_an_unknown_company_does_not_exist(visitor: Visitor) -> None:
    assert visitor.but(company="EPIC99").refusal(VENDORS)[0] == 404


# ------------------------------------------------------------ TokenResource


def test_token_resource_answers_xml_unless_json_is_asked_for(visitor: Visitor) -> None:
    options = {"headers": {"username": site.USER_NAME, "password": site.PASSWORD, "Accept": "*/*"}}
    root = ET.fromstring(visitor.token(**options).text)  # noqa: S314 - our own answer
    token = root.findtext("AccessToken")
    assert root.tag == "Token"
    assert token is not None
    assert bearer(visitor, token).ask(VENDORS).status_code == 200


@pytest.mark.parametrize(("form", "expected"), [("number", 3600), ("text", "3600"), ("absent", None)])
def test_expires_in_comes_in_three_forms(visitor: Visitor, form: Any, expected: object) -> None:
    visitor.switches.expires_in = form
    assert visitor.token().json().get("ExpiresIn") == expected


def test_token_names_may_be_in_lower_case(visitor: Visitor) -> None:
    visitor.switches.lower_case_token = True
    assert set(visitor.token().json()) == {"access_token", "expires_in", "token_type"}


def test_token_resource_takes_headers_basic_or_a_form_as_it_is_set_up(visitor: Visitor) -> None:
    user, password = site.USER_NAME, site.PASSWORD
    headers = {"headers": {"username": user, "password": password}}
    form = {"data": {"grant_type": "password", "username": user, "password": password}}

    def statuses() -> list[int]:
        basic = visitor.call("POST", f"{visitor.base}/TokenResource.svc/")
        return [visitor.token(**headers).status_code, basic.status_code, visitor.token(**form).status_code]

    assert statuses() == [200, 200, 401]
    visitor.switches.token_resource_takes = frozenset({"basic"})
    assert statuses() == [401, 200, 401]
    visitor.switches.token_resource_takes = frozenset({"form"})
    assert statuses() == [401, 401, 200]


def test_token_resource_can_be_switched_off(visitor: Visitor) -> None:
    visitor.switches.token_resource = False
    assert visitor.token().status_code == 404


def test_a_token_ends_when_it_said_it_would(visitor: Visitor) -> None:
    now = 1000.0
    visitor.switches.time = lambda: now
    visitor.switches.token_life_seconds = 20
    signed = bearer(visitor, visitor.token().json()["AccessToken"])
    now = 1019.9
    assert signed.ask(VENDORS).status_code == 200
    now = 1020.0
    assert signed.refusal(VENDORS)[0] == 401


def test_tokens_can_die_early(visitor: Visitor) -> None:
    visitor.switches.token_dies_after_calls = 1
    signed = bearer(visitor, visitor.token().json()["AccessToken"])
    assert [signed.ask(VENDORS).status_code for _ in range(2)] == [200, 401]
    visitor.switches.token_dies_after_calls = None
    other = bearer(visitor, visitor.token().json()["AccessToken"])
    visitor.app.identity.expire_tokens()
    assert other.ask(VENDORS).status_code == 401
    assert visitor.app.identity.issued == 2


# ------------------------------------------------------- identity providers


def test_the_epicor_identity_provider_gives_tokens(visitor: Visitor) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": site.IDP_CLIENT_ID,
        "client_secret": site.IDP_CLIENT_SECRET,
        "scope": site.IDP_SCOPE,
    }

    def post(**changes: str) -> Any:
        answer = visitor.but(auth=None).call("POST", f"{visitor.url}/connect/token", data=form | changes)
        return answer.status_code, answer.json()

    status, body = post()
    assert status == 200
    assert bearer(visitor, body["access_token"]).ask(VENDORS).status_code == 200
    assert post(client_secret="wrong") == (400, {"error": "invalid_client"})
    assert post(scope="openid") == (400, {"error": "invalid_scope"})
    assert post(grant_type="magic") == (400, {"error": "unsupported_grant_type"})
    by_password = {
        "grant_type": "password",
        "username": site.USER_NAME,
        "scope": "openid email epicor_erp",
    }
    assert post(**by_password, password=site.PASSWORD)[0] == 200
    assert post(**by_password, password="wrong") == (400, {"error": "invalid_grant"})


def test_entra_gives_tokens_for_client_credentials(visitor: Visitor) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": site.ENTRA_CLIENT_ID,
        "client_secret": site.ENTRA_CLIENT_SECRET,
        "scope": site.ENTRA_SCOPE,
    }
    url = f"{visitor.url}/{site.ENTRA_TENANT}/oauth2/v2.0/token"
    answer = visitor.but(auth=None).call("POST", url, data=form)
    assert bearer(visitor, answer.json()["access_token"]).ask(VENDORS).status_code == 200
    assert visitor.but(auth=None).call("POST", url, data=form | {"scope": "x"}).status_code == 400
    assert visitor.but(auth=None).call("POST", url, data=form | {"client_secret": "x"}).status_code == 401


# -------------------------------------------------------- sessions, licences


def test_a_stale_session_is_gone(visitor: Visitor) -> None:
    live = new_session(visitor.app.identity)
    assert visitor.but(headers={"SessionInfo": f'{{"SessionID":"{live}"}}'}).ask(VENDORS).status_code == 200
    visitor.app.identity.sessions.clear()
    stale = visitor.but(headers={"SessionInfo": f'{{"SessionID":"{live}"}}'}).ask(VENDORS)
    assert stale.status_code == 410
    assert stale.json()["ErrorType"].endswith("InvalidSessionException")


def test_session_info_is_an_object_not_a_bare_guid(visitor: Visitor) -> None:
    live = new_session(visitor.app.identity)
    assert visitor.but(headers={"SessionInfo": live}).ask(VENDORS).status_code == 400


def test_licences_run_out_with_a_400_that_passes(visitor: Visitor) -> None:
    visitor.switches.license_failures = 2
    answers = [visitor.ask(VENDORS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 200]
    assert "LicenseAccessException" in answers[0].text
    assert "Maximum users exceeded" in answers[0].text


def test_more_calls_at_once_than_licences_find_none(visitor: Visitor) -> None:
    visitor.switches.license_seats = 0
    assert visitor.ask(VENDORS).status_code == 400
    assert visitor.app.most_calls_at_once == 1


def test_a_licence_can_be_claimed_by_its_guid(visitor: Visitor) -> None:
    claim = f'{{"ClaimedLicense":"{site.WEB_SERVICE_LICENSE}"}}'
    assert visitor.but(headers={"License": claim}).ask(VENDORS).status_code == 200
    assert visitor.but(headers={"License": '{"ClaimedLicense":"other"}'}).ask(VENDORS).status_code == 400
