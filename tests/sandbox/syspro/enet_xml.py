"""The XML of business objects: what they read and how they write, with the habits of COBOL."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from tests.sandbox.syspro.schema import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.syspro.schema import Column, Row, Table, Value
    from tests.sandbox.syspro.switches import Switches

_DECLARATION = '<?xml version="1.0" encoding="Windows-1252"?>\n'
_EMPTY_DATE = "0000-00-00"
_BAD_CHARACTER = "\x1a"
_ROWS_WIDTH = 6


class EnetError(Exception):
    """A text that is answered instead of XML, with HTTP 200."""


def parsed(xml_in: str, root: str) -> ET.Element:
    """The document that a client sent.

    Raises:
        EnetError: It is not XML, or not this object's.
    """
    try:
        document = ET.fromstring(xml_in)  # noqa: S314 - the sandbox's own clients send it
    except ET.ParseError as wrong:
        raise EnetError(f"ERROR: Failed to load the XML input: {wrong}") from wrong
    if document.tag != root:
        raise EnetError(f"ERROR: The XML input has the root element '{document.tag}', not '{root}'")
    return document


def text_of(element: ET.Element, name: str) -> str:
    """The text of a child; empty without one."""
    return element.findtext(name) or ""


def count_of(element: ET.Element, name: str) -> int:
    """A number of rows that a child asks for; 0 without one.

    Raises:
        EnetError: It is not a number.
    """
    text = text_of(element, name).strip()
    if text and not text.isdecimal():
        raise EnetError(f"ERROR: Invalid number of rows '{text}'")
    return int(text or 0)


class Writer:
    """Writes documents as this site does."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def document(self, root: str, content: Iterable[str], *, bare: bool = False) -> bytes:
        """A whole document; `bare` leaves out the attributes of query results."""
        attributes = {
            "Language": "05",
            "CssStyle": "",
            "DecFormat": "1",
            "DateFormat": "01",
            "Role": "01",
            "Version": self._switches.enet_version,
        }
        written = "" if bare else "".join(f" {name}={quoteattr(each)}" for name, each in attributes.items())
        name = self.name(root)
        document = f"{_DECLARATION}<{name}{written}>{''.join(content)}</{name}>"
        if self._switches.enet_utf8:
            return document.encode()
        return document.encode("cp1252", "replace")

    def name(self, name: str) -> str:
        """The name of an element; `+` cannot be part of one."""
        name = name.replace("+", "")
        return name.lower() if self._switches.lowercase_elements else name

    def element(self, name: str, text: str) -> str:
        """An element with text; without any it is an empty one."""
        name = self.name(name)
        return f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>"

    def group(self, name: str, content: Iterable[str]) -> str:
        """An element with elements inside."""
        name = self.name(name)
        return f"<{name}>{''.join(content)}</{name}>"

    def row(self, table: Table, row: Row, columns: Iterable[Column]) -> list[str]:
        """The elements of a row; those that the operator may not see are left out."""
        hidden = self._switches.hidden_columns.get(table.name, frozenset())
        return [
            self.element(column.name, self.value(column, row[table.places[column.name]]))
            for column in columns
            if column.name not in hidden
        ]

    def rows_returned(self, count: int) -> str:
        """How many rows there are, with blanks in front."""
        return self.group("RowsReturned", [str(count).rjust(_ROWS_WIDTH)])

    def value(self, column: Column, value: Value) -> str:
        """A value: numbers of fixed width with blanks in front, empty dates as zeros, blanks as nothing."""
        if column.kind is Kind.ROW_VERSION:
            return ""  # not offered usefully
        if column.kind is Kind.DAY:
            if isinstance(value, dt.date):
                return value.isoformat()
            return _EMPTY_DATE if self._switches.null_date == "zeros" else ""
        if value is None:
            return ""
        if isinstance(value, int | Decimal):
            return format(Decimal(value), "f").rjust(column.size + 2)
        text = str(value).rstrip(" ")
        if self._switches.control_characters and column.name in {"Description", "Comment"}:
            text += _BAD_CHARACTER
        return text
