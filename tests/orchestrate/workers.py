"""Several workers with separate folders on one PostgreSQL, and somebody who kills them."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import dagster as dg
import psycopg
import sqlalchemy as sa

from orchestrate.definitions import plan_of
from orchestrate.health import sync_pools
from tests.end_to_end.support import ROOT
from tests.postgresql import postgresql_server

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.orchestrate.fleet import Fleet

_LOOK_SECONDS = 0.2
_KEYS = ("TAP_ACUMATICA_TOKEN_KEY", "TAP_EXACT_ONLINE_TOKEN_KEY")


@dataclasses.dataclass
class Workers:
    """Processes that read companies. Use as a context manager.

    Attributes:
        fleet: The companies.
        folder: Where everything of the workers is.
        killed: Companies whose worker was killed.
    """

    fleet: Fleet
    folder: Path
    killed: list[str] = dataclasses.field(default_factory=list)
    _stack: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)
    _processes: list[subprocess.Popen[bytes]] = dataclasses.field(default_factory=list)

    def __enter__(self) -> Self:
        for name in ("queue", "dagster", "work"):
            (self.folder / name).mkdir(parents=True)
        self.queue = self.folder / "queue"
        server = self._stack.enter_context(postgresql_server())
        self.urls = {name: server.replace("/postgres?", f"/{name}?") for name in ("loads", "dagster")}
        with psycopg.connect(server, autocommit=True) as connection:
            for name in self.urls:
                connection.execute(f"CREATE DATABASE {name}".encode())
        self.fleet.content["database_url"] = self.urls["loads"]
        settings = (ROOT / "orchestrate" / "dagster.yaml").read_text(encoding="utf-8")
        storage = "storage:\n  postgres:\n    postgres_url: {env: TESTS_DAGSTER_URL}\n"
        (self.folder / "dagster" / "dagster.yaml").write_text(settings + storage, encoding="utf-8")
        self.environment = {
            **os.environ,
            **{name: base64.b64encode(bytes(32)).decode() for name in _KEYS},
            "DAGSTER_HOME": str(self.folder / "dagster"),
            "TESTS_DAGSTER_URL": self.urls["dagster"],
            "ORCHESTRATE_COMPANIES": str(self.fleet.write()),
            "MELTANO_PROJECT_ROOT": str(self.fleet.folder),
            "PATH": os.defpath,  # as a service has it
        }
        os.environ["TESTS_DAGSTER_URL"] = self.urls["dagster"]
        self._stack.callback(os.environ.pop, "TESTS_DAGSTER_URL")
        self.instance = self._stack.enter_context(
            dg.DagsterInstance.from_config(str(self.folder / "dagster"))
        )
        sync_pools(plan_of(self.environment)[0], self.instance)
        return self

    def __exit__(self, *error: object) -> None:
        (self.queue / "end").touch()
        for process in self._processes:
            if error[0] is not None:
                process.kill()
            process.wait(timeout=120)
        self._stack.close()

    def start(self) -> None:
        """Start a worker with an empty folder."""
        place = self.folder / "work" / str(len(self._processes))
        command = [sys.executable, "-m", "tests.orchestrate.worker", str(self.queue)]
        log = self._stack.enter_context((self.folder / f"worker-{len(self._processes)}.log").open("wb"))
        environment = {**self.environment, "ORCHESTRATE_WORK_DIR": str(place)}
        self._processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))

    def put(self, companies: Iterable[str]) -> None:
        """Put companies into the queue."""
        for company in companies:
            (self.queue / f"{company}.waiting").touch()

    def work(self, companies: list[str], *, kills: int = 0, seed: int = 0, within: float = 600) -> None:
        """Let the workers read companies, and kill so many of them amid a run.

        A killed worker is replaced by one with an empty folder; what it was at is put back, as Dagster's run
        monitoring does.
        """
        chance = random.Random(seed)
        self.put(companies)
        deadline = time.monotonic() + within
        while not all((self.queue / f"{company}.done").exists() for company in companies):
            assert time.monotonic() < deadline, sorted(path.name for path in self.queue.iterdir())
            failed = sorted(self.queue.glob("*.failed"))
            assert not failed, f"{failed[0].stem}: {self._log()}"
            assert all(process.poll() is None for process in self._alive()), self._log()
            busy = [process for process in self._alive() if self._is_amid_a_run(process)]
            if kills and busy and chance.random() < 0.3:
                kills -= 1
                self._kill(chance.choice(busy))
            time.sleep(_LOOK_SECONDS)
        assert not kills, "nobody was killed"
        for company in companies:
            (self.queue / f"{company}.done").unlink()

    def _alive(self) -> list[subprocess.Popen[bytes]]:
        return [process for process in self._processes if process.returncode is None]

    def _claimed(self, process: subprocess.Popen[bytes]) -> list[Path]:
        return list(self.queue.glob(f"*.{process.pid}"))

    def _is_amid_a_run(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it has got its locks: a worker that only waits would be too easy to kill."""
        state_ids = self._running_states()
        return any(f":{claimed.stem}" in state for claimed in self._claimed(process) for state in state_ids)

    def _running_states(self) -> list[str]:
        return [state for state, status, _, _ in self.meltano_runs() if status == "RUNNING"]

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        claimed = self._claimed(process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.start()
        for path in claimed:
            self.killed.append(path.stem)
            filters = dg.RunsFilter(tags={"erp/company": path.stem}, statuses=[dg.DagsterRunStatus.STARTED])
            for run in self.instance.get_runs(filters):
                self.instance.report_run_failed(run, "its worker is gone")
                self.instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            path.rename(path.with_suffix(".waiting"))

    def _log(self) -> str:
        logs = sorted(self.folder.glob("worker-*.log"))
        return "\n".join(line for log in logs for line in log.read_text(errors="replace").splitlines()[-25:])

    def meltano_runs(self) -> list[tuple[str, str, Any, Any]]:
        """State id, status, begin and end of every `meltano run`; empty before the first."""
        engine = sa.create_engine(self.urls["loads"].replace("postgresql://", "postgresql+psycopg://"))
        try:
            with engine.connect() as connection:
                if not connection.scalar(sa.text("SELECT to_regclass('meltano.runs')")):
                    return []
                query = "SELECT job_name, state, started_at, COALESCE(ended_at, last_heartbeat_at) FROM meltano.runs"
                return [(row[0], row[1], row[2], row[3]) for row in connection.execute(sa.text(query))]
        finally:
            engine.dispose()

    def succeeded(self, company: str) -> int:
        """How many runs of Dagster have read a company to its end."""
        filters = dg.RunsFilter(tags={"erp/company": company}, statuses=[dg.DagsterRunStatus.SUCCESS])
        return self.instance.get_runs_count(filters)


def overlaps(runs: Iterable[tuple[str, Any, Any]]) -> list[str]:
    """Names of which two runs were under way at the same time."""
    last: dict[str, Any] = {}
    found = []
    for name, began, ended in sorted(runs, key=lambda run: run[1]):
        if name in last and began < last[name]:
            found.append(name)
        last[name] = max(ended, last.get(name, ended))
    return found
