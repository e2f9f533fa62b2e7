"""What happens to verified extracts where a Tableau server is set."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from target_tableau.about import about
from target_tableau.address import Address, parse_address
from target_tableau.client import TableauClient
from target_tableau.columns import type_from_sql
from target_tableau.documents import extract_of
from target_tableau.health import note_token
from target_tableau.ledger import Ledger, Published, Status
from target_tableau.publish import Publication, Publisher
from target_tableau.refresh import Refresher, wanted
from target_tableau.semantics import semantics_of
from target_tableau.sign_in import credentials_of
from target_tableau.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from target_tableau.columns import Type
    from target_tableau.load import Load
    from target_tableau.settings import Refreshing, Settings

logger = logging.getLogger(__name__)

_LOCK_SECONDS = 60


class Delivery:
    """Publishes what a run has built. Signs in only when there is something to ask or to publish.

    Args:
        settings: The target's settings, with a server.

    Attributes:
        has_published: Something has been published since this was made.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.address: Address = parse_address(settings.server_url or "", settings.site)
        self._publisher: Publisher | None = None
        self._stack = contextlib.ExitStack()
        self._ledger: Ledger | None = None
        self.has_published = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def open(self, ledger: Ledger) -> None:
        """Use a ledger. What was never published to before is tried at once: a typo shows before the first row.

        Raises:
            TargetTableauError: The server, the site, the token or the project is wrong.
        """
        self._ledger = ledger
        project = self.settings.project or ""
        if not ledger.has_published(self.address.server_url, self.address.site, project):
            self.publisher.site.project(project)

    @property
    def ledger(self) -> Ledger:
        """The run's ledger."""
        if self._ledger is None:
            raise RuntimeError("open() was not called")
        return self._ledger

    @property
    def publisher(self) -> Publisher:
        """Signed in on first use."""
        if self._publisher is None:
            settings = self.settings
            client = self._stack.enter_context(
                TableauClient(self.address, credentials_of(settings), settings.job_timeout_seconds)
            )
            if settings.token_name and self._ledger is not None:
                note_token(self._ledger, self.address.server_url, settings.token_name, client.token_days)
            self._publisher = Publisher(
                Site(client, create_projects=settings.create_project),
                settings.source,
                adopt=settings.adopt,
                job_timeout_seconds=settings.job_timeout_seconds,
            )
        return self._publisher

    def _key(self, stream: str) -> dict[str, str]:
        return {
            "source": self.settings.source,
            "stream": stream,
            "server": self.address.server_url,
            "site": self.address.site,
            "project": self.settings.datasource_of(stream).project,
        }

    def published(self, stream: str) -> Published | None:
        """What the ledger knows of a stream's data source."""
        return self.ledger.datasource(self._key(stream))

    def columns_without_extract(self, stream: str) -> dict[str, Type] | None:
        """The columns of a data source that may be updated without its extract being here.

        None if it must be fetched: that is not asked for (`publish_mode: update`), or not all is known about it.
        """
        known = self.published(stream)
        if self.settings.datasource_of(stream).publish_mode != "update" or known is None:
            return None
        if known.columns is None or not known.can_be_updated:
            return None
        return {name: type_from_sql(kind) for name, kind in known.columns.items()}

    def _publication(
        self, stream: str, file: Path | None, load_id: str, known: Published | None
    ) -> Publication:
        rule = self.settings.datasource_of(stream)
        return Publication(
            stream=stream,
            load_id=load_id,
            name=rule.name,
            project=rule.project,
            file=file,
            known_luid=known.luid if known else None,
            pending_job=known.pending_job if known else None,
            tags=rule.tags,
            description=_joined(rule.description, about(self.settings, stream)),
            known_columns=tuple((known.columns if known else None) or ()),
        )

    def fetch(self, stream: str, path: Path) -> bool:
        """Take the published data source of a stream as its extract.

        Returns:
            Whether there is one that is ours.

        Raises:
            TableauError: It cannot be read.
        """
        publication = self._publication(stream, path, "", self.published(stream))
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".publish-") as folder:
            document = self.publisher.download(publication, Path(folder))
            if document is None:
                return False
            base = extract_of(document, Path(folder))
            base.chmod(0o600)
            base.replace(path)
        return True

    def deliver(self, load: Load) -> None:
        """Publish every extract that changed or was never published here.

        Raises:
            TableauError: Tableau did not take one; its message says which.
        """
        publications = [
            publication
            for stream in load.streams
            if (publication := self._publication_of(load, stream)) is not None
        ]
        if not publications:
            return
        if self.settings.dry_run:
            names = ", ".join(f"'{publication.name}'" for publication in publications)
            logger.info("Dry run: %s would be published.", names)
            return
        with contextlib.ExitStack() as locks:
            for publication in sorted(publications, key=lambda each: (each.project, each.name)):
                place = f"the data source '{publication.name}' in project '{publication.project}'"
                locks.enter_context(
                    self.ledger.exclusive(f"{place} of {self.address.server_url}", _LOCK_SECONDS)
                )
            self.publisher.publish(
                publications,
                started=lambda publication: self._remember(publication, None),
                done=lambda publication: self._published(load, publication),
            )

    def _publication_of(self, load: Load, stream: str) -> Publication | None:
        """How a stream's extract is to be published; None if there is nothing to do."""
        build = load.streams[stream].build
        known = self.published(stream)
        rule = self.settings.datasource_of(stream)
        self.ledger.update(load.load_id, [stream], datasource=rule.name)
        if build.change is not None and not build.built:  # without an extract
            publication = self._publication(stream, None, load.load_id, known)
            publication.change = build.change
            return publication if build.change.actions else None
        if not build.built and (known is not None or not build.path.exists()):
            return None
        file = build.next if build.built else build.path
        publication = self._publication(stream, file, load.load_id, known)
        if self.settings.semantic_layer:
            publication.semantics = semantics_of(
                self.settings.source,
                build.plan,
                build.columns,
                keeps_deleted=not self.settings.hard_delete,
                base_currency=self.settings.base_currency,
            )
            made = "" if rule.description else publication.semantics.description
            publication.description = _joined(made, publication.description)
        if (
            known is not None
            and known.columns == _spelled(build.columns)
            and load.is_in_step(stream, known.load_id)
        ):
            publication.change = build.change
        return publication

    def may_update(self, stream: str) -> bool:
        """Whether only what changes of a stream may be sent, as far as settings and ledger tell."""
        known = self.published(stream)
        return (
            self.settings.datasource_of(stream).publish_mode != "overwrite"
            and known is not None
            and known.can_be_updated
        )

    def _remember(self, publication: Publication, columns: dict[str, str] | None) -> None:
        pending = publication.job if columns is None else None
        luid = publication.luid or publication.known_luid
        self.ledger.remember_datasource(
            self._key(publication.stream),
            Published(publication.name, luid, publication.load_id, columns, pending),
        )

    def _published(self, load: Load, publication: Publication) -> None:
        self._remember(publication, _spelled(load.streams[publication.stream].build.columns))
        self.ledger.update(
            load.load_id,
            [publication.stream],
            status=Status.PUBLISHED,
            datasource_luid=publication.luid,
            job=publication.job,
            publish_mode=publication.mode,
            bytes_sent=publication.bytes_sent,
        )
        self.has_published = True
        rule = self.settings.datasource_of(publication.stream)
        self.ledger.want_refreshes(
            self.settings.source, load.load_id, wanted([(rule.refresh, publication.luid)])
        )

    # -- what depends on it --------------------------------------------------------------------------------

    def want_all(self) -> None:
        """Note all that depends on any data source that was published from this source."""
        published = self.ledger.published_streams(
            self.settings.source, self.address.server_url, self.address.site
        )
        rules: list[tuple[Refreshing, str | None]] = [(self.settings.refresh, None)]
        rules += [(self.settings.datasource_of(stream).refresh, luid) for stream, luid in published]
        self.ledger.want_refreshes(self.settings.source, "by command", wanted(rules))

    def refresh(self) -> None:
        """Refresh what the ledger says is to be refreshed, and wait for it.

        Raises:
            RefreshError: Something did not work; the next run tries it again.
        """
        refreshes = self.ledger.refreshes_wanted(self.settings.source)
        if refreshes:
            refresher = Refresher(self.publisher.site, self.settings.job_timeout_seconds)
            refresher.run(refreshes, self.ledger.note_refresh)


def _joined(*parts: str | None) -> str | None:
    """Parts of a description, each on lines of its own."""
    return "\n".join(filter(None, parts)) or None


def _spelled(columns: Mapping[str, Type]) -> dict[str, str]:
    """Columns as the ledger keeps them."""
    return {name: kind.sql for name, kind in columns.items()}
