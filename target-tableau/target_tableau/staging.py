"""What one load has to say about a stream, brought down to one last word per key.

A staging table holds the rows of a load before they meet an extract. `Stage.settle` removes from it what the same
load took back: an earlier version of a row, a row that was deleted later, a line of a document that was read
again without it. What tombstones and re-read documents mean for rows of the extract is left in two small tables,
`gone_matches` and `reread_parents`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tableauhyperapi import escape_name, escape_string_literal

from target_tableau.columns import DELETED_AT, LOAD_ID, METADATA_NAMES, SEQUENCE, Kind, Plan, Type
from target_tableau.display import local_time
from target_tableau.hyper import column_list, parquet_array
from target_tableau.rules import is_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from target_tableau.hyper import Engine
    from target_tableau.rules import Rules

_KEYS_AT_ONCE = 1_000_000
"""So many keys are held in memory while duplicates are looked for."""
_FEW_STAGED = 100_000
_FEW_OF = 4
"""Staged rows are few if they are at most so many, and at most one to so many of the extract."""


class Stage:
    """The staging table of one stream: the table of a file of its own, so that it may be larger than memory.

    Where there is no extract yet, the file becomes the extract.

    Args:
        engine: Where the session lives.
        plan: The stream's columns and key.
        path: Where the file is made.
        number: Makes the names of the small tables unique in the session.

    Attributes:
        gone: Name of the table with the keys of the rows that leave the extract; a comparison makes it.
    """

    def __init__(self, engine: Engine, plan: Plan, path: Path, number: int) -> None:
        self.engine = engine
        self.plan = plan
        self.path = path
        self.gone = f"gone_{number}"
        self.gone_matches = f"gone_matches_{number}"
        self.reread_parents = f"reread_parents_{number}"
        self._met = f"met_{number}"
        self._alike = f"alike_{number}"
        self.path.unlink(missing_ok=True)
        self._extract = engine.create(path, list(self._types().items()))
        self.table = self._extract.sql

    def load(self, file: Path, plan: Plan) -> int:
        """Add one journal file, written under `plan`, and return how many rows it had."""
        names = [column.name for column in plan.all_columns]
        types = self._types()
        shown = {
            column.name: local_time(column.shows, column.zone)
            for column in self.plan.columns
            if column.zone and column.shows in names
        }
        if not shown and all(types[column.name] == column.type for column in plan.all_columns):
            return self.engine.copy_parquet(self.table, names, [file])
        values = {name: f"CAST({escape_name(name)} AS {types[name].sql})" for name in names} | shown
        casts = ", ".join(values.values())
        listed = ", ".join(escape_name(name) for name in values)
        return self.engine.run(
            f"INSERT INTO {self.table} ({listed}) SELECT {casts} "
            f"FROM external({parquet_array([file])}, format => 'parquet') f"
        )

    def widen(self, plan: Plan) -> None:
        """Change the columns: the schema changed while the stream was being read."""
        before = self._types()
        self.plan = plan
        after = self._types()
        if after == before:
            return
        self.engine.rebuild(self._extract, after, before)

    def _types(self) -> dict[str, Type]:
        return {column.name: column.type for column in self.plan.all_columns}

    def settle(self, rules: Rules) -> None:
        """Leave one last word per key, and tell in `gone_matches` and `reread_parents` what else must go."""
        if rules.upsert:
            self._keep_last_per_key(rules)
        self._collect_matches(rules)
        self._collect_parents(rules)
        if not rules.upsert and rules.hard_delete:  # a deletion that no key leads to its row is no row itself
            self.engine.run(f"DELETE FROM {self.table} WHERE {DELETED_AT} IS NOT NULL")

    def absorb(self, left: str, columns: Iterable[str], same_content: str) -> int:
        """Drop, once for each, the rows that an earlier load has left and the tap brings again.

        Args:
            left: SQL of what the earlier load has left.
            columns: Columns there.
            same_content: SQL condition that a staged row `s` says the same as a row `e` there.

        Returns:
            How many were dropped.
        """
        here = _numbered(self.table, [column.name for column in self.plan.columns if is_content(column.name)])
        there = _numbered(left, filter(is_content, columns))
        return self.engine.run(
            f"DELETE FROM {self.table} t USING (SELECT s.{SEQUENCE} FROM {here} s, {there} e "
            f"WHERE s.occurrence_ = e.occurrence_ AND {same_content}) d WHERE t.{SEQUENCE} = d.{SEQUENCE}"
        )

    def complete_tombstones(self, there: str, columns: Iterable[str], which: str = "TRUE") -> None:
        """Let tombstones take over what rows of their key hold and they do not tell: most tell the key alone.

        Args:
            there: SQL of the rows.
            columns: Columns there.
            which: SQL condition on a tombstone `s` and a row `e`.
        """
        names = [
            name
            for name in columns
            if name in self._types() and name not in {*METADATA_NAMES, *self.plan.keys}
        ]
        if not names:
            return
        values = ", ".join(
            f"{escape_name(name)} = COALESCE(s.{escape_name(name)}, e.{escape_name(name)})" for name in names
        )
        self.engine.run(
            f"UPDATE {self.table} s SET {values} FROM {there} e "
            f"WHERE s.{DELETED_AT} IS NOT NULL AND {self._keyed('s')} AND {self.same_key('s', 'e')} AND {which}"
        )

    def drop_unchanged(
        self, extract: str, rows: int, existing: Mapping[str, Type], merged: Mapping[str, Type]
    ) -> tuple[int, int]:
        """Drop the staged rows that say nothing new, and count them and those that change a row.

        Where few rows are staged, what they meet is set aside: to compare them in place, Hyper would read every
        column of every row of the extract. Of rows whose replication key differs nothing else need be read.

        Args:
            extract: SQL of the extract's table.
            rows: How many it has.
            existing: Name -> type of its columns.
            merged: The same for the columns it is to have.

        Returns:
            How many were dropped, and how many of the others have the key of a row in the extract.
        """
        staged = self.engine.count(f"SELECT COUNT(*) FROM {self.table}")
        keys, followed = self.plan.keys, self.plan.replication_key
        if staged > _FEW_STAGED or staged * _FEW_OF > rows:
            return self._drop(extract, existing, merged), self._count_met(extract, keys)
        tells = followed is not None and followed not in keys and is_content(followed)
        if followed is None or not tells or self._types()[followed] != existing.get(followed):
            self._hold(self._met, existing, extract, keys)
            return self._drop(self._met, existing, merged), self._count_met(self._met, keys)
        version = [*keys, followed]
        self._hold(self._met, version, extract, keys)
        unchanged = 0
        if self._count_met(self._met, version):
            self._hold(self._alike, existing, extract, version)
            unchanged = self._drop(self._alike, existing, merged)
        return unchanged, self._count_met(self._met, keys)

    def _hold(self, name: str, columns: Iterable[str], extract: str, same_in: Sequence[str]) -> None:
        """Set aside, in a small table, columns of the rows of an extract that agree with a staged one."""
        listed = ", ".join(f"e.{escape_name(column)}" for column in columns)
        self.engine.run(
            f"CREATE TEMPORARY TABLE {name} AS (SELECT {listed} FROM {extract} e WHERE EXISTS "
            f"(SELECT 1 FROM {self.table} s WHERE {same(same_in, 's', 'e')})) WITH DATA"
        )

    def _drop(self, there: str, existing: Mapping[str, Type], merged: Mapping[str, Type]) -> int:
        return self.engine.run(
            f"DELETE FROM {self.table} s USING {there} e WHERE {self.same_key('s', 'e')} "
            f"AND {self.same_content(existing, merged)}"
        )

    def _count_met(self, there: str, same_in: Sequence[str]) -> int:
        return self.engine.count(
            f"SELECT COUNT(*) FROM {self.table} s WHERE EXISTS "
            f"(SELECT 1 FROM {there} e WHERE {same(same_in, 's', 'e')})"
        )

    def has_tombstones(self) -> bool:
        """Whether a deletion came."""
        return self.engine.count(f"SELECT COUNT(*) FROM {self.table} WHERE NOT {self.live}") > 0

    def is_covered(self, proven: int) -> bool:
        """Whether no row came behind the last one that a STATE message covers."""
        return not self.engine.count(f"SELECT COUNT(*) FROM {self.table} WHERE {SEQUENCE} > {proven}")

    def close(self) -> None:
        """Make the file whole, let go of it, and give the session's memory back."""
        self.engine.detach(self._extract)
        for table in (self.gone, self.gone_matches, self.reread_parents, self._met, self._alike):
            self.engine.run(f"DROP TABLE IF EXISTS {table}")

    def same_key(self, left: str, right: str) -> str:
        """SQL: both rows have the same key; nulls are values here."""
        return same(self.plan.keys, left, right)

    def same_content(self, existing: Mapping[str, Type], merged: Mapping[str, Type]) -> str:
        """SQL: a staged row `s` says nothing that a row `e` of the extract does not say.

        Columns about the way of a record do not count.

        Args:
            existing: Name -> type of the extract's columns.
            merged: The same for the columns it is to have.
        """
        arriving = {column.name: column.type for column in self.plan.columns}
        parts = ["TRUE", f"s.{DELETED_AT} IS NOT DISTINCT FROM e.{DELETED_AT}"]
        for name, kind in merged.items():
            if not is_content(name):
                continue
            left = f"s.{escape_name(name)}" if name in arriving else "NULL"
            right = f"e.{escape_name(name)}" if name in existing else "NULL"
            if arriving.get(name, kind) != existing.get(name, kind) or "NULL" in {left, right}:
                left, right = (f"CAST({side} AS {kind.sql})" for side in (left, right))
            parts.append(f"{left} IS NOT DISTINCT FROM {right}")
        return " AND ".join(parts)

    @property
    def live(self) -> str:
        """SQL: the row is not a tombstone."""
        return f"{DELETED_AT} IS NULL"

    def _keep_last_per_key(self, rules: Rules) -> None:
        if not rules.hard_delete and self.has_tombstones():
            self._complete_from_here()
        keys = ", ".join(escape_name(key) for key in self.plan.keys)
        parts = self.engine.count(f"SELECT COUNT(*) FROM {self.table}") // _KEYS_AT_ONCE + 1
        for part in range(parts):
            # Only keys that came twice are looked at: a window over all rows would take gigabytes.
            self.engine.run(
                f"DELETE FROM {self.table} s USING ("
                f"SELECT {keys}, MAX({SEQUENCE}) AS last FROM {self.table} k "
                f"WHERE {self._keyed('k')} AND {self._in_part('k', part, parts)} "
                f"GROUP BY {keys} HAVING COUNT(*) > 1) d "
                f"WHERE {self.same_key('s', 'd')} AND s.{SEQUENCE} < d.last AND {self._keyed('s')}"
            )

    def _complete_from_here(self) -> None:
        """Complete tombstones from the last row of their key that came before them in the same load."""
        keys = ", ".join(escape_name(key) for key in self.plan.keys)
        names = [column.name for column in self.plan.columns]
        last = (
            f"(SELECT {keys}, MAX({SEQUENCE}) AS last FROM {self.table} k WHERE {self.live} AND EXISTS (SELECT 1 FROM "
            f"{self.table} d WHERE d.{DELETED_AT} IS NOT NULL AND {self.same_key('d', 'k')}) GROUP BY {keys})"
        )
        rows = f"(SELECT l.* FROM {self.table} l, {last} m WHERE l.{SEQUENCE} = m.last AND {self.same_key('l', 'm')})"
        self.complete_tombstones(rows, names, f"e.{SEQUENCE} < s.{SEQUENCE}")

    def _in_part(self, row: str, part: int, parts: int) -> str:
        """SQL: the row's key belongs to one of several parts of about the same size.

        Rows of one key are in one part, so that duplicates can be looked for part by part, in little memory. How
        even the parts are is a matter of speed only.
        """
        if parts == 1:
            return "TRUE"
        types = {column.name: column.type.kind for column in self.plan.columns}
        digits = ["0"]
        for key in self.plan.keys:
            name = f"{row}.{escape_name(key)}"
            if types[key] is Kind.BIGINT:
                digits.append(f"COALESCE(ABS(MOD({name}, {parts})), 0)")
            elif types[key] is Kind.TEXT:  # numbers and ids differ most at their end
                digits += [
                    f"COALESCE(ASCII(RIGHT({name}, 1)), 0)",
                    f"3 * COALESCE(ASCII(LEFT(RIGHT({name}, 2), 1)), 0)",
                ]
            elif types[key] is Kind.DATE:
                digits.append(f"COALESCE(EXTRACT(DAY FROM {name}), 0)")
        return f"MOD({' + '.join(digits)}, {parts}) = {part}"

    def _keyed(self, row: str) -> str:
        """SQL: the row has a key; a tombstone that knows only its `delete_match` column has none."""
        some = " OR ".join(f"{row}.{escape_name(key)} IS NOT NULL" for key in self.plan.keys)
        return f"({row}.{DELETED_AT} IS NULL OR {some})"

    def _collect_matches(self, rules: Rules) -> None:
        if rules.delete_match is None:
            return
        column = escape_name(rules.delete_match)
        self.engine.run(
            f"CREATE TEMPORARY TABLE {self.gone_matches} AS (SELECT {column}, MAX({SEQUENCE}) AS last, "
            f"MAX({DELETED_AT}) AS {DELETED_AT}, MAX({LOAD_ID}) AS {LOAD_ID} FROM {self.table} "
            f"WHERE {DELETED_AT} IS NOT NULL AND {column} IS NOT NULL GROUP BY {column}) WITH DATA"
        )
        if rules.hard_delete:
            self.engine.run(
                f"DELETE FROM {self.table} s USING {self.gone_matches} g WHERE s.{column} = g.{column} "
                f"AND s.{SEQUENCE} < g.last AND s.{DELETED_AT} IS NULL"
            )
        else:
            self.engine.run(
                f"UPDATE {self.table} s SET {DELETED_AT} = g.{DELETED_AT} FROM {self.gone_matches} g "
                f"WHERE s.{column} = g.{column} AND s.{SEQUENCE} < g.last AND s.{DELETED_AT} IS NULL"
            )
        if self.plan.keys:
            self.engine.run(f"DELETE FROM {self.table} s WHERE NOT {self._keyed('s')}")

    def _collect_parents(self, rules: Rules) -> None:
        """Note the documents read or deleted in this load; lines that came before their last reading are void."""
        parent = rules.parent
        if parent is None:
            return
        lines = list(parent.columns)
        types = {column.name: column.type for column in self.plan.columns}
        reread = [(name, types[name]) for name in lines]
        self.engine.run(
            f"CREATE TEMPORARY TABLE {self.reread_parents} "
            f"({column_list([*reread, ('last', Type(Kind.BIGINT))])})"
        )
        read = parent.read(types, rules.proven)
        if read is not None:
            self.engine.run(f"INSERT INTO {self.reread_parents} {read}")
            self.engine.run(
                f"DELETE FROM {self.table} s USING {self.reread_parents} p "
                f"WHERE {same(lines, 's', 'p')} AND s.{SEQUENCE} < p.last"
            )
        # A document whose lines came without its header (the parent stream is not selected) was re-read too.
        named = ", ".join(f"s.{escape_name(name)}" for name in lines)
        self.engine.run(
            f"INSERT INTO {self.reread_parents} SELECT {named}, 0 FROM {self.table} s "
            f"WHERE s.{SEQUENCE} <= {rules.proven} AND NOT EXISTS (SELECT 1 FROM {self.reread_parents} p "
            f"WHERE {same(lines, 's', 'p')}) GROUP BY {named}"
        )


def same(columns: Iterable[str], left: str, right: str) -> str:
    """SQL: both rows agree in these columns, null being equal to null."""
    return " AND ".join(
        f"{left}.{escape_name(name)} IS NOT DISTINCT FROM {right}.{escape_name(name)}" for name in columns
    )


def _numbered(rows: str, names: Iterable[str]) -> str:
    """SQL: rows, those that are alike numbered from 1."""
    alike = ", ".join(escape_name(name) for name in names)
    numbers = f"ROW_NUMBER() OVER (PARTITION BY {alike} ORDER BY {SEQUENCE}) AS occurrence_"
    return f"(SELECT *, {numbers} FROM {rows})"


def written_by(loads: Iterable[str]) -> str:
    """SQL: the row was written by one of these loads."""
    return f"{LOAD_ID} IN ({', '.join(escape_string_literal(load) for load in loads)})"
