"""Makes one load of what several have collected: a backfill whose parts were read side by side is published once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_tableau.errors import TargetTableauError
from target_tableau.journal import Journal
from target_tableau.load import ENDING
from target_tableau.run import run_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from target_tableau.settings import Settings


def deliver(settings: Settings, folders: Sequence[Path]) -> list[dict[str, Any]]:
    """Build, verify and publish what loads with `journal_only` have collected.

    Parts are taken in the order of the folders, and the loads of a part in their own: of two rows with one key the
    later stays. Nothing is taken out of the folders, so it can be done again; what is there already is found
    unchanged.

    Args:
        settings: The target's settings, for the extracts and the server.
        folders: `output_dir` of every part.

    Returns:
        The ledger rows of the load; none when nothing was collected.

    Raises:
        TargetTableauError: A part was not read to its end, or something did not work; then all is as before.
    """
    journals = [journal for folder in folders for journal in _collected(folder)]
    if not journals:
        return []
    with run_of(settings) as run:
        for journal in journals:
            run.take_over(journal)
        load_id = run.load.load_id
        run.finish_load(None)
        run.close_load()
        run.refresh()
        return run.ledger.loads(load_id=load_id)


def _collected(folder: Path) -> list[Journal]:
    root = folder / "journal"
    journals = [Journal(root, each.name) for each in sorted(root.glob("*"))] if root.is_dir() else []
    for journal in journals:
        if journal.read_json(ENDING) is None:
            raise TargetTableauError(
                f"{journal.folder} was not read to its end: read that part again before all are delivered."
            )
    return journals
