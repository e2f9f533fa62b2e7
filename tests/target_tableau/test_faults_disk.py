"""A disk that is full at one step or another."""

from __future__ import annotations

import collections
import contextlib
import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow.parquet as pq
import pytest

from target_tableau.errors import ExtractError, TargetTableauError
from target_tableau.hyper import Engine, ExtractTable
from tests.target_tableau.support import BILL, LATER, Books, Extracts, load, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Config = dict[str, Any]


def full(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_for(function: Callable[..., Any], ending: str) -> Callable[..., Any]:
    """A function of a path that finds the disk full where its first or second argument ends in a certain way."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        if any(str(arg).endswith(ending) for arg in args[:2]):
            full()
        return function(*args, **kwargs)

    return refuse


def engine_full(patch: pytest.MonkeyPatch, words: str) -> None:
    """The engine cannot grow a file while it runs a certain statement."""
    run_sql = Engine.run

    def refuse(engine: Engine, sql: str) -> int:
        if words in sql:
            raise ExtractError("Hyper: growing the database file failed")
        return run_sql(engine, sql)

    patch.setattr(Engine, "run", refuse)


def lost_at_close(patch: pytest.MonkeyPatch, ending: str, opening: int) -> None:
    """What the engine writes at the close of a file does not arrive, and nothing is said.

    Args:
        patch: Undoes it.
        ending: Of the file's name.
        opening: The how-many-eth opening of the file it is that ends so.
    """
    attach, detach = Engine.attach, Engine.detach
    openings: collections.Counter[str] = collections.Counter()
    before: dict[str, tuple[Path, bytes]] = {}

    def remember(engine: Engine, path: Path) -> ExtractTable:
        table = attach(engine, path)
        openings[path.name] += 1
        if path.name.endswith(ending) and openings[path.name] == opening:
            before[table.database] = (path, path.read_bytes())
        return table

    def lose(engine: Engine, table: ExtractTable) -> None:
        detach(engine, table)
        if table.database in before:
            path, content = before.pop(table.database)
            path.write_bytes(content)

    patch.setattr(Engine, "attach", remember)
    patch.setattr(Engine, "detach", lose)


@contextlib.contextmanager
def ledger_full(ledger: Path, change: str) -> Iterator[None]:
    """SQLite finds the disk full at a certain change."""
    run_sql(
        ledger,
        f"CREATE TRIGGER disk BEFORE {change} BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END",
    )
    try:
        yield
    finally:
        run_sql(ledger, "DROP TRIGGER disk")


def run_sql(ledger: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute(sql)


STAGES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "journal": lambda patch: patch.setattr(pq, "write_table", full),
    "schemas in the journal": lambda patch: patch.setattr(json, "dump", full),
    "stage": lambda patch: engine_full(patch, "COPY"),
    "stage at close": lambda patch: lost_at_close(patch, ".stage", 1),
    "next extract": lambda patch: patch.setattr(shutil, "copyfile", full_for(shutil.copyfile, ".next")),
    "change of the next extract": lambda patch: engine_full(patch, "INSERT INTO"),
    "next extract at close": lambda patch: lost_at_close(patch, ".next", 1),
    "payload": lambda patch: engine_full(patch, ".payload"),
    "payload at close": lambda patch: lost_at_close(patch, ".payload", 1),
    "notes of what the extracts hold": lambda patch: patch.setattr(
        os, "open", full_for(os.open, ".contents.json.tmp")
    ),
}
MAY_SUCCEED = {"stage at close"}
LONG = {
    "schemas in the journal",
    "stage at close",
    "change of the next extract",
    "journal",
    "stage",
    "payload",
}


@pytest.mark.parametrize(
    "stage", [pytest.param(stage, marks=[pytest.mark.soak] if stage in LONG else []) for stage in STAGES]
)
def test_a_disk_that_is_full_at_the(books: Books, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    with monkeypatch.context() as patch:
        STAGES[stage](patch)
        handed_on = books.attempt(None if stage in MAY_SUCCEED else TargetTableauError)
    books.converge(handed_on)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("INSERT ON loads", marks=pytest.mark.soak),
        "UPDATE ON loads WHEN NEW.status = 'verified'",
        pytest.param("INSERT ON datasources WHEN NEW.columns IS NULL", marks=pytest.mark.soak),
        pytest.param("INSERT ON datasources WHEN NEW.columns IS NOT NULL", marks=pytest.mark.soak),
        pytest.param("UPDATE ON loads WHEN NEW.status = 'promoted'", marks=pytest.mark.soak),
        "UPDATE ON loads WHEN NEW.status = 'done'",
    ],
)
def test_a_disk_that_is_full_at_the_ledger_at(books: Books, change: str) -> None:
    with ledger_full(books.extracts.folder / "loads.db", change):
        handed_on = books.attempt(TargetTableauError)
    assert bool(handed_on) == ("'done'" in change)
    books.converge(handed_on)


def test_a_disk_that_is_full_at_the_first_load(
    config: Config, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [
        schema("bills", BILL, ["ref"]),
        *(record("bills", ref=f"{n}", amount=n) for n in range(9)),
        state(),
    ]
    with monkeypatch.context() as patch:
        lost_at_close(patch, ".stage", 1)
        with pytest.raises(ExtractError, match="disk"):
            load(config, messages)
    assert not (extracts.folder / "bills.hyper").exists()
    load(config, messages)
    assert extracts.rows("bills", "SELECT COUNT(*) FROM {t}") == [[9]]


def test_a_quarantine_that_is_full(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    config["on_bad_record"] = "quarantine"
    monkeypatch.setattr(os, "open", full_for(os.open, ".jsonl"))
    with pytest.raises(TargetTableauError, match="Free some disk space"):
        load(config, [schema("bills", BILL, ["ref"]), record("bills", ref="1", amount="x"), state()])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB, where the user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    mounted = subprocess.run(
        ["/usr/bin/env", "mount", "-t", "tmpfs", "-o", "size=16m", "none", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["/usr/bin/env", "umount", str(folder)], check=True)


ROOM = [192, 384]
SOAK = [size for size in range(0, 1000, 12) if size not in ROOM]


@pytest.mark.parametrize("kilobytes", [*ROOM, *(pytest.param(size, marks=pytest.mark.soak) for size in SOAK)])
def test_a_small_disk_that_fills_up_anywhere(books: Books, small_disk: Path, kilobytes: int) -> None:
    output = small_disk / "output"
    shutil.copytree(books.extracts.folder, output)
    books.config["output_dir"] = str(output)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(bytes(4096))
    os.truncate(filler, max(0, filler.stat().st_size - kilobytes * 1024))
    handed_on = books.attempt()
    if kilobytes < 100:
        assert handed_on == []
    filler.unlink()
    books.converge(handed_on)
    assert handed_on in ([], [LATER])
