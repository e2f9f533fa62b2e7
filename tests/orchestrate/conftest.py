"""These tests need the packages of the group `orchestrate`.

Where they are installed (`uv sync --group orchestrate`) they run as all others do; where they are not, because the
demo does without them, one test runs them in an environment of its own.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

_ELSEWHERE = "test_elsewhere.py"

if find_spec("dagster") is None:
    collect_ignore = [
        path.name for path in Path(__file__).parent.glob("test_*.py") if path.name != _ELSEWHERE
    ]
else:
    from tests.orchestrate.location import fleet, location

    __all__ = ["fleet", "location"]
    collect_ignore = [_ELSEWHERE]
