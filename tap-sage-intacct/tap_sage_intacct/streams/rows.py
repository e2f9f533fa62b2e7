"""Rows: from the elements of a record to the wanted properties."""

from __future__ import annotations

import dataclasses
import decimal
from typing import TYPE_CHECKING, Any

from tap_sage_intacct.errors import BadValueError
from tap_sage_intacct.streams.columns import key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.streams.columns import Column


class RowReader:
    """Makes rows of record elements: exactly the wanted properties, converted.

    What to do with each position is worked out once per order of the elements, which hardly ever changes.

    Args:
        name: The object, for messages.
        columns: The wanted columns.
        constants: Properties that are the same in all rows.
        convert: The conversion of each kind.
        derive: Works out further properties of a row.
    """

    def __init__(
        self,
        name: str,
        columns: Sequence[Column],
        constants: Mapping[str, Any],
        convert: Mapping[str, Callable[[str], Any]],
        derive: Callable[[Row], None] | None = None,
    ) -> None:
        self._name = name
        self._by_field = {column.field.upper(): column for column in columns if column.field}
        self._constants = {**{column.name: None for column in columns}, **constants}
        self._convert = convert
        self._derive = derive
        self._layouts: dict[tuple[str, ...], _Layout] = {}

    def __call__(self, tags: tuple[str, ...], texts: Sequence[str | None]) -> Row:
        """Read one record: the names of its elements, and their texts.

        Raises:
            BadValueError: A value does not fit its field.
        """
        layout = self._layouts.get(tags)
        if layout is None:
            layout = self._layouts[tags] = self._layout(tags)
        values: list[Any] = [*texts, *layout.rest]
        try:
            for position in layout.keys:
                value = values[position]
                if value is not None and not value.isdigit():
                    values[position] = key(value)
            for position, convert in layout.converts:
                value = values[position]
                if value is not None:
                    values[position] = convert(value)
        except (ValueError, ArithmeticError):
            raise self._bad_value(tags, texts, layout) from None
        row = dict(zip(layout.names, values, strict=True))
        if layout.has_extra:
            row.pop("", None)
        if self._derive is not None:
            self._derive(row)
        return row

    def _layout(self, tags: tuple[str, ...]) -> _Layout:
        columns = [self._by_field.get(tag.upper()) for tag in tags]
        names = [column.name if column else "" for column in columns]
        converts = [
            (position, self._convert[column.kind])
            for position, column in enumerate(columns)
            if column and column.kind in self._convert
        ]
        keys = [position for position, convert in converts if convert is key]
        rest = {name: value for name, value in self._constants.items() if name not in names}
        return _Layout(
            [*names, *rest],
            keys,
            [(position, convert) for position, convert in converts if convert is not key],
            list(rest.values()),
            "" in names,
        )

    def _bad_value(self, tags: Sequence[str], texts: Sequence[str | None], layout: _Layout) -> BadValueError:
        for position, convert in [*((position, key) for position in layout.keys), *layout.converts]:
            text = texts[position] or ""
            try:
                if text:
                    convert(text)
            except (ValueError, decimal.InvalidOperation):
                column = self._by_field[tags[position].upper()]
                record = {tag.upper(): found for tag, found in zip(tags, texts, strict=True)}.get(
                    "RECORDNO"
                ) or "?"
                return BadValueError(
                    f"{self._name} {record}: {tags[position]} is {text[:60]!r}, which is no {column.kind}. If it is a "
                    "date, set the date format of the API user to mm/dd/yyyy."
                )
        return BadValueError(f"{self._name}: a record cannot be read")


@dataclasses.dataclass(frozen=True)
class _Layout:
    """What to do with a record, by position.

    Attributes:
        names: The properties.
        keys: Which of them are keys.
        converts: What to convert otherwise.
        rest: The values of the last names, which no element gives.
        has_extra: Whether there are elements that nobody wants.
    """

    names: list[str]
    keys: list[int]
    converts: list[tuple[int, Callable[[str], Any]]]
    rest: list[Any]
    has_extra: bool
