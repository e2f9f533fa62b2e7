"""One load: the records between two checkpoints, from their batches to the extracts in place.

Batches are kept in the journal and staged in Hyper by the worker while more are being parsed. At the end all
extracts are built and verified, then published, then put in place.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from target_tableau.batches import add_metadata, shift_metadata
from target_tableau.columns import EXTRACTED_AT, Plan, merge_plans
from target_tableau.display import with_local_times
from target_tableau.errors import ExtractError, SettingError
from target_tableau.extract import ExtractBuild
from target_tableau.journal import Journal, Quarantine, file_name, new_load_id
from target_tableau.ledger import Status
from target_tableau.proof import is_proven, starts_again
from target_tableau.references import unresolved
from target_tableau.rules import Parent, Rules, keys_of
from target_tableau.stream_load import StreamLoad, Unclosed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from target_tableau.columns import Type
    from target_tableau.delivery import Delivery
    from target_tableau.settings import Settings
    from target_tableau.stream_load import Workshop

logger = logging.getLogger(__name__)

_FLUSH_BYTES = 4 * 1024 * 1024  # one journal file per stream and so many bytes of Arrow
_PENDING_BYTES = 64 * 1024 * 1024  # of all streams together
_MOST_SET_ASIDE = 10_000
ENDING = "ending"
"""Name of the journal file that is written when all rows of a load are there."""


class Load:
    """The load that is under way.

    Args:
        workshop: What it works with.
        first_state: The STATE that the tap began with.
        load_id: Of an earlier load that is to be finished; by default a new one.

    Attributes:
        load_id: Its id.
        streams: What came so far, by stream, in the order of arrival.
        began: When it began, on the monotonic clock.
        arrived_with: The earlier load that the records are of, where quarantined ones are tried again.
    """

    def __init__(
        self,
        workshop: Workshop,
        first_state: Mapping[str, Any] | None = None,
        load_id: str | None = None,
    ) -> None:
        settings = self.settings = workshop.settings
        self.load_id = load_id or new_load_id(dt.datetime.now(dt.UTC))
        self.streams: dict[str, StreamLoad] = {}
        self.began = time.monotonic()
        self.arrived_with: str | None = None
        self._engine = workshop.engine
        self._worker = workshop.worker
        self._ledger = workshop.ledger
        self._contents = workshop.contents
        self._progress = workshop.progress
        self._derived = workshop.derived
        self._journal = Journal(settings.output_dir / "journal", self.load_id)
        self._unresolved: dict[str, int] = {}
        self._rejected = Quarantine(settings.output_dir / "rejected", self.load_id)
        self._resumed = load_id is not None
        self._sequence = 0
        self._proven = -1
        self._first_state: Mapping[str, Any] = first_state or {}
        self._last_state: Mapping[str, Any] = {}

    @property
    def is_empty(self) -> bool:
        """Whether no record has come."""
        return self._sequence == 0

    def begin(
        self, plan: Plan, path: Path, published_columns: Mapping[str, Type] | None = None
    ) -> StreamLoad:
        """Take up a stream.

        Args:
            plan: Its columns and key.
            path: Its extract.
            published_columns: Columns of its data source, if that is to be updated without an extract here.
        """
        self._worker.drain()  # the engine belongs to one thread at a time
        build = ExtractBuild(self._engine, path, self._shown(plan), len(self.streams))
        build.column_names = self._ledger.column_names(self.settings.source, plan.stream)
        load = self.streams[plan.stream] = StreamLoad(
            plan,
            build,
            replaces_all=self.settings.load_method == "overwrite",
            published_columns=published_columns,
        )
        self._ledger.start(self.load_id, self.settings.source, plan.stream, path)
        return load

    def change_plan(self, plan: Plan) -> None:
        """Take a schema that changed while its stream was being read."""
        load = self.streams[plan.stream]
        self._flush(load)
        load.plan = plan
        merged = self._shown(merge_plans(load.build.plan, plan))
        build = load.build
        self._worker.submit(lambda: build.change_plan(merged))

    def _shown(self, plan: Plan) -> Plan:
        return with_local_times(plan, self.settings.timestamp_zone)

    def keep_schema(self, stream: str, message: Mapping[str, Any]) -> None:
        """Keep a SCHEMA message in the journal."""
        self._journal.write_json(f"{stream}.schema", {**message, "stream": stream})

    def add(self, stream: str, table: pa.Table) -> None:
        """Take a batch of rows that fit the stream's plan."""
        load = self.streams[stream]
        load.tables.append(add_metadata(table, first_sequence=self._sequence, load_id=self.load_id))
        self._sequence += len(table)
        load.read += len(table)
        load.size += table.nbytes
        if not self.settings.journal_only:
            load.build.foresee(load.read, self._worker)
        load.note_times(table)
        if load.size > _FLUSH_BYTES:
            self._flush(load)
        elif sum(other.size for other in self.streams.values()) > _PENDING_BYTES:
            self._flush(max(self.streams.values(), key=lambda other: other.size))

    def reject(self, stream: str, record: Mapping[str, Any], reason: str) -> None:
        """Put a record that does not fit where it can be looked at and tried again."""
        self.streams[stream].read += 1
        self.streams[stream].build.counts.rejected += 1
        self._rejected.write(stream, record, reason)

    def note_state(self, state: Mapping[str, Any]) -> None:
        """A STATE message came: everything before it has arrived whole."""
        self._proven = self._sequence - 1
        if self.is_empty and not self._first_state:
            self._first_state = state
        self._last_state = state

    def _flush(self, load: StreamLoad) -> None:
        """Hand a stream's pending batches to the worker."""
        if not load.tables:
            return
        table = pa.concat_tables(load.tables)
        load.tables, load.size = [], 0
        stream, plan, build = load.plan.stream, load.plan, load.build

        def keep_and_stage() -> None:
            build.load(self._journal.write_batch(stream, table), len(table), plan)

        self._worker.submit(keep_and_stage)

    # -- the end -------------------------------------------------------------------------------------------

    def finish(self, state: Mapping[str, Any] | None, delivery: Delivery | None) -> bool:
        """Build and verify all extracts, publish them and put them in place.

        Returns:
            Whether STATE may be handed on; a dry run leaves everything as it was.

        Raises:
            TargetTableauError: Something did not work; extracts and published data are as before.
        """
        for load in self.streams.values():
            self._flush(load)
        self._worker.drain()
        if self.streams:
            self._journal.write_json(ENDING, self._ending(state))
        if self.settings.journal_only:
            for stream, load in self.streams.items():
                self._note([stream], status=Status.COLLECTED, read=load.read, extracted_at=load.extracted_at)
            return True
        for stream, load in self.streams.items():
            self._progress.stage(stream, f"{load.read:,} rows, building the extract")
            self._build(stream, load, delivery)
            counts = dataclasses.asdict(load.build.counts)
            self._note([stream], status=Status.VERIFIED, extracted_at=load.extracted_at, **counts)
        self._derived.build(self, delivery)
        self._check_references()
        if delivery is not None:
            self._progress.stage("Tableau", "publishing")
            delivery.deliver(self)
        self._progress.clear()
        if self.settings.dry_run:
            self._note(list(self.streams), status=Status.DRY_RUN)
            return False
        for stream, load in self.streams.items():
            if load.build.built:
                self._contents.note(load.build.path, load.build.next, self.load_id)
            load.build.promote()
            self._note([stream], status=Status.PROMOTED, seconds=round(time.monotonic() - load.began))
        self._derived.keep()
        return True

    def _build(self, stream: str, load: StreamLoad, delivery: Delivery | None) -> None:
        """Build and verify a stream's extract, or only its change where the extract is in Tableau alone.

        Raises:
            TargetTableauError: It cannot be built.
        """
        rules = self._rules(stream, load)
        build = load.build
        build.settle(rules, load.published_columns)
        if load.published_columns is not None and delivery is not None:
            if build.build_change(rules, load.published_columns):
                build.discard()
                return
            logger.info("Stream '%s' cannot be loaded without its extract; it is fetched.", stream)
            if delivery.fetch(stream, build.path):
                known = delivery.published(stream)
                self._contents.note(build.path, build.path, known.load_id if known else "")
        build.build(rules, with_change=delivery is not None and delivery.may_update(stream))

    def is_in_step(self, stream: str, load_id: str) -> bool:
        """Whether the extract that the load began with holds a certain load as its last."""
        return self._contents.load_of(self.streams[stream].build.path) == load_id

    def _check_references(self) -> None:
        """Tell which references do not resolve in the extracts as they will be.

        Raises:
            ExtractError: One that must resolve does not.
        """
        for reference in self.settings.references:
            if not self.streams.keys() & {reference.stream, reference.target_stream}:
                continue
            missing = unresolved(self._engine, reference, self.newest, self.column)
            rows = missing.rows if missing else 0
            if reference.stream in self.streams:
                self._unresolved[reference.stream] = self._unresolved.get(reference.stream, 0) + rows
                self._note([reference.stream], unresolved=self._unresolved[reference.stream])
            if missing is None:
                continue
            if reference.must_resolve:
                raise ExtractError(f"{missing} Nothing was published; load {reference.target_stream} first.")
            logger.warning("Unresolved reference %s", missing)

    def newest(self, stream: str) -> Path:
        """The extract of a stream as it will be."""
        load = self.streams.get(stream)
        return load.build.next if load and load.build.built else extract_path(self.settings, stream)

    def column(self, stream: str, name: str) -> str:
        """The column that a property of a stream fills."""
        return self._ledger.columns(self.settings.source, stream).get(name, name)

    def _ending(self, state: Mapping[str, Any] | None) -> dict[str, Any]:
        """What a replay must know beside the rows; that it is there says that the rows are complete."""
        return {
            "state": state,
            "first_state": self._first_state,
            "last_state": self._last_state,
            "proven": self._proven,
            "read_whole": [stream for stream, load in self.streams.items() if load.replaces_all],
        }

    def resume(self, ending: Mapping[str, Any], plans: Mapping[str, Plan]) -> None:
        """Take everything from the journal instead of a tap; its streams have been begun.

        Args:
            ending: What `_ending` wrote.
            plans: The latest plan of every stream, as its schema in the journal gives it.

        Raises:
            TargetTableauError: The journal cannot be read.
        """
        self._first_state = ending["first_state"] or {}
        self._last_state = ending["last_state"] or {}
        self._proven = int(ending["proven"])
        for stream, plan in plans.items():
            load = self.streams[stream]
            load.replaces_all = stream in ending["read_whole"]
            load.build.counts.rejected = len(self._rejected.read([stream]).get(stream, ()))
            for file in self._journal.find(stream):
                rows, of_file = self._journal.plan_of_file(file, plan)
                load.build.change_plan(self._shown(merge_plans(load.build.plan, of_file)))
                load.build.load(file, rows, of_file)
                load.note_times(self._journal.read_batch(file, [EXTRACTED_AT]))
                load.read += rows
                self._sequence += rows

    def take_over(self, journal: Journal) -> None:
        """Take what another load has collected, in the order in which it came; its streams have been begun.

        It is written into this load's own journal, so that this load can be replayed like any other.

        Raises:
            TargetTableauError: The journal cannot be read.
        """
        ending = journal.read_json(ENDING) or {}
        base = self._sequence
        for stream in journal.schemas():
            load = self.streams[stream]
            for file in journal.find(stream):
                rows, of_file = journal.plan_of_file(file, load.plan)
                table = shift_metadata(journal.read_batch(file), by=base, load_id=self.load_id)
                load.build.change_plan(self._shown(merge_plans(load.build.plan, of_file)))
                load.build.load(self._journal.write_batch(stream, table), rows, of_file)
                load.note_times(table)
                load.read += rows
                self._sequence += rows
        self._proven = max(self._proven, base + int(ending.get("proven", -1)))

    def close(self) -> None:
        """Note that STATE was handed on, and tidy the journal."""
        if self.settings.journal_only:
            return
        covered = [stream for stream, load in self.streams.items() if load.is_covered]
        self._note(covered, status=Status.DONE)
        for stream in covered:
            self._ledger.take_back(self.settings.source, stream, self._unclosed(stream).all)
        self._journal.prune(self.settings.journal_retention_days, dt.datetime.now(dt.UTC))

    def fail(self, error: BaseException) -> None:
        """Note why the load did not come to its end."""
        told = str(error) or type(error).__name__
        self._note(list(self.streams), status=Status.FAILED, error=told[:2000])

    def _note(self, streams: Sequence[str], **values: Any) -> None:  # noqa: ANN401 - ledger columns
        self._ledger.update(self.load_id, streams, **values)

    def _unclosed(self, stream: str) -> Unclosed:
        own = "" if self._resumed else self.load_id  # what it has left before comes again from its journal
        return self._ledger.unclosed(self.settings.source, stream, but=own)

    def _rules(self, stream: str, load: StreamLoad) -> Rules:
        settings = self.settings
        plan = load.build.plan
        upsert = bool(plan.keys) and settings.load_method != "append-only"
        if settings.load_method == "upsert" and not plan.keys:
            raise SettingError(
                f"Stream '{stream}' has no key properties, so it cannot be upserted. Set its keys in the tap's "
                "catalog, or leave load_method empty to append streams without a key."
            )
        match = settings.delete_match.get(stream)
        unclosed = Unclosed() if upsert else self._unclosed(stream)
        states = (stream, self._first_state, self._last_state)
        whole = load.replaces_all and (settings.trust_end_of_input or is_proven(*states))
        parent = self._parent(stream, plan)
        rejected = self._rejected.read([stream]).get(stream, [])
        if len(rejected) > _MOST_SET_ASIDE:  # what did not come cannot be told from what was set aside
            whole, parent = False, None
        if not upsert and not whole and self.arrived_with is None:  # rows behind the last STATE come again
            load.is_covered = load.build.stage.is_covered(self._proven)
        return Rules(
            upsert=upsert,
            hard_delete=settings.hard_delete,
            delete_match=plan.column_of(match).name if match else None,
            parent=parent,
            proven=self._proven,
            replaces_all=whole,
            read_in_part=load.replaces_all and not whole and starts_again(*states),
            max_shrink_percent=settings.max_shrink_percent,
            may_evolve=settings.on_schema_change == "evolve",
            unclosed=unclosed.never,
            perhaps_closed=unclosed.perhaps,
            arrived_with=self.arrived_with,
            set_aside=keys_of(plan, rejected) if upsert and (whole or parent) else frozenset(),
        )

    def _parent(self, stream: str, plan: Plan) -> Parent | None:
        within = self.settings.replace_within.get(stream)
        if within is None:
            return None
        parent = self.streams.get(within.parent)
        files: Sequence[Path] = self._journal.files.get(within.parent, ())
        columns, types = {}, {}
        for line, head in within.columns.items():
            name = plan.column_of(line).name
            columns[name] = head
            if parent is not None:
                column = parent.build.plan.column_of(head)
                columns[name], types[name] = column.name, column.type
        return Parent(columns, files, types)


def extract_path(settings: Settings, stream: str) -> Path:
    """Where the extract of a stream lives."""
    return settings.extract_dir / f"{file_name(stream)}.hyper"
