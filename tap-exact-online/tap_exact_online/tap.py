"""The tap: one token pair, the divisions one after another, one way out."""

from __future__ import annotations

import contextlib
import datetime as dt
import fnmatch
import json
import sys
import zoneinfo
from functools import cached_property
from typing import IO, TYPE_CHECKING, ClassVar, Final

from singer_sdk import Stream, Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_exact_online.auth import Tokens
from tap_exact_online.checks import complaints
from tap_exact_online.client import Client
from tap_exact_online.discovery import Withdrawn, look_around
from tap_exact_online.errors import (
    ApiError,
    CallBudgetSpentError,
    ClosedDivisionError,
    StoppedError,
    UserError,
)
from tap_exact_online.paging import EPOCH, moment_of, time_reader
from tap_exact_online.settings import SETTINGS
from tap_exact_online.store import store_of
from tap_exact_online.streams import PROPERTIES, feeds_of
from tap_exact_online.streams.names import Names
from tap_exact_online.streams.stream import ExactStream, LineWriter, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

    from tap_exact_online.discovery import Company, Division
    from tap_exact_online.paging import Row
    from tap_exact_online.store import Store
    from tap_exact_online.streams.columns import Reader
    from tap_exact_online.streams.feed import Feed

_SIGNALLED: Final = 128


class TapExactOnline(Tap):
    """Singer tap for Exact Online: ledger, invoices, receivables, payables, projects and masters of all divisions."""

    name = "tap-exact-online"
    config_jsonschema = SETTINGS
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
    properties = PROPERTIES
    _has_read = False
    failures = ApiError
    closing = ClosedDivisionError

    # the connection ----------------------------------------------------------------------------------------

    @cached_property
    def store(self) -> Store:
        """The private files."""
        return store_of(self.config)

    @cached_property
    def client(self) -> Client:
        """The one client of the run.

        Raises:
            UserError: The address is not one that tokens may be sent to.
        """
        client = Client(self.store, self.config)
        client.tokens = Tokens(self.store, self.config, client.clock)
        return client

    @cached_property
    def company(self) -> Company:
        """The divisions, and the server's time at the beginning of the run.

        Raises:
            UserError: The settings or rights do not allow a run.
            ApiError: Exact Online does not answer.
        """
        divisions = self.chosen.get("divisions")
        wanted = [column.field for column in divisions.wanted if column.field] if divisions else []
        return look_around(self.client, self.config, self.zone, wanted)

    def connect(self) -> None:
        """Get a token and look around, before any stream is begun.

        Raises:
            UserError: The settings or rights do not allow a run.
            ApiError: Exact Online does not answer.
        """
        _ = self.company

    def close(self) -> None:
        """Let the connection go. There is no session to end: access tokens die by themselves."""
        if "client" in self.__dict__:
            self.client.close()

    @cached_property
    def withdrawn(self) -> Withdrawn:
        """Properties that the vendor has lately refused to give."""
        return Withdrawn(self.store, self.client.clock, self.config["discovery_max_age_minutes"])

    # what streams need -------------------------------------------------------------------------------------

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The wall clock of the servers."""
        return zoneinfo.ZoneInfo(self.config["server_timezone"])

    @cached_property
    def readers(self) -> dict[tuple[str, int], Reader]:
        """Conversions that were set up, by stream and division."""
        return {}

    @property
    def began(self) -> dt.datetime:
        """When the run began, on the server's clock."""
        return self.company.now

    @property
    def lookback(self) -> dt.timedelta:
        """How far behind its bookmark a stream reads again."""
        return dt.timedelta(seconds=self.config["lookback_seconds"])

    @property
    def start_date(self) -> dt.datetime | None:
        """From when on documents are read."""
        given = self.config.get("start_date")
        return moment_of(given) if given else None

    @cached_property
    def bound(self) -> dt.datetime:
        """The moment up to which this run reads by time."""
        end = self.config.get("end_date")
        return min(self.began, moment_of(end)) if end else self.began

    def wall_ms(self, moment: dt.datetime) -> int:
        """A moment as the servers write it in `/Date(…)/`."""
        naive = moment.astimezone(self.zone).replace(tzinfo=None)
        return int((naive - EPOCH) / dt.timedelta(milliseconds=1))

    @cached_property
    def _utc(self) -> Callable[[str], str]:
        return time_reader(self.zone)

    def utc_of(self, value: str) -> dt.datetime:
        """The moment behind `/Date(…)/`."""
        return dt.datetime.fromisoformat(self._utc(value))

    @cached_property
    def _names(self) -> dict[int, Names]:
        return {}

    def names(self, division: int) -> Names:
        """The names of a division."""
        if division not in self._names:
            self._names[division] = Names(self.client, self.store, division)
        return self._names[division]

    @cached_property
    def _seen(self) -> dict[tuple[str, int], dict[str, int]]:
        return {}

    def seen(self, stream: str, division: int) -> dict[str, int]:
        """Row versions read in this run, by row, for telling whether a deleted row is there again."""
        return self._seen.setdefault((stream, division), {})

    def interval_of(self, streams: Iterable[str]) -> int:
        """The minutes that must pass between two reads of streams that come together; 0 for none."""
        minutes = []
        for name in streams:
            fitting = (m for p, m in self.config["stream_intervals"].items() if fnmatch.fnmatchcase(name, p))
            minutes.append(int(next(fitting, 0)))
        return min(minutes, default=0)

    def write_rows(self, stream: str, rows: Sequence[Row], version: int | None, read_at: dt.datetime) -> bool:
        """Write rows at once, where the writer knows how to."""
        writer = self.message_writer
        if not isinstance(writer, LineWriter):
            return False
        writer.write_rows(stream, rows, version, read_at)
        return True

    # what the SDK calls ------------------------------------------------------------------------------------

    @cached_property
    def feeds(self) -> list[Feed]:
        """All feeds, in the order in which they are read."""
        return feeds_of(self)

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [stream for feed in self.feeds for stream in feed.streams]

    def read_all(self) -> None:
        """Read the divisions one after another, and behind each of them its list of deletions; once per run."""
        if self._has_read:
            return
        self._has_read = True
        feeds = [feed for feed in self.feeds if feed.is_wanted and feed.is_due(self.company.divisions)]
        # What an earlier run did not get to comes first, or a budget would always be spent on the same streams.
        read_at = {
            (feed, division.code): feed.read_at_of(division)
            for feed in feeds
            for division in self.company.divisions
        }
        last = {
            d.code: min((read_at[feed, d.code] for feed in feeds), default="") for d in self.company.divisions
        }
        for division in sorted(self.company.divisions, key=lambda division: last[division.code]):
            code = division.code
            if not self._read_division(division, sorted(feeds, key=lambda feed: read_at[feed, code])):
                break
        for feed in feeds:
            if feed.is_complete(self.company.divisions):
                for stream in feed.selected:
                    stream.complete()
            elif feed.miss is not None:
                for stream in feed.selected:
                    stream.note_unread(feed.miss)
        self._state_writer.write_state(self.state)

    def _read_division(self, division: Division, feeds: Sequence[Feed]) -> bool:
        """Read one division; False when there is no call left for any other."""
        self.logger.info("Division %d (%s)", division.code, division.name)
        goes_on = True
        try:
            for feed in feeds:
                feed.run(division)
        except StoppedError as error:
            self._leave(division, feeds, Outcome.STOPPED)
            goes_on = not isinstance(error, CallBudgetSpentError)
        except ClosedDivisionError:
            self._leave(division, feeds, Outcome.SKIPPED)
        finally:
            if division.code in self._names:
                self._names[division.code].save()
            # Not on the way out of a signal: that may have cut a line, which a STATE would be glued to.
            if isinstance(sys.exception(), Exception | None):
                self._state_writer.write_state(self.state)
        return goes_on

    def _leave(self, division: Division, feeds: Sequence[Feed], outcome: Outcome) -> None:
        for feed in feeds:
            feed.outcomes.setdefault(division.code, outcome)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and say in words what is wrong with them."""
        with contextlib.suppress(ConfigValidationError):
            super()._validate_config()  # which fills in the defaults, and knows the SDK's own settings
        errors = list(complaints(self.name, SETTINGS, self._config, "server_timezone"))
        if errors and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=errors, schema=SETTINGS)
        return errors

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Leave. All state worth keeping was written behind its page, and the token pair is safe."""
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
        """Sign in, then read a record of every stream: a sign-in that is refused is no fault of the first of them."""
        with cls._one_line():
            if value != CliTestOptionValue.All.value:
                super().cb_test(ctx, param, value)
                return
            config: _ConfigInput = ctx.params["config"]
            with contextlib.closing(cls(config=config.config, parse_env_config=config.parse_env)) as tap:
                tap.connect()
                tap.run_connection_test()
        ctx.exit()

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
        except StoppedError as error:
            cls.logger.warning("%s", error)
            sys.exit(0)

    # the end -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> dict[str, ExactStream]:
        """The selected streams."""
        return {n: s for n, s in self.streams.items() if isinstance(s, ExactStream) and s.selected}

    @property
    def outcomes(self) -> dict[Outcome, dict[Feed, list[int]]]:
        """What became of the feeds, and in which divisions."""
        found: dict[Outcome, dict[Feed, list[int]]] = {}
        for feed in self.feeds:
            for division, outcome in feed.outcomes.items():
                found.setdefault(outcome, {}).setdefault(feed, []).append(division)
        return found

    @property
    def exit_code(self) -> int:
        """1 when a stream failed, or when streams were selected and none could be read; else 0."""
        return int(Outcome.FAILED in self.outcomes or set(self.outcomes) == {Outcome.SKIPPED})

    def log_outcome(self) -> None:
        """Say in one line what the run read, what it left out, and what it cost."""
        read = ", ".join(f"{name} {stream.rows_written}" for name, stream in self.chosen.items())
        rest = "".join(
            f" {outcome.value.capitalize()}: {_named(feeds)}."
            for outcome, feeds in self.outcomes.items()
            if outcome is not Outcome.DONE
        )
        quotas = ", ".join(
            f"division {q.division}: {q.used} used"
            + (f", {q.day_left} of {q.day_limit} left today" if q.day_left is not None else "")
            for q in self.client.limits.quotas.values()
        )
        self.logger.info("%d calls (%s). Rows: %s.%s", self.client.calls, quotas, read, rest)


def _named(feeds: Mapping[Feed, Sequence[int]]) -> str:
    return ", ".join(
        f"{stream.name} ({', '.join(map(str, divisions))})"
        for feed, divisions in feeds.items()
        for stream in feed.selected or feed.streams[:1]
    )
