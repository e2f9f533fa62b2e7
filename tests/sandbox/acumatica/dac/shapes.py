"""How data access classes (DACs) are declared: the tables that DAC-based OData shows with internal codes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tests.sandbox.acumatica.shapes import attr

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from tests.sandbox.acumatica.view import View
    from tests.sandbox.acumatica.wire import Kind, Value

Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True)
class Property(Generic[Row]):
    """One column.

    Attributes:
        width: Text is padded with blanks to so many characters, as fixed-length codes are.
    """

    name: str
    kind: Kind
    read: Callable[[Row, View], Value]
    width: int = 0


@dataclasses.dataclass(frozen=True)
class Navigation:
    """A way to related rows: `AccountByAccountID` (one) or `GLTranCollection` (many).

    Attributes:
        own: Columns here whose values are looked for.
        other: The columns there, in the same order.
    """

    name: str
    target: str
    own: tuple[str, ...]
    other: tuple[str, ...]
    is_many: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dac(Generic[Row]):
    """One data access class.

    Attributes:
        screen: The form that a role must be able to open to read it.
        rows: Every row, in ascending key order.
        deleted_from: Tables of the company whose deleted records were rows of this one.
    """

    name: str
    namespace: str
    screen: str
    keys: tuple[str, ...]
    properties: Sequence[Property[Row]]
    rows: Callable[[View], list[Row]]
    modified_at: Callable[[Row], dt.datetime] | None = None
    archived: Callable[[Row], bool] | None = None
    navigations: Sequence[Navigation] = ()
    deleted_from: tuple[str, ...] = ()

    @property
    def long_name(self) -> str:
        """Its name in addresses: `PX_Objects_GL_Account`."""
        return f"{self.namespace}.{self.name}".replace(".", "_")

    def column(self, name: str) -> Property[Row] | None:
        """The column of a name."""
        return next((each for each in self.properties if each.name == name), None)


def prop(kind: Kind, name: str, read: str | Callable[[Any, View], Value], width: int = 0) -> Property[Any]:
    """A column read from an attribute or by a function."""
    return Property(name, kind, attr(read) if isinstance(read, str) else read, width)


def one(target: str, own: str, other: str) -> Navigation:
    """The row of `target` whose `other` is this row's `own`; named as Acumatica does."""
    return Navigation(f"{target}By{own}", target, (own,), (other,))


def many(target: str, keys: tuple[str, ...], other: tuple[str, ...] | None = None) -> Navigation:
    """The rows of `target` that belong to this one."""
    return Navigation(f"{target}Collection", target, keys, other or keys, is_many=True)
