"""The webhooks that Tableau keeps for us: made, listed, tried and removed. For site and server administrators only."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import tableauserverclient as tsc

from target_tableau.errors import SettingError, TableauError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from target_tableau.client import TableauClient
    from target_tableau.settings import Settings

_Result = TypeVar("_Result")

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,200}")
_SOURCE = "webhook-source-event-"
_MAKE_ONE = "Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'."


def token_of(settings: Settings) -> str:
    """The secret of the receiver's address.

    Raises:
        SettingError: There is none, or one that can be guessed or does not fit an address.
    """
    token = settings.webhook_token
    if token is None:
        raise SettingError(f"webhook_token is not set. {_MAKE_ONE}")
    if not _TOKEN.fullmatch(token):
        raise SettingError(f"webhook_token must be 32 or more letters, digits, _ and -. {_MAKE_ONE}")
    return token


@dataclasses.dataclass(frozen=True)
class Webhook:
    """A webhook of ours as Tableau keeps it.

    Attributes:
        luid: Its id.
        event: What it tells of, such as WorkbookRefreshFailed.
        url: Where it tells it, with the token.
        enabled: Whether it does.
        reason: Why it does not.
    """

    luid: str
    event: str
    url: str
    enabled: bool
    reason: str

    def shown(self, token: str | None) -> str:
        """A line about it that does not show the token."""
        place = self.url if token is None else self.url.replace(token, "(token)")
        if token is None or token not in self.url:
            place = self.url.rpartition("/")[0] + "/(another token)"
        state = "" if self.enabled else f", switched off ({self.reason or 'no reason is told'})"
        return f"{self.event}: {place}{state}"


class Subscriptions:
    """Works on the webhooks whose address is that of the setting `webhook_url`.

    Args:
        client: Signed in.
        settings: The target's settings.

    Raises:
        SettingError: `webhook_url` is missing or is no web address.
    """

    def __init__(self, client: TableauClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._base = (settings.webhook_url or "").rstrip("/")
        if urlsplit(self._base).scheme not in {"https", "http"}:
            raise SettingError(
                "webhook_url must be the https address under which target-tableau-webhooks serve is reached."
            )

    def all(self) -> list[Webhook]:
        """Those of ours.

        Raises:
            TableauError: This user is no administrator, or Tableau cannot be asked.
        """
        webhooks = self._client.server.webhooks
        root = self._asked(lambda: self._client.document(webhooks.baseurl, "list the webhooks"))
        found = [_read(element) for element in root.iter("{*}webhook")]
        return [each for each in found if each.url.rpartition("/")[0] == self._base]

    def register(self) -> list[str]:
        """Make what is missing and replace what has another token or is switched off; a line about each event."""
        url = f"{self._base}/{token_of(self._settings)}"
        held = self.all()
        lines = []
        for event in self._settings.webhook_events:
            same = [each for each in held if each.event == event]
            if any(each.url == url and each.enabled for each in same):
                lines.append(f"{event}: was registered already")
                continue
            for each in same:
                self._delete(each)
            self._create(event, url)
            lines.append(f"{event}: registered{' anew' if same else ''}")
        return lines

    def _create(self, event: str, url: str) -> None:
        item = tsc.WebhookItem()
        item.name = f"target-tableau {event}"
        item.event = re.sub(r"(?<!^)(?=[A-Z])", "-", event).lower()
        item.url = url
        create, what = self._client.server.webhooks.create, f"register a webhook for {event}"
        self._asked(lambda: self._client.call(lambda: create(item), what, idempotent=False))

    def test(self) -> list[tuple[Webhook, int]]:
        """Have Tableau call each; with the status that it was answered."""
        tested = []
        for each in self.all():
            result = self._tested(each).find("{*}webhookTestResult")
            status = "" if result is None else result.get("status", "")
            tested.append((each, int(status) if status.isdecimal() else 0))
        return tested

    def _tested(self, webhook: Webhook) -> etree._Element:
        url = f"{self._client.server.webhooks.baseurl}/{webhook.luid}/test"
        return self._asked(lambda: self._client.document(url, f"test the webhook for {webhook.event}"))

    def remove(self) -> list[Webhook]:
        """Remove all, and tell which they were."""
        held = self.all()
        for each in held:
            self._delete(each)
        return held

    def _delete(self, webhook: Webhook) -> None:
        try:
            delete, what = self._client.server.webhooks.delete, f"remove the webhook for {webhook.event}"
            self._asked(lambda: self._client.call(lambda: delete(webhook.luid), what))
        except TableauError as refusal:
            if not refusal.code.startswith("404"):  # somebody else was quicker
                raise

    @staticmethod
    def _asked(action: Callable[[], _Result]) -> _Result:
        """Do something, and say whom it is for where it is refused.

        Raises:
            TableauError: It did not work.
        """
        try:
            return action()
        except TableauError as refusal:
            if refusal.code.startswith("403"):
                raise TableauError(
                    f"{refusal} Webhooks are for site and server administrators: sign in as one for this command.",
                    refusal.code,
                ) from refusal
            raise


def _read(element: etree._Element) -> Webhook:
    source = next(
        (
            tag.removeprefix(_SOURCE)
            for tag in (str(node.tag).rpartition("}")[2] for node in element.iter())
            if tag.startswith(_SOURCE)
        ),
        "",
    )
    destination = element.find(".//{*}webhook-destination-http")
    return Webhook(
        luid=element.get("id", ""),
        event=element.get("event") or "".join(part.title() for part in source.split("-")),
        url="" if destination is None else destination.get("url", ""),
        enabled=element.get("isEnabled", "true") == "true",
        reason=element.get("statusChangeReason", ""),
    )
