"""Tells people: by Apprise, which knows mail, chat and pager services by their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from target_tableau.errors import SettingError, TargetTableauError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_tableau.incidents import Health

_SECONDS = 20


def send(urls: Sequence[str], health: Health, source: str) -> None:
    """Send one message about what has begun and what is over.

    Raises:
        SettingError: Apprise is not installed, or does not know an address.
        TargetTableauError: It could not be delivered; the next look sends it again.
    """
    try:
        import apprise  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as missing:
        raise SettingError(
            "alert_urls needs the package apprise: install target-tableau[alerts]."
        ) from missing
    messenger = apprise.Apprise()
    for number, url in enumerate(urls, 1):
        if not messenger.add(url):
            raise SettingError(
                f"alert_urls: Apprise does not know address {number} (it is not shown here, for it may hold a secret). "
                "Its documentation lists how addresses are written."
            )
    lines = [f"- {incident.told}" for incident in health.begun]
    lines += [f"- Over: {incident.told}" for incident in health.over]
    count = len(health.begun)
    what = (
        f"{count} new incident{'' if count == 1 else 's'}" if count else "all incidents told of here are over"
    )
    title = f"Tableau data of {source}: {what}" if source else f"Tableau data: {what}"
    kind = apprise.NotifyType.FAILURE if health.begun else apprise.NotifyType.SUCCESS
    if not messenger.notify(title=title, body="\n".join(lines), notify_type=kind):
        raise TargetTableauError(
            "An alert could not be delivered to every address; it is sent again next time."
        )


def beat(url: str) -> None:
    """Call the heartbeat address.

    Raises:
        TargetTableauError: It does not answer well.
    """
    try:
        requests.get(url, timeout=_SECONDS).raise_for_status()
    except requests.RequestException as failure:
        status = f"HTTP {failure.response.status_code}" if failure.response is not None else "no answer"
        raise TargetTableauError(f"The heartbeat address did not take the call: {status}.") from failure
