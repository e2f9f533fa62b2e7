"""Names beside codes and guids: what the API leaves out of facts is joined from the dimensions.

A table of names per division and dimension is kept between runs and brought up to date with one call, or with none
where the dimension is itself a stream of the run. There is never a call per record.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any, Final

from tap_exact_online.errors import ApiError, StoppedError
from tap_exact_online.paging import SINCE_EVER, walk, wall
from tap_exact_online.streams.columns import Column, snake
from tap_exact_online.streams.declarations import Way
from tap_exact_online.streams.hints import spaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_exact_online.client import Client
    from tap_exact_online.paging import Row
    from tap_exact_online.store import Store

_LOG: Final = logging.getLogger("tap-exact-online")
_CURSORS: Final = {Way.SYNC: "Timestamp", Way.MODIFIED: "Modified"}


@dataclasses.dataclass(frozen=True)
class Dimension:
    """A table of names.

    Attributes:
        endpoint: Where it comes from.
        key: What facts refer to it by.
        fields: What is taken of it.
        way: How changes are found.
    """

    endpoint: str
    key: str
    fields: tuple[str, ...]
    way: Way = Way.SYNC

    @property
    def select(self) -> tuple[str, ...]:
        """What to ask for."""
        return (self.key, *self.fields, _CURSORS[self.way])


ACCOUNTS: Final = Dimension("sync/CRM/Accounts", "ID", ("Code", "Name"))
CONTACTS: Final = Dimension("sync/CRM/Contacts", "ID", ("FullName",))
GL_ACCOUNTS: Final = Dimension("sync/Financial/GLAccounts", "ID", ("Code", "Description"))
ITEMS: Final = Dimension("sync/Logistics/Items", "ID", ("Code", "Description"))
COST_CENTERS: Final = Dimension("hrm/Costcenters", "Code", ("Description",), Way.MODIFIED)
COST_UNITS: Final = Dimension("hrm/Costunits", "Code", ("Description",), Way.MODIFIED)
DIMENSIONS: Final = {
    each.endpoint: each for each in (ACCOUNTS, CONTACTS, GL_ACCOUNTS, ITEMS, COST_CENTERS, COST_UNITS)
}
_REFERENCES: Final[dict[str, tuple[str, Dimension]]] = {
    **dict.fromkeys(("Account", "Supplier", "Customer", "OrderedBy", "InvoiceTo", "DeliverTo"), ("guid", ACCOUNTS)),
    **dict.fromkeys(("ContactPerson", "AccountContact", "AccountMainContact"), ("guid", CONTACTS)),
    "GLAccount": ("guid", GL_ACCOUNTS),
    "Item": ("guid", ITEMS),
    **dict.fromkeys(("CostCenter", "Costcenter"), ("text", COST_CENTERS)),
    **dict.fromkeys(("CostUnit", "Costunit"), ("text", COST_UNITS)),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Join:
    """A column that comes from a dimension.

    Attributes:
        column: The column.
        field: The property of the fact that refers.
        dimension: Where the name is.
        position: Which of its fields.
    """

    column: Column
    field: str
    dimension: Dimension
    position: int


def joins_of(properties: Mapping[str, str]) -> list[Join]:
    """What can be joined to an endpoint that its own rows do not tell."""
    joins = []
    for name, (kind, dimension) in _REFERENCES.items():
        if properties.get(name) != kind:
            continue
        for position, field in enumerate(dimension.fields):
            known = {f"{name}{field}", f"{name}Name"} if field == "FullName" else {f"{name}{field}"}
            if known & set(properties):
                continue
            title = f"{name} -> {dimension.endpoint.rpartition('/')[2]}.{field}"
            column = Column(
                f"{snake(name)}_{snake(field)}",
                "text",
                title=title,
                description="Joined by the tap.",
                hints={"label": spaced(f"{name}{field}")},
            )
            joins.append(Join(column, name, dimension, position))
    return joins


class Names:
    """The tables of names of one division."""

    def __init__(self, client: Client, store: Store, division: int) -> None:
        self._client = client
        self._store = store
        self._division = division
        self._tables: dict[str, dict[str, Sequence[Any]]] = {}
        self._marks: dict[str, str] = {}
        self._fresh: set[str] = set()
        self._closed: set[str] = set()
        self._unknown: set[tuple[str, str]] = set()

    def add(self, joins: Iterable[Join], records: Sequence[Row], rows: Sequence[Row]) -> None:
        """Put names into rows.

        Raises:
            StoppedError: No call is left to get them.
        """
        for join in joins:
            table = self._table(join.dimension)
            name, field, position = join.column.name, join.field, join.position
            missing = {key for record in records if (key := record.get(field)) and _key(key) not in table}
            if self._is_worth_asking(join.dimension, missing):
                table = self._refresh(join.dimension)
                self._unknown.update(
                    (join.dimension.endpoint, key) for key in missing if _key(key) not in table
                )
            for record, row in zip(records, rows, strict=True):
                key = record.get(field)
                found = table.get(_key(key)) if key else None
                row[name] = found[position] if found else None

    def learn(self, endpoint: str, since: str, records: Iterable[Row], mark: str) -> None:
        """Take over rows of a stream that has been read anyway.

        Args:
            endpoint: Of the stream.
            since: The cursor that it was read from.
            records: What was read.
            mark: The cursor up to which it was read.
        """
        dimension = DIMENSIONS.get(endpoint)
        if dimension is None:
            return
        self._load(dimension)
        if _number(since) > _number(self._marks[endpoint]):
            return  # there is a gap between what is known and what was read
        self._take(dimension, records)
        self._marks[endpoint] = max(mark, self._marks[endpoint], key=_number)
        self._fresh.add(endpoint)

    def save(self) -> None:
        """Keep the tables for the next run."""
        for endpoint, table in self._tables.items():
            if endpoint in self._fresh:
                self._store.write(self._file(endpoint), {"mark": self._marks[endpoint], "names": table})

    def _table(self, dimension: Dimension) -> dict[str, Sequence[Any]]:
        endpoint = dimension.endpoint
        if endpoint in self._fresh or endpoint in self._closed:
            return self._tables.get(endpoint, {})
        return self._refresh(dimension)

    def _is_worth_asking(self, dimension: Dimension, missing: Iterable[str]) -> bool:
        """Whether something was referred to that came into being after the names were read."""
        if dimension.endpoint in self._closed:
            return False
        return any((dimension.endpoint, key) not in self._unknown for key in missing)

    def _load(self, dimension: Dimension) -> None:
        endpoint = dimension.endpoint
        if endpoint not in self._tables:
            kept = self._store.read(self._file(endpoint))
            self._tables[endpoint] = dict(kept.get("names") or {})
            self._marks[endpoint] = str(kept.get("mark") or "")

    def _refresh(self, dimension: Dimension) -> dict[str, Sequence[Any]]:
        """Read what has changed since the last time."""
        endpoint = dimension.endpoint
        self._load(dimension)
        mark = self._marks[endpoint]
        is_sync = dimension.way is Way.SYNC
        bound = f"Timestamp gt {mark or 1}L" if is_sync else f"Modified ge {mark or SINCE_EVER}"
        params = {"$filter": bound, "$select": ",".join(dimension.select)}
        try:
            for records in walk(self._client, self._division, endpoint, params):
                self._take(dimension, records)
                self._marks[endpoint] = max(
                    [self._marks[endpoint], *(_mark(dimension, record) for record in records)], key=_number
                )
        except StoppedError:
            raise
        except ApiError as error:
            _LOG.warning("enrich: no names from %s; their columns stay as they are. %s", endpoint, error)
            self._closed.add(endpoint)
        else:
            self._fresh.add(endpoint)
        return self._tables[endpoint]

    def _take(self, dimension: Dimension, records: Iterable[Row]) -> None:
        table = self._tables[dimension.endpoint]
        for record in records:
            if key := record.get(dimension.key):
                table[_key(key)] = [_text(record.get(field)) for field in dimension.fields]

    def _file(self, endpoint: str) -> str:
        return f"names-{self._division}-{endpoint.rpartition('/')[2].lower()}"


def _key(value: str) -> str:
    return value.strip()


def _text(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _mark(dimension: Dimension, record: Row) -> str:
    """The cursor of a record, in the form in which it stands in a filter."""
    if dimension.way is Way.SYNC:
        return str(record.get("Timestamp") or "")
    return mark_of_time(record.get("Modified"))


def mark_of_time(value: str | None) -> str:
    """A `/Date(ms)/` as it stands in a filter: both are the servers' wall clock."""
    return f"datetime'{wall(int(value[6:-2])).isoformat(timespec='milliseconds')}'" if value else ""


def _number(mark: str) -> tuple[int, str]:
    """Puts marks in order: row versions by value, times as text."""
    return (int(mark), "") if mark.isdecimal() else (0, mark)
