"""Whether a tap has read a stream to its end: a tap that died looks like one that finished."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

logger = logging.getLogger(__name__)

_UNDER_WAY = ("progress_markers", "replication_key_signpost", "starting_replication_value")


def is_complete(stream: str, first: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """Whether two STATE values, of the beginning and the end of a run, prove that a stream was read to its end.

    A stamp `completed_at` that has changed is proof, and so is an incremental bookmark without the marks that the
    Singer SDK leaves on one that is still under way.
    """
    before = (first.get("bookmarks") or {}).get(stream) or {}
    after = (last.get("bookmarks") or {}).get(stream) or {}
    if any(mark in after for mark in _UNDER_WAY):
        return False
    if after.get("completed_at") is not None:
        return bool(after["completed_at"] != before.get("completed_at"))
    return after.get("replication_key_value") is not None


def is_under_way(stream: str, last: Mapping[str, Any]) -> bool:
    """Whether a STATE of the end of a run says that a stream was begun and not read to its end."""
    bookmark = (last.get("bookmarks") or {}).get(stream) or {}
    return any(mark in bookmark for mark in _UNDER_WAY)


def starts_again(stream: str, first: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """Whether a tap has nothing to go on from, so that all rows of a stream come again."""
    before = (first.get("bookmarks") or {}).get(stream) or {}
    after = (last.get("bookmarks") or {}).get(stream) or {}
    return after in ({}, before)


def is_proven(stream: str, first: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """As `is_complete`, and tell where it is not."""
    if is_complete(stream, first, last):
        return True
    logger.warning(
        "Stream '%s': nothing proves that the tap read it to its end, so no row is removed from its extract. If "
        "the tap always reads it whole and you trust its end, set trust_end_of_input.",
        stream,
    )
    return False
