"""What a stream reads, as its declaration says it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from tap_epicor_kinetic.streams.columns import Derived


def baq_path(baq: str) -> str:
    """Where the rows of a BAQ are, below a company; its id may hold anything."""
    return f"BaqSvc/{quote(baq, safe='')}/Data"


@dataclasses.dataclass(frozen=True)
class Source:
    """A stream of an entity set or a BAQ, in the ERP's own names.

    Attributes:
        stream: Its name.
        path: Service and entity set.
        keys: Its key, the company aside; empty for the key that the service declares.
        useful: Columns to read by default; empty for all that are not bank, card or tax numbers.
        dated: Day of the document, by which `start_date` and `end_date` bound it; empty for none.
        times: Columns that hold points in time although their names do not say so.
        nested: Collection whose rows are lifted out of the set's rows; the stream is made of them.
        derived: Columns that the tap works out.
        without: Column and values of rows that are left out.
        rebuilt: Utilities of the ERP delete and make its rows anew, so any change means a whole read.
        appends: Its rows are never deleted, so no whole read is needed later.
        replication_key: Column that tells what is new; empty when every run reads everything.
        where: Further filter; empty for none.
        parameters: Parameters of a BAQ.
        replication_parameter: Parameter of a BAQ that takes the bookmark in place of a filter.
        order: Columns to sort by where it is read by skip.
        paging: keyset, offset or none; empty to decide by what columns there are.
        page_size: Rows per page; None for the setting.
        trims: Take padding off texts.
        setting: Where it comes from, for messages.
    """

    stream: str
    path: str
    keys: tuple[str, ...] = ()
    useful: tuple[str, ...] = ()
    dated: str = ""
    times: tuple[str, ...] = ()
    nested: str = ""
    derived: tuple[Derived, ...] = ()
    without: tuple[str, frozenset[str]] | None = None
    rebuilt: bool = False
    appends: bool = False
    replication_key: str = "SysRevID"
    where: str = ""
    parameters: tuple[tuple[str, Any], ...] = ()
    replication_parameter: str = ""
    order: tuple[str, ...] = ()
    paging: str = ""
    page_size: int | None = None
    trims: bool = False
    setting: str = ""

    @property
    def is_baq(self) -> bool:
        """Whether it is a BAQ, whose rows do not say whose they are."""
        return self.path.startswith("BaqSvc/")

    @property
    def service(self) -> str:
        """The service or BAQ that describes it."""
        return self.path.rpartition("/")[0]

    @property
    def entity_set(self) -> str:
        """The entity set."""
        return self.path.rpartition("/")[2]

    @property
    def described_by(self) -> str:
        """The set or collection whose columns are the stream's."""
        return self.nested or self.entity_set
