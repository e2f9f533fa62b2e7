"""The query options of an OData v4 call."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from tests.sandbox.acumatica import errors
from tests.sandbox.acumatica.dialects import odata_dialect
from tests.sandbox.acumatica.grammar import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.acumatica.grammar import Expression

_ALLOWED = frozenset({"$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$format"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_MAX_DEPTH = 3
_DIALECT = odata_dialect()


@dataclasses.dataclass(frozen=True)
class RowShape:
    """What is wanted of rows: some columns (None: all) and related rows."""

    select: tuple[str, ...] | None = None
    expand: tuple[tuple[str, RowShape], ...] = ()


@dataclasses.dataclass(frozen=True)
class Ask:
    """Parsed options.

    Attributes:
        order: Column and whether it is descending.
    """

    shape: RowShape
    filter: Expression | None
    filter_text: str
    order: tuple[tuple[str, bool], ...]
    top: int | None
    skip: int


def ask_of(options: Mapping[str, str]) -> Ask:
    """Read the options.

    Raises:
        Refusal: 400 for what cannot be read or is not supported (`$count`, `$apply`, …).
    """
    for name in options:
        if name.startswith("$") and name not in _ALLOWED:
            raise errors.odata_refusal(400, f"The query option '{name}' is not allowed.")
    text = options.get("$filter", "").strip()
    with errors.odata_filter_errors():
        expression = parse(text, _DIALECT) if text else None
    top = options.get("$top")
    return Ask(
        shape=RowShape(
            _names(options["$select"]) if options.get("$select") else None,
            _Expansion(options.get("$expand", "")).whole(),
        ),
        filter=expression,
        filter_text=text,
        order=tuple(_order(part) for part in options.get("$orderby", "").split(",") if part.strip()),
        top=None if top is None else _count("$top", top),
        skip=_count("$skip", options.get("$skip", "0")),
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    for name in names:
        if not _NAME.fullmatch(name):
            raise _unreadable(text)
    return names


def _order(part: str) -> tuple[str, bool]:
    name, *direction = part.split()
    if not _NAME.fullmatch(name) or direction not in ([], ["asc"], ["desc"]):
        raise _unreadable(part)
    return name, direction == ["desc"]


def _count(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise errors.odata_refusal(
            400, f"Invalid value '{text}' for {name}: a non-negative integer is expected."
        )
    return int(text)


def _unreadable(text: str) -> errors.Refusal:
    return errors.odata_refusal(400, f"Syntax error in the query option: '{text}'.")


class _Expansion:
    """`A($select=X,Y;$expand=B),C`: at most three levels deep."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> tuple[tuple[str, RowShape], ...]:
        if not self._text.strip():
            return ()
        items = self._items(1)
        if self._at < len(self._text):
            raise _unreadable(self._text)
        return items

    def _items(self, depth: int) -> tuple[tuple[str, RowShape], ...]:
        if depth > _MAX_DEPTH:
            raise errors.odata_refusal(400, f"The expand depth exceeds the limit of {_MAX_DEPTH}.")
        items = [self._item(depth)]
        while self._skips(","):
            items.append(self._item(depth))
        return tuple(items)

    def _item(self, depth: int) -> tuple[str, RowShape]:
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise _unreadable(self._text)
        self._at = found.end()
        if not self._skips("("):
            return found.group(), RowShape()
        shape = RowShape()
        while not self._skips(")"):
            shape = self._option(shape, depth)
            self._skips(";")
        return found.group(), shape

    def _option(self, shape: RowShape, depth: int) -> RowShape:
        if self._skips("$select="):
            found = re.compile(r"[\w ,]+").match(self._text, self._at)
            if found is None:
                raise _unreadable(self._text)
            self._at = found.end()
            return dataclasses.replace(shape, select=_names(found.group()))
        if self._skips("$expand="):
            return dataclasses.replace(shape, expand=self._items(depth + 1))
        raise _unreadable(self._text)

    def _skips(self, mark: str) -> bool:
        if self._text.startswith(mark, self._at):
            self._at += len(mark)
            while self._text.startswith(" ", self._at):
                self._at += 1
            return True
        return False
