"""What a settled load changes in an extract: what in it is new, different, unchanged or gone."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tableauhyperapi import escape_name, escape_string_literal

from target_tableau.columns import DELETED_AT, LOAD_ID, merge_columns
from target_tableau.errors import ExtractError
from target_tableau.rules import among, is_content
from target_tableau.staging import same, written_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_tableau.columns import Type
    from target_tableau.hyper import Engine, ExtractTable
    from target_tableau.rules import Rules
    from target_tableau.staging import Stage

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


class Comparison:
    """Compares the rows of a settled stage with those of an extract, and leaves in the stage what is to be written.

    Args:
        engine: The run's Hyper engine.
        stage: Holds the rows that arrived.
        rules: How they are brought into the extract.
        counts: Where the rows are counted.
        existing: Name -> type of the extract's columns.

    Attributes:
        existing: Name -> type of the extract's columns, as they were before the load.
        columns: The same, as they are to be.
        columns_changed: Whether they are others than before.
        marked: How many rows of the extract a tombstone without a key will mark as deleted.

    Raises:
        ExtractError: The columns would change, which the settings forbid.
    """

    def __init__(
        self,
        engine: Engine,
        stage: Stage,
        rules: Rules,
        counts: Counts,
        existing: Mapping[str, Type],
    ) -> None:
        self.existing = existing
        self.columns = merge_columns(existing, stage.plan)
        self.columns_changed = self.columns != existing
        self.marked = 0
        self._engine = engine
        self._stage = stage
        self._stream = stage.plan.stream
        self._rules = rules
        self._counts = counts
        self._gone = stage.gone
        if self.columns_changed and not rules.may_evolve:
            raise ExtractError(
                f"Stream '{self._stream}': the schema changed ({difference(existing, self.columns)}) and "
                "on_schema_change is 'fail'. Set it to 'evolve' to let the extract follow; nothing was changed."
            )

    @property
    def must_adapt_first(self) -> bool:
        """Whether rows can only be compared when the extract has its new columns: a type changes, or a key is new."""
        names = self._rules.found_by(self._stage.plan.keys).union(self.existing)
        return any(self.existing.get(name) != self.columns[name] for name in names)

    def compare(self, present: ExtractTable) -> None:
        """Count what is new, changed, gone and unchanged, and drop the unchanged from the stage.

        Raises:
            ExtractError: More rows would go than the settings allow, or rows there lack a part of the key.
        """
        engine, stage, rules, counts = self._engine, self._stage, self._rules, self._counts
        existing = engine.columns(present)
        before = engine.count(f"SELECT COUNT(*) FROM {present.sql}")
        if not rules.upsert:
            self._compare_unkeyed(present, existing, before)
            return
        self._refuse_other_key(before)
        if rules.arrived_with is not None:
            engine.run(
                f"DELETE FROM {stage.table} s USING {present.sql} e WHERE {stage.same_key('s', 'e')} "
                f"AND e.{LOAD_ID} > {escape_string_literal(rules.arrived_with)}"
            )
        self._find_gone(present)
        gone = engine.count(f"SELECT COUNT(*) FROM {self._gone}")
        self._guard_shrink(gone, before)
        if rules.hard_delete:
            engine.run(f"DELETE FROM {stage.table} WHERE {DELETED_AT} IS NOT NULL")
        elif stage.has_tombstones():
            stage.complete_tombstones(present.sql, existing)
        counts.unchanged, counts.changed = stage.drop_unchanged(present.sql, before, existing, self.columns)
        counts.new = engine.count(f"SELECT COUNT(*) FROM {stage.table}") - counts.changed
        counts.total = before - gone + counts.new
        self.marked = self._count_marked(present)
        counts.deleted = gone + self.marked

    def _compare_unkeyed(self, present: ExtractTable, existing: Mapping[str, Type], before: int) -> None:
        """Rows without a key are added, or replace all there are if they differ from them."""
        engine, stage, rules, counts = self._engine, self._stage, self._rules, self._counts
        if rules.read_in_part:  # added to the rows that are there, they would be there twice
            engine.run(f"DELETE FROM {stage.table}")
        if rules.perhaps_closed and not rules.replaces_all:
            left = f"{present.sql} WHERE {written_by(rules.perhaps_closed)}"
            counts.unchanged = stage.absorb(left, existing, stage.same_content(existing, self.columns))
        arriving = engine.count(f"SELECT COUNT(*) FROM {stage.table}")
        if rules.replaces_all:
            own = [
                column.name
                for column in stage.plan.columns
                if column.name in existing and is_content(column.name)
            ]
            values = ", ".join(f"CAST({escape_name(name)} AS {self.columns[name].sql})" for name in own)
            if arriving == before and not self.columns_changed and own:
                differing = engine.count(
                    f"SELECT COUNT(*) FROM (SELECT {values} FROM {stage.table} EXCEPT ALL "
                    f"SELECT {values} FROM {present.sql}) d"
                )
                if not differing:
                    counts.unchanged = counts.total = before
                    return
            self._guard_shrink(before - arriving, before)
            counts.new, counts.deleted, counts.total = arriving, before, arriving
            return
        if rules.unclosed:
            counts.deleted = engine.count(
                f"SELECT COUNT(*) FROM {present.sql} WHERE {written_by(rules.unclosed)}"
            )
        counts.new = arriving
        counts.total = before - counts.deleted + arriving

    def _refuse_other_key(self, before: int) -> None:
        """Rows that lack a part of the key would all be taken for others than those that come, and stay beside them.

        Raises:
            ExtractError: The key has grown by a column, and neither does all that is there go, nor a document whole.
        """
        keys, parent = self._stage.plan.keys, self._rules.parent
        absent = [key for key in keys if key not in self.existing]
        replaced = self._rules.replaces_all or (
            parent is not None and self.existing.keys() >= set(parent.columns)
        )
        if absent and before and not replaced:
            raise ExtractError(
                f"Stream '{self._stream}': its key is {', '.join(keys)} now, and the {before:,} rows there have no "
                f"{', '.join(absent)}, so they would be counted beside those that come. Read everything again once, "
                "with load_method overwrite and max_shrink_percent 100; nothing was changed."
            )

    def _guard_shrink(self, gone: int, before: int) -> None:
        """A lost permission looks like an empty ERP: stop before an extract is emptied by one.

        Raises:
            ExtractError: More would be removed than `max_shrink_percent` allows.
        """
        allowed = self._rules.max_shrink_percent
        if gone > _FEW_ROWS and gone * 100 > before * allowed:
            raise ExtractError(
                f"Stream '{self._stream}': this load would remove {gone:,} of {before:,} rows, more than "
                f"max_shrink_percent ({allowed}) allows. Check that the tap may still read "
                "everything; if so many rows are really gone, run once with max_shrink_percent 100."
            )

    def _find_gone(self, present: ExtractTable) -> None:
        """Collect the keys of the extract's rows that this load takes out."""
        stage, rules = self._stage, self._rules
        reasons = []
        types = {key: self.columns[key] for key in stage.plan.keys}
        did_not_come = f"NOT EXISTS (SELECT 1 FROM {stage.table} s WHERE {stage.same_key('s', 'e')})"
        if rules.set_aside:
            did_not_come += f" AND NOT {among(rules.set_aside, types, 'e')}"
        if rules.replaces_all:
            reasons.append(did_not_come)
        if rules.hard_delete:
            reasons.append(
                f"EXISTS (SELECT 1 FROM {stage.table} s "
                f"WHERE s.{DELETED_AT} IS NOT NULL AND {stage.same_key('s', 'e')})"
            )
            if rules.delete_match is not None and rules.delete_match in self.columns:
                match = escape_name(rules.delete_match)
                reasons.append(
                    f"(EXISTS (SELECT 1 FROM {stage.gone_matches} g WHERE g.{match} = e.{match}) AND NOT EXISTS "
                    f"(SELECT 1 FROM {stage.table} s WHERE {stage.live} AND {stage.same_key('s', 'e')}))"
                )
        if rules.parent is not None:
            reasons.append(
                f"(EXISTS (SELECT 1 FROM {stage.reread_parents} p "
                f"WHERE {same(rules.parent.columns, 'p', 'e')}) AND {did_not_come})"
            )
        keys = ", ".join(f"e.{escape_name(key)}" for key in stage.plan.keys)
        first, *others = reasons or ["FALSE"]
        self._engine.run(
            f"CREATE TEMPORARY TABLE {self._gone} AS (SELECT {keys} FROM {present.sql} e WHERE {first}) WITH DATA"
        )
        for reason in others:  # one by one: Hyper cannot join by "this or that" when memory is short
            self._engine.run(
                f"INSERT INTO {self._gone} SELECT {keys} FROM {present.sql} e WHERE {reason} "
                f"AND NOT EXISTS (SELECT 1 FROM {self._gone} g WHERE {stage.same_key('g', 'e')})"
            )

    def _count_marked(self, present: ExtractTable) -> int:
        if self._rules.hard_delete or self._rules.delete_match is None:
            return 0
        match = escape_name(self._rules.delete_match)
        return self._engine.count(
            f"SELECT COUNT(*) FROM {present.sql} e WHERE e.{DELETED_AT} IS NULL AND EXISTS "
            f"(SELECT 1 FROM {self._stage.gone_matches} g WHERE g.{match} = e.{match})"
        )


def difference(before: Mapping[str, Type], after: Mapping[str, Type]) -> str:
    """What makes the columns of two extracts different, in words."""
    added = [f"new column {name} {kind.sql}" for name, kind in after.items() if name not in before]
    wider_ones = [
        f"{name} {before[name].sql} becomes {kind.sql}"
        for name, kind in after.items()
        if name in before and before[name] != kind
    ]
    return ", ".join(added + wider_ones)
