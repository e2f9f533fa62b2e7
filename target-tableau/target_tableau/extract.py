"""Brings one load of one stream into its extract, without ever touching the extract that is there.

The next extract is built beside the present one as `X.hyper.next`, verified by reopening and counting, and put in
its place only by `promote`, after it has been published. An extract that the load does not change is not built
at all.
"""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING

from tableauhyperapi import escape_name

from target_tableau.change import Change, Changes
from target_tableau.columns import DELETED_AT, LOAD_ID, SEQUENCE, Column, Plan, Type, wider
from target_tableau.comparison import Comparison, Counts, difference
from target_tableau.display import fill
from target_tableau.errors import ExtractError
from target_tableau.hyper import ExtractTable, column_list
from target_tableau.renames import renamed, take_over
from target_tableau.staging import Stage, written_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from target_tableau.hyper import Engine
    from target_tableau.rules import Rules
    from target_tableau.worker import Worker

_OWNER_ONLY = 0o600
_MANY_ROWS = 1_000
"""So many rows that arrive are seldom all known: the next extract is made before they are compared, and compared
with, which spares the engine to open and read the present one too."""


class ExtractBuild:
    """One stream's extract on its way from the present to the next version.

    Args:
        engine: The run's Hyper engine.
        path: Where the extract lives.
        plan: The stream's columns and key.
        number: Unique in the run.
    """

    def __init__(self, engine: Engine, path: Path, plan: Plan, number: int) -> None:
        self.engine = engine
        self.path = path
        self.next = path.with_name(path.name + ".next")
        self.plan = plan
        self.stage = Stage(engine, plan, path.with_name(path.name + ".stage"), number)
        self.counts = Counts()
        self.built = False
        self.change: Change | None = None
        self.begins_anew = False  # what is there is not gone on from
        self.column_names: Mapping[str, Sequence[str]] = {}  # property -> all names that its column has borne
        self._copied: Future[None] | None = None
        self._payload = path.with_name(path.name + ".payload")
        self._columns: dict[str, Type] = {}

    def change_plan(self, plan: Plan) -> None:
        """Take a schema that changed while the stream was being read."""
        self.plan = plan
        self.stage.widen(plan)

    def foresee(self, rows: int, worker: Worker) -> None:
        """Begin the next extract beside everything else, if so many rows have come that it will be wanted."""
        if rows > _MANY_ROWS and self._copied is None and self.path.exists():
            self._copied = worker.beside(self._copy)

    def load(self, file: Path, rows: int, plan: Plan) -> None:
        """Stage one journal file, written under `plan`.

        Raises:
            ExtractError: The engine took another number of rows than the file holds.
        """
        taken = self.stage.load(file, plan)
        if taken != rows:
            raise ExtractError(
                f"Hyper took {taken} of the {rows} rows of {file}. Run again; nothing was changed."
            )
        self.counts.read += rows

    @property
    def columns(self) -> Mapping[str, Type]:
        """Name -> type of the extract's columns, as they are after `build`."""
        return self._columns

    def settle(self, rules: Rules, columns: Mapping[str, Type] | None = None) -> None:
        """Bring the staged rows down to one last word per key; comes before `build`.

        Args:
            rules: How.
            columns: Name -> type of the columns that are there, if the extract is not here.
        """
        self.align(rules, columns)
        self.stage.settle(rules)

    def align(self, rules: Rules, columns: Mapping[str, Type] | None = None) -> None:
        """Make what arrives as wide as what is there, in the columns by which rows are found.

        Hyper compares no text with a number: without that, a key that has once been text could never come as a number.
        """
        names = rules.found_by(self.plan.keys)
        if not names:
            return
        if not rules.hard_delete:  # a marked row keeps what it holds, which its tombstone takes over
            names = {column.name for column in self.plan.columns}
        if columns is None:
            columns = self._present_columns()
        parents = rules.parent.types if rules.parent else {}
        aligned = [
            dataclasses.replace(column, type=self._widest(column, columns, parents))
            if column.name in names
            else column
            for column in self.plan.columns
        ]
        self.change_plan(dataclasses.replace(self.plan, columns=tuple(aligned)))

    def _present_columns(self) -> Mapping[str, Type]:
        if self.begins_anew or not self.path.exists():
            return {}
        with self.engine.attached(self.path) as present:
            return self.engine.columns(present)

    def _widest(self, column: Column, columns: Mapping[str, Type], parents: Mapping[str, Type]) -> Type:
        names = [column.name, *self.column_names.get(column.source, ())]
        there = next((columns[name] for name in names if name in columns), column.type)
        return wider(wider(column.type, there), parents.get(column.name, column.type))

    def build(self, rules: Rules, *, with_change: bool) -> None:
        """Bring the settled rows into the present extract and build the next one if anything changes.

        Args:
            rules: How.
            with_change: Also make `change`, what Tableau needs to follow; it stays None where an action of
                Tableau's cannot say it (new columns, null keys).

        Raises:
            ExtractError: The next extract cannot be built, or does not hold what it must.
        """
        if self.begins_anew or not self.path.exists():
            self._build_first(rules)
            return
        is_large = self._copied is not None or self.counts.read > _MANY_ROWS
        found = None if is_large else self._compare_in_place(rules)
        if found is None or self._is_changed(found):
            self._make_next()
            with self.engine.attached(self.next) as table:
                is_renamed = False
                if found is None:
                    is_renamed = self._rename(table)
                    found = self._found(table, rules)
                    if found.must_adapt_first:
                        self._adapt_columns(table)
                    found.compare(table)
                self.built = is_renamed or self._is_changed(found)
                if self.built:
                    if with_change and not (found.columns_changed or found.marked or is_renamed):
                        self.change = self._changes(rules).seen(self.stage.gone if rules.upsert else None)
                    self._adapt_columns(table)
                    self._apply(table, rules)
                    fill(self.engine, table.sql, self.plan, found.existing)
            if self.built:
                self._verify()
            else:
                self.next.unlink()
        self.stage.close()
        self.stage.path.unlink()

    def _compare_in_place(self, rules: Rules) -> Comparison | None:
        """Compare with the present extract; None if its columns must change first, so that rows of it are found."""
        with self.engine.attached(self.path) as present:
            if self._renamed(present, self.engine.columns(present)):
                return None
            found = self._found(present, rules)
            if found.must_adapt_first:
                return None
            found.compare(present)
            return found

    def _found(self, table: ExtractTable, rules: Rules) -> Comparison:
        existing = self.engine.columns(table)
        found = Comparison(self.engine, self.stage, rules, self.counts, existing)
        self._columns = found.columns
        return found

    def _is_changed(self, found: Comparison) -> bool:
        return self.counts.changes > 0 or found.columns_changed

    def _build_first(self, rules: Rules) -> None:
        """There is no extract yet: what was staged is the extract, without what was deleted in the same load."""
        if rules.hard_delete:
            self.engine.run(f"DELETE FROM {self.stage.table} WHERE {DELETED_AT} IS NOT NULL")
        self.counts.new = self.engine.count(f"SELECT COUNT(*) FROM {self.stage.table}")
        self.counts.total = self.counts.new
        self._columns = {column.name: column.type for column in self.plan.all_columns}
        self.stage.close()
        self.stage.path.chmod(_OWNER_ONLY)
        self.stage.path.replace(self.next)
        self._verify()
        self.built = True

    def build_change(self, rules: Rules, columns: Mapping[str, Type]) -> bool:
        """Make `change` alone, without an extract to compare with; the data source has these columns.

        Returns:
            False if it cannot be said without one. Then nothing was done.
        """
        same_columns = {column.name: column.type for column in self.plan.all_columns} == dict(columns)
        if not same_columns or rules.replaces_all or rules.read_in_part:
            return False
        self._columns = dict(columns)
        self.change = self._changes(rules).unseen()
        if self.change is not None:
            self.counts.changed, self.counts.deleted = self.change.put, self.change.taken
        return self.change is not None

    def _changes(self, rules: Rules) -> Changes:
        return Changes(self.engine, self.stage, rules, self._columns, self._payload)

    def discard(self) -> None:
        """Let go of the stage where no extract is built."""
        self.stage.close()
        self.stage.path.unlink()

    def promote(self) -> None:
        """Put the next extract in the place of the present one."""
        self._payload.unlink(missing_ok=True)
        if self.built:
            self.next.replace(self.path)

    # -- the next extract --------------------------------------------------------------------------------

    def _make_next(self) -> None:
        if self._copied is None:
            self._copy()
        else:
            self._copied.result()

    def _copy(self) -> None:
        self.next.unlink(missing_ok=True)
        try:
            shutil.copyfile(self.path, self.next)
            self.next.chmod(_OWNER_ONLY)
        except OSError as failure:
            raise ExtractError(
                f"The next extract {self.next} cannot be made: {failure.strerror or failure}. Free some disk space "
                "or change output_dir; the present extract is untouched."
            ) from failure

    def _rename(self, table: ExtractTable) -> bool:
        """Let rows that are there follow a rule of `columns`."""
        names = self._renamed(table, self.engine.columns(table))
        take_over(self.engine, table, names)
        return bool(names)

    def _renamed(self, table: ExtractTable, existing: Mapping[str, Type]) -> dict[str, str]:
        return renamed(self.engine, table.sql, self.plan, existing, self.column_names)

    def _adapt_columns(self, table: ExtractTable) -> None:
        """Add columns; where a type became wider, write the table anew (Hyper cannot alter a column)."""
        existing = self.engine.columns(table)
        if any(existing[name] != kind for name, kind in self._columns.items() if name in existing):
            try:
                self.engine.rebuild(table, self._columns, existing)
            except ExtractError as failure:
                raise ExtractError(
                    f"Stream '{self.plan.stream}': rows that are there do not fit the types that its schema "
                    f"asks for now ({difference(existing, self._columns)}): {failure}. Keep the former type "
                    "in the tap's schema; nothing was changed."
                ) from failure
            return
        for name, kind in self._columns.items():
            if name not in existing:
                self.engine.run(f"ALTER TABLE {table.sql} ADD COLUMN {column_list([(name, kind)])}")

    def _apply(self, table: ExtractTable, rules: Rules) -> None:
        """Make the change, as one transaction."""
        engine, stage = self.engine, self.stage
        names = ", ".join(escape_name(column.name) for column in self.plan.all_columns)
        values = ", ".join(
            f"CAST({escape_name(column.name)} AS {self._columns[column.name].sql})"
            if self._columns[column.name] != column.type
            else escape_name(column.name)
            for column in self.plan.all_columns
        )
        with engine.transaction():
            if rules.upsert:
                engine.run(
                    f"DELETE FROM {table.sql} e USING {self.stage.gone} g WHERE {stage.same_key('g', 'e')}"
                )
                replaced = engine.run(
                    f"DELETE FROM {table.sql} e USING {stage.table} s WHERE {stage.same_key('s', 'e')}"
                )
                self._refuse_duplicates(replaced)
                self._mark_deleted(table, rules)
            elif rules.replaces_all:
                engine.run(f"DELETE FROM {table.sql}")
            elif rules.unclosed:
                engine.run(f"DELETE FROM {table.sql} WHERE {written_by(rules.unclosed)}")
            engine.run(f"INSERT INTO {table.sql} ({names}) SELECT {values} FROM {stage.table}")

    def _refuse_duplicates(self, replaced: int) -> None:
        """Several rows of one key were there, which the loader never writes: they came under another key.

        Raises:
            ExtractError: So it is.
        """
        if replaced != self.counts.changed:
            raise ExtractError(
                f"Stream '{self.plan.stream}': the extract holds several rows of one key "
                f"({', '.join(self.plan.keys)}), so it was filled under another key. Move "
                f"{self.path} away, remove its data source if there is one, and read everything again; nothing was "
                "changed."
            )

    def _mark_deleted(self, table: ExtractTable, rules: Rules) -> None:
        if rules.hard_delete or rules.delete_match is None:
            return
        match = escape_name(rules.delete_match)
        self.engine.run(
            f"UPDATE {table.sql} e SET {DELETED_AT} = g.{DELETED_AT}, {LOAD_ID} = g.{LOAD_ID}, {SEQUENCE} = g.last "
            f"FROM {self.stage.gone_matches} g "
            f"WHERE g.{match} = e.{match} AND e.{DELETED_AT} IS NULL"
        )

    def _verify(self) -> None:
        """Reopen the closed file and count: closing a Hyper file reports neither a full disk nor a dead engine."""
        try:
            with self.engine.attached(self.next) as table:
                columns = self.engine.columns(table)
                rows = self.engine.count(f"SELECT COUNT(*) FROM {table.sql}")
        except ExtractError as failure:
            raise ExtractError(
                f"The next extract of stream '{self.plan.stream}' cannot be read back ({failure}). The disk may be "
                "full. The present extract is untouched; run again."
            ) from failure
        if rows != self.counts.total or set(columns) != set(self._columns):
            raise ExtractError(
                f"The next extract of stream '{self.plan.stream}' holds {rows} rows and {len(columns)} columns "
                f"instead of {self.counts.total} and {len(self._columns)}. The disk may be full. The present "
                "extract is untouched; run again."
            )
