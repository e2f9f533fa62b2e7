"""Which load an extract on disk holds, so that it can be told whether it agrees with what Tableau holds.

`.contents.json` beside the extracts names, for each file, the load that made it, together with the file's size and
time of change: a file that was put back, copied or changed by somebody else is not taken for ours. Now and then the
Hyper engine gives a file that it only reads a new time of change (seen in 3 of 100 cases), so the folder is looked at
before the engine opens anything, and what it has touched is noted anew when it has let go.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from target_tableau.errors import ExtractError
from target_tableau.private_files import read_notes, write_notes

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)


class Contents:
    """What is known of the extracts in a folder, as they are now; nobody else works on them."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".contents.json"
        notes = read_notes(self._path)
        self._known: dict[str, list[list[Any]]] = {
            name: note for name, note in notes.items() if _are_notes(note)
        }
        self._held: dict[str, tuple[str, list[int]]] = {}
        for name in self._known:
            self.load_of(folder / name)

    def load_of(self, extract: Path) -> str | None:
        """The load whose rows are the last in an extract; None when that is not known."""
        if not extract.exists():
            return None
        if extract.name not in self._held:
            stamp = _stamp(extract)
            for *known, load in self._known.get(extract.name, ()):
                if known == stamp:
                    self._held[extract.name] = (str(load), stamp)
                    break
        return self._held[extract.name][0] if extract.name in self._held else None

    def keep(self) -> None:
        """Note anew what the engine has touched; called when it has let go of all files."""
        for name, (load, before) in list(self._held.items()):
            extract = self._path.with_name(name)
            if extract.exists() and (after := _stamp(extract)) != before and after[0] == before[0]:
                try:
                    self.note(extract, extract, load)
                except ExtractError as failure:
                    logger.warning("%s What is published will be downloaded by the next run.", failure)

    def note(self, extract: Path, file: Path, load_id: str) -> None:
        """Note that a file, which is or will become the extract, holds a load.

        What was noted before stays: the file may never get there.

        Raises:
            ExtractError: The note cannot be written.
        """
        stamp = _stamp(file)
        self._held.pop(extract.name, None)
        if file == extract:
            self._held[extract.name] = (load_id, stamp)
        self._known[extract.name] = [[*stamp, load_id], *self._known.get(extract.name, ())][:2]
        write_notes(self._path, self._known)


def _are_notes(notes: object) -> bool:
    return isinstance(notes, list) and all(isinstance(note, list) and len(note) > 1 for note in notes)


def _stamp(file: Path) -> list[int]:
    """Survives a rename."""
    facts = file.stat()
    return [facts.st_size, facts.st_mtime_ns]
