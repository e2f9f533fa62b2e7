from __future__ import annotations

import email.utils
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.acumatica.visitor import Visitor


def _schemas(description: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = description.get("definitions") or description["components"]["schemas"]
    return found


def _properties(description: dict[str, Any], entity: str) -> dict[str, Any]:
    found: dict[str, Any] = _schemas(description)[entity]["allOf"][1]["properties"]
    return found


def test_several_versions_stand_side_by_side(visitor: Visitor) -> None:
    listing = visitor.call("GET", "/entity").json()
    versions = [each["version"] for each in listing["endpoints"] if each["name"] == "Default"]
    assert versions == ["22.200.001", "23.200.001", "24.200.001", "25.200.001"]
    assert listing["version"]["acumaticaBuildVersion"]
    assert listing["endpoints"][-1]["href"] == "/acme/entity/Default/25.200.001/"


def test_contract_5_is_offered_on_request(visitor: Visitor) -> None:
    visitor.app.switches.offer_contract_5 = True
    assert "26.200.001" in visitor.call("GET", "/entity").text


def test_customised_endpoint_is_listed_to_those_who_are_signed_in(visitor: Visitor) -> None:
    assert "Meridian" not in visitor.call("GET", "/entity").text
    assert "Meridian" in visitor.sign_in().call("GET", "/entity").text


def test_older_builds_list_their_endpoints_as_a_bare_array(visitor: Visitor) -> None:
    visitor.app.switches.bare_endpoint_list = True
    assert isinstance(visitor.call("GET", "/entity").json(), list)


def test_invalid_bearer_is_not_taken_for_nobody(visitor: Visitor) -> None:
    visitor.bearer = "made-up"
    assert visitor.call("GET", "/entity").status_code == 401


@pytest.mark.parametrize(
    "path", ["Default/19.200.001/Bill", "Nothing/24.200.001/Bill", "Default/24.200.001/Bil"]
)
@pytest.mark.parametrize("form", ["json", "html", "empty"])
def test_unknown_version_endpoint_or_entity_is_a_404_whose_body_says_little(
    visitor: Visitor, path: str, form: str
) -> None:
    visitor.app.switches.unknown_version_body = form  # type: ignore[assignment]  # the three forms above
    answer = visitor.sign_in().call("GET", f"/entity/{path}")
    assert answer.status_code == 404
    assert answer.text[:1] == {"json": "{", "html": "<", "empty": ""}[form]


@pytest.mark.parametrize(
    "path", ["/entity/", "/entity/Default", "/nothing", "/t/MeridianLive", "/t/MeridianLive/x"]
)
def test_address_that_leads_nowhere_is_a_404(visitor: Visitor, path: str) -> None:
    assert visitor.sign_in().call("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("version", "form", "contract"),
    [
        ("22.200.001", "swagger", "4"),
        ("23.200.001", "swagger", "4"),
        ("24.200.001", "openapi", "4"),
        ("25.200.001", "openapi", "4"),
        ("26.200.001", "openapi", "5"),
    ],
)
def test_description_has_the_form_of_its_version(
    visitor: Visitor, version: str, form: str, contract: str
) -> None:
    visitor.app.switches.offer_contract_5 = True
    answer = visitor.sign_in().call("GET", f"/entity/Default/{version}/swagger.json")
    description = answer.json()
    assert description[form] in {"2.0", "3.0.1"}
    assert description["info"]["title"] == f"Default/{version}"
    assert description["info"]["version"] == contract
    properties = _properties(description, "Bill")
    assert properties["Amount"]["$ref"].rpartition("/")[2] == "DecimalValue"
    assert properties["Details"]["items"]["$ref"].rpartition("/")[2] == "BillDetail"
    for schema in _schemas(description).values():
        for part in schema.get("allOf", []):
            for reference in part.get("properties", {}).values():
                target = reference.get("$ref") or reference.get("items", {}).get("$ref")
                assert target is None or target.rpartition("/")[2] in _schemas(description)


def test_fields_come_and_go_with_the_version(visitor: Visitor) -> None:
    visitor.app.switches.offer_contract_5 = True
    user = visitor.sign_in()
    by_version = {
        version: user.call("GET", f"/entity/Default/{version}/swagger.json").json()
        for version in ("22.200.001", "24.200.001", "26.200.001")
    }
    old, current, new = by_version.values()
    assert "LastModifiedDateTime" not in _properties(old, "StockItem")
    assert "LastModifiedDateTime" in _properties(current, "StockItem")
    assert "LCType" not in _properties(old, "BillDetail")
    assert "LCType" in _properties(current, "BillDetail")
    assert "LastModified" in _properties(current, "SalesOrder")
    assert "LastModified" not in _properties(new, "SalesOrder")
    assert "LastModifiedDateTime" in _properties(new, "SalesOrder")
    for description in by_version.values():
        assert "LastModifiedDateTime" not in _properties(description, "Subaccount")
        assert "LineNbr" not in _properties(description, "BillDetail")


def test_old_version_serves_its_own_fields(visitor: Visitor) -> None:
    user = visitor.sign_in()
    user.version = "22.200.001"
    item = user.rows("StockItem", top=1)[0]
    assert "LastModified" in item
    assert "LastModifiedDateTime" not in item
    moment = "datetimeoffset'2020-01-01T00:00:00Z'"
    assert user.ask("StockItem", filter=f"LastModifiedDateTime ge {moment}").status_code == 500
    assert user.rows("StockItem", filter=f"LastModified ge {moment}")


def test_description_is_open_to_who_names_the_tenant(visitor: Visitor) -> None:
    path = "/entity/Default/24.200.001/swagger.json"
    assert visitor.call("GET", f"{path}?company=MeridianLive").status_code == 200
    refused = visitor.call("GET", path)
    assert (refused.status_code, "PXUndefinedCompanyException" in refused.text) == (500, True)
    assert visitor.call("GET", "/entity/swagger.json").status_code == 200


def test_customised_endpoint_has_one_field_more(visitor: Visitor) -> None:
    user = visitor.sign_in()
    bill = user.call("GET", "/entity/Meridian/1.0/Bill?$top=1").json()[0]
    assert "EnteredOn" in bill
    assert "EnteredOn" not in user.rows("Bill", top=1)[0]
    assert "EnteredOn" in _properties(user.call("GET", "/entity/Meridian/1.0/swagger.json").json(), "Bill")


def test_broken_endpoint_fails_or_leads_to_a_page(visitor: Visitor) -> None:
    user = visitor.sign_in()
    visitor.app.switches.broken_endpoint = "500"
    assert user.call("GET", "/entity/Meridian/1.0/Bill").status_code == 500
    visitor.app.switches.broken_endpoint = "302"
    moved = user.call("GET", "/entity/Meridian/1.0/Bill")
    assert moved.status_code == 302
    page = user.call("GET", moved.headers["location"].removeprefix("/acme"))
    assert (page.status_code, page.text[:9]) == (200, "<!DOCTYPE")


def test_every_answer_is_dated_by_the_companys_clock(visitor: Visitor) -> None:
    for _ in range(2):
        expected = email.utils.format_datetime(visitor.world.company.clock, usegmt=True)
        assert visitor.call("GET", "/entity").headers["date"] == expected
        assert visitor.call("GET", "/nothing").headers["date"] == expected
        visitor.world.life.advance(45)
