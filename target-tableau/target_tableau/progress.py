"""Tells how far a run is: a live line on a terminal, a line every half minute in a log."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from typing import TextIO

logger = logging.getLogger(__name__)

_LOG_SECONDS = 30.0
_TERMINAL_SECONDS = 0.2


class Progress:
    """What is being done, for a person who watches.

    Args:
        output: Where a live line goes, if it is a terminal.
    """

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output or sys.stderr
        self._live = self._output.isatty()
        self._told_at = time.monotonic()
        self._shown = 0

    def rows(self, stream: str, rows: int, seconds: float, stage: str = "reading") -> None:
        """Rows of a stream that have come so far, within so many seconds."""
        now = time.monotonic()
        if now - self._told_at < (_TERMINAL_SECONDS if self._live else _LOG_SECONDS):
            return
        self._told_at = now
        self._tell(f"{stream}: {rows:,} rows, {rows / max(seconds, 0.001):,.0f} rows/s, {stage}")

    def stage(self, stream: str, stage: str) -> None:
        """A step that takes a while has begun: building, publishing."""
        if self._live:
            self._tell(f"{stream}: {stage}")
        else:
            logger.debug("%s: %s.", stream, stage)

    def _tell(self, text: str) -> None:
        if not self._live:
            logger.info("%s.", text)
            return
        width = shutil.get_terminal_size().columns - 1
        line = text[:width]
        self._output.write("\r" + line.ljust(self._shown))
        self._output.flush()
        self._shown = len(line)

    def clear(self) -> None:
        """Take the live line away, so that what follows begins at the left."""
        if self._live and self._shown:
            self._output.write("\r" + " " * self._shown + "\r")
            self._output.flush()
            self._shown = 0
