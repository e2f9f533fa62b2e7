"""Counts Python calls, which are the same on every machine, where a clock would tell how busy this one is."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def calls_of(work: Callable[[], object]) -> int:
    """How many functions, Python's and C's, some work calls, in this thread and in those that it starts.

    Nothing is logged meanwhile: what that costs depends on who listens.
    """
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        if event in {"call", "c_call"}:
            counted += 1

    before, silent = sys.getprofile(), logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
        threading.setprofile(before)
        logging.disable(silent)
    return counted
