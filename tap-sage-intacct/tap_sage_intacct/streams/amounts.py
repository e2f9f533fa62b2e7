"""Amounts in base currency that can simply be summed: signed, and zero for what is not in the books.

AMOUNT and TOTAL* are in base currency already; TRX_* are in the currency of the document. A reversed document and
its reversal cancel each other out, so both count nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_sage_intacct.discovery import snake
from tap_sage_intacct.streams.columns import amount
from tap_sage_intacct.streams.declarations import Amounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_sage_intacct.paging import Row

_NOTHING: Final = Decimal(0)
# By `query` states come as words; their case differs between releases.
_NOT_A_DOCUMENT: Final = frozenset(
    {
        "draft",
        "submitted",
        "partially approved",
        "approved",
        "declined",
        "analyzing",
        "no value",
        "reversed",
        "reversal",
        "voided",
        "void",
    }
)
_NOT_POSTED: Final = frozenset({"draft", "submitted", "partially approved", "approved", "declined"})


def _state(row: Row, *names: str) -> str:
    for name in names:
        if value := row.get(name):
            return str(value).strip().lower()
    return ""


def _document(columns: Mapping[str, tuple[str, str, str]], state: str = "STATE") -> Amounts:
    """Amounts of a document or its lines: those of the ERP while it is in the books.

    Args:
        columns: Property -> the field it comes from, its title, its description.
        state: The field that tells whether the document is in the books.
    """
    pairs = [(name, snake(field)) for name, (field, _, _) in columns.items()]
    state_name = snake(state)

    def derive(row: Row) -> None:
        counts = _state(row, state_name) not in _NOT_A_DOCUMENT
        for name, source in pairs:
            value = row.get(source)
            row[name] = value if counts else None if value is None else _NOTHING

    made = tuple(amount(name, title, description) for name, (_, title, description) in columns.items())
    return Amounts(
        made,
        (state, *(field for field, _, _ in columns.values())),
        derive,
        {name: field for name, (field, _, _) in columns.items()},
    )


BILLS: Final = _document(
    {
        "ledger_amount": (
            "TOTALENTERED",
            "Amount in the ledger",
            "Amount in base currency; 0 before posting and when reversed.",
        ),
        "ledger_due": (
            "TOTALDUE",
            "Open in the ledger",
            "What is still due, in base currency; 0 before posting and when reversed.",
        ),
    }
)
INVOICES: Final = BILLS
ADJUSTMENTS: Final = BILLS
BILL_LINES: Final = _document(
    {
        "ledger_amount": (
            "AMOUNT",
            "Amount in the ledger",
            "Amount in base currency; 0 before posting and when reversed.",
        )
    }
)
PAYMENTS: Final = _document(
    {
        "ledger_amount": (
            "TOTALENTERED",
            "Paid in the ledger",
            "Amount paid in base currency; 0 before posting and when voided.",
        )
    }
)
_SETTLED: Final = (
    "PAYMENTAMOUNT",
    "INLINEAMOUNT",
    "DISCOUNTAMOUNT",
    "ADJUSTMENTAMOUNT",
    "POSTEDADVANCEAMOUNT",
)


def _settlement(row: Row) -> None:
    counts = _state(row, "state") not in _NOT_A_DOCUMENT
    parts = [row.get(snake(field)) or _NOTHING for field in _SETTLED] if counts else [_NOTHING]
    row["ledger_amount"] = sum(parts, _NOTHING)
    row["ledger_paid"] = parts[0]


PAYMENT_DETAILS: Final = Amounts(
    (
        amount(
            "ledger_amount",
            "Settled in the ledger",
            "What this row settles of its document, in base currency, by money, credit, discount or advance; 0 "
            "before posting and when voided.",
        ),
        amount("ledger_paid", "Paid in the ledger", "The part of it that is money."),
    ),
    ("STATE", *_SETTLED),
    _settlement,
)


def _positive(value: Any) -> Any:  # noqa: ANN401 - a number or nothing
    return _NOTHING if value is None else value


def _detail(row: Row) -> None:
    counts = _state(row, "batch_state", "entry_state") not in _NOT_POSTED and row.get("statistical") != "T"
    row["ledger_debit_amount"] = _positive(row.get("debitamount")) if counts else _NOTHING
    row["ledger_credit_amount"] = _positive(row.get("creditamount")) if counts else _NOTHING


def _entry(row: Row) -> None:
    counts = _state(row, "state") not in _NOT_POSTED and row.get("statistical") != "T"
    value = _positive(row.get("amount")) if counts else _NOTHING
    is_debit = row.get("tr_type") != -1
    row["ledger_debit_amount"] = value if is_debit else _NOTHING
    row["ledger_credit_amount"] = _NOTHING if is_debit else value


_DEBIT: Final = amount("ledger_debit_amount", "Debit", "Debit in base currency; 0 before posting.")
_CREDIT: Final = amount("ledger_credit_amount", "Credit", "Credit in base currency; 0 before posting.")
GL_DETAILS: Final = Amounts(
    (_DEBIT, _CREDIT),
    ("DEBITAMOUNT", "CREDITAMOUNT", "BATCH_STATE", "ENTRY_STATE", "STATISTICAL"),
    _detail,
    {_DEBIT.name: "DEBITAMOUNT", _CREDIT.name: "CREDITAMOUNT"},
)
JOURNAL_LINES: Final = Amounts(
    (_DEBIT, _CREDIT),
    ("AMOUNT", "TR_TYPE", "STATE", "STATISTICAL"),
    _entry,
    {_DEBIT.name: "AMOUNT", _CREDIT.name: "AMOUNT"},
)
