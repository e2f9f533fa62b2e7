"""Amounts that add up: signed, in the division's currency, and zero for what is not in the books.

The API's own amounts hold drafts too, and receivables are negative, so a plain SUM over them is not what the ledger
says; a plain SUM over a `ledger_…` column is.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from tap_exact_online.streams.columns import Column
from tap_exact_online.streams.hints import BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_exact_online.paging import Row

_PROCESSED: Final = 50
_MATCHED: Final = 50
_RECEIVABLE: Final = 20
_PAYABLE: Final = 22


def _amount(name: str, description: str) -> Column:
    return Column(name, "decimal", title="AmountDC", description=description, hints=BASE)


def _booked(record: Row) -> Any:  # noqa: ANN401 - an exact number, whole or not
    return record.get("AmountDC") or 0 if record.get("Status") == _PROCESSED else 0


def _ledger_line(record: Row) -> Row:
    amount = _booked(record)
    return {
        "ledger_debit_amount": max(amount, 0),
        "ledger_credit_amount": -amount if amount < 0 else 0,
    }


def _entry(record: Row) -> Row:
    return {"ledger_amount": _booked(record)}


def _term(record: Row) -> Row:
    amount = 0 if record.get("Status") == _MATCHED else record.get("AmountDC") or 0
    kind = record.get("LineType")
    return {
        "ledger_payable": amount if kind == _PAYABLE else 0,
        "ledger_receivable": -amount if kind == _RECEIVABLE and amount else 0,
    }


@dataclasses.dataclass(frozen=True)
class Amounts:
    """Columns worked out from a record.

    Attributes:
        columns: The columns.
        needs: The properties that they are worked out from.
        compute: Gives their values.
    """

    columns: tuple[Column, ...]
    needs: tuple[str, ...]
    compute: Callable[[Row], Row]

    def add(self, records: Sequence[Row], rows: Sequence[Row], wanted: set[str]) -> None:
        """Put the wanted ones into rows."""
        names = [column.name for column in self.columns if column.name in wanted]
        for record, row in zip(records, rows, strict=True) if names else ():
            values = self.compute(record)
            for name in names:
                row[name] = values[name]


LEDGER_LINE: Final = Amounts(
    (
        _amount("ledger_debit_amount", "amount_dc where positive, once the entry is processed; else 0."),
        _amount("ledger_credit_amount", "-amount_dc where negative, once the entry is processed; else 0."),
    ),
    ("AmountDC", "Status"),
    _ledger_line,
)
ENTRY: Final = Amounts(
    (_amount("ledger_amount", "amount_dc once the entry is processed, else 0; credit notes are negative."),),
    ("AmountDC", "Status"),
    _entry,
)
TERM: Final = Amounts(
    (
        _amount("ledger_payable", "amount_dc of payables that are not matched yet, else 0."),
        _amount("ledger_receivable", "-amount_dc of receivables that are not matched yet, else 0."),
    ),
    ("AmountDC", "Status", "LineType"),
    _term,
)
