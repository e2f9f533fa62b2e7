"""What must outlive a run although it is not state: the discovered schema, and how long the server's pages are.

Nothing in it is secret, and nothing is lost with it but a few calls.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG: Final = logging.getLogger("tap-epicor-kinetic")


class Store:
    """Small files of one instance and user, replaced as a whole so that a cut leaves the old one.

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
            decoded = json.loads(self._path(name).read_bytes())
        except (OSError, ValueError):
            return {}
        return decoded if isinstance(decoded, dict) else {}

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a file; a folder that cannot be written costs calls, not data, so it is only a warning."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self.folder)  # created with mode 0600
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(content).encode())
            Path(temporary).replace(self._path(name))
        except OSError as error:
            _LOG.warning(
                "cache_path: cannot write in %s (%s); the schema is asked for again in every run",
                self.folder,
                error.strerror,
            )

    def _path(self, name: str) -> Path:
        return self.folder / f"{self._prefix}-{name}.json"


def store_of(config: Mapping[str, Any]) -> Store:
    """The files of the configured user at the configured instance."""
    who = (str(config.get(name) or "") for name in ("base_url", "auth_method", "client_id", "username"))
    folder = config.get("cache_path")
    path = Path(folder).expanduser() if folder else Path.home() / ".tap-epicor-kinetic"
    return Store(path, "\n".join((*who, *config["companies"])))
