from __future__ import annotations

import contextlib
import dataclasses
import functools
import shutil
import time
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import tableauserverclient as tsc
from lxml import etree

from target_tableau import delivery, publish
from target_tableau.client import TableauClient
from tests.sandbox import tableau
from tests.sandbox.serving import serve
from tests.sandbox.tableau.app import TableauApp, create_app
from tests.sandbox.tableau.model import Index
from tests.sandbox.tableau.switches import Switches
from tests.target_tableau.support import STATE, Books, Extracts, lend_engines, load, query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal
    from pathlib import Path

    from tests.sandbox.tableau.model import Datasource

Config = dict[str, Any]

CAPTION = "<column caption='Amount due' datatype='real' name='[amount]' role='measure' type='quantitative' />"
CALCULATION = (
    "<column caption='Double' datatype='real' name='[Calculation_1]' role='measure' type='quantitative'>"
    "<calculation class='tableau' formula='[amount] * 2' /></column>"
)


@dataclasses.dataclass
class Server:
    """The sandbox's Tableau Server, and what an author would do on it."""

    app: TableauApp
    url: str
    folder: Path

    def rows(self, name: str) -> dict[str, Decimal]:
        found = query(self.app.state.datasource(name), "SELECT ref, amount FROM {t}")
        return {ref: amount for ref, amount in found}  # noqa: C416

    def find(self, name: str, project: str = tableau.PROJECT) -> Datasource | None:
        return self.app.state.find_datasource(name, self.app.state.project(project).id)

    def get(self, name: str) -> Datasource:
        found = self.find(name)
        assert found is not None
        return found

    @property
    def settings(self) -> Config:
        """How a user tells the loader of it."""
        return {
            "server_url": self.url,
            "site": tableau.SITE,
            "project": tableau.PROJECT,
            "token_name": tableau.TOKEN_NAME,
            "token_value": tableau.TOKEN_VALUE,
        }

    @property
    def writes(self) -> list[str]:
        return [write.kind for write in self.app.state.writes]

    def writes_of(self, action: str) -> int:
        return self.writes.count(action)

    def document(self, name: str) -> str:
        """The .tds that somebody who downloads the data source gets."""
        with self._author() as author, zipfile.ZipFile(self._download(author, name)) as archive:
            return archive.read(
                next(entry for entry in archive.namelist() if entry.endswith(".tds"))
            ).decode()

    def add_to_document(self, name: str, *columns: str) -> None:
        """Save the data source with captions and calculations, as an author does in Tableau."""

        def save(root: etree._Element) -> None:
            for column in columns:
                _save_column(root, etree.fromstring(column))

        self.edit(name, save)

    def edit(self, name: str, change: Callable[[etree._Element], object]) -> None:
        """Save the data source as an author does who changes its document."""
        with self._author() as author:
            before = self._download(author, name)
            after = before.with_name("saved.tdsx")
            with zipfile.ZipFile(before) as old, zipfile.ZipFile(after, "w") as new:
                for entry in old.namelist():
                    content = old.read(entry)
                    if entry.endswith(".tds"):
                        root = etree.fromstring(content)
                        change(root)
                        content = etree.tostring(root, encoding="utf-8", xml_declaration=True)
                    new.writestr(entry, content)
            item = tsc.DatasourceItem(self.app.state.project(tableau.PROJECT).id, name)
            author.datasources.publish(item, str(after), tsc.Server.PublishMode.Overwrite)

    def _author(self) -> Any:
        server = tsc.Server(self.url, use_server_version=True)
        token = tsc.PersonalAccessTokenAuth(
            tableau.SECOND_TOKEN_NAME, tableau.SECOND_TOKEN_VALUE, tableau.SITE
        )
        return _SignedIn(server, token)

    def _download(self, author: Any, name: str) -> Path:
        place = self.folder / f"download-{time.monotonic_ns()}"
        place.mkdir()
        path: Path = place / author.datasources.download(self.get(name).id, str(place))
        return path


def _save_column(root: etree._Element, column: etree._Element) -> None:
    """Put a column in the place of the one of its name, or behind the others."""
    for present in root.findall("column"):
        if present.get("name") == column.get("name"):
            root.replace(present, column)
            return
    before = {"document-format-change-manifest", "repository-location", "connection", "aliases", "column"}
    root.insert(sum(1 for child in root if child.tag in before), column)


@dataclasses.dataclass
class _SignedIn:
    server: tsc.Server
    token: tsc.PersonalAccessTokenAuth

    def __enter__(self) -> tsc.Server:
        self.server.auth.sign_in(self.token)
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.auth.sign_out()


@pytest.fixture
def own_engines() -> None:
    """The loader and the sandbox start and end engines of their own."""


@pytest.fixture(autouse=True)
def _lent_engines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "own_engines" not in request.fixturenames:
        lend_engines(monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings that make extracts in the test's own folder."""
    return {"output_dir": str(tmp_path / "output")}


@pytest.fixture
def extracts(tmp_path: Path) -> Extracts:
    return Extracts(tmp_path / "output")


@contextlib.contextmanager
def servers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that keeps its contents in a folder, and whose jobs are not waited for long."""
    app = create_app(folder / "tableau")
    monkeypatch.setattr(
        delivery, "TableauClient", functools.partial(TableauClient, pause=lambda _: time.sleep(0.002))
    )
    with serve(app) as url:
        yield Server(app, url, folder)
    app.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with servers(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def publishing(config: Config, server: Server) -> Config:
    """Settings that publish to the sandbox."""
    return {**config, **server.settings}


@pytest.fixture
def by_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as large, so each is published by a job."""
    monkeypatch.setattr(publish, "_JOB_BYTES", 0)


@dataclasses.dataclass
class Shelf:
    """Books as they are before their change, made once for all tests of a module."""

    folder: Path
    config: Config
    server: Server
    index: bytes


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("shelf")
    app = create_app(folder / "tableau")
    with serve(app) as url:
        server = Server(app, url, folder)
        config = {"output_dir": str(folder / "output"), **server.settings}
        books = Books(config, server)
        assert load(config, books.first) == [STATE]
        assert (books.here(), books.published()) == (books.old, books.old)
        shutil.copytree(folder / "tableau", folder / "kept")
        yield Shelf(folder, config, server, msgspec.json.encode(app.state.index))
    app.close()


@pytest.fixture
def books(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Books:
    """Books of the test's own; their server is as new."""
    shutil.copytree(shelf.folder / "output", tmp_path / "output")
    app = shelf.server.app
    shutil.copytree(shelf.folder / "kept", app.state.directory, dirs_exist_ok=True)
    app.state.index = msgspec.json.decode(shelf.index, type=Index)
    app.script.clear()
    for name, value in vars(Switches()).items():
        setattr(app.switches, name, value)
    monkeypatch.setattr(
        delivery, "TableauClient", functools.partial(TableauClient, pause=lambda _: time.sleep(0.002))
    )
    return Books({**shelf.config, "output_dir": str(tmp_path / "output")}, shelf.server)


@pytest.fixture
def unpublished(config: Config) -> Books:
    """Books that are not published anywhere."""
    books = Books(config, None)
    load(config, books.first)
    return books
