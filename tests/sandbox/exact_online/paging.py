"""Pages by key: where the next one begins is told by the last row's own values, never by counting."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.exact_online import filters
from tests.sandbox.exact_online.errors import bad_request
from tests.sandbox.exact_online.shapes import Kind

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from tests.sandbox.exact_online.options import Order
    from tests.sandbox.exact_online.rows.row import Row


def ordered(rows: Sequence[Row], order: Sequence[Order]) -> list[Row]:
    """The rows in order; nulls come first."""
    result = list(rows)
    for each in reversed(order):
        result.sort(key=_rank_by(each.name), reverse=each.descending)
    return result


def after(rows: Sequence[Row], order: Sequence[Order], token: str) -> list[Row]:
    """The rows behind the place that a skip token names.

    Args:
        rows: In that order.
        order: What they are sorted by.
        token: `$skiptoken`, decoded.

    Raises:
        Refusal: 400, when the token does not fit the order.
    """
    place = _parse(token, order)
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if _is_behind(rows[middle], order, place):
            high = middle
        else:
            low = middle + 1
    return list(rows[low:])


def token_of(row: Row, order: Sequence[Order]) -> str:
    """The skip token of the page that begins behind a row."""
    return ",".join(write_literal(row.values.get(each.name), each.kind) for each in order)


def write_literal(value: Any, kind: Kind) -> str:
    """A value as a literal of the query language; milliseconds lose their trailing zeros."""
    if value is None:
        return "null"
    text = _WRITERS.get(kind, str)(value)
    return f"{text}M" if isinstance(value, Decimal) else text


def _write_time(moment: dt.datetime) -> str:
    text = f"{moment:%Y-%m-%dT%H:%M:%S}"
    fraction = f"{moment.microsecond:06d}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def _write_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.GUID: lambda value: f"guid'{value}'",
    Kind.TIME: lambda value: f"datetime'{_write_time(value)}'",
    Kind.TEXT: _write_text,
    Kind.INT64: lambda value: f"{value}L",
    Kind.BOOLEAN: lambda value: str(value).lower(),
}


def _rank_by(name: str) -> Callable[[Row], tuple[bool, Any]]:
    return lambda row: _rank(row.values.get(name))


def _rank(value: Any) -> tuple[bool, Any]:
    return (False, 0) if value is None else (True, value)


def _parse(token: str, order: Sequence[Order]) -> list[Any]:
    parts: list[str] = []
    current, quoted = "", False
    for letter in token:
        if letter == "'":
            quoted = not quoted
        if letter == "," and not quoted:
            parts.append(current)
            current = ""
        else:
            current += letter
    parts.append(current)
    literals = [filters.parse_literal(part) for part in parts]
    if len(literals) != len(order):
        raise bad_request("The $skiptoken does not fit the order of the list.")
    values: list[Any] = []
    for literal, each in zip(literals, order, strict=True):
        if literal is None or not literal.suits(each.kind):
            raise bad_request("The $skiptoken does not fit the order of the list.")
        values.append(literal.value)
    return values


def _is_behind(row: Row, order: Sequence[Order], place: Sequence[Any]) -> bool:
    for each, value in zip(order, place, strict=True):
        here, there = _rank(row.values.get(each.name)), _rank(value)
        if here != there:
            return (here > there) is not each.descending
    return False
