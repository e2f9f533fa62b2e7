"""Subscriptions to topics: the only calls of this package that write, made by a person's command alone."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import requests

from tap_exact_online.auth import Tokens
from tap_exact_online.client import Client
from tap_exact_online.discovery import ALL_ACTIVE, look_around
from tap_exact_online.errors import ServerTroubleError, UserError, said
from tap_exact_online.paging import walk
from tap_exact_online.store import store_of

if TYPE_CHECKING:
    import zoneinfo
    from collections.abc import Iterator, Mapping

_ENDPOINT: Final = "webhooks/WebhookSubscriptions"
_TIMEOUT_SECONDS: Final = 60


@dataclasses.dataclass(frozen=True)
class Subscription:
    """One topic of one division that is told to one address."""

    id: str
    division: int
    topic: str
    callback_url: str


class Subscriptions:
    """The subscriptions of this application in the configured divisions."""

    def __init__(self, config: Mapping[str, Any], zone: zoneinfo.ZoneInfo) -> None:
        store = store_of(config)
        self._config = config
        self._client = Client(store, config)
        self._tokens = Tokens(store, config, self._client.clock)
        self._client.tokens = self._tokens
        codes = [str(code) for code in config.get("divisions") or ()]
        if codes and ALL_ACTIVE not in codes:
            self.divisions = [int(code) for code in codes]
        else:
            self.divisions = [d.code for d in look_around(self._client, config, zone, ()).divisions]

    def all(self) -> Iterator[Subscription]:
        """All subscriptions of this application."""
        select = {"$select": "ID,Topic,CallbackURL,ClientID"}
        for division in self.divisions:
            for page in walk(self._client, division, _ENDPOINT, select):
                for row in page:
                    yield Subscription(str(row["ID"]), division, str(row["Topic"]), str(row["CallbackURL"]))

    def add(self, division: int, topic: str) -> bool:
        """Subscribe to a topic; False when there is a subscription already.

        Raises:
            UserError: The address is not set, or Exact Online does not reach it.
        """
        url = self._config.get("webhook_callback_url")
        if not url:
            raise UserError(
                "webhook_callback_url: needed here, the public address under which the receiver runs"
            )
        response = self._send("POST", division, "", {"Topic": topic, "CallbackURL": url})
        if response.status_code in {HTTPStatus.OK, HTTPStatus.CREATED}:
            return True
        if "already exists" in response.text:
            return False
        raise UserError(
            f"{topic} of division {division} was not subscribed: {response.status_code}{said(response)}. The receiver "
            f"must run under {url} meanwhile, because Exact Online calls it before it agrees"
        )

    def remove(self, subscription: Subscription) -> None:
        """Unsubscribe.

        Raises:
            UserError: Exact Online refuses.
        """
        response = self._send("DELETE", subscription.division, f"(guid'{subscription.id}')", None)
        if response.status_code not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND}:
            raise UserError(
                f"{subscription.topic} of division {subscription.division} was not unsubscribed: "
                f"{response.status_code}{said(response)}"
            )

    def _send(
        self, method: str, division: int, key: str, body: Mapping[str, Any] | None
    ) -> requests.Response:
        self._client.limits.before(division, _ENDPOINT)
        headers = {"Authorization": f"Bearer {self._tokens.credentials()}"}
        url = self._client.url(division, _ENDPOINT) + key
        try:
            response = self._client.session.request(
                method, url, headers=headers, json=body, timeout=_TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise ServerTroubleError(
                f"{method} {_ENDPOINT}: the connection failed ({type(error).__name__})"
            ) from None
        self._client.limits.note(division, response)
        if response.status_code in {400, 401, 403, 404}:
            self._client.limits.failed(division, _ENDPOINT, response.status_code)
        return response
