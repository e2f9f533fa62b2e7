"""Filter expressions: the tree, and a parser by recursive descent that two OData dialects share."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

    from tests.sandbox.acumatica.wire import Value

COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})


class FilterError(ValueError):
    """The filter cannot be read, or does not fit the fields that it names."""


@dataclasses.dataclass(frozen=True)
class Literal:
    """A constant; `form` is how it was written: string, number, boolean, moment, day, guid or null."""

    form: str
    value: Value


@dataclasses.dataclass(frozen=True)
class Path:
    """A field, `("Status",)`, or a field of a linked record, `("MainContact", "Email")`."""

    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class CustomPath:
    """A field outside the contract: `cf.Decimal(f='Document.CuryDocBal')`."""

    form: str
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Call:
    """A function of strings, with its arguments in the order written."""

    name: str
    arguments: tuple[Operand, ...]


@dataclasses.dataclass(frozen=True)
class Compare:
    """`left operator right`."""

    operator: str
    left: Operand
    right: Operand


@dataclasses.dataclass(frozen=True)
class Junction:
    """`and` or `or` of several parts."""

    operator: str
    parts: tuple[Expression, ...]


@dataclasses.dataclass(frozen=True)
class Not:
    """Negation."""

    part: Expression


Operand = Literal | Path | CustomPath | Call
Expression = Compare | Junction | Not | Call | Path


@dataclasses.dataclass(frozen=True)
class Dialect:
    """What differs between the two interfaces.

    Attributes:
        tokens: Pattern with one named group per kind of token.
        literals: Kind of token to the function that reads it (raising `FilterError`).
        functions: Name to number of arguments.
        custom_fields: Whether `cf.Kind(f='View.Field')` is understood.
    """

    tokens: re.Pattern[str]
    literals: Mapping[str, Callable[[str], Literal]]
    functions: Mapping[str, int]
    custom_fields: bool = False


def parse(text: str, dialect: Dialect) -> Expression:
    """Read a filter.

    Raises:
        FilterError: It is not one in this dialect.
    """
    return _Parser(text, dialect).whole()


class _Parser:
    def __init__(self, text: str, dialect: Dialect) -> None:
        self._dialect = dialect
        self._tokens = list(_split(text, dialect.tokens))
        self._at = 0

    def whole(self) -> Expression:
        expression = self._disjunction()
        kind, text = self._peek()
        if kind != "end":
            raise _syntax_error(text)
        return expression

    def _disjunction(self) -> Expression:
        return self._junction("or", self._conjunction)

    def _conjunction(self) -> Expression:
        return self._junction("and", self._negation)

    def _junction(self, word: str, part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while self._peek() == ("word", word):
            self._next()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _negation(self) -> Expression:
        if self._peek() == ("word", "not"):
            self._next()
            return Not(self._negation())
        return self._comparison()

    def _comparison(self) -> Expression:
        if self._peek() == ("mark", "("):
            self._next()
            inside = self._disjunction()
            self._expect(")")
            return inside
        left = self._operand()
        kind, word = self._peek()
        if kind == "word" and word in COMPARISONS:
            self._next()
            return Compare(word, left, self._operand())
        if isinstance(left, Call | Path):
            return left
        raise _syntax_error(word)

    def _operand(self) -> Operand:
        kind, text = self._next()
        if kind in self._dialect.literals:
            return self._dialect.literals[kind](text)
        if kind != "word":
            raise _syntax_error(text)
        if text in {"true", "false"}:
            return Literal("boolean", text == "true")
        if text == "null":
            return Literal("null", None)
        if self._peek() == ("mark", "("):
            return self._call(text)
        return Path(tuple(text.split("/")))

    def _call(self, name: str) -> Operand:
        self._expect("(")
        if self._dialect.custom_fields and name.startswith("cf."):
            return self._custom_path(name.removeprefix("cf."))
        arity = self._dialect.functions.get(name)
        if arity is None:
            raise FilterError(f"An unknown function with name '{name}' was found.")
        arguments = [self._operand()]
        while self._peek() == ("mark", ","):
            self._next()
            arguments.append(self._operand())
        self._expect(")")
        if len(arguments) != arity:
            raise FilterError(f"No function signature for the function '{name}' matches the arguments.")
        return Call(name, tuple(arguments))

    def _custom_path(self, form: str) -> CustomPath:
        if self._next() != ("word", "f"):
            raise _syntax_error("cf." + form)
        self._expect("=")
        literal = self._operand()
        self._expect(")")
        if not isinstance(literal, Literal) or not isinstance(literal.value, str):
            raise _syntax_error("cf." + form)
        return CustomPath(form, tuple(literal.value.split(".")))

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        if token[0] != "end":
            self._at += 1
        return token

    def _expect(self, mark: str) -> None:
        if self._next() != ("mark", mark):
            raise FilterError(f"Syntax error: '{mark}' expected.")


def _syntax_error(text: str) -> FilterError:
    return FilterError(f"Syntax error at '{text}'.")


def _split(text: str, pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = pattern.match(text, at)
        if found is None or found.lastgroup is None:
            raise FilterError(f"Syntax error at position {at}.")
        if found.lastgroup != "blank":
            tokens.append((found.lastgroup, found.group()))
        at = found.end()
    return [*tokens, ("end", "")]
