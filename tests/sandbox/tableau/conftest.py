"""A server of its own for each test, the real client library, and a Hyper process to make files with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
import requests
import tableauserverclient as tsc
from tableauhyperapi import Connection, CreateMode, HyperProcess, Telemetry

from tests.sandbox import tableau
from tests.sandbox.serving import serve
from tests.sandbox.tableau.app import TableauApp, create_app
from tests.sandbox.tableau.hyper import Engine
from tests.sandbox.tableau.switches import Switches
from tests.sandbox.tableau.wire import NAMESPACE, parse_request

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

TABLE = 'CREATE TABLE "Extract"."Extract" (id BIGINT, note TEXT, amount NUMERIC(18, 2), booked DATE)'
ROWS = "INSERT INTO \"Extract\".\"Extract\" VALUES (1, 'one', 1.10, '2026-01-01'), (2, 'two', 2.20, '2026-02-01')"


@dataclasses.dataclass
class Files:
    """Makes and reads .hyper files."""

    process: HyperProcess
    folder: Path

    def make(self, *statements: str, name: str = "bills.hyper", version: int = 2) -> Path:
        """A file made by SQL, in the schema `Extract`; by default one table with two rows."""
        path = self.folder / name
        plain = self.folder / f"plain-{name}"
        path.unlink(missing_ok=True)
        with Connection(self.process.endpoint, plain, CreateMode.CREATE_AND_REPLACE) as connection:
            connection.execute_command('CREATE SCHEMA "Extract"')
        with Connection(self.process.endpoint) as connection:
            connection.execute_command(
                f"CREATE DATABASE '{path}' WITH VERSION {version} FROM '{plain}'".replace("'", '"')
            )
        with Connection(self.process.endpoint, path) as connection:
            for statement in statements or (TABLE, ROWS):
                connection.execute_command(statement)
        return path

    def query(
        self, path: Path, sql: str = 'SELECT id, note FROM "Extract"."Extract" ORDER BY id, note'
    ) -> list[list[object]]:
        """Rows of a query on a copy of a file."""
        copy = self.folder / "copy.hyper"
        copy.write_bytes(path.read_bytes())
        with Connection(self.process.endpoint, copy) as connection:
            return [list(row) for row in connection.execute_list_query(sql)]


@pytest.fixture(scope="session")
def hyper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HyperProcess]:
    parameters = {"log_config": "", "domain_socket_dir": str(tmp_path_factory.mktemp("h"))}
    with HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters=parameters) as process:
        yield process


@pytest.fixture
def files(hyper: HyperProcess, tmp_path: Path) -> Files:
    return Files(hyper, tmp_path)


class Switchboard:
    """Serves whichever application the running test has: one port and one Hyper process for all tests."""

    def __init__(self) -> None:
        self.app: TableauApp | None = None
        self.engine = Engine()
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def switchboard() -> Iterator[Switchboard]:
    board = Switchboard()
    with serve(board) as board.url:
        yield board
    board.engine.close()


@pytest.fixture
def app(tmp_path: Path, switchboard: Switchboard) -> Iterator[TableauApp]:
    made = create_app(tmp_path / "server", switches=Switches(job_polls=0))
    made.service.engine = switchboard.engine
    switchboard.app = made
    yield made
    switchboard.app = None


@pytest.fixture
def url(app: TableauApp, switchboard: Switchboard) -> str:
    assert switchboard.app is app
    return switchboard.url


def pat(name: str = tableau.TOKEN_NAME, secret: str = tableau.TOKEN_VALUE) -> tsc.PersonalAccessTokenAuth:
    """Credentials of a personal access token for the site."""
    return tsc.PersonalAccessTokenAuth(name, secret, tableau.SITE)


@dataclasses.dataclass
class Client:
    """The real client library, signed in, and raw requests with the same session token."""

    server: tsc.Server
    url: str

    def raw(self, method: str, path: str, **options: object) -> Reply:
        """Send a request below the site's URL."""
        headers = {"X-Tableau-Auth": self.server.auth_token, **options.pop("headers", {})}  # type: ignore[dict-item]
        address = f"{self.server.baseurl}/sites/{self.server.site_id}{path}"
        answered = requests.request(method, address, headers=headers, timeout=30, **options)  # type: ignore[arg-type]
        return Reply(answered)

    def project(self, name: str = tableau.PROJECT) -> str:
        """The id of a project."""
        return str(next(p.id for p in tsc.Pager(self.server.projects) if p.name == name))

    def publish(
        self, path: Path, name: str = "AP Bills", mode: str = "Overwrite", project: str = tableau.PROJECT
    ) -> Published:
        """Publish a file in one request."""
        item = tsc.DatasourceItem(self.project(project), name=name)
        made = self.server.datasources.publish(item, str(path), mode)
        assert made.id
        assert made.name
        return Published(made.id, made.name)


@dataclasses.dataclass(frozen=True)
class Published:
    """A published data source."""

    id: str
    name: str


class Reply:
    """An answer: its status, its error code, and its elements without their namespace."""

    def __init__(self, answered: requests.Response) -> None:
        self.response = answered
        self.status = answered.status_code

    @property
    def xml(self) -> ET.Element:
        body = self.response.content.replace(b"tsResponse", b"tsRequest")
        assert NAMESPACE.encode() in body
        return parse_request(body)

    @property
    def code(self) -> str:
        """The six digits of an error; "" when the answer is none."""
        error = self.xml.find("error")
        return "" if error is None else error.get("code", "")

    @property
    def detail(self) -> str:
        return self.xml.findtext("error/detail", "")

    def find(self, path: str) -> ET.Element:
        found = self.xml.find(path)
        assert found is not None, self.response.text
        return found


def sign_in(url: str, credentials: tsc.PersonalAccessTokenAuth | tsc.TableauAuth | tsc.JWTAuth) -> Client:
    """Sign the real client library in, as it would on a real server."""
    server = tsc.Server(url, use_server_version=True, http_options={"timeout": 30})
    server.auth.sign_in(credentials)
    return Client(server, url)


@pytest.fixture
def client(url: str) -> Client:
    return sign_in(url, pat())


@pytest.fixture
def admin(url: str) -> Client:
    return sign_in(url, pat(tableau.ADMIN_TOKEN_NAME, tableau.ADMIN_TOKEN_VALUE))


@pytest.fixture
def viewer(url: str) -> Client:
    return sign_in(url, pat(tableau.VIEWER_TOKEN_NAME, tableau.VIEWER_TOKEN_VALUE))


@pytest.fixture
def published(client: Client, files: Files) -> Published:
    return client.publish(files.make())


@pytest.fixture
def code_of() -> Callable[[Callable[[], object]], str]:
    """Calls the client library and returns the six digits of the error that it raises."""

    def call(action: Callable[[], object]) -> str:
        with pytest.raises(tsc.ServerResponseError) as raised:
            action()
        return str(raised.value.code)

    return call
