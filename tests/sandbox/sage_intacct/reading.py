"""`query`: what may stand in it, and its answer. Each offset is a new query over the rows as they are now."""

from __future__ import annotations

import bisect
import csv
import datetime as dt
import io
import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.sage_intacct import aggregates, errors
from tests.sandbox.sage_intacct.answers import Answer
from tests.sandbox.sage_intacct.filters import Filters
from tests.sandbox.sage_intacct.shelves import comparable_key
from tests.sandbox.sage_intacct.values import comparable, read, unescaped, writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.sage_intacct.catalog import Catalog
    from tests.sandbox.sage_intacct.dictionary import ObjectType
    from tests.sandbox.sage_intacct.shelves import Shelf
    from tests.sandbox.sage_intacct.switches import Switches
    from tests.sandbox.sage_intacct.values import Column

_PARTS = {"object", "select", "filter", "orderby", "options", "pagesize", "offset", "docparid"}
_OPTIONS = ("caseinsensitive", "showprivate", "returnformat")
_FORMATS = {"xml", "json", "csv"}
_MOST_ROWS = 2000
_DEFAULT_ROWS = 100
_VIEWS = {"GLDETAIL"}
_BOUNDS = {
    "greaterthan": bisect.bisect_right,
    "greaterthanorequalto": bisect.bisect_left,
    "lessthan": bisect.bisect_left,
    "lessthanorequalto": bisect.bisect_right,
}


class Options(NamedTuple):
    """The options of a query."""

    fold: bool
    show_private: bool
    form: str


class Page(NamedTuple):
    """What part of the rows is asked for."""

    size: int
    offset: int


class Query:
    """Answers `query`."""

    def __init__(self, catalog: Catalog, switches: Switches) -> None:
        self._catalog = catalog
        self._switches = switches

    def answer(self, node: ET.Element, location: str | None) -> Answer:
        """The rows that a query asks for.

        Raises:
            Refusal: The query is none, or reads what the user may not read.
        """
        parts = _parts(node)
        name = _text(parts, "object")
        kind = self._catalog.find(name, _text(parts, "docparid") or None)
        self._catalog.permit(kind)
        if kind.name == "GLACCOUNTBALANCE":
            raise errors.forbidden(kind.name)  # only readByQuery reads it
        options = _options(parts.get("options"))
        page = Page(
            _number(parts, "pagesize", _DEFAULT_ROWS, range(1, _MOST_ROWS + 1)),
            _number(parts, "offset", 0, range(1_000_000_000)),
        )
        self._keep_from_breaking(kind, parts.get("filter"), page)
        select = parts.get("select")
        if select is None or not len(select):
            raise errors.bad_query("query needs a select with at least one field")
        shelf = self._catalog.shelves.shelf(kind.name)
        columns = self._columns(kind, select)
        rows = self._rows(kind, shelf, parts, options, location)
        if any(child.tag != "field" for child in select):
            return aggregates.answer(name, select, columns, rows, self._switches)
        return self._written(name, kind, columns, rows, page, options)

    def _columns(self, kind: ObjectType, select: ET.Element) -> list[Column]:
        paths = [(child.text or "").strip() for child in select]
        refused = [path for path in paths if self._catalog.refused(kind, path)]
        if refused:
            raise errors.refused_fields(kind.name, refused)
        return [self._catalog.resolve(kind, path) for path in paths]

    def _keep_from_breaking(self, kind: ObjectType, condition: ET.Element | None, page: Page) -> None:
        """Fail where the real one is known to break down.

        AUDITHISTORY needs a filter on its type and its time in practice; views break on wide ranges.
        """
        fields = set() if condition is None else {node.text for node in condition.iter("field")}
        if kind.name == "AUDITHISTORY" and not {"OBJECTTYPE", "ACCESSTIME"} <= fields:
            raise errors.failed()
        most = self._switches.broken_offset
        if most is not None and page.offset > most:
            raise errors.failed()
        days = self._switches.broken_span_days
        if days is not None and kind.name in _VIEWS:
            span = _span(condition)
            if "BATCHKEY" not in fields and (span is None or span > dt.timedelta(days=days)):
                raise errors.failed()

    # --------------------------------------------------------------- rows

    def _rows(
        self,
        kind: ObjectType,
        shelf: Shelf,
        parts: dict[str, ET.Element],
        options: Options,
        location: str | None,
    ) -> list[Any]:
        rows = shelf.visible(location, show_private=options.show_private)
        document = _text(parts, "docparid")
        if document and "DOCPARID" in kind.fields:
            definition = shelf.get("DOCPARID")
            rows = [row for row in rows if definition(row) == document]
        condition = parts.get("filter")
        if condition is not None:
            rows = self._filtered(kind, shelf, condition, (location, document, options), rows)
        order = parts.get("orderby")
        if order is None:
            return self._catalog.shelves.shuffled(rows, shelf) if self._switches.unordered else rows
        return self._ordered(kind, shelf, order, options, rows)

    def _filtered(
        self,
        kind: ObjectType,
        shelf: Shelf,
        condition: ET.Element,
        view: tuple[str | None, str, Options],
        rows: list[Any],
    ) -> list[Any]:
        """The rows that match. What is left without bounds on a number is kept for the next page, in its order."""
        filters = Filters(
            kind.name,
            lambda path: self._catalog.resolve(kind, path),
            fold=view[-1].fold,
            switches=self._switches,
        )
        matches = filters.compile(condition)
        field = _bounded(condition, kind, shelf)
        if field is None:
            return shelf.kept((*view, _canonical(condition)), lambda: list(filter(matches, rows)))
        bounds, rest = _split(condition, field)
        get: Callable[[Any], Any] = shelf.get(field)

        def without_bounds() -> list[Any]:
            remaining = rows if rest is None else filter(filters.operator(rest), rows)
            return sorted((row for row in remaining if get(row) is not None), key=get)

        name = (*view, "" if rest is None else _canonical(rest), "without bounds", field)
        found = shelf.kept(name, without_bounds)
        low, high = 0, len(found)
        for bound in bounds:
            value = read(kind.name, kind.fields[field], bound.findtext("value") or "", self._switches)
            place = _BOUNDS[bound.tag](found, value, key=get)
            if bound.tag.startswith("greater"):
                low = max(low, place)
            else:
                high = min(high, place)
        return found[low:high]

    def _ordered(
        self, kind: ObjectType, shelf: Shelf, order: ET.Element, options: Options, rows: list[Any]
    ) -> list[Any]:
        steps = [self._step(kind, child) for child in order]
        if not steps:
            raise errors.bad_query("orderby needs at least one order")
        if [(column.id, down) for column, down in steps] == [(shelf.key, False)]:
            return rows  # they are in this order
        for column, down in reversed(steps):
            rows = sorted(rows, key=self._order_key(column, options), reverse=down)
        return rows

    def _step(self, kind: ObjectType, node: ET.Element) -> tuple[Column, bool]:
        fields, ways = node.findall("field"), [each.tag for each in node if each.tag != "field"]
        if node.tag != "order" or len(fields) != 1 or len(ways) > 1 or {*ways} - {"ascending", "descending"}:
            raise errors.bad_query("an order holds one field and ascending or descending")
        return self._catalog.resolve(kind, (fields[0].text or "").strip()), ways == ["descending"]

    def _order_key(self, column: Column, options: Options) -> Callable[[Any], Any]:
        how = self._switches.text_keys_compare if column.field.id == "RECORDNO" else "text"
        return lambda row: comparable_key(comparable(column.get(row), fold=options.fold), how)

    # ------------------------------------------------------------ writing

    def _written(
        self,
        name: str,
        kind: ObjectType,
        columns: list[Column],
        rows: list[Any],
        page: Page,
        options: Options,
    ) -> Answer:
        shown = rows[page.offset : page.offset + page.size]
        writers = [
            (column.id, column.get, writer(kind.name, column.field, "query", self._switches))
            for column in columns
        ]
        if options.form == "json":
            return Answer(_as_json(writers, shown), "application/json")
        if options.form == "csv":
            return Answer(_as_csv(writers, shown), "text/csv")
        left = max(0, len(rows) - page.offset - len(shown))
        counts = f'totalcount="{len(rows)}" offset="{page.offset}" count="{len(shown)}" numremaining="{left}"'
        parts = [f'<data listtype="{name}" {counts}>']
        for row in shown:
            parts.append(f"<{name}>")
            parts.extend(f"<{field}>{write(get(row))}</{field}>" for field, get, write in writers)
            parts.append(f"</{name}>")
        parts.append("</data>")
        return Answer("".join(parts))


_Writer = tuple[str, "Callable[[Any], Any]", "Callable[[Any], str]"]


def _as_json(writers: list[_Writer], rows: list[Any]) -> str:
    """A bare array of flat objects, all values strings."""
    return json.dumps([{field: unescaped(write(get(row))) for field, get, write in writers} for row in rows])


def _as_csv(writers: list[_Writer], rows: list[Any]) -> str:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([field for field, _, _ in writers])
    table.writerows([unescaped(write(get(row))) for _, get, write in writers] for row in rows)
    return out.getvalue()


# ------------------------------------------------------------------ reading


def _parts(node: ET.Element) -> dict[str, ET.Element]:
    strange = [child.tag for child in node if child.tag not in _PARTS]
    if strange:
        raise errors.bad_query(f"query may not hold {strange[0]}")
    parts = {child.tag: child for child in node}
    if len(parts) != len(node):
        raise errors.bad_query("query holds an element twice")
    return parts


def _text(parts: dict[str, ET.Element], name: str) -> str:
    return (parts[name].text or "").strip() if name in parts else ""


def _number(parts: dict[str, ET.Element], name: str, default: int, allowed: range) -> int:
    text = _text(parts, name)
    if not text:
        return default
    if not text.isdecimal() or int(text) not in allowed:
        raise errors.bad_query(f"{name} must be between {allowed.start} and {allowed.stop - 1}, not {text}")
    return int(text)


def _options(node: ET.Element | None) -> Options:
    """The options; they are a sequence."""
    texts = {} if node is None else {child.tag: (child.text or "").strip() for child in node}
    places = [_OPTIONS.index(name) for name in texts if name in _OPTIONS]
    if len(places) != (0 if node is None else len(node)) or places != sorted(places):
        raise errors.bad_query(f"options must be {', '.join(_OPTIONS)}, in this order")
    flags = {"true": True, "false": False}
    form = texts.get("returnformat", "xml")
    if form not in _FORMATS or any(texts.get(name, "true") not in flags for name in _OPTIONS[:2]):
        raise errors.bad_query("an option has a value that it cannot have")
    return Options(
        flags[texts.get("caseinsensitive", "false")], flags[texts.get("showprivate", "false")], form
    )


def _bounded(condition: ET.Element, kind: ObjectType, shelf: Shelf) -> str | None:
    """The whole number of the rows' own that a filter bounds: their key, or another one."""
    bounded = {each.findtext("field") or "" for each in _conditions(condition) if each.tag in _BOUNDS}
    numbers = sorted(
        field
        for field in bounded & shelf.columns.keys()
        if field in kind.fields and kind.fields[field].datatype == "INTEGER"
    )
    return shelf.key if shelf.key in numbers else next(iter(numbers), None)


def _conditions(condition: ET.Element) -> list[ET.Element]:
    """What all must hold."""
    return list(condition[0]) if condition[0].tag == "and" else [condition[0]]


def _split(condition: ET.Element, key: str) -> tuple[list[ET.Element], ET.Element | None]:
    """Bounds on the key, and the rest of a filter without them."""
    conditions = _conditions(condition)
    bounds = [each for each in conditions if each.tag in _BOUNDS and each.findtext("field") == key]
    rest = [each for each in conditions if each not in bounds]
    if not rest:
        return bounds, None
    if len(rest) == 1:
        return bounds, rest[0]
    together = ET.Element("and")
    together.extend(rest)
    return bounds, together


def _canonical(node: ET.Element) -> bytes:
    return b"".join(part.strip() for part in ET.tostring(node, "utf-8").splitlines())


def _span(condition: ET.Element | None) -> dt.timedelta | None:
    """How far the bounds on WHENMODIFIED lie apart; None when one is missing."""
    found: dict[bool, dt.datetime] = {}
    for node in () if condition is None else condition.iter():
        if node.findtext("field") == "WHENMODIFIED" and node.tag in _BOUNDS:
            text = (node.findtext("value") or "").split(" ")
            day = dt.datetime.strptime(text[0], "%m/%d/%Y").replace(tzinfo=dt.UTC)
            clock = dt.time.fromisoformat(text[1]) if len(text) > 1 else dt.time()
            found[node.tag.startswith("greater")] = dt.datetime.combine(day, clock, tzinfo=dt.UTC)
    return found[False] - found[True] if len(found) == 2 else None
