"""The command `target-tableau-loads`: what was loaded, and whether the next load will work.

Settings come from the same places as the target's: `--config FILE`, or the environment variables
`TARGET_TABLEAU_*` that Meltano sets for `meltano invoke target-tableau:...`.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click
import tableauserverclient as tsc
from typing_extensions import override

from target_tableau.client import TableauClient, parse_address
from target_tableau.errors import SettingError, TargetTableauError
from target_tableau.hyper import Engine
from target_tableau.ledger import Ledger
from target_tableau.publish import find_project
from target_tableau.replay import replay
from target_tableau.report import render
from target_tableau.setting_list import SCHEMA
from target_tableau.settings import Settings
from target_tableau.sign_in import credentials_of
from target_tableau.trace import trace

_PREFIX = "TARGET_TABLEAU_"
_LOW_DISK_BYTES = 1024**3


class _OneLine(click.Group):
    """Tells expected errors in one line."""

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TargetTableauError as failure:
            click.echo(str(failure), err=True)
            ctx.exit(1)


@click.group(cls=_OneLine)
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The target's config file."
)
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Look at what target-tableau has loaded."""
    logging.basicConfig(level=logging.WARNING)
    context.obj = Settings.from_config(_config(config))


def _config(file: Path | None) -> dict[str, Any]:
    """Settings of the file, or else of the environment, where texts are turned into the types they stand for."""
    if file is not None:
        loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return loaded
    config: dict[str, Any] = {}
    for name, schema in SCHEMA.to_dict()["properties"].items():
        text = os.environ.get(_PREFIX + name.upper())
        if text:
            config[name] = text if "string" in schema["type"] else _value(name, text)
    return config


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


def _ledger(settings: Settings) -> Ledger:
    if settings.ledger_url is None and not (settings.output_dir / "loads.db").exists():
        raise TargetTableauError(f"Nothing was loaded into {settings.output_dir} yet.")
    return Ledger(settings.ledger_url, settings.output_dir)


@main.command("report")
@click.pass_obj
def report(settings: Settings) -> None:
    """Show the last load of every source as one table."""
    for line in render(_ledger(settings).last_loads()):
        click.echo(line)


@main.command("list")
@click.option("--since", type=click.DateTime(), help="Only loads that began at or after this time (UTC).")
@click.option("--failed", is_flag=True, help="Only loads that did not end well.")
@click.option("--limit", type=int, default=50, show_default=True, help="How many rows at the most.")
@click.pass_obj
def list_loads(settings: Settings, since: dt.datetime | None, *, failed: bool, limit: int) -> None:
    """List loads, the newest first."""
    since = since.replace(tzinfo=dt.UTC) if since else None
    for row in _ledger(settings).loads(since=since, failed=failed, limit=limit):
        click.echo(
            f"{row['load_id']}  {row['status']:<10} {row['read']:>10,} read {row['total']:>12,} rows  "
            f"{row['source']} {row['stream']}" + (f"  {row['error']}" if row["error"] else "")
        )


@main.command("show")
@click.argument("load_id")
@click.pass_obj
def show(settings: Settings, load_id: str) -> None:
    """Show all that is known about one load."""
    rows = _ledger(settings).loads(load_id=load_id)
    if not rows:
        raise TargetTableauError(f"There is no load '{load_id}'. See target-tableau-loads list.")
    for row in rows:
        for name, value in row.items():
            if value is not None:
                click.echo(f"{name:>16}: {value}")
        click.echo()


@main.command("replay")
@click.argument("load_id")
@click.pass_obj
def replay_load(settings: Settings, load_id: str) -> None:
    """Finish a load from its journal, without asking the source again, and print its STATE.

    The pipeline need not be told the STATE: its next run reads the same rows again and finds them unchanged.
    """
    state = replay(settings, load_id)
    for line in render(_ledger(settings).loads(load_id=load_id)):
        click.echo(line, err=True)
    if state is not None:
        click.echo(json.dumps(state))


@main.command("trace")
@click.argument("stream")
@click.argument("key", nargs=-1, required=True)
@click.pass_obj
def trace_record(settings: Settings, stream: str, key: tuple[str, ...]) -> None:
    """Show everything that happened to one record; KEY is one word per key property, in their order."""
    for line in trace(settings, _ledger(settings), stream, key):
        click.echo(line)


@main.command("check")
@click.pass_obj
def check(settings: Settings) -> None:
    """Try everything that a load needs: folder, disk, Hyper engine, ledger, sign-in, project."""
    _tell("output folder", _check_folder(settings))
    with Engine(settings.hyper_version, settings.hyper_memory_limit):
        _tell("Hyper engine", f"starts, makes files of version {settings.hyper_version}")
    Ledger(settings.ledger_url, settings.output_dir).close()
    _tell("load ledger", "opens")
    if settings.server_url is None:
        _tell("Tableau", "no server_url: extracts are made, not published")
        return
    address = parse_address(settings.server_url, settings.site)
    with TableauClient(address, credentials_of(settings)) as client:
        _tell(
            "sign-in",
            f"works at {address.server_url}, site '{address.site}', REST API {client.server.version}",
        )
        luid = find_project(client, settings.project or "")
        project = client.call(lambda: _project(client, luid), "read the project")
        _tell(
            "project",
            f"'{project.name}' ({luid})" + ("" if project.writeable in {None, True} else ", not writeable"),
        )
        if project.writeable is False:
            raise TargetTableauError(f"This user may not publish to the project '{settings.project}'.")


def _project(client: TableauClient, luid: str) -> tsc.ProjectItem:
    return next(item for item in tsc.Pager(client.server.projects) if item.id == luid)


def _check_folder(settings: Settings) -> str:
    folder = settings.extract_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".check"
        probe.touch()
        probe.unlink()
    except OSError as failure:
        raise TargetTableauError(
            f"output_dir {folder} cannot be written: {failure.strerror or failure}."
        ) from failure
    free = shutil.disk_usage(folder).free
    if free < _LOW_DISK_BYTES:
        raise TargetTableauError(
            f"Only {free // 1024**2} MiB are free in {folder}; extracts are built beside the old ones."
        )
    return f"{folder}, {free // 1024**3} GiB free"


def _tell(what: str, finding: str) -> None:
    click.echo(f"{what:>14}: {finding}")


if __name__ == "__main__":
    sys.exit(main())
