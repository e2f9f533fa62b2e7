"""General ledger lines as a tap writes them: 25 columns, any number of them, the same on every machine."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

STREAM = "gl_lines"
KEYS = ("company", "module", "batch_nbr", "line_nbr")
LINES_PER_BATCH = 8

_TEXT = {"type": ["string", "null"]}
_INTEGER = {"type": ["integer", "null"]}
_BOOLEAN = {"type": ["boolean", "null"]}
_DATE = {"type": ["string", "null"], "format": "date"}
_TIME = {"type": ["string", "null"], "format": "date-time"}


def _number(scale: int) -> dict[str, Any]:
    return {"type": ["number", "null"], "x-sql-datatype-properties": {"precision": 18, "scale": scale}}


PROPERTIES: dict[str, dict[str, Any]] = {
    "company": _TEXT,
    "module": _TEXT,
    "batch_nbr": _TEXT,
    "line_nbr": _INTEGER,
    "branch": _TEXT,
    "ledger": _TEXT,
    "account": _TEXT,
    "subaccount": _TEXT,
    "description": _TEXT,
    "ref_nbr": _TEXT,
    "tran_date": _DATE,
    "fin_period": _TEXT,
    "currency": _TEXT,
    "debit_amt": _number(4),
    "credit_amt": _number(4),
    "cury_debit_amt": _number(4),
    "cury_credit_amt": _number(4),
    "cury_rate": _number(8),
    "quantity": _number(6),
    "project": _TEXT,
    "vendor": _TEXT,
    "posted": _BOOLEAN,
    "created_by": _TEXT,
    "created_at": _TIME,
    "last_modified_at": _TIME,
}

_SCHEMA = {
    "type": "SCHEMA",
    "stream": STREAM,
    "schema": {"type": "object", "properties": PROPERTIES},
    "key_properties": list(KEYS),
    "bookmark_properties": ["last_modified_at"],
}
_STATE = {
    "type": "STATE",
    "value": {
        "bookmarks": {
            STREAM: {
                "replication_key": "last_modified_at",
                "replication_key_value": "2026-01-01T00:00:00+00:00",
            }
        }
    },
}
_DAYS = [(dt.date(2021, 1, 1) + dt.timedelta(days=day)).isoformat() for day in range(5 * 365)]
_WORDS = ("Freight", "Rent", "Steel sheet 2 mm", "Büromaterial", "Consulting", "Insurance", "Power", "Wages")
_CURRENCIES = (("USD", "1.0"), ("EUR", "1.08431"), ("GBP", "1.26"))
_SPREAD = 2_654_435_761  # Knuth's multiplicative hash: neighbours look unlike each other
_PIECE = 10_000


def line(number: int, edition: int = 0) -> str:
    """The RECORD message of one line; `edition` changes its amounts and when it was last modified."""
    batch, nbr = divmod(number, LINES_PER_BATCH)
    mix = (number * _SPREAD) & 0xFFFFFFFF
    cents = (mix ^ edition * _SPREAD) % 10_000_000
    debit, credit = (cents, 0) if nbr % 2 else (0, cents)
    currency, rate = _CURRENCIES[mix % 3]
    day = _DAYS[batch % len(_DAYS)]
    second = mix % 60
    quantity = f"{mix % 500}.{mix % 7}" if mix % 4 else "null"
    project = f'"P{mix % 900:05}"' if mix % 5 == 0 else "null"
    vendor = f'"V{mix % 4000:06}"' if mix % 2 else "null"
    description = f'"{_WORDS[mix % 8]} {day[:7]} no. {batch % 997}"' if mix % 11 else "null"
    return (
        f'{{"type":"RECORD","stream":"{STREAM}","record":{{"company":"C{batch % 4:02}","module":"GL",'
        f'"batch_nbr":"{batch:08}","line_nbr":{nbr + 1},"branch":"MAIN{mix % 6}","ledger":"ACTUAL",'
        f'"account":"{10000 + mix % 700 * 10}","subaccount":"{mix % 90:03}-{mix % 40:02}",'
        f'"description":{description},"ref_nbr":"AP{mix % 800000:07}","tran_date":"{day}",'
        f'"fin_period":"{day[5:7]}{day[:4]}","currency":"{currency}",'
        f'"debit_amt":{debit // 100}.{debit % 100:02},"credit_amt":{credit // 100}.{credit % 100:02},'
        f'"cury_debit_amt":{debit // 100}.{debit % 100:02},"cury_credit_amt":{credit // 100}.{credit % 100:02},'
        f'"cury_rate":{rate},"quantity":{quantity},"project":{project},"vendor":{vendor},'
        f'"posted":{"true" if mix % 20 else "false"},"created_by":"user{mix % 35}",'
        f'"created_at":"{day}T08:{second:02}:{nbr:02}.{mix % 1000:03}+00:00",'
        f'"last_modified_at":"{day}T{9 + edition % 15:02}:{second:02}:{nbr:02}.{mix % 1000:03}+00:00"}},'
        f'"time_extracted":"2026-01-01T00:00:00.000000+00:00"}}\n'
    )


def debit_cents(number: int, edition: int = 0) -> int:
    """The debit of one line, by which an extract is checked."""
    mix = (number * _SPREAD) & 0xFFFFFFFF
    return (mix ^ edition * _SPREAD) % 10_000_000 if number % LINES_PER_BATCH % 2 else 0


def write(path: Path, numbers: Iterable[int], edition: int = 0) -> Path:
    """Write a whole run of the stream, from SCHEMA to STATE, and return its path."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write(json.dumps(_SCHEMA) + "\n")
        piece: list[str] = []
        for number in numbers:
            piece.append(line(number, edition))
            if len(piece) == _PIECE:
                out.write("".join(piece))
                piece.clear()
        out.write("".join(piece))
        out.write(json.dumps(_STATE) + "\n")
    return path
