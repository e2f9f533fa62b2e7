"""What every method of the REST API has in common: version, session, site, access scope, Cloud's caps."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import re
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from tests.sandbox.tableau.auth import Session, Sessions
from tests.sandbox.tableau.errors import TableauError, not_found
from tests.sandbox.tableau.events import Deliveries
from tests.sandbox.tableau.hyper import Engine
from tests.sandbox.tableau.jobs import Jobs
from tests.sandbox.tableau.state import State
from tests.sandbox.tableau.wire import error_answer, parse_request

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

    from tests.sandbox.tableau.model import User
    from tests.sandbox.tableau.switches import Switches

OLDEST_VERSION = (2, 0)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
READ = "tableau:content:read"

PRODUCTS = {
    "3.29": ("2026.2.0", "20262.26.0601.0000"),
    "3.28": ("2026.1.0", "20261.26.0301.0000"),
    "3.24": ("2024.3.0", "20243.24.1010.1014"),
    "3.13": ("2021.3.0", "20213.21.0903.0000"),
    "3.12": ("2021.2.0", "20212.21.0602.0000"),
    "3.4": ("2019.2.0", "20192.19.0515.0000"),
}
"""REST version → product version and build."""


def version_of(text: str) -> tuple[int, int]:
    """Read a REST version for comparison.

    Raises:
        TableauError: 404001, when it is none.
    """
    if not re.fullmatch(r"\d{1,2}\.\d{1,3}", text):
        raise not_found(f"Invalid API version '{text}'.", "404001")
    major, minor = text.split(".")
    return int(major), int(minor)


class Service:
    """The server without its URLs."""

    def __init__(self, directory: Path, switches: Switches) -> None:
        self.switches = switches
        self.state = State(directory, switches)
        self.sessions = Sessions(self.state, switches)
        self.engine = Engine()
        self.deliveries = Deliveries(self.state)
        self.jobs = Jobs(self.state, self.announce)
        self._spent: dict[str, collections.deque[dt.datetime]] = collections.defaultdict(collections.deque)

    @property
    def version(self) -> tuple[int, int]:
        """The newest REST version that this server speaks."""
        return version_of(self.switches.api_version)

    def announce(self, event: str, identifier: str, name: str) -> None:
        """Tell whoever listens that something happened to a data source or a workbook."""
        self.deliveries.announce(event, identifier, name)

    def check_version(self, text: str) -> tuple[int, int]:
        """Refuse versions that this server does not speak.

        Raises:
            TableauError: 404001.
        """
        version = version_of(text)
        if not OLDEST_VERSION <= version <= self.version:
            raise not_found(f"The API version {text} is not supported by this server.", "404001")
        return version

    def spend(self, what: str, cap: int | None, span: dt.timedelta) -> None:
        """Count a call against one of Tableau Cloud's caps.

        Raises:
            TableauError: 429000, naming the minutes to wait.
        """
        if cap is None:
            return
        now = self.switches.clock()
        spent = self._spent[what]
        while spent and now - spent[0] >= span:
            spent.popleft()
        if len(spent) >= cap:
            wait = span - (now - spent[0])
            raise TableauError(
                "429000",
                "Too Many Requests",
                f"Too many requests for 'api.rest.{what}'. Please retry after {-(-wait // MINUTE)} minutes.",
                headers={"retry-after": str(int(wait.total_seconds()) + 1)}
                if self.switches.retry_after
                else {},
            )
        spent.append(now)


@dataclasses.dataclass(frozen=True)
class Context:
    """One authorised call."""

    service: Service
    request: Request
    session: Session
    version: tuple[int, int]

    @property
    def state(self) -> State:
        """What the server holds."""
        return self.service.state

    @property
    def switches(self) -> Switches:
        """How the server behaves."""
        return self.service.switches

    @property
    def user(self) -> User:
        """Who is calling."""
        return self.session.user

    @property
    def query(self) -> QueryParams:
        """The decoded query string."""
        return self.request.query_params

    def part(self, name: str) -> str:
        """A variable part of the path."""
        value: str = self.request.path_params[name]
        return value

    async def xml(self) -> ET.Element:
        """The body, as a `<tsRequest>`."""
        return parse_request(await self.request.body())


if TYPE_CHECKING:
    Handler = Callable[[Context], Awaitable[Response]]


@dataclasses.dataclass(frozen=True)
class Rule:
    """One method of the API.

    Attributes:
        method: HTTP method.
        path: What follows `/api/{version}/sites/{site}`.
        handler: Answers it.
        scope: What a connected app's token must be allowed to do.
        since: First REST version that has it; older servers and older URLs answer 404003.
    """

    method: str
    path: str
    handler: Handler
    scope: str = READ
    since: tuple[int, int] = OLDEST_VERSION


async def obey(service: Service, rule: Rule, request: Request) -> Response:
    """Answer one call to a rule, in XML also when it fails."""
    try:
        version = service.check_version(request.path_params["version"])
        if version < rule.since:
            raise not_found("The requested resource is not available in this API version.", "404003")
        session = service.sessions.require(request.headers.get("x-tableau-auth"))
        if request.path_params["site"] != service.state.index.site:
            raise not_found("The site ID in the URI does not correspond to an existing site.", "404000")
        _check_scope(session, rule.scope)
        return await rule.handler(Context(service, request, session, version))
    except TableauError as error:
        await _read_to_the_end(request)
        return error_answer(error)


async def _read_to_the_end(request: Request) -> None:
    """Read what is left of a body, so that a client that is still sending gets to see the answer."""
    # Starlette refuses to stream a body twice; then there is nothing left to read.
    with contextlib.suppress(RuntimeError, ClientDisconnect):
        async for _ in request.stream():
            pass


def _check_scope(session: Session, wanted: str) -> None:
    """A connected app's token that lacks the scope is treated as no credentials at all."""
    if session.scopes is None or wanted in session.scopes:
        return
    area = wanted.rsplit(":", 1)[0] + ":*"
    if area not in session.scopes:
        raise TableauError(
            "401002", "Unauthorized Access", f"Invalid authentication credentials: scope {wanted} is missing."
        )
