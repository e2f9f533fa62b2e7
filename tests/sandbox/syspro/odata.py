"""SYSPRO OData: read-only, one entity set per table."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import gzip
import random
import re
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from tests.sandbox.syspro import (
    ODATA_APPLICATION,
    ODATA_PASSWORD,
    ODATA_PREFIX,
    ODATA_USER_NAME,
    csdl,
)
from tests.sandbox.syspro.odata_filter import parse, sort_key, unknown_column
from tests.sandbox.syspro.refusals import (
    Refusal,
    invalid_query,
    not_authenticated,
    not_found,
    odata_refusal,
    page,
)
from tests.sandbox.syspro.schema import TIME_STAMP, Kind
from tests.sandbox.syspro.sessions import EXPIRED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox.syspro.database import Database, Databases
    from tests.sandbox.syspro.exchange import Exchange
    from tests.sandbox.syspro.schema import Column, Row, Table, Value
    from tests.sandbox.syspro.sessions import Sessions
    from tests.sandbox.syspro.switches import Switches

ROOT = f"/{ODATA_APPLICATION}/{ODATA_PREFIX}"
_JSON = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"
_OPTIONS = frozenset({"$filter", "$select", "$orderby", "$top", "$skip", "$count", "$format"})
_MAX_URL = 4096  # IIS, 404.14
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_INTERNAL_HOST = "http://syspro-app01.internal.example:8443"


@dataclasses.dataclass(frozen=True)
class _Ask:
    """The options of one call."""

    filter: str
    order: tuple[tuple[str, bool], ...]
    select: tuple[str, ...]
    top: int | None
    skip: int
    count: bool


class OData:
    """Answers OData calls. Callers hold the lock of the world."""

    def __init__(self, databases: Databases, sessions: Sessions, switches: Switches) -> None:
        self._databases = databases
        self._sessions = sessions
        self._switches = switches
        self._random = random.Random(8)
        self.refused = 0

    def answer(self, exchange: Exchange) -> Response:
        """Answer one call.

        Raises:
            Refusal: Any answer that is no success.
        """
        self._check_address(exchange)
        company_id, root, name = self._place(exchange)
        try:
            self._admit(exchange, company_id)
        except Refusal:
            self.refused += 1
            raise
        database = self._databases.by_company.get(company_id)
        if database is None:
            raise odata_refusal(404, f"Resource not found for the segment '{company_id}'.")
        sets = self._sets(database)
        if name == "$metadata":
            return Response(csdl.document(sets, self._switches), media_type="application/xml")
        if not name:
            return self._service_document(exchange, root, sets)
        if name not in sets or "+" in name:
            raise odata_refusal(404, f"Resource not found for the segment '{name}'.")
        if sets[name].name in self._switches.forbidden_sets:
            raise odata_refusal(403, f"The SELECT permission was denied on the object '{sets[name].name}'.")
        return self._list(exchange, root, name, database)

    # -------------------------------------------------------------- the way in

    def _check_address(self, exchange: Exchange) -> None:
        """What IIS does before the service is asked."""
        if "%2b" in exchange.raw_path.lower():
            raise not_found()  # 404.11, double escaping
        if len(exchange.query) > self._switches.max_query_bytes:
            raise not_found()  # 404.15
        if len(exchange.raw_path) + len(exchange.query) > _MAX_URL:
            raise not_found()  # 404.14
        if exchange.method != "GET":
            raise page(405, "405 - HTTP verb used to access this page is not allowed.")

    def _admit(self, exchange: Exchange, company_id: str) -> None:
        wanted = self._switches.odata_auth
        if "basic" in wanted and not (self._switches.operator_loaded and _has_password(exchange)):
            raise not_authenticated()
        if "session" in wanted:
            name = self._switches.session_name
            in_query = self._switches.session_in == "query"
            session_id = (exchange.options if in_query else exchange.headers).get(name) or ""
            session = self._sessions.use(session_id)
            anywhere = self._switches.session_opens_all_companies
            if session is None or not (anywhere or session.company_id == company_id):
                raise self._no_session()

    def _no_session(self) -> Refusal:
        if self._switches.session_refusal == "text":
            return Refusal(200, EXPIRED.encode(), "text/plain; charset=utf-8")
        return odata_refusal(int(self._switches.session_refusal), EXPIRED)

    def _place(self, exchange: Exchange) -> tuple[str, str, str]:
        """The company, the address of its service root, and the name that follows it."""
        rest = exchange.path.removeprefix(ROOT).strip("/")
        root = exchange.base_url + ROOT
        if self._switches.company_in == "query":
            company_id, name = exchange.options.get("company", ""), rest
        else:
            company_id, _, name = rest.partition("/")
            root = f"{root}/{company_id}"
        return company_id, root, name

    # --------------------------------------------------------------- the answers

    def _sets(self, database: Database) -> dict[str, Table]:
        found = {}
        for name, table in database.tables.items():
            if "+" in name:
                if self._switches.plus_tables == "omitted":
                    continue
                if self._switches.plus_tables == "renamed":
                    name = name.replace("+", "Plus")  # noqa: PLW2901 - the name of the set, not of the table
            case = {"lower": str.lower, "upper": str.upper}.get(self._switches.set_names, str)
            found[case(name)] = table
        return found

    def _service_document(self, exchange: Exchange, root: str, sets: dict[str, Table]) -> Response:
        value = [{"name": name, "kind": "EntitySet", "url": quote(name, safe="")} for name in sets]
        return self._json(exchange, {"@odata.context": f"{root}/$metadata", "value": value})

    def _list(self, exchange: Exchange, root: str, name: str, database: Database) -> Response:
        table = self._sets(database)[name]
        ask = self._ask(exchange, table)
        rows = self._found(database, table, ask)
        skip = 0 if self._switches.skip_ignored else ask.skip
        wanted = rows[skip : None if ask.top is None else skip + ask.top]
        shown = wanted[: self._switches.row_cap]
        body: dict[str, object] = {"@odata.context": f"{root}/$metadata#{name}"}
        if ask.count:
            body["@odata.count"] = len(rows)
        write = self._writer(exchange, table, ask.select)
        body["value"] = [write(row) for row in shown]
        # client-driven paging, that is with $top, gets no link
        if ask.top is None and len(shown) < len(wanted) and self._switches.next_link != "off":
            body["@odata.nextLink"] = self._next_link(exchange, skip + len(shown))
        return self._json(exchange, body)

    def _ask(self, exchange: Exchange, table: Table) -> _Ask:
        options, switches = exchange.options, self._switches
        for option in options:
            if option.startswith("$") and option not in _OPTIONS:
                raise invalid_query(f"The query option '{option}' is not supported.")
        top = _number(options, "$top")
        if top is not None and top > switches.max_top:
            if switches.beyond_max_top == "refused":
                raise invalid_query(
                    f"The limit of '{switches.max_top}' for Top query has been exceeded. "
                    f"The value from the incoming request is '{top}'."
                )
            top = switches.max_top
        count = options.get("$count", "false")
        if count not in {"true", "false"} or (count == "true" and not switches.count_supported):
            raise invalid_query("Query option 'Count' is not allowed.")
        order = tuple(_order(table, part) for part in _list_of(options.get("$orderby", "")))
        if any(name == TIME_STAMP for name, _ in order) and switches.time_stamp != "number":
            raise invalid_query(f"The property '{TIME_STAMP}' cannot be used in the $orderby query option.")
        return _Ask(
            filter=options.get("$filter", "").strip(),
            order=order,
            select=tuple(self._known(table, part) for part in _list_of(options.get("$select", ""))),
            top=top,
            skip=_number(options, "$skip") or 0,
            count=count == "true",
        )

    def _known(self, table: Table, name: str) -> str:
        if name not in self._columns(table):
            raise unknown_column(table, name)
        return name

    def _columns(self, table: Table) -> dict[str, Column]:
        hidden = TIME_STAMP if table.is_view or self._switches.time_stamp == "absent" else ""
        return {name: column for name, column in table.by_name.items() if name != hidden}

    def _found(self, database: Database, table: Table, ask: _Ask) -> list[Row]:
        """The rows of an answer; in no order, unless the whole key is asked for."""
        contents = database.contents(table.name)
        matches: Callable[[Row], bool] | None = None
        if ask.filter:
            parsed = parse(ask.filter, table, self._switches)
            limit = self._switches.max_filter_nodes
            if limit is not None and parsed.nodes > limit:
                raise invalid_query(f"The node count limit of '{limit}' has been exceeded.")
            if parsed.has_or and not self._switches.key_filters_supported:
                raise invalid_query("Logical operator 'Or' is not allowed.")
            matches = None if self._switches.filter_ignored else parsed.matches

        def find() -> list[Row]:
            rows = [row for row in contents.rows if matches is None or matches(row)]
            if not is_total and self._switches.shuffled:
                self._random.shuffle(rows)
            for name, descending in reversed(ask.order):
                place = table.places[name]
                rows.sort(key=lambda row: sort_key(row, place), reverse=descending)
            return rows

        is_total = set(table.keys) <= {name for name, _ in ask.order}
        if not is_total and self._switches.shuffled:
            return find()
        filtered = "" if matches is None else ask.filter
        return contents.remember(f"{filtered}|{ask.order}|{self._switches.date_form}", find)

    def _next_link(self, exchange: Exchange, skip: int) -> str:
        parts = [part for part in exchange.query.split("&") if part and not _is_skip(part)]
        query = "&".join([*parts, f"$skip={skip}"])
        if self._switches.next_link == "relative":
            return f"{exchange.raw_path.rpartition('/')[2]}?{query}"
        internal = self._switches.next_link == "internal_host"
        return f"{_INTERNAL_HOST if internal else exchange.base_url}{exchange.raw_path}?{query}"

    def _writer(
        self, exchange: Exchange, table: Table, select: tuple[str, ...]
    ) -> Callable[[Row], dict[str, object]]:
        accept = exchange.headers.get("accept", "").replace(" ", "").lower()
        as_text = self._switches.decimals_as_text or "ieee754compatible=true" in accept
        columns = [
            (name, table.places[name], _form(column, self._switches, as_text=as_text))
            for name, column in self._columns(table).items()
            if not select or name in select
        ]

        def write(row: Row) -> dict[str, object]:
            return {name: None if row[place] is None else form(row[place]) for name, place, form in columns}

        return write

    def _json(self, exchange: Exchange, body: object) -> Response:
        content = _ENCODER.encode(body)
        headers = {"content-type": _JSON, "OData-Version": "4.0"}
        if self._switches.gzip and "gzip" in exchange.headers.get("accept-encoding", ""):
            content = gzip.compress(content, compresslevel=1)
            headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
        return Response(content, headers=headers)


def _has_password(exchange: Exchange) -> bool:
    scheme, _, value = exchange.headers.get("authorization", "").partition(" ")
    expected = base64.b64encode(f"{ODATA_USER_NAME}:{ODATA_PASSWORD}".encode()).decode()
    return scheme.lower() == "basic" and value.strip() == expected


def _list_of(text: str) -> Iterator[str]:
    return (part.strip() for part in text.split(",") if part.strip())


def _order(table: Table, part: str) -> tuple[str, bool]:
    name, *direction = part.split()
    if name not in table.by_name or direction not in ([], ["asc"], ["desc"]):
        raise unknown_column(table, part)
    return name, direction == ["desc"]


def _number(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise invalid_query(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _is_skip(part: str) -> bool:
    return part.lower().startswith(("$skip=", "%24skip="))


def _form(column: Column, switches: Switches, *, as_text: bool) -> Callable[[Value], object]:
    """How a value is written in JSON."""
    if column.kind is Kind.DAY:
        suffix = {"utc": "T00:00:00Z", "offset": "T00:00:00+02:00", "date": ""}[switches.date_form]
        return lambda value: value.isoformat() + suffix if isinstance(value, dt.date) else None
    if column.kind is Kind.ROW_VERSION and switches.time_stamp != "number":
        encode = base64.urlsafe_b64encode if switches.time_stamp == "base64url" else base64.b64encode
        return lambda value: encode(value.to_bytes(8, "big")).decode() if isinstance(value, int) else None
    if column.kind in {Kind.DECIMAL, Kind.INTEGER} and as_text:
        return lambda value: f"{value:f}" if isinstance(value, Decimal) else str(value)
    if column.kind is Kind.INTEGER and switches.integers_with_point:
        return lambda value: Decimal(f"{value}.0")
    return lambda value: value
