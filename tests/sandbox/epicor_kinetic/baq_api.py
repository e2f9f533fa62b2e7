"""`BaqSvc`: the list of BAQs, their descriptions, and their rows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import uuid
from typing import TYPE_CHECKING

from starlette.responses import Response

from tests.sandbox.epicor_kinetic import csdl
from tests.sandbox.epicor_kinetic.baqs import BAQS, Baq, Database, Parameter
from tests.sandbox.epicor_kinetic.errors import JSON, business, not_found
from tests.sandbox.epicor_kinetic.filters import Columns
from tests.sandbox.epicor_kinetic.listing import printer
from tests.sandbox.epicor_kinetic.printing import ENCODER
from tests.sandbox.epicor_kinetic.query import query_of
from tests.sandbox.epicor_kinetic.schema import Kind

if TYPE_CHECKING:
    from tests.sandbox.epicor_kinetic.exchange import Exchange
    from tests.sandbox.epicor_kinetic.listing import Lister
    from tests.sandbox.epicor_kinetic.revisions import Revisions
    from tests.sandbox.epicor_kinetic.schema import Value
    from tests.sandbox.epicor_kinetic.switches import Switches

SERVICE = "BaqSvc"
_DATA = "Data"


class BaqApi:
    """Answers calls to BAQs. Callers hold the lock of the world."""

    def __init__(self, revisions: Revisions, lister: Lister, switches: Switches) -> None:
        self._revisions = revisions
        self._lister = lister
        self._switches = switches

    def answer(self, exchange: Exchange, epicor: str, rest: list[str], today: dt.date) -> Response:
        """Answer a call below `BaqSvc`.

        Raises:
            Refusal: 404 for a BAQ that does not exist, 400 for parameters or queries that do not fit.
        """
        root = exchange.raw_path.partition(SERVICE)[0] + SERVICE
        if not rest or rest == ["$metadata"]:
            return _sets(f"{exchange.base_url}{root}/$metadata", list(BAQS))
        baq = BAQS.get(rest[0])
        if baq is None:
            raise not_found(f"BAQ '{rest[0]}' was not found.")
        context = f"{exchange.base_url}{root}/{rest[0]}/$metadata"
        if len(rest) == 1:
            return _sets(context, [_DATA])
        if rest[1:] == ["$metadata"]:
            described = csdl.of_baq(baq.all_columns, self._switches)
            return Response(described, headers={"content-type": "application/xml; charset=utf-8"})
        if rest[1:] != [_DATA]:
            raise not_found(f"Resource not found for the segment '{rest[1]}'.")
        return self._data(exchange, baq, Database(self._revisions, epicor, today, self._switches), context)

    def _data(self, exchange: Exchange, baq: Baq, database: Database, context: str) -> Response:
        query = query_of(exchange.options)
        parameters = {parameter.name: _given(exchange, parameter) for parameter in baq.parameters}
        by_name = {column.name: column for column in baq.all_columns}
        type_name = f"{baq.name}.DataRow"
        columns = Columns(type_name, by_name, self._switches)
        page = self._lister.page(baq.rows(database, parameters), columns, baq.name, query)
        # the running number of the row in this answer, dressed as a GUID
        rows = [
            row | {"RowIdent": str(uuid.UUID(f"{place:08x}{'0' * 24}"))}
            for place, row in enumerate(page.rows, 1)
        ]
        prints = printer(by_name, query.select, type_name, self._switches)
        body = self._lister.body(
            exchange,
            f"{context}#{_DATA}",
            dataclasses.replace(page, rows=rows),
            [prints.row(row) for row in rows],
        )
        return Response(ENCODER.encode(body), headers={"content-type": JSON})


def _given(exchange: Exchange, parameter: Parameter) -> list[Value]:
    texts = [value for name, value in exchange.pairs if name == parameter.name]
    if not texts and parameter.required:
        raise business(f"The parameter {parameter.name} is mandatory and has no value.")
    if len(texts) > 1 and not parameter.is_list:
        raise business(f"The parameter {parameter.name} is no list, but has several values.")
    return list(map(functools.partial(_value, parameter), texts))


def _value(parameter: Parameter, text: str) -> Value:
    if parameter.kind is not Kind.DATE:
        return text
    try:
        return dt.datetime.fromisoformat(text).date()
    except ValueError as wrong:
        raise business(f"The parameter {parameter.name} is no date: '{text}'.") from wrong


def _sets(context: str, names: list[str]) -> Response:
    value = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
    return Response(
        ENCODER.encode({"@odata.context": context, "value": value}), headers={"content-type": JSON}
    )
