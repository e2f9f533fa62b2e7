"""Columns: where a value comes from in Exact Online's answer, how it is converted, what the schema says of it."""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from tap_exact_online.paging import date_reader, time_reader
from tap_exact_online.records import Record
from tap_exact_online.streams.hints import hints_of, meaning_of, stream_hints

if TYPE_CHECKING:
    import zoneinfo
    from collections.abc import Iterable, Mapping

    from tap_exact_online.paging import Row

Convert = Callable[[Sequence[Any]], Sequence[Any]]
"""Converts the values of a column, as they came in several records."""

DIVISION: Final = "division"
CURRENCY: Final = "division_currency"
DELETED_AT: Final = "_sdc_deleted_at"

_BLOCK: Final = 200  # rows that are converted at once: as many as stay in the processor's cache
_WRONG: Final = (ValueError, TypeError, AttributeError, IndexError, OverflowError)
_EMPTY_GUID: Final = "00000000-0000-0000-0000-000000000000"
_PRECISION: Final = 18
_AMOUNT_SCALE: Final = 4
_SCALES: Final = (
    (re.compile(r"Rate(FC)?$|^Rate"), 8),
    (re.compile(r"Quantity|Percentage|Price|Discount$|Factor|Volume|Weight"), 6),
)
# Bank, card and tax numbers, and what is known of persons.
_PRIVATE: Final = re.compile(
    r"BankAccount(?!ID$)|IBAN|BIC|VATNumber|ChamberOfCommerce|OBNumber|SocialSecurity|TaxReference|TaxOffice|Siret|"
    r"FiscalNumber|Mandate|Birth|Identification|Nationality|Gender|Datev|UniqueTaxpayer|RSIN|BSN|CreditCard|GlnNumber"
)
# Who touched a row, addresses of pictures, statistics of customs: offered, not selected.
_NOT_USEFUL: Final = re.compile(
    r"^Creator|^Modifier|CustomField$|Picture|Logo|^IntraS|^Statistical|^ExtraDuty|^GAccount|^Incoterm|^Free|"
    r"^TaxSchedule|^Withholding|^StarterSales|TrackingNumber|Subscription|^SelectionCode|^SalesChannel|^DescriptionTerm"
)


@dataclasses.dataclass(frozen=True)
class Column:
    """One property of a stream.

    Attributes:
        name: The property.
        kind: A key of the converters below.
        field: The ERP's own name; empty for values that the tap works out.
        title: What to call it.
        description: What a reader of the catalog should know.
        by_default: Whether it is read without being selected by name.
        is_key: Whether it is part of the key, and so never null.
        hints: What a target should know beside the type. They stand in `x-sql-datatype-properties`, which a catalog
            keeps; see "Hints for Tableau" in target-tableau's README.
    """

    name: str
    kind: str
    field: str = ""
    title: str = ""
    description: str = ""
    by_default: bool = True
    is_key: bool = False
    hints: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the property."""
        null = [] if self.is_key else ["null"]
        kinds: dict[str, dict[str, Any]] = {
            "flag": {"type": ["boolean", *null]},
            "whole": {"type": ["integer", *null]},
            "big": {"type": ["integer", *null]},
            "date": {"type": ["string", *null], "format": "date"},
            "time": {"type": ["string", *null], "format": "date-time"},
            "decimal": {
                "type": ["number", *null],
                "x-sql-datatype-properties": {
                    "precision": _PRECISION,
                    "scale": scale_of(self.field or self.title),
                },
            },
        }
        schema = kinds.get(self.kind, {"type": ["string", *null]})
        if self.hints:
            schema["x-sql-datatype-properties"] = schema.get("x-sql-datatype-properties", {}) | dict(
                self.hints
            )
        if self.title or self.field:
            schema["title"] = self.title or self.field
        if self.description:
            schema["description"] = self.description
        return schema


@functools.cache
def snake(name: str) -> str:
    """The property name of a field: `GLAccountCode` becomes `gl_account_code`, `AmountDC` `amount_dc`."""
    split = re.sub(r"VAT(?=[DF]C)", "VAT_", name)
    split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", split)
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split)
    return re.sub(r"__+", "_", split).lower()


@functools.cache
def scale_of(name: str) -> int:
    """The decimal places of a number, by its name: amounts four, quantities and prices six, rates eight."""
    return next((scale for pattern, scale in _SCALES if pattern.search(name)), _AMOUNT_SCALE)


def columns_of(properties: Mapping[str, str], keys: Iterable[str], endpoint: str = "") -> list[Column]:
    """The columns of an endpoint, keys first. `Division` is a constant of every stream and left out here."""
    keys = list(keys)
    names = [*keys, *(name for name in properties if name not in keys)]
    return [
        Column(
            name=snake(name),
            kind=properties[name],
            field=name,
            description=meaning_of(endpoint, name),
            by_default=properties[name] != "binary"
            and not (_PRIVATE.search(name) or _NOT_USEFUL.search(name)),
            is_key=name in keys,
            hints=hints_of(endpoint, name, properties[name], properties),
        )
        for name in names
        if name != "Division"
    ]


def division_column() -> Column:
    """Whose row it is: several companies share one table."""
    return Column(DIVISION, "whole", title="Division", description="The division (company).", is_key=True)


def currency_column() -> Column:
    """The currency of amounts that end in `_dc`."""
    return Column(
        CURRENCY,
        "text",
        title="Division currency",
        description="Default currency of the division, in which its ledger is kept.",
    )


def deleted_column() -> Column:
    """When the row went."""
    return Column(
        DELETED_AT, "time", title="Deleted", description="When the row was deleted in Exact Online."
    )


# values ---------------------------------------------------------------------------------------------------


def flag(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    """A yes or no; some endpoints send it as text, and Byte fields as a number."""
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)


def _as_it_comes(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _trimmed(values: Sequence[Any]) -> Sequence[Any]:
    """Texts without the blanks around them; an empty one is null."""
    return [value.strip() if value else None for value in values]


def _guids(values: Sequence[Any]) -> Sequence[Any]:
    """Guids as they come; that of zeros means none."""
    return [None if value == _EMPTY_GUID else value for value in values] if _EMPTY_GUID in values else values


def _each(convert: Callable[[Any], Any]) -> Convert:
    """Make the conversion of columns of that of single values."""
    return lambda values: [None if value is None else convert(value) for value in values]


def _once(convert: Callable[[Any], Any]) -> Convert:
    """The same for values that come many times, such as the times of all lines of an entry."""

    def column(values: Sequence[Any]) -> Sequence[Any]:
        made = {value: None if value is None else convert(value) for value in set(values)}
        return list(map(made.__getitem__, values))

    return column


class Reader:
    """Turns records of the API into rows, with the wanted columns only.

    Args:
        columns: What is wanted.
        constants: Values that all rows share.
        zone: The wall clock of the servers.
        trim: Whether blanks around texts are cut off (codes come padded).
        null_empty_guid: Whether the guid of zeros means none.
    """

    def __init__(
        self,
        columns: Iterable[Column],
        constants: Mapping[str, Any],
        zone: zoneinfo.ZoneInfo,
        *,
        trim: bool,
        null_empty_guid: bool,
    ) -> None:
        columns = list(columns)
        kinds: dict[str, Convert] = {
            "big": _each(int),
            "flag": _once(flag),
            "date": _once(date_reader()),
            "time": _once(time_reader(zone)),
            **({"guid": _guids} if null_empty_guid else {}),
            **({"text": _trimmed} if trim else {}),
        }
        # A null in a key would make the row one that no target can find again.
        self._filled = {c.name for c in columns if c.is_key and c.kind == "text"}
        self._base = {c.name: "" if c.name in self._filled else constants.get(c.name) for c in columns}
        self._fields = [(c.name, c.field, kinds.get(c.kind, _as_it_comes)) for c in columns if c.field]
        fields = [c.field for c in columns if c.field]
        self._fetch = _fetcher(fields, operator.itemgetter)
        self._fetch_typed = _fetcher(fields, operator.attrgetter)

    def __call__(self, records: Sequence[Row]) -> list[Row]:
        """Convert records, column by column: a call per value would cost more than all else.

        Raises:
            ValueError: A value is not of its type; the message names the field.
        """
        rows: list[Row] = []
        for start in range(0, len(records), _BLOCK):
            block = records[start : start + _BLOCK]
            columns = self._columns(block)
            made = [self._base.copy() for _ in block]
            for row, values in zip(made, zip(*columns.values(), strict=True), strict=bool(columns)):
                row.update(zip(columns, values, strict=True))
            rows += made
        return rows

    def _columns(self, records: Sequence[Row]) -> dict[str, Sequence[Any]]:
        """The columns of some records, without those that hold nothing: half of all fields do in most books."""
        columns: dict[str, Sequence[Any]] = {}
        fetch = self._fetch_typed if isinstance(records[0], Record) else self._fetch
        fetched = zip(*map(fetch, records), strict=True)
        for (name, field, convert), values in zip(self._fields, fetched, strict=True):
            if values.count(None) == len(values):
                continue
            try:
                columns[name] = convert(values)
            except _WRONG as error:
                raise ValueError(
                    f"{field}: {_culprit(convert, values)!r} is not what the reference says it is ({error})"
                ) from None
            if name in self._filled:
                columns[name] = ["" if value is None else value for value in columns[name]]
        return columns


def _fetcher(fields: Sequence[str], getter: Callable[..., Any]) -> Callable[[Row], Sequence[Any]]:
    """Make a function that gets several values of a record at once; those that it lacks are null."""
    if len(fields) < 2:  # noqa: PLR2004 - itemgetter gives a tuple for two and more
        return lambda record: [record.get(field) for field in fields]
    at_once = getter(*fields)

    def fetch(record: Row) -> Sequence[Any]:
        try:
            return at_once(record)  # type: ignore[no-any-return]
        except (KeyError, AttributeError):
            return [record.get(field) for field in fields]

    return fetch


def _culprit(convert: Convert, values: Sequence[Any]) -> object:
    """The first value of a column that cannot be converted."""
    for value in values:
        try:
            convert([value])
        except _WRONG:
            return value
    return None


def schema_of(stream: str, columns: Iterable[Column]) -> dict[str, Any]:
    """The JSON schema of a stream."""
    properties = {column.name: column.schema() for column in columns}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        **stream_hints(stream, properties),
        "properties": properties,
    }
