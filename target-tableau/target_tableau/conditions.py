"""Conditions on columns, as rules of settings spell them (`where`)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tableauhyperapi import escape_string_literal

from target_tableau.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_tableau.columns import Type


@dataclasses.dataclass(frozen=True)
class Condition:
    """What a column must be, or must not be, for a row to be copied; `None` among the values means no value."""

    column: str
    values: tuple[object, ...]
    is_not: bool = False

    @classmethod
    def parse(cls, where: str, column: str, told: object) -> Condition:
        """Read it from a rule.

        Args:
            where: Whose rule it is, for messages.
            column: What is looked at.
            told: What the rule says of it.

        Raises:
            SettingError: It is neither a value, nor a list, nor {"not": ...}.
        """
        is_not = isinstance(told, dict) and set(told) == {"not"}
        values = told["not"] if is_not and isinstance(told, dict) else told
        values = values if isinstance(values, list) else [values]
        if not values or not all(value is None or isinstance(value, str | int | float) for value in values):
            raise SettingError(
                f'{where}: where.{column} must be a value, a list of values, or {{"not": a value or a list}}.'
            )
        return cls(column, tuple(values), is_not)

    @classmethod
    def all_of(cls, where: str, told: Mapping[str, Any] | None) -> tuple[Condition, ...]:
        """Read a rule's conditions, all of which must hold.

        Raises:
            SettingError: One of them is not understood.
        """
        return tuple(cls.parse(where, column, value) for column, value in (told or {}).items())

    def sql(self, value: str, kind: Type) -> str:
        """As Hyper tests it; never null.

        Args:
            value: SQL: what is looked at.
            kind: Its type.
        """
        listed = ", ".join(
            f"CAST({escape_string_literal(_literal(one))} AS {kind.sql})"
            for one in self.values
            if one is not None
        )
        parts = [f"COALESCE({value} IN ({listed}), FALSE)"] if listed else []
        if None in self.values:
            parts.append(f"{value} IS NULL")
        return f"{'NOT ' if self.is_not else ''}({' OR '.join(parts)})"


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
