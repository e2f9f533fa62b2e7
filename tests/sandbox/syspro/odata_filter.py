"""`$filter` and `$orderby`: read, checked against the types of the columns, and made into functions of a row."""

from __future__ import annotations

import dataclasses
import datetime as dt
import operator
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.syspro.refusals import Refusal, invalid_query
from tests.sandbox.syspro.schema import TIME_STAMP, Kind, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.syspro.schema import Column, Table
    from tests.sandbox.syspro.switches import Switches

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_TOKENS = re.compile(
    r"""(?P<blank>\s+)|(?P<mark>[()])|(?P<string>'(?:[^']|'')*')
    |(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))(?![\w.])
    |(?P<day>\d{4}-\d\d-\d\d)(?![\w:.-])
    |(?P<number>-?\d+(?:\.\d+)?)(?![\w.-])
    |(?P<word>[A-Za-z_]\w*)""",
    re.VERBOSE,
)
SERVER_ZONES = {"utc": dt.UTC, "offset": dt.timezone(dt.timedelta(hours=2)), "date": dt.UTC}


class _Literal(NamedTuple):
    form: str
    value: Any


@dataclasses.dataclass
class Filter:
    """A filter that fits its table.

    Attributes:
        matches: Whether a row is wanted.
        nodes: Size of the expression, as the library counts it.
        has_or: Whether it has alternatives.
    """

    matches: Callable[[Row], bool]
    nodes: int
    has_or: bool


def parse(text: str, table: Table, switches: Switches) -> Filter:
    """Read a filter.

    Raises:
        Refusal: 400, when it cannot be read, names an unknown column or compares what cannot be compared.
    """
    return _Parser(text, table, switches).whole()


class _Parser:
    def __init__(self, text: str, table: Table, switches: Switches) -> None:
        self._table = table
        self._zone = SERVER_ZONES[switches.date_form]
        self._is_date = switches.date_form == "date"
        self._stamp = switches.time_stamp
        self._tokens = _split(text)
        self._at = 0
        self._nodes = 0
        self._has_or = False

    def whole(self) -> Filter:
        matches = self._disjunction()
        if self._peek()[0] != "end":
            raise _syntax_error(self._peek()[1])
        return Filter(matches, self._nodes, self._has_or)

    def _disjunction(self) -> Callable[[Row], bool]:
        parts = [self._conjunction()]
        while self._peek() == ("word", "or"):
            self._next()
            self._nodes += 1
            self._has_or = True
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _conjunction(self) -> Callable[[Row], bool]:
        parts = [self._comparison()]
        while self._peek() == ("word", "and"):
            self._next()
            self._nodes += 1
            parts.append(self._comparison())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _comparison(self) -> Callable[[Row], bool]:
        if self._peek() == ("mark", "("):
            self._next()
            inside = self._disjunction()
            if self._next() != ("mark", ")"):
                raise invalid_query("')' or operator expected.")
            return inside
        kind, name = self._next()
        if kind != "word":
            raise _syntax_error(name)
        column = self._column(name)
        kind, word = self._next()
        if kind != "word" or word not in _OPERATORS:
            raise _syntax_error(word)
        self._nodes += 3
        return self._compared(column, word, self._literal())

    def _column(self, name: str) -> Column:
        column = self._table.by_name.get(name)
        if column is None or (name == TIME_STAMP and (self._stamp == "absent" or self._table.is_view)):
            raise unknown_column(self._table, name)
        return column

    def _literal(self) -> _Literal:
        kind, text = self._next()
        if kind == "string":
            return _Literal(kind, text[1:-1].replace("''", "'"))
        if kind == "number":
            return _Literal(kind, Decimal(text))
        try:
            if kind == "moment":
                return _Literal(kind, dt.datetime.fromisoformat(text))
            if kind == "day":
                return _Literal(kind, dt.date.fromisoformat(text))
        except ValueError as wrong:
            raise _syntax_error(text) from wrong
        if (kind, text) == ("word", "null"):
            return _Literal("null", None)
        raise _syntax_error(text)

    def _compared(self, column: Column, word: str, literal: _Literal) -> Callable[[Row], bool]:
        place = self._table.places[column.name]
        compare = _OPERATORS[word]
        if literal.form == "null":
            if word not in {"eq", "ne"}:
                return lambda _: False
            return lambda row: compare(row[place], None)
        wanted = {
            Kind.TEXT: "string",
            Kind.INTEGER: "number",
            Kind.DECIMAL: "number",
            Kind.DAY: "day" if self._is_date else "moment",
            Kind.ROW_VERSION: "number" if self._stamp == "number" else None,
        }.get(column.kind)
        if literal.form != wanted:
            raise invalid_query(
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{column.kind.value}' of '{column.name}' and '{literal.form}' for operator kind '{word}'."
            )
        value = literal.value
        if column.kind is Kind.TEXT:
            value = value.rstrip(" ")  # SQL pads the shorter of two texts with blanks
            return lambda row: compare(row[place].rstrip(" "), value)  # type: ignore[union-attr]
        if column.kind is Kind.DAY:
            read = self._day_reader(place)
            return lambda row: (
                (read(row) is None and word == "ne") or (read(row) is not None and compare(read(row), value))
            )
        return lambda row: word == "ne" if row[place] is None else compare(row[place], value)

    def _day_reader(self, place: int) -> Callable[[Row], Any]:
        if self._is_date:
            return lambda row: row[place]
        zone = self._zone
        midnight = dt.time()

        def read(row: Row) -> dt.datetime | None:
            value = row[place]
            return dt.datetime.combine(value, midnight, zone) if isinstance(value, dt.date) else None

        return read

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        if token[0] != "end":
            self._at += 1
        return token


def _split(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None or found.lastgroup is None:
            raise _syntax_error(text[at:])
        if found.lastgroup != "blank":
            tokens.append((found.lastgroup, found.group()))
        at = found.end()
    return [*tokens, ("end", "")]


def _syntax_error(text: str) -> Refusal:
    return invalid_query(f"Syntax error at '{text[:40]}'.")


def unknown_column(table: Table, name: str) -> Refusal:
    """400: a column that the table does not have."""
    return invalid_query(f"Could not find a property named '{name}' on type 'SYSPRO.{table.name}'.")


def sort_key(row: Row, place: int) -> tuple[bool, Any]:
    """How SQL Server orders values: NULL first, text by code point."""
    value = row[place]
    return (value is not None, value.rstrip(" ") if isinstance(value, str) else value)
