"""How entities of the contract API are declared: fields, details, linked records, and in which versions.

A declaration reads like a table. `read` takes a row of the company (a record, or a `Pair` of document and
line) and the view of the company, and gives the raw value; codes for drop-downs, dates and decimals as such.
"""

from __future__ import annotations

import dataclasses
import operator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from tests.sandbox.acumatica.wire import Kind, Value

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.sandbox.acumatica.labels import Choices
    from tests.sandbox.acumatica.view import View

Row = TypeVar("Row")
Document = TypeVar("Document")
Part = TypeVar("Part")
VERSIONS_4 = ("22.200.001", "23.200.001", "24.200.001", "25.200.001")
VERSION_5 = "26.200.001"


class Pair(NamedTuple, Generic[Document, Part]):
    """A line and the document that it belongs to."""

    parent: Document
    line: Part


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field(Generic[Row]):
    """One field.

    Attributes:
        read: Gives the raw value; None for a field that this company never fills.
        choices: The drop-down list, for fields that have one. In contract 5 these fields become objects.
        since: First version that has it; "" for all.
        until: First version that no longer has it; "" for none.
        stays_stamp: A business date that contract 5 does not turn into a date-only value.
    """

    name: str
    kind: Kind
    read: Callable[[Row, View], Value] | None = None
    choices: Choices | None = None
    since: str = ""
    until: str = ""
    stays_stamp: bool = False

    def served_in(self, version: str) -> bool:
        """Whether a version has this field."""
        return self.since <= version and (not self.until or version < self.until)

    def kind_in(self, version: str) -> Kind:
        """The kind in a version: date-only values came with contract 5."""
        date_only = version >= VERSION_5 and not self.stays_stamp
        return Kind.STAMP if self.kind is Kind.DAY and not date_only else self.kind


@dataclasses.dataclass(frozen=True, kw_only=True)
class CustomField(Generic[Row]):
    """A field outside the contract, fetched by `$custom=View.Field`."""

    view: str
    name: str
    kind: Kind
    read: Callable[[Row, View], Value]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape(Generic[Row]):
    """The fields of one type of record, its details and linked records."""

    type_name: str
    fields: Sequence[Field[Row]]
    collections: Sequence[Collection[Row]] = ()
    links: Sequence[Link[Row]] = ()
    custom: Sequence[CustomField[Row]] = ()


@dataclasses.dataclass(frozen=True)
class Collection(Generic[Row]):
    """Details of a record."""

    name: str
    shape: Shape[Any]
    rows: Callable[[Row, View], Sequence[Any]]
    since: str = ""


@dataclasses.dataclass(frozen=True)
class Link(Generic[Row]):
    """A record nested in another."""

    name: str
    shape: Shape[Any]
    row: Callable[[Row, View], Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entity(Generic[Row]):
    """A top-level entity.

    Attributes:
        keys: Names of the key fields, in the order of its path.
        rows: Every row, in ascending key order.
        note_id: Its persistent GUID.
        modified_at: What its cursor field shows; None when it has no cursor.
    """

    shape: Shape[Row]
    screen: str
    title: str
    keys: tuple[str, ...]
    rows: Callable[[View], list[Row]]
    note_id: Callable[[Row], str]
    archived: Callable[[Row], bool] | None = None
    modified_at: Callable[[Row], dt.datetime] | None = None

    @property
    def name(self) -> str:
        """What it is called in the address."""
        return self.shape.type_name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inquiry:
    """An entity that is asked by PUT with parameters.

    Attributes:
        parameters: Names of its parameters, all strings unless in `flags`.
        rows: Checks the parameters and gives the rows of `Results`.
    """

    type_name: str
    screen: str
    title: str
    parameters: tuple[str, ...]
    flags: tuple[str, ...]
    results: Shape[Any]
    rows: Callable[[Question], Sequence[Any]]

    @property
    def name(self) -> str:
        """What it is called in the address."""
        return self.type_name


@dataclasses.dataclass
class Question:
    """What an inquiry was asked, and what is wrong with it.

    Attributes:
        given: The parameters sent, unwrapped.
        branch: The caller's branch.
        errors: Parameter to message; any makes the answer a 422.
    """

    view: View
    given: Mapping[str, Value]
    branch: str
    errors: dict[str, str] = dataclasses.field(default_factory=dict)

    def text(self, name: str) -> str:
        """A text parameter, "" when it is absent."""
        value = self.given.get(name)
        return value.strip() if isinstance(value, str) else ""


def attr(path: str) -> Callable[[Any, View], Value]:
    """Read an attribute by its dotted path."""
    read = operator.attrgetter(path)

    def value(row: object, _: View) -> Value:
        found: Value = read(row)
        return found

    return value


def const(value: Value) -> Callable[[Any, View], Value]:
    """The same value on every row."""
    return lambda _row, _view: value


def blanks(kind: Kind, names: str) -> list[Field[Any]]:
    """Fields that this company never fills, named in one string."""
    return [Field(name=name, kind=kind) for name in names.split()]


def switched_off(names: str) -> list[Field[Any]]:
    """Flags that are false on every row."""
    return [Field(name=name, kind=Kind.BOOLEAN, read=const(value=False)) for name in names.split()]


def by_name(fields: Iterable[Field[Any]]) -> list[Field[Any]]:
    """Fields in the order in which the server writes them: by name."""
    return sorted(fields, key=lambda field: field.name)


def text(name: str, read: str | Callable[[Row, View], Value], choices: Choices | None = None) -> Field[Row]:
    """A string field read from an attribute or by a function."""
    return Field(name=name, kind=Kind.STRING, read=_reader(read), choices=choices)


def of_kind(kind: Kind, name: str, read: str | Callable[[Row, View], Value]) -> Field[Row]:
    """A field of another kind."""
    return Field(name=name, kind=kind, read=_reader(read))


def _reader(read: str | Callable[[Row, View], Value]) -> Callable[[Row, View], Value]:
    return attr(read) if isinstance(read, str) else read
