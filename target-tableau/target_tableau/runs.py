"""What became of each run of the target: also of one that failed before its first load, or to which nothing came."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import TYPE_CHECKING

from target_tableau.errors import RefreshError
from target_tableau.ledger import Ledger
from target_tableau.ledger_tables import runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_tableau.settings import Settings

_LONGEST = 2000


class NotedRun:
    """The row of a run in the ledger.

    The ledger is opened for each note alone, as a run may end before, or after, its own is open.

    Args:
        settings: The target's settings.

    Raises:
        SettingError: The ledger cannot be opened.
        TargetTableauError: It cannot be written.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        with self._ledger() as ledger, ledger.transaction() as connection:
            row = {"source": settings.source, "began_at": _now(), "brought": False}
            self._number = connection.execute(runs.insert().values(**row).returning(runs.c.id)).scalar_one()

    def end(self, error: BaseException | None, *, brought: bool, unread: Mapping[str, str]) -> None:
        """Note how it ended.

        Args:
            error: What ended it early.
            brought: Whether rows or a STATE came from the tap.
            unread: The streams that the tap did not read to their end, and why.
        """
        told = None if error is None else (str(error) or type(error).__name__)[:_LONGEST]
        if isinstance(error, RefreshError):
            told = None  # its rows have landed, and what was not refreshed has a row of its own
        if isinstance(error, SystemExit | KeyboardInterrupt):
            told = "it was stopped from outside"
        values = {"ended_at": _now(), "brought": brought, "unread": json.dumps(dict(unread)), "error": told}
        with self._ledger() as ledger, ledger.transaction() as connection:
            connection.execute(runs.update().where(runs.c.id == self._number).values(**values))

    @contextlib.contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        ledger = Ledger(self._settings.ledger_url, self._settings.output_dir)
        try:
            yield ledger
        finally:
            ledger.close()


def _now() -> dt.datetime:
    """UTC without a zone, as the ledger keeps times."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
