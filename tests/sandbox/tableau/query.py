"""Paging, filters and sorting of lists, as the query string asks for them.

Tableau splits a filter at commas before it looks at the values, so a value that holds one of `, & : [ ]` can
never be matched, however it is encoded. Values compare ignoring nothing; `*` is a wildcard in `eq`.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

from tests.sandbox.tableau.errors import bad_request, forbidden
from tests.sandbox.tableau.wire import element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Callable, Mapping

    from starlette.datastructures import QueryParams

Item = TypeVar("Item")
Value = str | int | bool | list[str] | None
Fields = dict[str, Value]

_LARGEST_PAGE = 1000
_EXPRESSION = re.compile(r"[A-Za-z]+:[a-z]+:")
_OPERATORS = frozenset({"eq", "in", "gt", "gte", "lt", "lte", "has", "cieq"})


def page(items: list[Item], query: QueryParams) -> tuple[ET.Element, list[Item]]:
    """Cut one page out of a list.

    Returns:
        The `<pagination>` element and the page's items.

    Raises:
        TableauError: 400006 for a page number that is no number or past the end, 400007 for a page size
            that is no number or less than one, 403014 for one beyond 1000.
    """
    size = _number(query.get("pageSize", "100"), "400007", "page size")
    number = _number(query.get("pageNumber", "1"), "400006", "page number")
    if size > _LARGEST_PAGE:
        raise forbidden(f"The page size {size} is larger than the maximum of {_LARGEST_PAGE}.", "403014")
    start = (number - 1) * size
    if number > 1 and start >= len(items):
        raise bad_request(f"Page number {number} is past the last page.", "400006")
    head = element("pagination", pageNumber=number, pageSize=size, totalAvailable=len(items))
    return head, items[start : start + size]


def _number(text: str, code: str, what: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise bad_request(f"Invalid {what}: '{text}'", code)
    return int(text)


def select(items: list[Item], query: QueryParams, fields: Callable[[Item], Fields]) -> list[Item]:
    """Filter and sort a list by its items' fields.

    Raises:
        TableauError: 400003, for a field or operator that the method does not know.
    """
    chosen = items
    for name, operator, value in _expressions(query.get("filter", "")):
        _known(name, items, fields)
        if operator not in _OPERATORS:
            raise bad_request(f"Invalid filter operator '{operator}'", "400003")
        chosen = [item for item in chosen if _matches(fields(item).get(name), operator, value)]
    for name, descending in reversed(_orders(query.get("sort", ""))):
        _known(name, items, fields)
        chosen = sorted(chosen, key=_sort_key(fields, name), reverse=descending)
    return chosen


def _sort_key(fields: Callable[[Item], Fields], name: str) -> Callable[[Item], str]:
    return lambda item: _text(fields(item).get(name)).casefold()


def _known(name: str, items: list[Item], fields: Callable[[Item], Fields]) -> None:
    if items and name not in fields(items[0]):
        raise bad_request(f"Invalid field '{name}' in filter or sort expression", "400003")


def _expressions(text: str) -> list[tuple[str, str, str]]:
    """Split at commas outside brackets; a piece that is no expression belongs to the value before it."""
    pieces: list[str] = []
    for piece in re.split(r",(?![^\[]*\])", text) if text else []:
        if _EXPRESSION.match(piece) or not pieces:
            pieces.append(piece)
        else:
            pieces[-1] += f",{piece}"
    split = [tuple(piece.split(":", 2)) for piece in pieces]
    if any(len(parts) != 3 for parts in split):
        raise bad_request(f"Invalid filter expression '{text}'", "400003")
    return [(name, operator, value) for name, operator, value in split]


def _orders(text: str) -> list[tuple[str, bool]]:
    orders = []
    for piece in text.split(",") if text else []:
        name, _, direction = piece.partition(":")
        if direction not in {"", "asc", "desc"}:
            raise bad_request(f"Invalid sort expression '{piece}'", "400003")
        orders.append((name, direction == "desc"))
    return orders


def _matches(held: Value, operator: str, value: str) -> bool:
    if operator == "in":
        if not (value.startswith("[") and value.endswith("]")):
            return False
        return any(_text(held) == wanted for wanted in value[1:-1].split(","))
    if re.search(r"[,&:\[\]]", value) and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
        return False
    if isinstance(held, list):
        return any(_matches(one, operator, value) for one in held)
    return _compared(held, operator, value)


def _compared(held: Value, operator: str, value: str) -> bool:
    text = _text(held)
    if operator == "eq":
        return fnmatchcase(text, re.sub(r"([?])", r"[\1]", value))
    if operator in {"cieq", "has"}:
        return (
            text.casefold() == value.casefold() if operator == "cieq" else value.casefold() in text.casefold()
        )
    comparisons: Mapping[str, Callable[[str | int, str | int], bool]] = {
        "gt": lambda a, b: a > b,  # type: ignore[operator]  # both are text, or both are numbers
        "gte": lambda a, b: a >= b,  # type: ignore[operator]  # as above
        "lt": lambda a, b: a < b,  # type: ignore[operator]  # as above
        "lte": lambda a, b: a <= b,  # type: ignore[operator]  # as above
    }
    if isinstance(held, int) and value.isdigit():
        return comparisons[operator](held, int(value))
    return comparisons[operator](text, value)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
