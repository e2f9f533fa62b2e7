"""The command `target-tableau-loads`: what was loaded, and whether the next load will work.

Settings come from the same places as the target's: `--config FILE`, or the environment variables
`TARGET_TABLEAU_*` that Meltano sets for `meltano invoke target-tableau:...`.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from target_tableau import alerts
from target_tableau.address import parse_address
from target_tableau.client import TableauClient
from target_tableau.command_line import OneLine, opened_ledger, settings_of
from target_tableau.deliver import deliver
from target_tableau.delivery import Delivery
from target_tableau.display import UTC
from target_tableau.errors import SettingError, TargetTableauError
from target_tableau.health import look
from target_tableau.hyper import Engine
from target_tableau.page import published_times, render_page
from target_tableau.replay import replay, replay_rejected
from target_tableau.report import render
from target_tableau.sign_in import credentials_of
from target_tableau.site import Site
from target_tableau.trace import trace

if TYPE_CHECKING:
    from target_tableau.incidents import Health
    from target_tableau.ledger import Ledger
    from target_tableau.settings import Settings

_LOW_DISK_BYTES = 1024**3
_PACKAGES = ("target-tableau", "tableauhyperapi", "tableauserverclient", "singer-sdk", "pyarrow")


@click.group(cls=OneLine)
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The target's config file."
)
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Look at what target-tableau has loaded."""
    logging.basicConfig(level=logging.WARNING)
    context.obj = settings_of(config)


def _ledger(settings: Settings) -> Ledger:
    if settings.ledger_url is None and not (settings.output_dir / "loads.db").exists():
        raise TargetTableauError(f"Nothing was loaded into {settings.output_dir} yet.")
    return opened_ledger(settings)


@main.command("report")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page that a browser shows."
)
@click.pass_obj
def report(settings: Settings, html: Path | None) -> None:
    """Show the last load of every source as one table, or write a page about all data sources."""
    ledger = _ledger(settings)
    if html is None:
        for line in render(ledger.last_loads()):
            click.echo(line)
        if settings.timestamp_zone != UTC:
            click.echo(f"Times are in UTC, and in {settings.timestamp_zone} beside it.")
        return
    try:
        now, zone = dt.datetime.now(dt.UTC), settings.timestamp_zone
        page = render_page(ledger.loads(), published_times(ledger), now, zone)
        html.write_text(page, encoding="utf-8")
    except OSError as failure:
        raise TargetTableauError(f"{html} cannot be written: {failure.strerror or failure}.") from failure
    click.echo(f"Wrote {html}.")


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
    """Show all that is known about one load; LOAD_ID may be `latest`."""
    ledger = _ledger(settings)
    if load_id == "latest":
        load_id = next((row["load_id"] for row in ledger.loads(limit=1)), load_id)
    rows = ledger.loads(load_id=load_id)
    if not rows:
        raise TargetTableauError(f"There is no load '{load_id}'. See target-tableau-loads list.")
    for row in [*rows, *ledger.refreshes(load_id)]:
        for name, value in row.items():
            if value is not None:
                click.echo(f"{name:>16}: {value}")
        click.echo()


@main.command("replay")
@click.argument("load_id")
@click.option("--rejected", is_flag=True, help="Try the load's quarantined records again instead.")
@click.option(
    "--state-id", help="Set the STATE in the Meltano project of the current folder, under this state id."
)
@click.pass_obj
def replay_load(settings: Settings, load_id: str, *, rejected: bool, state_id: str | None) -> None:
    """Finish a load from its journal, without asking the source again, and print its STATE.

    The pipeline need not be told the STATE: its next run reads the same rows again and finds them unchanged.
    With --state-id it is told, by `meltano state set`, and does not read them again.
    """
    if rejected:
        for line in render(replay_rejected(settings, load_id)):
            click.echo(line)
        return
    state = replay(settings, load_id)
    for line in render(_ledger(settings).loads(load_id=load_id)):
        click.echo(line, err=True)
    if state is not None and state_id is not None:
        _set_state(state_id, state)
        click.echo(f"The state '{state_id}' is set.", err=True)
    elif state is not None:
        click.echo(json.dumps(state))


def _set_state(state_id: str, state: dict[str, Any]) -> None:
    """Hand a STATE to Meltano.

    Raises:
        TargetTableauError: Meltano is not here, or refuses.
    """
    meltano = shutil.which("meltano")
    if meltano is None:
        raise TargetTableauError(
            f"The load is done, but meltano is not on the path, so the state '{state_id}' is not set. Set it by hand: "
            f"{json.dumps(state)}"
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state.json"
        file.write_text(json.dumps(state), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - the user's own Meltano
            [meltano, "state", "set", "--force", "--input-file", str(file), state_id],
            check=False,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise TargetTableauError(
            f"The load is done, but Meltano did not take the state '{state_id}' ({' '.join(last)}). Run this in the "
            f"project's folder, or set it by hand: {json.dumps(state)}"
        )


@main.command("deliver")
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.pass_obj
def deliver_collected(settings: Settings, folders: tuple[Path, ...]) -> None:
    """Make one load of what runs with `journal_only` have collected; FOLDERS are their output_dirs."""
    for line in render(deliver(settings, folders)):
        click.echo(line)


@main.command("health")
@click.pass_obj
def health(settings: Settings) -> None:
    """Tell what is wrong, alert once per incident and again when it is over; exit code 1 while anything is wrong."""
    state = look(settings, opened_ledger(settings), _show)
    if settings.heartbeat_url:
        alerts.beat(settings.heartbeat_url)
    if state.is_good:
        click.echo("All is well.")
    else:
        click.get_current_context().exit(1)


def _show(found: Health) -> None:
    for incident in [*found.begun, *found.going_on]:
        click.echo(incident.told)


@main.command("refresh")
@click.pass_obj
def refresh(settings: Settings) -> None:
    """Refresh what the setting refresh names, and wait: for data that something else has landed."""
    if settings.server_url is None:
        raise SettingError("server_url is not set, so there is nothing to refresh.")
    with Delivery(settings) as delivery:
        delivery.open(opened_ledger(settings))
        delivery.want_all()
        delivery.refresh()
    click.echo("Refreshed.")


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
    _tell("versions", ", ".join(f"{name} {version(name)}" for name in _PACKAGES))
    _tell("output folder", _check_folder(settings))
    with Engine(settings.hyper_version, settings.hyper_memory_limit):
        _tell("Hyper engine", f"starts, makes files of version {settings.hyper_version}")
    opened_ledger(settings)
    _tell("load ledger", "opens")
    if settings.server_url is None:
        _tell("Tableau", "no server_url: extracts are made, not published")
        return
    _check_tableau(settings)


def _check_tableau(settings: Settings) -> None:
    address = parse_address(settings.server_url or "", settings.site)
    with TableauClient(address, credentials_of(settings)) as client:
        _tell(
            "sign-in",
            f"works at {address.server_url}, site '{address.site}', REST API {client.server.version}",
        )
        if client.token_days is not None:
            _tell("token", f"ends in {client.token_days} days, or after 15 days without use")
        site = Site(client)
        luid = site.project(settings.project or "")
        project = site.project_item(luid)
        _tell(
            "project",
            f"'{project.name}' ({luid})" + ("" if project.writeable in {None, True} else ", not writeable"),
        )
        if project.writeable is False:
            raise TargetTableauError(f"This user may not publish to the project '{settings.project}'.")
        site.warn_of_everyone(settings.project or "")


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
