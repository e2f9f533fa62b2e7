from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.sage_intacct.dictionary import CUSTOM, DOCUMENT_CUSTOM, standard_objects
from tests.sandbox.sage_intacct.shelves import TABLES, Shelves
from tests.sandbox.sage_intacct.visitor import Refused, element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from tests.sandbox.sage_intacct.visitor import Row, Visitor

TYPES = {"TEXT", "INTEGER", "DECIMAL", "DATE", "BOOLEAN", "TIMESTAMP", "ENUM", "CURRENCY", "PERCENT"}


def lookup(user: Visitor, name: str, document: str | None = None) -> ET.Element:
    parts = [element("object", name)] + ([element("docparid", document)] if document else [])
    found = user.call(element("lookup", *parts)).find("data/Type")
    assert found is not None
    return found


def fields_of(kind: ET.Element) -> dict[str, Row]:
    return {
        field.findtext("ID") or "": {each.tag: each.text or "" for each in field}
        for field in kind.iter("Field")
    }


def test_lookup_tells_types_labels_and_custom_fields(user: Visitor) -> None:
    kind = lookup(user, "apbill")
    fields = fields_of(kind)
    assert kind.get("Name") == "APBILL"
    assert {field["DATATYPE"] for field in fields.values()} <= TYPES
    assert fields["WHENMODIFIED"]["LABEL"] == "When modified"
    assert fields["WHENCREATED"]["DATATYPE"] == "DATE"
    assert fields["AUWHENCREATED"]["DATATYPE"] == "TIMESTAMP"
    assert {name for name, field in fields.items() if field["ISCUSTOM"] == "true"} == {
        name for _, name, _ in CUSTOM["APBILL"]
    }
    paths = {each.findtext("OBJECTPATH"): each.findtext("OBJECTNAME") for each in kind.iter("Relationship")}
    assert paths["VENDOR"] == "VENDOR"
    values = next(each for each in kind.iter("Field") if each.findtext("ID") == "STATE").iter("VALIDVALUE")
    assert "Partially Paid" in {value.text for value in values}


def test_every_object_of_lookup_can_be_read_or_is_refused_by_name(user: Visitor) -> None:
    """Every field that lookup lists is read; the few that query refuses are named by the refusal."""
    unreadable = user.app.switches.unreadable_objects | {"GLACCOUNTBALANCE", "AUDITHISTORY"}
    for name in standard_objects():
        if name in unreadable:
            continue
        refused = user.app.switches.unqueryable_fields.get(name, frozenset())
        fields = [each for each in fields_of(lookup(user, name)) if "#" not in each and each not in refused]
        data = user.query(name, *fields, order=None)
        assert len(data), name
        assert {field.tag for field in data[0]} == set(fields)


def test_columns_are_fields(user: Visitor) -> None:
    """A misspelt column would never show."""
    shelves = Shelves(user.world, user.app.switches)
    known = {field for kind in standard_objects().values() for field in kind.fields}
    known |= {name for group in (*CUSTOM.values(), *DOCUMENT_CUSTOM.values()) for _, name, _ in group}
    assert set(TABLES) <= set(standard_objects())
    for name in TABLES:
        assert set(shelves.shelf(name).columns) <= known, name


def test_custom_fields_of_a_document_need_its_definition(user: Visitor) -> None:
    assert "DELIVERY_GATE" not in fields_of(lookup(user, "PODOCUMENT"))
    assert "DELIVERY_GATE" in fields_of(lookup(user, "PODOCUMENT", "Purchase Order"))
    with pytest.raises(Refused, match="DELIVERY_GATE"):
        user.rows("PODOCUMENT", "DELIVERY_GATE")
    rows = user.rows("PODOCUMENT", "DELIVERY_GATE", "DOCPARID", docparid="Purchase Order")
    assert {row["DOCPARID"] for row in rows} == {"Purchase Order"}
    assert any("DELIVERY_GATE" in row for row in rows)


def test_dimensions_that_are_not_enabled_have_no_columns(user: Visitor) -> None:
    user.app.switches.disabled_dimensions = frozenset({"CUSTOMER", "VENDOR"})
    assert {"CUSTOMERID", "CUSTOMERDIMKEY"}.isdisjoint(fields_of(lookup(user, "GLDETAIL")))
    assert "REQUIREVENDOR" not in fields_of(lookup(user, "GLACCOUNT"))
    assert "VENDORID" in fields_of(lookup(user, "APBILL"))
    with pytest.raises(Refused, match="CUSTOMERID"):
        user.rows("GLDETAIL", "CUSTOMERID")
    listed = user.call(element("getDimensions")).iter("dimension")
    names = {each.findtext("objectName"): each.findtext("userDefinedDimension") for each in listed}
    assert names["channel"] == "true"
    assert names["DEPARTMENT"] == "false"
    assert "CUSTOMER" not in names


def test_type_that_nobody_knows(user: Visitor) -> None:
    user.app.switches.unknown_datatype = "SEQUENCE"
    assert fields_of(lookup(user, "VENDOR"))["RETAINAGEPERCENTAGE"]["DATATYPE"] == "SEQUENCE"


def test_inspect_lists_all_objects_and_their_fields(user: Visitor) -> None:
    everything = user.call(element("inspect", element("object", "*")))
    assert {each.get("typename") for each in everything.iter("type")} >= {"apbill", "contract", "channel"}
    short = user.call(element("inspect", element("object", "APBILL")))
    assert "VENDORID" in {each.text for each in short.iter("Field")}
    long = user.call(element("inspect", element("object", "APBILL"), detail="1"))
    assert "TIMESTAMP" in {each.text for each in long.iter("externalDataName")}


def test_entities_formatting_and_permissions(user: Visitor) -> None:
    entities = [each.findtext("id") for each in user.call(element("readEntityDetails")).iter("entity")]
    assert entities == ["EAST", "HQ"]
    user.app.switches.zone_minutes = -480
    formatting = user.call(element("readUserFormatting", element("userId", "xml_gateway")))
    assert formatting.findtext("data/userformatting/gmtoffset") == "-08:00"
    assert formatting.findtext("data/userformatting/locale") == "en_US"
    user.app.switches.user_formatting, user.app.switches.date_format = "wrong", "/dmY"
    user.app.switches.zone_minutes = 0
    formatting = user.call(element("readUserFormatting", element("key", "7")))
    assert formatting.findtext("data/userformatting/gmtoffset") == "-08:00"
    assert formatting.findtext("data/userformatting/dateformat") == "/dmY"
    user.app.switches.user_formatting = "refused"
    with pytest.raises(Refused):
        user.call(element("readUserFormatting", element("key", "7")))
    rights = user.call(element("getUserPermissions", element("userId", "xml_gateway")))
    policies = {each.findtext("policyName"): each.findtext("rights") for each in rights.iter("policy")}
    assert policies["APBILL"] == "List|Readonly"
    assert not policies["CONTRACT"]


def test_custom_object_has_other_names(user: Visitor) -> None:
    rows = user.rows("channel", "id", "name", "updatedAt", order="id")
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    with pytest.raises(Refused, match="RECORDNO"):
        user.rows("channel", "RECORDNO")
    channels = {row.get("GLDIMCHANNEL") for row in user.rows("GLENTRY", "GLDIMCHANNEL")}
    assert {"1", "2", "3"} & channels
