"""How values look on the wire and how filter values are read: dates, stamps and their zones, numbers, flags."""

from __future__ import annotations

import datetime as dt
import functools
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from xml.sax.saxutils import escape, unescape

from tests.sandbox.sage_intacct import errors
from tests.sandbox.sage_intacct.dictionary import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.sage_intacct.dictionary import Field
    from tests.sandbox.sage_intacct.switches import Switches

Value = str | int | Decimal | bool | dt.date | dt.datetime | None
Dialect = Literal["query", "legacy"]

_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_STAMP = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{2}):(\d{2}):(\d{2})")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
# A stray character as texts copied out of other programs hold it; neither it nor a reference to it is XML 1.0.
_STRAY = "\x1f"
_QUOTES = {"'": "&#039;", '"': "&quot;"}
_KEPT = 4096  # dates and stamps written before; most come in rows


class Column(NamedTuple):
    """A field that was resolved: the element it comes in, what it is, and how a row shows it."""

    id: str
    field: Field
    get: Callable[[Any], Value]


class Zones:
    """In which zone each stamp is written and read."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def of(self, name: str, field: str) -> dt.timezone:
        """The zone of one TIMESTAMP field."""
        if name == "AUDITHISTORY" and self._switches.audit_zone == "GMT":
            return dt.UTC
        if field == "AUWHENCREATED" and self._switches.creation_zone == "GMT":
            return dt.UTC
        return dt.timezone(dt.timedelta(minutes=self._switches.zone_minutes))


def plain_number(value: Decimal | int) -> str:
    """A number without exponent, thousands separators and trailing zeros."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def escaped(text: str) -> str:
    """Text as it stands between two tags; quotes are written as references too."""
    return escape(text, _QUOTES)


def unescaped(text: str) -> str:
    """What was escaped."""
    return unescape(text, {reference: char for char, reference in _QUOTES.items()})


def writer(name: str, field: Field, dialect: Dialect, switches: Switches) -> Callable[[Value], str]:
    """What turns a value of a field into the inside of its element; a null is nothing."""
    write: Callable[[Value], str]
    match field.datatype:
        case "BOOLEAN":
            yes, no = ("true", "false") if dialect == "query" else ("T", "F")
            write = lambda value: yes if value else no  # noqa: E731 - one of several writers
        case "DATE":
            write = _write_date
        case "TIMESTAMP":
            zone = Zones(switches).of(name, field.id)
            shape = "%m/%d/%Y" if f"{name}.{field.id}" in switches.date_only_stamps else "%m/%d/%Y %H:%M:%S"
            write = _stamp_writer(zone, shape)
        case "INTEGER" if f"{name}.{field.id}" in switches.float_integers:
            write = lambda value: f"{value}.0"  # noqa: E731
        case _ if field.datatype in NUMBERS:
            write = _write_number
        case _ if f"{name}.{field.id}" == "VENDOR.COMMENTS" and switches.control_characters:
            stray = _STRAY if switches.control_characters == "raw" else "&#x1F;"
            write = lambda value: escaped(str(value)) + stray  # noqa: E731
        case _:
            write = lambda value: escaped(str(value))  # noqa: E731
    return lambda value: "" if value is None else write(value)


@functools.lru_cache(_KEPT)
def _write_date(value: Value) -> str:
    if not isinstance(value, dt.date):
        raise TypeError(f"{value!r} is not a date")
    return value.strftime("%m/%d/%Y")


def _write_number(value: Value) -> str:
    if not isinstance(value, Decimal | int):
        raise TypeError(f"{value!r} is not a number")
    return plain_number(value)


@functools.cache
def _stamp_writer(zone: dt.timezone, shape: str) -> Callable[[Value], str]:
    @functools.lru_cache(_KEPT)
    def write(value: Value) -> str:
        if not isinstance(value, dt.datetime):
            raise TypeError(f"{value!r} is not a stamp")
        return value.astimezone(zone).strftime(shape)

    return write


def read(name: str, field: Field, text: str, switches: Switches) -> Value:
    """A filter value as something that compares with the values of a field.

    Raises:
        Refusal: It is not written as values of that type are.
    """
    parsed: Value
    match field.datatype:
        case "DATE":
            parsed = _read_date(text)
        case "TIMESTAMP":
            parsed = _read_stamp(text, Zones(switches).of(name, field.id))
        case "BOOLEAN":
            parsed = {"true": True, "false": False}.get(text)
        case _ if field.datatype in NUMBERS:
            parsed = _read_number(text)
        case _:
            return text
    if parsed is None:
        raise errors.bad_query(f"Invalid value '{text}' for the field {name}.{field.id} ({field.datatype})")
    return parsed


def _read_date(text: str) -> dt.date | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    month, day, year = map(int, found.groups())
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _read_stamp(text: str, zone: dt.timezone) -> dt.datetime | None:
    day = _read_date(text)
    if day is not None:
        return dt.datetime(day.year, day.month, day.day, tzinfo=zone)
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    month, date, year, hour, minute, second = map(int, found.groups())
    try:
        return dt.datetime(year, month, date, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def _read_number(text: str) -> Decimal | None:
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def comparable(value: Value, *, fold: bool) -> Value:
    """A value as filters and orders see it: stamps have no fractions of seconds, and case may not count."""
    if isinstance(value, dt.datetime):
        return value.replace(microsecond=0)
    if fold and isinstance(value, str):
        return value.lower()
    return value
