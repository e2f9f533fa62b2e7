"""The forms that values take on the wire."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum

Value = str | int | bool | Decimal | dt.datetime | dt.date | None
_TENTH = Decimal("0.1")


class Kind(StrEnum):
    """What a field holds; the value is the name of its wrapper in contract 4."""

    STRING = "StringValue"
    DECIMAL = "DecimalValue"
    INT = "IntValue"
    SHORT = "ShortValue"
    LONG = "LongValue"
    BOOLEAN = "BooleanValue"
    GUID = "GuidValue"
    STAMP = "DateTimeValue"
    DAY = "DateOnlyValue"  # a business date: midnight +00:00 in contract 4, a bare date in contract 5


NUMERIC = frozenset({Kind.DECIMAL, Kind.INT, Kind.SHORT, Kind.LONG})


def number(value: Decimal) -> Decimal:
    """A decimal as the server prints it: no trailing zeros, but always one digit after the point."""
    plain = value.normalize()
    exponent = plain.as_tuple().exponent
    return plain if isinstance(exponent, int) and exponent < 0 else plain.quantize(_TENTH)


def stamp(value: dt.datetime, zone: dt.tzinfo) -> str:
    """A moment with its offset; milliseconds without trailing zeros, none when there are none."""
    local = value.astimezone(zone)
    thousandths = f"{local.microsecond // 1000:03d}".rstrip("0")
    fraction = f".{thousandths}" if thousandths else ""
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{offset[:3]}:{offset[3:]}"


def midnight(value: dt.date, zone: dt.tzinfo = dt.UTC) -> str:
    """A business date as midnight in a zone."""
    return stamp(dt.datetime.combine(value, dt.time(), zone), zone)


def zone_of(minutes: int) -> dt.timezone:
    """A fixed offset from UTC."""
    return dt.timezone(dt.timedelta(minutes=minutes))


def period(code: str, style: str) -> str:
    """A fiscal period as contract REST shows it: `202501` becomes `012025` or `01-2025`."""
    separator = "-" if style == "MM-YYYY" else ""
    return f"{code[4:]}{separator}{code[:4]}"
