"""A stream's rows on the wire: what is asked for, and how the answers become properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_epicor_kinetic.errors import BadValueError
from tap_epicor_kinetic.paging import Calls, Page, page_of
from tap_epicor_kinetic.streams.columns import (
    COMPANY,
    DELETED_AT,
    SYS_REV_ID,
    SYS_ROW_ID,
    converters,
    row_reader,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_epicor_kinetic.client import Json, Params
    from tap_epicor_kinetic.streams.columns import Row
    from tap_epicor_kinetic.streams.stream import EpicorStream

LONGEST_LIST: Final = 1_500
"""Characters of a list in an address: IIS refuses query strings beyond 2048."""


_WRONG: Final = (ValueError, TypeError, AttributeError, ArithmeticError)


class Access:
    """How one stream's rows are asked for and read. Everything that is the same for all rows is worked out once."""

    def __init__(self, stream: EpicorStream) -> None:
        self._stream = stream
        self._source = source = stream.source
        self._tap = stream.epicor
        self._size = source.page_size or int(stream.config["page_size"])
        self._base: Params = dict(source.parameters)
        if select := self._selection():
            self._base["$select"] = select
        if source.nested:
            self._base["$expand"] = source.nested
        wanted = stream.wanted
        names = {column.name for column in wanted}
        self._constant: Row = {}
        if all(column.source != "Company" for column in stream.columns):
            self._constant[COMPANY] = ""
        if DELETED_AT in names:
            self._constant[DELETED_AT] = None
        self._columns = [column for column in wanted if column.source]
        self._convert = converters(stream.config["timezone"], trims=source.trims)
        derived = [each for each in source.derived if each.name in names]
        self._read = row_reader(self._columns, derived, self._convert, self._constant)

    def calls(self, company: str, parameters: Params | None = None) -> Calls:
        """The calls that read one company.

        Args:
            company: The company.
            parameters: Query options that go with all of them.
        """
        url = self._tap.site.company(company, self._source.path)
        base = {**self._base, **(parameters or {})}

        def fetch(params: Params) -> Page:
            return self._page(self._tap.client.get(url, {**base, **params}))

        def follow(link: str) -> Page:
            return self._page(self._tap.client.follow(url, link))

        return Calls(fetch, follow, self._size)

    def rows(self, company: str, page: Sequence[Row]) -> list[Row]:
        """The rows of an answer as properties.

        Raises:
            BadValueError: A value does not fit its column.
        """
        if COMPANY in self._constant:
            self._constant[COMPANY] = company
        if self._source.without:
            column, values = self._source.without
            page = [row for row in page if str(row.get(column)) not in values]
        if not self._source.nested:
            return self._made(page)
        rows: list[Row] = []
        for header in page:
            self._constant[str(self._stream.replication_key)] = int(header[SYS_REV_ID])
            rows += self._made(header.get(self._source.nested) or ())
        return rows

    def _made(self, raws: Iterable[Row]) -> list[Row]:
        try:
            return list(map(self._read, raws))
        except _WRONG:
            raise self._bad_value(raws) from None

    def _bad_value(self, raws: Iterable[Row]) -> BadValueError:
        """Which value it is that does not fit its column."""
        for raw in raws:
            for column in self._columns:
                value = raw.get(column.source)
                try:
                    _ = value if value is None else self._convert[column.kind](value)
                except _WRONG:
                    key = ", ".join(f"{name} {raw.get(name)}" for name in self._source.keys)
                    return BadValueError(
                        f"{key or 'A row'}: {column.source} is {str(value)[:60]!r}, which is no {column.kind}. Correct "
                        f"it in Epicor, or deselect {column.name}."
                    )
        return BadValueError("The amounts of a row cannot be read.")

    def _page(self, answer: Json) -> Page:
        self._stream.page_read()
        return page_of(answer)

    def _selection(self) -> str:
        """What to ask for by `$select`; empty for all, where the list would be too long for a web server."""
        source = self._source
        if source.nested:
            return f"Company,{SYS_REV_ID},{SYS_ROW_ID}"
        names = [column.source for column in self._stream.wanted if column.source]
        extra = [*source.keys, source.replication_key, SYS_REV_ID, SYS_ROW_ID]
        extra += [source.without[0]] if source.without else []
        for each in source.derived:
            extra += [each.amount, *(name for name, _ in each.when)]
        names += [name for name in extra if name in self._stream.sources]
        joined = ",".join(dict.fromkeys(names))
        return joined if len(joined) <= LONGEST_LIST else ""


def short(order: Sequence[str]) -> list[str]:
    """As many columns to sort by as an address can hold beside a selection."""
    kept: list[str] = []
    for name in order:
        if sum(map(len, kept)) + len(name) > LONGEST_LIST // 4:
            break
        kept.append(name)
    return kept
