"""Conditions on rows, independent of the interface that evaluates them: any of groups, all of terms.

Both interfaces are told the same conditions in their own words, and the tap checks them again on rows of an interface
that silently ignores what it does not understand.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import operator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Value = str | int | Decimal | dt.date | None

_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


@dataclasses.dataclass(frozen=True)
class Term:
    """One comparison.

    Attributes:
        column: The column, by the ERP's name.
        operator: eq, ne, gt, ge, lt or le.
        value: A text, a number, a day, or None for null.
        raw: The value exactly as the service wrote it, for a date that is to be found again whatever its offset.
    """

    column: str
    operator: str
    value: Value
    raw: str = ""


Group = tuple[Term, ...]
"""Terms that hold together."""
Condition = tuple[Group, ...]
"""Groups of which one holds."""


def product(conditions: Sequence[Condition]) -> Condition:
    """Conditions that hold together, as one."""
    return tuple(tuple(itertools.chain(*groups)) for groups in itertools.product(*conditions))


def behind(keys: Sequence[str], values: Sequence[Value], raws: Sequence[str]) -> Condition:
    """The rows that come after a key in key order."""
    terms = [Term(key, "eq", value, raw) for key, value, raw in zip(keys, values, raws, strict=True)]
    return tuple((*terms[:i], dataclasses.replace(term, operator="gt")) for i, term in enumerate(terms))


def from_on(keys: Sequence[str], values: Sequence[Value], raws: Sequence[str]) -> Condition:
    """The rows that come after a key in key order, and those that bear it."""
    *before, last = behind(keys, values, raws)
    return (*before, (*last[:-1], dataclasses.replace(last[-1], operator="ge")))


def any_of(column: str, values: Iterable[Value]) -> Condition:
    """Rows with one of these values."""
    return tuple((Term(column, "eq", value),) for value in values)


def checker(
    condition: Condition, converters: Mapping[str, Callable[[Any], Any]]
) -> Callable[[Mapping[str, Any]], bool]:
    """Make a function that tells whether a row fulfils a condition.

    Args:
        condition: The condition.
        converters: How the values of each column are made comparable.
    """

    def plain(value: Value) -> Any:  # noqa: ANN401 - a text, number or None
        if isinstance(value, dt.date):
            return value.isoformat()
        return value.rstrip() if isinstance(value, str) else value

    groups = [
        [(t.column, _COMPARISONS[t.operator], plain(t.value), converters[t.column]) for t in group]
        for group in condition
    ]

    def holds(row: Mapping[str, Any]) -> bool:
        for group in groups:
            for column, compare, value, convert in group:
                raw = row.get(column)
                found = None if raw is None else convert(raw)
                if value is None or found is None:
                    if not (compare is operator.eq and found is value) and not (
                        compare is operator.ne and found is not value
                    ):
                        break
                elif not compare(found, value):
                    break
            else:
                return True
        return False

    return holds
