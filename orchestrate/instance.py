"""Dagster's own instance: its settings, and where it keeps runs and events."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from orchestrate.places import Places

_SETTINGS = Path(__file__).with_name("dagster.yaml")
_URL = "ORCHESTRATE_DAGSTER_URL"
_POSTGRES = f"""
storage:
  postgres:
    postgres_url:
      env: {_URL}
"""


def make_home(places: Places) -> Path:
    """Write the instance's settings into its folder and return that.

    With a `dagster_url` Dagster keeps runs and events there, else in the folder.
    """
    home = places.work_dir / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    text = _SETTINGS.read_text(encoding="utf-8")
    if places.dagster_url:
        os.environ[_URL] = places.dagster_url
        text += _POSTGRES
    (home / "dagster.yaml").write_text(text, encoding="utf-8")
    return home


def instance_of(places: Places) -> dg.DagsterInstance:
    """The instance that DAGSTER_HOME names, else that of `python -m orchestrate dev`."""
    os.environ.setdefault("DAGSTER_HOME", str(make_home(places)))
    return dg.DagsterInstance.get()
