"""A project folder of its own for each end-to-end test, and what a reader of its extracts would sum up."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psutil
import yaml

from tests.sandbox.company.model import Company
from tests.sandbox.tableau.model import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
_SECRETS = re.compile(
    r"sandbox-client-secret|Sandbox-Pa55|sandbox-pat-secret|sandbox-api-key|User & Pa55|sender & <Pa55>"
    r"|sandbox-first-refresh-token|sandbox-webhook-secret|Sandbox-OData-Pa55"
)


@dataclasses.dataclass
class Project:
    """A copy of meltano.yml in a folder of its own, with ports and a sandbox of its own."""

    folder: Path
    ports: dict[str, str]

    @classmethod
    def make(cls, folder: Path) -> Project:
        """Lay out a project as a clone has it, without copying what it only reads."""
        project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
        environment = next(item for item in project["environments"] if item["name"] == "sandbox")
        ports = {name: str(_free_port()) for name in environment["env"]}
        environment["env"] = ports
        (folder / "meltano.yml").write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")
        for included in project["include_paths"]:
            (folder / included).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / included, folder / included)
        (folder / "tests").symlink_to(ROOT / "tests", target_is_directory=True)
        return cls(folder, ports)

    def meltano(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run meltano as a user does, and check what must hold for every run of it."""
        result = subprocess.run(
            [Path(sys.executable).parent / "meltano", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
            env=self.environment(environment),
        )
        assert not _SECRETS.search(result.stdout + result.stderr), "a secret was printed"
        return result

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """The variables of this process, without settings of Meltano or of a plugin, and with some more."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        quiet = {"MELTANO_CLI_DISABLE_VERSION_CHECK": "1", "NO_COLOR": "1", "COLUMNS": "200"}
        return {**kept, "PATH": path, **quiet, **more}

    def demo(self) -> subprocess.CompletedProcess[str]:
        """Run the demo."""
        return self.meltano("run", "demo")

    def sandbox(self, *arguments: str) -> None:
        """Use the sandbox's command."""
        command = [sys.executable, "-m", "tests.sandbox", *arguments]
        subprocess.run(command, cwd=self.folder, check=True, timeout=120, env=self.environment(self.ports))

    # -- what is there afterwards -----------------------------------------------------------------------------

    @property
    def company(self) -> Company:
        """The company as the sandbox keeps it."""
        return msgspec.json.decode((self.folder / ".sandbox" / "company.json").read_bytes(), type=Company)

    @property
    def index(self) -> Index:
        """What the sandbox Tableau holds."""
        (path,) = (self.folder / ".sandbox").rglob("index.json")
        return msgspec.json.decode(path.read_bytes(), type=Index)

    def extracts(self, source: str) -> Callable[[str], Path]:
        """Stream -> its extract, for a source."""
        return lambda stream: self.folder / "output" / source / f"{stream}.hyper"

    def published(self, source: str) -> Callable[[str], Path]:
        """Stream -> the file that the sandbox Tableau holds for it, for a source."""
        (path,) = (self.folder / ".sandbox").rglob("index.json")
        held = {item.name: item for item in self.index.datasources.values()}

        def path_of(stream: str) -> Path:
            found = held[f"{source} {stream}"]
            assert found.current.file is not None
            return path.parent / "datasources" / found.id / found.current.file

        return path_of

    def streams(self, source: str) -> list[str]:
        """The streams of a source that have an extract."""
        return sorted(path.stem for path in (self.folder / "output" / source).glob("*.hyper"))

    def wait_for_quiet(self) -> None:
        """Wait until no process works in this folder any more.

        Raises:
            AssertionError: One stays.
        """
        for _ in range(100):
            left = [process for process in psutil.process_iter() if self._works_here(process)]
            if not left:
                return
            time.sleep(0.1)
        raise AssertionError(f"left behind: {[process.cmdline() for process in left]}")

    def _works_here(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            return Path(process.cwd()) == self.folder and process.pid != os.getpid()
        return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
