"""What the tests of target-tableau share: messages in, extracts out."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from tableauhyperapi import Connection, HyperException, HyperProcess, Telemetry

from target_tableau import hyper, run
from target_tableau.client import TableauClient
from target_tableau.contents import Contents
from target_tableau.errors import TargetTableauError
from target_tableau.load import Load
from target_tableau.loads import main
from target_tableau.target import TargetTableau
from tests.sandbox.tableau import hyper as sandbox_hyper

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from click.testing import Result
    from tableauhyperapi import Endpoint

    from tests.target_tableau.conftest import Server

STATE = {
    "bookmarks": {
        "bills": {"replication_key": "modified", "replication_key_value": "2026-01-01T00:00:00+00:00"}
    }
}

NULLABLE_TEXT = {"type": ["string", "null"]}
MONEY: dict[str, Any] = {
    "type": ["number", "null"],
    "x-sql-datatype-properties": {"precision": 18, "scale": 2},
}
TIME = {"type": ["string", "null"], "format": "date-time"}
BILL = {"ref": NULLABLE_TEXT, "amount": MONEY, "note_id": NULLABLE_TEXT, "_sdc_deleted_at": TIME}
LINE = {
    "ref": NULLABLE_TEXT,
    "nbr": {"type": ["integer", "null"]},
    "amount": MONEY,
    "parent_note_id": NULLABLE_TEXT,
}
WITHIN = {"bill_lines": {"parent": "bills", "columns": {"parent_note_id": "note_id"}}}


def schema(stream: str, properties: Mapping[str, Any], keys: Sequence[str] = ()) -> dict[str, Any]:
    """A SCHEMA message."""
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": dict(properties)},
        "key_properties": list(keys),
    }


def record(stream: str, **values: Any) -> dict[str, Any]:
    """A RECORD message."""
    return {
        "type": "RECORD",
        "stream": stream,
        "record": values,
        "time_extracted": "2026-01-01T00:00:00+00:00",
    }


def state(value: Mapping[str, Any] = STATE) -> dict[str, Any]:
    """A STATE message."""
    return {"type": "STATE", "value": dict(value)}


def bills(*rows: tuple[str, object]) -> list[dict[str, Any]]:
    """A whole run of the bills stream, from SCHEMA to STATE; each bill's note id is `n-` and its number."""
    return [
        schema("bills", BILL, ["ref"]),
        *(record("bills", ref=ref, amount=amount, note_id=f"n-{ref}") for ref, amount in rows),
        state(),
    ]


def tombstone(ref: str) -> dict[str, Any]:
    """The deletion of a bill that knows only its note id."""
    return record("bills", ref=None, note_id=f"n-{ref}", _sdc_deleted_at="2026-02-01T00:00:00+00:00")


def line(ref: str, nbr: int, amount: object = 1) -> dict[str, Any]:
    """A line of a bill."""
    return record("bill_lines", ref=ref, nbr=nbr, amount=amount, parent_note_id=f"n-{ref}")


def load(
    config: Mapping[str, Any],
    messages: Iterable[dict[str, Any] | str],
    handed_on: list[dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Run the target over messages and return the STATE values it handed on.

    `handed_on` receives them too, also when the run fails.
    """
    lines = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    output = io.StringIO()
    states = [] if handed_on is None else handed_on
    try:
        with contextlib.redirect_stdout(output):
            target = TargetTableau(config=dict(config))
            target.listen(io.BytesIO("".join(f"{line}\n" for line in lines).encode()))  # type: ignore[arg-type]
    finally:
        states += [json.loads(text) for text in output.getvalue().splitlines()]
    return states


@dataclasses.dataclass
class Extracts:
    """The extracts of one output folder, read with an engine of the tests' own."""

    folder: Path

    def rows(self, stream: str, sql: str) -> list[list[Any]]:
        """Query an extract; `{t}` stands for its table."""
        return query(self.folder / f"{stream}.hyper", sql)

    def column(self, stream: str, name: str) -> list[Any]:
        """The values of a column, in order."""
        return [row[0] for row in self.rows(stream, f'SELECT "{name}" FROM {{t}} ORDER BY 1')]

    def types(self, stream: str) -> dict[str, str]:
        """Column name -> SQL type."""
        with _connection(self.folder / f"{stream}.hyper") as connection:
            table = connection.catalog.get_table_names("Extract")[0]
            definition = connection.catalog.get_table_definition(table)
        return {column.name.unescaped: str(column.type) for column in definition.columns}


def query(path: Path, sql: str) -> list[list[Any]]:
    """Query an extract; `{t}` stands for its table."""
    with _connection(path) as connection:
        rows: list[list[Any]] = connection.execute_list_query(sql.format(t='"Extract"."Extract"'))
    return rows


@functools.cache
def engine() -> HyperProcess:
    """One engine for all tests of a process: starting one takes longer than most queries."""
    process = HyperProcess(
        Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={"log_config": "", "memory_limit": "1g"}
    )
    atexit.register(process.close)
    return process


class LentProcess:
    """A Hyper process that runs on when it is closed, for the next who wants one like it.

    Closing the connection already writes the files and lets go of them; what only the end of a process does is left
    to the tests that start the loader as a command, and to those that ask for `own_engines`.
    """

    def __init__(self, telemetry: Telemetry, user_agent: str = "", *, parameters: dict[str, str]) -> None:
        wanted = {name: value for name, value in parameters.items() if name != "domain_socket_dir"}
        self._process = _process_with(telemetry, user_agent, *sorted(wanted.items()))

    @property
    def endpoint(self) -> Endpoint:
        return self._process.endpoint

    def close(self) -> None:
        """Leave it running."""

    def shutdown(self, timeout_ms: int) -> None:
        """Leave it running."""


@functools.cache
def _process_with(telemetry: Telemetry, user_agent: str, *parameters: tuple[str, str]) -> HyperProcess:
    process = HyperProcess(telemetry, user_agent, parameters=dict(parameters))
    atexit.register(process.close)
    return process


def lend_engines(patch: pytest.MonkeyPatch) -> None:
    """Let loader and sandbox use one Hyper process each, for all tests: most of a small load is an engine's start."""
    patch.setattr(hyper, "HyperProcess", LentProcess)
    patch.setattr(sandbox_hyper, "HyperProcess", LentProcess)


def _connection(path: Path) -> Connection:
    for _ in range(100):
        try:
            return Connection(engine().endpoint, str(path))
        except HyperException as failure:  # the engine of a target that was killed lets go after some seconds
            if "locked" not in str(failure):
                raise
            time.sleep(0.1)
    raise TimeoutError(f"{path} stays locked")


Totals = dict[str, list[Any]]
"""Stream -> rows, distinct keys, sum of the amounts: enough to tell old from new, and both from a mix."""

LATER = {
    "bookmarks": {
        "bills": {"replication_key": "modified", "replication_key_value": "2026-02-01T00:00:00+00:00"}
    }
}
"""STATE that covers the change of `Books`."""


class Books:
    """A stream with a key and one without, as they are in extracts and in Tableau, and a change to both.

    The tap that brings the change goes on from the STATE that was handed on: then it has nothing more to send.

    Args:
        config: Settings.
        server: Where they publish to; None where they do not.
        rows: Rows of each stream before the change.
        changes: Records of the stream with a key that the change brings; half as many of the other.

    Attributes:
        config: Settings; tests add to them.
        old: What is there before the change.
        new: What is there after an undisturbed run.
        change: The messages of the change.
    """

    def __init__(
        self, config: dict[str, Any], server: Server | None, rows: int = 60, changes: int = 90
    ) -> None:
        self.config, self.server = config, server
        before = {f"{number:06}": number for number in range(rows)}
        log = [(f"{number:06}", 3) for number in range(rows)]
        changed = {f"{number:06}": number + 7 for number in range(rows // 2, rows // 2 + changes)}
        more = [(f"{number // 2:06}", 5) for number in range(changes // 2)]  # rows that are alike, too
        after = before | changed
        self.first = _books(before.items(), log, STATE)
        self.change = _books(changed.items(), more, LATER)
        self.old = {"bills": _totals(before.items()), "log": _totals(log)}
        self.new = {"bills": _totals(after.items()), "log": _totals([*log, *more])}

    @property
    def extracts(self) -> Extracts:
        return Extracts(Path(self.config["output_dir"]))

    def here(self) -> Totals:
        return {stream: self.extracts.rows(stream, _TOTALS)[0] for stream in ("bills", "log")}

    def published(self) -> Totals:
        assert self.server is not None
        state = self.server.app.state
        return {stream: query(state.datasource(stream), _TOTALS)[0] for stream in ("bills", "log")}

    def attempt(self, kind: type[BaseException] | None = None) -> list[dict[str, Any]]:
        """Load the change into a fault, check what is there afterwards, and return what was handed on.

        Args:
            kind: How the run must end; None where it may get through.
        """
        handed_on: list[dict[str, Any]] = []
        if kind is None:
            with contextlib.suppress(TargetTableauError):
                load(self.config, self.change, handed_on)
        else:
            with pytest.raises(kind) as caught:
                load(self.config, self.change, handed_on)
            assert "\n" not in str(caught.value)
        self.check(handed_on)
        return handed_on

    def check(self, handed_on: list[dict[str, Any]]) -> None:
        """Each stream is the old or the new one on either side, and STATE is behind the data."""
        assert handed_on in ([], [LATER])
        for side in [self.here()] if self.server is None else [self.here(), self.published()]:
            for stream, totals in side.items():
                assert totals in ([self.new[stream]] if handed_on else [self.old[stream], self.new[stream]])

    def converge(self, handed_on: list[dict[str, Any]]) -> None:
        """The next run, without a fault, ends with the rows of an undisturbed one, and leaves nothing behind."""
        rest = [*self.change[:2], self.change[-1]] if handed_on else self.change
        assert load(self.config, rest) == [LATER]
        assert self.here() == self.new
        assert self.server is None or self.published() == self.new
        left = {path.name for path in self.extracts.folder.iterdir() if not path.name.startswith(".")}
        assert left <= {"bills.hyper", "log.hyper", "journal", "loads.db"}


_TOTALS = "SELECT COUNT(*), COUNT(DISTINCT ref), SUM(amount) FROM {t}"


def _totals(rows: Iterable[tuple[str, int]]) -> list[Any]:
    rows = list(rows)
    return [len(rows), len({ref for ref, _ in rows}), sum(amount for _, amount in rows)]


def _books(
    heads: Iterable[tuple[str, int]], log: Iterable[tuple[str, int]], bookmark: Mapping[str, Any]
) -> list[dict[str, Any]]:
    return [
        schema("bills", BILL, ["ref"]),
        schema("log", {"ref": NULLABLE_TEXT, "amount": MONEY}),
        *(record("bills", ref=ref, amount=amount, note_id=f"n-{ref}") for ref, amount in heads),
        *(record("log", ref=ref, amount=amount) for ref, amount in log),
        state(bookmark),
    ]


class Killed(BaseException):
    """Stands for kill -9 at a certain line; see `kill_at`."""


def kill_at(patch: pytest.MonkeyPatch, owner: type, name: str, *, after: bool, call: int = 1) -> None:
    """Let the process "die" before or after a call of a method: nothing is tidied up, noted or signed out.

    Hyper writes committed data when its parent is killed, as it does when its connection closes here.
    """
    method = getattr(owner, name)
    left = [call]

    def dying(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] or after:
            result = method(*args, **kwargs)
        if not left[0]:
            raise Killed
        return result

    patch.setattr(owner, name, dying)
    patch.setattr(Load, "fail", lambda *_: None)
    patch.setattr(Contents, "keep", lambda *_: None)
    patch.setattr(TableauClient, "__exit__", lambda *_: None)
    leftovers = run._remove_leftovers  # noqa: SLF001 - what a killed process does not do
    started: list[Path] = []

    def only_at_the_start(folder: Path) -> None:
        if folder not in started:
            started.append(folder)
            leftovers(folder)

    patch.setattr(run, "_remove_leftovers", only_at_the_start)


def loads_command(config: Mapping[str, Any], folder: Path, *words: str) -> Result:
    """Run `target-tableau-loads` with these settings, in this process."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return CliRunner().invoke(main, ["--config", str(path), *words])
