"""Incidents: each is told once, and once more when it is over."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_tableau.ledger_tables import incidents

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from target_tableau.ledger import Ledger


OF_NO_SOURCE = ("token", "refreshing", "deleted", "webhooks")
"""Kinds of incidents that are of the whole site, and are looked for by every look."""


@dataclasses.dataclass(frozen=True)
class Incident:
    """Something that somebody should look at.

    Attributes:
        kind: stale, failed, unfinished, run, silent, skipped, refresh, unresolved, rejected or token; and of the site:
            refreshing, deleted, webhooks.
        subject: What it is about; together with kind and source it tells one incident from another.
        told: What is wrong, since when, and what to do.
        source: The source whose loads it is about; empty for none.
    """

    kind: str
    subject: str
    told: str
    source: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others."""
        return self.source, self.kind, self.subject


@dataclasses.dataclass(frozen=True)
class Health:
    """What has changed since the last look.

    Attributes:
        begun: Incidents that nobody was told of yet.
        going_on: Incidents that were told of before.
        over: Incidents that somebody was told of, and that are over without anybody knowing yet.
    """

    begun: list[Incident]
    going_on: list[Incident]
    over: list[Incident]

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.begun and not self.going_on

    @property
    def has_news(self) -> bool:
        """Whether there is something to tell."""
        return bool(self.begun or self.over)


def compare(ledger: Ledger, found: list[Incident], sources: Iterable[str], now: dt.datetime) -> Health:
    """Keep what was found in the ledger, and tell what is new and what is over since the last time.

    Args:
        ledger: Where incidents are kept.
        found: All that is wrong.
        sources: The sources that were looked at; what is known of others stays as it is.
        now: In UTC, without a zone as the ledger keeps times.
    """
    of_site = (incidents.c.source == "") & incidents.c.kind.in_(OF_NO_SOURCE)
    looked_at = incidents.c.source.is_(None) | incidents.c.source.in_(list(sources)) | of_site
    untold = incidents.c.alerted_at.is_not(None) & incidents.c.over_told_at.is_(None)
    with ledger.transaction() as connection:
        rows = list(
            connection.execute(
                sa.select(incidents).where(looked_at & (incidents.c.ended_at.is_(None) | untold))
            ).mappings()
        )
        known = {_of(row).key: row for row in rows if row["ended_at"] is None}
        present = {incident.key for incident in found}
        for incident in found:
            if incident.key not in known:
                connection.execute(incidents.insert().values(**dataclasses.asdict(incident), began_at=now))
        for key, row in known.items():
            if key not in present:
                connection.execute(incidents.update().where(incidents.c.id == row["id"]).values(ended_at=now))
    told = {key for key, row in known.items() if row["alerted_at"] is not None}
    over = [
        _of(row)
        for row in rows
        if row["alerted_at"] is not None and (row["ended_at"] is not None or _of(row).key not in present)
    ]
    return Health(
        begun=[each for each in found if each.key not in told],
        going_on=[each for each in found if each.key in told],
        over=over,
    )


def note_told(ledger: Ledger, health: Health, now: dt.datetime) -> None:
    """Note that somebody was told, so that each beginning and each end is told once."""
    with ledger.transaction() as connection:
        for incident in health.begun:
            is_open = incidents.c.ended_at.is_(None)
            connection.execute(incidents.update().where(_is(incident) & is_open).values(alerted_at=now))
        for incident in health.over:
            untold = incidents.c.ended_at.is_not(None) & incidents.c.over_told_at.is_(None)
            connection.execute(incidents.update().where(_is(incident) & untold).values(over_told_at=now))


def _of(row: sa.RowMapping) -> Incident:
    return Incident(row["kind"], row["subject"], row["told"], row["source"] or "")


def _is(incident: Incident) -> sa.ColumnElement[bool]:
    return (
        (incidents.c.kind == incident.kind)
        & (incidents.c.subject == incident.subject)
        & (sa.func.coalesce(incidents.c.source, "") == incident.source)
    )
