"""Rows: from the elements of a record to the wanted properties."""

from __future__ import annotations

import decimal
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from tap_sage_intacct.errors import BadValueError
from tap_sage_intacct.paging import Row
from tap_sage_intacct.records import text_of
from tap_sage_intacct.streams.columns import Remembered, key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_sage_intacct.records import Run
    from tap_sage_intacct.streams.columns import Column
    from tap_sage_intacct.streams.declarations import Amounts

MOST_TEXTS: Final = 1_000
"""How many texts of a column are remembered."""


class RowList(list[Row]):
    """The rows of a page as dictionaries."""

    def column(self, name: str) -> list[Any]:
        """The values of a property."""
        return [row[name] for row in self]

    def keep(self, places: Iterable[int]) -> RowList:
        """The rows at these places."""
        return RowList(self[place] for place in places)


class RowReader:
    """Makes rows of record elements: exactly the wanted properties, converted.

    What to do with each position is worked out once per order of the elements, which hardly ever changes.

    Args:
        name: The object, for messages.
        columns: The wanted columns.
        constants: Properties that are the same in all rows.
        convert: The conversion of each kind.
        amounts: Further properties that are worked out.
        keys: Properties that must not be empty.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a row is made of
        self,
        name: str,
        columns: Sequence[Column],
        constants: Mapping[str, Any],
        convert: Mapping[str, Callable[[str], Any]],
        amounts: Amounts | None = None,
        keys: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.keys = keys
        self.by_field = {column.field.upper(): column for column in columns if column.field}
        self.constants = {**{column.name: None for column in columns}, **constants}
        self.convert = convert
        self.amounts = amounts
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def read(self, runs: Iterable[Run]) -> RowList:
        """Read the records of an answer.

        Raises:
            UnusualError: The answer has to be read by the XML parser as a whole.
            BadValueError: A value does not fit its field, or a key is empty.
        """
        rows = RowList()
        for run in runs:
            rows += self.of_run(run)
        self.check_keys(rows.column)
        return rows

    def of_run(self, run: Run) -> RowList:
        """Read records without looking at their keys.

        Raises:
            UnusualError: The answer has to be read by the XML parser as a whole.
            BadValueError: A value does not fit its field.
        """
        try:
            rows = RowList(self.layout(run.tags).rows(run.plain))
        except (ValueError, ArithmeticError):  # which value of which record it is:
            rows = RowList(
                self._converted(run.tags, [text_of(raw) or None for raw in texts]) for texts in run.plain
            )
        rows += [self._converted(run.tags, texts) for texts in run.parsed]
        if self.amounts is not None:
            for row in rows:
                self.amounts.derive(row)
        return rows

    def check_keys(self, column: Callable[[str], Sequence[Any]]) -> None:
        """Make sure that every row can be told apart.

        Raises:
            BadValueError: A key is empty.
        """
        if any(None in column(name) for name in self.keys):
            raise BadValueError(f"{self.name}: a record came with an empty key")

    def _converted(self, tags: tuple[str, ...], texts: Sequence[str | None]) -> Row:
        """Read one record, value by value.

        Raises:
            BadValueError: A value does not fit its field.
        """
        layout = self.layout(tags)
        values: list[Any] = [*texts, *layout.rest.values()]
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
        row = dict(zip((*layout.names, *layout.rest), values, strict=True))
        row.pop("", None)
        return row

    def layout(self, tags: tuple[str, ...]) -> Layout:
        """What to do with records that consist of these elements."""
        layout = self._layouts.get(tags)
        if layout is None:
            columns = [self.by_field.get(tag.upper()) for tag in tags]
            names = [column.name if column else "" for column in columns]
            rest = {name: value for name, value in self.constants.items() if name not in names}
            layout = self._layouts[tags] = Layout(columns, names, rest, self.convert)
        return layout

    def _bad_value(self, tags: Sequence[str], texts: Sequence[str | None], layout: Layout) -> BadValueError:
        for position, convert in [*((position, key) for position in layout.keys), *layout.converts]:
            text = texts[position] or ""
            try:
                if text:
                    convert(text)
            except (ValueError, decimal.InvalidOperation):
                column = self.by_field[tags[position].upper()]
                record = {tag.upper(): found for tag, found in zip(tags, texts, strict=True)}.get(
                    "RECORDNO"
                ) or "?"
                return BadValueError(
                    f"{self.name} {record}: {tags[position]} is {text[:60]!r}, which is no {column.kind}. If it is a "
                    "date, set the date format of the API user to mm/dd/yyyy."
                )
        return BadValueError(f"{self.name}: a record cannot be read")


class Values(Remembered[bytes]):
    """Texts of a column -> their values.

    Args:
        convert: What makes a value of a text that is not empty; None where the text is the value.
    """

    def __init__(self, convert: Callable[[str], Any] | None) -> None:
        def value(raw: bytes) -> Any:  # noqa: ANN401 - whatever the kind makes
            text = text_of(raw)
            return (convert(text) if convert else text) if text else None

        super().__init__(value, MOST_TEXTS)


class Layout:
    """What to do with records that consist of the same elements, by position.

    Args:
        columns: The columns of the elements; None for those that nobody wants.
        names: The properties; empty for those.
        rest: Properties that no element gives, and their values.
        convert: The conversion of each kind.

    Attributes:
        keys: Which of them are keys.
        converts: What to convert otherwise.
        values: The values of each column's texts.
    """

    def __init__(
        self,
        columns: Sequence[Column | None],
        names: Sequence[str],
        rest: Row,
        convert: Mapping[str, Callable[[str], Any]],
    ) -> None:
        self.columns = columns
        self.names = names
        self.rest = rest
        given = [convert.get(column.kind) if column else None for column in columns]
        self.keys = [place for place, made in enumerate(given) if made is key]
        self.converts = [(place, made) for place, made in enumerate(given) if made and made is not key]
        self.values = [Values(made) for made in given]

    def rows(self, texts: Sequence[tuple[bytes, ...]]) -> list[Row]:
        """Make rows, column by column.

        Raises:
            UnusualError: The answer has to be read by the XML parser as a whole.
            ValueError: A value does not fit its field.
            ArithmeticError: The same.
        """
        columns = zip(*texts, strict=True)
        values = [
            list(map(known.__getitem__, column)) for known, column in zip(self.values, columns, strict=False)
        ]
        names = (*self.names, *self.rest)
        rest = map(repeat, self.rest.values())
        if not values:
            return [dict(self.rest) for _ in texts]
        made = [dict(zip(names, row, strict=True)) for row in zip(*values, *rest)]  # noqa: B905 - the rest has no end
        if "" in names:
            for row in made:
                row.pop("")
        return made
