"""Times on the clocks of a zone (setting `timestamp_zone`), beside those in UTC.

Columns in UTC stay as they are: they compare and sort rightly, which local clocks do not in the hour that comes twice
in autumn. The name of a display column tells its zone, so another zone makes another column and two zones never
mix in one. Hyper knows the zones of the IANA database and their summer times.
"""

from __future__ import annotations

import dataclasses
import zoneinfo
from typing import TYPE_CHECKING

from tableauhyperapi import escape_name, escape_string_literal

from target_tableau.columns import METADATA_NAMES, Kind, Plan, Type
from target_tableau.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_tableau.hyper import Engine

UTC = "UTC"
_MOMENT = Type(Kind.TIMESTAMP)


def zone_named(name: str, setting: str) -> str:
    """The name of a time zone, checked.

    Raises:
        SettingError: There is no such zone.
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise SettingError(
            f"{setting}: there is no time zone '{name}'. Give the IANA name of one, like Europe/Berlin or "
            "America/Chicago."
        ) from unknown
    return name


def with_local_times(plan: Plan, zone: str) -> Plan:
    """The plan with a display column for each date-time column that has none yet."""
    if zone == UTC:
        return plan
    moments = {column.name for column in plan.columns if column.type == _MOMENT}
    kept = tuple(column for column in plan.columns if not column.zone or column.shows in moments)
    there = {column.name for column in kept}
    shown = tuple(
        dataclasses.replace(column, name=local_name(column.name, zone), shows=column.name, zone=zone)
        for column in kept
        if column.type == _MOMENT and not column.zone and column.name not in METADATA_NAMES
    )
    return dataclasses.replace(
        plan, columns=kept + tuple(column for column in shown if column.name not in there)
    )


def local_name(column: str, zone: str) -> str:
    """Name of the display column of a date-time column."""
    return f"{column} ({zone})"


def local_time(column: str, zone: str) -> str:
    """SQL: the moment in a column, which is in UTC, on the clocks of a zone."""
    return f"({escape_name(column)} AT TIME ZONE '{UTC}') AT TIME ZONE {escape_string_literal(zone)}"


def fill(engine: Engine, table: str, plan: Plan, existing: Mapping[str, Type]) -> None:
    """Fill display columns that a table did not have, in the rows that were there before them.

    Args:
        engine: The run's engine.
        table: SQL name of the table.
        plan: Its columns now.
        existing: Its columns before.
    """
    for column in plan.columns:
        if column.zone and column.name not in existing and existing.get(column.shows) == _MOMENT:
            name = escape_name(column.name)
            engine.run(
                f"UPDATE {table} SET {name} = {local_time(column.shows, column.zone)} "
                f"WHERE {name} IS NULL AND {escape_name(column.shows)} IS NOT NULL"
            )
