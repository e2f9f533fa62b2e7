"""How one stream is brought into its extract, and of which documents its rows are lines."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from tableauhyperapi import escape_name, escape_string_literal

from target_tableau.batches import convert_records
from target_tableau.columns import SEQUENCE, type_of
from target_tableau.errors import BadRecordError
from target_tableau.hyper import parquet_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from target_tableau.columns import Plan, Type


Key = tuple[str | None, ...]


@dataclasses.dataclass(frozen=True)
class Parent:
    """The documents whose lines a stream holds (setting `replace_within`), as far as a load has read them.

    Attributes:
        columns: Line column -> parent column.
        files: Journal files of the parent stream in this load.
        types: Line column -> type of the parent's column, where the parent came with the load.
    """

    columns: Mapping[str, str]
    files: Sequence[Path]
    types: Mapping[str, Type] = dataclasses.field(default_factory=dict)

    def read(self, types: Mapping[str, Type], proven: int) -> str | None:
        """SQL: the documents that came, as lines name them, with the sequence of their last reading.

        Args:
            types: Line column -> type there, which holds every value of the parent's column.
            proven: Sequence of the last record that counts.

        Returns:
            None if no file tells of any.
        """
        parts = [self._of_files(files, types, proven) for files in self._alike()]
        if not parts:
            return None
        names = ", ".join(escape_name(line) for line in self.columns)
        return f"SELECT {names}, MAX({SEQUENCE}) FROM ({' UNION ALL '.join(parts)}) p GROUP BY {names}"

    def _alike(self) -> list[list[Path]]:
        """The files that name documents, those with the same types together: Hyper reads no others at once."""
        groups: dict[tuple[Type, ...], list[Path]] = {}
        for file in self.files:
            fields = {field.name: field.type for field in pq.read_schema(file)}
            if fields.keys() >= set(self.columns.values()):
                kinds = tuple(type_of(fields[name]) for name in self.columns.values())
                groups.setdefault(kinds, []).append(file)
        return list(groups.values())

    def _of_files(self, files: Sequence[Path], types: Mapping[str, Type], proven: int) -> str:
        named = ", ".join(
            f"CAST({escape_name(column)} AS {types[line].sql}) AS {escape_name(line)}"
            for line, column in self.columns.items()
        )
        rows = f"external({parquet_array(files)}, format => 'parquet')"
        return f"SELECT {named}, {SEQUENCE} FROM {rows} f WHERE {SEQUENCE} <= {proven}"


@dataclasses.dataclass(frozen=True)
class Rules:
    """How one stream is brought into its extract.

    Attributes:
        upsert: Rows are identified by key; otherwise each is added as it came.
        hard_delete: Rows with a tombstone leave the extract; otherwise they stay, with `_sdc_deleted_at`.
        delete_match: Column by which tombstones without a key find their row.
        parent: Whose lines the stream's rows are.
        proven: Sequence of the last record that a STATE message covers: a re-read document takes lines out
            only if it came before, because behind it the tap may have died in the middle of its lines.
        replaces_all: The load read the stream from beginning to end, so what it did not bring is gone.
        read_in_part: The load was to read the stream from beginning to end, nothing proves that it did, and the
            next one begins anew.
        max_shrink_percent: How much of an extract one load may remove.
        may_evolve: The columns of the extract may change.
        unclosed: Loads whose rows may be in the extract though their STATE was never handed on.
        perhaps_closed: Loads whose rows are in the extract, and nobody knows whether their STATE was handed on: the
            tap may bring the same rows again, or never.
        arrived_with: The load that the rows first came with, if that was an earlier one: rows of the extract that
            came later are newer.
        set_aside: Keys, as texts, of records that came and did not fit: what is there of them is not gone.
    """

    upsert: bool
    hard_delete: bool
    delete_match: str | None
    parent: Parent | None
    proven: int
    replaces_all: bool = False
    read_in_part: bool = False
    max_shrink_percent: int = 100
    may_evolve: bool = True
    unclosed: tuple[str, ...] = ()
    perhaps_closed: tuple[str, ...] = ()
    arrived_with: str | None = None
    set_aside: frozenset[Key] = frozenset()

    def found_by(self, keys: Iterable[str]) -> set[str]:
        """The columns by which rows are found: the key, and what names a row or its document."""
        names = set(keys) if self.upsert else set()
        if self.delete_match is not None:
            names.add(self.delete_match)
        return names.union(self.parent.columns if self.parent else ())


def is_content(name: str) -> bool:
    """Whether a column says something of the record, and not of the way it came: taps bring such columns, too."""
    return not name.startswith("_sdc_")


def keys_of(plan: Plan, records: Iterable[dict[str, Any]]) -> frozenset[Key]:
    """The keys of records of which other values do not fit, as texts; without those whose key does not fit either."""
    own = tuple(column for column in plan.columns if column.name in plan.keys)
    found = set()
    for record in records:
        try:
            table = convert_records(dataclasses.replace(plan, columns=own), [record], [None])
        except BadRecordError:  # told when it was set aside; no row can be found by it
            continue
        texts = (table.column(key).cast(pa.string())[0].as_py() for key in plan.keys)
        found.add(tuple(texts))
    return frozenset(found)


def among(keys: Iterable[Key], columns: Mapping[str, Type], row: str) -> str:
    """SQL: the key of a row is one of these.

    Args:
        keys: As texts; not empty.
        columns: Name -> type of the key columns there.
        row: Name of the row.
    """
    values = ", ".join(
        "("
        + ", ".join("CAST(NULL AS TEXT)" if text is None else escape_string_literal(text) for text in key)
        + ")"
        for key in keys
    )
    names = ", ".join(escape_name(name) for name in columns)
    same = " AND ".join(
        f"CAST(k.{escape_name(name)} AS {kind.sql}) IS NOT DISTINCT FROM {row}.{escape_name(name)}"
        for name, kind in columns.items()
    )
    return f"EXISTS (SELECT 1 FROM (VALUES {values}) k({names}) WHERE {same})"
