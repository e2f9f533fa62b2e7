"""Whole pipelines: one changed row, and all five ERPs, each into published data sources."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.benchmarks.process import Cost, execute
from tests.benchmarks.recorder import LINES_PER_BILL
from tests.benchmarks.table import Figure
from tests.end_to_end.support import Project
from tests.sandbox.acumatica.app import create_app
from tests.sandbox.company.world import FILE_NAME, World
from tests.sandbox.daemon import SERVERS
from tests.sandbox.serving import serve
from tests.sandbox.tableau.app import create_app as tableau_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.options import Options
    from tests.sandbox.tableau.model import Write

TAPS = ("tap-acumatica", "tap-sage-intacct", "tap-syspro", "tap-exact-online", "tap-epicor-kinetic")
_STREAM = "vendors"
_BILLS = 120
_NOTHING = Path(os.devnull)
_HYPER = (
    "from tableauhyperapi import HyperProcess, Telemetry\n"
    "with HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={'log_config': ''}): pass"
)


def start_up(options: Options) -> Sequence[Figure]:
    """Change one vendor, and bring the change to Tableau by hand, and by Meltano.

    Raises:
        RuntimeError: Something else than one row was published.
    """
    folder = options.new_folder("start-up")
    project = Project.make(folder)
    world = World.open(folder / "company.json", bills=_BILLS)
    erp, tableau = create_app(world), tableau_app(options.new_folder("tableau"))
    vendor = min(world.company.vendors)
    by_hand: list[Cost] = []
    by_meltano: list[Cost] = []
    try:
        with (
            serve(erp, int(project.ports["SANDBOX_ACUMATICA_PORT"])),
            serve(tableau, int(project.ports["SANDBOX_TABLEAU_PORT"])),
        ):
            meltano(project, "run", TAPS[0], "target-tableau", select=_STREAM)
            pipe = _Pipe(project)
            pipe.run()
            for _ in range(options.rounds):
                for found, work in (
                    (by_hand, pipe.run),
                    (by_meltano, lambda: meltano(project, "run", TAPS[0], "target-tableau", select=_STREAM)),
                ):
                    world.life.rename_vendor(vendor)
                    world.life.advance()  # a run leaves the last minute to the next one
                    before = len(tableau.state.writes)
                    found.append(work())
                    if len(tableau.state.writes) != before + 1:
                        raise RuntimeError(f"instead of the changed vendor: {tableau.state.writes[before:]}")
    finally:
        erp.close()
        tableau.close()
    parts = {name: _cpu_seconds_of(code, options.rounds) for name, code in _PARTS.items()}
    told = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in parts.items())
    return [
        _figure("tap | target", by_hand, told),
        _figure("meltano run", by_meltano, "Meltano and both plugins"),
    ]


_PARTS = {
    "import of the tap": "import tap_acumatica.__main__",
    "of the target": "import target_tableau.__main__",
    "of Hyper with its start": _HYPER,
}


def _figure(how: str, costs: Sequence[Cost], told: str) -> Figure:
    seconds = [cost.seconds for cost in costs]
    return Figure(
        f"one changed row by `{how}` to a published data source",
        "",
        f"{median(seconds):.1f} s",
        None,
        f"CPU {median(cost.cpu_seconds for cost in costs):.1f} s; {told}",
        seconds,
    )


def _cpu_seconds_of(code: str, rounds: int) -> float:
    return median(execute([sys.executable, "-c", code], _NOTHING)[0].cpu_seconds for _ in range(rounds))


def meltano(project: Project, *arguments: str, select: str = "", watch_memory: bool = False) -> Cost:
    """Run meltano as a user does, perhaps for one stream of Acumatica."""
    more = {"TAP_ACUMATICA__SELECT": json.dumps([f"{select}.*"])} if select else {}
    cost, said = execute(
        [Path(sys.executable).parent / "meltano", *arguments],
        _NOTHING,
        watch_memory=watch_memory,
        folder=project.folder,
        environment=project.environment(more),
    )
    (project.folder / "said.txt").write_text(said, encoding="utf-8")
    return cost


class _Pipe:
    """`tap | target` with the settings that Meltano would give them."""

    def __init__(self, project: Project) -> None:
        self._folder = project.folder / "pipe"
        self._folder.mkdir()
        self._environment = project.environment({})
        for plugin in (TAPS[0], "target-tableau"):
            dumped = subprocess.run(
                [Path(sys.executable).parent / "meltano", "invoke", "--dump=config", plugin],
                cwd=project.folder,
                env=self._environment,
                check=True,
                capture_output=True,
            )
            config: dict[str, Any] = json.loads(dumped.stdout)
            if plugin == "target-tableau":
                config |= {
                    "source": "by-hand",
                    "output_dir": str(self._folder / "output"),
                    "models": [],
                    "snapshots": [],
                }
            (self._folder / f"{plugin}.json").write_text(json.dumps(config), encoding="utf-8")
        self._state = self._folder / "state.json"
        self._state.write_text("{}", encoding="utf-8")
        catalog = json.loads(subprocess.run(self._tap("--discover"), check=True, capture_output=True).stdout)
        for entry in catalog["streams"]:
            for part in entry["metadata"]:
                if not part["breadcrumb"]:
                    part["metadata"]["selected"] = entry["tap_stream_id"] == _STREAM
        (self._folder / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")

    def _tap(self, *arguments: str) -> list[str]:
        return [
            sys.executable,
            "-m",
            "tap_acumatica",
            "--config",
            f"{self._folder}/{TAPS[0]}.json",
            *arguments,
        ]

    def run(self) -> Cost:
        """One run; what it tells of its state is where the next one begins.

        Raises:
            RuntimeError: One of the two failed.
        """
        before, began = os.times(), time.monotonic()
        with subprocess.Popen(
            self._tap("--catalog", f"{self._folder}/catalog.json", "--state", str(self._state)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as tap:
            target = subprocess.run(
                [sys.executable, "-m", "target_tableau", "--config", f"{self._folder}/target-tableau.json"],
                stdin=tap.stdout,
                capture_output=True,
                check=False,
            )
        if tap.returncode or target.returncode:
            raise RuntimeError(f"tap | target failed: {target.stderr.decode()[-2000:]}")
        seconds, after = time.monotonic() - began, os.times()
        if target.stdout:
            self._state.write_bytes(target.stdout.splitlines()[-1])
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return Cost(seconds, cpu)


def end_to_end(options: Options) -> Sequence[Figure]:
    """Run all five ERPs, one after the other, with about so many ledger lines in all."""
    folder = options.new_folder("end-to-end")
    project = Project.make(folder)
    lines = options.end_to_end_rows / len(TAPS)
    world = World.open(folder / FILE_NAME, bills=max(int(lines / LINES_PER_BILL), 5))
    figures = []
    with _served(project, world) as writes:
        for tap in TAPS:
            before = len(writes)
            cost = meltano(project, "run", tap, "target-tableau", watch_memory=True)
            written = writes[before:]
            said = (folder / "said.txt").read_text(encoding="utf-8")
            figures.append(
                Figure(
                    f"meltano run {tap} target-tableau, first load of all streams",
                    "",
                    f"{cost.seconds:.0f} s",
                    None,
                    f"{_said(said)}; {len(written)} writes on Tableau with "
                    f"{sum(write.size for write in written) / 1e6:.1f} MB; CPU {cost.cpu_seconds:.0f} s; at most "
                    f"{cost.peak_bytes / 1e6:.0f} MB of all processes",
                    [cost.seconds],
                )
            )
    return figures


@contextlib.contextmanager
def _served(project: Project, world: World) -> Iterator[Sequence[Write]]:
    """Serve the whole sandbox to a project; gives what is written on its Tableau, which grows."""
    with contextlib.ExitStack() as stack:
        writes: Sequence[Write] = ()
        for server in SERVERS:
            folder = project.folder / ".sandbox" / server.name
            folder.mkdir(parents=True)
            app: Any = server.factory(world, folder)
            if server.name == "tableau":
                writes = app.state.writes
            if hasattr(app, "close"):
                stack.callback(app.close)
            stack.enter_context(serve(app, server.port(project.ports)))
        yield writes


def _said(said: str) -> str:
    """Rows and calls, as the tap tells them in its last line, and who waited for whom, as the target does."""
    found, rows = re.search(r"(\d+) calls", said), re.search(r"Rows: ([^.]*)\.", said)
    counts = [int(count) for count in re.findall(r"\w+ (\d+)", rows[1] if rows else "")]
    calls = int(found[1]) if found else 0
    told = f"{sum(counts):,} rows in {len(counts)} streams by {calls:,} calls"
    waited = re.search(r"Waited (\d+) s for the tap; the tap waited (\d+) s", said)
    return f"{told}; the target waited {waited[1]} s, the tap {waited[2]} s" if waited else told
