"""Files that only their owner may read, and that are there whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
from typing import IO, TYPE_CHECKING, Any

from target_tableau.errors import ExtractError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

OWNER_ONLY = 0o600


@contextlib.contextmanager
def written_whole(path: Path, mode: str) -> Iterator[IO[Any]]:
    """Write a file beside its place, and put it there when the block has ended well.

    Args:
        path: Its place.
        mode: "w" for UTF-8 text, "wb" for bytes.

    Raises:
        OSError: The disk is full, or the folder cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.tmp")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, mode, encoding=None if "b" in mode else "utf-8") as out:
        yield out
    unfinished.replace(path)


def read_notes(path: Path) -> dict[str, Any]:
    """Notes about extracts, kept beside them; where there are none, or damaged ones, nothing is known."""
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def write_notes(path: Path, notes: Mapping[str, Any]) -> None:
    """Keep notes for `read_notes`.

    Raises:
        ExtractError: They cannot be written.
    """
    try:
        with written_whole(path, "w") as out:
            json.dump(notes, out)
    except OSError as failure:
        raise ExtractError(
            f"{path} cannot be written: {failure.strerror or failure}. Free some disk space; run again."
        ) from failure
