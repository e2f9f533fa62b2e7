"""What a data source is, in sentences for its description in Tableau."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_tableau.display import UTC
from target_tableau.models import UNRESOLVED
from target_tableau.snapshots import SNAPSHOT_DATE

if TYPE_CHECKING:
    from target_tableau.settings import Settings


def about(settings: Settings, stream: str) -> str:
    """What there is to say about a model, a snapshot and times.

    Args:
        settings: The target's settings.
        stream: Name of the stream, model or snapshot.
    """
    sentences = []
    for model in settings.models:
        if model.name == stream:
            joined = ", ".join(name for name in model.streams if name != model.fact)
            sentences.append(
                f"One row per row of {model.fact}" + (f", joined with {joined}." if joined else ".")
            )
            sentences.append(f"References that are not found there are named in the column {UNRESOLVED}.")
    sentences += [
        f"Copies of {snapshot.stream}, {'the last of each month' if snapshot.monthly else 'one a day'}: filter "
        f"on one {SNAPSHOT_DATE} (a day in {snapshot.zone}), and never sum over several."
        for snapshot in settings.snapshots
        if snapshot.name == stream
    ]
    if settings.timestamp_zone != UTC:
        sentences.append(zone_sentence(settings.timestamp_zone))
    return " ".join(sentences)


def zone_sentence(zone: str) -> str:
    """What times are shown in."""
    return f"Times are in UTC, with the time in {zone} beside each in a column that bears its name."
