"""COMBRW and COMFCH: browses that the site has defined, and single rows by key."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING

from tests.sandbox.syspro.enet_xml import EnetError, Writer, count_of, parsed, text_of
from tests.sandbox.syspro.schema import Kind

if TYPE_CHECKING:
    from tests.sandbox.syspro.database import Database
    from tests.sandbox.syspro.schema import Column, Row, Table
    from tests.sandbox.syspro.switches import Switches

# name of the browse -> table and the columns that it shows; all are of tables with a single key
BROWSES = {
    "ArCustomer": ("ArCustomer", ("Customer", "Name", "Branch", "CreditLimit")),
    "ApSupplier": ("ApSupplier", ("Supplier", "SupplierName", "Currency")),
    "InvMaster": ("InvMaster", ("StockCode", "Description", "StockUom")),
}
_ROWS_IF_NOT_SAID = 10


class Browser:
    """Answers browses and fetches of one company."""

    def __init__(self, database: Database, switches: Switches) -> None:
        self._database = database
        self._writer = Writer(switches)

    def browse(self, xml_in: str) -> bytes:
        """One page of a browse, with where it goes on.

        Raises:
            EnetError: The site has no such browse.
        """
        query = parsed(xml_in, "Browse")
        name = text_of(query, "BrowseName").strip()
        table_name, shown = BROWSES.get(name, ("", ()))
        table = self._database.tables.get(table_name)
        if table is None:
            raise EnetError(f"ERROR: Browse '{name}' is not defined")
        limit = count_of(query, "ReturnRows") or _ROWS_IF_NOT_SAID
        rows = self._database.contents(table.name).rows
        keys = [str(row[0]) for row in rows]
        start = bisect.bisect_left(keys, text_of(query, "StartAtKey").rstrip(" "))
        page = rows[start : start + limit]
        columns = [table.by_name[each] for each in shown]
        content = [
            self._header(table, columns),
            *(self._row(table, row, columns) for row in page),
            self._links(keys, start, limit),
        ]
        return self._writer.document(name, content)

    def fetch(self, xml_in: str) -> bytes:
        """One row by its key.

        Raises:
            EnetError: There is no such table or row.
        """
        query = parsed(xml_in, "Fetch")
        name = text_of(query, "TableName").strip()
        table = self._database.tables.get(name)
        if table is None or table.is_view:
            raise EnetError(f"ERROR: Table '{name}' does not exist")
        wanted = [text_of(query, "Key").rstrip(" ")]
        wanted += [text_of(query, f"OptionalKey{number}").strip() for number in range(1, len(table.keys))]
        for row in self._database.contents(name).rows:
            if [str(part).rstrip(" ") for part in table.key_of(row)] == wanted:
                return self._writer.document(name, self._writer.row(table, row, table.columns))
        raise EnetError(f"ERROR: No row of '{name}' has this key")

    def _header(self, table: Table, columns: list[Column]) -> str:
        writer = self._writer
        titles = [
            writer.element(f"Header{place}", column.name) for place, column in enumerate(columns, start=1)
        ]
        titles += [writer.element("Key", table.keys[0]), writer.element("Table", table.name)]
        return writer.group("HeaderDetails", titles)

    def _row(self, table: Table, row: Row, columns: list[Column]) -> str:
        writer = self._writer
        cells = []
        for column in columns:
            value = writer.value(column, row[table.places[column.name]])
            kind = "A" if column.kind is Kind.TEXT else "N"
            cells.append(
                writer.group(column.name, [writer.element("Value", value), writer.element("DataType", kind)])
            )
        return writer.group("Row", cells)

    def _links(self, keys: list[str], start: int, limit: int) -> str:
        writer = self._writer
        forward, back = start + limit < len(keys), start > 0
        return writer.group(
            "NextPrevKey",
            [
                writer.element("PrevKey", keys[max(start - limit, 0)] if back else ""),
                writer.element("NextKey", keys[start + limit] if forward else ""),
                writer.element("Fwd", str(forward)),
                writer.element("Back", str(back)),
            ],
        )
