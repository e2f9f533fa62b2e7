"""The tap: one connection, all streams, one way out."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
import weakref
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

from singer_sdk import Stream, Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_acumatica.auth import session_of
from tap_acumatica.checks import complaints
from tap_acumatica.client import Client, Site
from tap_acumatica.discovery import check_version, discover
from tap_acumatica.errors import ApiError, CallBudgetSpentError, UserError
from tap_acumatica.settings import SETTINGS
from tap_acumatica.store import store_of
from tap_acumatica.streams import streams_of, tables_of, wanted_of
from tap_acumatica.streams.columns import converters, time_converter
from tap_acumatica.streams.csdl import describe
from tap_acumatica.streams.dac import Dac, Deletions
from tap_acumatica.streams.stream import AcumaticaStream, LineWriter, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

    from tap_acumatica.streams.feed import Feed

_SIGNALLED: Final = 128


class TapAcumatica(Tap):
    """Singer tap for Acumatica ERP: ledger, payables, receivables, purchasing, sales and stock, ready for analysis."""

    name = "tap-acumatica"
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

    _closer: weakref.finalize[..., TapAcumatica] | None = None

    # the connection ----------------------------------------------------------------------------------------

    @cached_property
    def site(self) -> Site:
        """The instance that the settings name."""
        return Site.of(self.config)

    @cached_property
    def client(self) -> Client:
        """The one client of the run, signed in, its endpoint version checked.

        Raises:
            UserError: The settings or rights do not allow a run.
        """
        client = Client(self.site, self.config)
        session = session_of(client, store_of(self.config), self.config)
        client.sign_in = session
        # Whatever way the process takes out, the seat is freed: on request, by collection, at exit.
        self._closer = weakref.finalize(self, session.close)
        check_version(client)
        return client

    def connect(self) -> None:
        """Sign in and check the endpoint version, before any stream is begun.

        Raises:
            UserError: The settings or rights do not allow a run.
        """
        _ = self.client

    def close(self) -> None:
        """End the session, if one was begun."""
        if self._closer is not None:
            self._closer()

    # what streams need -------------------------------------------------------------------------------------

    @cached_property
    def converters(self) -> dict[str, Callable[[Any], Any] | None]:
        """How values of each kind are converted."""
        return converters(self.config["naive_timezone"])

    @cached_property
    def utc(self) -> Callable[[str], str]:
        """Conversion of times."""
        return time_converter(self.config["naive_timezone"])

    @cached_property
    def dac(self) -> Dac:
        """Reads tables by OData."""
        return Dac(self.client, self.config["page_size"])

    @cached_property
    def deletions(self) -> Deletions:
        """What was deleted."""
        return Deletions(self.dac, self.lookback, self._now, self.config["naive_timezone"])

    @property
    def lookback(self) -> dt.timedelta:
        """How far behind its bookmark a stream reads again."""
        return dt.timedelta(seconds=self.config["lookback_seconds"])

    @property
    def slice_width(self) -> dt.timedelta:
        """Length of the first slice."""
        return dt.timedelta(days=self.config["window_days"])

    @cached_property
    def _now(self) -> dt.datetime:
        """When the run began, on the server's clock."""
        moment = self.client.server_time
        if moment is None:
            self.logger.warning("The server does not tell the time; this machine's clock is used")
            return dt.datetime.now(dt.UTC)
        return moment

    @property
    def today(self) -> str:
        """The day of the run on the server's clock, in UTC, in ISO form."""
        return self._now.date().isoformat()

    def bound(self) -> dt.datetime:
        """The moment up to which this run reads."""
        bound = self._now - dt.timedelta(seconds=self.config["safety_seconds"])
        end = self.config.get("end_date")
        if end:
            moment = dt.datetime.fromisoformat(end)
            bound = min(bound, moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))
        return bound

    # what the SDK calls ------------------------------------------------------------------------------------

    @override
    def discover_streams(self) -> Sequence[Stream]:
        endpoint = discover(
            lambda: self.client,
            self.site,
            store_of(self.config),
            wanted_of(self.config),
            self.config["discovery_max_age_minutes"],
        )
        described = describe(
            lambda: self.client,
            self.site,
            store_of(self.config),
            tables_of(self.config),
            self.config["discovery_max_age_minutes"],
        )
        return streams_of(self, endpoint, described)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and say in words what is wrong with them."""
        with contextlib.suppress(ConfigValidationError):
            super()._validate_config()  # which fills in the defaults, and knows the SDK's own settings
        errors = list(complaints(self.name, SETTINGS, self._config, "naive_timezone"))
        if errors and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=errors, schema=SETTINGS)
        return errors

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Leave by the exit that frees the seat. All state worth keeping was written behind its slice."""
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
        with cls._one_line():
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
        with cls._one_line():
            super().cb_discover(ctx, param, value)

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        with cls._one_line():
            super().cb_test(ctx, param, value)

    @classmethod
    @contextlib.contextmanager
    def _one_line(cls) -> Iterator[None]:
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
    def chosen(self) -> dict[str, AcumaticaStream]:
        """The selected streams."""
        return {n: s for n, s in self.streams.items() if isinstance(s, AcumaticaStream) and s.selected}

    @property
    def has_stopped(self) -> bool:
        """Whether the call budget ended the run before everything was read."""
        return any(stream.feed.outcome is Outcome.STOPPED for stream in self.chosen.values())

    @property
    def exit_code(self) -> int:
        """1 when a stream failed, or when streams were selected and none could be read; else 0."""
        outcomes = {stream.feed.outcome for stream in self.chosen.values()}
        return int(Outcome.FAILED in outcomes or outcomes == {Outcome.SKIPPED})

    def log_outcome(self) -> None:
        """Say in one line what the run read, what it left out, and what it cost."""
        read = ", ".join(f"{name} {stream.rows_written}" for name, stream in self.chosen.items())
        left: dict[Feed, str] = {}
        for name, stream in self.chosen.items():
            if stream.feed.outcome is not Outcome.DONE:
                left[stream.feed] = f"{left[stream.feed]}, {name}" if stream.feed in left else name
        rest = "; ".join(f"{feed.outcome.value}: {names}" for feed, names in left.items())
        self.logger.info(
            "%d calls. Rows: %s.%s", self.client.calls, read, f" Not read: {rest}." if rest else ""
        )
