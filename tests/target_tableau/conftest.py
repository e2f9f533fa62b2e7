from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target_tableau.support import Extracts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """Settings that make extracts in the test's own folder."""
    return {"output_dir": str(tmp_path / "output")}


@pytest.fixture
def extracts(tmp_path: Path) -> Extracts:
    return Extracts(tmp_path / "output")
