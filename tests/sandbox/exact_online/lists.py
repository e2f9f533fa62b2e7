"""How an endpoint answers: which rows, in which order, which page, which properties."""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

from starlette.responses import Response

from tests.sandbox.exact_online import options, paging
from tests.sandbox.exact_online.endpoints import ENDPOINTS, Endpoint
from tests.sandbox.exact_online.errors import bad_request, not_found
from tests.sandbox.exact_online.filters import parse_literal
from tests.sandbox.exact_online.printing import atom_answer, json_answer, wire
from tests.sandbox.exact_online.shapes import Kind
from tests.sandbox.exact_online.tables import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.sandbox.exact_online.endpoints import Child
    from tests.sandbox.exact_online.exchange import Exchange
    from tests.sandbox.exact_online.options import Options
    from tests.sandbox.exact_online.rows.row import Row
    from tests.sandbox.exact_online.switches import Switches
    from tests.sandbox.exact_online.tables import Tables

EXPAND_LIMIT = 60
_ADDRESS = re.compile(
    r"(?P<path>[A-Za-z]+(?:/[A-Za-z]+)*)(?:\((?P<key>[^()]*)\))?(?P<rest>/\$?[A-Za-z_0-9]+)?"
)


class Address(NamedTuple):
    """What a path below the division names: a list, one row of it, or a child collection of that row."""

    endpoint: str
    key: str | None
    rest: str


def address(path: str) -> Address:
    """Take a path apart.

    Raises:
        Refusal: 404, when it does not look like one.
    """
    found = _ADDRESS.fullmatch(path)
    if found is None:
        raise not_found()
    name, rest = found["path"], found["rest"] or ""
    if found["key"] is None and rest == "":
        return Address(name, None, "")
    return Address(name, found["key"], rest.removeprefix("/"))


class Lists:
    """Answers calls for rows. Whoever calls holds the lock of the company."""

    def __init__(self, tables: Tables, switches: Switches) -> None:
        self._tables = tables
        self._switches = switches

    def answer(
        self, exchange: Exchange, division: int, endpoint: Endpoint, table: Table, place: Address
    ) -> Response:
        """Answer a call for a list, for one row, or for a row's children.

        Raises:
            Refusal: 400 or 404.
        """
        root = f"{exchange.base_url}/api/v1" + (f"/{division}" if division else "")
        if place.rest == "$count" and place.key is None:
            given = options.parse(exchange.options, endpoint, self._switches, counting=True)
            return Response(str(len(self._found(endpoint, given, table))), media_type="text/plain")
        if place.key is None:
            return self._list(exchange, endpoint, table, _Page(root, endpoint.path, division))
        row = self._row(endpoint, table, place.key)
        if not place.rest:
            return self._single(exchange, endpoint, row, _Page(root, endpoint.path, division))
        child = endpoint.children.get(place.rest)
        if child is None:
            raise not_found()
        target = ENDPOINTS[child.endpoint]
        rows = self._children(division, child, row)
        path = f"{endpoint.path}({place.key})/{place.rest}"
        return self._list(exchange, target, rows, _Page(root, path, division, is_part=True))

    # ------------------------------------------------------------------ rows

    def _found(self, endpoint: Endpoint, given: Options, table: Table) -> list[Row]:
        matches = given.filter.matches if given.filter else None

        def find(rows: Sequence[Row]) -> list[Row]:
            kept = rows if matches is None else [row for row in rows if matches(row.values)]
            return paging.ordered(kept, given.order)

        order = ",".join(f"{each.name} {each.descending}" for each in given.order)
        return table.select(f"{endpoint.path}|{given.filter_text}|{order}", find)

    def _row(self, endpoint: Endpoint, table: Table, key: str) -> Row:
        literal = parse_literal(unquote(key))
        if literal is None or not literal.suits(endpoint.key_kind):
            raise bad_request(f"Bad key '{key}'.")
        rows = table.group(endpoint.key, literal.value)
        if not rows:
            raise not_found()
        return rows[0]

    def _children(self, division: int, child: Child, row: Row) -> Table:
        table = self._tables.table(division, ENDPOINTS[child.endpoint].source)
        return Table(table.group(child.parent, row.id))

    # ------------------------------------------------------------------ answers

    def _list(self, exchange: Exchange, endpoint: Endpoint, table: Table, page: _Page) -> Response:
        given = options.parse(exchange.options, endpoint, self._switches, counting=page.is_part)
        found = self._found(endpoint, given, table)
        rows = found
        if given.skip_token is not None:
            rows = paging.after(found, given.order, given.skip_token)
        size = endpoint.shape.page if given.top is None else min(given.top, endpoint.shape.page)
        shown = rows[:size]
        following = None
        if len(rows) > size and (given.top is None or given.top > size):
            changes = {"$skiptoken": paging.token_of(shown[-1], given.order)}
            if given.top is not None:
                changes["$top"] = str(given.top - size)
            following = page.url({**exchange.options, **changes})
        entries = [self._entry(endpoint, row, given, page) for row in shown]
        if not exchange.wants_json:
            return atom_answer(endpoint.path, entries, following)
        if self._is_bare(endpoint, given) and not (following or given.count):
            return json_answer({"d": entries})
        content: dict[str, Any] = {"results": entries}
        if given.count:
            content["__count"] = str(len(found))
        if following:
            content["__next"] = following
        return json_answer({"d": content})

    def _is_bare(self, endpoint: Endpoint, given: Options) -> bool:
        """Whether the rows stand in `d` itself: the server's own paging is what puts them into `results`."""
        if endpoint.path == "current/Me" or given.skip_token is not None:
            return False
        is_topped = given.top is not None and given.top <= endpoint.shape.page
        return endpoint.path in self._switches.bare_lists or (self._switches.bare_when_topped and is_topped)

    def _single(self, exchange: Exchange, endpoint: Endpoint, row: Row, page: _Page) -> Response:
        given = options.parse(
            {"$top": "1", **exchange.options}, endpoint, _unfiltered(self._switches, endpoint)
        )
        entry = self._entry(endpoint, row, given, page)
        return json_answer({"d": entry}) if exchange.wants_json else atom_answer(endpoint.path, [entry], None)

    def _entry(self, endpoint: Endpoint, row: Row, given: Options, page: _Page) -> dict[str, Any]:
        properties = options.known_properties(endpoint, self._switches)
        uri = f"{page.root}/{endpoint.path}({_key(endpoint, row)})"
        entry: dict[str, Any] = {"__metadata": {"uri": uri, "type": _type_name(endpoint.path)}}
        values = row.values
        for name in properties if given.select is None else given.select:
            kind = properties[name]
            if kind is not Kind.MANY:
                entry[name] = wire(values.get(name), kind)
            elif name not in given.nested:
                entry[name] = {"__deferred": {"uri": f"{uri}/{name}"}}
        for name, columns in given.nested.items():
            entry[name] = self._expanded(endpoint, row, name, columns, page._replace(path=uri))
        return entry

    def _expanded(
        self, endpoint: Endpoint, row: Row, name: str, columns: tuple[str, ...] | None, page: _Page
    ) -> dict[str, Any]:
        child = endpoint.children.get(name)
        if child is None:
            return {"results": []}
        target = ENDPOINTS[child.endpoint]
        properties = options.known_properties(target, self._switches)
        order = (options.Order(target.key, target.key_kind),)
        rows = paging.ordered(self._children(page.division, child, row).rows, order)
        uri = f"{page.root}/{target.path}"
        names = [each for each in (columns or properties) if properties.get(each) is not Kind.MANY]
        entries = [
            {
                "__metadata": {"uri": f"{uri}({_key(target, each)})", "type": _type_name(target.path)},
                **{column: wire(each.values.get(column), properties[column]) for column in names},
            }
            for each in rows[:EXPAND_LIMIT]
        ]
        content: dict[str, Any] = {"results": entries}
        if len(rows) > EXPAND_LIMIT:
            token = {"$skiptoken": paging.token_of(rows[EXPAND_LIMIT - 1], order)}
            selected = {"$select": ",".join(columns)} if columns else {}
            content["__next"] = f"{page.path}/{name}?{write_query({**selected, **token})}"
        return content


class _Page(NamedTuple):
    """Where a list stands, for the addresses in it. `is_part`: it is a row's child collection."""

    root: str
    path: str
    division: int
    is_part: bool = False

    def url(self, given: Mapping[str, str]) -> str:
        return f"{self.root}/{self.path}?{write_query(given)}"


def write_query(given: Mapping[str, str]) -> str:
    """Options as the API writes them into addresses."""
    return "&".join(f"{name}={quote(value, safe=chr(39) + '$,()*')}" for name, value in given.items())


def _key(endpoint: Endpoint, row: Row) -> str:
    return paging.write_literal(row.values.get(endpoint.key), endpoint.key_kind)


@functools.cache
def _type_name(path: str) -> str:
    service, _, entity = path.rpartition("/")
    singular = f"{entity[:-3]}y" if entity.endswith("ies") else entity.removesuffix("s")
    return f"Exact.Web.Api.Models.{service.rpartition('/')[2].title()}.{singular}"


def _unfiltered(switches: Switches, endpoint: Endpoint) -> Switches:
    """The demands on a call for one row: its key is its filter."""
    if not endpoint.filter_is_mandatory:
        return switches
    return dataclasses.replace(switches, filter_mandatory=False)
