"""The query options of an OData v4 call."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from tests.sandbox.acumatica.grammar import FilterError
from tests.sandbox.epicor_kinetic import filters
from tests.sandbox.epicor_kinetic.errors import bad_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.acumatica.grammar import Expression

_ALLOWED = frozenset({"$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$count", "$skiptoken"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_EXPANSION = re.compile(r"([A-Za-z_]\w*)(?:\(\s*\$expand=([A-Za-z_]\w*)\s*\))?")


@dataclasses.dataclass(frozen=True)
class Query:
    """Parsed options.

    Attributes:
        select: Columns wanted; None: all.
        order: Column and whether it is descending.
        expand: Child sets, each with the child set that is wanted below it.
        token: Where a page named by `@odata.nextLink` begins.
    """

    filter: Expression | None
    select: tuple[str, ...] | None
    order: tuple[tuple[str, bool], ...]
    expand: tuple[tuple[str, str | None], ...]
    top: int | None
    skip: int
    count: bool
    token: int | None


def query_of(options: Mapping[str, str]) -> Query:
    """Read the options; those without `$` belong to whoever else wants them.

    Raises:
        Refusal: 400 for what cannot be read or is not supported, 500 for date literals that Kinetic chokes on.
    """
    for name in options:
        if name.startswith("$") and name not in _ALLOWED:
            raise bad_query(f"The query parameter '{name}' is not supported.")
    text = options.get("$filter", "").strip()
    try:
        expression = filters.read(text) if text else None
    except (FilterError, ValueError) as wrong:
        raise bad_query(f"The $filter expression cannot be read. {wrong}") from wrong
    count = options.get("$count", "false")
    if count not in {"true", "false"}:
        raise bad_query(f"Invalid value '{count}' for $count query option found.")
    return Query(
        filter=expression,
        select=_names(options["$select"]) if options.get("$select") else None,
        order=tuple(_order(part) for part in options.get("$orderby", "").split(",") if part.strip()),
        expand=tuple(_expansion(part) for part in options.get("$expand", "").split(",") if part.strip()),
        top=_number("$top", options["$top"]) if "$top" in options else None,
        skip=_number("$skip", options.get("$skip", "0")),
        count=count == "true",
        token=_number("$skiptoken", options["$skiptoken"]) if "$skiptoken" in options else None,
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    for name in names:
        if not _NAME.fullmatch(name):
            raise bad_query(f"Term '{name}' is not valid in a $select expression.")
    return names


def _order(part: str) -> tuple[str, bool]:
    name, *direction = part.split()
    if not _NAME.fullmatch(name) or direction not in ([], ["asc"], ["desc"]):
        raise bad_query(f"Syntax error in $orderby: '{part}'.")
    return name, direction == ["desc"]


def _expansion(part: str) -> tuple[str, str | None]:
    found = _EXPANSION.fullmatch(part.strip())
    if found is None:
        raise bad_query(f"Syntax error in $expand: '{part}'.")
    return found[1], found[2]


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise bad_query(f"Invalid value '{text}' for {name} query option found.")
    return int(text)
