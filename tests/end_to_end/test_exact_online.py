"""Exact Online into Tableau by `meltano run`, and the way of an invoice through the webhook."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
import yaml

from tests.end_to_end.support import Project
from tests.end_to_end.tie_exact_online import check_exact_online
from tests.sandbox.company.world import World
from tests.sandbox.exact_online import WEBHOOK_SECRET
from tests.sandbox.exact_online.app import create_app
from tests.sandbox.exact_online.switches import Switches
from tests.sandbox.serving import bind, serve
from tests.sandbox.tableau.app import create_app as create_tableau
from tests.sandbox.tableau.model import Index
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Callable


SOURCE = "tap-exact-online"


def check_books(project: Project) -> None:
    check_exact_online(project.extracts(SOURCE), project.company)
    check_exact_online(project.published(SOURCE), project.company)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.make(tmp_path_factory.mktemp("exact"))


def run(project: Project) -> str:
    result = project.meltano("run", "sandbox:start", "tap-exact-online", "target-tableau")
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "Waiting" not in output
    return output


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_books_of_both_divisions_arrive_and_a_quiet_run_writes_nothing(project: Project) -> None:
    run(project)
    check_books(project)
    writes = len(project.index.writes)
    run(project)
    assert len(project.index.writes) == writes
    project.sandbox("live", "--events", "60")
    run(project)
    assert len(project.index.writes) > writes
    check_books(project)
    project.wait_for_quiet()


# the way of an invoice ----------------------------------------------------------------------------------------


def prepared(folder: Path, exact: str, tableau: str, port: int, quiet: int) -> dict[str, str]:
    """A project in the folder that reads and writes the two servers; the environment of its commands."""
    project = Project.make(folder)
    path = folder / "meltano.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    environment = next(item for item in document["environments"] if item["name"] == "sandbox")
    plugins = environment["config"]["plugins"]
    extractor = next(item for item in plugins["extractors"] if item["name"] == SOURCE)
    extractor["config"] |= {
        "api_url": exact,
        "webhook_callback_url": f"http://127.0.0.1:{port}/",
        "webhook_quiet_seconds": quiet,
        "webhook_topics": ["FinancialTransactions"],
        "webhook_command": ["meltano", "run", SOURCE, "target-tableau"],
    }
    plugins["loaders"][0]["config"]["server_url"] = tableau
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return project.environment({})  # the same that its own commands get


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_way_from_a_posted_bill_through_the_webhook_to_the_published_data_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World.open(tmp_path / "company.json", bills=60)
    site = create_app(world, switches=Switches(clock="real"))
    folder = tmp_path / "project"
    folder.mkdir()
    quiet = 2
    port = bind_free()
    with serve(site) as exact, serve(create_tableau(tmp_path / "tableau")) as tableau:
        env = prepared(folder, exact, tableau, port, quiet)
        meltano = str(Path(sys.executable).parent / "meltano")

        def call(*arguments: str) -> str:
            done = subprocess.run(
                [meltano, *arguments],
                cwd=folder,
                env=env,
                capture_output=True,
                text=True,
                check=False,
                timeout=200,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        call("run", SOURCE, "target-tableau")
        log = (tmp_path / "receiver.log").open("w", encoding="utf-8")
        receiver = subprocess.Popen(
            [meltano, "invoke", f"{SOURCE}:webhooks", "serve", "--port", str(port)],
            cwd=folder,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(lambda: subscribed(call))
            site.notify()
            world.life.advance(5)
            before = published_rows(tmp_path / "tableau")
            began = time.monotonic()
            world.life.post_bill()
            assert site.notify() >= 1
            told = time.monotonic() - began
            wait_for(lambda: published_rows(tmp_path / "tableau") > before)
            took = time.monotonic() - began
        finally:
            receiver.terminate()
            receiver.wait(20)
            log.close()
    assert WEBHOOK_SECRET not in (tmp_path / "receiver.log").read_text(encoding="utf-8")
    with capsys.disabled():
        sys.stdout.write(
            f"\nbill posted -> event kept {told:.2f} s -> quiet time {quiet} s -> published {took:.1f} s in all\n"
        )
    assert took < 120


def bind_free() -> int:
    with bind() as taken:
        return int(taken.getsockname()[1])


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.2)


def subscribed(call: Callable[..., str]) -> bool:
    try:
        return "subscribed" in call("invoke", f"{SOURCE}:webhooks", "subscribe")
    except AssertionError:
        return False


def published_rows(folder: Path) -> int:
    """How many purchase entries the sandbox Tableau holds."""
    path = next(folder.rglob("index.json"))
    index = msgspec.json.decode(path.read_bytes(), type=Index)
    (found,) = (item for item in index.datasources.values() if item.name == f"{SOURCE} purchase_entries")
    assert found.current.file is not None
    extract = path.parent / "datasources" / found.id / found.current.file
    (row,) = query(extract, "SELECT COUNT(*) FROM {t}")
    return int(row[0])
