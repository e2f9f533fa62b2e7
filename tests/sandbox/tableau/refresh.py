"""Extract refreshes: of data sources, of workbooks with an extract of their own, and of scheduled tasks.

A published .hyper is live to Hyper: there is nothing it could be refreshed from, so the server refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.tableau import jobs
from tests.sandbox.tableau.errors import conflict, forbidden, not_found
from tests.sandbox.tableau.query import page, select
from tests.sandbox.tableau.rights import require_write
from tests.sandbox.tableau.service import HOUR, Context, Rule
from tests.sandbox.tableau.wire import answer, element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from starlette.responses import Response

    from tests.sandbox.tableau.model import Datasource, Job, Task, Workbook
    from tests.sandbox.tableau.query import Fields


def _workbook_of(ctx: Context, identifier: str) -> Workbook:
    found = ctx.state.index.workbooks.get(identifier)
    if found is None:
        raise not_found(f"Workbook '{identifier}' could not be found.", "404006")
    return found


def _task(ctx: Context) -> Task:
    found = ctx.state.index.tasks.get(ctx.part("task"))
    if found is None:
        raise not_found(f"Task '{ctx.part('task')}' could not be found.", "404026")
    return found


async def refresh_datasource(ctx: Context) -> Response:
    """POST datasources/{datasource}/refresh."""
    await _check_body(ctx)
    held = ctx.state.get_datasource(ctx.part("datasource"))
    require_write(ctx, held)
    return answer(jobs.describe(ctx.state, await _refresh_datasource(ctx, held)), status=202)


async def refresh_workbook(ctx: Context) -> Response:
    """POST workbooks/{workbook}/refresh."""
    await _check_body(ctx)
    book = _workbook_of(ctx, ctx.part("workbook"))
    if not ctx.user.may_publish:
        raise forbidden(f"User '{ctx.user.name}' may not refresh the workbook '{book.name}'.", "403032")
    return answer(jobs.describe(ctx.state, await _refresh_workbook(ctx, book)), status=202)


async def run_task(ctx: Context) -> Response:
    """POST tasks/extractRefreshes/{task}/runNow."""
    await _check_body(ctx)
    task = _task(ctx)
    if not ctx.user.may_publish:
        raise forbidden(f"User '{ctx.user.name}' may not run the task.", "403032")
    if task.workbook is not None:
        job = await _refresh_workbook(ctx, _workbook_of(ctx, task.workbook))
    else:
        job = await _refresh_datasource(ctx, ctx.state.get_datasource(task.datasource or ""))
    task.last_run_at = ctx.state.now()
    ctx.state.save()
    return answer(jobs.describe(ctx.state, job))


async def _check_body(ctx: Context) -> None:
    """The body is a `<tsRequest>`, empty or with an `<extractRefresh>`."""
    ctx.service.spend("refresh_extracts", ctx.switches.refreshes_per_hour, HOUR)
    await ctx.xml()


async def _refresh_datasource(ctx: Context, held: Datasource) -> Job:
    if held.live:
        raise _not_allowed(ctx, "datasource", held.name)
    job = ctx.service.jobs.new(jobs.REFRESH, ctx.user.id, held.name, datasource=held)
    _check_queue(ctx, job)

    async def work() -> None:
        held.updated_at = ctx.state.now()

    ctx.state.wrote("refresh", held.name)
    ctx.service.announce("DatasourceRefreshStarted", held.id, held.name)
    return await ctx.service.jobs.submit(job, work)


async def _refresh_workbook(ctx: Context, book: Workbook) -> Job:
    if not book.extracts:
        raise _not_allowed(ctx, "workbook", book.name)
    job = ctx.service.jobs.new(jobs.REFRESH, ctx.user.id, book.name, workbook=book)
    _check_queue(ctx, job)

    async def work() -> None:
        gone = [identifier for identifier in book.extracts if identifier not in ctx.state.index.datasources]
        if gone:
            raise jobs.WorkFailedError(
                f"The data source {gone[0]} that the workbook extracts does not exist."
            )
        book.seen = {identifier: ctx.state.index.datasources[identifier].rows for identifier in book.extracts}
        book.updated_at = ctx.state.now()

    ctx.state.wrote("refresh", book.name)
    ctx.service.announce("WorkbookRefreshStarted", book.id, book.name)
    return await ctx.service.jobs.submit(job, work)


def _not_allowed(ctx: Context, kind: str, name: str) -> Exception:
    return conflict(
        f"Extract operation for the {kind} '{name}' is not allowed.",
        "409090",
        ctx.switches.not_refreshable_status,
    )


def _check_queue(ctx: Context, job: Job) -> None:
    """Refuse a refresh of what is being refreshed already."""
    waiting = [
        other
        for other in ctx.state.index.jobs.values()
        if other.kind == jobs.REFRESH
        and other.completed_at is None
        and (other.datasource, other.workbook) == (job.datasource, job.workbook)
    ]
    forced = ctx.switches.refresh_queued > 0
    if forced:
        ctx.switches.refresh_queued -= 1
    if waiting or forced:
        raise conflict(f"A refresh of '{job.title}' is already queued.", "409093")


def _task_element(task: Task) -> ET.Element:
    subject = (
        element("workbook", id=task.workbook)
        if task.workbook is not None
        else element("datasource", id=task.datasource)
    )
    refresh = element(
        "extractRefresh",
        subject,
        id=task.id,
        priority=task.priority,
        consecutiveFailedCount=task.failed_count,
        type="RefreshExtractTask",
    )
    if task.last_run_at is not None:
        refresh.append(element("lastRunAt", text=task.last_run_at))
    return element("task", refresh)


async def query_tasks(ctx: Context) -> Response:
    """GET tasks/extractRefreshes; there is no paging."""
    tasks = ctx.state.index.tasks.values()
    return answer(element("tasks", *[_task_element(task) for task in tasks]))


async def query_task(ctx: Context) -> Response:
    """GET tasks/extractRefreshes/{task}."""
    return answer(_task_element(_task(ctx)))


def _workbook_element(ctx: Context, book: Workbook) -> ET.Element:
    project = ctx.state.index.projects[book.project]
    return element(
        "workbook",
        element("project", id=project.id, name=project.name),
        element("owner", id=book.owner),
        element("tags", *[element("tag", label=tag) for tag in book.tags]),
        id=book.id,
        name=book.name,
        contentUrl=book.content_url,
        createdAt=book.created_at,
        updatedAt=book.updated_at,
        showTabs=True,
        hasExtracts=bool(book.extracts),
    )


def _workbook_fields(ctx: Context, book: Workbook) -> Fields:
    return {
        "name": book.name,
        "projectName": ctx.state.index.projects[book.project].name,
        "contentUrl": book.content_url,
        "createdAt": book.created_at,
        "updatedAt": book.updated_at,
        "tags": list(book.tags),
    }


async def query_workbooks(ctx: Context) -> Response:
    """GET workbooks."""
    books = list(ctx.state.index.workbooks.values())
    head, shown = page(select(books, ctx.query, lambda book: _workbook_fields(ctx, book)), ctx.query)
    return answer(head, element("workbooks", *[_workbook_element(ctx, book) for book in shown]))


async def query_workbook(ctx: Context) -> Response:
    """GET workbooks/{workbook}."""
    return answer(_workbook_element(ctx, _workbook_of(ctx, ctx.part("workbook"))))


async def query_workbook_connections(ctx: Context) -> Response:
    """GET workbooks/{workbook}/connections: one `sqlproxy` per published data source."""
    book = _workbook_of(ctx, ctx.part("workbook"))
    held = [ctx.state.index.datasources[d] for d in book.upstream if d in ctx.state.index.datasources]
    listed = [
        element("connection", element("datasource", id=d.id, name=d.name), id=d.connection, type="sqlproxy")
        for d in held
    ]
    return answer(element("connections", *listed))


RUN = "tableau:tasks:run"
TASKS = "tableau:tasks:read"
RULES = [
    Rule("POST", "/datasources/{datasource}/refresh", refresh_datasource, RUN, (2, 8)),
    Rule("POST", "/workbooks/{workbook}/refresh", refresh_workbook, RUN, (2, 8)),
    Rule("GET", "/tasks/extractRefreshes", query_tasks, TASKS, (2, 6)),
    Rule("GET", "/tasks/extractRefreshes/{task}", query_task, TASKS, (2, 6)),
    Rule("POST", "/tasks/extractRefreshes/{task}/runNow", run_task, RUN, (2, 6)),
    Rule("GET", "/workbooks", query_workbooks),
    Rule("GET", "/workbooks/{workbook}", query_workbook),
    Rule("GET", "/workbooks/{workbook}/connections", query_workbook_connections),
]
