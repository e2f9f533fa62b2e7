from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.faults import Fault

if TYPE_CHECKING:
    from tests.sandbox.epicor_kinetic.visitor import Visitor

VENDORS = "VendorSvc/Vendors"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_only_get_is_served_and_everything_else_is_remembered(visitor: Visitor, method: str) -> None:
    for path in (
        f"/api/v2/odata/EPIC06/Erp.BO.{VENDORS}",
        "/api/v2/odata/EPIC06/Ice.Lib.SessionModSvc/Login",
    ):
        assert visitor.call(method, visitor.base + path).status_code == 405
    assert len(visitor.app.violations) == 2
    assert visitor.app.violations[0] == f"{method} /kinetic/api/v2/odata/EPIC06/Erp.BO.{VENDORS}"


def test_get_and_the_token_call_are_no_violations(visitor: Visitor) -> None:
    assert visitor.token().status_code == 200
    assert visitor.ask(VENDORS).status_code == 200
    assert visitor.app.violations == []
    assert visitor.app.methods == {"POST": 1, "GET": 1}


def test_a_token_is_posted_for_not_got(visitor: Visitor) -> None:
    assert visitor.call("GET", f"{visitor.base}/TokenResource.svc/").status_code == 405


def test_nothing_else_is_there(visitor: Visitor) -> None:
    for path in ("/", "/kinetic/api/v1/Erp.BO.VendorSvc/Vendors", "/kinetic/api/v2/efx/EPIC06/Lib/Function"):
        assert visitor.call("GET", visitor.url + path).status_code == 404


def test_a_service_can_be_missing_or_forbidden_alone(visitor: Visitor) -> None:
    visitor.switches.missing_services = frozenset({"Erp.BO.PORelSearchSvc"})
    visitor.switches.forbidden_services = frozenset({"Erp.BO.CustomerSvc"})
    assert visitor.refusal("PORelSearchSvc/PORelSearches")[0] == 404
    status, message = visitor.refusal("CustomerSvc/Customers")
    assert status == 403
    assert "Erp.BO.CustomerSvc" in message
    assert visitor.ask(VENDORS).status_code == 200


def test_errors_come_in_four_shapes(visitor: Visitor) -> None:
    def body(form: Any) -> requests.Response:
        visitor.switches.error_form = form
        return visitor.ask(VENDORS, filter="Nothing eq 1")

    full = body("epicor").json()
    assert {"HttpStatus", "ReasonPhrase", "ErrorMessage", "ErrorType", "CorrelationId"} <= set(full)
    assert set(body("short").json()) == {"HttpStatus", "ReasonPhrase"}
    assert "Nothing" in body("odata").json()["error"]["message"]
    assert body("html").text.startswith("<!DOCTYPE html>")


def test_errors_are_xml_unless_json_is_accepted(visitor: Visitor) -> None:
    answer = visitor.but(headers={"Accept": "*/*"}).ask(VENDORS, filter="Nothing eq 1")
    root = ET.fromstring(answer.text)  # noqa: S314 - our own answer
    assert root.findtext("HttpStatus") == "400"
    assert "Nothing" in str(root.findtext("ErrorMessage"))


def test_business_logic_gives_details(visitor: Visitor) -> None:
    answer = visitor.ask("BaqSvc/SpendByVendor/Data").json()
    assert answer["ErrorType"] == "Ice.Common.BusinessObjectException"
    assert answer["ErrorDetails"][0]["Message"] == answer["ErrorMessage"]


def test_the_script_plays_a_bad_day(visitor: Visitor) -> None:
    add = visitor.app.script.add
    add(Fault("Vendors", status=429, headers={"Retry-After": "7"}))
    add(Fault("Vendors", status=429))
    add(Fault("Vendors", status=503, body=b"<html>recycling</html>"))
    add(Fault("Vendors", delay=0.05))
    answers = [visitor.ask(VENDORS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 503]
    assert [answer.headers.get("Retry-After") for answer in answers] == ["7", None, None]
    began = time.monotonic()
    assert visitor.ask(VENDORS).status_code == 200
    assert time.monotonic() - began >= 0.05
    add(Fault("Vendors", after=True, cut=True))
    with pytest.raises(requests.RequestException):
        visitor.ask(VENDORS)


def test_answers_are_dated_by_the_companys_clock(visitor: Visitor) -> None:
    assert visitor.ask(VENDORS).headers["Date"].startswith("Tue, 30 Jun 2026 09:00:00")
