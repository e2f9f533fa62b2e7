"""Columns: what a value is called in the ERP's answer, how it is converted, what the schema says of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import operator
import re
import zoneinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_epicor_kinetic.discovery import snake
from tap_epicor_kinetic.streams.hints import hints_of, meaning_of, stream_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Row = dict[str, Any]

COMPANY: Final = "company"
"""The property that says whose row it is; the first part of every key."""
SYS_REV_ID: Final = "SysRevID"
SYS_ROW_ID: Final = "SysRowID"
HEADER_REVISION: Final = "header_sys_rev_id"
DELETED_AT: Final = "_sdc_deleted_at"

_PRECISION: Final = 18
_SCALES: Final = (
    # Epicor keeps amounts with three decimals, unit costs with five, quantities with up to eight.
    (re.compile(r"Rate|Factor"), 8),
    (re.compile(r"Qty|Quantity|Weight|Volume|Percent|Pct"), 8),
    (re.compile(r"Unit(Cost|Price)|Price|UnitAmt"), 6),
    (
        re.compile(
            r"(Amt|Amount|Bal|Balance|Cost|Charge|Chrg|Charges|Tax|Total|Limit|Value|Debit|Credit)\d*$|Amt|Total"
        ),
        4,
    ),
)
_OTHER_SCALE: Final = 8
# Everything that is a point in time; all the rest of Edm.DateTimeOffset are days that somebody entered.
_TIMES: Final = re.compile(r"(On|DateTime|Timestamp|TimeStamp|At)\d*(_c)?$")
_INTEGERS: Final = frozenset({"Edm.Int64", "Edm.Int32", "Edm.Int16", "Edm.Byte", "Edm.SByte"})
_DECIMALS: Final = frozenset({"Edm.Decimal", "Edm.Double", "Edm.Single"})
_DAYS: Final = frozenset({"Edm.DateTimeOffset", "Edm.Date", "Edm.DateTime"})
# Bank, card and tax numbers: read only where somebody has asked for them.
_SENSITIVE: Final = re.compile(
    r"TaxPayerID|^TIN|TINType|AccountNum|PmtAcctRef|VendorBank|VendBank|VendBnk|IBAN|SwiftNum|BankRouting|CardNumber"
    r"|CardID|CardMember|CardmemberReference|ccToken|CCStreetAddr|CCZip|CardType|^Pay(PalEmail|Flag)|US1099|TaxRegNumber"
    r"|FedID|SocialSec|ResaleID|OrgRegCode|CheckingAccount|BankAcctNum|BankIdentifier",
    re.IGNORECASE,
)
# Marks of the entry form, binary versions and numbers that mean nothing outside the answer they came in.
_NEVER: Final = frozenset({"RowMod", "BitFlag", "RowIdent"})
_IN_ENTITY: Final = re.compile(r"[A-Za-z]1$")


@dataclasses.dataclass(frozen=True)
class Column:
    """One property of a stream.

    Attributes:
        name: The property.
        kind: string, boolean, integer, decimal, date, time, or custom_time, of which midnight is a day.
        source: The ERP's own name; empty for values that the tap works out.
        description: What a reader of the catalog should know.
        scale: Decimal places of a decimal.
        by_default: Whether it is read without being selected by name.
        hints: What a target should know beside the type. They stand in `x-sql-datatype-properties`, which a catalog
            keeps; see "Hints for Tableau" in target-tableau's README.
    """

    name: str
    kind: str
    source: str = ""
    description: str = ""
    scale: int = _OTHER_SCALE
    by_default: bool = True
    hints: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the property. All are nullable: what the ERP says of that is not to be relied on."""
        kinds: dict[str, dict[str, Any]] = {
            "boolean": {"type": ["boolean", "null"]},
            "integer": {"type": ["integer", "null"]},
            "date": {"type": ["string", "null"], "format": "date"},
            "time": {"type": ["string", "null"], "format": "date-time"},
            "custom_time": {"type": ["string", "null"], "format": "date-time"},
            "decimal": {
                "type": ["number", "null"],
                "x-sql-datatype-properties": {"precision": _PRECISION, "scale": self.scale},
            },
        }
        schema = kinds.get(self.kind, {"type": ["string", "null"]})
        if self.hints:
            schema["x-sql-datatype-properties"] = schema.get("x-sql-datatype-properties", {}) | dict(
                self.hints
            )
        if self.source:
            schema["title"] = self.source
        if self.description:
            schema["description"] = self.description
        return schema


@dataclasses.dataclass(frozen=True)
class Derived:
    """A column that the tap works out of others: `column` is `amount` where all `when` hold, else zero."""

    name: str
    amount: str
    when: tuple[tuple[str, bool], ...]
    description: str


def is_sensitive(name: str) -> bool:
    """Whether a column holds a bank, card or tax number by its name."""
    return _SENSITIVE.search(name) is not None


def columns_of(  # noqa: PLR0913 - what settings and declarations say of them
    described: Sequence[tuple[str, str]],
    useful: Iterable[str] | None,
    times: Iterable[str] = (),
    *,
    offers_all: bool = True,
    more: Sequence[re.Pattern[str]] = (),
    stream: str = "",
) -> list[Column]:
    """The columns of a row type.

    Args:
        described: Name and OData type of each.
        useful: Those to read by default; None for all.
        times: Those that hold points in time although their name does not say so.
        offers_all: Offer those that are not read by default too.
        more: Those to offer and read besides.
        stream: The stream that they are of.
    """
    wanted = None if useful is None else set(useful)
    moments = set(times)
    columns: list[Column] = []
    taken: dict[str, str] = {}
    for source, edm in described:
        if source in _NEVER:
            continue
        asked_for = any(pattern.fullmatch(source) for pattern in more)
        chosen = wanted is None or source in wanted or source.endswith("_c")
        by_default = asked_for or (chosen and not is_sensitive(source) and edm != "Edm.Binary")
        if not (by_default or offers_all):
            continue
        name = snake(source)
        while name in taken:  # two columns that differ in case alone
            name += "_2"
        taken[name] = source
        kind = _kind_of(source, edm, moments)
        told = " ".join(filter(None, (_explained(source), meaning_of(stream, source))))
        hints = hints_of(stream, source, kind)
        columns.append(Column(name, kind, source, told, scale_of(source), by_default, hints))
    return columns


def _explained(source: str) -> str:
    if _IN_ENTITY.search(source) and source[:-1] in {
        "GLAccount",
        "Plant",
        "Company",
        "Terms",
        "Currency",
        "PartClass",
    }:
        return f"{source[:-1]} itself; Epicor adds the 1 where a column has the name of its entity."
    if source == SYS_REV_ID:
        return "Number of the row's last write; it grows over all tables of the database."
    if source == SYS_ROW_ID:
        return "Identity of the row, which outlives changes of its key."
    if source.endswith("_c"):
        return "Column of your own installation."
    return ""


def _kind_of(name: str, edm: str, moments: set[str]) -> str:
    if edm in _INTEGERS:
        return "integer"
    if edm in _DECIMALS:
        return "decimal"
    if edm == "Edm.Boolean":
        return "boolean"
    if edm in _DAYS:
        if edm == "Edm.Date" or not (name in moments or _TIMES.search(name)):
            return "date"
        return "custom_time" if name.endswith("_c") else "time"
    return "string"


@functools.cache
def scale_of(name: str) -> int:
    """The decimal places of a number, by its name."""
    return next((scale for pattern, scale in _SCALES if pattern.search(name)), _OTHER_SCALE)


def schema_of(stream: str, columns: Iterable[Column]) -> dict[str, Any]:
    """The JSON schema of a stream."""
    properties = {column.name: column.schema() for column in columns}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        **stream_hints(stream, properties),
        "properties": properties,
    }


# values ---------------------------------------------------------------------------------------------------


def number(value: Any) -> Decimal | int | None:  # noqa: ANN401 - whatever JSON holds
    """An exact number in plain digits. It comes as a number or, in the older form, as text ("440.00000000")."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        digits = value.strip()
        if not digits:
            return None
        value = Decimal(
            digits.rstrip("0").rstrip(".") if "." in digits and "E" not in digits.upper() else digits
        )
    if "E+" in str(value):
        return Decimal(f"{value:f}")
    return value  # type: ignore[no-any-return]


def integer(value: Any) -> int | None:  # noqa: ANN401 - whatever JSON holds
    """A whole number, which may come as text."""
    if type(value) is int:
        return value
    if isinstance(value, str) and not value.strip():
        return None
    return int(value)


def text(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """A text as it is: leading zeros, case and blanks stay."""
    return value if isinstance(value, str) else str(value)


def trimmed(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """A text without the blanks that external sources pad it with."""
    return text(value).rstrip()


def boolean(value: Any) -> bool | None:  # noqa: ANN401 - whatever JSON holds
    """A yes or no, which may come as text."""
    if isinstance(value, str):
        return None if not value.strip() else value.strip().lower() == "true"
    return bool(value)


def date(value: str) -> str | None:
    """A day: the first ten characters, whatever offset stands behind them.

    A day that comes as midnight with the server's offset would move to its neighbour if it went through UTC.
    """
    return value[:10] or None


def time_converter(naive_zone: str) -> Callable[[str], str | None]:
    """Make the conversion of points in time to UTC.

    Args:
        naive_zone: IANA name of the zone of times that come without one.
    """
    zone = zoneinfo.ZoneInfo(naive_zone)

    def convert(value: str) -> str | None:
        if not value:
            return None
        return _shifted(dt.datetime.fromisoformat(value), zone)

    return convert


def _shifted(moment: dt.datetime, zone: dt.tzinfo) -> str:
    """A time in UTC; the ends of the calendar, which stand for no time at all, cannot be shifted and stay."""
    try:
        return iso(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except OverflowError:
        return iso(moment.replace(tzinfo=dt.UTC))


def custom_time_converter(naive_zone: str) -> Callable[[str], str | None]:
    """Make the conversion of custom columns, whose names do not tell days and times apart: midnight is a day."""
    utc = time_converter(naive_zone)

    def convert(value: str) -> str | None:
        return f"{value[:10]}T00:00:00.000000+00:00" if value[10:19] == "T00:00:00" else utc(value)

    return convert


def iso(moment: dt.datetime) -> str:
    """The one form in which times are emitted and kept: UTC with microseconds, so that text order is time order."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def converters(naive_zone: str, *, trims: bool = False) -> dict[str, Callable[[Any], Any]]:
    """The conversion of each kind."""
    return {
        "string": trimmed if trims else text,
        "boolean": boolean,
        "integer": integer,
        "decimal": number,
        "date": date,
        "time": time_converter(naive_zone),
        "custom_time": custom_time_converter(naive_zone),
    }


_PLAIN: Final = {"string": str, "boolean": bool, "integer": int}
"""What JSON gives where nothing has to be done to a value."""


def row_reader(
    columns: Sequence[Column],
    derived: Sequence[Derived],
    convert: Mapping[str, Callable[[Any], Any]],
    constant: Mapping[str, Any],
) -> Callable[[Row], Row]:
    """Make a function that turns one row of the ERP's answer into the properties that are wanted.

    The values are fetched in one go; those whose JSON type is right already are left alone, so that the work per row
    is in what has to be converted. A column that an answer lacks is null.

    Args:
        columns: The wanted columns, those with a source.
        derived: The wanted columns that are worked out.
        convert: How values of each kind are converted.
        constant: Properties that are the same for all rows.
    """
    names = [column.name for column in columns]
    sources = [column.source for column in columns]
    trims = convert["string"] is not text
    is_plain = {c.name: c.kind in _PLAIN and not (trims and c.kind == "string") for c in columns}
    checked = [(c.name, _PLAIN[c.kind], convert[c.kind]) for c in columns if is_plain[c.name]]
    changed = [(c.name, convert[c.kind]) for c in columns if not is_plain[c.name]]
    plain_types = tuple(kind for _, kind, _ in checked)
    plain_names = [name for name, _, _ in checked]
    fetch = _fetcher(sources)
    none = type(None)
    plain = _fetcher(plain_names)

    def read(raw: Row) -> Row:
        row = dict(zip(names, fetch(raw), strict=True))
        for name, how in changed:
            value = row[name]
            if value is not None:
                row[name] = how(value)
        if tuple(map(type, plain(row))) != plain_types:
            for name, kind, how in checked:
                value = row[name]
                found = type(value)
                if found is not kind and found is not none:
                    row[name] = how(value)
        for each in derived:
            row[each.name] = _worked_out(each, raw)
        row.update(constant)
        return row

    return read


def _fetcher(sources: Sequence[str]) -> Callable[[Row], Sequence[Any]]:
    if len(sources) < 2:  # noqa: PLR2004 - itemgetter gives a tuple for two and more
        return lambda raw: [raw.get(source) for source in sources]
    at_once = operator.itemgetter(*sources)

    def fetch(raw: Row) -> Sequence[Any]:
        try:
            return at_once(raw)  # type: ignore[no-any-return]
        except KeyError:
            return [raw.get(source) for source in sources]

    return fetch


def _worked_out(how: Derived, raw: Row) -> Decimal | int | None:
    if any((boolean(raw.get(name)) or False) is not wanted for name, wanted in how.when):
        return Decimal(0)
    value = raw.get(how.amount)
    return None if value is None else number(value)
