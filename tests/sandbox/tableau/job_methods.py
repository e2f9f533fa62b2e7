"""The methods about jobs: ask about one, list them, cancel one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.sandbox.tableau.errors import conflict, forbidden, not_found
from tests.sandbox.tableau.jobs import PUBLISH, REFRESH, UPDATE, describe
from tests.sandbox.tableau.query import page, select
from tests.sandbox.tableau.rights import require_admin
from tests.sandbox.tableau.service import Context, Rule
from tests.sandbox.tableau.wire import answer, element

if TYPE_CHECKING:
    from starlette.responses import Response

    from tests.sandbox.tableau.model import Job
    from tests.sandbox.tableau.query import Fields

DAY = dt.timedelta(days=1)

LIST_NAMES = {PUBLISH: "publish_datasource", UPDATE: "update_uploaded_file", REFRESH: "refresh_extracts"}
"""A job's type as the list of jobs spells it."""


def _fields(job: Job) -> Fields:
    return {
        "jobType": LIST_NAMES[job.kind],
        "status": job.status,
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "completedAt": job.completed_at,
        "title": job.title,
        "priority": 50,
    }


async def query_job(ctx: Context) -> Response:
    """GET jobs/{job}."""
    ctx.service.spend("query_job", ctx.switches.job_queries_per_day, DAY)
    job = await ctx.service.jobs.ask(ctx.part("job"))
    return answer(describe(ctx.state, job))


async def query_jobs(ctx: Context) -> Response:
    """GET jobs: what an administrator sees, newest first."""
    require_admin(ctx)
    ctx.service.spend("query_job", ctx.switches.job_queries_per_day, DAY)
    held = [job for job in reversed(ctx.state.index.jobs.values()) if job.missing_polls == 0]
    head, shown = page(select(held, ctx.query, _fields), ctx.query)
    listed = [
        element(
            "backgroundJob",
            id=job.id,
            status=job.status,
            jobType=LIST_NAMES[job.kind],
            createdAt=job.created_at,
            startedAt=job.started_at,
            endedAt=job.completed_at,
            priority=50,
            title=job.title,
        )
        for job in shown
    ]
    return answer(head, element("backgroundJobs", *listed))


async def cancel_job(ctx: Context) -> Response:
    """PUT jobs/{job}: only refreshes can be cancelled, and only until they end."""
    job = ctx.state.index.jobs.get(ctx.part("job"))
    if job is None:
        raise not_found(f"Job '{ctx.part('job')}' could not be found.", "404018")
    if not ctx.user.is_admin and job.creator != ctx.user.id:
        raise forbidden(f"User '{ctx.user.name}' may not cancel this job.", "403032")
    if job.completed_at is not None:
        raise forbidden("The job cannot be cancelled, because it is already complete.", "403091")
    if job.kind != REFRESH:
        raise conflict(f"A job of the type {job.kind} cannot be cancelled.", "409004")
    job.outcome = "cancelled"
    job.started_at = job.started_at or ctx.state.now()
    job.completed_at = ctx.state.now()
    ctx.state.save()
    return answer(describe(ctx.state, job))


SCOPE = "tableau:jobs:read"
RULES = [
    Rule("GET", "/jobs/{job}", query_job, SCOPE, (2, 6)),
    Rule("PUT", "/jobs/{job}", cancel_job, "tableau:jobs:update", (3, 1)),
    Rule("GET", "/jobs", query_jobs, SCOPE, (3, 1)),
]
