"""Raw calls to the server for its own tests: `requests`, nothing of any tap."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import requests

from tests.sandbox.epicor_kinetic import API_KEY, COMPANY, INSTANCE, PASSWORD, USER_NAME

if TYPE_CHECKING:
    from tests.sandbox.company.world import World
    from tests.sandbox.epicor_kinetic.app import KineticSite
    from tests.sandbox.epicor_kinetic.switches import Switches

_TIMEOUT = 30
Json = dict[str, Any]


@dataclasses.dataclass
class Visitor:
    """Somebody with an API key and a password.

    Attributes:
        company: Epicor company that calls go to.
        headers: What goes along with every call.
        auth: User and password; None: no Basic header.
    """

    url: str
    app: KineticSite
    world: World
    company: str = COMPANY
    headers: dict[str, str] = dataclasses.field(
        default_factory=lambda: {"x-api-key": API_KEY, "Accept": "application/json"}
    )
    auth: tuple[str, str] | None = (USER_NAME, PASSWORD)
    session: requests.Session = dataclasses.field(default_factory=requests.Session)

    @property
    def switches(self) -> Switches:
        """How the server behaves."""
        return self.app.switches

    @property
    def base(self) -> str:
        """Address of the instance."""
        return f"{self.url}/{INSTANCE}"

    def but(self, **changes: Any) -> Visitor:
        """Another visitor, with changes; `headers` are added, and None takes one away."""
        headers = {**self.headers, **changes.pop("headers", {})}
        kept = {name: value for name, value in headers.items() if value is not None}
        return dataclasses.replace(self, headers=kept, **changes)

    def call(self, method: str, url: str, **options: Any) -> requests.Response:
        """One request to any address."""
        headers = {**self.headers, **options.pop("headers", {})}
        return self.session.request(
            method, url, headers=headers, auth=self.auth, timeout=_TIMEOUT, allow_redirects=False, **options
        )

    def ask(self, path: str, *pairs: tuple[str, str], **options: object) -> requests.Response:
        """GET below the company, `VendorSvc/Vendors`; `options` are query options without `$`."""
        service = path if path.startswith(("BaqSvc", "Ice.", "Erp.")) else f"Erp.BO.{path}"
        query = [f"${name}={quote(str(value))}" for name, value in options.items()]
        query += [f"{name}={quote(value)}" for name, value in pairs]
        address = f"{self.base}/api/v2/odata/{quote(self.company)}/{service}"
        return self.call("GET", address + ("?" + "&".join(query) if query else ""))

    def rows(self, path: str, *pairs: tuple[str, str], **options: object) -> list[Json]:
        """The rows of a list that must succeed."""
        answer = self.ask(path, *pairs, **options)
        assert answer.status_code == 200, answer.text
        return cast("list[Json]", answer.json()["value"])

    def all_rows(self, path: str, company: str | None = None, size: int = 1000) -> list[Json]:
        """Every row, by keyset."""
        who = self.but(company=company or self.company)
        found: list[Json] = []
        last = 0
        while page := who.rows(path, filter=f"SysRevID gt {last}", orderby="SysRevID asc", top=size):
            found += page
            last = int(page[-1]["SysRevID"])
        return found

    def token(self, **options: Any) -> requests.Response:
        """A token of `TokenResource.svc`; without options by the two headers."""
        chosen = options or {"headers": {"username": USER_NAME, "password": PASSWORD}}
        return self.but(auth=None).call("POST", f"{self.base}/TokenResource.svc/", **chosen)

    def refusal(self, path: str, *pairs: tuple[str, str], **options: object) -> tuple[int, str]:
        """Status and message of a call that must fail."""
        answer = self.ask(path, *pairs, **options)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, str(answer.json()["ErrorMessage"])
