"""What a target should know of columns and streams beside their types, where the ERP knows better than a name does.

Hints stand in `x-sql-datatype-properties`, which catalogs keep; see "Hints for Tableau" in target-tableau's README.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tap_sage_intacct.discovery import Field

BASE: Final[Mapping[str, Any]] = {"currency": "base"}
AMOUNT_SCALE: Final = 4
_SCALES: Final = (
    # Rates, unit prices and quantities carry up to ten decimals, amounts those of their currency (four at most).
    (re.compile(r"EXCH|RATE$|PRICE$|UNITCOST$|QTY|QUANTITY|UNITS$|^CONV"), 10),
    (re.compile(r"COST|PERCENT|DISCOUNT$|HOURS"), 6),
)
_COUNTS: Final = re.compile(r"AMOUNT|CAPITAL|COUNT|DAYS|HOURS|PERIODS|QTY|QUANTITY|STOCK|TOTAL|UNITS")


def scale_of(field: Field) -> int:
    """The decimal places of a number, by its name; nobody knows those of a custom field."""
    if field.is_custom:
        return 8
    if field.type == "PERCENT":
        return 6
    return _scale_of_name(field.name)


@functools.cache
def _scale_of_name(name: str) -> int:
    return next((scale for pattern, scale in _SCALES if pattern.search(name)), AMOUNT_SCALE)


def hints_of(field: Field, names: Collection[str]) -> Mapping[str, Any] | None:
    """What the company's description of a field tells beside its type.

    Amounts come in pairs: TRX_AMOUNT in the currency of the document, AMOUNT in that of the books. Whole numbers
    mostly name a record, a group or a person, and are not to be added up.

    Args:
        field: A field.
        names: All fields of the object.
    """
    names_something = field.name.startswith("GLDIM") or not (field.is_custom or _COUNTS.search(field.name))
    if field.type == "INTEGER" and names_something:
        return {"role": "dimension"}
    if field.type not in {"DECIMAL", "CURRENCY"} or scale_of(field) != AMOUNT_SCALE:
        return None
    if field.name.startswith("TRX_"):
        return {"currency": "document"}
    return BASE if f"TRX_{field.name}" in names else None


def notes_of(titles: Mapping[str, str]) -> list[str]:
    """What must be known to count right in a stream.

    Args:
        titles: Property -> its title.
    """
    notes = []
    if ledger := [title for name, title in titles.items() if name.startswith("ledger_")]:
        notes.append(
            f"To tie to the ledger, add up {' or '.join(ledger)}: 0 for what is not posted, was reversed or voided."
        )
    if "bookid" in titles:
        notes.append("There is a row per book: choose one book before adding up.")
    return notes
