"""The benchmarks themselves: that they run and check what they measure. Nothing here looks at a clock."""

from __future__ import annotations

import functools
import io
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks import (
    bare,
    full_load,
    gl_lines,
    index_peers,
    peers,
    pipeline,
    process,
    reading,
    recorder,
    recordings,
    table,
    taps,
    target,
)
from tests.benchmarks.__main__ import PARTS, main
from tests.benchmarks.erps import BY_TAP, ERPS
from tests.benchmarks.instructions import calls_of
from tests.benchmarks.options import Options
from tests.benchmarks.process import Cost
from tests.target_tableau.support import lend_engines, load

if TYPE_CHECKING:
    from collections.abc import Sequence

# Python calls per record, functions in C included; a third above what was counted in November 2026. Whoever makes one
# of them larger makes the tap slower: measure with `python -m tests.benchmarks taps` what it costs.
MOST_CALLS = {
    "tap-acumatica": 113,
    "tap-sage-intacct": 57,
    "tap-syspro": 61,
    "tap-exact-online": 56,
    "tap-epicor-kinetic": 80,
}
MOST_CALLS_OF_TARGET = 3
_FEW, _MANY = 200, 1500


def in_process(arguments: Sequence[str], given: Path, *, watch_memory: bool = False) -> Cost:
    """Instead of a process of its own, whose start takes longer than a tiny load; a byte counts as a second."""
    if arguments[0] == "target_tableau":
        load(json.loads(Path(arguments[-1]).read_text()), given.read_text().splitlines())
    elif arguments[0] == "tests.benchmarks.recorder":
        recorder.record(arguments[1], Path(arguments[2]), int(arguments[3]))
    elif arguments[0] == "tests.benchmarks.reading":
        reading.main(arguments[1], arguments[2], Path(arguments[3]))
    else:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.read_bytes())))
            peer = bare.load if arguments[0].endswith("bare") else peers.PEERS[arguments[1]]
            peer(Path(arguments[-1]))
    size = float(given.stat().st_size)
    return Cost(size, size, int(watch_memory))


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    """Tiny sizes; what is recorded from the sandbox serves all tests."""
    return Options(tmp_path_factory.mktemp("benchmarks"), rounds=1, tap_rows=_FEW, latency_ms=1)


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (target, full_load, recordings):
        monkeypatch.setattr(module, "run", in_process)
    lend_engines(monkeypatch)


def test_the_parts_of_the_target_measure_and_the_table_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    parts = ["full-load", "memory", "upsert", "growth", "peers"]
    sizes = ["--rounds", "1", "--rows", "300", "--upsert-rows", "1000", "--growth-rows", "200", "400"]
    failed = main([*parts, *sizes, "--json", str(figures)])
    told = capsys.readouterr().out
    found = json.loads(figures.read_text())
    kept = [figure for part in found.values() for figure in part["figures"]]
    assert list(found) == ["full-load", "memory", "upsert", "growth"], "no peer was asked for"
    assert len(kept) == told.count("| target:") == 13
    assert all(figure["values"] for figure in kept)
    assert table.kept(figures).partition("\n\n")[0] in told
    assert "singer-sdk" in table.kept(figures).partition("\n\n")[2]
    assert failed, "in equal times nothing is ten times faster"
    assert " NO " in told


@pytest.mark.soak
def test_the_parts_of_the_taps_measure(options: Options) -> None:
    for part in (taps.speed, taps.latency, taps.calls):
        figures = part(options)
        told = table.markdown(figures)
        assert all(figure.values for figure in figures)
        assert all(f"| {erp.tap}: " in told for erp in ERPS)
    assert all(figure.holds for figure in taps.calls(options))
    assert taps.memory(options) == []


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_whole_pipelines_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = Options(tmp_path, rounds=1, end_to_end_rows=100)
    figures = pipeline.start_up(options)
    assert [figure.what.count("one changed row") for figure in figures] == [1, 1]
    monkeypatch.setattr(pipeline, "TAPS", pipeline.TAPS[:1])
    (figure,) = pipeline.end_to_end(options)
    assert re.match(
        r"[\d,]+ rows in \d{2,} streams by [\d,]+ calls; the target waited \d+ s, the tap \d+ s; \d{2,} writes",
        figure.how,
    )
    assert all(figure.values for figure in figures)


def test_a_peer_of_the_package_index_is_installed_apart_and_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "environment-target-csv" / "bin"
    ran: list[Sequence[object]] = []

    def executed(command: Sequence[object], given: Path, **_: object) -> tuple[Cost, str]:
        ran.append(command)
        return Cost(given.stat().st_size * 2.0, 1.0), ""

    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr("subprocess.run", lambda command, **_: ran.append(command))
    monkeypatch.setattr(index_peers, "execute", executed)
    monkeypatch.setattr(index_peers, "PEERS", {"target-csv": index_peers.PEERS["target-csv"]})
    (figure,) = index_peers.measure(Options(tmp_path, rounds=1, rows=100, with_peers=True))
    assert figure.measured == "2.0 x faster"
    assert str(ran[0][-1]) == str(made.parent)
    assert "target-csv" in ran[1]
    assert ran[2][0] == made / "target-csv"


@pytest.mark.parametrize("tap", BY_TAP)
def test_a_tap_makes_no_more_calls_per_record_than_it_did(options: Options, tap: str) -> None:
    counted = {}
    ((erp, folder),) = recordings.recorded(Options(options.folder, taps=(tap,)), _FEW)
    reading.replay(erp, folder)  # what is done once per process counts for neither
    for size in (_FEW, _MANY):
        ((erp, folder),) = recordings.recorded(Options(options.folder, taps=(tap,)), size)
        counted[recordings.told("record", folder).records] = calls_of(
            functools.partial(reading.replay, erp, folder)
        )
    (few, less), (many, more) = sorted(counted.items())
    assert (more - less) / (many - few) < MOST_CALLS[tap]


def test_the_target_makes_hardly_any_call_per_record(tmp_path: Path) -> None:
    counted = {}
    for size in (1000, 6000):
        lines = gl_lines.write(tmp_path / f"{size}.jsonl", range(size)).read_text().splitlines()
        config = {"output_dir": str(tmp_path / str(size))}
        counted[size] = calls_of(functools.partial(load, config, lines))
    assert (counted[6000] - counted[1000]) / 5000 < MOST_CALLS_OF_TARGET


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
def test_the_bars_hold(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert main([part]) == 0
