"""Encoded rows: from the texts of records to the JSON that is written, without a Python object per value.

A page repeats nearly all of its texts: dates, states, accounts, empty elements. So the JSON of each text is made once
per column and looked up from then on, and a record is its texts' JSON, joined. What is made here is, byte for byte,
what the row of `RowReader` would be encoded to; where a record is unusual, that is how it is made.
"""

from __future__ import annotations

import functools
import re
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from singer_sdk.contrib.msgspec import encoder

from tap_sage_intacct.streams.columns import Remembered
from tap_sage_intacct.streams.rows import MOST_TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.records import Run
    from tap_sage_intacct.streams.columns import Column
    from tap_sage_intacct.streams.declarations import Amounts
    from tap_sage_intacct.streams.rows import Layout, RowReader

# Texts that are JSON as they stand, between quotes or not. Numbers of few decimal places, for those of many may come
# with an exponent; whole numbers that fit 64 bits.
_AS_THEY_STAND: Final[dict[str, tuple[bytes, bytes]]] = {
    "string": (rb"[ !#-%'-;=?-\[\]-~]+", b'"'),
    "key": (rb"[0-9]+", b'"'),
    "decimal": (rb"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,5})?", b""),
    "count": (rb"(?:0|-?[1-9][0-9]{0,17})", b""),
}
_NEVER: Final = rb"(?!)"


class EncodedRows:
    """The rows of a page as the JSON of their records, with those columns that paging needs.

    Attributes:
        records: A JSON object per row.
    """

    def __init__(self, records: list[bytes], columns: dict[str, list[Any]]) -> None:
        self.records = records
        self._columns = columns

    def __len__(self) -> int:
        return len(self.records)

    def column(self, name: str) -> list[Any]:
        """The values of a property that paging needs."""
        return self._columns[name]

    def keep(self, places: Iterable[int]) -> EncodedRows:
        """The rows at these places."""
        places = list(places)
        columns = {name: [values[place] for place in places] for name, values in self._columns.items()}
        return EncodedRows([self.records[place] for place in places], columns)


class EncodedReader:
    """Makes encoded rows of record elements: what `RowReader` makes, without the properties that only paging needs.

    Args:
        rows: Makes the rows.
        held: Properties that paging needs.
        drop: Properties that nobody wants.
        blank: Properties that are added, without a value.
    """

    def __init__(
        self, rows: RowReader, held: Sequence[str], drop: Iterable[str] = (), blank: Sequence[str] = ()
    ) -> None:
        self._rows = rows
        self._held = tuple(dict.fromkeys((*held, *rows.keys)))
        self._drop = frozenset(drop)
        self._blank: Row = dict.fromkeys(blank)
        self._forms: dict[tuple[str, ...], _Form | None] = {}

    def read(self, runs: Iterable[Run]) -> EncodedRows:
        """Read the records of an answer.

        Raises:
            UnusualError: The answer has to be read by the XML parser as a whole.
            BadValueError: A value does not fit its field, or a key is empty.
        """
        records: list[bytes] = []
        columns: dict[str, list[Any]] = {name: [] for name in self._held}
        for run in runs:
            form = self._form(run.tags) if run.plain else None
            try:
                made = form.records(run.plain) if form else self._encoded(run)
            except (ValueError, ArithmeticError):
                made = self._encoded(run)  # says which value of which record it is
            records += made.records
            for name, values in columns.items():
                values.extend(made.column(name))
        self._rows.check_keys(columns.__getitem__)
        return EncodedRows(records, columns)

    def _encoded(self, run: Run) -> EncodedRows:
        """Make rows first, then their JSON."""
        rows = self._rows.of_run(run)
        columns = {name: rows.column(name) for name in self._held}
        for row in rows:
            for name in self._drop:
                row.pop(name, None)
            row.update(self._blank)
        return EncodedRows(list(map(encoder.encode, rows)), columns)

    def _form(self, tags: tuple[str, ...]) -> _Form | None:
        """How to read records of these elements; None where they must be made as rows first."""
        if tags not in self._forms:
            form = _Form(self._rows, tags, self._held, self._drop, self._blank)
            self._forms[tags] = form if form.is_usable else None
        return self._forms[tags]


class _Form:
    """How to make the JSON of records that consist of the same elements, column by column.

    Args:
        rows: Makes the rows.
        tags: The names of the elements.
        held: Properties that paging needs.
        drop: Properties that nobody wants.
        blank: Properties that are added.
    """

    def __init__(
        self, rows: RowReader, tags: tuple[str, ...], held: Sequence[str], drop: frozenset[str], blank: Row
    ) -> None:
        self._layout = layout = rows.layout(tags)
        self._held = held
        self._members = [
            _Members(values.__getitem__, *_form_of(column if column and column.name not in drop else None))
            for column, values in zip(layout.columns, layout.values, strict=True)
        ]
        rest = {name: value for name, value in layout.rest.items() if name not in drop}
        self._rest = _json(rest)
        self._amounts = _AmountMembers(rows.amounts, layout, tags, drop) if rows.amounts else None
        self._end = (b"," + _json(blank) if blank else b"") + b"}"
        made = [column.name for column in rows.amounts.columns] if rows.amounts else []
        names = [*filter(None, layout.names), *layout.rest, *made, *blank]
        self.is_usable = len(set(names)) == len(names) and bool(rest)
        """Whether each property comes from one element, and a comma behind the last of them is right."""

    def records(self, texts: Sequence[tuple[bytes, ...]]) -> EncodedRows:
        """The JSON of records, and the columns that paging needs.

        Raises:
            UnusualError: The answer has to be read by the XML parser as a whole.
            ValueError: A value does not fit its field.
            ArithmeticError: The same.
        """
        columns = list(zip(*texts, strict=True))
        members = [made.all_of(column) for made, column in zip(self._members, columns, strict=True)]
        amounts = self._amounts.all_of(columns) if self._amounts else []
        whole = zip(repeat(b"{"), *members, repeat(self._rest), *amounts, repeat(self._end, len(texts)))
        held = {name: self._column(name, columns, len(texts)) for name in self._held}
        return EncodedRows(list(map(b"".join, whole)), held)

    def _column(self, name: str, columns: Sequence[tuple[bytes, ...]], rows: int) -> list[Any]:
        """The values of a property."""
        layout = self._layout
        if name not in layout.names:
            return [layout.rest.get(name)] * rows
        place = layout.names.index(name)
        if self._members[place].are_plain_text(columns[place]):
            return list(map(bytes.decode, columns[place]))
        return list(map(layout.values[place].__getitem__, columns[place]))


class _Members(dict[bytes, bytes]):
    """Texts -> the members of a JSON object that they make.

    Args:
        value: Makes the value of a text.
        stands: The texts that are JSON as they stand.
        before: What stands before them, with a quote where they are text; None where no member is wanted.
        after: What stands behind them.
    """

    def __init__(
        self, value: Callable[[bytes], Any], stands: bytes, before: bytes | None, after: bytes
    ) -> None:
        super().__init__()
        self._value = value
        self._stands = re.compile(stands).fullmatch
        self._lines_stand = re.compile(rb"(?:%b\n)*+" % stands).fullmatch
        self._before, self._after = before, after
        self._is_text = after.startswith(b'"')
        self._is_varied = False

    def all_of(self, texts: Sequence[bytes]) -> list[bytes]:
        """The members of a column; where few texts are repeated they are not looked up, which would cost more."""
        before, after = self._before, self._after
        if self._is_varied and before is not None and self._all_stand(texts):
            return [before + raw + after for raw in texts]
        known = len(self)
        made = list(map(self.__getitem__, texts))
        self._is_varied = len(self) - known > len(texts) // 2
        return made

    def are_plain_text(self, texts: Sequence[bytes]) -> bool:
        """Whether the values of these texts are themselves."""
        return self._is_text and self._all_stand(texts)

    def _all_stand(self, texts: Sequence[bytes]) -> bool:
        """Whether all texts are JSON as they stand, and none has more than one line."""
        lines = b"\n".join(texts) + b"\n"
        return lines.count(b"\n") == len(texts) and self._lines_stand(lines) is not None

    def __missing__(self, raw: bytes) -> bytes:
        """Make a member that has not come before."""
        before, after = self._before, self._after
        if before is None:
            self._value(raw)  # may be none
            made = b""
        elif self._stands(raw):
            made = before + raw + after
        else:
            made = before.removesuffix(b'"') + encoder.encode(self._value(raw)) + after.removeprefix(b'"')
        if len(self) >= MOST_TEXTS:
            self.clear()
        self[raw] = made
        return made


def _form_of(column: Column | None) -> tuple[bytes, bytes | None, bytes]:
    """Which texts of a column are JSON as they stand, and what stands around them in a record."""
    if column is None:
        return _NEVER, None, b""
    stands, quote = _AS_THEY_STAND.get(column.kind, (_NEVER, b""))
    return stands, _json({column.name: ""})[:-2] + quote, quote + b","


class _AmountMembers:
    """Makes the members of worked-out amounts.

    They depend on states, of which there are few, and either are the value of a field or are not. So what they are is
    asked once per states, with a token in the place of the values.

    Args:
        amounts: What is worked out.
        layout: The elements of the records.
        tags: Their names.
        drop: Properties that nobody wants.
    """

    def __init__(self, amounts: Amounts, layout: Layout, tags: Sequence[str], drop: frozenset[str]) -> None:
        self._amounts = amounts
        self._layout = layout
        self._names = [column.name for column in amounts.columns if column.name not in drop]
        places = {tag.upper(): place for place, tag in enumerate(tags)}
        self._needed = [places[field] for field in amounts.needs if field in places]
        self._passed = {name: places.get(field) for name, field in amounts.passed.items()}
        self._states = [place for place in self._needed if place not in self._passed.values()]
        self._by_states: Remembered[tuple[bytes, ...]] = Remembered(self._planned, MOST_TEXTS)
        self._by_texts: Remembered[tuple[bytes, ...]] = Remembered(self._worked_out, MOST_TEXTS)

    def all_of(self, columns: Sequence[Sequence[bytes]]) -> list[Iterable[bytes]]:
        """The members of records that have these columns, a comma before each."""
        states = {*zip(*(columns[place] for place in self._states), strict=True)} or {()}
        if self._passed and len(states) == 1:
            return [
                repeat(made) if isinstance(made, bytes) else made.all_of(columns[place])
                for place, made in self._by_states[states.pop()]
            ]
        needed = zip(*(columns[place] for place in self._needed), strict=True)
        return (
            [list(map(self._by_texts.__getitem__, needed))]
            if self._needed
            else [repeat(self._worked_out(()))]
        )

    def _planned(self, texts: tuple[bytes, ...]) -> list[tuple[int, bytes | _Members]]:
        """What each amount is in records of these states: always the same, or made of a field's texts."""
        token = object()
        fields = [self._layout.names[place] for place in self._passed.values() if place is not None]
        states = self._row(self._states, texts)
        given = self._derived({**states, **dict.fromkeys(fields, token)})
        empty = self._derived({**states, **dict.fromkeys(fields)})
        plan: list[tuple[int, bytes | _Members]] = []
        for name in self._names:
            place = self._passed[name]
            if place is None or given[name] == empty[name]:
                plan.append((0, b"," + _json({name: empty[name]})))
                continue
            is_passed = given[name] is token
            values: Mapping[bytes, Any] = self._layout.values[place]
            stands = _AS_THEY_STAND["decimal"][0]
            if not is_passed:
                values, stands = Remembered(functools.partial(_constant, given[name])), _NEVER
            value = functools.partial(_value_or, empty[name], values)
            plan.append((place, _Members(value, stands, b"," + _json({name: ""})[:-2], b"")))
        return plan

    def _worked_out(self, texts: tuple[bytes, ...]) -> bytes:
        """The members of one record, by the texts that they are worked out from."""
        return b"," + _json(self._derived(self._row(self._needed, texts)))

    def _row(self, places: Sequence[int], texts: Sequence[bytes]) -> Row:
        layout = self._layout
        return {
            layout.names[place]: layout.values[place][raw] for place, raw in zip(places, texts, strict=True)
        }

    def _derived(self, row: Row) -> Row:
        self._amounts.derive(row)
        return {name: row[name] for name in self._names}


def _constant(value: Any, _raw: bytes) -> Any:  # noqa: ANN401 - as an amount may be
    return value


def _value_or(nothing: Any, values: Mapping[bytes, Any], raw: bytes) -> Any:  # noqa: ANN401 - the same
    return values[raw] if raw else nothing


def _json(row: Row) -> bytes:
    """The members of a JSON object."""
    return encoder.encode(row)[1:-1]
