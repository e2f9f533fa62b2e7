"""Aggregates of `query`: count, avg, min, max and sum; the other fields become the grouping."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.sage_intacct import errors
from tests.sandbox.sage_intacct.answers import Answer
from tests.sandbox.sage_intacct.dictionary import NUMBERS
from tests.sandbox.sage_intacct.values import Value, comparable, plain_number, writer

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Callable, Sequence

    from tests.sandbox.sage_intacct.switches import Switches
    from tests.sandbox.sage_intacct.values import Column

_KINDS = {"field", "count", "avg", "min", "max", "sum"}


def answer(
    name: str, select: ET.Element, columns: list[Column], rows: list[Any], switches: Switches
) -> Answer:
    """The groups of the rows.

    Raises:
        Refusal: There is no such aggregate, or it does not work on the field.
    """
    steps = [(child.tag, column) for child, column in zip(select, columns, strict=True)]
    for tag, column in steps:
        if tag not in _KINDS:
            raise errors.bad_query(f"select may not hold {tag}")
        if tag in {"avg", "sum"} and column.field.datatype not in NUMBERS:
            raise errors.bad_query(f"{tag} does not work on {column.id} ({column.field.datatype})")
    groups: dict[tuple[Value, ...], list[Any]] = {}
    for row in rows:
        groups.setdefault(tuple(column.get(row) for tag, column in steps if tag == "field"), []).append(row)
    if not groups and all(tag != "field" for tag, _ in steps):
        groups[()] = []
    parts = [
        f'<data listtype="{name}" totalcount="{len(groups)}" offset="0" count="{len(groups)}" numremaining="0">'
    ]
    for members in groups.values():
        inner = "".join(_cell(name, tag, column, members, switches) for tag, column in steps)
        parts.append(f"<{name}>{inner}</{name}>")
    parts.append("</data>")
    return Answer("".join(parts))


def _cell(name: str, tag: str, column: Column, rows: list[Any], switches: Switches) -> str:
    write = writer(name, column.field, "query", switches)
    if tag == "field":
        return f"<{column.id}>{write(column.get(rows[0]))}</{column.id}>"
    element = f"{tag.upper()}.{column.id}" if switches.aggregate_names == "dotted" else column.id
    values = [value for value in map(column.get, rows) if value is not None]
    return f"<{element}>{_text(tag, values, write)}</{element}>"


def _text(tag: str, values: Sequence[Value], write: Callable[[Value], str]) -> str:
    if tag == "count":
        return str(len(values))
    if not values:
        return ""
    if tag in {"min", "max"}:
        pick = min if tag == "min" else max
        key: Callable[[Value], Any] = functools.partial(comparable, fold=False)
        return write(pick(values, key=key))
    total = sum((Decimal(str(value)) for value in values), Decimal(0))
    return plain_number(total if tag == "sum" else total / len(values))
