"""What only the OData face of the data access classes (DACs) knows: base currency, deletions, GL history.

Contract REST shows documents in their own currency. The tables behind it hold the amounts in base currency too,
and they are joined to the documents here: by the note id for documents, by document and line number for lines.
Codes stand there instead of labels (`INV` for Bill), padded with blanks.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import operator
import sys
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from tap_acumatica.errors import ForbiddenError, NotFoundError, RefusedError
from tap_acumatica.paging import Pages, Window
from tap_acumatica.streams.columns import text, time_converter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_acumatica.client import Client
    from tap_acumatica.paging import Row
    from tap_acumatica.streams.columns import Column
    from tap_acumatica.streams.feed import Doc

_CHUNK: Final = 20
_KEPT: Final = dt.timedelta(days=10)
_ZERO: Final = Decimal(0)

_LOG: Final = logging.getLogger("tap-acumatica")


def literal(moment: dt.datetime) -> str:
    """A time in an OData v4 filter."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def quoted(value: str) -> str:
    """A text in a filter."""
    return "'" + value.replace("'", "''") + "'"


def within(window: Window) -> str:
    """The filter for what was modified in a window."""
    upper = f"LastModifiedDateTime le {literal(window.hi)}"
    return upper if window.lo is None else f"LastModifiedDateTime ge {literal(window.lo)} and {upper}"


class Dac:
    """Reads data access classes; one that is refused is asked for once per run, with one warning.

    Args:
        client: Sends the requests.
        page_size: Rows per page.
    """

    def __init__(self, client: Client, page_size: int) -> None:
        self.client = client
        self.page_size = page_size
        self._refused: set[str] = set()

    def read(self, dac: str, columns: Sequence[str], keys: Sequence[str], where: str) -> list[Row] | None:
        """The rows of a DAC that meet a filter, in the order of their keys; None when the DAC is refused."""
        if dac in self._refused:
            return None
        pages = self.pages(dac, columns, keys, lambda _: where)
        try:
            return pages.read(None)
        except (ForbiddenError, NotFoundError, RefusedError) as error:
            self._refuse(dac, error)
            return None

    def pages(
        self, dac: str, columns: Sequence[str], keys: Sequence[str], where: Callable[[Window | None], str]
    ) -> Pages[Row]:
        """The pages of a DAC; `where` gives the filter for a window."""

        def fetch(window: Window | None, skip: int, top: int) -> list[Row]:
            condition = where(window)
            params: dict[str, str | int] = {"$select": ",".join(columns), "$orderby": ",".join(keys)}
            if condition:
                params["$filter"] = condition
            return self.fetch(self.client.site.dac(dac), {**params, "$top": top, "$skip": skip}, top)

        def key(row: Row) -> tuple[str, ...]:
            return tuple(str(row.get(name)).rstrip() for name in keys)  # `_trimmed` has been there or not

        return Pages(fetch, key, _trimmed, self.page_size)

    def deleted(self, dac: str, since: dt.datetime) -> list[Row] | None:
        """Note ids and times of what was deleted since a moment; None when the DAC does not tell."""
        name = f"{dac}/px.GetDeletedRecords()"
        if name in self._refused:
            return None
        try:
            return self.fetch(
                self.client.site.dac(name), {"$filter": f"DeleteDate ge {literal(since)}"}, sys.maxsize
            )
        except (ForbiddenError, NotFoundError, RefusedError) as error:
            self._refuse(name, error)
            return None

    def fetch(self, address: str, params: Mapping[str, str | int], top: int) -> list[Row]:
        """Up to `top` rows of a list, over several calls where the server cuts its answers.

        Raises:
            RefusedError: The list cannot be had in this way.
        """
        answer = self.client.get(address, params)
        rows = _values(address, answer)
        while len(rows) < top and (link := answer.get("@odata.nextLink") or answer.get("odata.nextLink")):
            following = urljoin(address, link)
            if not following.startswith(f"{self.client.site.base_url}/"):  # credentials go nowhere else
                raise RefusedError(f"{address}: the next page is said to be at another address.")
            answer = self.client.get(following)
            rows += _values(address, answer)
        return rows[:top]

    def _refuse(self, name: str, error: Exception) -> None:
        self._refused.add(name)
        _LOG.warning("%s cannot be read by OData; what depends on it stays empty. %s", name, error)


def _values(address: str, answer: Any) -> list[Row]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(answer, dict) or not isinstance(answer.get("value"), list):
        raise RefusedError(
            f"{address}: the answer is empty. A formula column of a generic inquiry can be neither sorted nor "
            "filtered: choose other columns for order, keys and replication_key."
        )
    return list(answer["value"])


def _trimmed(row: Row) -> Row:
    for name, value in row.items():
        if value.__class__ is str:
            row[name] = value.rstrip()
    return row


# base-currency amounts --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class HeaderAmounts:
    """How documents get their amounts in base currency.

    Attributes:
        dac: The table.
        keys: Its key columns.
        select: What to read besides.
        columns: The properties that are worked out.
        compute: Makes their values of a row.
        where: Narrows the table to the kinds of documents of the stream.
    """

    dac: str
    keys: tuple[str, ...]
    select: tuple[str, ...]
    columns: tuple[Column, ...]
    compute: Callable[[Row], Row]
    where: str = ""


@dataclasses.dataclass(frozen=True)
class LineAmounts:
    """How lines get their amounts in base currency.

    Attributes:
        dac: The table.
        document: Its columns that name the document, in the order of `header`.
        header: Where those names come from: columns of the header's DAC, or properties of the document.
        select: What to read besides.
        columns: The properties that are worked out.
        compute: Makes their values of a line and its header's row, which is empty without header amounts.
        order: The table's key columns behind `document`.
        match: The table's columns that tell lines of one document apart, in the order of `like`.
        like: The properties of the line that hold the same.
    """

    dac: str
    document: tuple[str, str]
    header: tuple[str, str]
    select: tuple[str, ...]
    columns: tuple[Column, ...]
    compute: Callable[[Row, Row], Row]
    order: tuple[str, ...] = ("LineNbr",)
    match: tuple[str, ...] = ("LineNbr",)
    like: tuple[str, ...] = ("line_nbr",)


class Join:
    """Adds base-currency amounts to the documents and lines of a slice.

    Both tables are read by the slice's own frozen window. What is missing then (it changed in between, or the
    line was written at another time than its document) is read by key. Amounts are null only when the instance
    refuses the table, which is said once; they are never zero for want of knowledge.
    """

    def __init__(self, dac: Dac, header: HeaderAmounts | None, lines: LineAmounts | None) -> None:
        self._dac = dac
        self._header = header
        self._lines = lines

    def add(
        self, window: Window, docs: Sequence[Doc], *, headers_wanted: set[str], lines_wanted: set[str]
    ) -> None:
        """Fill in the wanted properties of documents and lines."""
        found: Mapping[str, Row] | None = {}
        if self._header and (headers_wanted or lines_wanted):
            found = self._headers(self._header, window, docs)
            for doc in docs:
                known = found.get(doc.note_id) if found is not None else None
                _fill(doc.row, headers_wanted, self._header.compute(known) if known else {})
        if self._lines and lines_wanted:
            self._add_to_lines(self._lines, window, docs, found, lines_wanted)

    def _headers(self, how: HeaderAmounts, window: Window, docs: Sequence[Doc]) -> dict[str, Row] | None:
        columns = (*how.keys, "NoteID", *how.select)
        found: dict[str, Row] = {}
        if len(docs) > _CHUNK:
            where = f"{within(window)} and ({how.where})" if how.where else within(window)
            rows = self._dac.read(how.dac, columns, how.keys, where)
            if rows is None:
                return None
            found = {str(row["NoteID"]).lower(): row for row in rows}
        missing = [doc.note_id for doc in docs if doc.note_id not in found]
        for chunk in _chunks(missing):
            rows = self._dac.read(
                how.dac, columns, how.keys, " or ".join(f"NoteID eq {note_id}" for note_id in chunk)
            )
            if rows is None:
                return None
            found.update((str(row["NoteID"]).lower(), row) for row in rows)
        lost = [doc for doc in docs if doc.note_id not in found]
        if lost:
            _LOG.warning(
                "%d records went while they were read; their base-currency amounts stay empty", len(lost)
            )
        return found

    def _add_to_lines(
        self,
        how: LineAmounts,
        window: Window,
        docs: Sequence[Doc],
        headers: Mapping[str, Row] | None,
        wanted: set[str],
    ) -> None:
        named: dict[tuple[str, str], Doc] = {}
        known: dict[str, Row] = {}
        for doc in docs:
            header = (headers or {}).get(doc.note_id, {}) if self._header else doc.row
            if header and doc.lines and doc.numbered:
                named[text(header[how.header[0]]), text(header[how.header[1]])] = doc
                known[doc.note_id] = header
        amounts = self._lines_of(how, window, named)
        like, compute = operator.itemgetter(*how.like), how.compute
        takes_all = wanted.issuperset(column.name for column in how.columns)
        for name, doc in named.items():
            header = known[doc.note_id] if self._header else {}
            of_document = amounts.get(name, {})
            for line in doc.lines:
                amount = of_document.get(like(line))
                if amount is None:
                    continue
                if takes_all:
                    line.update(compute(amount, header))
                else:
                    _fill(line, wanted, compute(amount, header))

    def _lines_of(
        self, how: LineAmounts, window: Window, named: Mapping[tuple[str, str], Doc]
    ) -> dict[tuple[str, str], dict[Any, Row]]:
        """Rows of the table, by document and then by what tells the lines of one apart."""
        keys = (*how.document, *how.order)
        columns = tuple(dict.fromkeys((*keys, *how.match, *how.select)))
        found: defaultdict[tuple[str, str], dict[Any, Row]] = defaultdict(dict)
        kind, number = keys[:2]
        match, like = operator.itemgetter(*how.match), operator.itemgetter(*how.like)

        def read(where: str) -> bool:
            rows = self._dac.read(how.dac, columns, keys, where)
            for row in rows or ():
                found[str(row[kind]), str(row[number])][match(row)] = row
            return rows is not None

        if len(named) > _CHUNK and not read(within(window)):
            return found
        missing = [
            name
            for name, doc in named.items()
            if not all(map(found[name].__contains__, map(like, doc.lines)))
        ]
        for where in _by_document(how.document, missing):
            if not read(where):
                break
        return found


def _fill(row: Row, wanted: set[str], values: Mapping[str, Any]) -> None:
    for name in wanted:
        row[name] = values.get(name)


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Parts so short that the address stays below what web servers accept."""
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


def _by_document(names: tuple[str, str], keys: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Filters that find the lines of some documents."""
    kinds: dict[str, list[str]] = {}
    for kind, number in keys:
        kinds.setdefault(kind, []).append(number)
    for kind, numbers in kinds.items():
        for chunk in _chunks(numbers):
            any_of = " or ".join(f"{names[1]} eq {quoted(number)}" for number in chunk)
            yield f"{names[0]} eq {quoted(kind)} and ({any_of})"


def counted(row: Row, value: Decimal | int, sign: int | None) -> Decimal | int | None:
    """A document's effect on the ledger: signed, nothing until release and nothing after a void."""
    if not row.get("Released") or row.get("Voided"):
        return _ZERO
    return None if sign is None else _ZERO + sign * value  # the sum turns -0.00 into 0.00


# deletions --------------------------------------------------------------------------------------------------


class Deletions:
    """What was deleted, asked for once per data access class and run, however many streams want to know.

    Args:
        dac: Reads the feeds.
        lookback: How far behind the last reading a feed is read again.
        now: The server's clock.
        naive_zone: Zone of times without one.
    """

    def __init__(self, dac: Dac, lookback: dt.timedelta, now: dt.datetime, naive_zone: str) -> None:
        self._dac = dac
        self._lookback = lookback
        self._now = now
        self._utc = time_converter(naive_zone)
        self._read: dict[str, tuple[dt.datetime, dict[str, str] | None]] = {}

    def since(self, dac: str, moment: dt.datetime) -> dict[str, str] | None:
        """Note id and time of each deletion since a moment, less the lookback; None when the ERP does not tell."""
        if self._now - moment > _KEPT:
            _LOG.warning(
                "Deletions in %s were last read on %s, and the instance forgets them after %d days: "
                "a full refresh is needed to find all deleted records",
                dac,
                moment.date(),
                _KEPT.days,
            )
        start = moment - self._lookback
        known = self._read.get(dac)
        if known is None or known[0] > start:
            rows = self._dac.deleted(dac, start)
            gone = (
                None if rows is None else {str(r["NoteID"]).lower(): self._utc(r["DeleteDate"]) for r in rows}
            )
            known = self._read[dac] = (start, gone)
        return known[1]
