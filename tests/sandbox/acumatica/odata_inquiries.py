"""Generic inquiries over OData: `/t/{tenant}/api/odata/gi/…`, and the older `/odata/{tenant}/…` in OData v3."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from tests.sandbox.acumatica import INSTANCE, errors, wire
from tests.sandbox.acumatica.dialects import inquiry_dialect
from tests.sandbox.acumatica.exchange import json_answer
from tests.sandbox.acumatica.generic import GENERIC_INQUIRIES
from tests.sandbox.acumatica.grammar import CustomPath, FilterError, Path, parse
from tests.sandbox.acumatica.predicates import Binding, Column, compiled, fields_of
from tests.sandbox.acumatica.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.acumatica.exchange import Exchange
    from tests.sandbox.acumatica.gate import Gate
    from tests.sandbox.acumatica.generic import GenericInquiry, Result
    from tests.sandbox.acumatica.grammar import Dialect
    from tests.sandbox.acumatica.seats import Session
    from tests.sandbox.acumatica.shelves import Shelves
    from tests.sandbox.acumatica.switches import Switches
    from tests.sandbox.acumatica.view import View
    from tests.sandbox.acumatica.wire import Value

_LEGACY = f"/{INSTANCE}/odata/"
_NEW = f"/{INSTANCE}/t/"
_ALLOWED = frozenset({"$filter", "$select", "$orderby", "$top", "$skip", "$format"})
_CALL = re.compile(r"(?P<title>.+)_WithParameters\((?P<given>.*)\)")
_GIVEN = re.compile(r"\s*(\w+)\s*=\s*'((?:[^']|'')*)'\s*(?:,|$)")
_EDM = "http://schemas.microsoft.com/ado/2009/11/edm"
_TYPES = {
    Kind.STRING: "Edm.String",
    Kind.DECIMAL: "Edm.Decimal",
    Kind.INT: "Edm.Int32",
    Kind.STAMP: "Edm.DateTime",
    Kind.DAY: "Edm.DateTime",
}


@dataclasses.dataclass(frozen=True)
class _Query:
    """One call for one inquiry."""

    inquiry: GenericInquiry
    view: View
    locale: str
    zone: dt.tzinfo
    is_legacy: bool
    options: dict[str, str]

    def result(self, name: str) -> Result:
        """The column of a name.

        Raises:
            FilterError: There is none.
        """
        for result in self.inquiry.results:
            if result.name == name:
                return result
        raise FilterError(f"Could not find a property named '{name}' on type '{self.inquiry.title}'.")

    def shown(self, result: Result) -> Callable[[Any], Value]:
        """A function from a row to what users see: labels, and moments in their own time."""
        choices = result.choices
        if choices is None:
            return lambda row: result.read(row, self.view)
        return lambda row: choices.label(str(result.read(row, self.view)), self.locale)


class InquiryOData:
    """Answers calls for generic inquiries. Callers hold the lock of the world."""

    def __init__(self, shelves: Shelves, gate: Gate, switches: Switches) -> None:
        self._shelves = shelves
        self._gate = gate
        self._switches = switches

    def answer(self, exchange: Exchange) -> Response:
        """Answer one call to either address.

        Raises:
            Refusal: Any answer that is no success.
        """
        is_legacy, tenant, path = self._address(exchange.path)
        session = self._gate.admit_odata(exchange, tenant)
        root = exchange.path[: len(exchange.path) - len(path)].rstrip("/")
        if path == "$metadata":
            return Response(_metadata(), media_type="application/xml")
        context = "odata.metadata" if is_legacy else "@odata.context"
        if not path:
            sets = [{"name": each.title, "url": each.title} for each in _exposed()]
            return json_answer({context: f"{exchange.base_url}{root}/$metadata", "value": sets})
        inquiry, given = self._wanted(session, path)
        query = _Query(
            inquiry,
            self._shelves.view(session.tenant),
            session.locale,
            wire.zone_of(self._switches.user_zone_minutes),
            is_legacy,
            _checked(exchange.options),
        )
        with errors.odata_filter_errors():
            if _touches_formula(query):
                # the server gives up on such a query without a word
                return Response(b"", headers={"content-type": "application/json; charset=utf-8"})
            rows = self._rows(query, given)
            written = [self._written(query, row) for row in rows]
        return json_answer(
            {context: f"{exchange.base_url}{root}/$metadata#{inquiry.title}", "value": written}
        )

    def _address(self, path: str) -> tuple[bool, str, str]:
        """Whether it is the older address, the tenant, and the rest of the path."""
        if path.startswith(_LEGACY) and self._switches.legacy_odata_url:
            tenant, _, rest = path.removeprefix(_LEGACY).partition("/")
            return True, tenant, rest
        if path.startswith(_NEW) and self._switches.new_odata_url:
            tenant, _, rest = path.removeprefix(_NEW).partition("/")
            return False, tenant, rest.removeprefix("api/odata/gi").removeprefix("/")
        raise errors.html_refusal(404, "The resource cannot be found.")

    def _wanted(self, session: Session, path: str) -> tuple[GenericInquiry, dict[str, str]]:
        call = _CALL.fullmatch(path)
        inquiry = GENERIC_INQUIRIES.get(call["title"] if call else path)
        if inquiry is None or not inquiry.is_exposed or (call and not inquiry.parameters):
            raise errors.odata_refusal(404, f"Resource not found for the segment '{path}'.")
        if inquiry.screen in self._gate.forbidden_forms(session):
            raise errors.odata_refusal(403, f"Access to the {inquiry.title} inquiry is forbidden.")
        return inquiry, _parameters(inquiry, call["given"]) if call else {}

    def _rows(self, query: _Query, given: dict[str, str]) -> list[Any]:
        rows = query.inquiry.rows(query.view, given)
        text = query.options.get("$filter", "").strip()
        if text:
            matches = compiled(
                parse(text, _dialect(query)), Binding(_columns(query), compares_functions=True)
            )
            rows = [row for row in rows if matches(row)]
        skip, top = _count(query.options, "$skip") or 0, _count(query.options, "$top")
        order = query.options.get("$orderby", "")
        if order:
            rows = _ordered(query, rows, order)
        elif skip and self._switches.inquiry_order_is_loose:
            rows = rows[::-1]
        return rows[skip:] if top is None else rows[skip : skip + top]

    def _written(self, query: _Query, row: object) -> dict[str, object]:
        wanted = [name.strip() for name in query.options.get("$select", "").split(",") if name.strip()]
        results = [query.result(name) for name in wanted] or list(query.inquiry.results)
        return {
            result.name: self._form(result.kind, query.shown(result)(row), query.zone) for result in results
        }

    def _form(self, kind: Kind, value: Value, zone: dt.tzinfo) -> object:
        if value is None:
            return None
        if isinstance(value, dt.datetime):
            return wire.stamp(value, zone)[: -len("+00:00")]
        if isinstance(value, dt.date):
            return f"{value.isoformat()}T00:00:00"
        if kind is Kind.DECIMAL and self._switches.inquiry_decimals_as_text:
            return str(value)
        return value


def _exposed() -> list[GenericInquiry]:
    return [each for each in GENERIC_INQUIRIES.values() if each.is_exposed]


def _checked(options: dict[str, str]) -> dict[str, str]:
    for name in options:
        if name.startswith("$") and name not in _ALLOWED:
            raise errors.odata_refusal(400, f"The query option '{name}' is not allowed.")
    return options


def _parameters(inquiry: GenericInquiry, text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _GIVEN.match(text, at)
        if found is None or found[1] not in inquiry.parameters:
            raise errors.odata_refusal(400, f"The parameters '{text}' do not fit {inquiry.title}.")
        given[found[1]] = found[2].replace("''", "'")
        at = found.end()
    if set(given) != set(inquiry.parameters):
        raise errors.odata_refusal(400, f"{inquiry.title} wants all of its parameters.")
    return given


def _dialect(query: _Query) -> Dialect:
    return inquiry_dialect(query.zone, is_legacy=query.is_legacy)


def _touches_formula(query: _Query) -> bool:
    """Whether a formula column is filtered or sorted by.

    Raises:
        FilterError: The filter cannot be read, or a column is unknown.
    """
    names = [part.split()[0] for part in query.options.get("$orderby", "").split(",") if part.strip()]
    text = query.options.get("$filter", "").strip()
    if text:
        names.extend(path.names[0] for path in fields_of(parse(text, _dialect(query))))
    return any(query.result(name).is_formula for name in names)


def _columns(query: _Query) -> Callable[[Path | CustomPath], Column]:
    def column(path: Path | CustomPath) -> Column:
        result = query.result("/".join(path.names))
        shown = query.shown(result)
        if result.kind is not Kind.DAY:
            return Column(result.kind, shown)

        def midnight(row: object) -> Value:
            day = shown(row)
            return dt.datetime.combine(day, dt.time(), query.zone) if isinstance(day, dt.date) else day

        return Column(Kind.STAMP, midnight)

    return column


def _ordered(query: _Query, rows: list[Any], text: str) -> list[Any]:
    rows = list(rows)
    for part in reversed([part for part in text.split(",") if part.strip()]):
        name, *direction = part.split()
        if direction not in ([], ["asc"], ["desc"]):
            raise FilterError(f"Syntax error in '{part}'.")
        shown = query.shown(query.result(name))

        def key(row: object, shown: Callable[[Any], Value] = shown) -> tuple[bool, Any]:
            value = shown(row)
            return value is not None, value.casefold() if isinstance(value, str) else value

        rows.sort(key=key, reverse=direction == ["desc"])
    return rows


def _count(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise errors.odata_refusal(400, f"Invalid value '{text}' for {name}.")
    return int(text)


def _metadata() -> bytes:
    root = ET.Element(
        "edmx:Edmx", {"Version": "1.0", "xmlns:edmx": "http://schemas.microsoft.com/ado/2007/06/edmx"}
    )
    services = ET.SubElement(root, "edmx:DataServices")
    schema = ET.SubElement(services, "Schema", {"Namespace": "PX.Data", "xmlns": _EDM})
    for inquiry in _exposed():
        described = ET.SubElement(schema, "EntityType", {"Name": inquiry.title.replace(" ", "_")})
        for result in inquiry.results:
            ET.SubElement(described, "Property", {"Name": result.name, "Type": _TYPES[result.kind]})
    container = ET.SubElement(schema, "EntityContainer", {"Name": "Container"})
    for inquiry in _exposed():
        kind = f"PX.Data.{inquiry.title.replace(' ', '_')}"
        ET.SubElement(container, "EntitySet", {"Name": inquiry.title, "EntityType": kind})
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
