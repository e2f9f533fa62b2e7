"""Trades the refresh token for the next pair, in a small process of its own.

A refresh token works once. Between the moment in which Exact Online has exchanged it and the moment in which the
next pair is on disk, whoever made the call must not die, or a person has to consent again. A tap may be killed at
any moment (a time-out of its runner, memory), so it does not make this call itself: it starts this process, which
no signal to the tap or its group reaches, and waits for it. The order is: lock, read again, ask, write, rename;
only then does anybody use the new pair.

It reads one JSON object from its input and writes one to its output. Neither tokens nor secrets are in its
arguments or its output.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import subprocess
import sys
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import requests

from tap_exact_online.errors import NO_TLS, UserError, said
from tap_exact_online.hosts import address_of
from tap_exact_online.store import KEY_VARIABLE, SealedError, Store, store_of

if TYPE_CHECKING:
    from collections.abc import Mapping

EARLIEST_SECONDS: Final = 570
"""Age at which a token may be replaced; asking earlier is an error that counts (vendor's API limits)."""
LIFE_SECONDS: Final = 600
"""Age at which an access token is void."""
CHAIN_LIFE_DAYS: Final = 30
"""After so many days without use a refresh token is void."""

FILE: Final = "tokens"
_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 2
_LOCK_WAIT_SECONDS: Final = 180
_CONNECT_TIMEOUT_SECONDS: Final = 30
_SETTINGS: Final = (
    "api_url", "region", "client_id", "client_secret", "refresh_token", "token_store_path", "token_store_url",
    "token_key_file", "request_timeout_seconds", "user_agent",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Pair:
    """An access token and the refresh token that comes after it.

    Attributes:
        access_token: Opens the API for 600 seconds; empty when only the refresh token is known.
        refresh_token: Works once.
        obtained_at: When it was received, in seconds since 1970.
        consented_at: When a person consented, as far as that is known.
        seed: The `refresh_token` setting of the time when the chain began, as a hash; empty for none.
    """

    access_token: str
    refresh_token: str
    obtained_at: float
    consented_at: float
    seed: str = ""


class RefusedTokenError(Exception):
    """The token address did not give a pair.

    Attributes:
        error: Its `error`.
        told: What it says besides, without secrets.
        early: Whether the present token may not be replaced yet.
        reached: Whether it gave an answer that means something.
    """

    def __init__(self, error: str, told: str, *, early: bool = False, reached: bool = True) -> None:
        super().__init__(told)
        self.error = error
        self.told = told
        self.early = early
        self.reached = reached


def seed_of(refresh_token: str | None) -> str:
    """The mark of a `refresh_token` setting."""
    return hashlib.sha256(refresh_token.encode()).hexdigest() if refresh_token else ""


def read_pair(store: Store, refresh_token: str | None) -> Pair | None:
    """The newest pair: the stored one, or the setting's refresh token when that is a new one.

    Raises:
        UserError: What is stored cannot be opened.
    """
    try:
        kept = store.read_secret(FILE)
    except SealedError:
        raise UserError(
            f"token_key_file, {KEY_VARIABLE}: the stored tokens cannot be opened with this key; put the old key behind "
            f"the new one, or delete the .sealed files in {store.place} and consent again (tap-exact-online-login)"
        ) from None
    seed = seed_of(refresh_token)
    # The setting only begins a chain: as long as it is the one that the chain began with, what is stored is newer.
    if kept.get("refresh_token") and (not seed or kept.get("seed") == seed):
        return Pair(**{field.name: kept[field.name] for field in dataclasses.fields(Pair)})
    return Pair("", str(refresh_token), 0.0, 0.0, seed) if refresh_token else None


def write_pair(store: Store, pair: Pair) -> None:
    """Keep a pair.

    Raises:
        UserError: The folder cannot be written.
    """
    store.write_secret(FILE, dataclasses.asdict(pair))


def ask(config: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """Send a form to the token address once.

    Raises:
        RefusedTokenError: It does not give a pair.
    """
    credentials = {"client_id": config["client_id"], "client_secret": config["client_secret"]}
    session = requests.Session()
    try:
        response = session.post(
            f"{address_of(config)}/api/oauth2/token",
            data={**form, **credentials},
            headers={"Accept": "application/json", "User-Agent": config["user_agent"]},
            timeout=(_CONNECT_TIMEOUT_SECONDS, int(config["request_timeout_seconds"])),
            allow_redirects=False,
            auth=_unchanged,
        )
    except requests.RequestException as error:
        raise RefusedTokenError("", _no_answer(error), reached=False) from None
    finally:
        session.close()
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if response.status_code == HTTPStatus.OK and isinstance(answer, dict) and answer.get("refresh_token"):
        return answer
    text = f"{response.status_code}{said(response)}"
    for secret in filter(None, (*form.values(), credentials["client_secret"])):
        text = text.replace(str(secret), "(secret)")
    code = str(answer.get("error") or "") if isinstance(answer, dict) else ""
    early = "TooEarly" in response.headers.get("Reason", "")
    reached = bool(code) and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    raise RefusedTokenError(code, text, early=early, reached=reached)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep a .netrc file from adding an Authorization header; proxies of the environment stay."""
    return request


def _no_answer(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error):
        return "Its certificate is not trusted; name the file of your own authority in REQUESTS_CA_BUNDLE"
    if isinstance(error, requests.exceptions.SSLError) and NO_TLS.search(str(error)):
        return "It does not speak https there; check host, port and https or http"
    if "NameResolutionError" in repr(error):
        return "There is no host of that name"
    return f"No answer ({type(error).__name__})"


def renew(config: Mapping[str, Any], *, shift: float = 0.0, at_once: bool = False) -> None:
    """Replace the stored pair, unless another process has just done so.

    Args:
        config: Settings of the tap.
        shift: How far the caller's clock is ahead of this machine's.
        at_once: Replace it also when it is still good.

    Raises:
        UserError: There is none to replace, or the store cannot be used.
        RefusedTokenError: Exact Online does not give a new one.
    """
    store = store_of(config)
    with store.lock(FILE, _LOCK_WAIT_SECONDS) as locked:
        if not locked:
            raise UserError("token_store_path: another process has held the tokens for minutes; end it")
        pair = read_pair(store, config.get("refresh_token"))
        if pair is None:
            raise UserError("there are no tokens yet: run tap-exact-online-login once, or set refresh_token")
        age = time.time() + shift - pair.obtained_at
        if pair.access_token and 0 <= age < EARLIEST_SECONDS and not at_once:
            return
        answer = _repeat(config, {"grant_type": "refresh_token", "refresh_token": pair.refresh_token})
        now = time.time() + shift
        write_pair(store, dataclasses.replace(pair_of(answer, now), **_origin(pair, now)))


def _origin(pair: Pair, now: float) -> dict[str, Any]:
    return {"consented_at": pair.consented_at or now, "seed": pair.seed}


def pair_of(answer: Mapping[str, Any], now: float, seed: str = "") -> Pair:
    """The pair in an answer of the token address, whose `expires_in` is a text."""
    life = int(answer.get("expires_in") or LIFE_SECONDS)
    # A token of another life is put on the scale of 600 seconds.
    received = now - max(LIFE_SECONDS - life, 0)
    return Pair(str(answer["access_token"]), str(answer["refresh_token"]), received, now, seed)


def _repeat(config: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """Ask again where no answer came: the exchange may or may not have happened, and the same token tells."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return ask(config, form)
        except RefusedTokenError as error:
            if error.reached or attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECONDS * attempt)
    raise AssertionError("unreachable")


# the process ------------------------------------------------------------------------------------------------


def renew_apart(config: Mapping[str, Any], *, now: float, at_once: bool = False) -> None:
    """Let a process of its own replace the stored pair, and wait until it has.

    Raises:
        UserError: There is none to replace, or the store cannot be used.
        RefusedTokenError: Exact Online does not give a new one.
    """
    request = {
        "config": {name: config[name] for name in _SETTINGS if config.get(name) is not None},
        "shift": now - time.time(),
        "at_once": at_once,
    }
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    process = subprocess.Popen(
        [sys.executable, "-m", "tap_exact_online.renewal"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=flags,
    )
    out, _ = process.communicate(json.dumps(request).encode())
    try:
        answer = json.loads(out)
    except ValueError:
        answer = {"user": "the process that renews tokens ended without an answer; see whether it can start"}
    if answer.get("user"):
        raise UserError(answer["user"])
    if answer.get("refused"):
        raise RefusedTokenError(**answer["refused"])


def main() -> int:
    """Do what the input says."""
    request = json.loads(sys.stdin.buffer.read())
    answer: dict[str, Any] = {}
    try:
        renew(request["config"], shift=request["shift"], at_once=request["at_once"])
    except UserError as error:
        answer = {"user": str(error)}
    except RefusedTokenError as error:
        answer = {"refused": {name: getattr(error, name) for name in ("error", "told", "early", "reached")}}
    with contextlib.suppress(OSError):  # the tap may be gone; the pair is safe
        sys.stdout.write(json.dumps(answer))
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
