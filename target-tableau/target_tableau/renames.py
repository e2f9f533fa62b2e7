"""Columns that `columns` renames when there is an extract already: the rows that are there follow.

Without that a column would begin anew in the middle of the data: its sum would be that of the rows that changed since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tableauhyperapi import escape_name

from target_tableau.hyper import column_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_tableau.columns import Plan, Type
    from target_tableau.hyper import Engine


def renamed(plan: Plan, existing: Mapping[str, Type]) -> dict[str, str]:
    """Column that an extract has not yet -> column of it that has borne the property's own name so far."""
    present = {column.name for column in plan.columns}
    return {
        column.name: column.source
        for column in plan.columns
        if column.name not in existing and column.source in existing and column.source not in present
    }


def take_over(engine: Engine, table: str, names: Mapping[str, str], existing: Mapping[str, Type]) -> None:
    """Move the values of columns into new ones.

    The old ones stay, for workbooks may use them, and are empty: half filled, their sums would be wrong in silence.

    Args:
        engine: The run's engine.
        table: SQL name of the table.
        names: As `renamed` tells.
        existing: The columns of the table.
    """
    for name, earlier in names.items():
        new, old = escape_name(name), escape_name(earlier)
        engine.run(f"ALTER TABLE {table} ADD COLUMN {column_list([(name, existing[earlier])])}")
        engine.run(f"UPDATE {table} SET {new} = {old}, {old} = NULL")
