"""Finishes a load that did not come to its end, from the journal, without asking the source again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_tableau.delivery import Delivery
from target_tableau.errors import TargetTableauError
from target_tableau.journal import Journal
from target_tableau.ledger import Status
from target_tableau.load import ENDING
from target_tableau.run import Run

if TYPE_CHECKING:
    from target_tableau.ledger import Ledger
    from target_tableau.settings import Settings


def replay(settings: Settings, load_id: str) -> dict[str, Any] | None:
    """Build, verify, publish and put in place what a load had read.

    Returns:
        The STATE that belongs to it, if the tap had sent one.

    Raises:
        TargetTableauError: It cannot be replayed, or fails again; then everything is as before.
    """
    journal = Journal(settings.output_dir / "journal", load_id)
    ending = journal.read_json(ENDING)
    if ending is None:
        raise TargetTableauError(
            f"The load '{load_id}' cannot be replayed: its journal is not complete or not there any more "
            f"({settings.journal_retention_days} days are kept). Run the pipeline again."
        )
    with Run(settings, Delivery(settings) if settings.server_url else None) as run:
        _refuse_old_rows(run.ledger, settings.source, load_id)
        run.resume(load_id, ending, journal.schemas())
        run.finish_load(ending["state"])
        run.close_load()
    state: dict[str, Any] | None = ending["state"]
    return state


def _refuse_old_rows(ledger: Ledger, source: str, load_id: str) -> None:
    """Rows of a load that is older than what has landed since would take the place of newer ones.

    Raises:
        TargetTableauError: There is nothing to finish, or something newer has landed.
    """
    rows = ledger.loads(load_id=load_id)
    if not rows:
        raise TargetTableauError(
            f"There is no load '{load_id}' in the ledger. See target-tableau-loads list."
        )
    if rows[0]["source"] != source:
        raise TargetTableauError(
            f"The load '{load_id}' is of the source '{rows[0]['source']}', not of '{source}'; set source to it."
        )
    if all(row["status"] == Status.DONE.value for row in rows):
        raise TargetTableauError(f"The load '{load_id}' is done; there is nothing to replay.")
    for row in rows:
        newer = ledger.newest_done(source, row["stream"])
        if newer is not None and newer > load_id:
            raise TargetTableauError(
                f"The load '{load_id}' cannot be replayed: stream '{row['stream']}' was loaded again by '{newer}', "
                "whose rows are newer."
            )
