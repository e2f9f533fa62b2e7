"""The REST API: who may call, what it costs, and which handler answers."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from tests.sandbox.exact_online import errors
from tests.sandbox.exact_online.endpoints import ENDPOINTS, Endpoint
from tests.sandbox.exact_online.lists import Address, Lists, address
from tests.sandbox.exact_online.printing import json_answer, wire
from tests.sandbox.exact_online.rows.accounts import nothing
from tests.sandbox.exact_online.shapes import SHAPES
from tests.sandbox.exact_online.tables import Table

if TYPE_CHECKING:
    from starlette.responses import Response

    from tests.sandbox.exact_online.counters import Counters
    from tests.sandbox.exact_online.exchange import Exchange
    from tests.sandbox.exact_online.limits import Limits
    from tests.sandbox.exact_online.oauth import Identity
    from tests.sandbox.exact_online.switches import Switches
    from tests.sandbox.exact_online.system import System
    from tests.sandbox.exact_online.tables import Tables
    from tests.sandbox.exact_online.webhooks import Webhooks

_ROOT = "/api/v1/"
_DIVISION = re.compile(r"/api/v1/(\d+)/(.+)")
_SYNC_TIMESTAMP = "read/sync/Sync/SyncTimestamp"
_SUBSCRIPTIONS = "webhooks/WebhookSubscriptions"
_DIVISIONS = frozenset({"system/Divisions", "system/AllDivisions", "hrm/Divisions"})
_ME = "current/Me"
_NO_ACCESS = "Forbidden - User division is not within division scope."


class Api:
    """Answers everything below `/api/v1/`. Whoever calls holds the lock of the company."""

    def __init__(
        self,
        *,
        identity: Identity,
        limits: Limits,
        counters: Counters,
        tables: Tables,
        system: System,
        webhooks: Webhooks,
        switches: Switches,
    ) -> None:
        self._identity = identity
        self._limits = limits
        self._counters = counters
        self._tables = tables
        self._system = system
        self._webhooks = webhooks
        self._switches = switches
        self._lists = Lists(tables, switches)
        self._special = {path: Endpoint(SHAPES[path], nothing) for path in (*_DIVISIONS, _ME, "sync/Deleted")}

    def answer(self, exchange: Exchange) -> Response:
        """Answer one call; whatever is refused is refused in the caller's format."""
        division, endpoint = division_of(exchange.path), _endpoint_of(exchange.path)
        try:
            self._limits.check_key()
            token = self._identity.check(exchange)
            if exchange.path == _ROOT + _ME:
                response = self._me(exchange)
            else:
                place = self._place(exchange)
                self._check_division(division)
                self._limits.spend(division, place.endpoint)
                response = self._divisional(exchange, division, place)
            self._identity.check_alive(token)
        except errors.Refusal as refusal:
            self._limits.note(division, endpoint, refusal.status)
            response = refusal.response(as_json=exchange.wants_json)
            if refusal.status in {401, 429}:
                return response
        if division in self._system.divisions():
            for name, value in self._limits.headers(division).items():
                response.headers.setdefault(name, value)
        return response

    # ------------------------------------------------------------------ who and where

    def _place(self, exchange: Exchange) -> Address:
        if len(exchange.path) + len(exchange.query) > self._switches.request_line_limit:
            raise errors.Refusal(414, "Request-URI Too Long")
        found = _DIVISION.fullmatch(exchange.path)
        if found is None:
            raise errors.not_found()
        if not exchange.wants_json:
            self._counters.without_json += 1
            if "application/xml" in exchange.headers.get("accept", "").lower():
                raise errors.Refusal(415, "Unsupported media type requested.")
        return address(found[2])

    def _check_division(self, division: int) -> None:
        known = self._system.divisions().get(division)
        if known is None or not known.accessible:
            raise errors.forbidden(_NO_ACCESS, "NoDivisionAccess")
        reason = self._switches.division_reasons.get(division)
        if reason is not None:
            raise errors.forbidden("Forbidden", reason)

    def _check_right(self, path: str) -> None:
        text = self._switches.forbidden.get(path)
        if text is not None:
            raise errors.forbidden(text)

    # ------------------------------------------------------------------ handlers

    def _me(self, exchange: Exchange) -> Response:
        endpoint = self._special[_ME]
        table = Table([self._system.me_row()])
        return self._lists.answer(_with_top(exchange), 0, endpoint, table, Address(_ME, None, ""))

    def _divisional(self, exchange: Exchange, division: int, place: Address) -> Response:
        path = place.endpoint
        self._check_right(path)
        if path == _SUBSCRIPTIONS:
            return self._webhooks.answer(exchange, division, place)
        if exchange.method != "GET":
            self._counters.writes += 1
            raise errors.Refusal(405, "This sandbox is read only.", {"Allow": "GET"})
        if path == _SYNC_TIMESTAMP:
            return self._function(exchange, division)
        endpoint, table = self._listed(division, path)
        if path in self._switches.empty:
            table = Table([])
        return self._lists.answer(exchange, division, endpoint, table, place)

    def _listed(self, division: int, path: str) -> tuple[Endpoint, Table]:
        if path in _DIVISIONS:
            return self._special[path], Table(self._system.division_rows(path, division))
        if path == "sync/Deleted":
            return self._special[path], Table(self._system.deleted_rows(division))
        endpoint = ENDPOINTS.get(path)
        if endpoint is None:
            raise errors.not_found()
        return endpoint, self._tables.table(division, endpoint.source)

    def _function(self, exchange: Exchange, division: int) -> Response:
        row = self._system.sync_timestamp(division, exchange.options)
        properties = SHAPES[_SYNC_TIMESTAMP].properties
        entry = {name: wire(row.values.get(name), kind) for name, kind in properties.items()}
        if _SYNC_TIMESTAMP in self._switches.bare_lists:
            return json_answer({"d": [entry]})
        return json_answer({"d": {"results": [entry]}})


def division_of(path: str) -> int:
    """The division in a path; 0 when there is none."""
    found = _DIVISION.fullmatch(path)
    return int(found[1]) if found else 0


def _endpoint_of(path: str) -> str:
    """What errors are counted by: the path below the division, without keys."""
    found = _DIVISION.fullmatch(path)
    return (found[2] if found else path.removeprefix(_ROOT)).partition("(")[0]


def _with_top(exchange: Exchange) -> Exchange:
    """`current/Me` is one row and needs no `$select`."""
    if "$select" in exchange.options or "$top" in exchange.options:
        return exchange
    return dataclasses.replace(exchange, query="&".join(filter(None, (exchange.query, "$top=1"))))
