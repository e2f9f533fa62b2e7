"""The command `target-tableau-webhooks`: hear from Tableau when a refresh failed, instead of asking."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from target_tableau.address import parse_address
from target_tableau.client import TableauClient
from target_tableau.command_line import OneLine, opened_ledger, settings_of
from target_tableau.errors import SettingError
from target_tableau.sign_in import ConnectedApp, credentials_of
from target_tableau.webhooks.checking import Checker
from target_tableau.webhooks.subscriptions import Subscriptions, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_tableau.settings import Settings

_SCOPES = ("tableau:webhooks:*",)


@click.group(cls=OneLine)
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The target's config file."
)
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Be told by Tableau when a refresh failed or a data source was deleted."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    context.obj = settings_of(config)


@main.command("serve")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on, behind your HTTPS proxy."
)
@click.option("--port", type=int, default=8090, show_default=True, help="Port to listen on.")
@click.pass_obj
def serve(settings: Settings, host: str, port: int) -> None:
    """Receive events, check each with Tableau, and send alerts as target-tableau-loads health does."""
    try:
        import uvicorn  # noqa: PLC0415 - comes with an extra

        from target_tableau.webhooks.server import Receiver, create_app  # noqa: PLC0415 - needs the extra
    except ImportError as missing:
        raise SettingError("serve needs the extra: install target-tableau[webhooks].") from missing
    token = token_of(settings)
    client_of(settings)  # what is missing to sign in is told now, not with the first event
    ledger = opened_ledger(settings)
    wanted, stopped = threading.Event(), threading.Event()
    checker = Checker(settings, ledger, lambda: client_of(settings))
    thread = threading.Thread(target=checker.serve, args=(wanted, stopped), daemon=True)
    thread.start()
    try:
        uvicorn.run(
            create_app(Receiver(token, ledger, wanted.set)),
            host=host,
            port=port,
            log_config=None,
            access_log=False,  # its lines would hold the token
            lifespan="off",
            timeout_keep_alive=5,
        )
    finally:
        stopped.set()
        wanted.set()
        thread.join()


@main.command("register")
@click.pass_obj
def register(settings: Settings) -> None:
    """Ask Tableau to tell of webhook_events at webhook_url; what is registered already stays."""
    with _subscriptions(settings) as subscriptions:
        for line in subscriptions.register():
            click.echo(line)


@main.command("list")
@click.pass_obj
def list_webhooks(settings: Settings) -> None:
    """List the webhooks whose address is webhook_url."""
    with _subscriptions(settings) as subscriptions:
        for webhook in subscriptions.all():
            click.echo(webhook.shown(settings.webhook_token))


@main.command("test")
@click.pass_obj
def test(settings: Settings) -> None:
    """Have Tableau call the receiver; exit code 1 if it was not answered well."""
    with _subscriptions(settings) as subscriptions:
        tested = subscriptions.test()
    for webhook, status in tested:
        click.echo(f"{webhook.event}: answered with {status or 'nothing'}")
    if not tested:
        click.echo("There are no webhooks: target-tableau-webhooks register makes them.")
    if not tested or any(status // 100 != 2 for _, status in tested):  # noqa: PLR2004 - HTTP's "well done"
        click.get_current_context().exit(1)


@main.command("remove")
@click.pass_obj
def remove(settings: Settings) -> None:
    """Remove the webhooks whose address is webhook_url."""
    with _subscriptions(settings) as subscriptions:
        for webhook in subscriptions.remove():
            click.echo(f"{webhook.event}: removed")


def client_of(settings: Settings) -> TableauClient:
    """A client that is not signed in yet.

    Raises:
        SettingError: The settings name no server, or no way to sign in.
    """
    if settings.server_url is None:
        raise SettingError("server_url is not set, so there is no Tableau to hear from.")
    credentials = credentials_of(settings)
    if isinstance(credentials, ConnectedApp):
        credentials = dataclasses.replace(credentials, more_scopes=_SCOPES)
    return TableauClient(parse_address(settings.server_url, settings.site), credentials)


@contextlib.contextmanager
def _subscriptions(settings: Settings) -> Iterator[Subscriptions]:
    with client_of(settings) as client:
        yield Subscriptions(client, settings)
