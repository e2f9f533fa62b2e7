"""The audit trail of one record: every version that came, by which load, and where it went."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from tableauhyperapi import escape_name, escape_string_literal

from target_tableau.columns import DELETED_AT, METADATA_NAMES, SEQUENCE, plan_of
from target_tableau.errors import TargetTableauError
from target_tableau.hyper import Engine
from target_tableau.journal import Journal
from target_tableau.load import extract_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from target_tableau.columns import Plan
    from target_tableau.ledger import Ledger
    from target_tableau.settings import Settings

Row = dict[str, Any]

_SHOWN = 6  # columns of what a reference leads to


def trace(settings: Settings, ledger: Ledger, stream: str, key: Sequence[str]) -> Iterator[str]:
    """Tell what the journal knows of one record, the oldest version first, as lines of text.

    Raises:
        TargetTableauError: The stream is not in the journal, or the key has not as many parts as the stream's.
    """
    for model in settings.models:
        if model.name == stream:
            yield f"{stream} is made of {model.fact}, which has the same key."
            stream = model.fact
    root = settings.output_dir / "journal"
    loads = sorted(folder.name for folder in root.iterdir() if folder.is_dir()) if root.is_dir() else []
    borne = ledger.column_names(settings.source, stream)
    before: Row | None = None
    match: object = None
    plan: Plan | None = None
    for load_id in loads:
        journal = Journal(root, load_id)
        message = journal.schemas().get(stream)
        rows = ledger.loads(load_id=load_id)
        facts = next(
            (row for row in rows if row["stream"] == stream and row["source"] == settings.source), None
        )
        if message is None or facts is None:
            continue
        known = ledger.columns(settings.source, stream)
        plan = plan_of(stream, message, settings.hyper_version, known)
        wanted = _wanted(plan, key)
        column = settings.delete_match.get(stream)
        match_name = plan.column_of(column).name if column else None
        refreshes = ledger.refreshes(load_id)
        for row in _versions(journal.batches(stream, borne), wanted, match_name, match):
            yield from _told(row, before, facts)
            yield from _refreshed(refreshes)
            before = row
            match = row.get(match_name) if match_name and row.get(match_name) is not None else match
    if plan is None:
        raise TargetTableauError(
            f"Stream '{stream}' of source '{settings.source}' is not in the journal. Its streams are listed by "
            "target-tableau-loads list."
        )
    if before is not None and before[DELETED_AT] is None:
        yield from _resolved(settings, ledger, stream, before)
    if before is None:
        yield f"No record of {stream} with the key {', '.join(key)} came since the journal begins."
    yield f"The journal reaches back to {_moment(loads[0])} ({settings.journal_retention_days} days are kept)."


def _wanted(plan: Plan, key: Sequence[str]) -> dict[str, str]:
    """Key column -> value, as text.

    Raises:
        TargetTableauError: Too few or too many parts.
    """
    if len(key) != len(plan.keys):
        raise TargetTableauError(
            f"Stream '{plan.stream}' has {len(plan.keys)} key properties ({', '.join(plan.keys) or 'none'}); give one "
            "word for each."
        )
    return dict(zip(plan.keys, key, strict=True))


def _versions(
    tables: Iterable[pa.Table], wanted: Mapping[str, str], match_name: str | None, match: object
) -> Iterator[Row]:
    """Rows with the key, and tombstones that name it by the column that the live rows carry too."""
    for table in tables:
        found: list[Row] = _with_key(table, wanted).to_pylist()
        if match_name is not None:
            known = {row[match_name] for row in found} | {match}
            found += [
                row
                for row in table.filter(pa.compute.is_valid(table.column(DELETED_AT))).to_pylist()
                if row[match_name] in known - {None} and all(row[name] is None for name in wanted)
            ]
        yield from sorted(found, key=lambda row: int(row[SEQUENCE]))


def _with_key(table: pa.Table, wanted: Mapping[str, str]) -> pa.Table:
    for name, value in wanted.items():
        table = table.filter(pa.compute.equal(table.column(name).cast(pa.string()), value))
    return table


def _told(row: Row, before: Row | None, facts: Row) -> Iterator[str]:
    where = f", published as '{facts['datasource']}'" if facts["datasource"] else ""
    job = f" (job {facts['job']})" if facts["job"] else ""
    head = f"{_moment(facts['load_id'])}  load {facts['load_id']} ({facts['status']}){where}{job}"
    if row[DELETED_AT] is not None:
        yield f"{head}\n    deleted in the source at {row[DELETED_AT]} UTC"
        return
    own = {name: value for name, value in row.items() if name not in METADATA_NAMES}
    if before is None or before[DELETED_AT] is not None:
        shown = {name: value for name, value in own.items() if value is not None}
        yield f"{head}\n    came with " + ", ".join(f"{name}={value}" for name, value in shown.items())
        return
    changed = {name: value for name, value in own.items() if before.get(name) != value}
    if changed:
        yield f"{head}\n    changed: " + ", ".join(
            f"{name} {before.get(name)} -> {value}" for name, value in changed.items()
        )
    else:
        yield f"{head}\n    came again, unchanged"


def _refreshed(refreshes: Sequence[Row]) -> Iterator[str]:
    """What was refreshed because of the load."""
    for refresh in refreshes:
        job = f" (job {refresh['job']})" if refresh["job"] else ""
        yield f"    refresh of the {refresh['kind']} '{refresh['target']}': {refresh['status']}{job}"


def _resolved(settings: Settings, ledger: Ledger, stream: str, row: Row) -> Iterator[str]:
    """What the record's references lead to, in the extracts as they are now."""
    references = [reference for reference in settings.references if reference.stream == stream]
    if not references:
        return
    with Engine(settings.hyper_version, settings.hyper_memory_limit) as engine:
        for reference in references:
            own = ledger.columns(settings.source, stream).get(reference.property, reference.property)
            if row.get(own) is None:
                continue
            head = f"    {own} {row[own]}"
            path = extract_path(settings, reference.target_stream)
            if not path.exists():
                yield f"{head}: {reference.target_stream} is not loaded, so it is not known what it stands for"
                continue
            names = ledger.columns(settings.source, reference.target_stream)
            found = _row_of(
                engine, path, names.get(reference.target_property, reference.target_property), row[own]
            )
            if found is None:
                yield f"{head}: not found in {reference.target_stream}"
            else:
                shown = [f"{name}={value}" for name, value in found.items() if value is not None]
                yield f"{head}: in {reference.target_stream} as " + ", ".join(shown[:_SHOWN])


def _row_of(engine: Engine, path: Path, column: str, value: object) -> Row | None:
    """The row of an extract that has a value in a column; its own columns only."""
    with engine.attached(path) as table:
        columns = engine.columns(table)
        if column not in columns:
            return None
        names = [name for name in columns if name not in METADATA_NAMES]
        listed = ", ".join(escape_name(name) for name in names)
        where = f"CAST({escape_name(column)} AS TEXT) = {escape_string_literal(str(value))}"
        rows = engine.rows(f"SELECT {listed} FROM {table.sql} WHERE {where} LIMIT 1")
    return dict(zip(names, rows[0], strict=True)) if rows else None


def _moment(load_id: str) -> str:
    return f"{dt.datetime.strptime(load_id[:15], '%Y%m%dT%H%M%S'):%Y-%m-%d %H:%M:%S} UTC"  # noqa: DTZ007
