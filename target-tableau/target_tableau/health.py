"""What is wrong with the loads of a source, seen from outside: for a scheduler of its own.

A tap that fails before it sends anything leaves no load, a scheduler that is dead leaves none either: both show as
rows that grow older than promised.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_tableau.ledger import Status
from target_tableau.ledger_tables import incidents, loads, refreshes, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_tableau.ledger import Ledger
    from target_tableau.settings import Settings

_NOT_LOADED = [Status.DRY_RUN.value, Status.COLLECTED.value]
_UNFINISHED = dt.timedelta(hours=12)  # longer than any load between two checkpoints
_TOKEN_ENDS = dt.timedelta(days=14)
_TOKEN_UNUSED = dt.timedelta(days=12)  # Tableau ends a token after 15 days without use


@dataclasses.dataclass(frozen=True)
class Incident:
    """Something that somebody should look at.

    Attributes:
        kind: stale, failed, unfinished, refresh, unresolved, rejected or token.
        subject: What it is about; together with the kind it tells one incident from another.
        told: What is wrong, since when, and what to do.
    """

    kind: str
    subject: str
    told: str


@dataclasses.dataclass(frozen=True)
class Health:
    """What has changed since the last look.

    Attributes:
        begun: Incidents that nobody was told of yet.
        going_on: Incidents that were told of before.
        over: Incidents that are over.
    """

    begun: list[Incident]
    going_on: list[Incident]
    over: list[Incident]

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.begun and not self.going_on


def find(settings: Settings, ledger: Ledger, now: dt.datetime) -> list[Incident]:
    """Look for everything that is wrong; `now` is in UTC, without a zone as the ledger keeps times."""
    return [
        *_of_loads(settings, ledger, now),
        *_of_refreshes(settings, ledger),
        *_of_tokens(ledger, now),
    ]


def _of_loads(settings: Settings, ledger: Ledger, now: dt.datetime) -> Iterator[Incident]:
    query = (
        sa.select(loads)
        .where((loads.c.source == settings.source) & loads.c.status.not_in(_NOT_LOADED))
        .order_by(loads.c.load_id.desc())
    )
    with ledger.transaction() as connection:
        rows = list(connection.execute(query).mappings())
    seen: set[str] = set()
    fresh: dict[str, dt.datetime] = {}
    for row in rows:
        stream = row["stream"]
        name = row["datasource"] or f"{row['source']} {stream}".strip()
        if stream not in seen:
            seen.add(stream)
            yield from _of_last_load(row, name, now)
        if row["status"] == Status.DONE.value and stream not in fresh:
            fresh[stream] = max(filter(None, (row["extracted_at"], row["started_at"])))
            yield from _of_age(settings, stream, name, now - fresh[stream])
    for stream in seen - fresh.keys():
        if settings.datasource_of(stream).freshness_minutes:
            yield Incident(
                "stale", stream, f"'{stream}' was never loaded to its end. See target-tableau-loads list."
            )


def _of_last_load(row: sa.RowMapping, name: str, now: dt.datetime) -> Iterator[Incident]:
    when = f"{row['started_at']:%Y-%m-%d %H:%M} UTC"
    if row["status"] == Status.FAILED.value:
        told = f"The load of '{name}' of {when} failed: {row['error']} The next run tries again."
        yield Incident("failed", name, told)
    elif row["status"] != Status.DONE.value and now - row["started_at"] > _UNFINISHED:
        told = (
            f"The load of '{name}' of {when} never ended: its process was killed. The next run finishes it."
        )
        yield Incident("unfinished", name, told)
    if row["rejected"]:
        told = (
            f"{row['rejected']:,} records of '{name}' did not fit and are in quarantine (load {row['load_id']}). "
            f"Correct the tap, then target-tableau-loads replay {row['load_id']} --rejected."
        )
        yield Incident("rejected", name, told)
    if row["unresolved"]:
        told = (
            f"{row['unresolved']:,} rows of '{name}' refer to something that is not there. The log of load "
            f"{row['load_id']} names the values; load the dimensions first."
        )
        yield Incident("unresolved", name, told)


def _of_age(settings: Settings, stream: str, name: str, age: dt.timedelta) -> Iterator[Incident]:
    promised = settings.datasource_of(stream).freshness_minutes
    minutes = int(age.total_seconds() // 60)
    if promised and minutes > promised:
        told = (
            f"'{name}' is {minutes:,} minutes old, and {promised:,} are promised. Look whether the schedule runs, and "
            "whether the tap can sign in."
        )
        yield Incident("stale", name, told)


def _of_refreshes(settings: Settings, ledger: Ledger) -> Iterator[Incident]:
    query = sa.select(refreshes).where(
        (refreshes.c.source == settings.source) & (refreshes.c.status == "failed")
    )
    with ledger.transaction() as connection:
        rows = list(connection.execute(query).mappings())
    for row in rows:
        what = f"{row['kind']} '{row['target']}'"
        told = f"The {what} could not be refreshed: {row['notes']} The next run tries again."
        yield Incident("refresh", what, told)


def _of_tokens(ledger: Ledger, now: dt.datetime) -> Iterator[Incident]:
    with ledger.transaction() as connection:
        rows = list(connection.execute(sa.select(tokens)).mappings())
    for row in rows:
        what = f"The Tableau token '{row['name']}' at {row['server']}"
        if row["ends_at"] is not None and row["ends_at"] - now < _TOKEN_ENDS:
            told = f"{what} ends on {row['ends_at']:%Y-%m-%d}. Make a new one and set token_name and token_value."
            yield Incident("token", row["name"], told)
        elif now - row["used_at"] > _TOKEN_UNUSED:
            told = f"{what} was last used on {row['used_at']:%Y-%m-%d}; after 15 days without use it ends. Run check."
            yield Incident("token", row["name"], told)


def note_token(ledger: Ledger, server: str, name: str, days: int | None) -> None:
    """Note that a personal access token was used, and in how many days it ends, if Tableau has told."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    ends = None if days is None else now + dt.timedelta(days=days)
    with ledger.transaction() as connection:
        connection.execute(tokens.delete().where((tokens.c.server == server) & (tokens.c.name == name)))
        connection.execute(tokens.insert().values(server=server, name=name, used_at=now, ends_at=ends))


def compare(ledger: Ledger, found: list[Incident], now: dt.datetime) -> Health:
    """Keep what was found in the ledger, and tell what is new and what is over since the last time."""
    with ledger.transaction() as connection:
        rows = list(connection.execute(sa.select(incidents).where(incidents.c.ended_at.is_(None))).mappings())
        known = {(row["kind"], row["subject"]): row for row in rows}
        present = {(incident.kind, incident.subject) for incident in found}
        for incident in found:
            if (incident.kind, incident.subject) not in known:
                connection.execute(incidents.insert().values(**dataclasses.asdict(incident), began_at=now))
        over = [row for key, row in known.items() if key not in present]
        for row in over:
            connection.execute(incidents.update().where(incidents.c.id == row["id"]).values(ended_at=now))
    told = {key for key, row in known.items() if row["alerted_at"] is not None}
    return Health(
        begun=[each for each in found if (each.kind, each.subject) not in told],
        going_on=[each for each in found if (each.kind, each.subject) in told],
        over=[
            Incident(row["kind"], row["subject"], row["told"])
            for row in over
            if row["alerted_at"] is not None
        ],
    )


def note_alerted(ledger: Ledger, told: list[Incident], now: dt.datetime) -> None:
    """Note that somebody was told, so that each incident is told once."""
    with ledger.transaction() as connection:
        for incident in told:
            connection.execute(
                incidents.update()
                .where(
                    (incidents.c.kind == incident.kind)
                    & (incidents.c.subject == incident.subject)
                    & incidents.c.ended_at.is_(None)
                )
                .values(alerted_at=now)
            )
