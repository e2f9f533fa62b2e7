"""Whether a tap has read a stream to its end: a tap that died looks like one that finished."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

logger = logging.getLogger(__name__)

_CLOCKS = dt.timedelta(minutes=10)  # tap and target start together, and perhaps on two machines
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


def unread(streams: Iterable[str], last: Mapping[str, Any], began: dt.datetime) -> dict[str, str]:
    """The streams that a tap did not read to their end, and why, as far as its last STATE of a run tells.

    Our taps leave a note with the time, also on a stream of which nothing came; other taps of the Singer SDK leave
    the marks of a run under way, on what they have begun.

    Args:
        streams: Those that the tap has begun, as its SCHEMA messages say.
        last: Its last STATE.
        began: When the run began; a note from before is of a stream that is not read any more.
    """
    bookmarks: Mapping[str, Any] = last.get("bookmarks") or {}
    begun = set(streams)
    found: dict[str, str] = {}
    for stream, bookmark in bookmarks.items():
        note = bookmark.get("unread") if isinstance(bookmark, dict) else None
        if isinstance(note, dict) and _moment(note.get("at")) >= began - _CLOCKS:
            found[stream] = str(note.get("why", ""))
        elif stream in begun and any(mark in bookmark for mark in _UNDER_WAY):
            found[stream] = ""
    return found


def _moment(text: object) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


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
