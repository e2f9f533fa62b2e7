"""Raw calls to the site for its own tests: `requests`, nothing of any tap."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import requests

from tests.sandbox.exact_online import CLIENT_ID, CLIENT_SECRET, DIVISIONS, REDIRECT_URI, SEED_REFRESH_TOKEN

if TYPE_CHECKING:
    from tests.sandbox.company.world import World
    from tests.sandbox.exact_online.app import ExactOnlineSite

_TIMEOUT = 30
_BOUNDED = 200  # pages
JSON = {"Accept": "application/json"}
Json = dict[str, Any]


@dataclasses.dataclass
class Visitor:
    """Somebody with a bearer, once signed in.

    Attributes:
        division: Where the calls go.
    """

    url: str
    site: ExactOnlineSite
    world: World
    division: int = DIVISIONS["HQ"]
    bearer: str | None = None

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request, signed if there is a bearer; redirects are not followed."""
        headers = {**({"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}), **JSON}
        headers |= options.pop("headers", {})
        url = path if path.startswith("http") else f"{self.url}{path}"
        return requests.request(
            method, url, headers=headers, timeout=_TIMEOUT, allow_redirects=False, **options
        )

    def token(self, **changes: str) -> requests.Response:
        """A token request with the first refresh token, with changes."""
        form = {
            "grant_type": "refresh_token",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": SEED_REFRESH_TOKEN,
            **changes,
        }
        return self.call("POST", "/api/oauth2/token", data=form)

    def consent(self, **changes: str) -> requests.Response:
        """The redirect that follows the user's consent."""
        params = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "state": "s t&te",
            **changes,
        }
        return self.call("GET", "/api/oauth2/auth", params=params)

    def code(self) -> str:
        """A fresh authorisation code, decoded."""
        return parse_qs(urlsplit(self.consent().headers["location"]).query)["code"][0]

    def sign_in(self) -> Visitor:
        """The same visitor with a bearer."""
        answer = self.token()
        assert answer.status_code == 200, answer.text
        self.bearer = answer.json()["access_token"]
        return self

    def sign_in_again(self) -> Visitor:
        """The same visitor with the bearer of another consent, however much time went by."""
        answer = self.token(grant_type="authorization_code", code=self.code(), redirect_uri=REDIRECT_URI)
        assert answer.status_code == 200, answer.text
        self.bearer = answer.json()["access_token"]
        return self

    def ask(self, path: str, **options: Any) -> requests.Response:
        """GET below the division; `options` are query options without `$`, and `headers`."""
        headers = options.pop("headers", {})
        query = "&".join(f"${name}={quote(str(value))}" for name, value in options.items())
        address = f"/api/v1/{self.division}/{path}" + (f"?{query}" if query else "")
        return self.call("GET", address, headers=headers)

    def page(self, path: str, **options: Any) -> Any:
        """What stands in `d` of a list that must succeed."""
        answer = self.ask(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["d"]

    def first(self, path: str) -> Json:
        """The first row of a list, with all its properties; a `$top` takes the `results` away."""
        (row,) = self.page(path, top=1)
        assert isinstance(row, dict)
        return row

    def rows(self, path: str, **options: Any) -> list[Json]:
        """All rows of a list that must succeed, page by page."""
        page = self.page(path, **options)
        if isinstance(page, list):
            return page
        rows: list[Json] = list(page["results"])
        for _ in range(_BOUNDED):
            if "__next" not in page:
                return rows
            answer = self.call("GET", page["__next"])
            assert answer.status_code == 200, answer.text
            page = answer.json()["d"]
            rows += page["results"]
        raise AssertionError("the list does not end")


def message(answer: requests.Response) -> str:
    """The text of an error."""
    return str(answer.json()["error"]["message"]["value"])


def milliseconds(stamp: str) -> int:
    """The number in `/Date(ms)/`."""
    found = re.fullmatch(r"/Date\((-?\d+)\)/", stamp)
    assert found, stamp
    return int(found[1])
