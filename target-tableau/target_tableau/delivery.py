"""What happens to verified extracts where a Tableau server is set."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from target_tableau.client import Address, TableauClient, parse_address
from target_tableau.errors import TableauError
from target_tableau.ledger import Ledger, Status
from target_tableau.publish import Publication, Publisher
from target_tableau.sign_in import credentials_of

if TYPE_CHECKING:
    from types import TracebackType

    from target_tableau.load import Load
    from target_tableau.settings import Settings

logger = logging.getLogger(__name__)


class Delivery:
    """Publishes what a run has built. Signs in only when there is something to ask or to publish.

    Args:
        settings: The target's settings, with a server.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.address: Address = parse_address(settings.server_url or "", settings.site)
        self._publisher: Publisher | None = None
        self._stack = contextlib.ExitStack()
        self._ledger: Ledger | None = None

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
        if not ledger.has_published(self.address.server_url, self.address.site, self.settings.project or ""):
            _ = self.publisher

    @property
    def ledger(self) -> Ledger:
        """The run's ledger."""
        if self._ledger is None:
            raise RuntimeError("open() was not called")
        return self._ledger

    @property
    def publisher(self) -> Publisher:
        """Signed in on first use, and again if the last session has ended."""
        if self._publisher is None:
            settings = self.settings
            client = self._stack.enter_context(TableauClient(self.address, credentials_of(settings)))
            self._publisher = Publisher(
                client,
                settings.project or "",
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
            "project": self.settings.project or "",
        }

    def _publication(self, stream: str, file: Path, known: dict[str, Any] | None) -> Publication:
        return Publication(
            stream=stream,
            name=self.settings.datasource_name_of(stream),
            file=file,
            known_luid=known["luid"] if known else None,
        )

    def fetch(self, stream: str, path: Path) -> bool:
        """Take the published data source of a stream as its extract.

        Returns:
            Whether there is one that is ours.

        Raises:
            TableauError: It cannot be read.
        """
        publication = self._publication(stream, path, self.ledger.datasource(self._key(stream)))
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".publish-") as folder:
            document = self.publisher.download(publication, Path(folder))
            if document is None:
                return False
            _hyper_of(document, Path(folder)).replace(path)
        path.chmod(0o600)
        return True

    def deliver(self, load: Load) -> None:
        """Publish every extract that changed or was never published here.

        Raises:
            TableauError: Tableau did not take one; its message says which.
        """
        publications = []
        for stream, part in load.streams.items():
            known = self.ledger.datasource(self._key(stream))
            self.ledger.update(load.load_id, [stream], datasource=self.settings.datasource_name_of(stream))
            if part.build.built or (known is None and part.build.path.exists()):
                file = part.build.next if part.build.built else part.build.path
                publications.append(self._publication(stream, file, known))
        if not publications:
            return
        if self.settings.dry_run:
            names = ", ".join(f"'{publication.name}'" for publication in publications)
            logger.info("Dry run: %s would be published.", names)
            return
        self.publisher.publish(publications)
        for publication in publications:
            self.ledger.remember_datasource(
                self._key(publication.stream),
                name=publication.name,
                luid=publication.luid,
                load_id=load.load_id,
            )
            self.ledger.update(
                load.load_id,
                [publication.stream],
                status=Status.PUBLISHED,
                datasource_luid=publication.luid,
                job=publication.job,
            )


def _hyper_of(document: Path, folder: Path) -> Path:
    """The extract inside a downloaded data source.

    Raises:
        TableauError: There is none, or several.
    """
    if not zipfile.is_zipfile(document):
        return document
    with zipfile.ZipFile(document) as archive:
        names = [name for name in archive.namelist() if name.endswith(".hyper")]
        if len(names) != 1:
            raise TableauError(
                f"The published data source {document.name} holds {len(names)} extracts instead of one, so it cannot "
                "be the base of the next load. Choose another datasource_name."
            )
        target = folder / "base.hyper"
        with archive.open(names[0]) as packed, target.open("wb") as plain:
            while part := packed.read(1024 * 1024):
                plain.write(part)
    return target
