"""Reads `multipart/mixed` bodies part by part; files go straight to disk.

Lenient where clients differ: `Content-Disposition` with or without `form-data;`, with or without a file name.
"""

from __future__ import annotations

import dataclasses
import re
from typing import IO, TYPE_CHECKING

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError

from tests.sandbox.tableau.errors import TableauError, bad_request

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

PAYLOAD = "request_payload"
_LARGEST_PAYLOAD = 1024 * 1024
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)


@dataclasses.dataclass
class Attachment:
    """The file part of a body."""

    name: str
    filename: str
    path: Path
    size: int = 0


class Body:
    """What a multipart body held: the payload's bytes, and files on disk."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.payload: bytes | None = None
        self.files: list[Attachment] = []
        self.complete = False
        self._folder = folder
        self._prefix = prefix
        self._header = (bytearray(), bytearray())
        self._disposition = ""
        self._payload = bytearray()
        self._open: IO[bytes] | None = None

    def parser(self, boundary: str) -> MultipartParser:
        """A parser that fills this body."""
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._part_ends,
                "on_end": self._ends,
            },
        )

    def close(self) -> None:
        """Close a file that was cut off."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def discard(self) -> None:
        """Delete the files."""
        self.close()
        for attachment in self.files:
            attachment.path.unlink(missing_ok=True)

    def _part_begins(self) -> None:
        self._disposition = ""

    def _header_ends(self) -> None:
        name, value = (bytes(part).decode("utf-8", "replace") for part in self._header)
        if name.strip().lower() == "content-disposition":
            self._disposition = value
        for part in self._header:
            part.clear()

    def _headers_end(self) -> None:
        name = _parameter(self._disposition, "name")
        if not name:
            raise bad_request("A part of the multipart body has no name")
        if name == PAYLOAD:
            self._payload.clear()
            return
        path = self._folder / f"{self._prefix}-{len(self.files)}"
        self.files.append(Attachment(name, _parameter(self._disposition, "filename"), path))
        self._open = path.open("wb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._open is not None:
            self._open.write(memoryview(data)[start:end])
            self.files[-1].size += end - start
            return
        self._payload.extend(data[start:end])
        if len(self._payload) > _LARGEST_PAYLOAD:
            raise bad_request("The request payload is too long")

    def _part_ends(self) -> None:
        if self._open is None:
            self.payload = bytes(self._payload)
        self.close()

    def _ends(self) -> None:
        self.complete = True


def _parameter(disposition: str, name: str) -> str:
    found = re.search(rf'(?:^|[;\s]){name}="((?:\\.|[^"\\])*)"', disposition)
    return re.sub(r"\\(.)", r"\1", found[1]).replace("%22", '"') if found else ""


async def read_body(request: Request, folder: Path, prefix: str, limit: int | None = None) -> Body:
    """Read a body, writing its files into a folder.

    Args:
        request: The request.
        folder: Where files go.
        prefix: What their names begin with; unique per request.
        limit: Bytes that the body may hold (None: any number).

    Raises:
        TableauError: 400000 when it is no multipart body or ends early, 413000 when it is too long.
    """
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if boundary is None or not request.headers["content-type"].lower().startswith("multipart/"):
        raise bad_request("The body must be multipart/mixed with a boundary")
    body = Body(folder, prefix)
    try:
        await _feed(request, body.parser(boundary[1]), limit)
        if not body.complete:
            raise bad_request("The multipart body ends before its last boundary")
    except TableauError:
        body.discard()
        raise
    return body


async def _feed(request: Request, parser: MultipartParser, limit: int | None) -> None:
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if limit is not None and read > limit:
            raise TableauError(
                "413000",
                "Payload Too Large",
                f"The request holds more than {limit} bytes; upload it in chunks.",
            )
        try:
            parser.write(chunk)
        except FormParserError as malformed:
            raise bad_request(f"The multipart body is malformed: {malformed}") from malformed
