"""Files of the loader that are damaged on disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau.contents import Contents
from target_tableau.errors import ExtractError, SettingError, TargetTableauError
from target_tableau.target import TargetTableau
from tests.target_tableau.support import LATER, Books, Killed, kill_at, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Config = dict[str, Any]


def junk(path: Path) -> None:
    path.write_bytes(b"\x00no database\xff" * 1000)


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def worn(path: Path) -> None:
    """A part of a file is lost, and neither its size nor its time tells."""
    times = path.stat()
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 8192):
        content[start : start + 512] = b"\xa5" * len(content[start : start + 512])
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


DAMAGES = [junk, nothing, half, worn]


SHORT = {"ending.json": nothing, "bills.schema.json": half, "bills-00000.parquet": junk}


@pytest.mark.parametrize(
    "damage", [half, *(pytest.param(way, marks=pytest.mark.soak) for way in (junk, nothing))]
)
def test_a_damaged_extract_is_replaced_by_what_is_published(
    books: Books, damage: Callable[[Path], None]
) -> None:
    damage(books.extracts.folder / "bills.hyper")
    assert load(books.config, books.change) == [LATER]
    assert (books.here(), books.published()) == (books.new, books.new)


@pytest.mark.parametrize(
    "damage", [junk, *(pytest.param(way, marks=pytest.mark.soak) for way in DAMAGES[1:])]
)
def test_a_damaged_extract_stops_the_run_and_a_backup_heals_it(
    unpublished: Books, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    extract = unpublished.extracts.folder / "bills.hyper"
    shutil.copy2(extract, tmp_path / "backup")
    damage(extract)
    damaged = extract.read_bytes()
    handed_on: list[dict[str, Any]] = []
    with pytest.raises(ExtractError, match=r"bills\.hyper cannot be opened|Hyper: ") as caught:
        load(unpublished.config, unpublished.change, handed_on)
    assert "\n" not in str(caught.value)
    assert handed_on == []
    assert extract.read_bytes() == damaged
    shutil.copy2(tmp_path / "backup", extract)
    unpublished.converge([])


def test_a_worn_extract_is_not_published_over_the_good_one(books: Books) -> None:
    extract = books.extracts.folder / "bills.hyper"
    worn(extract)
    with pytest.raises(ExtractError):
        load(books.config, books.change)
    assert books.published() == books.old
    extract.unlink()  # as the message says
    books.converge([])


@pytest.fixture
def unfinished(books: Books, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of a load that the next run would finish; of the stream with a key alone."""
    books.change = [message for message in books.change if message.get("stream") != "log"]
    books.new["log"] = books.old["log"]
    with monkeypatch.context() as patch:
        kill_at(patch, TargetTableau, "_write_state_message", after=False)
        books.attempt(Killed)
    return max((books.extracts.folder / "journal").iterdir())


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        pytest.param(name, damage, marks=[] if damage is short else [pytest.mark.soak])
        for name, short in SHORT.items()
        for damage in DAMAGES
    ],
)
def test_a_damaged_journal_is_told_and_the_tap_brings_its_rows(
    books: Books,
    unfinished: Path,
    name: str,
    damage: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(unfinished / name)
    assert load(books.config, books.change) == [LATER]
    assert (books.here(), books.published()) == (books.new, books.new)
    assert damage is worn or (name in caplog.text and "Run the pipeline again" in caplog.text)


@pytest.mark.parametrize("damage", [junk, pytest.param(half, marks=pytest.mark.soak)])
def test_a_damaged_ledger_is_told_in_one_line_and_a_new_one_begun(
    books: Books, damage: Callable[[Path], None]
) -> None:
    ledger = books.extracts.folder / "loads.db"
    damage(ledger)
    handed_on: list[dict[str, Any]] = []
    with pytest.raises((SettingError, TargetTableauError), match="move it away") as caught:
        load(books.config, books.change, handed_on)
    assert "\n" not in str(caught.value)
    assert handed_on == []
    assert (books.here(), books.published()) == (books.old, books.old)
    ledger.rename(ledger.with_name("damaged"))
    assert load(books.config, books.change) == [LATER]
    assert (books.here(), books.published()) == (books.new, books.new)


def test_a_ledger_with_a_damaged_table_is_told_in_one_line(books: Books) -> None:
    ledger = books.extracts.folder / "loads.db"
    with sqlite3.connect(ledger) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'loads'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    content = bytearray(ledger.read_bytes())
    content[(page - 1) * size : page * size] = b"\xa5" * size
    ledger.write_bytes(content)
    with pytest.raises(TargetTableauError, match="move it away") as caught:
        load(books.config, books.change)
    assert "\n" not in str(caught.value)
    assert (books.here(), books.published()) == (books.old, books.old)


NOTES = ["", "{", "[]", '{"bills.hyper": 7}', '{"bills.hyper": [7]}', '{"bills.hyper": [[]]}', "\x00\xff"]


@pytest.mark.parametrize("content", NOTES)
def test_damaged_notes_of_what_the_extracts_hold_are_no_notes(tmp_path: Path, content: str) -> None:
    (tmp_path / "bills.hyper").touch()
    (tmp_path / ".contents.json").write_text(content)
    notes = Contents(tmp_path)
    assert notes.load_of(tmp_path / "bills.hyper") is None
    notes.note(tmp_path / "bills.hyper", tmp_path / "bills.hyper", "load")
    assert Contents(tmp_path).load_of(tmp_path / "bills.hyper") == "load"


def test_damaged_notes_cost_a_download_and_nothing_else(books: Books) -> None:
    (books.extracts.folder / ".contents.json").write_text(NOTES[3])
    assert load(books.config, books.change) == [LATER]
    assert (books.here(), books.published()) == (books.new, books.new)
