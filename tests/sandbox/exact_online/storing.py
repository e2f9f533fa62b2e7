"""Files of the site's own folder: written whole or not at all, readable by their owner only."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
_WRITING = threading.Lock()


def load(directory: Path | None, name: str, type_: type[T]) -> T:
    """What was saved under a name; an empty one when nothing was.

    Raises:
        msgspec.DecodeError: The file does not hold it.
    """
    if directory is None or not (directory / name).exists():
        return type_()
    return msgspec.json.decode((directory / name).read_bytes(), type=type_)


def save(directory: Path | None, name: str, content: object) -> None:
    """Save something under a name; a site without a folder keeps nothing."""
    if directory is None:
        return
    with _WRITING:
        directory.mkdir(parents=True, exist_ok=True)
        draft = directory / f"{name}.next"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(content))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(directory / name)
