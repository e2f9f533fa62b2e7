"""What describes instead of reading rows: lookup, inspect, dimensions, entities, user settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.sage_intacct import USER_ID, USER_RECORDNO, errors
from tests.sandbox.sage_intacct.answers import Answer
from tests.sandbox.sage_intacct.dictionary import DIMENSIONS, VALID_VALUES, standard_objects
from tests.sandbox.sage_intacct.envelope import tag

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from tests.sandbox.sage_intacct.catalog import Catalog
    from tests.sandbox.sage_intacct.dictionary import Field, ObjectType
    from tests.sandbox.sage_intacct.switches import Switches

_TERMS = {
    "CUSTOMER": "Customer",
    "VENDOR": "Vendor",
    "EMPLOYEE": "Employee",
    "ITEM": "Item",
    "CLASS": "Class",
}


class Describer:
    """Answers functions that tell what there is. They ignore permissions, as the real ones do."""

    def __init__(self, catalog: Catalog, switches: Switches) -> None:
        self._catalog = catalog
        self._switches = switches

    def lookup(self, node: ET.Element) -> Answer:
        """Fields and relationships of an object.

        Raises:
            Refusal: There is no such object.
        """
        document = node.findtext("docparid") or ""
        kind = self._catalog.find((node.findtext("object") or "").strip(), document or None)
        fields = "".join(self._field(kind, field) for field in kind.fields.values())
        relationships = "".join(
            "<Relationship>"
            + tag("OBJECTPATH", each.path)
            + tag("OBJECTNAME", each.target)
            + tag("LABEL", each.path.capitalize())
            + tag("RELATIONSHIPTYPE", each.kind)
            + tag("RELATEDBY", each.related_by)
            + "</Relationship>"
            for each in kind.relationships.values()
        )
        return Answer(
            f'<data listtype="All" count="1"><Type Name="{kind.name}" DocumentType="{document}">'
            f"<Fields>{fields}</Fields><Relationships>{relationships}</Relationships></Type></data>"
        )

    def _field(self, kind: ObjectType, field: Field) -> str:
        datatype = field.datatype
        if f"{kind.name}.{field.id}" == "VENDOR.RETAINAGEPERCENTAGE" and self._switches.unknown_datatype:
            datatype = self._switches.unknown_datatype
        values = VALID_VALUES.get(f"{kind.name}.{field.id}") or VALID_VALUES.get(field.id, ())
        listed = "".join(tag("VALIDVALUE", value) for value in values)
        return (
            "<Field>"
            + tag("ID", field.id)
            + tag("LABEL", field.label)
            + tag("DESCRIPTION", field.label)
            + tag("REQUIRED", "false")
            + tag("READONLY", str(field.id in {"RECORDNO", "WHENMODIFIED"}).lower())
            + tag("DATATYPE", datatype)
            + (f"<VALIDVALUES>{listed}</VALIDVALUES>" if listed else "")
            + tag("ISCUSTOM", str(field.custom).lower())
            + "</Field>"
        )

    def inspect(self, node: ET.Element) -> Answer:
        """The list of all objects, or the fields of one.

        Raises:
            Refusal: There is no such object.
        """
        name = (node.findtext("object") or "").strip()
        if name == "*":
            types = "".join(
                f'<type typename="{each.lower()}">{each.capitalize()}</type>' for each in standard_objects()
            )
            return Answer(f'<data listtype="All" count="{len(standard_objects())}">{types}</data>')
        kind = self._catalog.find(name)
        if node.get("detail") != "1":
            fields = "".join(tag("Field", field) for field in kind.fields)
        else:
            fields = "".join(
                "<Field>"
                + tag("Name", field.id)
                + tag("GroupName", "")
                + tag("dataName", field.datatype.lower())
                + tag("externalDataName", field.datatype)
                + tag("isRequired", "false")
                + tag("isReadOnly", "false")
                + tag("maxLength", "0")
                + tag("DisplayLabel", field.label)
                + tag("Description", field.label)
                + tag("id", "")
                + "</Field>"
                for field in kind.fields.values()
            )
        singular = tag("SingularName", kind.name.capitalize())
        return Answer(
            f'<data listtype="All" count="1"><Type Name="{kind.name}"><Attributes>{singular}</Attributes>'
            f"<Fields>{fields}</Fields></Type></data>"
        )

    def dimensions(self) -> Answer:
        """The dimensions of the company, one of which its users made."""
        standard = ("DEPARTMENT", "LOCATION", *DIMENSIONS)
        rows = [
            (name, name.capitalize(), _TERMS.get(name, name.capitalize()), "false")
            for name in standard
            if name not in self._switches.disabled_dimensions
        ]
        inner = "".join(
            "<dimension>"
            + tag("objectName", name)
            + tag("objectLabel", label)
            + tag("termLabel", term)
            + tag("userDefinedDimension", user_defined)
            + tag("enabledInGL", "true")
            + "</dimension>"
            for name, label, term, user_defined in [*rows, ("channel", "Channel", "Channel", "true")]
        )
        return Answer(f"<data><dimensions>{inner}</dimensions></data>")

    def entities(self) -> Answer:
        """The entities that the user may enter."""
        view = self._catalog.shelves.view
        inner = "".join(
            "<entity>"
            + tag("id", branch.code)
            + tag("name", branch.name)
            + tag("recordno", str(branch.branch_id))
            + tag("currency", view.company.base_currency)
            + tag("firstfiscalmonth", "1")
            + tag("firstfiscaltaxmonth", "1")
            + tag("weekstart", "1")
            + "</entity>"
            for branch in view.company.branches.values()
        )
        count = len(view.company.branches)
        return Answer(f'<data listtype="entity" count="{count}">{inner}</data>')

    def user_formatting(self, node: ET.Element) -> Answer:
        """How the user wants dates and clocks; the zone of stamps, if one may believe it.

        Raises:
            Refusal: The user is another one, or may not ask.
        """
        key, user = node.findtext("key"), node.findtext("userId")
        known = key == str(USER_RECORDNO) or (key is None and user == USER_ID)
        if not known or self._switches.user_formatting == "refused":
            raise errors.forbidden("userformatting")
        minutes = -480 if self._switches.user_formatting == "wrong" else self._switches.zone_minutes
        sign, (hours, rest) = ("-" if minutes < 0 else "+"), divmod(abs(minutes), 60)
        return Answer(
            '<data listtype="userformatting" count="1"><userformatting>'
            + tag("recordno", str(USER_RECORDNO))
            + tag("locale", "en_US")
            + tag("dateformat", self._switches.date_format)
            + tag("gmtoffset", f"{sign}{hours:02d}:{rest:02d}")
            + tag("clock", "24")
            + "</userformatting></data>"
        )

    def permissions(self, node: ET.Element) -> Answer:
        """What the user may do, by module.

        Raises:
            Refusal: The user is another one.
        """
        if node.findtext("userId") != USER_ID:
            raise errors.forbidden("userrights")
        forbidden = self._switches.forbidden_objects | self._switches.unreadable_objects
        inner = "".join(
            "<appSubscription><applicationName>Company</applicationName><policies><policy>"
            + tag("policyName", name)
            + tag("rights", "" if name in forbidden else "List|Readonly")
            + "</policy></policies></appSubscription>"
            for name in standard_objects()
        )
        return Answer(f'<data listtype="permissions" count="1"><permissions>{inner}</permissions></data>')
