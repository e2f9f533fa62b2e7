"""Columns that `columns` renames when there is an extract already: the rows that are there follow.

Without that a column would begin anew in the middle of the data: its sum would be that of the rows that changed since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tableauhyperapi import escape_name

from target_tableau.errors import SettingError
from target_tableau.hyper import column_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_tableau.columns import Plan, Type
    from target_tableau.hyper import Engine


def refuse_taken(stream: str, before: Mapping[str, str], names: Mapping[str, str]) -> None:
    """Refuse that a column is filled by another property than so far: it would hold the values of both.

    Args:
        stream: The stream.
        before: Property -> column so far.
        names: Property -> column from now on.

    Raises:
        SettingError: A column that a property gives up is given to another one at once.
    """
    given_up = {name: key for key, name in before.items() if names.get(key, name) != name}
    for key, name in names.items():
        if name in given_up and given_up[name] != key:
            raise SettingError(
                f"Stream '{stream}': 'columns' gives '{name}' to the property '{key}', but so far it is the column of "
                f"'{given_up[name]}'. Give '{key}' another name."
            )


def renamed(
    engine: Engine, table: str, plan: Plan, existing: Mapping[str, Type], names: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Column of a plan -> the column of an extract that still holds values of it under an earlier name.

    Args:
        engine: The run's engine.
        table: SQL name of the extract's table.
        plan: The plan of what arrives.
        existing: The columns of the extract.
        names: Property -> all names that its column has ever borne.
    """
    present = {column.name for column in plan.columns}
    found = {}
    for column in plan.columns:
        for name in (*names.get(column.source, ()), column.source):
            if name in present or name not in existing:
                continue
            if column.name not in existing or engine.count(f"SELECT COUNT({escape_name(name)}) FROM {table}"):
                found[column.name] = name
                break
    return found


def take_over(engine: Engine, table: str, names: Mapping[str, str], existing: Mapping[str, Type]) -> None:
    """Move the values of columns into others.

    The old ones stay, for workbooks may use them, and are empty: half filled, their sums would be wrong in silence.

    Args:
        engine: The run's engine.
        table: SQL name of the table.
        names: As `renamed` tells.
        existing: The columns of the table.
    """
    for name, earlier in names.items():
        new, old = escape_name(name), escape_name(earlier)
        if name not in existing:
            engine.run(f"ALTER TABLE {table} ADD COLUMN {column_list([(name, existing[earlier])])}")
        kind = existing.get(name, existing[earlier]).sql
        engine.run(f"UPDATE {table} SET {new} = COALESCE({new}, CAST({old} AS {kind})), {old} = NULL")
