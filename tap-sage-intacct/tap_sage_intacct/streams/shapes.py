"""How an object can be read, worked out from its fields, and the conditions for what lies in a span of time."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from tap_sage_intacct.discovery import snake
from tap_sage_intacct.paging import Part, any_of, where
from tap_sage_intacct.streams.columns import Column, columns_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from tap_sage_intacct.discovery import Described
    from tap_sage_intacct.envelope import Node
    from tap_sage_intacct.tap import TapSageIntacct

RECORD: Final = "RECORDNO"
MODIFIED: Final = "WHENMODIFIED"
_CREATED: Final = ("AUWHENCREATED", "WHENCREATED")
_FALLBACK_KEYS: Final = (RECORD, "id", "ID")
_FALLBACK_CURSORS: Final = (MODIFIED, "updatedAt")


@dataclasses.dataclass(frozen=True)
class Shape:
    """What decides how an object can be read, worked out from its fields.

    Attributes:
        object: Its name.
        described: Its fields.
        columns: Its columns.
        keys: The fields of its key.
        cursor: The field with the time of the last change; empty for none.
        created: The field with the time of creation; empty for none.
    """

    object: str
    described: Described
    columns: list[Column]
    keys: tuple[str, ...]
    cursor: str
    created: str

    @classmethod
    def of(cls, name: str, described: Described, keys: Sequence[str] = (), cursor: str = "") -> Shape:
        """Work it out."""
        fallback = next(((one,) for one in _FALLBACK_KEYS if one in described.fields), ())
        times = [cursor] if cursor else _FALLBACK_CURSORS
        return cls(
            name,
            described,
            columns_of(described.fields.values()),
            tuple(keys) or fallback,
            next((one for one in times if described.type_of(one) == "TIMESTAMP"), ""),
            next((one for one in _CREATED if described.type_of(one) == "TIMESTAMP"), ""),
        )

    @property
    def has_number(self) -> bool:
        """Whether its key is a number that pages can follow."""
        return len(self.keys) == 1 and self.described.type_of(self.keys[0]) == "INTEGER"

    @property
    def names(self) -> tuple[str, ...]:
        """The properties of its key."""
        return tuple(snake(key) for key in self.keys)

    def column(self, field: str) -> Column:
        """The column of a field."""
        return next(column for column in self.columns if column.name == snake(field))

    def needed(self, *fields: str) -> list[Column]:
        """The columns of the key and of further fields."""
        return [self.column(field) for field in dict.fromkeys((*self.keys, *filter(None, fields)))]


def within(tap: TapSageIntacct, shape: Shape, part: Part) -> list[Node]:
    """What lies in a part: modified in it, or never modified and created since its beginning."""
    if not shape.cursor:
        return []
    upper = before(tap, shape.cursor, part.hi)
    if part.lo is None:
        return [any_of([where("isnull", shape.cursor), upper])]
    modified: Node = ("and", [since(tap, shape.cursor, part.lo), upper])
    return [any_of([modified, never_modified(tap, shape, part)])]


def never_modified(tap: TapSageIntacct, shape: Shape, part: Part) -> Node:
    """Records that were never changed since they were made: their modification time is empty."""
    is_null = where("isnull", shape.cursor)
    if not shape.created or part.lo is None:
        return is_null
    return (
        "and",
        [
            is_null,
            since(tap, shape.created, part.lo - tap.doubt),
            before(tap, shape.created, part.hi + tap.doubt),
        ],
    )


def before(tap: TapSageIntacct, field: str, moment: dt.datetime) -> Node:
    """The field lies before a moment."""
    return where("lessthan", field, tap.clock.literal(moment))


def since(tap: TapSageIntacct, field: str, moment: dt.datetime) -> Node:
    """The field lies at a moment or after it."""
    return where("greaterthanorequalto", field, tap.clock.literal(moment))
