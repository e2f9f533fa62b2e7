"""Which rows to ask for next: how a walk goes from page to page, see `tap_sage_intacct.paging`.

RECORDNO is such a key where it is a number. Where it is text, nobody says how `>` orders it, so pages follow another
column (the batch, the modification time), begin with the value that the page before ended with, and drop what was
already read.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from typing_extensions import override

from tap_sage_intacct.errors import MovingRowsError
from tap_sage_intacct.paging import Rows, where

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_sage_intacct.envelope import Node, Reply

P = TypeVar("P", bound=Rows)


class Step(NamedTuple):
    """What to ask for next: conditions that rows must fulfil, and how many of them to leave out."""

    conditions: list[Node]
    offset: int


class Walk(abc.ABC):
    """Where a walk through a list stands: what to ask for next, and which rows of a page are new."""

    offset = 0
    order: tuple[str, ...]
    position: str | None = None
    """How far the walk has come; another walk can begin there."""

    @abc.abstractmethod
    def conditions(self, position: str | None) -> list[Node]:
        """What rows behind a position fulfil."""

    @property
    def step(self) -> Step:
        """What to ask for next."""
        return Step(self.conditions(self.position), self.offset)

    @abc.abstractmethod
    def ahead(self, last: Rows, count: int) -> Step:
        """What will be asked for behind a page that is not read yet.

        Args:
            last: Its last row.
            count: How many rows it has.
        """

    @abc.abstractmethod
    def take(self, reply: Reply[P]) -> P:
        """The new rows of a page; moves on behind it."""


class UniqueWalk(Walk):
    """Follows a key of numbers that no two rows share.

    Args:
        field: The key in the ERP.
        name: Its property.
        after: Where to begin, exclusive.
    """

    def __init__(self, field: str, name: str, after: str | None = None) -> None:
        self.order = (field,)
        self.position = after
        self._name = name

    @override
    def conditions(self, position: str | None) -> list[Node]:
        return [] if position is None else [where("greaterthan", self.order[0], position)]

    @override
    def ahead(self, last: Rows, count: int) -> Step:
        return Step(self.conditions(str(last.column(self._name)[-1])), 0)

    @override
    def take(self, reply: Reply[P]) -> P:
        if reply.rows:
            last = str(reply.rows.column(self._name)[-1])
            if self.position is not None and int(last) <= int(self.position):
                raise MovingRowsError(f"{self.order[0]}: the gateway does not keep to the order asked for.")
            self.position = last
        return reply.rows


class GroupWalk(Walk):
    """Follows a column that several rows share: a page begins where the last one ended.

    Args:
        field: The column in the ERP.
        name: Its property.
        tie: What to sort rows by that are equal in it, in the ERP.
        keys: The properties that tell rows apart.
        literal: Writes a value of the property for a condition.
        after: Where to begin, inclusive.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it follows
        self,
        field: str,
        name: str,
        tie: str,
        keys: Sequence[str],
        literal: Callable[[str], str] = str,
        after: str | None = None,
    ) -> None:
        self.order = (field, tie)
        self.position = after
        self._name = name
        self._keys = keys
        self._literal = literal
        self._seen: set[Any] = set()

    @override
    def conditions(self, position: str | None) -> list[Node]:
        if position is None:
            return []
        return [where("greaterthanorequalto", self.order[0], self._literal(position))]

    @override
    def ahead(self, last: Rows, count: int) -> Step:
        position = last.column(self._name)[-1]
        return Step(self.conditions(position), self.offset + count if position == self.position else 0)

    @override
    def take(self, reply: Reply[P]) -> P:
        rows = reply.rows
        if not rows:
            return rows
        column = rows.column(self._name)
        keys = list(zip(*map(rows.column, self._keys), strict=True))
        seen, last = self._seen, column[-1]
        fresh = rows.keep(n for n, key in enumerate(keys) if key not in seen) if seen else rows
        if last == self.position:  # more rows share one value than fit on a page
            self.offset += len(rows)
            seen.update(keys)
        else:
            self.offset = 0
            self.position = last
            self._seen = {key for key, value in zip(keys, column, strict=True) if value == last}
        return fresh


class OffsetWalk(Walk):
    """Counts rows, for small lists without a better key; notices when they move.

    Args:
        order: What to sort by, in the ERP.
    """

    def __init__(self, order: Sequence[str]) -> None:
        self.order = tuple(order)
        self._total: int | None = None

    @override
    def conditions(self, position: str | None) -> list[Node]:
        return []

    @override
    def ahead(self, last: Rows, count: int) -> Step:
        return Step([], self.offset + count)

    @override
    def take(self, reply: Reply[P]) -> P:
        if self._total is not None and reply.total != self._total:
            raise MovingRowsError("The list changed while it was read.")
        self._total = reply.total
        self.offset += len(reply.rows)
        return reply.rows
