"""Filter expressions at work: type checks, a function per row, and the window of stamps that they ask for."""

from __future__ import annotations

import dataclasses
import datetime as dt
import operator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica.grammar import (
    Call,
    Compare,
    CustomPath,
    Expression,
    FilterError,
    Junction,
    Literal,
    Not,
    Operand,
    Path,
)
from tests.sandbox.acumatica.wire import NUMERIC, Kind, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_FORMS: dict[Kind, frozenset[str]] = {
    Kind.STRING: frozenset({"string"}),
    Kind.BOOLEAN: frozenset({"boolean"}),
    Kind.GUID: frozenset({"guid"}),
    Kind.STAMP: frozenset({"moment"}),
    Kind.DAY: frozenset({"day"}),
    **dict.fromkeys(NUMERIC, frozenset({"number"})),
}


@dataclasses.dataclass(frozen=True)
class Column:
    """A field as a filter sees it.

    Attributes:
        read: Gives the raw value of a row.
        decode: Turns a literal's text into what is stored, for drop-downs.
    """

    kind: Kind
    read: Callable[[Any], Value]
    decode: Callable[[str], str] | None = None


@dataclasses.dataclass(frozen=True)
class Binding:
    """How a filter meets its rows.

    Attributes:
        column: Finds the column of a path or raises `FilterError`.
        compares_functions: Whether `startswith(…) eq true` means what it says; otherwise it finds nothing.
    """

    column: Callable[[Path | CustomPath], Column]
    compares_functions: bool


def compiled(expression: Expression, binding: Binding) -> Callable[[Any], bool]:
    """A function that says whether a row matches.

    A comparison with null is never true, as in SQL, except `eq null` and `ne null`.

    Raises:
        FilterError: A field is unknown, or a literal does not fit its field.
    """
    if isinstance(expression, Junction):
        parts = [compiled(part, binding) for part in expression.parts]
        if expression.operator == "and":
            return lambda row: all(part(row) for part in parts)
        return lambda row: any(part(row) for part in parts)
    if isinstance(expression, Not):
        inside = compiled(expression.part, binding)
        return lambda row: not inside(row)
    if isinstance(expression, Compare):
        return _comparison(expression, binding)
    if isinstance(expression, Call):
        read = _function(expression, binding).read
        return lambda row: bool(read(row))
    column = binding.column(expression)
    if column.kind is not Kind.BOOLEAN:
        raise FilterError(f"The field '{'/'.join(expression.names)}' is no condition.")
    return lambda row: column.read(row) is True


def window(expression: Expression, names: frozenset[str]) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The closed interval that a filter puts around one of the fields `names`; None where it is open."""
    lower: dt.datetime | None = None
    upper: dt.datetime | None = None
    for sign, moment in _limits(expression, names):
        if sign in {"ge", "gt", "eq"}:
            lower = moment if lower is None else max(lower, moment)
        if sign in {"le", "lt", "eq"}:
            upper = moment if upper is None else min(upper, moment)
    return lower, upper


def fields_of(expression: Expression | Operand) -> Iterator[Path]:
    """Every field that a filter names."""
    if isinstance(expression, Path):
        yield expression
    elif isinstance(expression, Junction):
        for part in expression.parts:
            yield from fields_of(part)
    elif isinstance(expression, Not):
        yield from fields_of(expression.part)
    elif isinstance(expression, Compare):
        yield from fields_of(expression.left)
        yield from fields_of(expression.right)
    elif isinstance(expression, Call):
        for argument in expression.arguments:
            yield from fields_of(argument)


def _limits(expression: Expression, names: frozenset[str]) -> Iterator[tuple[str, dt.datetime]]:
    if isinstance(expression, Junction) and expression.operator == "and":
        for part in expression.parts:
            yield from _limits(part, names)
    elif isinstance(expression, Compare):
        left, right, sign = expression.left, expression.right, expression.operator
        if isinstance(left, Literal):
            left, right, sign = right, left, _MIRRORED[sign]
        if isinstance(left, Path) and left.names[-1] in names and len(left.names) == 1:
            moment = right.value if isinstance(right, Literal) else None
            if isinstance(moment, dt.datetime):
                yield sign, moment


def _comparison(expression: Compare, binding: Binding) -> Callable[[Any], bool]:
    left, right, sign = expression.left, expression.right, expression.operator
    if isinstance(left, Literal):
        left, right, sign = right, left, _MIRRORED[sign]
    if not isinstance(right, Literal):
        raise FilterError("Type conversions not supported: a field can only be compared with a constant.")
    if isinstance(left, Literal):
        raise FilterError("Type conversions not supported: two constants are compared.")
    is_condition = isinstance(left, Call) and left.name not in {"tolower", "toupper"}
    column = _function(left, binding) if isinstance(left, Call) else binding.column(left)
    if right.form == "null":
        return _null_test(column, sign)
    wanted = _stored(column, right)
    if is_condition and not binding.compares_functions:
        return lambda _row: False
    compare = _OPERATORS[sign]
    plain = column.kind is not Kind.STRING

    def matches(row: object) -> bool:
        value = column.read(row)
        if value is None:
            return False
        return compare(value if plain else _collated(value), wanted)

    return matches


def _null_test(column: Column, sign: str) -> Callable[[Any], bool]:
    if sign == "eq":
        return lambda row: column.read(row) is None
    if sign == "ne":
        return lambda row: column.read(row) is not None
    raise FilterError(f"Null cannot be compared by '{sign}'.")


def _stored(column: Column, literal: Literal) -> Value:
    if literal.form not in _FORMS[column.kind]:
        raise FilterError(f"Type conversions not supported: {literal.form} against {column.kind}.")
    if isinstance(literal.value, str) and column.kind is Kind.STRING:
        return _collated(literal.value if column.decode is None else column.decode(literal.value))
    if isinstance(literal.value, Decimal) and column.kind is not Kind.DECIMAL and literal.value % 1:
        raise FilterError(f"Type conversions not supported: {literal.value} against {column.kind}.")
    return literal.value


def _collated(value: Value) -> str:
    """Text as the database compares it: case and trailing blanks do not count."""
    return str(value).rstrip().casefold()


def _function(call: Call, binding: Binding) -> Column:
    if call.name in {"tolower", "toupper"}:
        inner = _text_column(call.arguments[0], binding)
        change = str.lower if call.name == "tolower" else str.upper
        return Column(Kind.STRING, lambda row: _applied(change, inner.read(row)))
    flipped = call.name == "substringof"  # the only one that names its text first
    needle, hay = call.arguments if flipped else reversed(call.arguments)
    column = _text_column(hay, binding)
    if not isinstance(needle, Literal) or not isinstance(needle.value, str):
        raise FilterError(f"No function signature for the function '{call.name}' matches the arguments.")
    wanted = needle.value.casefold()
    test = {"startswith": str.startswith, "endswith": str.endswith}.get(call.name, str.__contains__)

    def found(row: object) -> bool:
        value = column.read(row)
        return isinstance(value, str) and test(value.rstrip().casefold(), wanted)

    return Column(Kind.BOOLEAN, found)


def _applied(change: Callable[[str], str], value: Value) -> Value:
    return change(value) if isinstance(value, str) else None


def _text_column(operand: Operand, binding: Binding) -> Column:
    if isinstance(operand, Literal):
        raise FilterError("Type conversions not supported: a function needs a field.")
    column = _function(operand, binding) if isinstance(operand, Call) else binding.column(operand)
    if column.kind is not Kind.STRING:
        raise FilterError("Type conversions not supported: a function of text needs a text field.")
    return column
