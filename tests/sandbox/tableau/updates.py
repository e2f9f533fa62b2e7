"""`PATCH .../data`: changes the rows of a data source that is live to Hyper, as one transaction."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import os
import shutil
from typing import TYPE_CHECKING

from starlette.responses import Response
from tableauhyperapi import Connection, HyperException

from tests.sandbox.tableau import jobs
from tests.sandbox.tableau.actions import PAYLOAD, Action, Compiler, constants, read_actions
from tests.sandbox.tableau.errors import TableauError, bad_request, not_found
from tests.sandbox.tableau.hyper import TARGET, native, tables_in
from tests.sandbox.tableau.jobs import WorkFailedError
from tests.sandbox.tableau.model import Request
from tests.sandbox.tableau.rights import require_write
from tests.sandbox.tableau.service import HOUR, Context, Rule
from tests.sandbox.tableau.state import luid, stamp
from tests.sandbox.tableau.uploads import upload_path
from tests.sandbox.tableau.wire import answer

if TYPE_CHECKING:
    from pathlib import Path

    from tableauhyperapi import HyperProcess

    from tests.sandbox.tableau.model import Datasource

REMEMBERED = dt.timedelta(hours=24)


@dataclasses.dataclass(frozen=True)
class Update:
    """An accepted batch, and the uploaded file that it draws from."""

    datasource: Datasource
    actions: list[Action]
    payload: Path | None
    size: int


async def update_data(ctx: Context) -> Response:
    """PATCH datasources/{datasource}/data and .../connections/{connection}/data."""
    ctx.service.spend("publish_datasource", ctx.switches.publishes_per_hour, HOUR)
    if not ctx.request.headers.get("content-type", "").startswith("application/json"):
        raise bad_request("The Content-Type must be application/json")
    request_id = ctx.request.headers.get("requestid")
    if not request_id:
        raise bad_request("The header RequestID is missing")
    held = ctx.state.get_datasource(ctx.part("datasource"))
    require_write(ctx, held)
    connection = ctx.request.path_params.get("connection", held.connection)
    if connection != held.connection:
        raise not_found(f"The datasource has no connection '{connection}'.", "404011")
    duplicate = _duplicate(ctx, request_id)
    if duplicate is not None:
        return duplicate
    update = await _accept(ctx, held)
    job = ctx.service.jobs.new(jobs.UPDATE, ctx.user.id, held.name, datasource=held)
    ctx.state.index.requests[request_id] = Request(job.id, ctx.state.now())
    await ctx.service.jobs.submit(job, lambda: _apply(ctx, update))
    return answer(jobs.describe(ctx.state, job), status=202)


def _duplicate(ctx: Context, request_id: str) -> Response | None:
    """Answer a RequestID that was seen within a day: whatever it asks is ignored."""
    oldest = stamp(ctx.switches.clock() - REMEMBERED)
    remembered = {key: seen for key, seen in ctx.state.index.requests.items() if seen.at > oldest}
    ctx.state.index.requests = remembered
    seen = remembered.get(request_id)
    if seen is None:
        return None
    if ctx.switches.duplicate_answer == "empty":
        return Response(status_code=202)
    return answer(jobs.describe(ctx.state, ctx.state.index.jobs[seen.job]), status=202)


async def _accept(ctx: Context, held: Datasource) -> Update:
    """Check the request and take the uploaded file, which no second request may use."""
    if not held.live:
        raise bad_request(
            f"The datasource '{held.name}' is not live to Hyper; its data cannot be updated", "400003"
        )
    actions = read_actions(await ctx.request.body())
    session = ctx.query.get("uploadSessionId")
    if session is None:
        if any(action.source is not None for action in actions):
            raise bad_request("An action has a source-table, and the request has no uploadSessionId")
        return Update(held, actions, None, 0)
    uploaded = upload_path(ctx.state, session)
    size = uploaded.stat().st_size
    if size > ctx.switches.patch_limit:
        raise TableauError(
            "413000", "Payload Too Large", f"The payload holds more than {ctx.switches.patch_limit} bytes."
        )
    payload = ctx.state.incoming / f"{luid()}.hyper"
    os.replace(uploaded, payload)  # noqa: PTH105 - same folder, replaces on every platform
    return Update(held, actions, payload, size)


async def _apply(ctx: Context, update: Update) -> None:
    held = update.datasource
    if held.id not in ctx.state.index.datasources:
        raise WorkFailedError(f"The datasource {held.name} no longer exists.")
    scratch = ctx.state.incoming / f"{luid()}.hyper"
    try:
        rows = await asyncio.to_thread(
            ctx.service.engine.work, lambda process: _run(ctx, process, update, scratch)
        )
    except HyperException as broken:
        raise WorkFailedError(f"ConnectivityException: {native(broken)}") from broken
    finally:
        scratch.unlink(missing_ok=True)
        if update.payload is not None:
            update.payload.unlink(missing_ok=True)
    held.current.patched = True
    held.rows, held.updated_at = rows, ctx.state.now()
    held.size = held.current.size = (ctx.state.folder(held) / (held.current.file or "")).stat().st_size
    ctx.state.wrote("patch", held.name, update.size)
    ctx.service.announce("DatasourceUpdated", held.id, held.name)


def _run(ctx: Context, process: HyperProcess, update: Update, scratch: Path) -> int:
    """Work on a copy and put it in the place of the current file; returns the rows it holds."""
    for action in update.actions:
        if action.condition is not None and constants(action.condition) > ctx.switches.condition_limit:
            raise WorkFailedError(
                "ConnectivityException: [SQLSTATE:08006] The Hyper server closed the connection unexpectedly."
            )
    current = ctx.state.folder(update.datasource) / (update.datasource.current.file or "")
    shutil.copyfile(current, scratch)
    with Connection(process.endpoint) as connection:
        connection.catalog.attach_database(scratch, TARGET)
        if update.payload is not None:
            connection.catalog.attach_database(update.payload, PAYLOAD)
        _transact(
            connection, update.actions, strict=ctx.switches.strict_payload, payload=update.payload is not None
        )
    # The data is in the file only once the connection is closed, and what a close lost shows only now.
    rows = ctx.service.engine.inspect(scratch).rows
    os.replace(scratch, current)  # noqa: PTH105 - same volume, replaces on every platform
    return rows


def _transact(connection: Connection, actions: list[Action], *, strict: bool, payload: bool) -> None:
    sources = tables_in(connection, PAYLOAD) if payload else ()
    compiler = Compiler(tables_in(connection, TARGET), sources, strict=strict)
    statements = [sql for action in actions for sql in compiler.statements(action)]
    connection.execute_command("BEGIN TRANSACTION")
    try:
        for statement in statements:
            connection.execute_command(statement)
    except HyperException:
        connection.execute_command("ROLLBACK")
        raise
    connection.execute_command("COMMIT")


SCOPE = "tableau:hyper_data:update"
RULES = [
    Rule("PATCH", "/datasources/{datasource}/data", update_data, SCOPE, (3, 12)),
    Rule("PATCH", "/datasources/{datasource}/connections/{connection}/data", update_data, SCOPE, (3, 12)),
]
