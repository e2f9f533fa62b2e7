"""DAC-based OData v4: `/t/{tenant}/api/odata/dac/…`, and the older `/odatav4/{tenant}/…`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from tests.sandbox.acumatica import INSTANCE, csdl, dac, errors, wire
from tests.sandbox.acumatica.exchange import json_answer
from tests.sandbox.acumatica.odata_options import Ask, ask_of
from tests.sandbox.acumatica.odata_rows import Reader, RowPlan, deletion_binding
from tests.sandbox.acumatica.predicates import compiled, window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.acumatica.dac.shapes import Dac
    from tests.sandbox.acumatica.exchange import Exchange
    from tests.sandbox.acumatica.gate import Gate
    from tests.sandbox.acumatica.seats import Session
    from tests.sandbox.acumatica.shelves import Shelves
    from tests.sandbox.acumatica.switches import Switches
    from tests.sandbox.company.world import World

T = TypeVar("T")

_JSON = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"
_NEW = f"/{INSTANCE}/t/"
_LEGACY = f"/{INSTANCE}/odatav4/"
_DELETED = "px.GetDeletedRecords()"
_CURSOR = frozenset({"LastModifiedDateTime"})


class DacOData:
    """Answers calls of DAC-based OData. Callers hold the lock of the world."""

    def __init__(self, world: World, shelves: Shelves, gate: Gate, switches: Switches) -> None:
        self._world = world
        self._shelves = shelves
        self._gate = gate
        self._switches = switches

    def answer(self, exchange: Exchange) -> Response:
        """Answer one call to either address.

        Raises:
            Refusal: Any answer that is no success.
        """
        tenant, path = self._address(exchange.path)
        session = self._gate.admit_odata(exchange, tenant)
        root = exchange.path[: len(exchange.path) - len(path)].rstrip("/")
        if path == "$metadata":
            return Response(csdl.document(self._switches), media_type="application/xml")
        if not path:
            return self._service_document(exchange.base_url + root)
        name, _, function = path.partition("/")
        target = dac.find(name)
        if target is None:
            raise errors.odata_refusal(404, f"Resource not found for the segment '{name}'.")
        self._check_rights(session, target)
        if function == _DELETED:
            return self._deleted(exchange, session, target, root)
        if function:
            raise errors.odata_refusal(404, f"Resource not found for the segment '{function}'.")
        return self._list(exchange, session, target, root)

    def _address(self, path: str) -> tuple[str, str]:
        """Tenant and the rest of the path."""
        if path.startswith(_LEGACY) and self._switches.legacy_odata_url:
            tenant, _, rest = path.removeprefix(_LEGACY).partition("/")
            return tenant, rest
        tenant, _, rest = path.removeprefix(_NEW).partition("/")
        if path.startswith(_NEW) and self._switches.new_odata_url and f"{rest}/".startswith("api/odata/dac/"):
            return tenant, rest.removeprefix("api/odata/dac").removeprefix("/")
        raise errors.html_refusal(404, "The resource cannot be found.")

    def _check_rights(self, session: Session, target: Dac[Any]) -> None:
        forbidden = target.name in self._switches.forbidden_dacs
        if forbidden or target.screen in self._gate.forbidden_forms(session):
            raise errors.odata_refusal(403, f"Access to the {target.name} entity set is forbidden.")

    def _service_document(self, root: str) -> Response:
        sets = [
            {"name": each.long_name, "kind": "EntitySet", "url": each.long_name} for each in dac.DACS.values()
        ]
        return json_answer({"@odata.context": f"{root}/$metadata", "value": sets}, content_type=_JSON)

    def _reader(self, session: Session) -> Reader:
        return Reader(self._shelves, session.tenant, self._switches)

    def _list(self, exchange: Exchange, session: Session, target: Dac[Any], root: str) -> Response:
        ask = ask_of(exchange.options)
        reader = self._reader(session)
        plan = RowPlan(target, ask.shape, reader)
        rows = self._matching(exchange, ask, target, reader)
        page, extra = self._page(exchange, ask, rows)
        return _listing(exchange.base_url + root, target, [plan.write(row) for row in page], extra)

    def _page(self, exchange: Exchange, ask: Ask, rows: list[T]) -> tuple[list[T], dict[str, str]]:
        """The rows that are asked for, as many as the site gives at a time, and where the rest is."""
        end = None if ask.top is None else ask.skip + ask.top
        page, limit = rows[ask.skip : end], self._switches.dac_page_limit
        if limit is None or len(page) <= limit:
            return page, {}
        return page[:limit], {"@odata.nextLink": _next_link(exchange, ask, limit)}

    def _matching(self, exchange: Exchange, ask: Ask, target: Dac[Any], reader: Reader) -> list[Any]:
        archived = exchange.headers.get("px-apiarchive", "").upper() == "SHOW"
        shown = _shown(target, archived=archived)
        matches: Callable[[Any], bool] = shown
        limits: tuple[dt.datetime | None, dt.datetime | None] = (None, None)
        expression = ask.filter
        if expression is not None:
            with errors.odata_filter_errors():
                test = compiled(expression, reader.binding(target))
            matches = lambda row: shown(row) and test(row)  # noqa: E731 - one of two tests, by case
            limits = window(expression, _CURSOR)
        order = reader.ordering(target, ask.order) if ask.order else None
        name = f"{archived}|{ask.filter_text}|{ask.order}|{self._switches.user_zone_minutes}"
        return reader.shelf(target).select(name, matches, limits, order)

    def _deleted(self, exchange: Exchange, session: Session, target: Dac[Any], root: str) -> Response:
        """`px.GetDeletedRecords()`: NoteID and DeleteDate, for so many days on the company's clock."""
        if target.name not in self._switches.tracked_dacs:
            raise errors.odata_refusal(400, f"Deleted records of {target.name} are not tracked.")
        ask = ask_of(exchange.options)
        company = self._shelves.view(session.tenant).company
        kept_since = self._world.company.clock - dt.timedelta(days=self._switches.deletion_retention_days)
        found = [
            deletion
            for deletion in company.deletions
            if deletion.table in target.deleted_from and deletion.deleted_at >= kept_since
        ]
        if ask.filter is not None:
            with errors.odata_filter_errors():
                matches = compiled(ask.filter, deletion_binding())
            found = [deletion for deletion in found if matches(deletion)]
        zone = wire.zone_of(self._switches.user_zone_minutes)
        page, extra = self._page(exchange, ask, found)
        told: list[dict[str, object]] = [
            {"NoteID": deletion.note_id, "DeleteDate": wire.stamp(deletion.deleted_at, zone)}
            for deletion in page
        ]
        return _listing(exchange.base_url + root, target, told, extra)


def _listing(
    root: str, target: Dac[Any], rows: list[dict[str, object]], extra: dict[str, str] | None = None
) -> Response:
    context = {"@odata.context": f"{root}/$metadata#{target.long_name}"}
    return json_answer({**context, "value": rows, **(extra or {})}, content_type=_JSON)


def _shown(target: Dac[Any], *, archived: bool) -> Callable[[Any], bool]:
    is_archived = target.archived
    if archived or is_archived is None:
        return lambda _: True
    return lambda row: not is_archived(row)


def _next_link(exchange: Exchange, ask: Ask, limit: int) -> str:
    options = {**exchange.options, "$skip": str(ask.skip + limit)}
    if ask.top is not None:
        options["$top"] = str(ask.top - limit)
    return f"{exchange.base_url}{exchange.path}?{urlencode(options)}"
