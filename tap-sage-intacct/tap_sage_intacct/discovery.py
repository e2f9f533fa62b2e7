"""What a company offers: the fields of its objects with their types, and which objects the user may read.

`lookup` tells the fields but ignores permissions and lists fields that `query` refuses, so each object is probed
with one small query too. Schemas differ from company to company (custom fields, dimensions), and with releases.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import logging
import re
from typing import TYPE_CHECKING, Any, Final

from tap_sage_intacct.errors import ApiError, FieldsRefusedError, ForbiddenError
from tap_sage_intacct.paging import all_of, where
from tap_sage_intacct.records import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lxml import etree

    from tap_sage_intacct.client import Client
    from tap_sage_intacct.envelope import Node
    from tap_sage_intacct.store import Store

_CACHE_FORMAT: Final = 1
_MOST_REFUSALS: Final = 20
_LOG: Final = logging.getLogger("tap-sage-intacct")

# The vendor asks never to read these without a filter; the probe's finds nothing, which is enough.
_PROBE_FILTERS: Final[dict[str, list[Node]]] = {
    "GLDETAIL": [where("equalto", "BATCHKEY", "0")],
    "AUDITHISTORY": [
        where("equalto", "OBJECTTYPE", "vendor"),
        where("greaterthanorequalto", "ACCESSTIME", "01/01/2100 00:00:00"),
    ],
}
_BY_QUERY_ONLY: Final = frozenset({"GLACCOUNTBALANCE"})
"""Objects that `query` refuses; they are read by `readByQuery` and not probed."""


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of an object.

    Attributes:
        name: Its ID; dots lead to fields of a related object.
        type: DATATYPE, such as TEXT or TIMESTAMP.
        label: What users see.
        description: What the company says about it.
        is_custom: Whether the company added it.
    """

    name: str
    type: str
    label: str = ""
    description: str = ""
    is_custom: bool = False


@dataclasses.dataclass(frozen=True)
class Described:
    """An object as a company has it.

    Attributes:
        fields: Its fields by name; those that `query` refuses are left out.
        forbidden: Why it cannot be read; empty when it can.
    """

    fields: Mapping[str, Field]
    forbidden: str = ""

    def type_of(self, name: str) -> str:
        """The type of a field; empty when there is none of this name."""
        field = self.fields.get(name)
        return field.type if field else ""


@dataclasses.dataclass(frozen=True, order=True)
class Wanted:
    """An object to describe, and the transaction definition whose custom fields are wanted."""

    object: str
    docparid: str = ""

    @property
    def key(self) -> str:
        """Its name in the kept schema."""
        return f"{self.object}|{self.docparid}" if self.docparid else self.object


@functools.cache
def snake(name: str) -> str:
    """The property of a field: RECORDNO is `recordno`, PAYTO.TAXID is `payto__taxid`, createdAt is `created_at`."""
    parts = []
    for part in name.split("."):
        split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", part) if part != part.upper() else part
        parts.append(
            re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split).lower() if part != part.upper() else part.lower()
        )
    return "__".join(parts)


def discover(  # noqa: PLR0913, PLR0917 - what it takes
    connect: Callable[[], Client],
    each: Callable[[Callable[[Wanted], Described], Sequence[Wanted]], Iterable[Described]],
    store: Store,
    wanted: Iterable[Wanted],
    max_age_minutes: int,
    entity: str = "",
) -> dict[str, Described]:
    """Describe objects, from the file of an earlier run when that is fresh enough.

    Args:
        connect: Gives the client; called only when the company must be asked.
        each: Applies a function to many values, at once where that is allowed.
        store: Where descriptions are kept.
        wanted: What to describe.
        max_age_minutes: How old a kept description may be.
        entity: Where to be signed in.

    Raises:
        UserError: The sign-in is refused.
        ApiError: The company does not answer.
    """
    asked = sorted(set(wanted))
    now = dt.datetime.now(dt.UTC).timestamp()
    kept = store.read()
    if (
        kept.get("format") == _CACHE_FORMAT
        and kept.get("asked") == [one.key for one in asked]
        and 0 <= now - float(kept.get("written", 0)) < max_age_minutes * 60
    ):
        return {key: _restored(each_kept) for key, each_kept in kept["objects"].items()}
    client = connect()
    described = dict(
        zip(
            (one.key for one in asked),
            each(lambda one: describe(client, one, entity), asked),
            strict=True,
        )
    )
    store.write(
        {
            "format": _CACHE_FORMAT,
            "asked": [one.key for one in asked],
            "written": now,
            "objects": {key: _kept(one) for key, one in described.items()},
        }
    )
    return described


def _kept(described: Described) -> dict[str, Any]:
    return {
        "fields": [list(dataclasses.astuple(field)) for field in described.fields.values()],
        "forbidden": described.forbidden,
    }


def _restored(kept: Mapping[str, Any]) -> Described:
    fields = [Field(*parts) for parts in kept["fields"]]
    return Described({field.name: field for field in fields}, kept["forbidden"])


def describe(client: Client, wanted: Wanted, entity: str) -> Described:
    """Ask for an object's fields, then whether they can be read."""
    content: list[Node] = [("object", wanted.object)]
    if wanted.docparid:
        content.append(("docparid", wanted.docparid))
    try:
        data = client.ask(("lookup", content), entity)
    except ApiError as error:
        if isinstance(error, ForbiddenError):
            return Described({}, str(error))
        raise
    fields = fields_of(data)
    if not fields:
        return Described({}, f"lookup {wanted.object}: the object has no fields.")
    return _probed(client, wanted, fields, entity)


def fields_of(data: etree._Element) -> dict[str, Field]:
    """The fields in an answer of `lookup`.

    Names with `#` cannot be names of XML elements, so they cannot be asked for; passwords never are.
    """
    found = {}
    for element in data.iter("Field"):
        name = element.findtext("ID") or ""
        if name and "#" not in name and "PASSWORD" not in name.upper():
            found[name] = Field(
                name=name,
                type=(element.findtext("DATATYPE") or "TEXT").upper(),
                label=element.findtext("LABEL") or "",
                description=element.findtext("DESCRIPTION") or "",
                is_custom=element.findtext("ISCUSTOM") == "true",
            )
    return found


def _probed(client: Client, wanted: Wanted, fields: dict[str, Field], entity: str) -> Described:
    """Read one record with all fields, leaving out those that are refused."""
    if wanted.object in _BY_QUERY_ONLY:
        return Described(fields)
    refused: set[str] = set()
    for _ in range(_MOST_REFUSALS):
        left = {name: field for name, field in fields.items() if name.upper() not in refused}
        try:
            function = query(
                wanted.object,
                list(left),
                _PROBE_FILTERS.get(wanted.object, []),
                size=1,
                docparid=wanted.docparid,
            )
            client.call(function, wanted.object, NOTHING, entity)
        except FieldsRefusedError as error:
            if not error.fields & {name.upper() for name in left}:
                return Described({}, str(error))
            refused |= error.fields
        except ForbiddenError as error:
            return Described({}, str(error))
        except ApiError as error:
            if "transient" in type(error).__name__.lower():
                raise
            _LOG.warning("%s could not be probed and may not be readable. %s", wanted.object, error)
            return Described(left)
        else:
            if refused:
                _LOG.info("%s: these fields cannot be queried: %s", wanted.object, ", ".join(sorted(refused)))
            return Described(left)
    return Described({}, f"{wanted.object}: too many fields are refused one by one.")


def query(  # noqa: PLR0913, PLR0917 - a query has so many parts
    name: str,
    fields: Sequence[str],
    conditions: Sequence[Node] = (),
    order: Sequence[str] = (),
    offset: int = 0,
    size: int = 1,
    docparid: str = "",
    *,
    show_private: bool = True,
) -> Node:
    """The function that reads a page of records.

    Args:
        name: The object.
        fields: What to read of each record.
        conditions: What records must fulfil, all of it.
        order: Fields to sort by, ascending; without it the order is undefined.
        offset: How many records to leave out.
        size: How many records to read at most.
        docparid: The transaction definition whose custom fields are wanted.
        show_private: Include records of private entities.
    """
    content: list[Node] = [("object", name), ("select", [("field", field) for field in fields])]
    if docparid:
        content.append(("docparid", docparid))
    if conditions:
        content.append(("filter", all_of(conditions)))
    if order:
        content.append(("orderby", [("order", [("field", field), ("ascending", None)]) for field in order]))
    options: list[Node] = [("caseinsensitive", "false")]
    if show_private:
        options.append(("showprivate", "true"))
    content += [("options", options), ("pagesize", str(size)), ("offset", str(offset))]
    return ("query", content)
