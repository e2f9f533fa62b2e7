"""The content of a Tableau site, as far as a loader looks at it: projects and data sources.

Every list is read to its last page and compared here: Tableau's filters cannot match names with , & : [ ] /, and
names are unique only within a project.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import tableauserverclient as tsc

from target_tableau.errors import SettingError, TableauError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_tableau.client import TableauClient

logger = logging.getLogger(__name__)

TAG = "target-tableau"
"""Every data source made here carries this tag; one without it was made by somebody else."""

MARK = "Loaded by target-tableau"
"""Stands in the first description of every data source made here."""

_PAGE = 1000
_NOT_FILTERABLE = frozenset(",&:[]/")
_PROJECT_EXISTS = "409006"
_EVERYONE = "All Users"


def mark_of(stream: str, source: str) -> str:
    """What the description of a data source says of whose rows it holds."""
    return f"{MARK}: stream {stream} of {source or 'an unnamed source'}."


def other_owner(item: tsc.DatasourceItem, stream: str, source: str) -> str | None:
    """The mark of a data source that holds the rows of another stream or source; None if it is not known to."""
    marks = [line for line in (item.description or "").splitlines() if line.startswith(MARK)]
    return marks[0] if marks and mark_of(stream, source) not in marks else None


def is_ours(item: tsc.DatasourceItem) -> bool:
    """Whether a data source was made by this loader."""
    return TAG in item.tags or MARK in (item.description or "")


class Site:
    """Finds things on the site that a client is signed in to.

    Args:
        client: Signed in.
        create_projects: Projects that are not there are made.
    """

    def __init__(self, client: TableauClient, *, create_projects: bool = False) -> None:
        self.client = client
        self._create = create_projects
        self._projects: dict[str, str] = {}
        self._looked_at: set[str] = set()

    def pages(
        self,
        endpoint: Any,  # noqa: ANN401 - tableauserverclient's endpoints with lists have no type in common
        what: str,
        options: tsc.RequestOptions | None = None,
    ) -> Iterator[Any]:
        """Every item of one of Tableau's lists, to its last page.

        Args:
            endpoint: Of tableauserverclient, with a `get` that takes options.
            what: What is done, for the error message.
            options: A filter, if there is one.

        Raises:
            TableauError: Tableau refuses, or cannot be reached.
        """
        options = options or tsc.RequestOptions(pagesize=_PAGE)
        while True:
            page, position = self.client.call(lambda: endpoint.get(options), what)
            yield from page
            if position.page_number * position.page_size >= position.total_available:
                return
            options.page_number(position.page_number + 1)

    # -- projects ------------------------------------------------------------------------------------------

    def project(self, wanted: str) -> str:
        """Find a project by name, path ("Finance/Close") or id, and return its id.

        Raises:
            SettingError: There is none, or several have that name; the message names the possible ones.
        """
        if wanted not in self._projects:
            self._projects[wanted] = self._find_project(wanted)
        return self._projects[wanted]

    def _find_project(self, wanted: str) -> str:
        paths = self.project_paths()
        if wanted in paths:
            return wanted
        exact = [luid for luid, path in paths.items() if path == wanted]
        named = exact or [luid for luid, path in paths.items() if path.rpartition("/")[2] == wanted]
        if len(named) == 1:
            return named[0]
        if not named and self._create:
            return self._create_project(wanted, paths)
        offered = ", ".join(sorted(f"'{paths[luid]}'" for luid in named or paths)) or "none"
        where = f"on the site '{self.client.address.site}' of {self.client.address.server_url}"
        if named:
            raise SettingError(
                f"The project '{wanted}' is not unique {where}: set project to one of {offered}."
            )
        raise SettingError(
            f"There is no project '{wanted}' {where} that this user may see: set project to one of {offered}, or set "
            "create_project to true."
        )

    def _create_project(self, wanted: str, paths: dict[str, str]) -> str:
        """Make a project, and those above it that are missing.

        Raises:
            TableauError: This user may not.
        """
        by_path = {path: luid for luid, path in paths.items()}
        parent: str | None = None
        path = ""
        for name in wanted.split("/"):
            path = f"{path}/{name}" if path else name
            parent = by_path.get(path) or self._create_one(name, parent, path)
        return str(parent)

    def _create_one(self, name: str, parent: str | None, path: str) -> str:
        client = self.client
        try:
            made = client.call(
                lambda: client.server.projects.create(tsc.ProjectItem(name, parent_id=parent)),
                f"create the project '{path}'",
                idempotent=False,
            )
        except TableauError as failure:
            if failure.code != _PROJECT_EXISTS:
                raise
            found = {path: luid for luid, path in self.project_paths().items()}  # somebody else was quicker
            if path not in found:
                raise
            return found[path]
        logger.info("Created the project '%s'.", path)
        return str(made.id)

    def project_paths(self) -> dict[str, str]:
        """Project id -> path."""
        items = list(self._all_projects())
        by_luid = {str(item.id): item for item in items}

        def path(item: tsc.ProjectItem) -> str:
            parent = by_luid.get(str(item.parent_id))
            return f"{path(parent)}/{item.name}" if parent else str(item.name)

        return {luid: path(item) for luid, item in by_luid.items()}

    def _all_projects(self) -> Iterator[tsc.ProjectItem]:
        return self.pages(self.client.server.projects, "list the projects")

    def project_item(self, luid: str) -> tsc.ProjectItem:
        """All that is known of a project."""
        return next(item for item in self._all_projects() if item.id == luid)

    def warn_of_everyone(self, project: str) -> None:
        """Say so, once, when everybody on the site may see what is published to a project: it will be a ledger."""
        if project in self._looked_at:
            return
        self._looked_at.add(project)
        client = self.client
        try:
            item = self.project_item(self.project(project))
            client.call(
                lambda: client.server.projects.populate_datasource_default_permissions(item),
                f"read the permissions of the project '{project}'",
            )
            groups = list(self.pages(client.server.groups, "list the groups"))
        except TableauError as refused:
            logger.info("Who may see the project '%s' is not known: %s", project, refused)
            return
        everyone = {group.id for group in groups if group.name == _EVERYONE}
        for rule in item.default_datasource_permissions:
            if rule.grantee.id in everyone and "Allow" in (
                rule.capabilities.get("Read"),
                rule.capabilities.get("Connect"),
            ):
                logger.warning(
                    "The project '%s' shows new data sources to everyone on the site (group '%s'). If that is not "
                    "meant, change the project's permissions in Tableau or set project to another one.",
                    project,
                    _EVERYONE,
                )

    # -- data sources --------------------------------------------------------------------------------------

    def datasource(self, luid: str | None) -> tsc.DatasourceItem | None:
        """The data source with an id, or None when it was deleted in Tableau."""
        if luid is None:
            return None
        try:
            return self.client.call(
                lambda: self.client.server.datasources.get_by_id(luid), f"look up the data source {luid}"
            )
        except TableauError as failure:
            if failure.code.startswith("404"):
                return None
            raise

    def datasource_named(self, name: str, project: str) -> tsc.DatasourceItem | None:
        """The data source of a name in the project with an id."""
        for candidate in self._candidates(name):
            if candidate.name == name and candidate.project_id == project:
                return candidate
        return None

    def _candidates(self, name: str) -> Iterator[tsc.DatasourceItem]:
        options = tsc.RequestOptions(pagesize=_PAGE)
        if not _NOT_FILTERABLE & set(name):
            options.filter.add(
                tsc.Filter(tsc.RequestOptions.Field.Name, tsc.RequestOptions.Operator.Equals, name)
            )
        datasources = self.client.server.datasources
        return self.pages(datasources, f"look for the data source '{name}'", options)
