"""The semantic layer of a data source: what each column is called, and how Tableau is to treat it.

Hints of the tap's schema come first, then what the types and names of columns tell (`meaning`).
"""

from __future__ import annotations

import dataclasses
import logging
import re
import uuid
from typing import TYPE_CHECKING, Final

from target_tableau.captions import caption_of, is_legal, legal, unique, words
from target_tableau.columns import DELETED_AT, EXTRACTED_AT, LOAD_ID, METADATA_NAMES, SEQUENCE, Kind
from target_tableau.hints import BASE, DOCUMENT, NO_COLUMN_HINTS
from target_tableau.meaning import NOT_ADDED_UP, NUMBERS, is_name, measure_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_tableau.columns import Column, Plan, Type
    from target_tableau.hints import ColumnHints

logger = logging.getLogger(__name__)

_NAMESPACE: Final = uuid.UUID("6f1b7d5e-4c38-5a0d-9b52-0d6c1c8e7a41")
_DATATYPES: Final = {
    Kind.BIGINT: "integer",
    Kind.BOOL: "boolean",
    Kind.DATE: "date",
    Kind.DOUBLE: "real",
    Kind.NUMERIC: "real",
    Kind.TEXT: "string",
    Kind.TIMESTAMP: "datetime",
}
_FORMATS: Final = {
    "amount": "n#,##0.00;-#,##0.00",
    "quantity": "n#,##0.00;-#,##0.00",
    "price": "n#,##0.0000;-#,##0.0000",
    "rate": "n#,##0.000000;-#,##0.000000",
    "percent": "n#,##0.00;-#,##0.00",  # ERPs write 2.5 for 2.5 %; a p format would show 250 %
    "fraction": "p0.0%",
    "integer": "n#,##0;-#,##0",
    "date": "*yyyy-mm-dd",
    "date-time": "*yyyy-mm-dd hh:nn:ss",
    "none": "",
    "": "",
}
_TEMPORAL: Final = {Kind.DATE: "date", Kind.TIMESTAMP: "date-time"}
_SYMBOLS: Final = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"
_DECIMALS: Final = dict.fromkeys(_NO_DECIMALS.split(), 0) | dict.fromkeys(_THREE_DECIMALS.split(), 3)
"""Currencies (ISO 4217) whose amounts do not have two decimals."""
_FOLDERS: Final = {
    "amount": "Amounts",
    "quantity": "Quantities",
    "integer": "Quantities",
    "price": "Prices and rates",
    "rate": "Prices and rates",
    "percent": "Prices and rates",
    "fraction": "Prices and rates",
}
_LOADER_FOLDER: Final = "Loader"
_LOADER_CAPTIONS: Final = {
    EXTRACTED_AT: "Read from the source at",
    DELETED_AT: "Deleted in the source at",
    SEQUENCE: "Position in the load",
    LOAD_ID: "Load ID",
}
_TABLEAUS_OWN: Final = ("Measure Names", "Measure Values", "Number of Records", "Multiple Values")
"""Fields that Tableau adds to every data source."""
_LONGEST_TEXT: Final = 3900
_MOST_NAMES: Final = 8


@dataclasses.dataclass(frozen=True)
class Field:
    """How Tableau is to treat a column.

    Attributes:
        name: The column.
        type: Its type in the extract.
        caption: What authors see.
        role: dimension or measure.
        measure: What kind of measure it is, a word of `hints.FORMATS`; empty for dimensions, or when nothing tells.
        aggregation: How Tableau adds it up unless told otherwise; empty for dimensions.
        format: Its default-format; empty for Tableau's own.
        folder: Where authors find it.
        hidden: Authors do not see it.
        description: What they read when they point at it.
        hints: What the schema told.
    """

    name: str
    type: Type
    caption: str
    role: str
    measure: str
    aggregation: str
    format: str
    folder: str
    hidden: bool
    description: str
    hints: ColumnHints

    @property
    def datatype(self) -> str:
        """As Tableau spells it; it has no decimals, a NUMERIC is a real to it."""
        return _DATATYPES[self.type.kind]

    @property
    def discreteness(self) -> str:
        """The column's `type` attribute."""
        if self.role == "measure":
            return "quantitative"
        return "nominal" if self.datatype in {"string", "boolean"} else "ordinal"


@dataclasses.dataclass(frozen=True)
class Semantics:
    """The semantic layer of one data source.

    Attributes:
        identifier: 32 hexadecimal digits; the same for a stream of a source in every run and on every machine,
            because workbooks refer to it.
        name: What the files of its package are called.
        caption: What authors call the table.
        fields: Its columns, in the order of the extract.
        description: What the data source holds and how to count right.
    """

    identifier: str
    name: str
    caption: str
    fields: tuple[Field, ...]
    description: str


def semantics_of(
    source: str,
    plan: Plan,
    columns: Mapping[str, Type],
    *,
    keeps_deleted: bool = False,
    base_currency: str = "",
) -> Semantics:
    """Work out the semantic layer of a stream.

    Args:
        source: Where its rows come from.
        plan: Its columns and key, with the schema's hints.
        columns: All columns of the extract, also those that no longer come.
        keeps_deleted: Rows that were deleted in the source stay, with the time in a column that authors then see.
        base_currency: ISO code of the books' currency, where the schema does not tell it.
    """
    if base_currency and not plan.hints.base_currency:
        hints = dataclasses.replace(plan.hints, base_currency=base_currency)
        plan = dataclasses.replace(plan, hints=hints)
    marks_deleted = keeps_deleted and plan.announces_deletions
    own = {column.name: column for column in plan.columns}
    made = []
    for name, kind in columns.items():
        if is_legal(name):
            made.append(
                _field(plan, name, kind, own.get(name), hidden=name != DELETED_AT or not marks_deleted)
            )
        else:
            logger.warning(
                "Stream '%s': the name of the column %r cannot stand in a .tds.", plan.stream, name
            )
    wanted = [(field.name, field.caption) for field in sorted(made, key=_who_comes_first)]
    captions = unique(wanted, _TABLEAUS_OWN)
    fields = tuple(dataclasses.replace(field, caption=captions[field.name]) for field in made)
    caption = legal(plan.hints.title) or caption_of(plan.stream)
    return Semantics(
        identifier=uuid.uuid5(_NAMESPACE, f"{source}\n{plan.stream}").hex.upper(),
        name=re.sub(r"[^0-9A-Za-z_.-]", "_", plan.stream).strip(".") or "data",
        caption=caption,
        fields=fields,
        description=_description(plan, caption, fields),
    )


def _who_comes_first(field: Field) -> int:
    """Labels of the source before names that were made here, the loader's own last; of equals the first column."""
    return 2 if field.name in _LOADER_CAPTIONS else 0 if field.hints.label else 1


def _field(plan: Plan, name: str, kind: Type, column: Column | None, *, hidden: bool) -> Field:
    hints = column.hints if column else NO_COLUMN_HINTS
    loaders = name in METADATA_NAMES or name.startswith("_sdc_")
    role = _role(plan, name, kind, hints)
    measure = ""
    if role == "measure":
        measure = hints.format if hints.format in _FOLDERS else measure_of(name, kind)
        if hints.currency:
            measure = measure if measure in {"price", "rate"} else "amount"
    aggregation = ""
    if role == "measure":
        aggregation = hints.aggregation or ("Avg" if measure in NOT_ADDED_UP else "Sum")
    return Field(
        name=name,
        type=kind,
        caption=_caption(name, column, hints),
        role=role,
        measure=measure,
        aggregation=aggregation,
        format=_format(plan, name, kind, role, measure, hints),
        folder=_LOADER_FOLDER if loaders else legal(hints.folder) or _folder(plan, name, kind, role, measure),
        hidden=loaders and hidden if hints.hidden is None else hints.hidden,
        description=_column_description(plan, name, hints, measure),
        hints=hints,
    )


def is_renamed(column: Column) -> bool:
    """Whether a setting gave the column its name; the number of a name that was taken does not count."""
    return re.fullmatch(rf"{re.escape(column.source)}(_\d+)?", column.name) is None


def _caption(name: str, column: Column | None, hints: ColumnHints) -> str:
    """A name that a setting gives to a column is what the user wants to see; then labels, then words."""
    if hints.label and not (column and is_renamed(column)):
        return legal(hints.label)
    return _LOADER_CAPTIONS.get(name) or caption_of(name)


def _role(plan: Plan, name: str, kind: Type, hints: ColumnHints) -> str:
    if kind.kind not in NUMBERS or name in plan.keys or name in METADATA_NAMES:
        return "dimension"
    if hints.role:
        return hints.role
    if hints.aggregation or hints.currency or hints.format in _FOLDERS:
        return "measure"
    return "dimension" if is_name(name, kind) else "measure"


def _format(plan: Plan, name: str, kind: Type, role: str, measure: str, hints: ColumnHints) -> str:  # noqa: PLR0913, PLR0917
    own = hints.format
    if own and own not in _FORMATS:
        fits = (own[0] == "*") if kind.kind in _TEMPORAL else kind.kind in NUMBERS
        if fits:
            return legal(own)
        logger.warning("Stream '%s': the format %r does not fit '%s'; it is ignored.", plan.stream, own, name)
    if kind.kind in _TEMPORAL:
        return _FORMATS[own if own in {"date", "date-time", "none"} else _TEMPORAL[kind.kind]]
    if role != "measure" or own == "none":
        return ""  # codes and numbers of documents are shown as they are
    currency = plan.hints.base_currency if hints.currency == BASE else hints.currency
    if measure == "amount" and currency not in {"", DOCUMENT}:
        return _money(currency)
    if measure == "quantity" and kind.kind is Kind.BIGINT:
        return _FORMATS["integer"]
    return _FORMATS[measure]


def _money(currency: str) -> str:
    """A currency format; only for columns that hold one currency."""
    decimals = _DECIMALS.get(currency, 2)
    digits = "#,##0" + ("." + "0" * decimals if decimals else "")
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    return f'c"{symbol}"{digits};-"{symbol}"{digits}'


def _folder(plan: Plan, name: str, kind: Type, role: str, measure: str) -> str:
    if name in plan.keys:
        return "Keys"
    if kind.kind in _TEMPORAL:
        return "Dates"
    if measure:
        return _FOLDERS[measure]
    return "Dimensions" if role == "dimension" else "Quantities"


# descriptions ---------------------------------------------------------------------------------------------


def _column_description(plan: Plan, name: str, hints: ColumnHints, measure: str) -> str:
    said = [hints.description]
    if hints.currency == BASE and plan.hints.base_currency:
        said.append(f"In {plan.hints.base_currency}.")
    elif hints.currency == DOCUMENT:
        said.append("In the currency of the document.")
    if measure == "percent":
        said.append("In percent.")
    if hints.not_over:
        said.append(f"Do not add it up over {_listed([caption_of(name) for name in hints.not_over])}.")
    if "".join(words(hints.source_name)) != "".join(words(name)) and hints.source_name:
        said.append(f"In the source: {hints.source_name}.")
    return legal(" ".join(_sentence(part) for part in said if part))[:_LONGEST_TEXT]


def _description(plan: Plan, caption: str, fields: tuple[Field, ...]) -> str:
    """What a row is, how amounts, times and sums are to be read."""
    by_name = {field.name: field for field in fields}
    keys = [by_name[key].caption for key in plan.keys if key in by_name]
    grain = f"One row per {_listed(keys)}." if keys else "One row per record that the source sent."
    shown = [field for field in fields if not field.hidden]
    lines = [
        _sentence(plan.hints.description or caption),
        _sentence(plan.hints.grain) or grain,
        *_about_amounts(plan, shown),
        *_about_sums(shown),
        *(_sentence(note) for note in plan.hints.notes),
        *(
            f"Rows that were deleted in the source stay; leave those with a value in {field.caption} out of sums."
            for field in shown
            if field.name == DELETED_AT
        ),
    ]
    if any(field.type.kind is Kind.TIMESTAMP for field in fields):
        lines.append("Times are in UTC; dates without a time are as they were entered.")
    return legal("\n".join(lines))[:_LONGEST_TEXT]


def _about_amounts(plan: Plan, fields: list[Field]) -> list[str]:
    base = [field.caption for field in fields if field.hints.currency == BASE]
    others = [
        field.caption
        for field in fields
        if field.measure == "amount" and field.hints.currency in {"", DOCUMENT}
    ]
    told = []
    if base:
        which = f" ({plan.hints.base_currency})" if plan.hints.base_currency else ""
        told.append(f"In base currency{which}: {_listed(base)}.")
    named = [
        field.caption for field in fields if field.role == "dimension" and "currency" in words(field.name)
    ]
    document = [field for field in fields if field.hints.currency == DOCUMENT]
    if others and (named or document):
        where = f" (see {_listed(named)})" if named else ""
        told.append(
            f"In the currency of the row{where}, not to be added up across currencies: {_listed(others)}."
        )
    return told


def _about_sums(fields: list[Field]) -> list[str]:
    told = []
    averaged = [field.caption for field in fields if field.measure in NOT_ADDED_UP]
    if averaged:
        told.append(f"Not to be added up: {_listed(averaged)}.")
    for over in dict.fromkeys(field.hints.not_over for field in fields if field.hints.not_over):
        which = [field.caption for field in fields if field.hints.not_over == over]
        told.append(
            f"Not to be added up over {_listed([caption_of(name) for name in over])}: {_listed(which)}."
        )
    return told


def _listed(names: list[str]) -> str:
    some = names[:_MOST_NAMES]
    if len(names) > len(some):
        return f"{', '.join(some)} and {len(names) - len(some)} more"
    return " and ".join(filter(None, [", ".join(some[:-1]), some[-1]])) if some else ""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?:" else f"{text}."
