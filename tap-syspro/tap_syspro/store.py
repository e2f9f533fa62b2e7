"""What outlives a run on this machine: the discovered schema, and a lock per operator. No secrets."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from tap_syspro.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Store:
    """Small private files of one user at one site, replaced as a whole, so that a cut leaves the old one.

    Args:
        folder: Where they are.
        identity: Whose they are.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder
        self._prefix = hashlib.sha256(identity.encode()).hexdigest()[:16]

    def read(self, name: str) -> dict[str, Any]:
        """The content of a file, empty when there is none or it is not ours."""
        try:
            decoded = json.loads(self._path(name, "json").read_bytes())
        except (OSError, ValueError):
            return {}
        return decoded if isinstance(decoded, dict) else {}

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a file.

        Raises:
            UserError: The folder cannot be written.
        """
        try:
            self._make_folder()
            handle, temporary = tempfile.mkstemp(dir=self.folder)  # created with mode 0600
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(content).encode())
            Path(temporary).replace(self._path(name, "json"))
        except OSError as error:
            raise self._unwritable(error) from None

    @contextlib.contextmanager
    def lock(self, name: str, wait_seconds: float) -> Iterator[bool]:
        """Hold a lock against other processes; yields whether it was had in time.

        The system lets it go when its process dies.

        Raises:
            UserError: The folder cannot be written.
        """
        held = FileLock(self._path(name, "lock"), timeout=wait_seconds, thread_local=False)
        try:
            self._make_folder()
            held.acquire()
        except Timeout:
            yield False
            return
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            yield True
        finally:
            held.release()

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(f"store_path: cannot write in {self.folder} ({error.strerror})")

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(stat.S_IRWXU)

    def _path(self, name: str, suffix: str) -> Path:
        return self.folder / f"{self._prefix}-{name}.{suffix}"


def store_of(config: Mapping[str, Any], *names: str) -> Store:
    """The private files of what some settings name: by default, of the configured site and its users."""
    names = names or ("base_url", "enet_base_url", "odata_path_template", "odata_username", "operator")
    folder = config.get("store_path")
    path = Path(folder).expanduser() if folder else Path.home() / ".tap-syspro"
    return Store(path, "\n".join(str(config.get(name) or "") for name in names))
