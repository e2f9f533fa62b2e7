"""What is asked of the gateway for a stream, and the form in which the rows of an answer are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from tap_sage_intacct.discovery import query
from tap_sage_intacct.errors import FieldsRefusedError
from tap_sage_intacct.paging import Pages, Rows
from tap_sage_intacct.streams.columns import COMPANY, ENTITY
from tap_sage_intacct.streams.encoded import EncodedReader
from tap_sage_intacct.streams.rows import RowReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_sage_intacct.envelope import Node, Reply
    from tap_sage_intacct.records import Reader
    from tap_sage_intacct.streams.columns import Column
    from tap_sage_intacct.streams.declarations import Amounts
    from tap_sage_intacct.streams.encoded import EncodedRows
    from tap_sage_intacct.streams.rows import RowList
    from tap_sage_intacct.tap import TapSageIntacct

P = TypeVar("P", bound=Rows)


class Selection:
    """What is wanted of one object, by one session.

    Args:
        tap: The tap.
        name: The object.
        columns: What is wanted of each record.
        entity: Where to be signed in; empty for the top level.
        amounts: What the tap works out.
        docparid: The transaction definition whose custom fields are wanted.
        needs: Fields that must be read to page, wanted or not.
        keys: Properties that must not be empty.

    Attributes:
        fields: What to ask for.
        needed: Fields without which it cannot be read.
        drop: Properties that are read and not wanted.
        rows: Makes rows of records.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what there is to say
        self,
        tap: TapSageIntacct,
        name: str,
        columns: Sequence[Column],
        entity: str,
        amounts: Amounts | None = None,
        docparid: str = "",
        needs: Sequence[Column] = (),
        keys: Sequence[str] = (),
    ) -> None:
        self.tap = tap
        self.name = name
        self.entity = entity
        wanted = {column.name for column in columns}
        derived = [c.name for c in amounts.columns if c.name in wanted] if amounts else []
        extra = [column for column in needs if column.name not in wanted]
        read = [column for column in (*columns, *extra) if column.field]
        self.fields = [column.field for column in read]
        self.docparid = docparid
        self.needed = {column.field.upper() for column in needs}
        self.drop = [c.name for c in extra] + (
            [c.name for c in amounts.columns if c.name not in wanted] if amounts and derived else []
        )
        constants = {
            name: value for name, value in ((COMPANY, tap.company), (ENTITY, entity)) if name in wanted
        }
        made = [column for column in (*columns, *extra) if column.name not in derived]
        self.rows = RowReader(name, made, constants, tap.converters, amounts if derived else None, keys)

    def as_rows(self) -> Source[RowList]:
        """Read it as rows."""
        return Source(self, self.rows)

    def as_encoded(self, held: Sequence[str], blank: Sequence[str]) -> Source[EncodedRows]:
        """Read it as rows that are encoded at once, because nothing is done with them any more.

        Args:
            held: Properties that paging needs.
            blank: Properties that are added, without a value.
        """
        return Source(self, EncodedReader(self.rows, held, self.drop, blank))


class Source(Generic[P]):
    """One object, read page by page.

    Args:
        selection: What is wanted of it.
        reader: Makes of its records what is kept of them.
    """

    def __init__(self, selection: Selection, reader: Reader[P]) -> None:
        self.drop = selection.drop
        self._selection = selection
        self._reader = reader

    def fetch(  # noqa: PLR0913 - what a page is
        self,
        conditions: Sequence[Node],
        order: Sequence[str],
        offset: int,
        size: int,
        patient: bool,  # noqa: FBT001
        *,
        later: bool = False,
    ) -> Reply[P]:
        """Read a page, without the fields that the gateway refuses.

        Args:
            conditions: What the rows fulfil.
            order: What they are sorted by.
            offset: How many of them to leave out.
            size: How many to read at most.
            patient: Wait as long as it takes, rather than ask for less.
            later: Leave the rows to `Reply.read`.

        Raises:
            ApiError: The gateway does not give the rows.
        """
        selection = self._selection
        tap, name = selection.tap, selection.name
        refused = tap.refused.setdefault(name, set())
        while True:
            fields = [field for field in selection.fields if field.upper() not in refused]
            function = query(
                name,
                fields,
                conditions,
                order,
                offset,
                size,
                selection.docparid,
                show_private=tap.config["show_private"] and not selection.entity,
            )
            try:
                reply = tap.client.call(
                    function, name, self._reader, selection.entity, shrinkable=not patient, later=later
                )
            except FieldsRefusedError as error:
                fresh = error.fields & {field.upper() for field in fields}
                if not fresh or fresh & selection.needed:
                    raise
                refused |= fresh
                tap.logger.warning(
                    "%s: these fields cannot be queried and stay empty: %s",
                    name,
                    ", ".join(sorted(fresh)),
                )
            else:
                return reply

    def pages(self) -> Pages[P]:
        """Pages of this source."""
        return Pages(self.fetch, self._selection.tap.config["page_size"])
