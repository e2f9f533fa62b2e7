"""Events of Tableau: what they may hold, and where they are kept.

Tableau signs nothing, so an event proves nothing: it says where to look. The same event may come several times.
Format: developer documentation of Tableau's webhooks, "Events and payload".
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_tableau.health import now_utc
from target_tableau.ledger_tables import events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_tableau.ledger import Ledger

EVENTS = frozenset(
    f"{kind}{what}"
    for kind in ("Datasource", "Workbook")
    for what in ("Created", "Updated", "Deleted", "RefreshStarted", "RefreshSucceeded", "RefreshFailed")
)
"""What can be checked, and so is kept."""

WAITING, FAILED, WELL, GONE, THERE, UNCONFIRMED, UNCLEAR = (
    "waiting", "failed", "well", "gone", "there", "unconfirmed", "unclear",
)  # fmt: skip
"""States of an event: not looked at yet; the last refresh failed, or went well; what it is about is gone, or there;
Tableau knows of no such thing; this user may not ask."""

_LUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONGEST = {"name": 500, "created_at": 64}


class BadEventError(Exception):
    """What came is no event of Tableau's."""


@dataclasses.dataclass(frozen=True)
class Event:
    """An event as it came.

    Attributes:
        event: Its type, such as WorkbookRefreshFailed.
        luid: Id of what it is about.
        name: What that is called.
        site: Id of the site.
        created_at: When it happened, in Tableau's words.
    """

    event: str
    luid: str
    name: str
    site: str
    created_at: str


@dataclasses.dataclass(frozen=True)
class Kept:
    """An event in the ledger, with its number there and how often it was looked at."""

    number: int
    tries: int
    event: Event


def read_event(body: bytes) -> Event | None:
    """Read the body of a call; None for the empty one by which Tableau tests an address.

    Raises:
        BadEventError: It is no event.
    """
    if not body.strip():
        return None
    try:
        told = json.loads(body)
    except ValueError as broken:
        raise BadEventError("it is not JSON") from broken
    if not isinstance(told, dict):
        raise BadEventError("it is no JSON object")
    if not told:
        return None
    fields = ("event_type", "resource_luid", "resource_name", "site_luid", "created_at")
    values = [told.get(name) for name in fields]
    if not all(isinstance(value, str) for value in values):
        raise BadEventError(f"it lacks one of {', '.join(fields)}")
    event = Event(*(str(value) for value in values))
    if not _LUID.fullmatch(event.luid) or not _LUID.fullmatch(event.site):
        raise BadEventError("its ids are none of Tableau's")  # they become part of addresses
    return dataclasses.replace(
        event, name=event.name[: _LONGEST["name"]], created_at=event.created_at[: _LONGEST["created_at"]]
    )


def keep(ledger: Ledger, event: Event) -> bool:
    """Keep an event to be checked.

    Returns:
        False if it has come before.
    """
    same = (
        (events.c.event == event.event)
        & (events.c.luid == event.luid)
        & (events.c.created_at == event.created_at)
    )
    with ledger.transaction() as connection:
        if connection.scalar(sa.select(events.c.id).where(same)) is not None:
            return False
        row = dataclasses.asdict(event)
        connection.execute(events.insert().values(**row, received_at=now_utc(), state=WAITING, tries=0))
    return True


def waiting(ledger: Ledger) -> Sequence[Kept]:
    """Events that are to be checked, the oldest first."""
    names = [field.name for field in dataclasses.fields(Event)]
    query = sa.select(events).where(events.c.state == WAITING).order_by(events.c.id)
    with ledger.transaction() as connection:
        return [
            Kept(row["id"], row["tries"], Event(**{name: row[name] for name in names}))
            for row in connection.execute(query).mappings()
        ]


def note_checked(ledger: Ledger, kept: Kept, state: str, *, job: str | None, notes: str | None) -> None:
    """Note what asking Tableau has shown."""
    values = {
        "state": state,
        "tries": kept.tries + 1,
        "checked_at": now_utc(),
        "job": job,
        "notes": notes,
    }
    with ledger.transaction() as connection:
        connection.execute(events.update().where(events.c.id == kept.number).values(**values))
