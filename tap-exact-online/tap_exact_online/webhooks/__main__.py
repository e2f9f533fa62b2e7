"""The command `tap-exact-online-webhooks serve|subscribe|list|unsubscribe`."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_exact_online.errors import ApiError, StoppedError, UserError
from tap_exact_online.settings import settings_for_commands
from tap_exact_online.store import store_of
from tap_exact_online.webhooks.queue import Queue
from tap_exact_online.webhooks.runner import Runner
from tap_exact_online.webhooks.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0, or 1 when it could not be done; the reason is one line on standard error.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        config = settings_for_commands(options.config)
        if options.command == "serve":
            _serve(config, options.host, options.port)
            return 0
        lines = _COMMANDS[options.command](
            Subscriptions(config, zoneinfo.ZoneInfo(config["server_timezone"])), config
        )
        sys.stdout.writelines(f"{line}\n" for line in lines)
    except (UserError, ApiError, StoppedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tap-exact-online-webhooks",
        description="Start runs when Exact Online tells of changes. Settings come from --config, or from "
        "TAP_EXACT_ONLINE_... in the environment.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the settings of the tap, as JSON")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="receive events and run the configured command for them")
    serve.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on, behind your HTTPS proxy (default %(default)s)",
    )
    serve.add_argument("--port", type=int, default=8080, help="port to listen on (default %(default)s)")
    commands.add_parser(
        "subscribe", help="subscribe to webhook_topics in all divisions; the receiver must run"
    )
    commands.add_parser("list", help="list the subscriptions")
    commands.add_parser("unsubscribe", help="end all subscriptions of the application")
    return parser


def _serve(config: Mapping[str, Any], host: str, port: int) -> None:
    try:
        import uvicorn  # noqa: PLC0415 - comes with an extra

        from tap_exact_online.webhooks.server import Receiver, create_app  # noqa: PLC0415 - needs the extra
    except ImportError:
        raise UserError(
            "serve needs the extra: pip install 'tap-exact-online[webhooks]' installs it"
        ) from None
    if not config.get("webhook_secret"):
        raise UserError("webhook_secret: needed here, as the App Center shows it")
    queue = Queue(store_of(config).folder / "webhooks.db")
    runner = Runner(config, queue)
    thread = threading.Thread(target=runner.serve, daemon=True)
    thread.start()
    path = urlsplit(str(config.get("webhook_callback_url") or "")).path or "/"
    app = create_app(Receiver(config, queue), path)
    try:
        uvicorn.run(
            app, host=host, port=port, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=5
        )
    finally:
        runner.stop()
        thread.join()
        queue.close()


def _subscribe(subscriptions: Subscriptions, config: Mapping[str, Any]) -> list[str]:
    lines = []
    for division in subscriptions.divisions:
        for topic in config["webhook_topics"]:
            state = "subscribed" if subscriptions.add(division, topic) else "was subscribed already"
            lines.append(f"{division} {topic}: {state}")
    return lines


def _list(subscriptions: Subscriptions, _: Mapping[str, Any]) -> list[str]:
    found = [f"{each.division} {each.topic}: {each.callback_url}" for each in subscriptions.all()]
    return found or ["There are no subscriptions"]


def _unsubscribe(subscriptions: Subscriptions, _: Mapping[str, Any]) -> list[str]:
    lines = []
    for each in list(subscriptions.all()):
        subscriptions.remove(each)
        lines.append(f"{each.division} {each.topic}: unsubscribed")
    return lines or ["There are no subscriptions"]


_COMMANDS = {"subscribe": _subscribe, "list": _list, "unsubscribe": _unsubscribe}


if __name__ == "__main__":
    sys.exit(main())
