"""Every way to sign in, the life of tokens, and what is said when a credential is refused."""

from __future__ import annotations

import dataclasses
import types
from typing import TYPE_CHECKING, Any

import pytest

from tap_epicor_kinetic.errors import UserError
from tests.sandbox.epicor_kinetic import (
    API_KEY,
    ENTRA_CLIENT_ID,
    ENTRA_CLIENT_SECRET,
    ENTRA_SCOPE,
    ENTRA_TENANT,
    EXPIRED_API_KEY,
    IDP_CLIENT_ID,
    IDP_CLIENT_SECRET,
    LIMITED_PASSWORD,
    LIMITED_USER_NAME,
    PASSWORD,
    SCOPED_API_KEY,
    USER_NAME,
)
from tests.sandbox.epicor_kinetic.switches import Switches
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_epicor_kinetic.conftest import Instance


def config_for(instance: Instance, method: str) -> dict[str, Any]:
    """The settings of a way to sign in."""
    base = {
        name: value for name, value in instance.config.items() if name not in {"username", "password"}
    } | {"companies": ["EPIC06"]}
    return (
        base
        | {
            "basic": {"auth_method": "basic", "username": USER_NAME, "password": PASSWORD},
            "token_resource": {"auth_method": "token_resource", "username": USER_NAME, "password": PASSWORD},
            "idp": {
                "auth_method": "idp",
                "client_id": IDP_CLIENT_ID,
                "client_secret": IDP_CLIENT_SECRET,
                "token_url": f"{instance.url}/connect/token",
            },
            "idp user": {
                "auth_method": "idp",
                "client_id": IDP_CLIENT_ID,
                "client_secret": IDP_CLIENT_SECRET,
                "username": USER_NAME,
                "password": PASSWORD,
                "token_url": f"{instance.url}/connect/token",
            },
            "azure_ad": {
                "auth_method": "azure_ad",
                "client_id": ENTRA_CLIENT_ID,
                "client_secret": ENTRA_CLIENT_SECRET,
                "scope": ENTRA_SCOPE,
                "token_url": f"{instance.url}/{ENTRA_TENANT}/oauth2/v2.0/token",
            },
        }[method]
    )


METHODS = ["basic", "token_resource", "idp", "idp user", "azure_ad"]


@pytest.mark.parametrize("method", METHODS)
def test_every_way_to_sign_in_reads(instance: Instance, method: str) -> None:
    run = run_tap(config_for(instance, method), "terms")
    assert run.rows("terms")
    tokens = [call for call in instance.script.calls if call.method == "POST"]
    # One for the catalog, one for the run.
    assert len(tokens) == (0 if method == "basic" else 2)
    reads = [call for call in instance.script.calls if call.method == "GET"]
    assert {call.headers["x-api-key"] for call in reads} == {API_KEY}
    assert not instance.site.identity.keys_in_urls
    assert not [call for call in tokens if "connect" in call.path and "x-api-key" in call.headers]


def test_a_token_that_ends_between_two_pages_is_replaced_once(instance: Instance) -> None:
    config = config_for(instance, "token_resource") | {"page_size": 5}
    instance.script.add(Fault(r"/Vendors\?", hook=instance.site.identity.expire_tokens, skip=1))
    run = run_tap(config, "vendors")
    assert run.tap.exit_code == 0
    assert len(run.rows("vendors")) == len(instance.site.rows("Vendor", "EPIC06"))
    assert instance.script.count("POST .*TokenResource") == 3
    assert run.waits == []


def test_a_token_that_is_refused_again_and_again_ends_the_run(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance()
    config = config_for(instance, "token_resource")
    instance.script.add(Fault(r"/Terms\?", hook=instance.site.identity.expire_tokens, times=9))
    with pytest.raises(UserError, match="fresh token is refused too"):
        run_tap(config, "terms")


@pytest.mark.parametrize(
    "change",
    [
        {"expires_in": "text"},
        {"expires_in": "absent"},
        {"lower_case_token": True},
        {"token_resource_takes": frozenset({"basic"})},
        {"token_resource_takes": frozenset({"headers"})},
    ],
    ids=str,
)
def test_every_dialect_of_the_token_service_is_understood(
    make_instance: Callable[..., Instance], change: dict[str, Any]
) -> None:
    instance = make_instance(switches=dataclasses.replace(Switches(), **change))
    assert run_tap(config_for(instance, "token_resource"), "terms").rows("terms")


def test_a_token_is_replaced_before_it_ends(
    make_instance: Callable[..., Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    instance = make_instance(switches=Switches(time=lambda: clock[0], token_life_seconds=100))
    clocks = types.SimpleNamespace(monotonic=lambda: clock[0])
    monkeypatch.setattr("tap_epicor_kinetic.auth.time", clocks)
    monkeypatch.delattr("tap_epicor_kinetic.auth.TokenSignIn.renew")  # what a refused token would call

    def pass_time() -> None:
        clock[0] += 30

    instance.script.add(Fault(r"/Vendors\?", hook=pass_time, times=50))
    run = run_tap(config_for(instance, "token_resource") | {"page_size": 2}, "vendors")
    assert run.tap.exit_code == 0
    assert run.tap.client.calls > 10
    # Each is given up ten per cent before its end, after three calls of 30 seconds.
    assert instance.script.count("POST .*TokenResource") >= run.tap.client.calls // 4


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_api_key_is_called_by_its_name_whatever_the_status(
    make_instance: Callable[..., Instance], status: Any
) -> None:
    instance = make_instance(switches=Switches(key_refusal=status))
    for key in ("wrong", EXPIRED_API_KEY, ""):
        with pytest.raises(UserError, match=r"^api_key: "):
            run_tap(instance.with_(api_key=key), "terms")


def test_a_server_without_keys_is_read_without_one(
    make_instance: Callable[..., Instance], caplog: pytest.LogCaptureFixture
) -> None:
    instance = make_instance(switches=Switches(api_key_required=False))
    config = {name: value for name, value in instance.config.items() if name != "api_key"}
    assert run_tap(config, "terms").rows("terms")
    assert "api_key is not set" in caplog.text


def test_a_scoped_key_reads_what_it_may_and_names_the_rest(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        run = run_tap(instance.with_(api_key=SCOPED_API_KEY))
    assert set(run.tap.chosen) == {"vendors", "ap_invoices", "ap_invoice_schedules", "gl_accounts"}
    assert run.tap.exit_code == 0
    assert len(run.tap.left_out) == 35
    assert "left out: " in caplog.text


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_password_or_secret_ends_the_run_at_once(instance: Instance, method: str) -> None:
    config = config_for(instance, method)
    name = "password" if "password" in config else "client_secret"
    config[name] = "wrong-secret"
    with pytest.raises(UserError) as caught:
        run_tap(config, "terms")
    assert name in str(caught.value).split(":", maxsplit=1)[0]
    assert "wrong-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    # Never repeated as it is, because that locks users out: the token service's other form is tried once.
    assert len(instance.script.calls) <= 2


def test_a_user_without_rights_to_a_company_is_told_which(instance: Instance) -> None:
    config = instance.with_(username=LIMITED_USER_NAME, password=LIMITED_PASSWORD)
    with pytest.raises(UserError, match=r"^companies: .*EPIC07"):
        run_tap(config, "terms")


def test_a_company_that_does_not_exist_is_told(instance: Instance) -> None:
    with pytest.raises(UserError, match=r"^companies: .*NOPE"):
        run_tap(instance.with_(companies=["NOPE"]), "terms")


def test_a_token_service_that_is_switched_off_is_told(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(switches=Switches(token_resource=False))
    with pytest.raises(UserError, match=r"^auth_method: .*administration console"):
        run_tap(config_for(instance, "token_resource"), "terms")


def test_a_wrong_token_address_is_told(instance: Instance) -> None:
    config = config_for(instance, "idp") | {"token_url": f"{instance.url}/nowhere"}
    with pytest.raises(UserError, match=r"^token_url: "):
        run_tap(config, "terms")
    config["token_url"] = "http://login.example.com/token"
    with pytest.raises(UserError, match=r"^token_url: use https"):
        run_tap(config, "terms")


@pytest.mark.parametrize(
    ("method", "lacks"),
    [
        ("basic", "password"),
        ("token_resource", "username"),
        ("idp", "client_secret"),
        ("idp user", "password"),
        ("azure_ad", "scope"),
    ],
)
def test_a_missing_setting_is_named_before_any_call(instance: Instance, method: str, lacks: str) -> None:
    config = config_for(instance, method)
    del config[lacks]
    with pytest.raises(UserError, match=f"^{lacks}: needed for auth_method"):
        run_tap(config, "terms")
    assert instance.script.calls == []


def test_an_answer_without_a_token_is_no_sign_in(instance: Instance) -> None:
    json = {"content-type": "application/json"}
    instance.script.add(Fault("POST .*TokenResource", status=200, body=b"{}", headers=json))
    with pytest.raises(UserError, match="without a token"):
        run_tap(config_for(instance, "token_resource"), "terms")
