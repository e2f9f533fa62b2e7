"""What an instance offers: its endpoint versions, and the fields of its entities with their types.

The description of an endpoint comes as Swagger 2.0 (up to 23.200.001) or OpenAPI 3 (from 24.200.001). The number
in its `info.version` is the contract, which decides how drop-downs, dates and nested expansions are written.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import logging
import re
from typing import TYPE_CHECKING, Any, Final

from tap_acumatica.errors import ApiError, ForbiddenError, NotFoundError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_acumatica.client import Client, Site
    from tap_acumatica.store import Store

_LOG: Final = logging.getLogger("tap-acumatica")

_KINDS: Final = {
    "StringValue": "string",
    "BooleanValue": "boolean",
    "DecimalValue": "decimal",
    "DoubleValue": "decimal",
    "IntValue": "integer",
    "ShortValue": "integer",
    "LongValue": "integer",
    "ByteValue": "integer",
    "GuidValue": "string",
    "DateTimeValue": "time",
    "DateOnlyValue": "date",
    "StringSingleSelectValue": "select",
    "IntSingleSelectValue": "select",
    "StringMultiSelectValue": "selects",
}
_CUSTOM_KINDS: Final = {
    "CustomStringField": "string",
    "CustomGuidField": "string",
    "CustomBooleanField": "boolean",
    "CustomByteField": "integer",
    "CustomShortField": "integer",
    "CustomIntField": "integer",
    "CustomLongField": "integer",
    "CustomDecimalField": "decimal",
    "CustomDoubleField": "decimal",
    "CustomDateTimeField": "custom_time",
}
_CACHE_FORMAT: Final = 2


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of an entity.

    Attributes:
        kind: string, boolean, decimal, integer, time, date, select, selects; link and list for nested entities.
        entity: The nested entity of a link or list.
        description: What the instance says about the field.
    """

    kind: str
    entity: str = ""
    description: str = ""


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """The entities of one endpoint version, and the contract it speaks (4 or 5).

    Attributes:
        contract: Number of the contract.
        entities: Fields of each entity.
        custom: Kinds of each entity's custom fields by `View.Field`, for lines `Details/View.Field`.
    """

    contract: int
    entities: Mapping[str, Mapping[str, Field]]
    custom: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)

    def fields(self, entity: str) -> Mapping[str, Field]:
        """The fields of an entity by their name in the ERP; empty when the endpoint has no such entity."""
        return self.entities.get(entity, {})

    def nested(self, entity: str, name: str) -> Mapping[str, Field]:
        """The fields of a collection or linked entity."""
        field = self.fields(entity).get(name)
        return self.fields(field.entity) if field else {}

    def expand(self, paths: Iterable[str]) -> str:
        """Write nested entities for `$expand` in the contract's own way.

        Paths use slashes: `("MainContact", "MainContact/Address")`.
        """
        paths = list(paths)
        if self.contract < 5:  # noqa: PLR2004 - contract numbers are what they are
            return ",".join(paths)
        roots = dict.fromkeys(path.partition("/")[0] for path in paths)
        inner = {root: [p.partition("/")[2] for p in paths if p.startswith(f"{root}/")] for root in roots}
        return ",".join(
            f"{root}($expand={self.expand(inner[root])})" if inner[root] else root for root in roots
        )


@functools.cache
def snake(name: str) -> str:
    """The property name of a field: `POOrderNbr` becomes `po_order_nbr`."""
    split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split).lower()


def check_version(client: Client) -> None:
    """Ask the instance for its endpoints and make sure that the pinned one is served.

    Raises:
        UserError: There is no Acumatica instance at the address, or the version is not offered.
    """
    site = client.site
    try:
        answer = client.get(f"{site.base_url}/entity")
    except NotFoundError as error:
        raise UserError(f"base_url: no Acumatica instance answers at {site.base_url}. {error}") from None
    except ForbiddenError as error:
        raise UserError(f"username: the API user may not use the web services. {error}") from None
    # Older builds answer with the bare list.
    endpoints = answer.get("endpoints") if isinstance(answer, dict) else answer
    if not isinstance(endpoints, list):
        raise UserError(f"base_url: what answers at {site.base_url} is not an Acumatica instance")
    offered = [(str(e.get("name")), str(e.get("version"))) for e in endpoints if isinstance(e, dict)]
    if (site.endpoint, site.version) not in offered:
        names = ", ".join(f"{name} {version}" for name, version in sorted(offered))
        raise UserError(
            f"endpoint_name, endpoint_version: {site.endpoint} {site.version} is not served; offered: {names}"
        )


def discover(
    connect: Callable[[], Client],
    site: Site,
    store: Store,
    wanted: Mapping[str, bool],
    max_age_minutes: int,
) -> Endpoint:
    """The endpoint's description, from the file of an earlier run when that is fresh enough.

    Args:
        connect: Gives a client that is signed in; called only when the instance must be asked.
        site: The instance and its pinned endpoint.
        store: Where descriptions are kept.
        wanted: The entities to keep (the whole document describes more than a hundred), and whether their custom
            fields are wanted too, which costs a call each.
        max_age_minutes: How old a kept description may be.

    Raises:
        UserError: The instance does not describe the pinned endpoint.
    """
    name = f"schema-{snake(site.endpoint)}-{site.version}"
    now = dt.datetime.now(dt.UTC).timestamp()
    kept = store.read(name)
    if (
        kept.get("format") == _CACHE_FORMAT
        and kept.get("wanted") == dict(wanted)
        and not _is_old(kept, now, max_age_minutes)
    ):
        return _restored(kept)
    client = connect()
    try:
        document = client.get(site.entity("swagger.json"), {"company": site.tenant})
    except (NotFoundError, ForbiddenError) as error:
        raise UserError(f"endpoint_version: the instance does not describe {site.version}. {error}") from None
    endpoint = parse(document, wanted)
    custom = {
        entity: _custom_fields(client, entity)
        for entity, has in wanted.items()
        if has and endpoint.fields(entity)
    }
    entities = {
        e: {f: [*dataclasses.astuple(d)] for f, d in fs.items()} for e, fs in endpoint.entities.items()
    }
    store.write(
        name,
        {
            "format": _CACHE_FORMAT,
            "wanted": dict(wanted),
            "written": now,
            "contract": endpoint.contract,
            "entities": entities,
            "custom": custom,
        },
    )
    return dataclasses.replace(endpoint, custom=custom)


def _custom_fields(client: Client, entity: str) -> dict[str, str]:
    """The custom fields of an entity and of its lines, with their kinds; none when the form may not be opened."""
    try:
        schema = client.get(client.site.entity(entity, "$adHocSchema"))
    except ApiError as error:
        _LOG.warning(
            "custom_fields: %s does not tell its custom fields; they are left out. %s", entity, error
        )
        return {}
    found = dict(_views("", schema))
    for name, rows in schema.items():
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                found.update(_views(f"{name}/", row))
    return found


def _views(prefix: str, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for view, fields in (record.get("custom") or {}).items():
        for field, cell in fields.items():
            yield f"{prefix}{view}.{field}", _CUSTOM_KINDS.get((cell or {}).get("type", ""), "string")


def _is_old(kept: Mapping[str, Any], now: float, max_age_minutes: int) -> bool:
    return not 0 <= now - float(kept.get("written", 0)) < max_age_minutes * 60


def _restored(kept: Mapping[str, Any]) -> Endpoint:
    entities = {e: {name: Field(*parts) for name, parts in fs.items()} for e, fs in kept["entities"].items()}
    return Endpoint(int(kept["contract"]), entities, kept["custom"])


def parse(document: Mapping[str, Any], wanted: Iterable[str]) -> Endpoint:
    """Read a Swagger 2.0 or OpenAPI 3 document.

    Args:
        document: The decoded document.
        wanted: The entities to keep, with those nested in them.

    Raises:
        UserError: The document describes no entities.
    """
    schemas = document.get("definitions") or document.get("components", {}).get("schemas") or {}
    if not schemas:
        raise UserError("endpoint_name: the instance's description of the endpoint holds no entities")
    version = str(document.get("info", {}).get("version", ""))
    contract = int(match[0]) if (match := re.match(r"\d+", version)) else 4
    entities: dict[str, dict[str, Field]] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in entities or name not in schemas:
            continue
        entities[name] = dict(_fields(schemas[name], schemas))
        waiting.extend(field.entity for field in entities[name].values() if field.entity)
    return Endpoint(contract, entities)


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, Field]]:
    for part in schema.get("allOf", []):
        if "properties" in part or "allOf" in part:
            yield from _fields(part, schemas)
    for name, definition in schema.get("properties", {}).items():
        field = _field(definition, schemas)
        if field is not None:
            yield name, field


def _field(definition: Mapping[str, Any], schemas: Mapping[str, Any]) -> Field | None:
    """One property; None for what is no field of the ERP (`id`, `rowNumber`, `custom` …)."""
    said = str(definition.get("description") or "")
    if definition.get("type") == "array":
        target = _reference(definition.get("items") or {})
        return Field("list", target, said) if target in schemas else None
    target = _reference(definition)
    if target in _KINDS:
        return Field(_KINDS[target], "", said)
    if target in schemas and _is_entity(schemas[target]):
        return Field("link", target, said)
    return None


def _is_entity(schema: Mapping[str, Any]) -> bool:
    return any(_reference(part) == "Entity" for part in schema.get("allOf", []))


def _reference(definition: Mapping[str, Any]) -> str:
    """The name a `$ref` points to; OpenAPI 3 wraps it in `allOf` where a description stands beside it."""
    for part in (definition, *definition.get("allOf", [])):
        if "$ref" in part:
            return str(part["$ref"]).rsplit("/", 1)[-1]
    return ""
