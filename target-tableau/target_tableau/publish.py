"""Publishes extracts as data sources, and knows which data sources are ours."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import tableauserverclient as tsc

from target_tableau.errors import JobError, SettingError, TableauError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_tableau.client import TableauClient

logger = logging.getLogger(__name__)

TAG = "target-tableau"
"""Every data source made here carries this tag; one without it was made by somebody else."""

_MARK = "Loaded by target-tableau"
_PAGE = 1000
_NOT_FILTERABLE = frozenset(",&:[]/")  # Tableau's filters cannot match names with these


@dataclasses.dataclass
class Publication:
    """One data source to publish, and what became of it.

    Attributes:
        stream: The stream it shows.
        name: Name of the data source.
        file: The extract.
        known_luid: Id it had when it was last published from here.
        luid: Its id, once known.
        job: Id of the publish job.
    """

    stream: str
    name: str
    file: Path
    known_luid: str | None = None
    luid: str | None = None
    job: str | None = None


class Publisher:
    """Publishes to one project.

    Args:
        client: Signed in.
        project: Name, path ("Finance/Close") or id of the project.
        source: Where the rows come from; part of the description of a new data source.
        adopt: Data sources that were not made here may be overwritten.
        job_timeout_seconds: How long a publish job may take.
    """

    def __init__(
        self, client: TableauClient, project: str, source: str, *, adopt: bool, job_timeout_seconds: int
    ) -> None:
        self.client = client
        self.project_luid = find_project(client, project)
        self._project = project
        self._source = source
        self._adopt = adopt
        self._timeout = job_timeout_seconds

    def publish(self, publications: Sequence[Publication]) -> None:
        """Publish all, as jobs, and wait for all.

        Raises:
            TableauError: A data source is not ours, was refused, or its job failed. Those published before stay.
        """
        existing = {publication.stream: self._existing(publication) for publication in publications}
        for publication in publications:
            self._start(publication, existing[publication.stream])
        by_job = {publication.job: publication for publication in publications if publication.job}
        for job in self.client.wait(by_job, self._timeout):
            publication = by_job[job.luid]
            if not job.ok:
                verb = "was cancelled" if job.cancelled else "failed"
                raise JobError(
                    f"Publishing the data source '{publication.name}' {verb} in Tableau (job {job.luid}, progress "
                    f"{job.progress or 'unknown'} %): {job.notes or 'Tableau gave no reason'}. The published data is "
                    "as it was; run again."
                )
            self._finish(publication, existing[publication.stream])

    def download(self, publication: Publication, folder: Path) -> Path | None:
        """Download the published data source into a folder, if there is one and it is ours.

        Raises:
            TableauError: It was not made here, or cannot be read.
        """
        existing = self._existing(publication)
        if existing is None or existing.id is None:
            return None
        if existing.id != publication.known_luid and not is_ours(existing):
            return None  # adopted: what somebody else put there is replaced, not gone on from
        luid = existing.id
        path = self.client.call(
            lambda: self.client.server.datasources.download(luid, str(folder), include_extract=True),
            f"download the data source '{publication.name}'",
        )
        return Path(str(path))

    def _existing(self, publication: Publication) -> tsc.DatasourceItem | None:
        """The data source that this publication would overwrite, if there is one and it may.

        Raises:
            TableauError: There is one that was not made here.
        """
        found = self._by_luid(publication.known_luid) or self._by_name(publication.name)
        if found is None or found.id == publication.known_luid or self._adopt or is_ours(found):
            return found
        raise TableauError(
            f"The data source '{publication.name}' in project '{self._project}' was not made by this loader and "
            "would be overwritten. Choose another datasource_name, or set adopt to true to take it over."
        )

    def _by_luid(self, luid: str | None) -> tsc.DatasourceItem | None:
        if luid is None:
            return None
        try:
            return self.client.call(
                lambda: self.client.server.datasources.get_by_id(luid), f"look up the data source {luid}"
            )
        except TableauError as failure:
            if failure.code.startswith("404"):
                return None  # deleted in Tableau: it is made anew
            raise

    def _by_name(self, name: str) -> tsc.DatasourceItem | None:
        for candidate in self._candidates(name):
            if candidate.name == name and candidate.project_id == self.project_luid:
                return candidate
        return None

    def _candidates(self, name: str) -> Iterator[tsc.DatasourceItem]:
        options = tsc.RequestOptions(pagesize=_PAGE)
        if not _NOT_FILTERABLE & set(name):
            options.filter.add(
                tsc.Filter(tsc.RequestOptions.Field.Name, tsc.RequestOptions.Operator.Equals, name)
            )
        while True:
            page, position = self.client.call(
                lambda: self.client.server.datasources.get(options), f"look for the data source '{name}'"
            )
            yield from page
            if position.page_number * position.page_size >= position.total_available:
                return
            options.page_number(position.page_number + 1)

    def _start(self, publication: Publication, existing: tsc.DatasourceItem | None) -> None:
        item = tsc.DatasourceItem(
            existing.project_id if existing else self.project_luid,
            existing.name if existing else publication.name,
        )
        if existing is None:
            # Also the proof that it is ours, should we die before the tag is set.
            item.description = (
                f"{_MARK}: stream {publication.stream} of {self._source or 'an unnamed source'}."
            )
        with _named_hyper(publication.file) as path:
            job = self.client.call(
                lambda: self.client.server.datasources.publish(
                    item, str(path), tsc.Server.PublishMode.Overwrite, as_job=True
                ),
                f"publish the data source '{publication.name}' to project '{self._project}'",
            )
        publication.job = job.id
        publication.luid = existing.id if existing else None
        logger.info("Publishing '%s' (job %s).", publication.name, job.id)

    def _finish(self, publication: Publication, existing: tsc.DatasourceItem | None) -> None:
        found = existing or self._by_name(publication.name)
        if found is None:
            logger.info("Tableau's index does not show '%s' yet; it will be found by name.", publication.name)
            return
        publication.luid = found.id
        if TAG not in found.tags:
            self.client.call(
                lambda: self.client.server.datasources.add_tags(found, [TAG]), f"tag '{publication.name}'"
            )


def is_ours(item: tsc.DatasourceItem) -> bool:
    """Whether a data source was made by this loader."""
    return TAG in item.tags or (item.description or "").startswith(_MARK)


def find_project(client: TableauClient, wanted: str) -> str:
    """Find a project by name, path ("Finance/Close") or id, and return its id.

    Raises:
        SettingError: There is none, or several have that name; the message names the possible ones.
    """
    paths = _project_paths(client)
    if wanted in paths:
        return wanted
    exact = [luid for luid, path in paths.items() if path == wanted]
    named = exact or [luid for luid, path in paths.items() if path.rpartition("/")[2] == wanted]
    if len(named) == 1:
        return named[0]
    offered = ", ".join(sorted(f"'{paths[luid]}'" for luid in named or paths)) or "none"
    where = f"on the site '{client.address.site}' of {client.address.server_url}"
    if named:
        raise SettingError(f"The project '{wanted}' is not unique {where}: set project to one of {offered}.")
    raise SettingError(
        f"There is no project '{wanted}' {where} that this user may see: set project to one of {offered}."
    )


def _project_paths(client: TableauClient) -> dict[str, str]:
    """Project id -> path; all pages are read, for a filter would not find a name with a comma."""
    options = tsc.RequestOptions(pagesize=_PAGE)
    items: list[tsc.ProjectItem] = []
    while True:
        page, position = client.call(lambda: client.server.projects.get(options), "list the projects")
        items += page
        if position.page_number * position.page_size >= position.total_available:
            break
        options.page_number(position.page_number + 1)
    by_luid = {str(item.id): item for item in items}

    def path(item: tsc.ProjectItem) -> str:
        parent = by_luid.get(str(item.parent_id))
        return f"{path(parent)}/{item.name}" if parent else str(item.name)

    return {luid: path(item) for luid, item in by_luid.items()}


@contextlib.contextmanager
def _named_hyper(file: Path) -> Iterator[Path]:
    """Offer `bills.hyper.next` as `bills.hyper`: Tableau tells a file's type by its name."""
    if file.suffix == ".hyper":
        yield file
        return
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".publish-") as folder:
        named = Path(folder) / file.name.removesuffix(".next")
        try:
            os.link(file, named)
        except OSError:  # a file system without links
            shutil.copyfile(file, named)
        yield named
