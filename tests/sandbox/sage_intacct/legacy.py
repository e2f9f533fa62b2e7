"""The older reading functions: readByQuery with its cursor, readMore, read and readByName."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from tests.sandbox.sage_intacct import errors, tables_periods
from tests.sandbox.sage_intacct.answers import Answer
from tests.sandbox.sage_intacct.catalog import LEGACY_FIELDS, Catalog
from tests.sandbox.sage_intacct.sessions import Cursor, Session
from tests.sandbox.sage_intacct.sql import Conditions
from tests.sandbox.sage_intacct.values import writer

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from tests.sandbox.sage_intacct.dictionary import ObjectType
    from tests.sandbox.sage_intacct.switches import Switches
    from tests.sandbox.sage_intacct.values import Column

_MOST_ROWS = 1000
_DEFAULT_ROWS = 100


class Legacy:
    """Answers functions that know cursors, `*` and the database's own codes."""

    def __init__(self, catalog: Catalog, switches: Switches) -> None:
        self._catalog = catalog
        self._switches = switches

    def read_by_query(self, node: ET.Element, session: Session) -> Answer:
        """The first page, and a resultId for the rest.

        Raises:
            Refusal: The query is none, or reads what the user may not read.
        """
        kind = self._catalog.find((node.findtext("object") or "").strip(), node.findtext("docparid") or None)
        self._catalog.permit(kind)
        columns = self._columns(kind, node.findtext("fields") or "*")
        text = (node.findtext("query") or "").strip()
        size = (node.findtext("pagesize") or str(_DEFAULT_ROWS)).strip()
        if not size.isdecimal() or not 1 <= int(size) <= _MOST_ROWS:
            raise errors.bad_query(f"pagesize must be between 1 and {_MOST_ROWS}, not {size}")
        if (node.findtext("returnFormat") or "xml").lower() != "xml":
            raise errors.bad_query("returnFormat must be xml")
        shelf = self._catalog.shelves.shelf(kind.name)
        rows = shelf.visible(session.location, show_private=True)
        if kind.name == "GLACCOUNTBALANCE":
            rows = self._balances(kind, text, session)
        elif text:
            matches = Conditions(kind, self._catalog, self._switches).compile(text)
            rows = [row for row in rows if matches(row)]
        cursor = Cursor(kind.name, columns, rows, 0, int(size))
        result_id = secrets.token_hex(16)
        session.cursors[result_id] = cursor
        return self._page(cursor, result_id)

    def _balances(self, kind: ObjectType, text: str, session: Session) -> list[Any]:
        """The balances of the one period that the query has to name."""
        conditions = Conditions(kind, self._catalog, self._switches)
        matches = conditions.compile(text) if text else None
        period = conditions.equal.get("PERIOD")
        if matches is None or period is None:
            raise errors.bad_query("A filter on PERIOD is required for GLACCOUNTBALANCE")
        has_location = session.location is not None or "LOCATIONID" in conditions.equal
        if self._switches.multi_currency_balances and not has_location:
            raise errors.bad_query("A location is required: the entities have different base currencies")
        return [
            row
            for row in tables_periods.balances(self._catalog.shelves.view, period)
            if session.location in {None, row.place.branch} and matches(row)
        ]

    def read_more(self, node: ET.Element, session: Session) -> Answer:
        """The next page of a cursor, by its id or by the object it reads.

        Raises:
            Refusal: There is no such cursor in this session.
        """
        result_id = (node.findtext("resultId") or "").strip()
        name = (node.findtext("object") or "").strip().upper()
        if not result_id and name:
            known = [key for key, each in session.cursors.items() if each.name.upper() == name]
            result_id = known[-1] if known else ""
        cursor = session.cursors.get(result_id)
        if cursor is None:
            raise errors.cursor_lost(result_id)
        return self._page(cursor, result_id)

    def read(self, node: ET.Element, session: Session, *, by_name: bool) -> Answer:
        """Records by their keys; `*` brings their lines too.

        Raises:
            Refusal: There is no such object or field.
        """
        kind = self._catalog.find((node.findtext("object") or "").strip(), node.findtext("docparid") or None)
        self._catalog.permit(kind)
        fields = node.findtext("fields") or "*"
        columns = self._columns(kind, fields)
        keys = [key.strip() for key in (node.findtext("keys") or "").split(",") if key.strip()]
        shelf = self._catalog.shelves.shelf(kind.name)
        index = shelf.table.natural if by_name else shelf.key
        seen = {id(row) for row in shelf.visible(session.location, show_private=True)}
        found = [shelf.find(index or shelf.key, key) for key in keys]
        rows = [row for row in found if row is not None and id(row) in seen]
        inner = "".join(self._record(kind, columns, row, nested=fields == "*") for row in rows)
        return Answer(f'<data listtype="{kind.name.lower()}" count="{len(rows)}">{inner}</data>')

    def _columns(self, kind: ObjectType, fields: str) -> list[Column]:
        if fields.strip() == "*":
            paths = [path for path in kind.fields if not self._catalog.refused(kind, path)]
            paths += LEGACY_FIELDS.get(kind.name, {})
        else:
            paths = [path.strip() for path in fields.split(",")]
        return [self._catalog.resolve(kind, path, legacy=True) for path in paths]

    def _page(self, cursor: Cursor, result_id: str) -> Answer:
        kind = self._catalog.find(cursor.name)
        shown = cursor.rows[cursor.position : cursor.position + cursor.page_size]
        cursor.position += len(shown)
        left = len(cursor.rows) - cursor.position
        inner = "".join(self._record(kind, cursor.columns, row, nested=False) for row in shown)
        return Answer(
            f'<data listtype="{kind.name.lower()}" count="{len(shown)}" totalcount="{len(cursor.rows)}" '
            f'numremaining="{left}" resultId="{result_id}">{inner}</data>'
        )

    def _record(self, kind: ObjectType, columns: list[Column], row: Any, *, nested: bool) -> str:
        name = kind.name.lower()
        table = self._catalog.shelves.shelf(kind.name).table
        cells = []
        for column in columns:
            value = column.get(row)
            words = table.words.get(column.id)
            shown = words.get(str(value), value) if words else value
            text = writer(kind.name, column.field, "legacy", self._switches)(shown)
            cells.append(f"<{column.id}>{text}</{column.id}>")
        if nested and table.lines is not None:
            cells.append(self._lines(kind, row, table.lines))
        return f"<{name}>{''.join(cells)}</{name}>"

    def _lines(self, kind: ObjectType, row: Any, lines: tuple[str, str, str]) -> str:
        element, line_name, parent_field = lines
        line_kind = self._catalog.find(line_name)
        shelf = self._catalog.shelves.shelf(line_kind.name)
        parent = shelf.get(parent_field)
        key = self._catalog.shelves.shelf(kind.name).get("RECORDNO")(row)
        columns = self._columns(line_kind, "*")
        own = [each for each in shelf.rows if parent(each) == key]
        inner = "".join(self._record(line_kind, columns, each, nested=False) for each in own)
        return f"<{element}>{inner}</{element}>"
