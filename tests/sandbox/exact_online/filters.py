"""The `$filter` language: literals with their types, comparisons, four functions, and, or, not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.exact_online.errors import bad_request
from tests.sandbox.exact_online.shapes.shape import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TOKEN = re.compile(
    r"\s*(?:(?P<guid>guid'[0-9a-fA-F-]{36}')|(?P<time>datetime'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?[LlMmDdFf]?)(?![\w.])|(?P<word>[A-Za-z_]\w*(?:/\w+)*)|(?P<mark>[(),]))"
)
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,7})?)?)?")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
}
_INTEGERS = frozenset({Kind.INT16, Kind.INT32, Kind.INT64, Kind.BYTE})
_TESTS = frozenset({"substringof", "startswith", "endswith"})


@dataclasses.dataclass(frozen=True)
class Literal:
    """A constant. `kind` is None for null, INT64 for `1L`, INT32 for `1`, DOUBLE for numbers with a fraction."""

    value: Any
    kind: Kind | None

    def suits(self, kind: Kind) -> bool:
        """Whether a property of this type can be compared with it."""
        if self.kind is None or self.kind is kind:
            return True
        if self.kind in _INTEGERS:
            return kind in _INTEGERS or kind is Kind.DOUBLE
        return False


@dataclasses.dataclass
class Filter:
    """A parsed filter.

    Attributes:
        matches: Whether a row's values pass.
        comparisons: (property, operator) of each test in it.
        has_or: Whether `or` or `not` occurs, so that a single comparison does not bind the whole.
    """

    matches: Callable[[Mapping[str, Any]], bool]
    comparisons: list[tuple[str, str]]
    has_or: bool


@dataclasses.dataclass
class _Operand:
    read: Callable[[Mapping[str, Any]], Any]
    kind: Kind | None
    name: str | None  # None for constants


def parse_literal(text: str) -> Literal | None:
    """A constant as it stands in filters, keys and skip tokens; None when it is none."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    if found["word"]:
        return _word(found["word"])
    return _literal(found)


def parse(text: str, properties: Mapping[str, Kind]) -> Filter:
    """Parse a filter over rows with these properties.

    Raises:
        Refusal: 400, with what is wrong.
    """
    return _Parser(text, properties).run()


def _word(word: str) -> Literal | None:
    constants = {"true": True, "false": False}
    if word in constants:
        return Literal(constants[word], Kind.BOOLEAN)
    return Literal(None, None) if word == "null" else None


def _literal(found: re.Match[str]) -> Literal:
    if found["guid"]:
        return Literal(found["guid"][5:-1].lower(), Kind.GUID)
    if found["time"]:
        return Literal(_stamp(found["time"][9:-1]), Kind.TIME)
    if found["text"] is not None:
        return Literal(found["text"][1:-1].replace("''", "'"), Kind.TEXT)
    number = found["number"]
    if number[-1] in "Ll":
        return Literal(int(number[:-1]), Kind.INT64)
    if number[-1] in "MmDdFf" or "." in number:
        return Literal(Decimal(number.rstrip("MmDdFf")), Kind.DOUBLE)
    return Literal(int(number), Kind.INT32)


def _stamp(text: str) -> dt.datetime:
    if not _STAMP.fullmatch(text):
        raise bad_request(f"Unrecognized 'Edm.DateTime' literal 'datetime'{text}''.")
    whole, _, fraction = text.partition(".")
    try:
        moment = dt.datetime.fromisoformat(whole)
    except ValueError as impossible:
        raise bad_request(f"Unrecognized 'Edm.DateTime' literal 'datetime'{text}''.") from impossible
    return moment + dt.timedelta(microseconds=int(fraction.ljust(6, "0")[:6] or 0))


class _Parser:
    def __init__(self, text: str, properties: Mapping[str, Kind]) -> None:
        self._text = text
        self._properties = properties
        self._tokens = self._split(text)
        self._at = 0
        self._comparisons: list[tuple[str, str]] = []
        self._has_or = False

    def run(self) -> Filter:
        matches = self._either()
        if self._at < len(self._tokens):
            raise self._error()
        return Filter(matches, self._comparisons, self._has_or)

    def _split(self, text: str) -> list[re.Match[str]]:
        tokens: list[re.Match[str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            found = _TOKEN.match(text, position)
            if found is None:
                raise bad_request(f"Syntax error at position {position} in '{text}'.")
            tokens.append(found)
            position = found.end()
        if not tokens:
            raise bad_request("The $filter is empty.")
        return tokens

    def _error(self) -> Exception:
        position = self._tokens[self._at].start() if self._at < len(self._tokens) else len(self._text)
        return bad_request(f"Syntax error at position {position} in '{self._text}'.")

    def _peek(self, group: str) -> str | None:
        if self._at >= len(self._tokens):
            return None
        value: str | None = self._tokens[self._at][group]
        return value

    def _take(self, group: str, value: str) -> bool:
        if self._peek(group) != value:
            return False
        self._at += 1
        return True

    def _expect(self, mark: str) -> None:
        if not self._take("mark", mark):
            raise self._error()

    def _either(self) -> Callable[[Mapping[str, Any]], bool]:
        parts = [self._all()]
        while self._take("word", "or"):
            self._has_or = True
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _all(self) -> Callable[[Mapping[str, Any]], bool]:
        parts = [self._not()]
        while self._take("word", "and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _not(self) -> Callable[[Mapping[str, Any]], bool]:
        if self._take("word", "not"):
            self._has_or = True
            inner = self._not()
            return lambda row: not inner(row)
        return self._test()

    def _test(self) -> Callable[[Mapping[str, Any]], bool]:
        if self._take("mark", "("):
            inner = self._either()
            self._expect(")")
            return inner
        if self._peek("word") in _TESTS:
            test = self._function(str(self._peek("word")))
            if self._take("word", "eq"):
                wanted = self._operand()
                return lambda row: test(row) is wanted.read(row)
            return test
        left = self._operand()
        operator = self._peek("word")
        if operator not in _COMPARISONS:
            if left.kind is Kind.BOOLEAN and left.name:
                self._comparisons.append((left.name, "eq"))
                return lambda row: left.read(row) is True
            raise self._error()
        self._at += 1
        return self._comparison(left, str(operator), self._operand())

    def _comparison(
        self, left: _Operand, operator: str, right: _Operand
    ) -> Callable[[Mapping[str, Any]], bool]:
        if left.name is not None and right.name is not None:
            raise bad_request("Comparing two properties is not supported.")
        if left.name is None and right.name is None:
            raise self._error()
        named, constant = (left, right) if left.name is not None else (right, left)
        assert named.name is not None
        assert named.kind is not None
        literal = Literal(constant.read({}), constant.kind)
        if not literal.suits(named.kind):
            kind = literal.kind.value if literal.kind else "null"
            raise bad_request(
                f"Operator '{operator}' incompatible with operand types '{named.kind.value}' and '{kind}'"
            )
        self._comparisons.append((named.name, operator))
        compare, left_read, right_read = _COMPARISONS[operator], left.read, right.read
        if literal.value is None:
            return lambda row: compare(left_read(row), right_read(row)) if operator in {"eq", "ne"} else False

        def test(row: Mapping[str, Any]) -> bool:
            one, other = left_read(row), right_read(row)
            if one is None or other is None:
                return operator == "ne"
            return compare(one, other)

        return test

    def _function(self, name: str) -> Callable[[Mapping[str, Any]], bool]:
        self._at += 1
        self._expect("(")
        first = self._operand()
        self._expect(",")
        second = self._operand()
        self._expect(")")
        for operand in (first, second):
            if operand.kind not in {Kind.TEXT, None}:
                raise bad_request(f"No applicable function found for '{name}' with the specified arguments.")
            if operand.name:
                self._comparisons.append((operand.name, name))
        text, part = (second, first) if name == "substringof" else (first, second)

        def test(row: Mapping[str, Any]) -> bool:
            whole, piece = text.read(row) or "", part.read(row) or ""
            if name == "substringof":
                return piece.lower() in whole.lower()
            if name == "startswith":
                return bool(whole.lower().startswith(piece.lower()))
            return bool(whole.lower().endswith(piece.lower()))

        return test

    def _operand(self) -> _Operand:
        if self._at >= len(self._tokens):
            raise self._error()
        token = self._tokens[self._at]
        word = token["word"]
        if token["mark"]:
            raise self._error()
        self._at += 1
        if word == "trim" and self._take("mark", "("):
            inner = self._operand()
            self._expect(")")
            if inner.kind is not Kind.TEXT:
                raise bad_request("No applicable function found for 'trim' with the specified arguments.")
            return _Operand(lambda row: _trimmed(inner.read(row)), Kind.TEXT, inner.name)
        literal = _word(word) if word else _literal(token)
        if literal is not None:
            return _constant(literal)
        return self._property(word)

    def _property(self, word: str) -> _Operand:
        name, _, rest = word.partition("/")
        kind = self._properties.get(name)
        if kind is None:
            raise bad_request(f"No property '{name}' exists in type at position 0.")
        if rest or kind in {Kind.MANY, Kind.COMPLEX}:
            raise bad_request(f"Filtering on navigation property '{word}' is not supported.")
        return _Operand(lambda row: row.get(name), kind, name)


def _constant(literal: Literal) -> _Operand:
    return _Operand(lambda _: literal.value, literal.kind, None)


def _trimmed(text: str | None) -> str | None:
    return None if text is None else text.strip()
