"""Columns that the tap works out of a row: amounts in the company's own currency, signed; due dates.

Documents hold their amounts in the document's currency beside a rate (`MulDiv` says whether to multiply or to divide);
the general ledger, and sales and stock values, are in the company's currency as they stand.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_syspro.streams.columns import Column, date, number, whole

if TYPE_CHECKING:
    from tap_syspro.service import Row

_CENT: Final = Decimal("0.01")
_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)

Make = Callable[[Mapping[str, Any]], Any]
"""Works a value out of a row of the service."""


@dataclasses.dataclass(frozen=True)
class Derived:
    """A column that is worked out.

    Attributes:
        column: What it is.
        needs: The columns that it is worked out of; it is left out where the first of them is missing.
        make: Works it out.
        terms: The terms table that `make` needs beforehand; empty for none.
    """

    column: Column
    needs: tuple[str, ...]
    make: Make
    terms: str = ""


def _decimal(row: Mapping[str, Any], name: str) -> Decimal:
    value = row.get(name)
    found = None if value is None else number(value)
    if found.__class__ is Decimal:
        return found
    return _ZERO if found is None else Decimal(found)


def _rate(row: Mapping[str, Any], names: tuple[str, ...], direction: str) -> tuple[Decimal, bool]:
    """A rate and whether amounts are divided by it; the first rate that is not zero."""
    rate = next((found for name in names if (found := _decimal(row, name))), _ONE)
    return rate, str(row.get(direction) or "").strip().upper() == "D"


def local(*names: str, rates: tuple[str, ...], direction: str) -> Make:
    """The sum of amounts in the company's own currency, rounded to cents."""

    def make(row: Mapping[str, Any]) -> Decimal | None:
        if row.get(names[0]) is None:
            return None
        amount = sum((_decimal(row, name) for name in names), _ZERO)
        rate, divides = _rate(row, rates, direction)
        exact = amount / rate if divides else amount * rate
        return exact.quantize(_CENT, rounding=ROUND_HALF_UP)

    return make


def extended(quantity: str, price: str) -> Make:
    """Quantity times price, rounded to cents."""

    def make(row: Mapping[str, Any]) -> Decimal | None:
        if row.get(quantity) is None or row.get(price) is None:
            return None
        return (_decimal(row, quantity) * _decimal(row, price)).quantize(_CENT, rounding=ROUND_HALF_UP)

    return make


def _money(name: str, description: str) -> Column:
    return Column(name, "decimal", "", 2, description)


def _converted(name: str, description: str, *needs: str, rates: tuple[str, ...], direction: str) -> Derived:
    return Derived(
        _money(name, description),
        (*needs, *rates, direction),
        local(*needs, rates=rates, direction=direction),
    )


def _debit(row: Mapping[str, Any]) -> Decimal:
    return max(_decimal(row, "EntryValue"), _ZERO)


def _credit(row: Mapping[str, Any]) -> Decimal:
    return max(-_decimal(row, "EntryValue"), _ZERO)


def _signed(row: Mapping[str, Any]) -> Decimal:
    value = _decimal(row, "EntryValue")
    return -value if str(row.get("EntryType") or "").strip() == "C" else value


_AP: Final[dict[str, Any]] = {"rates": ("ConvRate", "ExchangeRate"), "direction": "MulDiv"}
_AR: Final[dict[str, Any]] = {"rates": ("ConvRate",), "direction": "MulDiv"}
_POSTED: Final[dict[str, Any]] = {"rates": ("PostConvRate",), "direction": "PostMulDiv"}
_OWN: Final = "in the company's own currency"

AP_INVOICE: Final = (
    _converted("base_orig_inv_value", f"OrigInvValue {_OWN}.", "OrigInvValue", **_AP),
    _converted(
        "ledger_amount",
        f"OrigInvValue and TotalAdjustments {_OWN}: what the invoice came to, 0 when it was voided.",
        "OrigInvValue",
        "TotalAdjustments",
        **_AP,
    ),
    _converted("ledger_balance", f"MthInvBal1 {_OWN}: what is open now.", "MthInvBal1", **_AP),
)
AR_INVOICE: Final = (
    _converted("base_currency_value", f"CurrencyValue {_OWN}.", "CurrencyValue", **_AR),
    _converted("ledger_balance", f"InvoiceBal1 {_OWN}: what is open now.", "InvoiceBal1", **_AR),
)
PAYMENTS: Final = (
    _converted("ledger_amount", f"TrnValue {_OWN}, signed as it changes the balance.", "TrnValue", **_POSTED),
)
GL_LINES: Final = (
    Derived(
        _money("ledger_debit_amount", "EntryValue where it is a debit, else 0."), ("EntryValue",), _debit
    ),
    Derived(
        _money("ledger_credit_amount", "Minus EntryValue where it is a credit, else 0."),
        ("EntryValue",),
        _credit,
    ),
)
JOURNAL_LINES: Final = (
    Derived(
        _money("signed_value", "EntryValue, credits negative. Entries that are not posted are included."),
        ("EntryValue", "EntryType"),
        _signed,
    ),
)
SALES: Final = (
    Derived(
        _money("ledger_amount", f"Merchandise, freight and tax {_OWN}."),
        ("MerchandiseValue", "FreightValue", "TaxValue"),
        lambda row: sum((_decimal(row, n) for n in ("MerchandiseValue", "FreightValue", "TaxValue")), _ZERO),
    ),
)
STOCK: Final = (
    Derived(
        _money("stock_value", "QtyOnHand times UnitCost."),
        ("QtyOnHand", "UnitCost"),
        extended("QtyOnHand", "UnitCost"),
    ),
)
PURCHASE_LINES: Final = (
    Derived(
        _money("order_value", f"MOrderQty times MPrice, {_OWN}."),
        ("MOrderQty", "MPrice"),
        extended("MOrderQty", "MPrice"),
    ),
)
SALES_LINES: Final = (
    Derived(
        _money("order_value", "MOrderQty times MPrice, in the currency of the order."),
        ("MOrderQty", "MPrice"),
        extended("MOrderQty", "MPrice"),
    ),
)


def due_date(terms: Mapping[str, Mapping[str, Any]]) -> Make:
    """Make the day on which an invoice is due: its date and the days of its terms.

    Args:
        terms: Rows of the terms table by their code.
    """
    days = {code: whole(row.get("DueDays") or 0) or 0 for code, row in terms.items()}

    def make(row: Mapping[str, Any]) -> str | None:
        written = date(row.get("InvoiceDate") or "")
        code = str(row.get("TermsCode") or "").rstrip()
        if written is None or code not in days:
            return None
        return (dt.date.fromisoformat(written) + dt.timedelta(days=days[code])).isoformat()

    return make


DUE_DATE: Final = Derived(
    Column(
        "due_date",
        "date",
        description="InvoiceDate and the days of the terms; the table itself has no due date.",
    ),
    ("InvoiceDate", "TermsCode"),
    lambda _: None,
    terms="TblArTerms",
)


def segment(text: str, rule: Mapping[str, Any]) -> str | None:
    """One part of a GL code, by separator and index or by start and length."""
    separator = rule.get("separator")
    if separator:
        parts = text.split(separator)
        index = int(rule.get("index") or 0)
        return parts[index] if index < len(parts) else None
    start = int(rule.get("start") or 0)
    length = rule.get("length")
    return text[start : start + int(length) if length else None] or None


def segments_of(column: str, rules: list[dict[str, Any]], name_of: Callable[[str], str]) -> list[Derived]:
    """Columns with the parts of a GL code."""

    def make(rule: Mapping[str, Any]) -> Make:
        return lambda row: segment(str(row.get(column) or "").rstrip(), rule)

    return [
        Derived(
            Column(f"segment_{name_of(rule['name'])}", "string", "", None, f"Part of {column}."),
            (column,),
            make(rule),
        )
        for rule in rules
    ]


def periods(raw: Row) -> list[Row]:
    """The balances of a year, one row per period; period 0 is the balance that the year began with."""
    rows: list[Row] = []
    before: Decimal | None = None
    for period in range(16):
        name = "BeginYearBalance" if period == 0 else f"ClosingBalPer{period}"
        if raw.get(name) is None:
            continue
        balance = _decimal(raw, name)
        rows.append(
            {
                "period": period,
                "closing_balance": balance,
                "movement": _ZERO if before is None else balance - before,
            }
        )
        before = balance
    return rows
