"""The token pair: one per application and user, shared by all processes that read the same store.

An access token lives 600 seconds and may be replaced only after 570, so there is a window of half a minute. A
refresh token works once and brings its successor; see `tap_exact_online.renewal` for how it is traded.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from tap_exact_online.errors import ExpiredError, UserError
from tap_exact_online.renewal import (
    CHAIN_LIFE_DAYS,
    EARLIEST_SECONDS,
    Pair,
    RefusedTokenError,
    read_pair,
    renew_apart,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_exact_online.clock import Clock
    from tap_exact_online.store import Store

_WARN_DAYS: Final = 20
_DAY_SECONDS: Final = 86_400
_MARGIN_SECONDS: Final = 1
_EARLY_WAIT_SECONDS: Final = 15
_EARLY_TRIES: Final = 3
_CONSENT: Final = "run tap-exact-online-login to consent again"

_LOG: Final = logging.getLogger("tap-exact-online")


class Tokens:
    """Gives the access token of the moment, renewing it when it is time.

    Args:
        store: Where the pair is kept.
        config: Settings of the tap.
        clock: What time it is.

    Attributes:
        secrets: Texts that must never be shown.
    """

    def __init__(self, store: Store, config: Mapping[str, Any], clock: Clock) -> None:
        self.secrets = {str(config[n]) for n in ("client_secret", "refresh_token") if config.get(n)}
        self._store = store
        self._config = config
        self._clock = clock
        self._guard = threading.RLock()
        self._pair: Pair | None = None
        self._age_at = (0.0, 0.0)

    def credentials(self) -> str:
        """An access token that is good for at least 30 seconds more.

        Raises:
            UserError: There is none, and a person must consent.
        """
        with self._guard:
            if self._pair is None:
                self._adopt(self._read())
                self._warn_of_age()
            pair = self._pair
            if pair is None or not pair.access_token or self._age() >= EARLIEST_SECONDS + _MARGIN_SECONDS:
                pair = self._renewed()
            return pair.access_token

    def rejected(self, token: str, error: ExpiredError) -> None:
        """Get ready for one more attempt after a 401, where there is hope.

        Raises:
            UserError: The token should still be good, so the consent itself is gone.
        """
        with self._guard:
            if self._pair is not None and self._pair.access_token != token:
                return
            kept = self._read()
            if kept is not None and kept.access_token not in {"", token}:
                self._adopt(kept)  # another process has renewed it
            elif self._age() >= EARLIEST_SECONDS:
                self._renewed()
            else:
                raise UserError(
                    f"The access token was refused although it is {self._age():.0f} s old: the consent was withdrawn, "
                    f"or the same user signed in through the same application elsewhere; {_CONSENT}. {error}"
                )

    def _read(self) -> Pair | None:
        return read_pair(self._store, self._config.get("refresh_token"))

    def _adopt(self, pair: Pair | None) -> None:
        self._pair = pair
        if pair is not None:
            age = self._clock.now() - pair.obtained_at
            # A clock that was set back must not make a token look young for ever.
            self._age_at = (self._clock.monotonic(), age if age >= 0 else float(EARLIEST_SECONDS))
            self.secrets.update(text for text in (pair.access_token, pair.refresh_token) if text)

    def _age(self) -> float:
        seen, age = self._age_at
        return age + self._clock.monotonic() - seen

    def _renewed(self) -> Pair:
        for _ in range(_EARLY_TRIES):
            try:
                renew_apart(self._config, now=self._clock.now())
            except RefusedTokenError as error:
                if not error.early:
                    raise UserError(self._advice(error)) from None
                # Clocks differ, or the last pair was given to somebody whose answer was lost: it has to age.
                _LOG.info("It is too early to renew the token; waiting %d s", _EARLY_WAIT_SECONDS)
                self._clock.sleep(_EARLY_WAIT_SECONDS)
                continue
            pair = self._read()
            if pair is None or not pair.access_token:
                raise UserError(f"The stored tokens are gone; {_CONSENT}")
            self._adopt(pair)
            _LOG.info("Access token of %s", dt.datetime.fromtimestamp(pair.obtained_at, dt.UTC).isoformat())
            return pair
        raise UserError("Exact Online refuses to renew the token, as too early; start again in ten minutes")

    def _advice(self, error: RefusedTokenError) -> str:
        if not error.reached:
            return f"region, api_url: no token came from {self._store_host()}. {error.told}"
        if error.error == "invalid_client":
            return f"client_id, client_secret: Exact Online does not know this application. {error.told}"
        return f"The refresh token is used up or has expired; {_CONSENT}. {error.told}"

    def _store_host(self) -> str:
        return str(self._config.get("api_url") or f"Exact Online ({self._config.get('region')})")

    def _warn_of_age(self) -> None:
        if self._pair is None or not self._pair.obtained_at:
            return
        days = (self._clock.now() - self._pair.obtained_at) / _DAY_SECONDS
        ends = dt.datetime.fromtimestamp(self._pair.obtained_at, dt.UTC) + dt.timedelta(days=CHAIN_LIFE_DAYS)
        if days > CHAIN_LIFE_DAYS:
            raise UserError(
                f"The refresh token was last used {days:.0f} days ago and expired on {ends:%Y-%m-%d}; {_CONSENT}"
            )
        if days > _WARN_DAYS:
            _LOG.warning(
                "The refresh token had not been used for %.0f days; it would have expired on %s. Run the tap more "
                "often, or tap-exact-online-login --keepalive once a week",
                days,
                f"{ends:%Y-%m-%d}",
            )
