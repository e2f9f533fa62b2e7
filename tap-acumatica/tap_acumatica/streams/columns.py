"""Columns: where a value comes from in the ERP's answer, how it is converted, what the schema says of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import re
import zoneinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_acumatica.decoding import exact
from tap_acumatica.discovery import snake
from tap_acumatica.paging import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_acumatica.discovery import Endpoint, Field

CURSOR: Final = "last_modified_date_time"
NOTE_ID: Final = "note_id"
DELETED_AT: Final = "_sdc_deleted_at"

TENANT: Final = "tenant"

_PRECISION: Final = 18
_AMOUNT_SCALE: Final = 4
_SCALES: Final = (
    # Amounts carry the decimals of their currency (four at most), quantities and unit costs up to six.
    (
        re.compile(
            r"(Qty|Quantity|UnitCost|UnitPrice|Percent|CompleteOn)$|^(Qty|MaxReceipt|MinReceipt|Threshold)"
        ),
        6,
    ),
    (re.compile(r"(CurrencyRate|ReciprocalRate|TaxRate)$"), 8),
)
_TIMES: Final = re.compile(r"(DateTime|Time)$|^(Created|LastModified)")
_PERIODS: Final = re.compile(r"(PostPeriod|PeriodID|FinancialPeriod|FinPeriod)$")
# Bank, card and tax numbers, and switches of the entry form that tell nothing about the books.
_NOT_BY_DEFAULT: Final = re.compile(
    r"TaxRegistration|TaxExemption|1099|FATCA|CardAccount|BankAccount|IBAN|SSN"
    r"|^DoNot|^NoMarketing$|^NoMassMail$|Override|CalculateDiscountsOnImport|^IsTaxValid$|^Secured$|Validated$"
)
# Contract 5 tells the code of a drop-down from its label, contract 4 has the label alone. Fields that are drop-downs
# by their name get both columns in both contracts, so that an upgrade changes no schema.
_SELECTS: Final = re.compile(r"(Type|Status|PostOption)$")

_TIES: Final = (
    "To tie to the ledger, add up the amounts whose names begin with Ledger: they are signed, and 0 for what is not "
    "released or posted, or was voided. The others also count drafts and voids, and show credits as positive."
)


@dataclasses.dataclass(frozen=True)
class Column:
    """One property of a stream.

    Attributes:
        name: The property.
        kind: A key of the converters below.
        path: Names that lead to the value in the answer; empty for values that the tap works out.
        title: The ERP's own name.
        description: What a reader of the catalog should know.
        scale: Decimal places of a decimal.
        by_default: Whether it is read without being selected by name.
        hints: What a target should know beside the type. They stand in `x-sql-datatype-properties`, which a catalog
            keeps; see "Hints for Tableau" in target-tableau's README.
    """

    name: str
    kind: str
    path: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    scale: int | None = None
    by_default: bool = True
    hints: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the property. All are nullable, keys too: a tombstone knows only the note id."""
        kinds: dict[str, dict[str, Any]] = {
            "boolean": {"type": ["boolean", "null"]},
            "integer": {"type": ["integer", "null"]},
            "date": {"type": ["string", "null"], "format": "date"},
            "time": {"type": ["string", "null"], "format": "date-time"},
            "custom_time": {"type": ["string", "null"], "format": "date-time"},
            "decimal": {
                "type": ["number", "null"],
                "x-sql-datatype-properties": {"precision": _PRECISION, "scale": self.scale or _AMOUNT_SCALE},
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


def amount(name: str, title: str, description: str, **hints: Any) -> Column:  # noqa: ANN401 - as JSON holds them
    """A worked-out amount in base currency."""
    hints = {"currency": "base", **hints}
    return Column(name, "decimal", title=title, description=description, scale=_AMOUNT_SCALE, hints=hints)


def flag(name: str, title: str, description: str) -> Column:
    """A worked-out yes or no."""
    return Column(name, "boolean", title=title, description=description)


def columns_of(
    endpoint: Endpoint, entity: str, links: Iterable[str] = (), path: tuple[str, ...] = ()
) -> list[Column]:
    """The columns of an entity, with those of the linked entities that are expanded along with it.

    Args:
        endpoint: What the instance offers.
        entity: Name of the entity, or of the rows of a collection.
        links: Expanded linked entities as slash paths, `MainContact/Address`.
        path: Where the entity stands in the answer.
    """
    columns: list[Column] = []
    links = list(links)
    for name, field in endpoint.fields(entity).items():
        here = (*path, name)
        if field.kind == "link":
            if "/".join(here) in links:
                columns += columns_of(endpoint, field.entity, links, here)
        elif field.kind != "list":
            columns += _columns_of_field(name, field, here)
    return columns


def _columns_of_field(name: str, field: Field, path: tuple[str, ...]) -> list[Column]:
    kind = kind_of(name, field.kind)
    selectable = kind in {"select", "selects"} or (kind == "string" and _SELECTS.search(name) is not None)
    made = Column(
        name=snake("".join(f"{part}_" for part in path[:-1]) + name).replace("__", "_"),
        kind="label" if selectable else kind,
        path=path,
        title=".".join(path),
        description=field.description,
        scale=scale_of(name) if kind == "decimal" else None,
        by_default=not _NOT_BY_DEFAULT.search(name),
    )
    if not selectable:
        return [made]
    is_one_word = made.title[1:].islower()  # it would be taken for the caption of both
    by_code = dataclasses.replace(
        made,
        name=f"{made.name}_id",
        kind="code",
        hints={**made.hints, **({"label": f"{made.title} code"} if is_one_word else {})},
        description=f"Code behind {made.title}; known where the endpoint speaks contract 5 (26.200.001 and later).",
        by_default=made.by_default and kind != "string",
    )
    return [made, by_code]


def kind_of(name: str, kind: str) -> str:
    """The kind of a field when its name is considered too."""
    if kind == "time" and not _TIMES.search(name):
        return "date"  # business dates come as midnight and are never shifted
    return "period" if kind == "string" and _PERIODS.search(name) else kind


@functools.cache
def scale_of(name: str) -> int:
    """The decimal places of a number, by its name."""
    return next((scale for pattern, scale in _SCALES if pattern.search(name)), _AMOUNT_SCALE)


def tenant_column() -> Column:
    """Whose row it is; the ERP's own rows do not say, and several companies may share one table."""
    return Column(TENANT, "string", title="Tenant", description="The tenant that the row was read from.")


# values ---------------------------------------------------------------------------------------------------


def text(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """A text without trailing blanks: code fields come padded. Leading zeros and case stay."""
    return value.rstrip() if isinstance(value, str) else str(value)


def number(value: Any) -> Decimal | int:  # noqa: ANN401 - whatever JSON holds
    """An exact number: the decoder makes such of numbers, and some answers hold numbers as text."""
    return value if value.__class__ is Decimal or isinstance(value, int) else exact(str(value))


def date(value: str) -> str:
    """A business date: the day that the user entered, whatever zone stands behind it."""
    return value[:10]


@functools.lru_cache(maxsize=1024)  # every document bears one, and there are few
def period(value: str) -> str:
    """A financial period as YYYYMM; the ERP shows it as MMYYYY or MM-YYYY too.

    Period 13 holds adjustments.
    """
    digits = "".join(character for character in value if character.isdigit())
    if len(digits) == 6 and 1 <= int(digits[:2]) <= 13 and 1900 <= int(digits[2:]) <= 2100:  # noqa: PLR2004 - MMYYYY
        return digits[2:] + digits[:2]
    return digits or value


def label(value: Any) -> str | None:  # noqa: ANN401 - whatever JSON holds
    """What the user sees of a drop-down: contract 4 sends the label, contract 5 code and label."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(label, value)))
    shown = value.get("description") if isinstance(value, dict) else value
    return None if shown is None else text(shown)


def code(value: Any) -> str | None:  # noqa: ANN401 - whatever JSON holds
    """The code of a drop-down, where the contract sends it."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(code, value)))
    return text(value["id"]) if isinstance(value, dict) and value.get("id") is not None else None


def time_converter(naive_zone: str) -> Callable[[str], str]:
    """Make the conversion of times to UTC.

    Args:
        naive_zone: IANA name of the zone of times that come without one.
    """
    zone = zoneinfo.ZoneInfo(naive_zone)

    def convert(value: str) -> str:
        if value.endswith("+00:00") and 19 <= len(value) - 6 <= 26:  # noqa: PLR2004 - the usual form, no parsing
            whole = value[:-6]
            return f"{whole + '.' if len(whole) == 19 else whole:0<26}+00:00"  # noqa: PLR2004 - seconds, no fraction
        return _shifted(dt.datetime.fromisoformat(value), zone)

    return convert


def _shifted(moment: dt.datetime, zone: dt.tzinfo) -> str:
    """A time in UTC; the ends of the calendar, which stand for no time at all, cannot be shifted and stay."""
    try:
        return iso(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except OverflowError:
        return iso(moment.replace(tzinfo=dt.UTC))


def custom_time_converter(naive_zone: str) -> Callable[[str], str]:
    """Make the conversion of custom dates and times, which the ERP does not tell apart.

    Midnight is a date that a user entered and is not shifted; any other time goes to UTC.
    """
    utc = time_converter(naive_zone)

    def convert(value: str) -> str:
        return f"{value[:10]}T00:00:00.000000+00:00" if value[10:19] in {"", "T00:00:00"} else utc(value)

    return convert


def converters(naive_zone: str) -> dict[str, Callable[[Any], Any] | None]:
    """The conversion of each kind; None where the value is right as it comes."""
    return {
        "string": text,
        "boolean": None,
        "integer": None,
        "decimal": number,
        "date": date,
        "time": time_converter(naive_zone),
        "custom_time": custom_time_converter(naive_zone),
        "period": period,
        "label": label,
        "code": code,
    }


def schema_of(columns: Iterable[Column]) -> dict[str, Any]:
    """The JSON schema of a stream."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {column.name: column.schema() for column in columns},
    }
    if any(name.startswith("ledger_") for name in schema["properties"]):
        schema["x-sql-datatype-properties"] = {"notes": [_TIES]}
    return schema
