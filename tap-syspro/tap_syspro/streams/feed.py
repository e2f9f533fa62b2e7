"""The calls that feed one or more streams, company by company: what they start from, and when bookmarks move.

Streams that come from the same calls (orders and their lines) share a `Feed`. Whichever of them the SDK starts first
drives the feed; the others receive their rows from it, page by page, and have nothing left to do when their turn comes.
Behind every page a STATE says how far reading has come; the bookmark of a company moves when it was read to its end.
"""

from __future__ import annotations

import abc
import copy
import dataclasses
import datetime as dt
import itertools
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from tap_syspro.errors import (
    CallBudgetSpentError,
    ForbiddenError,
    NotFoundError,
    PageTooLargeError,
    RefusedError,
)
from tap_syspro.streams.strategies import Full
from tap_syspro.streams.stream import Outcome, SysproStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_syspro.conditions import Condition
    from tap_syspro.paging import Page
    from tap_syspro.service import Mark, Row
    from tap_syspro.streams.reader import Reader
    from tap_syspro.streams.strategies import Facts, Memory, Strategy
    from tap_syspro.tap import TapSyspro

_RESUME: Final = "resume"
_ORDER: Final = (Outcome.FAILED, Outcome.STOPPED, Outcome.WAITING, Outcome.SKIPPED, Outcome.DONE)


class Feed(abc.ABC):
    """Calls that several streams share, and the rows that come of them.

    Attributes:
        streams: The streams that are fed, documents before their lines.
        outcomes: How far the feed has come, by company.
        reason: Why it was not read to its end.
        read_at: When the present page was read, by this machine's clock.
        is_continued: Whether this run went on behind what an earlier one wrote, and so did not bring all rows.
        keeps_history: Whether what earlier runs wrote stays true although it is gone from the ERP.
        is_by_number: Whether its bookmark is a number and not a day.
        is_selected_by_default: Whether its streams are.
    """

    is_continued = False
    keeps_history = False
    is_by_number = False
    is_selected_by_default = True

    def __init__(self, tap: TapSyspro) -> None:
        self.tap = tap
        self.streams: list[SysproStream] = []
        self.outcomes = dict.fromkeys(tap.companies, Outcome.WAITING)
        self.reason = ""
        self.read_at = dt.datetime.now(dt.UTC)

    @abc.abstractmethod
    def read(self, streams: Sequence[SysproStream]) -> Iterator[Mapping[str, Iterable[Row]]]:
        """Read the present company: rows by stream, part by part.

        When it is resumed the rows of a part are written, and the state may say so.
        """

    @abc.abstractmethod
    def sample(self, stream: SysproStream, limit: int) -> list[Row]:
        """A few rows of a stream, for the connection test."""

    # how far it has come -----------------------------------------------------------------------------------

    @property
    def outcome_here(self) -> Outcome:
        """How far it has come in the present company."""
        return self.outcomes[self.tap.company]

    @property
    def outcome(self) -> Outcome:
        """How far it has come on the whole: the worst of its companies, but for those where it is left out."""
        found = [outcome for outcome in _ORDER if outcome in self.outcomes.values()]
        return found[0] if found != [Outcome.SKIPPED, Outcome.DONE] else Outcome.DONE

    @property
    def is_complete(self) -> bool:
        """Whether every company was read to its end."""
        return set(self.outcomes.values()) == {Outcome.DONE}

    def records(self, driver: SysproStream) -> Iterator[Row]:
        """Read everything that is due and write it; of the connection test, yield the rows."""
        self.check_offered()
        if driver.ABORT_AT_RECORD_COUNT is not None:
            # No more than asked for: the SDK would end the test with a line that says an error had occurred.
            yield from itertools.islice(
                self.sample(driver, driver.ABORT_AT_RECORD_COUNT), driver.ABORT_AT_RECORD_COUNT
            )
            return
        streams = [stream for stream in self.streams if stream.selected]
        for stream in streams:
            stream.begin()
        for part in self.read(streams):
            self.read_at = dt.datetime.now(dt.UTC)
            for stream in streams:
                stream.write(part.get(stream.name, []))

    def check_offered(self) -> None:  # noqa: B027 - what is made of other tables has none of its own
        """Make sure that the company has the table.

        Raises:
            NotFoundError: It has not.
        """

    def complete(self, driver: SysproStream) -> None:
        """Note that all streams of the feed have been read to their end in the present company."""
        if driver.ABORT_AT_RECORD_COUNT is not None:
            return
        self.outcomes[self.tap.company] = Outcome.DONE
        for stream in self.streams:
            if stream.selected:
                stream.advance()
                stream.finalize_state_progress_markers()
        driver.write_state()

    def end(self, error: Exception) -> None:
        """Note that the company could not be read to its end; its bookmark stays where it was."""
        skipping = self.tap.config["skip_forbidden_streams"]
        if isinstance(error, CallBudgetSpentError):
            outcome = Outcome.STOPPED
        elif isinstance(error, (ForbiddenError, NotFoundError)) and skipping:
            outcome = Outcome.SKIPPED
        else:
            outcome = Outcome.FAILED
        self.outcomes[self.tap.company] = outcome
        self.reason = str(error)
        selected = [stream for stream in self.streams if stream.selected]
        for stream in selected:
            if stream.ABORT_AT_RECORD_COUNT is None:
                stream.note_unread(outcome)
        names = ", ".join(stream.name for stream in selected)
        log = self.tap.logger.error if outcome is Outcome.FAILED else self.tap.logger.warning
        log("%s in company %s: %s. %s", names, self.tap.company, outcome.value, self.reason)


@dataclasses.dataclass
class Reading:
    """One table of one company on its way: what is remembered, asked for and noted.

    Attributes:
        memory: What the stream remembers of the company.
        where: What the service is asked for.
        keep: Which rows are emitted.
        noted: What is noted on the way.
        after: Where an interrupted run goes on.
        is_full: Whether everything is read.
    """

    memory: Memory
    where: tuple[Condition, ...]
    keep: Callable[[Row], bool] | None
    noted: Memory
    after: Mark | None
    is_full: bool


class StrategyFeed(Feed):
    """Reads one table by its strategy; what subclasses make of its pages differs."""

    def __init__(self, tap: TapSyspro, reader: Reader, strategy: Strategy) -> None:
        super().__init__(tap)
        self.reader = reader
        self.strategy = strategy
        self.keeps_history = strategy.keeps_history

    @override
    def check_offered(self) -> None:
        if self.tap.company not in self.reader.sets:
            raise NotFoundError(f"Company {self.tap.company} has no table {self.streams[0].name}.")

    def begin(self, memory: Memory) -> Reading:
        """Find out what is to be read."""
        if self.streams[0].is_full_table and self.strategy.column:
            self.strategy = Full()  # the catalog says so
        facts = self.tap.facts(self.reader.given)
        strategy = self.strategy
        resume: Memory = memory.get(_RESUME) or {}
        if self.streams[0].emit_activate_version_messages:
            resume = {}  # rows of the earlier part would count as gone
        self.is_continued = self.is_continued or bool(resume)
        where = strategy.where(memory, facts)
        keep = strategy.keep(memory, facts)
        if not self.tap.service.filters_are_kept and where:
            keep = _both(keep, self.reader.checker(where))
        noted = copy.deepcopy(resume.get("noted") or self._fresh(memory, facts))
        full = strategy.is_full(memory, facts)
        if full:
            noted["full"] = True
        return Reading(memory, where, keep, noted, resume.get("after"), full)

    def _fresh(self, memory: Memory, facts: Facts) -> Memory:
        """What is known when reading begins: the day, and the highest row version."""
        began = {"began": facts.today.isoformat()}
        known = self.strategy.highest(memory)
        if known is None:
            return began
        known = known or max(reader.highest(self.tap.company) for reader in self.readers)
        return {**began, "before": max(known, self.tap.highest_version)}

    @property
    def readers(self) -> list[Reader]:
        """The tables that are read."""
        return [self.reader]

    def starts_anew(self, reading: Reading) -> bool:
        """Whether the database was restored or moved; then all that was remembered is forgotten."""
        if not self.strategy.is_reset(reading.memory, reading.noted):
            return False
        self.tap.logger.warning(
            "%s: all row versions are lower than at the last run, so the database was restored or moved; reading "
            "everything anew",
            self.streams[0].name,
        )
        reading.memory.clear()
        self.tap.highest_version = 0
        return True

    def pages(self, reading: Reading) -> Iterator[Page]:
        """All pages; without the strategy's filter where the service does not take it."""
        walk = self.reader.walk(self.tap.company, reading.where)
        begun = False
        try:
            for page in walk.pages(reading.after):
                begun = True
                yield page
        except PageTooLargeError:
            raise
        except RefusedError as error:
            if begun or not reading.where:
                raise
            self.tap.logger.warning(
                "%s: the filter is refused; reading all and picking out what is due. %s",
                self.streams[0].name,
                error,
            )
            reading.keep = _both(reading.keep, self.reader.checker(reading.where))
            yield from self.reader.walk(self.tap.company, ()).pages(reading.after)

    def taken(self, reading: Reading, page: Page) -> list[Row]:
        """The rows of a page that are emitted, all of them noted."""
        self.strategy.note(reading.noted, page.rows, self.tap.facts(self.reader.given))
        self.reader.note_columns(page.rows)
        keep = reading.keep
        return list(page.rows) if keep is None else [row for row in page.rows if keep(row)]

    def mark(self, reading: Reading, page: Page) -> None:
        """Remember how far reading has come."""
        if page.mark is not None:
            reading.memory[_RESUME] = {"after": page.mark, "noted": copy.deepcopy(reading.noted)}
            self.streams[0].write_state()

    def finish(self, reading: Reading) -> None:
        """Remember what the next run must know."""
        reading.memory.pop(_RESUME, None)
        self.strategy.finish(reading.memory, reading.noted, self.tap.facts(self.reader.given))
        self.tap.highest_version = max(self.tap.highest_version, int(reading.noted.get("highest", 0)))
        if not self.tap.service.filters_are_kept and (absent := self.reader.never_seen()):
            self.tap.warn_once(
                self.streams[0].name,
                f"{self.streams[0].name}: never came: {', '.join(absent)}. The operator may not see them, or this "
                "version has none; they stay empty.",
            )


def _both(first: Callable[[Row], bool] | None, second: Callable[[Row], bool]) -> Callable[[Row], bool]:
    return second if first is None else lambda row: first(row) and second(row)
