"""Asks Tableau whether what an event says is so."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from typing import TYPE_CHECKING

from target_tableau.errors import TableauError, TargetTableauError
from target_tableau.health import look
from target_tableau.webhooks.events import (
    FAILED,
    GONE,
    THERE,
    UNCLEAR,
    UNCONFIRMED,
    WAITING,
    WELL,
    note_checked,
    waiting,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from lxml import etree

    from target_tableau.client import Job, TableauClient
    from target_tableau.incidents import Health
    from target_tableau.ledger import Ledger
    from target_tableau.settings import Settings
    from target_tableau.webhooks.events import Event

logger = logging.getLogger(__name__)

_DAY = dt.timedelta(days=1)
_PAGE = 100
_MOST_PAGES = 20
_MOST_JOBS = 25  # of one name, that are asked for one by one
_ENDED = {"Success", "Failed", "Cancelled"}
_TRIES = 3  # the list of jobs may lag behind the event
_FIRST_PAUSE_SECONDS = 15.0
_LONGEST_PAUSE_SECONDS = 900.0


@dataclasses.dataclass(frozen=True)
class Finding:
    """What Tableau has said; the states are those of `events`."""

    state: str
    job: str | None = None
    notes: str | None = None


class Checker:
    """Checks the events of a ledger, and has people told of what is wrong.

    Args:
        settings: The target's settings.
        ledger: Where events are kept.
        connect: Gives a client that is not signed in yet.
    """

    def __init__(self, settings: Settings, ledger: Ledger, connect: Callable[[], TableauClient]) -> None:
        self._settings = settings
        self._ledger = ledger
        self._connect = connect

    def serve(self, wanted: threading.Event, stopped: threading.Event) -> None:
        """Check whenever it is wanted, and again, later each time, while something could not be checked."""
        pause: float | None = None
        wanted.set()  # what was kept before this began
        while not stopped.is_set():
            wanted.wait(pause)
            wanted.clear()
            if stopped.is_set():
                return
            longer = min(pause * 2 if pause else _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
            pause = None if self.check() else longer

    def check(self) -> bool:
        """Check all that waits.

        Returns:
            Whether nothing is left to be looked at again.
        """
        kept = waiting(self._ledger)
        if not kept:
            return True
        try:
            with self._connect() as client:
                for each in kept:
                    finding = check(client, each.event)
                    if finding.state == UNCONFIRMED and each.tries + 1 < _TRIES:
                        finding = dataclasses.replace(finding, state=WAITING)
                    note_checked(self._ledger, each, finding.state, job=finding.job, notes=finding.notes)
                    logger.info("%s of '%s': %s.", each.event.event, each.event.name, finding.state)
            look(self._settings, self._ledger, _show)
        except TargetTableauError as failure:
            logger.warning("Events wait for another try: %s", failure)
            return False
        return not waiting(self._ledger)


def _show(health: Health) -> None:
    for incident in health.begun:
        logger.warning("%s", incident.told)


def check(client: TableauClient, event: Event) -> Finding:
    """Look at what an event is about.

    Raises:
        TableauError: Tableau cannot be asked now.
    """
    if event.site != client.server.site_id:
        return Finding(UNCONFIRMED, notes="it is about another site")
    kind = "workbook" if event.event.startswith("Workbook") else "datasource"
    try:
        if "Refresh" in event.event:
            return _refresh(client, event)
        return Finding(THERE if _exists(client, kind, event.luid) else GONE)
    except TableauError as refusal:
        if not refusal.code.startswith("403"):
            raise
        return Finding(UNCLEAR, notes=str(refusal))


def _exists(client: TableauClient, kind: str, luid: str) -> bool:
    server = client.server
    endpoint = server.workbooks if kind == "workbook" else server.datasources
    try:
        client.document(f"{endpoint.baseurl}/{luid}", f"look up the {kind} {luid}")
    except TableauError as refusal:
        if refusal.code.startswith("404"):
            return False
        raise
    return True


def _refresh(client: TableauClient, event: Event) -> Finding:
    """How the last refresh of something ended; later ones count more than what the event says."""
    for job in _last_jobs(client, event):
        if job.ok:
            return Finding(WELL, job.luid)
        why = job.notes or ("somebody cancelled it" if job.cancelled else "Tableau gave no reason")
        return Finding(FAILED, job.luid, why)
    return Finding(UNCONFIRMED, notes="Tableau knows of no such refresh")


def _last_jobs(client: TableauClient, event: Event) -> Iterator[Job]:
    """Refreshes of what an event is about that have ended, the last first.

    The list of jobs names what each is about, but only by its title; a job itself tells the id.
    """
    listed = [each for each in _listed(client) if each.get("status") in _ENDED]
    named = [each for each in listed if each.get("title") in {None, "", event.name}]
    named.sort(key=lambda each: each.get("endedAt") or each.get("createdAt") or "", reverse=True)
    for each in named[:_MOST_JOBS]:
        job = client.job(each.get("id", ""))
        if job.ended and event.luid in job.subjects:
            yield job


def _listed(client: TableauClient) -> Iterator[etree._Element]:
    """The refreshes of the last day, as an administrator sees them (REST API, "Query Jobs")."""
    jobs = client.server.jobs
    since = (dt.datetime.now(dt.UTC) - _DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    for number in range(1, _MOST_PAGES + 1):
        url = (
            f"{jobs.baseurl}?filter=jobType:eq:refresh_extracts,createdAt:gte:{since}"
            f"&pageSize={_PAGE}&pageNumber={number}"
        )
        found = client.document(url, "list the refreshes").findall(".//{*}backgroundJob")
        yield from found
        if len(found) < _PAGE:
            return
