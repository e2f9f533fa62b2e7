"""From Singer RECORD messages to Arrow tables that fit a stream's plan.

There are two ways that give the same table: `parse_block` takes the bytes of many messages at once and makes no
Python object per record; `convert_records` takes decoded records, one value at a time, and names the first one
that does not fit. A block that the first way cannot take goes the second way.
"""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from target_tableau.columns import (
    DELETED_AT,
    EXTRACTED_AT,
    LOAD_ID,
    METADATA_NAMES,
    SEQUENCE,
    Column,
    Kind,
    Plan,
    Type,
)
from target_tableau.errors import BadRecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_UTC_TIMESTAMP = pa.timestamp("us", "UTC")
_INT64 = range(-(2**63), 2**63)
_YEAR_ONE = (dt.datetime(1, 1, 1, tzinfo=dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(
    microseconds=1
)
_DAY_ONE = (dt.date(1, 1, 1) - dt.date(1970, 1, 1)).days
_NESTED_ENCODER = msgspec.json.Encoder(decimal_format="number")


class UnfitBlockError(Exception):
    """A block holds something that only the record-by-record way can judge."""


class BlockParser:
    """Parses blocks of RECORD lines of one stream into tables.

    It also notes properties that come without being in the schema; they are not loaded.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._unknown: set[str] = set()
        self._told: set[str] = set()
        self._record_fields = [
            pa.field(column.source, _UTC_TIMESTAMP if column.type.kind is Kind.TIMESTAMP else _parsed(column))
            for column in plan.columns
            if not column.nested
        ]
        if plan.announces_deletions:
            self._record_fields.append(pa.field(DELETED_AT, _UTC_TIMESTAMP))
        self._known = {column.source for column in plan.columns} | {DELETED_AT}
        # Arrow cannot make a struct without fields from JSON, so a stream without flat columns has no block way.
        self._possible = bool(self._record_fields)
        self._options = pyarrow.json.ParseOptions(
            explicit_schema=pa.schema(
                [
                    pa.field("time_extracted", _UTC_TIMESTAMP),
                    pa.field("record", pa.struct(self._record_fields)),
                ]
            ),
            # Arrow would make structs of nested values, of which their text cannot be had back.
            unexpected_field_behavior="ignore" if plan.has_nested else "infer",
        )

    def parse(self, block: bytes | memoryview) -> pa.Table:
        """Parse whole lines, each a RECORD message of the plan's stream.

        Returns:
            The stream's columns, `_sdc_extracted_at` and `_sdc_deleted_at`.

        Raises:
            UnfitBlockError: Some record does not fit the plan.
        """
        if not self._possible:
            raise UnfitBlockError
        try:
            messages = pyarrow.json.read_json(
                io.BytesIO(block),
                read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(block) + 1),
                parse_options=self._options,
            )
            records = pa.Table.from_struct_array(messages.column("record"))
            nested = self._nested_texts(block) if self.plan.has_nested else {}
            columns = [
                nested[column.source]
                if column.nested
                else _from_parsed(records.column(column.source), column.type)
                for column in self.plan.columns
            ]
        except pa.ArrowInvalid as unfit:
            raise UnfitBlockError from unfit
        if messages.column("record").null_count:
            raise UnfitBlockError  # a message without a record
        self.note(records.column_names)
        deleted_at = _no_times(len(records))
        if self.plan.announces_deletions:
            deleted_at = records.column(DELETED_AT).cast(pa.timestamp("us"))
        extracted_at = messages.column("time_extracted").cast(pa.timestamp("us"))
        table = pa.table(
            [*columns, extracted_at, deleted_at],
            names=[*(column.name for column in self.plan.columns), EXTRACTED_AT, DELETED_AT],
        )
        self._check_keys(table)
        return table

    def _nested_texts(self, block: bytes | memoryview) -> dict[str, pa.Array]:
        """The columns of nested values, as JSON text; only these values become Python objects.

        Raises:
            UnfitBlockError: A line is not a message with a record.
        """
        try:
            records = [message.record for message in _ENVELOPES.decode_lines(block)]
            texts = {
                column.source: pa.array(
                    (_text_of(record.get(column.source)) for record in records), pa.string()
                )
                for column in self.plan.columns
                if column.nested
            }
        except (msgspec.DecodeError, UnicodeEncodeError) as unfit:
            raise UnfitBlockError from unfit
        self.note(set().union(*records))
        return texts

    def note(self, names: Iterable[str]) -> None:
        """Note the properties of a record."""
        self._unknown.update(name for name in names if name not in self._known and name not in METADATA_NAMES)

    def new_unknown(self) -> set[str]:
        """Properties outside the schema that were not asked for before."""
        new = self._unknown - self._told
        self._told |= new
        return new

    def _check_keys(self, table: pa.Table) -> None:
        """A null key may be a missing key, which is an error that only the other way can tell apart."""
        if any(table.column(key).null_count for key in self.plan.keys):
            raise UnfitBlockError


def _parsed(column: Column) -> pa.DataType:
    """The type Arrow's JSON parser can make of a column's values."""
    return pa.string() if column.type.kind is Kind.DATE else column.type.arrow


def _from_parsed(values: pa.ChunkedArray, wanted: Type) -> pa.ChunkedArray:
    if wanted.kind is Kind.DATE:
        return _from_year_one(values.cast(pa.date32()), pa.int32(), _DAY_ONE)
    if wanted.kind is Kind.TIMESTAMP:
        times = values.cast(pa.timestamp("us"))  # from UTC to the same wall clock without a zone
        return _from_year_one(times, pa.int64(), _YEAR_ONE)
    if wanted.kind is Kind.DOUBLE and not pc.all(pc.is_finite(values), min_count=0).as_py():
        raise UnfitBlockError
    return values


def _from_year_one(values: pa.ChunkedArray, number: pa.DataType, first: int) -> pa.ChunkedArray:
    """Values that Python can hold, too; Arrow reads a year 0."""
    earliest = pc.min(values).cast(number).as_py()
    if earliest is not None and earliest < first:
        raise UnfitBlockError
    return values


def _no_times(rows: int) -> pa.Array:
    return pa.nulls(rows, pa.timestamp("us"))


def convert_records(
    plan: Plan, records: Sequence[dict[str, Any]], extracted_at: Sequence[str | dt.datetime | None]
) -> pa.Table:
    """Make a table of decoded records.

    Args:
        plan: The stream's plan.
        records: Decoded RECORD payloads; numbers with a fraction as Decimal.
        extracted_at: The `time_extracted` of each.

    Returns:
        The stream's columns, `_sdc_extracted_at` and `_sdc_deleted_at`.

    Raises:
        BadRecordError: A value does not fit its column.
    """
    arrays: list[pa.Array] = []
    for column in plan.columns:
        convert = _CONVERTERS[column.type.kind]
        values: list[Any] = []
        for record in records:
            value = record.get(column.source)
            if value is not None:
                try:
                    value = _nested_text(value) if column.nested else convert(value, column.type)
                except (ValueError, ArithmeticError, OverflowError) as unfit:
                    raise bad_record(plan, record, column.source, value, column.type.rule) from unfit
            values.append(value)
        arrays.append(pa.array(values, column.type.arrow))
    stamps = [_optional_time(moment) for moment in extracted_at]
    deletions = [_deletion_time(plan, record) for record in records]
    arrays += [pa.array(stamps, pa.timestamp("us")), pa.array(deletions, pa.timestamp("us"))]
    return pa.table(arrays, names=[*(column.name for column in plan.columns), EXTRACTED_AT, DELETED_AT])


def add_metadata(table: pa.Table, *, first_sequence: int, load_id: str) -> pa.Table:
    """Add `_sdc_sequence` (a record's position in its load) and `_sdc_load_id`."""
    rows = len(table)
    sequence = pc.cumulative_sum(pa.repeat(1, rows), start=first_sequence - 1)
    return table.append_column(SEQUENCE, sequence).append_column(LOAD_ID, pa.repeat(load_id, rows))


def shift_metadata(table: pa.Table, *, by: int, load_id: str) -> pa.Table:
    """Put the rows of another load behind `by` rows of this one."""
    sequence = pc.add(table.column(SEQUENCE), by)
    moved = table.set_column(table.column_names.index(SEQUENCE), SEQUENCE, sequence)
    return moved.set_column(table.column_names.index(LOAD_ID), LOAD_ID, pa.repeat(load_id, len(table)))


def bad_record(plan: Plan, record: dict[str, Any], field: str, value: object, rule: str) -> BadRecordError:
    """An error that names the record by its key."""
    sources = {column.name: column.source for column in plan.columns}
    key = {sources[name]: record.get(sources[name]) for name in plan.keys}
    return BadRecordError(plan.stream, key, field, value, rule)


# -- one value at a time ---------------------------------------------------------------------------------


def _nested_text(value: object) -> str:
    return value if isinstance(value, str) else _NESTED_ENCODER.encode(value).decode()


def _text(value: object, _: Type) -> str:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 - all misfits are ValueErrors here
    value.encode()  # refuses lone surrogates, which no UTF-8 file can hold
    return value


def _bool(value: object, _: Type) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)  # noqa: TRY004
    return value


def _bigint(value: object, _: Type) -> int:
    number = _decimal(value)
    whole = int(number)
    if whole != number or whole not in _INT64:
        raise ValueError(value)
    return whole


def _double(value: object, _: Type) -> float:
    number = float(_decimal(value))
    if number in {float("inf"), float("-inf")}:
        raise ValueError(value)
    return number


def _numeric(value: object, wanted: Type) -> decimal.Decimal:
    number = _decimal(value)
    with decimal.localcontext(prec=100):
        exact = number.quantize(decimal.Decimal(1).scaleb(-wanted.scale))
        too_long = abs(exact) >= decimal.Decimal(10) ** (wanted.precision - wanted.scale)
    if exact != number or too_long:
        raise ValueError(value)
    return exact


def _decimal(value: object) -> decimal.Decimal:
    """A finite number as Decimal; texts are taken as Arrow's parser takes them for decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | decimal.Decimal):
        raise ValueError(value)  # noqa: TRY004
    number = decimal.Decimal(str(value))
    if not number.is_finite():
        raise ValueError(value)
    return number


def _date(value: object, _: Type) -> dt.date:
    if isinstance(value, str):
        value = (
            dt.datetime.fromisoformat(value)
            if len(value) > len("2026-01-31")
            else dt.date.fromisoformat(value)
        )
    if isinstance(value, dt.datetime):
        if value.timetz().replace(tzinfo=None) != dt.time():
            raise ValueError(value)
        return value.date()  # midnight in whatever zone: a date is never shifted
    if not isinstance(value, dt.date):
        raise ValueError(value)  # noqa: TRY004
    return value


def _timestamp(value: object, _: Type) -> dt.datetime:
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if not isinstance(value, dt.datetime):
        raise ValueError(value)  # noqa: TRY004
    if value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    return value  # without an offset: taken as UTC


def _optional_time(value: str | dt.datetime | None) -> dt.datetime | None:
    return None if value is None else _timestamp(value, Type(Kind.TIMESTAMP))


def _deletion_time(plan: Plan, record: dict[str, Any]) -> dt.datetime | None:
    value = record.get(DELETED_AT)
    if value is None:
        return None
    try:
        return _timestamp(value, Type(Kind.TIMESTAMP))
    except (ValueError, OverflowError) as unfit:
        raise bad_record(plan, record, DELETED_AT, value, Type(Kind.TIMESTAMP).rule) from unfit


_CONVERTERS: dict[Kind, Callable[[Any, Type], Any]] = {
    Kind.BIGINT: _bigint,
    Kind.BOOL: _bool,
    Kind.DATE: _date,
    Kind.DOUBLE: _double,
    Kind.NUMERIC: _numeric,
    Kind.TEXT: _text,
    Kind.TIMESTAMP: _timestamp,
}


# -- decoding ----------------------------------------------------------------------------------------------

_DECODER = msgspec.json.Decoder(float_hook=decimal.Decimal)


class _Envelope(msgspec.Struct):
    """A RECORD message whose values are not looked into."""

    record: dict[str, msgspec.Raw]


_ENVELOPES = msgspec.json.Decoder(_Envelope)


def _text_of(raw: msgspec.Raw | None) -> str | None:
    """The text of a nested value, as `convert_records` would make it."""
    value = None if raw is None else _DECODER.decode(raw)
    return None if value is None else _nested_text(value)


def decode_line(line: bytes | memoryview) -> dict[str, Any]:
    """Decode one Singer message.

    Raises:
        ValueError: The line is not a JSON object.
    """
    try:
        message = _DECODER.decode(line)
    except msgspec.DecodeError:
        message = json.loads(bytes(line), parse_float=decimal.Decimal)  # knows NaN, Infinity, lone surrogates
    if not isinstance(message, dict):
        raise ValueError("a Singer message is a JSON object")  # noqa: TRY004
    return message
