"""One run of the target: everything between the first message and the moment STATE may be written.

Records become Arrow tables on the main thread; a single worker keeps them in the journal and stages them in
Hyper meanwhile. At the end all extracts are built and verified, then published, then put in place.
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import datetime as dt
import logging
import shutil
import time
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
from filelock import FileLock, Timeout
from singer_sdk.exceptions import MissingKeyPropertiesError

from target_tableau.batches import (
    BlockParser,
    UnfitBlockError,
    add_metadata,
    bad_record,
    convert_records,
    decode_line,
)
from target_tableau.columns import DELETED_AT, Plan, merge_plans, plan_of
from target_tableau.errors import LockedError, SettingError, TargetTableauError
from target_tableau.extract import ExtractBuild
from target_tableau.hyper import Engine
from target_tableau.journal import Journal, file_name, new_load_id
from target_tableau.ledger import Ledger, Status
from target_tableau.staging import Parent, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from target_tableau.delivery import Delivery
    from target_tableau.settings import Settings

logger = logging.getLogger(__name__)

_FLUSH_BYTES = 24 * 1024 * 1024  # one journal file per stream and so many bytes of Arrow
_PENDING_BYTES = 64 * 1024 * 1024  # of all streams together
_QUEUE = 2  # batches that may wait for the worker: more would only take memory
_PROGRESS_SECONDS = 30
_LOCK_SECONDS = 60


@dataclasses.dataclass
class StreamLoad:
    """What a run knows of one stream.

    Attributes:
        plan: Columns of its latest schema.
        parser: The way for blocks.
        build: Its extract.
        tables: Batches that are not yet in the journal.
        size: Their bytes.
        read: Records so far.
        began: When the stream began, on the monotonic clock.
    """

    plan: Plan
    parser: BlockParser
    build: ExtractBuild
    path: Path
    tables: list[pa.Table] = dataclasses.field(default_factory=list)
    size: int = 0
    read: int = 0
    began: float = dataclasses.field(default_factory=time.monotonic)


class Run:
    """A run, from the lock to the promoted extracts. Use as a context manager.

    Args:
        settings: The target's settings.
        delivery: Where extracts go after they are verified.
    """

    def __init__(self, settings: Settings, delivery: Delivery | None) -> None:
        self.settings = settings
        self.delivery = delivery
        self.load_id = new_load_id(dt.datetime.now(dt.UTC))
        self.streams: dict[str, StreamLoad] = {}
        self._sequence = 0
        self._proven = -1
        self._first_state: Mapping[str, Any] | None = None
        self._progress_at = time.monotonic()
        self._futures: collections.deque[concurrent.futures.Future[None]] = collections.deque()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def _open(self, stack: contextlib.ExitStack) -> None:
        settings = self.settings
        folder = settings.extract_dir
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / ".lock")
            stack.enter_context(lock.acquire(timeout=_LOCK_SECONDS))
        except Timeout as busy:
            raise LockedError(
                f"Another run works on the extracts in {folder} (lock file {folder / '.lock'}). Wait for it to end, "
                "or give this run another source or output_dir."
            ) from busy
        except OSError as failure:
            raise SettingError(
                f"output_dir {folder} cannot be used: {failure.strerror or failure}."
            ) from failure
        self._remove_leftovers(folder)
        stack.callback(self._discard)  # after the engine has let go, before the lock is given up
        self.ledger = Ledger(settings.ledger_url, settings.output_dir)
        stack.callback(self.ledger.close)
        self.journal = Journal(settings.output_dir / "journal", self.load_id)
        if self.delivery is not None:
            stack.enter_context(self.delivery)
            self.delivery.open(self.ledger)
        self.engine = stack.enter_context(Engine(settings.hyper_version, settings.hyper_memory_limit))
        self._worker = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="loader")
        stack.callback(self._worker.shutdown, cancel_futures=True)

    @staticmethod
    def _remove_leftovers(folder: Path) -> None:
        """What a killed run was building: never promoted, so nothing depends on it."""
        for unfinished in [*folder.glob("*.hyper.next"), *folder.glob("*.hyper.stage")]:
            unfinished.unlink()
        for unpublished in folder.glob(".publish-*"):
            shutil.rmtree(unpublished)

    def _discard(self) -> None:
        for load in self.streams.values():
            load.build.discard()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self._note_failure(error)
        self._stack.__exit__(kind, error, None)

    def _note_failure(self, error: BaseException) -> None:
        told = str(error) or type(error).__name__
        with contextlib.suppress(TargetTableauError):  # the ledger itself may be what is broken
            self.ledger.update(self.load_id, list(self.streams), status=Status.FAILED, error=told[:2000])

    # -- messages ------------------------------------------------------------------------------------------

    def set_schema(self, stream: str, schema: Mapping[str, Any], key_properties: Sequence[str]) -> None:
        """Take a SCHEMA message.

        Raises:
            SettingError: The schema cannot be loaded, or a setting names a property that it does not have.
        """
        plan = plan_of(stream, schema, key_properties, self.settings.hyper_version)
        self._check_rules(plan)
        load = self.streams.get(stream)
        if load is None:
            self._begin(stream, plan)
        elif load.plan != plan:
            self._flush(load)
            load.plan, load.parser = plan, BlockParser(plan)
            merged = merge_plans(load.build.plan, plan)
            build = load.build
            self._submit(lambda: build.change_plan(merged))
        self.journal.write_json(
            f"{stream}.schema", {"schema": schema, "key_properties": list(key_properties)}
        )

    def _begin(self, stream: str, plan: Plan) -> None:
        path = self.settings.extract_dir / f"{file_name(stream)}.hyper"
        if not path.exists():
            self._restore(stream, path)
        self._drain_worker()  # the engine belongs to one thread at a time
        build = ExtractBuild(self.engine, path, plan, len(self.streams))
        self.streams[stream] = StreamLoad(plan, BlockParser(plan), build, path)
        self.ledger.start(self.load_id, self.settings.source, stream, path)

    def _restore(self, stream: str, path: Path) -> None:
        """A missing extract is not an empty one: take the published one, or stop before rows are lost."""
        if self.delivery is not None and self.delivery.fetch(stream, path):
            logger.info("The extract of '%s' was not here; the published one is its base.", stream)
            return
        bookmarks = (self._first_state or {}).get("bookmarks") or {}
        if (bookmarks.get(stream) or {}).get("replication_key_value") is not None:
            raise SettingError(
                f"The extract {path} is missing, but the tap goes on from a bookmark, so its older rows would be "
                "lost. Put the file back, or read everything again once (meltano run --full-refresh)."
            )

    def _check_rules(self, plan: Plan) -> None:
        match = self.settings.delete_match.get(plan.stream)
        if match is not None:
            plan.column_of(match)
        within = self.settings.replace_within.get(plan.stream)
        if within is not None:
            for column in within.columns:
                plan.column_of(column)
            if not plan.keys:
                raise SettingError(f"replace_within needs a key, and stream '{plan.stream}' has none.")

    def add_block(self, stream: str, block: bytes) -> int:
        """Take whole RECORD lines of one stream and return how many they are.

        Raises:
            BadRecordError: A record does not fit.
        """
        load = self.streams[stream]
        before = load.read
        try:
            self._add(load, load.parser.parse(block))
        except UnfitBlockError:
            messages = [decode_line(line) for line in block.splitlines()]
            self.add_records(
                stream,
                [message["record"] for message in messages],
                [message.get("time_extracted") for message in messages],
            )
        return load.read - before

    def add_records(self, stream: str, records: Sequence[dict[str, Any]], times: Sequence[Any]) -> None:
        """Take decoded records.

        Raises:
            BadRecordError: A record does not fit.
            MissingKeyPropertiesError: A record lacks a key property.
        """
        load = self.streams[stream]
        for record in records:
            self._check_key(load.plan, record)
            load.parser.note(record)
        self._add(load, convert_records(load.plan, records, times))

    def _check_key(self, plan: Plan, record: dict[str, Any]) -> None:
        sources = {column.name: column.source for column in plan.columns}
        keys = [sources[name] for name in plan.keys]
        missing = [key for key in keys if key not in record]
        deleted = record.get(DELETED_AT) is not None
        match = self.settings.delete_match.get(plan.stream)
        if deleted and match is not None and record.get(match) is not None:
            return
        if missing:
            raise MissingKeyPropertiesError(
                f"Stream '{plan.stream}': a record lacks the key {', '.join(missing)}. Its other fields are: "
                f"{', '.join(sorted(record)) or 'none'}. Correct the tap or select the key properties."
            )
        if deleted and all(record[key] is None for key in keys):
            raise bad_record(
                plan,
                record,
                DELETED_AT,
                record[DELETED_AT],
                "a deletion must name its row by key, or by the column that the setting delete_match gives",
            )

    def _add(self, load: StreamLoad, table: pa.Table) -> None:
        for name in sorted(load.parser.new_unknown()):
            logger.warning(
                "Stream '%s' sends '%s', which is not in its schema; it is not loaded. Refresh the tap's catalog.",
                load.plan.stream,
                name,
            )
        load.tables.append(add_metadata(table, first_sequence=self._sequence, load_id=self.load_id))
        self._sequence += len(table)
        load.read += len(table)
        load.size += table.nbytes
        if load.size > _FLUSH_BYTES:
            self._flush(load)
        elif sum(other.size for other in self.streams.values()) > _PENDING_BYTES:
            self._flush(max(self.streams.values(), key=lambda other: other.size))
        self._tell_progress(load)

    def note_state(self, state: Mapping[str, Any]) -> None:
        """Take a STATE message: everything before it has arrived whole."""
        if self._first_state is None:
            self._first_state = state if self._sequence == 0 else {}
        self._proven = self._sequence - 1

    def _tell_progress(self, load: StreamLoad) -> None:
        if time.monotonic() - self._progress_at > _PROGRESS_SECONDS:
            self._progress_at = time.monotonic()
            seconds = max(self._progress_at - load.began, 0.001)
            logger.info(
                "%s: %s rows so far, %s rows/s.",
                load.plan.stream,
                f"{load.read:,}",
                f"{load.read / seconds:,.0f}",
            )

    # -- the worker ----------------------------------------------------------------------------------------

    def _flush(self, load: StreamLoad) -> None:
        """Hand a stream's pending batches to the worker."""
        if not load.tables:
            return
        table = pa.concat_tables(load.tables)
        load.tables, load.size = [], 0
        stream, plan, build = load.plan.stream, load.plan, load.build

        def keep_and_stage() -> None:
            build.load(self.journal.write_batch(stream, table), len(table), plan)

        self._submit(keep_and_stage)

    def _submit(self, work: Callable[[], None]) -> None:
        while len(self._futures) >= _QUEUE:
            self._futures.popleft().result()
        self._futures.append(self._worker.submit(work))

    def _drain_worker(self) -> None:
        while self._futures:
            self._futures.popleft().result()

    # -- the end -------------------------------------------------------------------------------------------

    def finish(self, state: Mapping[str, Any] | None) -> bool:
        """Build and verify all extracts, publish them and put them in place.

        Returns:
            Whether STATE may be handed on; a dry run leaves everything as it was.

        Raises:
            TargetTableauError: Something did not work; the present extracts and the published data are as before.
        """
        for load in self.streams.values():
            self._flush(load)
        self._drain_worker()
        if state is not None:
            self.journal.write_json("state", state)
        for stream, load in self.streams.items():
            load.build.build(self._rules(stream, load))
            self.ledger.update(
                self.load_id, [stream], status=Status.VERIFIED, **dataclasses.asdict(load.build.counts)
            )
        if self.delivery is not None:
            self.delivery.deliver(self)
        if self.settings.dry_run:
            self.ledger.update(self.load_id, list(self.streams), status=Status.DRY_RUN)
            return False
        for stream, load in self.streams.items():
            load.build.promote()
            self.ledger.update(
                self.load_id,
                [stream],
                status=Status.PROMOTED,
                seconds=round(time.monotonic() - load.began),
            )
        return True

    def close(self) -> None:
        """Note that STATE was handed on, and tidy the journal."""
        self.ledger.update(self.load_id, list(self.streams), status=Status.DONE)
        for stream in self.streams:
            if unclosed := self.ledger.unclosed(self.settings.source, stream, but=self.load_id):
                self.ledger.take_back(self.settings.source, stream, unclosed)
        self.journal.prune(self.settings.journal_retention_days, dt.datetime.now(dt.UTC))

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
        return Rules(
            upsert=upsert,
            hard_delete=settings.hard_delete,
            delete_match=plan.column_of(match).name if match else None,
            parent=self._parent(stream, plan),
            proven=self._proven,
            load_id=self.load_id,
            unclosed=() if upsert else self.ledger.unclosed(settings.source, stream, but=self.load_id),
        )

    def _parent(self, stream: str, plan: Plan) -> Parent | None:
        within = self.settings.replace_within.get(stream)
        if within is None:
            return None
        parent = self.streams.get(within.parent)
        files: Sequence[Path] = self.journal.files.get(within.parent, ())
        columns = {
            plan.column_of(line).name: parent.build.plan.column_of(head).name if parent else head
            for line, head in within.columns.items()
        }
        return Parent(columns=columns, files=files)
