"""How streams are declared: one line of a table each, see `tap_sage_intacct.streams`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.streams.columns import Column


@dataclasses.dataclass(frozen=True)
class Amounts:
    """Amounts that the tap works out, so that plain sums over them are what the ledger says.

    Attributes:
        columns: What is worked out.
        needs: The fields that it takes, by their name in the ERP.
        derive: Adds the columns to a row.
        passed: Columns that are the value of a field, or else what they are whatever that value is; with the field.
            That is so for all columns, or nothing is said here.
    """

    columns: tuple[Column, ...]
    needs: tuple[str, ...]
    derive: Callable[[Row], None]
    passed: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Lines:
    """A stream of lines, read again as a set whenever their document is read.

    Attributes:
        stream: Its name.
        object: What it is called in the ERP.
        parents: Fields that may hold the RECORDNO of the document; the first one that the company has counts.
            Where it has none of them, the stream is read by itself.
        amounts: What the tap works out.
        by_book: There is a row per book, and `book_ids` chooses; the book is part of the key.
        own: Rows change, or belong to no document, without their document being changed.
    """

    stream: str
    object: str
    parents: tuple[str, ...]
    amounts: Amounts | None = None
    by_book: bool = False
    own: bool = False


@dataclasses.dataclass(frozen=True)
class Touch:
    """Records whose change alters documents without touching their modification time.

    Attributes:
        object: What they are called in the ERP.
        fields: Their fields that hold RECORDNOs of such documents.
    """

    object: str
    fields: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Object:
    """A stream of an object, with its lines.

    Attributes:
        stream: Its name.
        object: What it is called in the ERP.
        lines: Its lines.
        amounts: What the tap works out.
        master: Documents refer to it, so `start_date` does not bound it: an account may be older than its bills.
        audited: The audit trail tells of its deletions by RECORDNO.
        touched: What alters its records without touching them.
        keys: Its key where that is not RECORDNO, by the ERP's names.
        replication_key: Its time of change where that is not WHENMODIFIED, by the ERP's name.
        docparid: The transaction definition whose custom fields are wanted.
        by_book: There is a row per book, and `book_ids` chooses; the book is part of the key.
    """

    stream: str
    object: str
    lines: tuple[Lines, ...] = ()
    amounts: Amounts | None = None
    master: bool = False
    audited: bool = True
    touched: Touch | None = None
    keys: tuple[str, ...] = ()
    replication_key: str = ""
    docparid: str = ""
    by_book: bool = False
