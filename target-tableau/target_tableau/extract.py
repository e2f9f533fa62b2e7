"""Brings one load of one stream into its extract, without ever touching the extract that is there.

The next extract is built beside the present one as `X.hyper.next`, verified by reopening and counting, and put in
its place only by `promote`, after it has been published. An extract that the load does not change is not built
at all.
"""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING

from tableauhyperapi import escape_name, escape_string_literal

from target_tableau.change import Change, Changes
from target_tableau.columns import DELETED_AT, LOAD_ID, Plan, Type, difference, merge_columns
from target_tableau.display import fill
from target_tableau.errors import ExtractError
from target_tableau.hyper import ExtractTable, column_list
from target_tableau.renames import renamed, take_over
from target_tableau.staging import Rules, Stage, same, written_by

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_tableau.hyper import Engine

_OWNER_ONLY = 0o600
_FEW_ROWS = 25  # so many may always go: a percentage says nothing about a small table


@dataclasses.dataclass
class Counts:
    """What a load did to an extract. `total` is the number of rows afterwards."""

    read: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    rejected: int = 0
    total: int = 0

    @property
    def changes(self) -> int:
        """Rows that are not as they were."""
        return self.new + self.changed + self.deleted


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
        self._payload = path.with_name(path.name + ".payload")
        self._gone = f"gone_{number}"
        self._columns: dict[str, Type] = {}
        self._columns_changed = False
        self._marked = 0

    def change_plan(self, plan: Plan) -> None:
        """Take a schema that changed while the stream was being read."""
        self.plan = plan
        self.stage.widen(plan)

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

    def settle(self, rules: Rules) -> None:
        """Bring the staged rows down to one last word per key; comes before `build`."""
        self.stage.settle(rules)

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
        is_renamed = self._rename()
        with self.engine.attached(self.next if is_renamed else self.path) as present:
            self._compare(present, rules)
        if self.counts.changes or self._columns_changed or is_renamed:
            if with_change and not self._columns_changed and not self._marked and not is_renamed:
                self.change = self._changes(rules).seen(self._gone if rules.upsert else None)
            if not is_renamed:
                self._make_next()
            with self.engine.attached(self.next) as table:
                before = self.engine.columns(table)
                self._adapt_columns(table)
                self._apply(table, rules)
                fill(self.engine, table.sql, self.plan, before)
            self._verify()
            self.built = True
        self.stage.close()
        self.stage.path.unlink()
        self.engine.run(f"DROP TABLE IF EXISTS {self._gone}")

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

    # -- what changes ------------------------------------------------------------------------------------

    def _compare(self, present: ExtractTable, rules: Rules) -> None:
        """Count what is new, changed, gone and unchanged, and drop the unchanged from the stage."""
        engine, stage = self.engine, self.stage
        existing = engine.columns(present)
        self._columns = merge_columns(existing, self.plan)
        self._columns_changed = self._columns != existing
        if self._columns_changed and not rules.may_evolve:
            raise ExtractError(
                f"Stream '{self.plan.stream}': the schema changed ({difference(existing, self._columns)}) and "
                "on_schema_change is 'fail'. Set it to 'evolve' to let the extract follow; nothing was changed."
            )
        before = engine.count(f"SELECT COUNT(*) FROM {present.sql}")
        if not rules.upsert:
            self._compare_unkeyed(present, rules, before)
            return
        if rules.arrived_with is not None:
            engine.run(
                f"DELETE FROM {stage.table} s USING {present.sql} e WHERE {stage.same_key('s', 'e')} "
                f"AND e.{LOAD_ID} > {escape_string_literal(rules.arrived_with)}"
            )
        self._find_gone(present, rules)
        gone = engine.count(f"SELECT COUNT(*) FROM {self._gone}")
        self._guard_shrink(gone, before, rules)
        if rules.hard_delete:
            engine.run(f"DELETE FROM {stage.table} WHERE {DELETED_AT} IS NOT NULL")
        held = stage.collect_held(present.sql, before)
        self.counts.unchanged = engine.run(
            f"DELETE FROM {stage.table} s USING {held} e WHERE {stage.same_key('s', 'e')} "
            f"AND {stage.same_content(existing, self._columns)}"
        )
        self.counts.changed = engine.count(
            f"SELECT COUNT(*) FROM {stage.table} s WHERE EXISTS "
            f"(SELECT 1 FROM {held} e WHERE {stage.same_key('s', 'e')})"
        )
        self.counts.new = engine.count(f"SELECT COUNT(*) FROM {stage.table}") - self.counts.changed
        self.counts.total = before - gone + self.counts.new
        self._marked = self._count_marked(present, rules)
        self.counts.deleted = gone + self._marked

    def _compare_unkeyed(self, present: ExtractTable, rules: Rules, before: int) -> None:
        """Rows without a key are added, or replace all there are if they differ from them."""
        engine, stage = self.engine, self.stage
        if rules.read_in_part:  # added to the rows that are there, they would be there twice
            engine.run(f"DELETE FROM {stage.table}")
        if rules.perhaps_closed and not rules.replaces_all:
            existing = engine.columns(present)
            left = f"{present.sql} WHERE {written_by(rules.perhaps_closed)}"
            self.counts.unchanged = stage.absorb(left, existing, stage.same_content(existing, self._columns))
        arriving = engine.count(f"SELECT COUNT(*) FROM {stage.table}")
        if rules.replaces_all:
            own = [column.name for column in self.plan.columns if column.name in engine.columns(present)]
            names = ", ".join(escape_name(name) for name in own)
            if arriving == before and not self._columns_changed and own:
                differing = engine.count(
                    f"SELECT COUNT(*) FROM (SELECT {names} FROM {stage.table} EXCEPT ALL "
                    f"SELECT {names} FROM {present.sql}) d"
                )
                if not differing:
                    self.counts.unchanged = self.counts.total = before
                    return
            self._guard_shrink(before - arriving, before, rules)
            self.counts.new, self.counts.deleted, self.counts.total = arriving, before, arriving
            return
        if rules.unclosed:
            self.counts.deleted = engine.count(
                f"SELECT COUNT(*) FROM {present.sql} WHERE {written_by(rules.unclosed)}"
            )
        self.counts.new = arriving
        self.counts.total = before - self.counts.deleted + arriving

    def _guard_shrink(self, gone: int, before: int, rules: Rules) -> None:
        """A lost permission looks like an empty ERP: stop before an extract is emptied by one.

        Raises:
            ExtractError: More would be removed than `max_shrink_percent` allows.
        """
        if gone > _FEW_ROWS and gone * 100 > before * rules.max_shrink_percent:
            raise ExtractError(
                f"Stream '{self.plan.stream}': this load would remove {gone:,} of {before:,} rows, more than "
                f"max_shrink_percent ({rules.max_shrink_percent}) allows. Check that the tap may still read "
                "everything; if so many rows are really gone, run once with max_shrink_percent 100."
            )

    def _find_gone(self, present: ExtractTable, rules: Rules) -> None:
        """Collect the keys of the extract's rows that this load takes out."""
        stage = self.stage
        reasons = []
        if rules.replaces_all:
            reasons.append(
                f"NOT EXISTS (SELECT 1 FROM {stage.table} s WHERE {stage.live} AND {stage.same_key('s', 'e')})"
            )
        if rules.hard_delete:
            reasons.append(
                f"EXISTS (SELECT 1 FROM {stage.table} s "
                f"WHERE s.{DELETED_AT} IS NOT NULL AND {stage.same_key('s', 'e')})"
            )
            if rules.delete_match is not None and rules.delete_match in self._columns:
                match = escape_name(rules.delete_match)
                reasons.append(
                    f"(EXISTS (SELECT 1 FROM {stage.gone_matches} g WHERE g.{match} = e.{match}) AND NOT EXISTS "
                    f"(SELECT 1 FROM {stage.table} s WHERE {stage.live} AND {stage.same_key('s', 'e')}))"
                )
        if rules.parent is not None:
            reasons.append(
                f"(EXISTS (SELECT 1 FROM {stage.reread_parents} p "
                f"WHERE {same(rules.parent.columns, 'p', 'e')}) AND NOT EXISTS "
                f"(SELECT 1 FROM {stage.table} s WHERE {stage.same_key('s', 'e')}))"
            )
        keys = ", ".join(f"e.{escape_name(key)}" for key in self.plan.keys)
        first, *others = reasons or ["FALSE"]
        self.engine.run(
            f"CREATE TEMPORARY TABLE {self._gone} AS (SELECT {keys} FROM {present.sql} e WHERE {first}) WITH DATA"
        )
        for reason in others:  # one by one: Hyper cannot join by "this or that" when memory is short
            self.engine.run(
                f"INSERT INTO {self._gone} SELECT {keys} FROM {present.sql} e WHERE {reason} "
                f"AND NOT EXISTS (SELECT 1 FROM {self._gone} g WHERE {stage.same_key('g', 'e')})"
            )

    # -- the next extract --------------------------------------------------------------------------------

    def _make_next(self) -> None:
        self.next.unlink(missing_ok=True)
        try:
            shutil.copyfile(self.path, self.next)
            self.next.chmod(_OWNER_ONLY)
        except OSError as failure:
            raise ExtractError(
                f"The next extract {self.next} cannot be made: {failure.strerror or failure}. Free some disk space "
                "or change output_dir; the present extract is untouched."
            ) from failure

    def _rename(self) -> bool:
        """Begin the next extract where rows that are there must follow a rule of `columns`."""
        with self.engine.attached(self.path) as present:
            existing = self.engine.columns(present)
        names = renamed(self.plan, existing)
        if names:
            self._make_next()
            with self.engine.attached(self.next) as table:
                take_over(self.engine, table.sql, names, existing)
        return bool(names)

    def _adapt_columns(self, table: ExtractTable) -> None:
        """Add columns; where a type became wider, write the table anew (Hyper cannot alter a column)."""
        existing = self.engine.columns(table)
        if any(existing[name] != kind for name, kind in self._columns.items() if name in existing):
            self.engine.rebuild(
                table,
                [
                    (name, kind, f"CAST({escape_name(name)} AS {kind.sql})" if name in existing else None)
                    for name, kind in self._columns.items()
                ],
            )
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
                engine.run(f"DELETE FROM {table.sql} e USING {self._gone} g WHERE {stage.same_key('g', 'e')}")
                engine.run(
                    f"DELETE FROM {table.sql} e USING {stage.table} s WHERE {stage.same_key('s', 'e')}"
                )
                self._mark_deleted(table, rules)
            elif rules.replaces_all:
                engine.run(f"DELETE FROM {table.sql}")
            elif rules.unclosed:
                engine.run(f"DELETE FROM {table.sql} WHERE {written_by(rules.unclosed)}")
            engine.run(f"INSERT INTO {table.sql} ({names}) SELECT {values} FROM {stage.table}")

    def _count_marked(self, present: ExtractTable, rules: Rules) -> int:
        """How many rows of the extract a tombstone without a key will mark as deleted."""
        if rules.hard_delete or rules.delete_match is None:
            return 0
        match = escape_name(rules.delete_match)
        return self.engine.count(
            f"SELECT COUNT(*) FROM {present.sql} e WHERE e.{DELETED_AT} IS NULL AND EXISTS "
            f"(SELECT 1 FROM {self.stage.gone_matches} g WHERE g.{match} = e.{match})"
        )

    def _mark_deleted(self, table: ExtractTable, rules: Rules) -> None:
        if rules.hard_delete or rules.delete_match is None:
            return
        match = escape_name(rules.delete_match)
        self.engine.run(
            f"UPDATE {table.sql} e SET {DELETED_AT} = g.{DELETED_AT} FROM {self.stage.gone_matches} g "
            f"WHERE g.{match} = e.{match} AND e.{DELETED_AT} IS NULL"
        )

    def _verify(self) -> None:
        """Reopen the closed file and count: closing a Hyper file reports neither a full disk nor a dead engine."""
        with self.engine.attached(self.next) as table:
            columns = self.engine.columns(table)
            rows = self.engine.count(f"SELECT COUNT(*) FROM {table.sql}")
        if rows != self.counts.total or set(columns) != set(self._columns):
            raise ExtractError(
                f"The next extract of stream '{self.plan.stream}' holds {rows} rows and {len(columns)} columns "
                f"instead of {self.counts.total} and {len(self._columns)}. The disk may be full. The present "
                "extract is untouched; run again."
            )
