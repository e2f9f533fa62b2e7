"""Raw calls to the site for its own tests: `requests`, nothing of any tap."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

import requests

from tests.sandbox.acumatica import CLIENT_ID, CLIENT_SECRET, INSTANCE, PASSWORD, TENANT, USER_NAME

if TYPE_CHECKING:
    from tests.sandbox.acumatica.app import AcumaticaSite
    from tests.sandbox.company.world import World

_TIMEOUT = 30
Json = dict[str, Any]


@dataclasses.dataclass
class Visitor:
    """Somebody with a bearer, once signed in.

    Attributes:
        version: Version of the endpoint `Default` that entity calls go to.
    """

    url: str
    app: AcumaticaSite
    world: World
    version: str = "24.200.001"
    bearer: str | None = None

    @property
    def base(self) -> str:
        """Address of the instance."""
        return f"{self.url}/{INSTANCE}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request below the instance, signed if there is a bearer; redirects are not followed."""
        headers = {**({"Authorization": f"Bearer {self.bearer}"} if self.bearer else {})}
        headers |= options.pop("headers", {})
        return requests.request(
            method, f"{self.base}{path}", headers=headers, timeout=_TIMEOUT, allow_redirects=False, **options
        )

    def token(self, **changes: str) -> requests.Response:
        """A token request by password, with changes."""
        form = {
            "grant_type": "password",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "username": USER_NAME,
            "password": PASSWORD,
            "scope": "api offline_access",
            **changes,
        }
        return self.call("POST", "/identity/connect/token", data=form)

    def refresh(self, refresh_token: str) -> requests.Response:
        """A token request by refresh token."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def sign_in(self, **changes: str) -> Visitor:
        """Another visitor with a bearer of their own."""
        answer = self.token(**changes)
        assert answer.status_code == 200, answer.text
        return dataclasses.replace(self, bearer=answer.json()["access_token"])

    def log_in(self, **fields: str) -> requests.Response:
        """A cookie login."""
        body = {"name": USER_NAME, "password": PASSWORD, "tenant": TENANT, **fields}
        return self.call("POST", "/entity/auth/login", json=body)

    def log_out(self) -> requests.Response:
        """End the bearer's session."""
        return self.call("POST", "/entity/auth/logout")

    def ask(self, entity: str, **options: Any) -> requests.Response:
        """GET an entity; `options` are query options without `$`, and `headers`."""
        headers = options.pop("headers", {})
        params = {f"${name}": str(value) for name, value in options.items()}
        return self.call("GET", f"/entity/Default/{self.version}/{entity}", params=params, headers=headers)

    def rows(self, entity: str, **options: Any) -> list[Json]:
        """The rows of a list that must succeed."""
        answer = self.ask(entity, **options)
        assert answer.status_code == 200, answer.text
        return cast("list[Json]", answer.json())

    def inquire(self, entity: str, body: object, **options: str) -> requests.Response:
        """PUT an inquiry."""
        params = {f"${name}": value for name, value in options.items()}
        return self.call("PUT", f"/entity/Default/{self.version}/{entity}", params=params, json=body)

    def dac(
        self, path: str, *, root: str = f"/t/{TENANT}/api/odata/dac", **options: Any
    ) -> requests.Response:
        """GET from DAC-based OData."""
        headers = options.pop("headers", {})
        params = {f"${name}": str(value) for name, value in options.items()}
        return self.call("GET", f"{root}/{path}", params=params, headers=headers)

    def dac_rows(self, path: str, **options: Any) -> list[Json]:
        """The rows of a DAC list that must succeed."""
        answer = self.dac(path, **options)
        assert answer.status_code == 200, answer.text
        return cast("list[Json]", answer.json()["value"])


def plain(record: Json, name: str) -> Any:
    """The value inside a wrapper; None for an empty one."""
    return record[name].get("value")


def values(records: list[Json], name: str) -> list[Any]:
    """One field of many records."""
    return [plain(record, name) for record in records]
