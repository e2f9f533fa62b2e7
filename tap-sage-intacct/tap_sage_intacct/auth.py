"""Sessions of the XML gateway: one per run and entity, shared by all streams.

A session names the endpoint that later calls must go to, and ends when it is not used for a time that the company
sets; every call begins that time anew. The gateway has no sign-out: an unused session ends by itself, and holds no
seat of a licence.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from tap_sage_intacct.client import check_endpoint
from tap_sage_intacct.errors import SessionEndedError, UserError
from tap_sage_intacct.records import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_sage_intacct.client import Client
    from tap_sage_intacct.envelope import Node, Reply

_LEEWAY_SECONDS: Final = 60.0
_LEEWAY_PART: Final = 10

_LOG: Final = logging.getLogger("tap-sage-intacct")


@dataclasses.dataclass
class _Session:
    """A session; times are those of this machine's monotonic clock."""

    id: str
    endpoint: str
    begun: float
    ends: float = float("inf")


class Sessions:
    """Begins sessions, renews them before they end, and forgets those that have ended.

    Attributes:
        clock: Tells the time in seconds, from any beginning.
    """

    clock: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(self, client: Client, config: Mapping[str, Any]) -> None:
        self._client = client
        self._config = config
        self._any_host = bool(config["allow_any_host"])
        self._address = check_endpoint(str(config["api_url"]), "api_url", any_host=self._any_host)
        self._held: dict[str, _Session] = {}
        self._guard = threading.RLock()

    def session(self, entity: str) -> tuple[str, str]:
        """Session id and endpoint; begins a session where there is none that lasts.

        Raises:
            UserError: The sign-in is refused; it is never repeated, because that locks the user out.
        """
        with self._guard:
            held = self._held.get(entity)
            now = self.clock()
            oldest = now - int(self._config["session_max_age_seconds"])
            if held is None or now >= held.ends or held.begun <= oldest:
                held = self._held[entity] = self._begin(entity)
            return held.id, held.endpoint

    def seen(self, entity: str, used: str, reply: Reply[Any]) -> None:
        """Note how long the session is good for after a call."""
        with self._guard:
            held = self._held.get(entity)
            if held is not None and held.id == used:
                held.ends = self._end(reply)

    def renew(self, entity: str, used: str) -> None:
        """Forget a session that has ended, unless another call has renewed it meanwhile."""
        with self._guard:
            held = self._held.get(entity)
            if held is not None and held.id == used:
                _LOG.info("The session has ended before its time; getting a new one")
                del self._held[entity]

    def _begin(self, entity: str) -> _Session:
        config = self._config
        login: list[Node] = [
            ("userid", str(config["user_id"])),
            ("companyid", str(config["company_id"])),
            ("password", str(config["user_password"])),
        ]
        if entity:
            login.append(("locationid", entity))
        try:
            reply = self._client.repeat(
                lambda: self._client.send(
                    self._address, [("login", login)], ("getAPISession", None), "", NOTHING
                )
            )
        except SessionEndedError as error:
            raise UserError(f"company_id, user_id, user_password: the sign-in is refused. {error}") from None
        api = reply.data.find(".//api") if reply.data is not None else None
        number = api.findtext("sessionid") if api is not None else None
        endpoint = api.findtext("endpoint") if api is not None else None
        if not number or not endpoint:
            raise UserError("api_url: what answers there names no session; it is not the XML gateway")
        self._client.secrets.add(number)
        endpoint = check_endpoint(endpoint, "endpoint of the session", any_host=self._any_host)
        return _Session(number, endpoint, self.clock(), self._end(reply))

    def _end(self, reply: Reply[Any]) -> float:
        """When to stop using a session, on this machine's clock: a little before the gateway does."""
        if reply.timeout is None or reply.moment is None:
            return float("inf")
        span = (reply.timeout - reply.moment).total_seconds()
        return self.clock() + span - min(_LEEWAY_SECONDS, span / _LEEWAY_PART)
