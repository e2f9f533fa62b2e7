"""The two filter dialects: OData v3 as the contract API knows it, OData v4 as DAC-based OData does."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.acumatica.grammar import Dialect, FilterError, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?(Z|[+-]\d\d:\d\d)?)?", re.IGNORECASE
)
_V3_TOKENS = re.compile(
    r"""(?P<blank>\s+)
    |(?P<moment>datetimeoffset'[^']*')
    |(?P<day>date'[^']*')
    |(?P<guid>guid'[^']*')
    |(?P<string>'(?:[^']|'')*')
    |(?P<number>-?\d+(?:\.\d+)?M?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_./]*)
    |(?P<mark>[(),=])""",
    re.VERBOSE,
)
_V4_TOKENS = re.compile(
    r"""(?P<blank>\s+)
    |(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
    |(?P<moment>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)
    |(?P<day>\d{4}-\d\d-\d\d)
    |(?P<string>'(?:[^']|'')*')
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_/]*)
    |(?P<mark>[(),])""",
    re.VERBOSE,
)

_V3_INQUIRY_TOKENS = re.compile(
    _V3_TOKENS.pattern.replace("(?P<moment>datetimeoffset'", "(?P<moment>datetime'"), re.VERBOSE
)
_V4_INQUIRY_TOKENS = re.compile(
    _V4_TOKENS.pattern.replace("[0-9:.]+(?:Z", r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z"), re.VERBOSE
)


def contract_dialect(zone: dt.tzinfo, *, contract: int) -> Dialect:
    """The filter language of the contract API.

    Args:
        zone: The user's zone, in which a literal without offset is read.
        contract: 4, or 5, which knows `date'…'` besides.
    """
    literals: dict[str, Callable[[str], Literal]] = {
        "moment": lambda text: _moment(text[len("datetimeoffset'") : -1], zone),
        "guid": lambda text: _guid(text[len("guid'") : -1]),
        "string": _string,
        "number": lambda text: Literal("number", Decimal(text.removesuffix("M"))),
    }
    if contract >= 5:
        literals["day"] = lambda text: _day(text[len("date'") : -1])
    functions = {"substringof": 2, "startswith": 2, "endswith": 2}
    return Dialect(_V3_TOKENS, literals, functions, custom_fields=True)


def inquiry_dialect(zone: dt.tzinfo, *, is_legacy: bool) -> Dialect:
    """The filter language of generic inquiries over OData: v3 at the older address, v4 at the newer one.

    Args:
        zone: The user's zone, in which a moment without offset is read, as these inquiries print them.
        is_legacy: Whether moments are written `datetime'…'` and the search is `substringof`.
    """
    literals: dict[str, Callable[[str], Literal]] = {
        "guid": (lambda text: _guid(text[len("guid'") : -1])) if is_legacy else _guid,
        "string": _string,
        "number": lambda text: Literal("number", Decimal(text.removesuffix("M"))),
    }
    if is_legacy:
        literals["moment"] = lambda text: _moment(text[len("datetime'") : -1], zone)
        functions = {"substringof": 2, "startswith": 2, "endswith": 2}
        return Dialect(_V3_INQUIRY_TOKENS, literals, functions)
    literals["moment"] = literals["day"] = lambda text: _moment(text, zone)
    return Dialect(_V4_INQUIRY_TOKENS, literals, {"contains": 2, "startswith": 2, "endswith": 2})


def odata_dialect() -> Dialect:
    """The filter language of DAC-based OData: moments are written bare and with their offset."""
    literals: dict[str, Callable[[str], Literal]] = {
        "moment": lambda text: _moment(text, None),
        "day": _day,
        "guid": _guid,
        "string": _string,
        "number": lambda text: Literal("number", Decimal(text)),
    }
    functions = {"contains": 2, "startswith": 2, "endswith": 2, "tolower": 1, "toupper": 1}
    return Dialect(_V4_TOKENS, literals, functions)


def _string(text: str) -> Literal:
    return Literal("string", text[1:-1].replace("''", "'"))


def _guid(text: str) -> Literal:
    try:
        return Literal("guid", str(uuid.UUID(text)))
    except ValueError as wrong:
        raise FilterError(f"Unrecognized 'Edm.Guid' literal '{text}'.") from wrong


def _day(text: str) -> Literal:
    try:
        return Literal("day", dt.date.fromisoformat(text))
    except ValueError as wrong:
        raise FilterError(f"Unrecognized 'Edm.Date' literal '{text}'.") from wrong


def _moment(text: str, zone: dt.tzinfo | None) -> Literal:
    found = _MOMENT.fullmatch(text)
    if found is None or (zone is None and not found[5]):
        raise FilterError(f"Unrecognized 'Edm.DateTimeOffset' literal '{text}'.")
    day, minutes, seconds, fraction, offset = found.groups()
    microseconds = (fraction or "").ljust(6, "0")[:6]
    iso = f"{day}T{minutes or '00:00'}:{seconds or '00'}.{microseconds}{(offset or '').upper()}"
    try:
        moment = dt.datetime.fromisoformat(iso)
    except ValueError as wrong:
        raise FilterError(f"Unrecognized 'Edm.DateTimeOffset' literal '{text}'.") from wrong
    return Literal("moment", moment if moment.tzinfo else moment.replace(tzinfo=zone))
