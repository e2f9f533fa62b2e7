"""Brings extracts to Tableau as data sources: whole, or only what a load has changed.

`overwrite` sends the extract and wants nothing of what is there, except what authors have made of it. `update` sends a
payload and a batch of actions (Tableau REST API, "Update Data in Hyper Data Source"), which leaves the document of
the data source alone; it is used where the published columns are those of the extract.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tableauserverclient as tsc

from target_tableau.change import request_id
from target_tableau.documents import holds_work, with_extract
from target_tableau.errors import JobError, TableauError
from target_tableau.site import TAG, is_ours, mark_of, other_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_tableau.change import Change
    from target_tableau.client import Job
    from target_tableau.site import Site

logger = logging.getLogger(__name__)

_JOB_BYTES = 32 * 1024 * 1024
"""A larger file is published as a job: a gateway ends a request that the server works on for minutes."""

_PAYLOAD_BYTES = 95 * 1000 * 1000
"""Tableau takes 100 MB of changes in one request; a bigger change would be seen half."""


@dataclasses.dataclass
class Publication:
    """One data source to publish, and what became of it.

    Attributes:
        stream: The stream it shows.
        load_id: The load that is published.
        name: Name of the data source.
        project: Its project: name, path or id.
        file: The extract; None if only `change` is at hand.
        change: What the load changes, if that alone may be sent.
        known_luid: Id it had when it was last published from here.
        pending_job: Job of an earlier publish whose end was not seen.
        tags: Tags that it gets beside the loader's own.
        description: Its description if it is made now.
        mode: How it was sent in the end.
        luid: Its id, once known.
        job: Id of the job, if it was one.
        bytes_sent: What was sent.
        attempts: How many updates were tried.
    """

    stream: str
    load_id: str
    name: str
    project: str
    file: Path | None
    change: Change | None = None
    known_luid: str | None = None
    pending_job: str | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None
    mode: Literal["overwrite", "update"] = "overwrite"
    luid: str | None = None
    job: str | None = None
    bytes_sent: int = 0
    attempts: int = 0


class Publisher:
    """Publishes to one site.

    Args:
        site: Where.
        source: Where the rows come from; part of the description of a new data source.
        adopt: Data sources that were not made here may be overwritten.
        job_timeout_seconds: How long a job may take.
    """

    def __init__(self, site: Site, source: str, *, adopt: bool, job_timeout_seconds: int) -> None:
        self.site = site
        self.client = site.client
        self._source = source
        self._adopt = adopt
        self._timeout = job_timeout_seconds
        self._existing: dict[str, tsc.DatasourceItem | None] = {}

    def publish(
        self,
        publications: Sequence[Publication],
        started: Callable[[Publication], None],
        done: Callable[[Publication], None],
    ) -> None:
        """Publish all and wait for all.

        Args:
            publications: What.
            started: Told before anything of a data source is sent, and again when Tableau works on it as a job.
            done: Told when Tableau has it.

        Raises:
            TableauError: A data source is not ours, was refused, or its job failed. Those published before stay.
        """
        for publication in publications:
            self._existing[publication.stream] = self._find(publication)
        self._wait_for_earlier(publications)
        waiting: dict[str, Publication] = {}
        for publication in publications:
            started(publication)
            self._send(publication, waiting, done)
            if publication.job is not None:
                started(publication)
        while waiting:
            for job in self.client.wait(list(waiting), self._timeout):
                publication = waiting.pop(job.luid)
                if job.ok:
                    self._finish(publication)
                    done(publication)
                else:
                    self._judge(publication, job)
                    self._send(publication, waiting, done)

    def _wait_for_earlier(self, publications: Sequence[Publication]) -> None:
        """Let jobs of an earlier run end first: they would undo what is published now."""
        jobs = [publication.pending_job for publication in publications if publication.pending_job]
        if not jobs:
            return
        logger.info("Waiting for %d jobs of an earlier run.", len(jobs))
        try:
            for job in self.client.wait(jobs, self._timeout):
                logger.info("Job %s of an earlier run has ended.", job.luid)
        except TableauError as failure:
            logger.warning("The end of an earlier run's jobs was not seen: %s", failure)

    def _judge(self, publication: Publication, job: Job) -> None:
        """Go another way after a job that did not end well, where there is one.

        Raises:
            JobError: There is none.
        """
        reason = job.notes or "Tableau gave no reason"
        if publication.mode == "update" and not job.cancelled and publication.file is not None:
            logger.warning(
                "Tableau could not update the data source '%s' (job %s: %s); it is published whole instead.",
                publication.name,
                job.luid,
                reason,
            )
            publication.change = None
            return
        verb = "was cancelled" if job.cancelled else "failed"
        raise JobError(
            f"Publishing the data source '{publication.name}' {verb} in Tableau (job {job.luid}, progress "
            f"{job.progress or 'unknown'} %): {reason}. The published data is as it was; run again."
        )

    def _send(
        self, publication: Publication, waiting: dict[str, Publication], done: Callable[[Publication], None]
    ) -> None:
        """Send a publication; what is not finished with the answer is added to `waiting`."""
        existing = self._existing[publication.stream]
        if not self._updates(publication, existing):
            self._overwrite(publication, existing)
        if publication.job is not None:
            waiting[publication.job] = publication
        else:
            self._finish(publication)
            done(publication)

    # -- update --------------------------------------------------------------------------------------------

    def _updates(self, publication: Publication, existing: tsc.DatasourceItem | None) -> bool:
        """Send the change alone, if that is possible.

        Raises:
            TableauError: It is not, and there is no extract to send instead.
        """
        change, luid = publication.change, publication.known_luid
        if change is None:
            return False
        why_not = ""
        if existing is None or luid is None or existing.id != luid:
            why_not = "it is not the one that was published before"
        elif change.size > _PAYLOAD_BYTES:
            why_not = f"its change of {change.size // 1_000_000} MB does not fit one request"
        if not why_not and luid is not None:
            why_not = self._patch(publication, change, luid)
        if not why_not:
            return True
        if publication.file is None:
            raise TableauError(
                f"The data source '{publication.name}' cannot be updated: {why_not}, and its extract is not here to be "
                "published whole. Set publish_mode to auto, so that it is fetched first."
            )
        logger.info("The data source '%s' is published whole: %s.", publication.name, why_not)
        publication.change = None
        return False

    def _patch(self, publication: Publication, change: Change, luid: str) -> str:
        """Send the actions.

        Returns:
            Why it did not work; empty if it did.
        """
        publication.mode, publication.luid = "update", luid
        publication.bytes_sent += change.size
        identifier = request_id(luid, publication.load_id, publication.attempts)
        publication.attempts += 1
        try:
            job = self.client.update(luid, identifier, change.actions, change.payload, publication.name)
        except TableauError as refusal:
            if not refusal.code.startswith("413"):
                raise
            return (
                f"its change of {change.size // 1_000_000} MB is more than this server takes in one request"
            )
        if job is None:
            return "Tableau had seen the request before and does not say what became of it"
        publication.job = job
        logger.info("Updating '%s' (job %s).", publication.name, job)
        return ""

    # -- overwrite -----------------------------------------------------------------------------------------

    def _overwrite(self, publication: Publication, existing: tsc.DatasourceItem | None) -> None:
        if publication.file is None:
            raise TableauError(f"There is no extract of '{publication.stream}' to publish.")
        publication.mode = "overwrite"
        project = self.site.project(publication.project)
        item = tsc.DatasourceItem(
            existing.project_id if existing else project, existing.name if existing else publication.name
        )
        if existing is None:
            # Also the proof that it is ours, should we die before the tag is set.
            mark = mark_of(publication.stream, self._source)
            item.description = f"{publication.description}\n{mark}" if publication.description else mark
            self.site.warn_of_everyone(publication.project)
        elif (owner := other_owner(existing, publication.stream, self._source)) is not None:  # adopted
            mark = mark_of(publication.stream, self._source)
            item.description = (existing.description or "").replace(owner, mark)
        with self._package(publication, publication.file, existing) as path:
            as_job = path.stat().st_size > _JOB_BYTES
            publication.bytes_sent += path.stat().st_size
            what = f"publish the data source '{publication.name}' to project '{publication.project}'"
            datasources, overwrite = self.client.server.datasources, tsc.Server.PublishMode.Overwrite
            if as_job:
                job = self.client.call(
                    lambda: datasources.publish(item, str(path), overwrite, as_job=True), what
                )
                publication.job, publication.luid = job.id, existing.id if existing else None
            else:
                made = self.client.call(
                    lambda: datasources.publish(item, str(path), overwrite, as_job=False), what
                )
                publication.job, publication.luid = None, made.id
        logger.info("Publishing '%s'%s.", publication.name, f" (job {publication.job})" if as_job else "")

    @contextlib.contextmanager
    def _package(
        self, publication: Publication, file: Path, existing: tsc.DatasourceItem | None
    ) -> Iterator[Path]:
        """The extract as it is to be published: in the authors' document, if there is one."""
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".publish-") as folder:
            document = self._work_of_authors(publication, existing, Path(folder))
            if document is None:
                yield _as_hyper(file, Path(folder))
                return
            logger.info("'%s' keeps what authors have added to it in Tableau.", publication.name)
            packed = Path(folder) / f"{_stem(file)}.tdsx"
            with_extract(document, file, packed)
            document.unlink()
            yield packed

    def _work_of_authors(
        self, publication: Publication, existing: tsc.DatasourceItem | None, folder: Path
    ) -> Path | None:
        if existing is None or (existing.id != publication.known_luid and not is_ours(existing)):
            return None
        folder = folder / "published"
        folder.mkdir()
        outline = self._download(existing, folder, whole=False)
        if not holds_work(outline):
            return None
        outline.unlink()
        # A package without its extract is refused when it is published again (tableauserverclient issue 1181).
        return self._download(existing, folder, whole=True)

    def _finish(self, publication: Publication) -> None:
        if publication.mode == "update":
            return
        found = self._existing[publication.stream] or (
            self.site.datasource(publication.luid)
            or self.site.datasource_named(publication.name, self.site.project(publication.project))
        )
        if found is None:
            logger.info("Tableau's index does not show '%s' yet; it will be found by name.", publication.name)
            return
        publication.luid = found.id
        missing = [tag for tag in (TAG, *publication.tags) if tag not in found.tags]
        if missing:
            self.client.call(
                lambda: self.client.server.datasources.add_tags(found, missing), f"tag '{publication.name}'"
            )

    # -- what is there -------------------------------------------------------------------------------------

    def download(self, publication: Publication, folder: Path) -> Path | None:
        """Download the published data source into a folder, if there is one and it is ours.

        Raises:
            TableauError: It was not made here, or cannot be read.
        """
        existing = self._find(publication)
        if existing is None:
            return None
        owner = other_owner(existing, publication.stream, self._source)
        if existing.id != publication.known_luid and (owner is not None or not is_ours(existing)):
            return None  # adopted: what somebody else put there is replaced, not gone on from
        publication.luid = existing.id
        return self._download(existing, folder, whole=True)

    def _download(self, item: tsc.DatasourceItem, folder: Path, *, whole: bool) -> Path:
        path = self.client.call(
            lambda: self.client.server.datasources.download(str(item.id), str(folder), include_extract=whole),
            f"download the data source '{item.name}'",
        )
        return Path(str(path))

    def _find(self, publication: Publication) -> tsc.DatasourceItem | None:
        """The data source that a publication would overwrite, if there is one and it may.

        Raises:
            TableauError: There is one that was not made here.
        """
        found = self.site.datasource(publication.known_luid) or self.site.datasource_named(
            publication.name, self.site.project(publication.project)
        )
        if found is None or found.id == publication.known_luid or self._adopt:
            return found
        owner = other_owner(found, publication.stream, self._source)
        if owner is not None:
            raise TableauError(
                f"The data source '{publication.name}' in project '{publication.project}' holds other rows ({owner}), "
                "which would be lost. Choose another datasource_name, or set adopt to true to take it over."
            )
        if is_ours(found):
            return found
        raise TableauError(
            f"The data source '{publication.name}' in project '{publication.project}' was not made by this loader and "
            "would be overwritten. Choose another datasource_name, or set adopt to true to take it over."
        )


def _stem(file: Path) -> str:
    return file.name.removesuffix(".next").removesuffix(".hyper")


def _as_hyper(file: Path, folder: Path) -> Path:
    """`bills.hyper.next` as `bills.hyper`: Tableau tells a file's type by its name."""
    if file.suffix == ".hyper":
        return file
    named = folder / f"{_stem(file)}.hyper"
    try:
        os.link(file, named)
    except OSError:  # a file system without links
        shutil.copyfile(file, named)
    return named
