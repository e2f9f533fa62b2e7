"""The server's memory: an index kept as JSON, and a folder of data files per data source."""

from __future__ import annotations

import os
import re
import shutil
import threading
import uuid
from typing import TYPE_CHECKING

import msgspec

from tests.sandbox import tableau
from tests.sandbox.tableau.errors import not_found
from tests.sandbox.tableau.model import Datasource, Index, Project, Revision, Task, User, Workbook, Write

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from tests.sandbox.tableau.switches import Switches


def luid() -> str:
    """A new identifier: 8-4-4-4-12 hex digits."""
    return str(uuid.uuid4())


def stamp(moment: dt.datetime) -> str:
    """A moment as Tableau writes it: whole seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class State:
    """What is published on the server, and what was ever written to it.

    A directory that holds an index is taken up again; an empty one becomes a fresh site.
    """

    def __init__(self, directory: Path, switches: Switches) -> None:
        self.directory = directory
        self.switches = switches
        self.events: list[tuple[str, str]] = []
        """(event, id of the thing) for everything a webhook could be told."""
        self._path = directory / "index.json"
        self._lock = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(directory / "incoming", ignore_errors=True)
        self.incoming.mkdir()
        if self._path.exists():
            self.index = msgspec.json.decode(self._path.read_bytes(), type=Index)
        else:
            self.index = Index(site=luid())
            self._found_site()
            self.save()

    @property
    def incoming(self) -> Path:
        """Folder of uploads that are not published yet; emptied at every start."""
        return self.directory / "incoming"

    @property
    def writes(self) -> list[Write]:
        """Everything that clients changed, oldest first."""
        return self.index.writes

    def now(self) -> str:
        """The server's clock, as text."""
        return stamp(self.switches.clock())

    def save(self) -> None:
        """Write the index, whole or not at all."""
        with self._lock:
            part = self._path.with_suffix(".part")
            part.write_bytes(msgspec.json.encode(self.index))
            os.replace(part, self._path)  # noqa: PTH105 - replaces on every platform, as the rest relies on

    def wrote(self, kind: str, name: str, size: int = 0) -> None:
        """Count a change and save the index."""
        self.index.writes.append(Write(kind, name, size))
        self.save()

    # -- looking things up --------------------------------------------------------------------------------

    def user(self, name: str) -> User:
        """A user by name.

        Raises:
            KeyError: There is no such user.
        """
        found = next((user for user in self.index.users.values() if user.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def project(self, path: str) -> Project:
        """A project by its path (`Finance/Close`).

        Raises:
            KeyError: There is no such project.
        """
        found: Project | None = None
        for part in path.split("/"):
            key = (part, found.id if found else None)
            found = next((p for p in self.index.projects.values() if (p.name, p.parent) == key), None)
            if found is None:
                break
        if found is None:
            raise KeyError(path)
        return found

    def datasource(self, name: str, project: str = tableau.PROJECT) -> Path:
        """The stored .hyper of a data source, for a test to open.

        Raises:
            KeyError: There is no such project, no such data source, or it has no file.
        """
        published = self.find_datasource(name, self.project(project).id)
        if published is None or published.current.file is None:
            raise KeyError(name)
        return self.folder(published) / published.current.file

    def find_datasource(self, name: str, project: str) -> Datasource | None:
        """A data source by name and project id; names are unique ignoring case."""
        wanted = name.casefold()
        held = self.index.datasources.values()
        return next((d for d in held if d.project == project and d.name.casefold() == wanted), None)

    def get_datasource(self, identifier: str, code: str = "404004") -> Datasource:
        """A data source by id.

        Raises:
            TableauError: `code`, when there is none.
        """
        found = self.index.datasources.get(identifier)
        if found is None:
            raise not_found(f"Datasource '{identifier}' could not be found.", code)
        return found

    def get_project(self, identifier: str) -> Project:
        """A project by id.

        Raises:
            TableauError: 404005, when there is none.
        """
        found = self.index.projects.get(identifier)
        if found is None:
            raise not_found(f"Project '{identifier}' could not be found.", "404005")
        return found

    def path_of(self, project: str) -> str:
        """A project's path from the top, by id."""
        parts: list[str] = []
        step: str | None = project
        while step is not None:
            held = self.index.projects[step]
            parts.append(held.name)
            step = held.parent
        return "/".join(reversed(parts))

    def folder(self, datasource: Datasource) -> Path:
        """Where a data source's files are kept."""
        return self.directory / "datasources" / datasource.id

    def content_url(self, name: str) -> str:
        """A new URL name: ASCII letters and digits of the name, numbered when taken."""
        plain = re.sub("[^0-9A-Za-z_-]", "", name) or "Content"
        taken = {d.content_url for d in self.index.datasources.values()}
        taken |= {w.content_url for w in self.index.workbooks.values()}
        number = 0
        while (url := f"{plain}_{number}" if number else plain) in taken:
            number += 1
        return url

    # -- furnishing: what tests put in place without a client ---------------------------------------------

    def add_user(self, name: str, role: str, password: str = "") -> User:
        """Add a user with a site role."""
        user = User(luid(), name, name.title(), role, password)
        self.index.users[user.id] = user
        self.save()
        return user

    def add_project(self, name: str, owner: str, parent: str | None = None) -> Project:
        """Add a project below another (by id), or at the top."""
        moment = self.now()
        project = Project(luid(), name, owner, parent, created_at=moment, updated_at=moment)
        self.index.projects[project.id] = project
        self.save()
        return project

    def add_workbook(
        self,
        name: str,
        project: str = tableau.PROJECT,
        *,
        live_on: list[str] | None = None,
        extracts: list[str] | None = None,
    ) -> Workbook:
        """Add a workbook that reads data sources (by id), live or through an extract of its own."""
        moment = self.now()
        home = self.project(project)
        book = Workbook(
            luid(),
            name,
            home.id,
            home.owner,
            self.content_url(name),
            moment,
            moment,
            live_on or [],
            extracts or [],
        )
        self.index.workbooks[book.id] = book
        self.save()
        return book

    def add_database_extract(self, name: str, project: str = tableau.PROJECT) -> Datasource:
        """Add a data source that is an extract of some database: it can be refreshed, not updated."""
        moment = self.now()
        home = self.project(project)
        revision = Revision(1, moment, home.owner, 0)
        added = Datasource(
            luid(), name, home.id, home.owner, self.content_url(name), moment, moment, "database", luid(), live=False,
            revisions=[revision],
        )  # fmt: skip
        self.index.datasources[added.id] = added
        self.save()
        return added

    def add_task(self, *, datasource: str | None = None, workbook: str | None = None) -> Task:
        """Add an extract refresh task for a data source or a workbook (by id)."""
        task = Task(luid(), datasource, workbook)
        self.index.tasks[task.id] = task
        self.save()
        return task

    def _found_site(self) -> None:
        self.add_user(tableau.ADMIN_USERNAME, "SiteAdministratorCreator", tableau.ADMIN_PASSWORD)
        publisher = self.add_user(tableau.USERNAME, "Creator", tableau.PASSWORD)
        self.add_user(tableau.VIEWER_USERNAME, "Viewer", tableau.VIEWER_PASSWORD)
        self.add_project(tableau.DEFAULT_PROJECT, self.user(tableau.ADMIN_USERNAME).id)
        self.add_project(tableau.PROJECT, publisher.id)
        parent: str | None = None
        for part in tableau.NESTED_PROJECT.split("/"):
            parent = self.add_project(part, publisher.id, parent).id
