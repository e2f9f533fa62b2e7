"""Cents, dated exchange rates, and the conversion of a document's parts to base currency."""

from __future__ import annotations

import zlib
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
ONE = Decimal("1.000000")
_MIDDLE_RATES = {"EUR": 1_084_200, "GBP": 1_271_300}  # base currency per unit, in millionths
_SWING = 20_000  # millionths either side of the middle


def cents(amount: Decimal) -> Decimal:
    """Round to two decimals, half away from zero, as ledgers do."""
    rounded = amount.quantize(CENT, ROUND_HALF_UP)
    return rounded or ZERO  # never -0.00


def rate_on(seed: int, currency: str, date: dt.date) -> Decimal:
    """The exchange rate of a day: base currency (USD) per unit of `currency`, six decimals.

    A pure function, so a company that was saved and loaded goes on with the same rates.

    Raises:
        KeyError: The company does not trade in that currency.
    """
    if currency == "USD":
        return ONE
    noise = zlib.crc32(f"{seed}|{currency}|{date.isoformat()}".encode()) % (2 * _SWING + 1) - _SWING
    return Decimal(_MIDDLE_RATES[currency] + noise).scaleb(-6)


def to_base(amount: Decimal, rate: Decimal) -> Decimal:
    """An amount of document currency in base currency, in cents."""
    return cents(amount * rate)


def spread(amounts: Sequence[Decimal], rate: Decimal) -> list[Decimal]:
    """Convert the parts of a document so that they add up to the converted total.

    The residue of rounding goes to the part that is largest in absolute value.
    """
    parts = [to_base(amount, rate) for amount in amounts]
    residue = to_base(sum(amounts, ZERO), rate) - sum(parts, ZERO)
    if residue and parts:
        largest = max(range(len(parts)), key=lambda index: abs(amounts[index]))
        parts[largest] += residue
    return parts


def share(base_balance: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The base amount that goes with `part` of a document whose open `whole` stands at `base_balance`."""
    return base_balance if part == whole else cents(base_balance * part / whole)


def is_money(amount: Decimal) -> bool:
    """Whether an amount is written with two decimals, as every amount of the company is."""
    return amount.as_tuple().exponent == -2
