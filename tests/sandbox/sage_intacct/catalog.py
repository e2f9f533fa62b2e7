"""Objects by the name a request gives them, and their fields, dotted ones too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.sage_intacct import errors
from tests.sandbox.sage_intacct.dictionary import ObjectType, describe, standard_objects
from tests.sandbox.sage_intacct.values import Column

if TYPE_CHECKING:
    from tests.sandbox.sage_intacct.shelves import Shelves
    from tests.sandbox.sage_intacct.switches import Switches
    from tests.sandbox.sage_intacct.values import Value

# Fields that readByQuery gives though lookup does not know them, and query refuses.
LEGACY_FIELDS = {
    "APBILL": {
        "PAYTOCONTACTNAME": "BILLTOPAYTOCONTACTNAME",
        "RETURNTOCONTACTNAME": "SHIPTORETURNTOCONTACTNAME",
    },
    "APBILLITEM": {"GLACCOUNTNO": "ACCOUNTNO"},
}
_HOPS = 3


class Catalog:
    """What the company has, and what of it the user may read."""

    def __init__(self, shelves: Shelves, switches: Switches) -> None:
        self.shelves = shelves
        self._switches = switches
        self._names = {name.upper(): name for name in standard_objects()}

    def find(self, name: str, document: str | None = None) -> ObjectType:
        """An object by its name, in whatever case.

        Raises:
            Refusal: There is none.
        """
        known = self._names.get(name.upper())
        found = known and describe(known, document, self._switches.disabled_dimensions)
        if not found:
            raise errors.unknown_object(name)
        return found

    def permit(self, kind: ObjectType) -> None:
        """Let an object be read.

        Raises:
            Refusal: The user may not, or nobody may.
        """
        if kind.name in self._switches.forbidden_objects:
            raise errors.audit_forbidden() if kind.name == "AUDITHISTORY" else errors.forbidden(kind.name)
        if kind.name in self._switches.unreadable_objects:
            raise errors.forbidden(kind.name)

    def resolve(self, kind: ObjectType, path: str, *, legacy: bool = False) -> Column:
        """A field, of the object or of one that it is related to.

        Raises:
            Refusal: There is none.
        """
        column = self._resolve(kind, path, _HOPS)
        if column is None and legacy:
            alias = LEGACY_FIELDS.get(kind.name, {}).get(path)
            known = alias and self._resolve(kind, alias, _HOPS)
            column = (known and Column(path, known.field, known.get)) or None
        if column is None:
            raise errors.unknown_field(kind.name, path)
        return column

    def refused(self, kind: ObjectType, path: str) -> bool:
        """Whether lookup lists a field that query does not read."""
        return path in self._switches.unqueryable_fields.get(kind.name, ()) or "#" in path

    def _resolve(self, kind: ObjectType, path: str, hops: int) -> Column | None:
        if path in kind.fields:
            return Column(path, kind.fields[path], self.shelves.shelf(kind.name).get(path))
        head, _, rest = path.partition(".")
        relationship = kind.relationships.get(head)
        if relationship is None or not rest or not hops:
            return None
        if relationship.target == kind.name and "." in rest:
            return None  # one hop only over a self-hierarchy
        target = describe(relationship.target, None, self._switches.disabled_dimensions)
        field = target and self._resolve(target, rest, hops - 1)
        if not field:
            return None
        shelf = self.shelves.shelf(relationship.target)
        own = self.shelves.shelf(kind.name).get(relationship.related_by)
        natural = shelf.table.natural
        by_key = natural is None or relationship.related_by.endswith(("KEY", "HDRNO", "RECORDNO"))
        index = shelf.key if by_key or natural is None else natural

        def get(row: Any) -> Value:
            key = own(row)
            related = None if key is None else shelf.find(index, key)
            return None if related is None else field.get(related)

        return Column(path, field.field, get)
