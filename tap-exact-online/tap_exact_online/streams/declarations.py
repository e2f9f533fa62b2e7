"""How streams are declared: one line of a table each, see `tap_exact_online.streams`."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_exact_online.streams.amounts import Amounts


class Way(enum.Enum):
    """How changes are found.

    Attributes:
        SYNC: By the row version `Timestamp`, a thousand rows per page; deletions are told.
        MODIFIED: By the time of the last change.
        FULL: Not at all: everything is read.
    """

    SYNC = "timestamp"
    MODIFIED = "modified"
    FULL = ""


@dataclasses.dataclass(frozen=True)
class Lines:
    """A stream of lines, which come with their document.

    Attributes:
        stream: Its name.
        endpoint: The endpoint whose properties they have.
        collection: The property of the document that holds them.
        parent: The property of the line that names its document.
        carry: Properties of the document that every line repeats, so that it can be read alone.
    """

    stream: str
    endpoint: str
    collection: str
    parent: str
    carry: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Entity:
    """A stream of an endpoint, with its lines.

    Attributes:
        stream: Its name.
        endpoint: The endpoint.
        keys: What tells its rows apart within a division.
        way: How changes are found.
        lines: Its lines.
        deleted_as: Its number in the list of deletions; 0 for none.
        master: Documents refer to it, so `start_date` does not bound it.
        years: The property with the year that `reporting_years` bounds.
        amounts: Columns worked out from a record.
    """

    stream: str
    endpoint: str
    keys: tuple[str, ...]
    way: Way
    lines: Lines | None = None
    deleted_as: int = 0
    master: bool = False
    years: str = ""
    amounts: Amounts | None = None
