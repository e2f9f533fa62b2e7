"""Both ways from messages to rows: by the block and record by record."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from target_tableau.batches import BlockParser, UnfitBlockError, convert_records, decode_line
from target_tableau.columns import Kind, Plan, Type, column_names, plan_of
from target_tableau.errors import BadRecordError, SettingError

if TYPE_CHECKING:
    import pyarrow as pa

NULL = "null"
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NESTED = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda parts: (
        st.lists(parts, max_size=3) | st.dictionaries(st.text('aä\\" ', max_size=3), parts, max_size=3)
    ),
    max_leaves=6,
)
KINDS: dict[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    "integer": ({"type": ["integer", NULL]}, st.integers(-(2**63), 2**63 - 1)),
    "money": (
        {"type": ["number", NULL], "x-sql-datatype-properties": {"precision": 18, "scale": 4}},
        st.decimals(-(10**13), 10**13, places=4),
    ),
    "double": ({"type": ["number", NULL]}, st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)),
    "text": ({"type": ["string", NULL]}, TEXT),
    "bool": ({"type": ["boolean", NULL]}, st.booleans()),
    "date": ({"type": ["string", NULL], "format": "date"}, st.dates().map(dt.date.isoformat)),
    "time": (
        {"type": ["string", NULL], "format": "date-time"},
        st.datetimes(
            min_value=dt.datetime(1, 1, 2), max_value=dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC)
        ).map(dt.datetime.isoformat),
    ),
    "nested": ({"type": ["object", "array", NULL]}, NESTED),
    "anything": ({}, TEXT | st.integers(-9, 9) | st.lists(st.booleans(), max_size=2)),
}  # fmt: skip


def dumps(value: Any) -> str:
    """JSON with Decimals as the numbers they are."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {dumps(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(dumps(part) for part in value) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def block_of(*records: dict[str, Any]) -> bytes:
    lines = (f'{{"type": "RECORD", "stream": "s", "record": {dumps(record)}}}\n' for record in records)
    return "".join(lines).encode()


def plan(*keys: str, **properties: Any) -> Plan:
    return plan_of("s", {"schema": {"type": "object", "properties": properties}, "key_properties": keys}, 2)


def by_record(wanted: Plan, block: bytes) -> pa.Table:
    messages = [decode_line(line) for line in block.splitlines()]
    return convert_records(wanted, [message["record"] for message in messages], [None] * len(messages))


@st.composite
def schemas_and_records(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    names = draw(
        st.lists(st.sampled_from(["a", "b", "Ümlaut", "x y", "x.y", 'quo"te']), min_size=1, unique=True)
    )
    kinds = {name: draw(st.sampled_from(sorted(KINDS))) for name in names}
    kinds["flat"] = draw(st.sampled_from(sorted(KINDS.keys() - {"nested", "anything"})))
    row = st.fixed_dictionaries(
        {}, optional={name: st.none() | KINDS[kind][1] for name, kind in kinds.items()}
    )
    return {name: KINDS[kind][0] for name, kind in kinds.items()}, draw(st.lists(row, min_size=1, max_size=8))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schemas_and_records())
def test_both_ways_give_the_same_rows(case: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    properties, records = case
    wanted = plan(**properties)
    block = block_of(*records)
    assert BlockParser(wanted).parse(block).to_pylist() == by_record(wanted, block).to_pylist()


MISFITS = [
    ({"type": "integer"}, 1.5, "whole number"),
    ({"type": "integer"}, 2**63, "whole number"),
    ({"type": "integer"}, True, "whole number"),
    ({"type": "number", "multipleOf": 0.01}, Decimal("1.005"), "2 after"),
    ({"type": "number", "multipleOf": 0.01}, Decimal("12345678901234567.89"), "16 digits"),
    ({"type": "number", "multipleOf": 0.01}, "twelve", "2 after"),
    ({"type": "boolean"}, 1, "true or false"),
    ({"type": "boolean"}, "true", "true or false"),
    ({"type": "string"}, 7, "text"),
    ({"type": "string"}, {"a": 1}, "text"),
    ({"type": "string", "format": "date"}, "2026-02-30", "date like"),
    ({"type": "string", "format": "date"}, "2026-01-31T10:00:00", "date like"),
    ({"type": "string", "format": "date-time"}, "yesterday", "date-time like"),
    ({"type": "string", "format": "date-time"}, "0001-01-01T00:00:00+02:00", "date-time like"),
]


@pytest.mark.parametrize(("schema", "value", "rule"), MISFITS)
def test_a_value_that_does_not_fit_is_named_with_its_record(
    schema: dict[str, Any], value: Any, rule: str
) -> None:
    wanted = plan("id", id={"type": "integer"}, field=schema)
    block = block_of({"id": 6, "field": None}, {"id": 7, "field": value})
    with pytest.raises(UnfitBlockError):
        BlockParser(wanted).parse(block)
    with pytest.raises(BadRecordError) as caught:
        by_record(wanted, block)
    assert caught.value.key == {"id": 7}
    assert "'s'" in str(caught.value)
    assert "'field'" in str(caught.value)
    assert rule in str(caught.value)


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "integer"}, Decimal("3.0"), 3),
        ({"type": "number", "multipleOf": 0.01}, Decimal("1E+2"), Decimal("100.00")),
        ({"type": "number", "multipleOf": 0.01}, Decimal("1.500"), Decimal("1.50")),
        ({"type": "string", "format": "singer.decimal"}, "12.5", Decimal("12.500000")),
        ({"type": "string", "format": "date"}, "9999-12-31T00:00:00+00:00", dt.date(9999, 12, 31)),
        ({"type": "string", "format": "date"}, "0001-01-01", dt.date(1, 1, 1)),
        (
            {"type": "string", "format": "date-time"},
            "2026-01-31T23:30:00+02:00",
            dt.datetime(2026, 1, 31, 21, 30),
        ),
        ({"type": "string", "format": "date-time"}, "2026-01-31T23:30:00", dt.datetime(2026, 1, 31, 23, 30)),
        (
            {"type": "string", "format": "date-time"},
            "2026-01-31T23:30:00.1234567Z",
            dt.datetime(2026, 1, 31, 23, 30, 0, 123456),
        ),
        ({"type": ["object", "null"]}, {"b": Decimal("1.10"), "a": [1, None]}, '{"b":1.10,"a":[1,null]}'),
        ({}, 5, "5"),
    ],
)
def test_a_value_takes_the_form_of_its_column(schema: dict[str, Any], value: Any, expected: Any) -> None:
    assert by_record(plan(field=schema), block_of({"field": value})).to_pylist()[0]["field"] == expected


def test_a_block_may_hold_properties_outside_the_schema_and_they_are_told_once() -> None:
    parser = BlockParser(plan(a={"type": "integer"}))
    assert parser.parse(block_of({"a": 1, "b": "x"})).num_rows == 1
    assert parser.new_unknown() == {"b"}
    parser.parse(block_of({"a": 1, "b": "x"}))
    assert parser.new_unknown() == set()


def test_nested_values_keep_numbers_and_the_order_of_keys_in_a_block() -> None:
    parser = BlockParser(plan(id={"type": "integer"}, lines={"type": ["array", NULL]}))
    block = (
        b'{"type":"RECORD","stream":"s","record":{"id":1,"lines":[{"b": 1.10, "a":"\\u00fc"}],"odd":{"x":1}}}\n'
        b'{"type":"RECORD","stream":"s","record":{"id":2,"lines":null,"later":1}}\n'
    )
    assert parser.parse(block).column("lines").to_pylist() == ['[{"b":1.10,"a":"ü"}]', None]
    assert parser.new_unknown() == {"odd", "later"}


def test_a_line_of_thirty_megabytes_is_one_record() -> None:
    text = "ä" * 15_000_000
    table = BlockParser(plan(a={"type": "string"})).parse(block_of({"a": text}, {"a": "short"}))
    assert table.column("a").to_pylist() == [text, "short"]


def test_names_that_differ_only_by_case_become_different_columns() -> None:
    names = column_names(["Id", "id", "ID", "id_2", "_sdc_load_id"])
    assert names == {
        "Id": "Id",
        "id": "id_2",
        "ID": "ID_3",
        "id_2": "id_2_2",
        "_sdc_load_id": "_sdc_load_id_2",
    }


def test_a_key_outside_the_schema_is_refused_with_its_name() -> None:
    with pytest.raises(SettingError, match="ref"):
        plan("ref", a={"type": "integer"})


@pytest.mark.parametrize(
    ("schema", "version", "expected"),
    [
        ({"type": "number"}, 2, Type(Kind.DOUBLE)),
        ({"type": "number", "multipleOf": 0.001}, 2, Type(Kind.NUMERIC, 18, 3)),
        ({"type": "number", "multipleOf": 1e-05}, 2, Type(Kind.NUMERIC, 18, 5)),
        (
            {"type": "number", "x-sql-datatype-properties": {"precision": 38, "scale": 6}},
            2,
            Type(Kind.NUMERIC, 18, 6),
        ),
        (
            {"type": "number", "x-sql-datatype-properties": {"precision": 38, "scale": 6}},
            3,
            Type(Kind.NUMERIC, 38, 6),
        ),
        ({"type": ["null", "integer"]}, 2, Type(Kind.BIGINT)),
        ({"type": "string", "format": "time"}, 2, Type(Kind.TEXT)),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, 2, Type(Kind.DATE)),
        (
            {"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]},
            2,
            Type(Kind.TEXT),
        ),
        ({"type": ["string", "integer"]}, 2, Type(Kind.TEXT)),
    ],
)
def test_types_follow_the_schema(schema: dict[str, Any], version: int, expected: Type) -> None:
    made = plan_of("s", {"schema": {"properties": {"x": schema}}, "key_properties": []}, version)
    assert made.columns[0].type == expected
