"""Finishes a load that did not come to its end, from the journal, without asking the source again."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from target_tableau.columns import DELETED_AT
from target_tableau.errors import LockedError, TargetTableauError
from target_tableau.journal import Journal, Quarantine, newest_schemas
from target_tableau.ledger import Ledger, Status
from target_tableau.load import ENDING
from target_tableau.run import run_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_tableau.run import Run
    from target_tableau.settings import Settings

logger = logging.getLogger(__name__)


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
    with run_of(settings) as run:
        _refuse_old_rows(run.ledger, settings.source, load_id)
        run.resume(load_id, ending, journal.schemas())
        run.finish_load(ending["state"])
        run.close_load()
    state: dict[str, Any] | None = ending["state"]
    return state


def finish_unfinished(settings: Settings) -> None:
    """Finish the last load of the source, if all of it had been read and verified but not handed on.

    What the tap reads again afterwards is found unchanged. If it does not work now either, the next load, which
    brings the same rows, takes its place; that is told and no more.
    """
    ledger = Ledger(settings.ledger_url, settings.output_dir)
    try:
        load_id = ledger.unfinished(settings.source)
    finally:
        ledger.close()
    if load_id is None or settings.dry_run:
        return
    journal = Journal(settings.output_dir / "journal", load_id)
    try:
        if journal.read_json(ENDING) is None or _appends(settings, journal):
            return  # read on another machine, or pruned, or not to be told from what the tap reads again
        logger.info(
            "Load %s had been read but not finished; it is finished first, from its journal.", load_id
        )
        replay(settings, load_id)
    except LockedError:
        raise
    except TargetTableauError as failure:
        logger.warning("Load %s still cannot be finished: %s", load_id, failure)


def _appends(settings: Settings, journal: Journal) -> bool:
    """Whether a load brought rows that no key identifies, so that they would be there twice when they come again."""
    keyed = all(message["key_properties"] for message in journal.schemas().values())
    return settings.load_method == "append-only" or not keyed


def replay_rejected(settings: Settings, load_id: str) -> list[dict[str, Any]]:
    """Try the quarantined records of a load again, under the newest schema of their streams.

    What does not fit now either goes into the quarantine of the new load. What has come since with the same key, a row
    or its deletion, is newer and stays.

    Returns:
        The ledger rows of the new load.

    Raises:
        TargetTableauError: There are none, or something did not work; then they stay where they are.
    """
    quarantine = Quarantine(settings.output_dir / "rejected", load_id)
    schemas = newest_schemas(settings.output_dir / "journal")
    kept = quarantine.read(schemas)
    if not kept:
        raise TargetTableauError(
            f"No rejected records of the load '{load_id}' are kept. Loads with rejected records are shown by "
            "target-tableau-loads list."
        )
    settings = dataclasses.replace(settings, on_bad_record="quarantine")
    with run_of(settings) as run:
        run.retry_rejected(load_id)
        for stream, records in kept.items():
            run.set_schema(stream, schemas[stream])
            still = _not_newer(settings, run, stream, load_id, records)
            run.add_records(stream, still, [None] * len(still))
        new_load = run.load.load_id
        run.finish_load(None)
        run.close_load()
        quarantine.remove(kept)
        return run.ledger.loads(load_id=new_load)


def _not_newer(
    settings: Settings, run: Run, stream: str, load_id: str, records: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Those of a load's records whose key has not come again since, as a row or as a deletion.

    The extract alone does not tell: a row that came again unchanged bears an older load, and a deleted one is gone.
    """
    plan = run.load.streams[stream].build.plan
    sources = {column.name: column.source for column in plan.columns}
    match = settings.delete_match.get(stream)
    ways = [plan.keys] if plan.keys else []
    ways += [(plan.column_of(match).name,)] if match else []

    def identity(record: dict[str, Any], way: Sequence[str]) -> tuple[str | None, ...]:
        values = (record.get(sources[name]) for name in way)
        return tuple(None if value is None else str(value) for value in values)

    wanted = {way: {identity(record, way) for record in records} for way in ways}
    came: dict[Sequence[str], set[tuple[str | None, ...]]] = {way: set() for way in ways}
    borne = run.ledger.column_names(settings.source, stream)
    for row in run.ledger.loads():
        if (row["source"], row["stream"]) != (settings.source, stream) or row["load_id"] <= load_id:
            continue
        journal = Journal(settings.output_dir / "journal", row["load_id"])
        for table in journal.batches(stream, borne):
            for way in ways:
                rows = table if way == plan.keys else table.filter(table.column(DELETED_AT).is_valid())
                if set(way) <= set(rows.column_names):
                    columns = (rows.column(name).cast(pa.string()).to_pylist() for name in way)
                    came[way].update(wanted[way].intersection(zip(*columns, strict=True)))
    still = [record for record in records if not any(identity(record, way) in came[way] for way in ways)]
    if len(still) < len(records):
        logger.info("%d rejected records of '%s' have come again since.", len(records) - len(still), stream)
    return still


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
