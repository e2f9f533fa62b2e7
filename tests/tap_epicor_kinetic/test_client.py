"""Each answer of the server, and of what stands before it, leads to what a patient user would do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import requests

from tap_epicor_kinetic.client import Client, Site, query
from tap_epicor_kinetic.errors import UserError, said_by
from tests.sandbox.epicor_kinetic.switches import Switches
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import catalog_of, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_epicor_kinetic.conftest import Instance

HTML = b"<html><body><h2>Service Unavailable</h2></body></html>"
VENDORS = r"/Vendors\?"


def epicor(message: str, kind: str = "Ice.Common.BusinessObjectException") -> bytes:
    return msgspec.json.encode(
        {
            "HttpStatus": 400,
            "ReasonPhrase": "REST API Exception",
            "ErrorMessage": message,
            "ErrorType": kind,
            "CorrelationId": "4711-abc",
        }
    )


def catalog(instance: Instance, *streams: str) -> dict[str, Any]:
    """The catalog, found before trouble begins."""
    failures, instance.switches.license_failures = instance.switches.license_failures, 0
    found = catalog_of(instance.config, *streams)
    instance.switches.license_failures = failures
    return found


def test_taken_licences_come_as_400_and_are_waited_out(instance: Instance) -> None:
    instance.switches.license_failures = 3
    run = run_tap(instance.config, "terms", catalog=catalog(instance, "terms"))
    assert run.waits == [30.0, 60.0, 120.0]
    assert run.tap.exit_code == 0
    assert run.rows("terms")


def test_licences_that_never_come_free_end_the_run_with_a_hint(instance: Instance) -> None:
    instance.switches.license_failures = 99
    instance.switches.license_message = "Ice.Security.LicenseAccessException"
    found = catalog(instance, "terms")
    waits: list[float] = []
    with pytest.raises(UserError, match=r"^license_type: .*6 tries"):
        run_tap(instance.config, "terms", catalog=found, on_wait=waits.append)
    assert waits == [30.0, 60.0, 120.0, 240.0, 480.0]


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        (Fault(VENDORS, status=503, body=HTML), 4),
        (Fault(VENDORS, status=502, body=b""), 4),
        (Fault(VENDORS, status=200, body=HTML), 4),
        (Fault(VENDORS, status=200, body=b'{"value": [{"Name": "M\xfcller"}]}'), 4),  # not UTF-8
        (Fault(VENDORS, status=302, body=b"", headers={"location": "/login"}), 4),
        (Fault(VENDORS, status=500, body=epicor("deadlock")), 2),
        (Fault(VENDORS, status=429, body=b""), 4),
        (Fault(VENDORS, cut=True), 4),
        (Fault(VENDORS, cut=True, after=True), 4),
        (Fault(VENDORS, status=200, body=b'{"error":{"code":"","message":"late"}}'), 4),
    ],
    ids=["503", "502", "page", "not UTF-8", "redirect", "500", "429", "cut", "truncated", "error in 200"],
)
def test_trouble_that_passes_costs_a_wait_and_no_row(instance: Instance, fault: Fault, tries: int) -> None:
    config = instance.with_(companies=["EPIC06"])
    fault.times = tries
    instance.script.add(fault)
    run = run_tap(config, "terms", "vendors")
    assert run.tap.exit_code == 0
    assert len(run.rows("vendors")) == len(instance.site.rows("Vendor", "EPIC06"))
    assert len(run.waits) == tries
    assert run.waits == sorted(run.waits)


@pytest.mark.parametrize(("status", "tries"), [(503, 5), (500, 3)])
def test_trouble_that_stays_fails_the_stream_and_spares_the_others(
    instance: Instance, status: int, tries: int
) -> None:
    instance.script.add(Fault(VENDORS, status=status, body=HTML, times=99))
    run = run_tap(instance.with_(companies=["EPIC06"]), "terms", "vendors")
    assert run.tap.exit_code == 1
    assert run.tap.unreadable == ["vendors (EPIC06)"]
    assert run.rows("terms")
    assert len(run.waits) == tries - 1
    assert "partitions" not in run.state["bookmarks"].get("vendors", {}) or not run.bookmark("vendors").get(
        "replication_key_value"
    )


def test_retry_after_is_honoured(instance: Instance) -> None:
    instance.script.add(Fault(VENDORS, status=429, headers={"retry-after": "17"}))
    assert run_tap(instance.with_(companies=["EPIC06"]), "vendors").waits == [17.0]


def test_a_session_that_is_gone_is_signed_in_anew(instance: Instance) -> None:
    instance.script.add(Fault(VENDORS, status=410, body=epicor("gone", "Ice.Common.InvalidSessionException")))
    run = run_tap(instance.with_(auth_method="token_resource", companies=["EPIC06"]), "vendors")
    assert run.tap.exit_code == 0
    assert run.waits == []


def test_a_forbidden_service_is_skipped_and_named_with_both_causes(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    found = catalog(instance, "terms", "vendors")
    instance.switches.forbidden_services = frozenset({"Erp.BO.VendorSvc"})
    with caplog.at_level(logging.INFO):
        run = run_tap(instance.config, "terms", "vendors", catalog=found)
    assert run.tap.exit_code == 0
    assert "access scope of the API key" in caplog.text
    assert "right to it" in caplog.text
    assert "skipped: vendors (EPIC06), vendors (EPIC07)" in caplog.text
    assert "completed_at" not in run.state["bookmarks"]["vendors"]
    assert run.unread == {"vendors": "skipped"}


def test_a_forbidden_service_fails_where_the_user_wants_it_to(instance: Instance) -> None:
    found = catalog(instance, "terms", "vendors")
    instance.switches.forbidden_services = frozenset({"Erp.BO.VendorSvc"})
    run = run_tap(instance.with_(skip_forbidden_streams=False), "terms", "vendors", catalog=found)
    assert run.tap.exit_code == 1
    assert run.rows("terms")


def test_nothing_but_forbidden_services_is_no_success(instance: Instance) -> None:
    found = catalog(instance, "vendors")
    instance.switches.forbidden_services = frozenset({"Erp.BO.VendorSvc"})
    assert run_tap(instance.config, "vendors", catalog=found).tap.exit_code == 1


def test_a_service_that_went_fails_its_stream_and_says_what_to_check(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    found = catalog(instance, "terms", "vendors")
    run_tap(instance.config, "terms", "vendors", catalog=found)
    instance.switches.missing_services = frozenset({"Erp.BO.VendorSvc"})
    run = run_tap(instance.config, "terms", "vendors", catalog=found)
    assert run.tap.exit_code == 1
    assert run.rows("terms")
    assert "`sources`" in caplog.text


@pytest.mark.parametrize("form", ["epicor", "short", "odata", "html"])
def test_every_form_of_an_error_is_survived(
    make_instance: Callable[..., Instance], form: Any, caplog: pytest.LogCaptureFixture
) -> None:
    instance = make_instance(switches=Switches(error_form=form))
    config = instance.with_(filters={"vendors": "NoSuchColumn eq 1"}, companies=["EPIC06"])
    run = run_tap(config, "terms", "vendors")
    assert run.tap.exit_code == 1
    assert run.rows("terms")
    assert "vendors (EPIC06): failed" in caplog.text
    assert ("NoSuchColumn" in caplog.text) is (form in {"epicor", "odata"})


def test_the_vendors_correlation_id_is_in_the_message(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.script.add(Fault(VENDORS, status=400, body=epicor("BPM says no")))
    run_tap(instance.with_(companies=["EPIC06"]), "vendors")
    assert "BPM says no" in caplog.text
    assert "[correlation id 4711-abc]" in caplog.text


def test_details_of_a_business_error_are_told() -> None:
    response = requests.Response()
    response._content = msgspec.json.encode(  # noqa: SLF001 - there is no other way to make an answer
        {
            "ErrorMessage": "Record not valid.",
            "ErrorType": "Ice.Common.BusinessObjectException",
            "ErrorDetails": [{"Message": "Must not be blank", "Table": "OrderDtl", "Field": "PartNum"}],
        }
    )
    assert said_by(response).startswith("Record not valid. / OrderDtl: PartNum: Must not be blank")


def test_a_long_selection_is_left_out_of_the_address(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(switches=Switches(extra_columns=300))
    found = catalog(instance, "vendors")
    for entry in found["streams"]:
        for part in entry["metadata"]:
            part["metadata"]["selected"] = True
    run = run_tap(instance.with_(companies=["EPIC06"]), "vendors", catalog=found)
    assert run.tap.exit_code == 0
    assert len(run.rows("vendors")[0]) > 300
    assert not [call for call in instance.script.calls if "/Vendors" in call.path and "$select" in call.query]
    assert all(len(call.query) <= 2048 for call in instance.script.calls)


def test_calls_claim_the_licence_that_is_wanted(instance: Instance) -> None:
    run_tap(instance.with_(license_type="web_service", companies=["EPIC06"]), "terms")
    claims = {call.headers.get("license") for call in instance.script.calls}
    assert claims == {'{"ClaimedLicense":"00000003-9439-4B30-A6F4-6D2FD4B9FD0F"}'}
    instance.script.clear()
    run_tap(instance.with_(companies=["EPIC06"]), "terms")
    assert {call.headers.get("license") for call in instance.script.calls} == {None}


def test_calls_of_twenty_seconds_bring_a_hint_at_the_shared_licence(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tap_epicor_kinetic.client._SLOW_SECONDS", 0.0)
    run_tap(instance.with_(companies=["EPIC06"]), "terms", "vendors")
    assert caplog.text.count("shared web service licence") == 1


def test_queries_are_encoded_as_the_server_reads_them() -> None:
    assert query({"$filter": "SysRevID gt 5 and Name eq 'A+B & Söhne'", "Codes": ["1", "2"]}) == (
        "$filter=SysRevID%20gt%205%20and%20Name%20eq%20'A%2BB%20%26%20S%C3%B6hne'&Codes=1&Codes=2"
    )


@pytest.mark.parametrize(
    ("base_url", "says"),
    [
        ("erp.example.com/live", "web address"),
        ("http://erp.example.com/live", "https"),
        ("https://me:secret@erp.example.com/live", "leave user name and password out"),
        ("https://erp.example.com/live/api/v2", "leave out /api"),
    ],
)
def test_an_address_that_credentials_must_not_go_to_is_refused(base_url: str, says: str) -> None:
    with pytest.raises(UserError, match=f"^base_url: .*{says}"):
        Site.of({"base_url": base_url, "companies": ["EPIC06"]})


def test_a_company_is_one_part_of_the_address() -> None:
    site = Site.of({"base_url": "https://erp.example.com/live/", "companies": [" A/B ", "A/B"]})
    assert site.companies == ("A/B",)
    assert site.company("A/B", "X/Y") == "https://erp.example.com/live/api/v2/odata/A%2FB/X/Y"


def test_no_company_and_no_such_certificate_are_said_in_one_line(instance: Instance) -> None:
    with pytest.raises(UserError, match=r"^companies: "):
        Site.of({"base_url": "https://erp.example.com/live", "companies": [" "]})
    with pytest.raises(UserError, match=r"^ca_bundle: "):
        run_tap(instance.with_(ca_bundle="/no/such/file.pem"), "terms")


def test_certificates_are_checked_against_the_bundle(instance: Instance, tmp_path: Any) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    run = run_tap(instance.with_(ca_bundle=str(bundle), companies=["EPIC06"]), "terms")
    assert run.tap.client.session.verify == str(bundle)


def test_max_calls_per_run_stops_cleanly_and_says_so(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        run = run_tap(instance.with_(max_calls_per_run=3), "terms", "vendors")
    assert run.tap.exit_code == 0
    assert run.tap.client.calls == 3
    assert "max_calls_per_run" in caplog.text
    assert "stopped: " in caplog.text


def test_a_client_without_a_sign_in_is_a_mistake_of_the_program(instance: Instance) -> None:
    site = Site.of(instance.config)
    client = Client(site, {"user_agent": "x", "request_timeout_seconds": 5})
    with pytest.raises(RuntimeError):
        client.get(site.company("EPIC06", "Erp.BO.VendorSvc/Vendors"))
