"""A row, and how identities and row versions come about."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.exact_online.rows.view import View


@dataclasses.dataclass(slots=True)
class Row:
    """One row of an entity.

    Attributes:
        id: Its identity in the division, as text.
        values: Properties that are filled; all others are null.
        basis: What its row version depends on: the record that it shows, not the names joined to it.
    """

    id: str
    values: dict[str, Any]
    basis: int = 0


if TYPE_CHECKING:
    Source = Callable[[View], Iterable[Row]]


def guid(note_id: str, *parts: object) -> str:
    """A guid that lives as long as the record, and is another one for each of its parts."""
    return str(uuid.uuid5(uuid.UUID(note_id), "|".join(map(str, parts))))


def basis_of(record: msgspec.Struct) -> int:
    """A number that changes with the record."""
    return int.from_bytes(hashlib.blake2b(msgspec.json.encode(record), digest_size=7).digest())
