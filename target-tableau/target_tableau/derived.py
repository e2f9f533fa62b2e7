"""What a load makes of its streams' extracts beside them: models and snapshots.

They are built after the extracts of the streams, from their next versions, and are from then on streams of the load
like any other: verified before anything is published, published, put in place and told in the ledger with them.
`.derived.json` beside the extracts names what each was made of, so that nothing is made anew for nothing, and what
a killed run has left out is made up for.
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import datetime as dt
import hashlib
import logging
from typing import TYPE_CHECKING, Any

from tableauhyperapi import escape_name
from typing_extensions import override

from target_tableau.columns import METADATA_NAMES, Column, Plan, Type
from target_tableau.errors import ExtractError, SettingError
from target_tableau.extract import ExtractBuild
from target_tableau.hints import NO_COLUMN_HINTS
from target_tableau.known_hints import KnownHints
from target_tableau.ledger import Status
from target_tableau.load import extract_path
from target_tableau.model_hints import of_model, of_model_columns, of_snapshot, of_snapshot_columns
from target_tableau.models import UNRESOLVED, ModelQuery, Table, sums
from target_tableau.private_files import read_notes, write_notes
from target_tableau.rules import Parent, Rules
from target_tableau.snapshots import DATE, SNAPSHOT_DATE, Snapshot
from target_tableau.stream_load import StreamLoad

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from target_tableau.contents import Contents
    from target_tableau.delivery import Delivery
    from target_tableau.hints import ColumnHints, StreamHints
    from target_tableau.hyper import Engine
    from target_tableau.ledger import Ledger
    from target_tableau.load import Load
    from target_tableau.model_rules import Model
    from target_tableau.settings import Settings

logger = logging.getLogger(__name__)

_WHOLE = Rules(upsert=True, hard_delete=False, delete_match=None, parent=None, proven=-1, replaces_all=True)


def now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


class Derivations:
    """Makes models and snapshots, load by load.

    Args:
        settings: The target's settings.
        engine: The run's engine.
        ledger: The run's ledger.
        contents: Which loads the extracts hold.
    """

    def __init__(self, settings: Settings, engine: Engine, ledger: Ledger, contents: Contents) -> None:
        self._settings = settings
        self._engine = engine
        self._ledger = ledger
        self._contents = contents
        self._path = settings.extract_dir / ".derived.json"
        self._made: dict[str, dict[str, Any]] = {
            name: note for name, note in read_notes(self._path).items() if isinstance(note, dict)
        }
        self._new: dict[str, dict[str, Any]] = {}
        self._hints = KnownHints(settings.extract_dir / ".hints.json")

    def reads(self, stream: str) -> bool:
        """Whether something is made of a stream, so that its extract must be here."""
        return any(stream in model.streams for model in self._settings.models) or any(
            stream == snapshot.stream for snapshot in self._settings.snapshots
        )

    def refuse_name(self, stream: str) -> None:
        """Keep a stream from taking the place of a model or a snapshot.

        Raises:
            SettingError: It has the name of one.
        """
        settings = self._settings
        if stream in {rule.name for rule in settings.models} | {rule.name for rule in settings.snapshots}:
            raise SettingError(
                f"A model or snapshot has the name '{stream}', as a stream has; give it another."
            )

    def build(self, load: Load, delivery: Delivery | None) -> None:
        """Build and verify what is made of the extracts that a load has built.

        Raises:
            TargetTableauError: It cannot be built, or does not come to the sums of its fact.
        """
        self._new = {}
        if not load.streams or not (self._settings.models or self._settings.snapshots):
            return
        for stream in load.streams.values():
            self._hints.learn(stream.build.plan)
        place = _Place(self._engine, self._ledger, self._settings.source, load, self._hints)
        for model in self._settings.models:
            self._take_up(_ModelWork(place, model), load, delivery)
        for snapshot in self._settings.snapshots:
            self._take_up(_SnapshotWork(place, snapshot), load, delivery)

    def _take_up(self, work: _Work, load: Load, delivery: Delivery | None) -> None:
        if delivery is not None:
            for stream in work.streams:
                self._fetch(load, stream, delivery)
        if not load.newest(work.base).exists():
            return
        note = work.note(self._inputs(load, work.streams))
        path = extract_path(self._settings, work.name)
        before = self._made.get(work.name, {})
        note["keys"] = self._keys(load, work.base, before)
        if note["keys"] is None:
            logger.info("'%s' waits for a load that brings %s.", work.name, work.base)
            return
        is_there = path.exists() and (delivery is None or delivery.published(work.name) is not None)
        if note == before and is_there:
            return
        if delivery is not None:
            self._fetch(load, work.name, delivery)
        self._ledger.start(load.load_id, self._settings.source, work.name, path)
        build = work.stage(path, note["keys"])
        build.begins_anew = work.follows_rule and before.get("rule", note["rule"]) != note["rule"]
        load.streams[work.name] = StreamLoad(build.plan, build, read=build.counts.read)
        self._hints.learn(build.plan)
        read_at = [part.extracted_at for name in work.streams if (part := load.streams.get(name)) is not None]
        work.build(build, with_change=delivery is not None and delivery.may_update(work.name))
        self._ledger.update(
            load.load_id,
            [work.name],
            status=Status.VERIFIED,
            unresolved=work.unresolved,
            extracted_at=max((moment for moment in read_at if moment is not None), default=None),
            **dataclasses.asdict(build.counts),
        )
        self._new[work.name] = note

    def _fetch(self, load: Load, stream: str, delivery: Delivery) -> None:
        """Take the published data source of a stream whose extract is not here."""
        path = extract_path(self._settings, stream)
        if load.newest(stream).exists() or (known := delivery.published(stream)) is None:
            return
        if delivery.fetch(stream, path):
            self._contents.note(path, path, known.load_id)

    def _inputs(self, load: Load, streams: Sequence[str]) -> dict[str, str | None]:
        """Stream -> the load that its newest extract holds; None where that is not known."""
        loads: dict[str, str | None] = {}
        for stream in streams:
            part = load.streams.get(stream)
            built = part is not None and part.build.built
            path = extract_path(self._settings, stream)
            known = load.load_id if built else self._contents.load_of(path)
            loads[stream] = f"unknown to {load.load_id}" if known is None and path.exists() else known
        return loads

    def _keys(self, load: Load, stream: str, before: Mapping[str, Any]) -> list[str] | None:
        """The key of a stream: as it comes with this load, or as it was when it came last."""
        if self._settings.load_method == "append-only":
            return []  # every record is a row, so no key tells rows apart
        part = load.streams.get(stream)
        return list(part.build.plan.keys) if part is not None else before.get("keys")

    def keep(self) -> None:
        """Note what was made, after it was put in place.

        Raises:
            ExtractError: The note cannot be written.
        """
        self._hints.keep()
        if not self._new:
            return
        self._made |= self._new
        write_notes(self._path, self._made)


@dataclasses.dataclass(frozen=True)
class _Place:
    """What a model or snapshot is made with."""

    engine: Engine
    ledger: Ledger
    source: str
    load: Load
    hints: KnownHints


class _Work(abc.ABC):
    """One model or snapshot in one load."""

    name: str
    base: str
    streams: Sequence[str]
    follows_rule = False
    """Made anew when its rule has changed, with the columns of the new one and no others."""
    unresolved = 0

    def __init__(self, place: _Place) -> None:
        self._engine = place.engine
        self._ledger = place.ledger
        self._source = place.source
        self._load = place.load
        self._known = place.hints

    @abc.abstractmethod
    def note(self, inputs: Mapping[str, str | None]) -> dict[str, Any]:
        """What it is made of; the same note means that it would come out the same."""

    @abc.abstractmethod
    def stage(self, path: Path, keys: Sequence[str]) -> ExtractBuild:
        """Write its rows into the stage of an extract."""

    @abc.abstractmethod
    def build(self, build: ExtractBuild, *, with_change: bool) -> None:
        """Build and verify its extract."""

    @abc.abstractmethod
    def hints(self, columns: Mapping[str, Type]) -> tuple[dict[str, ColumnHints], StreamHints]:
        """What its columns, and it as a whole, mean."""

    def _build_for(self, path: Path, columns: Mapping[str, Type], keys: Sequence[str]) -> ExtractBuild:
        told, hints = self.hints(columns)
        made = (
            Column(name, name, kind, hints=told.get(name, NO_COLUMN_HINTS)) for name, kind in columns.items()
        )
        plan = Plan(self.name, tuple(made), tuple(keys), hints=hints)
        return ExtractBuild(self._engine, path, plan, len(self._load.streams))

    def _names(self, stream: str) -> dict[str, str]:
        return self._ledger.columns(self._source, stream)


def _digest(rule: object) -> str:
    return hashlib.sha256(repr(rule).encode()).hexdigest()[:16]


class _ModelWork(_Work):
    follows_rule = True

    def __init__(self, place: _Place, model: Model) -> None:
        super().__init__(place)
        self._model = model
        self.name, self.base, self.streams = model.name, model.fact, model.streams

    @override
    def hints(self, columns: Mapping[str, Type]) -> tuple[dict[str, ColumnHints], StreamHints]:
        told = of_model_columns(self._model, columns, self._known, self._names)
        return told, of_model(self._model, self._known)

    @override
    def note(self, inputs: Mapping[str, str | None]) -> dict[str, Any]:
        return {"rule": _digest(self._model), "inputs": dict(inputs)}

    @override
    def stage(self, path: Path, keys: Sequence[str]) -> ExtractBuild:
        with contextlib.ExitStack() as stack:
            tables = {}
            for stream in self.streams:
                file = self._load.newest(stream)
                if file.exists():
                    table = stack.enter_context(self._engine.attached(file))
                    tables[stream] = Table(table.sql, self._engine.columns(table), self._names(stream))
            query = ModelQuery(self._engine, self._model, tables)
            stack.callback(query.drop)
            build = self._build_for(path, query.columns, keys)
            build.counts.read = query.insert(build.stage.table, self._load.load_id)
            self._tell(query, build)
            self._listed = ", ".join(sums(tables[self.base].columns))
            (self._sums,) = self._engine.rows(
                f"SELECT {self._listed} FROM {tables[self.base].sql} WHERE {query.kept()}"
            )
        return build

    def _tell(self, query: ModelQuery, build: ExtractBuild) -> None:
        """Count and name what does not resolve.

        Raises:
            ExtractError: Something that must resolve does not.
        """
        for stream in query.missing:
            logger.warning("Model '%s': %s is not loaded, so nothing is found in it.", self.name, stream)
        for name, (count, some) in query.ambiguous.items():
            logger.warning(
                "Model '%s', join %s: %d keys have several rows that differ, so none of them is taken: %s. Name the "
                "whole key in 'keys'.",
                self.name,
                name,
                count,
                some,
            )
        table = build.stage.table
        self.unresolved = self._engine.count(f"SELECT COUNT(*) FROM {table} WHERE {UNRESOLVED} IS NOT NULL")
        for join, rows, most in query.unresolved(table) if self.unresolved else ():
            where = " or ".join(join.streams)
            told = f"Model '{self.name}': {rows:,} rows do not find {join.name} in {where}: {most}."
            if join.on_unresolved == "fail":
                raise ExtractError(f"{told} Nothing was published; load {where} first.")
            logger.warning("%s", told)

    @override
    def build(self, build: ExtractBuild, *, with_change: bool) -> None:
        """Build it, and verify that it has the rows and sums of its fact.

        Raises:
            ExtractError: It has not.
        """
        rules = dataclasses.replace(_WHOLE, upsert=bool(build.plan.keys))
        build.align(rules)
        build.build(rules, with_change=with_change)
        with self._engine.attached(build.next if build.built else build.path) as table:
            (found,) = self._engine.rows(f"SELECT {self._listed} FROM {table.sql}")
        if found != self._sums:
            raise ExtractError(
                f"The model '{self.name}' does not come to the rows and sums of {self.base} ({found[0]:,} rows "
                f"instead of {self._sums[0]:,}). Nothing was published; please report it."
            )


class _SnapshotWork(_Work):
    def __init__(self, place: _Place, snapshot: Snapshot) -> None:
        super().__init__(place)
        self._snapshot = snapshot
        self._today = snapshot.date(now())
        self.name, self.base, self.streams = snapshot.name, snapshot.stream, (snapshot.stream,)

    @override
    def hints(self, columns: Mapping[str, Type]) -> tuple[dict[str, ColumnHints], StreamHints]:
        told = of_snapshot_columns(self.base, columns, self._known)
        return told, of_snapshot(self._snapshot, self._known)

    @override
    def note(self, inputs: Mapping[str, str | None]) -> dict[str, Any]:
        return {"rule": _digest(self._snapshot), "inputs": dict(inputs), "date": self._today.isoformat()}

    @override
    def stage(self, path: Path, keys: Sequence[str]) -> ExtractBuild:
        if not keys:
            raise SettingError(f"Snapshot '{self.name}': {self.base} has no key, which a dated copy needs.")
        with self._engine.attached(self._load.newest(self.base)) as source:
            table = Table(source.sql, self._engine.columns(source), self._names(self.base))
            own = {name: kind for name, kind in table.columns.items() if name not in METADATA_NAMES}
            build = self._build_for(path, {SNAPSHOT_DATE: DATE, **own}, [SNAPSHOT_DATE, *keys])
            insert = self._snapshot.insert(build.stage.table, table, self._today, self._load.load_id)
            build.counts.read = self._engine.run(insert)
        return build

    @override
    def build(self, build: ExtractBuild, *, with_change: bool) -> None:
        """Build it: today's copy takes the place of an earlier one, and copies that are too old go."""
        days = Parent(columns={SNAPSHOT_DATE: SNAPSHOT_DATE}, files=())
        rules = dataclasses.replace(_WHOLE, replaces_all=False, parent=days, proven=-1)
        build.settle(rules)
        if build.path.exists():
            with self._engine.attached(build.path) as present:
                self._engine.run(
                    f"INSERT INTO {build.stage.reread_parents} SELECT {escape_name(SNAPSHOT_DATE)}, 0 "
                    f"FROM {present.sql} WHERE {self._snapshot.replaced(self._today)} GROUP BY 1"
                )
        build.build(rules, with_change=with_change)
