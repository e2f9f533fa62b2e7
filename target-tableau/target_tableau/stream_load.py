"""What a load holds of each stream, and what it works with."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from target_tableau.columns import EXTRACTED_AT

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import pyarrow as pa

    from target_tableau.columns import Plan, Type
    from target_tableau.contents import Contents
    from target_tableau.derived import Derivations
    from target_tableau.extract import ExtractBuild
    from target_tableau.hyper import Engine
    from target_tableau.ledger import Ledger
    from target_tableau.progress import Progress
    from target_tableau.settings import Settings
    from target_tableau.worker import Worker


@dataclasses.dataclass
class StreamLoad:
    """What a load knows of one stream.

    Attributes:
        plan: Columns of the schema under which records come now.
        build: Its extract.
        tables: Batches that are not yet in the journal.
        size: Their bytes.
        read: Records so far.
        replaces_all: It is read from beginning to end, so what does not come is gone.
        began: When its first record or schema came, on the monotonic clock.
        extracted_at: When the newest record was read from the source, in UTC.
        published_columns: Columns of its data source, if that is to be updated without an extract here.
        is_covered: No row of it that would be there twice comes again after this load.
    """

    plan: Plan
    build: ExtractBuild
    tables: list[pa.Table] = dataclasses.field(default_factory=list)
    size: int = 0
    read: int = 0
    replaces_all: bool = False
    began: float = dataclasses.field(default_factory=time.monotonic)
    extracted_at: dt.datetime | None = None
    published_columns: Mapping[str, Type] | None = None
    is_covered: bool = True

    def note_times(self, table: pa.Table) -> None:
        """Note when the newest record of a batch was read from the source."""
        newest = pc.max(table.column(EXTRACTED_AT)).as_py()
        self.extracted_at = max(filter(None, (newest, self.extracted_at)), default=None)


@dataclasses.dataclass(frozen=True)
class Unclosed:
    """Loads of a stream whose end was not seen.

    Attributes:
        never: They did not hand their STATE on.
        perhaps: They were killed so near to their end that nobody knows whether they did.
    """

    never: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Both."""
        return self.never + self.perhaps


@dataclasses.dataclass(frozen=True)
class Workshop:
    """What a run opens once and all its loads use.

    Attributes:
        settings: The target's settings.
        engine: Used by the worker, and by the main thread when the worker is idle.
        worker: The background thread.
        ledger: The run's ledger.
        contents: Which loads the extracts hold.
        progress: Tells who watches how far it is.
        derived: Makes models and snapshots of what a load has built.
    """

    settings: Settings
    engine: Engine
    worker: Worker
    ledger: Ledger
    contents: Contents
    progress: Progress
    derived: Derivations
