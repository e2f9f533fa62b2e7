"""Streams of single tables, and what is made of their rows: balances by period, cost centres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_syspro.discovery import snake
from tap_syspro.streams.columns import COMPANY, Column
from tap_syspro.streams.derived import periods, segment
from tap_syspro.streams.feed import Feed, StrategyFeed
from tap_syspro.streams.strategies import Strategy, Years
from tap_syspro.streams.stream import SysproStream, keys_of
from tap_syspro.streams.versions import Growing, RowVersions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_syspro.service import Row
    from tap_syspro.streams.declarations import Table
    from tap_syspro.streams.reader import Reader
    from tap_syspro.tap import TapSyspro

SNAPSHOT: Final = "snapshot_date"
PERIODS: Final = "gen_history_periods"
COST_CENTERS: Final = "cost_centers"

_SNAPSHOT_STREAM: Final = "inv_warehouse"
_PERIOD_COLUMNS: Final = (
    Column("period", "integer", description="0 is the balance that the year began with."),
    Column("closing_balance", "decimal", "", 2, "Balance at the end of the period, debits positive."),
    Column("movement", "decimal", "", 2, "Change against the period before; 0 in period 0."),
)
_CENTER_COLUMNS: Final = (
    Column("segment", "key", description="Name of the segment, by the setting gl_segments."),
    Column("code", "key", description="Its value in GL codes."),
    Column("description", "string", description="From the table that the setting names, if it names one."),
    Column("gl_codes", "integer", description="How many GL codes bear it."),
)


class TableFeed(StrategyFeed):
    """Reads one table."""

    def __init__(self, tap: TapSyspro, table: Table, reader: Reader, strategy: Strategy) -> None:
        super().__init__(tap, reader, strategy)
        self.is_selected_by_default = table.is_known
        self.is_by_number = isinstance(strategy, (RowVersions, Growing))
        columns = [*reader.columns, *(each.column for each in reader.derived)]
        keys = keys_of(reader.keys)
        self._is_dated = table.stream == _SNAPSHOT_STREAM and tap.config["snapshot_inventory"]
        if self._is_dated:
            columns.append(
                Column(SNAPSHOT, "date", description="The day on which this was so, on the server's clock.")
            )
            keys.append(SNAPSHOT)
            self.keeps_history = True
        self.streams.append(
            SysproStream(
                tap, table.stream, columns, keys, self, snake(strategy.column) if strategy.column else ""
            )
        )
        if isinstance(strategy, Years):
            own = [column for column in reader.columns if column.source in reader.keys]
            keys = [*keys, "period"]
            self.streams.append(SysproStream(tap, PERIODS, [*own, *_PERIOD_COLUMNS], keys, self))

    @override
    def read(self, streams: Sequence[SysproStream]) -> Iterator[Mapping[str, Iterable[Row]]]:
        company = self.tap.company
        makers = self._prepared(streams)
        memory = self.streams[0].memory(company)
        reading = self.begin(memory)
        for page in self.pages(reading):
            rows = self.taken(reading, page)
            yield {name: make(rows) for name, make in makers.items()}
            self.mark(reading, page)
        if self.starts_anew(reading):
            yield from self.read(streams)
            return
        self.finish(reading)

    @override
    def sample(self, stream: SysproStream, limit: int) -> list[Row]:
        makers = self._prepared([stream])
        return list(makers[stream.name](self.reader.walk(self.tap.company, ()).first(limit)))

    def _prepared(self, streams: Sequence[SysproStream]) -> dict[str, Callable[[list[Row]], Iterable[Row]]]:
        """How the rows of each stream are made."""
        company, reader = self.tap.company, self.reader
        columns = [column for stream in streams for column in stream.wanted]
        more = list(self.strategy.columns)
        if any(stream.name == PERIODS for stream in streams):
            more += ["BeginYearBalance", *(f"ClosingBalPer{n}" for n in range(1, 16))]
        first = self.streams[0]
        own = first.wanted if first in streams else [c for c in columns if c.source]
        reader.prepare(own, more, company)
        today = self.tap.today.isoformat()
        with_day = self._is_dated

        def plain(rows: list[Row]) -> Iterable[Row]:
            made = reader.rows(rows, company)
            return ({**row, SNAPSHOT: today} for row in made) if with_day else made

        def by_period(rows: list[Row]) -> Iterable[Row]:
            keys = keys_of(reader.keys)
            made = []
            for raw, row in zip(rows, reader.rows(rows, company), strict=True):
                shared = {name: row[name] for name in (COMPANY, *keys)}
                made += [
                    {name: both[name] for name in names}
                    for each in periods(raw)
                    if (both := {**shared, **each})
                ]
            return made

        names = [column.name for stream in streams if stream.name == PERIODS for column in stream.wanted]
        return {stream.name: by_period if stream.name == PERIODS else plain for stream in streams}


class CostCenterFeed(Feed):
    """The values that segments of GL codes have, read from the accounts; SYSPRO has no table of cost centres."""

    def __init__(self, tap: TapSyspro, reader: Reader) -> None:
        super().__init__(tap)
        self._reader = reader
        self.streams.append(SysproStream(tap, COST_CENTERS, _CENTER_COLUMNS, ("segment", "code"), self))

    @override
    def read(self, streams: Sequence[SysproStream]) -> Iterator[Mapping[str, Iterable[Row]]]:
        yield {COST_CENTERS: self._rows()}

    @override
    def sample(self, stream: SysproStream, limit: int) -> list[Row]:
        return self._rows()[:limit]

    def _rows(self) -> list[Row]:
        company = self.tap.company
        reader = self._reader
        reader.prepare([column for column in reader.columns if column.source == "GlCode"], (), company)
        counts: dict[tuple[str, str], int] = {}
        rules = {snake(rule["name"]): rule for rule in self.tap.config["gl_segments"]}
        for page in reader.walk(company, ()).pages():
            for raw in page.rows:
                for name, rule in rules.items():
                    value = segment(str(raw.get("GlCode") or "").rstrip(), rule)
                    if value is not None:
                        counts[name, value] = counts.get((name, value), 0) + 1
        texts = {name: self._descriptions(rule) for name, rule in rules.items()}
        wanted = [column.name for column in self.streams[0].wanted]
        rows = [
            {
                COMPANY: company,
                "segment": name,
                "code": value,
                "description": texts[name].get(value),
                "gl_codes": count,
            }
            for (name, value), count in sorted(counts.items())
        ]
        return [{name: row[name] for name in wanted} for row in rows]

    def _descriptions(self, rule: dict[str, Any]) -> dict[str, str]:
        """What the values of a segment are called, where a table says so."""
        if not rule.get("entity_set"):
            return {}
        code = str(rule.get("code_property") or "Code")
        text = str(rule.get("description_property") or "Description")
        rows = self.tap.whole_table(str(rule["entity_set"]), (code,), (code, text))
        return {str(row.get(code) or "").rstrip(): str(row.get(text) or "").rstrip() for row in rows}
