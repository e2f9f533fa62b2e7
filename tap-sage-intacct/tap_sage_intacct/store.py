"""The discovered schema, kept between runs. It holds no secrets."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_sage_intacct.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Store:
    """A file of what was discovered in one company by one user, replaced as a whole."""

    def __init__(self, folder: Path, identity: str) -> None:
        self._path = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}-schema.json"

    def read(self) -> dict[str, Any]:
        """Its content, empty when there is none or it is not ours."""
        try:
            content = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write(self, content: Mapping[str, Any]) -> None:
        """Replace it.

        Raises:
            UserError: The folder cannot be written.
        """
        folder = self._path.parent
        try:
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(stat.S_IRWXU)
            handle, temporary = tempfile.mkstemp(dir=folder)  # created with mode 0600
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(content).encode())
            Path(temporary).replace(self._path)
        except OSError as error:
            raise UserError(f"cache_path: cannot write in {folder} ({error.strerror})") from None


def store_of(config: Mapping[str, Any]) -> Store:
    """The kept schema of the configured company and user."""
    folder = config.get("cache_path")
    path = Path(folder).expanduser() if folder else Path.home() / ".tap-sage-intacct"
    names = ("api_url", "company_id", "user_id")
    return Store(path, "\n".join([*(str(config[name]) for name in names), *config["entity_ids"]]))
