"""What must outlive a run: refresh tokens, the handle of the open session, the discovered schema."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_acumatica.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Store:
    """Small private files of one sign-in at one instance: refresh token, session handle, discovered schema.

    Files are readable by their owner only and are replaced as a whole, so that a cut leaves the old one. What
    is written passes through `seal` and what is read through `unseal`: the place to encrypt.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder
        self._prefix = hashlib.sha256(identity.encode()).hexdigest()[:16]

    @staticmethod
    def seal(plain: bytes) -> bytes:
        """What is stored for `plain`."""
        return plain

    @staticmethod
    def unseal(stored: bytes) -> bytes:
        """The inverse of `seal`."""
        return stored

    def read(self, name: str) -> dict[str, Any]:
        """The content of a file, empty when there is none or it is not ours."""
        try:
            content = json.loads(self.unseal(self._path(name).read_bytes()))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a file.

        Raises:
            UserError: The folder cannot be written.
        """
        try:
            self._make_folder()
            handle, temporary = tempfile.mkstemp(dir=self.folder)  # created with mode 0600
            with os.fdopen(handle, "wb") as file:
                file.write(self.seal(json.dumps(content).encode()))
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path(name))
        except OSError as error:
            raise UserError(f"token_store_path: cannot write in {self.folder} ({error.strerror})") from None

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(OSError):
            self._path(name).unlink()

    @contextlib.contextmanager
    def lock(self, name: str, wait_seconds: float) -> Iterator[bool]:
        """Hold a lock against other processes; yields whether it was had in time.

        SQLite brings the one lock of the standard library that works on every system and is let go by the
        system when its process dies.

        Raises:
            UserError: The folder cannot be written.
        """
        try:
            self._make_folder()
            connection = sqlite3.connect(
                self._path(name, "lock"), timeout=wait_seconds, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.OperationalError) as error:
            raise UserError(f"token_store_path: cannot write in {self.folder} ({error})") from None
        with contextlib.closing(connection):
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                yield False
            else:
                yield True

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(stat.S_IRWXU)

    def _path(self, name: str, suffix: str = "json") -> Path:
        return self.folder / f"{self._prefix}-{name}.{suffix}"


def store_of(config: Mapping[str, Any]) -> Store:
    """The private files of the configured user at the configured instance."""
    who = (
        config[name] if config.get(name) else "" for name in ("base_url", "tenant", "client_id", "username")
    )
    folder = config.get("token_store_path")
    return Store(Path(folder).expanduser() if folder else Path.home() / ".tap-acumatica", "\n".join(who))
