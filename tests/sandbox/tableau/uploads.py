"""File uploads: chunks are appended in the order in which they arrive."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from typing import TYPE_CHECKING

from tests.sandbox.tableau.errors import bad_request, forbidden, not_found
from tests.sandbox.tableau.multipart import read_body
from tests.sandbox.tableau.service import Context, Rule
from tests.sandbox.tableau.state import luid
from tests.sandbox.tableau.switches import MEGABYTE
from tests.sandbox.tableau.wire import answer, element

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.responses import Response

    from tests.sandbox.tableau.state import State


def upload_path(state: State, identifier: str) -> Path:
    """The file that an upload session has grown to.

    Raises:
        TableauError: 404015, when there is no such session.
    """
    path = state.incoming / identifier.replace(":", "_")
    if "/" in identifier or not path.is_file():
        raise not_found(f"File upload '{identifier}' could not be found.", "404015")
    return path


def _require_publisher(ctx: Context, code: str) -> None:
    if not ctx.user.may_publish:
        raise forbidden(f"User '{ctx.user.name}' has no publishing rights on the site.", code)


async def initiate(ctx: Context) -> Response:
    """POST fileUploads."""
    _require_publisher(ctx, "403015")
    identifier = f"{secrets.randbelow(90_000) + 10_000}:{secrets.token_hex(16)}-1:0"
    (ctx.state.incoming / identifier.replace(":", "_")).touch()
    return answer(element("fileUpload", uploadSessionId=identifier, fileSize=0), status=201)


async def append(ctx: Context) -> Response:
    """PUT fileUploads/{upload}: append one chunk."""
    _require_publisher(ctx, "403007")
    path = upload_path(ctx.state, ctx.part("upload"))
    body = await read_body(ctx.request, ctx.state.incoming, luid(), ctx.switches.single_request_limit)
    try:
        if body.payload:
            raise bad_request("The XML content of the request must be empty", "400019")
        if len(body.files) != 1:
            raise bad_request("There must be one attachment with the file data", "400020")
        await asyncio.to_thread(_join, path, body.files[0].path)
    finally:
        body.discard()
    size = path.stat().st_size // MEGABYTE
    return answer(element("fileUpload", uploadSessionId=ctx.part("upload"), fileSize=size))


def _join(path: Path, chunk: Path) -> None:
    with path.open("ab") as grown, chunk.open("rb") as more:
        shutil.copyfileobj(more, grown, MEGABYTE)


SCOPE = "tableau:file_uploads:create"
RULES = [
    Rule("POST", "/fileUploads", initiate, SCOPE),
    Rule("PUT", "/fileUploads/{upload}", append, SCOPE),
]
