"""The command `tap-exact-online-login`: a person's consent, once, and the life of what it gave."""

from __future__ import annotations

import argparse
import datetime as dt
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from tap_exact_online.errors import UserError
from tap_exact_online.hosts import address_of
from tap_exact_online.renewal import (
    CHAIN_LIFE_DAYS,
    EARLIEST_SECONDS,
    FILE,
    RefusedTokenError,
    ask,
    pair_of,
    read_pair,
    renew_apart,
    seed_of,
    write_pair,
)
from tap_exact_online.settings import settings_for_commands
from tap_exact_online.store import store_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOCK_WAIT_SECONDS: Final = 180


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0, or 1 when it could not be done; the reason is one line on standard error.
    """
    options = _parser().parse_args(arguments)
    try:
        config = settings_for_commands(options.config)
        if options.status:
            lines = _status(config)
        elif options.keepalive:
            lines = _keepalive(config)
        else:
            lines = _consent(config, options.redirect_url)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except RefusedTokenError as error:
        sys.stderr.write(f"Exact Online does not give tokens: {error.told}\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tap-exact-online-login",
        description="Let a person consent once, and keep the consent alive. Settings come from --config, or from "
        "TAP_EXACT_ONLINE_... in the environment.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the settings of the tap, as JSON")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--redirect-url",
        metavar="URL",
        help="where the browser ended up, instead of asking for it; it holds a code that is good for three minutes",
    )
    what.add_argument(
        "--keepalive", action="store_true", help="use the refresh token, so that a paused pipeline keeps it"
    )
    what.add_argument("--status", action="store_true", help="say how old the tokens are and when they expire")
    return parser


# consent ----------------------------------------------------------------------------------------------------


def authorize_url(config: Mapping[str, Any], state: str) -> str:
    """Where a person consents.

    Raises:
        UserError: `redirect_uri` is not set.
    """
    if not config.get("redirect_uri"):
        raise UserError("redirect_uri: needed here, exactly as it is registered with the application")
    params = {
        "client_id": config["client_id"],
        "redirect_uri": config["redirect_uri"],
        "response_type": "code",
        "force_login": "0",
        "state": state,
    }
    options = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in params.items())
    return f"{address_of(config)}/api/oauth2/auth?{options}"


def code_in(redirect: str, state: str | None) -> str:
    """The code in the address where the browser ended up, decoded once (it often holds a `!` as %21).

    Raises:
        UserError: There is none, or the answer belongs to another question.
    """
    found = parse_qs(urlsplit(redirect.strip()).query)
    if "error" in found:
        raise UserError(f"Exact Online did not consent: {found['error'][0]}")
    if not found.get("code"):
        raise UserError("There is no code in that address; copy all of it from the browser's address bar")
    if state is not None and found.get("state", [""])[0] != state:
        raise UserError("That address belongs to another attempt; start again")
    return found["code"][0]


def _consent(config: Mapping[str, Any], redirect: str | None) -> list[str]:
    if redirect is None:
        state = secrets.token_urlsafe(16)
        sys.stdout.write(
            "Open this address in a browser, on any machine, and sign in as the user whose companies are to be "
            f"read:\n\n{authorize_url(config, state)}\n\nWhen you have consented, the browser goes to the redirect "
            "URI; the page there does not matter.\nCopy its whole address within three minutes and paste it here:\n"
        )
        sys.stdout.flush()
        code = code_in(sys.stdin.readline(), state)
    else:
        code = code_in(redirect, None)
    store = store_of(config)
    with store.lock(FILE, _LOCK_WAIT_SECONDS) as locked:
        if not locked:
            raise UserError("token_store_path: another process has held the tokens for minutes; end it")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": str(config["redirect_uri"]),
        }
        pair = pair_of(ask(config, form), time.time(), seed=seed_of(config.get("refresh_token")))
        write_pair(store, pair)
    return [f"Consent is kept, encrypted, in {store.place}. {_life(pair.obtained_at)}"]


# life -------------------------------------------------------------------------------------------------------


def _keepalive(config: Mapping[str, Any]) -> list[str]:
    pair = read_pair(store_of(config), config.get("refresh_token"))
    if pair is not None and pair.access_token and 0 <= time.time() - pair.obtained_at < EARLIEST_SECONDS:
        return ["The tokens were renewed less than ten minutes ago; nothing to do."]
    renew_apart(config, now=time.time())
    return ["Renewed.", *_status(config)]


def _status(config: Mapping[str, Any]) -> list[str]:
    pair = read_pair(store_of(config), config.get("refresh_token"))
    if pair is None:
        raise UserError("There are no tokens yet: run tap-exact-online-login without options")
    if not pair.access_token:
        return ["The refresh token of the settings has not been used yet."]
    return [
        f"Consent of {_date(pair.consented_at)}, last used {_date(pair.obtained_at)}. {_life(pair.obtained_at)}"
    ]


def _life(obtained_at: float) -> str:
    return f"Unless it is used again, it expires on {_date(obtained_at + CHAIN_LIFE_DAYS * 86_400)}."


def _date(moment: float) -> str:
    return f"{dt.datetime.fromtimestamp(moment, dt.UTC):%Y-%m-%d %H:%M} UTC"


if __name__ == "__main__":
    sys.exit(main())
