"""COMFND: the generic query of any table."""

from __future__ import annotations

import datetime as dt
import fnmatch
import operator
import random
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from tests.sandbox.syspro.enet_xml import EnetError, Writer, count_of, parsed, text_of
from tests.sandbox.syspro.odata_filter import sort_key
from tests.sandbox.syspro.schema import Kind

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Callable

    from tests.sandbox.syspro.database import Database
    from tests.sandbox.syspro.schema import Column, Row, Table
    from tests.sandbox.syspro.switches import Switches

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}
_ROWS_IF_NOT_SAID = 1000


class TableQuery:
    """Answers COMFND queries of one company."""

    def __init__(self, database: Database, switches: Switches) -> None:
        self._database = database
        self._switches = switches
        self._writer = Writer(switches)

    def answer(self, xml_in: str) -> bytes:
        """Run a query. Elements that it does not know are ignored, as the real one does.

        Raises:
            EnetError: The table or a column does not exist, no column is named, or the condition is wrong.
        """
        query = parsed(xml_in, "Query")
        table = self._table(text_of(query, "TableName").strip())
        columns = [self._column(table, each.text or "") for each in query.findall("Columns/Column")]
        if not columns:
            raise EnetError("ERROR: No columns were requested")
        matches = _Where(self._switches, table, self._column).compiled(query.find("Where"))
        rows = [row for row in self._database.contents(table.name).rows if matches(row)]
        order = [self._column(table, each.text or "") for each in query.findall("OrderBy/Column")]
        if self._switches.comfnd_order_ignored:
            order = []
        if not order and self._switches.shuffled:
            random.Random(len(rows)).shuffle(rows)
        for column in reversed(order):
            place = table.places[column.name]
            rows.sort(key=lambda row: sort_key(row, place))
        limit = count_of(query, "ReturnRows") or _ROWS_IF_NOT_SAID
        return self._written(table, columns, rows[: min(limit, self._switches.comfnd_max_rows)])

    def _table(self, name: str) -> Table:
        table = self._database.tables.get(name)
        if table is None or table.is_view:
            raise EnetError(f"ERROR: Table '{name}' does not exist")
        return table

    def _column(self, table: Table, name: str) -> Column:
        column = table.by_name.get(name.strip())
        if column is None:
            raise EnetError(f"ERROR: Invalid column name '{name}' for table '{table.name}'")
        return column

    def _written(self, table: Table, columns: list[Column], rows: list[Row]) -> bytes:
        writer = self._writer
        header = writer.group("HeaderDetails", [writer.element("TableName", table.name)])
        written = [writer.group("Row", writer.row(table, row, columns)) for row in rows]
        return writer.document(table.name, [header, *written, writer.rows_returned(len(rows))])


class _Where:
    """Expressions in a row, each with `AndOr` first, then an optional bracket on either side."""

    def __init__(self, switches: Switches, table: Table, column_of: Callable[[Table, str], Column]) -> None:
        self._switches = switches
        self._table = table
        self._column_of = column_of
        self._tokens: list[str | Callable[[Row], bool]] = []
        self._at = 0

    def compiled(self, where: ET.Element | None) -> Callable[[Row], bool]:
        if where is None:
            return lambda _: True
        if (where.text or "").strip():
            raise EnetError("ERROR: SQL text is not allowed in the Where clause")
        for expression in where.findall("Expression"):
            self._read(expression)
        if not self._tokens:
            return lambda _: True
        matches = self._disjunction()
        if self._at < len(self._tokens):
            raise _malformed()
        return matches

    def _read(self, expression: ET.Element) -> None:
        test = self._test(expression)
        if test is None:
            return
        joint = text_of(expression, "AndOr").strip().lower()
        if self._tokens:
            if joint not in {"and", "or"}:
                raise _malformed()
            self._tokens.append(joint)
        self._tokens += list(text_of(expression, "OpenBracket").strip())
        self._tokens.append(test)
        self._tokens += list(text_of(expression, "CloseBracket").strip())

    def _test(self, expression: ET.Element) -> Callable[[Row], bool] | None:
        column = self._column_of(self._table, text_of(expression, "Column"))
        place = self._table.places[column.name]
        condition = text_of(expression, "Condition").strip().upper()
        text = text_of(expression, "Value")
        if condition not in self._switches.comfnd_conditions:
            if self._switches.unknown_condition == "ignored":
                return None
            raise EnetError(f"ERROR: Invalid condition '{condition}' in the Where clause")
        read = _reader(column)
        if condition == "LIKE":
            pattern = text.rstrip(" ").replace("%", "*").replace("_", "?")
            return lambda row: fnmatch.fnmatchcase(str(read(row[place])), pattern)
        wanted, compare = read(_literal(column, text)), _OPERATORS[condition]

        def test(row: Row) -> bool:
            value = read(row[place])
            return value is not None and wanted is not None and compare(value, wanted)

        return test

    def _disjunction(self) -> Callable[[Row], bool]:
        parts = [self._conjunction()]
        while self._peek() == "or":
            self._at += 1
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _conjunction(self) -> Callable[[Row], bool]:
        parts = [self._term()]
        while self._peek() == "and":
            self._at += 1
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _term(self) -> Callable[[Row], bool]:
        token = self._peek()
        self._at += 1
        if token == "(":
            inside = self._disjunction()
            if self._peek() != ")":
                raise _malformed()
            self._at += 1
            return inside
        if token is None or isinstance(token, str):
            raise _malformed()
        return token

    def _peek(self) -> str | Callable[[Row], bool] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None


def _reader(column: Column) -> Callable[[Any], Any]:
    if column.kind is Kind.TEXT:
        return lambda value: "" if value is None else value.rstrip(" ")
    return lambda value: value


def _literal(column: Column, text: str) -> Any:
    try:
        if column.kind is Kind.DAY:
            return dt.date.fromisoformat(text.strip())
        if column.kind in {Kind.INTEGER, Kind.DECIMAL}:
            return Decimal(text.strip())
    except (ValueError, InvalidOperation) as wrong:
        raise EnetError(f"ERROR: Invalid value '{text}' for column '{column.name}'") from wrong
    if column.kind is Kind.ROW_VERSION:
        raise EnetError(f"ERROR: Column '{column.name}' cannot be used in the Where clause")
    return text


def _malformed() -> EnetError:
    return EnetError("ERROR: Invalid expression in the Where clause")
