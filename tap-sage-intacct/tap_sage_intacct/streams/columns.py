"""Columns: from the fields of an object to properties, their types, and the conversion of their values."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import zoneinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tap_sage_intacct.discovery import snake
from tap_sage_intacct.paging import iso
from tap_sage_intacct.streams.hints import AMOUNT_SCALE, BASE, hints_of, notes_of, scale_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_sage_intacct.discovery import Field

T = TypeVar("T")

COMPANY: Final = "company_id"
ENTITY: Final = "entity_id"
DELETED_AT: Final = "_sdc_deleted_at"

_PRECISION: Final = 18
_KINDS: Final = {
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "time",
    "INTEGER": "count",
    "DECIMAL": "decimal",
    "CURRENCY": "decimal",
    "PERCENT": "decimal",
}
# Numbers that name a record are keys, and keys are text: some objects have them as TEXT already.
_KEYS: Final = re.compile(
    r"(^|\.)(RECORDNO|BATCHNO|DOCHDRNO|USERNO|PARENTENTRY|BASELOCATION|LOCATIONNO|ACCOUNTREC|PAYMETHODREC"
    r"|AUCREATEDBY|CREATEDBY|MODIFIEDBY|ID|\w*KEY)$",
    re.IGNORECASE,
)
# Bank, card and tax numbers, personal data, links to the screen, and what is worked out anew at every reading.
_NOT_BY_DEFAULT: Final = re.compile(
    r"RECORD_URL$|^DUE_IN_DAYS$|TAXID$|^ACH|^WIRE|^VENDORACH|^(VENDOR_)?AMEX|SSN|BIRTHDATE|1099|T5018|TPAR|FEDERALID|SIRET"
    r"|ROUTING|IBAN|BANKACCOUNTNO|ACCOUNTNUMBER|CARDNUM|SWIFT|PMPLUS|OUTSOURCE|IPADDRESS"
)
_USEFUL_RELATED: Final = re.compile(
    r"^(DISPLAYCONTACT|CONTACTINFO)\.(EMAIL1|PHONE1|PRINTAS|MAILADDRESS\.(CITY|STATE|ZIP|COUNTRY|COUNTRYCODE))$"
)
_EXPONENT_FROM: Final = "0.000000"
_LONG: Final = 4
_MOST_REMEMBERED: Final = 10_000


@dataclasses.dataclass(frozen=True)
class Column:
    """One property of a stream.

    Attributes:
        name: The property.
        kind: string, key, boolean, date, time, count or decimal.
        field: The ERP's field; empty for values that the tap works out.
        title: The ERP's own name.
        description: What a reader of the catalog should know.
        scale: Decimal places of a decimal.
        by_default: Whether it is read without being selected by name.
        hints: What a target should know beside the type. They stand in `x-sql-datatype-properties`, which a catalog
            keeps; see "Hints for Tableau" in target-tableau's README.
    """

    name: str
    kind: str
    field: str = ""
    title: str = ""
    description: str = ""
    scale: int = AMOUNT_SCALE
    by_default: bool = True
    hints: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the property; all are nullable, because a tombstone has nothing but its key."""
        kinds: dict[str, dict[str, Any]] = {
            "boolean": {"type": ["boolean", "null"]},
            "count": {"type": ["number", "null"]},
            "date": {"type": ["string", "null"], "format": "date"},
            "time": {"type": ["string", "null"], "format": "date-time"},
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
        if self.title:
            schema["title"] = self.title
        if self.description:
            schema["description"] = self.description
        return schema


def amount(name: str, title: str, description: str) -> Column:
    """A worked-out amount in base currency."""
    return Column(name, "decimal", title=title, description=description, hints=BASE)


def column_of(field: Field, hints: Mapping[str, Any] | None = None) -> Column:
    """The column of a field."""
    kind = _KINDS.get(field.type, "string")
    if kind == "count" and _KEYS.search(field.name):
        kind = "key"
    said = field.description if field.description not in {"", "No description specified"} else ""
    label = field.label if field.label.upper() not in {"", field.name} else ""
    return Column(
        name=snake(field.name),
        kind=kind,
        field=field.name,
        title=field.name,
        description=said if said.upper() not in {label.upper(), field.name} else "",
        scale=scale_of(field),
        by_default=not _NOT_BY_DEFAULT.search(field.name)
        and ("." not in field.name or field.is_custom or _USEFUL_RELATED.match(field.name) is not None),
        hints=({"label": label} if label else {}) | dict((kind != "key" and hints) or {}),
    )


def columns_of(fields: Iterable[Field]) -> list[Column]:
    """The columns of an object; of two fields with the same property the first one counts."""
    columns: dict[str, Column] = {}
    fields = list(fields)
    names = {field.name for field in fields}
    for field in fields:
        columns.setdefault(snake(field.name), column_of(field, hints_of(field, names)))
    return list(columns.values())


def origin_columns(*, by_entity: bool) -> list[Column]:
    """Whose row it is; the ERP's own rows do not say, and many companies may share one table."""
    columns = [Column(COMPANY, "string", title="Company", description="The company that was read.")]
    if by_entity:
        columns.append(
            Column(ENTITY, "string", title="Entity", description="The entity that was signed in to.")
        )
    return columns


def schema_of(columns: Iterable[Column]) -> dict[str, Any]:
    """The JSON schema of a stream."""
    columns = list(columns)
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {column.name: column.schema() for column in columns},
    }
    notes = notes_of({column.name: column.title for column in columns})
    return {**schema, "x-sql-datatype-properties": {"notes": notes}} if notes else schema


# values ---------------------------------------------------------------------------------------------------


def boolean(value: str) -> bool:
    """True and false come as words from `query`, as letters from `readByQuery`.

    Raises:
        ValueError: It is neither.
    """
    word = value.strip().lower()
    if word in {"true", "t"}:
        return True
    if word in {"false", "f"}:
        return False
    raise ValueError(value)


def number(value: str) -> Decimal:
    """An exact number that is written in plain digits.

    Raises:
        ValueError: It is none that JSON can carry.
        ArithmeticError: It is no number.
    """
    exact = _finite(value)
    if len(value) >= _LONG and (value.startswith(_EXPONENT_FROM) or "E" in value or "e" in value):
        whole = exact.to_integral_value()
        return Decimal(f"{whole:f}") if exact == whole else exact
    return exact


def _finite(value: str) -> Decimal:
    exact = Decimal(value)
    if not exact.is_finite():
        raise ValueError(value)
    return exact


def count(value: str) -> int | Decimal:
    """A whole number; some come as `3.0`."""
    try:
        return int(value)
    except ValueError:
        exact = _finite(value)
    return int(exact) if exact == exact.to_integral_value() else exact


def key(value: str) -> str:
    """The number of a record as text; some come as `3.0`."""
    return value if value.isdigit() else str(count(value))


class Remembered(dict[T, Any]):
    """Texts -> what is made of them, worked out once: rows repeat dates, times and amounts.

    Args:
        make: Works it out.
        most: How many are kept.
    """

    def __init__(self, make: Callable[[T], Any], most: int = _MOST_REMEMBERED) -> None:
        super().__init__()
        self._make = make
        self._most = most

    def __missing__(self, text: T) -> Any:  # noqa: ANN401 - whatever is made
        if len(self) >= self._most:
            self.clear()
        made = self[text] = self._make(text)
        return made


def date(value: str) -> str:
    """A business date in ISO form; never shifted, for it has no zone."""
    return _date(value[:10]).isoformat()


def _date(value: str) -> dt.date:
    if value[4:5] == "-":
        return dt.date.fromisoformat(value)
    if value[2:3] != "/" or value[5:6] != "/":
        raise ValueError(value)
    return dt.date.fromisoformat(f"{value[6:]}-{value[:2]}-{value[3:5]}")


class Clock:
    """Converts the gateway's times to UTC and back.

    Args:
        zone: The zone that the gateway writes times in.
    """

    def __init__(self, zone: dt.tzinfo) -> None:
        self.zone = zone
        self._minutes: dict[str, str] = {}

    def utc(self, value: str) -> str:
        """A time as it comes, in ISO form and UTC. Some TIMESTAMP fields come with the date only.

        Raises:
            ValueError: It is not a time.
        """
        if len(value) != 19 or value[2] != "/":  # noqa: PLR2004 - mm/dd/yyyy hh:mm:ss
            return self._unusual(value)
        minute = self._minutes.get(value[:16])
        if minute is None:
            local = dt.datetime.fromisoformat(f"{value[6:10]}-{value[:2]}-{value[3:5]}T{value[11:16]}:00")
            if value[5] != "/" or value[10] != " ":
                raise ValueError(value)
            minute = self._shifted(local)[:16]
            if len(self._minutes) < _MOST_REMEMBERED:
                self._minutes[value[:16]] = minute
        if not (value[16] == ":" and value[17:].isdigit()):
            raise ValueError(value)
        return f"{minute}{value[16:]}.000000+00:00"

    def _unusual(self, value: str) -> str:
        if value[4:5] == "-":
            moment = dt.datetime.fromisoformat(value)
        elif len(value) == 10:  # noqa: PLR2004 - mm/dd/yyyy
            moment = dt.datetime.combine(_date(value), dt.time())
        else:
            moment = dt.datetime.strptime(value, "%m/%d/%Y %H:%M:%S")  # noqa: DTZ007 - its zone follows
        return self._shifted(moment)

    def _shifted(self, moment: dt.datetime) -> str:
        """A time in UTC; the ends of the calendar, which stand for no time at all, cannot be shifted and stay."""
        try:
            return iso(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))
        except OverflowError:
            return iso(moment.replace(tzinfo=dt.UTC))

    def literal(self, moment: dt.datetime) -> str:
        """A time as filters need it."""
        return moment.astimezone(self.zone).strftime("%m/%d/%Y %H:%M:%S")

    def literal_of(self, value: str) -> str:
        """A time in ISO form as filters need it."""
        return self.literal(dt.datetime.fromisoformat(value))


def zone_of(name: str) -> dt.tzinfo:
    """A zone by its IANA name, or by its distance from UTC as `-08:00`.

    Raises:
        ValueError: There is none of this name.
    """
    found = re.fullmatch(r"(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})", name.strip())
    if found:
        distance = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
        return dt.timezone(-distance if found[1] == "-" else distance)
    try:
        return zoneinfo.ZoneInfo(name.strip())
    except (zoneinfo.ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def converters(clock: Clock) -> dict[str, Callable[[str], Any]]:
    """The conversion of each kind; text is right as it comes, empty elements included."""
    return {
        "key": key,
        **{
            kind: Remembered(make).__getitem__
            for kind, make in {
                "boolean": boolean,
                "count": count,
                "decimal": number,
                "date": date,
                "time": clock.utc,
            }.items()
        },
    }
