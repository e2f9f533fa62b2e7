"""Sign-in: consent, the exchange of codes, and the chain of refresh tokens that work once."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import msgspec
from starlette.responses import Response

from tests.sandbox.exact_online import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SEED_REFRESH_TOKEN, storing
from tests.sandbox.exact_online.errors import JSON, Refusal, unauthorized
from tests.sandbox.exact_online.limits import TOKEN_ENDPOINT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.exact_online.clock import Clock
    from tests.sandbox.exact_online.counters import Counters
    from tests.sandbox.exact_online.exchange import Exchange
    from tests.sandbox.exact_online.limits import Limits
    from tests.sandbox.exact_online.switches import Switches

_FILE = "tokens.json"
_KEPT_OLD_TOKENS = 5000
_DAY = 86_400


class Chain(msgspec.Struct):
    """The one chain of tokens of the one app and user.

    Attributes:
        refresh_token: The one that is good now; None once the chain was ended.
        refreshed_at: When it was handed out; None for the sandbox's first one, which never waited.
        access_tokens: Access token to when it dies.
        used: Refresh tokens that were good once.
    """

    refresh_token: str | None = SEED_REFRESH_TOKEN
    refreshed_at: float | None = None
    access_tokens: dict[str, float] = msgspec.field(default_factory=dict)
    used: list[str] = msgspec.field(default_factory=list)


class Identity:
    """Grants and checks tokens. A grant is on disk before it is answered.

    Args:
        clock: Decides what is early and what is late.
        counters: What is counted.
        limits: Errors here are errors of the key too.
        switches: Lives and limits.
        directory: Where the chain is kept; None keeps it in memory.
    """

    def __init__(
        self, clock: Clock, counters: Counters, limits: Limits, switches: Switches, directory: Path | None
    ) -> None:
        self._clock = clock
        self._counters = counters
        self._limits = limits
        self._switches = switches
        self._directory = directory
        self._chain = storing.load(directory, _FILE, Chain)
        self._codes: dict[str, float | None] = {}  # code to when it was given; None once it was used
        self._calls_by_day: dict[int, int] = {}
        self._lock = threading.Lock()

    def authorize(self, exchange: Exchange) -> Response:
        """`/api/oauth2/auth`: the user consents at once.

        Raises:
            Refusal: 400, when the app or its redirect address is not known.
        """
        options = exchange.web_options
        if options.get("client_id", "").strip("{}").lower() != CLIENT_ID:
            raise Refusal(400, "client_id is unknown", oauth="invalid_client")
        if options.get("redirect_uri") != REDIRECT_URI:
            raise Refusal(400, "redirect_uri is not registered for this app", oauth="invalid_request")
        if options.get("response_type") != "code":
            raise Refusal(400, "response_type must be code", oauth="unsupported_response_type")
        if options.get("force_login", "0") not in {"0", "1"}:
            raise Refusal(400, "force_login must be 0 or 1", oauth="invalid_request")
        code = f"stampNL001.{secrets.token_urlsafe(24)}!{secrets.token_urlsafe(24)}"
        with self._lock:
            self._codes[code] = self._clock.now()
        query = f"code={quote(code, safe='')}"
        if "state" in options:
            query += "&" + urlencode({"state": options["state"]})
        return Response(status_code=302, headers={"location": f"{REDIRECT_URI}?{query}"})

    def token(self, exchange: Exchange) -> Response:
        """`/api/oauth2/token`.

        Raises:
            Refusal: As the vendor answers each kind of mistake.
        """
        self._limits.check_key()
        with self._lock:
            self._counters.token_calls += 1
            try:
                self._admit(exchange)
                self._accept(exchange.form())
                return self._grant()
            except Refusal as refusal:
                self._limits.note(0, TOKEN_ENDPOINT, refusal.status)
                raise

    def check(self, exchange: Exchange) -> str:
        """The access token of a call.

        Raises:
            Refusal: 401, when it is missing, unknown or dead.
        """
        scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            self._counters.unauthorized += 1
            raise unauthorized("no access token")
        self.check_alive(token)
        return token

    def check_alive(self, token: str) -> None:
        """Check a token, at the beginning and at the end of a call.

        Raises:
            Refusal: 401.
        """
        dies_at = self._chain.access_tokens.get(token)
        if dies_at is None:
            self._counters.unauthorized += 1
            raise unauthorized("access token is not valid")
        if self._clock.now() >= dies_at:
            self._counters.unauthorized += 1
            raise unauthorized("message expired or access token expired")

    def consent_again(self) -> None:
        """The user signs in through the same app elsewhere: the chain that was there is dead."""
        with self._lock:
            self._chain = Chain(refresh_token=None)
            storing.save(self._directory, _FILE, self._chain)

    def _admit(self, exchange: Exchange) -> None:
        day = int(self._clock.now() // _DAY)
        self._calls_by_day[day] = self._calls_by_day.get(day, 0) + 1
        if self._calls_by_day[day] > self._switches.token_calls_per_day:
            raise Refusal(429, "Too many token requests", oauth="access_denied")
        if exchange.method != "POST" or exchange.query:
            raise Refusal(400, "the request must be a POST without a query", oauth="invalid_request")
        if exchange.media_type != "application/x-www-form-urlencoded":
            raise Refusal(400, "the body must be form-encoded", oauth="invalid_request")
        form = exchange.form()
        if form.get("client_id", "").strip("{}").lower() != CLIENT_ID:
            raise Refusal(400, "unknown client", oauth="invalid_client")
        if not secrets.compare_digest(form.get("client_secret", "").encode(), CLIENT_SECRET.encode()):
            raise Refusal(400, "client authentication failed", oauth="invalid_client")

    def _accept(self, form: dict[str, str]) -> None:
        grant = form.get("grant_type")
        if grant == "authorization_code":
            self._exchange_code(form)
        elif grant == "refresh_token":
            self._refresh(form.get("refresh_token", ""))
        else:
            raise Refusal(400, f"grant_type {grant!r}", oauth="unsupported_grant_type")

    def _exchange_code(self, form: dict[str, str]) -> None:
        code = form.get("code", "")
        if form.get("redirect_uri") != REDIRECT_URI:
            raise Refusal(400, "redirect_uri does not match", oauth="invalid_request")
        given_at = self._codes.get(code)
        if given_at is None or self._clock.now() - given_at > self._switches.code_seconds:
            raise Refusal(400, "Invalid or empty chainId", oauth="invalid_grant")
        self._codes[code] = None
        self._chain = Chain(refresh_token=None)  # what was granted before has nothing to do with it any more

    def _refresh(self, token: str) -> None:
        chain, now = self._chain, self._clock.now()
        if token in chain.used:
            self._counters.reused_refresh_tokens += 1
            if self._switches.revoke_on_reuse and chain.refresh_token is not None:
                self._counters.chains_revoked += 1
                chain.refresh_token, chain.access_tokens = None, {}
                storing.save(self._directory, _FILE, chain)
            raise Refusal(401, "Old refresh token used.", oauth="unauthorized_client")
        if chain.refresh_token is None or token != chain.refresh_token:
            raise Refusal(400, "Invalid or empty chainId", oauth="invalid_grant")
        if chain.refreshed_at is None:
            return
        if now - chain.refreshed_at > self._switches.refresh_token_days * _DAY:
            expired = dt.datetime.fromtimestamp(
                chain.refreshed_at + self._switches.refresh_token_days * _DAY, tz=dt.UTC
            )
            current = dt.datetime.fromtimestamp(now, tz=dt.UTC)
            raise Refusal(
                400,
                f"Token is expired. Expiration time: {expired:%m/%d/%Y %H:%M:%S}, current time:"
                f" {current:%m/%d/%Y %H:%M:%S}",
                oauth="invalid_request",
            )
        if now - chain.refreshed_at < self._switches.refresh_not_before_seconds:
            self._counters.refreshed_too_early += 1
            raise Refusal(
                self._switches.too_early_status,
                "Rate limit exceeded: access_token not expired",
                {"Reason": "TooEarlyToRefreshTokens: the access token has not expired yet"},
                oauth="access_denied",
            )

    def _grant(self) -> Response:
        chain, now = self._chain, self._clock.now()
        if chain.refresh_token is not None:
            chain.used.append(chain.refresh_token)
            del chain.used[:-_KEPT_OLD_TOKENS]
        access_token = f"stampNL001.{secrets.token_urlsafe(300)}"
        chain.refresh_token = f"stampNL002.{secrets.token_urlsafe(120)}"
        chain.refreshed_at = now
        living = {token: dies_at for token, dies_at in chain.access_tokens.items() if dies_at > now - _DAY}
        chain.access_tokens = {**living, access_token: now + self._switches.access_token_seconds}
        storing.save(self._directory, _FILE, chain)
        self._counters.tokens_issued += 1
        life = self._switches.access_token_seconds
        answer = {
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": str(life) if self._switches.expires_in_as_text else life,
            "refresh_token": chain.refresh_token,
        }
        return Response(msgspec.json.encode(answer), headers={"content-type": JSON})
