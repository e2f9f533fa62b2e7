"""What Tableau's answers say beside what tableauserverclient passes on: it drops headers and some attributes."""

from __future__ import annotations

import datetime as dt
import logging
import re
from email.utils import parsedate_to_datetime

import requests

logger = logging.getLogger(__name__)

_EXPIRATION = re.compile(r'estimatedTimeToExpiration="(\d+):\d+:\d+"')  # days, hours, minutes
_RETRY_AFTER = re.compile(r"retry after (\d+) (second|minute|hour)", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_DAYS_TO_WARN = 14
_TOO_MANY_REQUESTS = 429
_FINAL = re.compile(
    "CERTIFICATE|WRONG_VERSION|RECORD_LAYER"
)  # what OpenSSL says when another try is of no use
_REASONS = {  # in what requests says of a connection -> in a user's words
    "CERTIFICATE": "its certificate is not trusted. If it is of a private authority, name the file with the "
    "authority's certificate in the environment variable REQUESTS_CA_BUNDLE",
    "WRONG_VERSION": "it does not speak https there. Check host, port and https or http in server_url",
    "RECORD_LAYER": "it does not speak https there. Check host, port and https or http in server_url",
    "NameResolutionError": "there is no host of that name. Check server_url and the network",
    "Connection refused": "nothing answers there. Check host and port in server_url, and whether Tableau runs",
    "Read timed out": "it did not answer in time. Try again later; if it goes on, ask its administrator",
}


class Answers:
    """Looks at every answer that comes.

    Args:
        warn_of_token: The sign-in is by personal access token, whose last days are worth a warning.

    Attributes:
        token_days: In how many days the token ends, as the last sign-in told.
    """

    def __init__(self, *, warn_of_token: bool) -> None:
        self.token_days: int | None = None
        self._warn = warn_of_token
        self._retry_after: str | None = None

    def session(self) -> requests.Session:
        """A session whose answers are looked at; it repeats nothing by itself."""
        session = requests.Session()
        session.hooks["response"].append(self._note)
        return session

    def _note(self, response: requests.Response, **_: object) -> None:
        if response.status_code == _TOO_MANY_REQUESTS:
            self._retry_after = response.headers.get("Retry-After")
        if self._warn and response.ok and response.url.endswith("/auth/signin"):
            self._note_end_of_token(response.text)

    def _note_end_of_token(self, text: str) -> None:
        """Warn of a token's last days, which tableauserverclient does not tell (its issue 1197)."""
        told = _EXPIRATION.search(text)
        if told is None:
            return
        self.token_days = int(told[1])
        if self.token_days < _DAYS_TO_WARN:
            logger.warning(
                "The Tableau token ends in %d days. Make a new one under My Account Settings and set token_name and "
                "token_value, or this pipeline will stop.",
                self.token_days,
            )

    def put_off(self, detail: str) -> float | None:
        """For how many seconds Tableau puts a call off that it answered with 429000; None if it does not say.

        Its header Retry-After tells, in seconds or as a date, or else its words ("Please retry after 29 minutes").
        """
        header, self._retry_after = self._retry_after, None
        if header is not None and header.strip().isdecimal():
            return float(header)
        if header is not None:
            try:
                wait = (parsedate_to_datetime(header) - dt.datetime.now(dt.UTC)).total_seconds()
            except ValueError:
                wait = 0.0
            if wait > 0:
                return wait
        told = _RETRY_AFTER.search(detail)
        return float(int(told[1]) * _SECONDS[told[2].lower()]) if told else None


def is_final(failure: requests.RequestException) -> bool:
    """Whether another try is of no use: what is wrong is the address or the certificate."""
    return isinstance(failure, requests.exceptions.SSLError) and _FINAL.search(str(failure)) is not None


def unreached(failure: requests.RequestException) -> str | None:
    """Why there was no answer, in a user's words; None if nothing is known of it."""
    text = str(failure)
    return next((told for sign, told in _REASONS.items() if sign in text), None)
