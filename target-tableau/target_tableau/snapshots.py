"""Dated copies of streams or models (setting `snapshots`): the state of a day, kept.

A snapshot has a row per day and key. Until its day is over the copy of the day is replaced by each later run; with
`every: month` the copy of a month is, so that the last one of the month stays, under the day on which it was made.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING, Any

from tableauhyperapi import escape_name, escape_string_literal

from target_tableau.columns import DELETED_AT, LOAD_ID, METADATA, METADATA_NAMES, Kind, Type
from target_tableau.conditions import Condition
from target_tableau.display import zone_named
from target_tableau.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_tableau.models import Table

SNAPSHOT_DATE = "snapshot_date"


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """A rule of the setting.

    Attributes:
        name: Name of the snapshot.
        stream: The stream or model that is copied.
        monthly: One copy a month is kept, the last; otherwise one a day.
        where: What a row must fulfil.
        keep_days: How long a copy is kept; None for ever.
        zone: Whose day it is.
    """

    name: str
    stream: str
    monthly: bool
    where: tuple[Condition, ...]
    keep_days: int | None
    zone: str

    @classmethod
    def parse(cls, rule: Mapping[str, Any], zone: str) -> Snapshot:
        """Read a rule; `zone` is that of rules without one.

        Raises:
            SettingError: The zone is unknown, or a condition is not understood.
        """
        name = str(rule["name"])
        return cls(
            name=name,
            stream=str(rule["stream"]),
            monthly=rule.get("every") == "month",
            where=Condition.all_of(f"Snapshot '{name}'", rule.get("where")),
            keep_days=rule.get("keep_days"),
            zone=zone_named(rule.get("zone") or zone, f"snapshots, '{name}'"),
        )

    def date(self, now: dt.datetime) -> dt.date:
        """The day under which a copy that is made now is kept."""
        return now.astimezone(zoneinfo.ZoneInfo(self.zone)).date()

    def replaced(self, today: dt.date) -> str:
        """SQL: a row belongs to a copy that today's takes the place of, or that is too old to be kept."""
        first = today.replace(day=1) if self.monthly else today
        parts = [f"({SNAPSHOT_DATE} BETWEEN {_date(first)} AND {_date(today)})"]
        if self.keep_days is not None:
            parts.append(f"{SNAPSHOT_DATE} <= {_date(today - dt.timedelta(days=self.keep_days))}")
        return " OR ".join(parts)

    def insert(self, table: str, source: Table, today: dt.date, load_id: str) -> str:
        """SQL that writes today's copy.

        Args:
            table: Where to.
            source: What is copied.
            today: The day of the copy.
            load_id: The load that makes it.

        Raises:
            SettingError: A condition names a column that there is not, or a value that it cannot have.
        """
        own = [name for name in source.columns if name not in METADATA_NAMES]
        if any(name.casefold() == SNAPSHOT_DATE for name in own):
            raise SettingError(
                f"Snapshot '{self.name}': {self.stream} has a column {SNAPSHOT_DATE} of its own; rename it by columns."
            )
        tests = [f"{DELETED_AT} IS NULL"]
        for condition in self.where:
            column = source.names.get(condition.column, condition.column)
            if column not in own:
                raise SettingError(
                    f"Snapshot '{self.name}': {self.stream} has no column '{condition.column}'; it has: "
                    f"{', '.join(own)}."
                )
            tests.append(condition.sql(escape_name(column), source.columns[column]))
        values = {SNAPSHOT_DATE: _date(today)} | {name: escape_name(name) for name in own}
        values |= {column.name: column.name for column in METADATA} | {
            LOAD_ID: escape_string_literal(load_id)
        }
        listed = ", ".join(escape_name(name) for name in values)
        return (
            f"INSERT INTO {table} ({listed}) SELECT {', '.join(values.values())} FROM {source.sql} "
            f"WHERE {' AND '.join(tests)}"
        )


DATE = Type(Kind.DATE)


def _date(day: dt.date) -> str:
    return f"DATE '{day.isoformat()}'"
