"""What an instance offers: the columns and keys of its entity sets and BAQs, from each service's own $metadata.

Every service is an OData root of its own and there is no common document, so each costs a call. What was found is
kept, and a run that is given a catalog asks for the services of the selected streams alone.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import logging
import re
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from tap_epicor_kinetic.errors import ForbiddenError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_epicor_kinetic.client import Client
    from tap_epicor_kinetic.store import Store

_FILE: Final = "schema"
_FORMAT: Final = 1
_SAMPLE_ROWS: Final = 100
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

_LOG: Final = logging.getLogger("tap-epicor-kinetic")


@dataclasses.dataclass(frozen=True)
class EntitySet:
    """Columns and keys of a set, by the ERP's names.

    Attributes:
        columns: Name and OData type, in the order of the description: stored columns first, then BitFlag, then those
            that are computed or looked up.
        keys: The columns of its key.
    """

    columns: tuple[tuple[str, str], ...]
    keys: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Described:
    """What a service said of itself, or why it said nothing.

    Attributes:
        sets: Its entity sets.
        reason: Why there are none; empty when there are.
    """

    sets: Mapping[str, EntitySet]
    reason: str = ""


@functools.cache
def snake(name: str) -> str:
    """The property name of a column: `VendorNumVendorID` becomes `vendor_num_vendor_id`."""
    split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split)
    return re.sub(r"\W+|_+", "_", split).strip("_").lower()


def describe(
    connect: Callable[[], Client], store: Store, services: Iterable[str], max_age_minutes: int
) -> dict[str, Described]:
    """The descriptions of services, from an earlier run where they are fresh enough.

    Args:
        connect: Gives a client that is signed in; called only when the instance must be asked.
        store: Where descriptions are kept.
        services: Paths of services and BAQs below a company, such as `Erp.BO.VendorSvc`, `BaqSvc/AP-Open`.
        max_age_minutes: How old a kept description may be.

    Raises:
        UserError: A setting is wrong, or the sign-in is refused.
        ApiError: The server kept failing.
    """
    kept = store.read(_FILE)
    known: dict[str, Any] = kept["services"] if kept.get("format") == _FORMAT else {}
    now = dt.datetime.now(dt.UTC).timestamp()
    found: dict[str, Described] = {}
    asked = False
    try:
        for service in dict.fromkeys(services):
            entry = known.get(service)
            if entry is None or not 0 <= now - float(entry["written"]) < max_age_minutes * 60:
                entry = {"written": now, **_ask(connect(), service)}
                known[service] = entry
                asked = True
            found[service] = _restored(entry)
    finally:
        if asked:  # also when the calls allowed for this run end amid it: the next run goes on from here
            store.write(_FILE, {"format": _FORMAT, "services": known})
    return found


def _restored(entry: Mapping[str, Any]) -> Described:
    sets = {
        name: EntitySet(tuple((column, kind) for column, kind in each["columns"]), tuple(each["keys"]))
        for name, each in entry["sets"].items()
    }
    return Described(sets, entry["reason"])


def _ask(client: Client, service: str) -> dict[str, Any]:
    """The description of one service, in the first company that has it."""
    reason = ""
    for company in client.site.companies:
        try:
            sets = parse(client.get_metadata(client.site.company(company, service)))
        except (ForbiddenError, NotFoundError) as error:
            reason = str(error)
            continue
        except ET.ParseError:
            reason = f"{service} does not describe itself in XML."
            continue
        return {"sets": {name: dataclasses.asdict(each) for name, each in sets.items()}, "reason": ""}
    return {"sets": {}, "reason": reason}


def parse(document: bytes) -> dict[str, EntitySet]:
    """The entity sets of a CSDL document (OData version 4; versions differ in namespaces only).

    Raises:
        xml.etree.ElementTree.ParseError: It is no XML.
    """
    root = ET.fromstring(document)  # noqa: S314 - the instance that holds the books is trusted to describe itself
    types = {each.get("Name", ""): each for each in root.iter() if _local(each) == "EntityType"}
    sets = {
        each.get("Name", ""): _last(each.get("EntityType", ""))
        for each in root.iter()
        if _local(each) == "EntitySet"
    }
    described = {name: _entity_set(types, kind) for name, kind in sets.items() if kind in types}
    # Child rows that are reached from their parent alone have a type and no set; they go by their link's name.
    for element in types.values():
        for child in element:
            if _local(child) == "NavigationProperty" and (name := child.get("Name", "")) not in described:
                kind = _last(child.get("Type", "").removeprefix("Collection(").removesuffix(")"))
                if kind in types:
                    described[name] = _entity_set(types, kind)
    return described


def _entity_set(types: Mapping[str, ET.Element[Any]], name: str) -> EntitySet:
    element = types[name]
    base = _last(element.get("BaseType", ""))
    inherited = _entity_set(types, base) if base in types and base != name else EntitySet(())
    columns = tuple(
        (each.get("Name", ""), each.get("Type", "")) for each in element if _local(each) == "Property"
    )
    keys = tuple(
        each.get("Name", "")
        for key in element
        if _local(key) == "Key"
        for each in key
        if _local(each) == "PropertyRef"
    )
    return EntitySet((*inherited.columns, *columns), keys or inherited.keys)


def sample(client: Client, company: str, path: str, parameters: Mapping[str, Any]) -> EntitySet:
    """Columns of a BAQ that does not describe itself, from a few of its rows.

    Raises:
        UserError: A setting is wrong, or the sign-in is refused.
        ApiError: The BAQ cannot be read.
    """
    answer = client.get(client.site.company(company, path), {**parameters, "$top": _SAMPLE_ROWS})
    kinds: dict[str, str] = {}
    for row in answer["value"]:
        for name, value in row.items():
            if not name.startswith(("@", "odata.")) and kinds.get(name, "") in {"", "Edm.Int64"}:
                kinds[name] = _kind_of(value) or kinds.get(name, "")
    return EntitySet(tuple((name, kind or "Edm.String") for name, kind in kinds.items()))


def _kind_of(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Edm.Boolean"
    if isinstance(value, int):
        return "Edm.Int64"
    if isinstance(value, str):
        return "Edm.DateTimeOffset" if _DATE.match(value) else "Edm.String"
    return "Edm.Decimal"


def calculated(entity_set: EntitySet) -> set[str]:
    """The columns that are computed or looked up: filters and orders on them fail. They stand behind BitFlag."""
    names = [name for name, _ in entity_set.columns]
    return set(names[names.index("BitFlag") + 1 :]) if "BitFlag" in names else set()


def _local(element: ET.Element[Any]) -> str:
    return str(element.tag).rpartition("}")[2]


def _last(name: str) -> str:
    return name.rpartition(".")[2]
