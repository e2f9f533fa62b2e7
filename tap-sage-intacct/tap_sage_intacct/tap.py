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

from tap_sage_intacct.auth import Sessions
from tap_sage_intacct.checks import complaints
from tap_sage_intacct.client import Client
from tap_sage_intacct.discovery import Described, discover
from tap_sage_intacct.errors import ApiError, CallBudgetSpentError, UserError
from tap_sage_intacct.paging import each, moment_of
from tap_sage_intacct.settings import SETTINGS
from tap_sage_intacct.store import store_of
from tap_sage_intacct.streams import audited_objects, streams_of, wanted_of
from tap_sage_intacct.streams.columns import COMPANY, ENTITY, Clock, converters, zone_of
from tap_sage_intacct.streams.deletions import AUDIT, Deletions
from tap_sage_intacct.streams.feed import maintenance_start
from tap_sage_intacct.streams.stream import IntacctStream, LineWriter, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

    from tap_sage_intacct.streams.feed import Feed

_ABSENT: Final = "Object definition"
_SIGNALLED: Final = 128
_DAY_AND_MORE: Final = dt.timedelta(hours=26)


class TapSageIntacct(Tap):
    """Singer tap for Sage Intacct: ledger, dimensions, payables, receivables and payments, ready for analysis."""

    name = "tap-sage-intacct"
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

    _closer: weakref.finalize[..., TapSageIntacct] | None = None
    _zone_in_doubt = False
    _connected = False

    # the connection ----------------------------------------------------------------------------------------

    @cached_property
    def client(self) -> Client:
        """The one client of the run, signed in.

        Raises:
            UserError: The settings or rights do not allow a run.
        """
        client = Client(self.config)
        client.sign_in = Sessions(client, self.config)
        # Whatever way the process takes out, the connection is closed: on request, by collection, at exit.
        self._closer = weakref.finalize(self, client.http.close)
        client.sign_in.session(self.entities[0])
        return client

    def connect(self) -> None:
        """Sign in, before any stream is begun.

        Raises:
            UserError: The settings or rights do not allow a run.
        """
        if self._connected:
            return
        self._connected = True
        if (begun := maintenance_start(self.now)) is not None:
            self.logger.warning(
                "The weekly maintenance of Sage Intacct goes on since %s UTC; what is read now is read again after it",
                begun.strftime("%H:%M"),
            )

    def close(self) -> None:
        """Close the connection. A session needs no end: it holds no seat and ends by itself."""
        if self._closer is not None:
            self._closer()

    # what streams need -------------------------------------------------------------------------------------

    @property
    def company(self) -> str:
        """The company that is read."""
        return str(self.config["company_id"])

    @property
    def entities(self) -> list[str]:
        """Where to sign in, one after the other; an empty name stands for the top level."""
        return [str(entity) for entity in self.config["entity_ids"]] or [""]

    def origin(self, entity: str) -> dict[str, Any]:
        """The properties that say whose a row is."""
        return (
            {COMPANY: self.company, ENTITY: entity} if self.config["entity_ids"] else {COMPANY: self.company}
        )

    @cached_property
    def refused(self) -> dict[str, set[str]]:
        """Fields that the gateway refused in this run, by object."""
        return {}

    @cached_property
    def clock(self) -> Clock:
        """Conversion of the gateway's times."""
        name = self.config["timestamp_timezone"]
        return Clock(self._zone_of_user() if name == "auto" else zone_of(name))

    @cached_property
    def converters(self) -> dict[str, Callable[[str], Any]]:
        """How values of each kind are converted."""
        return converters(self.clock)

    @cached_property
    def deletions(self) -> Deletions:
        """What was deleted."""
        objects = audited_objects(self.config)
        return Deletions(self, self.described.get(AUDIT), objects)

    @property
    def lookback(self) -> dt.timedelta:
        """How far behind its bookmark a stream reads again."""
        given = dt.timedelta(seconds=self.config["lookback_seconds"])
        _ = self.clock
        return max(given, _DAY_AND_MORE) if self._zone_in_doubt else given

    @property
    def deletions_lookback(self) -> dt.timedelta:
        """The same for deletions."""
        return max(dt.timedelta(seconds=self.config["deletions_lookback_seconds"]), self.lookback)

    @property
    def doubt(self) -> dt.timedelta:
        """How far times of creation and of the audit trail may be off, which need not be in the user's zone."""
        offset = self.now.astimezone(self.clock.zone).utcoffset()
        return _DAY_AND_MORE if offset or self._zone_in_doubt else dt.timedelta(0)

    @cached_property
    def now(self) -> dt.datetime:
        """When the run began, on the gateway's clock."""
        moment = self.client.server_time
        if moment is None:
            self.logger.warning("The gateway does not tell the time; this machine's clock is used")
            moment = dt.datetime.now(dt.UTC)
        return moment.replace(microsecond=0)

    def bound(self) -> dt.datetime:
        """The moment up to which this run reads, exclusive."""
        end = self.config.get("end_date")
        return min(self.now, moment_of(end)) if end else self.now

    def leave_out(self, stream: str, reason: str) -> None:
        """Note that a stream cannot be read in this company or by this user."""
        self.left_out[stream] = reason
        # An object that the company does not have is no news in every run; a missing right is.
        log = self.logger.info if _ABSENT in reason else self.logger.warning
        log("%s: left out. %s", stream, reason)

    @cached_property
    def left_out(self) -> dict[str, str]:
        """Streams that this company or user does not offer, with the reason."""
        return {}

    def _zone_of_user(self) -> dt.tzinfo:
        """The zone of the user's preferences, in which the gateway writes times (Estuary's connector does so too).

        Raises:
            UserError: The user's dates are not in the order month, day, year.
        """
        try:
            data = self.client.ask(
                ("readUserFormatting", [("userId", self.config["user_id"])]), self.entities[0]
            )
            offset = data.findtext(".//gmtoffset") or ""
            zone = zone_of(offset) if offset else None
        except (ApiError, ValueError) as error:
            self.logger.warning("The zone of the user cannot be found out. %s", error)
            zone, data = None, None
        if zone is None or data is None:
            self._zone_in_doubt = True
            self.logger.warning(
                "timestamp_timezone: times are taken for UTC, and a day more is read again; set it to what is right"
            )
            return dt.UTC
        order = data.findtext(".//dateformat") or "/mdY"
        clock = data.findtext(".//clock") or "24"
        if order != "/mdY" or clock != "24":
            raise UserError(
                f"timestamp_timezone: the user's preferences say dates {order} and a clock of {clock} hours; set them "
                "to mm/dd/yyyy and 24 hours, or set timestamp_timezone if the gateway writes dates so all the same"
            )
        return zone

    # what the SDK calls ------------------------------------------------------------------------------------

    @cached_property
    def described(self) -> dict[str, Described]:
        """The objects of the company."""
        at_once = self.config["max_concurrent_requests"]
        return discover(
            lambda: self.client,
            lambda call, values: each(call, values, at_once),
            store_of(self.config),
            wanted_of(self.config),
            self.config["discovery_max_age_minutes"],
            self.entities[0],
        )

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return streams_of(self, self.described)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and say in words what is wrong with them."""
        with contextlib.suppress(ConfigValidationError):
            super()._validate_config()  # which fills in the defaults, and knows the SDK's own settings
        errors = list(complaints(self.name, SETTINGS, self._config))
        try:
            zone_of(self.config.get("timestamp_timezone", "auto").replace("auto", "UTC"))
        except ValueError as error:
            errors.append(f"timestamp_timezone: {error}; write it like America/Chicago or -06:00")
        if errors and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=errors, schema=SETTINGS)
        return errors

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Leave by the usual exit. All state worth keeping was written behind its slice."""
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
    def chosen(self) -> dict[str, IntacctStream]:
        """The selected streams."""
        return {n: s for n, s in self.streams.items() if isinstance(s, IntacctStream) and s.selected}

    @property
    def has_stopped(self) -> bool:
        """Whether the call budget ended the run before everything was read."""
        return any(stream.feed.outcome is Outcome.STOPPED for stream in self.chosen.values())

    @property
    def exit_code(self) -> int:
        """1 when a stream failed, or when none could be read; else 0."""
        outcomes = {stream.feed.outcome for stream in self.chosen.values()}
        return int(Outcome.FAILED in outcomes or outcomes <= {Outcome.SKIPPED})

    @property
    def missing(self) -> list[str]:
        """Streams that the catalog selects and that are left out."""
        catalog: dict[str, Any] = dict(self.input_catalog or {})
        return [
            name
            for name in self.left_out
            if name in catalog and catalog[name].metadata.root.selected is not False
        ]

    def log_outcome(self) -> None:
        """Say in one line what the run read, what it left out, and what it cost."""
        read = ", ".join(f"{name} {stream.rows_written}" for name, stream in self.chosen.items())
        left: dict[Feed, str] = {}
        for name, stream in self.chosen.items():
            if stream.feed.outcome is not Outcome.DONE:
                left[stream.feed] = f"{left[stream.feed]}, {name}" if stream.feed in left else name
        parts = [f"{feed.outcome.value}: {names}" for feed, names in left.items()]
        if self.missing:
            parts.append(f"left out: {', '.join(self.missing)}")
        rest = f" Not read: {'; '.join(parts)}." if parts else ""
        self.logger.info("%d calls. Rows: %s.%s", self.client.calls, read, rest)
