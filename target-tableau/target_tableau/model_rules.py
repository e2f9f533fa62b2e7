"""The rules of the setting `models`: a fact, what is looked up for each of its rows, and what is worked out."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from target_tableau.conditions import Condition
from target_tableau.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

SEPARATOR: Final = ", "
"""Stands between the names of joins in the column `unresolved`."""


@dataclasses.dataclass(frozen=True)
class Join:
    """A dimension that a model looks up.

    Attributes:
        stream: The dimension.
        keys: Property of the fact, or name that an earlier join gave -> property of the dimension.
        columns: Property of the dimension -> its name in the model.
        name: What the column `unresolved` calls it.
        also: Further streams of the same kind, with the same properties (stock and non-stock items).
        where: Which rows of the dimension are looked at.
        empty: Values of the reference that mean that there is none, beside null and empty text.
        required: A row without a reference is unresolved too.
        optional: It is left out where the fact or the dimension has not the columns.
        on_unresolved: `count` a row that finds nothing, `fail`, or `ignore` it.
    """

    stream: str
    keys: dict[str, str]
    columns: dict[str, str]
    name: str
    also: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    empty: tuple[str, ...] = ()
    required: bool = False
    optional: bool = False
    on_unresolved: str = "count"

    @property
    def streams(self) -> tuple[str, ...]:
        """All streams in which it looks."""
        return (self.stream, *self.also)


@dataclasses.dataclass(frozen=True)
class Computed:
    """A column that is worked out of others; nulls count as zero.

    Attributes:
        plus: Columns that are added.
        minus: Columns that are taken off.
        negate_where: Column -> values under which the sign is turned round.
        only_where: What must hold, or else it is zero.
    """

    plus: tuple[str, ...]
    minus: tuple[str, ...]
    negate_where: dict[str, tuple[str, ...]]
    only_where: tuple[Condition, ...] = ()


@dataclasses.dataclass(frozen=True)
class Model:
    """A rule of the setting.

    Attributes:
        name: Name of the model.
        fact: The stream whose rows it has.
        joins: What is looked up for each row.
        computed: Name -> how a further column is worked out.
        where: Which rows of the fact it has; all if there is no condition.
    """

    name: str
    fact: str
    joins: tuple[Join, ...]
    computed: dict[str, Computed]
    where: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, rule: Mapping[str, Any]) -> Model:
        """Read a rule.

        Raises:
            SettingError: A join says nothing to join on, two have one name, or a condition is not understood.
        """
        joins = tuple(
            Join(
                stream=each["stream"],
                keys=dict(each["keys"]),
                columns=dict(each.get("columns") or {}),
                name=str(each.get("name") or each["stream"]),
                also=tuple(each.get("also") or ()),
                where=Condition.all_of(f"Model '{rule['name']}'", each.get("where")),
                empty=tuple(str(value) for value in each.get("empty") or ()),
                required=bool(each.get("required")),
                optional=bool(each.get("optional")),
                on_unresolved=each.get("on_unresolved") or "count",
            )
            for each in rule.get("joins") or ()
        )
        names = [join.name for join in joins]
        for join in joins:
            if not join.keys or names.count(join.name) > 1 or SEPARATOR in join.name:
                raise SettingError(
                    f"Model '{rule['name']}': every join needs 'keys', and a name of its own without commas; look at "
                    f"the join with '{join.stream}'."
                )
        computed = {
            name: Computed(
                tuple(how.get("plus") or ()),
                tuple(how.get("minus") or ()),
                {column: tuple(values) for column, values in (how.get("negate_where") or {}).items()},
                Condition.all_of(f"Model '{rule['name']}'", how.get("only_where")),
            )
            for name, how in (rule.get("computed") or {}).items()
        }
        for name, how in computed.items():
            if not how.plus and not how.minus:
                raise SettingError(f"Model '{rule['name']}': the column '{name}' needs 'plus' or 'minus'.")
        where = Condition.all_of(f"Model '{rule['name']}'", rule.get("where"))
        return cls(str(rule["name"]), str(rule["fact"]), joins, computed, where)

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that it is made of, the fact first."""
        return tuple(dict.fromkeys((self.fact, *(name for join in self.joins for name in join.streams))))
