"""Pins every dependency to the version that was tested.

`uv run python -m tests.pins` resolves everything anew and writes the versions into `constraint-dependencies` of the
root pyproject.toml. uv's own lock file holds download addresses of one machine's package index, so it stays out of
git and the pins do its work. Run the tests afterwards, and commit both together.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "pyproject.toml"
_BLOCK = re.compile(r"^constraint-dependencies = \[(?:\]\n|\n.*?^\]\n)", re.DOTALL | re.MULTILINE)


def with_pins(project: str, pins: list[str]) -> str:
    """The text of pyproject.toml with another list of pins."""
    lines = "".join(f'    "{pin}",\n' for pin in pins)
    block = f"constraint-dependencies = [\n{lines}]\n" if pins else "constraint-dependencies = []\n"
    return _BLOCK.sub(lambda _: block, project, count=1)


def locked_pins() -> list[str]:
    """`name==version` of every package that came from the index, by name."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return sorted(
        f"{package['name']}=={package['version']}"
        for package in lock["package"]
        if "registry" in package["source"]
    )


def main() -> int:
    """Resolve anew and write the pins."""
    uv = shutil.which("uv")
    if uv is None:
        sys.stderr.write("uv is not on the path; see https://docs.astral.sh/uv/\n")
        return 1
    project = PROJECT.read_text(encoding="utf-8")
    PROJECT.write_text(with_pins(project, []), encoding="utf-8")
    try:
        subprocess.run([uv, "lock", "--upgrade"], cwd=ROOT, check=True)
    except subprocess.CalledProcessError:
        PROJECT.write_text(project, encoding="utf-8")
        raise
    PROJECT.write_text(with_pins(project, locked_pins()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
