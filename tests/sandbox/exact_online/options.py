"""The query options of a list, parsed and checked against what its endpoint knows and demands."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tests.sandbox.exact_online import filters
from tests.sandbox.exact_online.errors import bad_request
from tests.sandbox.exact_online.shapes import SHAPES, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.exact_online.endpoints import Endpoint
    from tests.sandbox.exact_online.filters import Filter
    from tests.sandbox.exact_online.switches import Switches

_KNOWN = frozenset(
    {"$select", "$filter", "$orderby", "$top", "$expand", "$inlinecount", "$skiptoken", "$format"}
)
_SYNC_COMPARISONS = frozenset({"gt", "ge", "lt", "le", "eq"})


@dataclasses.dataclass(frozen=True)
class Order:
    """One property to sort by."""

    name: str
    kind: Kind
    descending: bool = False


@dataclasses.dataclass(frozen=True)
class Options:
    """What a caller wants of a list.

    Attributes:
        select: Properties to show; None for all.
        nested: Child collection to the properties to show of its rows; None for all.
        expand: Child collections to show.
        filter: Which rows.
        filter_text: As it was written.
        order: What to sort by, the key last.
        top: How many rows at most.
        skip_token: As it was written.
        count: Whether to tell how many there are.
    """

    select: tuple[str, ...] | None
    nested: Mapping[str, tuple[str, ...] | None]
    expand: tuple[str, ...]
    filter: Filter | None
    filter_text: str
    order: tuple[Order, ...]
    top: int | None
    skip_token: str | None
    count: bool


def known_properties(endpoint: Endpoint, switches: Switches) -> Mapping[str, Kind]:
    """The properties of an endpoint, less those that were withdrawn."""
    withdrawn = switches.withdrawn.get(endpoint.path)
    if withdrawn is None:
        return endpoint.shape.properties
    return {name: kind for name, kind in endpoint.shape.properties.items() if name not in withdrawn}


def parse(
    given: Mapping[str, str], endpoint: Endpoint, switches: Switches, *, counting: bool = False
) -> Options:
    """Parse the options of a list.

    Args:
        given: The query.
        endpoint: What is listed.
        switches: What is demanded.
        counting: The call is for `/$count`, which shows no properties.

    Raises:
        Refusal: 400, with what is wrong.
    """
    for name in given:
        if name not in _KNOWN:
            raise bad_request(f"The query parameter '{name}' is not supported.")
    properties = known_properties(endpoint, switches)
    expand = _expand(given.get("$expand"), endpoint)
    select, nested = _select(given.get("$select"), endpoint, properties, expand)
    top = _top(given.get("$top"))
    is_free = endpoint.is_sync or endpoint.is_read or endpoint.path in switches.select_optional
    is_list = not (is_free or counting)
    if is_list and switches.select_mandatory and "$select" not in given and top != 1:
        raise bad_request(
            "The request must contain a $select with the properties that are needed, or a $top=1 query option."
        )
    filter_text = given.get("$filter", "")
    parsed = filters.parse(filter_text, properties) if "$filter" in given else None
    _check_filter(parsed, endpoint, switches)
    if given.get("$inlinecount", "none") not in {"none", "allpages"}:
        raise bad_request("$inlinecount must be 'none' or 'allpages'.")
    return Options(
        select=select,
        nested=nested,
        expand=expand,
        filter=parsed,
        filter_text=filter_text,
        order=_order(given.get("$orderby"), endpoint, properties, switches),
        top=top,
        skip_token=given.get("$skiptoken"),
        count=given.get("$inlinecount") == "allpages",
    )


def _top(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal():
        raise bad_request(f"Incorrect format for $top argument '{text}'.")
    return int(text)


def _expand(text: str | None, endpoint: Endpoint) -> tuple[str, ...]:
    if text is None:
        return ()
    if endpoint.is_sync:
        raise bad_request("$expand is not supported on sync endpoints.")
    names = tuple(each.strip() for each in text.split(","))
    for name in names:
        if endpoint.shape.properties.get(name) is not Kind.MANY:
            raise bad_request(f"The property '{name}' cannot be expanded.")
    return names


def _select(
    text: str | None, endpoint: Endpoint, properties: Mapping[str, Kind], expand: tuple[str, ...]
) -> tuple[tuple[str, ...] | None, dict[str, tuple[str, ...] | None]]:
    """What to show of the rows, and of the rows of each expanded collection that is selected."""
    if text is None or text.strip() == "*":
        return None, dict.fromkeys(expand)
    select: list[str] = []
    nested: dict[str, list[str] | None] = {}
    for each in (part.strip() for part in text.split(",")):
        name, _, rest = each.partition("/")
        kind = properties.get(name)
        if kind is None:
            raise bad_request(f"Could not find a property named '{name}' on type '{endpoint.path}'.")
        if rest and (kind is not Kind.MANY or name not in expand):
            raise bad_request(f"Only expanded collections can be traversed by $select: '{each}'.")
        if rest and rest != "*":
            _known_child(endpoint, name, rest)
            columns = nested.setdefault(name, [])
            if columns is not None:
                columns.append(rest)
        elif kind is Kind.MANY:
            nested[name] = None
            select.append(name)
        else:
            select.append(name)
    shown = {name: None if columns is None else tuple(columns) for name, columns in nested.items()}
    return tuple(select), {name: columns for name, columns in shown.items() if name in expand}


def _known_child(endpoint: Endpoint, name: str, column: str) -> None:
    child = endpoint.children.get(name)
    if child is not None and column not in SHAPES[child.endpoint].properties:
        raise bad_request(f"Could not find a property named '{column}' on type '{child.endpoint}'.")


def _order(
    text: str | None, endpoint: Endpoint, properties: Mapping[str, Kind], switches: Switches
) -> tuple[Order, ...]:
    key = Order(endpoint.key, endpoint.key_kind)
    if endpoint.is_sync:
        if text is not None and text.split() not in (["Timestamp"], ["Timestamp", "asc"]):
            raise bad_request("Sync endpoints are ordered by Timestamp.")
        return (Order("Timestamp", Kind.INT64), key) if switches.sync_in_order else (key,)
    if text is None:
        return (key,)
    if endpoint.path in switches.unorderable:
        raise bad_request("Ordering is not supported on this endpoint.")
    order: list[Order] = []
    for each in text.split(","):
        name, _, direction = each.strip().partition(" ")
        kind = properties.get(name)
        if kind is None or kind in {Kind.MANY, Kind.COMPLEX, Kind.BINARY}:
            raise bad_request(f"No property '{name}' exists in type '{endpoint.path}' to order by.")
        if direction.strip() not in {"", "asc", "desc"}:
            raise bad_request(f"Syntax error in $orderby '{text}'.")
        order.append(Order(name, kind, descending=direction.strip() == "desc"))
    if key.name not in {each.name for each in order}:
        order.append(key)
    return tuple(order)


def _check_filter(parsed: Filter | None, endpoint: Endpoint, switches: Switches) -> None:
    used = {name for name, _ in parsed.comparisons} if parsed else set()
    refused = used & switches.unfilterable.get(endpoint.path, frozenset())
    if refused:
        raise bad_request(f"Filtering on these fields is not supported: {', '.join(sorted(refused))}")
    if endpoint.is_sync:
        _check_sync_filter(parsed, endpoint)
        return
    allowed = {"Modified", "Created", endpoint.key} & set(endpoint.shape.properties)
    if endpoint.filter_is_mandatory and switches.filter_mandatory and not used & allowed:
        raise bad_request(
            "This endpoint has mandatory filtering applied. Please use a filter on at least one of these fields: "
            + ", ".join(sorted(allowed))
        )


def _check_sync_filter(parsed: Filter | None, endpoint: Endpoint) -> None:
    if parsed is None:
        return
    allowed = {"Timestamp", "EntityType"} if endpoint.path == "sync/Deleted" else {"Timestamp"}
    names = {name for name, _ in parsed.comparisons}
    operators = {operator for _, operator in parsed.comparisons}
    if parsed.has_or or names - allowed or operators - _SYNC_COMPARISONS or "Timestamp" not in names:
        raise bad_request(
            f"Filtering on these fields is not supported: {', '.join(sorted(names - allowed)) or 'this expression'}."
            " Use Timestamp gt."
        )
