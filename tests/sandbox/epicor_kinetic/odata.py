"""Business objects over OData v4: service documents, sets, rows by key, child sets."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from tests.sandbox.epicor_kinetic import csdl
from tests.sandbox.epicor_kinetic.errors import JSON, bad_query, not_found
from tests.sandbox.epicor_kinetic.filters import Columns, value_fits
from tests.sandbox.epicor_kinetic.listing import printer, query_errors
from tests.sandbox.epicor_kinetic.printing import ENCODER
from tests.sandbox.epicor_kinetic.query import query_of
from tests.sandbox.epicor_kinetic.services import SERVICES
from tests.sandbox.epicor_kinetic.tables import TABLES

if TYPE_CHECKING:
    from tests.sandbox.acumatica.grammar import Expression
    from tests.sandbox.epicor_kinetic.exchange import Exchange
    from tests.sandbox.epicor_kinetic.listing import Lister, Page, Printed
    from tests.sandbox.epicor_kinetic.query import Query
    from tests.sandbox.epicor_kinetic.revisions import Revisions
    from tests.sandbox.epicor_kinetic.schema import Column, Row, Table, Value
    from tests.sandbox.epicor_kinetic.services import EntitySet, Service
    from tests.sandbox.epicor_kinetic.switches import Switches

XML = "application/xml; charset=utf-8"
_LIST = "List"
_LIST_COLUMNS = 6  # the reduced list has few columns, and no SysRevID among them
_KEY_PART = re.compile(r"(?:([A-Za-z_]\w*)=)?('(?:[^']|'')*'|[^,']+)(?:,|$)")
_SEGMENT = re.compile(r"([A-Za-z_]\w*)(?:\((.*)\))?", re.DOTALL)


class ODataApi:
    """Answers calls to business objects. Callers hold the lock of the world."""

    def __init__(self, revisions: Revisions, lister: Lister, switches: Switches) -> None:
        self._revisions = revisions
        self._lister = lister
        self._switches = switches

    def answer(self, exchange: Exchange, epicor: str, service_name: str, rest: list[str]) -> Response:
        """Answer a call below a service.

        Raises:
            Refusal: 404 for names that do not exist in this case, 400 for queries that do not fit.
        """
        service = self.service(service_name)
        context = f"{exchange.base_url}{_root(exchange.raw_path, service_name)}/$metadata"
        if rest in ([], [""]):
            return _service_document(service, context)
        if rest == ["$metadata"]:
            return Response(csdl.of_service(service, self._switches), headers={"content-type": XML})
        query = query_of(exchange.options)
        if rest == [_LIST]:
            return self._list(exchange, epicor, service, query, context)
        if len(rest) > 2:
            raise not_found(f"No resource was found at '{'/'.join(rest)}'.")
        return self._set(exchange, epicor, service, rest, query, context)

    def service(self, name: str) -> Service:
        """A service by its exact name.

        Raises:
            Refusal: 404.
        """
        if name not in SERVICES or name in self._switches.missing_services:
            raise not_found(f"Service {name} was not found.")
        return SERVICES[name]

    # -- sets -----------------------------------------------------------------------------------------------

    def _set(
        self, exchange: Exchange, epicor: str, service: Service, rest: list[str], query: Query, context: str
    ) -> Response:
        name, keys = _segment(rest[0])
        if name not in service.sets:
            raise not_found(f"Resource not found for the segment '{name}'.")
        way = service.sets[name]
        entity_set = way[-1]
        if keys is None:
            if len(rest) > 1:
                raise not_found(f"Resource not found for the segment '{rest[1]}'.")
            page, printed = self._rows(epicor, way, query)
            return _json(self._lister.body(exchange, f"{context}#{name}", page, printed))
        row = self._by_key(epicor, TABLES[entity_set.table], keys)
        if len(rest) == 1:
            printed_row = self._printed([row], epicor, entity_set, query)[0]
            return _json({"@odata.context": f"{context}#{name}/$entity", **printed_row})
        child = next((child for child in entity_set.children if child.name == rest[1]), None)
        if child is None:
            raise not_found(f"Resource not found for the segment '{rest[1]}'.")
        page = self._lister.page(
            self._children(row, epicor, child), self._columns_of(child.table), child.name, query
        )
        printed = self._printed(page.rows, epicor, child, query)
        return _json(self._lister.body(exchange, f"{context}#{child.name}", page, printed))

    def _rows(self, epicor: str, way: tuple[EntitySet, ...], query: Query) -> tuple[Page, list[Printed]]:
        entity_set = way[-1]
        if len(way) > 1 and self._switches.child_filter_on_parent and query.filter is not None:
            page = self._page_by_header(epicor, way, query.filter, query)
        else:
            shelf = self._revisions.shelf(entity_set.table, epicor)
            columns = self._columns_of(entity_set.table)
            keyset = self._lister.keyset_page(shelf, columns, entity_set.name, query)
            page = keyset or self._lister.page(shelf.rows, columns, entity_set.name, query)
        return page, self._printed(page.rows, epicor, entity_set, query)

    def _page_by_header(
        self, epicor: str, way: tuple[EntitySet, ...], expression: Expression, query: Query
    ) -> Page:
        """The filter is read with the child's columns but put to the header: those it lacks match nothing."""
        header, child = way[0], way[-1]
        columns = Columns(
            f"{csdl.NAMESPACE}.{csdl.row_type(child.table)}",
            self._by_name(child.table),
            self._switches,
            self._by_name(header.table),
        )
        with query_errors():
            test = columns.compiled(expression)
        rows = [row for row in self._revisions.shelf(header.table, epicor).rows if test(row)]
        for step in way[1:]:
            rows = [below for row in rows for below in self._children(row, epicor, step)]
        unfiltered = dataclasses.replace(query, filter=None)
        return self._lister.page(rows, self._columns_of(child.table), child.name, unfiltered)

    def _children(self, header: Row, epicor: str, child: EntitySet) -> list[Row]:
        mine = tuple(name for name, _ in child.join)
        return self._revisions.shelf(child.table, epicor).where(
            mine, tuple(header[theirs] for _, theirs in child.join)
        )

    def _by_key(self, epicor: str, table: Table, text: str) -> Row:
        key = _key(text, table, self._by_name(table.name))
        row = self._revisions.shelf(table.name, epicor).by_key(key)
        if row is None:
            raise not_found(f"Record not found: {table.name} ({text}).")
        return row

    # -- rows -----------------------------------------------------------------------------------------------

    def _by_name(self, table: str) -> dict[str, Column]:
        return {column.name: column for column in TABLES[table].columns(self._switches)}

    def _columns_of(self, table: str) -> Columns:
        return Columns(f"{csdl.NAMESPACE}.{csdl.row_type(table)}", self._by_name(table), self._switches)

    def _printed(self, rows: list[Row], epicor: str, entity_set: EntitySet, query: Query) -> list[Printed]:
        by_name = self._by_name(entity_set.table)
        prints = printer(by_name, query.select, csdl.row_type(entity_set.table), self._switches)
        expansions = [
            (
                _child(entity_set, name),
                dataclasses.replace(_NO_QUERY, expand=((below, None),) if below else ()),
            )
            for name, below in query.expand
        ]
        printed = []
        for row in rows:
            out: dict[str, Any] = {}
            if self._switches.row_annotations:
                out["@odata.etag"] = f'W/"{row["SysRevID"]}"'
            out |= prints.row(row)
            for child, below_query in expansions:
                out[child.name] = self._printed(
                    self._children(row, epicor, child), epicor, child, below_query
                )
            printed.append(out)
        return printed

    def _list(
        self, exchange: Exchange, epicor: str, service: Service, query: Query, context: str
    ) -> Response:
        """The reduced list: the key and a few columns more."""
        table = TABLES[service.list_table]
        shown = [column for name, column in self._by_name(table.name).items() if name in table.keys]
        shown += [column for column in table.own if column not in shown][: _LIST_COLUMNS - len(shown)]
        by_name = {column.name: column for column in shown}
        type_name = f"{csdl.NAMESPACE}.{table.name}ListRow"
        columns = Columns(type_name, by_name, self._switches)
        page = self._lister.page(self._revisions.shelf(table.name, epicor).rows, columns, _LIST, query)
        prints = printer(by_name, query.select, type_name, self._switches)
        printed = [prints.row(row) for row in page.rows]
        return _json(self._lister.body(exchange, f"{context}#{_LIST}", page, printed))


_NO_QUERY = query_of({})


def _child(entity_set: EntitySet, name: str) -> EntitySet:
    for child in entity_set.children:
        if child.name == name:
            return child
    raise bad_query(f"Could not find a property named '{name}' on type '{csdl.row_type(entity_set.table)}'.")


def _segment(text: str) -> tuple[str, str | None]:
    found = _SEGMENT.fullmatch(text)
    if found is None:
        raise not_found(f"Resource not found for the segment '{text}'.")
    return found[1], found[2]


def _key(text: str, table: Table, columns: dict[str, Column]) -> tuple[Value, ...]:
    """`'EPIC06',4012` or `Company='EPIC06',PONum=4012`, all parts in order."""
    parts = list(_KEY_PART.finditer(text))
    if "".join(part.group() for part in parts) != text or len(parts) != len(table.keys):
        raise bad_query(f"The number of keys specified in the URI does not match {', '.join(table.keys)}.")
    values = []
    with query_errors():
        for part, name in zip(parts, table.keys, strict=True):
            if part[1] not in {None, name}:
                raise bad_query(f"The key property '{part[1]}' is not in its place: expected '{name}'.")
            values.append(value_fits(columns[name].kind, part[2]))
    return tuple(values)


def _root(raw_path: str, service: str) -> str:
    return raw_path[: raw_path.index(service) + len(service)]


def _service_document(service: Service, context: str) -> Response:
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in service.sets]
    return _json({"@odata.context": context, "value": sets})


def _json(body: object) -> Response:
    return Response(ENCODER.encode(body), headers={"content-type": JSON, "odata-version": "4.0"})
