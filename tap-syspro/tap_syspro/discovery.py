"""What a site offers: its entity sets by the service document, their columns and keys by `$metadata`.

Names are found whatever their case; addresses are never made up. Where the service does not describe itself, and by
e.net, the built-in catalogue says what a table holds.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import logging
import re
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from tap_syspro.errors import ApiError, ServerTroubleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_syspro.odata import ODataService
    from tap_syspro.store import Store

_CACHE_FORMAT: Final = 1

_LOG: Final = logging.getLogger("tap-syspro")


@dataclasses.dataclass(frozen=True)
class Field:
    """A column as the service describes it.

    Attributes:
        edm: Its OData type; empty where nothing is known.
        nullable: Whether it may be null; standard columns are not, but for dates.
        scale: Decimal places, where they are told.
    """

    edm: str = ""
    nullable: bool = True
    scale: int | None = None


@dataclasses.dataclass(frozen=True)
class EntitySet:
    """A table or view of one company.

    Attributes:
        name: As addresses write it.
        fields: Its columns.
        keys: Its key; empty when the service does not tell.
        described: Whether the service itself described it.
    """

    name: str
    fields: Mapping[str, Field] = dataclasses.field(default_factory=dict)
    keys: tuple[str, ...] = ()
    described: bool = False

    def edm(self, column: str) -> str:
        """The OData type of a column, empty where it is not known."""
        field = self.fields.get(column)
        return field.edm if field else ""


@functools.cache
def snake(name: str) -> str:
    """The property name of a column, or the stream name of a table: `MStockCode` becomes `m_stock_code`."""
    split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", re.sub(r"\W+", "_", name.replace("+", "_plus")))
    return re.sub(r"_+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split)).strip("_").lower()


Catalog = dict[str, dict[str, EntitySet]]
"""Company -> lower-case name -> entity set."""


def discover(
    connect: Callable[[], ODataService],
    companies: Iterable[str],
    wanted: Iterable[str] | None,
    store: Store,
    max_age_minutes: int,
) -> Catalog:
    """The entity sets of every company, from the file of an earlier run when that is fresh enough.

    Args:
        connect: Gives the service; called only when it must be asked.
        companies: The companies.
        wanted: The tables whose columns are kept, by lower-case name; None for all.
        store: Where descriptions are kept.
        max_age_minutes: How old a kept description may be.

    Raises:
        UserError: There is no service for a company.
    """
    now = dt.datetime.now(dt.UTC).timestamp()
    mark = {"format": _CACHE_FORMAT, "wanted": sorted(wanted) if wanted is not None else None}
    kept = store.read("schema")
    if {name: kept.get(name) for name in mark} != mark or not 0 <= now - float(
        kept.get("written", 0)
    ) < max_age_minutes * 60:
        kept = {**mark, "written": now, "companies": {}}
    known: dict[str, Any] = kept["companies"]
    missing = [company for company in companies if company not in known]
    for company in missing:
        known[company] = _described(connect(), company, wanted)
    if missing:
        store.write("schema", kept)
    return {company: _restored(known[company]) for company in companies}


def _described(service: ODataService, company: str, wanted: Iterable[str] | None) -> dict[str, Any]:
    """Names of all entity sets, with keys and columns of those that are wanted, as JSON."""
    names = service.names(company)
    try:
        described = parse(service.metadata(company))
    except ServerTroubleError:
        raise
    except ApiError as error:
        _LOG.warning(
            "Company %s: the service does not describe itself; the built-in catalogue is used. %s",
            company,
            error,
        )
        described = {}
    keep = {name.lower() for name in names} if wanted is None else set(wanted)
    found = {name.lower(): each for name, each in described.items() if name.lower() in keep}
    return {
        name: [list(found[name.lower()].keys), _columns(found[name.lower()])]
        if name.lower() in found
        else None
        for name in names
    }


def _columns(entity: EntitySet) -> dict[str, list[Any]]:
    return {name: [*dataclasses.astuple(field)] for name, field in entity.fields.items()}


def _restored(kept: Mapping[str, Any]) -> dict[str, EntitySet]:
    return {
        name.lower(): EntitySet(name)
        if description is None
        else EntitySet(
            name,
            {column: Field(*parts) for column, parts in description[1].items()},
            tuple(description[0]),
            described=True,
        )
        for name, description in kept.items()
    }


def parse(document: bytes) -> dict[str, EntitySet]:
    """Read a service description (CSDL): entity sets by name.

    Raises:
        ApiError: It is no XML.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise ApiError(f"The service description is no XML ({error.msg}).") from None
    types: dict[str, Any] = {}
    for schema in root.iter("{*}Schema"):
        for each in schema.iterchildren("{*}EntityType"):
            types[f"{schema.get('Namespace')}.{each.get('Name')}"] = each
            if alias := schema.get("Alias"):
                types[f"{alias}.{each.get('Name')}"] = each
    found = {}
    for each in root.iter("{*}EntitySet"):
        kind = types.get(each.get("EntityType") or "")
        name = each.get("Name")
        if kind is not None and name:
            found[name] = _entity(name, kind, types)
    return found


def _entity(name: str, kind: Any, types: Mapping[str, Any]) -> EntitySet:  # noqa: ANN401 - elements
    fields: dict[str, Field] = {}
    keys: tuple[str, ...] = ()
    chain = [kind]
    while (base := types.get(chain[-1].get("BaseType") or "")) is not None and base not in chain:
        chain.append(base)
    for each in reversed(chain):
        keys = tuple(ref.get("Name") for ref in each.iter("{*}PropertyRef")) or keys
        for column in each.iterchildren("{*}Property"):
            scale = column.get("Scale", "")
            fields[column.get("Name")] = Field(
                column.get("Type", ""),
                column.get("Nullable", "true").lower() != "false",
                int(scale) if scale.isdecimal() else None,
            )
    return EntitySet(name, fields, keys, described=True)
