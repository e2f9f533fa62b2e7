"""The same through `meltano run` at DEBUG, with the secrets in `.env` as users keep them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.support import Project
from tests.secrets.canaries import Secrets, Watch, leaks_of_folder
from tests.secrets.plants import PLANTS, served_tableau

if TYPE_CHECKING:
    from collections.abc import Mapping

TAP = "tap-acumatica"


def dotenv(**plugins: Mapping[str, object]) -> str:
    """Settings as lines of `.env`, quoted so that nothing in them is taken for anything else."""
    lines = ["MELTANO_ENVIRONMENT=prod"]
    for plugin, settings in plugins.items():
        for name, value in settings.items():
            text = str(value).replace("\\", "\\\\").replace("'", "\\'")
            lines.append(f"{plugin.upper()}_{name.upper()}='{text}'")
    return "\n".join(lines) + "\n"


@pytest.mark.timeout(300)
def test_a_meltano_run_at_debug_gives_no_secret_away(tmp_path: Path) -> None:
    secrets = Secrets()
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project.make(folder)
    plant = PLANTS[TAP]
    with (
        plant.served(secrets, TAP, tmp_path) as config,
        served_tableau(secrets, tmp_path, "token") as target,
    ):
        (folder / ".env").write_text(dotenv(tap_acumatica=config, target_tableau=target))
        environment = project.environment(
            {"TAP_ACUMATICA__SELECT": f'["{plant.streams[0]}.*"]', "TARGET_TABLEAU_LOGLEVEL": "DEBUG"}
        )
        with (
            (tmp_path / "log").open("wb") as log,
            subprocess.Popen(
                [
                    Path(sys.executable).parent / "meltano",
                    "--log-level=debug",
                    "run",
                    TAP,
                    "target-tableau",
                ],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as process,
            Watch(process) as watch,
        ):
            code = process.wait(240)
        printed = (tmp_path / "log").read_bytes()
        assert code == 0, printed.decode()
        assert b"debug" in printed
        assert watch.engines
        assert any(b"target-tableau" in line for line in watch.commands)
        for seen in (printed, *watch.commands, *watch.engines):
            assert secrets.found_in(seen) == []
    assert (folder / "output-prod" / TAP / f"{plant.streams[0]}.hyper").exists()
    assert leaks_of_folder(folder, secrets, {folder / ".env"}) == []
    assert leaks_of_folder(tmp_path / "private", secrets, set()) == []
