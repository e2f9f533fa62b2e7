"""What is wrong with the loads, seen from outside: for a scheduler of its own.

A tap that fails before it sends anything leaves no load. Where the target was started, its run tells; where it was
not, because the pipeline failed before, or because the scheduler is dead, rows grow older than promised.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import fnmatch
import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_tableau import alerts
from target_tableau.incidents import Health, Incident, compare, note_told
from target_tableau.ledger import Status
from target_tableau.ledger_tables import datasources, events, loads, refreshes, runs, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_tableau.ledger import Ledger
    from target_tableau.settings import Settings

_NOT_LOADED = [Status.DRY_RUN.value, Status.COLLECTED.value]
_UNFINISHED = dt.timedelta(hours=12)  # longer than any load between two checkpoints
_TOKEN_ENDS = dt.timedelta(days=14)
_TOKEN_UNUSED = dt.timedelta(days=12)  # Tableau ends a token after 15 days without use
_ALERT_SECONDS = 120
_WHY = {
    "skipped": "the tap skipped it, because a right or a module is missing",
    "stopped": "its calls were used up (max_calls_per_run, or a quota of the source), and the next run goes on",
    "failed": "reading it failed",
}
_WHY_UNKNOWN = "the tap failed, was stopped, or skipped it"
_NEVER = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the ledger keeps UTC without a zone


def look(settings: Settings, ledger: Ledger, show: Callable[[Health], None]) -> Health:
    """Find what is wrong and tell people of what is new, one look at a time.

    Args:
        settings: What is promised, and whom to tell.
        ledger: What is known.
        show: Called with what was found before people are told.

    Raises:
        TargetTableauError: Somebody could not be told; the next look tries again.
    """
    with ledger.exclusive("the alerts of this ledger", _ALERT_SECONDS):
        now = now_utc()
        sources = sources_of(settings, ledger)
        health = compare(ledger, find(settings, ledger, now), sources, now)
        show(health)
        if settings.alert_urls and health.has_news:
            alerts.send(settings.alert_urls, health, settings.source)
            note_told(ledger, health, now)
    return health


def now_utc() -> dt.datetime:
    """UTC without a zone, as the ledger keeps times."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def sources_of(settings: Settings, ledger: Ledger) -> list[str]:
    """The sources to look at: the one that is set, or else all that have loaded anything or are expected to."""
    if settings.source:
        return [settings.source]
    with ledger.transaction() as connection:
        known = {
            *connection.scalars(sa.select(loads.c.source).distinct()),
            *connection.scalars(sa.select(runs.c.source).distinct()),
        }
    return sorted(known | set(settings.expected_sources))


def find(settings: Settings, ledger: Ledger, now: dt.datetime) -> list[Incident]:
    """Look for everything that is wrong; `now` is in UTC, without a zone as the ledger keeps times."""
    found: list[Incident] = []
    for source in sources_of(settings, ledger):
        own = dataclasses.replace(settings, source=source)
        found += [
            *_of_loads(own, ledger, now),
            *_of_run(source, ledger),
            *_of_refreshes(source, ledger),
            *_of_source_token(own, ledger, now),
        ]
    return [*found, *_of_events(ledger), *_of_tokens(ledger, now)]


# -- loads -------------------------------------------------------------------------------------------------------


def _of_loads(settings: Settings, ledger: Ledger, now: dt.datetime) -> Iterator[Incident]:
    source = settings.source
    query = (
        sa.select(loads)
        .where((loads.c.source == source) & loads.c.status.not_in(_NOT_LOADED))
        .order_by(loads.c.load_id.desc())
    )
    with ledger.transaction() as connection:
        rows = list(connection.execute(query).mappings())
    seen: set[str] = set()
    fresh: dict[str, dt.datetime] = {}
    for row in rows:
        stream = row["stream"]
        name = row["datasource"] or f"{source} {stream}".strip()
        if stream not in seen:
            seen.add(stream)
            yield from _of_last_load(row, name, now)
        if row["status"] == Status.DONE.value and stream not in fresh:
            fresh[stream] = max(filter(None, (row["extracted_at"], row["started_at"])))
            yield from _of_age(settings, stream, name, fresh[stream], now)
    for stream in sorted(seen - fresh.keys()):
        if settings.datasource_of(stream).freshness_minutes:
            told = f"'{f'{source} {stream}'.strip()}' was never loaded to its end. See target-tableau-loads list."
            yield Incident("stale", stream, told, source)
    if not rows and (source in settings.expected_sources or (source and settings.freshness_minutes)):
        told = (
            f"Nothing of '{source}' was ever loaded. Look whether its schedule runs, and whether the tap can sign in "
            f"(in Meltano: meltano invoke {source} --test)."
        )
        yield Incident("stale", source, told, source)


def _of_last_load(row: sa.RowMapping, name: str, now: dt.datetime) -> Iterator[Incident]:
    source, when = row["source"], _at(row["started_at"])
    if row["status"] == Status.FAILED.value:
        told = f"The load of '{name}' of {when} failed: {row['error']} The next run tries again."
        yield Incident("failed", name, told, source)
    elif row["status"] != Status.DONE.value and now - row["started_at"] > _UNFINISHED:
        told = (
            f"The load of '{name}' of {when} never ended: its process was killed. The next run finishes it."
        )
        yield Incident("unfinished", name, told, source)
    if row["rejected"]:
        told = (
            f"{row['rejected']:,} records of '{name}' did not fit and are in quarantine (load {row['load_id']} of "
            f"{when}). Correct the tap, then target-tableau-loads replay {row['load_id']} --rejected."
        )
        yield Incident("rejected", name, told, source)
    if row["unresolved"]:
        told = (
            f"{row['unresolved']:,} rows of '{name}' refer to something that is not there. The log of load "
            f"{row['load_id']} of {when} names the values; load the dimensions first."
        )
        yield Incident("unresolved", name, told, source)


def _of_age(
    settings: Settings, stream: str, name: str, fresh: dt.datetime, now: dt.datetime
) -> Iterator[Incident]:
    promised = settings.datasource_of(stream).freshness_minutes
    minutes = int((now - fresh).total_seconds() // 60)
    if promised and minutes > promised:
        told = (
            f"'{name}' is {minutes:,} minutes old, and {promised:,} are promised: its newest rows are of {_at(fresh)}. "
            "Look whether the schedule runs, and whether the tap can sign in."
        )
        yield Incident("stale", name, told, settings.source)


# -- runs --------------------------------------------------------------------------------------------------------


def _of_run(source: str, ledger: Ledger) -> Iterator[Incident]:
    """What the last run that came to an end tells, beside its loads."""
    ended = runs.c.ended_at.is_not(None)
    query = sa.select(runs).where((runs.c.source == source) & ended).order_by(runs.c.id.desc()).limit(1)
    with ledger.transaction() as connection:
        row = connection.execute(query).mappings().first()
        if row is None:
            return
        failed = (loads.c.status == Status.FAILED.value) & (loads.c.started_at >= row["began_at"])
        is_told = connection.scalar(sa.select(sa.func.count()).where((loads.c.source == source) & failed))
    who, when = f"'{source}'" if source else "the tap", _at(row["began_at"])
    if row["error"] is not None:
        if not is_told:
            told = f"The run of {who} of {when} failed: {row['error']}"
            yield Incident("run", source, told, source)
        return
    if not row["brought"]:
        told = (
            f"The run of {when} got nothing from {who}: it failed before it sent anything. Its log tells why; so does "
            f"its option --test{f' (in Meltano: meltano invoke {source} --test)' if source else ''}."
        )
        yield Incident("silent", source, told, source)
    for stream, why in json.loads(row["unread"] or "{}").items():
        name = f"{source} {stream}".strip()
        told = (
            f"'{name}' was not read to its end by the run of {when}: {_WHY.get(why, _WHY_UNKNOWN)}. The tap's log "
            "tells more. The rows that came before are there."
        )
        yield Incident("skipped", name, told, source)


# -- refreshes ---------------------------------------------------------------------------------------------------


def _of_refreshes(source: str, ledger: Ledger) -> Iterator[Incident]:
    query = sa.select(refreshes).where((refreshes.c.source == source) & (refreshes.c.status == "failed"))
    with ledger.transaction() as connection:
        rows = list(connection.execute(query).mappings())
    for row in rows:
        what = f"{row['kind']} '{row['target']}'"
        told = (
            f"The {what} could not be refreshed at {_at(row['finished_at'] or row['requested_at'])}: {row['notes']} "
            "The next run tries again."
        )
        yield Incident("refresh", what, told, source)


# -- events ------------------------------------------------------------------------------------------------------


def _of_events(ledger: Ledger) -> Iterator[Incident]:
    """What webhooks have told of and Tableau has confirmed: of each thing the last counts."""
    checked = events.c.state.in_(["failed", "well", "gone", "unclear"])
    newest = sa.select(sa.func.max(events.c.id)).where(checked).group_by(events.c.luid)
    with ledger.transaction() as connection:
        rows = list(
            connection.execute(
                sa.select(events).where(events.c.id.in_(newest)).order_by(events.c.id)
            ).mappings()
        )
        ours = set(connection.scalars(sa.select(datasources.c.luid)))
        told = set(connection.scalars(sa.select(refreshes.c.job).where(refreshes.c.status == "failed")))
    for row in rows:
        kind = "workbook" if row["event"].startswith("Workbook") else "data source"
        if row["state"] == "failed" and row["job"] not in told:
            why = (
                f"The {kind} '{row['name']}' could not be refreshed by Tableau (job {row['job']}, told at "
                f"{_at(row['received_at'])}): {row['notes']}. Its readers see the data of before; look under Jobs in "
                "Tableau."
            )
            yield Incident("refreshing", row["luid"], why)
        elif row["state"] == "gone" and row["luid"] in ours:
            why = (
                f"The data source '{row['name']}' was deleted in Tableau (told at {_at(row['received_at'])}). The next "
                "load that changes it publishes it anew, under another id: workbooks must be connected to that one."
            )
            yield Incident("deleted", row["luid"], why)
    if rows and rows[-1]["state"] == "unclear":
        why = (
            f"Tableau tells of refreshes, but they cannot be checked since {_at(rows[-1]['checked_at'])}: "
            f"{rows[-1]['notes']} Let target-tableau-webhooks serve sign in as a site administrator."
        )
        yield Incident("webhooks", "jobs", why)


# -- tokens ------------------------------------------------------------------------------------------------------


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


def _of_source_token(settings: Settings, ledger: Ledger, now: dt.datetime) -> Iterator[Incident]:
    """A sign-in that ends without use, such as Exact Online's after 30 days; a run that brought something used it."""
    source = settings.source
    lives = [days for each, days in settings.source_token_days.items() if fnmatch.fnmatchcase(source, each)]
    if not lives:
        return
    with ledger.transaction() as connection:
        used = [
            connection.scalar(sa.select(sa.func.max(moment)).where(where))
            for moment, where in (
                (runs.c.began_at, (runs.c.source == source) & runs.c.brought),
                (loads.c.started_at, loads.c.source == source),
            )
        ]
    last = max((moment for moment in used if moment is not None), default=_NEVER)
    life = dt.timedelta(days=lives[-1])
    if last != _NEVER and now - last > life * 2 / 3:
        end = "ended" if now > last + life else "ends"
        told = (
            f"The sign-in of '{source}' was last used on {last:%Y-%m-%d}, and {end} on {last + life:%Y-%m-%d}, "
            f"{lives[-1]} days later, unless it is used. Run the pipeline; where it is to rest, keep the sign-in alive "
            "by the tap's own command."
        )
        yield Incident("token", source, told, source)


def note_token(ledger: Ledger, server: str, name: str, days: int | None) -> None:
    """Note that a personal access token was used, and in how many days it ends, if Tableau has told."""
    now = now_utc()
    ends = None if days is None else now + dt.timedelta(days=days)
    with ledger.transaction() as connection:
        connection.execute(tokens.delete().where((tokens.c.server == server) & (tokens.c.name == name)))
        connection.execute(tokens.insert().values(server=server, name=name, used_at=now, ends_at=ends))


def _at(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
