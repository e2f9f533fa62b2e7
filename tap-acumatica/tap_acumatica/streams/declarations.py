"""How streams of contract REST are declared: one line of a table each, see `tap_acumatica.streams`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_acumatica.streams.dac import HeaderAmounts, LineAmounts


@dataclasses.dataclass(frozen=True)
class Lines:
    """A stream of lines.

    Attributes:
        stream: Its name.
        collections: Where the lines stand in the document. Of several, `application_state` tells which.
        keys: The properties that tell lines of one document apart.
        carry: Fields of the document that every line repeats, so that it can be read alone.
        hidden_number: View and field of the line number where the entity itself does not show it.
        rename: Fields of the line that would collide with those of the document.
        ordinal: Property that numbers lines which are equal in all other keys; empty for none.
        amounts: Where base-currency amounts come from.
        dated: Property that tells on which day the lines were seen, for quantities and the like that the ERP keeps
            without a history; it is part of the key.
        light: The lines are so small that a page may hold as many records as without them.
    """

    stream: str
    collections: tuple[str, ...]
    keys: tuple[str, ...]
    carry: tuple[str, ...] = ()
    hidden_number: str = ""
    rename: tuple[tuple[str, str], ...] = ()
    ordinal: str = ""
    amounts: LineAmounts | None = None
    dated: str = ""
    light: bool = False


@dataclasses.dataclass(frozen=True)
class Entity:
    """A stream of an entity, with its lines.

    Attributes:
        stream: Its name; empty when only the lines are a stream.
        entity: The entity's name on the endpoint.
        keys: Its natural key.
        links: Linked entities whose fields become columns.
        lines: Its lines.
        amounts: Where base-currency amounts come from.
        deletions: The data access class that tells of deletions.
        segmented: Property that holds a segmented code, to be cut as the settings say.
        whole: Read all of it in every run, because its modification time does not tell of all changes.
        master: Documents refer to it, so `start_date` does not bound it: an account may be older than its bills.
    """

    stream: str
    entity: str
    keys: tuple[str, ...]
    links: tuple[str, ...] = ()
    lines: Lines | None = None
    amounts: HeaderAmounts | None = None
    deletions: str = ""
    segmented: str = ""
    whole: bool = False
    master: bool = False

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return self.stream or (self.lines.stream if self.lines else self.entity)
