"""A company that servers show while it lives on: the company, its lock, and the file it is kept in."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Self

import msgspec

from tests.sandbox.company.generate import generate
from tests.sandbox.company.life import Life
from tests.sandbox.company.model import Company

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "company.json"


class World:
    """One company shared by servers and by whoever changes it.

    The rule: whoever reads or changes `company` holds `lock` meanwhile. The methods of `life` take it
    themselves. It is reentrant.

    Attributes:
        company: The records. Only `life` changes them.
        lock: Guards every access to `company`.
        life: The events that change the company.
        path: The file that `save` writes, if any.
    """

    def __init__(self, company: Company, path: Path | None = None) -> None:
        self.company = company
        self.path = path
        self.lock = threading.RLock()
        self.life = Life(company, company.seed, lock=self.lock)

    @property
    def version(self) -> int:
        """Grows with every event of the company; what a server has prepared for an older one is stale."""
        return self.life.version

    def reseed(self, seed: int) -> None:
        """Let the random choices of `life` go another way from here on."""
        self.life.reseed(seed)

    def save(self) -> None:
        """Write the company to `path`, whole or not at all.

        Raises:
            ValueError: This world has no path.
        """
        if self.path is None:
            raise ValueError("this world was made without a path and cannot be saved")
        with self.lock:
            data = msgspec.json.encode(self.company)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".next")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        draft.replace(self.path)

    @classmethod
    def open(cls, path: Path, *, seed: int = 7, bills: int = 120) -> Self:
        """Load the company kept in `path`; when there is none, generate one and keep it there.

        Raises:
            msgspec.DecodeError: The file does not hold a company.
        """
        if path.exists():
            return cls(msgspec.json.decode(path.read_bytes(), type=Company), path)
        world = cls(generate(seed=seed, bills=bills), path)
        world.save()
        return world
