"""One run of the target: what is opened once, and what is remembered from one load to the next."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import shutil
import time
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout
from singer_sdk.exceptions import MissingKeyPropertiesError

from target_tableau.base import check_bookmark, take_base
from target_tableau.batches import BlockParser, UnfitBlockError, bad_record, convert_records, decode_line
from target_tableau.columns import DELETED_AT, Plan
from target_tableau.contents import Contents
from target_tableau.derived import Derivations
from target_tableau.errors import (
    BadRecordError,
    LockedError,
    RefreshError,
    SettingError,
    TargetTableauError,
)
from target_tableau.hyper import Engine
from target_tableau.ledger import Ledger
from target_tableau.load import Load, extract_path
from target_tableau.progress import Progress
from target_tableau.proof import unread
from target_tableau.renames import plan_with_names
from target_tableau.stream_load import Workshop
from target_tableau.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from target_tableau.delivery import Delivery
    from target_tableau.journal import Journal
    from target_tableau.settings import Settings

logger = logging.getLogger(__name__)

_LOCK_SECONDS = 60


class Run:
    """A run, from the lock to its last load. Use as a context manager.

    Args:
        settings: The target's settings.
        delivery: Where extracts go after they are verified.

    Attributes:
        load: The load that is under way; a checkpoint begins another.
        progress: Tells who watches how far it is.
        has_come: A row or a STATE has come from the tap.
    """

    load: Load
    ledger: Ledger

    def __init__(self, settings: Settings, delivery: Delivery | None) -> None:
        self.settings = settings
        self.delivery = delivery
        self._parsers: dict[str, BlockParser] = {}
        self._schemas: dict[str, Mapping[str, Any]] = {}
        self._first_state: Mapping[str, Any] | None = None
        self._last_state: Mapping[str, Any] = {}
        self._began = dt.datetime.now(dt.UTC)
        self.has_come = False
        self._split: set[str] = set()  # streams of which rows came before a checkpoint
        self.progress = Progress()
        self._refresh_failure: RefreshError | None = None
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
            stack.enter_context(FileLock(folder / ".lock", mode=0o600).acquire(timeout=_LOCK_SECONDS))
        except Timeout as busy:
            raise LockedError(
                f"Another run works on the extracts in {folder} (lock file {folder / '.lock'}). Wait for it to end, "
                "or give this run another source or output_dir."
            ) from busy
        except OSError as failure:
            raise SettingError(
                f"output_dir {folder} cannot be used: {failure.strerror or failure}."
            ) from failure
        _remove_leftovers(folder)
        stack.callback(_remove_leftovers, folder)  # after the engine has let go, before the lock is given up
        self.ledger = Ledger(settings.ledger_url, settings.output_dir)
        stack.callback(self.ledger.close)
        if not settings.journal_only:  # which leaves the extracts alone
            what = f"the extracts of source '{settings.source}'" if settings.source else "the extracts"
            stack.enter_context(self.ledger.exclusive(f"{what} that are kept in this ledger", _LOCK_SECONDS))
        if self.delivery is not None:
            stack.enter_context(self.delivery)
            self.delivery.open(self.ledger)
        contents = Contents(folder)
        stack.callback(contents.keep)  # after the engine has let go
        engine = stack.enter_context(Engine(settings.hyper_version, settings.hyper_memory_limit))
        worker = Worker()
        stack.callback(worker.close)
        made = Derivations(settings, engine, self.ledger, contents)
        self._workshop = Workshop(settings, engine, worker, self.ledger, contents, self.progress, made)
        stack.callback(self.progress.clear)
        self._begin_load()

    def retry_rejected(self, load_id: str) -> None:
        """Take what comes as records of an earlier load: rows that have come since are newer and stay."""
        self.load.arrived_with = load_id

    def _begin_load(self, load_id: str | None = None) -> None:
        self.load = Load(self._workshop, self._first_state, load_id)

    def resume(
        self, load_id: str, ending: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Take up an earlier load from its journal.

        Args:
            load_id: The load.
            ending: What its journal says of its end.
            schemas: Stream -> SCHEMA message.
        """
        # Under the names that the columns had then: a rule that came since is followed by the next load.
        plans = {
            stream: plan_with_names(self.settings, self.ledger, stream, message, by_rules=False)
            for stream, message in schemas.items()
        }
        self._begin_load(load_id)
        for plan in plans.values():
            self._begin_stream(plan)
        self.load.resume(ending, plans)

    def take_over(self, journal: Journal) -> None:
        """Take all that another load has collected, behind what this one has.

        Args:
            journal: Of that load, complete.

        Raises:
            TargetTableauError: The journal cannot be read.
        """
        for stream, message in journal.schemas().items():
            self.set_schema(stream, message)
        self.load.take_over(journal)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is not None:
            with contextlib.suppress(TargetTableauError):  # the ledger itself may be what is broken
                self.load.fail(error)
        self._stack.__exit__(kind, error, None)

    # -- messages ------------------------------------------------------------------------------------------

    def set_schema(self, stream: str, message: Mapping[str, Any]) -> None:
        """Take a SCHEMA message, of which `schema`, `key_properties` and `bookmark_properties` count.

        Raises:
            SettingError: The schema cannot be loaded, or a setting names a property that it does not have.
        """
        plan = plan_with_names(self.settings, self.ledger, stream, message)
        self._check_rules(plan)
        self._schemas[stream] = message
        known = self.load.streams.get(stream)
        if stream not in self._parsers or self._parsers[stream].plan != plan:
            self._parsers[stream] = BlockParser(plan)
        if known is None:
            self._begin_stream(plan)
        elif known.plan != plan:
            self.load.change_plan(plan)
        self.load.keep_schema(stream, message)

    def _begin_stream(self, plan: Plan) -> None:
        path = extract_path(self.settings, plan.stream)
        columns = (
            None if self.delivery is None else take_base(self._workshop, self.delivery, plan.stream, path)
        )
        if columns is None and not path.exists() and not self.settings.journal_only:
            check_bookmark(self._first_state or {}, plan.stream, path)
        self.load.begin(plan, path, columns)

    def _check_rules(self, plan: Plan) -> None:
        self._workshop.derived.refuse_name(plan.stream)
        match = self.settings.delete_match.get(plan.stream)
        within = self.settings.replace_within.get(plan.stream)
        named = [match] if match is not None else []
        for name in (*named, *(within.columns if within is not None else ())):
            plan.column_of(name)  # or say that there is none
        for setting, rule in (("delete_match", match), ("replace_within", within)):
            if rule is not None and not plan.keys:
                raise SettingError(
                    f"{setting} needs a key, and stream '{plan.stream}' has none. Leave the stream out of it, or set "
                    "the keys of the stream in the tap's catalog."
                )

    def add_block(self, stream: str, block: bytes) -> int:
        """Take whole RECORD lines of one stream and return how many they are.

        Raises:
            BadRecordError: A record does not fit.
        """
        rows = self.add_fitting_block(stream, block)
        if rows is not None:
            return rows
        messages = [decode_line(line) for line in block.splitlines()]
        return self.add_records(
            stream,
            [message["record"] for message in messages],
            [message.get("time_extracted") for message in messages],
        )

    def add_fitting_block(self, stream: str, block: bytes) -> int | None:
        """Take a block as `add_block` does, but only if all of it fits at once; else nothing was done."""
        try:
            return self._add(stream, self._parsers[stream].parse(block))
        except UnfitBlockError:
            return None

    def add_records(self, stream: str, records: Sequence[dict[str, Any]], times: Sequence[Any]) -> int:
        """Take decoded records and return how many they are.

        Raises:
            BadRecordError: A record does not fit.
            MissingKeyPropertiesError: A record lacks a key property.
        """
        parser = self._parsers[stream]
        for record in records:
            parser.note(record)
        try:
            return self._add(stream, self._convert(parser.plan, records, times))
        except (BadRecordError, MissingKeyPropertiesError):
            if self.settings.on_bad_record != "quarantine":
                raise
        self._add_what_fits(parser.plan, records, times)
        return len(records)

    def _convert(self, plan: Plan, records: Sequence[dict[str, Any]], times: Sequence[Any]) -> pa.Table:
        for record in records:
            self._check_key(plan, record)
        return convert_records(plan, records, times)

    def _add_what_fits(self, plan: Plan, records: Sequence[dict[str, Any]], times: Sequence[Any]) -> None:
        """Quarantine the records that do not fit, and take the others."""
        for record, moment in zip(records, times, strict=True):
            try:
                table = self._convert(plan, [record], [moment])
            except (BadRecordError, MissingKeyPropertiesError) as bad:
                self._ensure_stream(plan.stream)
                self.load.reject(plan.stream, record, str(bad))
                logger.warning("Quarantined: %s", bad)
            else:
                self._add(plan.stream, table)

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

    def _add(self, stream: str, table: pa.Table) -> int:
        for name in sorted(self._parsers[stream].new_unknown()):
            logger.warning(
                "Stream '%s' sends '%s', which is not in its schema; it is not loaded. Refresh the tap's catalog.",
                stream,
                name,
            )
        self._ensure_stream(stream)
        self.has_come = True
        self.load.add(stream, table)
        part = self.load.streams[stream]
        self.progress.rows(stream, part.read, time.monotonic() - part.began)
        return len(table)

    def _ensure_stream(self, stream: str) -> None:
        if stream not in self.load.streams:  # its first records behind a checkpoint
            self.set_schema(stream, self._schemas[stream])

    def note_state(self, state: Mapping[str, Any]) -> None:
        """Take a STATE message: everything before it has arrived whole."""
        if self._first_state is None:
            self._first_state = state if self.load.is_empty else {}
        self.load.note_state(state)
        self._last_state, self.has_come = state, True

    @property
    def unread(self) -> dict[str, str]:
        """The streams that the tap, as its STATE says, did not read to their end, and why."""
        return unread(self._schemas, self._last_state, self._began)

    def activate_version(self, stream: str) -> None:
        """Take an ACTIVATE_VERSION message: what this run does not bring of the stream is gone."""
        if stream in self._split:  # this load has only the rest of what the run brings
            logger.warning(
                "Stream '%s': its ACTIVATE_VERSION came after a checkpoint had cut it in two, so no row is removed "
                "from its extract. Set checkpoint_minutes to more than the stream takes.",
                stream,
            )
            return
        self._ensure_stream(stream)
        self.load.streams[stream].replaces_all = True

    @property
    def checkpoint_is_due(self) -> bool:
        """Whether the load has gone on so long that what has arrived should be made safe."""
        minutes = (time.monotonic() - self.load.began) / 60
        due = minutes >= self.settings.checkpoint_minutes
        whole = any(load.replaces_all for load in self.load.streams.values())  # is judged at its end only
        return due and not whole and not self.load.is_empty and not self.settings.dry_run

    # -- the end of a load ---------------------------------------------------------------------------------

    def finish_load(self, state: Mapping[str, Any] | None) -> bool:
        """Bring the load to its end, but for `close_load`.

        Returns:
            Whether STATE may be handed on.

        Raises:
            TargetTableauError: Something did not work; extracts and published data are as before.
        """
        return self.load.finish(state, self.delivery)

    def refresh_what_failed(self) -> None:
        """Try again what an earlier run could not refresh; another failure is told at the end of this run."""
        if self.delivery is None or self.settings.dry_run:
            return
        try:
            self.delivery.refresh()
        except RefreshError as failure:
            logger.warning("%s", failure)
            self._refresh_failure = failure

    def refresh(self) -> None:
        """Refresh what depends on what was published.

        Raises:
            RefreshError: Something did not work, now or at the start of the run.
        """
        if self.delivery is not None and self.delivery.has_published:
            self.delivery.refresh()
        elif self._refresh_failure is not None:
            raise self._refresh_failure

    def close_load(self) -> None:
        """STATE was handed on: the load is done, and the next one begins."""
        self.load.close()
        self._split.update(stream for stream, load in self.load.streams.items() if load.read)
        self._begin_load()


def run_of(settings: Settings) -> Run:
    """A run that delivers to Tableau if a server is set."""
    if not settings.server_url or settings.journal_only:
        return Run(settings, None)
    from target_tableau.delivery import Delivery  # noqa: PLC0415 - half a second that extracts alone need not wait

    return Run(settings, Delivery(settings))


def _remove_leftovers(folder: Path) -> None:
    """What was being built and never put in place, by a killed run or by this one: nothing depends on it."""
    for pattern in ("*.hyper.next", "*.hyper.stage", "*.hyper.payload"):
        for unfinished in folder.glob(pattern):
            unfinished.unlink()
    for unpublished in folder.glob(".publish-*"):
        shutil.rmtree(unpublished)
