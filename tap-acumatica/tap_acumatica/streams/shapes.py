"""The shape of a record of contract REST: the decoder makes only what is wanted of it, and makes it once.

Contract REST wraps every value in an object of its own. As dictionaries they cost more than all else that is done to
a record, so answers are decoded into structs that know their fields beforehand.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tap_acumatica.errors import BadValueError
from tap_acumatica.streams.columns import label, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_acumatica.paging import Record
    from tap_acumatica.streams.columns import Column


class Cell(msgspec.Struct, frozen=True, gc=False):
    """A wrapped value; `{}`, `{"value": null}` and a cell that is missing or null all mean null."""

    value: Any = None


_EMPTY: Final = Cell()
WRONG: Final = (ValueError, TypeError, AttributeError, ArithmeticError)
"""What conversions raise."""


class Shape:
    """Collects what is wanted of a record, then makes the type to decode it into.

    What the ERP calls its fields need not be a name in Python (custom fields), so attributes are numbered. Each
    method that adds something returns where it will stand: names of attributes with dots between them.
    """

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def value(self, name: str, *deeper: str) -> str:
        """Want a wrapped value, which may stand in linked entities."""
        if not deeper:
            return f"{self._place(name, Cell | None)}.value"
        inner = self._fields.setdefault(name, Shape())
        return f"{self._place(name)}.{inner.value(*deeper)}"

    def plain(self, name: str) -> str:
        """Want a value that is not wrapped."""
        return self._place(name, Any)

    def rows(self, name: str, kind: type) -> str:
        """Want the rows of a collection, all of one type; None where the collection is missing or null."""
        return self._place(name, list[kind] | None)  # type: ignore[valid-type] # made while the tap runs

    def _place(self, name: str, kind: Any = None) -> str:  # noqa: ANN401 - a type or a union of types
        self._fields.setdefault(name, kind)
        return f"f{list(self._fields).index(name)}"

    def made(self) -> type[msgspec.Struct]:
        """The type; all that was added before is in it."""
        fields: list[tuple[str, Any, Any]] = []
        for place, kind in enumerate(self._fields.values()):
            if isinstance(kind, Shape):
                inner = kind.made()
                fields.append((f"f{place}", inner | None, inner()))
            else:
                fields.append((f"f{place}", kind, _EMPTY if kind == Cell | None else None))
        rename = {f"f{place}": name for place, name in enumerate(self._fields)}
        return msgspec.defstruct("Record", fields, rename=rename, frozen=True, gc=False)


def bad_value(column: Column, value: Any) -> BadValueError:  # noqa: ANN401 - whatever JSON holds
    """What to say of a value that does not fit its column."""
    return BadValueError(
        f"{column.title} is {str(value)[:60]!r}, which is no {column.kind}. Correct it in Acumatica, or deselect "
        f"{column.name}."
    )


def getter(places: Iterable[str]) -> Callable[[Record], Sequence[Any]]:
    """Make a function that gets several values of a record at once.

    What stands behind a cell or a linked entity that came as null is null.

    Args:
        places: Where they stand, as a `Shape` said.
    """
    places = list(places)
    if not places:
        return lambda _: ()
    at_once = operator.attrgetter(*places)
    is_one = len(places) == 1

    def get(record: Record) -> Sequence[Any]:
        try:
            return (at_once(record),) if is_one else at_once(record)
        except AttributeError:
            return [_found(record, place) for place in places]

    return get


def _found(record: Record, place: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    for name in place.split("."):
        record = getattr(record, name, None)
    return record


def values_reader(
    columns: Iterable[Column], convert: Mapping[str, Callable[[Any], Any] | None], shape: Shape
) -> tuple[list[str], Callable[[Record], list[Any]]]:
    """Add columns to a shape, and make a function that gives their values of a record, converted.

    Args:
        columns: The columns; those that the tap works out are passed over.
        convert: How values of each kind are converted.
        shape: What the records will be decoded into.

    Returns:
        The names of the properties, and the function, which gives the values in the same order; it raises
        `BadValueError` where one does not fit its column.
    """
    wanted = [column for column in columns if column.path]
    hows = [convert[column.kind] for column in wanted]
    get = getter([shape.value(*column.path) for column in wanted])
    conversions = [(place, how) for place, how in enumerate(hows) if how is not None]
    texts: list[tuple[int, Callable[[Any], Any]]] = [each for each in conversions if each[1] in {text, label}]
    others = [each for each in conversions if each not in texts]
    strip = str.rstrip

    def read(record: Record) -> list[Any]:
        values = list(get(record))
        try:
            # Nearly all texts are texts: the method of `str` takes a third of the time of what takes all else too.
            for place, _ in texts:
                if (value := values[place]) is not None:
                    values[place] = strip(value)
        except TypeError:
            for place, how in texts:
                if (value := values[place]) is not None:
                    values[place] = how(value)
        for place, how in others:
            if (value := values[place]) is not None:
                try:
                    values[place] = how(value)
                except WRONG:
                    raise bad_value(wanted[place], value) from None
        return values

    return [column.name for column in wanted], read
