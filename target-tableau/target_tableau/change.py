"""The change that a load makes to an extract, as Tableau takes it: a payload file and a batch of actions.

Facts (Tableau REST API, "Update Data in Hyper Data Source" and its how-to): the payload is a .hyper file; the
actions of one request are one transaction; the source table of a delete may hold only the columns of its
condition; a condition compares as SQL does, so a null key would match nothing.
"""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING, Any

from tableauhyperapi import escape_name

from target_tableau.columns import LOAD_ID
from target_tableau.errors import ExtractError
from target_tableau.hyper import SCHEMA, TABLE, column_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from target_tableau.columns import Type
    from target_tableau.hyper import Engine
    from target_tableau.rules import Rules
    from target_tableau.staging import Stage

_GONE = "Gone"
_SPACE = uuid.UUID("6f6f1f0e-3c8e-5e0d-9a55-0d6c6a0a7b11")

Action = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Change:
    """One load's change of one extract.

    Attributes:
        payload: A .hyper file with what the actions refer to.
        actions: What is to be done, in order, as one transaction.
        put: How many rows are put in, or put in the place of others.
        taken: How many rows, or what tells them, are named to be taken out.
    """

    payload: Path
    actions: list[Action]
    put: int
    taken: int

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return self.payload.stat().st_size


def request_id(luid: str, load_id: str, attempt: int) -> str:
    """The same for the same request: Tableau carries out one of a kind within 24 hours.

    A request that the network broke is therefore sent again with its own id, one whose job failed with a new one.
    """
    return str(uuid.uuid5(_SPACE, f"{luid}|{load_id}|{attempt}"))


class Payload:
    """A payload file that is being made.

    Args:
        engine: The run's engine.
        path: Where it is made; what is there is removed.
        columns: The columns of the data source, all of which insert and upsert must bring.
    """

    def __init__(self, engine: Engine, path: Path, columns: Mapping[str, Type]) -> None:
        path.unlink(missing_ok=True)
        self._engine = engine
        self._path = path
        self._columns = columns
        self._actions: list[Action] = []
        self._put = self._taken = 0
        self._rows = {TABLE: 0}
        self._file = engine.create(path, list(columns.items()))

    def delete_loads(self, loads: Sequence[str]) -> None:
        """Take out what earlier loads wrote."""
        if not loads:
            return
        conditions: list[Action] = [
            {"op": "eq", "target-col": LOAD_ID, "const": {"type": "string", "v": load}} for load in loads
        ]
        condition = conditions[0] if len(conditions) == 1 else {"op": "or", "args": conditions}
        self._actions.append({"action": "delete", **_TARGET, "condition": condition})

    def delete(self, rows: str, columns: Mapping[str, Type]) -> None:
        """Take out the rows that agree with one of those that a query gives, in all of these columns."""
        table = f"{_GONE}{len(self._actions) or ''}"
        sql = self._table(table)
        self._engine.run(f"CREATE TABLE {sql} ({column_list(list(columns.items()))})")
        self._rows[table] = found = self._engine.run(f"INSERT INTO {sql} {rows}")
        self._taken += found
        if not found:
            self._engine.run(f"DROP TABLE {sql}")
            del self._rows[table]
            return
        self._actions.append(
            {"action": "delete", **_source(table), **_TARGET, "condition": _equal(list(columns))}
        )

    def put(self, action: str, source: str, types: Mapping[str, Type], keys: Sequence[str]) -> None:
        """Send the rows of a table by `upsert`, `insert` or `replace`."""
        values = ", ".join(
            f"CAST({escape_name(name) if name in types else 'NULL'} AS {kind.sql})"
            for name, kind in self._columns.items()
        )
        rows = self._engine.run(
            f"INSERT INTO {self._table(TABLE)} ({_names(list(self._columns))}) SELECT {values} FROM {source}"
        )
        self._put += rows
        self._rows[TABLE] = rows
        if rows or action == "replace":
            condition = {"condition": _equal(keys)} if action == "upsert" else {}
            self._actions.append({"action": action, **_source(TABLE), **_TARGET, **condition})

    def close(self) -> Change:
        """Make the file whole, and see that it is: closing a Hyper file does not tell of a full disk.

        Raises:
            ExtractError: The file does not hold what was put into it.
        """
        self._engine.detach(self._file)
        with self._engine.attached(self._path):
            for table, rows in self._rows.items():
                found = self._engine.count(f"SELECT COUNT(*) FROM {self._table(table)}")
                if found != rows:
                    raise ExtractError(
                        f"The change {self._path} holds {found} rows instead of {rows}. The disk may be full. "
                        "Nothing was published; run again."
                    )
        return Change(self._path, self._actions, self._put, self._taken)

    def _table(self, name: str) -> str:
        return ".".join(escape_name(part) for part in (self._file.database, SCHEMA, name))


_TARGET = {"target-schema": SCHEMA, "target-table": TABLE}


def _source(table: str) -> Action:
    return {"source-schema": SCHEMA, "source-table": table}


def _equal(columns: Sequence[str]) -> Action:
    parts: list[Action] = [{"op": "eq", "source-col": name, "target-col": name} for name in columns]
    return parts[0] if len(parts) == 1 else {"op": "and", "args": parts}


class Changes:
    """Says what a settled stage changes.

    Args:
        engine: The run's engine.
        stage: Holds the rows that arrive.
        rules: How they are brought into the extract.
        columns: Columns of the extract, and of the data source.
        path: Where the payload is made.
    """

    def __init__(
        self, engine: Engine, stage: Stage, rules: Rules, columns: Mapping[str, Type], path: Path
    ) -> None:
        self._engine = engine
        self._stage = stage
        self._rules = rules
        self._columns = columns
        self._path = path

    def seen(self, gone: str | None) -> Change | None:
        """The change after the stage was compared with the extract: only what is new or different is left in it.

        Args:
            gone: Table with the keys of the rows that leave the extract.

        Returns:
            None if actions cannot say it: a key is null.
        """
        rules, keys = self._rules, self._stage.plan.keys
        if gone is not None and (self._has_null(self._stage.table, keys) or self._has_null(gone, keys)):
            return None
        payload = Payload(self._engine, self._path, self._columns)
        if gone is not None:
            payload.delete(f"SELECT * FROM {gone}", self._typed(keys))
            self._put(payload, "upsert")
        elif rules.replaces_all:
            self._put(payload, "replace")
        else:
            payload.delete_loads(rules.unclosed)
            self._put(payload, "insert")
        return payload.close()

    def unseen(self) -> Change | None:
        """The change without an extract to compare with: what goes is said by key, by column or by document.

        Returns:
            None if actions cannot say it: a key or the document of a line is null, rows are to be
            marked, or what is there may be newer or the same.
        """
        rules, stage = self._rules, self._stage
        if rules.perhaps_closed:
            return None
        parents = list(rules.parent.columns) if rules.parent else []
        marks = not rules.hard_delete and (rules.delete_match is not None or stage.has_tombstones())
        if rules.upsert and (
            marks
            or rules.arrived_with is not None
            or self._has_null(stage.table, stage.plan.keys)
            or (parents and rules.set_aside)
            or (parents and self._has_null(stage.reread_parents, parents))
        ):
            return None
        payload = Payload(self._engine, self._path, self._columns)
        if not rules.upsert:
            payload.delete_loads(rules.unclosed)
            self._put(payload, "insert")
            return payload.close()
        if rules.hard_delete:
            dead = f"FROM {stage.table} WHERE NOT {stage.live}"
            payload.delete(f"SELECT {_names(stage.plan.keys)} {dead}", self._typed(stage.plan.keys))
            self._engine.run(f"DELETE {dead}")
        if rules.delete_match is not None:
            match = [rules.delete_match]
            payload.delete(f"SELECT {_names(match)} FROM {stage.gone_matches}", self._typed(match))
        if parents:
            payload.delete(f"SELECT {_names(parents)} FROM {stage.reread_parents}", self._typed(parents))
        self._put(payload, "upsert")
        return payload.close()

    def _put(self, payload: Payload, action: str) -> None:
        types = {column.name: column.type for column in self._stage.plan.all_columns}
        payload.put(action, self._stage.table, types, self._stage.plan.keys)

    def _typed(self, names: Sequence[str]) -> dict[str, Type]:
        return {name: self._columns[name] for name in names}

    def _has_null(self, table: str, names: Sequence[str]) -> bool:
        """No condition of Tableau's finds a null."""
        some = " OR ".join(f"{escape_name(name)} IS NULL" for name in names)
        return self._engine.count(f"SELECT COUNT(*) FROM {table} WHERE {some}") > 0


def _names(columns: Sequence[str]) -> str:
    return ", ".join(escape_name(name) for name in columns)
