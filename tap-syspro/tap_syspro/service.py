"""What the two interfaces have in common: queries, answers, and what may be asked of a service."""

from __future__ import annotations

import abc
import dataclasses
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_syspro.errors import PagingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_syspro.conditions import Condition, Value
    from tap_syspro.discovery import EntitySet

Row = dict[str, Any]
Mark = list[Any]
"""Values of a key as the service wrote them; it can stand in the state."""


@dataclasses.dataclass(frozen=True)
class Query:
    """What is asked of a table.

    Attributes:
        company: The company.
        entity: The table or entity set.
        where: Conditions that hold together.
        extra: A further filter in the service's own words.
        order: Columns to sort by.
        columns: Columns that are wanted; empty for all.
        top: How many rows.
        skip: How many rows to leave out first.
        count: Whether the number of rows is asked for.
        linked: Let the service divide the answer into pages itself.
    """

    company: str
    entity: EntitySet
    where: tuple[Condition, ...] = ()
    extra: str = ""
    order: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    top: int = 0
    skip: int = 0
    count: bool = False
    linked: bool = False

    @property
    def terms(self) -> int:
        """How many comparisons it holds."""
        return sum(len(group) for condition in self.where for group in condition)


@dataclasses.dataclass(frozen=True)
class Answer:
    """One page.

    Attributes:
        rows: The rows as they came.
        count: How many rows the whole query has, where that was told.
        link: Where the query continues, by the service's own account.
        key_values: The values of the columns that the query is sorted by, row by row, where they are known without the
            rows, which may take long to make.
    """

    rows: Sequence[Row]
    count: int | None = None
    link: str = ""
    key_values: list[tuple[Any, ...]] | None = None


class Service(abc.ABC):
    """One of the two interfaces.

    Attributes:
        largest_page: The most rows that may be asked for at a time.
        most_terms: The most comparisons in a query; fewer when the service turns out to take fewer.
        can_skip: Whether rows can be left out by number.
        filters_are_kept: Whether rows that a condition excludes never come.
    """

    largest_page: int
    most_terms: int
    can_skip = True
    filters_are_kept: bool

    @abc.abstractmethod
    def fetch(self, query: Query) -> Answer:
        """Read one page.

        Raises:
            ApiError: One of its kinds, by what the service answered.
        """

    @abc.abstractmethod
    def has_room(self, query: Query, characters: int = 0) -> bool:
        """Whether a query is short enough, with some characters to spare."""

    def fits(self, query: Query, characters: int = 0, terms: int = 0) -> bool:
        """Whether a query is short and simple enough, with something to spare."""
        return query.terms + terms <= self.most_terms and self.has_room(query, characters)

    def follow(self, query: Query, link: str) -> Answer:
        """Read the page that a continuation link names.

        Raises:
            PagingError: The interface knows no such links.
        """
        raise PagingError(f"{query.entity.name}: {link} cannot be followed.")


@dataclasses.dataclass(frozen=True)
class KeyColumn:
    """A column of a key, and how its values are compared: string, integer, decimal or date."""

    name: str
    kind: str

    def value(self, raw: Any) -> tuple[Value, str]:  # noqa: ANN401 - whatever the service wrote
        """A comparable value, and the text to write in a filter where that matters."""
        if self.kind == "integer":
            return int(Decimal(str(raw).strip() or "0")), ""
        if self.kind == "decimal":
            return Decimal(str(raw).strip() or "0"), ""
        if self.kind == "date":
            return dt.date.fromisoformat(str(raw)[:10]), str(raw)
        return str(raw), "" if self.kind == "string" else str(raw)
