"""Each package alone: its wheel, installed with pip into an empty environment (`-m network`)."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from tests.generated import PLUGINS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.network, pytest.mark.timeout(900)]


@pytest.mark.parametrize("name", [plugin.name for plugin in PLUGINS])
def test_a_wheel_installs_alone_and_runs(name: str, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(wheels), str(ROOT / name)],
        check=True,
        timeout=300,
    )
    (wheel,) = wheels.glob("*.whl")
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([scripts / "python", "-m", "pip", "install", "-q", str(wheel)], check=True, timeout=600)
    about = subprocess.run(
        [scripts / name, "--about", "--format=json"], check=True, capture_output=True, text=True, timeout=120
    )
    assert json.loads(about.stdout)["name"] == name
    installed = subprocess.run(
        [scripts / "python", "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    )
    others = {plugin.name for plugin in PLUGINS} - {name}
    assert not others & {package["name"] for package in json.loads(installed.stdout)}
