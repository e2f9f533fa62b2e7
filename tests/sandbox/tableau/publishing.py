"""Publishing a data source: in one request or over an upload session, at once or as a job."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
from typing import TYPE_CHECKING

from tableauhyperapi import HyperException

from tests.sandbox.tableau import jobs, storing
from tests.sandbox.tableau.documents import check_tables, unpack
from tests.sandbox.tableau.errors import (
    TableauError,
    bad_request,
    conflict,
    forbidden,
    not_found,
    publish_failed,
)
from tests.sandbox.tableau.hyper import Contents, check, native
from tests.sandbox.tableau.multipart import read_body
from tests.sandbox.tableau.rights import may_overwrite, may_save
from tests.sandbox.tableau.service import HOUR, Context, Rule
from tests.sandbox.tableau.state import luid
from tests.sandbox.tableau.uploads import upload_path
from tests.sandbox.tableau.wire import answer, boolean, child_of, parse_request

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.responses import Response

    from tests.sandbox.tableau.model import Datasource, Project
    from tests.sandbox.tableau.multipart import Body

FILE_TYPES = frozenset({"hyper", "tdsx", "tds", "tde", "parquet"})
MODES = ("overwrite", "append", "replace")
_LONGEST_NAME = 255


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a publish request asks for; `mode` is "" for CreateNew."""

    name: str
    description: str
    project: Project
    mode: str
    file_type: str
    filename: str
    path: Path
    size: int

    @property
    def appends(self) -> bool:
        """Whether rows are added to what is there."""
        return self.mode == "append"


@dataclasses.dataclass(frozen=True)
class Staged:
    """A checked file, ready to be stored; `package` is set for a .tdsx."""

    hyper: Path
    contents: Contents
    package: Path | None = None
    live: bool = True


async def publish(ctx: Context) -> Response:
    """POST datasources."""
    ctx.service.spend("publish_datasource", ctx.switches.publishes_per_hour, HOUR)
    if not ctx.user.may_publish:
        raise forbidden(f"User '{ctx.user.name}' may not publish data sources.", "403007")
    mode, as_job = _mode(ctx), _flag(ctx, "asJob") and ctx.version >= (3, 0)
    limit = ctx.switches.single_request_limit
    body = await read_body(ctx.request, ctx.state.incoming, luid(), limit)
    try:
        wish = _wish(ctx, body, mode)
        _check_target(ctx, wish)
        if not as_job:
            published = await _store(ctx, wish)
            return answer(storing.describe(ctx.state, published), status=201)
        job = ctx.service.jobs.new(jobs.PUBLISH, ctx.user.id, wish.name)
        kept = dataclasses.replace(wish, path=_kept(ctx, wish))
    finally:
        body.discard()
    await ctx.service.jobs.submit(job, lambda: _store_in_job(ctx, kept))
    return answer(jobs.describe(ctx.state, job), status=202)


def _flag(ctx: Context, name: str) -> bool:
    return boolean(ctx.query.get(name, "false").lower(), f"The parameter {name}", "400008")


def _mode(ctx: Context) -> str:
    chosen = [mode for mode in MODES if _flag(ctx, mode)]
    if len(chosen) > 1:
        raise bad_request(f"The parameters {' and '.join(chosen)} cannot both be true", "400055")
    return chosen[0] if chosen else ""


def _wish(ctx: Context, body: Body, mode: str) -> Wish:
    if body.payload is None:
        raise bad_request("The multipart body has no request_payload")
    wanted = child_of(parse_request(body.payload), "datasource")
    name = wanted.get("name", "")
    file_type, filename, path = _file(ctx, body, name)
    if not name.strip():
        raise bad_request("The name of the data source is missing or empty")
    if len(name) > _LONGEST_NAME:
        raise publish_failed(filename, f"the name is longer than {_LONGEST_NAME} characters")
    home = wanted.find("project")
    project = ctx.state.project("Default") if home is None else ctx.state.get_project(home.get("id", ""))
    size = path.stat().st_size
    return Wish(name, wanted.get("description", ""), project, mode, file_type, filename, path, size)


def _file(ctx: Context, body: Body, name: str) -> tuple[str, str, Path]:
    """Type, name and path of the file to publish."""
    file_type = ctx.query.get("datasourceType", "").lower()
    session = ctx.query.get("uploadSessionId")
    if session is not None:
        if body.files:
            raise bad_request("The request has an uploadSessionId and an attachment", "400010")
        if file_type not in FILE_TYPES:
            raise bad_request(f"Missing or invalid datasourceType '{file_type}'", "400010")
        return file_type, f"{name}.{file_type}", upload_path(ctx.state, session)
    if not body.files:
        raise bad_request("There is no attachment with the data source")
    if len(body.files) > 1:
        raise bad_request("The request has more than one attachment", "400010")
    filename = body.files[0].filename
    suffix = filename.rpartition(".")[2].lower()
    if suffix not in FILE_TYPES:
        raise bad_request(f"The name of the file does not end with a known suffix: '{filename}'", "400010")
    return suffix, filename, body.files[0].path


def _check_target(ctx: Context, wish: Wish) -> None:
    """Refuse what the project or the name does not allow."""
    if not may_save(ctx.user, wish.project):
        raise forbidden(
            f"User '{ctx.user.name}' has insufficient permissions to publish to the project '{wish.project.name}'.",
            "403007",
        )
    held = ctx.state.find_datasource(wish.name, wish.project.id)
    if held is None:
        if wish.appends:
            raise not_found(f"Datasource '{wish.name}' to append to could not be found.", "404004")
        return
    if not wish.mode:
        text = (
            f"The datasource '{wish.name}' already exists and may not be overwritten without the 'overwrite' flag "
            "set to 'true'."
        )
        code = ctx.switches.create_new_code
        raise forbidden(text, code) if code.startswith("403") else conflict(text, code)
    if not may_overwrite(ctx.user, held, wish.project):
        raise forbidden(f"User '{ctx.user.name}' may not overwrite the datasource '{wish.name}'.", "403007")


def _kept(ctx: Context, wish: Wish) -> Path:
    """Move the file out of the way of the request's clean-up: a job may use it later."""
    kept = ctx.state.incoming / f"job-{luid()}"
    os.replace(wish.path, kept)  # noqa: PTH105 - same folder, must replace on every platform
    return kept


async def _store_in_job(ctx: Context, wish: Wish) -> None:
    try:
        await _store(ctx, wish)
    except TableauError as refused:
        raise jobs.WorkFailedError(refused.detail) from refused
    finally:
        wish.path.unlink(missing_ok=True)


async def _store(ctx: Context, wish: Wish) -> Datasource:
    staged = await asyncio.to_thread(_stage, ctx, wish)
    held = ctx.state.find_datasource(wish.name, wish.project.id)
    if wish.appends and held is not None:
        published = await storing.append(ctx.service, held, staged.hyper, wish.filename, ctx.user)
    else:
        published = storing.store(ctx.service, wish, staged, held, ctx.user)
    wish.path.unlink(missing_ok=True)
    ctx.state.wrote("publish", published.name, wish.size)
    ctx.service.announce("DatasourceUpdated" if held else "DatasourceCreated", published.id, published.name)
    return published


def _stage(ctx: Context, wish: Wish) -> Staged:
    """Open what is to be published and refuse what Tableau refuses; runs in a thread."""
    plain = ctx.state.incoming / f"{luid()}.hyper"
    try:
        return _staged(ctx, wish, plain)
    except HyperException as broken:
        plain.unlink(missing_ok=True)
        raise publish_failed(wish.filename, native(broken)) from broken
    except TableauError:
        plain.unlink(missing_ok=True)
        raise


def _staged(ctx: Context, wish: Wish, plain: Path) -> Staged:
    if wish.file_type == "tdsx":
        document = unpack(wish.path, wish.filename, plain)
        contents = _checked(ctx, wish, plain)
        check_tables(document, contents, wish.filename)
        return Staged(plain, contents, wish.path, document.live)
    if wish.file_type == "hyper":
        shutil.copyfile(wish.path, plain)
    elif wish.file_type == "parquet":
        ctx.service.engine.from_parquet(wish.path, plain)
    else:
        raise publish_failed(wish.filename, f"a .{wish.file_type} without its data cannot be published here")
    return Staged(plain, _checked(ctx, wish, plain))


def _checked(ctx: Context, wish: Wish, plain: Path) -> Contents:
    contents = ctx.service.engine.inspect(plain)
    newest, server = ctx.switches.max_hyper_version, ctx.service.version
    check(contents, wish.filename, newest, many_tables=server >= (3, 14), any_table=server >= (3, 6))
    return contents


RULES = [Rule("POST", "/datasources", publish, "tableau:datasources:create")]
