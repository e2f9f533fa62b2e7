"""Reads Singer messages from standard input and hands runs of RECORD lines over in blocks.

Taps write thousands of RECORD lines of one stream in a row, all starting with the same bytes. Such a run is found
with one search and handed to `record_block` as it came; every other message goes the way of the SDK, one by one.
"""

from __future__ import annotations

import collections
import dataclasses
import re
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.singerlib.encoding.base import GenericSingerReader, SingerMessageType
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_tableau.batches import decode_line
from target_tableau.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK_BYTES = 2 * 1024 * 1024
"""How much is read ahead; a longer line makes a longer block."""

_PIECE_BYTES = 1024 * 1024

_RECORD_START = re.compile(rb'\{\s*"type"\s*:\s*"RECORD"\s*,\s*"stream"\s*:\s*"([^"\\]*)"\s*,\s*"record"\s*:')


class BlockReader(GenericSingerReader[bytes]):
    """A message reader that knows blocks.

    Attributes:
        record_block: Called with a stream's name and a block of whole RECORD lines of it. It returns False when
            the stream's records must be given one by one instead (stream maps, flattening).
        on_failure: Called with whatever ends the reading early, before it is raised on.
        waits: Who waited for whom so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.record_block: Callable[[str, bytes], bool] | None = None
        self.on_failure: Callable[[BaseException], None] | None = None
        self.waits = Waits()

    @property
    @override
    def default_input(self) -> IO[bytes]:
        return sys.stdin.buffer

    @override
    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        try:
            return decode_line(line)
        except ValueError as broken:
            # No exception text here: it would quote the line, which may be a private record of any length.
            raise InvalidInputLine(
                f"Line is not a JSON object: {shorten(line)}. Every line of a tap's standard output must be a "
                "Singer message; check that nothing else writes there."
            ) from broken

    @override
    def process_lines(
        self,
        file_input: IO[bytes] | IO[str] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> collections.Counter[str]:
        """Read to the end of input.

        Returns:
            How many messages of each type came.
        """
        counts: collections.Counter[str] = collections.Counter()
        try:
            for chunk in _whole_lines(file_input or self.default_input, self.waits):
                self._take(chunk, callbacks, counts)
        except BaseException as failure:
            if self.on_failure is not None:
                self.on_failure(failure)
            raise
        return counts

    def _take(
        self,
        chunk: bytes,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
        counts: collections.Counter[str],
    ) -> None:
        position = 0
        while position < len(chunk):
            start = _RECORD_START.match(chunk, position)
            if start is None:
                position = self._single(chunk, position, callbacks, counts)
            else:
                position = self._run(chunk, start, callbacks, counts)

    def _single(
        self,
        chunk: bytes,
        position: int,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
        counts: collections.Counter[str],
    ) -> int:
        end = chunk.index(b"\n", position) + 1
        line = chunk[position:end].strip()
        if line:
            self._dispatch(line, callbacks, counts)
        return end

    def _run(
        self,
        chunk: bytes,
        start: re.Match[bytes],
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
        counts: collections.Counter[str],
    ) -> int:
        """Take the longest run of lines that begin as this one does."""
        last = re.compile(rb"\n(?!" + re.escape(start[0]) + rb")").search(chunk, start.end())
        end = len(chunk) if last is None else last.end()
        block = chunk[start.start() : end]
        stream = start[1].decode()
        if self.record_block is not None and self.record_block(stream, block):
            counts[SingerMessageType.RECORD] += block.count(b"\n")
        else:
            for line in block.splitlines():
                self._dispatch(line, callbacks, counts)
        return end

    def _dispatch(
        self,
        line: bytes,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
        counts: collections.Counter[str],
    ) -> None:
        message = self.deserialize_json(line)
        self.assert_line_requires(message, requires={"type"})
        callback = callbacks.get(message["type"])
        if callback is None:
            self._process_unknown_message(message)
            return
        callback(message)
        counts[message["type"]] += 1

    @override
    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        raise InvalidInputLine(
            f"A message has the unknown type {message_dict.get('type')!r}. The tap does not follow the Singer format."
        )

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        missing = requires - set(line_dict)
        if missing:
            raise InvalidInputLine(
                f"A message lacks {', '.join(sorted(missing))}; its type is {line_dict.get('type')!r} and its "
                f"stream {line_dict.get('stream')!r}. The tap does not follow the Singer format."
            )


@dataclasses.dataclass
class Waits:
    """Seconds that one side of the pipe has waited for the other.

    Attributes:
        for_tap: The target had nothing to do.
        for_target: The tap could write nothing more.
    """

    for_tap: float = 0.0
    for_target: float = 0.0


def _whole_lines(source: IO[bytes] | IO[str], waits: Waits) -> Iterator[bytes]:
    """Cut the input into chunks that end with a newline."""
    rest: list[bytes] = []
    for data in _ReadAhead(source, waits):
        cut = data.rfind(b"\n") + 1
        if not cut:
            rest.append(data)
            continue
        yield b"".join([*rest, data[:cut]])
        rest = [data[cut:]]
    tail = b"".join(rest)
    if tail.strip():
        yield tail + b"\n"


class _ReadAhead:
    """Reads in a thread, so that the tap writes while we load; what came meanwhile is one chunk.

    A slow tap's records therefore do not wait for a full block, and a fast tap makes big blocks.
    """

    def __init__(self, source: IO[bytes] | IO[str], waits: Waits) -> None:
        self._waits = waits
        binary: Any = getattr(source, "buffer", source)
        self._read: Callable[[int], bytes | str] = getattr(binary, "read1", binary.read)
        self._parts: list[bytes] = []
        self._size = 0
        self._ended = False
        self._failure: Exception | None = None
        self._changed = threading.Condition()

    def __iter__(self) -> Iterator[bytes]:
        threading.Thread(target=self._fill, name="read-ahead", daemon=True).start()
        while True:
            with self._changed:
                began = time.monotonic()
                self._changed.wait_for(lambda: self._parts or self._ended)
                self._waits.for_tap += time.monotonic() - began
                data = b"".join(self._parts)
                self._parts.clear()
                self._size = 0
                self._changed.notify_all()
            if not data:
                break
            yield data
        if self._failure is not None:
            raise self._failure

    def _fill(self) -> None:
        try:
            while piece := self._read(_PIECE_BYTES):
                with self._changed:
                    self._parts.append(piece if isinstance(piece, bytes) else piece.encode())
                    self._size += len(piece)
                    self._changed.notify_all()
                    began = time.monotonic()
                    self._changed.wait_for(lambda: self._size < BLOCK_BYTES)
                    self._waits.for_target += time.monotonic() - began
        except (
            OSError,
            ValueError,
        ) as failure:  # the pipe broke, or is not UTF-8: raised by the reading side
            self._failure = failure
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
