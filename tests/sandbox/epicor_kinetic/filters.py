"""`$filter` and `$orderby` of OData v4 as Kinetic takes them: literals, type checks, a function per row."""

from __future__ import annotations

import datetime as dt
import operator
import re
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica.grammar import (
    Call,
    Compare,
    Dialect,
    Expression,
    FilterError,
    Junction,
    Literal,
    Not,
    Operand,
    Path,
    parse,
)
from tests.sandbox.epicor_kinetic.errors import bad_date
from tests.sandbox.epicor_kinetic.schema import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.sandbox.epicor_kinetic.schema import Row, Value
    from tests.sandbox.epicor_kinetic.switches import Switches

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_TOKENS = re.compile(
    r"""(?P<blank>\s+)
    |(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
    |(?P<moment>\d{4}-\d\d-\d\dT[0-9:.]+(?:[Zz]|[+-]\d\d:\d\d)?)
    |(?P<day>\d{4}-\d\d-\d\d)
    |(?P<string>'(?:[^']|'')*')
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_/]*)
    |(?P<mark>[(),])""",
    re.VERBOSE,
)
_WHOLE_SECOND_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[Zz]")
_NUMBERS = {Kind.INT, Kind.LONG, Kind.DECIMAL}
_TEXT_CHANGES: dict[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper}


def read(text: str) -> Expression:
    """Read a filter.

    Raises:
        FilterError: It is not one.
        Refusal: 500, a date literal has a fraction or an offset.
    """
    return parse(text, _DIALECT)


def _moment(text: str) -> Literal:
    if not _WHOLE_SECOND_UTC.fullmatch(text):
        if "." in text or re.search(r"[+-]\d\d:\d\d$", text):
            raise bad_date("An unexpected error has occurred.")  # HTTP 500, not 400 (seen in production)
        raise FilterError(f"Unrecognized 'Edm.DateTimeOffset' literal '{text}'.")
    try:
        return Literal("moment", dt.datetime.fromisoformat(text.upper()))
    except ValueError as wrong:
        raise FilterError(f"Unrecognized 'Edm.DateTimeOffset' literal '{text}'.") from wrong


_DIALECT = Dialect(
    _TOKENS,
    {
        "moment": _moment,
        "day": lambda text: Literal("day", dt.date.fromisoformat(text)),
        "guid": lambda text: Literal("guid", str(uuid.UUID(text))),
        "string": lambda text: Literal("string", text[1:-1].replace("''", "'")),
        "number": lambda text: Literal("number", Decimal(text)),
    },
    {"contains": 2, "startswith": 2, "endswith": 2, "tolower": 1, "toupper": 1},
)


class Columns:
    """The columns of a row type as its filters see them.

    Args:
        type_name: For messages.
        columns: All of them.
        switches: How calculated columns are met, and in which zone a calendar day begins.
        answering: Columns of the rows that are really asked, where those are not the ones checked.
    """

    def __init__(
        self,
        type_name: str,
        columns: Mapping[str, Column],
        switches: Switches,
        answering: Mapping[str, Column] | None = None,
    ) -> None:
        self._type_name = type_name
        self._columns = columns
        self._switches = switches
        self._answering = columns if answering is None else answering
        offset = switches.zone_minutes if switches.dates == "offset" else 0
        self._zone = dt.timezone(dt.timedelta(minutes=offset))

    def named(self, name: str) -> Column:
        """A column by its exact name.

        Raises:
            FilterError: There is none, or it is calculated.
        """
        column = self._columns.get(name)
        if column is None:
            raise FilterError(f"Could not find a property named '{name}' on type '{self._type_name}'.")
        if column.calculated and self._switches.calculated_filters == "refuse":
            raise FilterError(f"Invalid column name '{name}'.")
        return column

    def order(self, names: tuple[tuple[str, bool], ...], rows: list[Row]) -> list[Row]:
        """The rows in order; those that tie stay as they came."""
        for name, descending in reversed(names):
            column = self.named(name)
            rows = sorted(rows, key=lambda row, column=column: self._rank(column, row), reverse=descending)  # type: ignore[misc]
        return rows

    def _rank(self, column: Column, row: Row) -> tuple[bool, Any]:
        value = self.comparable(column, row)
        return value is not None, value if value is not None else 0

    def comparable(self, column: Column, row: Row) -> Any:
        """A value as the database compares it: text without case, a day as its midnight."""
        value = column.read(row)
        if isinstance(value, str):
            return value.rstrip().casefold()
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return dt.datetime.combine(value, dt.time(), self._zone)
        return value

    def compiled(self, expression: Expression) -> Callable[[Row], bool]:
        """A function that says whether a row matches.

        Raises:
            FilterError: A column is unknown, or a literal does not fit it.
        """
        if isinstance(expression, Junction):
            parts = [self.compiled(part) for part in expression.parts]
            if expression.operator == "and":
                return lambda row: all(part(row) for part in parts)
            return lambda row: any(part(row) for part in parts)
        if isinstance(expression, Not):
            inside = self.compiled(expression.part)
            return lambda row: not inside(row)
        if isinstance(expression, Compare):
            return self._comparison(expression)
        if isinstance(expression, Call):
            return self._text_test(expression)
        column = self._condition(expression)
        if column.kind is not Kind.BOOLEAN:
            raise FilterError("The $filter expression must evaluate to a single boolean value.")
        return lambda row: column.read(row) is True

    def _condition(self, path: Path) -> Column:
        return self.named("/".join(path.names))

    def _comparison(self, expression: Compare) -> Callable[[Row], bool]:
        left, right, sign = expression.left, expression.right, expression.operator
        if isinstance(left, Literal):
            left, right, sign = right, left, _MIRRORED[sign]
        if isinstance(left, Call) and left.name not in _TEXT_CHANGES:
            return self._test_against(left, right, sign)
        if isinstance(left, Literal) or not isinstance(right, Literal):
            raise FilterError("A property can only be compared with a constant.")
        column = self._operand_column(left)
        if right.form != "null" and not _fits(column.kind, right):
            raise FilterError(
                "A binary operator with incompatible types was detected. Found operand types"
                f" '{column.kind.edm}' and '{right.form}' for operator kind '{sign}'."
            )
        if not self._is_answered(column):
            return lambda _row: False
        if right.form == "null":
            if sign not in {"eq", "ne"}:
                raise FilterError(f"Null cannot be compared by '{sign}'.")
            return lambda row: (column.read(row) is None) is (sign == "eq")
        wanted = self.comparable(Column("", column.kind), {"": right.value})
        compare = _OPERATORS[sign]

        def matches(row: Row) -> bool:
            value = self.comparable(column, row)
            return value is not None and compare(value, wanted)

        return matches

    def _is_answered(self, column: Column) -> bool:
        """Whether the rows have this column, and it is one of the database."""
        return column.name in self._answering and not column.calculated

    def _operand_column(self, operand: Operand) -> Column:
        if isinstance(operand, Path):
            return self._condition(operand)
        if isinstance(operand, Call) and isinstance(operand.arguments[0], Path):
            return self._condition(operand.arguments[0])  # comparisons ignore case anyway
        raise FilterError("A property can only be compared with a constant.")

    def _test_against(self, call: Call, right: Operand, sign: str) -> Callable[[Row], bool]:
        if not isinstance(right, Literal) or right.form != "boolean" or sign not in {"eq", "ne"}:
            raise FilterError(f"The function '{call.name}' can only be compared with true or false.")
        test = self._text_test(call)
        wanted = right.value if sign == "eq" else not right.value
        return lambda row: test(row) is wanted

    def _text_test(self, call: Call) -> Callable[[Row], bool]:
        if call.name in _TEXT_CHANGES:
            raise FilterError("The $filter expression must evaluate to a single boolean value.")
        column, needle = self._operand_column(call.arguments[0]), call.arguments[1]
        if (
            column.kind is not Kind.TEXT
            or not isinstance(needle, Literal)
            or not isinstance(needle.value, str)
        ):
            raise FilterError(f"No function signature for the function with name '{call.name}' matches.")
        wanted = needle.value.casefold()
        test = {"startswith": str.startswith, "endswith": str.endswith}.get(call.name, str.__contains__)
        if not self._is_answered(column):
            return lambda _row: False
        return lambda row: test(str(self.comparable(column, row) or ""), wanted)


def lower_bound(expression: Expression | None, name: str) -> int | None:
    """The number that a column has to exceed for a filter to match, as far as its outer `and` tells."""
    bounds = [bound for bound in _bounds(expression, name) if bound is not None]
    return max(bounds, default=None)


def _bounds(expression: Expression | None, name: str) -> Iterator[int | None]:
    if isinstance(expression, Junction) and expression.operator == "and":
        for part in expression.parts:
            yield from _bounds(part, name)
    elif isinstance(expression, Compare) and expression.left == Path((name,)):
        right = expression.right
        if isinstance(right, Literal) and isinstance(right.value, Decimal):
            if expression.operator == "gt":
                yield int(right.value)
            elif expression.operator == "ge":
                yield int(right.value) - 1


def _fits(kind: Kind, literal: Literal) -> bool:
    if kind in _NUMBERS:
        return literal.form == "number"
    wanted: dict[Kind, str] = {
        Kind.TEXT: "string",
        Kind.BOOLEAN: "boolean",
        Kind.GUID: "guid",
        Kind.DATE: "moment",
        Kind.STAMP: "moment",
    }
    return wanted.get(kind) == literal.form


def value_fits(kind: Kind, text: str) -> Value:
    """A key part of an address as the value that it stands for.

    Raises:
        FilterError: It does not fit its column.
    """
    found = _TOKENS.fullmatch(text)
    read_literal = None if found is None else _DIALECT.literals.get(found.lastgroup or "")
    if text in {"true", "false"}:
        literal = Literal("boolean", text == "true")
    elif read_literal is not None:
        literal = read_literal(text)
    else:
        raise FilterError(f"The key value '{text}' cannot be read.")
    if not _fits(kind, literal):
        raise FilterError(f"The key value '{text}' does not fit '{kind.edm}'.")
    value = literal.value
    if isinstance(value, dt.datetime) and kind is Kind.DATE:
        return value.date()
    return int(value) if isinstance(value, Decimal) and kind is not Kind.DECIMAL else value
