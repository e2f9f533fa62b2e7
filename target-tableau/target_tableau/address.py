"""Where a Tableau site is, from what a user is likely to have at hand."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import unquote, urlsplit

from target_tableau.errors import SettingError


@dataclasses.dataclass(frozen=True)
class Address:
    """Where a site is: the server's base URL and the site's content URL ("" is Server's default site)."""

    server_url: str
    site: str


def parse_address(server_url: str, site: str | None) -> Address:
    """Read a server URL, which may have been pasted from a browser (`https://host/#/site/finance/home`).

    Raises:
        SettingError: It is no http(s) URL, or names another site than the setting `site`.
    """
    parts = urlsplit(server_url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingError(
            f"server_url '{server_url}' is not a URL. Set it to the address of Tableau, like "
            "https://10ax.online.tableau.com or https://tableau.example.com."
        )
    path, fragment = parts.path, parts.fragment
    pasted = _site_in(fragment) or _site_in(path)
    if pasted is not None and site and site != pasted:
        raise SettingError(
            f"server_url names the site '{pasted}' but the setting site is '{site}'. Remove one."
        )
    base = re.split(r"/(?:site|t)/", path)[0].rstrip("/")
    return Address(f"{parts.scheme}://{parts.netloc}{base}", site or pasted or "")


def _site_in(path: str) -> str | None:
    words = [unquote(word) for word in path.split("/") if word]
    for position, word in enumerate(words[:-1]):
        if word in {"site", "t"}:
            return words[position + 1]
    return None
