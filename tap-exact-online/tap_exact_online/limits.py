"""Keeps the limits of Exact Online: calls per minute and day, and errors per hour, each per division.

The vendor allows 60 calls in a clock minute and 5,000 a day to an application in a division, and blocks it for an
hour after ten errors of one endpoint. Headers of every answer tell what is left; times in them are milliseconds of
the server's clock, so they are compared with the server's own `Date`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import email.utils
import logging
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tap_exact_online.errors import DailyLimitError, ForbiddenError, TooManyErrorsError

if TYPE_CHECKING:
    import requests

    from tap_exact_online.clock import Clock
    from tap_exact_online.store import Store

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_ERRORS_PER_HOUR: Final = 6  # the vendor blocks at more than ten; other programs may share the key
_FILE: Final = "errors"
_LOCK_WAIT_SECONDS: Final = 30

_LOG: Final = logging.getLogger("tap-exact-online")


class ServerClock:
    """The server's time, from the `Date` header of its answers; this machine's before the first one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: tuple[float, float] | None = None

    def note(self, response: requests.Response) -> None:
        """Set it by an answer."""
        with contextlib.suppress(KeyError, ValueError):
            moment = email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()
            self._seen = (moment, self._clock.monotonic())

    def now(self) -> float:
        """Seconds since 1970."""
        if self._seen is None:
            return self._clock.now()
        moment, seen = self._seen
        return moment + self._clock.monotonic() - seen


@dataclasses.dataclass
class Quota:
    """What is known of the limits of one division.

    Attributes:
        division: Its code.
        used: Calls made in this run.
        day_limit: Calls allowed per day; None before the server has told.
        day_left: Calls left today.
        day_ends: When the day ends, in seconds of the server's clock.
    """

    division: int
    used: int = 0
    day_limit: int | None = None
    day_left: int | None = None
    day_ends: float | None = None
    minute_left: int | None = None
    minute_ends: float | None = None
    minute: int = -1
    used_in_minute: int = 0

    def note(self, response: requests.Response, now: float) -> None:
        """Take over what the headers of an answer tell."""
        self.day_limit = _number(response, "X-RateLimit-Limit", self.day_limit)
        day_left = _number(response, "X-RateLimit-Remaining", None)
        if day_left is not None:
            self.day_left = day_left
            self.day_ends = _moment(response, "X-RateLimit-Reset")
        self.minute_left = _number(response, "X-RateLimit-Minutely-Remaining", None)
        self.minute_ends = _moment(response, "X-RateLimit-Minutely-Reset") or _next(now, _MINUTE)

    def is_day_over_at(self, now: float) -> bool:
        """Whether no call is left for today."""
        return self.day_left is not None and self.day_left <= 0 and now < (self.day_ends or _next(now, _DAY))


class Limits:
    """Decides before each call whether it may go, has to wait, or must not be made.

    Args:
        store: Remembers errors between runs.
        clock: How to wait.
        per_minute: Calls in a minute that this tap takes at most.
        waits_for_day: Whether to wait for the next day when no calls are left, instead of stopping.
    """

    def __init__(self, store: Store, clock: Clock, *, per_minute: int, waits_for_day: bool) -> None:
        self.server = ServerClock(clock)
        self.quotas: dict[int, Quota] = {}
        self._clock = clock
        self._store = store
        self._per_minute = per_minute
        self._waits_for_day = waits_for_day

    def quota(self, division: int) -> Quota:
        """The quota of a division."""
        return self.quotas.setdefault(division, Quota(division))

    def before(self, division: int, endpoint: str) -> None:
        """Wait until a call is allowed.

        Raises:
            DailyLimitError: None is left today.
            TooManyErrorsError: The endpoint has given so many errors that it had better be left alone.
        """
        self._check_errors(division, endpoint)
        quota = self.quota(division)
        if quota.is_day_over_at(self.server.now()):
            self._day_is_over(quota)
        now = self.server.now()
        if quota.minute_left is not None and quota.minute_left <= 0:
            self._wait_until(quota.minute_ends or _next(now, _MINUTE), "no call is left in this minute")
        elif quota.minute == int(now // _MINUTE) and quota.used_in_minute >= self._per_minute:
            self._wait_until(_next(now, _MINUTE), "requests_per_minute is reached")
        minute = int(self.server.now() // _MINUTE)
        quota.used_in_minute = quota.used_in_minute + 1 if quota.minute == minute else 1
        quota.minute = minute
        quota.used += 1

    def note(self, division: int, response: requests.Response) -> None:
        """Learn from an answer."""
        self.quota(division).note(response, self.server.now())

    def throttled(self, division: int, response: requests.Response) -> None:
        """Wait as a 429 asks: on the day limit it bears the headers of the day only, else those of the minute.

        Raises:
            DailyLimitError: It is the limit of the day.
        """
        quota = self.quota(division)
        now = self.server.now()
        minutely = any("minutely" in name.lower() for name in response.headers)
        if not minutely and "X-RateLimit-Remaining" in response.headers:
            quota.day_left = 0
            quota.day_ends = quota.day_ends or _next(now, _DAY)
            self._day_is_over(quota)
            return
        self._wait_until(
            _moment(response, "X-RateLimit-Minutely-Reset") or _next(now, _MINUTE),
            "Exact Online asks to wait",
        )
        quota.minute_left = None

    def _day_is_over(self, quota: Quota) -> None:
        ends = quota.day_ends or _next(self.server.now(), _DAY)
        when = email.utils.formatdate(ends, usegmt=True)
        if not self._waits_for_day:
            raise DailyLimitError(
                f"on_daily_limit: no calls are left today in division {quota.division}; the next run after {when} "
                "goes on from here"
            )
        self._wait_until(ends, f"no calls are left today in division {quota.division}; going on after {when}")
        quota.day_left = None

    def _wait_until(self, moment: float, why: str) -> None:
        pause = max(moment - self.server.now(), 0) + 1
        log = _LOG.warning if pause > _MINUTE + 2 else _LOG.info
        log("Waiting %.0f s: %s", pause, why)
        self._clock.sleep(pause)

    # errors -----------------------------------------------------------------------------------------------

    def _check_errors(self, division: int, endpoint: str) -> None:
        recent = self._recent(self._store.read(_FILE).get(f"{division} {endpoint}", ()))
        if len(recent) >= _ERRORS_PER_HOUR:
            kind = ForbiddenError if recent[-1][1] == HTTPStatus.FORBIDDEN else TooManyErrorsError
            raise kind(
                f"{endpoint} in division {division} gave {len(recent)} errors in the last hour; it is left alone for a "
                "while, because Exact Online blocks applications that repeat errors"
            )

    def failed(self, division: int, endpoint: str, status: int) -> None:
        """Count an error (400, 401, 403, 404) of an endpoint."""
        with self._store.lock(_FILE, _LOCK_WAIT_SECONDS):
            kept = {key: self._recent(moments) for key, moments in self._store.read(_FILE).items()}
            kept[f"{division} {endpoint}"] = [
                *kept.get(f"{division} {endpoint}", []),
                (self._clock.now(), status),
            ]
            self._store.write(_FILE, {key: moments for key, moments in kept.items() if moments})

    def _recent(self, entries: object) -> list[tuple[float, int]]:
        """Errors of the last hour: when, and with which status."""
        now = self._clock.now()
        found = entries if isinstance(entries, list) else ()
        return [(float(at), int(status)) for at, status in found if 0 <= now - float(at) < _HOUR]


def _next(now: float, span: int) -> float:
    """The beginning of the next full minute or day."""
    return (math.floor(now / span) + 1) * span


def _number(response: requests.Response, name: str, default: int | None) -> int | None:
    text = response.headers.get(name, "").strip()
    return int(text) if text.lstrip("-").isdecimal() else default


def _moment(response: requests.Response, name: str) -> float | None:
    """A header in milliseconds since 1970, as seconds."""
    number = _number(response, name, None)
    return None if number is None else number / 1000
