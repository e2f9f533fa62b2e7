"""The benchmarks themselves: that they run and check what they measure. Nothing here looks at a clock."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks import bare, full_load, gl_lines, peers, process, target
from tests.benchmarks.__main__ import PARTS, main
from tests.benchmarks.process import Cost
from tests.target_tableau.support import load

if TYPE_CHECKING:
    from collections.abc import Sequence


def in_process(arguments: Sequence[str], given: Path, *, watch_memory: bool = False) -> Cost:
    """Instead of a process of its own, whose start takes longer than a tiny load; a byte counts as a second."""
    if arguments[0] == "target_tableau":
        load(json.loads(Path(arguments[-1]).read_text()), given.read_text().splitlines())
    else:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.read_bytes())))
            peer = bare.load if arguments[0].endswith("bare") else peers.PEERS[arguments[1]]
            peer(Path(arguments[-1]))
    size = float(given.stat().st_size)
    return Cost(size, size, int(watch_memory))


def test_every_part_measures_and_the_table_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "run", in_process)
    monkeypatch.setattr(full_load, "run", in_process)
    figures = tmp_path / "figures.json"
    failed = main(["--rounds", "1", "--rows", "300", "--upsert-rows", "1000", "--json", str(figures)])
    told = capsys.readouterr().out
    found = json.loads(figures.read_text())
    assert len(found["figures"]) == told.count("| target:") == 7
    assert all(figure["values"] for figure in found["figures"])
    assert "singer-sdk" in found["machine"]
    assert failed, "in equal times nothing is ten times faster"
    assert " NO " in told


def test_a_program_is_timed_and_watched_and_its_failure_is_told(tmp_path: Path) -> None:
    given = gl_lines.write(tmp_path / "lines.jsonl", range(1000))
    cost = process.run(["tests.benchmarks.peers", "discard", str(tmp_path)], given, watch_memory=True)
    assert cost.seconds > 0
    assert cost.cpu_seconds > 0
    assert cost.peak_bytes > 1_000_000
    with pytest.raises(RuntimeError, match="no_such_module"):
        process.run(["tests.no_such_module"], given)


def test_a_load_that_lost_a_cent_is_not_measured(tmp_path: Path) -> None:
    given = gl_lines.write(tmp_path / "lines.jsonl", range(100))
    load({"output_dir": str(tmp_path / "output")}, given.read_text().splitlines())
    target.check(target.extract(tmp_path), 100)
    with pytest.raises(RuntimeError, match="100 rows"):
        target.check(target.extract(tmp_path), 100, {17: 1})


@pytest.mark.benchmark
@pytest.mark.parametrize("part", PARTS)
def test_the_bars_hold(part: str) -> None:
    assert main([part]) == 0
