"""User-defined fields and attributes: what their values are when a record is entered.

A pure function of the record's identity, so that nothing else in the company depends on them.
"""

from __future__ import annotations

import datetime as dt
import zlib
from decimal import Decimal

from tests.sandbox.company import chart
from tests.sandbox.company.model import Custom

_TEXTS = ("000815", "Søren's list", 'Gate "B"', "R&D < 5", "", "Prüfung offen")
_FIRST_DAY = dt.date(2025, 1, 1)


def custom_values(identity: str) -> Custom:
    """The user-defined fields of a new record; each is left empty in a part of all records."""
    noise = zlib.crc32(identity.encode())
    text = _TEXTS[noise % len(_TEXTS)]
    return Custom(
        text=text or None,
        number=None if noise % 7 == 0 else Decimal(noise % 1_000_003).scaleb(-4),
        day=None if noise % 5 == 0 else _FIRST_DAY + dt.timedelta(days=noise % 700),
        flag=(None, True, False)[noise // 11 % 3],
    )


def attribute_values(identity: str, kind: str) -> dict[str, str]:
    """The attributes of a new vendor ("vendors"), customer ("customers") or item ("items"); some have none."""
    found: dict[str, str] = {}
    for place, attribute in enumerate(chart.ATTRIBUTES[kind]):
        noise = zlib.crc32(f"{identity}|{attribute.code}".encode())
        if noise % 4 or attribute.required:
            values = list(attribute.values) or [f"{noise % 10_000:06d}"]
            found[attribute.code] = values[(noise // 7 + place) % len(values)]
    return found
