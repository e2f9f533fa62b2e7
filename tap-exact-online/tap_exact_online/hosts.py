"""Where Exact Online lives: every country is an instance of its own, with its own applications and users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tap_exact_online.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

REGIONS: Final = ("nl", "be", "de", "fr", "es", "co.uk", "com")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def address_of(config: Mapping[str, Any]) -> str:
    """The address of the configured country, without a slash at its end.

    Raises:
        UserError: `api_url` is not an address that credentials may be sent to.
    """
    given = str(config.get("api_url") or "").strip().rstrip("/")
    if not given:
        return f"https://start.exactonline.{config.get('region') or 'nl'}"
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        raise UserError("api_url: use the form https://host, without a path")
    if parts.username or parts.password:
        raise UserError("api_url: leave user name and password out of the address")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UserError("api_url: use https, or everybody on the way can read the tokens")
    return given
