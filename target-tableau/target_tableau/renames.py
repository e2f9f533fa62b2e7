"""Columns that `columns` renames when there is an extract already: the rows that are there follow.

Without that a column would begin anew in the middle of the data: its sum would be that of the rows that changed since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tableauhyperapi import escape_name

from target_tableau.columns import plan_of, wider
from target_tableau.errors import SettingError
from target_tableau.hyper import column_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_tableau.columns import Plan, Type
    from target_tableau.hyper import Engine, ExtractTable
    from target_tableau.ledger import Ledger
    from target_tableau.settings import Settings


def plan_with_names(
    settings: Settings, ledger: Ledger, stream: str, message: Mapping[str, Any], *, by_rules: bool = True
) -> Plan:
    """Make the plan of a stream, whose columns keep their names but for what `columns` says, and remember them.

    Args:
        settings: The target's settings.
        ledger: Where names are remembered.
        stream: The stream.
        message: Its SCHEMA message.
        by_rules: Follow `columns`; otherwise columns are named as they were last.

    Raises:
        SettingError: The schema cannot be loaded, or a name is another column's.
    """
    borne = ledger.column_names(settings.source, stream)
    before = {key: names[0] for key, names in borne.items()}
    known = before | (settings.column_names_of(stream) if by_rules else {})
    reserved = [name for names in borne.values() for name in names]
    plan = plan_of(stream, message, settings.hyper_version, known, reserved)
    names = {column.source: column.name for column in plan.columns}
    refuse_taken(stream, before, names)
    if any(before.get(name) != column for name, column in names.items()):
        ledger.remember_columns(settings.source, stream, names)
    return plan


def refuse_taken(stream: str, before: Mapping[str, str], names: Mapping[str, str]) -> None:
    """Refuse that a column is filled by another property than so far: it would hold the values of both.

    Args:
        stream: The stream.
        before: Property -> column so far.
        names: Property -> column from now on.

    Raises:
        SettingError: A column of a property that gives it up at once, or does not come any more, is given to another.
    """
    taken = {name.casefold(): key for key, name in before.items() if names.get(key) != name}
    for key, name in names.items():
        owner = taken.get(name.casefold(), key)
        if owner != key and before.get(key) != name:
            raise SettingError(
                f"Stream '{stream}': 'columns' gives '{name}' to the property '{key}', but so far it is the column of "
                f"'{owner}'. Give '{key}' another name."
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
        others = present.union(borne[0] for source, borne in names.items() if source != column.source)
        for name in (*names.get(column.source, ()), column.source):
            if name in others or name not in existing:
                continue
            if column.name not in existing or engine.count(f"SELECT COUNT({escape_name(name)}) FROM {table}"):
                found[column.name] = name
                break
    return found


def take_over(engine: Engine, table: ExtractTable, names: Mapping[str, str]) -> None:
    """Move the values of columns into others.

    The old ones stay, for workbooks may use them, and are empty: half filled, their sums would be wrong in silence.
    One whose name differs only by the case of letters does not stay: Tableau could not tell the two apart.

    Args:
        engine: The run's engine.
        table: The table.
        names: As `renamed` tells.
    """
    for name, earlier in names.items():
        new, old = escape_name(name), escape_name(earlier)
        present = engine.columns(table)
        twin = next((other for other in present if other.casefold() == name.casefold()), None)
        if twin is None:
            engine.run(f"ALTER TABLE {table.sql} ADD COLUMN {column_list([(name, present[earlier])])}")
        elif twin != name:
            engine.run(f"ALTER TABLE {table.sql} RENAME COLUMN {escape_name(twin)} TO {new}")
        if twin == earlier:
            continue
        columns = engine.columns(table)
        kind = wider(columns[name], columns[earlier])
        if kind != columns[name]:
            engine.rebuild(table, {**columns, name: kind})
        engine.run(f"UPDATE {table.sql} SET {new} = COALESCE({new}, CAST({old} AS {kind.sql})), {old} = NULL")
