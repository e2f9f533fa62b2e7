"""The JSON forms of values, which differ between versions and installations."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tests.sandbox.epicor_kinetic.schema import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.epicor_kinetic.schema import Column, Row, Value
    from tests.sandbox.epicor_kinetic.switches import Switches

_EIGHT_PLACES = Decimal("0.00000001")
ENCODER = msgspec.json.Encoder(decimal_format="number")


class Printer:
    """Prints rows with some of their columns."""

    def __init__(self, columns: Iterable[Column], switches: Switches) -> None:
        self._switches = switches
        self._zone = dt.timezone(dt.timedelta(minutes=switches.zone_minutes))
        self._columns = [(column.name, column.empty, self._form(column.kind)) for column in columns]

    def row(self, row: Row) -> dict[str, Any]:
        """One row; what it does not hold is empty."""
        printed = {}
        for name, empty, form in self._columns:
            value = row.get(name, empty)
            printed[name] = value if value is None or form is None else form(value)
        return printed

    def _form(self, kind: Kind) -> Callable[[Any], Value] | None:
        if kind is Kind.DECIMAL:
            return _as_text if self._switches.decimals == "text" else _as_number
        if kind is Kind.LONG and self._switches.longs_as_text:
            return str
        return {Kind.DATE: self._date, Kind.STAMP: self._stamp}.get(kind)

    def _date(self, value: dt.date) -> str:
        """A calendar day in the coat of a moment: midnight on the server's own clock."""
        return f"{value.isoformat()}T00:00:00{self._suffix()}"

    def _stamp(self, value: dt.datetime) -> str:
        local = value.astimezone(dt.UTC if self._switches.dates == "Z" else self._zone)
        thousandths = f".{local.microsecond // 1000:03d}" if local.microsecond else ""
        return f"{local:%Y-%m-%dT%H:%M:%S}{thousandths}{self._suffix()}"

    def _suffix(self) -> str:
        if self._switches.dates == "naive":
            return ""
        if self._switches.dates == "Z":
            return "Z"
        sign = "-" if self._switches.zone_minutes < 0 else "+"
        hours, minutes = divmod(abs(self._switches.zone_minutes), 60)
        return f"{sign}{hours:02d}:{minutes:02d}"


def _as_number(value: Decimal | int) -> Decimal:
    number = Decimal(value)
    return number or abs(number)  # never -0.00


def _as_text(value: Decimal | int) -> str:
    return str(_as_number(value).quantize(_EIGHT_PLACES))
