"""How the bodies of answers become values of Python: numbers stay exact, whatever else they are decoded into."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

Json = Any
"""A decoded JSON value; numbers with a fraction are `Decimal`, never binary floats."""

Decode = Callable[[bytes], Json]
"""Decodes a body."""


@functools.lru_cache(maxsize=1024)  # half of all amounts are zero, and what is debited here is credited there
def exact(literal: str) -> Decimal:
    """A number as it is written, but in plain digits: never as 1E+2, nor zero as 0E-8."""
    value = Decimal(literal)
    # No other literals make decimals that are shown with an exponent.
    if "e" in literal or "E" in literal or "0.000000" in literal:
        whole = value.to_integral_value()
        return Decimal(f"{whole:f}") if "E" in str(value) and value == whole else value
    return value


def decoder(kind: Any = Any) -> Decode:  # noqa: ANN401 - whatever msgspec decodes into
    """Make a function that decodes a body.

    Args:
        kind: The type to decode into; by default what JSON itself says.
    """
    return msgspec.json.Decoder(kind, float_hook=exact).decode


decode: Final = decoder()
