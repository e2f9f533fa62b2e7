"""What a load of a stream goes on from: its extract here, the published one, or nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from target_tableau.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_tableau.columns import Type
    from target_tableau.delivery import Delivery
    from target_tableau.stream_load import Workshop

logger = logging.getLogger(__name__)


def take_base(workshop: Workshop, delivery: Delivery, stream: str, path: Path) -> Mapping[str, Type] | None:
    """Make sure that the extract here is not behind the published one, which may be another machine's.

    Args:
        workshop: What the run works with.
        delivery: Where the stream is published.
        stream: The stream.
        path: Its extract.

    Returns:
        The published columns, if the data source may be changed without an extract here.

    Raises:
        TableauError: The published one is needed and cannot be read.
    """
    known = delivery.published(stream)
    if path.exists():
        here = workshop.contents.load_of(path)
        if known is None or (here is not None and here >= known.load_id) or workshop.settings.dry_run:
            return None
        why = f"The extract of '{stream}' here is not known to hold all that was published"
    else:
        reads = workshop.derived.reads(stream)
        if not reads and (columns := delivery.columns_without_extract(stream)) is not None:
            return columns
        why = f"The extract of '{stream}' was not here"
    if delivery.fetch(stream, path):
        logger.info("%s; the published one is its base.", why)
        if known is not None:
            workshop.contents.note(path, path, known.load_id)
    return None


def check_bookmark(first_state: Mapping[str, Any], stream: str, path: Path) -> None:
    """A missing extract is not an empty one: stop before rows are lost.

    Args:
        first_state: The STATE that the tap began with.
        stream: The stream.
        path: Where its extract should be.

    Raises:
        SettingError: The tap goes on from a bookmark.
    """
    bookmark = (first_state.get("bookmarks") or {}).get(stream) or {}
    if bookmark.get("replication_key_value") is not None:
        raise SettingError(
            f"The extract {path} is missing, but the tap goes on from a bookmark, so its older rows would be "
            "lost. Put the file back, or read everything again once (meltano run --full-refresh)."
        )
