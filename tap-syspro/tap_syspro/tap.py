"""The tap: one site, its companies one after the other, one way out."""

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

from tap_syspro.auth import ODataSignIn, Sessions
from tap_syspro.checks import complaints
from tap_syspro.client import Client
from tap_syspro.discovery import Catalog, EntitySet, discover, snake
from tap_syspro.enet import EnetService
from tap_syspro.errors import ApiError, CallBudgetSpentError, ForbiddenError, NotFoundError, UserError
from tap_syspro.odata import ODataService
from tap_syspro.paging import Walk
from tap_syspro.service import KeyColumn, Query
from tap_syspro.settings import SETTINGS, day_of
from tap_syspro.store import store_of
from tap_syspro.streams import streams_of, wanted_of
from tap_syspro.streams.catalogue import COLUMNS, built_in_sets
from tap_syspro.streams.columns import converters
from tap_syspro.streams.derived import due_date, segments_of
from tap_syspro.streams.strategies import Facts
from tap_syspro.streams.stream import LineWriter, Outcome, SysproStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

    from tap_syspro.service import Row, Service
    from tap_syspro.streams.catalogue import Known
    from tap_syspro.streams.columns import Convert
    from tap_syspro.streams.derived import Derived, Make
    from tap_syspro.streams.feed import Feed

_SIGNALLED: Final = 128
_PAGE_SIZES: Final = {"odata": 5000, "enet": 500}
_GL_CODES: Final = ("GlCode", "MGlCode")


class TapSyspro(Tap):
    """Singer tap for SYSPRO: ledger, payables, receivables, purchasing, sales and stock, by OData or e.net."""

    name = "tap-syspro"
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

    _closer: weakref.finalize[..., TapSyspro] | None = None
    _company = ""
    highest_version = 0
    """The highest row version seen in the present company."""

    # the connection ----------------------------------------------------------------------------------------

    @cached_property
    def client(self) -> Client:
        """The one client of the run.

        Raises:
            UserError: An address is wrong.
        """
        return Client(self.config)

    @cached_property
    def service(self) -> Service:
        """The configured interface.

        Raises:
            UserError: A setting is missing or wrong.
        """
        client = self.client
        is_enet = self.config["transport"] == "enet"
        needs_session = is_enet or "session" in self.config["auth_method"]
        sessions = Sessions(client, self.config) if needs_session else None
        # Whatever way the process takes out, the session is logged off: on request, by collection, at exit.
        self._closer = weakref.finalize(self, _close, client, sessions)
        if is_enet and sessions is not None:
            return EnetService(client, sessions)
        return ODataService(client, ODataSignIn(self.config, sessions), self.config)

    def connect(self) -> None:
        """Make sure that the site answers and takes the sign-in, before any stream is begun.

        Raises:
            UserError: The settings or rights do not allow a run.
        """
        service = self.service
        if isinstance(service, EnetService):
            service.check(self.companies[0])
        elif isinstance(service, ODataService) and self.client.server_time is None:
            service.names(self.companies[0])

    def close(self) -> None:
        """Log off, if a session was begun."""
        if self._closer is not None:
            self._closer()

    # companies and their tables ------------------------------------------------------------------------------

    @property
    def companies(self) -> list[str]:
        """The companies to read."""
        return list(self.config["companies"])

    @property
    def company(self) -> str:
        """The company that is being read."""
        return self._company or self.companies[0]

    @cached_property
    def catalog_of_sets(self) -> Catalog:
        """The tables of every company; by e.net those that are known, because it cannot list them."""
        if self.config["transport"] == "odata":
            return discover(
                self._odata,
                self.companies,
                wanted_of(self.config),
                store_of(self.config),
                self.config["discovery_max_age_minutes"],
            )
        return dict.fromkeys(self.companies, built_in_sets(self.config["streams"]))

    def _odata(self) -> ODataService:
        assert isinstance(self.service, ODataService)  # noqa: S101 - for the type checker
        return self.service

    @property
    def offered(self) -> dict[str, str]:
        """All entity sets of all companies: lower-case name -> name."""
        return {lower: each.name for sets in self.catalog_of_sets.values() for lower, each in sets.items()}

    def sets_of(self, name: str) -> dict[str, EntitySet]:
        """A table in each company that has it, whatever the case of its name."""
        lower = name.lower()
        found = {}
        for company, sets in self.catalog_of_sets.items():
            each = sets.get(lower) or sets.get(lower.replace("_", ""))
            if each is not None:
                found[company] = each
        return found

    def known_columns(self, table: str) -> Mapping[str, Known]:
        """What the catalogue says of a table."""
        return COLUMNS.get(table, {})

    # what streams need -------------------------------------------------------------------------------------

    @cached_property
    def converters(self) -> dict[str, Convert]:
        """How values of each kind are converted."""
        return converters(self.config)

    @property
    def page_size(self) -> int:
        """Rows per call."""
        return int(self.config.get("page_size") or _PAGE_SIZES[self.config["transport"]])

    @cached_property
    def now(self) -> dt.datetime:
        """When the run began, on the server's clock."""
        moment = self.client.server_time
        if moment is None:
            self.logger.warning("The server does not tell the time; this machine's clock is used")
            return dt.datetime.now(dt.UTC)
        return moment

    @property
    def today(self) -> dt.date:
        """The day of the run on the server's clock, in UTC."""
        return self.now.date()

    def facts(self, given: Mapping[str, Any]) -> Facts:
        """What strategies must know of the run.

        Args:
            given: The settings of the stream.
        """
        config = self.config
        days = -(-int(config["lookback_seconds"]) // 86_400)
        return Facts(
            today=self.today,
            start=day_of(config.get("start_date")),
            end=day_of(config.get("end_date")),
            lookback=max(1, int(given["lookback_days"]) if given.get("lookback_days") is not None else days),
            full_refresh_days=int(config["full_refresh_every_days"]),
            history_years=int(config["gl_history_years"]),
            safety=int(config["rowversion_safety"]),
            asks_for_null=config["transport"] == "odata",
        )

    def segments_for(self, columns: set[str]) -> list[Derived]:
        """Columns with the parts of GL codes, for a table that has some."""
        column = next((name for name in _GL_CODES if name in columns), "")
        rules: list[dict[str, Any]] = self.config["gl_segments"]
        return segments_of(column, rules, snake) if column else []

    def maker(self, derived: Derived, company: str) -> Make:
        """What works a column out, with the terms that it needs."""
        if not derived.terms:
            return derived.make
        try:
            rows = self.whole_table(derived.terms, ("TermsCode",), ("TermsCode", "DueDays"))
        except (ForbiddenError, NotFoundError) as error:
            self.warn_once(
                derived.column.name,
                f"{derived.column.name} stays empty: company {company} has no {derived.terms}. {error}",
            )
            rows = []
        return due_date({str(row.get("TermsCode") or "").rstrip(): row for row in rows})

    def whole_table(self, name: str, keys: Sequence[str], columns: Sequence[str]) -> list[Row]:
        """All rows of a small table of the present company.

        Raises:
            NotFoundError: The company has no such table.
        """
        entity = self.sets_of(name).get(self.company)
        if entity is None:
            raise NotFoundError(f"Company {self.company} has no table {name}.")
        query = Query(self.company, entity, columns=tuple(columns))
        walk = Walk(self.service, query, [KeyColumn(key, "string") for key in keys], "auto", self.page_size)
        return [row for page in walk.pages() for row in page.rows]

    @cached_property
    def _warned(self) -> set[str]:
        return set()

    def warn_once(self, what: str, text: str) -> None:
        """Log a warning, once per subject."""
        if what not in self._warned:
            self._warned.add(what)
            self.logger.warning("%s", text)

    # what the SDK calls ------------------------------------------------------------------------------------

    @override
    def discover_streams(self) -> Sequence[Stream]:
        if not self.companies:
            raise UserError("companies: name at least one company")
        enet = self.config["transport"] == "enet"
        if enet and any(given.get("filter") for given in self.config["streams"].values()):
            raise UserError("streams: filter is written in the words of OData; e.net does not take it")
        if enet and self.config["change_detection"] == "rowversion":
            raise UserError("change_detection: rowversion needs OData; COMFND does not give row versions")
        try:
            return streams_of(self)
        except BaseException:
            self.close()
            raise

    @override  # type: ignore[misc] # final in the SDK, whose loop would begin a session per stream and company
    def sync_all(self) -> None:
        """Read company after company, because an operator can have one session in one company at a time."""
        self._reset_state_progress_markers()
        self._set_compatible_replication_methods()
        if self.state:
            self._state_writer.write_state(self.state)
        chosen = list(self.chosen.values())
        if self.config.get("max_calls_per_run"):
            chosen.sort(key=lambda stream: stream.last_read)  # or what was not reached would never be read
        for company in self.companies:
            self._company = company
            self.highest_version = 0
            for stream in chosen:
                stream.sync()
        for each in self.streams.values():
            each.log_sync_costs()

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and say in words what is wrong with them."""
        with contextlib.suppress(ConfigValidationError):
            super()._validate_config()  # which fills in the defaults, and knows the SDK's own settings
        errors = list(complaints(self.name, SETTINGS, self._config))
        if errors and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=errors, schema=SETTINGS)
        return errors

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Leave by the exit that logs off. All state worth keeping was written behind its page."""
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
    def chosen(self) -> dict[str, SysproStream]:
        """The selected streams."""
        return {n: s for n, s in self.streams.items() if isinstance(s, SysproStream) and s.selected}

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


def _close(client: Client, sessions: Sessions | None) -> None:
    """Log off, then let connections go."""
    if sessions is not None:
        sessions.close()
    client.close()
