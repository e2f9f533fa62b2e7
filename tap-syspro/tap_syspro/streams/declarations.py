"""What a line of the table of streams says."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tap_syspro.streams.strategies import Full, Strategy

if TYPE_CHECKING:
    from tap_syspro.streams.derived import Derived


@dataclasses.dataclass(frozen=True)
class Lines:
    """The lines of documents: a table of its own that is read with its documents.

    Attributes:
        stream: Name of the stream.
        entity: The table.
        keys: Its key; the first column is the key of the document.
        derived: Columns that are worked out.
    """

    stream: str
    entity: str
    keys: tuple[str, ...]
    derived: tuple[Derived, ...] = ()


@dataclasses.dataclass(frozen=True)
class Table:
    """A stream of one table, with its lines where it has some.

    Attributes:
        stream: Name of the stream.
        entity: The table.
        keys: Its key, by the ERP's names.
        how: How it is read again.
        derived: Columns that are worked out.
        lines: Its lines.
        is_known: In the catalogue, therefore selected by default.
    """

    stream: str
    entity: str
    keys: tuple[str, ...]
    how: Strategy = dataclasses.field(default_factory=Full)
    derived: tuple[Derived, ...] = ()
    lines: Lines | None = None
    is_known: bool = True
