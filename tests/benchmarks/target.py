"""Runs target-tableau as a user does, and checks what it made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.benchmarks import gl_lines
from tests.benchmarks.process import Cost, run
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def load(folder: Path, given: Path, *, watch_memory: bool = False, **settings: Any) -> Cost:
    """Load a file of messages with the settings' defaults; the extract is in `folder`."""
    config = folder / "config.json"
    config.write_text(json.dumps({"output_dir": str(folder / "output"), **settings}), encoding="utf-8")
    return run(["target_tableau", "--config", str(config)], given, watch_memory=watch_memory)


def extract(folder: Path) -> Path:
    """The extract of the ledger lines."""
    return folder / "output" / f"{gl_lines.STREAM}.hyper"


def check(file: Path, rows: int, changed: Mapping[int, int] | None = None) -> None:
    """Compare rows and debits of a .hyper file with what was sent.

    Args:
        file: The extract.
        rows: How many lines it must hold, numbered from zero.
        changed: Number -> edition, of lines that were sent again.

    Raises:
        RuntimeError: They differ, so what was measured is worth nothing.
    """
    editions = changed or {}
    expected = (rows, sum(gl_lines.debit_cents(number, editions.get(number, 0)) for number in range(rows)))
    found = query(file, "SELECT COUNT(*), CAST(SUM(debit_amt) * 100 AS BIGINT) FROM {t}")[0]
    if tuple(found) != expected:
        raise RuntimeError(
            f"{file} holds {found[0]} rows with {found[1]} cents of debit instead of {expected}"
        )
