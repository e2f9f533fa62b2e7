"""What a request wants to see of a record: `$expand`, `$select` and `$custom`."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from tests.sandbox.acumatica.errors import failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.acumatica.errors import Refusal

Tree = dict[str, "Tree"]
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Parsed options.

    Attributes:
        expand: Names of details and linked records, nested.
        select: Names of fields, nested below details; None for all.
        custom: Collection ("" for the record itself), view and field of non-contract fields.
    """

    expand: Tree = dataclasses.field(default_factory=dict)
    select: Tree | None = None
    custom: tuple[tuple[str, str, str], ...] = ()

    def below(self, name: str) -> Wanted:
        """What is wanted of the details or linked record `name`."""
        select = None if self.select is None else self.select.get(name, {}) or None
        custom = tuple(("", view, field) for inside, view, field in self.custom if inside == name)
        return Wanted(self.expand.get(name, {}), select, custom)


def wanted_of(options: Mapping[str, str], contract: int) -> Wanted:
    """Read the options in the dialect of a contract.

    Raises:
        Refusal: 500, also for the expand syntax of the other contract.
    """
    expand = options.get("$expand", "")
    select = options.get("$select", "")
    return Wanted(
        expand=_slashed(expand) if contract == 4 else _nested(expand),
        select=_slashed(select) if select.strip() else None,
        custom=tuple(_custom(part.strip()) for part in options.get("$custom", "").split(",") if part.strip()),
    )


def _slashed(text: str) -> Tree:
    tree: Tree = {}
    for path in filter(None, (part.strip() for part in text.split(","))):
        branch = tree
        for name in path.split("/"):
            if not _NAME.fullmatch(name):
                raise _unreadable(path)
            branch = branch.setdefault(name, {})
    return tree


def _nested(text: str) -> Tree:
    tree, rest = _level(text.strip())
    if rest:
        raise _unreadable(text)
    return tree


def _level(text: str) -> tuple[Tree, str]:
    tree: Tree = {}
    while text:
        found = _NAME.match(text)
        if found is None:
            raise _unreadable(text)
        name, text = found.group(), text[found.end() :].lstrip()
        tree[name] = {}
        if text.startswith("("):
            inside = text[1:].lstrip()
            if not inside.startswith("$expand="):
                raise _unreadable(text)
            tree[name], text = _level(inside.removeprefix("$expand="))
            if not text.startswith(")"):
                raise _unreadable(text)
            text = text[1:].lstrip()
        if not text.startswith(","):
            break
        text = text[1:].lstrip()
    return tree, text


def _custom(path: str) -> tuple[str, str, str]:
    inside, _, rest = path.rpartition("/")
    view, point, field = rest.partition(".")
    if not point or "/" in inside:
        raise _unreadable(path)
    return inside, view, field


def _unreadable(text: str) -> Refusal:
    return failure(f"Syntax error in the parameters of the request: '{text}'.", "System.ArgumentException")
