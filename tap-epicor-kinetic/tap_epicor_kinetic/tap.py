"""The tap: one connection, all streams, one way out."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
from functools import cached_property
from typing import IO, TYPE_CHECKING, ClassVar, Final

from singer_sdk import Stream, Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_epicor_kinetic.auth import sign_in_of
from tap_epicor_kinetic.checks import complaints
from tap_epicor_kinetic.client import Client, Site
from tap_epicor_kinetic.discovery import describe
from tap_epicor_kinetic.errors import ApiError, CallBudgetSpentError, UserError
from tap_epicor_kinetic.paging import PageLength
from tap_epicor_kinetic.settings import SETTINGS
from tap_epicor_kinetic.store import store_of
from tap_epicor_kinetic.streams import sources_of, streams_of
from tap_epicor_kinetic.streams.deletions import DeletionLog
from tap_epicor_kinetic.streams.stream import EpicorStream, LineWriter, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

    from tap_epicor_kinetic.store import Store

_SIGNALLED: Final = 128
_PAGES: Final = "pages"


class TapEpicorKinetic(Tap):
    """Singer tap for Epicor Kinetic: payables, purchasing, ledger, receivables, sales, parts and BAQs.

    Attributes:
        left_out: Streams that the instance does not offer, and why.
    """

    name = "tap-epicor-kinetic"
    config_jsonschema = SETTINGS
    dynamic_catalog = True
    message_writer_class = LineWriter
    # No BATCH: its files would bypass stream maps and deselection.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    # the connection ----------------------------------------------------------------------------------------

    @cached_property
    def site(self) -> Site:
        """The instance that the settings name."""
        return Site.of(self.config)

    @cached_property
    def client(self) -> Client:
        """The one client of the run.

        Raises:
            UserError: The settings do not allow a run.
        """
        client = Client(self.site, self.config)
        client.sign_in = sign_in_of(client, self.config)
        if not client.api_key:
            self.logger.warning("api_key is not set; a server that enforces API keys refuses every call")
        return client

    def connect(self) -> None:
        """Sign in before any stream is begun.

        Raises:
            UserError: The settings or rights do not allow a run.
        """
        if self.client.sign_in is not None:
            self.client.sign_in.credentials()

    def close(self) -> None:
        """Close the connection, and keep what was learned of the server's pages."""
        if "client" in self.__dict__:
            self.client.session.close()
        if self.page_length.proven and self.page_length.proven != self._kept_length:
            self._store.write(_PAGES, {"size": self.config["page_size"], "rows": self.page_length.proven})

    # what streams need -------------------------------------------------------------------------------------

    @cached_property
    def page_length(self) -> PageLength:
        """How many rows the server gives at a time, as far as it is known."""
        return PageLength(self._kept_length)

    @cached_property
    def left_out(self) -> dict[str, str]:
        """Streams that the instance does not offer, and why."""
        return {}

    @property
    def started_at(self) -> dt.datetime:
        """When the run began, on the server's clock."""
        return self.client.server_time or dt.datetime.now(dt.UTC)

    @cached_property
    def deletions(self) -> DeletionLog:
        """What was deleted, where the installation keeps a log of it."""
        return DeletionLog(self)

    @cached_property
    def _store(self) -> Store:
        return store_of(self.config)

    @cached_property
    def _kept_length(self) -> int:
        kept = self._store.read(_PAGES)
        return int(kept["rows"]) if kept.get("size") == self.config["page_size"] else 0

    # what the SDK calls ------------------------------------------------------------------------------------

    @override
    def discover_streams(self) -> Sequence[Stream]:
        sources = sources_of(self.config)
        catalog = self.input_catalog
        if catalog is not None:
            # Every service is a call of its own: ask for those alone that are read.
            entries = {source.stream: catalog.get_stream(source.stream) for source in sources}
            chosen = {
                name
                for name, entry in entries.items()
                if entry and entry.metadata.resolve_selection().get((), True)
            }
            sources = [source for source in sources if source.stream in chosen]
        described = describe(
            lambda: self.client,
            self._store,
            [source.service for source in sources],
            self.config["discovery_max_age_minutes"],
        )
        streams = list(streams_of(self, sources, described))
        for name, reason in self.left_out.items():
            self.logger.warning("%s: left out. %s", name, reason)
        return streams

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and say in words what is wrong with them."""
        with contextlib.suppress(ConfigValidationError):
            super()._validate_config()  # which fills in the defaults, and knows the SDK's own settings
        errors = list(complaints(self.name, SETTINGS, self._config, "timezone"))
        if errors and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=errors, schema=SETTINGS)
        return errors

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Leave at once. All state worth keeping was written behind its page."""
        self.logger.warning("Stopped by signal %s", signum)
        sys.exit(_SIGNALLED + signum)

    @classmethod
    @override
    def invoke(  # type: ignore[override] # the SDK's own Tap narrows it in the same way
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Run the tap; the process ends with 1 when a stream failed or nothing could be read."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        with cls.one_line():
            tap = cls(
                config=config.config if config else None,
                parse_env_config=bool(config and config.parse_env),
                state=json.load(state) if state else None,
                catalog=json.load(catalog) if catalog else None,
            )
            with contextlib.closing(tap):
                tap.connect()
                tap.sync_all()
            tap.log_outcome()
            sys.exit(tap.exit_code)

    @classmethod
    @override
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        with cls.one_line():
            super().cb_discover(ctx, param, value)

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Read a row of every stream from every company; the log says what cannot be read, and why."""
        if value == CliTestOptionValue.Disabled.value:
            return
        with cls.one_line():
            config: _ConfigInput = ctx.params["config"]
            tap = cls(config=config.config, parse_env_config=config.parse_env)
            with contextlib.closing(tap):
                if value == CliTestOptionValue.Schema.value:
                    tap.write_schemas()
                else:
                    tap.connect()
                    tap.run_connection_test()
            if failed := tap.unreadable:
                raise UserError(f"These cannot be read: {', '.join(failed)}")
        ctx.exit()

    @classmethod
    @contextlib.contextmanager
    def one_line(cls) -> Iterator[None]:
        """Turn what a person must put right into one line and exit code 1."""
        try:
            yield
        except ConfigValidationError as error:
            for sentence in error.errors:
                cls.logger.error("%s", sentence)  # noqa: TRY400
            sys.exit(1)
        except (UserError, ApiError) as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - a traceback would hide what to do
            sys.exit(1)
        except CallBudgetSpentError as error:
            cls.logger.warning("%s", error)
            sys.exit(0)

    # the end -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> dict[str, EpicorStream]:
        """The selected streams."""
        return {n: s for n, s in self.streams.items() if isinstance(s, EpicorStream) and s.selected}

    @property
    def unreadable(self) -> list[str]:
        """Streams that failed, with their companies."""
        return [
            f"{name} ({company})"
            for name, stream in self.chosen.items()
            for company, outcome in stream.results.items()
            if outcome is Outcome.FAILED
        ]

    @property
    def exit_code(self) -> int:
        """1 when a stream failed, or when streams were selected and none could be read; else 0."""
        outcomes = {stream.outcome for stream in self.chosen.values()}
        nothing = outcomes == {Outcome.SKIPPED} or (not outcomes and bool(self.left_out))
        return int(Outcome.FAILED in outcomes or nothing)

    def log_outcome(self) -> None:
        """Say in one line what the run read, what it left out, and what it cost."""
        read = ", ".join(f"{name} {stream.rows_written}" for name, stream in self.chosen.items())
        left: dict[str, list[str]] = {}
        for name, stream in self.chosen.items():
            for company, outcome in stream.results.items():
                if outcome is not Outcome.DONE:
                    left.setdefault(outcome.value, []).append(f"{name} ({company})")
        if self.left_out:
            left["left out"] = list(self.left_out)
        rest = "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in left.items())
        self.logger.info(
            "%d calls. Rows: %s.%s", self.client.calls, read, f" Not read: {rest}." if rest else ""
        )
