"""The condition language of readByQuery: SQL-like text on the database's own codes, without joins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.sandbox.sage_intacct import errors
from tests.sandbox.sage_intacct.filters import COMPARISONS, like
from tests.sandbox.sage_intacct.values import comparable, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.sage_intacct.catalog import Catalog
    from tests.sandbox.sage_intacct.dictionary import ObjectType
    from tests.sandbox.sage_intacct.switches import Switches
    from tests.sandbox.sage_intacct.values import Column, Value


_TOKEN = re.compile(r"\s*(?:('(?:\\.|[^'\\])*')|(>=|<=|!=|<>|[=<>(),])|([\w.#+/:-]+))")
_SIGNS = {
    "=": "equalto",
    "!=": "notequalto",
    "<>": "notequalto",
    "<": "lessthan",
    "<=": "lessthanorequalto",
    ">": "greaterthan",
    ">=": "greaterthanorequalto",
}


class Conditions:
    """Compiles conditions on one object."""

    def __init__(self, kind: ObjectType, catalog: Catalog, switches: Switches) -> None:
        self._kind = kind
        self._catalog = catalog
        self._switches = switches
        self._tokens: list[str] = []
        self._place = 0
        self.equal: dict[str, str] = {}  # field to the literal that it has to equal

    def compile(self, text: str) -> Callable[[Any], bool]:
        """What a condition lets through.

        Raises:
            Refusal: It is none.
        """
        self._tokens, self._place = self._split(text), 0
        test = self._any()
        if self._place < len(self._tokens):
            raise self._wrong()
        return test

    def _split(self, text: str) -> list[str]:
        tokens, place = [], 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise errors.bad_query(f"The query cannot be read at position {place}")
            tokens.append(found.group().strip())
            place = found.end()
        return tokens

    def _wrong(self) -> errors.Refusal:
        at = self._tokens[self._place] if self._place < len(self._tokens) else "its end"
        return errors.bad_query(f"The query cannot be read at {at}")

    def _next(self) -> str:
        if self._place >= len(self._tokens):
            raise self._wrong()
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, *words: str) -> bool:
        """Whether the next tokens are these words; if so they are used up."""
        ahead = [token.lower() for token in self._tokens[self._place : self._place + len(words)]]
        if ahead != [*words]:
            return False
        self._place += len(words)
        return True

    def _any(self) -> Callable[[Any], bool]:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _all(self) -> Callable[[Any], bool]:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _one(self) -> Callable[[Any], bool]:
        if self._take("not"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._take("("):
            inner = self._any()
            if not self._take(")"):
                raise self._wrong()
            return inner
        return self._condition()

    def _condition(self) -> Callable[[Any], bool]:
        column = self._catalog.resolve(self._kind, self._next(), legacy=True)
        get = column.get
        if self._take("is", "null"):
            return lambda row: get(row) is None
        if self._take("is", "not", "null"):
            return lambda row: get(row) is not None
        negated = self._take("not")
        if self._take("like"):
            matches = like(self._literal())
            return lambda row: get(row) is not None and matches(self._code(column, row)) is not negated
        if self._take("in"):
            values = frozenset(self._list(column))
            return lambda row: get(row) is not None and (self._own(column, row) in values) is not negated
        sign = self._next()
        if negated or sign not in _SIGNS:
            raise self._wrong()
        literal = self._literal()
        if sign == "=":
            self.equal[column.id] = literal
        holds, wanted = COMPARISONS[_SIGNS[sign]], self._value(column, literal)
        return lambda row: get(row) is not None and holds(self._own(column, row), wanted)

    def _list(self, column: Column) -> list[Any]:
        if not self._take("("):
            raise self._wrong()
        values = [self._value(column, self._literal())]
        while self._take(","):
            values.append(self._value(column, self._literal()))
        if not self._take(")"):
            raise self._wrong()
        return values

    def _literal(self) -> str:
        token = self._next()
        if token.startswith("'"):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if token in _SIGNS or token in {"(", ")", ","}:
            self._place -= 1
            raise self._wrong()
        return token

    def _value(self, column: Column, literal: str) -> Value:
        if column.field.datatype == "BOOLEAN":
            literal = {"T": "true", "F": "false"}.get(literal, literal)
        return comparable(read(self._kind.name, column.field, literal, self._switches), fold=False)

    def _own(self, column: Column, row: Any) -> Any:
        value = column.get(row)
        codes = self._catalog.shelves.shelf(self._kind.name).table.codes.get(column.id)
        return comparable(codes.get(str(value), value) if codes else value, fold=False)

    def _code(self, column: Column, row: Any) -> str:
        return str(self._own(column, row))
