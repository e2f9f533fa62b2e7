"""What the commands share: their settings, the ledger, and errors in one line."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from target_tableau.checks import complaints
from target_tableau.errors import SettingError, TargetTableauError
from target_tableau.ledger import Ledger
from target_tableau.setting_list import SCHEMA
from target_tableau.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX = "TARGET_TABLEAU_"


class OneLine(click.Group):
    """Tells expected errors in one line."""

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TargetTableauError as failure:
            click.echo(str(failure), err=True)
            ctx.exit(1)


def settings_of(file: Path | None) -> Settings:
    """Settings of a config file, or else of the environment, where texts are turned into the types they stand for.

    Raises:
        SettingError: They contradict each other, or cannot be read.
    """
    if file is not None:
        try:
            config = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as broken:
            raise SettingError(f"{file} cannot be read as JSON: {broken}.") from broken
        return _checked(config)
    config = {}
    for name, schema in SCHEMA.to_dict()["properties"].items():
        text = os.environ.get(_PREFIX + name.upper())
        if text:
            config[name] = text if "string" in schema["type"] else _value(name, text)
    return _checked(config)


def _checked(config: dict[str, Any]) -> Settings:
    """Settings of a configuration that the SDK has not looked at.

    Raises:
        SettingError: They do not fit, or contradict each other.
    """
    if errors := list(complaints("target-tableau", SCHEMA.to_dict(), config)):
        raise SettingError("; ".join(errors))
    return Settings.from_config(config)


def _value(name: str, text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read a setting that is no text.

    Raises:
        SettingError: It is not JSON.
    """
    try:
        value = json.loads(text.lower() if text in {"True", "False"} else text)
    except json.JSONDecodeError as broken:
        raise SettingError(f"{_PREFIX}{name.upper()} must be JSON, and is not: {broken}.") from broken
    return _nested(value) if isinstance(value, dict) else value


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Meltano hands nested settings to commands with their levels joined by dots: `bill_lines.parent`."""
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *levels, last = path.split(".")
        place = nested
        for level in levels:
            place = place.setdefault(level, {})
        place[last] = value
    return nested


def opened_ledger(settings: Settings) -> Ledger:
    """The ledger, closed when the command ends."""
    ledger = Ledger(settings.ledger_url, settings.output_dir)
    click.get_current_context().call_on_close(ledger.close)
    return ledger
