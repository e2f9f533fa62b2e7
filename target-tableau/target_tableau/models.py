"""Facts joined with their dimensions (setting `models`): the query that makes one.

A model has exactly the rows of its fact, whatever the dimensions hold. A dimension is reduced to one row per key
before it is joined; a key whose rows say different things gives nothing, because any choice would be arbitrary.
What does not find its dimension is named in the column `unresolved`.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from tableauhyperapi import escape_name, escape_string_literal

from target_tableau.columns import DELETED_AT, EXTRACTED_AT, LOAD_ID, METADATA_NAMES, SEQUENCE, Kind, Type
from target_tableau.errors import SettingError, shorten
from target_tableau.model_rules import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_tableau.conditions import Condition
    from target_tableau.hyper import Engine
    from target_tableau.model_rules import Computed, Join, Model

logger = logging.getLogger(__name__)

UNRESOLVED = "unresolved"
"""Column of a model that names the joins that found nothing for the row; null if all did."""

_LISTED = 5
_FOUND = "found_"  # a column that every row of a reduced dimension has


@dataclasses.dataclass(frozen=True)
class Table:
    """A stream's extract, attached.

    Attributes:
        sql: Its table.
        columns: Name -> type.
        names: Property -> name of its column, where they differ.
    """

    sql: str
    columns: Mapping[str, Type]
    names: Mapping[str, str]

    def has(self, source: str) -> bool:
        """Whether a property fills one of its columns."""
        return self.names.get(source, source) in self.columns


@dataclasses.dataclass(frozen=True)
class _Value:
    """A column of the model: how it is had, its type, and how it is read in the words of the joined tables."""

    sql: str
    type: Type


class ModelQuery:
    """The query that makes a model; its dimensions are in temporary tables until `drop`.

    Args:
        engine: The run's engine.
        model: The rule.
        tables: Stream -> its extract; dimensions that are not loaded are missing.

    Attributes:
        ambiguous: Join -> how many keys of its dimension have rows that differ, and some of them.
        missing: Dimensions that are not loaded.
    """

    def __init__(self, engine: Engine, model: Model, tables: Mapping[str, Table]) -> None:
        self._engine = engine
        self._model = model
        self._tables = tables
        self._fact = tables[model.fact]
        self._values: dict[str, _Value] = {}
        self._clauses: list[str] = []
        self._states: dict[str, str] = {}
        self._references: dict[str, list[str]] = {}
        self._temporary: list[str] = []
        self._counted = {join.name for join in model.joins if join.on_unresolved != "ignore"}
        self._absent: set[str] = set()
        self.ambiguous: dict[str, tuple[int, str]] = {}
        self.missing: list[str] = []
        for name, kind in self._fact.columns.items():
            if name not in METADATA_NAMES:
                self._put(name, _Value(f"f.{escape_name(name)}", kind))
        for number, join in enumerate(model.joins):
            self._join(join, f"d{number}")
        for name, how in model.computed.items():
            self._put(name, self._compute(name, how))
        parts = ", ".join(
            f"CASE WHEN {state} THEN {escape_string_literal(name)} END"
            for name, state in self._states.items()
            if name in self._counted
        )
        self._put(
            UNRESOLVED,
            _Value(
                f"NULLIF(CONCAT_WS('{SEPARATOR}', {parts}), '')" if parts else "CAST(NULL AS TEXT)",
                Type(Kind.TEXT),
            ),
        )

    @property
    def columns(self) -> dict[str, Type]:
        """The columns of the model, in order, without the loader's own."""
        return {name: value.type for name, value in self._values.items()}

    def kept(self, alias: str = "") -> str:
        """SQL: the model has the fact's row. It is none that was deleted and only marked (`hard_delete: false`)."""
        told = self._tests(self._fact, self._model.fact, self._model.where, alias)
        return " AND ".join([f"{alias}{DELETED_AT} IS NULL", *told])

    def _tests(self, table: Table, stream: str, where: Sequence[Condition], alias: str = "") -> list[str]:
        """SQL: the conditions on a table's rows.

        Raises:
            SettingError: One of them is on a column that it has not.
        """
        told = []
        for condition in where:
            name = self._column(table, stream, condition.column)
            told.append(condition.sql(f"{alias}{escape_name(name)}", table.columns[name]))
        return told

    def insert(self, table: str, load_id: str) -> int:
        """Write the model into a table that has its columns and the loader's own; return the number of rows."""
        own = {
            EXTRACTED_AT: f"f.{EXTRACTED_AT}",
            DELETED_AT: f"f.{DELETED_AT}",
            SEQUENCE: f"f.{SEQUENCE}",
            LOAD_ID: escape_string_literal(load_id),
        }
        values = {name: value.sql for name, value in self._values.items()} | own
        names = ", ".join(escape_name(name) for name in values)
        return self._engine.run(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())} FROM {self._fact.sql} f "
            f"{' '.join(self._clauses)} WHERE {self.kept('f.')}"
        )

    def unresolved(self, table: str) -> Iterator[tuple[Join, int, str]]:
        """What the joins did not find: each with its number of rows, and the most frequent values in words."""
        for join in self._model.joins:
            named = escape_string_literal(f"{SEPARATOR}{join.name}{SEPARATOR}")
            found = f"POSITION({named} IN '{SEPARATOR}' || {UNRESOLVED} || '{SEPARATOR}') > 0"
            rows = self._engine.count(f"SELECT COUNT(*) FROM {table} WHERE {found}")
            if not rows:
                continue
            keys = ", ".join(escape_name(name) for name in self._references[join.name] or [UNRESOLVED])
            most = self._engine.rows(
                f"SELECT {keys}, COUNT(*) AS rows_ FROM {table} WHERE {found} GROUP BY {keys} "
                f"ORDER BY rows_ DESC, {keys} LIMIT {_LISTED}"
            )
            yield (
                join,
                rows,
                ", ".join(f"{_told(values)} ({number:,} rows)" for *values, number in most),
            )

    def drop(self) -> None:
        """Give the session's memory back."""
        for table in self._temporary:
            self._engine.run(f"DROP TABLE IF EXISTS {table}")

    def _put(self, name: str, value: _Value) -> None:
        taken = {known.casefold() for known in (*self._values, *METADATA_NAMES)}
        if name.casefold() in taken:
            raise SettingError(
                f"Model '{self._model.name}': two columns would have the name '{name}' (Tableau ignores case); give "
                "one of them another in the model's rule or in columns."
            )
        self._values[name] = value

    def _known(self, name: str) -> tuple[str, _Value]:
        """A column that is there by now, by the fact's property or by its name in the model.

        Raises:
            SettingError: There is none.
        """
        column = self._fact.names.get(name, name)
        for each in (column, name):
            if each in self._values:
                return each, self._values[each]
        raise SettingError(
            f"Model '{self._model.name}': neither {self._model.fact} nor an earlier join has the column '{name}'. "
            f"There are: {', '.join(self._values)}."
        )

    def _has_columns(self, join: Join) -> bool:
        """Whether the fact and the dimension have what a join names."""
        known = {
            *self._values,
            *(source for source, name in self._fact.names.items() if name in self._values),
        }
        dimension = next((self._tables[stream] for stream in join.streams if stream in self._tables), None)
        missing = join.keys.keys() - known
        if dimension is not None:
            wanted = (*join.keys.values(), *join.columns, *(condition.column for condition in join.where))
            missing |= {source for source in wanted if not dimension.has(source)}
        if missing:
            logger.info(
                "Model '%s': the join %s is left out, for there is no %s.",
                self._model.name,
                join.name,
                ", ".join(sorted(missing)),
            )
        return not missing

    def _join(self, join: Join, alias: str) -> None:
        if join.optional and not self._has_columns(join):
            self._leave_out(join, [], "FALSE")
            return
        if self._absent & join.keys.keys():  # it hangs on a join whose dimension is not loaded
            self._leave_out(join, [], "TRUE" if join.required else "FALSE")
            return
        keys = [self._known(name) for name in join.keys]
        self._references[join.name] = [name for name, _ in keys]
        given = " AND ".join(_is_given(value, join.empty) for _, value in keys)
        dimensions = [self._tables[stream] for stream in join.streams if stream in self._tables]
        self.missing += [stream for stream in join.streams if stream not in self._tables]
        if not dimensions:
            self._leave_out(join, self._references[join.name], "TRUE" if join.required else given)
            return
        table = self._one_row_per_key(dimensions, join, alias)
        types = dimensions[0].columns
        pairs = []
        for (_, value), source in zip(keys, join.keys.values(), strict=True):
            left, right = value.sql, f"{alias}.{escape_name(source)}"
            if value.type.kind != types[self._column(dimensions[0], join.stream, source)].kind:
                left, right = f"CAST({left} AS TEXT)", f"CAST({right} AS TEXT)"
            pairs.append(f"{left} = {right}")
        self._clauses.append(f"LEFT JOIN {table} {alias} ON {' AND '.join(pairs)}")
        wanted = "" if join.required else f"{given} AND "
        self._states[join.name] = f"{wanted}{alias}.{_FOUND} IS NULL"
        for source, name in join.columns.items():
            kind = types[self._column(dimensions[0], join.stream, source)]
            self._put(name, _Value(f"{alias}.{escape_name(source)}", kind))

    def _leave_out(self, join: Join, references: list[str], state: str) -> None:
        self._absent |= set(join.columns.values())
        self._references[join.name] = references
        self._states[join.name] = state

    def _column(self, table: Table, stream: str, source: str) -> str:
        """The column of a stream that a property fills.

        Raises:
            SettingError: It has no such column.
        """
        if not table.has(source):
            own = [column for column in table.columns if column not in METADATA_NAMES]
            raise SettingError(
                f"Model '{self._model.name}': {stream} has no column '{source}'; it has: {', '.join(own)}."
            )
        return table.names.get(source, source)

    def _one_row_per_key(self, dimensions: Sequence[Table], join: Join, alias: str) -> str:
        """A temporary table with the key and what the model takes of it, under the names of the properties.

        Keys that are ambiguous are left out.
        """
        table = f"dimension_{alias}"
        sources = list(dict.fromkeys((*join.keys.values(), *join.columns)))
        first = dimensions[0].columns
        kinds = {source: first[self._column(dimensions[0], join.stream, source)].sql for source in sources}
        parts = []
        for each in dimensions:
            values = ", ".join(
                f"CAST({escape_name(self._column(each, join.stream, source))} AS {kind}) AS {escape_name(source)}"
                for source, kind in kinds.items()
            )
            tests = " AND ".join(self._tests(each, join.stream, join.where)) or "TRUE"
            parts.append(f"SELECT {values}, TRUE AS {_FOUND} FROM {each.sql} WHERE {tests}")
        self._engine.run(f"CREATE TEMPORARY TABLE {table} AS ({_distinct(parts)}) WITH DATA")
        self._temporary.append(table)
        self._leave_ambiguous_out(table, join)
        return table

    def _leave_ambiguous_out(self, table: str, join: Join) -> None:
        key = ", ".join(escape_name(name) for name in join.keys.values())
        several = f"SELECT {key} FROM {table} GROUP BY {key} HAVING COUNT(*) > 1"
        count = self._engine.count(f"SELECT COUNT(*) FROM ({several}) s")
        if count:
            some = self._engine.rows(f"{several} ORDER BY {key} LIMIT {_LISTED}")
            self.ambiguous[join.name] = (count, ", ".join(_told(values) for values in some))
            equal = " AND ".join(
                f"t.{escape_name(name)} IS NOT DISTINCT FROM s.{escape_name(name)}"
                for name in join.keys.values()
            )
            self._engine.run(f"DELETE FROM {table} t USING ({several}) s WHERE {equal}")

    def _compute(self, name: str, how: Computed) -> _Value:
        used = [self._known(each)[1] for each in (*how.plus, *how.minus)]
        kinds = {value.type.kind for value in used}
        if not kinds <= {Kind.NUMERIC, Kind.BIGINT, Kind.DOUBLE}:
            raise SettingError(
                f"Model '{self._model.name}': '{name}' is computed of columns that are no numbers."
            )
        kind = Type(Kind.DOUBLE if Kind.DOUBLE in kinds else Kind.BIGINT)
        if Kind.NUMERIC in kinds and Kind.DOUBLE not in kinds:
            precision = max(value.type.precision for value in used)
            kind = Type(Kind.NUMERIC, precision, max(value.type.scale for value in used))
        plus = [f"+ COALESCE({value.sql}, 0)" for value in used[: len(how.plus)]]
        minus = [f"- COALESCE({value.sql}, 0)" for value in used[len(how.plus) :]]
        total = f"(0 {' '.join([*plus, *minus])})"
        for column, values in how.negate_where.items():
            listed = ", ".join(escape_string_literal(value) for value in values)
            total = f"CASE WHEN {self._known(column)[1].sql} IN ({listed}) THEN -1 ELSE 1 END * {total}"
        for condition in how.only_where:
            tested = self._known(condition.column)[1]
            total = f"CASE WHEN {condition.sql(tested.sql, tested.type)} THEN {total} ELSE 0 END"
        return _Value(f"CAST({total} AS {kind.sql})", kind)


def _is_given(value: _Value, empty: Sequence[str]) -> str:
    """SQL: a reference is there; its value is none of those that mean that there is none."""
    told = [f"{value.sql} IS NOT NULL"]
    if value.type.kind is Kind.TEXT:
        told.append(f"{value.sql} <> ''")
    if empty:
        listed = ", ".join(escape_string_literal(one) for one in empty)
        told.append(f"CAST({value.sql} AS TEXT) NOT IN ({listed})")
    return " AND ".join(told)


def _distinct(queries: Sequence[str]) -> str:
    """SQL: the rows of all queries, each once."""
    return f"SELECT DISTINCT * FROM ({' UNION ALL '.join(queries)}) q"


def sums(columns: Mapping[str, Type]) -> list[str]:
    """SQL: the number of rows and the sum of every column that holds exact numbers."""
    return ["COUNT(*)"] + [
        f"SUM(CAST({escape_name(name)} AS NUMERIC(38,{kind.scale})))"
        for name, kind in columns.items()
        if kind.kind in {Kind.NUMERIC, Kind.BIGINT} and name not in METADATA_NAMES
    ]


def _told(values: Iterable[object]) -> str:
    return "/".join(shorten(value) for value in values)
