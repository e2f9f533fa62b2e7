"""Refreshes what depends on published data: content with an extract of its own.

A data source published from a .hyper needs no refresh and the server refuses one (409090): whoever is connected to
it sees new rows at once. What keeps a copy does not: workbooks with extracts, data sources that extract from a
database which the same pipeline loads, scheduled tasks.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import tableauserverclient as tsc

from target_tableau.errors import RefreshError, TableauError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_tableau.client import Job
    from target_tableau.ledger import Refresh
    from target_tableau.settings import Refreshing
    from target_tableau.site import Site

logger = logging.getLogger(__name__)

_NOT_REFRESHABLE = "409090"
_DEPENDENTS = """
query dependents($luid: String) {
  publishedDatasources(filter: {luid: $luid}) {
    downstreamWorkbooks { luid name embeddedDatasources { hasExtracts } }
  }
}
"""


def wanted(rules: Iterable[tuple[Refreshing, str | None]]) -> list[tuple[str, str]]:
    """What is to be refreshed after data sources have changed, as pairs of kind and target, each once.

    Args:
        rules: For each data source that changed, what depends on it and its id.
    """
    targets: dict[tuple[str, str], None] = {}
    for rule, luid in rules:
        targets |= dict.fromkeys(("datasource", name) for name in rule.datasources)
        targets |= dict.fromkeys(("workbook", name) for name in rule.workbooks)
        targets |= dict.fromkeys(("task", name) for name in rule.tasks)
        if rule.dependents and luid:
            targets["dependents", luid] = None
    return list(targets)


class Refresher:
    """Refreshes content of one site.

    Args:
        site: Where.
        timeout_seconds: How long one refresh may take, from the request to its end.
    """

    def __init__(self, site: Site, timeout_seconds: int) -> None:
        self._site = site
        self._client = site.client
        self._timeout = timeout_seconds
        self._content: dict[str, dict[str, str]] = {}
        self._begun: dict[
            tuple[str, str], str | None
        ] = {}  # kind and id -> job, None: there is nothing to do

    def run(self, refreshes: Sequence[Refresh], note: Callable[..., None]) -> None:
        """Refresh all, wait for all, and note what became of each.

        Args:
            refreshes: What.
            note: Called with a refresh's number, and `status`, `job` and `notes`.

        Raises:
            RefreshError: Something did not work, with all that did not.
        """
        jobs: dict[str, list[Refresh]] = {}
        failures: list[str] = []
        for refresh in refreshes:
            try:
                begun = self._begin_all(refresh)
            except TableauError as failure:
                note(refresh.number, status="failed", job=None, notes=str(failure))
                failures.append(str(failure))
                continue
            if not begun:
                note(refresh.number, status="skipped", job=None, notes="nothing to refresh")
            for job in begun:
                jobs.setdefault(job, []).append(refresh)
        failures += self._wait(jobs, note)
        if failures:
            raise RefreshError(
                "The data has landed, but what depends on it is not all fresh: " + " ".join(failures)
            )

    def _wait(self, jobs: dict[str, list[Refresh]], note: Callable[..., None]) -> list[str]:
        """Wait for all jobs; what could not be refreshed is returned, in words."""
        failures: list[str] = []
        left = dict(jobs)
        open_jobs = Counter(refresh.number for waiting in jobs.values() for refresh in waiting)
        try:
            for job in self._client.wait(list(jobs), self._timeout):
                for refresh in left.pop(job.luid):
                    if not job.ok:
                        told = _told(refresh, job)
                        failures.append(f"{told} The next run tries it again.")
                        note(refresh.number, status="failed", job=job.luid, notes=told)
                        continue
                    open_jobs[refresh.number] -= 1
                    if not open_jobs[refresh.number]:  # a failed one never gets here
                        note(refresh.number, status="done", job=job.luid, notes=job.notes or None)
                        logger.info("Refreshed the %s '%s'.", refresh.kind, refresh.target)
        except TableauError as failure:
            failures.append(str(failure))
            for luid, waiting in left.items():
                for refresh in waiting:
                    note(refresh.number, status="failed", job=luid, notes=str(failure))
        return failures

    def _begin_all(self, refresh: Refresh) -> list[str]:
        """Ask for a refresh; the jobs that do it.

        Raises:
            TableauError: Tableau refuses, or the target is not to be found.
        """
        if refresh.kind == "dependents":
            targets = [("workbook", luid) for luid in self._dependents(refresh.target)]
        elif refresh.kind == "task":
            targets = [("task", refresh.target)]
        else:
            targets = [(refresh.kind, self._find(refresh.kind, refresh.target))]
        for target in targets:
            if target not in self._begun:
                self._begun[target] = self._begin(*target)
        return [job for target in targets if (job := self._begun[target]) is not None]

    def _begin(self, kind: str, luid: str) -> str | None:
        """Ask for one refresh, again while an earlier one is queued: that one may not see all that has landed."""
        server = self._client.server
        ask: dict[str, Callable[[], Any]] = {
            "workbook": lambda: server.workbooks.refresh(luid),
            "datasource": lambda: server.datasources.refresh(luid),
            "task": lambda: _job_of_task(server, luid),
        }
        waited, pause = 0.0, 5.0
        while True:
            try:
                job = self._client.call(ask[kind], f"refresh the {kind} {luid}", idempotent=False)
            except TableauError as refusal:
                if refusal.code == _NOT_REFRESHABLE:
                    logger.warning(
                        "The %s %s has no extract of its own, so there is nothing to refresh: what is connected to "
                        "published Hyper data is already current. Remove it from the setting refresh.",
                        kind,
                        luid,
                    )
                    return None
                raise
            if job is not None:  # tableauserverclient gives None for 409093, already queued
                return str(job.id)
            if waited >= self._timeout:
                raise TableauError(
                    f"Could not refresh the {kind} {luid}: an earlier refresh has been queued for {self._timeout} s."
                )
            self._client.pause(pause)
            waited, pause = waited + pause, min(pause * 1.5, 60.0)

    # -- what is meant -------------------------------------------------------------------------------------

    def _dependents(self, luid: str) -> list[str]:
        """Workbooks that keep an extract of a data source (Metadata API, `downstreamWorkbooks`)."""
        answer = self._client.call(
            lambda: self._client.server.metadata.query(_DEPENDENTS, {"luid": luid}, abort_on_error=False),
            "ask the Metadata API what depends on the data source (on Server it must be enabled)",
        )
        if answer.get("errors"):
            raise TableauError(
                f"The Metadata API does not tell what depends on the data source {luid}: {answer['errors']}"
            )
        found = (answer.get("data") or {}).get("publishedDatasources") or []
        return [
            str(book["luid"])
            for datasource in found
            for book in datasource.get("downstreamWorkbooks") or []
            if any(embedded.get("hasExtracts") for embedded in book.get("embeddedDatasources") or [])
        ]

    def _find(self, kind: str, wanted_name: str) -> str:
        """The id of a workbook or data source that is named by id, name or path ("Finance/Close/AP bills").

        Raises:
            TableauError: There is none, or several have that name.
        """
        if kind not in self._content:
            self._content[kind] = self._paths(kind)
        paths = self._content[kind]
        if wanted_name in paths:
            return wanted_name
        found = [luid for luid, path in paths.items() if path == wanted_name] or [
            luid for luid, path in paths.items() if path.rpartition("/")[2] == wanted_name
        ]
        if len(found) == 1:
            return found[0]
        several = "there are several; give its path (Project/Name) or its id" if found else "there is none"
        raise TableauError(f"Could not refresh the {kind} '{wanted_name}': {several}.")

    def _paths(self, kind: str) -> dict[str, str]:
        """Id -> path of all content of a kind that this user may see."""
        server = self._client.server
        endpoint = server.workbooks if kind == "workbook" else server.datasources
        projects = self._site.project_paths()
        return {
            str(item.id): f"{projects.get(str(item.project_id), '')}/{item.name}".lstrip("/")
            for item in self._site.pages(endpoint, f"list the {kind}s")
        }


def _told(refresh: Refresh, job: Job) -> str:
    verb = "was cancelled" if job.cancelled else "failed"
    return (
        f"Refreshing the {refresh.kind} '{refresh.target}' {verb} in Tableau (job {job.luid}): "
        f"{job.notes or 'Tableau gave no reason'}."
    )


def _job_of_task(server: tsc.Server, luid: str) -> tsc.JobItem:
    task = tsc.TaskItem(luid, "any", 0)
    return tsc.JobItem.from_response(server.tasks.run(task), server.namespace)[0]
