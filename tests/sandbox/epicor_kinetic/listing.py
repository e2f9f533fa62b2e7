"""How a list of rows is filtered, ordered, cut into a page and printed: the same for sets and BAQs."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.sandbox.acumatica.grammar import FilterError
from tests.sandbox.epicor_kinetic.errors import bad_query
from tests.sandbox.epicor_kinetic.filters import Columns, lower_bound
from tests.sandbox.epicor_kinetic.printing import Printer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tests.sandbox.epicor_kinetic.exchange import Exchange
    from tests.sandbox.epicor_kinetic.query import Query
    from tests.sandbox.epicor_kinetic.revisions import Shelf
    from tests.sandbox.epicor_kinetic.schema import Column, Row
    from tests.sandbox.epicor_kinetic.switches import Switches

REVISION = "SysRevID"
Printed = dict[str, Any]


@dataclasses.dataclass
class Page:
    """What a list call answers."""

    rows: list[Row]
    total: int | None
    next_at: int | None


class Lister:
    """Cuts pages.

    Attributes:
        pages: Pages cut so far; rows that nobody ordered come in another order on each.
    """

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self.pages = 0

    def page(self, rows: Iterable[Row], columns: Columns, name: str, query: Query) -> Page:
        """A page of some rows.

        Args:
            rows: All rows there are.
            columns: Their columns.
            name: Of the set.
            query: What is asked of them.

        Raises:
            Refusal: 400, a column is unknown or a literal does not fit.
        """
        with query_errors():
            test = self._test(columns, name, query)
            found = [row for row in rows if test(row)]
            found = self._ordered(found, columns, name, query)
        return self._cut(iter(found), query, len(found))

    def keyset_page(self, shelf: Shelf, columns: Columns, name: str, query: Query) -> Page | None:
        """A page in the order of `SysRevID`, found without touching the rows before it; None for any other."""
        is_plain = len(query.order) == 1 and query.order[0][0] == REVISION and not query.count
        if not is_plain or name in self._switches.order_ignored:
            return None
        with query_errors():
            columns.named(REVISION)
            test = self._test(columns, name, query)
        rows: Iterator[Row]
        if query.order[0][1]:
            rows = reversed(shelf.rows)
        else:
            bound = None if name in self._switches.filter_ignored else lower_bound(query.filter, REVISION)
            rows = iter(shelf.rows) if bound is None else shelf.since(bound)
        return self._cut((row for row in rows if test(row)), query, None)

    def _test(self, columns: Columns, name: str, query: Query) -> Callable[[Row], bool]:
        if query.filter is None:
            return lambda _row: True
        test = columns.compiled(query.filter)
        return (lambda _row: True) if name in self._switches.filter_ignored else test

    def _ordered(self, rows: list[Row], columns: Columns, name: str, query: Query) -> list[Row]:
        self.pages += 1
        if self._switches.unordered and not self._switches.next_links:
            random.Random(self.pages).shuffle(rows)
        ordered = columns.order(query.order, rows)
        return rows if name in self._switches.order_ignored else ordered

    def _cut(self, rows: Iterator[Row], query: Query, total: int | None) -> Page:
        start = query.token or 0
        if query.token is None and self._switches.skip_honoured:
            start = query.skip
        size = query.top
        if size is None or query.count:  # with $count=true, $top is ignored
            size = self._switches.default_rows
        if self._switches.row_cap is not None:
            size = min(size, self._switches.row_cap)
        found = list(itertools.islice(rows, start, start + size + 1))
        is_more = len(found) > size > 0
        next_at = start + size if is_more and self._switches.next_links else None
        return Page(found[:size], total if query.count else None, next_at)

    def body(self, exchange: Exchange, context: str, page: Page, printed: list[Printed]) -> Printed:
        """The answer around the printed rows."""
        body: Printed = {"@odata.context": context}
        if page.total is not None:
            body["@odata.count"] = page.total
        body["value"] = printed
        if page.next_at is not None:
            options = {**exchange.options, "$skiptoken": str(page.next_at)}
            text = "&".join(f"{quote(name, safe='$')}={quote(value)}" for name, value in options.items())
            body["@odata.nextLink"] = f"{exchange.base_url}{exchange.raw_path}?{text}"
        return body


def printer(
    columns: Mapping[str, Column], select: tuple[str, ...] | None, type_name: str, switches: Switches
) -> Printer:
    """A printer of the columns asked for.

    Raises:
        Refusal: 400, one of them does not exist.
    """
    for name in select or ():
        if name not in columns:
            raise bad_query(f"Could not find a property named '{name}' on type '{type_name}'.")
    chosen = (
        columns.values() if select is None else [columns[name] for name in columns if name in set(select)]
    )
    return Printer(chosen, switches)


@contextlib.contextmanager
def query_errors() -> Iterator[None]:
    """Answer what a query got wrong with 400.

    Raises:
        Refusal: 400.
    """
    try:
        yield
    except FilterError as wrong:
        raise bad_query(str(wrong)) from wrong
