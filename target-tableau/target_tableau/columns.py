"""From a stream's JSON Schema to the columns of its extract.

The rules are those of the README ("How types are mapped"). Facts about Hyper: NUMERIC above precision 18
needs file version 3; Hyper stores timestamps without a zone, so they are brought to UTC before; column names
are case-sensitive in Hyper, but Tableau's field names are not.
"""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from target_tableau.errors import SettingError
from target_tableau.hints import NO_COLUMN_HINTS, NO_STREAM_HINTS, column_hints, stream_hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_tableau.hints import ColumnHints, StreamHints


class Kind(StrEnum):
    """The Hyper types that extracts are made of."""

    BIGINT = "BIGINT"
    BOOL = "BOOL"
    DATE = "DATE"
    DOUBLE = "DOUBLE"
    NUMERIC = "NUMERIC"
    TEXT = "TEXT"
    TIMESTAMP = "TIMESTAMP"


_SHORT_PRECISION = 18  # the most that Hyper stores in 64 bits, and all that file version 2 knows
_LONG_PRECISION = 38
_WIDE_VERSION = 3
_DEFAULT_DECIMAL_SCALE = 6  # for texts of format singer.decimal that do not tell theirs

_ARROW: dict[Kind, pa.DataType] = {
    Kind.BIGINT: pa.int64(),
    Kind.BOOL: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.DOUBLE: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.TIMESTAMP: pa.timestamp("us"),
}


@dataclasses.dataclass(frozen=True)
class Type:
    """The type of one column; `precision` and `scale` only count for NUMERIC."""

    kind: Kind
    precision: int = 0
    scale: int = 0

    @property
    def sql(self) -> str:
        """As Hyper spells it."""
        if self.kind is Kind.NUMERIC:
            return f"NUMERIC({self.precision},{self.scale})"
        return {"DOUBLE": "DOUBLE PRECISION", "BOOL": "BOOLEAN"}.get(self.kind.value, self.kind.value)

    @property
    def arrow(self) -> pa.DataType:
        """As the journal's Parquet files spell it; Hyper's COPY wants exactly this."""
        if self.kind is Kind.NUMERIC:
            return pa.decimal128(self.precision, self.scale)
        return _ARROW[self.kind]

    @property
    def rule(self) -> str:
        """What a value must be like, for error messages."""
        if self.kind is Kind.NUMERIC:
            return (
                f"must be a number with at most {self.precision - self.scale} digits before and {self.scale} "
                "after the decimal point (the scale comes from the schema's x-sql-datatype-properties or "
                "multipleOf)"
            )
        return {
            Kind.BIGINT: "must be a whole number between -2^63 and 2^63-1",
            Kind.BOOL: "must be true or false",
            Kind.DATE: "must be a date like 2026-01-31, of the years 1 to 9999",
            Kind.DOUBLE: "must be a number",
            Kind.TEXT: "must be text",
            Kind.TIMESTAMP: "must be a date-time like 2026-01-31T12:00:00Z, of the years 1 to 9999",
        }[self.kind]


_SPELLED = {
    "BIG_INT": Kind.BIGINT,
    "BOOL": Kind.BOOL,
    "BOOLEAN": Kind.BOOL,
    "DOUBLE": Kind.DOUBLE,
    "DOUBLE PRECISION": Kind.DOUBLE,
}
"""How `Type.sql` and Hyper's catalog spell kinds whose own names are different."""


def type_from_sql(sql: str) -> Type:
    """The type that `Type.sql` or Hyper's catalog spells, e.g. `NUMERIC(18, 4)`; text where it is none of ours."""
    name, _, rest = sql.partition("(")
    if name == "NUMERIC":
        precision, scale = (int(part) for part in rest.rstrip(")").split(","))
        return Type(Kind.NUMERIC, precision, scale)
    return Type(_SPELLED.get(name) or (Kind(name) if name in set(Kind) else Kind.TEXT))


def type_of(arrow: pa.DataType) -> Type:
    """The type whose Arrow form this is."""
    if pa.types.is_decimal(arrow):
        return Type(Kind.NUMERIC, arrow.precision, arrow.scale)
    return Type(next(kind for kind, form in _ARROW.items() if form == arrow))


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of an extract.

    Attributes:
        name: Column name in the extract.
        source: Property of the record that fills it.
        type: Its type.
        nested: The property may hold objects or arrays, which are kept as JSON text.
        hints: What the schema tells about its meaning; changes nothing about the data.
        shows: Column whose moments it shows on the clocks of `zone`; see `display`.
        zone: Name of a time zone; empty for columns that records fill.
    """

    name: str
    source: str
    type: Type
    nested: bool = False
    hints: ColumnHints = dataclasses.field(default=NO_COLUMN_HINTS, compare=False)
    shows: str = ""
    zone: str = ""


LOAD_ID = "_sdc_load_id"
EXTRACTED_AT = "_sdc_extracted_at"
DELETED_AT = "_sdc_deleted_at"
SEQUENCE = "_sdc_sequence"

METADATA: tuple[Column, ...] = (
    Column(EXTRACTED_AT, EXTRACTED_AT, Type(Kind.TIMESTAMP)),
    Column(DELETED_AT, DELETED_AT, Type(Kind.TIMESTAMP)),
    Column(SEQUENCE, SEQUENCE, Type(Kind.BIGINT)),
    Column(LOAD_ID, LOAD_ID, Type(Kind.TEXT)),
)
"""The columns that every extract carries beside those of the stream."""

METADATA_NAMES = frozenset(column.name for column in METADATA)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The columns of one stream, in the order of its schema, and which of them are the key.

    Attributes:
        stream: Name of the stream.
        columns: The stream's own columns, without `METADATA`.
        keys: Names of the key columns, in the order of `key_properties`.
        announces_deletions: The schema names `_sdc_deleted_at`: the tap sends tombstones.
        replication_key: Name of the column by which the tap follows the stream, if there is one: it differs in
            most rows that have changed.
        hints: What the schema tells about the stream's meaning.
    """

    stream: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    announces_deletions: bool = False
    replication_key: str | None = dataclasses.field(default=None, compare=False)
    hints: StreamHints = dataclasses.field(default=NO_STREAM_HINTS, compare=False)

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The stream's columns and the metadata columns."""
        return self.columns + METADATA

    @property
    def has_nested(self) -> bool:
        """Whether records may hold objects or arrays."""
        return any(column.nested for column in self.columns)

    def column_of(self, source: str) -> Column:
        """The column that a property fills.

        Raises:
            SettingError: The stream has no such property.
        """
        for column in self.columns:
            if column.source == source:
                return column
        raise SettingError(
            f"Stream '{self.stream}' has no property '{source}'; it has: "
            f"{', '.join(column.source for column in self.columns)}."
        )


def plan_of(
    stream: str,
    message: Mapping[str, Any],
    hyper_version: int,
    names: Mapping[str, str] | None = None,
    reserved: Iterable[str] = (),
) -> Plan:
    """Make the column plan of a stream.

    Args:
        stream: Name of the stream.
        message: Its SCHEMA message, of which `schema`, `key_properties` and `bookmark_properties` count.
        hyper_version: File version of the extract; decides how wide a NUMERIC may be.
        names: Property -> column, as they are renamed or were named before.
        reserved: Names that columns of the stream bear or bore; a property that is new gets none of them.

    Raises:
        SettingError: The schema has no properties, or a key property is not among them.
    """
    schema: Mapping[str, Any] = message["schema"]
    key_properties: Sequence[str] = message["key_properties"]
    followed: Sequence[str] = message.get("bookmark_properties") or ()
    properties: Mapping[str, Any] = schema.get("properties") or {}
    named = column_names((name for name in properties if name not in METADATA_NAMES), names or {}, reserved)
    columns = tuple(
        Column(
            named[source],
            source,
            *_type_of(properties[source], hyper_version),
            column_hints(stream, source, properties[source]),
        )
        for source in named
    )
    by_source = {column.source: column for column in columns}
    missing = [key for key in key_properties if key not in by_source]
    if missing:
        raise SettingError(
            f"Stream '{stream}': the key properties {', '.join(missing)} are not in its schema; correct the "
            "tap's key_properties or select these properties."
        )
    return Plan(
        stream=stream,
        columns=columns,
        keys=tuple(by_source[key].name for key in key_properties),
        announces_deletions=DELETED_AT in properties,
        replication_key=next((by_source[name].name for name in followed if name in by_source), None),
        hints=stream_hints(stream, schema),
    )


def column_names(
    properties: Iterable[str], known: Mapping[str, str] | None = None, reserved: Iterable[str] = ()
) -> dict[str, str]:
    """Give each property a column name that Tableau can tell from the others (it ignores case).

    What is known keeps its name. Of several others that differ only by case the first keeps its own, the next
    become `name_2`, `name_3`. Nor do they get the name of a column whose property does not come any more.

    Raises:
        SettingError: Two properties are to have the same name.
    """
    wanted = list(properties)
    names: dict[str, str] = {}
    taken: dict[str, str] = {name.casefold(): name for name in METADATA_NAMES}
    for source in (name for name in wanted if name in (known or {})):
        name = (known or {})[source]
        if name.casefold() in taken:
            raise SettingError(
                f"The properties '{taken[name.casefold()]}' and '{source}' would both become the column '{name}'; "
                "change the columns rules."
            )
        taken[name.casefold()] = source
        names[source] = name
    taken = {name.casefold(): name for name in reserved} | taken
    for source in (name for name in wanted if name not in names):
        name, number = source, 1
        while name.casefold() in taken:
            number += 1
            name = f"{source}_{number}"
        taken[name.casefold()] = source
        names[source] = name
    return {source: names[source] for source in wanted}


def _type_of(schema: Mapping[str, Any], hyper_version: int) -> tuple[Type, bool]:
    """The type of a property, and whether it may be nested."""
    schema = _without_null(schema)
    declared = schema.get("type")
    types = {declared} if isinstance(declared, str) else set(declared or ())
    types.discard("null")
    if len(types) != 1:
        # Nothing or several things are promised: text holds them all, objects and arrays as JSON.
        return (Type(Kind.TEXT), not types or bool(types & {"object", "array"}) or len(types) > 1)
    (only,) = types
    if only in {"object", "array"}:
        return Type(Kind.TEXT), True
    if only == "number":
        return _number_type(schema, hyper_version), False
    if only == "string":
        return _text_type(schema, hyper_version), False
    return Type({"integer": Kind.BIGINT, "boolean": Kind.BOOL}.get(only, Kind.TEXT)), False


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """`anyOf: [X, null]` is X; any other choice stays undecided."""
    for word in ("anyOf", "oneOf"):
        choices = [choice for choice in schema.get(word, ()) if choice.get("type") != "null"]
        if len(choices) == 1 and "type" not in schema:
            return {**schema, **choices[0]}
        kinds = {str(choice.get("type")) for choice in choices}
        formats = {choice.get("format") for choice in choices}
        if choices and kinds <= {"string", "['string', 'null']"} and None in formats and "type" not in schema:
            return {"type": "string"}  # a date or any other text: text
    return schema


def _number_type(schema: Mapping[str, Any], hyper_version: int) -> Type:
    scale = _declared(schema, "scale")
    if scale is None and "multipleOf" in schema:
        scale = _scale_of_step(str(schema["multipleOf"]))
    if scale is None:
        return Type(Kind.DOUBLE)
    return _numeric(_declared(schema, "precision"), scale, hyper_version)


def _text_type(schema: Mapping[str, Any], hyper_version: int) -> Type:
    text_format = schema.get("format")
    if text_format == "singer.decimal":
        scale = _declared(schema, "scale")
        return _numeric(
            _declared(schema, "precision"), _DEFAULT_DECIMAL_SCALE if scale is None else scale, hyper_version
        )
    return Type({"date": Kind.DATE, "date-time": Kind.TIMESTAMP}.get(str(text_format), Kind.TEXT))


def _declared(schema: Mapping[str, Any], name: str) -> int | None:
    value = (schema.get("x-sql-datatype-properties") or {}).get(name, schema.get(name))
    return value if isinstance(value, int) else None


def _scale_of_step(step: str) -> int | None:
    """Decimal places of a `multipleOf` such as 0.01; None when it is not a power of ten below one."""
    mantissa, _, exponent = step.lower().partition("e")
    fraction = mantissa.partition(".")[2].rstrip("0")
    places = len(fraction) - int(exponent or 0)
    return places if 0 <= places <= _SHORT_PRECISION else None


def _numeric(precision: int | None, scale: int, hyper_version: int) -> Type:
    """Every NUMERIC is as wide as its storage: 18 digits, or 38 where more are asked for and possible."""
    wide = (precision or _SHORT_PRECISION) > _SHORT_PRECISION and hyper_version >= _WIDE_VERSION
    widest = _LONG_PRECISION if wide else _SHORT_PRECISION
    return Type(Kind.NUMERIC, widest, min(scale, widest))


_WIDER = (Kind.BIGINT, Kind.NUMERIC, Kind.DOUBLE, Kind.TEXT)


def wider(one: Type, other: Type) -> Type:
    """The narrowest type that holds every value of both, but for amounts too long for the longer scale: Hyper tells."""
    if one == other:
        return one
    if one.kind in _WIDER and other.kind in _WIDER:
        kind = max(one.kind, other.kind, key=_WIDER.index)
        if kind is not Kind.NUMERIC:
            return Type(kind)
        return Type(kind, max(one.precision, other.precision), max(one.scale, other.scale))
    return Type(Kind.TEXT)


def merge_plans(before: Plan, after: Plan) -> Plan:
    """The plan of a stream whose schema changed: all columns of both, each wide enough for both."""
    merged = {column.name: column for column in before.columns}
    for column in after.columns:
        known = merged.get(column.name)
        if known is not None:
            column = dataclasses.replace(  # noqa: PLW2901 - the merged column takes the place of the new one
                column, type=wider(known.type, column.type), nested=known.nested or column.nested
            )
        merged[column.name] = column
    return dataclasses.replace(
        after,
        columns=tuple(merged.values()),
        announces_deletions=before.announces_deletions or after.announces_deletions,
    )


def merge_columns(existing: Mapping[str, Type], plan: Plan) -> dict[str, Type]:
    """The columns of the next extract: those there are, made wider where needed, then the new ones."""
    merged = dict(existing)
    for column in plan.all_columns:
        present = merged.get(column.name)
        merged[column.name] = column.type if present is None else wider(present, column.type)
    return merged
