"""What the schemas of earlier loads have told of columns, kept beside the extracts.

A load need not bring every stream, but a model shows the columns of all its streams: `.hints.json` remembers them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from target_tableau.hints import NO_STREAM_HINTS, ColumnHints, StreamHints
from target_tableau.private_files import read_notes, write_notes
from target_tableau.semantics import is_renamed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_tableau.columns import Plan

_COLUMN_FIELDS: Final = frozenset(field.name for field in dataclasses.fields(ColumnHints))
_STREAM_FIELDS: Final = frozenset(field.name for field in dataclasses.fields(StreamHints))


class KnownHints:
    """The hints of streams, by column.

    Args:
        path: Where they are kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._notes = read_notes(path)
        self._changed = False

    def learn(self, plan: Plan) -> None:
        """Remember what a schema has told."""
        columns = {
            column.name: {**_told(column.hints), **({"label": ""} if is_renamed(column) else {})}
            for column in plan.columns
            if _told(column.hints)
        }
        note = {"stream": _told(plan.hints), "columns": columns}
        if self._notes.get(plan.stream) != note:
            self._notes[plan.stream] = note
            self._changed = True

    def columns(self, stream: str) -> dict[str, ColumnHints]:
        """Column -> its hints; those of which nothing was told are missing."""
        told = _part(self._notes.get(stream), "columns")
        return {
            name: ColumnHints(**_read(hints, _COLUMN_FIELDS))
            for name, hints in told.items()
            if isinstance(hints, dict)
        }

    def stream(self, stream: str) -> StreamHints:
        """The hints of a stream."""
        told = _part(self._notes.get(stream), "stream")
        return StreamHints(**_read(told, _STREAM_FIELDS)) if told else NO_STREAM_HINTS

    def keep(self) -> None:
        """Keep them for later loads.

        Raises:
            ExtractError: They cannot be written.
        """
        if self._changed:
            write_notes(self._path, self._notes)
            self._changed = False


def _told(hints: ColumnHints | StreamHints) -> dict[str, Any]:
    """The hints that say something, in JSON's types."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(hints).items()
        if value not in {"", (), None}
    }


def _part(note: object, name: str) -> dict[str, Any]:
    part = note.get(name) if isinstance(note, dict) else None
    return part if isinstance(part, dict) else {}


def _read(told: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """What `_told` gave, in the types of the hints; what another version has written is left out."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in told.items()
        if name in known
    }
