"""Columns: where a value comes from, how it is converted, what the schema says of it."""

from __future__ import annotations

import base64
import dataclasses
import operator
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_syspro.discovery import EntitySet, Field, snake
from tap_syspro.errors import BadValueError
from tap_syspro.streams.hints import hints_of, meaning_of, stream_hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_syspro.service import Row
    from tap_syspro.streams.catalogue import Known

Convert = Callable[[Sequence[Any]], Sequence[Any]]
"""Converts the values of a column, as they came in several rows."""

COMPANY: Final = "_company"
DELETED_AT: Final = "_sdc_deleted_at"
ROW_VERSION: Final = "TimeStamp"

_PRECISION: Final = 18
_SCALE: Final = 6
_ROW_VERSION_BYTES: Final = 8
_EDM_KINDS: Final = {
    "Edm.Boolean": "boolean",
    "Edm.Byte": "integer",
    "Edm.SByte": "integer",
    "Edm.Int16": "integer",
    "Edm.Int32": "integer",
    "Edm.Int64": "integer",
    "Edm.Decimal": "decimal",
    "Edm.Double": "decimal",
    "Edm.Single": "decimal",
    # SYSPRO keeps days in datetime columns; times are numbers of their own (TrnTime).
    "Edm.Date": "date",
    "Edm.DateTimeOffset": "date",
}
# Bank, card and tax numbers, whatever table they stand in.
_SENSITIVE: Final = re.compile(
    r"BankAcc|BankBranch|BankAccount|IBAN|Swift|CardNum|CreditCard|TaxRegn|TaxExempt|VatNumber|Password",
    re.IGNORECASE,
)
_WRONG: Final = (ValueError, TypeError, AttributeError, ArithmeticError)
_TEXT: Final = frozenset({str, type(None)})
_PADDED: Final = ("Customer", "Supplier", "SalesOrder", "PurchaseOrder", "Job")


@dataclasses.dataclass(frozen=True)
class Column:
    """One property of a stream.

    Attributes:
        name: The property.
        kind: string, key, integer, decimal, date, datetime, boolean or rowversion.
        source: The ERP's own name; empty for what the tap works out.
        scale: Decimal places of a decimal.
        description: What a reader of the catalog should know.
        by_default: Whether it is read without being selected by name.
    """

    name: str
    kind: str
    source: str = ""
    scale: int | None = None
    description: str = ""
    by_default: bool = True

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the property."""
        kinds: dict[str, dict[str, Any]] = {
            "boolean": {"type": ["boolean", "null"]},
            "integer": {"type": ["integer", "null"]},
            "date": {"type": ["string", "null"], "format": "date"},
            "datetime": {"type": ["string", "null"], "format": "date-time"},
            "decimal": {
                "type": ["number", "null"],
                "x-sql-datatype-properties": {
                    "precision": _PRECISION,
                    "scale": _SCALE if self.scale is None else self.scale,
                },
            },
        }
        schema = kinds.get(self.kind, {"type": ["string", "null"]})
        if self.source:
            schema["title"] = self.source
        if self.description:
            schema["description"] = self.description
        return schema


def schema_of(stream: str, columns: Iterable[Column]) -> dict[str, Any]:
    """The JSON schema of a stream, with what a target should know beside types (`x-sql-datatype-properties`)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        **stream_hints(stream),
        "properties": {column.name: _explained(stream, column) for column in columns},
    }


def _explained(stream: str, column: Column) -> dict[str, Any]:
    schema = dataclasses.replace(column, description=meaning_of(stream, column)).schema()
    if hints := hints_of(stream, column):
        schema["x-sql-datatype-properties"] = schema.get("x-sql-datatype-properties", {}) | hints
    return schema


def columns_of(
    entities: Sequence[EntitySet],
    known: Mapping[str, Known],
    keys: Sequence[str],
    kinds: Mapping[str, str],
) -> list[Column]:
    """The columns of a table, as its companies describe it together; by the catalogue where none does.

    Args:
        entities: The table in each company.
        known: What the catalogue says of it.
        keys: Its key.
        kinds: Kinds that the settings give to columns.
    """
    fields: dict[str, Field] = {}
    for entity in entities:
        for name, field in entity.fields.items():
            fields.setdefault(name, field)
    if not any(entity.described for entity in entities):
        fields = {name: Field() for name in known}
    fields.update({name: Field() for name in (*keys, *kinds) if name not in fields})
    columns = [
        _column(name, field, known.get(name), kinds.get(name), name in keys) for name, field in fields.items()
    ]
    padded = [name for name in _PADDED if name in fields]
    columns += [
        Column(
            f"{snake(name)}_display",
            "display",
            name,
            description=f"{name} without the zeros before it; join by {snake(name)}.",
            by_default=False,
        )
        for name in padded
    ]
    return columns


def _column(name: str, field: Field, known: Known | None, given: str | None, is_key: bool) -> Column:  # noqa: FBT001 - internal
    kind = given or _kind_of(name, field, known)
    if is_key and kind == "string":
        kind = "key"
    scale = None
    if kind == "decimal":
        scale = field.scale if field.scale is not None else known.scale if known else None
    # Standard columns are never null, but for days and row versions; what may be null a site has added itself.
    is_useful = known is not None or given is not None or field.nullable
    is_sensitive = (known is not None and known.is_sensitive) or bool(_SENSITIVE.search(name))
    return Column(
        snake(name),
        kind,
        name,
        scale,
        by_default=is_key or (is_useful and not is_sensitive and kind != "rowversion"),
    )


def _kind_of(name: str, field: Field, known: Known | None) -> str:
    if name == ROW_VERSION and field.edm in {"", "Edm.Binary", "Edm.Int64", "Edm.Decimal"}:
        return "rowversion"
    told = _EDM_KINDS.get(field.edm, "string") if field.edm else None
    if known is not None and (told in {None, known.kind} or {told, known.kind} <= {"integer", "decimal"}):
        return known.kind
    if told == "decimal" and field.scale == 0:
        return "integer"  # years, periods and line numbers are decimal(p,0)
    if known is not None and known.kind == "date" and told == "string":
        return "date"
    return told or "string"


# values ---------------------------------------------------------------------------------------------------


def whole(value: Any) -> int | None:  # noqa: ANN401 - whatever the service wrote
    """A whole number: `2024`, `2024.0` and `"2024"` are the same."""
    if value.__class__ is int:
        return value
    text = str(value).strip()
    return int(Decimal(text)) if text else None


def number(value: Any) -> Decimal | int | None:  # noqa: ANN401 - whatever the service wrote
    """An exact number that is written in plain digits, never as 1E+2; e.net pads and may group its digits."""
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        exact = value
    else:
        text = str(value).strip().replace(",", "")
        if not text:
            return None
        exact = Decimal(text)
    return Decimal(f"{exact:f}") if "E" in str(exact) else exact


def date(value: str) -> str | None:
    """The calendar day as it is written, whatever offset stands behind it; e.net writes null as zeros."""
    day = value[:10]
    return None if not day.strip() or day.startswith("0000") else day


def moment(value: str) -> str | None:
    """Day and time as they are written, in the ERP's own clock."""
    return None if date(value) is None else f"{value[:10]}T{value[11:19] or '00:00:00'}+00:00"


def row_version(value: Any) -> str | None:  # noqa: ANN401 - whatever the service wrote
    """A row version as 16 hex digits, so that text order is its order."""
    count = row_number(value)
    return None if count is None else f"{count:016x}"


def row_number(value: Any) -> int | None:  # noqa: ANN401 - whatever the service wrote
    """A row version as a number: it comes as 8 bytes in base64, or as a number from a view."""
    if value is None or value == "":
        return None
    if isinstance(value, (int, Decimal)):
        return int(value)
    text = str(value).strip()
    if text.isdecimal():
        return int(text)
    if re.fullmatch(r"0x[0-9A-Fa-f]{1,16}", text):
        return int(text, 16)
    padded = text.replace("-", "+").replace("_", "/")
    return int.from_bytes(base64.b64decode(padded + "=" * (-len(padded) % 4))[:_ROW_VERSION_BYTES], "big")


def plain_boolean(value: Any) -> bool:  # noqa: ANN401 - whatever the service wrote
    """A boolean of a view."""
    return value if isinstance(value, bool) else str(value).strip().lower() in {"true", "1", "y"}


def _each(how: Callable[[Any], Any]) -> Convert:
    """Make the conversion of columns of that of single values."""

    def convert(values: Sequence[Any]) -> Sequence[Any]:
        if set(map(type, values)) <= _TEXT:
            # Most texts come many times. Not so with numbers: those that are equal may differ in digits.
            made = {value: None if value is None else how(value) for value in set(values)}
            return list(map(made.__getitem__, values))
        return [None if value is None else how(value) for value in values]

    return convert


def _wholes(values: Sequence[Any]) -> Sequence[Any]:
    if set(map(type, values)) == {int}:
        return values
    return [None if value is None else whole(value) for value in values]


def _stripped(values: Sequence[Any]) -> Sequence[Any]:
    """The usual case of texts, and by far the most frequent conversion of all: written out for that."""
    return [
        None if value is None else (value if value.__class__ is str else str(value)).rstrip() or None
        for value in values
    ]


def converters(config: Mapping[str, Any]) -> dict[str, Convert]:
    """The conversion of each kind. Null stays null."""
    strips = config["strip_strings"] == "right"
    blanks = config["blank_as_null"]

    # Blanks at the beginning are part of keys (SYSPRO 7): never stripped.
    def key(value: Any) -> str:  # noqa: ANN401 - whatever the service wrote
        text = value if value.__class__ is str else str(value)
        return text.rstrip() if strips else text

    def text(value: Any) -> str | None:  # noqa: ANN401 - whatever the service wrote
        found = value if value.__class__ is str else str(value)
        return None if blanks and (not found or found.isspace()) else found

    def right_stripped(value: Any) -> str:  # noqa: ANN401 - whatever the service wrote
        return str(value).rstrip()

    def display(value: Any) -> str:  # noqa: ANN401 - whatever the service wrote
        found = str(value).strip()
        return found.lstrip("0") or "0" if found.isdecimal() else found

    return {
        "string": (_stripped if blanks else _each(right_stripped)) if strips else _each(text),
        "key": _each(key),
        "display": _each(display),
        "integer": _wholes,
        "decimal": _each(number),
        "date": _each(date),
        "datetime": _each(moment),
        "boolean": _each(plain_boolean),
        "rowversion": _each(row_version),
    }


def rows_reader(
    columns: Iterable[Column], convert: Mapping[str, Convert]
) -> Callable[[Sequence[Row]], dict[str, Sequence[Any]]]:
    """Make a function that turns rows of the service, one or more, into the wanted properties, column by column."""
    wanted = [column for column in columns if column.source]
    hows = [convert[column.kind] for column in wanted]
    keys = [column.source for column in wanted if column.kind == "key"]
    fetch = _fetcher([column.source for column in wanted])

    def read(raws: Sequence[Row]) -> dict[str, Sequence[Any]]:
        made: dict[str, Sequence[Any]] = {}
        for column, how, values in zip(wanted, hows, zip(*map(fetch, raws), strict=True), strict=True):
            try:
                made[column.name] = how(values)
            except _WRONG:
                raise _bad_value(column, how, values, raws, keys) from None
        return made

    return read


def _bad_value(
    column: Column, how: Convert, values: Sequence[Any], raws: Sequence[Row], keys: Sequence[str]
) -> BadValueError:
    """Which value it is that does not fit its column."""
    for value, raw in zip(values, raws, strict=True):
        try:
            how([value])
        except _WRONG:
            key = ", ".join(f"{name} {str(raw.get(name)).strip()}" for name in keys)
            return BadValueError(
                f"{key or 'A row'}: {column.source} is {str(value)[:60]!r}, which is no {column.kind}. Correct it in "
                f"SYSPRO, or deselect {column.name}."
            )
    return BadValueError(f"{column.source}: values cannot be read as {column.kind}.")


def _fetcher(sources: Sequence[str]) -> Callable[[Row], Sequence[Any]]:
    """Make a function that gets several values of a row at once; those that it lacks are null."""
    if len(sources) < 2:  # noqa: PLR2004 - itemgetter gives a tuple for two and more
        return lambda raw: [raw.get(source) for source in sources]
    at_once = operator.itemgetter(*sources)

    def fetch(raw: Row) -> Sequence[Any]:
        try:
            return at_once(raw)  # type: ignore[no-any-return]
        except KeyError:
            return [raw.get(source) for source in sources]

    return fetch
