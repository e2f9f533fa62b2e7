"""What a number in a business record is, told by its type and its name where no hint tells it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from target_tableau.captions import words
from target_tableau.columns import Kind

if TYPE_CHECKING:
    from target_tableau.columns import Type


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


NUMBERS: Final = frozenset({Kind.BIGINT, Kind.DOUBLE, Kind.NUMERIC})

_PREPOSITIONS: Final = _set("at by for from in of on per to with")
_COUNTED: Final = frozenset({"nbr", "no", "num", "number"})
# The last word of a name says what the value is; those before it say of what.
_NAMES_SOMETHING: Final = _set(
    "batch category cd cheque class code day decimals digit document entry flag format guid id index iteration journal "
    "key kind level line lineno month no nbr nr num number order period phone pos position postal precision priority "
    "quarter rank recordno ref reference register revision row seq sequence series state status step suffix timestamp "
    "type uid version week year zip"
)
_ENDS_LIKE_A_NAME: Final = re.compile(
    r"(key|code|number|period|year|type|(record|line|batch|doc|entry|order|item|seq|user|location)(no|nbr)"
    r"|(?<!pa)(?<!vo)(?<!val)(?<!gr)(?<!^b)id)$"
)
_EVEN_WITH_DECIMALS: Final = _set("code id key latitude lat longitude lon type")
_ASKS: Final = _set("allow allows can has is may use uses")
"""Begin the name of a yes or no that comes as a number."""

_MANY: Final = frozenset({"count", "total", "sum"})
_AMOUNTS: Final = _set(
    "amount amt bal balance charge cogs cost credit cury debit discount due expense fee freight gain gross income "
    "invoiced loss margin net paid payment profit receivable payable retainage revenue sales salary spend subtotal "
    "tax total value wage writeoff"
)
_QUANTITIES: Final = _set(
    "count days duration hours minutes months pieces qty quantity quantities stock units volume weeks weight "
    "width height length years"
)
_PERCENTS: Final = frozenset({"percent", "percentage", "pct"})
_RATES: Final = _set("average avg factor fraction mean multiplier probability rate ratio")
_ENDS_LIKE_A_RATE: Final = re.compile(r"(?<!sepa)(?<!corpo)rate$|ratio$|factor$")
_LIKE_A_PERCENT: Final = re.compile(r"percent|pct$")
_ENDS_LIKE_A_PRICE: Final = re.compile(r"price(converted)?$|unitcost$|^msrp$")
_PER_UNIT: Final = _set("average avg last list lowest highest max min replacement standard std unit")
_LIKE_A_QUANTITY: Final = re.compile(
    r"qty|quantity|((?<!dis)(?<!ac)count|days|diameter|height|hours|length|months|stock|thickness|units|volume|weight"
    r"|width)$"
)
_MONEY_SCALES: Final = range(2, 5)


def is_name(name: str, kind: Type) -> bool:
    """Whether numbers of this name name something (a document, a line, a year) and must not be added up."""
    parts = _parts(name)
    head = _head(parts)
    if kind.kind is Kind.NUMERIC and kind.scale > 0:
        return head in _EVEN_WITH_DECIMALS or head.endswith(("key", "type"))
    counts = parts[:1] and (parts[0] in _MANY or (head in _COUNTED and "of" in parts))
    if parts[:1] and parts[0] in _ASKS and kind.kind is Kind.BIGINT:
        return True
    if counts or head in _AMOUNTS or head in _QUANTITIES:
        return False
    return head in _NAMES_SOMETHING or _ENDS_LIKE_A_NAME.search(head) is not None


def measure_of(name: str, kind: Type) -> str:
    """What a measure is: one of the formats that a hint may name; empty when nothing tells."""
    parts = _parts(name)
    head, last = _head(parts), parts[-1] if parts else ""
    extended = parts[:1] and parts[0].startswith(("ext", "total"))  # a price or cost times a quantity
    rules = (
        ("percent", head in _PERCENTS or _LIKE_A_PERCENT.search(head)),
        ("rate", head in _RATES or _ENDS_LIKE_A_RATE.search(head)),
        ("integer", kind.kind is Kind.BIGINT),
        ("quantity", {head, last} & _QUANTITIES or any(map(_LIKE_A_QUANTITY.search, (head, *parts[:-1])))),
        ("amount", extended and kind.kind is Kind.NUMERIC),
        ("price", _ENDS_LIKE_A_PRICE.search(head) or "price" in parts),
        ("price", head == "cost" and _PER_UNIT & set(parts)),
        ("amount", head in _AMOUNTS or {"amount", "balance", "cost", "total"} & set(parts)),
        ("amount", kind.kind is Kind.NUMERIC and kind.scale in _MONEY_SCALES),
    )
    return next((measure for measure, fits in rules if fits), "")


def _parts(name: str) -> list[str]:
    """The words of a name, without the numbers behind them."""
    return [word.rstrip("0123456789") or word for word in words(name)]


def _head(parts: list[str]) -> str:
    """The word that says what a value is: the last one, or that before a preposition (quantity on order)."""
    position = next((at for at, word in enumerate(parts) if at and word in _PREPOSITIONS), len(parts))
    return parts[position - 1] if parts else ""


NOT_ADDED_UP: Final = frozenset({"percent", "fraction", "price", "rate"})
"""Measures of which a sum means nothing; they are averaged."""
