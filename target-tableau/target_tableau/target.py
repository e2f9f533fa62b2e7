"""The Singer target: the SDK's entry points, joined to a `Run`."""

from __future__ import annotations

import contextlib
import sys
from typing import IO, TYPE_CHECKING, Any, ClassVar, NoReturn

import msgspec
from singer_sdk.exceptions import (
    ConfigValidationError,
    InvalidRecord,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.target_base import Target
from typing_extensions import override

from target_tableau.checks import complaints
from target_tableau.errors import SettingError, TargetTableauError
from target_tableau.reader import BlockReader
from target_tableau.replay import finish_unfinished
from target_tableau.report import render
from target_tableau.run import Run, run_of
from target_tableau.runs import NotedRun
from target_tableau.setting_list import SCHEMA
from target_tableau.settings import Settings
from target_tableau.sink import RecordSink

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

_TERMINATED = 128

_TOLD_IN_ONE_LINE = (
    TargetTableauError,
    InvalidInputLine,
    InvalidRecord,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)


class TargetTableau(Target):
    """Loads records into Hyper extracts and publishes them to Tableau Server or Tableau Cloud."""

    name = "target-tableau"
    config_jsonschema: ClassVar[dict[str, Any]] = SCHEMA.to_dict()
    default_sink_class = RecordSink
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.BATCH,
        TargetCapabilities.HARD_DELETE,
        TargetCapabilities.SOFT_DELETE,
    ]
    # STATE is written when the rows before it are verified and published, never because time has passed.
    _MAX_RECORD_AGE_IN_MINUTES = float("inf")

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's own arguments
        reader = BlockReader()
        super().__init__(**{"message_reader": reader, **kwargs})
        self.max_parallelism = 1
        reader.record_block = self._add_block
        reader.on_failure = self._leave
        self._waits = reader.waits
        self._run: Run | None = None
        self._noted: NotedRun | None = None

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and say in words what is wrong with them."""
        with contextlib.suppress(ConfigValidationError):
            super()._validate_config()  # which fills in the defaults, and knows the SDK's own settings
        errors = list(complaints(self.name, self.config_jsonschema, self._config))
        if errors and raise_errors:
            raise SettingError("; ".join(errors))
        return errors

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        for meaningless in ("add_record_metadata", "batch_size_rows", "process_activate_version_messages"):
            # Our columns are always there, batches are cut by size, and versions are taken with proof.
            config_jsonschema["properties"].pop(meaningless, None)

    @property
    def run(self) -> Run:
        """The run that is under way.

        Raises:
            RuntimeError: There is none; messages are only taken by `process_lines`.
        """
        if self._run is None:
            raise RuntimeError("no run is under way")
        return self._run

    def open(self) -> Run:
        """Begin a run: lock, ledger, engine, and the server if it has never been used.

        Raises:
            TargetTableauError: A setting is wrong, or something is not to be had.
        """
        settings = Settings.from_config(self.config)
        if not settings.dry_run and not settings.journal_only:
            self._noted = NotedRun(settings)
        if not settings.journal_only:
            finish_unfinished(settings)
        run = run_of(settings)
        self._run = run.__enter__()
        run.refresh_what_failed()
        return run

    # -- messages ------------------------------------------------------------------------------------------

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        run = self._run or self.open()
        stream = message_dict.get("stream", "")
        for stream_map in self.mapper.stream_maps.get(stream, ()):
            if stream_map.stream_alias in self._sinks_active:
                self.drain_one(self._sinks_active[stream_map.stream_alias])  # under the schema they came with
        super()._process_schema_message(message_dict)
        for stream_map in self.mapper.stream_maps[stream]:
            sink = self._sinks_active.get(stream_map.stream_alias)
            if sink is not None:
                of_sink = {"schema": sink.original_schema, "key_properties": list(sink.key_properties)}
                run.set_schema(stream_map.stream_alias, {**message_dict, **of_sink})

    def _add_block(self, stream: str, block: bytes) -> bool:
        """Take a block of records the fast way, if nothing is to be done to each record."""
        maps = self.mapper.stream_maps.get(stream)
        if maps is None:
            self._assert_sink_exists(stream)
            return False
        if len(maps) != 1 or type(maps[0]) is not SameRecordTransform or not _keeps_schema(maps[0]):
            return False
        sink = self._sinks_active[stream]
        self.drain_one(sink)  # what came record by record came before
        if maps[0].flattening_enabled:
            rows = self.run.add_fitting_block(stream, block)
            if rows is None:
                return False  # a nested value where none is promised: flattening makes text of it
        else:
            rows = self.run.add_block(stream, block)
        sink.record_counter_metric.increment(rows)
        return True

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        run = self._run or self.open()
        for sink in self._sinks_active.values():
            self.drain_one(sink)  # what came before this STATE counts as before it
        run.note_state(message_dict.get("value") or {})
        super()._process_state_message(message_dict)
        if run.checkpoint_is_due:
            self._finish_load(run)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict["stream"]
        for stream_map in self.mapper.stream_maps.get(stream, ()):
            self._assert_sink_exists(stream_map.stream_alias)
            self.run.activate_version(stream_map.stream_alias)

    # -- the end -------------------------------------------------------------------------------------------

    @override
    def process_endofpipe(self) -> None:
        if self._run is None:  # nothing came: nothing is known, nothing is changed
            NotedRun(Settings.from_config(self.config)).end(None, brought=False, unread={})
            return
        try:
            self._finish(self._run)
        except BaseException as failure:
            self._leave(failure)
            raise
        self._leave(None)

    def _finish(self, run: Run) -> None:
        for sink in [*self._sinks_to_clear, *self._sinks_active.values()]:
            self.drain_one(sink)
        self._finish_load(run)
        self.logger.info(
            "Waited %.0f s for the tap; the tap waited %.0f s for this target.",
            self._waits.for_tap,
            self._waits.for_target,
        )
        run.refresh()

    def _finish_load(self, run: Run) -> None:
        """Make what has arrived safe, hand its STATE on, and tell what landed."""
        load = run.load
        if not run.finish_load(self._latest_state):
            self._latest_state = None  # a dry run
        elif self._latest_state is not None:
            self._write_state_message(self._latest_state)
            self._latest_state = None
        if not run.settings.dry_run:
            run.close_load()
        if run.settings.summary:
            for line in render(run.ledger.loads(load_id=load.load_id)):
                self.logger.info("%s", line)

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        # msgspec writes Decimals as the numbers they came as
        sys.stdout.write(msgspec.json.Encoder(decimal_format="number").encode(state).decode() + "\n")
        sys.stdout.flush()

    def _leave(self, error: BaseException | None) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.__exit__(type(error) if error else None, error, None)
        noted, self._noted = self._noted, None
        if noted is None:
            return
        try:
            noted.end(error, brought=run is not None and run.has_come, unread=run.unread if run else {})
        except TargetTableauError as failure:  # what ended the run is what must be told
            self.logger.warning("How the run ended could not be noted: %s", failure)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop without publishing: a tap that was stopped with us has not finished."""
        self.logger.warning(
            "Stopped by signal %d: nothing of this load was published; the next run reads it again.", signum
        )
        sys.exit(_TERMINATED + signum)

    @classmethod
    @override
    def invoke(cls, *, file_input: IO[str] | None = None, **kwargs: Any) -> None:
        try:
            super().invoke(file_input=file_input, **kwargs)
        except _TOLD_IN_ONE_LINE as failure:
            cls._fail(failure)

    @classmethod
    def _fail(cls, failure: Exception) -> NoReturn:
        cls.logger.error("%s", failure)
        sys.exit(1)


def _keeps_schema(stream_map: SameRecordTransform) -> bool:
    """Whether flattening, if it is on at all, has nothing to do."""
    return not stream_map.flattening_enabled or _flat(stream_map.transformed_schema) == _flat(
        stream_map.raw_schema
    )


def _flat(schema: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = schema.get("properties", {})
    return properties
