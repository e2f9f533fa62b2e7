"""`.env` kept encrypted by dotenvx: the commands of the README, with the real tool, in a project of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.support import Project
from tests.generated import ROOT
from tests.secrets.canaries import Secrets, leaks_of_folder
from tests.secrets.plants import served_tableau
from tests.secrets.test_meltano import dotenv

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTION = re.compile(r"<!-- encrypted secrets -->\n```sh\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with dotenvx: the one that is installed, or one from npm."""
    found = shutil.which("dotenvx")
    if found is not None:
        return Path(found).parent
    if shutil.which("npm") is None:
        pytest.skip("neither dotenvx nor npm, which could install it, is on this machine")
    folder = tmp_path_factory.mktemp("dotenvx")
    subprocess.run(
        ["npm", "install", "--no-fund", "--no-audit", "@dotenvx/dotenvx"],  # noqa: S607
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder / "node_modules" / ".bin"


def commands() -> list[str]:
    """The README's commands, one a line."""
    found = _SECTION.search((ROOT / "target-tableau" / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    lines = [line.partition(" #")[0].strip() for line in found[1].splitlines()]
    return [line for line in lines if line]


def shell(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("uv run meltano", "meltano")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.network
def test_the_encrypted_file_can_be_kept_and_signs_in(tools: Path, tmp_path: Path) -> None:
    secrets = Secrets(tail='/&<"+ %=z')  # what the readers of such files agree on
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project.make(folder)
    with served_tableau(secrets, tmp_path, "token") as target:
        (folder / ".env").write_text(dotenv(target_tableau=target))
        environment = project.environment({})
        environment["PATH"] = f"{tools}:{environment['PATH']}"
        install, *kept = commands()
        assert install == "npm install -g @dotenvx/dotenvx"
        told = [shell(command, folder, environment) for command in kept]
    assert "sign-in: works" in told[-1]
    assert not (folder / ".env").exists()
    assert "encrypted:" in (folder / ".env.prod").read_text(encoding="utf-8")
    assert leaks_of_folder(folder, secrets, set()) == []
    for each in told:
        assert secrets.found_in(each.encode()) == []
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".env", ".env.keys"} <= set(ignored)
