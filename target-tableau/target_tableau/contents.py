"""Which load an extract on disk holds, so that it can be told whether it agrees with what Tableau holds.

`.contents.json` beside the extracts names, for each file, the load that made it, together with the file's size and
time of change: a file that was put back, copied or changed by somebody else is not taken for ours.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from target_tableau.errors import ExtractError

if TYPE_CHECKING:
    from pathlib import Path

_OWNER_ONLY = 0o600


class Contents:
    """What is known of the extracts in a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".contents.json"
        self._known: dict[str, list[list[Any]]] = {}
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # none, or a damaged one: then nothing is known
            known = {}
        if isinstance(known, dict):
            self._known = known

    def load_of(self, extract: Path) -> str | None:
        """The load whose rows are the last in an extract; None when that is not known."""
        if not extract.exists():
            return None
        stamp = _stamp(extract)
        return next((str(load) for *known, load in self._known.get(extract.name, ()) if known == stamp), None)

    def note(self, extract: Path, file: Path, load_id: str) -> None:
        """Note that a file, which is or will become the extract, holds a load.

        What was noted before stays: the file may never get there.

        Raises:
            ExtractError: The note cannot be written.
        """
        self._known[extract.name] = [[*_stamp(file), load_id], *self._known.get(extract.name, ())][:2]
        unfinished = self._path.with_suffix(".next")
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                json.dump(self._known, out)
            unfinished.replace(self._path)
        except OSError as failure:
            raise ExtractError(
                f"{self._path} cannot be written: {failure.strerror or failure}. Free some disk space; run again."
            ) from failure


def _stamp(file: Path) -> list[int]:
    """Survives a rename, and reading does not change it (seen with the Hyper engine)."""
    facts = file.stat()
    return [facts.st_size, facts.st_mtime_ns]
