"""Asynchronous jobs; each question about a job moves it one step on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.tableau.errors import not_found
from tests.sandbox.tableau.model import Job
from tests.sandbox.tableau.state import luid
from tests.sandbox.tableau.wire import element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Awaitable, Callable

    from tests.sandbox.tableau.model import Datasource, Workbook
    from tests.sandbox.tableau.state import State

PUBLISH = "PublishDatasource"
UPDATE = "UpdateUploadedFile"
REFRESH = "RefreshExtract"

_FINISH_CODES = {"success": "0", "failed": "1", "cancelled": "2"}


class WorkFailedError(Exception):
    """A job's work failed; the message becomes its notes."""


class Jobs:
    """Accepts jobs and lets them live.

    Work that waits for a job's last poll (`Switches.work_at_finish`) is kept in memory, so a restart of the
    server makes that job fail, as a lost backgrounder does.
    """

    def __init__(self, state: State, announce: Callable[[str, str, str], None]) -> None:
        self._state = state
        self._announce = announce
        self._waiting: dict[str, Callable[[], Awaitable[None]]] = {}

    async def submit(self, job: Job, work: Callable[[], Awaitable[None]]) -> Job:
        """Accept a job made by `new`, and do its work now or when it ends."""
        switches = self._state.switches
        fate = switches.fate_of(job.kind)
        job.outcome, job.notes, job.finish_code = fate.outcome, fate.notes, fate.finish_code
        job.polls_left = switches.job_polls if fate.polls is None else fate.polls
        job.missing_polls = fate.missing_polls
        self._state.index.jobs[job.id] = job
        if fate.does_its_work:
            self._waiting[job.id] = work
            if not switches.work_at_finish:
                await self._work(job)
        self._state.save()
        return job

    def new(
        self,
        kind: str,
        creator: str,
        title: str,
        *,
        datasource: Datasource | None = None,
        workbook: Workbook | None = None,
    ) -> Job:
        """A job that nobody has accepted yet."""
        return Job(
            luid(), kind, creator, self._state.now(), title, "success", 0,
            datasource=datasource.id if datasource else None,
            workbook=workbook.id if workbook else None,
            connection=datasource.connection if datasource else None,
        )  # fmt: skip

    async def ask(self, identifier: str) -> Job:
        """A job after one more step of its life.

        Raises:
            TableauError: 404018, when there is no such job (yet).
        """
        job = self._state.index.jobs.get(identifier)
        if job is not None and job.missing_polls > 0:
            job.missing_polls -= 1
            job = None
        if job is None:
            raise not_found(f"Job '{identifier}' could not be found.", "404018")
        if job.completed_at is None:
            await self._step(job)
        return job

    async def _step(self, job: Job) -> None:
        if job.polls_left > 0 or job.outcome == "never":
            job.polls_left -= 1
            job.started_at = job.started_at or self._state.now()
            return
        if job.outcome == "success" and self._state.switches.work_at_finish:
            await self._work(job)
        job.started_at = job.started_at or self._state.now()
        job.completed_at = self._state.now()
        self._state.save()
        self._tell(job)

    async def run_out(self) -> None:
        """Let every job end that ever does, as a backgrounder does without being asked."""
        for job in list(self._state.index.jobs.values()):
            while job.completed_at is None and job.outcome != "never":
                await self._step(job)

    def _tell(self, job: Job) -> None:
        """A refresh that has ended is an event of what was refreshed."""
        ended = {"success": "Succeeded", "failed": "Failed"}.get(job.outcome)
        if job.kind != REFRESH or ended is None:
            return
        if job.workbook is not None:
            self._announce(f"WorkbookRefresh{ended}", job.workbook, job.title)
        elif job.datasource is not None:
            self._announce(f"DatasourceRefresh{ended}", job.datasource, job.title)

    async def _work(self, job: Job) -> None:
        work = self._waiting.pop(job.id, None)
        if work is None:
            job.outcome, job.notes = "failed", "The backgrounder stopped before the job was done."
            return
        try:
            await work()
        except WorkFailedError as failed:
            job.outcome, job.notes = "failed", str(failed) or None


def describe(state: State, job: Job) -> ET.Element:
    """A job as the method that makes it and the method that asks about it show it."""
    built = element(
        "job",
        id=job.id,
        mode="Asynchronous",
        type=job.kind,
        progress="100" if job.completed_at else "0",
        createdAt=job.created_at,
        startedAt=job.started_at,
        updatedAt=job.completed_at or job.started_at or job.created_at,
        completedAt=_completed(state, job),
        finishCode=_finish_code(state, job),
    )
    child = _child(state, job)
    if child is not None:
        built.append(child)
    return built


def _completed(state: State, job: Job) -> str | None:
    if job.completed_at is None or not state.switches.fractional_seconds:
        return job.completed_at
    return job.completed_at.replace("Z", ".417Z")


def _finish_code(state: State, job: Job) -> str | None:
    if job.completed_at is None:
        return "1" if state.switches.early_finish_code else None
    return job.finish_code or _FINISH_CODES[job.outcome]


def _child(state: State, job: Job) -> ET.Element | None:
    notes = job.notes if job.completed_at else None
    if job.kind == PUBLISH:
        note = None if notes is None else element("statusNote", type="ErrorMessage", value="", text_=notes)
        return None if note is None else element("statusNotes", note)
    noted = [] if notes is None else [element("notes", text=notes)]
    subject = _subject(state, job)
    if job.kind == REFRESH:
        return element("extractRefreshJob", *noted, *subject)
    return element("updateUploadedFileJob", *subject, element("connectionLuid", text=job.connection), *noted)


def _subject(state: State, job: Job) -> list[ET.Element]:
    shown: list[ET.Element] = []
    for tag, identifier in (("datasource", job.datasource), ("workbook", job.workbook)):
        if identifier is None:
            continue
        held = (state.index.datasources if tag == "datasource" else state.index.workbooks).get(identifier)
        shown.append(element(tag, id=identifier, name=held.name if held else None))
    return shown
