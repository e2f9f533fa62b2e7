"""The three ways to sign in to Tableau, and what to check when one is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import TYPE_CHECKING

import jwt
import tableauserverclient as tsc

if TYPE_CHECKING:
    from target_tableau.settings import Settings

_LIFE = dt.timedelta(minutes=5)  # Tableau takes at most ten (connected apps, "Configure access scopes")
_SCOPES = [
    "tableau:content:read",
    "tableau:datasources:create",
    "tableau:datasources:update",
    "tableau:datasources:download",
    "tableau:datasource_tags:update",
    "tableau:file_uploads:create",
    "tableau:groups:read",
    "tableau:hyper_data:update",
    "tableau:jobs:read",
    "tableau:jobs:update",
    "tableau:projects:create",
    "tableau:tasks:run",
]


@dataclasses.dataclass(frozen=True)
class Token:
    """A personal access token. Signing in with it ends the session of whoever else uses it."""

    name: str
    value: str = dataclasses.field(repr=False)

    def request(self, site: str) -> tsc.PersonalAccessTokenAuth:
        """The sign-in request for a site."""
        return tsc.PersonalAccessTokenAuth(self.name, self.value, site)

    @property
    def shared(self) -> str:
        """Who may have ended a session of ours."""
        return f"Somebody else signs in with the token '{self.name}'; give every pipeline a token of its own."

    @property
    def check(self) -> str:
        """What to look at when the sign-in is refused."""
        return (
            "check token_name, token_value and site. A token ends after 15 days without use or on its last day; make "
            "a new one under My Account Settings"
        )


@dataclasses.dataclass(frozen=True)
class ConnectedApp:
    """A connected app with direct trust, which signs in as a user by a JSON Web Token made for each sign-in."""

    client_id: str
    secret_id: str
    secret_value: str = dataclasses.field(repr=False)
    user: str
    more_scopes: tuple[str, ...] = ()

    def request(self, site: str) -> tsc.JWTAuth:
        """The sign-in request for a site; its token lives for some minutes."""
        now = dt.datetime.now(dt.UTC)
        claims = {
            "iss": self.client_id,
            "sub": self.user,
            "aud": "tableau",
            "exp": now + _LIFE,
            "jti": str(uuid.uuid4()),
            "scp": [*_SCOPES, *self.more_scopes],
        }
        headers = {"kid": self.secret_id, "iss": self.client_id}
        return tsc.JWTAuth(jwt.encode(claims, self.secret_value, "HS256", headers), site_id=site)

    @property
    def shared(self) -> str:
        """Who may have ended a session of ours."""
        return "Look at the site's limits for connected apps."

    @property
    def check(self) -> str:
        """What to look at when the sign-in is refused."""
        return (
            "check the four connected_app settings and site, that the app is enabled and allowed for the project, that "
            f"the user '{self.user}' is written as in Tableau (on Cloud the mail address), and this machine's clock"
        )


@dataclasses.dataclass(frozen=True)
class Password:
    """User name and password; Tableau Cloud with multi-factor sign-in refuses them."""

    username: str
    password: str = dataclasses.field(repr=False)

    def request(self, site: str) -> tsc.TableauAuth:
        """The sign-in request for a site."""
        return tsc.TableauAuth(self.username, self.password, site)

    @property
    def shared(self) -> str:
        """Who may have ended a session of ours."""
        return "Ask the administrator of the server."

    @property
    def check(self) -> str:
        """What to look at when the sign-in is refused."""
        return (
            "check username, password and site; Tableau Cloud with multi-factor sign-in wants a token instead"
        )


Credentials = Token | ConnectedApp | Password


def credentials_of(settings: Settings) -> Credentials:
    """The way to sign in that the settings give.

    Raises:
        SettingError: They give none, half of one, or several.
    """
    names = settings.sign_in_names()
    ways: dict[str, type[Credentials]] = {
        "token_name": Token,
        "connected_app_client_id": ConnectedApp,
        "username": Password,
    }
    return ways[names[0]](*(getattr(settings, name) for name in names))
