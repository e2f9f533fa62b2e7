from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tap_acumatica.client import Site
from tap_acumatica.discovery import Endpoint, discover, parse
from tap_acumatica.errors import UserError
from tap_acumatica.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tap_acumatica.client import Client

SITE = Site("https://books.example.com/erp", "Main", "Default", "24.200.001")


def entity(properties: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {"allOf": [{"$ref": f"{prefix}Entity"}, {"type": "object", "properties": properties}]}


def schemas(prefix: str) -> dict[str, Any]:
    def ref(name: str) -> dict[str, Any]:
        return {"$ref": f"{prefix}{name}"}

    return {
        "Entity": {"type": "object", "properties": {"id": {"type": "string"}, "custom": {"type": "object"}}},
        "StringValue": {"type": "object"},
        "DecimalValue": {"type": "object"},
        "Bill": entity(
            {
                "Type": ref("StringValue"),
                "Amount": {"allOf": [ref("DecimalValue")], "description": "What is owed."},
                "Contact": ref("Contact"),
                "Details": {"type": "array", "items": ref("BillDetail")},
            },
            prefix,
        ),
        "BillDetail": entity({"Amount": ref("DecimalValue")}, prefix),
        "Contact": entity({"Email": ref("StringValue")}, prefix),
        "Unwanted": entity({"Amount": ref("DecimalValue")}, prefix),
    }


SWAGGER_2 = {"swagger": "2.0", "info": {"version": "4"}, "definitions": schemas("#/definitions/")}
OPENAPI_3 = {
    "openapi": "3.0.1",
    "info": {"version": "4"},
    "components": {"schemas": schemas("#/components/schemas/")},
}


@pytest.mark.parametrize("document", [SWAGGER_2, OPENAPI_3])
def test_both_forms_of_the_description_say_the_same(document: dict[str, Any]) -> None:
    endpoint = parse(document, ["Bill"])
    assert endpoint.contract == 4
    assert {name: field.kind for name, field in endpoint.fields("Bill").items()} == {
        "Type": "string",
        "Amount": "decimal",
        "Contact": "link",
        "Details": "list",
    }
    assert endpoint.fields("Bill")["Amount"].description == "What is owed."
    assert set(endpoint.entities) == {"Bill", "BillDetail", "Contact"}


def test_the_contract_number_decides_how_nested_entities_are_expanded() -> None:
    paths = ("MainContact", "MainContact/Address", "Details")
    assert Endpoint(4, {}).expand(paths) == "MainContact,MainContact/Address,Details"
    assert Endpoint(5, {}).expand(paths) == "MainContact($expand=Address),Details"


def test_a_description_without_entities_is_no_endpoint() -> None:
    with pytest.raises(UserError, match="endpoint_name"):
        parse({"info": {"version": "4"}}, ["Bill"])


class OneAnswer:
    """Stands for a client that is asked for the description."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get(self, url: str, params: dict[str, str]) -> dict[str, Any]:
        self.asked.append((url, params))
        return OPENAPI_3


def never() -> NoReturn:
    pytest.fail("the instance was asked although the schema is fresh")


def test_a_fresh_description_is_taken_from_the_file(tmp_path: Path) -> None:
    store = Store(tmp_path, "someone")
    client: Any = OneAnswer()
    first = discover(lambda: client, SITE, store, {"Bill": False}, 60)
    assert client.asked == [(SITE.entity("swagger.json"), {"company": "Main"})]
    assert discover(never, SITE, store, {"Bill": False}, 60) == first


def test_an_old_or_other_description_is_asked_for_again(tmp_path: Path) -> None:
    store = Store(tmp_path, "someone")

    def client() -> Client:
        asked.append(1)
        answer: Any = OneAnswer()
        return answer  # type: ignore[no-any-return]

    asked: list[int] = []
    discover(client, SITE, store, {"Bill": False}, 60)
    discover(client, SITE, store, {"Bill": False}, 0)
    discover(client, SITE, store, {"Bill": False, "Contact": False}, 60)
    path = next(tmp_path.glob("*-schema-*.json"))
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "written": kept["written"] - 4000}))
    discover(client, SITE, store, {"Bill": False, "Contact": False}, 60)
    assert len(asked) == 4
