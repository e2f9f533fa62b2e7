"""The action batch of `PATCH .../data`: read from JSON, turned into SQL.

What is wrong with the JSON is said at once (400000); what does not fit the data makes the job fail, with
notes, as on a real server. Conditions compare with SQL's `=`, to which NULL equals nothing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from tableauhyperapi import escape_name, escape_string_literal

from tests.sandbox.tableau.errors import bad_request
from tests.sandbox.tableau.hyper import TARGET, Table
from tests.sandbox.tableau.jobs import WorkFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

PAYLOAD = "payload"
"""Name under which the uploaded file is attached."""

_WITHOUT_CONDITION = frozenset({"insert", "replace"})
_ACTIONS = frozenset({"insert", "update", "upsert", "delete", "replace"})
_COMPARISONS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_KEYS = frozenset(
    {"action", "condition", "source-file", "source-schema", "source-table", "target-schema", "target-table"}
)


@dataclasses.dataclass(frozen=True)
class Action:
    """One action; schemas may be left out, and a delete may do without a source."""

    kind: str
    target: tuple[str | None, str]
    source: tuple[str | None, str] | None
    condition: dict[str, Any] | None


def read_actions(body: bytes) -> list[Action]:
    """Read the request's JSON.

    Raises:
        TableauError: 400000, when it is no batch of well-formed actions.
    """
    try:
        batch = json.loads(body, parse_float=Decimal)
    except ValueError as malformed:
        raise bad_request(f"Payload is malformed JSON: {malformed}") from malformed
    actions = batch.get("actions") if isinstance(batch, dict) else None
    if not isinstance(actions, list) or not actions or not all(isinstance(a, dict) for a in actions):
        raise bad_request("Payload must hold a list of actions")
    return [_action(action) for action in actions]


def _action(raw: dict[str, Any]) -> Action:
    kind, unknown = raw.get("action"), set(raw) - _KEYS
    if kind not in _ACTIONS:
        raise bad_request(f"Unknown action '{kind}'")
    if unknown:
        raise bad_request(f"Unknown element {min(unknown)} in the action {kind}")
    target, source = _table(raw, "target"), _table(raw, "source")
    if target is None:
        raise bad_request(f"The action {kind} has no target-table")
    if source is None and kind != "delete":
        raise bad_request(f"The action {kind} has no source-table")
    condition = raw.get("condition")
    if (condition is None) != (kind in _WITHOUT_CONDITION):
        raise bad_request(f"The action {kind} {'takes no' if condition is not None else 'needs a'} condition")
    if condition is not None:
        _check_condition(condition)
    return Action(str(kind), target, source, condition)


def _table(raw: dict[str, Any], side: str) -> tuple[str | None, str] | None:
    schema, table = raw.get(f"{side}-schema"), raw.get(f"{side}-table")
    if not isinstance(schema, str | None) or not isinstance(table, str | None):
        raise bad_request(f"{side}-schema and {side}-table must be text")
    return None if table is None else (schema, table)


def _check_condition(condition: object) -> None:
    if not isinstance(condition, dict):
        raise bad_request("A condition must be an object")
    op = condition.get("op")
    if op in {"and", "or", "not"}:
        args = condition.get("args")
        if not isinstance(args, list) or not args or (op == "not" and len(args) != 1):
            raise bad_request(f"The operator {op} needs args")
        for arg in args:
            _check_condition(arg)
        return
    if op not in _COMPARISONS:
        raise bad_request(f"Unknown operator '{op}' in a condition")
    operands = [key for key in ("source-col", "target-col", "const") if key in condition]
    if len(operands) != 2 or "target-col" not in operands:
        raise bad_request(f"The operator {op} compares a target-col with a source-col or a const")
    if "const" in condition:
        _literal(condition["const"])


def constants(condition: dict[str, Any]) -> int:
    """How many constants a condition holds."""
    return sum("const" in leaf for leaf in leaves(condition))


def leaves(condition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The comparisons that a condition is made of."""
    if "args" in condition:
        for arg in condition["args"]:
            yield from leaves(arg)
    else:
        yield condition


class Compiler:
    """Turns actions into statements on the attached databases."""

    def __init__(self, targets: tuple[Table, ...], sources: tuple[Table, ...], *, strict: bool) -> None:
        self._targets = targets
        self._sources = sources
        self._strict = strict

    def statements(self, action: Action) -> list[str]:
        """The SQL of one action.

        Raises:
            WorkFailedError: It does not fit the tables.
        """
        target = _resolve(self._targets, action.target, "target")
        source = None if action.source is None else _resolve(self._sources, action.source, "source")
        if source is None:
            return [f"DELETE FROM {target.sql(TARGET)} t WHERE {_where(action, target, None)}"]
        if action.kind == "delete":
            return self._delete(action, target, source)
        columns = self._columns(action, target, source)
        if action.kind in _WITHOUT_CONDITION:
            empty = [f"DELETE FROM {target.sql(TARGET)}"] if action.kind == "replace" else []
            return [*empty, _insert(target, source, columns)]
        where = _where(action, target, source)
        keys = {leaf.get("target-col") for leaf in leaves(action.condition or {})}
        changed = [column for column in columns if column not in keys]
        update = [_update(target, source, changed, where)] if changed else []
        if action.kind == "update":
            return update
        missing = f" WHERE NOT EXISTS (SELECT 1 FROM {target.sql(TARGET)} t WHERE {where})"
        return [*update, _insert(target, source, columns) + missing]

    def _delete(self, action: Action, target: Table, source: Table) -> list[str]:
        used = {leaf.get("source-col") for leaf in leaves(action.condition or {})}
        spare = [column for column in source.columns if column not in used]
        if spare:
            raise _problem(
                f"the source table of a delete may hold only the columns of its condition, not {spare[0]}"
            )
        where = _where(action, target, source)
        return [f"DELETE FROM {target.sql(TARGET)} t USING {source.sql(PAYLOAD)} s WHERE {where}"]

    def _columns(self, action: Action, target: Table, source: Table) -> list[str]:
        """The source's columns that go into the target."""
        matched = {leaf.get("source-col") for leaf in leaves(action.condition or {})}
        columns = []
        for column, kind in source.columns.items():
            if column not in target.columns:
                if column in matched:
                    continue
                raise _problem(f"the column {column} does not exist in the target table {target.name}")
            if target.columns[column] != kind:
                raise _problem(
                    f"the column {column} is {kind} in the source and {target.columns[column]} in the target"
                )
            columns.append(column)
        lacking = [column for column in target.columns if column not in source.columns]
        if self._strict and action.kind != "update" and lacking:
            raise _problem(f"the source table {source.name} lacks the column {lacking[0]} of the target")
        return columns


def _problem(text: str) -> WorkFailedError:
    return WorkFailedError(f"TableauRuntimeException: There was a problem updating the data: {text}.")


def _resolve(tables: tuple[Table, ...], wanted: tuple[str | None, str], side: str) -> Table:
    schema, name = wanted
    found = [table for table in tables if table.name == name and schema in {None, table.schema}]
    if found and schema is None and len(tables) > 1:
        # Real servers fail such a batch on a multi-table file without a word about the reason.
        raise WorkFailedError
    if len(found) != 1:
        raise WorkFailedError(
            f"TableauRuntimeException: No information about the {side} table. "
            f"Specified table does not exist: {name}. (errorCode=410012)"
        )
    return found[0]


def _insert(target: Table, source: Table, columns: list[str]) -> str:
    names = ", ".join(escape_name(column) for column in columns)
    picked = ", ".join(f"s.{escape_name(column)}" for column in columns)
    return f"INSERT INTO {target.sql(TARGET)} ({names}) SELECT {picked} FROM {source.sql(PAYLOAD)} s"


def _update(target: Table, source: Table, columns: list[str], where: str) -> str:
    settings = ", ".join(f"{escape_name(column)} = s.{escape_name(column)}" for column in columns)
    return f"UPDATE {target.sql(TARGET)} t SET {settings} FROM {source.sql(PAYLOAD)} s WHERE {where}"


def _where(action: Action, target: Table, source: Table | None) -> str:
    return _sql(action.condition or {}, target, source)


def _sql(condition: dict[str, Any], target: Table, source: Table | None) -> str:
    op = condition["op"]
    if op == "not":
        return f"NOT {_sql(condition['args'][0], target, source)}"
    if op in {"and", "or"}:
        return "(" + f" {op.upper()} ".join(_sql(arg, target, source) for arg in condition["args"]) + ")"
    left = _column("t", condition["target-col"], target)
    if "const" in condition:
        right = _literal(condition["const"])
    elif source is None:
        raise _problem("the condition names a source column, and there is no source table")
    else:
        right = _column("s", condition["source-col"], source)
    return f"({left} {_COMPARISONS[op]} {right})"


def _column(alias: str, name: object, table: Table) -> str:
    if name not in table.columns:
        raise _problem(f"the condition's column {name} does not exist in the table {table.name}")
    return f"{alias}.{escape_name(str(name))}"


def _literal(const: object) -> str:
    kind, value = (const.get("type"), const.get("v")) if isinstance(const, dict) else (None, None)
    try:
        if kind == "string" and isinstance(value, str):
            return str(escape_string_literal(value))
        if kind == "boolean":
            return {"true": "TRUE", "false": "FALSE"}[str(value).lower()]
        if kind == "integer":
            return f"CAST({int(str(value))} AS BIGINT)"
        if kind == "double":
            return f"CAST({Decimal(str(value)):f} AS DOUBLE PRECISION)"
        if kind == "datetime":
            moment = dt.datetime.fromisoformat(str(value))
            aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
            return f"TIMESTAMP '{aware.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f}'"
    except (KeyError, ValueError, InvalidOperation) as wrong:
        raise bad_request(f"The constant {value!r} is no {kind}") from wrong
    raise bad_request(
        f"A constant needs a type (boolean, datetime, double, integer, string) and v, not {const!r}"
    )
