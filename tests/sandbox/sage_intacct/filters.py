"""Filters of `query`: exactly one operator on top, two or more below `and` and `or`, values by type."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable  # noqa: TC003 - a module-level table is annotated with it
from typing import TYPE_CHECKING, Any

from tests.sandbox.sage_intacct import errors
from tests.sandbox.sage_intacct.values import comparable, read

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from tests.sandbox.sage_intacct.switches import Switches
    from tests.sandbox.sage_intacct.values import Column, Value


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equalto": operator.eq,
    "notequalto": operator.ne,
    "lessthan": operator.lt,
    "lessthanorequalto": operator.le,
    "greaterthan": operator.gt,
    "greaterthanorequalto": operator.ge,
}
_LIKES = {"like", "notlike"}
_MOST_VALUES = 1000
_LOGIC = {"and", "or"}


class Filters:
    """Compiles filters on one object.

    Args:
        name: The object.
        resolve: Finds a field, dotted ones too.
        fold: `caseinsensitive` is true.
        switches: How text numbers compare and which zone stamps are in.
    """

    def __init__(
        self, name: str, resolve: Callable[[str], Column], *, fold: bool, switches: Switches
    ) -> None:
        self._name = name
        self._resolve = resolve
        self._fold = fold
        self._switches = switches

    def compile(self, node: ET.Element) -> Callable[[Any], bool]:
        """What the element `filter` lets through.

        Raises:
            Refusal: It is not a filter.
        """
        if len(node) != 1:
            raise errors.bad_query(f"filter must hold exactly one operator, not {len(node)}")
        return self.operator(node[0])

    def operator(self, node: ET.Element) -> Callable[[Any], bool]:
        """What one operator lets through.

        Raises:
            Refusal: It is not one.
        """
        if node.tag in _LOGIC:
            if len(node) < 2:
                raise errors.bad_query(f"{node.tag} needs two or more conditions, not {len(node)}")
            parts = [self.operator(child) for child in node]
            if node.tag == "and":
                return lambda row: all(part(row) for part in parts)
            return lambda row: any(part(row) for part in parts)
        return self._condition(node)

    def _condition(self, node: ET.Element) -> Callable[[Any], bool]:
        column = self._column(node)
        if node.tag in {"isnull", "isnotnull"}:
            self._values(node, column, 0, 0)
            wanted, get = node.tag == "isnull", column.get
            return lambda row: (get(row) is None) is wanted
        if node.tag in COMPARISONS:
            (value,) = self._values(node, column, 1, 1)
            return self._compare(node.tag, column, value)
        if node.tag in _LIKES:
            return self._like(node, column)
        if node.tag == "between":
            low, high = self._values(node, column, 2, 2)
            above = self._compare("greaterthanorequalto", column, low)
            below = self._compare("lessthanorequalto", column, high)
            return lambda row: above(row) and below(row)
        if node.tag in {"in", "notin"}:
            return self._in(node, column)
        raise errors.bad_query(f"{node.tag} is not an operator")

    def _column(self, node: ET.Element) -> Column:
        fields = node.findall("field")
        if len(fields) != 1:
            raise errors.bad_query(f"{node.tag} needs exactly one field")
        return self._resolve((fields[0].text or "").strip())

    def _values(self, node: ET.Element, column: Column, least: int, most: int) -> list[Value]:
        strange = [child.tag for child in node if child.tag not in {"field", "value"}]
        if strange:
            raise errors.bad_query(f"{node.tag} may not hold {strange[0]}")
        texts = [child.text or "" for child in node.findall("value")]
        if not least <= len(texts) <= most:
            raise errors.bad_query(f"{node.tag} takes {least} to {most} values, not {len(texts)}")
        values = [read(self._name, column.field, text, self._switches) for text in texts]
        return [self._key(column)(value) for value in values]

    def _key(self, column: Column) -> Callable[[Value], Any]:
        """What makes two values of a column comparable."""
        as_number = (
            column.field.id == "RECORDNO"
            and column.field.datatype == "TEXT"
            and self._switches.text_keys_compare == "number"
        )
        if as_number:
            return lambda value: int(re.sub(r"\D", "", str(value)) or 0)
        return lambda value: comparable(value, fold=self._fold)

    def _compare(self, how: str, column: Column, wanted: Any) -> Callable[[Any], bool]:
        get, key, holds = column.get, self._key(column), COMPARISONS[how]

        def compare(row: Any) -> bool:
            value = get(row)
            return value is not None and holds(key(value), wanted)  # nothing compares with a null

        return compare

    def _like(self, node: ET.Element, column: Column) -> Callable[[Any], bool]:
        (pattern,) = self._values(node, column, 1, 1)
        if not isinstance(pattern, str):
            raise errors.bad_query(f"{node.tag} works on text only")
        matches = like(pattern)
        wanted, get = node.tag == "like", column.get

        def compare(row: Any) -> bool:
            value = comparable(get(row), fold=self._fold)
            return value is not None and matches(str(value)) is wanted

        return compare

    def _in(self, node: ET.Element, column: Column) -> Callable[[Any], bool]:
        values = frozenset(self._values(node, column, 1, _MOST_VALUES))
        get, key, wanted = column.get, self._key(column), node.tag == "in"

        def compare(row: Any) -> bool:
            value = get(row)
            return value is not None and (key(value) in values) is wanted

        return compare


def like(pattern: str) -> Callable[[str], bool]:
    """A test for SQL's like: `%` for any text, `_` for any character."""
    parts = {"%": ".*", "_": "."}
    compiled = re.compile("".join(parts.get(char, re.escape(char)) for char in pattern), re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None
